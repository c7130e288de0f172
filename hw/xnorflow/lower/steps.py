"""The list of lowering steps: FINN's passes where they are sound, ours where not, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xnorflow.boards.catalog import load_board
from xnorflow.lower import folding
from xnorflow.lower.config import Backend, BoardFill, BuildSettings
from xnorflow.lower.fifo_sizing import size_fifos
from xnorflow.lower.fold_for_latency import fold_for_latency
from xnorflow.lower.fold_to_fit import budget_of, fold_to_fill, fold_to_fit, room_of
from xnorflow.lower.integer_network import IntegerNetwork
from xnorflow.lower.layer_options import fifo_depth
from xnorflow.lower.styles import has_hls, set_styles, with_frames_at_joins

__all__ = ["STEPS", "Step", "StepContext"]

CHAINED = (*folding.MVAUS, "WidthConverter", "LabelSelect")
"""Layers of a perceptron, whose FIFOs follow from the folding."""


@dataclass(frozen=True)
class StepContext:
    """What steps may need besides the graph.

    Args:
        settings: of the build.
        part: FPGA part.
        clock_ns: assumed clock period.
        directory: the build folder being written.
        finn: FINN's own DataflowBuildConfig.
        network: what the graph computes, and what its layers are called.
    """

    settings: BuildSettings
    part: str
    clock_ns: float
    directory: Path
    finn: Any
    network: IntegerNetwork

    @property
    def target_cycles(self) -> int | None:
        """Cycles per frame to fold for, or None where nobody asked for any."""
        if self.settings.target_fps is not None:
            return max(1, int(1e9 / self.clock_ns / self.settings.target_fps))
        return self.settings.target_cycles


@dataclass(frozen=True)
class Step:
    """A named change of the graph.

    Args:
        name: FINN's where the step is FINN's.
        run: takes and returns a qonnx ModelWrapper.
        raw: whether graphs from here on end in what the accelerator sends.
        verify: whether the step's graph can be executed.
    """

    name: str
    run: Callable[[Any, StepContext], Any]
    raw: bool = False
    verify: bool = True


def step_tidy_up(model: Any, context: StepContext) -> Any:
    """FINN's own: shapes, constants, names, datatypes."""
    from finn.builder.build_dataflow_steps import step_tidy_up as finn_step

    return finn_step(model, context.finn)


def step_streamline(model: Any, context: StepContext) -> Any:
    """FINN's own, on integers only: BIPOLAR products become XnorPopcountMatMul, 2p - K goes into the thresholds."""
    from finn.builder.build_dataflow_steps import step_streamline as finn_step

    from xnorflow.lower.passes.correct_pad_values import CorrectPadValues

    return finn_step(model, context.finn).transform(CorrectPadValues())


def step_convert_to_hw(model: Any, context: StepContext) -> Any:
    """FINN's inference of matrix units and argmax; what works over maps becomes ours.

    FINN's whole step would also turn the host's final Mul and Add into hardware.
    """
    from finn.transformation.fpgadataflow.convert_to_hw.binary_matrix_vector_activation import (
        InferBinaryMatrixVectorActivation,
    )
    from finn.transformation.fpgadataflow.convert_to_hw.label_select import InferLabelSelectLayer
    from finn.transformation.fpgadataflow.convert_to_hw.quantized_matrix_vector_activation import (
        InferQuantizedMatrixVectorActivation,
    )
    from qonnx.transformation.general import GiveUniqueNodeNames

    from xnorflow.lower.passes.convert_map_operators import ConvertMapOperators
    from xnorflow.lower.passes.insert_forks import InsertForks

    for transformation in (
        InferBinaryMatrixVectorActivation(),
        InferQuantizedMatrixVectorActivation(),
        InferLabelSelectLayer(),
        ConvertMapOperators(),
        InsertForks(),
        GiveUniqueNodeNames(),
    ):
        model = model.transform(transformation)
    return model


def step_use_own_operators(model: Any, context: StepContext) -> Any:
    """Matrix units become ours."""
    from xnorflow.lower.passes.name_layers import NameLayers
    from xnorflow.lower.passes.use_own_operators import UseOwnOperators

    return model.transform(UseOwnOperators()).transform(NameLayers(context.network))


def step_minimize_bit_width(model: Any, context: StepContext) -> Any:
    """FINN's own, with the widths of our units."""
    from finn.builder.build_dataflow_steps import step_minimize_bit_width as finn_step

    return finn_step(model, context.finn)


def step_create_dataflow_partition(model: Any, context: StepContext) -> Any:
    """FINN's own: what stays on the host goes to ``dataflow_parent.onnx``."""
    from finn.builder.build_dataflow_steps import step_create_dataflow_partition as finn_step

    from xnorflow.lower.passes.name_layers import NameLayers

    return finn_step(model, context.finn).transform(NameLayers(context.network))


def step_apply_folding(model: Any, context: StepContext) -> Any:
    """PE and SIMD: from a file, for wanted cycles, or the fastest that fits; then, if wanted, for latency."""
    settings, board = context.settings, load_board(context.settings.board)
    if settings.folding is not None:
        folding.set_folding(model, folding.read_folding(settings.folding))
    elif context.target_cycles is not None:
        folding.fold_for_cycles(model, context.target_cycles)
    elif settings.maximize is not None:
        fold_to_fill(model, board, settings.fill or BoardFill(), backend=settings.backend)
    else:
        fold_to_fit(model, board, settings.budget, backend=settings.backend)
    if settings.minimize is not None:
        room = room_of(board, settings.budget or budget_of(board, settings.fill or BoardFill()))
        fold_for_latency(model, context.part, room, multipliers=bool(settings.budget or settings.maximize))
    return model


