"""FINN's HLSSynthIP, CreateStitchedIP and ZynqBuild on our graphs, each of their scripts checked; no tool runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import SynthesizeError
from xnorflow.artifact.progress import SilentProgress
from xnorflow.boards.catalog import board_names, load_board
from xnorflow.generate.hls_stage import generate_hls
from xnorflow.generate.stage import generate
from xnorflow.lower.config import BuildSettings
from xnorflow.lower.finn_compat import FINN_BOARDS, prepare_finn, vendor_build
from xnorflow.lower.stage import lower
from xnorflow.ops.hls.node import HlsNode
from xnorflow.simulate.ap_types import find_ap_types
from xnorflow.simulate.verilator import lint_design
from xnorflow.synthesize.vivado import VivadoSettings
from xnorflow.synthesize.vivado_bitstream import build_bitstream

sys.path.insert(0, str(Path(__file__).parents[1] / "lower"))
sys.path.insert(0, str(Path(__file__).parent / "standins"))
sys.path.insert(0, str(Path(__file__).parent))

from map_files import signs, trunk_in
from vivado import BOARD_PARTS

GOLDEN, STANDINS = Path(__file__).parent / "golden", Path(__file__).parent / "standins"


def make(build: Path, **settings):
    return build_bitstream(build, VivadoSettings(jobs=1, **settings), SilentProgress())


def projects(build: Path, step: str) -> list[Path]:
    return sorted((build / "obj" / "vivado_finn" / step).glob("vivado_*_proj_*"))


def built(chain, build: Path, **settings) -> Path:
    (build / "report").mkdir(parents=True)
    path = chain.save(build / "given.onnx")
    lowered = lower(path, build, BuildSettings(target_cycles=400, **settings), None, SilentProgress())
    (generate_hls if settings.get("backend") == "hls" else generate)(build, lowered, SilentProgress())
    return build


def on_board(build: Path, board: str) -> Path:
    part = load_board(board).part
    replace(Design.load(build / "design.json"), board=board, part=part).save(build / "design.json")
    return build


def check_chain(build: Path, vendor, board: str) -> list[dict]:
    """All scripts up to the last were right, and that one too; what came of it is no bitstream, and said to be none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STANDIN_GO_ON", "1")
        with pytest.raises(SynthesizeError, match=r"step bitstream: FINN ended in FINNSynthesisError; .*STAND-IN"):
            make(build)
    records = vendor.records()
    assert [record["code"] for record in records] == [0] * (len(records) - 1) + [3]
    chosen, last = load_board(board), records[-1]
    assert {record["part"] for record in records} == {chosen.part}
    assert last["board_part"] and BOARD_PARTS[last["board_part"]] == chosen.part
    steps = ["launch_runs", "wait_on_run", "open_run", "report_utilization"]
    assert [command[0] for command in last["not_done"]] == steps
    assert last["not_done"][0][-2:] == ["write_bitstream", "impl_1"]
    assert not [path for path in build.rglob("*") if path.suffix in (".bit", ".hwh", ".xclbin", ".dcp")]
    assert not (build / "bitfile").exists()
    return records


@pytest.fixture(scope="module")
def chain(small_network, shared_vendor, tmp_path_factory):
    """A build that went the whole way, and what the tools recorded."""
    build = Path(shutil.copytree(small_network, tmp_path_factory.mktemp("chain") / "build"))
    return build, check_chain(build, shared_vendor, "Pynq-Z2")


def test_the_way_to_a_bitstream(chain):
    """The first script is the accelerator's own IP; then DMA, accelerator, DMA, and all of it on the board."""
    build, records = chain
    assert [record["tool"] for record in records] == [
        "vivado", "vitis_hls", "vivado", "vivado", "vitis_hls", "vivado", "vivado"
    ]  # fmt: skip
    stitched, last = records[0], records[-1]
    names = [node.name for node in Design.load(build / "design.json").nodes]
    assert stitched["cells"] == {**{name: f"{name}_cell" for name in names}, "sim_ctrl_0": "sim_ctrl"}
    assert stitched["frequency_hz"] == "100000000"
    ports = {name: (port["bits"], port["master"]) for name, port in stitched["interfaces"].items()}
    assert ports == {"s_axis_0": (16, False), "m_axis_0": (8, True)}
    for name, before in zip(names[1:], names, strict=False):
        assert [f"{before}/out0_V", f"{name}/in0_V"] in stitched["nets"]
        assert ["ap_clk", f"{name}/ap_clk"] in stitched["nets"]
    assert not [cell for record in records for cell in record.get("cells", ()) if "StreamingFIFO" in cell]
    assert ["StreamingDataflowPartition_1/s_axis_0", "idma0/m_axis_0"] in last["nets"]
    assert ["odma0/s_axis_0", "StreamingDataflowPartition_1/m_axis_0"] in last["nets"]
    assert Counter(last["cells"].values())["xilinx_finn:finn:StreamingDataflowPartition_1:1.0"] == 1


