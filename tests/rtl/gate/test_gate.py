"""xnorflow_gate: values shifted by the codes of another stream, which come at their own pace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from halves import STALLS, Halves, check_goes_on_after_a_pause, check_rate_and_latency, check_results


@dataclass(frozen=True)
class Shape(Halves):
    """Parameters of one build of halves.sv with a gate: values are its first operand, codes the second one."""

    MaxShift: int = 1
    Scale: int = 1
    Offset: int = 0

    @property
    def ends(self) -> tuple[int, int]:
        """Least and largest value that may come in."""
        low, high = (-(1 << (self.WidthA - 1)), (1 << (self.WidthA - 1)) - 1)
        if not self.SignedA:
            low, high = 0, (1 << self.WidthA) - 1
        return (0, min(high, -self.Offset)) if self.Scale == 2 else (low, high)

    def operands(self, beats: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return values and codes (beats, Pe) of their whole range; the first beats hold each pair of ends."""
        rng = np.random.default_rng(seed)
        values = rng.integers(self.ends[0], self.ends[1] + 1, (beats, self.Pe))
        codes = rng.integers(0, self.MaxShift + 1, (beats, self.Pe))
        values[:4] = np.array(self.ends)[[0, 0, 1, 1], None]
        codes[:4] = np.array([0, self.MaxShift])[[0, 1, 0, 1], None]
        return values, codes

    def results(self, values: np.ndarray, codes: np.ndarray) -> np.ndarray:
        return (self.Scale * values + self.Offset) << codes


SHAPES = {
    "one_or_two": Shape(3, 8, 1, 9),
    "smallest": Shape(2, 1, 1, 3, Scale=2, Offset=-1, SignedA=0),
    "counts": Shape(2, 7, 2, 11, 3, 2, -64, SignedA=0, DepthA=9, PauseA=100),
    "signed_counts": Shape(2, 9, 2, 11, 2, 2, -192, PauseB=100),
    "wider_than_its_counts": Shape(1, 7, 2, 8, 3, 2, -9, SignedA=0),
    "codes_of_three_bits": Shape(2, 5, 3, 12, 7, PauseA=80, PauseB=80),
    "offset": Shape(1, 6, 1, 10, Offset=90, SignedA=0, DepthB=7),
    "negative_offset": Shape(1, 6, 2, 8, 2, Offset=-32, SignedA=0),
    "wide": Shape(1, 32, 3, 39, 7),
}


@pytest.mark.parametrize("stall", STALLS.values(), ids=STALLS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_equals_numpy(bench, shape, stall):
    check_results(bench, shape, stall)


@pytest.mark.parametrize("name", ["one_or_two", "wide"])
def test_rate_and_latency(bench, name):
    check_rate_and_latency(bench, SHAPES[name])


def test_goes_on_after_a_pause(bench):
    check_goes_on_after_a_pause(bench, SHAPES["codes_of_three_bits"])


def test_outputs_are_as_narrow_as_they_can_be(bench):
    """Each shape's OutWidth is the least that is not refused, and that its largest results need."""
    for shape in SHAPES.values():
        ends = shape.results(np.array(shape.ends), np.array([shape.MaxShift] * 2))
        reach = 1 << (shape.OutWidth - 2)
        assert ends.min() < -reach or ends.max() >= reach
        parameters = {"Width": shape.WidthA, "CodeWidth": shape.WidthB, "Signed": shape.SignedA, "Offset": shape.Offset}
        parameters |= {"MaxShift": shape.MaxShift, "Scale": shape.Scale}
        assert bench.lint("gate", **parameters, OutWidth=shape.OutWidth) == []
        assert "OutWidth must hold" in " ".join(bench.lint("gate", **parameters, OutWidth=shape.OutWidth - 1))
