// The command line of kvasir-load.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "request.h"

namespace kvasir::load {

struct Options {
  std::string host = "127.0.0.1";
  uint16_t port = 6379;
  std::string socket;  // a Unix socket; wins over host and port
  uint32_t clients = 50;
  uint32_t pipeline = 1;
  uint64_t requests = 0;  // 0: run for `seconds`
  double seconds = 3;
  double warmup = 0;  // seconds
  uint64_t keyspace = 1'000'000;
  size_t value_size = 64;
  bool sequential = false;
  double rate = 0;    // requests per second on a fixed timetable; 0: as fast as replies come
  double drain = 10;  // seconds to wait for replies after the last request
  int cpu = -1;
  int server_pid = 0;
  uint64_t seed = 1;
  uint64_t print = 0;  // print so many requests instead of sending any
  uint32_t subscribers = 0;
  std::string channel = "news";
  std::vector<Command> probe;  // asked every probe_ms; empty: none
  double probe_ms = 10;
  std::vector<Weighted> mix;  // never empty; all of the same number of commands
};

// Fills `out`; on a mistake returns false with the reason in `error`. "--help" gives false and an empty
// reason.
bool parse_options(int argc, char** argv, Options& out, std::string& error);

extern const char* const kUsage;

}  // namespace kvasir::load
