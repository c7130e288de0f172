"""ONNX files of convolutional networks, as other people's exporters write them."""

from __future__ import annotations

import numpy as np
from qonnx_files import Chain


class MapChain(Chain):
    """A chain that knows the shape (channels, rows, columns) of its maps."""

    def __init__(self, shape=(2, 7, 6), seed=0):
        super().__init__((1, *shape), seed=seed)
        self.map = shape

    def conv(self, outputs, kernel=(3, 3), strides=(1, 1), pads=(0, 0, 0, 0), scale=1.0, bias=None, **attributes):
        """Append a Conv whose own padding is 0."""
        channels, rows, columns = self.map
        signs = np.where(self.rng.random((outputs, channels, *kernel)) < 0.5, -1.0, 1.0) * scale
        operands = [signs] if bias is None else [signs, bias]
        if "auto_pad" not in attributes:
            attributes["pads"] = list(pads)
        self.op("Conv", *operands, name=f"conv{len(self.nodes)}", strides=list(strides), kernel_shape=list(kernel),
                **attributes)  # fmt: skip
        rows = (rows + pads[0] + pads[2] - kernel[0]) // strides[0] + 1
        columns = (columns + pads[1] + pads[3] - kernel[1]) // strides[1] + 1
        self.map = (outputs, rows, columns)
        return self

    def pad(self, top, left, bottom, right, value=-1.0, mode="constant"):
        amounts = self.constant([0, 0, top, left, 0, 0, bottom, right], np.int64)
        self.op("Pad", amounts, np.asarray(value), name=f"pad{len(self.nodes)}", mode=mode)
        channels, rows, columns = self.map
        self.map = (channels, rows + top + bottom, columns + left + right)
        return self

    def pool(self, kernel=(2, 2), strides=(2, 2), pads=(0, 0, 0, 0), **attributes):
        self.op("MaxPool", name=f"pool{len(self.nodes)}", kernel_shape=list(kernel), strides=list(strides),
                pads=list(pads), **attributes)  # fmt: skip
        channels, rows, columns = self.map
        rows = (rows + pads[0] + pads[2] - kernel[0]) // strides[0] + 1
        columns = (columns + pads[1] + pads[3] - kernel[1]) // strides[1] + 1
        self.map = (channels, rows, columns)
        return self

    def at(self, shape):
        """Say which shape the maps have behind an operator that does not keep count."""
        self.map = shape
        return self

    def activation(self, spread=2.0, **options):
        return self.batchnorm(self.map[0], spread, **options).bipolar()

    def classify(self, classes=5, hidden=None):
        """Append flatten, perhaps a hidden layer, and the last product."""
        self.flatten()
        inputs = int(np.prod(self.map))
        if hidden is not None:
            self.hidden(inputs, hidden)
            inputs = hidden
        return self.dense(inputs, classes).end()


def signs(**options):
    return MapChain(**options).bipolar()


def bytes_in(**options):
    """An input of 8 bits around 0."""
    return MapChain(**options).quant(8, scale=1 / 128, narrow=0)


def small_cnv(seed=0):
    """Two convolutions, a pool, and a convolution that leaves one pixel, as CNV has them."""
    chain = bytes_in(shape=(3, 10, 10), seed=seed).conv(6).activation().conv(8).activation().pool()
    return chain.conv(10).activation().classify(4, hidden=12)


