"""Reading an ONNX file of anybody's making: what is no network is refused here, before FINN is even imported."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import InputModelError
from xnorflow.lower.operators import QUANTIZER_OPS, node_name

__all__ = ["check_finite", "check_variances", "read_onnx"]

Arrays = dict[str, npt.NDArray[Any]]

QONNX_DOMAIN = "qonnx.custom_op.general"
OLDEST_OPSET = 7
"""onnxruntime executes nothing older."""


def read_onnx(path: Path) -> Any:
    """Load an ONNX file and check that it is one: one static input, one output, no cycle, finite numbers.

    Quantizers of every age and domain (``onnx.brevitas``, ``finn.custom_op.general``, none) get QONNX's domain of
    today.

    Returns:
        An onnx.ModelProto whose first opset is that of the default domain.

    Raises:
        InputModelError: the file is missing, corrupt, runs in a circle, or has no static interface.
    """
    model = _parse(path)
    _check_opset(path, model)
    arrays = _initializers(path, model)
    _check_interface(path, model, arrays)
    _check_tensors(path, model, arrays)
    _check_cycles(path, model)
    users = {name: node for node in reversed(model.graph.node) for name in node.input}
    for name, array in arrays.items():
        check_finite(node_name(users[name]) if name in users else "(none)", name, array)
    check_variances(model, arrays)
    for node in model.graph.node:
        if node.op_type in QUANTIZER_OPS:
            node.domain = QONNX_DOMAIN
    return model


def _parse(path: Path) -> Any:
    import onnx

    if not path.exists():
        raise InputModelError(f"model {path}", "no such file", "an ONNX file", "check the path")
    if not path.is_file():
        raise InputModelError(f"model {path}", "a folder", "an ONNX file", "name the .onnx file in it")
    try:
        content = path.read_bytes()
    except OSError as reason:
        raise InputModelError(f"model {path}", "not readable", "a readable file", "check its permissions") from reason
    if not content:
        raise InputModelError(f"model {path}", "an empty file", "an ONNX file", "export it again")
    try:
        model = onnx.load_model_from_string(content)
    except Exception as reason:  # protobuf raises several unrelated types
        raise _corrupt(path) from reason
    if not model.graph.node or not model.graph.output:
        raise _corrupt(path)
    try:
        onnx.load_external_data_for_model(model, str(path.parent))
    except Exception as reason:  # missing, too short, outside the folder
        raise InputModelError(
            f"model {path}", f"weights in another file that cannot be read ({str(reason)[:120]})",
            "an ONNX file with all that belongs to it", "copy the .data file as well, or export into one file",
        ) from reason  # fmt: skip
    return model


def _corrupt(path: Path) -> InputModelError:
    return InputModelError(
        f"model {path}", "corrupt, truncated or not ONNX at all", "an ONNX file", "export or copy it again"
    )


def _check_opset(path: Path, model: Any) -> None:
    from onnx import helper

    imports = {entry.domain: entry.version for entry in model.opset_import}
    version = imports.pop("", imports.pop("ai.onnx", OLDEST_OPSET))
    if version < OLDEST_OPSET:
        raise InputModelError(
            f"model {path}", f"opset {version}", f"opset {OLDEST_OPSET} or later", "export with a later opset"
        )
    del model.opset_import[:]
    # qonnx takes the first entry for that of the default domain.
    model.opset_import.append(helper.make_opsetid("", version))
    model.opset_import.extend(helper.make_opsetid(domain, number) for domain, number in imports.items())
    if QONNX_DOMAIN not in imports:
        model.opset_import.append(helper.make_opsetid(QONNX_DOMAIN, 1))


def _initializers(path: Path, model: Any) -> Arrays:
    """Return the initializers as arrays."""
    from onnx import numpy_helper

    if model.graph.sparse_initializer:
        raise InputModelError(
            f"model {path}", "sparse initializers", "dense ones", "export the weights as dense tensors"
        )
    arrays: Arrays = {}
    for tensor in model.graph.initializer:
        try:
            array = numpy_helper.to_array(tensor)
        except Exception as reason:  # sizes that contradict each other, unknown types
            raise InputModelError(
                f"model {path}, tensor {tensor.name}", "its data do not fill its shape", "an intact ONNX file",
                "export or copy it again",
            ) from reason  # fmt: skip
        arrays[tensor.name] = array
    return arrays


def _check_interface(path: Path, model: Any, arrays: Arrays) -> None:
    inputs = [tensor for tensor in model.graph.input if tensor.name not in arrays]
    for kind, tensors in (("inputs", inputs), ("outputs", _value_outputs(model))):
        if len(tensors) != 1:
            names = ", ".join(tensor.name for tensor in tensors)
            raise InputModelError(
                f"model {path}", f"{len(tensors)} {kind} ({names})"[:200], "exactly one",
                f"export the network with one of its {kind} only",
            )  # fmt: skip
    dimensions = inputs[0].type.tensor_type.shape.dim
    sizes = [int(dim.dim_value) for dim in dimensions]
    where, shown = f"model {path}, input {inputs[0].name}", "x".join(_shown(dim) for dim in dimensions)
    if not sizes or any(size <= 0 for size in sizes):
        raise InputModelError(
            where, f"dynamic shape {shown or '?'}", "a static shape with batch 1", "export without dynamic axes"
        )
    if len(sizes) == 1:
        raise InputModelError(
            where, f"shape {shown} without a batch dimension", f"1x{shown}", "export with a batch of one frame"
        )
    if sizes[0] != 1:
        raise InputModelError(where, f"batch {sizes[0]}", "batch 1", "export with one frame as the example")


def _shown(dimension: Any) -> str:
    return dimension.dim_param or str(dimension.dim_value or "?")


def _value_outputs(model: Any) -> list[Any]:
    """Return the graph outputs, leaving out the values beside the indices of a final TopK."""
    values = {node.output[0] for node in model.graph.node if node.op_type == "TopK" and len(node.output) > 1}
    return [tensor for tensor in model.graph.output if tensor.name not in values] or list(model.graph.output)


def _check_tensors(path: Path, model: Any, arrays: Arrays) -> None:
    """Check that every operand comes from somewhere: a file can be valid protobuf and still lack half its weights."""
    known = {tensor.name for tensor in model.graph.input} | set(arrays)
    made = {name for node in model.graph.node for name in node.output}
    for node in model.graph.node:
        missing = [name for name in node.input if name and name not in known and name not in made]
        if missing:
            raise InputModelError(
                f"model {path}, node {node_name(node)}", f"its operand {missing[0]} is nowhere in the file",
                "a complete ONNX file", "export it again, with its weights",
            )  # fmt: skip
    unmade = [tensor.name for tensor in model.graph.output if tensor.name not in made]
    if unmade:
        raise InputModelError(
            f"model {path}, output {unmade[0]}", "no node computes it", "a complete ONNX file", "export it again"
        )


def _check_cycles(path: Path, model: Any) -> None:
    """Check that no node needs its own result; the order in the file does not matter."""
    makers = {name: index for index, node in enumerate(model.graph.node) for name in node.output if name}
    needs = {
        index: sorted({makers[name] for name in node.input if name in makers})
        for index, node in enumerate(model.graph.node)
    }
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as reason:
        circle = reason.args[1]  # first and last the same
        start = circle.index(min(circle))
        names = [node_name(model.graph.node[index]) for index in (*circle[start:-1], *circle[: start + 1])]
        raise InputModelError(
            f"model {path}, node {names[0]}", f"its result comes back to it ({' -> '.join(names)})"[:200],
            "a graph without cycles", "unroll the loop in the network, then export it again",
        ) from None  # fmt: skip


def check_finite(node: str, tensor: str, array: npt.NDArray[Any]) -> None:
    """Refuse NaN and infinity in a constant.

    Raises:
        InputModelError: some are there; says in which node's operand.
    """
    if not np.issubdtype(array.dtype, np.floating):
        return
    wrong = int((~np.isfinite(array)).sum())
    if wrong:
        raise InputModelError(
            f"node {node}, tensor {tensor}", f"{wrong} of {array.size} values are NaN or infinite", "finite numbers",
            "train again or repair the checkpoint",
        )  # fmt: skip


def check_variances(model: Any, arrays: Arrays) -> None:
    """Refuse a BatchNormalization whose variance is not positive.

    Raises:
        InputModelError: names node and channel.
    """
    for node in model.graph.node:
        variance = arrays.get(node.input[4]) if node.op_type == "BatchNormalization" and len(node.input) > 4 else None
        if variance is not None and (variance <= 0).any():
            raise InputModelError(
                f"node {node_name(node)}", f"BatchNorm variance {float(variance.min()):g} in channel "
                f"{int(variance.argmin())}", "variances above 0",
                "run the network in training mode on some data first, and drop neurons that never change",
            )  # fmt: skip
