#include "engine/load_samples.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/clock.h"
#include "keyspace/memory.h"

namespace kvasir {

namespace {

// Resident set of this process in bytes; 0 if /proc cannot tell.
size_t resident_set() {
  const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[128];
  const ssize_t n = read(fd, text, sizeof text - 1);
  ::close(fd);
  if (n <= 0) return 0;
  text[n] = 0;
  char* p = text;
  strtoull(p, &p, 10);  // size
  return strtoull(p, &p, 10) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

void RateMeter::sample(uint64_t value, uint64_t base, uint64_t factor) {
  if (started_) {
    // A counter that was reset meanwhile counts as not having grown.
    const uint64_t grown = value > last_value_ ? value - last_value_ : 0;
    const uint64_t passed = base > last_base_ ? base - last_base_ : 0;
    samples_[next_] = passed == 0 ? 0 : grown * factor / passed;
    next_ = (next_ + 1) % kSamples;
  }
  started_ = true;
  last_value_ = value;
  last_base_ = base;
}

uint64_t RateMeter::mean() const {
  uint64_t sum = 0;
  for (const uint64_t s : samples_) sum += s;
  return sum / kSamples;
}

void LoadSamples::cron(const Counters& counters, int64_t hz) {
  note_used();
  const int64_t between_ms = 1000 / std::clamp<int64_t>(hz, 1, 1000);
  const int64_t every = std::max<int64_t>(1, kPeriodMs / between_ms);
  if (cron_loops_++ % static_cast<uint64_t>(every) != 0) return;
  constexpr uint64_t kPerSecond = 1000000;
  const uint64_t now = mono_us();
  commands.sample(counters.commands_processed, now, kPerSecond);
  net_input.sample(counters.net_input, now, kPerSecond);
  net_output.sample(counters.net_output, now, kPerSecond);
  cycles.sample(counters.eventloop_cycles, now, kPerSecond);
  cycle_us.sample(counters.eventloop_us, counters.eventloop_cycles, 1);
  sample_memory();
}

void LoadSamples::sample_memory() {
  const MemStats m = mem_stats();
  const size_t tables = dict::table_mapped_bytes();
  memory_.used = m.used + tables;
  memory_.rss = resident_set();
  memory_.active = std::max(m.active + tables, memory_.used);
  memory_.resident =
      std::clamp(m.held + m.large + tables, memory_.active, std::max(memory_.rss, memory_.active));
}

size_t LoadSamples::note_used() {
  const size_t used = used_memory();
  peak_ = std::max(peak_, used);
  return used;
}

void LoadSamples::reset_rates() {
  for (RateMeter* m : {&commands, &net_input, &net_output, &cycles, &cycle_us}) m->reset();
}

}  // namespace kvasir
