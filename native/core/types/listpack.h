// Listpack: a sequence of strings and integers in one piece of memory, read from either end. Byte-compatible
// with Valkey's, since DUMP, RDB and stream nodes carry listpacks as they are.
//
//   | total bytes u32 | elements u16 | element ... | 0xFF |        little endian; 65535 elements: count them
//   element: | encoding and length | bytes | size of the two before, readable backwards |
//
//   0xxxxxxx          integer 0..127             1111 0001  int16      1111 0000  string, length u32
//   10xxxxxx          string, length 6 bits      1111 0010  int24      1111 0100  int64
//   110xxxxx x8       integer of 13 bits         1111 0011  int32      1111 1111  end
//   1110xxxx x8       string, length 12 bits
//
// A Listpack is a handle of one pointer that does not own: whoever stores the pointer (an entry, a quicklist
// node) owns the memory and destroys it. Changes may move the memory, so the owner stores data() again
// afterwards. Positions are offsets of elements from the start; 0 means none. Every change makes positions
// behind it invalid.
//
// Text that is the canonical form of an int64 is stored as an integer and reads back as that text.
#pragma once

#include <cstdint>

#include "base/numbers.h"
#include "base/slice.h"

namespace kvasir {

// What an element holds; the bytes of a text belong to the listpack.
struct ListpackItem {
  bool is_int = false;
  int64_t number = 0;
  Slice text;

  // As a client sees it; an integer is written to tmp (kInt64Chars + 1 bytes at least).
  Slice str(char* tmp) const { return is_int ? Slice(tmp, format_i64(tmp, number)) : text; }
  [[nodiscard]] size_t size() const {
    return !is_int      ? text.size
           : number < 0 ? 1 + decimal_digits(0 - static_cast<uint64_t>(number))
                        : decimal_digits(static_cast<uint64_t>(number));
  }
};

// A text that is looked for, understood once and compared with many elements.
class ListpackNeedle {
 public:
  explicit ListpackNeedle(Slice text) : text_(text) {
    is_number_ = text.size <= kInt64Chars && parse_i64(text, &number_);
  }
  [[nodiscard]] const Slice& text() const { return text_; }

 private:
  friend class Listpack;
  Slice text_;
  int64_t number_ = 0;
  bool is_number_;
};

class Listpack {
 public:
  using Pos = uint32_t;
  static constexpr Pos kNone = 0;
  static constexpr size_t kHeader = 6;
  static constexpr size_t kEmpty = 7;  // bytes of one without elements
  // Beyond this a listpack is not allowed to grow (fits() says no); the format could hold 4 GiB.
  static constexpr size_t kMaxBytes = size_t{1} << 30;

  explicit Listpack(void* data) : p_(static_cast<uint8_t*>(data)) {}
  // Without elements, with room for `capacity` bytes in all.
  static Listpack make(size_t capacity = kEmpty);
  // A copy of the bytes, which must be a valid listpack.
  static Listpack copy_of(Slice bytes);
  void destroy();

  [[nodiscard]] void* data() const { return p_; }
  [[nodiscard]] size_t bytes() const {
    uint32_t n;
    memcpy(&n, p_, 4);
    return n;
  }
  [[nodiscard]] Slice image() const { return {reinterpret_cast<const char*>(p_), bytes()}; }
  // Memory it occupies.
  [[nodiscard]] size_t footprint() const;
  // Elements; O(n) from 65535 on.
  [[nodiscard]] size_t size() const;
  [[nodiscard]] bool empty() const { return p_[kHeader] == kEnd; }
  // Whether `more` bytes of new text may be added.
  [[nodiscard]] bool fits(size_t more) const { return more <= kMaxBytes && bytes() + more <= kMaxBytes; }

