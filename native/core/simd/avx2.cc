// Kernels for AVX2: 32 bytes at a time.
#include "simd/sets.h"

#ifdef KVASIR_X86
#include <immintrin.h>

#define KVASIR_TARGET __attribute__((target("avx2,popcnt")))

namespace kvasir::simd {

namespace {

KVASIR_TARGET inline __m256i load(const uint8_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
KVASIR_TARGET inline void store(uint8_t* p, __m256i v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
}

// Set bits of each 64-bit lane: a table of 16 answers, asked for both halves of every byte.
KVASIR_TARGET inline __m256i count_lanes(__m256i v) {
  const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2,
                                         3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i half = _mm256_set1_epi8(15);
  const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(v, half));
  const __m256i high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(v, 4), half));
  return _mm256_sad_epu8(_mm256_add_epi8(low, high), _mm256_setzero_si256());
}

// A full adder of bits: a + b + *sum, the carry returned.
KVASIR_TARGET inline __m256i add_bits(__m256i* sum, __m256i a, __m256i b) {
  const __m256i u = _mm256_xor_si256(a, b);
  const __m256i carry = _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(u, *sum));
  *sum = _mm256_xor_si256(u, *sum);
  return carry;
}

KVASIR_TARGET inline uint64_t sum_lanes(__m256i v) {
  const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  return static_cast<uint64_t>(_mm_cvtsi128_si64(two)) + static_cast<uint64_t>(_mm_extract_epi64(two, 1));
}

// Counts through adders of bits, so that one vector of sixteen has its bits counted (Mula, Kurz, Lemire:
// Faster population counts using AVX2 instructions, 2018).
struct Counter {
  __m256i ones, twos, fours, eights, sixteens;

  KVASIR_TARGET Counter() { ones = twos = fours = eights = sixteens = _mm256_setzero_si256(); }
  // 512 bytes
  KVASIR_TARGET inline void add(const uint8_t* p) {
    __m256i carry2[2], carry4[2], carry8[2];
    for (size_t h = 0; h < 2; h++) {
      for (size_t q = 0; q < 2; q++) {
        const uint8_t* at = p + h * 256 + q * 128;
        carry2[0] = add_bits(&ones, load(at), load(at + 32));
        carry2[1] = add_bits(&ones, load(at + 64), load(at + 96));
        carry4[q] = add_bits(&twos, carry2[0], carry2[1]);
      }
      carry8[h] = add_bits(&fours, carry4[0], carry4[1]);
    }
    sixteens = _mm256_add_epi64(sixteens, count_lanes(add_bits(&eights, carry8[0], carry8[1])));
  }
  [[nodiscard]] KVASIR_TARGET __m256i total() const {
    __m256i sum = _mm256_slli_epi64(sixteens, 4);
    sum = _mm256_add_epi64(sum, _mm256_slli_epi64(count_lanes(eights), 3));
    sum = _mm256_add_epi64(sum, _mm256_slli_epi64(count_lanes(fours), 2));
    sum = _mm256_add_epi64(sum, _mm256_slli_epi64(count_lanes(twos), 1));
    return _mm256_add_epi64(sum, count_lanes(ones));
  }
};

KVASIR_TARGET uint64_t popcount(const uint8_t* p, size_t n) {
  __m256i total = _mm256_setzero_si256();
  if (n >= 512) {
    Counter counter;
    if (n >= kStreamsFrom) {
      constexpr size_t kStreams = 8;
      const size_t each = stream_bytes(n, kStreams);
      for (size_t i = 0; i < each; i += 512) {
        for (size_t s = 0; s < kStreams; s++) counter.add(p + s * each + i);
      }
      p += kStreams * each;
      n -= kStreams * each;
    }
    for (; n >= 512; p += 512, n -= 512) counter.add(p);
    total = counter.total();
  }
  for (; n >= 32; p += 32, n -= 32) total = _mm256_add_epi64(total, count_lanes(load(p)));
  return sum_lanes(total) + kSse42.popcount(p, n);
}