NETWORKS = {
    "small_cnv": small_cnv,
    "padded_with_minus_one": lambda: signs().pad(1, 1, 1, 1).conv(4).activation().pad(1, 0, 0, 2).conv(3).activation()
    .classify(),
    "padded_with_plus_one": lambda: signs().conv(4).activation().pad(0, 1, 2, 0, value=1.0).conv(3).activation()
    .classify(),
    "own_zero_padding_of_bytes": lambda: bytes_in().conv(4, pads=(1, 1, 1, 1)).activation().classify(),
    "same_upper": lambda: bytes_in(shape=(2, 5, 4)).conv(4, pads=(1, 0, 1, 1), strides=(2, 2), auto_pad="SAME_UPPER")
    .activation().classify(),
    "same_lower": lambda: bytes_in(shape=(2, 5, 4)).conv(4, kernel=(2, 2), pads=(1, 1, 0, 0), auto_pad="SAME_LOWER")
    .activation().classify(),
    "strides_with_a_remainder": lambda: signs(shape=(2, 9, 8)).conv(4, strides=(2, 3)).activation().classify(),
    "flat_kernels": lambda: signs().conv(4, kernel=(1, 3)).activation().conv(3, kernel=(2, 1)).activation().classify(),
    "one_pixel_kernels": lambda: signs().conv(5, kernel=(1, 1)).activation().conv(3, kernel=(1, 1)).activation()
    .classify(),
    "one_row_under_a_padded_kernel": lambda: signs(shape=(2, 1, 7)).pad(1, 1, 1, 1).conv(8).activation(1).classify(),
    "one_pixel_under_a_padded_kernel": lambda: bytes_in(shape=(2, 1, 1)).conv(4, pads=(1, 1, 1, 1)).activation()
    .classify(),
    "kernel_as_large_as_the_map": lambda: signs().conv(4, kernel=(7, 6)).activation().classify(),
    "pools_that_overlap": lambda: signs(shape=(2, 9, 9)).conv(8).activation(9).pool((3, 3), (2, 2)).conv(3).activation()
    .classify(),
    "pool_with_a_remainder": lambda: signs(shape=(2, 7, 7)).conv(4).activation().pool().classify(),
    "pool_with_padding": lambda: signs().conv(4).activation().pool((3, 3), (2, 2), (1, 1, 1, 1)).classify(),
    "pool_of_sums": lambda: signs().conv(4).pool().batchnorm(4, gamma=np.ones(4)).bipolar().classify(),
    "two_pools": lambda: signs(shape=(2, 11, 11)).conv(16).activation(12).pool((3, 3), (3, 3)).pool((3, 3), (3, 3))
    .classify(),
    "scales_and_biases": lambda: bytes_in().conv(4, scale=0.37, bias=np.asarray([3.0, -20.5, 7.25, 0.0])).activation()
    .conv(3, scale=0.11, bias=np.asarray([0.4, -0.3, 0.2])).activation().classify(),
    "last_layer_is_a_convolution": lambda: signs().conv(4).activation().conv(5, kernel=(5, 4)).flatten().end(),
}  # fmt: skip


# Networks with integers of few bits -------------------------------------------------------------------------------


SIGN_FACTORS = np.asarray([1.0, 2.0, -1.0, 3.0]).reshape(1, 4, 1, 1)


