// SPDX-License-Identifier: BSD-3-Clause
//
// A verilated accelerator with its DMA engines, and the system around it: registers over AXI4-Lite, and a memory over
// AXI4 that answers late and pauses at random. Compiled together into a shared library and driven by soc.py.
//
// Port names are those of generated shells; XNF_DATA_BYTES and XNF_ADDRESS_BYTES come as macros.
//
// Kept to the letter: a valid that is up stays up with the same payload; no burst goes over 4 KiB; the last beat of
// written data, and no other, says so. What breaks that ends the simulation. Accesses beyond the memory are answered
// by DECERR.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

#include "Vdut.h"
#include "runtime.hpp"
#include "stalls.hpp"
#include "verilated.h"

namespace {

constexpr int kResetCycles = 8;
constexpr uint64_t kPage = 4096;
constexpr int kDecodeError = 3;
constexpr int kHangCycles = 1000;  // for one access to a register

struct Burst {
  uint64_t address = 0;
  int64_t beats = 0, done = 0;
  int64_t from = 0;  // cycle of the first answer at the earliest
};

// A valid with its payload, which must not change before it is taken.
struct Offer {
  const char* name;
  bool held = false;
  std::vector<uint8_t> payload = {};

  void check(bool valid, bool ready, const std::vector<uint8_t>& now) {
    if (held && (!valid || now != payload)) throw std::runtime_error(std::string(name) + " changed before it was taken");
    held = valid && !ready;
    if (held) payload = now;
  }
};

template <typename... Parts>
std::vector<uint8_t> bytes_of(const Parts&... parts) {
  std::vector<uint8_t> all;
  const auto add = [&all](const auto& part) {
    const uint8_t* const start = reinterpret_cast<const uint8_t*>(&part);
    all.insert(all.end(), start, start + sizeof(part));
  };
  (add(parts), ...);
  return all;
}

class Soc {
 public:
  // `memory` belongs to the caller, who keeps it as long as this lives.
  Soc(int seed, uint64_t base, uint8_t* memory, int64_t size, uint32_t stall, int64_t latency)
      : random_(seed), base_(base), stall_(stall), latency_(latency), memory_(memory), size_(size) {
    context_.randReset(2);
    context_.randSeed(seed);
    dut_ = new Vdut{&context_, "top"};
    reset();
  }
  ~Soc() {
    if (dut_ != nullptr) dut_->final();
    delete dut_;
  }

  int64_t cycles() const { return cycle_; }
  int64_t last_answer() const { return last_answer_; }

  void run(int64_t cycles) {
    for (; cycles > 0; --cycles) step();
  }

  void write(int engine, uint32_t address, uint32_t value) {
    bool address_left = true, data_left = true;
    auto lite = this->lite(engine);
    for (int64_t hang = 0; address_left || data_left || !answered_; ++hang) {
      if (hang > kHangCycles) throw std::runtime_error("no answer to a write of a register");
      *lite.awaddr = address, *lite.awvalid = address_left;
      *lite.wdata = value, *lite.wstrb = 15, *lite.wvalid = data_left;
      *lite.bready = 1;
      dut_->eval();
      const bool goes = address_left && *lite.awready, data_goes = data_left && *lite.wready;
      answered_ = *lite.bvalid && !address_left && !data_left;
      step();
      address_left = address_left && !goes, data_left = data_left && !data_goes;
    }
    answered_ = false;
    *lite.awvalid = *lite.wvalid = *lite.bready = 0;
  }

  uint32_t read(int engine, uint32_t address) {
    bool left = true;
    auto lite = this->lite(engine);
    for (int64_t hang = 0;; ++hang) {
      if (hang > kHangCycles) throw std::runtime_error("no answer to a read of a register");
      *lite.araddr = address, *lite.arvalid = left, *lite.rready = 1;
      dut_->eval();
      const bool goes = left && *lite.arready, arrived = !left && *lite.rvalid;
      const uint32_t value = *lite.rdata;
      step();
      left = left && !goes;
      if (arrived) {
        *lite.arvalid = *lite.rready = 0;
        return value;
      }
    }
  }

