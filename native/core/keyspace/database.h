// The numbered databases: for every database the dict of its keys and the dict of those keys that have a
// deadline (the same Entry pointers), both split by hash slot in cluster mode.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/crc16.h"
#include "base/hash.h"
#include "base/prefetch.h"
#include "dict/dict.h"
#include "keyspace/entry.h"
#include "keyspace/memory.h"
#include "types/hash.h"

namespace kvasir {

// maxmemory of the server that runs on this thread at the moment, 0 without one: a table that is not overfull
// does not grow beyond it, since keys would have to go to make room for places.
inline thread_local size_t table_growth_limit = 0;

struct EntryTraits {
  using Elem = Entry*;
  static bool growth_allowed(size_t bytes, double) {
    return table_growth_limit == 0 || used_memory() + bytes <= table_growth_limit;
  }
  static Slice key(Elem e) { return e->key(); }
  static uint64_t hash(Slice key) { return hash_bytes(key); }
  // Most entries have 24 to 64 bytes and start anywhere in a line: the header, the key and a number or a
  // short value are in one line or two.
  static void prefetch(Elem e) {
    kvasir::prefetch(e);
    kvasir::prefetch(reinterpret_cast<const char*>(e) + 40);
  }
};
using EntryDict = Dict<EntryTraits>;
// Where an entry is stored; valid until the next change of its dict.
using EntrySlot = EntryDict::Slot;
// Where an entry will be stored.
using EntryRoom = EntryDict::InsertPoint;

// A key together with what was computed from it, once.
struct KeyRef {
  Slice key;
  uint64_t hash;
  int slot;  // hash slot in cluster mode, 0 otherwise

  KeyRef(Slice k, uint64_t h, int s) : key(k), hash(h), slot(s) {}
};

// The two dicts of a slot.
enum class KeyIndex : uint8_t { kAll, kExpiring };

// The hashes with deadlines, by the deadline under which each is filed.
struct FiledHash {
  static int64_t deadline(const Entry* e) { return e->pointer<const BigHash>()->filed_ms; }
};
using HashDeadlines = DeadlineIndex<Entry, FiledHash>;

// The keys of one slot (of the whole database outside cluster mode).
struct SlotDicts {
  EntryDict keys;
  EntryDict expires;
  EntryDict& dict(KeyIndex i) { return i == KeyIndex::kAll ? keys : expires; }
  size_t dated_hashes = 0;  // entries of `keys` that are hashes with deadlines
  uint8_t walk_bits = 0;    // resting value of the walk bits of every entry in `keys` (entry.h)
  // The number of the database in whose name walk k delivers these keys (keyspace/snapshot.h).
  std::array<int, 4> walk_db = {};
};

class Database {
 public:
  Database(int id, bool clustered);

  [[nodiscard]] int id() const { return id_; }
  [[nodiscard]] size_t size() const { return keys_; }
  [[nodiscard]] size_t expires_size() const { return expires_; }

  // nullptr when the slot has no keys and never had (cluster mode).
  [[nodiscard]] SlotDicts* slot(int s) const {
    return clustered_ ? slots_[static_cast<size_t>(s)].get() : single_.get();
  }
  SlotDicts& slot_for_insert(int s) {
    if (!clustered_) return *single_;
    auto& p = slots_[static_cast<size_t>(s)];
    if (!p) p = std::make_unique<SlotDicts>();
    return *p;
  }
  [[nodiscard]] int slot_count() const { return clustered_ ? kSlots : 1; }

  // Bytes of what leads to the dicts.
  [[nodiscard]] size_t directory_bytes() const {
    // NOLINTNEXTLINE(bugprone-sizeof-container): the vector itself, then what it holds
    return sizeof single_ + sizeof slots_ + slots_.capacity() * sizeof slots_[0];
  }

  // Raw membership; all rules (expiry, signals, statistics) are Keyspace's.
  [[nodiscard]] EntrySlot find(const KeyRef& k) const {
    SlotDicts* d = slot(k.slot);
    return d == nullptr ? EntrySlot() : d->keys.find_slot(k.key, k.hash);
  }
  [[nodiscard]] EntrySlot find_expiring(const KeyRef& k) const {
    SlotDicts* d = slot(k.slot);
    return d == nullptr ? EntrySlot() : d->expires.find_slot(k.key, k.hash);
  }
  void insert(const KeyRef& k, Entry* e) {
    SlotDicts& d = slot_for_insert(k.slot);
    e->set_walk_bits(d.walk_bits);
    d.keys.insert_new(e, k.hash);
    keys_++;
    if (clustered_) mark(KeyIndex::kAll, k.slot);
  }
  // The entry, or where insert_at() may put it: one probe.
  [[nodiscard]] EntrySlot find_or_prepare(const KeyRef& k, EntryRoom* room) {
    return slot_for_insert(k.slot).keys.find_or_prepare(k.key, k.hash, room);
  }
  void insert_at(const KeyRef& k, const EntryRoom& room, Entry* e) {
    SlotDicts& d = *slot(k.slot);
    e->set_walk_bits(d.walk_bits);
    d.keys.insert_at(room, e);
    keys_++;
    if (clustered_) mark(KeyIndex::kAll, k.slot);
  }
  // Makes room for n keys of a slot in all, if there is memory for it.
  void reserve(KeyIndex i, int s, size_t n) {
    if (n > 0) slot_for_insert(s).dict(i).try_expand(n);
  }
  Entry* erase(const KeyRef& k) {
    const EntrySlot at = find(k);
    return at ? erase_at(k, at) : nullptr;
  }
  // Takes the entry at a place that find() gave.
  Entry* erase_at(const KeyRef& k, const EntrySlot& at) {
    Entry* e = at.get();
    SlotDicts* d = slot(k.slot);
    d->keys.erase_slot(at);
    keys_--;
    if (clustered_ && d->keys.empty()) unmark(KeyIndex::kAll, k.slot);
    return e;
  }
  void insert_expiring(const KeyRef& k, Entry* e) {
    slot_for_insert(k.slot).expires.insert_new(e, k.hash);
    expires_++;
    if (clustered_) mark(KeyIndex::kExpiring, k.slot);
  }
  bool erase_expiring(const KeyRef& k) {
    SlotDicts* d = slot(k.slot);
    if (d == nullptr || d->expires.erase(k.key, k.hash) == nullptr) return false;
    expires_--;
    if (clustered_ && d->expires.empty()) unmark(KeyIndex::kExpiring, k.slot);
    return true;
  }

