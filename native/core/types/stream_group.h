// Consumer groups: how far a group has read a stream, what its consumers were given and have not acknowledged
// yet (the pending entries list, PEL), and who they are.
//
// The group's list holds for each pending entry when it was delivered, how often, and to whom; a consumer's
// has the ids alone.
//
//   An id is in one consumer's list if it is in the group's, and that consumer is named there.
//
// Names are compared by bytes; both lists of names are walked in that order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/slice.h"
#include "types/btree.h"
#include "types/stream_nodes.h"

namespace kvasir {

class Consumer;

// An entry that was delivered and not acknowledged.
struct PendingEntry {
  int64_t delivered_ms;
  uint64_t deliveries;
  Consumer* consumer;
};
struct Nothing {};

using PendingEntries = BTree<StreamIdTraits<PendingEntry>>;
using PendingIds = BTree<StreamIdTraits<Nothing>>;

// For BTree: pointers to what has a name. One allocation holds the object and, behind it, the name.
template <class T>
struct NamedTraits {
  using Key = T*;
  using Value = Nothing;
  using Probe = Slice;
  static Slice probe(const T* t) { return t->name(); }
  static bool below(const T* t, const Slice& name) { return compare(t->name(), name) < 0; }
  static bool not_above(const T* t, const Slice& name) { return compare(t->name(), name) <= 0; }
};

class Consumer {
 public:
  static constexpr int64_t kNeverActive = -1;

  static Consumer* make(Slice name);
  static void destroy(Consumer* c);
  [[nodiscard]] Slice name() const { return {reinterpret_cast<const char*>(this + 1), name_size_}; }
  // Memory with all that hangs on it.
  [[nodiscard]] size_t bytes() const { return mem_usable(this) + pending.bytes(); }

  int64_t seen_ms = 0;               // when it last asked for something
  int64_t active_ms = kNeverActive;  // when it last got something
  PendingIds pending;

 private:
  explicit Consumer(Slice name);
  uint32_t name_size_;
};

using Consumers = BTree<NamedTraits<Consumer>>;

class StreamGroup {
 public:
  static constexpr int64_t kUnknown = -1;

  static StreamGroup* make(Slice name, const StreamId& last_id, int64_t entries_read);
  static void destroy(StreamGroup* g);
  [[nodiscard]] StreamGroup* duplicate() const;
  [[nodiscard]] Slice name() const { return {reinterpret_cast<const char*>(this + 1), name_size_}; }
  // Memory with all that hangs on it; of many consumers `samples` are measured and taken for typical.
  [[nodiscard]] size_t bytes(size_t samples) const;
  // How much work destroying is, in allocations.
  [[nodiscard]] size_t free_effort() const;

  [[nodiscard]] const Consumers& consumers() const { return consumers_; }
  [[nodiscard]] const PendingEntries& pending() const { return pending_; }
  // nullptr: it is not there.
  [[nodiscard]] Consumer* consumer(Slice name) const;
  // nullptr: it is there already.
  Consumer* add_consumer(Slice name);
  // With its pending entries.
  void remove_consumer(Consumer* c);

  // The pending entry with that id is the consumer's from now on; it may be new or anybody's. What it says is
  // kept; *added tells whether it is new.
  PendingEntry& assign(const StreamId& id, Consumer* c, bool* added = nullptr);
  // False: it is not pending.
  bool acknowledge(const StreamId& id);

  // For loading: the list comes before the consumers. False: it is there already.
  bool load_pending(const StreamId& id, int64_t delivered_ms, uint64_t deliveries);
  // Of an entry that is nobody's.
  static void load_owner(const PendingEntries::Place& place, Consumer* c);
  // Whether every entry has become somebody's.
  [[nodiscard]] bool owned() const;

  StreamId last_id;      // delivered
  int64_t entries_read;  // of all that were ever added, up to last_id; kUnknown

 private:
  StreamGroup(Slice name, const StreamId& last_id, int64_t entries_read);
  ~StreamGroup();

  PendingEntries pending_;
  Consumers consumers_;
  uint32_t name_size_;
};

using StreamGroups = BTree<NamedTraits<StreamGroup>>;

}  // namespace kvasir