 private:
  // The registers' ports of an engine: 0 reads from memory, 1 writes to it.
  struct Lite {
    CData *awaddr, *awvalid, *awready, *wvalid, *wready, *wstrb, *bvalid, *bready, *araddr, *arvalid, *arready, *rvalid,
        *rready;
    IData *wdata, *rdata;
  };
  Lite lite(int engine) {
#define XNF_LITE(N)                                                                                                  \
  Lite {                                                                                                             \
    &dut_->s_axi_control_##N##_AWADDR, &dut_->s_axi_control_##N##_AWVALID, &dut_->s_axi_control_##N##_AWREADY,       \
        &dut_->s_axi_control_##N##_WVALID, &dut_->s_axi_control_##N##_WREADY, &dut_->s_axi_control_##N##_WSTRB,      \
        &dut_->s_axi_control_##N##_BVALID, &dut_->s_axi_control_##N##_BREADY, &dut_->s_axi_control_##N##_ARADDR,     \
        &dut_->s_axi_control_##N##_ARVALID, &dut_->s_axi_control_##N##_ARREADY, &dut_->s_axi_control_##N##_RVALID,   \
        &dut_->s_axi_control_##N##_RREADY, &dut_->s_axi_control_##N##_WDATA, &dut_->s_axi_control_##N##_RDATA        \
  }
    return engine == 0 ? XNF_LITE(0) : XNF_LITE(1);
#undef XNF_LITE
  }

  void reset() {
    dut_->ap_clk = 0;
    dut_->ap_rst_n = 0;
    for (int engine : {0, 1}) {
      auto lite = this->lite(engine);
      *lite.awvalid = *lite.wvalid = *lite.bready = *lite.arvalid = *lite.rready = 0;
    }
    dut_->m_axi_gmem_0_ARREADY = dut_->m_axi_gmem_0_RVALID = 0;
    dut_->m_axi_gmem_1_AWREADY = dut_->m_axi_gmem_1_WREADY = dut_->m_axi_gmem_1_BVALID = 0;
    for (int i = 0; i < kResetCycles; ++i) {
      dut_->eval();
      dut_->ap_clk = 1;
      dut_->eval();
      dut_->ap_clk = 0;
    }
    dut_->ap_rst_n = 1;
  }

  bool inside(uint64_t address) const {
    return address >= base_ && address - base_ + XNF_DATA_BYTES <= size_;
  }

  Burst burst(uint64_t address, int length) const {
    const int64_t beats = length + 1;
    if (address % XNF_DATA_BYTES != 0) throw std::runtime_error("a burst does not start at a word");
    if (address / kPage != (address + beats * XNF_DATA_BYTES - 1) / kPage) {
      throw std::runtime_error("a burst goes over a boundary of 4 KiB");
    }
    return Burst{address, beats, 0, cycle_ + latency_};
  }

  bool pauses() { return random_.below(stall_); }

  void offer_read_data() {
    Vdut& d = *dut_;
    if (!d.m_axi_gmem_0_RVALID && !reads_.empty() && reads_.front().from <= cycle_ && !pauses()) {
      const Burst& burst = reads_.front();
      const uint64_t address = burst.address + burst.done * XNF_DATA_BYTES;
      uint8_t* const data = reinterpret_cast<uint8_t*>(&d.m_axi_gmem_0_RDATA);
      if (inside(address)) {
        std::memcpy(data, memory_ + (address - base_), XNF_DATA_BYTES);
      } else {
        std::memset(data, 0, XNF_DATA_BYTES);
      }
      d.m_axi_gmem_0_RRESP = inside(address) ? 0 : kDecodeError;
      d.m_axi_gmem_0_RLAST = burst.done + 1 == burst.beats;
      d.m_axi_gmem_0_RVALID = 1;
    }
  }

  void take_data() {
    Vdut& d = *dut_;
    if (writes_.empty()) throw std::runtime_error("data is written before its address");
    Burst& burst = writes_.front();
    const uint64_t address = burst.address + burst.done * XNF_DATA_BYTES;
    const uint8_t* const data = reinterpret_cast<const uint8_t*>(&d.m_axi_gmem_1_WDATA);
    const uint8_t* const lanes = reinterpret_cast<const uint8_t*>(&d.m_axi_gmem_1_WSTRB);
    for (int i = 0; i < XNF_DATA_BYTES && inside(address); ++i) {
      if (lanes[i / 8] >> i % 8 & 1) memory_[address - base_ + i] = data[i];
    }
    failed_ = failed_ || !inside(address);
    const bool last = ++burst.done == burst.beats;
    if (last != bool(d.m_axi_gmem_1_WLAST)) throw std::runtime_error("WLAST is not at the end of a burst");
    if (last) {
      answers_.push_back({cycle_ + latency_, failed_ ? kDecodeError : 0});
      writes_.pop_front();
      failed_ = false;
    }
  }

