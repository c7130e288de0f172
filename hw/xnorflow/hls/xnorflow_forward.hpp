// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Beats as they come, to one reader or to several: `forward` where a layer changes the meaning of a
// stream but not its beats (the only window of a map is the map), `fork` for branches.
//
// Why this structure: a stream has one reader in dataflow, so copies are written explicitly. Beat
// by beat, a branch may fall behind the others by as much as its stream is deep.
//
// Interval: II = 1 expected, Beats cycles a frame and the depth of the pipeline.

#ifndef XNORFLOW_FORWARD_HPP
#define XNORFLOW_FORWARD_HPP

#include "xnorflow_lanes.hpp"

namespace xnorflow {

// Write the Beats of a frame to `out`.
template <int Width, int Beats>
inline void forward(hls::stream<ap_uint<Width> >& in, hls::stream<ap_uint<Width> >& out) {
  static_assert(Width >= 1 && Beats >= 1, "xnorflow::forward: Width and Beats must be at least 1");
Copies:
  for (int step = 0; step < Beats; ++step) {
#pragma HLS PIPELINE II=1
    out.write(in.read());
  }
}

// Write the Beats of a frame to every one of `outs`, streams of the same width.
template <int Width, int Beats, class... Streams>
inline void fork(hls::stream<ap_uint<Width> >& in, Streams&... outs) {
  static_assert(Width >= 1 && Beats >= 1, "xnorflow::fork: Width and Beats must be at least 1");
  static_assert(sizeof...(Streams) >= 2, "xnorflow::fork: there must be at least two streams out");
Copies:
  for (int step = 0; step < Beats; ++step) {
#pragma HLS PIPELINE II=1
    const ap_uint<Width> beat = in.read();
    const int written[] = {(outs.write(beat), 0)...};
    (void)written;
  }
}

}  // namespace xnorflow

#endif  // XNORFLOW_FORWARD_HPP
