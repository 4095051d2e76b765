// The clocks, and what a process has cost so far, in nanoseconds, all of its threads together.
#pragma once

#include <dirent.h>
#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <cstdio>
#include <string>

namespace kvasir::load {

inline int64_t clock_ns(clockid_t id) {
  timespec t{};
  if (clock_gettime(id, &t) != 0) return -1;
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

inline int64_t now_ns() { return clock_ns(CLOCK_MONOTONIC); }

// Since 1970.
inline int64_t wall_us() { return clock_ns(CLOCK_REALTIME) / 1000; }

// User and system time; pid 0 is this process. -1 if there is no such process.
inline int64_t cpu_ns(pid_t pid) {
  if (pid == 0) return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  clockid_t id;
  return clock_getcpuclockid(pid, &id) == 0 ? clock_ns(id) : -1;
}

// Time the live threads spent runnable but without a CPU: how much other processes disturbed the
// measurement. Field 2 of /proc/PID/task/TID/schedstat (Documentation/scheduler/sched-stats.rst); 0 where
// the kernel does not keep it.
inline int64_t waited_ns(pid_t pid) {
  const std::string tasks = "/proc/" + (pid == 0 ? std::string("self") : std::to_string(pid)) + "/task";
  DIR* dir = opendir(tasks.c_str());
  if (dir == nullptr) return 0;
  int64_t sum = 0;
  while (const dirent* entry = readdir(dir)) {
    if (entry->d_name[0] == '.') continue;
    FILE* file = fopen((tasks + "/" + entry->d_name + "/schedstat").c_str(), "r");
    if (file == nullptr) continue;
    long long ran = 0;
    long long waited = 0;
    if (fscanf(file, "%lld %lld", &ran, &waited) == 2) sum += waited;
    fclose(file);
  }
  closedir(dir);
  return sum;
}

}  // namespace kvasir::load
