#include "keyspace/database.h"

#include <utility>

namespace kvasir {

Database::Database(int id, bool clustered) : id_(id), clustered_(clustered) {
  if (clustered_) {
    slots_.resize(kSlots);
    for (auto& bits : taken_) bits.resize(kSlots / 64);
  } else {
    single_ = std::make_unique<SlotDicts>();
  }
}

int Database::next_slot(KeyIndex i, int s) const {
  if (!clustered_) {
    const size_t n = i == KeyIndex::kAll ? keys_ : expires_;
    return s == 0 && n != 0 ? 0 : -1;
  }
  if (s >= kSlots) return -1;
  const std::vector<uint64_t>& bits = taken_[static_cast<size_t>(i)];
  auto word = static_cast<size_t>(s) / 64;
  uint64_t rest = bits[word] & (~0ULL << (s % 64));
  while (rest == 0) {
    if (++word == bits.size()) return -1;
    rest = bits[word];
  }
  return static_cast<int>(word * 64) + __builtin_ctzll(rest);
}

Database::Contents Database::detach() {
  Contents c;
  c.keys = std::exchange(keys_, 0);
  c.expires = std::exchange(expires_, 0);
  c.hash_deadlines = std::move(hash_deadlines);
  dated_hashes_ = 0;
  if (clustered_) {
    c.slots = std::move(slots_);
    slots_.clear();
    slots_.resize(kSlots);
    for (auto& bits : taken_) bits.assign(bits.size(), 0);
  } else {
    c.single = std::exchange(single_, std::make_unique<SlotDicts>());
  }
  avg_ttl_ms = 0;
  expire_cursor = 0;
  return c;
}

void Database::swap(Database& other) {
  std::swap(keys_, other.keys_);
  std::swap(expires_, other.expires_);
  std::swap(hash_deadlines, other.hash_deadlines);
  std::swap(dated_hashes_, other.dated_hashes_);
  std::swap(single_, other.single_);
  std::swap(slots_, other.slots_);
  std::swap(taken_, other.taken_);
  std::swap(avg_ttl_ms, other.avg_ttl_ms);
  std::swap(expire_cursor, other.expire_cursor);
}

}  // namespace kvasir
