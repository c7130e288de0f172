"""Plain descriptions of small networks and of how each is built and simulated: all that a run of the ladder needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

Pair = tuple[int, int]
Map = tuple[int, int, int]
"""Channels, rows, columns."""

LARGEST_INPUT_BITS = 8
FEWEST_TRUNK_BITS = 2
RESIDUAL_KERNEL, RESIDUAL_PADS = (3, 3), (1, 1, 1, 1)


@dataclass(frozen=True)
class Pool:
    """A max-pool without padding."""

    kernel: Pair
    strides: Pair

    def result(self, shape: Map) -> Map | None:
        """Return the shape of its maps, or None where the kernel does not fit."""
        return windows_of(shape, shape[0], self.kernel, self.strides)


@dataclass(frozen=True)
class Block:
    """A convolution with BatchNorm and sign, perhaps with a max-pool behind.

    Args:
        pads: top, left, bottom, right; each less than the kernel.
        pad_value: -1 or +1; 0: the zeros of the Conv itself, which only an input of several bits has.
    """

    outputs: int
    kernel: Pair
    strides: Pair = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    pad_value: int = -1
    pool: Pool | None = None

    def result(self, shape: Map) -> Map | None:
        """Return the shape of its maps, or None where a kernel does not fit."""
        made = windows_of(shape, self.outputs, self.kernel, self.strides, self.pads)
        return made if made is None or self.pool is None else self.pool.result(made)


@dataclass(frozen=True)
class ResidualBlock:
    """Sign, padded 3x3 convolution and trunk, added to what came in.

    Args:
        repeat: outputs for each channel that came in, 1 or 2.
        stride: 1 or 2; what came in is averaged by as much.
        sides: side branches of the signs' sums, added to the convolution.
        gate: whether each channel is multiplied by a power of two that the frame decides.
    """

    repeat: int = 1
    stride: int = 1
    sides: int = 0
    gate: bool = False

    def result(self, shape: Map) -> Map | None:
        """Return the shape of its maps, or None where the two branches would differ in size."""
        if shape[1] % self.stride or shape[2] % self.stride or (self.repeat > 1 and self.stride == 1):
            return None
        channels = shape[0] * self.repeat
        return windows_of(shape, channels, RESIDUAL_KERNEL, (self.stride, self.stride), RESIDUAL_PADS)


def windows_of(
    shape: Map, channels: int, kernel: Pair, strides: Pair, pads: tuple[int, int, int, int] = (0, 0, 0, 0)
) -> Map | None:
    """Return the shape that windows over maps give, or None where there is none, or one without a pixel in it."""
    rows, columns = shape[1] + pads[0] + pads[2], shape[2] + pads[1] + pads[3]
    if any(pad >= kernel[side % 2] for side, pad in enumerate(pads)) or rows < kernel[0] or columns < kernel[1]:
        return None
    return channels, (rows - kernel[0]) // strides[0] + 1, (columns - kernel[1]) // strides[1] + 1


def last_map(shape: Map, blocks: tuple[Block, ...] | tuple[ResidualBlock, ...]) -> Map | None:
    """Return the shape behind all blocks, or None where one does not fit."""
    for block in blocks:
        made = block.result(shape)
        if made is None:
            return None
        shape = made
    return shape


@dataclass(frozen=True)
class MapNetwork:
    """Convolutional blocks, flatten, perhaps a hidden layer of signs, and the last product; 1 to 8 bits come in."""

    kind: Literal["maps"]
    shape: Map
    weights_seed: int
    input_bits: int
    blocks: tuple[Block, ...]
    hidden: int | None
    classes: int

    @property
    def first_map(self) -> Map:
        """What the first block gets."""
        return self.shape

    @property
    def legal(self) -> bool:
        """Whether there is such a network."""
        first = self.blocks[:1] if self.input_bits > 1 else ()
        zeros = [block for block in self.blocks if block.pad_value == 0 and any(block.pads)]
        numbers = (*self.shape, self.hidden or 1, *(block.outputs for block in self.blocks))
        return (
            min(numbers) >= 1
            and self.classes >= 2
            and 1 <= self.input_bits <= LARGEST_INPUT_BITS
            and all(block in first for block in zeros)
            and last_map(self.first_map, self.blocks) is not None
        )


@dataclass(frozen=True)
class ResidualNetwork:
    """A 1x1 convolution of bytes, residual blocks over a trunk of few bits, and an average or a sign before the end.

    Args:
        trunk: channels of the trunk.
        bits: of the trunk.
        averaged: whether the last product is over the average of each map; else over the signs of all its pixels.
    """

    kind: Literal["residual"]
    shape: Map
    weights_seed: int
    trunk: int
    bits: int
    blocks: tuple[ResidualBlock, ...]
    averaged: bool
    classes: int

    @property
    def first_map(self) -> Map:
        """What the first block gets."""
        return self.trunk, *self.shape[1:]

    @property
    def legal(self) -> bool:
        """Whether there is such a network."""
        return (
            min(*self.shape, self.trunk) >= 1
            and self.classes >= 2
            and self.bits >= FEWEST_TRUNK_BITS
            and last_map(self.first_map, self.blocks) is not None
        )


@dataclass(frozen=True)
class Perceptron:
    """Products with BatchNorm and sign between them, as Brevitas exports them.

    Args:
        widths: of the input, of each hidden layer, and of the output.
        top_k: whether the file ends in the label.
    """

    kind: Literal["perceptrons"]
    widths: tuple[int, ...]
    weights_seed: int
    input_bits: int
    top_k: bool

    @property
    def legal(self) -> bool:
        """Whether there is such a network."""
        return (
            len(self.widths) >= 2
            and min(self.widths) >= 1
            and self.widths[-1] >= 2
            and 1 <= self.input_bits <= LARGEST_INPUT_BITS
        )


Network = MapNetwork | ResidualNetwork | Perceptron


@dataclass(frozen=True)
class Case:
    """A network and how it goes up the ladder.

    Args:
        network: what is built.
        target_cycles: what it is folded for.
        output: logits or labels, as OutputKind has them.
        frames: random frames.
        seed: of frames and stalls.
        stall_probability: on both sides of the design.
        primitives: whether it is also simulated with the bodies for LUTs of six inputs.
        together: whether M, memories of weights and multipliers are drawn by the seed.
        note: what the case is kept for.
    """

    network: Network
    target_cycles: int
    output: Literal["logits", "labels"]
    frames: int
    seed: int
    stall_probability: float
    primitives: bool = False
    together: bool = False
    note: str = ""

    @property
    def legal(self) -> bool:
        """Whether it can be built at all."""
        return self.network.legal and self.frames >= 1

    @property
    def sizes(self) -> tuple[int, ...]:
        """Numbers in layers of the network, for the eye that follows a search."""
        network = self.network
        if isinstance(network, Perceptron):
            return network.widths
        made = [last_map(network.first_map, network.blocks[:count]) for count in range(len(network.blocks) + 1)]
        return tuple(shape[0] * shape[1] * shape[2] for shape in made if shape is not None)


_ADAPTER = TypeAdapter(Case)


def save_case(case: Case, path: Path) -> None:
    """Write a case as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_ADAPTER.dump_json(case, indent=1) + b"\n")


def load_case(path: Path) -> Case:
    """Read a case.

    Raises:
        ValueError: the file is none, or describes a network that there cannot be.
    """
    case = _ADAPTER.validate_json(path.read_bytes())
    if not case.legal:
        raise ValueError(f"{path}: no such network")
    return case
