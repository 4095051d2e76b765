// The keys of a multi-key command, sixteen at a time: all are hashed and their buckets and entries requested
// from memory before the first is used, so that the cache misses of a batch overlap.
#pragma once

#include <algorithm>
#include <cstdint>

#include "commands/core.h"

namespace kvasir {

// Calls f(argument index, KeyRef) for the keys at arguments first, first + step, … below end, in order, until
// f returns false. Returns whether all were visited.
template <class F>
bool for_each_key(const Call& call, int first, int end, int step, F&& f) {
  constexpr int kBatch = 16;
  uint64_t hashes[kBatch];
  int slots[kBatch];
  const Database& db = call.db();
  for (int from = first; from < end; from += kBatch * step) {
    const int n = std::min(kBatch, (end - from + step - 1) / step);
    for (int i = 0; i < n; i++) {
      const KeyRef k = call.key(from + i * step);
      hashes[i] = k.hash;
      slots[i] = k.slot;
      if (n > 1) db.prefetch_bucket(k);
    }
    for (int i = 0; n > 1 && i < n; i++) db.prefetch_entry(KeyRef({}, hashes[i], slots[i]));
    for (int i = 0; i < n; i++) {
      const int arg = from + i * step;
      if (!f(arg, KeyRef(call.arg(arg), hashes[i], slots[i]))) return false;
    }
  }
  return true;
}

}  // namespace kvasir
