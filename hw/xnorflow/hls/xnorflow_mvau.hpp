// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Matrix-vector unit: the products of a frame's vectors with a constant matrix, with or without
// thresholds. Binary, few-bit inputs and few-bit weights differ in the operator alone
// (xnorflow_products.hpp).
//
// Why this structure: accumulators start from a stored value instead of zero, which is minus the
// threshold, so that the sign is the neuron's output and no comparator is needed. All folds of a
// frame are one loop, so that its pipeline is filled once a frame. Beats are read during the first
// Sf steps of a vector and kept for the others.
//
//   step (nf, sf), sf fastest, takes beat sf and weight word nf * Sf + sf of each of Pe neurons:
//   weights[pe][nf * Sf + sf]   bits s*WeightBits and up: input sf*Simd + s, neuron nf*Pe + pe; in
//                               parts of 64 bits
//   starts[pe][nf]              what neuron nf*Pe + pe accumulates from
//
// Sums are taken modulo 2**AccBits: only the final value has to fit. Memories hold what those of
// the RTL unit hold.
//
// Interval: II = 1 expected, Vectors * Sf * Nf cycles a frame and the depth of the pipeline.
// Latency: Sf cycles and the depth of the pipeline to the first result.

#ifndef XNORFLOW_MVAU_HPP
#define XNORFLOW_MVAU_HPP

#include "xnorflow_constants.hpp"
#include "xnorflow_lanes.hpp"
#include "xnorflow_products.hpp"

namespace xnorflow {

// Vectors of a frame, inputs, neurons, inputs of a beat, neurons at a time.
template <int Vectors, int Mw, int Mh, int Simd, int Pe>
struct MvauShape {
  static_assert(Vectors >= 1 && Mw >= 1 && Mh >= 1, "xnorflow::mvau: Vectors, Mw and Mh must be at least 1");
  static_assert(Simd >= 1 && Mw % (Simd < 1 ? 1 : Simd) == 0, "xnorflow::mvau: Simd must divide Mw");
  static_assert(Pe >= 1 && Mh % (Pe < 1 ? 1 : Pe) == 0, "xnorflow::mvau: Pe must divide Mh");
  static const int kVectors = Vectors;
  static const int kSimd = Simd;
  static const int kPe = Pe;
  static const int kSf = Mw / (Simd < 1 ? 1 : Simd);
  static const int kNf = Mh / (Pe < 1 ? 1 : Pe);
};

// A neuron's output is whether its sum is at least 0.
struct SignBit {
  static const int kBits = 1;

  template <int AccBits>
  static ap_uint<1> apply(const ap_int<AccBits>& sum) {
#pragma HLS INLINE
    return sum[AccBits - 1] ? 0 : 1;
  }
};

// A neuron's output is its sum: low bits, or more by the sign.
template <int Bits>
struct WholeSum {
  static_assert(Bits >= 1, "xnorflow::WholeSum: Bits must be at least 1");
  static const int kBits = Bits;

  template <int AccBits>
  static ap_uint<Bits> apply(const ap_int<AccBits>& sum) {
#pragma HLS INLINE
    const ap_int<Bits> whole = sum;
    return whole;
  }
};

// Take the beats of a frame from `in` and write those of its results to `out`.
template <class Shape, class Product, class Activation, int AccBits>
inline void mvau(
    hls::stream<ap_uint<Shape::kSimd * Product::kInputBits> >& in,
    hls::stream<ap_uint<Shape::kPe * Activation::kBits> >& out,
    const typename Word<Shape::kSimd * Product::kWeightBits>::Part (
        &weights)[Shape::kPe][Shape::kSf * Shape::kNf][Word<Shape::kSimd * Product::kWeightBits>::kParts],
    const typename Constant<AccBits, true>::Type (&starts)[Shape::kPe][Shape::kNf]) {
#pragma HLS ARRAY_PARTITION variable=weights complete dim=1
#pragma HLS ARRAY_PARTITION variable=weights complete dim=3
#pragma HLS ARRAY_PARTITION variable=starts complete dim=1
  static_assert(AccBits >= 2, "xnorflow::mvau: AccBits must be at least 2");
  typedef ap_uint<Shape::kSimd * Product::kInputBits> Beat;
  typedef Word<Shape::kSimd * Product::kWeightBits> Weights;
  Beat kept[Shape::kSf];
  ap_int<AccBits> sums[Shape::kPe];
#pragma HLS ARRAY_PARTITION variable=sums complete dim=1
  int sf = 0;
  int nf = 0;
  int word = 0;
Folds:
  for (int step = 0; step < Shape::kVectors * Shape::kNf * Shape::kSf; ++step) {
#pragma HLS PIPELINE II=1
    Beat beat = 0;
    if (nf == 0) {
      beat = in.read();
      kept[sf] = beat;
    } else {
      beat = kept[sf];
    }
  Neurons:
    for (int pe = 0; pe < Shape::kPe; ++pe) {
#pragma HLS UNROLL
      const ap_int<AccBits> start = starts[pe][nf];
      const ap_int<AccBits> before = sf == 0 ? start : sums[pe];
      sums[pe] = before + Product::template sum<AccBits, Shape::kSimd>(beat, Weights::read(weights[pe][word]));
    }
    const bool last_input = sf == Shape::kSf - 1;
    const bool last_neuron = nf == Shape::kNf - 1;
    if (last_input) {
      ap_uint<Shape::kPe * Activation::kBits> results = 0;
    Results:
      for (int pe = 0; pe < Shape::kPe; ++pe) {
#pragma HLS UNROLL
        set_lane<Activation::kBits>(results, pe, Activation::template apply<AccBits>(sums[pe]));
      }
      out.write(results);
      nf = last_neuron ? 0 : nf + 1;
    }
    word = last_input && last_neuron ? 0 : word + 1;
    sf = last_input ? 0 : sf + 1;
  }
}

}  // namespace xnorflow

#endif  // XNORFLOW_MVAU_HPP
