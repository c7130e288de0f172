"""The repository around the zoo: the catalog is written, and recipes are found, in a source tree only."""

from __future__ import annotations

from pathlib import Path

from xnorflow.artifact.errors import ConfigError
from xnorflow.train.zoo.catalog import zoo_folder

__all__ = ["CONFIGS", "repository", "source_tree"]

CONFIGS = Path("training") / "configs"


def source_tree() -> Path:
    """Return the zoo's folder in the repository.

    Raises:
        ConfigError: the package is installed without one.
    """
    folder = Path(str(zoo_folder()))
    if not (repository(folder) / CONFIGS).is_dir():
        raise ConfigError(
            f"zoo folder {folder}", "not in a source tree", "a clone of the repository, installed with pip install -e",
            "work in a clone",
        )  # fmt: skip
    return folder


def repository(zoo: Path) -> Path:
    """Return the root of the repository that holds the folder ``zoo``."""
    return zoo.parents[3]
