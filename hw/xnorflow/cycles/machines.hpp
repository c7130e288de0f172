// SPDX-License-Identifier: BSD-3-Clause
//
// The handshakes of the RTL library as state machines, one struct for each kind, without data. machines.py says which
// module is which kind with which numbers; tests/cycles holds each one to its RTL, transfer by transfer.
//
// Every valid_o and ready_o of the library is a function of registers. So a cycle has two halves: show() puts them on
// the channels, and once all transfers of the cycle are known from them, step() is the clock edge. The order in which
// machines take their steps is of no consequence. save() takes down the registers.
//
// A machine reads its own line: the numbers of its channels, in before out, then its parameters.

#pragma once

#include <cstdint>
#include <istream>
#include <vector>

#include "signals.hpp"

// xnorflow_fifo behind its ports. Up to depth 2 a beat may go past the memory into the output register.
struct Buffer {
  int64_t depth = 1, words = 0;  // words: beats behind the output register
  bool valid = false;            // of the output register

  void save(Snapshot& s) const { s.add(words, valid); }
  bool room() const { return depth == 1 ? !valid : words < depth - 1; }
  int64_t held() const { return words + valid; }
  bool step(bool push, bool pop) {
    const bool free = pop || !valid;
    const bool load = free && (words > 0 || (push && depth <= 2));
    if (!push && !pop && !load) return false;
    words += push - load;
    valid = load || !free;
    return true;
  }
};

struct Fifo {
  static constexpr const char* kKind = "fifo";
  int in = 0, out = 0;
  Buffer buffer;
  int64_t largest = 0;  // beats held at a time

  explicit Fifo(std::istream& line) { line >> in >> out >> buffer.depth; }
  void save(Snapshot& s) const { buffer.save(s); }
  void show(Signals& s) const {
    s.ready[in] = buffer.room();
    s.valid[out] = buffer.valid;
  }
  bool step(const Signals& s) {
    const bool changed = buffer.step(s.fire[in], s.fire[out]);
    if (buffer.held() > largest) largest = buffer.held();
    return changed;
  }
};

// xnorflow_dwc, a wide beat into `ratio` pieces.
struct Split {
  static constexpr const char* kKind = "split";
  int in = 0, out = 0;
  int64_t ratio = 2, pieces = 0;

  explicit Split(std::istream& line) { line >> in >> out >> ratio; }
  void save(Snapshot& s) const { s.add(pieces); }
  void show(Signals& s) const {
    s.ready[in] = pieces <= 1;
    s.valid[out] = pieces > 0;
  }
  bool step(const Signals& s) {
    pieces += ratio * s.fire[in] - s.fire[out];
    return s.fire[in] || s.fire[out];
  }
};

// xnorflow_dwc, `ratio` pieces into a wide beat.
struct Join {
  static constexpr const char* kKind = "join";
  int in = 0, out = 0;
  int64_t ratio = 2, pieces = 0;

  explicit Join(std::istream& line) { line >> in >> out >> ratio; }
  void save(Snapshot& s) const { s.add(pieces); }
  void show(Signals& s) const {
    s.ready[in] = pieces <= ratio;
    s.valid[out] = pieces >= ratio;
  }
  bool step(const Signals& s) {
    pieces += s.fire[in] - ratio * s.fire[out];
    return s.fire[in] || s.fire[out];
  }
};

// A pipeline without an enable before xnorflow_credit_fifo: `beats` beats make a result, and are walked through
// `folds` times, from a memory but for the first time. A result enters the buffer `delay` cycles after its last beat.
struct Pipeline {
  static constexpr const char* kKind = "pipeline";
  int in = 0, out = 0, delay = 1;
  int64_t beats = 1, folds = 1, credits = 0, beat = 0, fold = 0;
  uint64_t flight = 0;  // bit c: a result that was started c + 1 cycles ago
  Buffer buffer;

  explicit Pipeline(std::istream& line) {
    line >> in >> out >> beats >> folds >> delay >> buffer.depth;
    credits = buffer.depth;
  }
  void save(Snapshot& s) const { s.add(credits, beat, fold, flight), buffer.save(s); }
  void show(Signals& s) const {
    s.ready[in] = fold == 0 && credits > 0;
    s.valid[out] = buffer.valid;
  }
  bool step(const Signals& s) {
    const bool issue = fold == 0 ? s.fire[in] : credits > 0;
    const bool take = issue && beat == beats - 1;
    const bool give = s.fire[out];
    const bool result = flight >> (delay - 1) & 1;
    const bool changed = buffer.step(result, give) || issue || flight != 0;
    flight = (flight << 1 | take) & ((uint64_t{2} << (delay - 1)) - 1);
    credits += give - take;
    if (issue && ++beat == beats) {
      beat = 0;
      if (++fold == folds) fold = 0;
    }
    return changed;
  }
};

// xnorflow_fork: each output owes up to two beats.
struct Fork {
  static constexpr const char* kKind = "fork";
  int in = 0;
  std::vector<int> outs, owed;

