// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A function of one integer, another one for each channel, value by value: batch normalization,
// activation and rounding in one. Three forms, as in the RTL; parameters are the same.
//
//   requantize_by_thresholds  Base + number of thresholds that x reaches; channels whose bit in
//                             `falls` is set count those that x is below
//   requantize_by_lines       saturate((a * x + b) >> Shift), in one or two pieces: x < knee takes
//                             the second one
//   requantize_by_table       table[x]; x's bits are the index
//
// Why this structure: comparators for few steps, a multiplier (a DSP) for wide sums, memory for
// few bits. Parameters of lane p and fold f, i.e. channel f*Pe + p, are at [p][f].
//
// Interval: II = 1 expected, Pixels * Folds cycles a frame and the depth of the pipeline.

#ifndef XNORFLOW_REQUANTIZE_HPP
#define XNORFLOW_REQUANTIZE_HPP

#include "xnorflow_constants.hpp"
#include "xnorflow_lanes.hpp"

namespace xnorflow {

// Pixels of a frame, beats of a pixel, values of a beat, bits of a value coming in and going out.
template <int Pixels, int Folds, int Pe, int InBits, int OutBits>
struct ChannelShape {
  static_assert(Pixels >= 1 && Folds >= 1 && Pe >= 1,
                "xnorflow::requantize: Pixels, Folds and Pe must be at least 1");
  static_assert(InBits >= 1 && InBits <= 32 && OutBits >= 1 && OutBits <= 32,
                "xnorflow::requantize: InBits and OutBits must be 1 to 32");
  static const int kBeats = Pixels * Folds;
  static const int kFolds = Folds;
  static const int kPe = Pe;
  static const int kInBits = InBits;
  static const int kOutBits = OutBits;
  typedef hls::stream<ap_uint<Pe * InBits> > In;
  typedef hls::stream<ap_uint<Pe * OutBits> > Out;
  typedef typename Constant<InBits + 1, true>::Type Bound;  // beyond every input, if need be
};

template <class Shape, int Steps, int Base>
inline void requantize_by_thresholds(typename Shape::In& in, typename Shape::Out& out,
                                     const typename Shape::Bound (&thresholds)[Shape::kPe][Shape::kFolds][Steps],
                                     const unsigned char (&falls)[Shape::kPe][Shape::kFolds]) {
#pragma HLS ARRAY_PARTITION variable=thresholds complete dim=1
#pragma HLS ARRAY_PARTITION variable=thresholds complete dim=3
#pragma HLS ARRAY_PARTITION variable=falls complete dim=1
  static_assert(Steps >= 1, "xnorflow::requantize_by_thresholds: Steps must be at least 1");
  int fold = 0;
Beats:
  for (int step = 0; step < Shape::kBeats; ++step) {
#pragma HLS PIPELINE II=1
    const ap_uint<Shape::kPe * Shape::kInBits> beat = in.read();
    ap_uint<Shape::kPe * Shape::kOutBits> results = 0;
  Lanes:
    for (int index = 0; index < Shape::kPe; ++index) {
#pragma HLS UNROLL
      const ap_int<Shape::kInBits> value = lane<Shape::kInBits>(beat, index);
      int level = Base;
    Thresholds:
      for (int place = 0; place < Steps; ++place) {
#pragma HLS UNROLL
        const ap_int<Shape::kInBits + 1> threshold = thresholds[index][fold][place];
        const bool reached = value >= threshold;
        level += reached != (falls[index][fold] == 1) ? 1 : 0;
      }
      set_lane<Shape::kOutBits>(results, index, ap_int<32>(level));
    }
    out.write(results);
    fold = fold == Shape::kFolds - 1 ? 0 : fold + 1;
  }
}

template <class Shape, int FactorBits, int OffsetBits, int Shift, int Pieces>
inline void requantize_by_lines(
    typename Shape::In& in, typename Shape::Out& out,
    const typename Constant<FactorBits, true>::Type (&factors)[Pieces][Shape::kPe][Shape::kFolds],
    const typename Constant<OffsetBits, true>::Type (&offsets)[Pieces][Shape::kPe][Shape::kFolds],
    const typename Shape::Bound (&knees)[Shape::kPe][Shape::kFolds]) {
#pragma HLS ARRAY_PARTITION variable=factors complete dim=1
#pragma HLS ARRAY_PARTITION variable=factors complete dim=2
#pragma HLS ARRAY_PARTITION variable=offsets complete dim=1
#pragma HLS ARRAY_PARTITION variable=offsets complete dim=2
#pragma HLS ARRAY_PARTITION variable=knees complete dim=1
  static_assert(FactorBits >= 2 && OffsetBits >= 2,
                "xnorflow::requantize_by_lines: FactorBits and OffsetBits must be at least 2");
  static_assert(Pieces == 1 || Pieces == 2, "xnorflow::requantize_by_lines: Pieces must be 1 or 2");
  static_assert(Shape::kOutBits >= 2, "xnorflow::requantize_by_lines: OutBits must be at least 2");
  const int kProductBits = Shape::kInBits + FactorBits;
  const int kSumBits = 1 + (kProductBits > OffsetBits ? kProductBits : OffsetBits);
  static_assert(Shift >= 0 && Shift < kSumBits, "xnorflow::requantize_by_lines: Shift must leave a bit of the sum");
  // A bit more than sum and result have, so that the ends of the result's range are numbers of this type.
  const int kWide = (kSumBits > Shape::kOutBits ? kSumBits : Shape::kOutBits) + 1;
  const ap_int<kWide> kOne = 1;
  const ap_int<kWide> kMost = (kOne << (Shape::kOutBits - 1)) - kOne;
  const ap_int<kWide> kLeast = -(kOne << (Shape::kOutBits - 1));
  int fold = 0;
Beats:
  for (int step = 0; step < Shape::kBeats; ++step) {
#pragma HLS PIPELINE II=1
    const ap_uint<Shape::kPe * Shape::kInBits> beat = in.read();
    ap_uint<Shape::kPe * Shape::kOutBits> results = 0;
  Lanes:
    for (int index = 0; index < Shape::kPe; ++index) {
#pragma HLS UNROLL
      const ap_int<Shape::kInBits> value = lane<Shape::kInBits>(beat, index);
      const ap_int<Shape::kInBits + 1> knee = knees[index][fold];
      const int piece = Pieces == 2 && value < knee ? Pieces - 1 : 0;
      const ap_int<FactorBits> factor = factors[piece][index][fold];
      const ap_int<OffsetBits> offset = offsets[piece][index][fold];
      const ap_int<kSumBits> sum = value * factor + offset;
      const ap_int<kWide> kept = sum >> Shift;
      const ap_int<kWide> clipped = kept > kMost ? kMost : kept < kLeast ? kLeast : kept;
      set_lane<Shape::kOutBits>(results, index, clipped);
    }
    out.write(results);
    fold = fold == Shape::kFolds - 1 ? 0 : fold + 1;
  }
}

template <class Shape>
inline void requantize_by_table(
    typename Shape::In& in, typename Shape::Out& out,
    const typename Constant<Shape::kOutBits, false>::Type (&table)[Shape::kPe][Shape::kFolds << Shape::kInBits]) {
#pragma HLS ARRAY_PARTITION variable=table complete dim=1
  static_assert(Shape::kInBits <= 16, "xnorflow::requantize_by_table: InBits must be 1 to 16");
  int fold = 0;
Beats:
  for (int step = 0; step < Shape::kBeats; ++step) {
#pragma HLS PIPELINE II=1
    const ap_uint<Shape::kPe * Shape::kInBits> beat = in.read();
    ap_uint<Shape::kPe * Shape::kOutBits> results = 0;
  Lanes:
    for (int index = 0; index < Shape::kPe; ++index) {
#pragma HLS UNROLL
      const int place = (fold << Shape::kInBits) + lane<Shape::kInBits>(beat, index).to_int();
      set_lane<Shape::kOutBits>(results, index, ap_uint<Shape::kOutBits>(table[index][place]));
    }
    out.write(results);
    fold = fold == Shape::kFolds - 1 ? 0 : fold + 1;
  }
}

}  // namespace xnorflow

#endif  // XNORFLOW_REQUANTIZE_HPP
