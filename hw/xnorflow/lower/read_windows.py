"""Kernel, stride and padding of Conv, MaxPool and Pad, as the windows that they slide over maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.windows import Window
from xnorflow.lower.operators import attributes_of, node_name

__all__ = ["padding_of", "reduced_axes", "window_of"]

Pads = tuple[int, int, int, int]
NO_PADS: Pads = (0, 0, 0, 0)


def window_of(model: Any, node: Any) -> Window:
    """Return the windows of a Conv or MaxPool, with padding of value 0 where the node itself pads.

    Args:
        model: the qonnx ModelWrapper, with shapes.
        node: takes (1, channels, rows, columns).

    Raises:
        InputModelError: maps of another rank, dilation, groups, a kernel larger than the padded map, or an output that
            rounds up.
    """
    attributes, shape = attributes_of(node), model.get_tensor_shape(node.input[0])
    if len(shape) != 4:
        raise InputModelError(
            f"node {node_name(node)}", f"{node.op_type} over a tensor of shape {tuple(shape)}",
            "maps (1, channels, rows, columns)", "use two-dimensional layers",
        )  # fmt: skip
    kernel = attributes.get("kernel_shape")
    if kernel is None:
        kernel = model.get_tensor_shape(node.input[1])[2:]
    stride = attributes.get("strides", [1, 1])
    _check_plain(node, attributes)
    size = (int(shape[2]), int(shape[3]))
    pads = _pads(attributes, size, kernel, stride)
    window = Window(*size, int(shape[1]), _pair(kernel), _pair(stride), pads)
    if window.padded[0] < kernel[0] or window.padded[1] < kernel[1]:
        raise InputModelError(
            f"node {node_name(node)}", f"a kernel of {kernel[0]}x{kernel[1]} on a map of {size[0]}x{size[1]}",
            "a kernel that fits into the padded map", "make the kernel smaller, or pad more",
        )  # fmt: skip
    if attributes.get("ceil_mode", 0) and window.remainder != (0, 0):
        raise InputModelError(
            f"node {node_name(node)}", "ceil_mode=1 where the stride leaves a remainder", "windows within the map",
            "set ceil_mode=False, or make the map a multiple of the stride",
        )  # fmt: skip
    return window


def padding_of(model: Any, node: Any) -> tuple[Pads, float]:
    """Return what a Pad puts around maps: rows above, columns left, rows below, columns right, and the value.

    Raises:
        InputModelError: a mode other than constant, amounts that are no constants, or padding of batch or channels.
    """
    attributes = attributes_of(node)
    mode = attributes.get("mode", b"constant").decode()
    amounts, value = attributes.get("pads"), attributes.get("value", 0.0)
    if len(node.input) > 1:
        amounts = model.get_initializer(node.input[1])
        given = model.get_initializer(node.input[2]) if len(node.input) > 2 and node.input[2] else None
        value = 0.0 if given is None else float(np.asarray(given).reshape(-1)[0])
    found = None if amounts is None else [int(amount) for amount in amounts]
    if mode != "constant" or found is None or len(found) != 8 or any((found[0], found[1], found[4], found[5])):
        raise InputModelError(
            f"node {node_name(node)}", f"Pad with mode {mode} and amounts {found}",
            "constant padding of rows and columns", "pad maps with a constant, -1 in front of 1-bit layers",
        )  # fmt: skip
    if min(found) < 0:
        raise InputModelError(
            f"node {node_name(node)}", f"negative padding {found}", "0 or more", "crop the map in front of the network"
        )
    return (found[2], found[3], found[6], found[7]), float(value)


def reduced_axes(model: Any, node: Any) -> list[int]:
    """Return the axes that a ReduceMean or ReduceSum goes over, ascending; all of them where it names none."""
    axes, rank = attributes_of(node).get("axes"), len(model.get_tensor_shape(node.input[0]))
    if axes is None and len(node.input) > 1:
        axes = model.get_initializer(node.input[1])
    return sorted(int(axis) % rank for axis in axes) if axes is not None else list(range(rank))


def _pair(values: Any) -> tuple[int, int]:
    return int(values[0]), int(values[1])


def _check_plain(node: Any, attributes: dict[str, Any]) -> None:
    if any(int(step) != 1 for step in attributes.get("dilations", [1, 1])):
        raise InputModelError(
            f"node {node_name(node)}", f"dilations {list(attributes['dilations'])}", "1 in both directions",
            "use a kernel without holes",
        )  # fmt: skip
    if attributes.get("group", 1) != 1:
        raise InputModelError(
            f"node {node_name(node)}", f"{attributes['group']} groups", "one group",
            "grouped and depth-wise convolutions have no 1-bit unit: use full ones",
        )  # fmt: skip


def _pads(attributes: dict[str, Any], size: tuple[int, int], kernel: Any, stride: Any) -> Pads:
    auto = attributes.get("auto_pad", b"NOTSET").decode()
    if not auto.startswith("SAME"):
        given = [int(pad) for pad in attributes.get("pads", NO_PADS)] if auto != "VALID" else list(NO_PADS)
        return given[0], given[1], given[2], given[3]
    begins, ends = [], []
    for length, wide, step in zip(size, kernel, stride, strict=True):
        total = max((-(-length // int(step)) - 1) * int(step) + int(wide) - length, 0)
        less, more = total // 2, total - total // 2
        begins.append(less if auto == "SAME_UPPER" else more)
        ends.append(more if auto == "SAME_UPPER" else less)
    return begins[0], begins[1], ends[0], ends[1]