KVASIR_TARGET size_t prefix_of(const uint8_t* p, size_t n, uint8_t value) {
  const __m256i all = _mm256_set1_epi8(static_cast<char>(value));
  size_t i = 0;
  for (; i + 128 <= n; i += 128) {
    const __m256i x =
        _mm256_or_si256(_mm256_xor_si256(load(p + i), all), _mm256_xor_si256(load(p + i + 32), all));
    const __m256i y =
        _mm256_or_si256(_mm256_xor_si256(load(p + i + 64), all), _mm256_xor_si256(load(p + i + 96), all));
    const __m256i other = _mm256_or_si256(x, y);
    if (!_mm256_testz_si256(other, other)) break;
  }
  return i + portable::prefix_of(p + i, n - i, value);
}

KVASIR_TARGET void bit_and(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n) {
  size_t i = 0;
  for (; i + 32 <= n; i += 32) store(out + i, _mm256_and_si256(load(a + i), load(b + i)));
  portable::bit_and(out + i, a + i, b + i, n - i);
}
KVASIR_TARGET void bit_or(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n) {
  size_t i = 0;
  for (; i + 32 <= n; i += 32) store(out + i, _mm256_or_si256(load(a + i), load(b + i)));
  portable::bit_or(out + i, a + i, b + i, n - i);
}
KVASIR_TARGET void bit_xor(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n) {
  size_t i = 0;
  for (; i + 32 <= n; i += 32) store(out + i, _mm256_xor_si256(load(a + i), load(b + i)));
  portable::bit_xor(out + i, a + i, b + i, n - i);
}
KVASIR_TARGET void bit_not(uint8_t* out, const uint8_t* a, size_t n) {
  const __m256i ones = _mm256_set1_epi8(-1);
  size_t i = 0;
  for (; i + 32 <= n; i += 32) store(out + i, _mm256_xor_si256(load(a + i), ones));
  portable::bit_not(out + i, a + i, n - i);
}

// 32 registers from 24 bytes, as unpack_high() in sse42.cc; the upper half is loaded four bytes early so that
// no load leaves the 24.
KVASIR_TARGET inline __m256i unpack_high(const uint8_t* dense) {
  const __m256i spread = _mm256_setr_epi8(0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11, 4, 5, 5, 6, 7, 8,
                                          8, 9, 10, 11, 11, 12, 13, 14, 14, 15);
  const __m256i bytes = _mm256_loadu2_m128i(reinterpret_cast<const __m128i*>(dense + 8),
                                            reinterpret_cast<const __m128i*>(dense));
  const __m256i pairs = _mm256_mullo_epi16(_mm256_shuffle_epi8(bytes, spread), _mm256_set1_epi32(0x00010010));
  return _mm256_blendv_epi8(_mm256_srli_epi16(pairs, 2), pairs,
                            _mm256_set1_epi16(static_cast<int16_t>(0xff00)));
}

KVASIR_TARGET void hll_merge(uint8_t* raw, const uint8_t* const* dense, size_t n) {
  const __m256i six_bits = _mm256_set1_epi8(63);
  for (size_t i = 0, at = 0; i < kHllRegisters; i += 32, at += 24) {
    __m256i r = _mm256_slli_epi16(load(raw + i), 2);
    for (size_t s = 0; s < n; s++) r = _mm256_max_epu8(r, unpack_high(dense[s] + at));
    store(raw + i, _mm256_and_si256(_mm256_srli_epi16(r, 2), six_bits));
  }
}

KVASIR_TARGET void hll_pack(uint8_t* dense, const uint8_t* raw) {
  const __m256i squeeze = _mm256_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1, 0, 1, 2, 4,
                                           5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
  const __m256i join = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7);
  for (size_t i = 0; i < kHllRegisters; i += 32, dense += 24) {
    const __m256i pairs = _mm256_maddubs_epi16(load(raw + i), _mm256_set1_epi16(0x4001));  // a + 64 b
    const __m256i fours = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x10000001));  // ... + 4096 (c + 64 d)
    const __m256i joined = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(fours, squeeze), join);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(dense), _mm256_castsi256_si128(joined));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(dense + 16), _mm256_extracti128_si256(joined, 1));
  }
}

}  // namespace

const Kernels kAvx2 = {"avx2",
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
