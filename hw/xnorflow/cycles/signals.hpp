// SPDX-License-Identifier: BSD-3-Clause
//
// What the machines of the cycle model meet in.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

struct Signals {
  explicit Signals(std::size_t channels) : valid(channels), ready(channels), fire(channels) {}
  std::vector<uint8_t> valid, ready, fire;  // of each channel in this cycle; fire: both, a transfer
};
