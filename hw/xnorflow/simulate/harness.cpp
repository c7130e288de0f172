// SPDX-License-Identifier: BSD-3-Clause
//
// Streams beats through one verilated design; compiled together with it into a shared library and driven by model.py.
// The port names come as macros: XNF_CLOCK, XNF_RESET_N, XNF_{IN,OUT}_{DATA,VALID,READY}, XNF_{IN,OUT}_BITS.
//
// Stream rules kept on both sides: a transfer happens at a rising clock edge where valid and ready are both up; valid,
// once up, stays up with the same data until the transfer; neither side waits for the other's stall decision.

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

#include "Vdut.h"
#include "runtime.hpp"
#include "stalls.hpp"
#include "verilated.h"

namespace {

constexpr std::size_t kInBytes = (XNF_IN_BITS + 7) / 8;
constexpr std::size_t kOutBytes = (XNF_OUT_BITS + 7) / 8;
constexpr int kResetCycles = 8;

// What xnf_step found; model.py has the same list.
enum Status : int { kRunning = 0, kDone = 1, kStuck = 2, kUnstable = 3, kFailed = 4 };

// One stream job; the arrays belong to the caller and outlive it.
struct Job {
  const uint8_t* in = nullptr;
  int64_t in_count = 0, in_frame = 1;  // beats; beats of one frame
  uint8_t* out = nullptr;
  int64_t out_count = 0, out_frame = 1;
  int64_t* frame_starts = nullptr;  // cycle of each frame's first beat in
  int64_t* frame_ends = nullptr;    // cycle of each frame's last beat out
  uint32_t in_stall = 0, out_stall = 0;
  int64_t timeout = 0;
  Random random{0};

  int64_t cycle = 0, in_done = 0, out_done = 0, last_progress = 0, first_out = -1;
  bool offering = false;  // input valid is up
  bool held = false;      // output valid was up and not taken
  uint8_t held_data[kOutBytes] = {};
};

struct Simulation {
  VerilatedContext context;
  Vdut* dut = nullptr;
  Job job;
  std::string message;

  ~Simulation() {
    if (dut != nullptr) {
      dut->final();
      delete dut;
    }
  }

  void tick() {
    dut->eval();
    dut->XNF_CLOCK = 1;
    dut->eval();
    dut->XNF_CLOCK = 0;
  }

  void reset() {
    dut->XNF_CLOCK = 0;
    dut->XNF_RESET_N = 0;
    dut->XNF_IN_VALID = 0;
    dut->XNF_OUT_READY = 0;
    std::memset(reinterpret_cast<void*>(&dut->XNF_IN_DATA), 0, sizeof(dut->XNF_IN_DATA));
    for (int i = 0; i < kResetCycles; ++i) tick();
    dut->XNF_RESET_N = 1;
  }

