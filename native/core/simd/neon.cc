// Kernels for NEON, which every aarch64 has: 16 bytes at a time, registers in structures of three and four.
#include "simd/sets.h"

#ifdef KVASIR_ARM64
#include <arm_neon.h>

namespace kvasir::simd {

namespace {

uint64_t popcount(const uint8_t* p, size_t n) {
  uint64_t total = 0;
  while (n >= 64) {
    // A byte takes 16 more in each round: 15 rounds fit.
    uint8x16_t a = vdupq_n_u8(0), b = a;
    for (int round = 0; round < 15 && n >= 64; round++, p += 64, n -= 64) {
      a = vaddq_u8(a, vaddq_u8(vcntq_u8(vld1q_u8(p)), vcntq_u8(vld1q_u8(p + 16))));
      b = vaddq_u8(b, vaddq_u8(vcntq_u8(vld1q_u8(p + 32)), vcntq_u8(vld1q_u8(p + 48))));
    }
    total += static_cast<uint64_t>(vaddlvq_u8(a)) + vaddlvq_u8(b);
  }
  for (; n >= 16; p += 16, n -= 16) total += vaddlvq_u8(vcntq_u8(vld1q_u8(p)));
  return total + portable::popcount(p, n);
}

size_t prefix_of(const uint8_t* p, size_t n, uint8_t value) {
  const uint8x16_t all = vdupq_n_u8(value);
  size_t i = 0;
  for (; i + 64 <= n; i += 64) {
    const uint8x16_t x = vorrq_u8(veorq_u8(vld1q_u8(p + i), all), veorq_u8(vld1q_u8(p + i + 16), all));
    const uint8x16_t y = vorrq_u8(veorq_u8(vld1q_u8(p + i + 32), all), veorq_u8(vld1q_u8(p + i + 48), all));
    if (vmaxvq_u8(vorrq_u8(x, y)) != 0) break;
  }
  return i + portable::prefix_of(p + i, n - i, value);
}

void bit_and(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) vst1q_u8(out + i, vandq_u8(vld1q_u8(a + i), vld1q_u8(b + i)));
  portable::bit_and(out + i, a + i, b + i, n - i);
}
void bit_or(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) vst1q_u8(out + i, vorrq_u8(vld1q_u8(a + i), vld1q_u8(b + i)));
  portable::bit_or(out + i, a + i, b + i, n - i);
}
void bit_xor(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) vst1q_u8(out + i, veorq_u8(vld1q_u8(a + i), vld1q_u8(b + i)));
  portable::bit_xor(out + i, a + i, b + i, n - i);
}
void bit_not(uint8_t* out, const uint8_t* a, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) vst1q_u8(out + i, vmvnq_u8(vld1q_u8(a + i)));
  portable::bit_not(out + i, a + i, n - i);
}

// Three bytes are four registers: vector i of three holds byte i of each group, vector j of four register j.
// While the largest are looked for, registers are in the upper six bits of their bytes, above what neighbours
// have left there.
void hll_merge(uint8_t* raw, const uint8_t* const* dense, size_t n) {
  for (size_t i = 0, at = 0; i < kHllRegisters; i += 64, at += 48) {
    uint8x16x4_t r = vld4q_u8(raw + i);
    for (uint8x16_t& v : r.val) v = vshlq_n_u8(v, 2);
    for (size_t s = 0; s < n; s++) {
      const uint8x16x3_t b = vld3q_u8(dense[s] + at);
      r.val[0] = vmaxq_u8(r.val[0], vshlq_n_u8(b.val[0], 2));
      r.val[1] = vmaxq_u8(r.val[1], vsriq_n_u8(vshlq_n_u8(b.val[1], 4), b.val[0], 4));
      r.val[2] = vmaxq_u8(r.val[2], vsriq_n_u8(vshlq_n_u8(b.val[2], 6), b.val[1], 2));
      r.val[3] = vmaxq_u8(r.val[3], b.val[2]);
    }
    for (uint8x16_t& v : r.val) v = vshrq_n_u8(v, 2);
    vst4q_u8(raw + i, r);
  }
}

void hll_pack(uint8_t* dense, const uint8_t* raw) {
  for (size_t i = 0; i < kHllRegisters; i += 64, dense += 48) {
    const uint8x16x4_t r = vld4q_u8(raw + i);
    uint8x16x3_t b;
    b.val[0] = vorrq_u8(r.val[0], vshlq_n_u8(r.val[1], 6));
    b.val[1] = vorrq_u8(vshrq_n_u8(r.val[1], 2), vshlq_n_u8(r.val[2], 4));
    b.val[2] = vorrq_u8(vshrq_n_u8(r.val[2], 4), vshlq_n_u8(r.val[3], 2));
    vst3q_u8(dense, b);
  }
}

}  // namespace

const Kernels kNeon = {"neon",
                       popcount,
                       prefix_of,
                       bit_and,
                       bit_or,
                       bit_xor,
                       bit_not,
                       hll_merge,
                       hll_pack,
                       portable::hll_count_dense,
                       portable::hll_count_raw};

}  // namespace kvasir::simd
#endif
