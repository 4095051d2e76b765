// The keyspace: all databases and the rules of reading and writing keys in them - expiry on access, access
// statistics, LRU/LFU, the count of changes (`dirty`), and telling those who watch.
//
// Every change of a key goes through here, so that four things hold for all commands alike: an entry a
// snapshot walk has not reached is handed over first, `dirty` counts it, watchers and trackers hear of it,
// and the deadline index agrees with the entry.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "keyspace/database.h"
#include "keyspace/snapshot.h"

namespace kvasir {

// Keyspace notification classes (notify-keyspace-events), numbered as in Valkey's documentation of the
// modules API.
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
  uint64_t expired_fields = 0;
  uint64_t expired_time_cap_reached = 0;
  // Percent, running averages: of keys with a deadline, and of hashes that have fields with one.
  double expired_stale_perc = 0, hashes_stale_perc = 0;
  uint64_t expire_cycle_cpu_us = 0;
  uint64_t evicted = 0;
};

// Who hears of changes. Implemented by the engine; called only for what `interest` asks for.
class Signals {
 public:
  virtual ~Signals() = default;
  // A key's value changed (WATCH, client tracking); by_client: the running command's client did it, rather
  // than the key's deadline or a lack of memory.
  virtual void key_modified(Database& db, Slice key, bool by_client) = 0;
  virtual void notify(uint32_t klass, const char* event, Slice key, int db) = 0;
  // The key reached its deadline and is being deleted here: replicas and the AOF get a DEL or UNLINK.
  virtual void propagate_delete(Database& db, Slice key, bool lazy) = 0;
  // Taking out a key that was due took so long; only while time_expiry is set.
  virtual void expiry_took(int64_t us) = 0;
  // Fields reached their deadlines and have been removed; the key with them if none was left (lazy: as in
  // propagate_delete).
  virtual void propagate_field_delete(Database& db, Slice key, std::span<const Slice> fields, bool key_gone,
                                      bool lazy) = 0;
  // A collection appeared under a key, or one was added to: it may serve those who wait for it.
  virtual void key_ready(Database& db, Slice key, Type type) = 0;
  // A key was deleted, or what is there now has another type.
  virtual void key_gone(Database& db, Slice key) = 0;
  // A database is about to be emptied; -1: all.
  virtual void flushed(int db) = 0;
  // SWAPDB, before and after the exchange.
  virtual void swapping(int a, int b) = 0;
  virtual void swapped(int a, int b) = 0;
};

// What has become of a key whose deadline was looked at.
enum class Expiry : uint8_t {
  kValid,    // not due, or deadlines do not matter to this client
  kHidden,   // due: to be treated as absent, but not ours to delete (yet)
  kDeleted,  // was due and is gone
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

  [[nodiscard]] KeyRef ref(Slice key) const {
    return {key, hash_bytes(key), clustered_ ? static_cast<int>(key_slot(key)) : 0};
  }

  // --- the clock of the running command: expiry is judged by one time for a whole command ---
  int64_t now_ms = 0;

  // --- lookups ---
  // kNoExpire: a key past its deadline is treated as absent, but stays.
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
  // For a change: a key past its deadline is deleted first, on a writable replica and in import mode as well;
  // no hit or miss is counted. The caller may change the value in place and must call modified() afterwards.
  Entry* lookup_write(Database& db, const KeyRef& k, uint32_t flags = 0) {
    const EntrySlot slot = find_write(db, k, flags);
    return slot ? slot.get() : nullptr;
  }
  // The same, giving the place in the dict, for replacing the entry at once; valid until the next change of
  // the dict. Nothing here means that the key may be added.
  EntrySlot find_write(Database& db, const KeyRef& k, uint32_t flags = 0) {
    const EntrySlot slot = db.find(k);
    if (!slot) return slot;
    if (expired(*slot.get()) && expire_for_write(db, k)) return {};
    changing(db, k, slot.get());
    if (!(flags & kNoTouch) && !no_touch) touch(slot.get());
    return slot;
  }
  // As find_write, for a command that writes the key whether it is there or not: without a slot, *room is
  // where add() puts the new entry without looking for a place again, provided that nothing changes the dict
  // before.
  EntrySlot find_or_prepare(Database& db, const KeyRef& k, EntryRoom* room) {
    const EntrySlot slot = db.find_or_prepare(k, room);
    if (!slot) return slot;
    if (expired(*slot.get())) [[unlikely]] {
      expire_for_write(db, k);
      return db.find_or_prepare(k, room);
    }
    changing(db, k, slot.get());
    if (!no_touch) touch(slot.get());
    return slot;
  }
  // Past its deadline, in the eyes of the running command. The deadline itself is still a valid moment.
  [[nodiscard]] bool expired(const Entry& e) const {
    return e.has_expiry_slot() && e.expire_ms() != kNoExpiry && now_ms > e.expire_ms() && !loading &&
           !ignore_expiry;
  }
  // Whether a key that is given this deadline is to be deleted at once. Where deadlines are somebody else's
  // to enforce (loading, replica, import, a client that we obey) it is stored as it is, and its deletion
  // comes from there.
  [[nodiscard]] bool deadline_passed(int64_t expire_ms) const {
    return expire_ms <= now_ms && !loading && !is_replica && !import_mode && !ignore_expiry;
  }
  // The same two for the fields of hashes.
  [[nodiscard]] FieldClock field_clock() const {
    FieldClock clock;
    if (loading || ignore_expiry) return clock;
    clock.hidden_before = now_ms;
    if (!is_replica && !import_mode) clock.past_until = now_ms;
    return clock;
  }
  // Lets a key that is past its deadline go, if the state of the server allows it.
  Expiry expire_if_due(Database& db, const KeyRef& k, const Entry& e);

