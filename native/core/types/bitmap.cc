#include "types/bitmap.h"

#include <algorithm>
#include <bit>

#include "simd/kernels.h"

namespace kvasir::bitmap {

namespace {

__extension__ using uint128 = unsigned __int128;
__extension__ using int128 = __int128;

// Of the byte that holds bit i: the bits from i on, and those up to it.
uint8_t from_mask(uint64_t i) { return static_cast<uint8_t>(0xff >> (i & 7)); }
uint8_t to_mask(uint64_t i) { return static_cast<uint8_t>(0xff << (7 - (i & 7))); }

}  // namespace

uint64_t count(Slice s, uint64_t first, uint64_t last) {
  const auto* p = reinterpret_cast<const uint8_t*>(s.data);
  const uint64_t a = first >> 3;
  const uint64_t b = last >> 3;
  const uint64_t whole = simd::kernels().popcount(p + a, b - a + 1);
  const auto before = static_cast<uint8_t>(p[a] & ~from_mask(first));
  const auto after = static_cast<uint8_t>(p[b] & ~to_mask(last));
  return whole - static_cast<uint64_t>(std::popcount(before) + std::popcount(after));
}

int64_t find(Slice s, uint64_t first, uint64_t last, bool value) {
  const auto* p = reinterpret_cast<const uint8_t*>(s.data);
  // Where a byte has none of what is looked for, it is this one.
  const uint8_t none = value ? 0x00 : 0xff;
  const uint64_t b = last >> 3;
  uint64_t a = first >> 3;
  auto found = static_cast<uint8_t>((p[a] ^ none) & from_mask(first));
  if (found == 0 && a < b) {
    a++;
    a += simd::kernels().prefix_of(p + a, b - a + 1, none);
    if (a > b) return -1;
    found = p[a] ^ none;
  }
  if (a == b) found &= to_mask(last);
  if (found == 0) return -1;
  return static_cast<int64_t>(a * 8 + static_cast<uint64_t>(std::countl_zero(found)));
}

uint64_t field(Slice s, uint64_t offset, unsigned width) {
  const uint64_t last = (offset + width - 1) >> 3;
  uint128 v = 0;
  for (uint64_t i = offset >> 3; i <= last; i++) {
    v = v << 8 | (i < s.size ? static_cast<uint8_t>(s.data[i]) : 0);
  }
  v >>= 8 * (last + 1) - (offset + width);
  return static_cast<uint64_t>(v) & (~uint64_t{0} >> (64 - width));
}

void set_field(char* data, uint64_t offset, unsigned width, uint64_t value) {
  const uint64_t first = offset >> 3;
  const uint64_t last = (offset + width - 1) >> 3;
  const auto shift = static_cast<unsigned>(8 * (last + 1) - (offset + width));
  uint128 mask = static_cast<uint128>(~uint64_t{0} >> (64 - width)) << shift;
  uint128 bits = static_cast<uint128>(value) << shift & mask;
  for (uint64_t i = last + 1; i-- > first; mask >>= 8, bits >>= 8) {
    const auto kept = static_cast<uint8_t>(static_cast<uint8_t>(data[i]) & ~static_cast<uint8_t>(mask));
    data[i] = static_cast<char>(kept | static_cast<uint8_t>(bits));
  }
}

bool fit(FieldType t, int64_t value, int64_t increment, Overflow policy, int64_t* result) {
  const int128 start = t.is_signed ? int128{value} : static_cast<int128>(static_cast<uint64_t>(value));
  const int128 sum = start + increment;
  const int128 max = (int128{1} << (t.is_signed ? t.width - 1 : t.width)) - 1;
  const int128 min = t.is_signed ? -max - 1 : 0;
  if (sum < min || sum > max) {
    if (policy == Overflow::kFail) return false;
    if (policy == Overflow::kSaturate) {
      // Valkey takes a value whose distance from max is beyond 63 bits for one above it.
      const bool below = sum < min && (t.width == 64 || max - start <= INT64_MAX);
      *result = static_cast<int64_t>(below ? min : max);
      return true;
    }
  }
  const uint64_t mask = ~uint64_t{0} >> (64 - t.width);
  *result = read_as(t, static_cast<uint64_t>(sum) & mask);
  return true;
}

}  // namespace kvasir::bitmap