def step_insert_dwc(model: Any, context: StepContext) -> Any:
    """FINN's InsertDWC, with our operator put in for FINN's."""
    from finn.transformation.fpgadataflow.insert_dwc import InsertDWC

    return _with_own_operators(model.transform(InsertDWC()), context)


def step_set_fifo_depths(model: Any, context: StepContext) -> Any:
    """Give every FIFO its depth, then FINN's InsertFIFO, with our operator put in for FINN's.

    In a chain of matrix units each but the first gets one frame of its input: a unit takes a frame's input during its
    first neuron fold and computes the others from its own buffer. While it does, at most one frame arrives, so with a
    frame of room the layer before never waits: the interval of the whole design is that of the slowest layer, exactly.
    With windows or branches, the cycle model says; where layers are in HLS, joins get a frame.
    """
    from finn.transformation.fpgadataflow.insert_fifo import InsertFIFO

    units = [node for node in model.graph.node if node.op_type in folding.MVAUS]
    if all(node.op_type in CHAINED for node in model.graph.node):
        depths = {(node.name, 0): _depth_in_a_chain(node) for node in units[1:]}
    else:
        depths = size_fifos(model).depths
        if has_hls(context.settings):
            depths = with_frames_at_joins(model, depths)
    _set_depths(model, depths)
    return _with_own_operators(model.transform(InsertFIFO()), context)


def _depth_in_a_chain(node: Any) -> int:
    from qonnx.custom_op.registry import getCustomOp

    operator = getCustomOp(node)
    return fifo_depth(int(operator.get_nodeattr("MW")), int(operator.get_nodeattr("SIMD")))


def _set_depths(model: Any, depths: dict[tuple[str, int], int]) -> None:
    from qonnx.custom_op.registry import getCustomOp

    for node in model.graph.node:
        inputs = [index for name, index in depths if name == node.name]
        if inputs:
            getCustomOp(node).set_nodeattr("inFIFODepths", [depths[node.name, index] for index in sorted(inputs)])


def _with_own_operators(model: Any, context: StepContext) -> Any:
    from qonnx.transformation.general import GiveReadableTensorNames
    from qonnx.transformation.infer_datatypes import InferDataTypes

    from xnorflow.lower.passes.name_layers import NameLayers
    from xnorflow.lower.passes.use_own_operators import UseOwnOperators

    return (
        model.transform(UseOwnOperators())
        .transform(NameLayers(context.network))
        .transform(GiveReadableTensorNames())
        .transform(InferDataTypes())
    )


def step_specialize_layers(model: Any, context: StepContext) -> Any:
    """FINN's own: every operator gets its RTL backend, or its HLS one where that is wanted; FIFOs are always RTL."""
    from finn.transformation.fpgadataflow.specialize_layers import SpecializeLayers
    from qonnx.custom_op.registry import getCustomOp

    from xnorflow.lower.passes.name_layers import NameLayers

    settings = context.settings
    if settings.backend is Backend.HLS:
        for node in model.graph.node:
            if node.op_type != "BoundedFIFO":
                getCustomOp(node).set_nodeattr("preferred_impl_style", "hls")
    elif settings.backend is Backend.AUTO and settings.folding is not None:
        set_styles(model, folding.read_folding(settings.folding))
    return model.transform(SpecializeLayers(context.part)).transform(NameLayers(context.network))


def step_merge_fifos(model: Any, context: StepContext) -> Any:
    """What waits in FIFOs goes into the output buffers of the layers in front, where that costs less."""
    from xnorflow.lower.passes.merge_fifos import MergeFIFOs

    return model.transform(MergeFIFOs(context.part))


def step_generate_estimate_reports(model: Any, context: StepContext) -> Any:
    """FINN's own: estimate_layer_cycles.json and its relatives; of HLS, what is known of its resources is nothing."""
    from finn.builder.build_dataflow_steps import step_generate_estimate_reports as finn_step

    done = finn_step(model, context.finn)
    # Formulas for LUTs are those of the RTL or of finn-hlslib.
    if any(node.op_type.endswith("_hls") for node in model.graph.node):
        for name in ("estimate_layer_resources", "estimate_layer_config_alternatives"):
            (context.directory / "report" / f"{name}.json").unlink(missing_ok=True)
    return done


STEPS: tuple[Step, ...] = (
    Step("step_tidy_up", step_tidy_up),
    Step("step_streamline", step_streamline),
    Step("step_convert_to_hw", step_convert_to_hw),
    Step("step_use_own_operators", step_use_own_operators),
    Step("step_minimize_bit_width", step_minimize_bit_width),
    Step("step_create_dataflow_partition", step_create_dataflow_partition, raw=True),
    Step("step_apply_folding", step_apply_folding, raw=True),
    Step("step_insert_dwc", step_insert_dwc, raw=True),
    Step("step_set_fifo_depths", step_set_fifo_depths, raw=True),
    Step("step_specialize_layers", step_specialize_layers, raw=True),
    Step("step_merge_fifos", step_merge_fifos, raw=True),
    Step("step_generate_estimate_reports", step_generate_estimate_reports, raw=True, verify=False),
)
