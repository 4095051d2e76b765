#include "keyspace/eviction.h"

#include <algorithm>

namespace kvasir {

namespace {
constexpr unsigned kChoicesPerSum = 256;
}

EvictionRule EvictionRule::parse(std::string_view name) {
  EvictionRule rule;
  constexpr std::string_view kVolatile = "volatile-";
  constexpr std::string_view kAllkeys = "allkeys-";
  std::string_view order;
  if (name.starts_with(kVolatile)) {
    rule.candidates = KeyIndex::kExpiring;
    order = name.substr(kVolatile.size());
  } else if (name.starts_with(kAllkeys)) {
    order = name.substr(kAllkeys.size());
  }
  if (order == "lru") rule.order = EvictionOrder::kLru;
  if (order == "lfu") rule.order = EvictionOrder::kLfu;
  if (order == "ttl") rule.order = EvictionOrder::kTtl;
  if (order == "random") rule.order = EvictionOrder::kRandom;
  return rule;
}

bool EvictionSampler::pick(const EvictionRule& rule, size_t samples, Pick* out) {
  if (!(rule == rule_)) {
    rule_ = rule;
    size_ = 0;
  }
  if (rule.order == EvictionOrder::kNone) return false;
  if (rule.order == EvictionOrder::kRandom) return pick_random(rule.candidates, out);
  samples = std::clamp<size_t>(samples, 1, kMaxSamples);
  // A round may end with nothing but keys that have gone; they leave the pool, so the next one finds a key if
  // there is any.
  while (true) {
    bool any = false;
    for (int i = 0; i < ks_.databases(); i++) {
      Database& db = ks_.db(i);
      if (keys(db, rule.candidates) == 0) continue;
      any = true;
      draw(db, samples);
    }
    if (!any) return false;
    if (pick_from_pool(rule.candidates, out)) return true;
  }
}

bool EvictionSampler::pick_from_pool(KeyIndex from, Pick* out) {
  while (size_ > 0) {
    Candidate& best = pool_[--size_];
    Database& db = ks_.db(best.db);
    const EntrySlot at = from == KeyIndex::kAll ? db.find(best.key.ref()) : db.find_expiring(best.key.ref());
    if (!at) continue;
    std::swap(*out, best.key);
    out->db = &db;
    return true;
  }
  return false;
}

bool EvictionSampler::pick_random(KeyIndex from, Pick* out) {
  for (int i = 0; i < ks_.databases(); i++) {
    next_db_ = (next_db_ + 1) % ks_.databases();
    Database& db = ks_.db(next_db_);
    if (keys(db, from) == 0) continue;
    out->slot = choose_slot(db, from);
    const Entry* e = db.slot(out->slot)->dict(from).random(rng_);
    out->db = &db;
    out->key.assign(e->key().data, e->key().size);
    out->hash = hash_bytes(e->key());
    return true;
  }
  return false;
}

void EvictionSampler::draw(Database& db, size_t samples) {
  const KeyIndex from = rule_.candidates;
  if (!ks_.clustered()) {
    draw_from_slot(db, 0, samples);
    return;
  }
  // One slot may have fewer keys than wanted. Where the whole database has few, they are not worth a search.
  size_t drawn = 0;
  for (size_t i = 0; i < samples && drawn < samples; i++) {
    drawn += draw_from_slot(db, choose_slot(db, from), samples - drawn);
    if (keys(db, from) < samples * 10) break;
  }
}

size_t EvictionSampler::draw_from_slot(Database& db, int slot, size_t samples) {
  Entry* drawn[kMaxSamples];
  const size_t n = db.slot(slot)->dict(rule_.candidates).sample(rng_, drawn, samples);
  for (size_t i = 0; i < n; i++) EntryTraits::prefetch(drawn[i]);
  for (size_t i = 0; i < n; i++) offer(db, slot, *drawn[i]);
  return n;
}

void EvictionSampler::offer(const Database& db, int slot, const Entry& e) {
  const uint64_t points = score(e);
  size_t at = 0;
  while (at < size_ && pool_[at].score < points) at++;
  if (size_ == kPoolSize) {
    if (at == 0) return;
    // The worst makes room; its string's memory moves along with it.
    at--;
    std::rotate(pool_.begin(), pool_.begin() + 1, pool_.begin() + static_cast<ptrdiff_t>(at) + 1);
  } else {
    std::rotate(pool_.begin() + static_cast<ptrdiff_t>(at), pool_.begin() + static_cast<ptrdiff_t>(size_),
                pool_.begin() + static_cast<ptrdiff_t>(size_) + 1);
    size_++;
  }
  Candidate& c = pool_[at];
  c.score = points;
  c.db = db.id();
  c.key.key.assign(e.key().data, e.key().size);
  c.key.hash = hash_bytes(e.key());
  c.key.slot = slot;
}

uint64_t EvictionSampler::score(const Entry& e) const {
  switch (rule_.order) {
    case EvictionOrder::kLru:
      return ks_.idle_seconds(e);
    case EvictionOrder::kLfu:
      return 255 - ks_.lfu_frequency(e);
    default:
      return ~static_cast<uint64_t>(e.expire_ms());
  }
}

int EvictionSampler::choose_slot(Database& db, KeyIndex from) {
  if (!ks_.clustered()) return 0;
  auto& all = shares_[static_cast<size_t>(from)];
  if (all.empty()) all.resize(static_cast<size_t>(ks_.databases()));
  SlotShares& shares = all[static_cast<size_t>(db.id())];
  if (shares.left == 0 || shares.sums.back() == 0) {
    shares.sums.assign(Database::kSlots, 0);
    uint64_t sum = 0;
    for (int s = 0; s < Database::kSlots; s++) {
      if (SlotDicts* d = db.slot(s)) sum += d->dict(from).size();
      shares.sums[static_cast<size_t>(s)] = sum;
    }
    shares.left = kChoicesPerSum;
  }
  shares.left--;
  const uint64_t target = rng_.below(shares.sums.back());
  const auto at = std::upper_bound(shares.sums.begin(), shares.sums.end(), target);
  const int slot = db.next_slot(from, static_cast<int>(at - shares.sums.begin()));
  // The slot, and all behind it, may have lost their keys meanwhile.
  return slot >= 0 ? slot : db.next_slot(from, 0);
}

}  // namespace kvasir
