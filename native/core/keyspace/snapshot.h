// Point-in-time views of the keyspace, without fork.
//
// A walk delivers every key that its databases held at the moment it was started, with the value and the
// deadline the key had at that moment, exactly once. It goes through the dicts in slices between turns.
// Whatever is about to change or take away an entry that a walk has not reached yet hands the entry over to
// it first (Keyspace does that at every way to an entry for a write), and goes on. BGSAVE, AOF rewrite, full
// sync and slot export are targets of such walks; kMost of them may be under way at once.
//
// Which side of a walk an entry is on, its walk bits say (entry.h):
//
//   bit k of an entry differs from bit k of the dict that holds it exactly if walk k has to deliver the entry
//   still.                                                                                             (I1)
//
// Starting a walk flips its bit in the dicts it covers, which makes every entry there one to deliver; what is
// inserted later gets the dict's bits and is none. Delivering an entry sets its bit. A walk goes through a
// dict in the order of Dict::scan(), whose guarantee is that no entry which stays can be passed over, however
// the dict grows and shrinks meanwhile; that an entry may be met twice does not matter because of (I1).
//
// Dicts change their owner (SWAPDB) or lose it (FLUSHALL): a walk knows the dicts themselves, and those that
// are taken from a database while there are walks belong to the walks until the last has ended.
//
// A walk takes an entry for itself only: others, which may be slower, get it when they come by.
//
// A walk that is given up early leaves bits behind that disagree; its place stays taken until sweep() has put
// them right.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "keyspace/database.h"
#include "keyspace/snapshot_target.h"

namespace kvasir {

class Snapshots;

// One walk, as its owner has it. Destroying it before step() returned false gives it up.
class SnapshotWalk {
 public:
  ~SnapshotWalk();
  SnapshotWalk(const SnapshotWalk&) = delete;
  SnapshotWalk& operator=(const SnapshotWalk&) = delete;

  // Goes on until mono_us() reaches `until_us`; at least some chains are done. False: everything has been
  // delivered, or the target wants no more.
  bool step(uint64_t until_us);
  // The target refused an entry, and has got nothing since.
  [[nodiscard]] bool refused() const;
  // How many keys there were when it started, and how many have been delivered.
  [[nodiscard]] size_t keys() const;
  [[nodiscard]] size_t delivered() const;

 private:
  friend class Snapshots;
  SnapshotWalk(Snapshots* owner, unsigned index) : owner_(owner), index_(index) {}
  Snapshots* owner_;
  unsigned index_;
};

class Snapshots {
 public:
  static constexpr unsigned kMost = 4;

  Snapshots() = default;
  Snapshots(const Snapshots&) = delete;
  Snapshots& operator=(const Snapshots&) = delete;

  // Starts a walk over all of these databases, or in cluster mode over the slots that `wanted` says (all if
  // it is empty), and tells the target how much is to come; the end is the caller's to tell. nullptr: all
  // places are taken. The target must live as long as the walk. Its entry() must not look up or change
  // anything in the keyspace; databases are numbered as they were at the start. A long string may be kept by
  // a reference of its StrBuf: who writes to the key later then makes a copy.
  std::unique_ptr<SnapshotWalk> start(std::vector<std::unique_ptr<Database>>& dbs, SnapshotTarget* target,
                                      const std::function<bool(int slot)>& wanted = {});
  // Whether hand_over() and keep() are to be called.
  [[nodiscard]] bool active() const { return taken_ != 0; }
  // Before the entry, which is in these dicts of a slot, is changed or taken out.
  void hand_over(const SlotDicts& dicts, int slot, Entry* e) {
    const auto due = static_cast<uint8_t>(e->walk_bits() ^ dicts.walk_bits);
    if (due != 0) deliver(dicts, slot, e, due);
  }
  // What was taken from a database as a whole.
  void keep(Database::Contents&& contents);
  // Puts right what abandoned walks have left, until then. True: there is more to do.
  bool sweep(uint64_t until_us);

 private:
  friend class SnapshotWalk;
  struct Place {
    SlotDicts* dicts;
    int slot;
  };
  struct Kept {
    explicit Kept(Database::Contents&& c) : contents(std::move(c)) {}
    ~Kept();
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;
    Database::Contents contents;
  };
  struct Walk {
    SnapshotTarget* target = nullptr;  // nullptr while the place is taken: given up
    bool refused = false;
    std::vector<Place> places;
    size_t at = 0;        // in places
    uint64_t cursor = 0;  // of the dict there
    size_t keys = 0;
    size_t delivered = 0;
    std::vector<std::shared_ptr<Kept>> kept;
  };

  [[nodiscard]] static uint8_t bit(unsigned walk) { return static_cast<uint8_t>(1U << walk); }
  // To the walks with these bits, which it is due for.
  void deliver(const SlotDicts& dicts, int slot, Entry* e, uint8_t due);
  bool step(unsigned walk, uint64_t until_us);
  void end(unsigned walk);

  uint8_t taken_ = 0;  // bits
  std::array<Walk, kMost> walks_;
};

}  // namespace kvasir
