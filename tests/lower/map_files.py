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
