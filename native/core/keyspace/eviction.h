// Which key goes next when memory is short.
//
// The order of keys (by access time, access count or deadline) is kept nowhere: it is estimated. Every pick
// draws a few random keys of every database into a small pool, sorted by how well a key can be spared, and
// takes the best of the pool. What a pick drew and did not take stays in the pool for the next, so that over
// many picks the pool holds the best of a large part of the keyspace. A key may be gone, or have been used
// since, when its turn comes: the first is noticed, the second is the price of an estimate.
//
// Invariant: the pool holds keys of one rule (order and candidates) only; places [0, size) are taken, worst
// first.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "keyspace/keyspace.h"

namespace kvasir {

enum class EvictionOrder : uint8_t { kNone, kLru, kLfu, kTtl, kRandom };

// A value of maxmemory-policy.
struct EvictionRule {
  EvictionOrder order = EvictionOrder::kNone;  // kNone: noeviction
  KeyIndex candidates = KeyIndex::kAll;
  bool operator==(const EvictionRule&) const = default;

  // noeviction for a name that is none.
  static EvictionRule parse(std::string_view name);
};

class EvictionSampler {
 public:
  struct Pick {
    Database* db = nullptr;
    std::string key;
    uint64_t hash = 0;
    int slot = 0;
    [[nodiscard]] KeyRef ref() const { return {key, hash, slot}; }
  };

  explicit EvictionSampler(Keyspace* ks) : ks_(*ks) {}

  // The key to evict next, which is there now; false if no key may be evicted. samples (1..64): how many keys
  // of each database are drawn (maxmemory-samples).
  bool pick(const EvictionRule& rule, size_t samples, Pick* out);

 private:
  static constexpr size_t kPoolSize = 16;
  static constexpr size_t kMaxSamples = 64;

  struct Candidate {
    uint64_t score = 0;  // higher: sooner
    int db = 0;
    Pick key;  // without its database, which SWAPDB and FLUSHALL may change
  };
  // The keys of a database's slots, summed up, for choosing a slot by its share of the keys. It is made anew
  // after some choices: nobody tells it of changes.
  struct SlotShares {
    std::vector<uint64_t> sums;
    unsigned left = 0;
  };

  bool pick_random(KeyIndex from, Pick* out);
  bool pick_from_pool(KeyIndex from, Pick* out);
  void draw(Database& db, size_t samples);
  size_t draw_from_slot(Database& db, int slot, size_t samples);
  void offer(const Database& db, int slot, const Entry& e);
  [[nodiscard]] uint64_t score(const Entry& e) const;
  int choose_slot(Database& db, KeyIndex from);
  static size_t keys(const Database& db, KeyIndex from) {
    return from == KeyIndex::kAll ? db.size() : db.expires_size();
  }

  Keyspace& ks_;
  Rng rng_;
  EvictionRule rule_;
  std::array<Candidate, kPoolSize> pool_;
  size_t size_ = 0;
  int next_db_ = 0;  // of random eviction, which goes round the databases
  std::vector<SlotShares> shares_[2];
};

}  // namespace kvasir
