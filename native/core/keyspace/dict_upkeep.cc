#include "keyspace/dict_upkeep.h"

#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace kvasir {

namespace {
constexpr int kSlotsPerRun = 4096;
}

void DictUpkeep::run(bool rehash, int64_t hz) {
  const uint64_t end = mono_us() + 10000 / static_cast<uint64_t>(std::max<int64_t>(1, hz));
  if (ks_.snapshots().active() && ks_.snapshots().sweep(end)) return;
  const int all = ks_.databases() * ks_.db(0).slot_count();
  for (int n = std::min(kSlotsPerRun, all); n > 0; n--) {
    if (SlotDicts* d = ks_.db(db_).slot(slot_)) {
      for (const KeyIndex i : {KeyIndex::kAll, KeyIndex::kExpiring}) {
        EntryDict& dict = d->dict(i);
        dict.resize_if_needed();
        if (!rehash || !dict.rehashing()) continue;
        const uint64_t now = mono_us();
        // What is unfinished is where the next run begins.
        if (now >= end || dict.rehash_for(std::chrono::microseconds(end - now))) return;
      }
    }
    if (++slot_ < ks_.db(db_).slot_count()) continue;
    slot_ = 0;
    db_ = (db_ + 1) % ks_.databases();
  }
}

}  // namespace kvasir
