// The keyspace: all databases and the rules of reading and writing keys in them - expiry on access, access
// statistics, LRU/LFU, the count of changes (`dirty`), and telling those who watch.
//
// Every change of a key goes through here, so that four things hold for all commands alike: an entry a snapshot walk
// has not reached is handed over first, `dirty` counts it, watchers and trackers hear of it, and the deadline index
// agrees with the entry.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "keyspace/database.h"

namespace kvasir {

// Keyspace notification classes (notify-keyspace-events), numbered as in Valkey's documentation of the modules API.
enum NotifyClass : uint32_t {
  kNotifyKeyspace = 1 << 0,
  kNotifyKeyevent = 1 << 1,
  kNotifyGeneric = 1 << 2,
  kNotifyString = 1 << 3,
  kNotifyList = 1 << 4,
  kNotifySet = 1 << 5,
  kNotifyHash = 1 << 6,
  kNotifyZset = 1 << 7,
  kNotifyExpired = 1 << 8,
  kNotifyEvicted = 1 << 9,
  kNotifyStream = 1 << 10,
  kNotifyKeyMiss = 1 << 11,
  kNotifyNew = 1 << 14,
};

struct KeyspaceStats {
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t expired = 0;
  uint64_t expired_time_cap_reached = 0;
  double expired_stale_perc = 0;
  uint64_t expire_cycle_cpu_us = 0;
  uint64_t evicted = 0;
};

// Who hears of changes. Implemented by the engine; called only for what `interest` asks for.
class Signals {
 public:
  virtual ~Signals() = default;
  // A key's value changed (WATCH, client tracking).
  virtual void key_modified(Database& db, Slice key) = 0;
  virtual void notify(uint32_t klass, const char* event, Slice key, int db) = 0;
  // The key reached its deadline and is being deleted here: replicas and the AOF get a DEL or UNLINK.
  virtual void propagate_delete(Database& db, Slice key, bool lazy) = 0;
  // Databases emptied or exchanged; db -1: all.
  virtual void flushed(int db) = 0;
};

class Keyspace {
 public:
  Keyspace(int databases, bool clustered, Signals* signals);
  ~Keyspace();
  Keyspace(const Keyspace&) = delete;
  Keyspace& operator=(const Keyspace&) = delete;

  [[nodiscard]] Database& db(int i) { return *dbs_[static_cast<size_t>(i)]; }
  [[nodiscard]] int databases() const { return static_cast<int>(dbs_.size()); }
  [[nodiscard]] bool clustered() const { return clustered_; }

  [[nodiscard]] KeyRef ref(Slice key) const { return {key, hash_bytes(key), clustered_ ? static_cast<int>(key_slot(key)) : 0}; }

  // --- the clock of the running command: expiry is judged by one time for a whole command ---
  int64_t now_ms = 0;

  // --- lookups ---
  enum LookupFlags : uint32_t { kNoTouch = 1, kNoStats = 2, kNoNotify = 4, kNoExpire = 8 };
  // nullptr if absent or past its deadline. The entry belongs to the dict and is valid until the next change.
  Entry* lookup_read(Database& db, const KeyRef& k, uint32_t flags = 0) {
    const EntrySlot slot = db.find(k);
    if (slot && !expired(*slot.get())) {
      if (!(flags & kNoStats)) stats.hits++;
      if (!(flags & kNoTouch) && !no_touch) touch(slot.get());
      return slot.get();
    }
    return lookup_read_slow(db, k, slot, flags);
  }
  // For a change: a key past its deadline is deleted first; no hit or miss is counted. The caller may change the value
  // in place and must call modified() afterwards.
  Entry* lookup_write(Database& db, const KeyRef& k, uint32_t flags = 0) {
    const EntrySlot slot = find_write(db, k, flags);
    return slot ? slot.get() : nullptr;
  }
  // The same, giving the place in the dict, for replacing the entry at once; valid until the next change of the dict.
  EntrySlot find_write(Database& db, const KeyRef& k, uint32_t flags = 0) {
    const EntrySlot slot = db.find(k);
    if (!slot) return slot;
    if (expired(*slot.get()) && delete_if_expired(db, k, *slot.get())) return {};
    if (!(flags & kNoTouch) && !no_touch) touch(slot.get());
    return slot;
  }
  // As find_write, for a command that writes the key whether it is there or not: without a slot, *room is where add()
  // puts the new entry without looking for a place again, provided that nothing changes the dict before.
  EntrySlot find_or_prepare(Database& db, const KeyRef& k, EntryRoom* room) {
    const EntrySlot slot = db.find_or_prepare(k, room);
    if (!slot) return slot;
    if (expired(*slot.get())) [[unlikely]] {
      delete_expired(db, k);
      return db.find_or_prepare(k, room);
    }
    if (!no_touch) touch(slot.get());
    return slot;
  }
  [[nodiscard]] bool expired(const Entry& e) const {
    return e.has_expiry_slot() && e.expire_ms() != kNoExpiry && now_ms > e.expire_ms() && !loading;
  }

