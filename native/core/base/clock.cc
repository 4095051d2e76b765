#include "base/clock.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace kvasir {
namespace clock_detail {

namespace {

bool counter_is_steady() {
#if defined(__x86_64__)
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  constexpr unsigned kPowerManagement = 0x80000007u;
  if (__get_cpuid(kPowerManagement, &a, &b, &c, &d) == 0) return false;
  return (d & (1u << 8)) != 0;
#elif defined(__aarch64__)
  return true;
#else
  return false;
#endif
}

#if !defined(__aarch64__)  // which says its rate itself
struct Sample {
  uint64_t count;
  uint64_t ns;
};

// Both clocks at one moment: of a few tries the one that was disturbed least.
Sample sample() {
  Sample best{0, 0};
  uint64_t narrowest = ~uint64_t{0};
  for (int i = 0; i < 8; i++) {
    const uint64_t before = counter();
    const uint64_t ns = read_ns(CLOCK_MONOTONIC);
    const uint64_t after = counter();
    if (after - before < narrowest) {
      narrowest = after - before;
      best = {before + (after - before) / 2, ns};
    }
  }
  return best;
}

const Sample start = sample();
#endif

uint64_t rate_of_counter() {
  if (!has_counter) return uint64_t{1} << 32;
#if defined(__aarch64__)
  uint64_t hertz;
  asm("mrs %0, cntfrq_el0" : "=r"(hertz));
  return static_cast<uint64_t>((static_cast<unsigned __int128>(1000000000u) << 32) / hertz);
#else
  constexpr uint64_t kLongEnough = 2000000;
  Sample now = sample();
  while (now.ns - start.ns < kLongEnough) now = sample();
  return static_cast<uint64_t>((static_cast<unsigned __int128>(now.ns - start.ns) << 32) /
                               (now.count - start.count));
#endif
}

}  // namespace

const bool has_counter = counter_is_steady();
std::atomic<uint64_t> rate{0};

// Threads that come here at the same time measure the same, each for itself.
uint64_t measure_rate() {
  const uint64_t measured = rate_of_counter();
  rate.store(measured, std::memory_order_relaxed);
  return measured;
}

}  // namespace clock_detail
}  // namespace kvasir
