#include "commands/transaction.h"

#include <algorithm>

#include "commands/client.h"

namespace kvasir {

void Transaction::drop_queue() {
  queue.clear();
  queue.shrink_to_fit();
  command_flags = 0;
  common_flags = ~uint64_t{0};
  bytes = 0;
}

bool WatchedKeys::due(const Watching::Key& k) const {
  const EntrySlot slot = ks_->db(k.db).find(ks_->ref(k.name));
  return slot && ks_->expired(*slot.get());
}

void WatchedKeys::watch(Client* c, int db, Slice key) {
  if (c->watching == nullptr) c->watching = std::make_unique<Watching>();
  Watching& w = *c->watching;
  for (const Watching::Key& k : w.keys) {
    if (k.db == db && Slice(k.name) == key) return;
  }
  if (w.keys.empty()) clients_++;
  w.keys.push_back({db, key.str(), false});
  w.bytes += sizeof(Watching::Key) + w.keys.back().name.capacity();
  w.keys.back().was_due = due(w.keys.back());
  index_[{db, key.str()}].push_back(c);
  ks_->interest_modified |= Keyspace::kWatchers;
}

void WatchedKeys::drop(Client* c) {
  Watching& w = *c->watching;
  if (w.keys.empty()) return;
  for (const Watching::Key& k : w.keys) {
    const auto it = index_.find({k.db, k.name});
    std::erase(it->second, c);
    if (it->second.empty()) index_.erase(it);
  }
  w.keys.clear();
  w.bytes = 0;
  if (--clients_ == 0) ks_->interest_modified &= ~Keyspace::kWatchers;
}

void WatchedKeys::unwatch(Client* c) {
  if (c->watching == nullptr) return;
  drop(c);
  c->watching.reset();
}

void WatchedKeys::mark_changed(Client* c) {
  c->watching->changed = true;
  if (c->transaction != nullptr) c->transaction->drop_queue();
}

bool WatchedKeys::broken(const Client& c) const {
  if (c.watching == nullptr) return false;
  if (c.watching->changed) return true;
  return std::any_of(c.watching->keys.begin(), c.watching->keys.end(),
                     [&](const Watching::Key& k) { return !k.was_due && due(k); });
}

void WatchedKeys::key_modified(const Database& db, Slice key) {
  const auto it = index_.find({db.id(), key.str()});
  if (it == index_.end()) return;
  const std::vector<Client*> clients = it->second;
  const bool exists = static_cast<bool>(db.find(ks_->ref(key)));
  for (Client* c : clients) {
    for (Watching::Key& k : c->watching->keys) {
      if (k.db != db.id() || !(Slice(k.name) == key)) continue;
      if (k.was_due && !exists) {
        // A key that was due all along has been removed: nothing changed for those who watch.
        k.was_due = false;
      } else {
        mark_changed(c);
        // Further changes are no news.
        drop(c);
      }
      break;
    }
  }
}

void WatchedKeys::flushed(int db, int with) {
  for (const auto& item : index_) {
    const DbKey& id = item.first;
    if (db >= 0 && id.db != db) continue;
    const KeyRef ref = ks_->ref(id.name);
    const EntrySlot here = ks_->db(id.db).find(ref);
    const EntrySlot there = with >= 0 ? ks_->db(with).find(ref) : EntrySlot();
    if (!here && !there) continue;
    const bool there_due = there && ks_->expired(*there.get());
    for (Client* c : item.second) {
      const auto k = std::find_if(c->watching->keys.begin(), c->watching->keys.end(),
                                  [&](const Watching::Key& w) { return w.db == id.db && w.name == id.name; });
      if (k->was_due && !there) {
        // A key that was due all along goes: no change.
        k->was_due = false;
      } else if (k->was_due && there_due) {
        // Still due.
      } else if (!k->was_due && !here && there_due) {
        // Nothing is replaced by a key that is due.
        k->was_due = true;
      } else {
        // It goes on watching, as Valkey's clients do: CLIENT LIST tells.
        mark_changed(c);
      }
    }
  }
}

}  // namespace kvasir