def test_the_block_design_is_as_reviewed(chain, request):
    """What our nodes and their connections become; the rest of the script is FINN's."""
    lines = chain[1][0]["script"].splitlines()
    own = lines[lines.index('create_bd_design "finn_design"') : lines.index("save_bd_design")]
    text = "\n".join(re.sub(r"\S*/(\w+\.s?v)$", r"\1", line) for line in own) + "\n"
    golden = GOLDEN / "block_design.tcl"
    if request.config.getoption("--update-golden"):
        golden.write_text(text)
    assert text == golden.read_text(), "look at the difference; if it is meant: pytest --update-golden"


def test_what_is_done_is_not_done_again(chain, shared_vendor, tmp_path):
    build, before = Path(shutil.copytree(chain[0], tmp_path / "build")), len(shared_vendor.records())
    kept, attempt = projects(build, "stitched_ip"), projects(build, "bitstream")
    with pytest.raises(SynthesizeError, match=r"node StreamingDataflowPartition_0_IODMA_hls_0: .*STAND-IN"):
        make(build, resume=True)  # this time the stand-in of Vitis HLS does not let FINN go on
    assert len(shared_vendor.records()) == before + 1 and projects(build, "stitched_ip") == kept
    assert len(attempt) == 4 and projects(build, "bitstream") == []  # those of the attempt before are gone


def test_what_vivado_reads_for_cells_is_a_whole_design(chain):
    """Memory files are named by paths that hold anywhere."""
    folder = chain[0] / "obj" / "vivado_finn" / "hls_ip"
    paths = list({Path(name).name: Path(name) for name in chain[1][0]["files"] if "wrapper" not in name}.values())
    for face in [path for path in paths if path.name.endswith("_cell.v")]:
        others = [path for path in paths if not path.name.endswith("_cell.v") and path.name != "sim_ctrl.v"]
        assert lint_design(face.stem, [*others, face]) == []
    (wrapper,) = folder.glob("code_gen_ipgen_fc0_mvau_*/fc0_mvau.sv")
    text = wrapper.read_text()
    assert text.startswith("`define XNORFLOW_LUT6\n") and text.count("define XNORFLOW_LUT6") == 1
    named = re.findall(r'"(\S+\.mem)"', text)
    assert named and all(Path(name).is_absolute() and Path(name).is_file() for name in named)


