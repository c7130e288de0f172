"""Trees of parities: twice their carries and a parity are the positions in which two vectors agree."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from xnorflow.counters.tree import carry_table, nodes_of, parity_tree, tree_stages, weight_tree

WIDTHS = range(1, 71)


def pairs(width, count=1000):
    """Return inputs and weights (count, width): random ones, equal ones, complements, and all equal bits."""
    rng = np.random.default_rng(width)
    data, weights = rng.integers(0, 2, (2, count, width), np.uint8)
    weights[:10], weights[10:20] = data[:10], 1 - data[10:20]
    data[20:24], weights[20:24] = [[0], [1], [0], [1]], [[0], [0], [1], [1]]
    return data, weights


@pytest.mark.parametrize("width", WIDTHS)
def test_a_node_is_the_parity_of_its_subtree(width):
    data, _ = pairs(width, 30)

    def below(node):
        return [node, *below(2 * node + 1), *below(2 * node + 2)] if node < width else []

    tree = parity_tree(data)
    assert sorted(below(0)) == list(range(width))
    for node in range(width):
        np.testing.assert_array_equal(tree[:, node], data[:, below(node)].sum(axis=1) % 2)


def carries_of(data_tree, weight_tree_, node, width):
    """Return the carries (vectors,) at a node, each looked up in the table of its weights."""
    left, right = 2 * node + 1, 2 * node + 2
    found = []
    for x, w in zip(data_tree.astype(int), weight_tree_.astype(int), strict=True):
        whole = right < width
        table = carry_table(int(w[left]), int(w[right]) if whole else None, int(w[node]))
        place = x[left] + 2 * (x[right] if whole else 0) + 4 * x[node]
        found.append(table >> place & 1)
    return np.asarray(found)


@pytest.mark.parametrize("width", WIDTHS)
def test_carries_count_where_vectors_agree(width):
    data, weights = pairs(width)
    data_tree, trees = parity_tree(data), weight_tree(weights)
    carries = sum((carries_of(data_tree, trees, node, width) for node in range(nodes_of(width))), np.zeros(1000, int))
    odd = 1 ^ data_tree[:, 0] ^ trees[:, 0]
    np.testing.assert_array_equal(2 * carries + odd, (data == weights).sum(axis=1))


@pytest.mark.parametrize("width", [2, 3, 4, 5, 6, 7])
def test_carries_count_for_all_vectors(width):
    vectors = np.asarray(list(itertools.product((0, 1), repeat=width)), np.uint8)
    data, weights = np.repeat(vectors, len(vectors), axis=0), np.tile(vectors, (len(vectors), 1))
    data_tree, trees = parity_tree(data), weight_tree(weights)
    carries = sum(carries_of(data_tree, trees, node, width) for node in range(nodes_of(width)))
    np.testing.assert_array_equal(2 * carries + (1 ^ data_tree[:, 0] ^ trees[:, 0]), (data == weights).sum(axis=1))


@pytest.mark.parametrize("weights", itertools.product((0, 1), repeat=3))
def test_a_carry_is_a_majority(weights):
    """Of the parities below, and of the node's own XNOR, which is what its parity leaves of theirs."""
    for own, right, left in itertools.product((0, 1), repeat=3):
        agree = [int(x == w) for x, w in zip((left, right, own), weights, strict=True)]
        own_bit = agree[0] ^ agree[1] ^ agree[2]
        majority = int(agree[0] + agree[1] + own_bit >= 2)
        assert carry_table(*weights) >> (left + 2 * right + 4 * own) & 1 == majority


@pytest.mark.parametrize(("left_weight", "own_weight"), itertools.product((0, 1), repeat=2))
def test_a_carry_without_a_right_one(left_weight, own_weight):
    """Both the parity below and the node's own XNOR are 1; what stands at the right does not count."""
    for own, right, left in itertools.product((0, 1), repeat=3):
        below, parity = int(left == left_weight), int(own == own_weight)
        found = carry_table(left_weight, None, own_weight) >> (left + 2 * right + 4 * own) & 1
        assert found == (below & (parity ^ below))


@pytest.mark.parametrize("shape", [(7,), (3, 8), (2, 3, 9)])
def test_trees_of_any_number_of_vectors(shape):
    bits = np.random.default_rng(3).integers(0, 2, shape, np.uint8)
    kept = bits.copy()
    for tree in (parity_tree, weight_tree):
        found = tree(bits)
        assert found.shape == shape and found.dtype == np.uint8
        for index in np.ndindex(*shape[:-1]):
            np.testing.assert_array_equal(found[index], tree(bits[index]))
    np.testing.assert_array_equal(bits, kept)


@pytest.mark.parametrize(("width", "stages"), [(2, 1), (3, 1), (126, 1), (127, 1), (128, 2), (784, 2), (8191, 2)])
def test_six_levels_a_stage(width, stages):
    """Levels of the tree: 6 for up to 127 bits, so that one register is enough."""
    assert tree_stages(width) == stages
    assert -(-nodes_of(width).bit_length() // stages) <= 6


def test_the_example_of_the_documentation():
    """docs/xnor_units.md: five bits that agree in three places."""
    data, weights = np.asarray([[1, 0, 1, 1, 0]], np.uint8), np.asarray([[1, 1, 1, 0, 0]], np.uint8)
    data_tree, trees = parity_tree(data), weight_tree(weights)
    assert data_tree.tolist() == [[1, 1, 1, 1, 0]] and trees.tolist() == [[1, 1, 1, 0, 0]]
    assert [carries_of(data_tree, trees, node, 5)[0] for node in (0, 1)] == [1, 0]
