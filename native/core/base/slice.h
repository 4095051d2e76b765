// A view of bytes that somebody else owns: the currency of the data plane. Never NUL-terminated by
// contract; may hold any byte. Trivially copyable, 16 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace kvasir {

struct Slice {
  const char* data = nullptr;
  size_t size = 0;

  constexpr Slice() = default;
  constexpr Slice(const char* p, size_t n) : data(p), size(n) {}
  constexpr Slice(std::string_view v)
      : data(v.data()), size(v.size()) {}                               // NOLINT(google-explicit-constructor)
  Slice(const std::string& s) : data(s.data()), size(s.size()) {}       // NOLINT(google-explicit-constructor)
  Slice(const char* literal) : data(literal), size(strlen(literal)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool empty() const { return size == 0; }
  char operator[](size_t i) const { return data[i]; }
  [[nodiscard]] const char* begin() const { return data; }
  [[nodiscard]] const char* end() const { return data + size; }
  [[nodiscard]] std::string_view view() const { return {data, size}; }
  [[nodiscard]] std::string str() const { return {data, size}; }

  friend bool operator==(const Slice& a, const Slice& b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
  }
};

// Lexicographic by unsigned bytes, the shorter first on a common prefix. <0, 0, >0.
inline int compare(const Slice& a, const Slice& b) {
  const size_t n = a.size < b.size ? a.size : b.size;
  const int c = n == 0 ? 0 : memcmp(a.data, b.data, n);
  if (c != 0) return c;
  return a.size < b.size ? -1 : a.size > b.size ? 1 : 0;
}

inline char ascii_lower(char c) { return (c >= 'A' && c <= 'Z') ? static_cast<char>(c | 0x20) : c; }

// The ASCII letters of eight bytes lower-cased.
inline uint64_t ascii_lower_word(uint64_t w) {
  constexpr uint64_t kEach = 0x0101010101010101;
  const uint64_t low = w & (kEach * 0x7f);
  const uint64_t from_a = low + kEach * (0x80 - 'A');
  const uint64_t beyond_z = low + kEach * (0x7f - 'Z');
  return w | ((from_a & ~beyond_z & ~w & (kEach * 0x80)) >> 2);
}

// ASCII case-insensitive equality; the field's option words are compared with this.
inline bool equals_nocase(const Slice& a, const Slice& b) {
  if (a.size != b.size) return false;
  const auto equal_at = [&](size_t at, auto word) {
    auto other = word;
    memcpy(&word, a.data + at, sizeof word);
    memcpy(&other, b.data + at, sizeof other);
    return word == other || ascii_lower_word(word) == ascii_lower_word(other);
  };
  size_t i = 0;
  for (; i + 8 <= a.size; i += 8) {
    if (!equal_at(i, uint64_t{})) return false;
  }
  // What is left by words that overlap what was compared.
  if (i == a.size) return true;
  if (a.size >= 8) return equal_at(a.size - 8, uint64_t{});
  if (a.size >= 4) return equal_at(0, uint32_t{}) && equal_at(a.size - 4, uint32_t{});
  for (; i < a.size; i++) {
    if (ascii_lower(a.data[i]) != ascii_lower(b.data[i])) return false;
  }
  return true;
}

}  // namespace kvasir
