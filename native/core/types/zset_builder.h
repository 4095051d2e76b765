// Gathers the members of a sorted set in any order and puts them in order once, at the end: for results of
// several sets, payloads and copies.
#pragma once

#include <vector>

#include "types/zset.h"

namespace kvasir {

class ZsetBuilder {
 public:
  // With room for that many.
  explicit ZsetBuilder(size_t members);
  ~ZsetBuilder();
  ZsetBuilder(const ZsetBuilder&) = delete;
  ZsetBuilder& operator=(const ZsetBuilder&) = delete;

  [[nodiscard]] size_t size() const { return set_->dict.size(); }
  // Takes a member over, unless there is one with these bytes: then it returns false.
  bool add(ScoredMember* m);
  // The member with these bytes, whose score may be changed; made with that score if it was not there.
  ScoredMember* find_or_add(Slice bytes, double score, bool* added);
  void remove(Slice bytes);

  // What was gathered, in the big encoding; nothing is left here.
  Collection finish();

 private:
  BigZset* set_;                        // whose order is empty until finish()
  std::vector<ScoredMember*> members_;  // as they came, also those that were removed
  bool removed_ = false;
};

}  // namespace kvasir
