"""Writes an overlay as a Python package for boards: pip installs it, and pynq finds bitstream and notebook by name."""

from __future__ import annotations

import json
import keyword
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import ConfigError, DeployError, OutputError
from xnorflow.artifact.files import stage_directory
from xnorflow.deploy.bitfile import check_part
from xnorflow.deploy.overlay import DESCRIPTION, GOLDEN, HOST, OverlayDescription
from xnorflow.deploy.pynq_board import CELLS, CYCLES
from xnorflow.package.software import TEMPLATES
from xnorflow.render.templates import banner, load_template

__all__ = ["LabeledImages", "PackageName", "check_target", "write_overlay_package"]

TEST_IMAGES = "test_images.npz"
OPTIONAL = ("settings.json",)
"""Files of the folder that are packaged where they are there."""
_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_OVERLAY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")
_LONGEST = 48
_TAKEN = {"numpy", "pynq", "matplotlib", "xnorflow", "xnorflow_board", "board", "site", "test", "tests"}


@dataclass(frozen=True)
class PackageName:
    """What pip and Python call the package.

    Args:
        name: pip's, lower case.

    Raises:
        ConfigError: pip or Python would not take it, or it is another package's.
    """

    name: str

    def __post_init__(self) -> None:
        allowed = f"lower-case letters and digits in words with '-' or '_' between, {_LONGEST} at most"
        if _NAME.fullmatch(self.name) is None or len(self.name) > _LONGEST:
            raise ConfigError("option --package", f"{self.name!r}", allowed, "choose another name")
        if keyword.iskeyword(self.module) or self.module in sys.stdlib_module_names | _TAKEN:
            raise ConfigError("option --package", f"{self.name!r} is taken", "a name of its own", "choose another name")

    @property
    def module(self) -> str:
        """Python's name of it."""
        return self.name.replace("-", "_")


@dataclass(frozen=True)
class LabeledImages:
    """Images of the test set.

    Args:
        images: float32 (frames, *input_shape).
        labels: int64 (frames,).
    """

    images: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]


def check_target(output: Path) -> None:
    """Refuse a folder with other contents: a package replaces what it finds.

    Raises:
        OutputError: ``output`` is a file, or a folder that holds something and no earlier package of an overlay.
    """
    allowed = "a folder that is new, empty or of an earlier package of an overlay"
    if output.exists() and not output.is_dir():
        raise OutputError(f"output {output}", "is a file", allowed, "move it away")
    if output.is_dir() and any(output.iterdir()) and not _is_package(output):
        raise OutputError(f"output folder {output}", "holds other files", allowed, "move it away")


def _is_package(folder: Path) -> bool:
    try:
        content = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        return "overlay" in content["tool"]["xnorflow"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _load(folder: Path) -> tuple[OverlayDescription, bool]:
    """Return what a folder holds, and whether its bitstream is a virtual board's.

    Raises:
        DeployError: bitstream or handoff is missing, for another part or of another design.
        ConfigError: the overlay's name cannot be one of pynq's.
    """
    description = OverlayDescription.load(folder)
    if _OVERLAY.fullmatch(description.name) is None:
        raise ConfigError(
            f"overlay {description.name!r}", "a name that no entry point has", "letters, digits, '.', '-' and '_'",
            "rename the run's folder and deploy again",
        )  # fmt: skip
    bitfile, handoff = (folder / f"{description.name}.{end}" for end in ("bit", "hwh"))
    for path in (bitfile, handoff):
        if not path.is_file():
            raise DeployError(
                f"overlay {path}", "missing", "a .bit and the .hwh of the same build beside it",
                "run `xnorflow synthesize RUN --target vivado`, or copy both there from where Vivado ran",
            )  # fmt: skip
    check_part(bitfile, description.part, description.board)
    text = handoff.read_text(encoding="utf-8", errors="replace")
    absent = [cell for cell in CELLS.values() if f'INSTANCE="{cell}"' not in text]
    if absent:
        raise DeployError(
            f"hardware handoff {handoff}", f"no cell {absent[0]}", f"cells {' and '.join(CELLS.values())}",
            "take the .hwh of a design that has xnorflow's shell",
        )  # fmt: skip
    return description, f'INSTANCE="{CYCLES}"' in text


def _cells(script: str) -> Iterator[dict[str, Any]]:
    """Yield the cells of a notebook from a script with ``# %%`` lines between them."""
    for number, part in enumerate(re.split(r"^# %%", script, flags=re.MULTILINE)[1:]):
        head, _, body = part.partition("\n")
        markdown = "markdown" in head
        text = re.sub(r"^# ?", "", body, flags=re.MULTILINE) if markdown else body
        lines = text.strip("\n").splitlines(keepends=True)
        code: dict[str, Any] = {} if markdown else {"execution_count": None, "outputs": []}
        kind = "markdown" if markdown else "code"
        yield {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, **code, "source": lines}


def _notebook(script: str) -> str:
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    content = {"cells": list(_cells(script)), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def write_overlay_package(folder: Path, output: Path, package: PackageName, images: LabeledImages | None) -> bool:
    """Write the package of a deployed folder. Equal inputs give equal bytes.

    Args:
        folder: that ``xnorflow deploy`` wrote, with bitstream and handoff.
        output: folder to write; one with an earlier package is replaced.
        package: what it is called.
        images: for the notebook's picture and accuracy; None where there are no labels.

    Returns:
        Whether the overlay is for virtual boards only.

    Raises:
        DeployError: there is no accelerator, no bitstream, or one of something else.
        ConfigError: the overlay's name cannot be one of pynq's.
        OutputError: ``output`` cannot be written, or holds something else.
    """
    overlay, virtual = _load(folder)
    check_target(output)
    description = (
        f"{'Virtual overlay' if virtual else 'Overlay'} of the accelerator {overlay.name} for {overlay.board}: "
        f"{overlay.cycles_per_frame:,} cycles a frame"
    )

    def render(template: str) -> str:
        return load_template(TEMPLATES / f"overlay_{template}.j2").render(
            banner=banner(), package=package, overlay=overlay, virtual=virtual, description=description,
            images=images is not None,
        )  # fmt: skip

    module = package.module
    files = {
        "pyproject.toml": render("pyproject.toml"),
        "README.md": render("README.md"),
        "LICENSE": (TEMPLATES / "overlay_LICENSE").read_text(encoding="utf-8"),
        f"{module}/__init__.py": render("init.py"),
        f"{module}/overlays/__init__.py": '"""Bitstreams, one folder each."""\n',
        f"{module}/notebooks/__init__.py": '"""Notebooks for boards."""\n',
        f"{module}/notebooks/{overlay.name}.ipynb": _notebook(render("demo.py")),
    }
    with stage_directory(output) as work:
        for name, text in files.items():
            path = work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        target = work / module / "overlays" / overlay.name
        target.mkdir()
        for name in (f"{overlay.name}.bit", f"{overlay.name}.hwh", DESCRIPTION, HOST, GOLDEN, *OPTIONAL):
            if name not in OPTIONAL or (folder / name).is_file():
                shutil.copyfile(folder / name, target / name)
        if images is not None:
            np.savez_compressed(target / TEST_IMAGES, images=images.images, labels=images.labels)
    return virtual