  // One clock cycle, with the memory's part in it.
  void step() {
    Vdut& d = *dut_;
    d.m_axi_gmem_0_ARREADY = !pauses();
    d.m_axi_gmem_1_AWREADY = !pauses();
    d.m_axi_gmem_1_WREADY = !writes_.empty() && !pauses();
    offer_read_data();
    if (!d.m_axi_gmem_1_BVALID && !answers_.empty() && answers_.front().first <= cycle_ && !pauses()) {
      d.m_axi_gmem_1_BVALID = 1;
      d.m_axi_gmem_1_BRESP = answers_.front().second;
    }
    d.eval();
    read_address_.check(d.m_axi_gmem_0_ARVALID, d.m_axi_gmem_0_ARREADY,
                        bytes_of(d.m_axi_gmem_0_ARADDR, d.m_axi_gmem_0_ARLEN));
    write_address_.check(d.m_axi_gmem_1_AWVALID, d.m_axi_gmem_1_AWREADY,
                         bytes_of(d.m_axi_gmem_1_AWADDR, d.m_axi_gmem_1_AWLEN));
    write_data_.check(d.m_axi_gmem_1_WVALID, d.m_axi_gmem_1_WREADY,
                      bytes_of(d.m_axi_gmem_1_WDATA, d.m_axi_gmem_1_WSTRB, d.m_axi_gmem_1_WLAST));
    const bool read_goes = d.m_axi_gmem_0_RVALID && d.m_axi_gmem_0_RREADY;
    const bool answer_goes = d.m_axi_gmem_1_BVALID && d.m_axi_gmem_1_BREADY;
    if (d.m_axi_gmem_1_WVALID && d.m_axi_gmem_1_WREADY) take_data();
    if (d.m_axi_gmem_0_ARVALID && d.m_axi_gmem_0_ARREADY) {
      reads_.push_back(burst(d.m_axi_gmem_0_ARADDR, d.m_axi_gmem_0_ARLEN));
    }
    if (d.m_axi_gmem_1_AWVALID && d.m_axi_gmem_1_AWREADY) {
      writes_.push_back(burst(d.m_axi_gmem_1_AWADDR, d.m_axi_gmem_1_AWLEN));
    }
    d.ap_clk = 1;
    d.eval();
    d.ap_clk = 0;
    if (context_.gotFinish()) throw std::runtime_error("the design called $finish");
    if (read_goes) {
      d.m_axi_gmem_0_RVALID = 0;
      if (++reads_.front().done == reads_.front().beats) reads_.pop_front();
    }
    if (answer_goes) {
      d.m_axi_gmem_1_BVALID = 0;
      answers_.pop_front();
      last_answer_ = cycle_;
    }
    ++cycle_;
  }

  VerilatedContext context_;
  Vdut* dut_ = nullptr;
  Random random_;
  uint64_t base_;
  uint32_t stall_;
  int64_t latency_, cycle_ = 0, last_answer_ = 0;
  uint8_t* memory_;
  uint64_t size_;
  std::deque<Burst> reads_, writes_;
  std::deque<std::pair<int64_t, int>> answers_;  // cycle, response
  bool failed_ = false, answered_ = false;
  Offer read_address_{"the address of a read"}, write_address_{"the address of a write"}, write_data_{"written data"};
};

// Calls `work` and returns 0, or 1 with the reason in `error`.
template <typename Work>
int guarded(char* error, int64_t error_size, Work work) {
  try {
    work();
    return 0;
  } catch (const std::exception& reason) {
    std::strncpy(error, reason.what(), error_size - 1);
    return 1;
  }
}

}  // namespace

XNF_EXPORT void* xnf_new(const char* rtl_dir, int seed, uint64_t base, uint8_t* memory, int64_t size, uint32_t stall,
                         int64_t latency, char* error, int64_t error_size) {
  Soc* soc = nullptr;
  guarded(error, error_size, [&] {
    const WorkingFolder folder(rtl_dir);
    soc = new Soc(seed, base, memory, size, stall, latency);
  });
  return soc;
}
XNF_EXPORT void xnf_free(void* handle) { delete static_cast<Soc*>(handle); }
XNF_EXPORT int64_t xnf_cycles(void* handle) { return static_cast<Soc*>(handle)->cycles(); }
XNF_EXPORT int64_t xnf_last_answer(void* handle) { return static_cast<Soc*>(handle)->last_answer(); }
XNF_EXPORT int xnf_run(void* handle, int64_t cycles, char* error, int64_t error_size) {
  return guarded(error, error_size, [&] { static_cast<Soc*>(handle)->run(cycles); });
}
XNF_EXPORT int xnf_write(void* handle, int engine, uint32_t address, uint32_t value, char* error, int64_t error_size) {
  return guarded(error, error_size, [&] { static_cast<Soc*>(handle)->write(engine, address, value); });
}
XNF_EXPORT int xnf_read(void* handle, int engine, uint32_t address, uint32_t* value, char* error, int64_t error_size) {
  return guarded(error, error_size, [&] { *value = static_cast<Soc*>(handle)->read(engine, address); });
}
