// Time: ticks for measuring durations of commands (a few nanoseconds a reading), the monotonic clock for
// deadlines, the wall clock for expiry.
//
// Ticks come from the CPU's counter where it runs at a constant rate through all power states (x86:
// "invariant TSC" in CPUID; aarch64: the generic timer), else from the monotonic clock. Their rate is
// measured against the monotonic clock when first converted, to about 20 ppm: good for durations, not for
// keeping time, which is why mono_us does not use them.
#pragma once

#include <time.h>

#include <atomic>
#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace kvasir {

namespace clock_detail {

extern const bool has_counter;
// Nanoseconds a tick, 32 bits after the point; 0: not measured yet.
extern std::atomic<uint64_t> rate;
uint64_t measure_rate();

inline uint64_t read_ns(clockid_t id) {
  timespec t;
  clock_gettime(id, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1000000000u + static_cast<uint64_t>(t.tv_nsec);
}

inline uint64_t counter() {
#if defined(__x86_64__)
  return __rdtsc();
#elif defined(__aarch64__)
  uint64_t v;
  asm volatile("mrs %0, cntvct_el0" : "=r"(v));
  return v;
#else
  return 0;
#endif
}

}  // namespace clock_detail

// Not to be called by initialisers of static objects.
inline uint64_t ticks() {
  if (clock_detail::has_counter) [[likely]]
    return clock_detail::counter();
  return clock_detail::read_ns(CLOCK_MONOTONIC);
}
// Of a difference of ticks; the first call in the process may take 2 ms.
inline uint64_t ticks_to_ns(uint64_t n) {
  uint64_t rate = clock_detail::rate.load(std::memory_order_relaxed);
  if (rate == 0) [[unlikely]]
    rate = clock_detail::measure_rate();
  return static_cast<uint64_t>((static_cast<unsigned __int128>(n) * rate) >> 32);
}
inline uint64_t ticks_to_us(uint64_t n) { return ticks_to_ns(n) / 1000; }

// Microseconds since some fixed point, never going back.
inline uint64_t mono_us() { return clock_detail::read_ns(CLOCK_MONOTONIC) / 1000; }

// Since 1970.
inline int64_t wall_us() { return static_cast<int64_t>(clock_detail::read_ns(CLOCK_REALTIME) / 1000); }
inline int64_t wall_ms() { return static_cast<int64_t>(clock_detail::read_ns(CLOCK_REALTIME) / 1000000); }

}  // namespace kvasir
