// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Copies of a pixel: its channels several times over, or one pixel for every place of a map.
//
// Why this structure: a pixel is kept as it comes and goes out at once, so that the first copy
// waits for nothing.
//
// Interval: II = 1 expected, Pixels * Times * Beats cycles a frame and the depth of the pipeline.

#ifndef XNORFLOW_REPEAT_HPP
#define XNORFLOW_REPEAT_HPP

#include "xnorflow_lanes.hpp"

namespace xnorflow {

// Write each of Pixels pixels, of Beats beats, Times times.
template <int Width, int Pixels, int Beats, int Times>
inline void repeat(hls::stream<ap_uint<Width> >& in, hls::stream<ap_uint<Width> >& out) {
  static_assert(Width >= 1 && Pixels >= 1 && Beats >= 1,
                "xnorflow::repeat: Width, Pixels and Beats must be at least 1");
  static_assert(Times >= 2, "xnorflow::repeat: Times must be at least 2");
  ap_uint<Width> pixel[Beats];
  int place = 0;
  int copy = 0;
Copies:
  for (int step = 0; step < Pixels * Times * Beats; ++step) {
#pragma HLS PIPELINE II=1
    ap_uint<Width> beat = 0;
    if (copy == 0) {
      beat = in.read();
      pixel[place] = beat;
    } else {
      beat = pixel[place];
    }
    out.write(beat);
    const bool last = place == Beats - 1;
    copy = last ? (copy == Times - 1 ? 0 : copy + 1) : copy;
    place = last ? 0 : place + 1;
  }
}

}  // namespace xnorflow

#endif  // XNORFLOW_REPEAT_HPP
