// The patterns of SORT: how BY and GET come from an element to the value of another key.
//
//   #            the element itself
//   a*b          the string under the key a<element>b
//   a*b->f       field f of the hash under that key
//   without *    nothing
//
// A pattern ends at a NUL as far as signs with a meaning are looked for, as in the original.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "commands/core.h"

namespace kvasir {

class SortPattern {
 public:
  explicit SortPattern(Slice text);

  [[nodiscard]] bool element() const { return element_; }
  // Whether there is a * to be replaced.
  [[nodiscard]] bool refers() const { return refers_; }
  [[nodiscard]] bool has_field() const { return field_.has_value(); }
  [[nodiscard]] Slice field() const { return *field_; }
  void key_of(Slice element, std::string* key) const;

 private:
  bool element_ = false, refers_ = false;
  Slice before_, after_;  // of the *, in the key's name
  std::optional<Slice> field_;
};

// What a pattern leads to. Valid until the next value is looked up.
struct SortValue {
  bool found = false;
  Slice text;
  StrBuf* buffer = nullptr;  // holds the text, if that is a long string
};

// Looks values up, a batch at a time: the buckets and the entries of all its keys are sent for before the
// first is used.
class SortLookup {
 public:
  explicit SortLookup(const Call& call) : call_(call) {}

  // Plans `count` lookups: plan(i) gives pattern and element of each, and use(i, SortValue) takes what was
  // found, in order.
  template <class Plan, class Use>
  void run(size_t count, Plan&& plan, Use&& use) {
    for (size_t from = 0; from < count; from += kBatch) {
      const size_t n = std::min(kBatch, count - from);
      for (size_t i = 0; i < n; i++) prepare(i, plan(from + i));
      for (size_t i = 0; i < n; i++) prefetch(i);
      for (size_t i = 0; i < n; i++) use(from + i, value(i));
    }
  }
  struct Wanted {
    const SortPattern* pattern;
    Slice element;
  };

 private:
  static constexpr size_t kBatch = 16;

  struct Lookup {
    Wanted wanted;
    std::string key;
    uint64_t hash = 0;
    int slot = 0;
  };
  void prepare(size_t i, const Wanted& wanted);
  void prefetch(size_t i) const;
  SortValue value(size_t i);

  const Call& call_;
  std::array<Lookup, kBatch> batch_;
  char digits_[kInt64Chars + 1];
};

}  // namespace kvasir
