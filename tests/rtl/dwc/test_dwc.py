"""xnorflow_dwc: order of pieces, rate and latency."""

from __future__ import annotations

import numpy as np
import pytest

from xnorflow.artifact.streams import StreamSpec

# Bits of a beat in, bits of a beat out.
RATIOS = {
    "split_odd": (21, 7),
    "join_odd": (7, 21),
    "equal": (8, 8),
    "split_64": (64, 1),
    "join_64": (1, 64),
    "split_2": (6, 3),
    "join_2": (3, 6),
}


def specs(widths: tuple[int, int]) -> tuple[StreamSpec, StreamSpec]:
    """Return both ports of a frame that is one wide beat, as pieces of the narrow side."""
    narrow, wide = min(widths), max(widths)
    pieces = wide // narrow
    source, sink = (StreamSpec("s", f"UINT{narrow}", narrow, pieces, width // narrow) for width in widths)
    return source, sink


def frames(source: StreamSpec, count: int) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 1 << source.bits, (count, source.elements))


@pytest.mark.parametrize("stall", [0.0, (0.5, 0.0), (0.0, 0.5), 0.4])
@pytest.mark.parametrize("widths", RATIOS.values(), ids=RATIOS)
def test_keeps_order_and_data(bench, widths, stall):
    source, sink = specs(widths)
    values = frames(source, 200)
    with bench.open("dwc", InWidth=widths[0], OutWidth=widths[1]) as model:
        got, _ = bench.stream(model, values, source, sink, stall)
    np.testing.assert_array_equal(got, values)


@pytest.mark.parametrize("widths", RATIOS.values(), ids=RATIOS)
def test_no_bubbles(bench, widths):
    """A wide beat every ratio-th cycle: the narrow side never rests."""
    source, sink = specs(widths)
    with bench.open("dwc", InWidth=widths[0], OutWidth=widths[1]) as model:
        _, run = bench.stream(model, frames(source, 50), source, sink)
    ratio = source.elements
    assert set(run.intervals) == {ratio}
    assert run.latency == (0 if ratio == 1 else ratio)
    # Latency counts the pieces too: one cycle before the first piece, or after the last one.
    assert run.first_output - run.frame_starts[0] == (0 if ratio == 1 else 1 if widths[0] > widths[1] else ratio)