  // The first slot from s on whose dict is not empty; -1 if there is none.
  [[nodiscard]] int next_slot(KeyIndex i, int s) const;
  // One step of a walk with the guarantees of Dict::scan over the slots [first, last]. Outside cluster mode
  // they are both 0. The cursor of cluster mode has the slot in its lowest 14 bits, as CLUSTERSCAN shows it.
  // skip_sparse: dicts of which less than one place in a hundred is taken are left for when they will have
  // shrunk.
  template <class F>
  uint64_t scan(KeyIndex i, uint64_t cursor, int first, int last, bool skip_sparse, F&& emit) {
    int s = 0;
    if (clustered_) {
      s = static_cast<int>(cursor & (kSlots - 1));
      cursor >>= kSlotBits;
    }
    if (s < first) {
      s = first;
      cursor = 0;
    } else if (s > last) {
      return 0;
    }
    uint64_t next = 0;
    if (SlotDicts* d = slot(s)) {
      EntryDict& dict = d->dict(i);
      if (!skip_sparse || dict.size() * 100 >= (dict.buckets(0) + dict.buckets(1)) * dict::kSlots) {
        next = dict.scan(cursor, emit);
      }
    }
    if (!clustered_) return next;
    if (next == 0) {
      s = next_slot(i, s + 1);
      if (s < 0 || s > last) return 0;
    }
    return next << kSlotBits | static_cast<uint64_t>(s);
  }
  void prefetch_bucket(const KeyRef& k) const {
    if (SlotDicts* d = slot(k.slot)) d->keys.prefetch_bucket(k.hash);
  }
  // Very probably the entry of the key, nullptr if that takes a longer search.
  [[nodiscard]] const Entry* guess(const KeyRef& k) const {
    const SlotDicts* d = slot(k.slot);
    return d == nullptr ? nullptr : d->keys.guess(k.hash);
  }
  void prefetch_entry(const KeyRef& k) const {
    if (SlotDicts* d = slot(k.slot)) d->keys.prefetch_elem(k.hash);
  }

  // Hashes that have fields with deadlines: keys_with_volatile_items. Filing them is Keyspace's
  // (keyspace/field_expiry.cc).
  HashDeadlines hash_deadlines;
  [[nodiscard]] size_t dated_hashes() const { return dated_hashes_; }
  void count_dated_hash(int s, bool more) {
    SlotDicts& d = *slot(s);
    more ? d.dated_hashes++ : d.dated_hashes--;
    more ? dated_hashes_++ : dated_hashes_--;
  }

  // Everything in it moves to the caller (FLUSHDB frees it, SWAPDB and loading exchange it).
  struct Contents {
    std::unique_ptr<SlotDicts> single;
    std::vector<std::unique_ptr<SlotDicts>> slots;
    HashDeadlines hash_deadlines;
    size_t keys = 0;
    size_t expires = 0;
  };
  Contents detach();
  void swap(Database& other);
  // The running average of the remaining lifetime of volatile keys, in ms (INFO keyspace avg_ttl).
  int64_t avg_ttl_ms = 0;
  // Where the active expiry cycle goes on: a cursor of scan().
  uint64_t expire_cursor = 0;

 private:
  // Cluster mode: for each index a bit for every slot whose dict is not empty, so that walks need not look at
  // 16384 slots.
  void mark(KeyIndex i, int s) {
    taken_[static_cast<size_t>(i)][static_cast<size_t>(s) / 64] |= 1ULL << (s % 64);
  }
  void unmark(KeyIndex i, int s) {
    taken_[static_cast<size_t>(i)][static_cast<size_t>(s) / 64] &= ~(1ULL << (s % 64));
  }

  int id_;
  bool clustered_;
  size_t keys_ = 0, expires_ = 0, dated_hashes_ = 0;
  std::unique_ptr<SlotDicts> single_;
  std::vector<std::unique_ptr<SlotDicts>> slots_;
  std::vector<uint64_t> taken_[2];

 public:
  static constexpr int kSlotBits = 14;
  static constexpr int kSlots = 1 << kSlotBits;
};

}  // namespace kvasir
