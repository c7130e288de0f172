"""Which form a function of one integer takes in ``xnorflow_requantize``, and its memories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import GenerateError
from xnorflow.ops.affine_fit import AffineFit, fit_affine
from xnorflow.ops.mvau_rtl import hex_words, signed_bits

__all__ = ["FunctionMemory", "read_function"]

IntArray = npt.NDArray[np.int64]

MOST_STEPS = 3
"""Thresholds of a channel up to which comparators are smaller than a table."""
MOST_TABLE_BITS = 16
WIDEST_TABLE = 8
"""Above this many bits coming in, a multiplier is smaller than a table."""


@dataclass(frozen=True)
class FunctionMemory:
    """A function in the form that the RTL takes.

    Args:
        table: int64 (2**width, channels): the result of every input, row ``i`` that of ``low + i`` where ``low`` is the
            least number of the input's bits. Where there is a fit, of the inputs that come.
        width: bits of an input.
        signed: whether inputs are two's complement.
        out_width: bits of a result.
        pe: channels of a beat.
        steps: thresholds of a channel; 0: by table.
        base: value below all thresholds.
        falling: whether any channel falls.
        fit: the function as lines; None: it takes none, or a table is smaller.
    """

    table: IntArray
    width: int
    signed: bool
    out_width: int
    pe: int
    steps: int
    base: int
    falling: bool
    fit: AffineFit | None = None

    @property
    def mode(self) -> str:
        """``Mode`` of the module."""
        return "affine" if self.fit else "thresholds" if self.steps else "table"

    @property
    def slopes(self) -> int:
        """Pieces of the lines."""
        return self.fit.pieces if self.fit else 1

    @property
    def parameters(self) -> dict[str, int | bool]:
        """Parameters of the module besides widths and files."""
        if self.fit:
            factor, offset = self._affine_widths()
            return {"FactorWidth": factor, "OffsetWidth": offset, "Shift": self.fit.shift, "Slopes": self.slopes}
        return {"Steps": self.steps, "Base": self.base, "Falling": self.falling} if self.steps else {}

    def files(self, name: str) -> dict[str, str]:
        """Return the memory files of node ``name`` by their names."""
        if self.fit or self.steps:
            words = self._affine_words(self.fit) if self.fit else self._threshold_words()
            return {f"{name}_parameters.mem": hex_words(words)}
        return {f"{name}_table_{memory}.mem": hex_words(words) for memory, words in enumerate(self._tables())}

    def _affine_widths(self) -> tuple[int, int]:
        assert self.fit is not None
        both = (self.fit.factors, self.fit.offsets)
        factor, offset = (max(signed_bits(int(values.min()), int(values.max())), 2) for values in both)
        return max(factor, self.fit.shift + 1 - self.width), offset  # the sum is wider than the shift

    def _affine_words(self, fit: AffineFit) -> npt.NDArray[np.uint8]:
        """Return (folds, bits): factor and offset of the lanes, those of the other piece, and the knee."""
        factor, offset = self._affine_widths()
        fields = [field for pair in zip(fit.factors, fit.offsets, strict=True) for field in pair]
        widths = [factor, offset] * fit.pieces
        if fit.pieces == 2:
            fields, widths = [*fields, fit.knees], [*widths, self.width + 1]
        planes = [(values[:, None] >> np.arange(width)) & 1 for values, width in zip(fields, widths, strict=True)]
        lanes = np.concatenate(planes, axis=1).astype(np.uint8)
        return np.ascontiguousarray(lanes.reshape(len(lanes) // self.pe, -1))

    def _threshold_words(self) -> npt.NDArray[np.uint8]:
        """Return (folds, bits): thresholds of the lanes, then a bit a lane that says whether it falls."""
        channels, wide = self.table.shape[1], self.width + 1
        low = -(2 ** (self.width - 1))
        falls = self.table[0] > self.table[-1]
        rising = np.where(falls, self.table[::-1], self.table)
        # A falling function counts the thresholds that x is below; where it rises from the other end, it falls there.
        counts = np.stack([(rising < self.base + step + 1).sum(axis=0) for step in range(self.steps)])
        thresholds = np.where(falls, low + len(self.table) - counts, low + counts)
        bits = ((thresholds.T[:, :, None] >> np.arange(wide)) & 1).astype(np.uint8)  # (channels, steps, bits)
        words = bits.reshape(channels // self.pe, -1)
        if not self.falling:
            return words
        return np.concatenate([words, falls.reshape(-1, self.pe).astype(np.uint8)], axis=1)

    def _tables(self) -> list[npt.NDArray[np.uint8]]:
        """Return the words of each memory: two lanes in each, all folds, addressed by the input's bits."""
        by_bits = np.roll(self.table, len(self.table) // 2, axis=0) if self.signed else self.table
        lanes = by_bits.T.reshape(-1, self.pe, len(self.table))  # (folds, lanes, inputs)
        planes = ((lanes[..., None] >> np.arange(self.out_width)) & 1).astype(np.uint8)
        return [
            np.ascontiguousarray(planes[:, first : first + 2].reshape(-1, self.out_width))
            for first in range(0, self.pe, 2)
        ]


def read_function(table: IntArray, low: int, width: int, signed: bool, out_width: int, pe: int) -> FunctionMemory:
    """Choose the form of a function.

    Args:
        table: int64 (integers, channels): results of ``low``, ``low + 1``, ...
        low: the smallest input that comes.
        width: bits of an input.
        signed: whether inputs are two's complement.
        out_width: bits of a result.
        pe: channels of a beat.

    Raises:
        GenerateError: more inputs than a table can have.
    """
    differences = np.diff(table, axis=0)
    monotone = (differences >= 0).all(axis=0) | (differences <= 0).all(axis=0)
    base, steps = int(table.min()), int(table.max() - table.min())
    compared = signed and bool(monotone.all()) and 0 < steps <= MOST_STEPS
    if out_width == 1:
        base, steps = 0, 1
        compared = signed and bool(monotone.all())
    falling = bool((differences < 0).any())
    fit = None
    if not compared and signed and width > WIDEST_TABLE and out_width > 1:
        fit = fit_affine(table, low, out_width)
    if not fit and not compared and width > MOST_TABLE_BITS:
        raise GenerateError(
            "requantization", f"a function of inputs of {width} bits that is not made of one or two lines",
            f"at most {MOST_TABLE_BITS} bits", "use fewer inputs a neuron",
        )  # fmt: skip
    if not fit:  # inputs that never come get the result of the nearest one that does
        first = -(2 ** (width - 1)) if signed else 0
        table = table[np.clip(np.arange(first, first + 2**width) - low, 0, len(table) - 1)]
    return FunctionMemory(table, width, signed, out_width, pe, steps if compared else 0, base, falling, fit)
