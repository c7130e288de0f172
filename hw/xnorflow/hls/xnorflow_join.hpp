// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Joins two streams lane by lane, by an operator that is a type: the end of a residual branch, or
// values shifted by codes.
//
//   Sum<...>    saturate((a << ShiftA) + (b << ShiftB))
//   Gated<...>  (Scale * a + Offset) << b: factors that are powers of two, without a multiplier;
//               with Scale 2, a counts 0 to -Offset ones, and the result is made of as many -1, +1
//
// Why this structure: both streams are read in the same step, so that branches stay in step, and
// shifts by constants are wires.
//
// Interval: II = 1 expected, Beats cycles a frame and the depth of the pipeline.

#ifndef XNORFLOW_JOIN_HPP
#define XNORFLOW_JOIN_HPP

#include "xnorflow_lanes.hpp"

namespace xnorflow {

template <int BitsA, bool SignedA, int ShiftA, int BitsB, bool SignedB, int ShiftB, int OutBits>
struct Sum {
  static_assert(BitsA >= 1 && BitsA <= 32 && BitsB >= 1 && BitsB <= 32, "xnorflow::Sum: inputs have 1 to 32 bits");
  static_assert(ShiftA >= 0 && ShiftA <= 24 && ShiftB >= 0 && ShiftB <= 24, "xnorflow::Sum: shifts are 0 to 24");
  static_assert(OutBits >= 2 && OutBits <= 58, "xnorflow::Sum: OutBits must be 2 to 58");
  static const int kBitsA = BitsA;
  static const int kBitsB = BitsB;
  static const int kOutBits = OutBits;
  static const int kWide = 60;  // 32 bits, a sign, a shift of 24, and a bit for the sum

  static ap_int<OutBits> apply(const ap_uint<BitsA>& bits_a, const ap_uint<BitsB>& bits_b) {
#pragma HLS INLINE
    const typename Number<BitsA, SignedA>::Type a = bits_a;
    const typename Number<BitsB, SignedB>::Type b = bits_b;
    const ap_int<kWide> wide_a = a;
    const ap_int<kWide> wide_b = b;
    const ap_int<kWide> one = 1;
    const ap_int<kWide> sum = (wide_a << ShiftA) + (wide_b << ShiftB);
    const ap_int<kWide> most = (one << (OutBits - 1)) - one;
    const ap_int<kWide> least = -(one << (OutBits - 1));
    return sum > most ? most : sum < least ? least : sum;
  }
};

template <int Bits, bool Signed, int CodeBits, int MaxShift, int Scale, int Offset, int OutBits>
struct Gated {
  static_assert(Bits >= 1 && Bits <= 32, "xnorflow::Gated: values have 1 to 32 bits");
  static_assert(CodeBits >= 1 && CodeBits <= 3, "xnorflow::Gated: codes have 1 to 3 bits");
  static_assert(MaxShift >= 1 && MaxShift < (1 << CodeBits), "xnorflow::Gated: MaxShift must be one of the codes");
  static_assert(Scale == 1 || Scale == 2, "xnorflow::Gated: Scale must be 1 or 2");
  static_assert(Scale == 1 || Offset <= -1, "xnorflow::Gated: with Scale 2, Offset is minus the number of terms");
  static_assert(OutBits >= 2, "xnorflow::Gated: OutBits must be at least 2");
  static const int kBitsA = Bits;
  static const int kBitsB = CodeBits;
  static const int kOutBits = OutBits;

  static ap_int<OutBits> apply(const ap_uint<Bits>& bits, const ap_uint<CodeBits>& code) {
#pragma HLS INLINE
    const typename Number<Bits, Signed>::Type value = bits;
    const ap_int<OutBits> whole = ap_int<34>(Scale) * value + ap_int<34>(Offset);
    ap_int<OutBits> result = whole;
  Codes:
    for (int shift = 1; shift <= MaxShift; ++shift) {
#pragma HLS UNROLL
      if (code == shift) {
        result = whole << shift;
      }
    }
    return result;
  }
};

// Join Beats beats of Pe values of each stream.
template <class Operator, int Pe, int Beats>
inline void join(hls::stream<ap_uint<Pe * Operator::kBitsA> >& in_a,
                 hls::stream<ap_uint<Pe * Operator::kBitsB> >& in_b,
                 hls::stream<ap_uint<Pe * Operator::kOutBits> >& out) {
  static_assert(Pe >= 1 && Beats >= 1, "xnorflow::join: Pe and Beats must be at least 1");
Pairs:
  for (int step = 0; step < Beats; ++step) {
#pragma HLS PIPELINE II=1
    const ap_uint<Pe * Operator::kBitsA> beat_a = in_a.read();
    const ap_uint<Pe * Operator::kBitsB> beat_b = in_b.read();
    ap_uint<Pe * Operator::kOutBits> joined = 0;
  Lanes:
    for (int index = 0; index < Pe; ++index) {
#pragma HLS UNROLL
      set_lane<Operator::kOutBits>(
          joined, index,
          Operator::apply(lane<Operator::kBitsA>(beat_a, index), lane<Operator::kBitsB>(beat_b, index)));
    }
    out.write(joined);
  }
}

}  // namespace xnorflow

#endif  // XNORFLOW_JOIN_HPP