@pytest.mark.parametrize(
    ("number", "old", "new", "found"),
    [
        (0, "-part xc7z020clg400-1", "-part xc7z020clg484-1", "part xc7z020clg484-1 is none of the boards'"),
        (0, "-reference fc0_mvau_cell", "-reference fc0_mvau", "has to be Verilog or VHDL, not SystemVerilog"),
        (0, "-reference fc0_mvau_cell", "-reference fc0_mvau_sell", "no file that was added defines"),
        (0, "fc1_mvau/out0_V]", "fc1_mvau/out1_V]", r"has no intf_pins out1_V: \['in0_V', 'out0_V'\]"),
        (0, "[get_bd_intf_pins fc0_mvau/out0_V]", "[get_bd_intf_pins fc1_mvau/out0_V]", "is connected already"),
        (0, "[get_bd_intf_pins fc0_mvau/out0_V]", "[get_bd_intf_pins fc2_mvau/in0_V]", "are no two sides of one"),
        (0, "connect_bd_net [get_bd_ports ap_clk] [get_bd_pins fc1_mvau/ap_clk]", "", r"\['ap_clk'\] is conn"),
        (0, "ap_clk] [get_bd_pins fc1_mvau/ap_clk]", "ap_rst_n] [get_bd_pins fc1_mvau/ap_clk]", "a clock and another"),
        (0, "\nvalidate_bd_design", "\nvalidate_design", "unknown command: validate_design"),
        (0, "/fc1_mvau.sv", "/fc1_mvax.sv", "no file .*/fc1_mvax.sv"),
        (1, "set_top $config_toplevelfxn", "set_top main", "has no function main"),
        (1, "config_compile", "config_compiler", "unknown command: config_compiler"),
        (6, "pynq-z2:part0:1.0", "pynq-z3:part0:1.0", "board_part definition was not found"),
        (6, "tul.com.tw:pynq-z2:part0:1.0", "xilinx.com:zcu104:part0:1.1", "has a xczu7ev-ffvc1156-2-e"),
        (6, "idma0/m_axis_0", "idma0/m_axis_1", "has no intf_pins m_axis_1"),
        (6, "odma0/s_axis_0", "idma0/m_axis_0", "are no two sides|connected already"),
    ],
)  # fmt: skip
def test_the_stand_ins_see_what_is_wrong(number, old, new, found, chain, tmp_path):
    """Else it would be of no use that they find nothing in FINN's scripts as they are."""
    record = chain[1][number]
    assert old in record["script"]
    (tmp_path / "records").mkdir()
    script, tool = record["script"].replace(old, new), STANDINS / f"{record['tool']}.py"
    arguments = ["script.tcl"]
    if record["tool"] == "vivado":  # which writes; Vitis HLS reads its sources there
        script, arguments = script.replace(record["cwd"], str(tmp_path)), ["-mode", "batch", "-source", "script.tcl"]
    (tmp_path / "script.tcl").write_text(script)
    with vendor_build(tmp_path, 1):
        done = subprocess.run(
            [sys.executable, tool, *arguments], cwd=tmp_path, capture_output=True, text=True,
            env={**os.environ, "STANDIN_RECORD": str(tmp_path / "records"), "STANDIN_GO_ON": "1"}, check=False,
        )  # fmt: skip
    assert done.returncode == 1 and re.search(found, done.stdout), done.stdout + done.stderr


def test_the_face_of_a_cell_is_as_reviewed(small_network, request):
    from xnorflow.ops.block_design import render_face

    interfaces = {"s_axis": [("in0_V", 16), ("in1_V", 8)], "m_axis": [("out0_V", 8), ("out1_V", 24)]}
    text, golden = render_face("add0", interfaces), GOLDEN / "add0_cell.v"
    if request.config.getoption("--update-golden"):
        golden.write_text(text)
    assert text == golden.read_text(), "look at the difference; if it is meant: pytest --update-golden"


def test_residual_networks_and_forks(tmp_path, vendor):
    """Two streams in, two out, constants that are no streams: all of it is connected, else the stand-in refuses."""
    build = built(trunk_in().block().head(), tmp_path / "net")
    with pytest.raises(SynthesizeError, match="node StreamingDataflowPartition_0_IODMA_hls_0: FINN ended in"):
        make(build)  # the stand-in of Vitis HLS makes no IP: end of the way
    stitched = vendor.records("vivado")[0]
    kinds = {node.name: node.op_type for node in Design.load(build / "design.json").nodes}
    assert {"StreamFork_rtl", "StreamAdd_rtl", "Requantize_rtl", "WindowPool_rtl"} <= set(kinds.values())
    assert set(stitched["cells"]) == {*kinds, "sim_ctrl_0"}
    adder = next(name for name, kind in kinds.items() if kind == "StreamAdd_rtl")
    assert {net[1] for net in stitched["nets"] if net[1].startswith(f"{adder}/in")} == {
        f"{adder}/in0_V",
        f"{adder}/in1_V",
    }
    assert stitched["code"] == 3 and vendor.records()[-1]["tool"] == "vitis_hls"


@pytest.mark.full
@pytest.mark.parametrize("board", sorted(set(board_names()) - {"Pynq-Z2"}))
def test_the_way_to_a_bitstream_of_every_board(board, build, vendor):
    check_chain(on_board(build, board), vendor, board)


