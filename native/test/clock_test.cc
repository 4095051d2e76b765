#include "base/clock.h"

#include "check.h"

using namespace kvasir;

TEST(ticks_agree_with_the_monotonic_clock) {
  ticks_to_ns(1);  // measure the rate before
  const uint64_t t0 = ticks();
  const uint64_t m0 = mono_us();
  while (mono_us() - m0 < 20000) {
  }
  const uint64_t m1 = mono_us();
  const uint64_t us = ticks_to_us(ticks() - t0);
  // The reading may be interrupted between the two clocks; the rate may not be wrong.
  CHECK(us + us / 50 >= m1 - m0);
  CHECK(us <= (m1 - m0) * 2);
  CHECK_EQ(ticks_to_us(0), 0u);
}

TEST(clocks_do_not_go_back) {
  uint64_t m = mono_us();
  uint64_t t = ticks();
  for (int i = 0; i < 10000; i++) {
    const uint64_t m2 = mono_us();
    const uint64_t t2 = ticks();
    CHECK(m2 >= m);
    CHECK(t2 >= t);
    m = m2;
    t = t2;
  }
}

TEST(wall_clock_is_unix_time) {
  const auto s = static_cast<int64_t>(time(nullptr));
  CHECK(wall_ms() / 1000 >= s - 1 && wall_ms() / 1000 <= s + 5);
  CHECK(wall_us() / 1000000 >= s - 1 && wall_us() / 1000000 <= s + 5);
}

TEST_MAIN()
