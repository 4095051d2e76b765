// Whether two pieces of memory of the same length are equal, without a call while they are short: for keys
// and elements, most of which are.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/slice.h"

namespace kvasir {

inline bool same_bytes(const char* a, const char* b, size_t n) {
  const auto word = [](const char* p) {
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
  };
  const auto half = [](const char* p) {
    uint32_t w;
    memcpy(&w, p, sizeof w);
    return w;
  };
  if (n > 32) return memcmp(a, b, n) == 0;
  // Two or four words that overlap.
  if (n >= 8) {
    const char* const a_end = a + n - 8;
    const char* const b_end = b + n - 8;
    uint64_t diff = (word(a) ^ word(b)) | (word(a_end) ^ word(b_end));
    if (n > 16) diff |= (word(a + 8) ^ word(b + 8)) | (word(a_end - 8) ^ word(b_end - 8));
    return diff == 0;
  }
  if (n >= 4) return ((half(a) ^ half(b)) | (half(a + n - 4) ^ half(b + n - 4))) == 0;
  return n == 0 || (a[0] == b[0] && a[n / 2] == b[n / 2] && a[n - 1] == b[n - 1]);
}

inline bool same_bytes(const Slice& a, const Slice& b) {
  return a.size == b.size && same_bytes(a.data, b.data, a.size);
}

}  // namespace kvasir