@pytest.mark.full
@pytest.mark.parametrize("backend", ["rtl", "hls"])
@pytest.mark.parametrize("network", ["residual", "maps"])
def test_the_way_to_a_bitstream_of_every_operator(network, backend, tmp_path, vendor, monkeypatch):
    monkeypatch.setenv("STANDIN_AP_TYPES", str(find_ap_types()))
    chain = trunk_in().block().head()
    if network == "maps":
        chain = signs(shape=(3, 6, 6), seed=5).conv(8, kernel=(2, 2)).activation().pad(1, 1, 1, 1).conv(6).activation()
        chain = chain.pool().classify(4)
    build = built(chain, tmp_path / "net", backend=backend, output="labels" if network == "maps" else "logits")
    write_dma(vendor)
    check_chain(build, vendor, "Pynq-Z2")


def write_dma(vendor):
    """Declare, for the compiler, what FINN's DMA takes from finn-hlslib."""
    folder = vendor.folder.parent / "deps" / "finn-hlslib"
    (folder / "dma.h").write_text(
        "#pragma once\n#include <ap_int.h>\n#include <hls_stream.h>\n"
        "template <unsigned W, unsigned N> void Mem2Stream_Batch(ap_uint<W>*, hls::stream<ap_uint<W> >&, unsigned) {}\n"
        "template <unsigned W, unsigned N> void Stream2Mem_Batch(hls::stream<ap_uint<W> >&, ap_uint<W>*, unsigned) {}\n"
    )
    (folder / "bnn-library.h").write_text("#pragma once\n")
    (folder / "streamtools.h").write_text(
        "#pragma once\ntemplate <unsigned I, unsigned O, unsigned N> void StreamingDataWidthConverter_Batch(\n"
        "    hls::stream<ap_uint<I> >&, hls::stream<ap_uint<O> >&, unsigned) {}\n"
    )


def test_finns_boards_are_ours():
    """By part; the names of board files that its script asks for are those that the stand-in knows."""
    prepare_finn()
    from finn.transformation.fpgadataflow.templates import custom_zynq_shell_template
    from finn.util.basic import pynq_native_port_width, pynq_part_map

    assert set(FINN_BOARDS) == set(board_names())
    for ours, finns in FINN_BOARDS.items():
        assert pynq_part_map[finns] == load_board(ours).part and pynq_native_port_width[finns] in (64, 128)
        script = custom_zynq_shell_template.split(f'$BOARD == "{finns}"')[1]
        board_part = re.search(r"set_property board_part (\S+)", script)[1]
        assert BOARD_PARTS[board_part] == load_board(ours).part


def test_cpp_that_does_not_compile(tmp_path, vendor, monkeypatch, refused, perceptron):
    """A real compiler finds the line; it is told in Vitis HLS's form, and the error names operator and line."""
    monkeypatch.setenv("STANDIN_GO_ON", "1")
    monkeypatch.setenv("STANDIN_AP_TYPES", str(find_ap_types()))
    build = tmp_path / "net"
    build.mkdir()
    model = perceptron(tmp_path / "net.onnx", (12, 8, 4), input_bits=1, seed=5)
    settings = BuildSettings(target_cycles=120, backend="hls")
    generate_hls(build, lower(model, build, settings, None, SilentProgress()), SilentProgress())
    write = HlsNode.write_code

    def broken(self, graph, folder):
        names = write(self, graph, folder)
        if self.onnx_node.name == "fc1_mvau":
            path = folder / "fc1_mvau.hpp"
            path.write_text(
                path.read_text().replace("#pragma once", "").replace("\n#endif", "\nint x = lanes;\n#endif")
            )
            broken.line = path.read_text().splitlines().index("int x = lanes;") + 1
        return names

    monkeypatch.setattr(HlsNode, "write_code", broken)
    line = refused("synthesize", build, "--target", "vivado", "--shell", "finn", "--jobs", "1")
    assert re.fullmatch(
        rf"node fc1_mvau: fc1_mvau.hpp, line {broken.line}: .*lanes.* not declared.*; allowed: C\+\+ that Vitis HLS "
        rf"takes; see {build}/obj/vivado_finn/hls_ip/code_gen_ipgen_fc1_mvau_\w+/vitis_hls.log", line
    )  # fmt: skip
    found = {record["top"]: (record["code"], record.get("compiled")) for record in vendor.records()}
    assert found["fc1_mvau"] == (1, None) and found.get("fc0_mvau", (0, True)) == (0, True)
