#include "persist/rdb_save.h"

#include <cstdio>

namespace kvasir {

void RdbFileTarget::begin(std::span<const Size> databases) {
  for (const Size& size : databases) databases_.push_back({size, false});
  chunk_ = writer_.take_chunk();
  chunk = chunk_.get();
  RdbWriter to = out();
  rdb_write_header(to, options_.header);
}

bool RdbFileTarget::entry(int db, int slot, const Entry& e) {
  if (unstorable_ || failed_) return false;
  if (db != db_) select(db);
  if (ks_.clustered() && slot != slot_) enter_slot(slot);
  RdbEntryOptions how{options_.header.version, options_.access, 0};
  if (how.access == RdbAccess::kIdle) {
    how.access_value = ks_.idle_seconds(e);
  } else if (how.access == RdbAccess::kFrequency) {
    how.access_value = ks_.lfu_frequency(e);
  }
  RdbWriter to = out();
  if (rdb_write_entry(to, e, how)) return true;
  unstorable_ = e.key().str();
  return false;
}

void RdbFileTarget::end() {
  RdbWriter to = out();
  rdb_write_end(to);
  chunk_->checksum_follows = true;
  chunk = nullptr;
  writer_.push(std::move(chunk_));
  writer_.finish();
}

void RdbFileTarget::next() {
  writer_.push(std::move(chunk_));
  failed_ = writer_.error().operation != nullptr;
  if (options_.wait) writer_.wait_for_room();
  chunk_ = writer_.take_chunk();
  chunk = chunk_.get();
}

void RdbFileTarget::select(int db) {
  RdbWriter to = out();
  rdb_write_select(to, db);
  db_ = db;
  slot_ = -1;
  Part& part = databases_[static_cast<size_t>(db)];
  if (part.begun) return;
  part.begun = true;
  rdb_write_sizes(to, part.size.keys, part.size.expires);
}

// slot, keys, keys with a deadline, hashes with fields that have one: how large tables should be made.
void RdbFileTarget::enter_slot(int slot) {
  slot_ = slot;
  const SlotDicts* d = ks_.db(db_).slot(slot);
  if (d == nullptr) return;
  char text[96];
  const int n =
      snprintf(text, sizeof text, "%d,%zu,%zu,%zu", slot, d->keys.size(), d->expires.size(), d->dated_hashes);
  RdbWriter to = out();
  rdb_write_field(to, "slot-info", {text, static_cast<size_t>(n)});
}

bool deliver_all(Keyspace& ks, SnapshotTarget& target, const std::function<void()>& after_each) {
  std::vector<SnapshotTarget::Size> sizes;
  sizes.reserve(static_cast<size_t>(ks.databases()));
  for (int i = 0; i < ks.databases(); i++) sizes.push_back({ks.db(i).size(), ks.db(i).expires_size()});
  target.begin(sizes);
  for (int i = 0; i < ks.databases(); i++) {
    Database& db = ks.db(i);
    for (int s = db.next_slot(KeyIndex::kAll, 0); s >= 0; s = db.next_slot(KeyIndex::kAll, s + 1)) {
      EntryDict::Iterator it(db.slot(s)->keys);
      while (const Entry* e = it.next()) {
        if (!target.entry(i, s, *e)) return false;
        after_each();
      }
    }
  }
  target.end();
  return true;
}

}  // namespace kvasir
