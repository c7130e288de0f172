// SPDX-License-Identifier: BSD-3-Clause
//
// Runs the machines of a description cycle by cycle:  simulator DESCRIPTION [TRACE]
//
// DESCRIPTION, one item a line:
//   channels COUNT
//   run FRAMES SEED LIMIT STEADY          LIMIT: cycles at most; STEADY: 1: end when frames repeat themselves
//   source CHANNEL BEATS STALL            beats of a frame; STALL: probability of a pause times 65536
//   sink CHANNEL BEATS STALL
//   KIND CHANNEL... PARAMETER...          a machine, see machines.hpp
//
// Printed:
//   ended done|steady|deadlock|limit CYCLES
//   steady FRAME FRAMES                   everything is as it was behind FRAME, so many frames later
//   frame INDEX IN_FIRST IN_LAST OUT_FIRST OUT_LAST       cycles of its first and last beats; -1: not come to
//   fill LARGEST                          of each FIFO, in the order of the description
//   blocked CHANNEL, starved CHANNEL      in a deadlock: offered and not taken, waited for and not offered
//
// TRACE takes a byte a channel and cycle: bit 0 valid, bit 1 ready.

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "machines.hpp"
#include "signals.hpp"
#include "stalls.hpp"
#include "windows.hpp"

namespace {

// The outer end of a channel; beats are counted from the first frame's first one on.
struct End {
  int channel = 0;
  int64_t beats = 1, done = 0, count = 0;
  uint32_t stall = 0;
  std::vector<int64_t> first, last;  // cycles, of each frame

  void begin(int64_t frames) {
    count = frames * beats;
    first.assign(frames, -1);
    last.assign(frames, -1);
  }
  void transfer(int64_t cycle) {
    if (done % beats == 0) first[done / beats] = cycle;
    if (done % beats == beats - 1) last[done / beats] = cycle;
    ++done;
  }
  bool complete() const { return done == count; }
};

using Machines = std::tuple<std::vector<Fifo>, std::vector<Split>, std::vector<Join>, std::vector<Pipeline>,
                            std::vector<Windows>, std::vector<Fork>, std::vector<Add>, std::vector<Repeat>,
                            std::vector<Pool>, std::vector<ParallelWindows>>;

template <class Machine>
void save_all(const std::vector<Machine>& machines, Snapshot& snapshot) {
  for (const Machine& machine : machines) machine.save(snapshot);
}

class Simulator {
 public:
  explicit Simulator(std::istream& description);
  void run(std::ostream* trace);
  void print(std::ostream& out) const;

 private:
  bool add_machine(const std::string& kind, std::istream& line);
  bool step_machines();
  bool step(std::ostream* trace);
  void look_back();

