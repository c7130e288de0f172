"""Fold order, hexadecimal words and widths of the matrix-vector units."""

from __future__ import annotations

import numpy as np
import pytest

from xnorflow.ops.mvau_rtl import fold_starts, fold_weights, hex_words, signed_bits


@pytest.mark.parametrize(
    ("low", "high", "bits"), [(0, 0, 1), (0, 1, 2), (-1, 0, 1), (-1, 1, 2), (-128, 127, 8), (-129, 0, 9), (-5, 64, 8)]
)
def test_signed_bits_is_the_least_width(low, high, bits):
    assert signed_bits(low, high) == bits
    assert -(2 ** (bits - 1)) <= low and high <= 2 ** (bits - 1) - 1


def test_hex_words_are_one_a_line_with_the_first_bit_lowest():
    bits = np.asarray([[1, 0, 0, 0, 0], [0, 0, 0, 0, 1]], np.uint8)
    assert hex_words(bits) == "01\n10\n"


def test_hex_words_of_more_than_64_bits():
    bits = np.zeros((1, 130), np.uint8)
    bits[0, 129] = bits[0, 0] = 1
    assert hex_words(bits) == f"{(1 << 129) | 1:033x}\n"


@pytest.mark.parametrize(
    ("mw", "mh", "pe", "simd"), [(6, 4, 2, 3), (6, 4, 4, 6), (6, 4, 1, 1), (1, 1, 1, 1), (7, 3, 3, 7)]
)
def test_fold_weights_follows_its_formula(mw, mh, pe, simd):
    positive = np.random.default_rng(mw).random((mw, mh)) < 0.5
    folded = fold_weights(positive, pe, simd)
    assert folded.shape == ((mw // simd) * (mh // pe), pe * simd)
    for nf in range(mh // pe):
        for sf in range(mw // simd):
            for p in range(pe):
                for s in range(simd):
                    assert folded[nf * (mw // simd) + sf, p * simd + s] == positive[sf * simd + s, nf * pe + p]


@pytest.mark.parametrize("bits", [2, 5])
def test_weights_of_several_bits_lie_side_by_side(bits):
    weights = np.random.default_rng(bits).integers(-(1 << (bits - 1)), 1 << (bits - 1), (6, 4))
    folded = fold_weights(weights, 2, 3, bits)
    assert folded.shape == (2 * 2, 2 * 3 * bits)
    for nf, sf, p, s in np.ndindex(2, 2, 2, 3):
        stored = folded[nf * 2 + sf, (p * 3 + s) * bits : (p * 3 + s + 1) * bits]
        assert stored.tolist() == [weights[sf * 3 + s, nf * 2 + p] >> k & 1 for k in range(bits)]


def test_fold_starts_are_twos_complement_lanes():
    folded = fold_starts(np.asarray([-1, 3, -4, 0]), pe=2, width=3)
    assert hex_words(folded) == f"{0b011_111:02x}\n{0b000_100:02x}\n"
