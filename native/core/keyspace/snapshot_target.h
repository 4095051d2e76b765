// Who takes in what a walk over the keyspace delivers: a file, a replica, an export of slots.
#pragma once

#include <cstdint>
#include <span>

#include "keyspace/entry.h"

namespace kvasir {

class SnapshotTarget {
 public:
  virtual ~SnapshotTarget() = default;
  struct Size {
    uint64_t keys = 0;
    uint64_t expires = 0;
  };
  // How much will come, by database. Before everything else.
  virtual void begin(std::span<const Size> databases) = 0;
  // An entry as it is to be kept; it need not stay as it is after the call. Databases and slots (0 outside
  // cluster mode) may come in any order, but the fewer changes the better. False: nothing more is wanted.
  virtual bool entry(int db, int slot, const Entry& e) = 0;
  // All has come.
  virtual void end() = 0;
};

}  // namespace kvasir
