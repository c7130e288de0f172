"""``manifest.json`` of a build folder: every file that a stage wrote with its SHA-256, and the tools that took part."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape

from xnorflow.artifact.errors import InputModelError, OutputError
from xnorflow.artifact.files import sha256_of
from xnorflow.artifact.manifest import MANIFEST_NAME, Manifest, tool_versions
from xnorflow.flow.folders import Folders
from xnorflow.flow.records import StageRecords
from xnorflow.flow.session import working_in

__all__ = [
    "Checked",
    "check_manifests",
    "note_files",
    "note_folder",
    "packages_of",
    "show_manifests",
    "write_build_manifest",
]

PACKAGES = {
    "train": ("torch", "brevitas", "lightning", "numpy"),
    "export": ("torch", "brevitas", "qonnx", "onnx", "onnxruntime", "numpy"),
    "reference": ("qonnx", "onnx", "onnxruntime", "numpy"),
    "lower": ("finn-plus", "qonnx", "onnx", "onnxruntime", "numpy"),
    "generate": ("finn-plus", "qonnx", "onnx", "onnxruntime", "numpy"),
}
SHOWN = 5


def packages_of(stage: str) -> dict[str, str]:
    """Return name and version of Python, xnorflow and the packages that ``stage`` works with."""
    return {"python": platform.python_version(), **tool_versions("xnorflow", *PACKAGES.get(stage, ()))}


def write_build_manifest(folders: Folders, records: StageRecords) -> None:
    """Write ``manifest.json`` into the build folder, from what the stages noted, unless that is what it says already.

    Hashes are those of the moment of writing, so that a change by hand stays visible whatever runs later.
    """
    if not folders.build.is_dir():
        return
    files: dict[str, str] = {}
    tools: dict[str, str] = {}
    stages: dict[str, list[str]] = {}
    inside = folders.build.relative_to(folders.root)
    for stage, (written, used) in records.written().items():
        ours = {
            Path(name).relative_to(inside).as_posix(): sha
            for name, sha in written.items()
            if Path(name).is_relative_to(inside)
        }
        files |= ours
        tools |= used
        stages[stage] = sorted(ours)
    name = folders.root.resolve().name
    manifest = Manifest(name, "build", dict(sorted(files.items())), dict(sorted(tools.items())), {"stages": stages})
    with contextlib.suppress(InputModelError):
        if Manifest.load(folders.build, verify=False) == manifest:
            return
    manifest.save(folders.build)


def note_files(folders: Folders, stage: str, files: Iterable[Path], tools: dict[str, str] | None = None) -> None:
    """Note in the manifest what was written outside the stages of :class:`~xnorflow.flow.workflow.Workflow`.

    Args:
        folders: of the run or build, whose lock the caller holds.
        stage: what wrote them.
        files: below the run folder.
        tools: name to version, besides Python and xnorflow.
    """
    records = StageRecords(folders.root)
    records.write(stage, "", files, {**packages_of(stage), **(tools or {})})
    write_build_manifest(folders, records)


def note_folder(folders: Folders, stage: str, folder: Path) -> None:
    """Note all files of a folder but those of compilers, as :func:`note_files` does, where it lies in the run."""
    if folder.resolve().is_relative_to(folders.root.resolve()):
        files = (path for path in folder.rglob("*") if path.is_file())
        note_files(folders, stage, (path for path in files if "obj" not in path.relative_to(folder).parts))


@dataclass(frozen=True)
class Checked:
    """A manifest all of whose files are as they were written.

    Args:
        folder: where it lies.
        files: how many files.
        tools: name to version, of those that took part.
    """

    folder: Path
    files: int
    tools: dict[str, str]


def check_manifests(folders: Folders) -> list[Checked]:
    """Hold every file of a run or build against the manifests of training, export and build.

    Raises:
        InputModelError: there is no manifest, or it is damaged.
        OutputError: files were changed or are missing; the message names the first of them.
    """
    places = [folder for folder in (folders.train, folders.export) if (folder / MANIFEST_NAME).is_file()]
    found = []
    for folder in (*places, folders.build):
        manifest = Manifest.load(folder, verify=False)
        wrong = [f"{name} {state}" for name, sha in manifest.files.items() if (state := _state(folder / name, sha))]
        if wrong:
            more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
            raise OutputError(
                f"folder {folder}", f"{', '.join(wrong[:SHOWN])}{more}", f"the bytes that {MANIFEST_NAME} names",
                "run the stages again, which replaces these files, or keep your changes in a copy",
            )  # fmt: skip
        found.append(Checked(folder, len(manifest.files), manifest.tools))
    return found


def show_manifests(directory: Path, *, quiet: bool) -> None:
    """Check the manifests of a run or build, and say how many files each holds and which tools took part.

    Raises:
        UserError: as :func:`check_manifests`.
    """
    folders = Folders.find(directory)
    with working_in(folders.root, quiet=quiet) as session:
        for checked in check_manifests(folders):
            tools = ", ".join(f"{tool} {version.removeprefix(f'{tool} ')}" for tool, version in checked.tools.items())
            session.progress.say(escape(f"  {checked.files:>4} files as written: {checked.folder}"))
            session.progress.say(escape(f"       by {tools}"))


def _state(path: Path, sha: str) -> str:
    """Return what is wrong with a file, or nothing."""
    if not path.is_file():
        return "is missing"
    return "" if sha256_of(path) == sha else "was changed"
