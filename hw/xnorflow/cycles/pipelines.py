"""Modules that compute in a pipeline without an enable, whose results are guarded by credits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xnorflow.cycles.machine import Machine, clog2

__all__ = ["Argmax", "Mvau", "Requantize"]


def _pipeline(beats: int, folds: int, delay: int, needed: int, wanted: int = 0) -> tuple[str, tuple[int, ...]]:
    """Return the line of a pipeline before ``xnorflow_credit_fifo``; machines.hpp says what the numbers mean.

    Args:
        beats: of a result.
        folds: of a frame.
        delay: cycles from a result's last beat to the buffer.
        needed: places of the buffer that keep the pipeline going.
        wanted: places at least.
    """
    return "pipeline", (beats, folds, delay, max(needed, wanted))


def _popcount_latency(width: int) -> int:
    return 1 + (clog2(-(-width // 32)) + 1) // 2


@dataclass(frozen=True)
class Mvau(Machine):
    """``xnorflow_mvau``, or ``xnorflow_xnor_unit`` around an array.

    Args:
        mw: inputs of a frame.
        mh: neurons.
        simd: inputs of a beat; divides ``mw``.
        pe: neurons of a beat; divides ``mh``.
        input_bits: bits of an input.
        weight_bits: bits of a weight; more than 1 only with ``input_bits`` of more than 1.
        count_latency: cycles from a beat to its count in ``xnorflow_xnor_unit``; 0: it is ``xnorflow_mvau``.
        output_depth: results that the output buffer holds at least.
    """

    mw: int
    mh: int
    simd: int
    pe: int
    input_bits: int = 1
    weight_bits: int = 1
    count_latency: int = 0
    output_depth: int = 0
    lowest: ClassVar[dict[str, int]] = {"count_latency": 0, "output_depth": 0}

    def __post_init__(self) -> None:
        """Check the folding too, and which widths go together."""
        super().__post_init__()
        self._must_divide("simd", "mw")
        self._must_divide("pe", "mh")
        if self.input_bits == 1 < self.weight_bits:
            raise ValueError(f"Mvau: weight_bits is {self.weight_bits}, expected 1 where input_bits is 1")

    @property
    def beats(self) -> tuple[int, int]:
        """Sf and Nf."""
        return self.mw // self.simd, self.mh // self.pe

    @property
    def cycles(self) -> int:
        """Sf * Nf."""
        return self.beats[0] * self.beats[1]

    @property
    def line(self) -> tuple[str, tuple[int, ...]]:
        """As localparams of the RTL: AccStage + 1 cycles of delay, Places."""
        sf, nf = self.beats
        trees = (clog2(self.simd) + 1) // 2 + (clog2(self.weight_bits) + 1) // 2
        summed = self.count_latency or (_popcount_latency(self.simd) if self.input_bits == 1 else trees)
        in_flight = (5 + summed + sf) // sf + 1
        needed = 5 if in_flight < 4 else 2 ** clog2(in_flight) + 1
        return _pipeline(sf, nf, 3 + summed, needed, self.output_depth)


@dataclass(frozen=True)
class Argmax(Machine):
    """``xnorflow_argmax``.

    Args:
        labels: scores of a frame.
        pe: scores of a beat; divides ``labels``.
    """

    labels: int
    pe: int = 1

    def __post_init__(self) -> None:
        """Check the folding too."""
        super().__post_init__()
        self._must_divide("pe", "labels")

    @property
    def beats(self) -> tuple[int, int]:
        """Those of a frame, one label."""
        return self.labels // self.pe, 1

    @property
    def cycles(self) -> int:
        """Beats of a frame."""
        return self.beats[0]

    @property
    def line(self) -> tuple[str, tuple[int, ...]]:
        """Levels + 1 cycles of delay, Latency + 2 places."""
        return _pipeline(self.beats[0], 1, clog2(self.pe) + 1, clog2(self.pe) + 5)


@dataclass(frozen=True)
class Requantize(Machine):
    """``xnorflow_requantize``.

    Args:
        mode: ``"thresholds"``, ``"affine"`` or ``"table"``.
        steps: thresholds of a channel, in that mode.
        slopes: pieces of the affine function, 1 or 2, in that mode.
        output_depth: results that the output buffer holds at least.
    """

    mode: str
    steps: int = 1
    slopes: int = 1
    output_depth: int = 0

    def __post_init__(self) -> None:
        """Check the numbers, and the mode."""
        if self.mode not in ("thresholds", "affine", "table"):
            raise ValueError(f"Requantize: mode is {self.mode!r}, expected thresholds, affine or table")
        if self.steps < 1 or self.slopes not in (1, 2):
            raise ValueError(f"Requantize: steps {self.steps}, slopes {self.slopes}, expected at least 1; 1 or 2")

    @property
    def beats(self) -> tuple[int, int]:
        """One."""
        return 1, 1

    @property
    def cycles(self) -> int:
        """One."""
        return 1

    @property
    def line(self) -> tuple[str, tuple[int, ...]]:
        """Latency and Places."""
        latency = {"table": 2, "affine": 4 + self.slopes, "thresholds": 3}[self.mode]
        if self.mode == "thresholds" and self.steps > 1:
            latency += _popcount_latency(self.steps)
        return _pipeline(1, 1, latency, 2 ** clog2(latency + 2) + 1, self.output_depth)
