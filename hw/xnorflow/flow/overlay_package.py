"""``xnorflow deploy --package``: the deployed folder as a Python package for boards, with images of the test set."""

from __future__ import annotations

from pathlib import Path

from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.progress import Progress
from xnorflow.flow.build_manifest import note_folder
from xnorflow.flow.folders import Folders
from xnorflow.package.overlay import LabeledImages, PackageName, write_overlay_package

__all__ = ["package_folder", "package_overlay"]

MOST_IMAGES = 1000
"""Of the test set, that a package holds."""


def package_folder(folders: Folders) -> Path:
    """Return where the package of a run goes."""
    return folders.root / "package"


def package_overlay(folders: Folders, folder: Path, package: PackageName, progress: Progress) -> Path:
    """Write the package of a run's deployed folder, and return where.

    Raises:
        UserError: as for :func:`~xnorflow.package.overlay.write_overlay_package`.
    """
    golden, output = GoldenVectors.load(folders.golden), package_folder(folders)
    images = None
    if len(golden.labels):
        images = LabeledImages(golden.inputs[:MOST_IMAGES], golden.labels[:MOST_IMAGES])
    with progress.task("package") as advance:
        virtual = write_overlay_package(folder, output, package, images)
        advance(0, f"{package.name}, {len(images.images) if images else 'no'} labeled images{', virtual' * virtual}")
    note_folder(folders, "overlay package", output)
    return output
