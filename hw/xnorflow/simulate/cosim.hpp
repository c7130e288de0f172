// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Runs the C++ of a layer beside RTL, clock edge by clock edge: its functions wait for beats and for
// room as hardware does, each on a stack of its own, so that what they need of a stream before they
// give anything is what the code says. How many cycles Vitis HLS will take is not known: a layer
// computes in no time, and pauses in one cycle of four.

#ifndef XNORFLOW_COSIM_HPP
#define XNORFLOW_COSIM_HPP

#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include <ap_int.h>
#include <hls_stream.h>

#include "csim.hpp"
#include "stalls.hpp"

namespace xnf {

constexpr size_t kRoom = 2;  // beats between two functions: what Vitis HLS gives a stream that asks for no depth
constexpr size_t kStackBytes = size_t(16) << 20;  // of which the system supplies what is used
constexpr uint32_t kPause = 1 << 14;              // of 65536
constexpr int kReset = 1 << 30;

struct Stopped {};

// A function called again and again; it stands still where it has to wait.
class Process {
 public:
  explicit Process(std::function<void()> frame) : frame_(std::move(frame)), stack_(std::malloc(kStackBytes)) {
    if (stack_ == nullptr) throw std::bad_alloc();
    getcontext(&inside_);
    inside_.uc_stack.ss_sp = stack_;
    inside_.uc_stack.ss_size = kStackBytes;
    inside_.uc_link = &outside_;
    makecontext(&inside_, &Process::enter, 0);
  }
  ~Process() {
    stopping_ = true;
    resume();  // what its frames hold is destroyed
    std::free(stack_);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Go on until it has to wait again.
  void resume() {
    Process* const before = current();
    current() = this;
    swapcontext(&outside_, &inside_);
    current() = before;
  }

  // Called by streams: let the others go on.
  static void wait() {
    Process* const self = current();
    swapcontext(&self->inside_, &self->outside_);
    if (self->stopping_) throw Stopped();
  }

 private:
  static Process*& current() {
    static thread_local Process* running = nullptr;
    return running;
  }
  static void enter() {
    Process* const self = current();
    try {
      while (!self->stopping_) self->frame_();
    } catch (const Stopped&) {
    }
  }

  std::function<void()> frame_;
  void* stack_;
  ucontext_t inside_;
  ucontext_t outside_;
  bool stopping_ = false;
};

// A stream of any width, as the clocked side sees it.
class Queue {
 public:
  virtual ~Queue() {}
  virtual size_t size() const = 0;
  virtual void put(const uint8_t* bytes) = 0;
  virtual void show(uint8_t* bytes) const = 0;  // the first beat
  virtual void drop() = 0;                      // the first beat
  int64_t moves = 0;  // beats that its functions took or gave
};

}  // namespace xnf

namespace hls {

// In place of AMD's unbounded model, which warns where hardware waits.
template <int Width>
class stream<ap_uint<Width> > : public xnf::Queue {
 public:
  explicit stream(const char* = "") {}

  ap_uint<Width> read() {
    while (beats_.empty()) xnf::Process::wait();
    const ap_uint<Width> beat = beats_.front();
    beats_.pop_front();
    ++moves;
    return beat;
  }
  void write(const ap_uint<Width>& beat) {
    while (beats_.size() >= xnf::kRoom) xnf::Process::wait();
    beats_.push_back(beat);
    ++moves;
  }
  bool empty() const { return beats_.empty(); }

  size_t size() const override { return beats_.size(); }
  void put(const uint8_t* bytes) override { beats_.push_back(xnf::unpacked<Width>(bytes)); }
  void show(uint8_t* bytes) const override { xnf::packed(beats_.front(), bytes); }
  void drop() override { beats_.pop_front(); }

 private:
  std::deque<ap_uint<Width> > beats_;
};

}  // namespace hls

namespace xnf {

// A layer: functions in series, of which the last stream of one is the first of the next.
class Layer {
 public:
  explicit Layer(size_t inputs) : inputs_(inputs) {}

  // Add a function in series.
  template <int... Widths>
  void add(void (*function)(hls::stream<ap_uint<Widths> >&...)) {
    add_with(function, std::make_index_sequence<sizeof...(Widths)>());
  }

  // One clock edge. `moved`: bit i for a beat that input i took, bit 8 + i for one that output i gave, or kReset.
  // Returns the same bits for the next one: ready, valid.
  int clock(int moved, const uint8_t* const* in, uint8_t* const* out) {
    if (moved & kReset) return 0;  // once, before anything moves
    const size_t outputs = streams_.size() - first_output_;
    for (size_t index = 0; index < inputs_; ++index) {
      if (moved >> index & 1) streams_[index]->put(in[index]);
    }
    for (size_t index = 0; index < outputs; ++index) {
      if (moved >> (8 + index) & 1) streams_[first_output_ + index]->drop();
    }
    if (!random_.below(kPause)) run();
    int state = 0;
    for (size_t index = 0; index < inputs_; ++index) {
      state |= (streams_[index]->size() < kRoom) << index;
    }
    for (size_t index = 0; index < outputs; ++index) {
      const Queue& stream = *streams_[first_output_ + index];
      if (stream.size() == 0) continue;
      state |= 1 << (8 + index);
      stream.show(out[index]);
    }
    return state;
  }

 private:
  template <int... Widths, size_t... Places>
  void add_with(void (*function)(hls::stream<ap_uint<Widths> >&...), std::index_sequence<Places...>) {
    const size_t first = streams_.empty() ? 0 : streams_.size() - 1;
    first_output_ = streams_.empty() ? inputs_ : first + 1;
    const std::tuple<hls::stream<ap_uint<Widths> >*...> taken(stream_at<Widths>(first + Places)...);
    processes_.emplace_back(new Process([function, taken] { function(*std::get<Places>(taken)...); }));
  }

  template <int Width>
  hls::stream<ap_uint<Width> >* stream_at(size_t place) {
    while (streams_.size() <= place) streams_.emplace_back();
    if (!streams_[place]) streams_[place].reset(new hls::stream<ap_uint<Width> >());
    return static_cast<hls::stream<ap_uint<Width> >*>(streams_[place].get());
  }

  void run() {
    int64_t before = -1;
    for (int64_t after = moves(); after != before; after = moves()) {
      before = after;
      for (const std::unique_ptr<Process>& process : processes_) process->resume();
    }
  }

  int64_t moves() const {
    int64_t total = 0;
    for (const std::unique_ptr<Queue>& stream : streams_) total += stream->moves;
    return total;
  }

  size_t inputs_;
  std::vector<std::unique_ptr<Queue> > streams_;
  std::vector<std::unique_ptr<Process> > processes_;  // destroyed first: they use the streams
  size_t first_output_ = 0;
  Random random_{1};
};

}  // namespace xnf

#endif  // XNORFLOW_COSIM_HPP
