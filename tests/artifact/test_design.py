from __future__ import annotations

import pytest

from xnorflow.artifact.design import Design, DesignNode
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
