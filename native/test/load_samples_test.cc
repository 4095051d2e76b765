#include "engine/load_samples.h"

#include "base/alloc.h"
#include "check.h"

using namespace kvasir;

TEST(rate_meter_means_sixteen_samples) {
  RateMeter meter;
  meter.sample(1000, 5000000, 1000000);  // only remembered
  CHECK_EQ(meter.mean(), uint64_t{0});
  // 100 in a tenth of a second: 1000 a second, in one sample of sixteen.
  meter.sample(1100, 5100000, 1000000);
  CHECK_EQ(meter.mean(), uint64_t{62});
  for (uint64_t i = 2; i <= 40; i++) meter.sample(1000 + 100 * i, 5000000 + 100000 * i, 1000000);
  CHECK_EQ(meter.mean(), uint64_t{1000});
}

TEST(rate_meter_survives_resets) {
  RateMeter meter;
  meter.sample(1000, 10, 1);
  meter.sample(3, 20, 1);  // the counter began anew
  meter.sample(5, 20, 1);  // no time has passed
  CHECK_EQ(meter.mean(), uint64_t{0});
  meter.sample(165, 21, 1);
  CHECK_EQ(meter.mean(), uint64_t{10});
  meter.reset();
  CHECK_EQ(meter.mean(), uint64_t{0});
}

TEST(load_samples_memory) {
  LoadSamples load;
  load.sample_memory();
  const LoadSamples::Memory before = load.memory();
  CHECK(before.rss > 0);
  CHECK(before.used <= before.active);
  CHECK(before.active <= before.resident);
  constexpr size_t kBytes = 8 << 20;
  void* p = mem_alloc(kBytes);
  load.note_used();
  mem_free(p);
  CHECK(load.peak() >= before.used + kBytes);
  load.sample_memory();
  CHECK(load.memory().used < load.peak());
}

TEST(client_peaks_are_forgotten_after_some_seconds) {
  ClientPeaks peaks;
  peaks.advance(100);
  peaks.note(10, 2000);
  peaks.advance(101);
  peaks.note(30, 5);
  CHECK_EQ(peaks.input(), size_t{30});
  CHECK_EQ(peaks.output(), size_t{2000});
  for (int64_t second = 102; second < 108; second++) peaks.advance(second);
  CHECK_EQ(peaks.input(), size_t{30});
  CHECK_EQ(peaks.output(), size_t{5});
  peaks.advance(108);
  CHECK_EQ(peaks.input(), size_t{0});
}

TEST_MAIN()
