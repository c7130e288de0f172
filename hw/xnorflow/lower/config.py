"""Settings of lowering and generation."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["BuildSettings", "OutputKind"]


class OutputKind(StrEnum):
    """What the accelerator sends for a frame."""

    AUTO = "auto"  # labels where the ONNX file ends in TopK or ArgMax, else logits
    LOGITS = "logits"
    LABELS = "labels"


class BuildSettings(BaseModel):
    """The ``[build]`` table of an experiment.

    Args:
        board: name of a file in ``hw/xnorflow/boards``.
        clock_ns: assumed clock period; None takes the board's.
        target_fps: frames per second to fold for, at the assumed clock.
        target_cycles: cycles per frame to fold for; excludes ``target_fps``. Without either, 128 cycles, or
            as many times twice that as the board needs to have room.
        folding: JSON file in FINN's folding format; excludes both targets.
        output: logits, labels (argmax on chip), or whichever the ONNX file ends in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    board: str = "Pynq-Z2"
    clock_ns: float | None = Field(default=None, gt=0.5, le=1000)
    target_fps: int | None = Field(default=None, gt=0)
    target_cycles: int | None = Field(default=None, gt=0)
    folding: Path | None = None
    output: OutputKind = OutputKind.AUTO
