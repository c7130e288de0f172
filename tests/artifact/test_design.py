from __future__ import annotations

from dataclasses import replace

import pytest

from xnorflow.artifact.design import Design, DesignNode, kind_of
from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.streams import StreamSpec


def make() -> Design:
    return Design(
        top="net",
        sources=("rtl/a.sv", "rtl/net.sv"),
        rtl_dir="rtl",
        board="Pynq-Z2",
        part="xc7z020clg400-1",
        clock_ns=10.0,
        latency_cycles=7,
        cycles_per_frame=64,
        input=StreamSpec("in0_V", "BIPOLAR", 1, 64, 8),
        output=StreamSpec("out0_V", "INT8", 8, 10, 1),
        nodes=(DesignNode("fc0", "XnorMVAU_rtl", ("rtl/a.sv",), 64, {"PE": 8, "SIMD": 8}, ("in0",), (8,)),),
        artifact_sha256="00",
    )


def test_it_reads_back_as_it_was_written(tmp_path):
    make().save(tmp_path / "design.json")
    assert Design.load(tmp_path / "design.json") == make()


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"sources": 3}'])
def test_a_file_that_holds_something_else_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "design.json").write_text(content)
    with pytest.raises(
        InputModelError, match=r"design\.json: missing or not a design description; .*run `xnorflow build`"
    ):
        Design.load(tmp_path / "design.json")


def test_a_design_with_layers_in_cpp_is_refused_where_rtl_is_needed(tmp_path):
    path, design = tmp_path / "design.json", make()
    design.save(path)
    assert Design.load_rtl(path) == design
    mixed = replace(design, nodes=(replace(design.nodes[0], functions=("fc0_frame",)),), hls_dir="hls", widest=1024)
    mixed.save(path)
    assert Design.load(path) == mixed and [node.name for node in mixed.hls_nodes] == ["fc0"]
    with pytest.raises(
        InputModelError, match=r"C\+\+ for HLS: fc0; allowed: a design all in RTL; run Vitis HLS on hls/"
    ):
        Design.load_rtl(path)


def test_what_a_layer_computes_is_its_op_type_without_the_backend():
    assert [kind_of(one) for one in ("XnorMVAU_rtl", "XnorMVAU_hls", "XnorMVAU")] == ["XnorMVAU"] * 3
