"""What QONNX itself computes: the reference that lowering is compared with."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.progress import Progress, SilentProgress
from xnorflow.lower.config import OutputKind
from xnorflow.lower.extract_input import extract_input
from xnorflow.lower.extract_integers import extract_integers
from xnorflow.lower.operators import LABEL_OPS, MATRIX_OPS
from xnorflow.lower.products import ToReal
from xnorflow.lower.split_chain import split_chain, weights_of

__all__ = ["in_input_range", "logits_graph", "random_inputs", "reference_logits"]

QONNX_DOMAIN = "qonnx.custom_op.general"
ATTRIBUTES = {"Quant": {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"}}


def logits_graph(model: Any) -> Any:
    """Return a copy of a tidied graph that ends in logits and whose sums do not round.

    A final argmax is cut off. Where a product's float32 sums would round (scales that are no powers of two), so that
    the order of summation could turn a tie either way, the scales move behind the product, as FINN moves them: the same
    function with exact sums. Products that are exact as they stand are left alone.

    Args:
        model: a ModelWrapper from :func:`xnorflow.lower.import_model.import_model`.

    Raises:
        InputModelError: the network has no hardware form.
    """
    model = copy.deepcopy(model)
    shape = tuple(int(size) for size in model.get_tensor_shape(model.graph.input[0].name))[1:]
    products = extract_integers(split_chain(model), shape, OutputKind.LOGITS).products
    for node in list(model.graph.node):
        if node.op_type in LABEL_OPS:
            _end_in(model, node.input[0])
            model.graph.node.remove(node)
    nodes = [node for node in model.graph.node if node.op_type in MATRIX_OPS]
    for node, to_real in zip(nodes, products, strict=True):
        if not to_real.exact:
            _sum_integers(model, node, to_real)
    return model


def _end_in(model: Any, tensor: str) -> None:
    from onnx import TensorProto, helper

    shape = model.get_tensor_shape(tensor)
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info(tensor, TensorProto.FLOAT, shape))
    for info in [info for info in model.graph.value_info if info.name == tensor]:
        model.graph.value_info.remove(info)


def _sum_integers(model: Any, node: Any, to_real: ToReal) -> None:
    """Replace a product by: to integers, product of integers, scale, shift, bias."""
    from onnx import TensorProto, helper

    matrix, _ = weights_of(model, node)
    quantizer: list[tuple[str, list[Any]]] = [("Div", [to_real.scale]), ("Quant", [1.0, 0.0, 9.0])]
    if to_real.input_datatype == "BIPOLAR":
        quantizer = [("BipolarQuant", [1.0])]
    product = [("MatMul", [np.where(matrix > 0, 1.0, -1.0)]), ("Mul", [to_real.slope])]
    steps = [("Sub", [to_real.offset]), *quantizer, *product, ("Add", [to_real.shift]), ("Add", [to_real.bias])]
    source, shape = node.input[0], model.get_tensor_shape(node.input[0])
    position = list(model.graph.node).index(node)
    model.graph.node.remove(node)
    for index, (kind, operands) in enumerate(steps):
        name, last = f"{node.name}_{kind}{index}", index == len(steps) - 1
        names = [f"{name}_{place}" for place in range(len(operands))]
        for operand, value in zip(names, operands, strict=True):
            model.set_initializer(operand, np.asarray(value, np.float32))
        target = node.output[0] if last else f"{name}_out"
        attributes = {"domain": QONNX_DOMAIN} if kind.endswith("Quant") else {}
        made = helper.make_node(kind, [source, *names], [target], name=name, **attributes, **ATTRIBUTES.get(kind, {}))
        model.graph.node.insert(position + index, made)
        if kind == "MatMul":
            shape = model.get_tensor_shape(node.output[0])
        if not last:
            model.graph.value_info.append(helper.make_tensor_value_info(target, TensorProto.FLOAT, shape))
        source = target


def random_inputs(model: Any, frames: int, seed: int) -> npt.NDArray[np.float32]:
    """Return frames that a network tells apart, whatever its input's range.

    Each value lies within a level of the input quantizer, on the threshold to the next or right below it.

    Args:
        model: a ModelWrapper from :func:`xnorflow.lower.import_model.import_model`.
        frames: how many.
        seed: of the random numbers.

    Returns:
        float32 (frames, *input_shape).

    Raises:
        InputModelError: the network has no hardware form.
    """
    shape = tuple(int(size) for size in model.get_tensor_shape(model.graph.input[0].name))[1:]
    thresholds = extract_input(split_chain(model).head).thresholds
    span = max(float(np.max(np.diff(thresholds), initial=0.0)), float(np.abs(thresholds).max()) * 1e-3, 1e-3)
    edges = np.concatenate([thresholds[:1] - span, thresholds, thresholds[-1:] + span]).astype(np.float32)
    middles = (edges[1:] + edges[:-1]) / 2
    values = np.concatenate([middles, middles, thresholds, np.nextafter(thresholds, np.float32(-np.inf))])
    return np.random.default_rng(seed).choice(values.astype(np.float32), (frames, *shape))


def in_input_range(model: Any, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Bring pixels in [0, 1] to the range that a network's input quantizer tells apart.

    Args:
        model: a ModelWrapper from :func:`xnorflow.lower.import_model.import_model`.
        images: float32, pixels in [0, 1].

    Returns:
        The images as whole numbers 0 to 255 where a threshold lies above 2; as 2x - 1 where one lies at 0 or below, so
        that pixels in [0, 1] would all be on one side of it; else as they are.

    Raises:
        InputModelError: the network has no hardware form.
    """
    thresholds = extract_input(split_chain(model).head).thresholds
    if thresholds.max() > 2:
        return np.rint(images * np.float32(255))
    return images * np.float32(2) - np.float32(1) if thresholds.min() <= 0 else images


def reference_logits(
    model: Any, inputs: npt.NDArray[np.float32], progress: Progress | None = None
) -> npt.NDArray[np.float32]:
    """Execute QONNX on frames.

    Args:
        model: from :func:`logits_graph`.
        inputs: float32 (frames, *input_shape).
        progress: told of every batch.

    Returns:
        float32 (frames, classes).
    """
    from xnorflow.export.qonnx_run import run_qonnx

    with (progress or SilentProgress()).task("QONNX", len(inputs)) as advance:
        return run_qonnx(model, inputs, advance=advance).reshape(len(inputs), -1)
