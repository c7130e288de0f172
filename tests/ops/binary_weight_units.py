"""Units of 1-bit weights and inputs of several bits, with inputs that reach all ends, and what comes out of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from units import unit

FRAMES = 60


@dataclass(frozen=True)
class BinaryWeights:
    """Shape, folding, bits of an input, what comes out (signs of thresholded sums, or sums), and FINN's choices."""

    mw: int
    mh: int
    simd: int
    pe: int
    bits: int = 8
    thresholded: bool = True
    res_type: str = "dsp"
    ram_style: str = "auto"

    @property
    def words(self) -> int:
        return (self.mw // self.simd) * (self.mh // self.pe)

    @cached_property
    def weights(self) -> np.ndarray:
        """-1/+1 (mw, mh); the first neuron's are all +1, the last one's all -1."""
        found = np.random.default_rng(self.mw * self.mh + self.simd).choice([-1, 1], (self.mw, self.mh))
        found[:, 0], found[:, -1] = 1, -1
        return found

    @cached_property
    def frames(self) -> np.ndarray:
        """Inputs (frames, mw): all lowest, all highest, what is largest and smallest for neurons, then random ones."""
        low, high = -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1
        found = np.random.default_rng(self.mw).integers(low, high + 1, (FRAMES, self.mw))
        found[0], found[1] = low, high
        some = self.weights.T[: FRAMES // 4] > 0
        found[2 : 2 + 2 * len(some)] = np.concatenate([np.where(some, high, low), np.where(some, low, high)])
        return found

    @cached_property
    def sums(self) -> np.ndarray:
        """Sums (frames, mh)."""
        return self.frames @ self.weights

    @cached_property
    def thresholds(self) -> np.ndarray:
        """Near the median; some neurons fire always, never, at the largest and from the smallest sum on."""
        rng, reach = np.random.default_rng(self.mh), self.mw << (self.bits - 1)
        found = np.median(self.sums, axis=0).astype(np.int64) + rng.integers(-2, 3, self.mh)
        ends = [-reach, reach + 1, reach, 1 - reach]
        found[rng.permutation(self.mh)[: len(ends)]] = ends[: self.mh]
        return found

    @cached_property
    def expected(self) -> np.ndarray:
        return (self.sums >= self.thresholds).astype(np.int64) if self.thresholded else self.sums

    def operator(self) -> tuple[Any, Any]:
        """Return a model of the unit, and the operator."""
        kind = f"INT{self.bits}"
        inputs = {"x": ([1, self.mw], kind), "W": ([self.mw, self.mh], "BIPOLAR")}
        if self.thresholded:
            inputs["T"] = ([self.mh, 1], "INT32")
        model, operator = unit(
            "BinaryWeightMVAU", inputs, [1, self.mh], MW=self.mw, MH=self.mh, SIMD=self.simd, PE=self.pe,
            inputDataType=kind, weightDataType="BIPOLAR", outputDataType="BINARY" if self.thresholded else "INT32",
            noActivation=int(not self.thresholded), binaryXnorMode=0, ActVal=0, numInputVectors=[1],
            ram_style=self.ram_style, resType=self.res_type,
        )  # fmt: skip
        model.set_initializer("W", self.weights.astype(np.float32))
        if self.thresholded:
            model.set_initializer("T", self.thresholds.astype(np.float32)[:, None])
        operator.minimize_accumulator_width(model)
        return model, operator
