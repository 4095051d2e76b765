#include "commands/tracking.h"

#include <algorithm>

#include "base/background.h"
#include "base/numbers.h"
#include "commands/client.h"
#include "commands/command_keys.h"

namespace kvasir {

namespace {

constexpr int kSliceKeys = 100;
const Slice kChannel("__redis__:invalidate", 20);

bool overlaps(Slice a, Slice b) {
  const size_t n = std::min(a.size, b.size);
  return Slice(a.data, n) == Slice(b.data, n);
}

void append_number(std::string* out, char type, uint64_t n) {
  char digits[24];
  out->push_back(type);
  out->append(digits, format_u64(digits, n));
  out->append("\r\n", 2);
}

void append_bulk(std::string* out, Slice s) {
  append_number(out, '$', s.size);
  out->append(s.data, s.size);
  out->append("\r\n", 2);
}

// All keys are invalid: a null of the tracking client's protocol, also where another client is told.
Slice everything(const Client& c) { return c.reply.resp == 2 ? Slice("$-1\r\n", 5) : Slice("_\r\n", 3); }

auto place_of(std::vector<Client*>& clients, const Client* c) {
  return std::lower_bound(clients.begin(), clients.end(), c->id,
                          [](const Client* o, uint64_t id) { return o->id < id; });
}

}  // namespace

// ------------------------------------------------------------------ on and off

bool TrackedPrefix::add(Client* c) {
  const auto at = place_of(clients, c);
  if (at != clients.end() && *at == c) return false;
  clients.insert(at, c);
  return true;
}

void TrackedPrefix::remove(const Client* c) {
  const auto at = place_of(clients, c);
  if (at != clients.end() && *at == c) clients.erase(at);
}

void Tracking::enable(Client* c, const TrackingOptions& options, std::span<const Slice> prefixes) {
  if (c->tracking == nullptr) c->tracking = std::make_unique<ClientTracking>();
  ClientTracking& t = *c->tracking;
  c->flags.tracking = true;
  t.options = options;
  t.broken_redirect = false;
  trackers_.emplace(c->id, c);
  former_.erase(c->id);
  ks_->interest_modified |= Keyspace::kTrackers;
  if (!options.bcast) return;
  const Slice every;
  const size_t present = t.prefixes.size();
  t.prefixes.reserve(present + std::max<size_t>(prefixes.size(), 1));
  for (const Slice& p : prefixes.empty() ? std::span<const Slice>(&every, 1) : prefixes) {
    const auto [it, fresh] = prefixes_.try_emplace(p.str());
    if (fresh) prefix_lengths_[p.size]++;
    if (it->second.add(c)) t.prefixes.push_back(it);
  }
  const auto before = [](const auto& a, const auto& b) { return a->first < b->first; };
  const auto added = t.prefixes.begin() + static_cast<ptrdiff_t>(present);
  std::sort(added, t.prefixes.end(), before);
  std::inplace_merge(t.prefixes.begin(), added, t.prefixes.end(), before);
}

void Tracking::disable(Client* c) {
  if (c->tracking == nullptr) return;
  for (const PrefixTable::iterator it : c->tracking->prefixes) {
    it->second.remove(c);
    if (!it->second.clients.empty()) continue;
    const auto length = prefix_lengths_.find(it->first.size());
    if (--length->second == 0) prefix_lengths_.erase(length);
    changed_.erase(Slice(it->first));
    prefixes_.erase(it);
  }
  c->tracking.reset();
  c->flags.tracking = false;
  trackers_.erase(c->id);
  former_.insert(c->id);
  update_interest();
}

void Tracking::forget(Client* c) {
  disable(c);
  if (former_.erase(c->id) == 0) return;
  // Nobody is left whom the keys in the table could concern.
  if (trackers_.empty() && former_.empty()) drop_table();
  update_interest();
}

void Tracking::update_interest() {
  if (!interested()) ks_->interest_modified &= ~Keyspace::kTrackers;
}

void Tracking::drop_table() {
  items_ = 0;
  order_ = {};
  auto old = std::make_shared<Table>(std::move(table_));
  table_ = Table();
  if (old->size() > kSliceKeys) run_in_background([held = std::move(old)]() mutable { held.reset(); });
}

// In order, a prefix stands before all that begin with it: an overlap shows between neighbours.
bool Tracking::overlap(const Client& c, std::span<const Slice> prefixes, Overlap* found) {
  static const std::vector<PrefixTable::iterator> kNone;
  const auto& own = c.tracking == nullptr ? kNone : c.tracking->prefixes;
  std::vector<Slice> sorted(prefixes.begin(), prefixes.end());
  std::sort(sorted.begin(), sorted.end(), [](const Slice& a, const Slice& b) { return compare(a, b) < 0; });
  const bool given = std::adjacent_find(sorted.begin(), sorted.end(), overlaps) != sorted.end();
  for (size_t i = 0; i < prefixes.size(); i++) {
    // The empty one, which came without being looked at, overlaps all and stands first.
    auto at = own.begin();
    if (at != own.end() && !overlaps((*at)->first, prefixes[i])) {
      at = std::lower_bound(own.begin(), own.end(), prefixes[i],
                            [](const auto& it, const Slice& p) { return compare(it->first, p) < 0; });
      if (at != own.begin() && overlaps((*std::prev(at))->first, prefixes[i])) --at;
    }
    if (at != own.end() && overlaps((*at)->first, prefixes[i])) {
      *found = {prefixes[i], (*at)->first, true};
      return true;
    }
    for (size_t j = i + 1; given && j < prefixes.size(); j++) {
      if (!overlaps(prefixes[i], prefixes[j])) continue;
      *found = {prefixes[i], prefixes[j], false};
      return true;
    }
  }
  return false;
}

size_t ClientTracking::memory() const {
  return sizeof *this + prefixes.capacity() * sizeof(prefixes[0]) +
         prefixes.size() * sizeof(TrackedPrefix::clients[0]);
}

// ------------------------------------------------------------------ reading

void Tracking::remember(Client& tracker, const Command& command, std::span<const Slice> argv) {
  const ClientTracking& t = *tracker.tracking;
  if (t.options.bcast || (t.options.optin && !t.caching) || (t.options.optout && t.caching)) return;
  each_key(command, argv, [&](int i) {
    const Slice name = argv[static_cast<size_t>(i)];
    auto it = table_.find(name);
    if (it == table_.end()) {
      auto key = std::make_unique<Key>();
      key->name = name.str();
      key->place = order_.size();
      order_.push_back(key.get());
      it = table_.insert(std::move(key)).first;
    }
    std::vector<uint64_t>& ids = (*it)->ids;
    const auto at = std::lower_bound(ids.begin(), ids.end(), tracker.id);
    if (at != ids.end() && *at == tracker.id) return;
    ids.insert(at, tracker.id);
    items_++;
  });
}

void Tracking::command_done(Client& c, const Command* command) {
  // CLIENT CACHING is meant for what comes after it, be it a whole transaction.
  if (c.transaction != nullptr) return;
  if (command != nullptr && command->parent != nullptr && command->parent->fullname == "client") return;
  c.tracking->caching = false;
}

// ------------------------------------------------------------------ changes

Tracking::Table::node_type Tracking::take(Table::const_iterator it) {
  const size_t place = (*it)->place;
  items_ -= (*it)->ids.size();
  order_.back()->place = place;
  order_[place] = order_.back();
  order_.pop_back();
  return table_.extract(it);
}

void Tracking::invalidate(Slice name) {
  const auto it = table_.find(name);
  if (it == table_.end()) return;
  const Table::node_type node = take(it);
  const Key& key = *node.value();
  std::string array = "*1\r\n";
  append_bulk(&array, key.name);
  Invalidation what(array);
  for (const uint64_t id : key.ids) {
    const auto t = trackers_.find(id);
    if (t == trackers_.end()) continue;
    Client& c = *t->second;
    // It has changed its mode since.
    if (c.tracking->options.bcast) continue;
    if (&c != pushes_->current()) {
      tell(c, what);
    } else if (!c.tracking->options.noloop) {
      pending_.push_back({false, key.name});
      pushes_->unfinished = true;
    }
  }
}

void Tracking::key_modified(Slice key, const Client* changer) {
  for (const auto& [length, count] : prefix_lengths_) {
    if (length > key.size) break;
    const auto it = prefixes_.find(std::string_view(key.data, length));
    if (it == prefixes_.end()) continue;
    const uint64_t id = changer == nullptr ? 0 : changer->id;
    const auto at = it->second.changed.find(key.view());
    if (at == it->second.changed.end()) {
      it->second.changed.emplace(key.str(), id);
    } else {
      at->second = id;
    }
    changed_.emplace(Slice(it->first), &it->second);
  }
  invalidate(key);
  update_interest();
}

void Tracking::flushed() {
  for (const auto& [id, c] : trackers_) {
    if (c == pushes_->current()) {
      pending_.push_back({true, {}});
      pushes_->unfinished = true;
    } else {
      Invalidation what(everything(*c));
      tell(*c, what);
    }
  }
  drop_table();
  update_interest();
}

void Tracking::limit_keys() {
  if (max_keys == 0 || order_.size() <= max_keys) {
    over_limit_ = 0;
    return;
  }
  for (size_t n = static_cast<size_t>(kSliceKeys) * (over_limit_ + 1); n > 0; n--) {
    invalidate(order_[rng_->below(order_.size())]->name);
    if (order_.size() <= max_keys) {
      over_limit_ = 0;
      return;
    }
  }
  over_limit_++;
}

// ------------------------------------------------------------------ telling

void Tracking::tell(Client& tracker, Invalidation& what) {
  ClientTracking& t = *tracker.tracking;
  Client* to = &tracker;
  if (t.options.redirect != 0) {
    const auto it = clients_->find(t.options.redirect);
    if (it == clients_->end() || it->second->flags.close_after_reply || it->second->flags.close_asap) {
      t.broken_redirect = true;
      if (tracker.reply.resp < 3) return;
      std::string text;
      Pushes::encode_bulks(&text, 3, 2, {{"tracking-redir-broken", 21}});
      append_number(&text, ':', t.options.redirect);
      PushBody nothing({}, nullptr);
      pushes_->send(tracker, pushes_->frame(tracker, text, nothing));
      return;
    }
    to = it->second;
  }
  const bool push = to->reply.resp > 2;
  // With RESP2 only a client that listens can be told, and only on behalf of another.
  if (!push && (t.options.redirect == 0 || !to->flags.pubsub)) return;
  PushFrame& frame = push ? what.push : what.message;
  if (frame.empty()) {
    std::string head;
    if (push) {
      Pushes::encode_bulks(&head, 3, 2, {{"invalidate", 10}});
    } else {
      Pushes::encode_bulks(&head, 2, 3, {{"message", 7}, kChannel});
    }
    frame = pushes_->frame(*to, head, what.body);
  }
  pushes_->send(*to, frame);
}

void Tracking::send_pending() {
  Client* const c = pushes_->current();
  const std::vector<PendingKey> pending = std::move(pending_);
  pending_.clear();
  for (const PendingKey& p : pending) {
    if (c->tracking == nullptr || c->flags.close_asap) return;
    std::string array;
    if (p.all) {
      array = everything(*c).str();
    } else {
      array = "*1\r\n";
      append_bulk(&array, p.key);
    }
    Invalidation what(array);
    tell(*c, what);
  }
}

void Tracking::broadcast() {
  // The keys as an array; without those that client `except` changed. Empty: there are none.
  const auto array_of = [](const TrackedPrefix& p, uint64_t except) {
    std::string keys;
    size_t n = 0;
    for (const auto& [key, changer] : p.changed) {
      if (except != 0 && changer == except) continue;
      append_bulk(&keys, key);
      n++;
    }
    std::string array;
    if (n > 0) append_number(&array, '*', n);
    return array + keys;
  };
  for (const auto& [name, prefix] : changed_) {
    const std::string all = array_of(*prefix, 0);
    Invalidation what(all);
    for (Client* c : prefix->clients) {
      if (!c->tracking->options.noloop) {
        tell(*c, what);
        continue;
      }
      const std::string others = array_of(*prefix, c->id);
      Invalidation own(others);
      if (!others.empty()) tell(*c, own);
    }
    prefix->changed.clear();
  }
  changed_.clear();
}

}  // namespace kvasir
