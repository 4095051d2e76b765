// A key with its value: what the dict's buckets point to. One allocation holds the header, the deadline if
// there is one, the key, and the value when that is a short string.
//
//   | header 8 | deadline 8, if any | value word 8, unless embedded | key length 1 or 4 | key | embedded
//   value |
//
// The value word is an int64 (encoding int), a StrBuf* (long string) or a pointer to a collection. An
// embedded value stands last, so that overwriting it with one of similar length happens in place; its length
// is in the header.
//
// `encoding` is the name that OBJECT ENCODING reports and follows Valkey's rules (embstr/raw); whether the
// bytes are really embedded is kEmbedded's business: we embed longer strings than Valkey does.
//
// Walk bits: bit k says on which side of snapshot walk k this entry is. Resting invariant: they equal the
// walk bits of the dict that holds the entry. A walk starts by flipping its bit in the dict, which makes
// every entry "not yet delivered" at once; delivering an entry, or inserting one, sets the entry's bits to
// the dict's. A write to an entry whose bits differ hands the entry over first. (DESIGN.md, idea 3.)
#pragma once

#include <cstdint>
#include <cstring>

#include "base/alloc.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "types/type.h"

namespace kvasir {

class Entry {
 public:
  // Longest string kept inside the entry. Longer ones get a StrBuf, which can be referenced by replies.
  static constexpr size_t kMaxEmbedded = 1024;

  // --- construction: an entry is made whole and never changes its layout; a change of layout makes a new one
  // ---
  static Entry* make_string(Slice key, Slice value, int64_t expire_ms = kNoExpiry);
  // As make_string, but the digits of a number stay text.
  static Entry* make_text(Slice key, Slice value, int64_t expire_ms = kNoExpiry);
  // An embedded string of at most kMaxEmbedded bytes, which the caller fills in.
  static Entry* make_embedded(Slice key, size_t size, Encoding encoding, int64_t expire_ms = kNoExpiry);
  static Entry* make_int(Slice key, int64_t value, int64_t expire_ms = kNoExpiry);
  // Takes over one reference of buf.
  static Entry* make_buffer(Slice key, StrBuf* buf, int64_t expire_ms = kNoExpiry);
  // Takes the collection over.
  static Entry* make_collection(Slice key, Type type, const Collection& c, int64_t expire_ms = kNoExpiry);
  // The same entry under another key and deadline; the value moves (this one must then be freed with
  // free_shell). A string that was embstr may be raw afterwards.
  Entry* rebuild(Slice key, int64_t expire_ms);
  // What OBJECT ENCODING calls a string of that size that is not an integer.
  static Encoding string_encoding(size_t value, size_t key, bool expires);
  // The same for one that was stored without a deadline as `before` and now gets one.
  static Encoding string_encoding_once_expiring(Encoding before, size_t value, size_t key);
  // Frees the entry and its string value; of any type: value_destroy (keyspace/value.h).
  static void destroy(Entry* e);
  static void free_shell(Entry* e) { mem_free(e); }

  [[nodiscard]] Type type() const { return static_cast<Type>(type_); }
  [[nodiscard]] Encoding encoding() const { return static_cast<Encoding>(encoding_); }
  void set_encoding(Encoding e) { encoding_ = static_cast<uint8_t>(e); }

  [[nodiscard]] Slice key() const {
    const char* p = body() + ((flags_ & kExpires) ? 8 : 0) + ((flags_ & kEmbedded) ? 0 : 8);
    if (flags_ & kLongKey) {
      uint32_t n;
      memcpy(&n, p, 4);
      return {p + 4, n};
    }
    return {p + 1, static_cast<uint8_t>(*p)};
  }

