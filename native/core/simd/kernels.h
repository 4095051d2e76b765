// The loops over bits and HyperLogLog registers, one set per instruction set: portable code, SSE4.2 with
// POPCNT, AVX2, AVX-512 (BW, VL, VBMI, VPOPCNTDQ, GFNI) and NEON.
//
// Which set runs is decided once, when the process starts, by what the CPU offers and the operating system
// saves (an AVX register state that is not saved counts as absent); select() replaces the choice. All sets
// give the same results for the same bytes, on any alignment and length, and none touches a byte outside
// what it was given. Selecting is for the thread that runs commands: nothing here is synchronised.
//
// Dense registers are 16,384 numbers of 6 bits, packed without gaps from the lowest bit of each byte upwards;
// raw ones are a byte each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/slice.h"

namespace kvasir::simd {

inline constexpr size_t kHllRegisters = 16384;
inline constexpr size_t kHllDenseBytes = kHllRegisters * 6 / 8;
inline constexpr size_t kHllValues = 64;  // of a register

struct Kernels {
  const char* name;
  // The number of set bits.
  uint64_t (*popcount)(const uint8_t* p, size_t n);
  // How many bytes from the first on are `value`.
  size_t (*prefix_of)(const uint8_t* p, size_t n, uint8_t value);
  // out = a op b; out may be a or b, but not overlap one in part.
  void (*bit_and)(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n);
  void (*bit_or)(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n);
  void (*bit_xor)(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n);
  void (*bit_not)(uint8_t* out, const uint8_t* a, size_t n);
  // Every raw register, all below 64, becomes the largest one of itself and those of n dense ones.
  void (*hll_merge)(uint8_t* raw, const uint8_t* const* dense, size_t n);
  // Raw registers, all below 64, to dense ones.
  void (*hll_pack)(uint8_t* dense, const uint8_t* raw);
  // How many registers have each value. Raw registers must be below 64.
  void (*hll_count_dense)(const uint8_t* dense, uint32_t* histogram);
  void (*hll_count_raw)(const uint8_t* raw, uint32_t* histogram);
};

// Those that run here, from the plainest to the fastest.
std::span<const Kernels* const> available();

// By name, or the fastest for "auto"; false if there is none of that name here.
bool select(Slice name);

namespace detail {
extern const Kernels* active;
}
inline const Kernels& kernels() { return *detail::active; }

}  // namespace kvasir::simd
