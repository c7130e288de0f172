"""Puts a virtual board in front of pynq in this process."""

from __future__ import annotations

from typing import Any

from xnorflow.artifact.errors import DeployError
from xnorflow.virtual_board.soc import Soc

__all__ = ["install"]


def install(soc: Soc) -> Any:
    """Let pynq find a virtual board: ``pynq.Overlay``, ``allocate``, ``MMIO`` and ``Clocks`` are on it from now on.

    Args:
        soc: board; it belongs to the caller, who closes it at the end.

    Returns:
        The ``pynq.Device``.

    Raises:
        DeployError: pynq is not installed.
    """
    try:
        from xnorflow.virtual_board.pynq_device import make_active
    except ImportError as reason:
        raise DeployError(
            "package pynq", f"not usable: {reason}", "pynq 4.0 or 3.1, and numpy below 2",
            "run `make board-env`, and this in the environment that it makes",
        ) from reason  # fmt: skip
    return make_active(soc)
