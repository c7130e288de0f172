"""C simulation: what is wrong with generated C++ is told in one line, by node and place; nothing is lost unnoticed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from xnorflow.artifact.compiler import find_compiler
from xnorflow.artifact.errors import SimulateError, ToolError
from xnorflow.ops.hls.code import HLS_LIBRARY
from xnorflow.simulate import ap_types
from xnorflow.simulate.ap_types import find_ap_types
from xnorflow.simulate.csim import CFunction, CPort, CSimulation, compile_functions

NODE = """#include "xnorflow_forward.hpp"
inline void copy0_frame(hls::stream<ap_uint<12> >& in0_V, hls::stream<ap_uint<12> >& out0_V) {{
  {call};
}}
"""
COPY = "xnorflow::forward<12, 3>(in0_V, out0_V)"


def function(beats_in: int = 3, beats_out: int = 3) -> CFunction:
    return CFunction("copy0", "copy0_frame", "copy0.hpp", (CPort(12, beats_in),), (CPort(12, beats_out),))


def sources(folder: Path, call: str = COPY) -> Path:
    """Write a node that copies three beats, and the library."""
    folder = folder / "hls"
    folder.mkdir()
    for header in HLS_LIBRARY.glob("*.hpp"):
        (folder / header.name).write_bytes(header.read_bytes())
    (folder / "copy0.hpp").write_text(NODE.format(call=call), encoding="utf-8")
    return folder


def beats(count: int) -> np.ndarray:
    values = np.random.default_rng(1).integers(0, 256, (count, 2)).astype(np.uint8)
    values[:, 1] &= 15
    return values


@pytest.fixture(scope="module")
def hls(tmp_path_factory):
    return sources(tmp_path_factory.mktemp("copy"))


def compiled(hls: Path, tmp_path: Path, one: CFunction) -> CSimulation:
    return CSimulation(compile_functions([one], hls, tmp_path / "obj"))


def test_frames_in_several_chunks_go_through(hls, tmp_path):
    given, done = beats(3 * 150), []
    (found,) = compiled(hls, tmp_path, function()).run(function(), [given], done.append)
    np.testing.assert_array_equal(found, given)
    assert done == [64, 128, 150]


def test_the_library_is_compiled_once(hls, tmp_path):
    first = compile_functions([function()], hls, tmp_path / "obj")
    written = first.stat().st_mtime_ns
    assert compile_functions([function()], hls, tmp_path / "obj") == first
    assert first.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("beats_in", "beats_out", "message"),
    [
        (2, 3, "frame 0: WARNING: Hls::stream 'in0_V' is read while empty"),
        (4, 3, "frame 0: in0_V: 1 beats were not taken"),
        (3, 4, "frame 0: out0_V gave 3 beats, expected 4"),
    ],
)
def test_lost_beats_are_an_error_that_names_the_node(hls, tmp_path, beats_in, beats_out, message):
    one = function(beats_in, beats_out)
    with pytest.raises(SimulateError, match=r"^node copy0: ") as caught:
        compiled(hls, tmp_path, one).run(one, [beats(2 * beats_in)])
    assert message in str(caught.value)


def test_arrays_of_another_shape_are_refused(hls, tmp_path):
    with pytest.raises(ValueError, match=r"copy0: uint8 \(4, 2\), expected uint8 \(3, 2\)"):
        compiled(hls, tmp_path, function()).run(function(), [beats(4)])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("xnorflow::forward<12, 0>(in0_V, out0_V)",
         "copy0.hpp:3: static assertion failed: xnorflow::forward: Width and Beats must be at least 1"),
        ("no_such_function(in0_V)", "copy0.hpp:3: 'no_such_function' was not declared in this scope"),
    ],
    ids=["in the library", "in the node"],
)  # fmt: skip
def test_an_error_of_the_compiler_is_one_line_with_node_and_place(tmp_path, call, message):
    with pytest.raises(SimulateError) as caught:
        compile_functions([function()], sources(tmp_path, call), tmp_path / "obj")
    assert str(caught.value).startswith(f"node copy0: {message}")
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "obj").glob("*.so")) and not list((tmp_path / "obj").glob(".csim*"))


def test_missing_headers_are_an_error_that_says_what_to_install(monkeypatch):
    monkeypatch.setattr(ap_types.util, "find_spec", lambda name: None)
    with pytest.raises(ToolError, match=r"ap_types headers: not installed; .*pip install hls4ml==1\.3\.0"):
        find_ap_types()


def test_a_folder_without_the_headers_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("XNORFLOW_AP_TYPES", str(tmp_path))
    with pytest.raises(ToolError, match=r"headers by XNORFLOW_AP_TYPES: no ap_int\.h in "):
        find_ap_types()


def test_a_file_that_is_no_library_is_refused(tmp_path):
    (tmp_path / "csim.so").write_text("no library")
    with pytest.raises(ToolError, match="cannot be loaded"):
        CSimulation(tmp_path / "csim.so")


WRONG = {
    "MvauShape<1, 6, 4, 4, 2>::kSf": "xnorflow::mvau: Simd must divide Mw",
    "MvauShape<1, 6, 4, 0, 2>::kSf": "xnorflow::mvau: Simd must divide Mw",
    "MvauShape<1, 6, 4, 3, 3>::kSf": "xnorflow::mvau: Pe must divide Mh",
    "MvauShape<0, 6, 4, 3, 2>::kSf": "xnorflow::mvau: Vectors, Mw and Mh must be at least 1",
    "WholeSum<0>::kBits": "xnorflow::WholeSum: Bits must be at least 1",
    "SignedSum<1>::kInputBits": "xnorflow::SignedSum: InputBits must be at least 2, two's complement",
    "ProductSum<2, 1>::kInputBits": "xnorflow::ProductSum: WeightBits must be at least 2, two's complement",
    "WindowShape<3, 3, 4, 3, 1, 1, 0, 0, 0, 0>::kRows": "xnorflow::WindowShape: a window must fit into the padded map",
    "WindowShape<3, 3, 2, 2, 0, 1, 0, 0, 0, 0>::kRows": "xnorflow::WindowShape: strides must be at least 1",
    "Total<4, 3, true>::kOutBits": "xnorflow::Total: OutBits must be at least InBits",
    "Sum<33, true, 0, 8, true, 0, 9>::kOutBits": "xnorflow::Sum: inputs have 1 to 32 bits",
    "Sum<8, true, 25, 8, true, 0, 40>::kOutBits": "xnorflow::Sum: shifts are 0 to 24",
    "Gated<8, true, 4, 1, 1, 0, 9>::kOutBits": "xnorflow::Gated: codes have 1 to 3 bits",
    "Gated<8, true, 1, 2, 1, 0, 9>::kOutBits": "xnorflow::Gated: MaxShift must be one of the codes",
    "Gated<8, true, 1, 1, 2, 0, 9>::kOutBits": "xnorflow::Gated: with Scale 2, Offset is minus the number of terms",
    "ChannelShape<1, 0, 1, 8, 8>::kBeats": "xnorflow::requantize: Pixels, Folds and Pe must be at least 1",
    "ChannelShape<1, 1, 1, 33, 8>::kBeats": "xnorflow::requantize: InBits and OutBits must be 1 to 32",
}
WRONG_CALLS = {
    "widen<4, 6, 1>(s4, s6)": "xnorflow::widen: OutBits must be a multiple of InBits, and wider",
    "narrow<6, 4, 1>(s6, s4)": "xnorflow::narrow: InBits must be a multiple of OutBits, and wider",
    "fork<4, 1>(s4, t4)": "xnorflow::fork: there must be at least two streams out",
    "repeat<4, 1, 1, 1>(s4, t4)": "xnorflow::repeat: Times must be at least 2",
    "argmax<5, 2, 2, false, 4>(s4, t4)": "xnorflow::argmax: Pe must divide Labels",
    "argmax<20, 2, 2, false, 4>(s4, t4)": "xnorflow::argmax: LabelBits must hold Labels - 1",
    "pool<Largest<2, true>, 0, 1, 1, 2>(s4, t4)":
        "xnorflow::pool: Windows, Positions, Folds and Pe must be at least 1",
    "sliding_window<Shape, 1, 4, 1, 0, 3>(s4, t4)": "xnorflow::sliding_window: RingWords must be a power of two",
    "sliding_window<Shape, 1, 4, 1, 0, 4>(s4, t4)":
        "xnorflow::sliding_window: RingWords must hold a window from its first to its last beat",
    "whole_windows<Padded, 4>(s4, s4)": "xnorflow::whole_windows: there must be no padding",
}  # fmt: skip


def test_every_parameter_out_of_its_range_is_told(tmp_path):
    headers = sorted(path.name for path in HLS_LIBRARY.glob("*.hpp"))
    lines = [f'#include "{name}"' for name in headers] + [
        "using namespace xnorflow;",
        "typedef WindowShape<4, 4, 2, 2, 1, 1, 0, 0, 0, 0> Shape;",
        "typedef WindowShape<4, 4, 1, 1, 1, 1, 1, 0, 0, 0> Padded;",
        "void calls(hls::stream<ap_uint<4> >& s4, hls::stream<ap_uint<4> >& t4, hls::stream<ap_uint<6> >& s6) {",
        *(f"  {call};" for call in WRONG_CALLS),
        "}",
        *(f"const int number{index} = {wrong};" for index, wrong in enumerate(WRONG)),
    ]
    (tmp_path / "wrong.cpp").write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = subprocess.run(
        [find_compiler().program, "-std=c++14", "-fsyntax-only", "-fmax-errors=0", "-isystem", str(find_ap_types()),
         f"-I{HLS_LIBRARY}", str(tmp_path / "wrong.cpp")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = [line for line in done.stderr.splitlines() if "static assertion failed" in line]
    assert done.returncode != 0
    missing = [message for message in (WRONG | WRONG_CALLS).values() if not any(message in line for line in told)]
    assert missing == []


@pytest.mark.parametrize("header", sorted(HLS_LIBRARY.glob("*.hpp")), ids=lambda path: path.stem)
def test_headers_say_what_they_are_and_stand_alone(header):
    text = header.read_text(encoding="utf-8")
    assert text.startswith("// SPDX-FileCopyrightText: xnorflow authors\n// SPDX-License-Identifier: BSD-3-Clause\n")
    assert "// Why this structure:" in text
    assert f"#ifndef {header.stem.upper()}_HPP" in text
    assert max(len(line) for line in text.splitlines()) <= 120
    assert "std::" not in text and "new " not in text.replace("newest", "")
