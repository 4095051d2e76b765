// Latencies of one command, in nanoseconds, as INFO latencystats and LATENCY HISTOGRAM print them.
//
// Log-linear like Valkey's HdrHistogram (1 ns to 1 s, two significant digits): values below 256 have a
// counter each; above, every power of two is cut into 128 counters. A value is reported as the largest of its
// counter. The counters of a power of two are allocated when the first value falls there: a command touches
// three or four of the 24 segments.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/alloc.h"

namespace kvasir {

class LatencyHistogram {
 public:
  static constexpr int64_t kMaxNs = 1000000000;

  LatencyHistogram() = default;
  ~LatencyHistogram() { reset(); }
  LatencyHistogram(const LatencyHistogram&) = delete;
  LatencyHistogram& operator=(const LatencyHistogram&) = delete;

  // What lies outside 1 ns to 1 s counts as the nearer end.
  void record(int64_t ns) {
    const size_t i = index_of(std::clamp<int64_t>(ns, 1, kMaxNs));
    uint64_t*& segment = segments_[i / kHalf];
    if (segment == nullptr) [[unlikely]]
      segment = static_cast<uint64_t*>(mem_calloc(kHalf * sizeof(uint64_t)));
    segment[i % kHalf]++;
    count_++;
  }

  [[nodiscard]] uint64_t count() const { return count_; }

  // Nanoseconds that `percentile` (0 to 100) percent of the values do not exceed; 0 without values.
  [[nodiscard]] int64_t value_at_percentile(double percentile) const {
    const double share = std::min(percentile, 100.0) / 100 * static_cast<double>(count_) + 0.5;
    const uint64_t wanted = std::max<uint64_t>(1, static_cast<uint64_t>(share));
    uint64_t seen = 0;
    for (size_t i = 0; i < kCounters; i++) {
      seen += at(i);
      if (seen >= wanted) return percentile == 0.0 ? lowest(i) : highest(i);
    }
    return 0;
  }

  // Calls emit(microseconds, values not above) for the powers of two from 1024 ns where the sum rises.
  template <typename F>
  void for_each_power(F emit) const {
    uint64_t seen = 0;
    uint64_t emitted = 0;
    size_t i = 0;
    for (int64_t level = 1024; seen < count_; level *= 2) {
      // The counter that begins at the level is part of the sum.
      size_t last = i;
      for (; i < kCounters && lowest(i) <= level; i++) {
        seen += at(i);
        last = i;
      }
      if (seen > emitted) emit(highest(last) / 1000, seen);
      emitted = seen;
    }
  }

  void reset() {
    for (uint64_t*& s : segments_) {
      mem_free(s);
      s = nullptr;
    }
    count_ = 0;
  }

  [[nodiscard]] size_t footprint() const {
    size_t n = sizeof(*this);
    for (const uint64_t* s : segments_) n += s == nullptr ? 0 : kHalf * sizeof(uint64_t);
    return n;
  }

 private:
  static constexpr size_t kHalf = 128;
  static constexpr size_t kSegments = 24;
  static constexpr size_t kCounters = kSegments * kHalf;

  static size_t index_of(int64_t v) {
    const auto bits = static_cast<uint64_t>(v) | (2 * kHalf - 1);
    const auto shift = static_cast<unsigned>(56 - std::countl_zero(bits));
    return (shift << 7) + (static_cast<uint64_t>(v) >> shift);
  }
  static unsigned shift_of(size_t i) { return i < 2 * kHalf ? 0 : static_cast<unsigned>(i / kHalf) - 1; }
  static int64_t lowest(size_t i) {
    const unsigned shift = shift_of(i);
    return static_cast<int64_t>(i - shift * kHalf) << shift;
  }
  static int64_t highest(size_t i) { return lowest(i) + (int64_t{1} << shift_of(i)) - 1; }
  [[nodiscard]] uint64_t at(size_t i) const {
    const uint64_t* s = segments_[i / kHalf];
    return s == nullptr ? 0 : s[i % kHalf];
  }

  std::array<uint64_t*, kSegments> segments_{};
  uint64_t count_ = 0;
};

}  // namespace kvasir
