// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Change of stream width by a whole ratio, wider (`widen`) or narrower (`narrow`); any other ratio
// goes by the least common multiple, one of each in series.
//
// Why this structure: the wide beat is a shift register by whole narrow beats, so that neither side
// needs a multiplexer over all places.
//
// Interval: II = 1 expected, as many cycles as the narrower side has beats, and the depth of the
// pipeline.

#ifndef XNORFLOW_WIDTH_CONVERTER_HPP
#define XNORFLOW_WIDTH_CONVERTER_HPP

#include "xnorflow_lanes.hpp"

namespace xnorflow {

// Join InBits-wide beats to OutBits-wide ones, the first one lowest; Beats go out.
template <int InBits, int OutBits, int Beats>
inline void widen(hls::stream<ap_uint<InBits> >& in, hls::stream<ap_uint<OutBits> >& out) {
  static_assert(InBits >= 1 && OutBits % InBits == 0 && OutBits > InBits,
                "xnorflow::widen: OutBits must be a multiple of InBits, and wider");
  static_assert(Beats >= 1, "xnorflow::widen: Beats must be at least 1");
  const int kRatio = OutBits / InBits;
  ap_uint<OutBits> joined = 0;
  int place = 0;
Pieces:
  for (int step = 0; step < Beats * kRatio; ++step) {
#pragma HLS PIPELINE II=1
    joined >>= InBits;
    set_lane<InBits>(joined, kRatio - 1, in.read());
    const bool last = place == kRatio - 1;
    if (last) {
      out.write(joined);
    }
    place = last ? 0 : place + 1;
  }
}

// Split InBits-wide beats, of which Beats come, into OutBits-wide ones, the lowest first.
template <int InBits, int OutBits, int Beats>
inline void narrow(hls::stream<ap_uint<InBits> >& in, hls::stream<ap_uint<OutBits> >& out) {
  static_assert(OutBits >= 1 && InBits % OutBits == 0 && InBits > OutBits,
                "xnorflow::narrow: InBits must be a multiple of OutBits, and wider");
  static_assert(Beats >= 1, "xnorflow::narrow: Beats must be at least 1");
  const int kRatio = InBits / OutBits;
  ap_uint<InBits> rest = 0;
  int place = 0;
Pieces:
  for (int step = 0; step < Beats * kRatio; ++step) {
#pragma HLS PIPELINE II=1
    if (place == 0) {
      rest = in.read();
    }
    out.write(lane<OutBits>(rest, 0));
    rest >>= OutBits;
    place = place == kRatio - 1 ? 0 : place + 1;
  }
}

}  // namespace xnorflow

#endif  // XNORFLOW_WIDTH_CONVERTER_HPP
