#include "keyspace/snapshot.h"

#include <utility>

#include "base/clock.h"
#include "keyspace/lazyfree.h"

namespace kvasir {

namespace {

// Chains between two looks at the clock.
constexpr unsigned kChainsPerLook = 16;
// How far ahead of the walk its buckets and its entries are sent for, in chains.
constexpr unsigned kBucketsAhead = 6;
constexpr unsigned kEntriesAhead = 3;

}  // namespace

SnapshotWalk::~SnapshotWalk() {
  Snapshots::Walk& w = owner_->walks_[index_];
  w.target = nullptr;
  if (w.at == w.places.size()) owner_->end(index_);
}

bool SnapshotWalk::step(uint64_t until_us) {
  const Snapshots::Walk& w = owner_->walks_[index_];
  return owner_->step(index_, until_us) && !w.refused;
}
bool SnapshotWalk::refused() const { return owner_->walks_[index_].refused; }
size_t SnapshotWalk::keys() const { return owner_->walks_[index_].keys; }
size_t SnapshotWalk::delivered() const { return owner_->walks_[index_].delivered; }

Snapshots::Kept::~Kept() { lazyfree_contents(std::move(contents)); }

std::unique_ptr<SnapshotWalk> Snapshots::start(std::vector<std::unique_ptr<Database>>& dbs,
                                               SnapshotTarget* target,
                                               const std::function<bool(int slot)>& wanted) {
  unsigned walk = 0;
  while (walk < kMost && (taken_ & bit(walk)) != 0) walk++;
  if (walk == kMost) return nullptr;
  taken_ |= bit(walk);
  Walk& w = walks_[walk];
  w.target = target;
  std::vector<SnapshotTarget::Size> sizes(dbs.size());
  for (const auto& db : dbs) {
    SnapshotTarget::Size& size = sizes[static_cast<size_t>(db->id())];
    for (int s = db->next_slot(KeyIndex::kAll, 0); s >= 0; s = db->next_slot(KeyIndex::kAll, s + 1)) {
      if (wanted && !wanted(s)) continue;
      SlotDicts* const dicts = db->slot(s);
      dicts->walk_bits ^= bit(walk);
      dicts->walk_db[walk] = db->id();
      w.places.push_back({dicts, s});
      size.keys += dicts->keys.size();
      size.expires += dicts->expires.size();
    }
    w.keys += size.keys;
  }
  target->begin(sizes);
  return std::unique_ptr<SnapshotWalk>(new SnapshotWalk(this, walk));
}

void Snapshots::deliver(const SlotDicts& dicts, int slot, Entry* e, uint8_t due) {
  e->set_walk_bits(e->walk_bits() ^ due);
  for (unsigned walk = 0; walk < kMost; walk++) {
    if ((due & bit(walk)) == 0) continue;
    Walk& w = walks_[walk];
    w.delivered++;
    if (w.target == nullptr || w.refused) continue;
    w.refused = !w.target->entry(dicts.walk_db[walk], slot, *e);
  }
}

void Snapshots::keep(Database::Contents&& contents) {
  const auto kept = std::make_shared<Kept>(std::move(contents));
  for (unsigned walk = 0; walk < kMost; walk++) {
    if ((taken_ & bit(walk)) != 0) walks_[walk].kept.push_back(kept);
  }
}

bool Snapshots::step(unsigned walk, uint64_t until_us) {
  Walk& w = walks_[walk];
  for (;;) {
    if (w.at == w.places.size()) return false;
    EntryDict& keys = w.places[w.at].dicts->keys;
    uint64_t entries_at = w.cursor;
    uint64_t buckets_at = w.cursor;
    // A cursor of 0 is the beginning only for a walk that has just come here; ahead of it, it is the end.
    const auto on = [&](uint64_t* ahead) {
      *ahead = keys.scan_next(*ahead);
      return *ahead != 0;
    };
    bool more_buckets = true;
    bool more_entries = true;
    for (unsigned i = 0; i < kBucketsAhead && more_buckets; i++) {
      more_buckets = on(&buckets_at);
      if (more_buckets) keys.prefetch_scan_bucket(buckets_at);
    }
    for (unsigned i = 0; i < kEntriesAhead && more_entries; i++) more_entries = on(&entries_at);
    for (unsigned n = 1;; n++) {
      if (more_buckets && (more_buckets = on(&buckets_at))) keys.prefetch_scan_bucket(buckets_at);
      if (more_entries && (more_entries = on(&entries_at))) keys.prefetch_scan_elems(entries_at);
      w.cursor = keys.scan(w.cursor, [&](Entry* e) {
        const Place& place = w.places[w.at];
        if (((e->walk_bits() ^ place.dicts->walk_bits) & bit(walk)) != 0) {
          deliver(*place.dicts, place.slot, e, bit(walk));
        }
      });
      if (w.cursor == 0) break;
      if (n % kChainsPerLook == 0 && mono_us() >= until_us) return true;
    }
    w.at++;
    if (mono_us() >= until_us) return w.at < w.places.size();
  }
}

void Snapshots::end(unsigned walk) {
  walks_[walk] = Walk();
  taken_ = static_cast<uint8_t>(taken_ & ~bit(walk));
}

bool Snapshots::sweep(uint64_t until_us) {
  for (unsigned walk = 0; walk < kMost; walk++) {
    if ((taken_ & bit(walk)) == 0 || walks_[walk].target != nullptr) continue;
    if (step(walk, until_us)) return true;
    end(walk);
  }
  return false;
}

}  // namespace kvasir
