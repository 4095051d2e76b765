// A latency histogram with a fixed relative error, after Gil Tene's HdrHistogram: each power of two is
// divided into 128 equal buckets, so any recorded value is known to better than 0.8 %, from 1 ns to 2^48 ns
// (78 hours), in 42 KB without allocation per record. The maximum and the sum are kept exactly.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

namespace kvasir::load {

class Histogram {
 public:
  Histogram() : counts_(index(kMaxValue) + 1, 0) {}

  // Records `times` equal values, in nanoseconds. Values outside [0, 2^48) are clamped to that range.
  void record(int64_t value, uint64_t times = 1) {
    const uint64_t v = value < 0 ? 0 : std::min<uint64_t>(static_cast<uint64_t>(value), kMaxValue);
    counts_[index(v)] += times;
    total_ += times;
    sum_ += v * times;
    max_ = std::max(max_, v);
  }

  // The smallest value that at least `percent` of the records do not exceed, within a bucket's width and
  // never above the maximum; 0 when nothing was recorded.
  uint64_t percentile(double percent) const {
    if (total_ == 0) return 0;
    // 99.9 % of 1000 is 999 records, not the 1000 that binary fractions make of it.
    const double exact = percent / 100.0 * static_cast<double>(total_) - 1e-6;
    uint64_t wanted = exact > 0 ? static_cast<uint64_t>(std::ceil(exact)) : 0;
    wanted = std::clamp<uint64_t>(wanted, 1, total_);
    uint64_t seen = 0;
    for (size_t i = 0; i < counts_.size(); i++) {
      seen += counts_[i];
      if (seen >= wanted) return std::min(highest(i), max_);
    }
    return max_;
  }

  uint64_t total() const { return total_; }
  uint64_t max() const { return max_; }
  double mean() const { return total_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(total_); }

  void clear() {
    std::fill(counts_.begin(), counts_.end(), 0);
    total_ = sum_ = max_ = 0;
  }

 private:
  static constexpr int kSubBits = 7;
  static constexpr uint64_t kMaxValue = (uint64_t{1} << 48) - 1;

  // Values below 256 have a bucket each. Above, the top eight bits (of which the first is always one) and
  // the number of bits below them make the index.
  static size_t index(uint64_t v) {
    const int shift = std::max(0, static_cast<int>(std::bit_width(v)) - (kSubBits + 1));
    return (static_cast<size_t>(shift) << kSubBits) + static_cast<size_t>(v >> shift);
  }
  static uint64_t highest(size_t i) {
    if (i < (size_t{2} << kSubBits)) return i;
    const size_t shift = (i >> kSubBits) - 1;
    const uint64_t top = i - (shift << kSubBits);
    return ((top + 1) << shift) - 1;
  }

  std::vector<uint64_t> counts_;
  uint64_t total_ = 0;
  uint64_t sum_ = 0;
  uint64_t max_ = 0;
};

}  // namespace kvasir::load
