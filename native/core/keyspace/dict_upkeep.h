// Keeps the tables of the keyspace at their proper size when no command does: begins growths and shrinks that
// are due (after a policy or a veto has gone) and carries on those that have begun.
#pragma once

#include <cstdint>

#include "keyspace/keyspace.h"

namespace kvasir {

class DictUpkeep {
 public:
  explicit DictUpkeep(Keyspace* ks) : ks_(*ks) {}
  // A slice: a hundredth of the time between two calls, and a bounded number of dicts. rehash:
  // activerehashing.
  void run(bool rehash, int64_t hz);

 private:
  Keyspace& ks_;
  // Where to go on.
  int db_ = 0;
  int slot_ = 0;
};

}  // namespace kvasir
