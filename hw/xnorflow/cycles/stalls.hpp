// SPDX-License-Identifier: BSD-3-Clause
//
// When the two ends of a design pause, in the simulation of the RTL and in the cycle model alike: the same seed gives
// the same pauses in both.

#pragma once

#include <cstdint>

// xorshift64*, seeded through splitmix64 so that neighboring seeds are unrelated.
class Random {
 public:
  explicit Random(uint64_t seed) {
    uint64_t z = seed + 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    state_ = (z ^ (z >> 31)) | 1;
  }
  // True with a probability of threshold / 65536.
  bool below(uint32_t threshold) {
    if (threshold == 0) return false;
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return ((state_ * 0x2545f4914f6cdd1du) >> 48) < threshold;
  }

 private:
  uint64_t state_;
};