  // --- changes ---
  // Inserts a key that is not there. Takes e. Its deadline, if it has one, is indexed.
  void add(Database& db, const KeyRef& k, Entry* e);
  void add(Database& db, const KeyRef& k, const EntryRoom& room, Entry* e);
  // Inserts a key that a file brings: nobody is told. False: there is one with that name, and e is still the
  // caller's.
  bool load(Database& db, const KeyRef& k, Entry* e);
  // A key, or fields of it, that a file brings past their deadlines and that are not loaded: who follows the
  // stream is told.
  void tell_expired(Database& db, Slice key) { signals_->propagate_delete(db, key, lazyfree_expire); }
  void tell_fields_expired(Database& db, Slice key, std::span<const Slice> fields) {
    signals_->propagate_field_delete(db, key, fields, false, lazyfree_expire);
  }
  // Replaces the entry at slot by e: the deadline index follows, access data carries over, the old entry is
  // freed (lazily when lazyfree_server_del says so and it is large).
  void replace(Database& db, const KeyRef& k, EntrySlot slot, Entry* e);
  // Sets or inserts. The new entry carries the deadline it shall have.
  void set(Database& db, const KeyRef& k, Entry* e);
  // Deletes; false if it was not there. The deadline is taken care of; no notification, no dirty.
  bool remove(Database& db, const KeyRef& k, bool lazy);
  // Deletes the key at a place that find_write() or Database::find() gave.
  void remove_at(Database& db, const KeyRef& k, const EntrySlot& slot, bool lazy) {
    free_entry(take(db, k, slot), lazy);
  }
  // Takes the key out without freeing it (RENAME, MOVE): the entry is the caller's.
  Entry* take(Database& db, const KeyRef& k, const EntrySlot& slot);
  // Changes the deadline; kNoExpiry removes it. May move the entry: returns where it is now.
  Entry* set_expire(Database& db, const KeyRef& k, EntrySlot slot, int64_t expire_ms);
  // Before a change of an entry that was not looked up for one.
  void changing(const Database& db, const KeyRef& k, Entry* e) {
    if (snapshots_.active()) [[unlikely]]
      snapshots_.hand_over(*db.slot(k.slot), k.slot, e);
  }
  void changing(const Database& db, Slice key) {
    if (!snapshots_.active()) [[likely]]
      return;
    const KeyRef k = ref(key);
    if (const EntrySlot slot = db.find(k)) changing(db, k, slot.get());
  }
  // After an in-place change or any of the above: watchers and trackers hear of it.
  void modified(Database& db, Slice key, bool by_client = true) {
    if (interest_modified != 0) signals_->key_modified(db, key, by_client);
  }
  // After adding to a collection for which somebody may wait. What add() inserts it reports itself.
  void ready(Database& db, Slice key, Type type) {
    if (interest_ready) signals_->key_ready(db, key, type);
  }
  void notify(uint32_t klass, const char* event, Slice key, const Database& db) {
    if ((klass & interest_notify) != 0) signals_->notify(klass, event, key, db.id());
  }
  // Deletes the key because its deadline passed, with statistics, notification and propagation.
  void delete_expired(Database& db, const KeyRef& k);

  // --- deadlines of fields (field_expiry.cc) ---
  // After deadlines of fields of the hash e were set or removed, or fields that had one: the index of such
  // hashes follows. `deadline`: the earliest that was set, if any.
  void fields_changed(Database& db, const KeyRef& k, Entry* e, int64_t deadline = kNoExpiry) {
    if (e->encoding() == Encoding::kHashtable) refile(db, k, e, deadline);
  }
  // Removes up to `max` fields (at most kMostFields) that are past their deadlines from the hash of the
  // database that is to be looked at next, with all that follows. Returns how many; *looked is false if no
  // hash of the database can have any.
  size_t expire_fields(Database& db, size_t max, bool* looked);
  static constexpr size_t kMostFields = 1024;