  Status step(int64_t cycles);
};

// Runs at most `cycles` cycles of the job; a job is the same whatever the sizes of its steps.
Status Simulation::step(int64_t cycles) {
  Job& j = job;
  uint8_t* const in_data = reinterpret_cast<uint8_t*>(&dut->XNF_IN_DATA);
  const uint8_t* const out_data = reinterpret_cast<const uint8_t*>(&dut->XNF_OUT_DATA);
  for (; cycles > 0; --cycles) {
    if (j.in_done == j.in_count && j.out_done == j.out_count) return kDone;
    if (j.cycle - j.last_progress >= j.timeout) return kStuck;
    if (!j.offering && j.in_done < j.in_count && !j.random.below(j.in_stall)) {
      j.offering = true;
      std::memcpy(in_data, j.in + j.in_done * kInBytes, kInBytes);
    }
    const bool taking = j.out_done < j.out_count && !j.random.below(j.out_stall);
    dut->XNF_IN_VALID = j.offering;
    dut->XNF_OUT_READY = taking;
    dut->eval();  // settles what depends on the inputs without a clock edge
    const bool in_transfer = j.offering && dut->XNF_IN_READY;
    const bool out_valid = dut->XNF_OUT_VALID;
    if (j.held && (!out_valid || std::memcmp(j.held_data, out_data, kOutBytes) != 0)) return kUnstable;
    if (out_valid && taking) {
      std::memcpy(j.out + j.out_done * kOutBytes, out_data, kOutBytes);
      if (j.first_out < 0) j.first_out = j.cycle;
      if (++j.out_done % j.out_frame == 0) j.frame_ends[j.out_done / j.out_frame - 1] = j.cycle;
      j.last_progress = j.cycle;
    }
    j.held = out_valid && !taking;
    if (j.held) std::memcpy(j.held_data, out_data, kOutBytes);
    if (in_transfer && j.in_done % j.in_frame == 0) j.frame_starts[j.in_done / j.in_frame] = j.cycle;
    dut->XNF_CLOCK = 1;
    dut->eval();
    dut->XNF_CLOCK = 0;
    if (context.gotFinish()) throw std::runtime_error("the design called $finish");
    if (in_transfer) {
      ++j.in_done;
      j.offering = false;
      j.last_progress = j.cycle;
      std::memset(in_data, 0, kInBytes);  // so that a design which reads data without valid is found out
    }
    ++j.cycle;
  }
  return j.in_done == j.in_count && j.out_done == j.out_count ? kDone : kRunning;
}

}  // namespace

XNF_EXPORT int64_t xnf_input_bits() { return XNF_IN_BITS; }
XNF_EXPORT int64_t xnf_output_bits() { return XNF_OUT_BITS; }

// Returns a simulation after reset, or null with the reason in `error`. Registers without a reset or an initial value
// start at random ones derived from `seed`.
XNF_EXPORT void* xnf_new(const char* rtl_dir, int seed, char* error, int64_t error_size) {
  Simulation* simulation = new Simulation;
  try {
    const WorkingFolder folder(rtl_dir);
    simulation->context.randReset(2);
    simulation->context.randSeed(seed);
    simulation->dut = new Vdut{&simulation->context, "top"};
    simulation->reset();
    if (simulation->context.gotFinish()) throw std::runtime_error("the design called $finish");
    return simulation;
  } catch (const std::exception& reason) {
    std::strncpy(error, reason.what(), error_size - 1);
    simulation->dut = nullptr;  // not safe to finish: left to the operating system
    delete simulation;
    return nullptr;
  }
}

XNF_EXPORT void xnf_free(void* handle) { delete static_cast<Simulation*>(handle); }

// Begins a job on the hardware as the last job left it. Stalls are probabilities times 65536.
XNF_EXPORT void xnf_start(void* handle, const uint8_t* in, int64_t in_count, int64_t in_frame, uint8_t* out,
                          int64_t out_count, int64_t out_frame, int64_t* frame_starts, int64_t* frame_ends,
                          uint32_t in_stall, uint32_t out_stall, uint64_t seed, int64_t timeout) {
  Job job;
  job.in = in, job.in_count = in_count, job.in_frame = in_frame;
  job.out = out, job.out_count = out_count, job.out_frame = out_frame;
  job.frame_starts = frame_starts, job.frame_ends = frame_ends;
  job.in_stall = in_stall, job.out_stall = out_stall, job.timeout = timeout;
  job.random = Random(seed);
  static_cast<Simulation*>(handle)->job = job;
}

// Runs on for at most `cycles` and returns a Status; state = {cycle, beats in, beats out, first cycle with output}.
XNF_EXPORT int xnf_step(void* handle, int64_t cycles, int64_t* state, char* error, int64_t error_size) {
  Simulation& simulation = *static_cast<Simulation*>(handle);
  int status = kFailed;
  try {
    status = simulation.step(cycles);
  } catch (const std::exception& reason) {
    std::strncpy(error, reason.what(), error_size - 1);
  }
  const Job& job = simulation.job;
  state[0] = job.cycle, state[1] = job.in_done, state[2] = job.out_done, state[3] = job.first_out;
  return status;
}
