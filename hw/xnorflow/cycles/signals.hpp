// SPDX-License-Identifier: BSD-3-Clause
//
// What the machines of the cycle model meet in.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// All that the cycles to come depend on, in a form that can be compared.
struct Snapshot {
  std::string bytes;
  template <class... Numbers>
  void add(const Numbers&... numbers) {
    (bytes.append(reinterpret_cast<const char*>(&numbers), sizeof numbers), ...);
  }
};

struct Signals {
  explicit Signals(std::size_t channels) : valid(channels), ready(channels), fire(channels) {}
  std::vector<uint8_t> valid, ready, fire;  // of each channel in this cycle; fire: both, a transfer
};
