// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Lanes of a beat: the one place that knows how values are packed. Value i of a beat is at bits
// i*Bits and up, the first one of a frame lowest, as in the RTL and in FINN's streams; Vitis HLS
// pads TDATA to whole bytes by itself.
//
// Why this structure: a slice at a constant place is wires. Beats are bare ap_uint, not structs or
// arrays, so that ports have the names and widths of the RTL's.

#ifndef XNORFLOW_LANES_HPP
#define XNORFLOW_LANES_HPP

#include <ap_int.h>
#include <hls_stream.h>

namespace xnorflow {

// The integer type of a value: Number<Bits, Signed>::Type.
template <int Bits, bool Signed>
struct Number {
  static_assert(Bits >= 1, "xnorflow: a value has at least one bit");
  typedef ap_uint<Bits> Type;
};

template <int Bits>
struct Number<Bits, true> {
  static_assert(Bits >= 1, "xnorflow: a value has at least one bit");
  typedef ap_int<Bits> Type;
};

// Bits of lane `index` of a beat.
template <int Bits, int Width>
inline ap_uint<Bits> lane(const ap_uint<Width>& beat, int index) {
#pragma HLS INLINE
  static_assert(Bits >= 1 && Width % Bits == 0, "xnorflow::lane: a beat is made of whole lanes");
  return beat.range(index * Bits + Bits - 1, index * Bits);
}

// Set lane `index` of a beat to the low bits of a number.
template <int Bits, int Width, class Value>
inline void set_lane(ap_uint<Width>& beat, int index, const Value& value) {
#pragma HLS INLINE
  static_assert(Bits >= 1 && Width % Bits == 0, "xnorflow::set_lane: a beat is made of whole lanes");
  const ap_uint<Bits> bits = value;
  beat.range(index * Bits + Bits - 1, index * Bits) = bits;
}

// A beat that holds one value in all its lanes.
template <int Lanes, int Bits>
inline ap_uint<Lanes * Bits> all_lanes(int value) {
#pragma HLS INLINE
  ap_uint<Lanes * Bits> beat = 0;
Lanes:
  for (int index = 0; index < Lanes; ++index) {
#pragma HLS UNROLL
    set_lane<Bits>(beat, index, ap_int<32>(value));
  }
  return beat;
}

}  // namespace xnorflow

#endif  // XNORFLOW_LANES_HPP
