// The id of a stream's entry: milliseconds and a number within them, ordered as one number of 128 bits.
//
// As text `ms-seq`; as bytes (RDB, DUMP) 16, big endian.
#pragma once

#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>

#include "base/numbers.h"
#include "base/slice.h"

namespace kvasir {

struct StreamId {
  uint64_t ms = 0;
  uint64_t seq = 0;

  static constexpr size_t kChars = 41;  // of the longest text
  static constexpr size_t kBytes = 16;

  // NOLINTNEXTLINE(modernize-use-nullptr): a mistake of clang-tidy 14 about defaulted comparisons
  friend constexpr auto operator<=>(const StreamId&, const StreamId&) = default;

  static constexpr StreamId greatest() { return {UINT64_MAX, UINT64_MAX}; }
  [[nodiscard]] bool is_zero() const { return ms == 0 && seq == 0; }

  // The id behind this one; the greatest has none: false, and it wraps around.
  bool increment() {
    if (++seq != 0) return true;
    return ++ms != 0;
  }
  // The id before this one; 0-0 has none: false, and it wraps around.
  bool decrement() {
    if (seq-- != 0) return true;
    return ms-- != 0;
  }

  // Writes at most kChars.
  size_t format(char* out) const {
    size_t n = format_u64(out, ms);
    out[n++] = '-';
    return n + format_u64(out + n, seq);
  }
  void encode(char* out) const {
    const uint64_t words[2] = {big_endian(ms), big_endian(seq)};
    memcpy(out, words, kBytes);
  }
  static StreamId decode(const char* bytes) {
    uint64_t words[2];
    memcpy(words, bytes, kBytes);
    return {big_endian(words[0]), big_endian(words[1])};
  }

 private:
  static uint64_t big_endian(uint64_t v) {
    return std::endian::native == std::endian::little ? __builtin_bswap64(v) : v;
  }
};

// An id with its text, for replies and propagation.
class StreamIdText {
 public:
  explicit StreamIdText(const StreamId& id) : size_(id.format(text_)) {}
  [[nodiscard]] Slice slice() const { return {text_, size_}; }

 private:
  char text_[StreamId::kChars];
  size_t size_;
};

}  // namespace kvasir
