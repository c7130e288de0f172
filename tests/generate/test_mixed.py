"""Layers in C++ among others in RTL: chosen by the folding file, stitched, and simulated together."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import ConfigError, SimulateError
from xnorflow.artifact.progress import SilentProgress
from xnorflow.generate.stage import generate
from xnorflow.lower.config import Backend
from xnorflow.lower.finn_compat import prepare_finn
from xnorflow.lower.folding import read_folding
from xnorflow.lower.stage import Lowered
from xnorflow.lower.styles import set_styles
from xnorflow.simulate.config import SimulateSettings
from xnorflow.simulate.cosim import modules_of
from xnorflow.simulate.stage import simulate

IN_HLS = ("fc1_dwc", "fc1_mvau", "label_argmax")


@pytest.fixture(scope="module")
def built(lowered_small) -> tuple[Path, Lowered, Design]:
    build, lowered = lowered_small(Backend.AUTO, IN_HLS)
    return build, lowered, generate(build, lowered, SilentProgress())


@pytest.fixture(scope="module")
def frames(built) -> tuple[np.ndarray, np.ndarray]:
    """Inputs, and what the integers make of them."""
    _, lowered, _ = built
    first = lowered.network.first.elements
    values = np.random.default_rng(2).integers(-8, 8, (300, first))
    return values, lowered.codec.raw(lowered.network.results(values))


def run(build, frames, stall=0.3):
    settings = SimulateSettings(stall_probability=stall, seed=4)
    return simulate(build, *frames, settings, SilentProgress())


def test_layers_are_what_the_folding_file_says(built):
    build, _, design = built
    assert tuple(node.name for node in design.hls_nodes) == IN_HLS
    assert all(node.op_type.endswith("_hls") == bool(node.functions) for node in design.nodes)
    assert all((build / source).is_file() for node in design.nodes for source in node.sources)
    assert not set(design.sources) & {source for node in design.hls_nodes for source in node.sources}
    kept = read_folding(build / "final_hw_config.json")
    assert {name for name, fold in kept.items() if fold.get("preferred_impl_style") == "hls"} == set(IN_HLS)


def test_layers_in_cpp_have_the_ports_that_the_top_instantiates(built):
    build, _, design = built
    top = (build / "rtl" / f"{design.top}.sv").read_text(encoding="utf-8")
    assert "3 of them IPs that Vitis HLS makes of C++, whose cycles are not known" in top
    assert re.search(r"fc1_mvau +XnorMVAU_hls +\? cycles", top)
    for node in design.hls_nodes:
        source = (build / "hls" / f"top_{node.name}.cpp").read_text(encoding="utf-8")
        ports = re.findall(r"#pragma HLS INTERFACE axis port=(\w+)", source)
        instance = re.search(rf"  {node.name} i_{node.name} \((.*?)\);", top, re.DOTALL)
        assert instance is not None
        assert set(re.findall(r"\.(\w+_V)_TDATA", instance[1])) == set(ports) and len(ports) == 2
        script = (build / "hls" / f"hls_syn_{node.name}.tcl").read_text(encoding="utf-8")
        assert f"set_top {node.name}\n" in script and f"add_files ./top_{node.name}.cpp" in script


def test_rtl_and_cpp_together_are_equal_to_the_integers(built, frames):
    build, _, _ = built
    report = run(build, frames)
    assert (report.frames, report.mismatches, report.layers_in_cpp) == (300, 0, IN_HLS)
    assert len(np.unique(frames[1])) > 1
    written = json.loads((build / "report" / "simulation.json").read_text())
    assert written["path"] == "RTL and C++, Verilator, simulated" and written["mismatches"] == 0
    of_cycles = [key for key in written if "cycles" in key and key != "total_cycles"]
    assert len(of_cycles) == 5 and all(written[key] is None for key in [*of_cycles, "frames_per_second_at_clock"])


@pytest.mark.full
def test_what_the_cpp_computes_is_what_is_compared(built, frames, tmp_path):
    """A start value changed in a copy of the build is found."""
    shutil.copytree(built[0], tmp_path / "build")
    header = tmp_path / "build" / "hls" / "params_fc1_mvau.hpp"
    text = header.read_text(encoding="utf-8")
    changed = re.sub(r"(fc1_mvau_starts\S+ = \{\s*\{)(-?\d+)", lambda found: f"{found[1]}{int(found[2]) + 20}", text)
    assert changed != text
    header.write_text(changed, encoding="utf-8")
    with pytest.raises(SimulateError, match="frames differ without stalls; first frame"):
        run(tmp_path / "build", frames)


def test_cpp_that_does_not_compile_is_told_by_layer_and_place(built, tmp_path):
    shutil.copytree(built[0] / "hls", tmp_path / "hls")
    header = tmp_path / "hls" / "params_fc1_mvau.hpp"
    text = header.read_text(encoding="utf-8")
    header.write_text(text.replace("static const", "static cost", 1), encoding="utf-8")
    place = text[: text.index("static const")].count("\n") + 1
    with pytest.raises(SimulateError) as caught:
        modules_of(tmp_path, built[2])
    told = str(caught.value)
    assert told.startswith(f"node fc1_mvau: params_fc1_mvau.hpp:{place}: 'cost' does not name a type")
    assert f"see {tmp_path / 'obj' / 'cosim.log'}" in told and (tmp_path / "obj" / "cosim.log").is_file()


def test_equal_inputs_give_equal_bytes(built, tmp_path, bytes_in):
    build, lowered, design = built
    assert generate(tmp_path, lowered, SilentProgress()) == design
    assert bytes_in(build, "rtl", "hls", "design.json") == bytes_in(tmp_path, "rtl", "hls", "design.json")


def test_without_a_style_every_layer_is_rtl(lowered_small):
    build, lowered = lowered_small(Backend.AUTO)
    assert {node.domain.rsplit(".", 1)[1] for node in lowered.model.graph.node} == {"rtl"}
    assert "preferred_impl_style" not in (build / "final_hw_config.json").read_text()


@pytest.mark.parametrize(
    ("layer", "style", "legal"),
    [("fc1_mvau", "vhdl", "'', 'rtl', 'hls'"), ("fc1_fifo", "hls", "'', 'rtl'"), ("fc0_mvau", 3, "'', 'rtl', 'hls'")],
)
def test_a_style_that_there_is_not_is_refused_with_the_legal_ones(layer, style, legal):
    prepare_finn()
    from onnx import helper

    kind = "BoundedFIFO" if layer.endswith("fifo") else "XnorMVAU"
    node = helper.make_node(kind, ["x"], ["y"], layer, domain="finn.custom_op.fpgadataflow", backend="fpgadataflow")
    with pytest.raises(ConfigError) as caught:
        set_styles(SimpleNamespace(graph=SimpleNamespace(node=[node])), {layer: {"preferred_impl_style": style}})
    assert f"folding file, layer {layer}, preferred_impl_style: {style!r}; allowed: {legal};" in str(caught.value)
