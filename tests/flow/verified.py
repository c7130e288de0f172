"""Builds to verify, as `xnorflow build` leaves them, and what the tests of planted faults share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from xnorflow.artifact.progress import SilentProgress
from xnorflow.flow.folders import Folders
from xnorflow.flow.verify import SAVED, Rung, verify
from xnorflow.lower.config import Backend
from xnorflow.lower.stage import Lowered

sys.path.insert(0, str(Path(__file__).parents[1] / "lower"))

from built_network import build_network
from map_files import signs, trunk_in

FRAMES = 8


def padded_network() -> Any:
    """Return a padded convolutional network whose layers have several folds."""
    chain = signs(shape=(3, 6, 6), seed=5).conv(8, kernel=(2, 2)).activation().pad(1, 1, 1, 1).conv(6).activation()
    return chain.pool().classify(4)


def residual_network() -> Any:
    """Return a network of one residual block."""
    return trunk_in().block().head()


def built(chain: Any, folder: Path, backend: Backend = Backend.RTL, in_hls: tuple[str, ...] = ()) -> Lowered:
    """Lower and generate a network, with golden vectors; with ``in_hls`` these layers in C++ and the others in RTL."""
    folder.mkdir(parents=True)
    return build_network(chain.save(folder / "given.onnx"), folder, 400, FRAMES, backend, in_hls)


def check(folders: Folders) -> list[Rung]:
    return verify(folders, FRAMES, SilentProgress())


def saved(folders: Folders) -> tuple[np.ndarray, np.ndarray]:
    """Return the two tensors that were kept."""
    with np.load(folders.report / SAVED) as content:
        return content["expected"], content["found"]


def edit(path: Path, change: Callable[[str], str]) -> None:
    text = path.read_text(encoding="utf-8")
    assert change(text) != text
    path.write_text(change(text), encoding="utf-8")
