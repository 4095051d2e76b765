// Kernels for x86-64-v2: 16 bytes at a time, bits counted by POPCNT.
#include "simd/sets.h"

#ifdef KVASIR_X86
#include <immintrin.h>

#include <cstring>

#define KVASIR_TARGET __attribute__((target("sse4.2,popcnt")))

namespace kvasir::simd {

namespace {

KVASIR_TARGET inline __m128i load(const uint8_t* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
KVASIR_TARGET inline void store(uint8_t* p, __m128i v) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v); }
inline uint64_t load64(const uint8_t* p) {
  uint64_t v;
  memcpy(&v, p, 8);
  return v;
}

KVASIR_TARGET uint64_t popcount(const uint8_t* p, size_t n) {
  uint64_t a = 0, b = 0, c = 0, d = 0;
  for (; n >= 32; p += 32, n -= 32) {
    a += static_cast<uint64_t>(_mm_popcnt_u64(load64(p)));
    b += static_cast<uint64_t>(_mm_popcnt_u64(load64(p + 8)));
    c += static_cast<uint64_t>(_mm_popcnt_u64(load64(p + 16)));
    d += static_cast<uint64_t>(_mm_popcnt_u64(load64(p + 24)));
  }
  for (; n >= 8; p += 8, n -= 8) a += static_cast<uint64_t>(_mm_popcnt_u64(load64(p)));
  uint64_t rest = 0;
  if (n != 0) memcpy(&rest, p, n);
  return a + b + c + d + static_cast<uint64_t>(_mm_popcnt_u64(rest));
}

KVASIR_TARGET size_t prefix_of(const uint8_t* p, size_t n, uint8_t value) {
  const __m128i all = _mm_set1_epi8(static_cast<char>(value));
  size_t i = 0;
  for (; i + 64 <= n; i += 64) {
    const __m128i x = _mm_or_si128(_mm_xor_si128(load(p + i), all), _mm_xor_si128(load(p + i + 16), all));
    const __m128i y =
        _mm_or_si128(_mm_xor_si128(load(p + i + 32), all), _mm_xor_si128(load(p + i + 48), all));
    const __m128i other = _mm_or_si128(x, y);
    if (!_mm_testz_si128(other, other)) break;
  }
  return i + portable::prefix_of(p + i, n - i, value);
}

KVASIR_TARGET void bit_and(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) store(out + i, _mm_and_si128(load(a + i), load(b + i)));
  portable::bit_and(out + i, a + i, b + i, n - i);
}
KVASIR_TARGET void bit_or(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) store(out + i, _mm_or_si128(load(a + i), load(b + i)));
  portable::bit_or(out + i, a + i, b + i, n - i);
}
KVASIR_TARGET void bit_xor(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) store(out + i, _mm_xor_si128(load(a + i), load(b + i)));
  portable::bit_xor(out + i, a + i, b + i, n - i);
}
KVASIR_TARGET void bit_not(uint8_t* out, const uint8_t* a, size_t n) {
  const __m128i ones = _mm_set1_epi8(-1);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) store(out + i, _mm_xor_si128(load(a + i), ones));
  portable::bit_not(out + i, a + i, n - i);
}

// Sixteen registers from twelve bytes, each in the upper six bits of its byte: below is what its neighbours
// have left there, which does not matter to the larger of two. `spread` brings the bytes that have registers
// 0 and 1 of four to the first 16 bits of each 32, and those that have 2 and 3 to the others.
KVASIR_TARGET inline __m128i unpack_high(__m128i bytes, __m128i spread) {
  const __m128i pairs = _mm_mullo_epi16(_mm_shuffle_epi8(bytes, spread), _mm_set1_epi32(0x00010010));
  return _mm_blendv_epi8(_mm_srli_epi16(pairs, 2), pairs, _mm_set1_epi16(static_cast<int16_t>(0xff00)));
}

KVASIR_TARGET void hll_merge(uint8_t* raw, const uint8_t* const* dense, size_t n) {
  // Blocks of 24 bytes, the second load four bytes early so that neither leaves the block.
  const __m128i first = _mm_setr_epi8(0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11);
  const __m128i second = _mm_setr_epi8(4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11, 12, 13, 14, 14, 15);
  const __m128i six_bits = _mm_set1_epi8(63);
  for (size_t i = 0, at = 0; i < kHllRegisters; i += 32, at += 24) {
    __m128i low = _mm_slli_epi16(load(raw + i), 2);
    __m128i high = _mm_slli_epi16(load(raw + i + 16), 2);
    for (size_t s = 0; s < n; s++) {
      low = _mm_max_epu8(low, unpack_high(load(dense[s] + at), first));
      high = _mm_max_epu8(high, unpack_high(load(dense[s] + at + 8), second));
    }
    store(raw + i, _mm_and_si128(_mm_srli_epi16(low, 2), six_bits));
    store(raw + i + 16, _mm_and_si128(_mm_srli_epi16(high, 2), six_bits));
  }
}

// Twelve bytes from sixteen registers, with zeros above.
KVASIR_TARGET inline __m128i pack(__m128i raw) {
  const __m128i pairs = _mm_maddubs_epi16(raw, _mm_set1_epi16(0x4001));     // a + 64 b
  const __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(0x10000001));  // ... + 4096 (c + 64 d)
  return _mm_shuffle_epi8(fours, _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
}

KVASIR_TARGET void hll_pack(uint8_t* dense, const uint8_t* raw) {
  for (size_t i = 0; i < kHllRegisters; i += 32, dense += 24) {
    const __m128i low = pack(load(raw + i));
    const __m128i high = pack(load(raw + i + 16));
    store(dense, _mm_or_si128(low, _mm_slli_si128(high, 12)));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(dense + 16), _mm_srli_si128(high, 4));
  }
}

}  // namespace

const Kernels kSse42 = {"sse4.2",
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
