"""The search for the fastest folding that fits, against all foldings of small random networks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from xnorflow.lower import fold_search
from xnorflow.lower.fold_search import Room, fastest, nearest
from xnorflow.lower.layer_options import Layer, LayerOption


def random_layers(rng):
    """Up to five layers that read and write up to two streams each; what none reads leaves the network."""
    links, unread = [], []
    for position in range(rng.integers(1, 6)):
        inputs = tuple(unread.pop(rng.integers(len(unread))) for _ in range(min(rng.integers(3), len(unread))))
        outputs = tuple(f"s{position}_{index}" for index in range(rng.integers(1, 3)))
        unread += outputs
        links.append((inputs, outputs))
    links = [(inputs, tuple(name for name in outputs if name not in unread)) for inputs, outputs in links]
    return [Layer(*link, tuple(random_option(rng, index, *link) for index in range(rng.integers(1, 5))))
            for link in links]  # fmt: skip


def random_option(rng, index, inputs, outputs):
    widths = (tuple(int(bits) for bits in rng.choice([2, 4, 6, 12], len(names))) for names in (inputs, outputs))
    cycles, luts, blocks = int(rng.integers(1, 9)), int(rng.integers(5, 90)), int(rng.integers(0, 6))
    slices = int(rng.choice([0, 0, 0, 1, 3, 4]))
    return LayerOption({"PE": index}, *widths, cycles, luts, blocks, slices)


def taken(layers, options):
    """Cycles, LUTs, blocks and DSP slices of a folding; what a converter takes is compared with the report below."""
    luts, widths = sum(option.luts for option in options), {}
    for layer, option in zip(layers, options, strict=True):
        for name, bits in zip(layer.inputs, option.bits_in, strict=True):
            luts += fold_search.converter_luts(widths[name], bits)
        widths |= dict(zip(layer.outputs, option.bits_out, strict=True))
    blocks, slices = (sum(getattr(option, key) for option in options) for key in ("bram18", "dsp"))
    return max(option.cycles for option in options), luts, blocks, slices


def all_foldings(layers):
    return [taken(layers, options) for options in itertools.product(*(layer.options for layer in layers))]


@pytest.mark.parametrize("seed", range(120))
def test_no_folding_that_fits_is_faster_nor_as_fast_and_smaller(seed):
    rng = np.random.default_rng(seed)
    layers = random_layers(rng)
    room = Room(float(rng.integers(20, 500)), float(rng.integers(0, 20)), float(rng.integers(0, 9)))
    at_least = int(rng.integers(1, 9))
    fitting = [row for row in all_foldings(layers) if all(row[1:] <= np.array([room.luts, room.bram18, room.dsp]))]
    found = fastest(layers, room, at_least)
    if not fitting:
        assert found is None
        return
    bound = max(at_least, min(row[0] for row in fitting))
    luts, bram18 = min(row[1:3] for row in fitting if row[0] <= bound)
    assert found.cycles <= bound and (found.luts, found.bram18) == (luts, bram18)
    assert taken(layers, found.options) == (found.cycles, found.luts, found.bram18, found.dsp)
    assert all(option in layer.options for option, layer in zip(found.options, layers, strict=True))


def test_of_equal_luts_the_fewest_blocks_are_taken():
    options = tuple(LayerOption({"PE": blocks}, (), (), 5, 40, blocks) for blocks in (3, 1, 2))
    assert fastest([Layer((), (), options)], Room(50, 9)).bram18 == 1


@pytest.mark.parametrize("seed", range(60))
def test_the_smallest_takes_the_least_part_of_the_room(seed):
    rng = np.random.default_rng(seed)
    room = Room(float(rng.integers(5, 60)), float(rng.integers(0, 6)), float(rng.integers(0, 4)))
    layers = random_layers(rng)
    share = min(room.share(*row[1:]) for row in all_foldings(layers))
    found = nearest(layers, room)
    assert room.share(found.luts, found.bram18, found.dsp) == share
    assert taken(layers, found.options) == (found.cycles, found.luts, found.bram18, found.dsp)


def test_a_share_counts_the_worse_resource_and_every_block_where_none_is_allowed():
    assert (Room(100, 9, 4).share(50, 3, 3), Room(100, 9, 0).share(50, 3, 1)) == (0.75, 2.0)
    assert (Room(100, 4).share(50, 3), Room(100, 4).share(50, 1), Room(100, 0).share(50, 1)) == (0.75, 0.5, 2.0)
