// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What a matrix-vector unit does with its inputs and weights: operators as types, with the widths
// of an input and of a weight, and the sum of a beat's products.
//
//   XnorPopcount         1-bit inputs and weights: the number of equal bits
//   SignedSum<Bits>      two's complement inputs, weights of +-1: x where the weight's bit is 1, ~x
//                        where it is 0; -x = ~x + 1, and how many ones are missing stands in the
//                        start values
//   ProductSum<Bits, W>  two's complement inputs and weights: products
//
// Why this structure: the unit's loops are the same for all, and a type costs nothing in hardware.

#ifndef XNORFLOW_PRODUCTS_HPP
#define XNORFLOW_PRODUCTS_HPP

#include "xnorflow_lanes.hpp"
#include "xnorflow_popcount.hpp"

namespace xnorflow {

struct XnorPopcount {
  static const int kInputBits = 1;
  static const int kWeightBits = 1;

  // Return the number of equal bits of a beat of inputs and a word of weights.
  template <int AccBits, int Simd>
  static ap_int<AccBits> sum(const ap_uint<Simd>& inputs, const ap_uint<Simd>& weights) {
#pragma HLS INLINE
    const ap_uint<Simd> equal = ~(inputs ^ weights);
    return popcount<Simd>(equal);
  }
};

template <int InputBits>
struct SignedSum {
  static_assert(InputBits >= 2, "xnorflow::SignedSum: InputBits must be at least 2, two's complement");
  static const int kInputBits = InputBits;
  static const int kWeightBits = 1;

  // Return the sum of x or ~x over a beat.
  template <int AccBits, int Simd>
  static ap_int<AccBits> sum(const ap_uint<Simd * InputBits>& inputs, const ap_uint<Simd>& weights) {
#pragma HLS INLINE
    ap_int<AccBits> total = 0;
  Inputs:
    for (int index = 0; index < Simd; ++index) {
#pragma HLS UNROLL
      const ap_uint<InputBits> bits = lane<InputBits>(inputs, index);
      const ap_uint<InputBits> flipped = ~bits;
      const ap_int<InputBits> term = weights[index] ? bits : flipped;
      total += term;
    }
    return total;
  }
};

template <int InputBits, int WeightBits>
struct ProductSum {
  static_assert(InputBits >= 2, "xnorflow::ProductSum: InputBits must be at least 2, two's complement");
  static_assert(WeightBits >= 2, "xnorflow::ProductSum: WeightBits must be at least 2, two's complement");
  static const int kInputBits = InputBits;
  static const int kWeightBits = WeightBits;

  // Return the sum of products over a beat.
  template <int AccBits, int Simd>
  static ap_int<AccBits> sum(const ap_uint<Simd * InputBits>& inputs, const ap_uint<Simd * WeightBits>& weights) {
#pragma HLS INLINE
    ap_int<AccBits> total = 0;
  Inputs:
    for (int index = 0; index < Simd; ++index) {
#pragma HLS UNROLL
      const ap_int<InputBits> input = lane<InputBits>(inputs, index);
      const ap_int<WeightBits> weight = lane<WeightBits>(weights, index);
      total += input * weight;
    }
    return total;
  }
};

}  // namespace xnorflow

#endif  // XNORFLOW_PRODUCTS_HPP
