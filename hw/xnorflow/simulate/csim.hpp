// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Runs generated functions on packed beats: what stands between Python's arrays and hls::stream.
// A function must take all that it is given and leave exactly the beats of a frame; whatever AMD's
// stream model has to complain about (a read of an empty stream) is an error here.

#ifndef XNORFLOW_CSIM_HPP
#define XNORFLOW_CSIM_HPP

#include <cstdint>
#include <cstring>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>

#include <ap_int.h>
#include <hls_stream.h>

#define XNF_EXPORT extern "C" __attribute__((visibility("default")))

namespace xnf {

constexpr int bytes_of(int bits) { return (bits + 7) / 8; }

// A beat from little-endian bytes, with zeros above Width.
template <int Width>
ap_uint<Width> unpacked(const uint8_t* bytes) {
  ap_uint<Width> beat = 0;
  for (int low = 0; low < Width; low += 64) {
    const int bits = Width - low < 64 ? Width - low : 64;
    uint64_t word = 0;
    std::memcpy(&word, bytes + low / 8, bytes_of(bits));
    beat.range(low + bits - 1, low) = word;
  }
  return beat;
}

// The bytes of a beat.
template <int Width>
void packed(const ap_uint<Width>& beat, uint8_t* bytes) {
  for (int low = 0; low < Width; low += 64) {
    const int bits = Width - low < 64 ? Width - low : 64;
    const ap_uint<64> part = beat.range(low + bits - 1, low);
    const uint64_t word = part.to_uint64();
    std::memcpy(bytes + low / 8, &word, bytes_of(bits));
  }
}

// Write `count` beats to a stream.
template <int Width>
void feed(hls::stream<ap_uint<Width> >& stream, const uint8_t* bytes, int64_t count) {
  for (int64_t beat = 0; beat < count; ++beat, bytes += bytes_of(Width)) stream.write(unpacked<Width>(bytes));
}

// Read the `count` beats that a stream holds; it must hold no more and no less.
template <int Width>
void drain(hls::stream<ap_uint<Width> >& stream, uint8_t* bytes, int64_t count, const char* name) {
  const int64_t found = static_cast<int64_t>(stream.size());
  if (found != count) {
    while (!stream.empty()) stream.read();
    throw std::runtime_error(std::string(name) + " gave " + std::to_string(found) + " beats, expected " +
                             std::to_string(count));
  }
  for (int64_t beat = 0; beat < count; ++beat, bytes += bytes_of(Width)) packed(stream.read(), bytes);
}

// Require that a function took everything.
template <int Width>
void check_taken(hls::stream<ap_uint<Width> >& stream, const char* name) {
  if (stream.empty()) return;
  const size_t left = stream.size();
  while (!stream.empty()) stream.read();
  throw std::runtime_error(std::string(name) + ": " + std::to_string(left) + " beats were not taken");
}

// Run `frame` for each of `frames`; return the number of the first one that fails, with why in `message`, or -1.
template <class Frame>
int64_t run_frames(int64_t frames, char* message, int64_t size, Frame frame) {
  std::ostringstream said;
  std::streambuf* const usual = std::cout.rdbuf(said.rdbuf());
  int64_t number = 0;
  std::string fault;
  try {
    for (; number < frames && fault.empty(); ++number) {
      frame(number);
      fault = said.str();
    }
  } catch (const std::exception& reason) {
    fault = said.str().empty() ? reason.what() : said.str();
    ++number;
  }
  std::cout.rdbuf(usual);
  if (fault.empty()) return -1;
  std::strncpy(message, fault.substr(0, fault.find('\n')).c_str(), static_cast<size_t>(size) - 1);
  message[size - 1] = 0;
  return number - 1;
}

}  // namespace xnf

#endif  // XNORFLOW_CSIM_HPP
