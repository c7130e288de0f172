"""What one binary matrix-vector unit costs: as the operator generates it, and in plain behavioral code."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.design import DesignNode
from xnorflow.artifact.progress import Progress, SilentProgress
from xnorflow.bench.row import Bench, Measure, Measurement
from xnorflow.boards.catalog import Family, load_board
from xnorflow.synthesize.report import PACKED_LABEL, NodeCells
from xnorflow.synthesize.stage import map_nodes
from xnorflow.synthesize.yosys import copy_cells, find_yosys

__all__ = ["UnitParameters", "count_row", "make_plain_unit", "make_unit", "unit_cost", "unit_row", "unit_vectors"]

BOARDS = {Family.XC7: "Pynq-Z2", Family.XCUP: "KV260"}
PLAIN = "plain_mvau"
UNIT, PLAIN_UNIT = "unit", "plain_unit"


@dataclass(frozen=True)
class UnitParameters:
    """A unit of 1-bit inputs, weights and results, with random contents.

    Args:
        mw: inputs.
        mh: neurons.
        pe: neurons a cycle.
        simd: inputs a cycle.
        weight_style: FINN's ``ram_style``: ``block``, ``distributed`` or ``auto``. Plain code always has ``block``.
        family: chip family to map to.
        seed: of weights and thresholds.
    """

    mw: int = 1024
    mh: int = 64
    pe: int = 16
    simd: int = 64
    weight_style: str = "block"
    family: Family = Family.XC7
    seed: int = 1

    @property
    def macs(self) -> int:
        """Binary multiply-accumulates a cycle."""
        return self.pe * self.simd


def unit_vectors(parameters: UnitParameters) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return weights 0/1 (MW, MH), 1 for +1, and thresholds (MH,) on the count of equal bits, which each can fire."""
    numbers = np.random.default_rng(parameters.seed)
    weights = numbers.integers(0, 2, (parameters.mw, parameters.mh))
    spread = int(2 * np.sqrt(parameters.mw))
    low, high = max(1, parameters.mw // 2 - spread), min(parameters.mw, parameters.mw // 2 + spread)
    return weights, numbers.integers(low, high + 1, parameters.mh)


def make_unit(parameters: UnitParameters, folder: Path) -> DesignNode:
    """Generate the unit by its operator into ``folder``, module ``unit``, whose sources are named from there.

    Raises:
        GenerateError: the folding does not divide.
    """
    from xnorflow.lower.finn_compat import prepare_finn

    prepare_finn()
    import xnorflow.ops  # noqa: F401  # registers the operators

    model, operator = _model(parameters)
    operator.set_nodeattr("code_gen_dir_ipgen", str(folder))
    operator.set_nodeattr("ram_style", parameters.weight_style)
    operator.generate_hdl(model, load_board(BOARDS[parameters.family]).part, 10.0)
    names = []
    for source in map(Path, operator.get_rtl_file_list(abspath=True)):
        if source.parent.resolve() != folder.resolve():
            shutil.copyfile(source, folder / source.name)
        names.append(source.name)
    return _node(UNIT, names, parameters)


def make_plain_unit(parameters: UnitParameters, folder: Path) -> DesignNode:
    """Write the same unit in plain behavioral code into ``folder``, module ``plain_unit``, with the same ports."""
    from xnorflow.ops.mvau_rtl import fold_starts, fold_weights, hex_words
    from xnorflow.ops.wrapper import Instance, Port, render_wrapper

    mw, mh, pe, simd = parameters.mw, parameters.mh, parameters.pe, parameters.simd
    weights, thresholds = unit_vectors(parameters)
    width = (mw + 1).bit_length()
    (folder / "plain_weights.mem").write_text(hex_words(fold_weights(weights > 0, pe, simd)), encoding="utf-8")
    (folder / "plain_thresholds.mem").write_text(hex_words(fold_starts(thresholds, pe, width)), encoding="utf-8")
    shutil.copyfile(Path(__file__).with_name(f"{PLAIN}.sv"), folder / f"{PLAIN}.sv")
    settings: dict[str, bool | int | str] = {
        "Mw": mw, "Mh": mh, "Simd": simd, "Pe": pe, "AccWidth": width,
        "WeightFile": "plain_weights.mem", "ThresholdFile": "plain_thresholds.mem",
    }  # fmt: skip
    source, sink = Port(simd, f"{mw // simd} beats of {simd} bits"), Port(pe, f"{mh // pe} beats of {pe} bits")
    text = render_wrapper(PLAIN_UNIT, "Plain behavioral unit.", source, sink, [Instance(PLAIN, settings, pe)])
    (folder / f"{PLAIN_UNIT}.sv").write_text(text, encoding="utf-8")
    return _node(PLAIN_UNIT, [f"{PLAIN}.sv", f"{PLAIN_UNIT}.sv"], parameters)


def unit_cost(
    parameters: UnitParameters, work: Path, progress: Progress | None = None, jobs: int = 1
) -> tuple[NodeCells, NodeCells, str]:
    """Map the unit as the operator generates it, and the plain one, by the same flow in the same run.

    Args:
        parameters: the unit.
        work: an existing folder, takes the sources and yosys's logs.
        progress: told of both.
        jobs: yosys processes at a time.

    Returns:
        The unit, the plain one, and yosys's version.

    Raises:
        GenerateError: the folding does not divide.
        SynthesizeError: yosys rejects it.
        ToolError: yosys is missing.
    """
    progress = progress or SilentProgress()
    nodes = [make_unit(parameters, work), make_plain_unit(parameters, work)]
    yosys = find_yosys(work, progress)
    copy_cells(work)
    mapped = map_nodes(nodes, parameters.family, work, work, yosys, jobs, progress)
    return mapped[UNIT], mapped[PLAIN_UNIT], yosys.version


def unit_row(parameters: UnitParameters) -> Measure:
    """Return what measures LUT sites per binary multiply-accumulate."""

    def measure(bench: Bench) -> Measurement:
        ours, plain, version = unit_cost(parameters, bench.work, bench.progress, bench.jobs)
        sites, plain_sites = (cells.packing.total / parameters.macs for cells in (ours, plain))
        details = {
            "parameters": asdict(parameters),
            "macs": parameters.macs,
            "unit": _details(ours),
            "plain": _details(plain),
            "plain_to_unit": round(plain_sites / sites, 3),
            "yosys": version,
        }
        path = f"{PACKED_LABEL}, {parameters.family}"
        return Measurement(round(sites, 3), "LUT/MAC", path, details, round(plain_sites, 3))

    return measure


def count_row(parameters: UnitParameters) -> Measure:
    """Return what measures the array alone, from a beat to two rows for each neuron, its weights included.

    The adder that makes one number of the rows is the accumulator, which is not in the array.
    """

    def measure(bench: Bench) -> Measurement:
        whole = make_unit(parameters, bench.work)
        array = DesignNode(f"{UNIT}_array", "array", whole.sources, 1, whole.info, ("in0",), (8,))
        yosys = find_yosys(bench.work, bench.progress)
        copy_cells(bench.work)
        mapped = map_nodes([array], parameters.family, bench.work, bench.work, yosys, bench.jobs, bench.progress)
        details = {"parameters": asdict(parameters), "macs": parameters.macs, "array": _details(mapped[array.name])}
        path = f"{PACKED_LABEL}, {parameters.family}, as two rows"
        return Measurement(
            round(mapped[array.name].packing.total / parameters.macs, 3), "LUT/MAC", path,
            {**details, "yosys": yosys.version},
        )  # fmt: skip

    return measure


def _details(mapped: NodeCells) -> dict[str, Any]:
    counts = {**mapped.packing.to_json(), "total": mapped.packing.total}
    return {**counts, "cells_by_type": mapped.cells, "seconds": round(mapped.seconds, 2)}


def _node(name: str, sources: list[str], parameters: UnitParameters) -> DesignNode:
    cycles = parameters.mw // parameters.simd * (parameters.mh // parameters.pe)
    info = {"PE": parameters.pe, "SIMD": parameters.simd}
    return DesignNode(name, "unit", tuple(sources), cycles, info, ("in0",), (-(-parameters.pe // 8) * 8,))


def _model(parameters: UnitParameters) -> tuple[Any, Any]:
    """Return a model of one node and its operator."""
    from onnx import TensorProto, helper
    from qonnx.core.datatype import DataType
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.custom_op.registry import getCustomOp
    from qonnx.util.basic import qonnx_make_model

    mw, mh = parameters.mw, parameters.mh
    weights, thresholds = unit_vectors(parameters)
    node = helper.make_node(
        "XnorMVAU_rtl", ["x", "W", "T"], ["y"], name=UNIT, domain="finn.custom_op.fpgadataflow.rtl",
        backend="fpgadataflow", MW=mw, MH=mh, SIMD=parameters.simd, PE=parameters.pe, inputDataType="BINARY",
        weightDataType="BINARY", outputDataType="BINARY", noActivation=0, ActVal=0, binaryXnorMode=1,
        numInputVectors=[1],
    )  # fmt: skip
    source = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, mw])
    sink = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, mh])
    model = ModelWrapper(qonnx_make_model(helper.make_graph([node], UNIT, [source], [sink])))
    model.set_initializer("W", weights.astype(np.float32))
    model.set_initializer("T", thresholds.astype(np.float32)[:, None])
    model.set_tensor_datatype("x", DataType["BINARY"])
    operator = getCustomOp(model.graph.node[0])
    operator.minimize_accumulator_width(model)
    return model, operator
