"""Command line of ``xnorflow manifest``. Imports typer only, as :mod:`xnorflow.flow.cli` does."""

from __future__ import annotations

from xnorflow.flow.options import Debug, Directory, Quiet

__all__ = ["manifest"]


def manifest(directory: Directory, quiet: Quiet = False, debug: Debug = False) -> None:
    """Hold the files of a run or build against their manifest.json; name those that were changed by hand."""
    from xnorflow.flow.build_manifest import show_manifests

    show_manifests(directory, quiet=quiet)
