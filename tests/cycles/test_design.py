"""Whole generated designs: the model of their nodes, read from their RTL, moves every beat in the very same cycle."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from xnorflow.artifact.design import Design
from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.progress import SilentProgress
from xnorflow.cycles.graph import Graph, chain
from xnorflow.cycles.machines import Argmax, Dwc, Fifo, Machine, Mvau, Pool, Swg, SwgParallel
from xnorflow.cycles.run import predict_cycles
from xnorflow.generate.stage import generate
from xnorflow.lower.config import BuildSettings, OutputKind
from xnorflow.lower.finn_compat import prepare_finn
from xnorflow.lower.import_model import import_model
from xnorflow.lower.reference import logits_graph, random_inputs, reference_logits
from xnorflow.lower.stage import lower
from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design

sys.path.insert(0, str(Path(__file__).parents[1] / "lower"))

from map_files import signs

FRAMES = 12
KINDS = {"perceptron": {"Fifo", "Dwc", "Mvau", "Argmax"}, "maps": {"Mvau", "Swg", "Pool"}}
INSTANCE = re.compile(r"xnorflow_(\w+) #\((.*?)\n  \)", re.DOTALL)
PARAMETER = re.compile(r"\.(\w+)\((.*?)\),?\n")


def machine(kind: str, values: dict[str, int]) -> Machine:
    match kind:
        case "fifo":
            return Fifo(values["Depth"])
        case "dwc":
            return Dwc(values["InWidth"], values["OutWidth"])
        case "mvau":
            return Mvau(values["Mw"], values["Mh"], values["Simd"], values["Pe"], values["InputWidth"])
        case "xnor_unit":
            shape = (values[key] for key in ("Mw", "Mh", "Simd", "Pe"))
            return Mvau(*shape, count_latency=values["CountLatency"])
        case "argmax":
            return Argmax(values["Labels"], values["Pe"])
        case "pool":
            return Pool(values["Positions"], values["Folds"])
        case "swg":
            shape = (values[key] for key in ("Rows", "Columns", "Channels", "Simd"))
            kernel = values["KernelRows"], values["KernelColumns"]
            stride = values["StrideRows"], values["StrideColumns"]
            return Swg(
                *shape, kernel, stride, tuple(values[f"Pad{side}"] for side in ("Top", "Left", "Bottom", "Right"))
            )
        case "swg_parallel":
            kernel = values["KernelRows"], values["KernelColumns"]
            stride = values["StrideRows"], values["StrideColumns"]
            return SwgParallel(values["Rows"], values["Columns"], kernel, stride, values["Windows"])
    raise AssertionError(kind)


def graph_of(design: Design, build: Path) -> Graph:
    """Return the graph of a design's nodes, each of which is a chain of instances of the RTL library."""
    machines: dict[str, Machine] = {}
    for node in design.nodes:
        text = (build / design.rtl_dir / f"{node.name}.sv").read_text()
        for kind, parameters in INSTANCE.findall(text):
            values = {key: int(value) for key, value in PARAMETER.findall(parameters + "\n") if value.isdigit()}
            machines[f"{node.name}.{len(machines)}"] = machine(kind, values)
    return chain(machines, design.input.beats)


@pytest.fixture(scope="module", params=KINDS)
def build(request, tmp_path_factory, perceptron) -> tuple[str, Path]:
    """Generate a design; return its name and folder."""
    prepare_finn()
    folder = tmp_path_factory.mktemp("design")
    if request.param == "perceptron":
        model, cycles, output = perceptron(folder / "net.onnx", (40, 24, 18, 10), 4, seed=3), 30, OutputKind.LABELS
    else:
        maps = signs(shape=(2, 8, 8)).conv(8).activation().pool().conv(4, kernel=(2, 2)).activation().classify(4)
        model, cycles, output = maps.save(folder / "net.onnx"), 300, OutputKind.LOGITS
    tidied = import_model(model)
    inputs = random_inputs(tidied, 2, 1)
    golden = GoldenVectors(inputs, reference_logits(logits_graph(tidied), inputs), np.zeros(0, np.int64))
    settings = BuildSettings(target_cycles=cycles, output=output)
    generate(folder, lower(model, folder, settings, golden, SilentProgress()), SilentProgress())
    return request.param, folder


@pytest.mark.parametrize("stall", [0.0, (0.5, 0.0), (0.0, 0.9), 0.4], ids=["none", "in", "out", "both"])
def test_design_is_predicted_cycle_by_cycle(build, stall):
    network, folder = build
    design = Design.load(folder / "design.json")
    graph = graph_of(design, folder)
    assert {type(found).__name__ for found in graph.machines.values()} >= KINDS[network]
    assert graph.output_beats == design.output.beats
    assert graph.least_interval == design.cycles_per_frame
    found = predict_cycles(graph, FRAMES, stall_probability=stall, seed=5, trace=True)

    ports = PortNames.axi(design.input.name, design.output.name)
    library = compile_design(design.top, [folder / source for source in design.sources], folder / "obj", ports=ports)
    beats = np.zeros((FRAMES * graph.frame_beats, -(-design.input.tdata_bits // 8)), np.uint8)
    with StreamModel(library, folder / design.rtl_dir) as model:
        run = model.run(beats, FRAMES * graph.output_beats, stall_probability=stall, seed=5)
    np.testing.assert_array_equal(found.transfers(found.channels[0]), run.frame_starts)
    np.testing.assert_array_equal(found.transfers(found.channels[-1]), run.frame_ends)
    assert found.cycles == run.cycles
    if stall == 0.0:
        assert set(found.intervals[FRAMES // 2 :]) == {design.cycles_per_frame}
