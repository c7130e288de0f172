"""The library keeps what Vitis HLS asks for as far as its text shows; the checker finds what does not."""

from __future__ import annotations

import pytest
from vitis_rules import violations

from xnorflow.ops.hls.code import HLS_LIBRARY

SOUND = """
template <int Width>
inline void copies(hls::stream<ap_uint<Width> >& in, const int (&weights)[4], hls::stream<ap_uint<Width> >& out) {
#pragma HLS ARRAY_PARTITION variable=weights complete dim=1
  int kept[4];
#pragma HLS ARRAY_PARTITION variable=kept complete dim=0
Copies:
  for (int step = 0; step < 4; ++step) {
#pragma HLS PIPELINE II=1
    out.write(in.read());
  }
}
"""
WRONG = {
    "PIPELINE II=1": [
        ("PIPELINE II=one", "PIPELINE has no option II=one"), ("PIPELINE INTERVAL=1", "no option INTERVAL"),
        ("PIPELINED", "#pragma HLS PIPELINED is not documented"), ("DATAFLOW", "not the first thing in a function"),
    ],
    "complete dim=1": [("completely dim=1", "no option completely"), ("complete dim=", "no option dim=")],
    "variable=kept": [("variable=keep", "keep is not declared in this function")],
    "  int kept[4];": [("  int* kept = new int[4];", "new cannot be synthesized"),
                       ("  std::vector<int> kept;", "std cannot be synthesized")],
    "in.read());\n": [("in.read());\n#pragma HLS UNROLL\n", "UNROLL is not the first thing in a loop")],
}  # fmt: skip


@pytest.mark.parametrize("header", sorted(HLS_LIBRARY.glob("*.hpp")), ids=lambda path: path.stem)
def test_the_library_has_documented_pragmas_in_their_places(header):
    assert violations(header.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(("old", "new", "fault"), [(old, *pair) for old, pairs in WRONG.items() for pair in pairs])
def test_what_vitis_hls_would_refuse_is_found(old, new, fault):
    assert violations(SOUND) == [] and old in SOUND
    found = violations(SOUND.replace(old, new))
    assert len(found) == 1 and fault in found[0], found
