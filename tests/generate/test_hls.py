"""C++ for HLS: readable text, equal bytes for equal inputs, FIFOs as depths, an IP for every node by FINN's pass."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from xnorflow.artifact.errors import GenerateError, InputModelError
from xnorflow.artifact.hls_design import HLS_DESIGN_FILE, HlsDesign
from xnorflow.artifact.progress import SilentProgress
from xnorflow.generate.hls_stage import generate_hls
from xnorflow.lower.config import Backend, BuildSettings, OutputKind
from xnorflow.lower.finn_compat import build_directory
from xnorflow.lower.stage import Lowered, lower

WIDTHS = (30, 12, 9, 4)
FOLDING = {
    "fc0_mvau": {"PE": 6, "SIMD": 5}, "fc1_mvau": {"PE": 3, "SIMD": 3}, "fc2_mvau": {"PE": 1, "SIMD": 3},
    "label_argmax": {"PE": 1},
}  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory, perceptron) -> tuple[Path, Lowered, HlsDesign]:
    folder = tmp_path_factory.mktemp("net")
    model = perceptron(folder / "net.onnx", WIDTHS, input_bits=4, seed=5)
    build = folder / "build"
    build.mkdir()
    (folder / "folding.json").write_text(json.dumps(FOLDING), encoding="utf-8")
    settings = BuildSettings(folding=folder / "folding.json", output=OutputKind.LABELS, backend=Backend.HLS)
    lowered = lower(model, build, settings, None, SilentProgress())
    return build, lowered, generate_hls(build, lowered, SilentProgress())


def test_equal_inputs_give_equal_bytes(built, tmp_path):
    build, lowered, design = built
    assert generate_hls(tmp_path, lowered, SilentProgress()) == design
    first = {path.name: path.read_bytes() for path in (build / "hls").iterdir()}
    second = {path.name: path.read_bytes() for path in (tmp_path / "hls").iterdir()}
    assert first == second
    assert (build / HLS_DESIGN_FILE).read_bytes() == (tmp_path / HLS_DESIGN_FILE).read_bytes()


@pytest.mark.parametrize(
    "file", ["top.hpp", "top.cpp", "fc0_mvau.hpp", "params_fc0_mvau.hpp", "hls_syn_xnorflow_top.tcl"]
)
def test_generated_text_is_the_golden_one(built, file, request):
    build, _, design = built
    text = (build / "hls" / file).read_text(encoding="utf-8").replace(design.artifact_sha256, "0" * 64)
    golden = Path(__file__).parent / "golden" / "hls" / file
    if request.config.getoption("--update-golden"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8"), "look at it; if it is meant: pytest --update-golden"


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


def _check_includes(folder: Path, name: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    for include in re.findall(r'#include "([^"]+)"', text):
        assert (folder / include).is_file(), f"{name} includes {include}"
        _check_includes(folder, include)
