// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Keeps all beats that go through streams with a name, for C simulation: included before the
// design, whose text stays as it is.

#ifndef XNORFLOW_CSIM_TAPS_HPP
#define XNORFLOW_CSIM_TAPS_HPP

#include <deque>
#include <map>
#include <vector>

#include "csim.hpp"

namespace xnf {

typedef std::map<std::string, std::vector<uint8_t> > Taps;

// By name of the stream the bytes of its beats, one behind the other.
inline Taps& taps() {
  static Taps kept;
  return kept;
}

}  // namespace xnf

namespace hls {

template <int Width>
class stream<ap_uint<Width> > {
 public:
  explicit stream(const char* name) : name_(name), kept_(xnf::taps()[name]) {}

  ap_uint<Width> read() {
    if (beats_.empty()) throw std::runtime_error(name_ + " is read while empty");
    const ap_uint<Width> beat = beats_.front();
    beats_.pop_front();
    return beat;
  }
  void write(const ap_uint<Width>& beat) {
    beats_.push_back(beat);
    kept_.resize(kept_.size() + xnf::bytes_of(Width));
    xnf::packed(beat, kept_.data() + kept_.size() - xnf::bytes_of(Width));
  }
  bool empty() const { return beats_.empty(); }
  size_t size() const { return beats_.size(); }

 private:
  std::string name_;
  std::vector<uint8_t>& kept_;
  std::deque<ap_uint<Width> > beats_;
};

}  // namespace hls

// Number of bytes that a stream carried.
XNF_EXPORT int64_t xnf_tap_size(const char* name) { return static_cast<int64_t>(xnf::taps()[name].size()); }

// Those bytes; they are forgotten.
XNF_EXPORT void xnf_tap_take(const char* name, uint8_t* bytes) {
  std::vector<uint8_t>& kept = xnf::taps()[name];
  std::memcpy(bytes, kept.data(), kept.size());
  kept.clear();
}

#endif  // XNORFLOW_CSIM_TAPS_HPP
