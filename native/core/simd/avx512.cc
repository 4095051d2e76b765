// Kernels for AVX-512 as Ice Lake and Zen 4 have it: 64 bytes at a time, ends by masked loads and stores.
//
// Masked-out bytes are not touched, so that a load may reach beyond the last byte of a page.
#include "simd/sets.h"

#ifdef KVASIR_X86
#include <immintrin.h>

#if defined(__GNUC__) && !defined(__clang__)
// gcc 12 takes the "undefined" vectors inside its own intrinsics for mistakes of ours (its bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#define KVASIR_TARGET \
  __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vpopcntdq,gfni,popcnt,bmi")))

namespace kvasir::simd {

namespace {

KVASIR_TARGET inline __m512i load(const uint8_t* p) { return _mm512_loadu_si512(p); }
KVASIR_TARGET inline void store(uint8_t* p, __m512i v) { _mm512_storeu_si512(p, v); }
// n < 64
inline __mmask64 first(size_t n) { return (uint64_t{1} << n) - 1; }

// Counts in four vectors, so that an addition does not have to wait for the one before it.
struct Counter {
  __m512i a, b, c, d;

  KVASIR_TARGET Counter() { a = b = c = d = _mm512_setzero_si512(); }
  // 256 bytes
  KVASIR_TARGET inline void add(const uint8_t* p) {
    a = _mm512_add_epi64(a, _mm512_popcnt_epi64(load(p)));
    b = _mm512_add_epi64(b, _mm512_popcnt_epi64(load(p + 64)));
    c = _mm512_add_epi64(c, _mm512_popcnt_epi64(load(p + 128)));
    d = _mm512_add_epi64(d, _mm512_popcnt_epi64(load(p + 192)));
  }
  // Those of p that the mask has.
  KVASIR_TARGET inline void add(__mmask64 mask, const uint8_t* p) {
    a = _mm512_add_epi64(a, _mm512_popcnt_epi64(_mm512_maskz_loadu_epi8(mask, p)));
  }
  [[nodiscard]] KVASIR_TARGET inline uint64_t total() const {
    return static_cast<uint64_t>(
        _mm512_reduce_add_epi64(_mm512_add_epi64(_mm512_add_epi64(a, b), _mm512_add_epi64(c, d))));
  }
};

KVASIR_TARGET uint64_t popcount(const uint8_t* p, size_t n) {
  // Where memory is what takes the time, halves of lines asked for in turn were measured to come sooner.
  if (n >= kStreamsFrom) return kAvx2.popcount(p, n);
  Counter counter;
  // A load across a cache line costs two: worth a step to the next line if there are many.
  const size_t head = -reinterpret_cast<uintptr_t>(p) & 63;
  if (n >= 1024 && head != 0) {
    counter.add(first(head), p);
    p += head;
    n -= head;
  }
  for (; n >= 256; p += 256, n -= 256) counter.add(p);
  for (; n >= 64; p += 64, n -= 64) counter.add(~uint64_t{0}, p);
  if (n != 0) counter.add(first(n), p);
  return counter.total();
}

KVASIR_TARGET size_t prefix_of(const uint8_t* p, size_t n, uint8_t value) {
  const __m512i all = _mm512_set1_epi8(static_cast<char>(value));
  size_t i = 0;
  for (; i + 256 <= n; i += 256) {
    const __m512i x =
        _mm512_or_si512(_mm512_xor_si512(load(p + i), all), _mm512_xor_si512(load(p + i + 64), all));
    const __m512i y =
        _mm512_or_si512(_mm512_xor_si512(load(p + i + 128), all), _mm512_xor_si512(load(p + i + 192), all));
    const __m512i other = _mm512_or_si512(x, y);
    if (_mm512_test_epi64_mask(other, other) != 0) break;
  }
  for (; i + 64 <= n; i += 64) {
    const __mmask64 other = _mm512_cmpneq_epi8_mask(load(p + i), all);
    if (other != 0) return i + static_cast<size_t>(__builtin_ctzll(other));
  }
  if (i == n) return n;
  const __mmask64 rest = first(n - i);
  const __mmask64 other = _mm512_mask_cmpneq_epi8_mask(rest, _mm512_maskz_loadu_epi8(rest, p + i), all);
  return other == 0 ? n : i + static_cast<size_t>(__builtin_ctzll(other));
}

struct And {
  KVASIR_TARGET static __m512i apply(__m512i x, __m512i y) { return _mm512_and_si512(x, y); }
};
struct Or {
  KVASIR_TARGET static __m512i apply(__m512i x, __m512i y) { return _mm512_or_si512(x, y); }
};
struct Xor {
  KVASIR_TARGET static __m512i apply(__m512i x, __m512i y) { return _mm512_xor_si512(x, y); }
};

template <class Op>
KVASIR_TARGET void combine(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n) {
  size_t i = 0;
  for (; i + 64 <= n; i += 64) store(out + i, Op::apply(load(a + i), load(b + i)));
  if (i == n) return;
  const __mmask64 rest = first(n - i);
  _mm512_mask_storeu_epi8(
      out + i, rest, Op::apply(_mm512_maskz_loadu_epi8(rest, a + i), _mm512_maskz_loadu_epi8(rest, b + i)));
}

KVASIR_TARGET void bit_not(uint8_t* out, const uint8_t* a, size_t n) {
  const __m512i ones = _mm512_set1_epi8(-1);
  size_t i = 0;
  for (; i + 64 <= n; i += 64) store(out + i, _mm512_xor_si512(load(a + i), ones));
  if (i == n) return;
  const __mmask64 rest = first(n - i);
  _mm512_mask_storeu_epi8(out + i, rest, _mm512_xor_si512(_mm512_maskz_loadu_epi8(rest, a + i), ones));
}

constexpr __mmask64 kPacked64 = 0x0000ffffffffffff;  // 64 dense registers: 48 bytes
constexpr size_t kLastBlock = simd::kHllDenseBytes - 48;

// The 48 bytes of a block in the lower part of a vector. All blocks but the last have others behind them.
KVASIR_TARGET inline __m512i load_block(const uint8_t* dense, size_t at) {
  return at < kLastBlock ? load(dense + at) : _mm512_maskz_loadu_epi8(kPacked64, dense + at);
}

// 64 registers, a byte each: six bytes to each 64-bit lane, and from there eight bits to each byte, six of
// which are the register and two its neighbours' left-overs. `shifts` says which.
KVASIR_TARGET inline __m512i unpack_unmasked(__m512i block, __m512i shifts) {
  const __m512i spread =
      _mm512_set_epi8(63, 63, 47, 46, 45, 44, 43, 42, 63, 63, 41, 40, 39, 38, 37, 36, 63, 63, 35, 34, 33, 32,
                      31, 30, 63, 63, 29, 28, 27, 26, 25, 24, 63, 63, 23, 22, 21, 20, 19, 18, 63, 63, 17, 16,
                      15, 14, 13, 12, 63, 63, 11, 10, 9, 8, 7, 6, 63, 63, 5, 4, 3, 2, 1, 0);
  return _mm512_multishift_epi64_epi8(shifts, _mm512_permutexvar_epi8(spread, block));
}
// The register in the lower six bits: shifts by 0, 6, 12, ... 42.
KVASIR_TARGET inline __m512i low_shifts() { return _mm512_set1_epi64(0x2a241e18120c0600); }
// In the upper six, which do not have to be cut out before the larger of two is taken: by two less.
KVASIR_TARGET inline __m512i high_shifts() { return _mm512_set1_epi64(0x28221c16100a043e); }

KVASIR_TARGET void hll_merge(uint8_t* raw, const uint8_t* const* dense, size_t n) {
  // Blocks whose registers stay in vectors while all sources are gone through.
  constexpr size_t kTogether = 8;
  const __m512i shifts = high_shifts();
  const __m512i six_bits = _mm512_set1_epi8(63);
  for (size_t at = 0; at <= kLastBlock; at += kTogether * 48, raw += kTogether * 64) {
    __m512i r[kTogether];
    for (size_t i = 0; i < kTogether; i++) r[i] = _mm512_slli_epi16(load(raw + i * 64), 2);
    for (size_t s = 0; s < n; s++) {
      for (size_t i = 0; i < kTogether; i++) {
        r[i] = _mm512_max_epu8(r[i], unpack_unmasked(load_block(dense[s], at + i * 48), shifts));
      }
    }
    for (size_t i = 0; i < kTogether; i++) {
      store(raw + i * 64, _mm512_and_si512(_mm512_srli_epi16(r[i], 2), six_bits));
    }
  }
}

KVASIR_TARGET void hll_pack(uint8_t* dense, const uint8_t* raw) {
  const __m512i squeeze =
      _mm512_set_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 61, 60, 59, 58, 57, 56, 53, 52, 51, 50,
                      49, 48, 45, 44, 43, 42, 41, 40, 37, 36, 35, 34, 33, 32, 29, 28, 27, 26, 25, 24, 21, 20,
                      19, 18, 17, 16, 13, 12, 11, 10, 9, 8, 5, 4, 3, 2, 1, 0);
  for (size_t at = 0; at <= kLastBlock; at += 48, raw += 64) {
    const __m512i pairs = _mm512_maddubs_epi16(load(raw), _mm512_set1_epi16(0x4001));  // a + 64 b
    const __m512i fours = _mm512_madd_epi16(pairs, _mm512_set1_epi32(0x10000001));  // ... + 4096 (c + 64 d)
    // The upper 24 bits of each lane down to where the lower 24 end.
    const __m512i low = _mm512_and_si512(fours, _mm512_set1_epi64(0xffffff));
    const __m512i eights = _mm512_or_si512(low, _mm512_slli_epi64(_mm512_srli_epi64(fours, 32), 24));
    const __m512i packed = _mm512_permutexvar_epi8(squeeze, eights);
    // The next block overwrites what is too much; a masked store would be many times slower on some CPUs.
    if (at < kLastBlock) {
      store(dense + at, packed);
    } else {
      _mm512_mask_storeu_epi8(dense + at, kPacked64, packed);
    }
  }
}

// Bit j of 64 registers in 64-bit lane j: an 8x8 bit transposition in every lane, then one of bytes between
// them. The order of the registers changes, the same way in all lanes.
KVASIR_TARGET inline __m512i bit_planes(__m512i registers) {
  const __m512i gather =
      _mm512_set_epi8(63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21,
                      13, 5, 60, 52, 44, 36, 28, 20, 12, 4, 59, 51, 43, 35, 27, 19, 11, 3, 58, 50, 42, 34, 26,
                      18, 10, 2, 57, 49, 41, 33, 25, 17, 9, 1, 56, 48, 40, 32, 24, 16, 8, 0);
  const __m512i rows = _mm512_gf2p8affine_epi64_epi8(
      _mm512_set1_epi64(static_cast<int64_t>(0x8040201008040201u)), registers, 0);
  return _mm512_permutexvar_epi8(gather, rows);
}

// The registers of a block of 512 with value v are the ones where six planes of 512 bits agree with v's bits.
// Eight values with the same upper three bits go together; a block has few such eights.
KVASIR_TARGET inline void count_block(const __m512i* v, __m512i* counts) {
  __m512i lo[4], hi[4];
  for (int i = 0; i < 4; i++) {
    lo[i] = _mm512_unpacklo_epi64(v[2 * i], v[2 * i + 1]);
    hi[i] = _mm512_unpackhi_epi64(v[2 * i], v[2 * i + 1]);
  }
  const __m512i lo0 = _mm512_shuffle_i64x2(lo[0], lo[1], 0x44),
                lo1 = _mm512_shuffle_i64x2(lo[2], lo[3], 0x44);
  const __m512i lo2 = _mm512_shuffle_i64x2(lo[0], lo[1], 0xee),
                lo3 = _mm512_shuffle_i64x2(lo[2], lo[3], 0xee);
  const __m512i hi0 = _mm512_shuffle_i64x2(hi[0], hi[1], 0x44),
                hi1 = _mm512_shuffle_i64x2(hi[2], hi[3], 0x44);
  const __m512i hi2 = _mm512_shuffle_i64x2(hi[0], hi[1], 0xee),
                hi3 = _mm512_shuffle_i64x2(hi[2], hi[3], 0xee);
  const __m512i p0 = _mm512_shuffle_i64x2(lo0, lo1, 0x88), p2 = _mm512_shuffle_i64x2(lo0, lo1, 0xdd);
  const __m512i p4 = _mm512_shuffle_i64x2(lo2, lo3, 0x88);
  const __m512i p1 = _mm512_shuffle_i64x2(hi0, hi1, 0x88), p3 = _mm512_shuffle_i64x2(hi0, hi1, 0xdd);
  const __m512i p5 = _mm512_shuffle_i64x2(hi2, hi3, 0x88);

  // Of a ternary logic's table, bit i is the answer to the three inputs that spell i: one bit per minterm.
  const __m512i low[8] = {
      _mm512_ternarylogic_epi64(p2, p1, p0, 0x01), _mm512_ternarylogic_epi64(p2, p1, p0, 0x02),
      _mm512_ternarylogic_epi64(p2, p1, p0, 0x04), _mm512_ternarylogic_epi64(p2, p1, p0, 0x08),
      _mm512_ternarylogic_epi64(p2, p1, p0, 0x10), _mm512_ternarylogic_epi64(p2, p1, p0, 0x20),
      _mm512_ternarylogic_epi64(p2, p1, p0, 0x40), _mm512_ternarylogic_epi64(p2, p1, p0, 0x80)};
  const __m512i high[8] = {
      _mm512_ternarylogic_epi64(p5, p4, p3, 0x01), _mm512_ternarylogic_epi64(p5, p4, p3, 0x02),
      _mm512_ternarylogic_epi64(p5, p4, p3, 0x04), _mm512_ternarylogic_epi64(p5, p4, p3, 0x08),
      _mm512_ternarylogic_epi64(p5, p4, p3, 0x10), _mm512_ternarylogic_epi64(p5, p4, p3, 0x20),
      _mm512_ternarylogic_epi64(p5, p4, p3, 0x40), _mm512_ternarylogic_epi64(p5, p4, p3, 0x80)};
  for (int h = 0; h < 8; h++) {
    if (_mm512_test_epi64_mask(high[h], high[h]) == 0) continue;
    for (int l = 0; l < 8; l++) {
      __m512i& count = counts[h * 8 + l];
      count = _mm512_add_epi64(count, _mm512_popcnt_epi64(_mm512_and_si512(high[h], low[l])));
    }
  }
}

KVASIR_TARGET inline void sum_counts(const __m512i* counts, uint32_t* histogram) {
  for (size_t v = 0; v < kHllValues; v++) {
    histogram[v] = static_cast<uint32_t>(_mm512_reduce_add_epi64(counts[v]));
  }
}

KVASIR_TARGET void hll_count_dense(const uint8_t* dense, uint32_t* histogram) {
  const __m512i shifts = low_shifts();
  __m512i counts[kHllValues] = {};
  for (size_t at = 0; at <= kLastBlock;) {
    __m512i v[8];
    for (int j = 0; j < 8; j++, at += 48) v[j] = bit_planes(unpack_unmasked(load_block(dense, at), shifts));
    count_block(v, counts);
  }
  sum_counts(counts, histogram);
}

KVASIR_TARGET void hll_count_raw(const uint8_t* raw, uint32_t* histogram) {
  __m512i counts[kHllValues] = {};
  for (size_t i = 0; i < kHllRegisters; i += 512) {
    __m512i v[8];
    for (int j = 0; j < 8; j++, raw += 64) v[j] = bit_planes(load(raw));
    count_block(v, counts);
  }
  sum_counts(counts, histogram);
}

}  // namespace

const Kernels kAvx512 = {"avx512", popcount,  prefix_of, combine<And>,    combine<Or>,  combine<Xor>,
                         bit_not,  hll_merge, hll_pack,  hll_count_dense, hll_count_raw};

}  // namespace kvasir::simd
#endif
