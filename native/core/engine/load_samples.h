// Figures that only make sense over time: rates of the last 16 samples (INFO's instantaneous_* fields) and
// the process's memory as it was at the last sample. The cron takes a sample every 100 ms.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "commands/core.h"

namespace kvasir {

// The mean of the last 16 quotients of two growing numbers.
class RateMeter {
 public:
  static constexpr size_t kSamples = 16;
  // value and base as they are now; the sample is their growth since the last call, divided, times factor.
  // The first call only remembers them.
  void sample(uint64_t value, uint64_t base, uint64_t factor);
  [[nodiscard]] uint64_t mean() const;
  void reset() { *this = {}; }

 private:
  std::array<uint64_t, kSamples> samples_{};
  size_t next_ = 0;
  uint64_t last_value_ = 0, last_base_ = 0;
  bool started_ = false;
};

class LoadSamples {
 public:
  static constexpr int64_t kPeriodMs = 100;

  // The process's memory, all measured at the same time: quotients of numbers of different times would
  // mislead.
  struct Memory {
    size_t used = 0;      // used_memory()
    size_t rss = 0;       // resident set of the whole process
    size_t active = 0;    // slabs that hold objects, large objects, bucket arrays
    size_t resident = 0;  // what is active and slabs not yet given back; not more than rss
  };

  RateMeter commands, net_input, net_output, cycles, cycle_us;
  [[nodiscard]] const Memory& memory() const { return memory_; }
  [[nodiscard]] size_t peak() const { return peak_; }

  // Part of every cron, hz times a second.
  void cron(const Counters& counters, int64_t hz);
  void sample_memory();
  // Raises the peak to what is used now; returns that.
  size_t note_used();
  // CONFIG RESETSTAT
  void reset_rates();

 private:
  Memory memory_;
  size_t peak_ = 0;
  uint64_t cron_loops_ = 0;
};

}  // namespace kvasir
