// Brings the collections of a batch of commands near before the batch runs: what they begin with and, where a
// command names one element of a hash table, the element, too. Each step reads what the step before it sent
// for, and is taken for all commands before the next one, so that the waits overlap.
//
// What is found on the way is valid while no command runs, and only a guess: keys are told apart by their
// hash.
#pragma once

#include <array>
#include <cstdint>

#include "base/slice.h"
#include "keyspace/database.h"

namespace kvasir {

class ValuePrefetch {
 public:
  static constexpr size_t kMost = 128;  // commands of a batch; more are left out

  // A command whose entry was sent for some time ago. `element`: a member or field that it will look for,
  // no bytes if there is none. In *hash its hash is left once that was needed; it outlives run().
  void add(const Database& db, const KeyRef& key, Slice element, uint64_t* hash);
  // Takes the steps for all that was added.
  void run();

 private:
  struct Item {
    const CollectionOps* ops;
    Collection collection;
    uint64_t hash;
  };
  std::array<Item, kMost> items_;
  size_t size_ = 0;
};

}  // namespace kvasir
