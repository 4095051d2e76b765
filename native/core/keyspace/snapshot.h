// Point-in-time views of the keyspace, without fork.
//
// A walk delivers every key that its databases held at the moment it was started, with the value and the
// deadline the key had at that moment, exactly once. It goes through the dicts in slices between turns.
// Whatever is about to change or take away an entry that a walk has not reached yet hands the entry over to
// it first (Keyspace does that at every way to an entry for a write), and goes on. BGSAVE, AOF rewrite, full
// sync and slot export are visitors of such walks; kMost of them may be under way at once.
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

namespace kvasir {

class Snapshots;

// Who gets the entries of a walk.
class SnapshotVisitor {
 public:
  virtual ~SnapshotVisitor() = default;
  // A key of database `db` (as databases were numbered when the walk started). The entry is valid during the
  // call, which must not look up or change anything in the keyspace. A long string may be kept by a reference
  // of its StrBuf: who writes to the key later then makes a copy.
  virtual void visit(int db, const Entry& e) = 0;
};

// One walk, as its owner has it. Destroying it before step() returned false gives it up.
class SnapshotWalk {
 public:
  ~SnapshotWalk();
  SnapshotWalk(const SnapshotWalk&) = delete;
  SnapshotWalk& operator=(const SnapshotWalk&) = delete;

  // Goes on until mono_us() reaches `until_us`; at least some chains are done. False: everything has been
  // delivered.
  bool step(uint64_t until_us);
  // How many keys there were when it started, in all and with a deadline, and how many were delivered.
  [[nodiscard]] size_t keys() const;
  [[nodiscard]] size_t delivered() const;
  // The same of one database: RESIZEDB.
  [[nodiscard]] size_t keys(int db) const;
  [[nodiscard]] size_t expires(int db) const;

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
  // it is empty). nullptr: all places are taken. The visitor must live as long as the walk.
  std::unique_ptr<SnapshotWalk> start(std::vector<std::unique_ptr<Database>>& dbs, SnapshotVisitor* visitor,
                                      const std::function<bool(int slot)>& wanted = {});
  // Whether hand_over() and keep() are to be called.
  [[nodiscard]] bool active() const { return taken_ != 0; }
  // Before the entry, which is in `dicts`, is changed or taken out.
  void hand_over(const SlotDicts& dicts, Entry* e) {
    const auto due = static_cast<uint8_t>(e->walk_bits() ^ dicts.walk_bits);
    if (due != 0) deliver(dicts, e, due);
  }
  // What was taken from a database as a whole.
  void keep(Database::Contents&& contents);
  // Puts right what abandoned walks have left, until then. True: there is more to do.
  bool sweep(uint64_t until_us);

 private:
  friend class SnapshotWalk;
  struct Place {
    SlotDicts* dicts;
    int db;
  };
  struct Counts {
    size_t keys = 0;
    size_t expires = 0;
  };
  struct Kept {
    explicit Kept(Database::Contents&& c) : contents(std::move(c)) {}
    ~Kept();
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;
    Database::Contents contents;
  };
  struct Walk {
    SnapshotVisitor* visitor = nullptr;  // nullptr while the place is taken: given up
    std::vector<Place> places;
    size_t at = 0;        // in places
    uint64_t cursor = 0;  // of the dict there
    size_t delivered = 0;
    Counts all;
    std::vector<Counts> dbs;
    std::vector<std::shared_ptr<Kept>> kept;
  };

  [[nodiscard]] static uint8_t bit(unsigned walk) { return static_cast<uint8_t>(1U << walk); }
  // To the walks with these bits, which it is due for.
  void deliver(const SlotDicts& dicts, Entry* e, uint8_t due);
  bool step(unsigned walk, uint64_t until_us);
  void end(unsigned walk);

  uint8_t taken_ = 0;  // bits
  std::array<Walk, kMost> walks_;
};

}  // namespace kvasir
