"""From a description to an ONNX file, weights drawn from the description's own seed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from descriptions import Block, MapNetwork, Network, Perceptron, ResidualNetwork

sys.path.insert(0, str(Path(__file__).parents[1] / "lower"))

from map_files import MapChain, TrunkChain
from perceptron_files import write_perceptron


def write_network(network: Network, path: Path) -> Path:
    """Write the file and return its path."""
    if isinstance(network, Perceptron):
        return write_perceptron(path, network.widths, network.input_bits, network.weights_seed, network.top_k)
    return (_maps(network) if isinstance(network, MapNetwork) else _residual(network)).save(path)


def _maps(network: MapNetwork) -> MapChain:
    chain = MapChain(shape=network.shape, seed=network.weights_seed)
    if network.input_bits == 1:
        chain.bipolar()
    else:
        chain.quant(network.input_bits, scale=2.0 ** (1 - network.input_bits), narrow=0)
    for block in network.blocks:
        _convolution(chain, block)
        if block.pool is not None:
            chain.pool(block.pool.kernel, block.pool.strides)
    return chain.classify(network.classes, network.hidden)


def _convolution(chain: MapChain, block: Block) -> None:
    if block.pad_value == 0:
        chain.conv(block.outputs, block.kernel, block.strides, block.pads)
    else:
        if any(block.pads):
            chain.pad(*block.pads, value=float(block.pad_value))
        chain.conv(block.outputs, block.kernel, block.strides)
    chain.activation(spread=float(np.sqrt(block.kernel[0] * block.kernel[1] * 4)))


def _residual(network: ResidualNetwork) -> TrunkChain:
    chain = TrunkChain(shape=network.shape, seed=network.weights_seed).quant(8, scale=1 / 128, narrow=0)
    chain.conv(network.trunk, kernel=(1, 1)).scaled(spread=1).trunk(network.bits)
    for block in network.blocks:
        outputs, strides = chain.map[0] * block.repeat, (block.stride, block.stride)
        chain.block(outputs, strides, network.bits, network.bits, block.sides, block.gate)
    return chain.head(network.classes) if network.averaged else chain.sign().classify(network.classes)
