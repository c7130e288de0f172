"""Settings of lowering and generation."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Backend", "BoardFill", "BuildSettings", "Cost", "FoldingBudget", "Objective", "OutputKind"]


class OutputKind(StrEnum):
    """What the accelerator sends for a frame."""

    AUTO = "auto"  # labels where the ONNX file ends in TopK or ArgMax, else logits
    LOGITS = "logits"
    LABELS = "labels"


class Backend(StrEnum):
    """What the accelerator is generated as."""

    RTL = "rtl"
    """SystemVerilog, simulated cycle by cycle and mapped to LUTs."""
    HLS = "hls"
    """C++ for Vitis HLS, compiled and run by g++."""
    AUTO = "auto"
    """Each layer as its ``preferred_impl_style`` in the folding file says; else SystemVerilog where there is any."""


class Objective(StrEnum):
    """What to make as large as the board has room for."""

    FPS = "fps"


class Cost(StrEnum):
    """What to make as small as there is room for."""

    LATENCY = "latency"


class BoardFill(BaseModel):
    """How much of its board a design may fill by its estimates, in percent.

    Args:
        LUT: of the LUTs. Not all of them: cells that fit by their number do not all place and route.
        BRAM36: of the block RAM, where every block has its place.
        DSP: of the DSP slices.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    LUT: int = Field(default=80, gt=0, le=100)
    BRAM36: int = Field(default=100, ge=0, le=100)
    DSP: int = Field(default=90, ge=0, le=100)


class FoldingBudget(BaseModel):
    """What a design may take by its estimates; at least one is given.

    Width converters are included, and FIFOs, with windows or branches at the depth of one product's inputs.

    Args:
        LUT: six-input LUTs; None: 70 % of the board's.
        BRAM36: block RAMs of 36 Kbit; None: 90 % of the board's.
        DSP: DSP slices; None: 90 % of the board's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    LUT: int | None = Field(default=None, gt=0)
    BRAM36: int | None = Field(default=None, ge=0)
    DSP: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.LUT is None and self.BRAM36 is None and self.DSP is None:
            raise ValueError("names neither LUT nor BRAM36 nor DSP")
        return self


class BuildSettings(BaseModel):
    """The ``[build]`` table of an experiment.

    Args:
        board: name of a file in ``hw/xnorflow/boards``.
        clock_ns: assumed clock period; None takes the board's.
        target_fps: frames per second to fold for, at the assumed clock.
        target_cycles: cycles per frame to fold for.
        budget: LUTs, block RAM and DSP slices to find the fastest folding for.
        maximize: ``fps``: find the fastest folding for the board itself.
        fill: how much of the board ``maximize`` and ``minimize`` may take; None: 80 % of its LUTs, all of its block
            RAM, 90 % of its DSP slices.
        folding: JSON file in FINN's folding format. Targets, budget, maximize and this exclude each other; without any,
            the fastest folding that the board has room for, though none faster than 128 cycles.
        minimize: ``latency``: beside one of these but ``folding``, or alone, change the folding so that the first
            frame's result comes early and frames follow no slower.
        output: logits, labels (argmax on chip), or whichever the ONNX file ends in.
        backend: what is generated: SystemVerilog, C++ for HLS, or either for each layer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    board: str = "Pynq-Z2"
    clock_ns: float | None = Field(default=None, gt=0.5, le=1000)
    target_fps: int | None = Field(default=None, gt=0)
    target_cycles: int | None = Field(default=None, gt=0)
    budget: FoldingBudget | None = None
    maximize: Objective | None = None
    minimize: Cost | None = None
    fill: BoardFill | None = None
    folding: Path | None = None
    output: OutputKind = OutputKind.AUTO
    backend: Backend = Backend.RTL
