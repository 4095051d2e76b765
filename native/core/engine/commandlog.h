// COMMANDLOG (and SLOWLOG): the most recent commands that took long, whose request was large, or whose reply
// was. Also the latency monitor's time series. Both are recorded here and shown by TypeScript.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/slice.h"

namespace kvasir {

enum class CommandLogType : uint8_t { kSlow = 0, kLargeRequest = 1, kLargeReply = 2 };

class CommandLog {
 public:
  struct Item {
    int64_t id;
    int64_t time_s;
    int64_t value;  // µs or bytes
    std::vector<std::string>
        argv;  // at most 32, each at most 128 bytes, the cuts marked as Valkey marks them
    std::string peer;
    std::string client_name;
  };
  // redacted: bit i hides argument i.
  void push(CommandLogType type, std::span<const Slice> argv, uint64_t redacted, int64_t value,
            int64_t time_s, std::string peer, std::string client_name, size_t max_len);
  [[nodiscard]] const std::deque<Item>& items(CommandLogType type) const {
    return logs_[static_cast<size_t>(type)];
  }
  void trim(CommandLogType type, size_t max_len);
  void reset(CommandLogType type) { logs_[static_cast<size_t>(type)].clear(); }

 private:
  std::array<std::deque<Item>, 3> logs_;  // newest first
  std::array<int64_t, 3> next_id_{};
};

// LATENCY: per event the worst sample of each of the last 160 seconds that had one.
class LatencyMonitor {
 public:
  static constexpr size_t kSamples = 160;
  struct Sample {
    int64_t time_s = 0;
    uint32_t ms = 0;
  };
  struct Series {
    size_t next = 0;
    uint32_t max = 0;
    uint32_t sum = 0;
    uint32_t count = 0;
    std::array<Sample, kSamples> samples{};
  };
  void add(const char* event, int64_t ms, int64_t now_s);
  [[nodiscard]] const std::map<std::string, Series>& all() const { return events_; }
  size_t reset(const std::string& event) { return events_.erase(event); }
  size_t reset_all() {
    const size_t n = events_.size();
    events_.clear();
    return n;
  }

 private:
  std::map<std::string, Series> events_;
};

}  // namespace kvasir
