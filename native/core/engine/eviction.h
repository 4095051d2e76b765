// maxmemory: keeps the data within the limit by evicting keys before commands run.
//
// A run frees what is over the limit or works until its time (maxmemory-eviction-tenacity) is over; then it
// goes on between the turns, while commands are served. Whether the limit is kept is measured by used_memory
// less what replicas have not read yet: evicting for their sake would make their buffers longer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "keyspace/eviction.h"

namespace kvasir {

class Engine;

enum class EvictResult : uint8_t {
  kOk,       // within the limit, or evicting is not ours to do at the moment
  kRunning,  // above it, and work goes on
  kFail,     // above it, and nothing may be evicted: what needs memory must be refused
};

class Eviction {
 public:
  explicit Eviction(Engine* engine);

  // Frees memory if there is too little. Not to be called while a command runs.
  EvictResult run();
  // The limit became lower: begin at the end of this turn, even if no command comes.
  void begin() { running_ = true; }
  // Whether the end of a turn should run it.
  [[nodiscard]] bool running() const { return running_; }

  // Bytes of used_memory that do not count (mem_not_counted_for_evict).
  [[nodiscard]] size_t not_counted() const;
  // Time above the limit, in µs: in all, and of the present stay (0: within it).
  [[nodiscard]] uint64_t exceeded_us() const { return exceeded_us_ + present_exceeded_us(); }
  [[nodiscard]] uint64_t present_exceeded_us() const;
  // CONFIG RESETSTAT
  void reset_stats() { exceeded_us_ = exceeded_since_us_ = 0; }

 private:
  // Bytes above the limit.
  [[nodiscard]] size_t excess() const;
  EvictResult evict(size_t bytes);
  // Waits a little for what the background thread is freeing. True: the limit is kept now.
  bool wait_for_lazyfree(uint64_t began_us, uint64_t limit_us);
  // Returns the bytes that the keyspace gave up.
  int64_t evict_key(const EvictionSampler::Pick& pick);
  EvictResult note(EvictResult result);

  Engine& engine_;
  EvictionSampler sampler_;
  EvictionSampler::Pick pick_;
  bool running_ = false;
  uint64_t exceeded_us_ = 0;
  uint64_t exceeded_since_us_ = 0;  // 0: within the limit
};

}  // namespace kvasir
