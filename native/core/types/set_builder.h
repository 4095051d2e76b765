// Builds a set from members that are known to differ, without looking each up, and ends in the encoding that
// adding them one by one would have given it.
#pragma once

#include <cstdint>
#include <vector>

#include "types/set.h"

namespace kvasir {

// The encoding that a set grows into as members are added to it.
class SetShape {
 public:
  // Of an empty set.
  SetShape(const EncodingLimits& limits, Encoding start) : limits_(&limits), encoding_(start) {}

  void add(const SetItem& item);
  [[nodiscard]] Encoding encoding() const { return encoding_; }
  [[nodiscard]] bool only_integers() const { return only_integers_; }

 private:
  const EncodingLimits* limits_;
  Encoding encoding_;
  bool only_integers_ = true;
  size_t size_ = 0;
  size_t bytes_ = 0;  // of text
  int64_t min_ = 0, max_ = 0;
};

class SetBuilder {
 public:
  // start: the encoding of the empty set that it pretends to add to. expected: how many members a table, if
  // it comes to that, shall have room for.
  SetBuilder(const EncodingLimits& limits, Encoding start, size_t expected);
  SetBuilder(const SetBuilder&) = delete;
  SetBuilder& operator=(const SetBuilder&) = delete;
  ~SetBuilder();

  // Text that reads as an integer counts as one, as in any set.
  void add(const SetItem& item);
  // The same for a member of a table with its hash, which is taken over.
  void take(Member* m, uint64_t hash);
  // The two halves of add(): counting for the encoding, which may be done for what will be no member, and
  // putting in. settled(): the encoding will not change any more, whatever comes.
  void count(const SetItem& item) { grow(recognised(item)); }
  void put(const SetItem& item);
  [[nodiscard]] bool settled() const;
  [[nodiscard]] size_t size() const;
  // The set, the caller's. SINTERSTORE: integers only are an intset if so many may be one, whatever the
  // encoding was on the way.
  Collection finish(bool prefer_intset = false);

 private:
  // As an integer if its text is one.
  static SetItem recognised(const SetItem& item);
  void grow(const SetItem& item);
  void place(const SetItem& item);
  void to_encoding(Encoding e);

  const EncodingLimits* limits_;
  size_t expected_;
  SetShape shape_;
  // What there is so far, by encoding: integers as they came, or a set of the encoding.
  std::vector<int64_t> integers_;
  Collection set_{Encoding::kIntset, nullptr};
};

}  // namespace kvasir