  // --- reading ---
  [[nodiscard]] Pos first() const { return empty() ? kNone : static_cast<Pos>(kHeader); }
  [[nodiscard]] Pos last() const { return empty() ? kNone : before(static_cast<Pos>(bytes() - 1)); }
  [[nodiscard]] Pos next(Pos at) const {
    const Pos n = at + element_bytes(at);
    return p_[n] == kEnd ? kNone : n;
  }
  [[nodiscard]] Pos prev(Pos at) const { return at == kHeader ? kNone : before(at); }
  // The element at an index, from the end when negative (-1 is the last); goes from the nearer end.
  [[nodiscard]] Pos at(int64_t index) const;
  [[nodiscard]] ListpackItem get(Pos at) const;
  // The element at *at, which goes on to what stands behind it: the next element or end_pos().
  ListpackItem take(Pos* at) const {
    const uint8_t* p = p_ + *at;
    if (p[0] < 0x80) {  // a small number: the flags, differences and counts that stream nodes are full of
      *at += 2;
      ListpackItem item;
      item.is_int = true;
      item.number = p[0];
      return item;
    }
    if (p[0] < 0xc0) {  // a short text
      const size_t n = p[0] & 0x3f;
      *at += static_cast<Pos>(n + 2);
      ListpackItem item;
      item.text = {reinterpret_cast<const char*>(p) + 1, n};
      return item;
    }
    const ListpackItem item = get(*at);
    *at += element_bytes(*at);
    return item;
  }
  // The position behind `count` elements from `at` on, which are there.
  [[nodiscard]] Pos skip(Pos at, uint64_t count) const {
    for (; count > 0; count--) {
      const uint8_t b = p_[at];
      at += b < 0x80 ? 2U : b < 0xc0 ? 2U + (b & 0x3fU) : element_bytes(at);
    }
    return at;
  }
  // Whether the element at `at` reads as the text.
  [[nodiscard]] bool equals(Pos at, const ListpackNeedle& needle) const;
  [[nodiscard]] bool equals(Pos at, Slice text) const { return equals(at, ListpackNeedle(text)); }
  // The first element from `from` on that reads as the text, looking at one, leaving `skip` out, looking at
  // the next, and so on: skip 1 finds keys among pairs.
  [[nodiscard]] Pos find(Pos from, const ListpackNeedle& needle, unsigned skip = 0) const;
  [[nodiscard]] Pos find(Pos from, Slice text, unsigned skip = 0) const {
    return find(from, ListpackNeedle(text), skip);
  }

  // --- changing; each returns the position of what was put in ---
  Pos append(Slice text) { return insert_before(end_pos(), text); }
  Pos prepend(Slice text) { return insert_before(static_cast<Pos>(kHeader), text); }
  Pos append_int(int64_t v) { return insert_int_before(end_pos(), v); }
  Pos insert_before(Pos at, Slice text);
  Pos insert_after(Pos at, Slice text) { return insert_before(at + element_bytes(at), text); }
  Pos insert_int_before(Pos at, int64_t v);
  Pos replace(Pos at, Slice text);
  Pos replace_int(Pos at, int64_t v);
  // Removes `count` elements from `at` on (or as many as there are); the position of what follows, kNone at
  // the end.
  Pos erase(Pos at, size_t count = 1);
  // Removes elements that read as the text, at most `limit` of them (0: all), the first ones or the last; how
  // many.
  size_t erase_equal(const ListpackNeedle& needle, size_t limit, bool last_ones);
  // The elements of `other` behind ours; `other` stays as it is.
  void append_all(const Listpack& other);
  // Makes room for that many bytes in all.
  void reserve(size_t total);
  // Gives back room that growing left.
  void shrink();
  // Where insert_before() appends.
  [[nodiscard]] Pos end_pos() const { return static_cast<Pos>(bytes() - 1); }

  // --- bytes from outside ---
  // The structure, with every element inside the bytes and consistent in both directions.
  static bool valid(Slice image);
  // As valid(); `each` is called with every item and may refuse by returning false.
  template <class F>
  static bool valid(Slice image, F&& each) {
    if (!valid(image)) return false;
    const Listpack lp(const_cast<char*>(image.data));
    for (Pos at = lp.first(); at != kNone; at = lp.next(at)) {
      if (!each(lp.get(at))) return false;
    }
    return true;
  }
  // What append() would add for this text.
  static size_t cost(Slice text);

 private:
  friend class ListpackAppender;
  class Stepper;
  static constexpr uint8_t kEnd = 0xff;
  static constexpr uint16_t kManyElements = 0xffff;

  // An element as it will be written.
  struct Encoded {
    uint8_t head[9];
    uint8_t head_size;
    Slice text;
    [[nodiscard]] size_t body() const { return head_size + text.size; }
  };
  static Encoded encode(Slice text);
  static Encoded encode_int(int64_t v);
  static size_t back_size(size_t body);
  static void write_back(uint8_t* p, size_t body);
  static size_t read_back(const uint8_t* p);
  [[nodiscard]] size_t body_bytes(Pos at) const;
  [[nodiscard]] Pos element_bytes(Pos at) const;
  [[nodiscard]] Pos before(Pos at) const;
  // Makes room of new_size bytes in place of old_size at `at` and writes the element there.
  Pos splice(Pos at, size_t old_size, const Encoded& e);
  void resize_at(Pos at, size_t old_size, size_t new_size);
  // Fewer bytes than before; what is left over is given back when that is worth a copy.
  void shrink_to(size_t bytes);
  void set_bytes(size_t n) {
    const auto v = static_cast<uint32_t>(n);
    memcpy(p_, &v, 4);
  }
  [[nodiscard]] uint16_t stored_count() const {
    uint16_t n;
    memcpy(&n, p_ + 4, 2);
    return n;
  }
  void set_stored_count(size_t n) {
    const auto v = n >= kManyElements ? kManyElements : static_cast<uint16_t>(n);
    memcpy(p_ + 4, &v, 2);
  }
  // Changes the stored number of elements by what was added or removed. Once it said "many", only counting
  // can tell.
  void count_changed(int64_t by);

  uint8_t* p_;
};

}  // namespace kvasir
