// Deadlines of the fields of hashes, as far as the keyspace has to do with them: each database has an index
// of the hashes that have such fields, and the expiry cycle removes the fields that are due through it.
//
// A hash is filed under a deadline that is not later than that of any of its fields (BigHash::filed_ms), so
// that what the index says is not due has nothing due in it. It may be earlier, since removing fields does
// not refile: then the cycle looks at the hash once for nothing and files it under what it finds.
#include <algorithm>
#include <array>

#include "keyspace/keyspace.h"

namespace kvasir {

namespace {
BigHash& big(const Entry* e) { return *e->pointer<BigHash>(); }
}  // namespace

void Keyspace::file(Database& db, int slot, Entry* e) {
  BigHash& h = big(e);
  h.filed_ms = kNoExpiry;
  if (h.deadlines.empty()) return;
  h.filed_ms = h.deadlines.earliest();
  db.hash_deadlines.add(e);
  db.count_dated_hash(slot, true);
}

void Keyspace::unfile(Database& db, int slot, Entry* e) {
  BigHash& h = big(e);
  if (h.filed_ms == kNoExpiry) return;
  db.hash_deadlines.remove(e, h.filed_ms);
  h.filed_ms = kNoExpiry;
  db.count_dated_hash(slot, false);
}

void Keyspace::refile(Database& db, const KeyRef& k, Entry* e, int64_t deadline) {
  BigHash& h = big(e);
  if (h.filed_ms == kNoExpiry) {
    if (!h.deadlines.empty()) file(db, k.slot, e);
  } else if (h.deadlines.empty()) {
    unfile(db, k.slot, e);
  } else if (deadline != kNoExpiry && deadline < h.filed_ms) {
    db.hash_deadlines.remove(e, h.filed_ms);
    h.filed_ms = deadline;
    db.hash_deadlines.add(e);
  }
}

size_t Keyspace::expire_fields(Database& db, size_t max, bool* looked) {
  Entry* e = nullptr;
  *looked = db.hash_deadlines.take_before(now_ms, &e, 1) == 1;
  if (!*looked) return 0;
  const std::string key = e->key().str();
  const KeyRef k = ref(key);
  changing(db, k, e);
  // It is out of the index now, which it may not be when its key is removed.
  BigHash& h = big(e);
  h.filed_ms = kNoExpiry;
  db.count_dated_hash(k.slot, false);

  std::array<HashField*, kMostFields> due;
  const Collection c = e->collection();
  const size_t n = hash_take_due(c, now_ms, due.data(), std::min(max, due.size()));
  const bool gone = hash_size(c) == 0;
  if (!gone) file(db, k.slot, e);
  if (n == 0) return 0;

  std::array<Slice, kMostFields> names;
  for (size_t i = 0; i < n; i++) names[i] = due[i]->field();
  stats.expired_fields += n;
  signals_->propagate_field_delete(db, key, {names.data(), n}, gone, lazyfree_expire);
  for (size_t i = 0; i < n; i++) HashField::destroy(due[i]);
  notify(kNotifyExpired, "hexpired", key, db);
  if (gone) {
    remove(db, k, lazyfree_server_del);
    notify(kNotifyGeneric, "del", key, db);
  }
  modified(db, key, false);
  return n;
}

}  // namespace kvasir