  // --- changes ---
  // Inserts a key that is not there. Takes e. Its deadline, if it has one, is indexed.
  void add(Database& db, const KeyRef& k, Entry* e);
  void add(Database& db, const KeyRef& k, const EntryRoom& room, Entry* e);
  // Replaces the entry at slot by e: the deadline index follows, access data carries over, the old entry is freed
  // (lazily when lazyfree_server_del says so and it is large).
  void replace(Database& db, const KeyRef& k, EntrySlot slot, Entry* e);
  // Sets or inserts. The new entry carries the deadline it shall have.
  void set(Database& db, const KeyRef& k, Entry* e);
  // Deletes; false if it was not there. Deadline and watchers are taken care of; no notification, no dirty.
  bool remove(Database& db, const KeyRef& k, bool lazy);
  // Changes the deadline; kNoExpiry removes it. May move the entry: returns where it is now.
  Entry* set_expire(Database& db, const KeyRef& k, EntrySlot slot, int64_t expire_ms);
  // After an in-place change or any of the above: watchers and trackers hear of it.
  void modified(Database& db, Slice key) {
    if (interest_modified) signals_->key_modified(db, key);
  }
  void notify(uint32_t klass, const char* event, Slice key, const Database& db) {
    if ((klass & interest_notify) != 0) signals_->notify(klass, event, key, db.id());
  }
  // Deletes the key because its deadline passed, with statistics, notification and propagation.
  void delete_expired(Database& db, const KeyRef& k);
  // Applies the rules of primaries, replicas and paused expiry. True: treat the key as absent.
  bool delete_if_expired(Database& db, const KeyRef& k, const Entry& e);

  // Empties a database (or all: -1). Returns the number of keys removed. async: freed on the background thread.
  size_t flush(int db, bool async);
  // A key that is not past its deadline, or nullptr; tries a bounded number of times.
  Entry* random_entry(Database& db, Rng& rng);

  void touch(Entry* e) {
    if (lfu) {
      touch_lfu(e);
    } else {
      e->set_lru(lru_clock);
    }
  }
  void init_access(Entry* e);

  // Frees an entry, on the background thread when it is costly and `lazy` holds.
  void free_entry(Entry* e, bool lazy);

  // --- settings and state others keep up to date ---
  uint32_t lru_clock = 0;   // seconds, 24 bits
  bool lfu = false;         // maxmemory-policy is an LFU one
  uint8_t lfu_log_factor = 10;
  uint32_t lfu_decay_minutes = 1;
  bool no_touch = false;    // the running command's client has CLIENT NO-TOUCH on
  bool loading = false;     // nothing expires while a file is loaded
  bool is_replica = false;  // deadlines are the primary's to enforce
  bool expire_paused = false;   // CLIENT PAUSE, failover
  bool lazyfree_expire = true, lazyfree_server_del = true;
  uint32_t interest_notify = 0;
  bool interest_modified = false;
  uint64_t dirty = 0;  // changes since the last save, as rdb_changes_since_last_save
  KeyspaceStats stats;

 private:
  Entry* lookup_read_slow(Database& db, const KeyRef& k, EntrySlot slot, uint32_t flags);
  void touch_lfu(Entry* e);

  std::vector<std::unique_ptr<Database>> dbs_;
  bool clustered_;
  Signals* signals_;
};

}  // namespace kvasir
