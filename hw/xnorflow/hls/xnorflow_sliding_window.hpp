// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Sliding window over a map that comes pixel by pixel: its windows one after the other, by row,
// column and channel, padding of any value included.
//
// Why this structure: a map is one line of beats, and a window a walk along it; a ring holds the
// beats that some window still needs. Where the walk steps outside the map, the padding goes out
// and nothing is awaited. A step that has what it writes reads ahead only what is there already, so
// that waiting for input never keeps a window back: which beats are read ahead depends on when they
// come, what goes out does not.
//
// Interval: II = 1 expected; as many cycles as beats go out or come in, whichever is more, where
// the ring has the words that the RTL's has, and what the first window waits for.
// Latency: the beats up to the end of the first window.

#ifndef XNORFLOW_SLIDING_WINDOW_HPP
#define XNORFLOW_SLIDING_WINDOW_HPP

#include "xnorflow_lanes.hpp"

namespace xnorflow {

// A map of Rows x Columns pixels, its windows, and what is added around it.
template <int Rows, int Columns, int KernelRows, int KernelColumns, int StrideRows, int StrideColumns,
          int PadTop, int PadLeft, int PadBottom, int PadRight>
struct WindowShape {
  static_assert(Rows >= 1 && Columns >= 1, "xnorflow::WindowShape: Rows and Columns must be at least 1");
  static_assert(KernelRows >= 1 && KernelColumns >= 1, "xnorflow::WindowShape: a window has at least one pixel");
  static_assert(StrideRows >= 1 && StrideColumns >= 1, "xnorflow::WindowShape: strides must be at least 1");
  static_assert(PadTop >= 0 && PadLeft >= 0 && PadBottom >= 0 && PadRight >= 0,
                "xnorflow::WindowShape: padding must not be negative");
  static_assert(Rows + PadTop + PadBottom >= KernelRows && Columns + PadLeft + PadRight >= KernelColumns,
                "xnorflow::WindowShape: a window must fit into the padded map");
  static const int kRows = Rows;
  static const int kColumns = Columns;
  static const int kKernelRows = KernelRows;
  static const int kKernelColumns = KernelColumns;
  static const int kStrideRows = StrideRows;
  static const int kStrideColumns = StrideColumns;
  static const int kPadTop = PadTop;
  static const int kPadLeft = PadLeft;
  static const bool kPadded = PadTop + PadLeft + PadBottom + PadRight > 0;
  static const int kOutRows = (Rows + PadTop + PadBottom - KernelRows) / StrideRows + 1;
  static const int kOutColumns = (Columns + PadLeft + PadRight - KernelColumns) / StrideColumns + 1;
};

// Write all windows of a map; a pixel is Folds beats of Simd values of Bits.
template <class Shape, int Folds, int Simd, int Bits, int PadValue, int RingWords>
inline void sliding_window(hls::stream<ap_uint<Simd * Bits> >& in, hls::stream<ap_uint<Simd * Bits> >& out) {
  static_assert(Folds >= 1 && Simd >= 1 && Bits >= 1,
                "xnorflow::sliding_window: Folds, Simd and Bits must be at least 1");
  static_assert(RingWords >= 1 && (RingWords & (RingWords - 1)) == 0,
                "xnorflow::sliding_window: RingWords must be a power of two");
  static_assert(RingWords >= (Shape::kKernelRows - 1) * Shape::kColumns * Folds + Shape::kKernelColumns * Folds,
                "xnorflow::sliding_window: RingWords must hold a window from its first to its last beat");
  typedef ap_uint<Simd * Bits> Beat;
  const int kRow = Shape::kColumns * Folds;
  const int kIn = Shape::kRows * kRow;
  const int kOut = Shape::kOutRows * Shape::kOutColumns * Shape::kKernelRows * Shape::kKernelColumns * Folds;
  const int kNextColumn = Shape::kStrideColumns * Folds;
  const int kNextRow = Shape::kStrideRows * kRow - (Shape::kOutColumns - 1) * kNextColumn;
  const int kNextLine = kRow - Shape::kKernelColumns * Folds + 1;
  const Beat padding = all_lanes<Simd, Bits>(PadValue);

  Beat ring[RingWords];
  int read = 0;
  int written = 0;
  int start = -(Shape::kPadTop * kRow + Shape::kPadLeft * Folds);  // place of the window's first beat in the line
  int place = start;
  int top = -Shape::kPadTop;
  int left = -Shape::kPadLeft;
  int column = 0;
  int kernel_row = 0;
  int kernel_column = 0;
  int fold = 0;
Steps:
  while (written < kOut || read < kIn) {
#pragma HLS PIPELINE II=1
    const int y = top + kernel_row;
    const int x = left + kernel_column;
    const bool inside = y >= 0 && y < Shape::kRows && x >= 0 && x < Shape::kColumns;
    const bool writes_on = written < kOut;
    const bool waits = !writes_on || (inside && place >= read);
    const bool room = read - start < RingWords;
    const bool reads = read < kIn && (waits || (room && !in.empty()));
    Beat fresh = 0;
    if (reads) {
      fresh = in.read();
      ring[read & (RingWords - 1)] = fresh;
    }
    if (writes_on && (!waits || place == read)) {
      out.write(!inside ? padding : place == read ? fresh : ring[place & (RingWords - 1)]);
      ++written;
      const bool last_fold = fold == Folds - 1;
      const bool last_column = last_fold && kernel_column == Shape::kKernelColumns - 1;
      const bool last_row = last_column && kernel_row == Shape::kKernelRows - 1;
      const bool last_window = last_row && column == Shape::kOutColumns - 1;
      if (last_row) {
        start += last_window ? kNextRow : kNextColumn;
        place = start;
        left = last_window ? -Shape::kPadLeft : left + Shape::kStrideColumns;
        top = last_window ? top + Shape::kStrideRows : top;
        column = last_window ? 0 : column + 1;
      } else {
        place += last_column ? kNextLine : 1;
      }
      fold = last_fold ? 0 : fold + 1;
      kernel_column = last_column ? 0 : last_fold ? kernel_column + 1 : kernel_column;
      kernel_row = last_row ? 0 : last_column ? kernel_row + 1 : kernel_row;
    }
    read += reads ? 1 : 0;
  }
}

// Write whole windows, one a beat: pixels of Width bits, the first one lowest. No padding.
template <class Shape, int Width>
inline void whole_windows(
    hls::stream<ap_uint<Width> >& in,
    hls::stream<ap_uint<Shape::kKernelRows * Shape::kKernelColumns * Width> >& out) {
  static_assert(!Shape::kPadded, "xnorflow::whole_windows: there must be no padding");
  const int kAbove = Shape::kKernelRows > 1 ? Shape::kKernelRows - 1 : 1;
  ap_uint<Width> lines[kAbove][Shape::kColumns];  // pixels of the rows above, the topmost first
#pragma HLS ARRAY_PARTITION variable=lines complete dim=1
  ap_uint<Width> window[Shape::kKernelRows][Shape::kKernelColumns];
#pragma HLS ARRAY_PARTITION variable=window complete dim=0
  int skip_row = Shape::kKernelRows - 1;  // rows and columns up to the end of the next window
  int column = 0;
  int skip_column = Shape::kKernelColumns - 1;
Pixels:
  for (int step = 0; step < Shape::kRows * Shape::kColumns; ++step) {
#pragma HLS PIPELINE II=1
    const ap_uint<Width> pixel = in.read();
  WindowRows:
    for (int row = 0; row < Shape::kKernelRows; ++row) {
#pragma HLS UNROLL
    WindowColumns:
      for (int place = 0; place + 1 < Shape::kKernelColumns; ++place) {
#pragma HLS UNROLL
        window[row][place] = window[row][place + 1];
      }
      const bool newest = row == Shape::kKernelRows - 1;
      window[row][Shape::kKernelColumns - 1] = newest ? pixel : lines[row < kAbove ? row : 0][column];
    }
  Lines:
    for (int row = 0; row + 1 < Shape::kKernelRows; ++row) {
#pragma HLS UNROLL
      lines[row][column] = window[row + 1][Shape::kKernelColumns - 1];
    }
    if (skip_row == 0 && skip_column == 0) {
      ap_uint<Shape::kKernelRows * Shape::kKernelColumns * Width> beat = 0;
    BeatRows:
      for (int row = 0; row < Shape::kKernelRows; ++row) {
#pragma HLS UNROLL
      BeatColumns:
        for (int place = 0; place < Shape::kKernelColumns; ++place) {
#pragma HLS UNROLL
          set_lane<Width>(beat, row * Shape::kKernelColumns + place, window[row][place]);
        }
      }
      out.write(beat);
    }
    const bool last_column = column == Shape::kColumns - 1;
    column = last_column ? 0 : column + 1;
    if (last_column) {
      skip_column = Shape::kKernelColumns - 1;
      skip_row = skip_row == 0 ? Shape::kStrideRows - 1 : skip_row - 1;
    } else {
      skip_column = skip_column == 0 ? Shape::kStrideColumns - 1 : skip_column - 1;
    }
  }
}

}  // namespace xnorflow

#endif  // XNORFLOW_SLIDING_WINDOW_HPP