  Machines machines_;
  Signals signals_{0};
  End source_, sink_;
  Random random_{0};
  bool offering_ = false, deadlock_ = false, watching_ = false;
  std::unordered_map<std::string, int64_t> seen_;  // what was behind which frame
  int64_t steady_first_ = -1, steady_frames_ = 0;
  int64_t cycle_ = 0, limit_ = 0;
};

Simulator::Simulator(std::istream& description) {
  int64_t frames = 0;
  for (std::string text; std::getline(description, text);) {
    std::istringstream line(text);
    std::string kind;
    line >> kind;
    if (kind == "channels") {
      std::size_t channels = 0;
      line >> channels;
      signals_ = Signals(channels);
    } else if (kind == "run") {
      uint64_t seed = 0;
      line >> frames >> seed >> limit_ >> watching_;
      random_ = Random(seed);
    } else if (kind == "source" || kind == "sink") {
      End& end = kind == "source" ? source_ : sink_;
      line >> end.channel >> end.beats >> end.stall;
    } else if (!add_machine(kind, line)) {
      throw std::invalid_argument("unknown: " + text);
    }
  }
  source_.begin(frames);
  sink_.begin(frames);
}

bool Simulator::add_machine(const std::string& kind, std::istream& line) {
  const auto add = [&]<class Machine>(std::vector<Machine>& machines) {
    if (kind != Machine::kKind) return false;
    machines.emplace_back(line).show(signals_);
    return true;
  };
  return std::apply([&](auto&... machines) { return (add(machines) || ...); }, machines_);
}

// The clock edge of all machines; returns whether any of them changed.
bool Simulator::step_machines() {
  const auto step = [this](auto& machines) {
    bool changed = false;
    for (auto& machine : machines) {
      if (!machine.step(signals_)) continue;
      machine.show(signals_);  // only fire is read until the edge is over
      changed = true;
    }
    return changed;
  };
  return std::apply([&](auto&... machines) { return (0 | ... | step(machines)); }, machines_);
}

// One cycle; returns whether there will be another one.
bool Simulator::step(std::ostream* trace) {
  if (!offering_ && !source_.complete()) offering_ = !random_.below(source_.stall);
  const bool taking = !sink_.complete() && !random_.below(sink_.stall);
  signals_.valid[source_.channel] = offering_;
  signals_.ready[sink_.channel] = taking;
  uint8_t any = 0;
  for (std::size_t c = 0; c < signals_.fire.size(); ++c) {
    signals_.fire[c] = signals_.valid[c] & signals_.ready[c];
    any |= signals_.fire[c];
  }
  if (trace != nullptr) {
    for (std::size_t c = 0; c < signals_.fire.size(); ++c) trace->put(signals_.valid[c] | signals_.ready[c] << 1);
  }
  if (signals_.fire[source_.channel]) {
    source_.transfer(cycle_);
    offering_ = false;
  }
  if (signals_.fire[sink_.channel]) sink_.transfer(cycle_);
  // Where nothing moved although neither end paused, every later cycle is like this one.
  const bool paused = (!offering_ && !source_.complete()) || (!taking && !sink_.complete());
  const bool ended = signals_.fire[sink_.channel] && sink_.done % sink_.beats == 0;
  deadlock_ = !step_machines() && any == 0 && !paused;
  ++cycle_;
  if (ended && watching_ && !source_.complete()) look_back();
  return !deadlock_;
}

// Where all registers are as they were behind an earlier frame, the frames between will come again for ever.
void Simulator::look_back() {
  Snapshot now;
  now.add(offering_, source_.done % source_.beats);
  std::apply([&](const auto&... kinds) { (save_all(kinds, now), ...); }, machines_);
  const int64_t frame = sink_.done / sink_.beats - 1;
  const auto [place, is_new] = seen_.emplace(now.bytes, frame);
  if (is_new) return;
  steady_first_ = place->second;
  steady_frames_ = frame - steady_first_;
}

void Simulator::run(std::ostream* trace) {
  while (cycle_ < limit_ && steady_frames_ == 0 && !(source_.complete() && sink_.complete()) && step(trace)) {
  }
}

void Simulator::print(std::ostream& out) const {
  const bool done = source_.complete() && sink_.complete();
  const char* how = done ? "done" : steady_frames_ > 0 ? "steady" : deadlock_ ? "deadlock" : "limit";
  out << "ended " << how << ' ' << cycle_ << '\n';
  if (steady_frames_ > 0) out << "steady " << steady_first_ << ' ' << steady_frames_ << '\n';
  for (std::size_t frame = 0; frame < source_.first.size(); ++frame) {
    out << "frame " << frame << ' ' << source_.first[frame] << ' ' << source_.last[frame] << ' ' << sink_.first[frame]
        << ' ' << sink_.last[frame] << '\n';
  }
  for (const Fifo& fifo : std::get<std::vector<Fifo>>(machines_)) out << "fill " << fifo.largest << '\n';
  for (std::size_t c = 0; deadlock_ && c < signals_.valid.size(); ++c) {
    if (signals_.valid[c] && !signals_.ready[c]) out << "blocked " << c << '\n';
    if (!signals_.valid[c] && signals_.ready[c]) out << "starved " << c << '\n';
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::ifstream description(argc > 1 ? argv[1] : "");
    if (!description) throw std::runtime_error("no description");
    Simulator simulator(description);
    std::ofstream trace;
    if (argc > 2) trace.open(argv[2], std::ios::binary);
    simulator.run(argc > 2 ? &trace : nullptr);
    simulator.print(std::cout);
    trace.close();
    if (trace.fail() && argc > 2) throw std::runtime_error("the trace cannot be written");
    return 0;
  } catch (const std::exception& reason) {
    std::cerr << "error: " << reason.what() << '\n';
    return 1;
  }
}
