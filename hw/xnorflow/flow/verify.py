"""The whole ladder of a run, rung by rung, down to the first tensor that differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import InputModelError, LowerError, SimulateError
from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.progress import Progress
from xnorflow.artifact.streams import StreamSpec, unpack
from xnorflow.flow.folders import Folders
from xnorflow.lower.config import OutputKind
from xnorflow.lower.extract_integers import Extraction, extract_integers
from xnorflow.lower.finn_compat import prepare_finn
from xnorflow.lower.integer_onnx import run_integer_operations
from xnorflow.lower.reference import logits_graph, reference_logits
from xnorflow.lower.steps import STEPS
from xnorflow.lower.verify import check_logits, execute_frame, verify_step
from xnorflow.simulate.taps import run_tapped, run_tapped_c

__all__ = ["Rung", "verify"]

IntArray = npt.NDArray[np.int64]

MODELS = "intermediate_models"
SAVED = "mismatch.npz"


@dataclass(frozen=True)
class Rung:
    """One comparison that found no difference.

    Args:
        name: the two things compared.
        frames: on how many frames.
        tensors: how many tensors of each.
    """

    name: str
    frames: int
    tensors: int


def verify(folders: Folders, frames: int, progress: Progress) -> list[Rung]:
    """Compare every rung of a run's ladder with the one before, on the first frames of its golden vectors.

    Args:
        folders: of the run or build; ``report/mismatch.npz`` is written where something differs.
        frames: how many frames, at least 1.
        progress: told of every rung.

    Raises:
        InputModelError: nothing was built there.
        LowerError: a graph or integer.onnx differs; says where first.
        SimulateError: the RTL or C++ differs; names the first node, frame and element.
    """
    prepare_finn()  # registers the operators that the saved graphs are made of
    from qonnx.core.modelwrapper import ModelWrapper

    source = folders.build / MODELS / "step_import.onnx"
    if not source.is_file() or not folders.golden.is_file():
        raise InputModelError(
            f"folder {folders.build}", "nothing built", "a run or build", "run `xnorflow run` or `xnorflow build` first"
        )
    golden = GoldenVectors.load(folders.golden)
    golden = GoldenVectors(golden.inputs[:frames], golden.logits[:frames], golden.labels[:frames])
    (folders.report / SAVED).unlink(missing_ok=True)
    with progress.task("verify", len(STEPS) + 3) as advance:
        model = ModelWrapper(str(source))
        extraction = extract_integers(model, OutputKind.LABELS if _sends_labels(folders) else OutputKind.LOGITS)
        values = extraction.codec.quantize(golden.inputs)
        rungs = [_golden_and_qonnx(model, golden), _qonnx_and_integers(extraction, values, golden)]
        advance(2, "integers")
        rungs.append(_integers_and_file(folders, extraction, values))
        advance(1, "integer.onnx")
        for step in STEPS:
            path = folders.build / MODELS / f"{step.name}.onnx"
            if step.verify and path.is_file():
                graph = ModelWrapper(str(path))
                verify_step(step.name, graph, extraction.network, extraction.codec, values, step.raw)
                rungs.append(Rung(f"integers = {step.name}", len(values), len(extraction.network.operations)))
            advance(1, step.name)
        rungs.append(_graph_and_design(folders, graph, values, progress))
    return rungs


def _sends_labels(folders: Folders) -> bool:
    from xnorflow.artifact.host import HostCodec

    return HostCodec.load(folders.build / "host.npz").labels


def _golden_and_qonnx(model: Any, golden: GoldenVectors) -> Rung:
    found = reference_logits(logits_graph(model), golden.inputs)
    order = (found.argmax(axis=1) != golden.logits.argmax(axis=1)).nonzero()[0]
    if len(order) or not np.allclose(found, golden.logits, rtol=1e-4, atol=1e-4):
        frame = int(order[0]) if len(order) else int(np.abs(found - golden.logits).max(axis=1).argmax())
        raise LowerError(
            f"golden vectors, frame {frame}", f"logits {found[frame].tolist()} by QONNX",
            f"{golden.logits[frame].tolist()}", "export or build again: model and vectors are of different networks",
        )  # fmt: skip
    return Rung("golden logits = QONNX", len(found), 1)


def _qonnx_and_integers(extraction: Extraction, values: IntArray, golden: GoldenVectors) -> Rung:
    check_logits(extraction.network, extraction.codec, values, golden.logits)
    return Rung("QONNX = integers", len(values), 1)


def _integers_and_file(folders: Folders, extraction: Extraction, values: IntArray) -> Rung:
    network = extraction.network
    expected = network.activations(values)
    found = run_integer_operations(folders.build / "integer.onnx", network, values)
    for name, wanted, given in zip(network.names, expected, found, strict=True):
        if not np.array_equal(wanted, given):
            _raise_difference(folders, LowerError, f"integer.onnx, operation {name}", wanted, given)
    return Rung("integers = integer.onnx", len(values), len(expected))


def _graph_and_design(folders: Folders, graph: Any, values: IntArray, progress: Progress) -> Rung:
    """Compare every stream of the RTL or C++ with the tensor of the last graph."""
    specs = dict(_streams(graph, whole_in_cpp=folders.hls_design.is_file()))
    if folders.hls_design.is_file():
        wanted = {name: spec.per_beat * spec.bits for name, (_, _, spec) in specs.items()}
        streams = run_tapped_c(folders.build, values, wanted, progress)
    else:
        streams = run_tapped(folders.build, values, progress)
    contexts = [execute_frame("the last graph", graph, frame) for frame in values]
    kinds, first = set(), len(values)
    worst: tuple[str, IntArray, IntArray] | None = None
    for name, (node, tensor, spec) in specs.items():
        expected = np.stack([np.rint(context[tensor]).astype(np.int64).reshape(-1) for context in contexts])
        found = _frames(streams[name], spec, len(values))
        kinds.add(kind := "C++" if node.op_type.endswith("_hls") else "RTL")
        differing = (expected != found).any(axis=1)
        # Of the earliest frame: where a design gets stuck, layers in front of the fault lack later ones.
        if differing.any() and int(differing.argmax()) < first:
            first = int(differing.argmax())
            worst = f"{kind}, node {node.name} ({node.op_type})", expected, found
    if worst is not None:
        _raise_difference(folders, SimulateError, *worst)
    return Rung(f"last graph = {' and '.join(sorted(kinds, reverse=True))}", len(values), len(streams))


def _streams(graph: Any, *, whole_in_cpp: bool) -> Iterator[tuple[str, tuple[Any, str, StreamSpec]]]:
    """Yield each stream of a design with the node that gives it, the tensor, and how the tensor travels.

    Where the whole design is C++, what the graph has as FIFOs is in the streams in front of them.
    """
    from qonnx.custom_op.registry import getCustomOp

    for node in graph.graph.node:
        if whole_in_cpp and node.domain.endswith(".rtl"):
            continue
        operator = getCustomOp(node)
        for index, tensor in enumerate(node.output):
            shape, datatype = operator.get_folded_output_shape(index), operator.get_output_datatype(index)
            elements, bits = int(np.prod(shape)), int(datatype.bitwidth())
            spec = StreamSpec("out", datatype.name, bits, elements, int(shape[-1]))
            yield f"{node.name}.out{index}", (node, tensor, spec)


def _frames(beats: npt.NDArray[np.uint8], spec: StreamSpec, frames: int) -> IntArray:
    """Return what came (frames, elements), with the least integer where nothing came."""
    wanted = frames * spec.beats
    result = np.full((wanted, spec.per_beat), np.iinfo(np.int64).min)
    came = beats[:wanted]
    if len(came):
        one = StreamSpec(spec.name, spec.datatype, spec.bits, spec.per_beat, spec.per_beat)
        result[: len(came)] = unpack(came, one)
    return result.reshape(frames, spec.elements)


def _raise_difference(
    folders: Folders, error: type[LowerError | SimulateError], where: str, expected: IntArray, found: IntArray
) -> None:
    path = folders.report / SAVED
    np.savez_compressed(path, expected=expected, found=found)
    frame, element = (int(place) for place in np.argwhere(expected != found)[0])
    count = int((expected != found).sum())
    given = found[frame, element]
    nothing = given == np.iinfo(np.int64).min
    raise error(
        f"{where}, frame {frame}, element {element}",
        f"{'no beat' if nothing else given} ({count} of {expected.size} values differ)",
        f"{expected[frame, element]}",
        f"see both tensors in {path}",
    )
