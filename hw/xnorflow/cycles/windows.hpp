// SPDX-License-Identifier: BSD-3-Clause
//
// The sliding window generator as a state machine; see machines.hpp.

#pragma once

#include <cstdint>
#include <istream>

#include "signals.hpp"

// xnorflow_swg: a walk along the line of all input beats, guarded by two counts (see xnorflow_swg_ring).
struct Windows {
  static constexpr const char* kKind = "windows";
  int in = 0, out = 0;
  int64_t rows, columns, folds, kernel_rows, kernel_columns, stride_rows, stride_columns, pad_top, pad_left;
  int64_t windows_down, windows_across, words, lead;
  int64_t span, gap, to_next, to_row, to_frame;            // lengths along the line, as in the RTL
  int64_t f = 0, kx = 0, ky = 0, across = 0, down = 0;     // of the next beat out
  int64_t ahead, room;                                     // the RTL's counts, less one
  bool valid = false;

  explicit Windows(std::istream& line) {
    line >> in >> out >> rows >> columns >> folds >> kernel_rows >> kernel_columns >> stride_rows >> stride_columns;
    line >> pad_top >> pad_left >> windows_down >> windows_across >> words;
    const int64_t row = columns * folds;
    span = (kernel_rows - 1) * row + kernel_columns * folds;
    gap = row - kernel_columns * folds;
    lead = pad_top * row + pad_left * folds;
    to_next = stride_columns * folds;
    to_row = stride_rows * row - (windows_across - 1) * to_next;
    to_frame = (rows - (windows_down - 1) * stride_rows) * row - (windows_across - 1) * to_next;
    ahead = lead - 1;
    room = words - lead - 1;
  }
  void save(Snapshot& s) const { s.add(f, kx, ky, across, down, ahead, room, valid); }
  void show(Signals& s) const {
    s.ready[in] = room >= 0;
    s.valid[out] = valid;
  }
  bool issues() const {
    const int64_t y = down * stride_rows - pad_top + ky, x = across * stride_columns - pad_left + kx;
    if (y >= 0 && y < rows && x >= 0 && x < columns) return ahead >= 0;
    const bool first = f == 0 && kx == 0 && ky == 0 && across == 0 && down == 0;
    return !first || ahead >= lead;
  }
  // Moves on by one beat; returns the step along the line.
  void advance() {
    --ahead;
    if (++f < folds) return;
    f = 0;
    if (++kx < kernel_columns) return;
    kx = 0;
    if (++ky < kernel_rows) {
      ahead -= gap;
      return;
    }
    ky = 0;
    int64_t passed = to_next;
    if (++across == windows_across) {
      across = 0;
      passed = to_row;
      if (++down == windows_down) {
        down = 0;
        passed = to_frame;
      }
    }
    ahead += span - passed;
    room += passed;
  }
  bool step(const Signals& s) {
    const bool push = s.fire[in], free = s.fire[out] || !valid;
    const bool issue = free && issues();
    if (issue) advance();
    ahead += push;
    room -= push;
    valid = issue || !free;
    return push || s.fire[out] || issue;
  }
};
