#include "commands/blocking.h"

#include <algorithm>

#include "commands/client.h"

namespace kvasir {

void BlockedClients::block(Client* c, int db, std::vector<std::string> keys,
                           std::unique_ptr<BlockedOnKeys> what) {
  if (what->order == 0) what->order = ++last_order_;
  for (std::string& name : keys) {
    const auto it = waiting_.try_emplace(DbKey{db, std::move(name)}).first;
    const auto [at, added] = it->second.emplace(what->order, c);
    if (added) what->places.push_back({&it->first, at});
  }
  by_type_[static_cast<size_t>(what->type)]++;
  clients_++;
  if (what->unblock_on_gone) on_gone_ += what->places.size();
  if (what->deadline_ms != kNoDeadline) deadlines_.emplace(what->deadline_ms, c);
  c->waits = std::move(what);
}

std::unique_ptr<BlockedOnKeys> BlockedClients::unblock(Client* c) {
  std::unique_ptr<BlockedOnKeys> what = std::move(c->waits);
  if (what == nullptr) return what;
  for (const BlockedOnKeys::Place& p : what->places) {
    const auto it = waiting_.find(*p.key);
    it->second.erase(p.at);
    if (it->second.empty()) waiting_.erase(it);
  }
  by_type_[static_cast<size_t>(what->type)]--;
  clients_--;
  if (what->unblock_on_gone) on_gone_ -= what->places.size();
  if (what->deadline_ms != kNoDeadline) deadlines_.erase({what->deadline_ms, c});
  what->places.clear();
  return what;
}

void BlockedClients::mark_ready(int db, Slice key) {
  const DbKey k{db, key.str()};
  if (waiting_.count(k) == 0) return;
  if (std::find(ready_.begin(), ready_.end(), k) == ready_.end()) ready_.push_back(k);
}

void BlockedClients::key_ready(int db, Slice key, Type type) {
  // Those who want to know that a key is gone also want to know that it has become something else.
  if (waiting(type) > 0 || on_gone_ > 0) mark_ready(db, key);
}

void BlockedClients::key_gone(int db, Slice key) {
  if (on_gone_ > 0) mark_ready(db, key);
}

std::vector<Client*> BlockedClients::queue(const DbKey& key) const {
  const auto it = waiting_.find(key);
  if (it == waiting_.end()) return {};
  std::vector<Client*> clients;
  clients.reserve(it->second.size());
  for (const auto& [order, c] : it->second) clients.push_back(c);
  return clients;
}

std::vector<std::string> BlockedClients::keys_in(int db) const {
  std::vector<std::string> names;
  for (const auto& [key, clients] : waiting_) {
    if (key.db == db) names.push_back(key.name);
  }
  return names;
}

Client* BlockedClients::overdue(int64_t now_ms) const {
  if (deadlines_.empty() || deadlines_.begin()->first > now_ms) return nullptr;
  return deadlines_.begin()->second;
}

}  // namespace kvasir
