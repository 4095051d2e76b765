#include "keyspace/keyspace.h"

#include "base/clock.h"
#include "keyspace/lazyfree.h"
#include "keyspace/value.h"

namespace kvasir {

Keyspace::Keyspace(int databases, bool clustered, Signals* signals)
    : clustered_(clustered), signals_(signals) {
  dbs_.reserve(static_cast<size_t>(databases));
  for (int i = 0; i < databases; i++) dbs_.push_back(std::make_unique<Database>(i, clustered));
}

Keyspace::~Keyspace() {
  for (auto& d : dbs_) free_contents(d->detach());
}

Entry* Keyspace::lookup_read_slow(Database& db, const KeyRef& k, EntrySlot slot, uint32_t flags) {
  if (slot && !(flags & kNoExpire)) expire_if_due(db, k, *slot.get());
  if (!(flags & kNoNotify)) notify(kNotifyKeyMiss, "keymiss", k.key, db);
  if (!(flags & kNoStats)) stats.misses++;
  return nullptr;
}

Expiry Keyspace::expire_if_due(Database& db, const KeyRef& k, const Entry& e) {
  if (!expired(e)) return Expiry::kValid;
  // A replica waits for its primary's DEL, an importing server for its source's; a paused server may be about
  // to hand over to somebody who will decide.
  if (is_replica || import_mode || expire_paused) return Expiry::kHidden;
  delete_expired(db, k);
  return Expiry::kDeleted;
}

// A write must not find the old entry in its way, so that a paused server, too, lets it go here: only a
// transaction that paused the server itself gets this far.
bool Keyspace::expire_for_write(Database& db, const KeyRef& k) {
  if (!is_replica || !replica_read_only) delete_expired(db, k);
  return true;
}

void Keyspace::delete_expired(Database& db, const KeyRef& k) {
  // The key may be a slice of the entry that is about to be freed.
  const std::string key = k.key.str();
  const KeyRef own(key, k.hash, k.slot);
  const uint64_t began_us = time_expiry ? mono_us() : 0;
  remove(db, own, lazyfree_expire);
  if (time_expiry) signals_->expiry_took(static_cast<int64_t>(mono_us() - began_us));
  stats.expired++;
  notify(kNotifyExpired, "expired", key, db);
  modified(db, key, false);
  signals_->propagate_delete(db, key, lazyfree_expire);
}

void Keyspace::added(Database& db, const KeyRef& k, Entry* e) {
  if (e->has_expiry_slot() && e->expire_ms() != kNoExpiry) {
    db.insert_expiring(k, e);
    if (is_replica) remember_replica_key(db, *e);
  }
  if (may_be_filed(*e)) file(db, k.slot, e);
  if (interest_ready && e->type() != Type::kString) signals_->key_ready(db, k.key, e->type());
  notify(kNotifyNew, "new", k.key, db);
}

void Keyspace::add(Database& db, const KeyRef& k, Entry* e) {
  init_access(e);
  db.insert(k, e);
  added(db, k, e);
}

void Keyspace::add(Database& db, const KeyRef& k, const EntryRoom& room, Entry* e) {
  init_access(e);
  db.insert_at(k, room, e);
  added(db, k, e);
}

bool Keyspace::load(Database& db, const KeyRef& k, Entry* e) {
  EntryRoom room;
  if (db.find_or_prepare(k, &room)) return false;
  init_access(e);
  db.insert_at(k, room, e);
  if (e->expire_ms() != kNoExpiry) db.insert_expiring(k, e);
  if (may_be_filed(*e)) file(db, k.slot, e);
  return true;
}

void Keyspace::replace(Database& db, const KeyRef& k, EntrySlot slot, Entry* e) {
  Entry* old = slot.get();
  changing(db, k, old);
  e->set_lru(old->lru());
  e->set_walk_bits(old->walk_bits());
  const bool had = old->has_expiry_slot() && old->expire_ms() != kNoExpiry;
  const bool has = e->has_expiry_slot() && e->expire_ms() != kNoExpiry;
  slot.set(e);
  if (may_be_filed(*old)) unfile(db, k.slot, old);
  if (may_be_filed(*e)) file(db, k.slot, e);
  if (has && is_replica) remember_replica_key(db, *e);
  if (had && has) {
    db.find_expiring(k).set(e);
  } else if (had) {
    db.erase_expiring(KeyRef(e->key(), k.hash, k.slot));
  } else if (has) {
    db.insert_expiring(k, e);
  }
  // Those who wait for a collection of the new type are not told, as in Valkey: only what appears or grows
  // serves.
  if (interest_ready && old->type() != e->type()) signals_->key_gone(db, k.key);
  free_entry(old, lazyfree_server_del);
}

void Keyspace::set(Database& db, const KeyRef& k, Entry* e) {
  const EntrySlot slot = db.find(k);
  if (!slot) {
    add(db, k, e);
  } else {
    replace(db, k, slot, e);
  }
}

bool Keyspace::remove(Database& db, const KeyRef& k, bool lazy) {
  const EntrySlot slot = db.find(k);
  if (!slot) return false;
  remove_at(db, k, slot, lazy);
  return true;
}

Entry* Keyspace::take(Database& db, const KeyRef& k, const EntrySlot& slot) {
  changing(db, k, slot.get());
  Entry* e = db.erase_at(k, slot);
  if (may_be_filed(*e)) unfile(db, k.slot, e);
  if (e->has_expiry_slot() && e->expire_ms() != kNoExpiry)
    db.erase_expiring(KeyRef(e->key(), k.hash, k.slot));
  if (interest_ready) signals_->key_gone(db, k.key);
  return e;
}

Entry* Keyspace::set_expire(Database& db, const KeyRef& k, EntrySlot slot, int64_t expire_ms) {
  Entry* e = slot.get();
  changing(db, k, e);
  const bool had = e->has_expiry_slot() && e->expire_ms() != kNoExpiry;
  if (expire_ms == kNoExpiry) {
    if (!had) return e;
    db.erase_expiring(KeyRef(e->key(), k.hash, k.slot));
    // The room for a deadline stays until the entry is next rebuilt: a key that had one once may get one
    // again.
    e->set_expire_ms(kNoExpiry);
    return e;
  }
  if (is_replica) remember_replica_key(db, *e);
  if (e->has_expiry_slot()) {
    e->set_expire_ms(expire_ms);
    if (!had) {
      if (e->type() == Type::kString && e->embedded()) {
        e->set_encoding(
            Entry::string_encoding_once_expiring(e->encoding(), e->embedded_value().size, e->key().size));
      }
      db.insert_expiring(k, e);
    }
    return e;
  }
  Entry* fresh = e->rebuild(e->key(), expire_ms);
  fresh->set_walk_bits(e->walk_bits());
  slot.set(fresh);
  if (may_be_filed(*e)) {
    unfile(db, k.slot, e);
    file(db, k.slot, fresh);
  }
  Entry::free_shell(e);
  db.insert_expiring(KeyRef(fresh->key(), k.hash, k.slot), fresh);
  return fresh;
}

void Keyspace::remember_replica_key(const Database& db, const Entry& e) {
  if (!replica_read_only && !ignore_expiry) replica_keys.emplace(db.id(), e.key().str());
}

size_t Keyspace::flush(int db, bool async) {
  // While the keys are still there.
  signals_->flushed(db);
  if (db == -1) replica_keys.clear();
  size_t removed = 0;
  for (auto& d : dbs_) {
    if (db != -1 && d->id() != db) continue;
    removed += d->size();
    Database::Contents c = d->detach();
    if (snapshots_.active()) {
      snapshots_.keep(std::move(c));
    } else if (async) {
      lazyfree_contents(std::move(c));
    } else {
      free_contents(std::move(c));
    }
  }
  return removed;
}

void Keyspace::swap(int a, int b) {
  if (a == b) return;
  signals_->swapping(a, b);
  db(a).swap(db(b));
  signals_->swapped(a, b);
}

Entry* Keyspace::random_entry(Database& db, Rng& rng) {
  for (int tries = db.size() == db.expires_size() ? 100 : 10000; db.size() > 0;) {
    SlotDicts* d = db.slot(0);
    if (clustered_) {
      // Weighed by keys: a slot is taken with the chance its share gives it.
      size_t target = rng.below(db.size());
      int s = db.next_slot(KeyIndex::kAll, 0);
      for (; target >= db.slot(s)->keys.size(); s = db.next_slot(KeyIndex::kAll, s + 1)) {
        target -= db.slot(s)->keys.size();
      }
      d = db.slot(s);
    }
    Entry* e = d->keys.random(rng);
    if (!expired(*e)) return e;
    // All keys may be due and none of them ours to delete: then nothing better will be found.
    if (expire_if_due(db, ref(e->key()), *e) == Expiry::kHidden && --tries == 0) return e;
  }
  return nullptr;
}

void Keyspace::init_access(Entry* e) {
  if (lfu) {
    e->set_lru((lfu_minutes() << 8) |
               5);  // a new key starts with a count of 5, or it would be evicted at once
  } else {
    e->set_lru(lru_clock);
  }
}

uint32_t Keyspace::lfu_decayed(uint32_t lru) const {
  const uint32_t count = lru & 0xff;
  const uint32_t elapsed = (lfu_minutes() - (lru >> 8)) & 0xffff;
  const uint32_t periods = lfu_decay_minutes == 0 ? 0 : elapsed / lfu_decay_minutes;
  return periods >= count ? 0 : count - periods;
}

void Keyspace::touch_lfu(Entry* e) {
  uint32_t count = lfu_decayed(e->lru());
  if (count < 255) {
    const double base = count > 5 ? static_cast<double>(count - 5) : 0;
    static thread_local Rng rng;
    if (rng.unit() < 1.0 / (base * lfu_log_factor + 1)) count++;
  }
  e->set_lru((lfu_minutes() << 8) | count);
}

void Keyspace::free_entry(Entry* e, bool lazy) {
  if (lazy) {
    lazyfree_entry(e);
  } else {
    value_destroy(e);
  }
}

}  // namespace kvasir
