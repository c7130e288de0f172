// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Number of ones of a word.
//
// Why this structure: how many of six bits are ones is three functions of six inputs, hence three
// LUTs; their sums are added as a tree, which Vitis HLS makes of an unrolled chain by itself. Words
// of machine size inside keep the C simulation fast.
//
// Latency and interval: combinational, pipelined by whatever loop it stands in.

#ifndef XNORFLOW_POPCOUNT_HPP
#define XNORFLOW_POPCOUNT_HPP

#include <ap_int.h>

namespace xnorflow {

// Bits that hold 0 to `largest`, at least one.
constexpr int bits_to_hold(int largest) {
  return largest < 2 ? 1 : 1 + bits_to_hold(largest / 2);
}

// Return the number of ones, 0 to Width.
template <int Width>
inline ap_uint<bits_to_hold(Width)> popcount(const ap_uint<Width>& word) {
#pragma HLS INLINE
  static_assert(Width >= 1, "xnorflow::popcount: Width must be at least 1");
  unsigned count = 0;
Words:
  for (int low = 0; low < Width; low += 60) {
#pragma HLS UNROLL
    const int high = low + 59 < Width ? low + 59 : Width - 1;
    const ap_uint<60> part = word.range(high, low);
    const unsigned long long bits = part.to_uint64();
  Sixes:
    for (int place = 0; place <= high - low; place += 6) {
#pragma HLS UNROLL
      const unsigned six = bits >> place & 63;
      count += (six & 1) + (six >> 1 & 1) + (six >> 2 & 1) + (six >> 3 & 1) + (six >> 4 & 1) + (six >> 5);
    }
  }
  return count;
}

}  // namespace xnorflow

#endif  // XNORFLOW_POPCOUNT_HPP
