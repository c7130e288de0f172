"""What QONNX itself computes: the reference that lowering is compared with."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.progress import Progress, SilentProgress
from xnorflow.lower.config import OutputKind
from xnorflow.lower.extract_integers import extract_integers, input_levels
from xnorflow.lower.integer_layer import IntegerLayer
from xnorflow.lower.operators import LABEL_OPS, PRODUCT_OPS, node_name
from xnorflow.lower.products import ToReal
from xnorflow.lower.read_windows import window_of
from xnorflow.lower.weights import weights_of

__all__ = ["in_input_range", "logits_graph", "random_inputs", "reference_logits"]

QONNX_DOMAIN = "qonnx.custom_op.general"
ATTRIBUTES = {"Quant": {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"}}


@dataclass(frozen=True)
class _Step:
    kind: str
    operands: list[Any]
    attributes: dict[str, Any] = field(default_factory=dict)


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
    from qonnx.transformation.infer_shapes import InferShapes

    model = copy.deepcopy(model)
    extraction = extract_integers(model, OutputKind.LOGITS)
    for node in list(model.graph.node):
        if node.op_type in LABEL_OPS:
            _end_in(model, node.input[0])
            model.graph.node.remove(node)
    nodes = {node_name(node): node for node in model.graph.node if node.op_type in PRODUCT_OPS}
    for layer, to_real in zip(extraction.network.products, extraction.products, strict=True):
        if layer.name in nodes and not to_real.exact:  # sums of channels are products too, and exact
            _sum_integers(model, nodes[layer.name], layer, to_real)
    return model.transform(InferShapes())


def _end_in(model: Any, tensor: str) -> None:
    from onnx import TensorProto, helper

    shape = model.get_tensor_shape(tensor)
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info(tensor, TensorProto.FLOAT, shape))
    for info in [info for info in model.graph.value_info if info.name == tensor]:
        model.graph.value_info.remove(info)


def _sum_integers(model: Any, node: Any, layer: IntegerLayer, to_real: ToReal) -> None:
    """Replace a product by: to integers, product of integers, scale, shift, bias."""
    from onnx import TensorProto, helper

    bits = 0 if to_real.input_datatype == "BIPOLAR" else float(to_real.input_datatype.removeprefix("INT"))
    quantizer: list[_Step] = [_Step("Div", [to_real.scale]), _Step("Quant", [1.0, 0.0, bits + 1])]
    if to_real.input_datatype == "BIPOLAR":
        quantizer = [_Step("BipolarQuant", [1.0])]
    factors = [np.asarray(vector).reshape(_channels(node)) for vector in (to_real.slope, to_real.shift, to_real.bias)]
    scaling = [_Step(kind, [vector]) for kind, vector in zip(("Mul", "Add", "Add"), factors, strict=True)]
    steps = [_Step("Sub", [to_real.offset]), *quantizer, *_product_of_integers(model, node, layer, to_real), *scaling]
    source, position = node.input[0], list(model.graph.node).index(node)
    model.graph.node.remove(node)
    for index, step in enumerate(steps):
        name, last = f"{node.name}_{step.kind}{index}", index == len(steps) - 1
        names = [f"{name}_{place}" for place in range(len(step.operands))]
        for operand, value in zip(names, step.operands, strict=True):
            whole = isinstance(value, np.ndarray) and value.dtype == np.int64
            model.set_initializer(operand, value if whole else np.asarray(value, np.float32))
        target = node.output[0] if last else f"{name}_out"
        domain = {"domain": QONNX_DOMAIN} if step.kind.endswith("Quant") else {}
        made = helper.make_node(
            step.kind, [source, *names], [target], name=name, **domain, **ATTRIBUTES.get(step.kind, step.attributes)
        )
        model.graph.node.insert(position + index, made)
        if not last:
            model.graph.value_info.append(helper.make_tensor_value_info(target, TensorProto.FLOAT, None))
        source = target


def _channels(node: Any) -> tuple[int, ...]:
    return (-1, 1, 1) if node.op_type == "Conv" else (-1,)


def _product_of_integers(model: Any, node: Any, layer: IntegerLayer, to_real: ToReal) -> list[_Step]:
    """Return the product with integer weights; a convolution that pads gets a Pad with the integer it pads with."""
    real = weights_of(model, node)[0] if node.op_type != "Conv" else np.asarray(model.get_initializer(node.input[1]))
    kernels = np.where(real > 0, 1.0, -1.0) if to_real.unit is None else np.rint(real / to_real.unit)
    if node.op_type != "Conv":
        return [_Step("MatMul", [kernels])]
    window = window_of(model, node)
    steps = [_Step("Conv", [kernels], {"kernel_shape": list(window.kernel), "strides": list(window.stride)})]
    if window.padding and layer.window is not None:
        top, left, bottom, right = window.pads
        amounts = np.asarray([0, 0, top, left, 0, 0, bottom, right], np.int64)
        steps.insert(0, _Step("Pad", [amounts, layer.window.pad_value], {"mode": "constant"}))
    return steps


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
    thresholds = input_levels(model).thresholds
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
    thresholds = input_levels(model).thresholds
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
