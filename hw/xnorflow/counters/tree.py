"""Trees of parities: what ``xnorflow_parity_tree`` computes, for weights that are stored or built into logic.

With X and W the trees of an input x and a weight vector w of N bits, the number of positions in which x and w agree is
``2 * sum_i carry_i + (X[0] XNOR W[0])``, i over the nodes that have others below. The identity is a tree of full
adders: the one at node i adds ``xnor(x[i], w[i])`` and the sum bits of the nodes below, and its own sum bit is
``X[i] XNOR W[i]``. Where N is even, one node lacks a second one below: there x is taken to be 0 and w to be 1, which
adds nothing.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

__all__ = ["carry_table", "nodes_of", "parity_tree", "tree_stages", "weight_tree"]

BitArray = npt.NDArray[np.uint8]
_STAGE_LEVELS = 6
"""Levels of three-input XORs in a cycle; synthesis puts two of them into a LUT or a bit more."""


def nodes_of(width: int) -> int:
    """Return the nodes that have others below: the carries of vectors of ``width`` bits."""
    return width // 2


def tree_stages(width: int) -> int:
    """Return the registers of a tree of inputs, so that no more than six levels lie between two of them."""
    return max(-(-nodes_of(width).bit_length() // _STAGE_LEVELS), 1)


def parity_tree(bits: BitArray) -> BitArray:
    """Return the parity of each node's subtree.

    Args:
        bits: 0/1 (..., N); node i has nodes 2i + 1 and 2i + 2 below it.

    Returns:
        0/1 (..., N).
    """
    tree = bits.copy()
    width = bits.shape[-1]
    for node in range(nodes_of(width) - 1, -1, -1):
        tree[..., node] ^= tree[..., 2 * node + 1]
        if 2 * node + 2 < width:
            tree[..., node] ^= tree[..., 2 * node + 2]
    return tree


def weight_tree(bits: BitArray) -> BitArray:
    """Return the tree of a weight vector: :func:`parity_tree`, with a 1 for what an even number of bits lacks."""
    padded = bits.copy()
    if bits.shape[-1] % 2 == 0:
        padded[..., nodes_of(bits.shape[-1]) - 1] ^= 1
    return parity_tree(padded)


def _carry(data: int, left: int, right: int | None, own: int) -> int:
    agree = [1 ^ (data >> place & 1) ^ bit for place, bit in ((0, left), (1, right)) if bit is not None]
    parity = 1 ^ (data >> 2) ^ own
    return int(sum(agree) + (parity + sum(agree)) % 2 >= 2)


@cache
def carry_table(left: int, right: int | None, own: int) -> int:
    """Return the carry of a node as a function of three bits of the inputs' tree.

    Args:
        left: bit of the weights' tree to the left below.
        right: to the right below; None for a node without, where the XNOR counts as 0.
        own: of the node itself.

    Returns:
        8 bits: bit ``left + 2 * right + 4 * own`` of the inputs' tree.
    """
    return sum(_carry(data, left, right, own) << data for data in range(8))
