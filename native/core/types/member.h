// The bytes of one element as a single allocation that begins with their length: what the tables of sets own,
// and a part of what those of sorted sets own.
//
//   | length 1 | bytes     up to 253 bytes
//   | 254 | length 4 | bytes
//   | 255 | length 8 | bytes
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/slice.h"
#include "dict/dict.h"

namespace kvasir {

// The form above, wherever it stands.
struct LengthPrefixed {
  static constexpr size_t kShort = 254;

  static size_t head(size_t n) { return n < kShort ? 1 : n <= UINT32_MAX ? 5 : 9; }
  static size_t size_for(Slice bytes) { return head(bytes.size) + bytes.size; }
  // At p are size_for(bytes) bytes.
  static void write(char* p, Slice bytes) {
    const size_t n = head(bytes.size);
    if (n == 1) {
      *p = static_cast<char>(bytes.size);
    } else {
      *p = static_cast<char>(n == 5 ? kShort : kShort + 1);
      memcpy(p + 1, &bytes.size, n - 1);  // little endian
    }
    if (bytes.size > 0) memcpy(p + n, bytes.data, bytes.size);
  }
  static Slice read(const char* p) {
    const auto n = static_cast<uint8_t>(*p);
    if (n < kShort) return {p + 1, n};
    uint64_t size = 0;
    const size_t bytes = n == kShort ? 4 : 8;
    memcpy(&size, p + 1, bytes);
    return {p + 1 + bytes, size};
  }
};

class Member {
 public:
  Member() = delete;
  static Member* make(Slice bytes) {
    return write(static_cast<char*>(mem_alloc(LengthPrefixed::size_for(bytes))), bytes);
  }
  // In memory of the caller's, LengthPrefixed::size_for(bytes) of it.
  static Member* write(char* p, Slice bytes) {
    LengthPrefixed::write(p, bytes);
    return reinterpret_cast<Member*>(p);
  }
  [[nodiscard]] Slice bytes() const { return LengthPrefixed::read(reinterpret_cast<const char*>(this)); }
};

struct MemberTraits {
  using Elem = Member*;
  static Slice key(Elem e) { return e->bytes(); }
  static uint64_t hash(const Slice& s) { return hash_bytes(s); }
};
using MemberDict = Dict<MemberTraits>;

}  // namespace kvasir