  [[nodiscard]] bool has_expiry_slot() const { return flags_ & kExpires; }
  // Unix time in ms, kNoExpiry if none.
  [[nodiscard]] int64_t expire_ms() const {
    if (!(flags_ & kExpires)) return kNoExpiry;
    int64_t v;
    memcpy(&v, body(), 8);
    return v;
  }
  // Precondition: has_expiry_slot().
  void set_expire_ms(int64_t ms) { memcpy(body(), &ms, 8); }

  [[nodiscard]] bool embedded() const { return flags_ & kEmbedded; }
  [[nodiscard]] bool is_int() const { return encoding() == Encoding::kInt; }
  [[nodiscard]] int64_t int_value() const { return static_cast<int64_t>(word()); }
  void set_int_value(int64_t v) { set_word(static_cast<uint64_t>(v)); }
  [[nodiscard]] StrBuf* buffer() const { return reinterpret_cast<StrBuf*>(word()); }
  void set_buffer(StrBuf* b) { set_word(reinterpret_cast<uint64_t>(b)); }
  [[nodiscard]] bool has_buffer() const { return type() == Type::kString && !embedded() && !is_int(); }
  template <class T>
  [[nodiscard]] T* pointer() const {
    return reinterpret_cast<T*>(word());
  }
  void set_pointer(void* p) { set_word(reinterpret_cast<uint64_t>(p)); }
  // Of any type but kString.
  [[nodiscard]] Collection collection() const { return {encoding(), pointer<void>()}; }
  void set_collection(const Collection& c) {
    set_encoding(c.encoding);
    set_pointer(c.data);
  }

  // The bytes of an embedded string.
  [[nodiscard]] Slice embedded_value() const { return {embedded_start(), embedded_size_}; }
  char* embedded_data() { return const_cast<char*>(embedded_start()); }
  // Room for an embedded value without a new allocation.
  [[nodiscard]] size_t embedded_capacity() const {
    return mem_usable(this) - static_cast<size_t>(embedded_start() - reinterpret_cast<const char*>(this));
  }
  void set_embedded_size(size_t n) { embedded_size_ = static_cast<uint16_t>(n); }

  // String value as bytes; an int is formatted into tmp (24 bytes at least).
  Slice string_value(char* tmp) const;
  [[nodiscard]] size_t string_size() const;

  // 24 bits of LRU clock (seconds) or LFU counters.
  [[nodiscard]] uint32_t lru() const { return lru_walk_ & 0xffffff; }
  void set_lru(uint32_t v) { lru_walk_ = (lru_walk_ & 0xff000000U) | (v & 0xffffff); }
  [[nodiscard]] uint8_t walk_bits() const { return static_cast<uint8_t>(lru_walk_ >> 28); }
  void set_walk_bits(uint8_t bits) {
    lru_walk_ = (lru_walk_ & 0x0fffffffU) | (static_cast<uint32_t>(bits) << 28);
  }

  // Bytes of this allocation and of its string buffer.
  [[nodiscard]] size_t shell_bytes() const { return mem_usable(this); }

 private:
  static constexpr uint8_t kExpires = 1, kEmbedded = 2, kLongKey = 4;

  [[nodiscard]] const char* body() const { return reinterpret_cast<const char*>(this) + 8; }
  char* body() { return reinterpret_cast<char*>(this) + 8; }
  [[nodiscard]] uint64_t word() const {
    uint64_t v;
    memcpy(&v, body() + ((flags_ & kExpires) ? 8 : 0), 8);
    return v;
  }
  void set_word(uint64_t v) { memcpy(body() + ((flags_ & kExpires) ? 8 : 0), &v, 8); }
  [[nodiscard]] const char* embedded_start() const {
    const Slice k = key();
    return k.data + k.size;
  }
  static Entry* make(Slice key, int64_t expire_ms, size_t embedded, bool is_embedded);

  uint32_t lru_walk_;  // lru 24 | unused 4 | walk 4
  uint8_t type_ : 4, encoding_ : 4;
  uint8_t flags_;
  uint16_t embedded_size_;
};
static_assert(sizeof(Entry) == 8);

}  // namespace kvasir