  explicit Fork(std::istream& line) {
    line >> in;
    for (int out; line >> out;) outs.push_back(out);
    owed.resize(outs.size());
  }
  void save(Snapshot& s) const { for (int count : owed) s.add(count); }
  void show(Signals& s) const {
    bool room = true;
    for (std::size_t k = 0; k < outs.size(); ++k) {
      s.valid[outs[k]] = owed[k] > 0;
      room = room && owed[k] < 2;
    }
    s.ready[in] = room;
  }
  bool step(const Signals& s) {
    bool changed = s.fire[in];
    for (std::size_t k = 0; k < outs.size(); ++k) {
      owed[k] += s.fire[in] - s.fire[outs[k]];
      changed = changed || s.fire[outs[k]];
    }
    return changed;
  }
};

// xnorflow_join, which xnorflow_add and xnorflow_gate are: a register an input, and a buffer behind them.
struct Add {
  static constexpr const char* kKind = "add";
  int a = 0, b = 0, out = 0;
  bool a_valid = false, b_valid = false;
  Buffer buffer;

  explicit Add(std::istream& line) { line >> a >> b >> out >> buffer.depth; }
  bool pair() const { return a_valid && b_valid && buffer.room(); }
  void save(Snapshot& s) const { s.add(a_valid, b_valid), buffer.save(s); }
  void show(Signals& s) const {
    s.ready[a] = !a_valid || pair();
    s.ready[b] = !b_valid || pair();
    s.valid[out] = buffer.valid;
  }
  bool step(const Signals& s) {
    const bool push = pair();
    const bool changed = buffer.step(push, s.fire[out]) || s.fire[a] || s.fire[b];
    a_valid = s.fire[a] || (a_valid && !push);
    b_valid = s.fire[b] || (b_valid && !push);
    return changed;
  }
};

// xnorflow_repeat: a memory of two pixels of `beats` beats, each read `times` times.
struct Repeat {
  static constexpr const char* kKind = "repeat";
  int in = 0, out = 0;
  int64_t beats = 1, times = 2, held = 0, fresh = 0, beat = 0, time = 0;
  bool valid = false;

  explicit Repeat(std::istream& line) { line >> in >> out >> beats >> times; }
  void save(Snapshot& s) const { s.add(held, fresh, beat, time, valid); }
  void show(Signals& s) const {
    s.ready[in] = held < 2 * beats;
    s.valid[out] = valid;
  }
  bool step(const Signals& s) {
    const bool push = s.fire[in], free = s.fire[out] || !valid;
    const bool load = free && (time > 0 || fresh > 0);
    held += push - (load && time == times - 1);
    fresh += push - (load && time == 0);
    if (load && ++beat == beats) {
      beat = 0;
      if (++time == times) time = 0;
    }
    valid = load || !free;
    return push || load || s.fire[out];
  }
};

// xnorflow_pool: of the `period` beats of a window the last `folds` ones give a result each, and wait for room.
struct Pool {
  static constexpr const char* kKind = "pool";
  int in = 0, out = 0;
  int64_t period = 1, folds = 1, beat = 0;
  bool held = false, held_gives = false;  // the beat that is being reduced
  Buffer buffer;

  explicit Pool(std::istream& line) { line >> in >> out >> period >> folds >> buffer.depth; }
  bool moves() const { return !held_gives || buffer.room(); }
  void save(Snapshot& s) const { s.add(beat, held, held_gives), buffer.save(s); }
  void show(Signals& s) const {
    s.ready[in] = !held || moves();
    s.valid[out] = buffer.valid;
  }
  bool step(const Signals& s) {
    const bool push = s.fire[in], leaves = held && moves();
    const bool changed = buffer.step(leaves && held_gives, s.fire[out]) || push || leaves;
    held = push || (held && !leaves);
    if (push) {
      held_gives = beat >= period - folds;
      if (++beat == period) beat = 0;
    }
    return changed;
  }
};

// xnorflow_swg_parallel: two registers of pixels, and a window that is held until it is taken.
struct ParallelWindows {
  static constexpr const char* kKind = "parallel_windows";
  int in = 0, out = 0;
  int64_t rows, columns, kernel_rows, kernel_columns, stride_rows, stride_columns;
  int64_t row = 0, column = 0;  // of the pixel that comes into the window next
  bool valid = false;
  Buffer pixels{.depth = 2};

  explicit ParallelWindows(std::istream& line) {
    line >> in >> out >> rows >> columns >> kernel_rows >> kernel_columns >> stride_rows >> stride_columns;
  }
  void save(Snapshot& s) const { s.add(row, column, valid), pixels.save(s); }
  void show(Signals& s) const {
    s.ready[in] = pixels.room();
    s.valid[out] = valid;
  }
  bool ends_window() const {
    const int64_t y = row - kernel_rows + 1, x = column - kernel_columns + 1;
    return y >= 0 && x >= 0 && y % stride_rows == 0 && x % stride_columns == 0;
  }
  bool step(const Signals& s) {
    const bool shift = pixels.valid && (!valid || s.fire[out]);
    const bool changed = pixels.step(s.fire[in], shift) || s.fire[out];
    valid = shift ? ends_window() : valid && !s.fire[out];
    if (shift && ++column == columns) {
      column = 0;
      if (++row == rows) row = 0;
    }
    return changed;
  }
};
