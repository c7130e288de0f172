"""XNOR units with random weights, inputs that reach all ends, and what comes out of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from units import unit

FRAMES = 60


@dataclass(frozen=True)
class Unit:
    """Shape, folding, what comes out (signs of thresholded sums, sums, or these as signed numbers), weight memory.

    With several windows as many frames are pixels of one.
    """

    mw: int
    mh: int
    simd: int
    pe: int
    thresholded: bool = True
    signed: bool = False
    ram_style: str = "auto"
    windows: int = 1

    @property
    def words(self) -> int:
        return (self.mw // self.simd) * (self.mh // self.pe)

    @cached_property
    def weights(self) -> np.ndarray:
        """0/1 (mw, mh); the first neuron's are all 1, the last one's all 0."""
        found = np.random.default_rng(self.mw * self.mh + self.simd).integers(0, 2, (self.mw, self.mh))
        found[:, 0], found[:, -1] = 1, 0
        return found

    @cached_property
    def frames(self) -> np.ndarray:
        """0/1 (frames, mw): all 0, all 1, the weights of neurons and their complements, then random ones."""
        found = np.random.default_rng(self.mw).integers(0, 2, (FRAMES, self.mw))
        some = self.weights.T[: FRAMES // 4]
        found[0], found[1] = 0, 1
        found[2 : 2 + 2 * len(some)] = np.concatenate([some, 1 - some])
        return found

    @cached_property
    def counts(self) -> np.ndarray:
        """Positions in which a frame and a neuron's weights agree (frames, mh)."""
        return (self.frames[:, :, None] == self.weights).sum(axis=1)

    @cached_property
    def thresholds(self) -> np.ndarray:
        """Near the median; some neurons fire always, never, where all agrees, where anything does."""
        rng = np.random.default_rng(self.mh)
        found = np.median(self.counts, axis=0).astype(np.int64) + rng.integers(-2, 3, self.mh)
        ends = [0, self.mw + 1, self.mw, 1]
        found[rng.permutation(self.mh)[: len(ends)]] = ends[: self.mh]
        return np.clip(found, 0, self.mw + 1)

    @cached_property
    def expected(self) -> np.ndarray:
        return (self.counts >= self.thresholds).astype(np.int64) if self.thresholded else self.counts

    def operator(self) -> tuple[Any, Any]:
        """Return a model of the unit, and the operator."""
        pixels = [1] if self.windows == 1 else [1, 1, self.windows]
        inputs = {"x": ([*pixels, self.mw], "BINARY"), "W": ([self.mw, self.mh], "BINARY")}
        if self.thresholded:
            inputs["T"] = ([self.mh, 1], "INT32")
        model, operator = unit(
            "XnorMVAU", inputs, [*pixels, self.mh], MW=self.mw, MH=self.mh, SIMD=self.simd, PE=self.pe,
            inputDataType="BINARY", weightDataType="BINARY", outputDataType="BINARY" if self.thresholded else "UINT32",
            noActivation=int(not self.thresholded), binaryXnorMode=1, ActVal=0, numInputVectors=pixels,
            signedOutput=int(self.signed), ram_style=self.ram_style, M=self.windows,
        )  # fmt: skip
        model.set_initializer("W", self.weights.astype(np.float32))
        if self.thresholded:
            model.set_initializer("T", self.thresholds.astype(np.float32)[:, None])
        operator.minimize_accumulator_width(model)
        return model, operator
