#include "keyspace/keyspace.h"

#include <ctime>

#include "keyspace/lazyfree.h"

namespace kvasir {

Keyspace::Keyspace(int databases, bool clustered, Signals* signals) : clustered_(clustered), signals_(signals) {
  dbs_.reserve(static_cast<size_t>(databases));
  for (int i = 0; i < databases; i++) dbs_.push_back(std::make_unique<Database>(i, clustered));
}

Keyspace::~Keyspace() { flush(-1, false); }

Entry* Keyspace::lookup_read_slow(Database& db, const KeyRef& k, EntrySlot slot, uint32_t flags) {
  if (slot && !delete_if_expired(db, k, *slot.get())) {
    if (!(flags & kNoStats)) stats.hits++;
    if (!(flags & kNoTouch) && !no_touch) touch(slot.get());
    return slot.get();
  }
  if (!(flags & kNoNotify)) notify(kNotifyKeyMiss, "keymiss", k.key, db);
  if (!(flags & kNoStats)) stats.misses++;
  return nullptr;
}

bool Keyspace::delete_if_expired(Database& db, const KeyRef& k, const Entry& e) {
  if (!expired(e)) return false;
  // A replica answers as if the key were gone and waits for its primary's DEL; a paused server waits as well.
  if (is_replica) return true;
  if (expire_paused) return true;
  delete_expired(db, k);
  return true;
}

void Keyspace::delete_expired(Database& db, const KeyRef& k) {
  // The key may be a slice of the entry that is about to be freed.
  const std::string key = k.key.str();
  const KeyRef own(key, k.hash, k.slot);
  remove(db, own, lazyfree_expire);
  stats.expired++;
  notify(kNotifyExpired, "expired", key, db);
  modified(db, key);
  signals_->propagate_delete(db, key, lazyfree_expire);
}

void Keyspace::add(Database& db, const KeyRef& k, Entry* e) {
  init_access(e);
  db.insert(k, e);
  if (e->has_expiry_slot() && e->expire_ms() != kNoExpiry) db.insert_expiring(k, e);
  notify(kNotifyNew, "new", k.key, db);
}

void Keyspace::add(Database& db, const KeyRef& k, const EntryRoom& room, Entry* e) {
  init_access(e);
  db.insert_at(k, room, e);
  if (e->has_expiry_slot() && e->expire_ms() != kNoExpiry) db.insert_expiring(k, e);
  notify(kNotifyNew, "new", k.key, db);
}

void Keyspace::replace(Database& db, const KeyRef& k, EntrySlot slot, Entry* e) {
  Entry* old = slot.get();
  e->set_lru(old->lru());
  e->set_walk_bits(old->walk_bits());
  const bool had = old->has_expiry_slot() && old->expire_ms() != kNoExpiry;
  const bool has = e->has_expiry_slot() && e->expire_ms() != kNoExpiry;
  slot.set(e);
  if (had && has) {
    db.find_expiring(k).set(e);
  } else if (had) {
    db.erase_expiring(KeyRef(e->key(), k.hash, k.slot));
  } else if (has) {
    db.insert_expiring(k, e);
  }
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
  if (db.expires_size() != 0) db.erase_expiring(k);
  Entry* e = db.erase(k);
  if (e == nullptr) return false;
  free_entry(e, lazy);
  return true;
}

Entry* Keyspace::set_expire(Database& db, const KeyRef& k, EntrySlot slot, int64_t expire_ms) {
  Entry* e = slot.get();
  const bool had = e->has_expiry_slot() && e->expire_ms() != kNoExpiry;
  if (expire_ms == kNoExpiry) {
    if (!had) return e;
    db.erase_expiring(KeyRef(e->key(), k.hash, k.slot));
    // The room for a deadline stays until the entry is next rebuilt: a key that had one once may get one again.
    e->set_expire_ms(kNoExpiry);
    return e;
  }
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
  Entry::free_shell(e);
  db.insert_expiring(KeyRef(fresh->key(), k.hash, k.slot), fresh);
  return fresh;
}

size_t Keyspace::flush(int db, bool async) {
  size_t removed = 0;
  for (auto& d : dbs_) {
    if (db != -1 && d->id() != db) continue;
    removed += d->size();
    Database::Contents c = d->detach();
    if (async) {
      lazyfree_contents(std::move(c));
    } else {
      free_contents(std::move(c));
    }
  }
  return removed;
}

Entry* Keyspace::random_entry(Database& db, Rng& rng) {
  if (db.size() == 0) return nullptr;
  const bool all_volatile = db.size() == db.expires_size();
  for (int tries = 100; db.size() > 0;) {
    SlotDicts* d = db.slot(0);
    if (clustered_) {
      // Weighed by keys: a slot is taken with the chance its share gives it.
      size_t target = rng.below(db.size());
      d = nullptr;
      for (int s = 0; s < db.slot_count(); s++) {
        SlotDicts* c = db.slot(s);
        if (c == nullptr) continue;
        if (target < c->keys.size()) {
          d = c;
          break;
        }
        target -= c->keys.size();
      }
      if (d == nullptr) return nullptr;
    }
    Entry* e = d->keys.random(rng);
    if (e == nullptr) return nullptr;
    if (!expired(*e)) return e;
    // On a replica whose keys are all due, nothing better will be found.
    if (all_volatile && is_replica && --tries == 0) return e;
    if (is_replica || expire_paused) {
      if (--tries <= 0) return e;
      continue;
    }
    const std::string key = e->key().str();
    delete_expired(db, ref(key));
  }
  return nullptr;
}

void Keyspace::init_access(Entry* e) {
  if (lfu) {
    const auto minutes = static_cast<uint32_t>((now_ms / 60000) & 0xffff);
    e->set_lru((minutes << 8) | 5);  // a new key starts with a count of 5, or it would be evicted at once
  } else {
    e->set_lru(lru_clock);
  }
}

void Keyspace::touch_lfu(Entry* e) {
  const auto minutes = static_cast<uint32_t>((now_ms / 60000) & 0xffff);
  const uint32_t last = e->lru() >> 8;
  uint32_t count = e->lru() & 0xff;
  const uint32_t elapsed = minutes >= last ? minutes - last : 65535 - last + minutes;
  const uint32_t periods = lfu_decay_minutes == 0 ? 0 : elapsed / lfu_decay_minutes;
  count = periods >= count ? 0 : count - periods;
  if (count < 255) {
    const double base = count > 5 ? static_cast<double>(count - 5) : 0;
    const double p = 1.0 / (base * lfu_log_factor + 1);
    static thread_local Rng rng;
    if (static_cast<double>(rng.next() >> 11) * 0x1.0p-53 < p) count++;
  }
  e->set_lru((minutes << 8) | count);
}

void Keyspace::free_entry(Entry* e, bool lazy) {
  if (lazy) {
    lazyfree_entry(e);
  } else {
    Entry::destroy(e);
  }
}

}  // namespace kvasir
