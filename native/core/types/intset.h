// Intset: different integers in ascending order in one piece of memory. Byte-compatible with Valkey's, since
// DUMP and RDB carry intsets as they are.
//
//   | width u32: 2, 4 or 8 | integers u32 | integer ... |        little endian, all of that width
//
// The width is that of the widest integer there has been: removing does not narrow it.
//
// An Intset is a handle of one pointer that does not own, like Listpack: whoever stores the pointer owns the
// memory, and stores data() again after a change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/slice.h"

namespace kvasir {

class Intset {
 public:
  static constexpr size_t kHeader = 8;
  // More integers than this are never kept in one.
  static constexpr size_t kMaxSize = size_t{1} << 30;

  explicit Intset(void* data) : p_(static_cast<char*>(data)) {}
  static Intset make();
  // A copy of the bytes, which must be valid.
  static Intset copy_of(Slice bytes);
  // Of integers in ascending order, all different; as narrow as they allow.
  static Intset of(std::span<const int64_t> ascending);
  void destroy();

  [[nodiscard]] void* data() const { return p_; }
  [[nodiscard]] size_t size() const { return word(4); }
  [[nodiscard]] size_t bytes() const { return kHeader + size() * width(); }
  [[nodiscard]] Slice image() const { return {p_, bytes()}; }
  // Memory it occupies.
  [[nodiscard]] size_t footprint() const;

  // --- reading ---
  // i < size().
  [[nodiscard]] int64_t at(size_t i) const {
    switch (width()) {
      case 2:
        return load<int16_t>(i);
      case 4:
        return load<int32_t>(i);
      default:
        return load<int64_t>(i);
    }
  }
  [[nodiscard]] int64_t min() const { return at(0); }
  [[nodiscard]] int64_t max() const { return at(size() - 1); }
  [[nodiscard]] bool contains(int64_t v) const;
  // The same for a series of ascending v: *hint, 0 at first, is where the one before would have been.
  bool contains_next(int64_t v, size_t* hint) const;

  // --- changing ---
  // False: it is there already. Precondition: size() < kMaxSize.
  bool add(int64_t v);
  // False: it is not there.
  bool remove(int64_t v);
  // Keeps those for which keep(integer), called for each in order, is true.
  template <class F>
  void retain(F&& keep) {
    const size_t n = size();
    const size_t w = width();
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
      if (!keep(at(i))) continue;
      memmove(p_ + kHeader + kept * w, p_ + kHeader + i * w, w);
      kept++;
    }
    shrink_to(kept);
  }

  // --- bytes from outside ---
  // At least one integer, all in order.
  static bool valid(Slice image);

 private:
  [[nodiscard]] uint32_t word(size_t offset) const {
    uint32_t v;
    memcpy(&v, p_ + offset, sizeof(v));
    return v;
  }
  void set_word(size_t offset, size_t v) {
    const auto w = static_cast<uint32_t>(v);
    memcpy(p_ + offset, &w, sizeof(w));
  }
  [[nodiscard]] size_t width() const { return word(0); }
  template <class T>
  [[nodiscard]] T load(size_t i) const {
    T v;
    memcpy(&v, p_ + kHeader + i * sizeof(T), sizeof(T));
    return v;
  }
  void store(size_t i, int64_t v) { memcpy(p_ + kHeader + i * width(), &v, width()); }
  // The first of the integers [from, end) that is not below v; end: all are.
  template <class T>
  [[nodiscard]] size_t lower_bound(size_t from, size_t end, int64_t v) const;
  [[nodiscard]] size_t lower_bound(size_t from, size_t end, int64_t v) const;
  void widen(size_t width);
  void shrink_to(size_t n);

  char* p_;
};

}  // namespace kvasir
