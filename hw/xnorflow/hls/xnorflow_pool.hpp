// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Reduces the positions of a window to one, channel by channel: to their maximum or to their sum
// (max-pool, sum over a window or a whole map).
//
// Why this structure: beats come window by window, and one position of a window after the other, so
// what a channel has come to so far waits in a memory of one word a fold. The operator is a type.
//
//   in:   (window, position, fold), fold fastest; value e of fold f is channel f*Pe + e
//   out:  (window, fold), fold fastest
//
//   use                                        Positions           Folds
//   windows from sliding_window                those of a window   beats of a pixel
//   a whole map                                pixels of the map   beats of a pixel
//   windows side by side that fill the map,    columns of one      beats of a pixel
//   by two pools in series                     rows of one         beats of a row of the first
//
// Interval: II = 1 expected, Windows * Positions * Folds cycles a frame and the depth of the
// pipeline; with two to four folds the memory's own latency may make it 2.

#ifndef XNORFLOW_POOL_HPP
#define XNORFLOW_POOL_HPP

#include "xnorflow_lanes.hpp"

namespace xnorflow {

// The larger of two values of one width; one bit stands for -1 and +1, or 0 and 1.
template <int Bits, bool Signed>
struct Largest {
  static const int kInBits = Bits;
  static const int kOutBits = Bits;
  typedef typename Number<Bits, Signed && (Bits > 1)>::Type Value;

  static ap_uint<Bits> apply(const ap_uint<Bits>& so_far, const ap_uint<Bits>& bits, bool first) {
#pragma HLS INLINE
    const Value most = so_far;
    const Value value = bits;
    return first || value > most ? bits : so_far;
  }
};

// The sum of values, in bits that hold every one.
template <int InBits, int OutBits, bool Signed>
struct Total {
  static_assert(OutBits >= InBits, "xnorflow::Total: OutBits must be at least InBits");
  static const int kInBits = InBits;
  static const int kOutBits = OutBits;
  typedef typename Number<InBits, Signed && (InBits > 1)>::Type Value;

  static ap_uint<OutBits> apply(const ap_uint<OutBits>& so_far, const ap_uint<InBits>& bits, bool first) {
#pragma HLS INLINE
    const Value value = bits;
    const ap_uint<OutBits> before = first ? ap_uint<OutBits>(0) : so_far;
    return before + value;
  }
};

// Reduce Windows windows of Positions positions of Folds beats of Pe values.
template <class Operator, int Windows, int Positions, int Folds, int Pe>
inline void pool(hls::stream<ap_uint<Pe * Operator::kInBits> >& in,
                 hls::stream<ap_uint<Pe * Operator::kOutBits> >& out) {
  static_assert(Windows >= 1 && Positions >= 1 && Folds >= 1 && Pe >= 1,
                "xnorflow::pool: Windows, Positions, Folds and Pe must be at least 1");
  ap_uint<Pe * Operator::kOutBits> so_far[Folds];
  int fold = 0;
  int position = 0;
Beats:
  for (int step = 0; step < Windows * Positions * Folds; ++step) {
#pragma HLS PIPELINE II=1
    const ap_uint<Pe * Operator::kInBits> beat = in.read();
    const ap_uint<Pe * Operator::kOutBits> before = so_far[fold];
    ap_uint<Pe * Operator::kOutBits> reduced = 0;
  Lanes:
    for (int index = 0; index < Pe; ++index) {
#pragma HLS UNROLL
      set_lane<Operator::kOutBits>(
          reduced, index,
          Operator::apply(lane<Operator::kOutBits>(before, index), lane<Operator::kInBits>(beat, index),
                          position == 0));
    }
    so_far[fold] = reduced;
    const bool last_fold = fold == Folds - 1;
    const bool last_position = position == Positions - 1;
    if (last_position) {
      out.write(reduced);
    }
    fold = last_fold ? 0 : fold + 1;
    position = last_fold ? (last_position ? 0 : position + 1) : position;
  }
}

}  // namespace xnorflow

#endif  // XNORFLOW_POOL_HPP
