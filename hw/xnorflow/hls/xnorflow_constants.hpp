// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Constant arrays: which machine type holds a number, and words wider than any.
//
// Why this structure: constants of machine types are part of the program as they stand, while every
// ap_uint is made by code of its own before main: 6,144 words of 96 bits, written as strings, took
// g++ 20 seconds. A memory's unused high bits are constant, and synthesis drops them.

#ifndef XNORFLOW_CONSTANTS_HPP
#define XNORFLOW_CONSTANTS_HPP

#include <ap_int.h>

namespace xnorflow {

template <int Size, bool Signed>
struct MachineNumber;
template <>
struct MachineNumber<8, false> { typedef unsigned char Type; };
template <>
struct MachineNumber<8, true> { typedef signed char Type; };
template <>
struct MachineNumber<16, false> { typedef unsigned short Type; };
template <>
struct MachineNumber<16, true> { typedef short Type; };
template <>
struct MachineNumber<32, false> { typedef unsigned int Type; };
template <>
struct MachineNumber<32, true> { typedef int Type; };
template <>
struct MachineNumber<64, false> { typedef unsigned long long Type; };
template <>
struct MachineNumber<64, true> { typedef long long Type; };

// The smallest machine type that holds a number of Bits bits: Constant<Bits, Signed>::Type.
template <int Bits, bool Signed>
struct Constant {
  static_assert(Bits >= 1 && Bits <= 64, "xnorflow::Constant: a number has 1 to 64 bits");
  typedef typename MachineNumber<Bits <= 8 ? 8 : Bits <= 16 ? 16 : Bits <= 32 ? 32 : 64, Signed>::Type Type;
};

// A word of any width in kParts parts of at most 64 bits, the lowest first.
template <int Bits>
struct Word {
  static_assert(Bits >= 1, "xnorflow::Word: a word has at least one bit");
  static const int kParts = (Bits + 63) / 64;
  typedef typename Constant<(Bits < 64 ? Bits : 64), false>::Type Part;

  static ap_uint<Bits> read(const Part (&parts)[kParts]) {
#pragma HLS INLINE
    ap_uint<Bits> word = 0;
  Parts:
    for (int part = 0; part < kParts; ++part) {
#pragma HLS UNROLL
      const int high = part == kParts - 1 ? Bits - 1 : 64 * part + 63;
      word.range(high, 64 * part) = parts[part];
    }
    return word;
  }
};

}  // namespace xnorflow

#endif  // XNORFLOW_CONSTANTS_HPP