  // --- point-in-time views (snapshot.h) ---
  // nullptr: Snapshots::kMost walks are under way.
  std::unique_ptr<SnapshotWalk> start_walk(SnapshotTarget* target,
                                           const std::function<bool(int slot)>& wanted = {}) {
    return snapshots_.start(dbs_, target, wanted);
  }
  Snapshots& snapshots() { return snapshots_; }

  // Empties a database (or all: -1). Returns the number of keys removed. async: freed on the background
  // thread.
  size_t flush(int db, bool async);
  // SWAPDB.
  void swap(int a, int b);
  // A key that is not past its deadline, or nullptr if there is none. Where such keys may not be deleted it
  // gives up after a number of tries and returns one.
  Entry* random_entry(Database& db, Rng& rng);

  void touch(Entry* e) {
    if (lfu) {
      touch_lfu(e);
    } else {
      e->set_lru(lru_clock);
    }
  }
  void init_access(Entry* e);
  // The LFU count as it is now, after what it lost with time.
  [[nodiscard]] uint32_t lfu_frequency(const Entry& e) const { return lfu_decayed(e.lru()); }
  // Seconds since the last access (LRU policies); the clock of 24 bits may have gone round.
  [[nodiscard]] uint32_t idle_seconds(const Entry& e) const { return (lru_clock - e.lru()) & 0xffffff; }

  // Access data from elsewhere (RESTORE, RDB): the LFU count or the seconds since the last access, whichever
  // the policy uses; -1: not known.
  void set_access(Entry* e, int64_t frequency, int64_t idle_s) const {
    if (lfu) {
      if (frequency >= 0) e->set_lru(lfu_minutes() << 8 | static_cast<uint32_t>(frequency));
    } else if (idle_s >= 0) {
      e->set_lru(lru_clock - static_cast<uint32_t>(idle_s));
    }
  }

  // Frees an entry, on the background thread when it is costly and `lazy` holds.
  void free_entry(Entry* e, bool lazy);

  // --- settings and state others keep up to date ---
  uint32_t lru_clock = 0;  // seconds, 24 bits
  bool lfu = false;        // maxmemory-policy is an LFU one
  uint32_t lfu_log_factor = 10;
  uint32_t lfu_decay_minutes = 1;
  bool no_touch = false;    // the running command's client has CLIENT NO-TOUCH on
  bool loading = false;     // nothing expires while a file is loaded
  bool is_replica = false;  // deadlines are the primary's to enforce
  bool replica_read_only = true;
  bool expire_paused = false;  // CLIENT PAUSE, failover
  bool import_mode = false;    // deadlines are the import source's to enforce (import-mode)
  // The running command comes from a client that we obey (our primary, the import source): no key is past its
  // deadline.
  bool ignore_expiry = false;
  bool lazyfree_expire = true, lazyfree_server_del = true;
  bool time_expiry = false;  // the latency monitor is on
  uint32_t interest_notify = 0;
  // Bits of those who want to hear of modified(): who asks for it keeps its bit.
  enum Interest : uint8_t { kWatchers = 1, kTrackers = 2 };
  uint8_t interest_modified = 0;
  bool interest_ready = false;  // somebody waits for keys
  uint64_t dirty = 0;           // changes since the last save, as rdb_changes_since_last_save
  KeyspaceStats stats;

  // Keys with a deadline that were written on a writable replica: its primary knows nothing of them and will
  // not delete them (expire_cycle.h).
  std::set<std::pair<int, std::string>> replica_keys;

 private:
  void refile(Database& db, const KeyRef& k, Entry* e, int64_t deadline);
  void file(Database& db, int slot, Entry* e);
  // Takes it out of the index if it is in it.
  void unfile(Database& db, int slot, Entry* e);
  static bool may_be_filed(const Entry& e) {
    return e.type() == Type::kHash && e.encoding() == Encoding::kHashtable;
  }
  Entry* lookup_read_slow(Database& db, const KeyRef& k, EntrySlot slot, uint32_t flags);
  // True: the key counts as absent and is gone from the dict, or (read-only replica) must not be written
  // anyway.
  bool expire_for_write(Database& db, const KeyRef& k);
  void remember_replica_key(const Database& db, const Entry& e);
  void added(Database& db, const KeyRef& k, Entry* e);
  void touch_lfu(Entry* e);
  [[nodiscard]] uint32_t lfu_decayed(uint32_t lru) const;
  [[nodiscard]] uint32_t lfu_minutes() const { return static_cast<uint32_t>((now_ms / 60000) & 0xffff); }

  std::vector<std::unique_ptr<Database>> dbs_;
  Snapshots snapshots_;
  bool clustered_;
  Signals* signals_;
};

}  // namespace kvasir
