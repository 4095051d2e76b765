#include "base/histogram.h"

#include <algorithm>
#include <map>
#include <random>

#include "check.h"

using namespace kvasir;

namespace {

// The largest value that shares a counter with v: 256 counters up to 255, then 128 a power of two.
int64_t ceiling(int64_t v) {
  int64_t width = 1;
  while (v / width > 255) width *= 2;
  return v / width * width + width - 1;
}

}  // namespace

TEST(histogram_percentiles) {
  std::mt19937_64 rng(2);
  LatencyHistogram h;
  CHECK_EQ(h.value_at_percentile(50), 0);
  std::vector<int64_t> all;
  for (int i = 0; i < 20000; i++) {
    const auto v = static_cast<int64_t>(1 + (rng() >> (35 + rng() % 28)));
    h.record(v);
    all.push_back(std::min(v, LatencyHistogram::kMaxNs));
  }
  std::sort(all.begin(), all.end());
  CHECK_EQ(h.count(), all.size());
  for (const double p : {0.1, 10.0, 50.0, 90.0, 99.0, 99.9, 100.0, 200.0}) {
    const auto rank = static_cast<size_t>(std::min(p, 100.0) / 100 * static_cast<double>(all.size()) + 0.5);
    CHECK_EQ(h.value_at_percentile(p), ceiling(all[rank - 1]));
  }
  CHECK(h.footprint() < 25000);
}

TEST(histogram_ends) {
  const size_t before = mem_used();
  {
    LatencyHistogram h;
    h.record(-5);
    h.record(0);
    CHECK_EQ(h.value_at_percentile(100), 1);
    h.record(INT64_MAX);
    CHECK_EQ(h.value_at_percentile(100), ceiling(1000000000));
    CHECK_EQ(h.value_at_percentile(0), 1);
    CHECK(h.footprint() < 4000);
    h.reset();
    CHECK_EQ(h.count(), 0u);
  }
  CHECK_EQ(mem_used(), before);
}

TEST(histogram_powers) {
  LatencyHistogram h;
  std::map<int64_t, uint64_t> got;
  const auto collect = [&] {
    got.clear();
    h.for_each_power([&](int64_t us, uint64_t n) { got[us] = n; });
  };
  collect();
  CHECK(got.empty());
  for (const int64_t v : {500, 1024, 1031, 1032, 1500, 5000, 1000000000}) h.record(v);
  collect();
  // 1031 shares the counter of 1024; 1032 does not.
  const std::map<int64_t, uint64_t> expect{{1, 3}, {2, 5}, {8, 6}, {1073741, 7}};
  CHECK(got == expect);
}

TEST_MAIN()
