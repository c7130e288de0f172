"""C++ for HLS: readable text, equal bytes for equal inputs, FIFOs as depths, an IP for every node by FINN's pass."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from vitis_rules import violations

from xnorflow.artifact.errors import GenerateError, InputModelError
from xnorflow.artifact.hls_design import HLS_DESIGN_FILE, HlsDesign
from xnorflow.artifact.progress import SilentProgress
from xnorflow.generate.hls_stage import generate_hls
from xnorflow.lower.config import Backend
from xnorflow.lower.finn_compat import build_directory
from xnorflow.lower.stage import Lowered


@pytest.fixture(scope="module")
def built(lowered_small) -> tuple[Path, Lowered, HlsDesign]:
    build, lowered = lowered_small(Backend.HLS)
    return build, lowered, generate_hls(build, lowered, SilentProgress())


def test_equal_inputs_give_equal_bytes(built, tmp_path, bytes_in):
    build, lowered, design = built
    assert generate_hls(tmp_path, lowered, SilentProgress()) == design
    assert bytes_in(build, "hls", HLS_DESIGN_FILE) == bytes_in(tmp_path, "hls", HLS_DESIGN_FILE)


@pytest.mark.parametrize(
    "file", ["top.hpp", "top.cpp", "fc0_mvau.hpp", "params_fc0_mvau.hpp", "hls_syn_xnorflow_top.tcl"]
)
def test_generated_text_is_the_golden_one(built, file, is_golden):
    build, _, design = built
    text = (build / "hls" / file).read_text(encoding="utf-8").replace(design.artifact_sha256, "0" * 64)
    is_golden(text, f"hls/{file}")


def test_design_file_survives_a_round_trip(built):
    build, _, design = built
    assert HlsDesign.load(build / HLS_DESIGN_FILE) == design
    assert design.nodes == ("fc0_mvau", "fc1_dwc", "fc1_mvau", "fc2_mvau", "label_argmax")


def test_a_missing_design_file_says_what_to_do(tmp_path):
    with pytest.raises(InputModelError, match=r"hls_design\.json: missing .*build --backend hls"):
        HlsDesign.load(tmp_path / HLS_DESIGN_FILE)


def test_no_path_of_the_machine_and_no_date_in_generated_text(built):
    build, _, _ = built
    for path in (build / "hls").iterdir():
        text = path.read_text(encoding="utf-8")
        assert str(build) not in text and "/tmp" not in text
        assert not re.search(r"\b20\d\d-\d\d-\d\d\b", text)


def test_the_top_is_a_function_of_axi_streams_without_start_signal_that_calls_layers_only(built):
    build, _, design = built
    text = (build / "hls" / "top.cpp").read_text(encoding="utf-8")
    assert violations(text) == []
    head, body = re.search(rf"^void {design.top}\((.*?)\) \{{\n(.*)^\}}", text, re.MULTILINE | re.DOTALL).groups()
    ports = re.findall(r"hls::stream<ap_uint<\d+> >& (\w+)", head)
    assert ports == ["in0_V", "out0_V"]
    interfaces = [f"#pragma HLS INTERFACE axis port={port}" for port in ports]
    lines = [line for line in body.splitlines() if line]
    assert lines[:4] == [*interfaces, "#pragma HLS INTERFACE ap_ctrl_none port=return", "#pragma HLS DATAFLOW"]
    # Canonical dataflow: declarations with their depths, then calls, each stream written before it is read.
    declared = r'  hls::stream<ap_uint<\d+> > (\w+)\("\1"\);|#pragma HLS STREAM variable=\w+ depth=\d+'
    calls = [line for line in lines[4:] if not re.fullmatch(declared, line)]
    assert len(calls) == len(design.nodes) and all(re.fullmatch(r"  \w+_frame\([\w, ]+\);", line) for line in calls)
    known = {"in0_V"}
    for call, name in zip(calls, design.nodes, strict=True):
        first, *_, last = re.findall(r"\w+", call.split("(")[1])
        assert call.startswith(f"  {name}_frame(") and first in known and last not in known
        known.add(last)


def test_every_layer_is_called_once_between_streams_of_one_writer_and_one_reader(built):
    build, _, design = built
    text = (build / "hls" / "top.cpp").read_text(encoding="utf-8")
    calls = dict(re.findall(r"^  (\w+)_frame\(([\w, ]+)\);$", text, re.MULTILINE))
    assert tuple(calls) == design.nodes
    used = [stream for streams in calls.values() for stream in streams.split(", ")]
    declared = re.findall(r"hls::stream<ap_uint<\d+> > (\w+)\(", text)
    assert sorted(used) == sorted([*declared, *declared, "in0_V", "out0_V"])
    assert text.count("#pragma HLS DATAFLOW") == 1


def test_fifos_are_depths_of_streams(built):
    build, lowered, _ = built
    from qonnx.custom_op.registry import getCustomOp

    fifos = [node for node in lowered.model.graph.node if node.op_type == "BoundedFIFO_rtl"]
    depths = sorted(int(getCustomOp(node).get_nodeattr("depth")) for node in fifos)
    assert depths
    text = (build / "hls" / "top.cpp").read_text(encoding="utf-8")
    found = [int(depth) for depth in re.findall(r"#pragma HLS STREAM variable=\w+ depth=(\d+)", text)]
    assert all(depth >= 2 for depth in found)
    assert sorted(depth for depth in found if depth > 2) == [depth for depth in depths if depth > 2]


def test_weights_are_those_of_the_rtl(built):
    """Neuron nf*Pe + pe at [pe][nf*Sf + sf]: the first one's bits against the network's integers."""
    build, lowered, _ = built
    text = (build / "hls" / "params_fc1_mvau.hpp").read_text(encoding="utf-8")
    weights = re.search(r"fc1_mvau_weights\[3\]\[12\]\[1\] = (.*?);", text, re.DOTALL)
    assert weights is not None
    words = [int(word, 16) for word in re.findall(r"0x[0-9a-f]+", weights[1])][:4]
    bits = [word >> place & 1 for word in words for place in range(3)]
    model = lowered.model
    node = next(node for node in model.graph.node if node.name == "fc1_mvau")
    assert bits == [int(value > 0) for value in model.get_initializer(node.input[1])[:, 0]]


def test_a_node_without_hls_form_is_refused_by_name(built, tmp_path):
    _, lowered, _ = built
    node = next(node for node in lowered.model.graph.node if node.name == "fc1_dwc")
    kind, domain = node.op_type, node.domain
    node.op_type, node.domain = "WidthConverter_rtl", "finn.custom_op.fpgadataflow.rtl"
    try:
        with pytest.raises(GenerateError, match=r"^node fc1_dwc: WidthConverter_rtl has no HLS form"):
            generate_hls(tmp_path, lowered, SilentProgress())
    finally:
        node.op_type, node.domain = kind, domain


def test_finn_prepares_an_ip_of_every_node_from_files_that_are_there(built, tmp_path):
    """What FINN's HLSSynthIP runs: hls_syn_<node>.tcl with the top's source, and includes beside it."""
    from finn.transformation.fpgadataflow.prepare_ip import PrepareIP
    from qonnx.custom_op.registry import getCustomOp

    _, lowered, design = built
    with build_directory(tmp_path):
        model = lowered.model.transform(PrepareIP(lowered.part, lowered.clock_ns))
        for node in model.graph.node:
            if node.op_type == "BoundedFIFO_rtl":
                continue
            folder = Path(getCustomOp(node).get_nodeattr("code_gen_dir_ipgen"))
            script = (folder / f"hls_syn_{node.name}.tcl").read_text(encoding="utf-8")
            assert f"set_top {node.name}\n" in script and f"set_part {design.part}\n" in script
            sources = re.findall(r"add_files (\S+)", script)
            assert sources == [str(folder / f"top_{node.name}.cpp")]
            _check_includes(folder, f"top_{node.name}.cpp")
            text = (folder / f"top_{node.name}.cpp").read_text(encoding="utf-8")
            assert "#pragma HLS INTERFACE axis port=in0_V" in text and f"void {node.name}(" in text
            assert violations(text) == []


def _check_includes(folder: Path, name: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    for include in re.findall(r'#include "([^"]+)"', text):
        assert (folder / include).is_file(), f"{name} includes {include}"
        _check_includes(folder, include)
