#include "keyspace/database.h"

#include <utility>

namespace kvasir {

Database::Database(int id, bool clustered) : id_(id), clustered_(clustered) {
  if (clustered_) {
    slots_.resize(kSlots);
  } else {
    single_ = std::make_unique<SlotDicts>();
  }
}

Database::Contents Database::detach() {
  Contents c;
  c.keys = std::exchange(keys_, 0);
  c.expires = std::exchange(expires_, 0);
  if (clustered_) {
    c.slots = std::move(slots_);
    slots_.clear();
    slots_.resize(kSlots);
  } else {
    c.single = std::exchange(single_, std::make_unique<SlotDicts>());
  }
  avg_ttl_ms = 0;
  return c;
}

void Database::swap(Database& other) {
  std::swap(keys_, other.keys_);
  std::swap(expires_, other.expires_);
  std::swap(single_, other.single_);
  std::swap(slots_, other.slots_);
  std::swap(avg_ttl_ms, other.avg_ttl_ms);
}

}  // namespace kvasir
