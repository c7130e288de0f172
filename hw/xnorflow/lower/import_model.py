"""From an ONNX file to a tidied QONNX graph, refusing what has no hardware form before anything long runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xnorflow.artifact.errors import InputModelError
from xnorflow.lower.finn_compat import prepare_finn
from xnorflow.lower.operators import LABEL_OPS, SUPPORTED_OPS, attributes_of, node_name
from xnorflow.lower.read_onnx import check_finite, check_variances, read_onnx
from xnorflow.lower.unify_types import unify_types

__all__ = ["LABEL_OPS", "import_model"]

SHAPE_COMPUTATIONS = frozenset({"Concat", "Constant", "ConstantOfShape", "Gather", "Range", "Shape", "Slice"})
"""Gone once constants are folded; no reason to refuse a file before."""

RANDOM_OPS = frozenset(
    {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}
)


def import_model(path: Path) -> Any:
    """Load and tidy an ONNX file: shapes inferred, constants folded (quantized weights too), Sign as BipolarQuant.

    An input that carries only an annotation gets the quantizer it stands for. What the file does with its logits
    (softmax, the five largest) is cut off; a final argmax stays.

    Args:
        path: QONNX (Quant, BipolarQuant), or FINN-ONNX with MultiThreshold nodes.

    Returns:
        A qonnx ModelWrapper with a static batch of 1 whose weights are initializers. Nodes keep their names.

    Raises:
        InputModelError: the file is missing, corrupt, or has what cannot be built, named by node.
    """
    model = read_onnx(path)
    unify_types(model)
    prepare_finn()
    from qonnx.core.modelwrapper import ModelWrapper

    from xnorflow.lower.passes.cut_host_tail import CutHostTail

    wrapper = _tidy(path, ModelWrapper(model)).transform(CutHostTail())
    constants = {tensor.name: wrapper.get_initializer(tensor.name) for tensor in wrapper.graph.initializer}
    for node in wrapper.graph.node:
        for name in node.input:
            if name in constants:
                check_finite(node_name(node), name, constants[name])
    check_variances(wrapper, constants)
    _check_operators(wrapper)
    return wrapper


def _tidy(path: Path, model: Any) -> Any:
    from qonnx.transformation.fold_constants import FoldConstants
    from qonnx.transformation.general import (
        GiveUniqueParameterTensors,
        RemoveStaticGraphInputs,
        RemoveUnusedTensors,
        SortGraph,
    )
    from qonnx.transformation.infer_shapes import InferShapes

    from xnorflow.lower.passes.quantize_annotated_input import QuantizeAnnotatedInput
    from xnorflow.lower.passes.replace_comparison import ReplaceComparison
    from xnorflow.lower.passes.replace_sign import ReplaceSign

    for node in model.graph.node:
        if node.op_type in RANDOM_OPS:  # folding would freeze one draw
            raise _unsupported(node)
    try:
        for transformation in (
            RemoveStaticGraphInputs(),
            QuantizeAnnotatedInput(),
            ReplaceSign(),
            SortGraph(),
            InferShapes(),
            FoldConstants(exclude_op_types=[]),
            ReplaceComparison(),
            GiveUniqueParameterTensors(),
            RemoveUnusedTensors(),
        ):
            model = model.transform(transformation, cleanup=False)
    except InputModelError:
        raise
    except Exception as reason:  # whatever qonnx trips over in a foreign file
        _check_operators(model, SHAPE_COMPUTATIONS)
        raise _unclear(f"model {path}", f"{type(reason).__name__}: {str(reason)[:120]}") from reason
    _name_nodes(model)
    for node in model.graph.node:
        if not model.get_tensor_shape(node.output[0]):
            _check_operators(model, SHAPE_COMPUTATIONS)
            raise _unclear(f"node {node_name(node)}", "its operands do not fit each other")
    return model


def _unclear(where: str, reason: str) -> InputModelError:
    return InputModelError(
        where, f"shapes or constants that cannot be worked out ({reason})", "operands that fit",
        "run qonnx-cleanup on the file and look at what it says",
    )  # fmt: skip


def _name_nodes(model: Any) -> None:
    """Name the nodes that have no name of their own; the others stay as their author knows them."""
    taken: set[str] = set()
    for index, node in enumerate(model.graph.node):
        if not node.name or node.name in taken:
            node.name = f"{node.op_type}_{index}"
        taken.add(node.name)
        if node.op_type in ("BatchNormalization", "Dropout"):
            del node.output[1:]  # statistics and masks of training


def _check_operators(model: Any, also: frozenset[str] = frozenset()) -> None:
    from onnx import TensorProto

    for node in model.graph.node:
        if node.op_type not in SUPPORTED_OPS | also:
            raise _unsupported(node)
        if node.op_type == "BatchNormalization" and attributes_of(node).get("training_mode", 0):
            raise InputModelError(
                f"node {node_name(node)}", "BatchNormalization in training mode", "inference mode",
                "call eval() on the network before exporting it",
            )  # fmt: skip
        if node.op_type == "Cast" and attributes_of(node).get("to") != TensorProto.FLOAT and not also:
            raise InputModelError(
                f"node {node_name(node)}", "a Cast to integers", "casts to float", "quantize with a Quant node instead"
            )


def _unsupported(node: Any) -> InputModelError:
    return InputModelError(
        f"node {node_name(node)}", f"unsupported operator {node.op_type}", ", ".join(sorted(SUPPORTED_OPS)),
        "replace it in the network, or cut the graph before it",
    )  # fmt: skip
