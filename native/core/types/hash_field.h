// A field of a hash with its value and, if it has one, its deadline: one allocation, what the dict of a large
// hash points to.
//
//   | flags 1 | field length 1 or 4 | deadline 8, if any | value length 1 or 2, or StrBuf* 8 | field | value
//   |
//
// A value of more than kMaxEmbedded bytes is a StrBuf, which replies refer to. Where the parts begin follows
// from the flags, so that a lookup reads the head and the field's bytes, which are in one cache line.
//
// A field is made whole; assign() changes it in place where that fits and makes a new one elsewhere.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "base/alloc.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "types/type.h"

namespace kvasir {

// When fields are past their deadline, in the eyes of the running command. Nothing is by default.
struct FieldClock {
  // A field with an earlier deadline is hidden.
  int64_t hidden_before = std::numeric_limits<int64_t>::min();
  // A deadline up to this one is as good as none: a field that is given it is to be removed at once, and one
  // that is overwritten had expired.
  int64_t past_until = std::numeric_limits<int64_t>::min();

  [[nodiscard]] bool hides(int64_t deadline) const {
    return deadline != kNoExpiry && deadline < hidden_before;
  }
  [[nodiscard]] bool past(int64_t deadline) const { return deadline != kNoExpiry && deadline <= past_until; }
};

// A value to be stored. With a buffer, the text is all of the buffer's bytes; a reference is taken if the
// value is long.
struct HashInput {
  Slice text;
  StrBuf* buffer = nullptr;
};

class HashField {
 public:
  static constexpr size_t kMaxEmbedded = 1024;

  static HashField* make(Slice field, const HashInput& value, int64_t deadline);
  // The same with the value of another one.
  static HashField* copy_of(const HashField& f);
  static void destroy(HashField* f);
  // Gives f another value and deadline. Returns where it is now; f is gone if that is elsewhere.
  static HashField* assign(HashField* f, const HashInput& value, int64_t deadline);
  // Gives f another deadline and lets it keep its value. As assign().
  static HashField* redate(HashField* f, int64_t deadline);

  [[nodiscard]] Slice field() const {
    const char* p = bytes();
    const auto flags = static_cast<uint8_t>(*p);
    if ((flags & kLongField) == 0) return {p + kHead[flags], static_cast<uint8_t>(p[1])};
    uint32_t n;
    memcpy(&n, p + 1, sizeof n);
    return {p + kHead[flags], n};
  }
  // The buffer that holds the value; nullptr if it is embedded.
  [[nodiscard]] StrBuf* buffer() const {
    if ((flags() & kBuffer) == 0) return nullptr;
    StrBuf* b;
    memcpy(&b, meta(), sizeof b);
    return b;
  }
  [[nodiscard]] Slice value() const {
    if (const StrBuf* b = buffer()) return b->slice();
    return {field().end(), embedded_size()};
  }
  [[nodiscard]] bool has_deadline() const { return (flags() & kDeadline) != 0; }
  [[nodiscard]] int64_t deadline() const {
    if (!has_deadline()) return kNoExpiry;
    int64_t ms;
    memcpy(&ms, bytes() + date_at(), sizeof ms);
    return ms;
  }
  // Memory of the field and its value.
  [[nodiscard]] size_t footprint() const {
    const StrBuf* b = buffer();
    return mem_usable(this) + (b == nullptr ? 0 : b->footprint());
  }

 private:
  static constexpr uint8_t kDeadline = 1, kBuffer = 2, kLongField = 4, kLongValue = 8;
  // By flags: where the field's bytes begin.
  static constexpr std::array<uint8_t, 16> kHead = [] {
    std::array<uint8_t, 16> head{};
    for (uint8_t f = 0; f < 16; f++) {
      head[f] = static_cast<uint8_t>(1 + ((f & kLongField) ? 4 : 1) + ((f & kDeadline) ? 8 : 0) +
                                     ((f & kBuffer)      ? 8
                                      : (f & kLongValue) ? 2
                                                         : 1));
    }
    return head;
  }();

  // The parts of a field to be made: everything but the bytes of the field and the value.
  struct Layout {
    uint8_t flags;
    size_t size;
  };
  static Layout layout(size_t field, size_t value, bool deadline);
  static HashField* shell(const Layout& l, Slice field, int64_t deadline);

  [[nodiscard]] const char* bytes() const { return reinterpret_cast<const char*>(this); }
  char* bytes() { return reinterpret_cast<char*>(this); }
  [[nodiscard]] uint8_t flags() const { return static_cast<uint8_t>(*bytes()); }
  [[nodiscard]] size_t date_at() const { return (flags() & kLongField) ? 5 : 2; }
  // The value's length or buffer.
  [[nodiscard]] const char* meta() const { return bytes() + date_at() + ((flags() & kDeadline) ? 8 : 0); }
  char* meta() { return const_cast<char*>(std::as_const(*this).meta()); }
  [[nodiscard]] size_t embedded_size() const {
    const char* p = meta();
    if ((flags() & kLongValue) == 0) return static_cast<uint8_t>(*p);
    uint16_t n;
    memcpy(&n, p, sizeof n);
    return n;
  }
  void set_deadline(int64_t ms) { memcpy(bytes() + date_at(), &ms, sizeof ms); }
  void set_buffer(StrBuf* b) { memcpy(meta(), &b, sizeof b); }
  void embed(Slice value);
};

}  // namespace kvasir