class TrunkChain(MapChain):
    """A chain that also knows residual blocks over a trunk of few-bit integers."""

    def trunk(self, bits=8, scale=2.0**-5, **attributes):
        return self.quant(bits, scale, narrow=0, **attributes)

    def scaled(self, spread=0.2, slopes=True):
        """Append what hardware-legal residual networks put behind a convolution: factor, offset and PReLU."""
        channels = self.map[0]
        signs = np.where(self.rng.random(channels) < 0.3, -1, 1)
        factor = signs * 2.0 ** self.rng.integers(-5, -2, channels)
        self.op("Mul", factor.reshape(1, -1, 1, 1))
        self.op("Add", np.round(self.rng.normal(0, spread, channels) * 32).reshape(1, -1, 1, 1) / 32)
        if slopes:
            self.op("PRelu", 2.0 ** -self.rng.integers(0, 4, (channels, 1, 1)).astype(float))
        return self

    def sign(self, spread=0.3):
        channels = self.map[0]
        self.op("Mul", np.where(self.rng.random(channels) < 0.3, -1.0, 1.0).reshape(1, -1, 1, 1))
        return self.op("Add", self.rng.normal(0, spread, channels).reshape(1, -1, 1, 1)).bipolar()

    def few_bit_conv(self, outputs, weights, kernel=(1, 1), strides=(1, 1), unit=1.0):
        """Append a Conv with weights drawn from a list."""
        shape = (outputs, self.map[0], *kernel)
        self.op("Conv", self.rng.choice(weights, shape) * unit, name=f"conv{len(self.nodes)}", strides=list(strides),
                kernel_shape=list(kernel), pads=[0, 0, 0, 0])  # fmt: skip
        _, rows, columns = self.map
        self.map = (outputs, (rows - kernel[0]) // strides[0] + 1, (columns - kernel[1]) // strides[1] + 1)
        return self

    def channel_sum(self):
        """Append the sum of each pixel's channels."""
        self.map = (1, *self.map[1:])
        return self.op("ReduceSum", self.constant([1], np.int64), name=f"sum{len(self.nodes)}", keepdims=1)

    def with_sides(self, outputs, strides, branches):
        """Append a 3x3 convolution of signs with branches of their sums: ternary kernels, then powers of two."""
        padded, shape = self.current, self.map
        self.conv(outputs, strides=strides)
        sums, self.current, self.map = self.current, padded, shape
        self.channel_sum().few_bit_conv(branches, [-1, 0, 1], (3, 3), strides).op("Mul", 2.0**-3)
        self.few_bit_conv(outputs, [0, 1, -1, 2, 4, -8], unit=2.0**-4).op("Mul", np.full((1, outputs, 1, 1), 8.0))
        return self.op("Add", sums, first=True, name=f"side{len(self.nodes)}")

    def gated(self, signs, channels):
        """Multiply each channel by 1/8, 1/4, 1/2 or 1, of two layers that see how many signs are +1 in each channel."""
        values, shape = self.current, self.map
        self.current, inputs = signs, self.rng.integers
        self.op("ReduceSum", self.constant([2, 3], np.int64), keepdims=0).op("Mul", 2.0**-5)
        self.op("MatMul", inputs(-7, 8, (channels, 4)) * 0.125).op("Clip", 0.0, 2.0 - 2.0**-6)
        self.op("Div", 2.0**-6).op("Floor").op("Mul", 2.0**-6).op("MatMul", inputs(-7, 8, (4, shape[0])) * 0.125)
        start, levels = self.current, []
        for bound, level in ((-0.4, 0.125), (0.0, 0.25), (0.4, 0.5)):
            self.current = start
            self.op("GreaterOrEqual", bound).op("Cast", to=1).op("Mul", level)
            levels.append(self.current)
        self.op("Add", levels[0]).op("Add", levels[1]).op("Add", 0.125)
        self.op("Unsqueeze", self.constant([2, 3], np.int64))
        return self.op("Mul", values, first=True, name=f"gate{len(self.nodes)}").at(shape)

    def block(self, outputs=None, strides=(1, 1), bits=8, final_bits=8, sides=0, gate=False):
        """Append sign, padded convolution and trunk, added to what came in; half the size and twice the channels."""
        shortcut, channels = self.current, self.map[0]
        outputs = outputs or channels
        signs = self.sign().current
        self.pad(1, 1, 1, 1)
        if sides:
            self.with_sides(outputs, strides, sides)
        else:
            self.conv(outputs, strides=strides)
        if gate:
            self.gated(signs, channels)
        self.scaled().trunk(bits)
        branch, shape = self.current, self.map
        if strides != (1, 1):
            self.current = shortcut
            self.op("AveragePool", kernel_shape=list(strides), strides=list(strides)).trunk(bits, rounding_mode="FLOOR")
            shortcut = self.current
        if outputs != channels:
            self.current = shortcut
            self.op("Tile", self.constant([1, outputs // channels, 1, 1], np.int64))
            shortcut = self.current
        self.current, self.map = branch, shape
        return self.op("Add", shortcut, first=True).trunk(final_bits)

    def linked(self):
        """Append signs, a convolution, and the signs times powers of two added to it."""
        signs, shape = self.sign().current, self.map
        self.op("Mul", np.asarray([1.0, -1 / 64, 0.25, -0.5]).reshape(1, 4, 1, 1))
        link, self.current, self.map = self.current, signs, shape
        return self.pad(1, 1, 1, 1).conv(4).op("Add", link, name="link")

    def branches(self, ratio):
        """Append the sum of what is there and of a convolution whose values have another scale."""
        shortcut = self.current
        self.sign().conv(self.map[0], kernel=(1, 1)).scaled().trunk(6, ratio * 2.0**-5)
        return self.op("Add", shortcut, name="join")

    def head(self, classes=4):
        self.op("GlobalAveragePool").flatten()
        self.map = (self.map[0], 1, 1)
        return self.dense(self.map[0], classes).end()


def trunk_in(shape=(2, 8, 8), seed=0, bits=8, channels=4):
    chain = TrunkChain(shape=shape, seed=seed).quant(8, scale=1 / 128, narrow=0)
    return chain.conv(channels).scaled(spread=1).trunk(bits)


RESIDUAL = {
    "one_block": lambda: trunk_in().block().head(),
    "two_blocks": lambda: trunk_in(seed=1).block().block().head(),
    "block_that_halves_and_doubles": lambda: trunk_in(shape=(2, 10, 10), seed=2).block(8, (2, 2)).head(),
    "trunk_of_4_bits": lambda: trunk_in(bits=4).block(bits=4, final_bits=4).head(),
    "trunk_that_grows": lambda: trunk_in(bits=5).block(bits=5, final_bits=7).head(),
    "flattened_end": lambda: trunk_in().block().sign().classify(),
    "two_bit_activations": lambda: bytes_in().conv(6).batchnorm(6).quant(2, 1.0).conv(5).activation().classify(),
    "four_bit_activations": lambda: bytes_in().conv(6).batchnorm(6).quant(4, 1.0, narrow=0).conv(5).activation()
    .classify(hidden=7),
    "relu_of_few_bits": lambda: signs().conv(6).batchnorm(6).op("Relu").quant(4, 0.5, signed=0, narrow=0).conv(3)
    .activation().classify(),
    "max_pool_of_few_bits": lambda: bytes_in(shape=(2, 8, 8)).conv(6).batchnorm(6).quant(3, 1.0, narrow=0).pool()
    .conv(5, kernel=(2, 2)).activation().classify(),
    "overlapping_average": lambda: bytes_in(shape=(2, 9, 9)).conv(4).batchnorm(4).quant(4, 0.5, narrow=0)
    .op("AveragePool", kernel_shape=[3, 3], strides=[2, 2]).quant(4, 0.5, narrow=0).at((4, 3, 3)).classify(),
    "function_of_signs": lambda: signs().conv(4).activation().op("Mul", SIGN_FACTORS).quant(4).conv(3).activation()
    .classify(),
    "function_of_signs_without_quantizer": lambda: trunk_in().linked().scaled().trunk().head(),
    "average_of_signs": lambda: bytes_in().conv(6).activation().op("GlobalAveragePool").at((6, 1, 1)).classify(),
    "few_bit_weights": lambda: trunk_in().sign().channel_sum().few_bit_conv(3, [-1, 0, 1], (3, 3)).scaled().trunk(4)
    .few_bit_conv(5, [-7, -3, 0, 1, 5], (2, 2), unit=0.1).scaled().trunk(4).classify(),
    "side_branch": lambda: trunk_in().block(sides=1).head(),
    "two_side_branches_where_the_map_halves": lambda: trunk_in(shape=(2, 10, 10), seed=2).block(8, (2, 2), sides=2)
    .head(),
    "gate": lambda: trunk_in().block(gate=True).head(),
    "gates_and_side_branches": lambda: trunk_in(shape=(2, 10, 10), seed=3).block(8, (2, 2), sides=1, gate=True)
    .block(gate=True).head(),
    "branches_a_power_of_two_apart": lambda: trunk_in().branches(4.0).trunk().head(),
}  # fmt: skip
