"""Every step of lowering against the integers: layer by layer, the first difference named."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.design import kind_of
from xnorflow.artifact.errors import LowerError
from xnorflow.artifact.host import HostCodec
from xnorflow.lower.integer_layer import IntegerLayer
from xnorflow.lower.integer_network import IntegerNetwork
from xnorflow.lower.match import UNITS, match_nodes

__all__ = ["check_logits", "execute_frame", "verify_step"]

IntArray = npt.NDArray[np.int64]


def verify_step(step: str, model: Any, network: IntegerNetwork, codec: HostCodec, frames: IntArray, raw: bool) -> None:
    """Execute a FINN graph frame by frame and compare every layer with the integer network, parameters included.

    Args:
        step: name of the step that made the graph, for the message.
        model: a qonnx ModelWrapper that takes one frame.
        network: the integers.
        codec: how accumulators travel.
        frames: int64 (frames, inputs).
        raw: whether the graph ends in what the accelerator sends instead of accumulators.

    Raises:
        LowerError: a tensor differs; names step, tensor, index, expected and found.
    """
    expected = network.activations(frames)
    final = network.results(frames)
    final = codec.raw(final) if raw else final
    contexts = [execute_frame(step, model, frame) for frame in frames]
    matched = match_nodes(model, network)
    _check_all_matched(step, network, [position for _, position in matched])
    for index, context in enumerate(contexts):
        for node, position in matched:
            tensor = node.output[0]
            _compare(step, tensor, index, expected[position][index], _as_signs(model, tensor, context[tensor]))
        name = model.graph.output[0].name
        _compare(step, name, index, final[index], np.rint(context[name]).astype(np.int64).reshape(-1))
    _check_parameters(step, model, network, matched)


def _check_all_matched(step: str, network: IntegerNetwork, found: list[int]) -> None:
    """Refuse a graph in which an operation with a result of its own cannot be found."""
    for position, operation in enumerate(network.operations):
        if position < len(network.operations) - 1 and position not in found:
            raise LowerError(
                f"step {step}", f"{network.names[position]} (node {operation.name}) is not in its graph",
                "every operation", "compare the two graphs in intermediate_models",
            )  # fmt: skip


def _check_parameters(step: str, model: Any, network: IntegerNetwork, matched: list[tuple[Any, int]]) -> None:
    """Compare what the units hold with the network: equal weights and thresholds are equal for *every* input."""
    for node, position in matched:
        layer = network.operations[position]
        if not isinstance(layer, IntegerLayer) or kind_of(node.op_type) not in UNITS:
            continue
        weights = np.asarray(model.get_initializer(node.input[1]))
        weights = np.where(weights > 0, 1, -1) if layer.binary_weights else np.rint(weights).astype(np.int64)
        _compare(step, f"{node.name} weights", None, layer.weights.T.reshape(-1), weights.T.reshape(-1))
        if layer.thresholds is None:
            continue
        found = np.asarray(model.get_initializer(node.input[2]))
        expected, (low, high) = layer.thresholds, layer.acc_bounds
        if layer.binary_input:  # FINN counts the ones: p = (a + MW) / 2
            expected, low, high = (expected + layer.inputs) // 2, 0, layer.inputs
        # Everything up to the smallest sum means always, everything above the largest never.
        column = np.clip(np.ceil(np.broadcast_to(found.reshape(-1), expected.shape)).astype(np.int64), low, high + 1)
        _compare(step, f"{node.name} thresholds", None, expected, column)


def execute_frame(step: str, model: Any, frame: IntArray) -> dict[str, Any]:
    """Execute a FINN graph on one frame and return all its tensors by name.

    Args:
        step: name of the step that made the graph, for the message.
        model: a qonnx ModelWrapper that takes one frame.
        frame: int64 (inputs,).

    Raises:
        LowerError: it cannot be executed.
    """
    from qonnx.core.onnx_exec import execute_onnx

    source = model.graph.input[0].name
    values = (frame + 1) // 2 if model.get_tensor_datatype(source).name == "BINARY" else frame
    shape = model.get_tensor_shape(source)
    try:
        with _as_it_is():
            context = execute_onnx(
                model, {source: values.astype(np.float32).reshape(shape)}, return_full_exec_context=True
            )
    except Exception as reason:
        raise LowerError(
            f"step {step}", f"its graph cannot be executed ({type(reason).__name__}: {str(reason)[:160]})",
            fix="run again with --debug and report the graph in intermediate_models",
        ) from reason  # fmt: skip
    return dict(context)


@contextlib.contextmanager
def _as_it_is() -> Iterator[None]:
    """Keep qonnx from rounding tensors to their annotations: that hides errors and takes most of the time."""
    previous = os.environ.get("SANITIZE_QUANT_TENSORS")
    os.environ["SANITIZE_QUANT_TENSORS"] = "0"
    try:
        yield
    finally:
        if previous is None:
            del os.environ["SANITIZE_QUANT_TENSORS"]
        else:
            os.environ["SANITIZE_QUANT_TENSORS"] = previous


def _as_signs(model: Any, tensor: str, values: Any) -> IntArray:
    integers = np.rint(values).astype(np.int64).reshape(-1)
    return 2 * integers - 1 if model.get_tensor_datatype(tensor).name == "BINARY" else integers


def _compare(step: str, tensor: str, frame: int | None, expected: IntArray, found: IntArray) -> None:
    if expected.shape == found.shape and np.array_equal(expected, found):
        return
    if expected.shape != found.shape:
        raise LowerError(
            f"step {step}, tensor {tensor}", f"{found.size} values", f"{expected.size}", "report this network"
        )
    position = int(np.nonzero(expected != found)[0][0])
    raise LowerError(
        f"step {step}",
        f"tensor {tensor}[{position}] is {found[position]}" + ("" if frame is None else f" in frame {frame}"),
        f"{expected[position]}, as in the step before",
        "compare the two graphs in intermediate_models",
    )


def check_logits(
    network: IntegerNetwork, codec: HostCodec, values: IntArray, logits: npt.NDArray[np.float32]
) -> dict[str, Any]:
    """Compare the integer network with float logits, on integers.

    Args:
        network: the integers.
        codec: holds the table from accumulators to logits.
        values: int64 (frames, inputs).
        logits: float32 (frames, classes), of torch or of QONNX.

    Returns:
        ``frames``, ``mismatches`` (0) and ``float_identical``: whether even the float32 bits agree, which they do
        unless the network's scales are not powers of two and its sums round.

    Raises:
        LowerError: an accumulator differs, or the logits are not this network's.
    """
    accumulators = network.accumulators(values)
    if codec.labels:
        # On-chip labels have no table; the order of the logits decides.
        found, expected = accumulators.argmax(axis=1), logits.argmax(axis=1)
        distance = 0.0
    else:
        expected, distance = codec.encode(logits)
        found = accumulators
    if distance > 0.1:
        raise LowerError(
            "step step_extract_integers", f"logits {distance:.2f} steps away from any this network can give",
            "logits of this very ONNX file", "export again, or check the inputs",
        )  # fmt: skip
    wrong = np.argwhere(found != expected)
    if len(wrong):
        where = tuple(int(i) for i in wrong[0])
        raise LowerError(
            "step step_extract_integers", f"logit {where[-1] if len(where) > 1 else 'label'} of frame {where[0]} is "
            f"{found[where]}", f"{expected[where]}, as QONNX has it", "report this network",
        )  # fmt: skip
    identical = bool(codec.logits.size and np.array_equal(codec.decode(accumulators), logits))
    return {"frames": len(values), "mismatches": 0, "float_identical": identical}
