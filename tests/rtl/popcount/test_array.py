"""xnorflow_popcount_array: counts and their cycles in both bodies, for steps that differ and for such as repeat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from xnorflow.artifact.streams import StreamSpec
from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design

HERE = Path(__file__).parent
PARTS = ("fifo", "credit_fifo", "sum_tree", "sign_sum", "popcount_pipeline", "popcount_array")
FIFO_LATENCY = 2
# Products, bits of an input, neurons, words, cycles: rings of no, one and more places, whole bytes and not.
SHAPES = [
    (1, 1, 1, 1, 1), (7, 1, 3, 33, 2), (9, 1, 2, 4, 3), (70, 1, 5, 2, 4), (33, 1, 4, 5, 9),
    (5, 2, 3, 3, 2), (12, 3, 2, 2, 3), (8, 8, 3, 2, 2), (27, 8, 4, 2, 9), (3, 8, 1, 1, 1), (1, 8, 2, 6, 1),
]  # fmt: skip


def counts_of(inputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return what the head of the module says (steps, neurons).

    Args:
        inputs: 0/1 (steps, products, bits of an input).
        weights: 0/1 (steps, neurons, products).
    """
    width = inputs.shape[2]
    agree = inputs[:, None] == weights[..., None]  # an input if its weight is 1, else its complement
    values = agree @ (1 << np.arange(width, dtype=np.int64))
    if width > 1:  # of the complemented sign: 2**(width - 1) more than two's complement
        values = values ^ (1 << (width - 1))
    return values.sum(axis=2)


def steps(simd: int, width: int, words: int) -> tuple[np.ndarray, np.ndarray]:
    """Return words (steps,) and inputs (steps, products, bits); of a step before, one of the two is kept, or both."""
    rng = np.random.default_rng(simd)
    word, inputs = rng.integers(0, words, 400), rng.integers(0, 2, (400, simd, width))
    inputs[:4] = [[[0]], [[1]], [[0]], [[0]]]
    for step in range(4, 400):
        if rng.integers(0, 2):
            word[step] = word[step - 1]
        if rng.integers(0, 2):
            inputs[step] = inputs[step - 1]
    return word, inputs


@pytest.mark.parametrize("synthesis", [False, True], ids=["simulation", "synthesis"])
@pytest.mark.parametrize(("simd", "width", "pe", "words", "latency"), SHAPES)
def test_counts_and_cycles(bench, tmp_path, simd, width, pe, words, latency, synthesis):
    weights = np.random.default_rng(words).integers(0, 2, (words, pe, simd))
    lines = [f"{int(''.join(map(str, word.ravel()[::-1])), 2):x}\n" for word in weights]
    (tmp_path / "weights.mem").write_text("".join(lines), encoding="utf-8")
    word, inputs = steps(simd, width, words)
    word_bits, row_bits = max((words - 1).bit_length(), 1), (simd * (2**width - 1)).bit_length()
    beats = np.hstack([inputs.reshape(400, -1), word[:, None] >> np.arange(word_bits) & 1])
    source = StreamSpec("in", "BINARY", 1, beats.shape[1], beats.shape[1])
    sink = StreamSpec("out", f"UINT{row_bits + 2}", row_bits + 2, pe, pe)
    shape = {"Simd": simd, "InputWidth": width, "Pe": pe, "Words": words, "RowWidth": row_bits, "Latency": latency}
    library = compile_design(
        "arrayed", [*[bench.folder / f"xnorflow_{part}.sv" for part in PARTS], HERE / "arrayed.sv"], tmp_path,
        ports=PortNames.library(), parameters=shape, defines=["SYNTHESIS"] * synthesis,
    )  # fmt: skip
    for stall, seed in ((0.0, 1), (0.0, 2), (0.4, 3)):
        with StreamModel(library, tmp_path, seed) as model:
            got, run = bench.stream(model, beats, source, sink, stall, seed)
        np.testing.assert_array_equal(got, counts_of(inputs, weights[word]))
        if stall == 0.0:
            assert set(run.intervals) == {1}
            assert run.latency == 2 + latency + FIFO_LATENCY
