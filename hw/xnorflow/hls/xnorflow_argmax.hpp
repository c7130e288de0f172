// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Index of the first maximum of a frame's values: FINN's LabelSelect with K = 1.
//
// Why this structure: lanes of a beat are compared one after the other in the unrolled loop, and a
// later value takes over only where it is greater, which is what "first" asks for.
//
// Interval: II = 1 expected, Labels / Pe cycles a frame and the depth of the pipeline; for many
// lanes the chain of comparisons is what a tool may pipeline further or not.

#ifndef XNORFLOW_ARGMAX_HPP
#define XNORFLOW_ARGMAX_HPP

#include "xnorflow_lanes.hpp"
#include "xnorflow_popcount.hpp"

namespace xnorflow {

// Write the index of the largest of Labels values, Pe of them a beat, to `out`.
template <int Labels, int Pe, int Bits, bool Signed, int LabelBits>
inline void argmax(hls::stream<ap_uint<Pe * Bits> >& in, hls::stream<ap_uint<LabelBits> >& out) {
  static_assert(Labels >= 1 && Pe >= 1 && Labels % (Pe < 1 ? 1 : Pe) == 0,
                "xnorflow::argmax: Pe must divide Labels");
  static_assert(LabelBits >= bits_to_hold(Labels - 1), "xnorflow::argmax: LabelBits must hold Labels - 1");
  typedef typename Number<Bits, Signed>::Type Value;
  Value most = 0;
  ap_uint<LabelBits> label = 0;
  int first = 0;
Beats:
  for (int step = 0; step < Labels / Pe; ++step) {
#pragma HLS PIPELINE II=1
    const ap_uint<Pe * Bits> beat = in.read();
  Lanes:
    for (int index = 0; index < Pe; ++index) {
#pragma HLS UNROLL
      const Value value = lane<Bits>(beat, index);
      if ((step == 0 && index == 0) || value > most) {
        most = value;
        label = first + index;
      }
    }
    first += Pe;
  }
  out.write(label);
}

}  // namespace xnorflow

#endif  // XNORFLOW_ARGMAX_HPP
