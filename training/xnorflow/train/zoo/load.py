"""From a name of the zoo to a checkpoint."""

from __future__ import annotations

from importlib.resources import as_file

from xnorflow.artifact.errors import TrainError
from xnorflow.artifact.files import sha256_of
from xnorflow.train.checkpoint import Checkpoint
from xnorflow.train.zoo.catalog import CATALOG, find_entry, zoo_folder
from xnorflow.train.zoo.pack import unpack

__all__ = ["load_zoo"]


def load_zoo(name: str) -> Checkpoint:
    """Return a network of the zoo; nothing is downloaded.

    Raises:
        ConfigError: no network is called ``name``.
        TrainError: its file is missing, damaged, or not the one that the catalog is about.
    """
    entry = find_entry(name)
    with as_file(zoo_folder().joinpath(entry.file)) as path:
        if path.is_file() and sha256_of(path) != entry.sha256:
            raise TrainError(
                f"zoo network {name!r}, file {path}", f"its SHA-256 differs from the one in {CATALOG}",
                "the file as shipped", "install xnorflow again",
            )  # fmt: skip
        return unpack(path)
