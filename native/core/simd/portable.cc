// Kernels in plain C++, eight bytes at a time: what the others are tested against, and what runs where there
// is nothing better.
#include <bit>
#include <cstring>

#include "simd/sets.h"

namespace kvasir::simd {

static_assert(std::endian::native == std::endian::little, "registers are read from little-endian words");

namespace {

uint64_t load64(const uint8_t* p) {
  uint64_t v;
  memcpy(&v, p, 8);
  return v;
}
void store64(uint8_t* p, uint64_t v) { memcpy(p, &v, 8); }

// The last n < 8 bytes, with zeros above.
uint64_t load_tail(const uint8_t* p, size_t n) {
  uint64_t v = 0;
  if (n != 0) memcpy(&v, p, n);
  return v;
}

template <class F>
inline void combine(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n, F f) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) store64(out + i, f(load64(a + i), load64(b + i)));
  if (i == n) return;
  const uint64_t v = f(load_tail(a + i, n - i), load_tail(b + i, n - i));
  memcpy(out + i, &v, n - i);
}

// Eight dense registers are six bytes.
constexpr size_t kGroups = kHllRegisters / 8;
// In two loads: six bytes copied into a word would have to be stored before they can be read as one.
uint64_t load48(const uint8_t* p) {
  uint32_t low;
  uint16_t high;
  memcpy(&low, p, 4);
  memcpy(&high, p + 4, 2);
  return low | static_cast<uint64_t>(high) << 32;
}

// Registers of equal values follow each other often, and an increment has to wait for the one before it in
// the same place: so eight histograms, added up at the end.
struct Histograms {
  uint32_t of[8][kHllValues] = {};
  void add_to(uint32_t* histogram) const {
    for (size_t v = 0; v < kHllValues; v++) {
      uint32_t sum = 0;
      for (const auto& h : of) sum += h[v];
      histogram[v] = sum;
    }
  }
};

void hll_merge(uint8_t* raw, const uint8_t* const* dense, size_t n) {
  for (; n > 0; n--, dense++) {
    for (size_t g = 0; g < kGroups; g++) {
      const uint64_t packed = load48(*dense + g * 6);
      for (size_t i = 0; i < 8; i++) {
        const auto value = static_cast<uint8_t>(packed >> (6 * i) & 63);
        uint8_t& r = raw[g * 8 + i];
        r = value > r ? value : r;
      }
    }
  }
}

void hll_pack(uint8_t* dense, const uint8_t* raw) {
  for (size_t g = 0; g < kGroups; g++) {
    uint64_t packed = 0;
    for (size_t i = 0; i < 8; i++) packed |= static_cast<uint64_t>(raw[g * 8 + i] & 63) << (6 * i);
    memcpy(dense + g * 6, &packed, 6);
  }
}

}  // namespace

namespace portable {

uint64_t popcount(const uint8_t* p, size_t n) {
  const auto count = [](uint64_t v) { return static_cast<uint64_t>(std::popcount(v)); };
  uint64_t a = 0, b = 0, c = 0, d = 0;
  for (; n >= 32; p += 32, n -= 32) {
    a += count(load64(p));
    b += count(load64(p + 8));
    c += count(load64(p + 16));
    d += count(load64(p + 24));
  }
  for (; n >= 8; p += 8, n -= 8) a += count(load64(p));
  return a + b + c + d + count(load_tail(p, n));
}

size_t prefix_of(const uint8_t* p, size_t n, uint8_t value) {
  const uint64_t all = value * 0x0101010101010101u;
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const uint64_t other = load64(p + i) ^ all;
    if (other != 0) return i + static_cast<size_t>(std::countr_zero(other)) / 8;
  }
  while (i < n && p[i] == value) i++;
  return i;
}

void bit_and(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n) {
  combine(out, a, b, n, [](uint64_t x, uint64_t y) { return x & y; });
}
void bit_or(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n) {
  combine(out, a, b, n, [](uint64_t x, uint64_t y) { return x | y; });
}
void bit_xor(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n) {
  combine(out, a, b, n, [](uint64_t x, uint64_t y) { return x ^ y; });
}
void bit_not(uint8_t* out, const uint8_t* a, size_t n) {
  combine(out, a, a, n, [](uint64_t x, uint64_t) { return ~x; });
}

void hll_count_dense(const uint8_t* dense, uint32_t* histogram) {
  Histograms h;
  for (size_t g = 0; g < kGroups; g++) {
    const uint64_t packed = load48(dense + g * 6);
    for (size_t i = 0; i < 8; i++) h.of[i][packed >> (6 * i) & 63]++;
  }
  h.add_to(histogram);
}

void hll_count_raw(const uint8_t* raw, uint32_t* histogram) {
  Histograms h;
  for (size_t g = 0; g < kGroups; g++) {
    const uint64_t eight = load64(raw + g * 8);
    for (size_t i = 0; i < 8; i++) h.of[i][eight >> (8 * i) & 63]++;
  }
  h.add_to(histogram);
}

}  // namespace portable

const Kernels kPortable = {
    "portable",       portable::popcount,        portable::prefix_of,    portable::bit_and,
    portable::bit_or, portable::bit_xor,         portable::bit_not,      hll_merge,
    hll_pack,         portable::hll_count_dense, portable::hll_count_raw};

}  // namespace kvasir::simd
