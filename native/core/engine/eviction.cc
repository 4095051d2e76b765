#include "engine/eviction.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/alloc.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "keyspace/lazyfree.h"
#include "keyspace/memory.h"

namespace kvasir {

namespace {

// Keys between two looks at the clock.
constexpr unsigned kKeysPerCheck = 16;

// How long one run may take: up to 0.5 ms for tenacity 10, then 15 % more for each step, about two minutes at
// 99, and without end at 100.
uint64_t time_limit_us(int64_t tenacity) {
  if (tenacity >= 100) return std::numeric_limits<uint64_t>::max();
  if (tenacity <= 10) return static_cast<uint64_t>(std::max<int64_t>(0, tenacity)) * 50;
  // In long double, whose pow is one symbol in every glibc.
  const auto factor = static_cast<double>(std::pow(static_cast<long double>(1.15), tenacity - 10));
  return static_cast<uint64_t>(500.0 * factor);
}

}  // namespace

Eviction::Eviction(Engine* engine) : engine_(*engine), sampler_(&engine->core.keyspace) {}

size_t Eviction::not_counted() const { return engine_.stream.held_bytes(); }

size_t Eviction::excess() const {
  const auto limit = static_cast<size_t>(engine_.core.settings.maxmemory);
  if (limit == 0) return 0;
  size_t used = used_memory();
  if (used <= limit) return 0;
  used -= std::min(used, not_counted());
  return used > limit ? used - limit : 0;
}

uint64_t Eviction::present_exceeded_us() const {
  return exceeded_since_us_ == 0 ? 0 : mono_us() - exceeded_since_us_;
}

EvictResult Eviction::note(EvictResult result) {
  if (result != EvictResult::kOk) {
    if (exceeded_since_us_ == 0) exceeded_since_us_ = mono_us();
  } else if (exceeded_since_us_ != 0) {
    exceeded_us_ += present_exceeded_us();
    exceeded_since_us_ = 0;
  }
  return result;
}

EvictResult Eviction::run() {
  const Core& core = engine_.core;
  const Keyspace& ks = core.keyspace;
  // As if there was no limit: the data is another's to decide on, or must not change now.
  if (core.loading || (core.replica && core.settings.replica_ignore_maxmemory) ||
      core.pauses.scope() != PauseScope::kNone) {
    running_ = false;
    return EvictResult::kOk;
  }
  const size_t over = excess();
  if (over == 0) {
    running_ = false;
    return note(EvictResult::kOk);
  }
  if (core.settings.eviction.order == EvictionOrder::kNone || (ks.import_mode && !core.replica)) {
    running_ = false;
    return note(EvictResult::kFail);
  }
  return note(evict(over));
}

EvictResult Eviction::evict(size_t bytes) {
  const Settings& settings = engine_.core.settings;
  const uint64_t limit_us = time_limit_us(settings.maxmemory_eviction_tenacity);
  const uint64_t began_us = mono_us();
  // What deleting a key takes elsewhere (propagation, invalidations) may exceed what it frees, and is freed
  // by itself: only what the keyspace gives up counts.
  int64_t freed = 0;
  EvictResult result = EvictResult::kOk;
  running_ = false;
  for (unsigned keys = 0; freed < static_cast<int64_t>(bytes);) {
    if (!sampler_.pick(settings.eviction, static_cast<size_t>(settings.maxmemory_samples), &pick_)) {
      result = EvictResult::kFail;
      break;
    }
    freed += evict_key(pick_);
    if (++keys % kKeysPerCheck != 0) continue;
    if (settings.lazyfree_lazy_eviction) {
      // The background thread frees while we work.
      mem_collect();
      if (excess() == 0) break;
    }
    if (mono_us() - began_us > limit_us) {
      running_ = true;
      result = EvictResult::kRunning;
      break;
    }
  }
  if (result == EvictResult::kFail && wait_for_lazyfree(began_us, limit_us)) result = EvictResult::kOk;
  engine_.latency_sample("eviction-cycle", static_cast<int64_t>(mono_us() - began_us));
  return result;
}

bool Eviction::wait_for_lazyfree(uint64_t began_us, uint64_t limit_us) {
  const uint64_t wait_began_us = mono_us();
  bool enough = false;
  while (!enough && lazyfree_stats().pending > 0 && mono_us() - began_us < limit_us) {
    usleep(static_cast<useconds_t>(std::min<uint64_t>(limit_us, 1000)));
    mem_collect();
    enough = excess() == 0;
  }
  engine_.latency_sample("eviction-lazyfree", static_cast<int64_t>(mono_us() - wait_began_us));
  return enough;
}

int64_t Eviction::evict_key(const EvictionSampler::Pick& pick) {
  Keyspace& ks = engine_.core.keyspace;
  const Settings& settings = engine_.core.settings;
  const bool lazy = settings.lazyfree_lazy_eviction;
  const bool timed = settings.latency_monitor_threshold_ms > 0;
  const uint64_t began_us = timed ? mono_us() : 0;
  const auto before = static_cast<int64_t>(used_memory());
  ks.remove(*pick.db, pick.ref(), lazy);
  const int64_t freed = before - static_cast<int64_t>(used_memory());
  if (timed) engine_.latency_sample("eviction-del", static_cast<int64_t>(mono_us() - began_us));
  ks.stats.evicted++;
  ks.modified(*pick.db, pick.key);
  ks.notify(kNotifyEvicted, "evicted", pick.key, *pick.db);
  engine_.propagate_delete(*pick.db, pick.key, lazy);
  return freed;
}

}  // namespace kvasir
