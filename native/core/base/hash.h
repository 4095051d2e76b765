// Keyed hashing of bytes for tables whose keys clients choose: SipHash-1-2 (Aumasson and Bernstein, 2012; one
// round a block, two at the end), under a seed that is random per process, so that nobody outside can
// aim at one bucket.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/slice.h"

namespace kvasir {

struct HashSeed {
  uint64_t k0;
  uint64_t k1;
};

namespace hash_detail {

static_assert(std::endian::native == std::endian::little, "blocks are read little-endian");

extern HashSeed seed;

inline uint64_t load64(const char* p) {
  uint64_t v;
  memcpy(&v, p, 8);
  return v;
}

// The last n < 8 bytes as a little-endian number, without reading beyond them.
inline uint64_t load_tail(const char* p, size_t n) {
  if (n >= 4) {
    uint32_t low;
    uint32_t high;
    memcpy(&low, p, 4);
    memcpy(&high, p + n - 4, 4);
    return low | (static_cast<uint64_t>(high) << ((n - 4) * 8));
  }
  if (n == 0) return 0;
  const auto at = [p](size_t i) { return static_cast<uint64_t>(static_cast<unsigned char>(p[i])); };
  return at(0) | (at(n / 2) << (n / 2 * 8)) | (at(n - 1) << ((n - 1) * 8));
}

// ASCII letters of eight bytes to lower case; bytes above 127 stay.
inline uint64_t lower8(uint64_t x) {
  constexpr uint64_t kOnes = 0x0101010101010101u;
  const uint64_t low7 = x & (0x7f * kOnes);
  const uint64_t from_a = low7 + (0x80 - 'A') * kOnes;
  const uint64_t beyond_z = low7 + (0x7f - 'Z') * kOnes;
  const uint64_t upper = (from_a ^ beyond_z) & ~x & (0x80 * kOnes);
  return x | (upper >> 2);
}

struct SipState {
  uint64_t v0, v1, v2, v3;

  explicit SipState(const HashSeed& s)
      : v0(s.k0 ^ 0x736f6d6570736575u),
        v1(s.k1 ^ 0x646f72616e646f6du),
        v2(s.k0 ^ 0x6c7967656e657261u),
        v3(s.k1 ^ 0x7465646279746573u) {}

  void round() {
    v0 += v1;
    v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = std::rotl(v1, 17) ^ v2;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 = std::rotl(v2, 32);
  }
  void block(uint64_t m) {
    v3 ^= m;
    round();
    v0 ^= m;
  }
  uint64_t finish() {
    v2 ^= 0xff;
    round();
    round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

template <bool kLower>
inline uint64_t sip12(const char* p, size_t n, const HashSeed& s) {
  SipState st(s);
  const uint64_t length = static_cast<uint64_t>(n) << 56;
  for (; n >= 8; p += 8, n -= 8) st.block(kLower ? lower8(load64(p)) : load64(p));
  const uint64_t tail = load_tail(p, n);
  st.block((kLower ? lower8(tail) : tail) | length);
  return st.finish();
}

uint64_t sip12_long(const char* p, size_t n);

}  // namespace hash_detail

inline constexpr size_t kHashInlineMax = 32;

// The seed is random from the start of the process; a configured one has to be set before the first table
// exists.
void set_hash_seed(const HashSeed& seed);
HashSeed hash_seed();

inline uint64_t hash_bytes(const Slice& s) {
  if (s.size > kHashInlineMax) [[unlikely]]
    return hash_detail::sip12_long(s.data, s.size);
  return hash_detail::sip12<false>(s.data, s.size, hash_detail::seed);
}
inline uint64_t hash_bytes(const Slice& s, const HashSeed& seed) {
  return hash_detail::sip12<false>(s.data, s.size, seed);
}

// The hash, unless it is known already (not 0).
inline uint64_t hash_bytes(const Slice& s, uint64_t known) { return known != 0 ? known : hash_bytes(s); }

// Equal for strings that equals_nocase: the hash of the lower-cased bytes.
uint64_t hash_nocase(const Slice& s);

}  // namespace kvasir
