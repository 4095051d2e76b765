// INFO errorstats: how often each error code was replied.
//
// Codes of the server's own errors are a small fixed set. Custom errors - those that scripts and functions
// make up - are not: from kMaxCodes on, custom codes not seen before share one counter, so that a script
// cannot fill the memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/slice.h"

namespace kvasir {

class ErrorStats {
 public:
  static constexpr size_t kMaxCodes = 128;
  static constexpr const char* kOverflow = "ERRORSTATS_OVERFLOW";

  void add(Slice code, uint64_t times, bool custom) {
    std::string key = code.str();
    if (custom && counts_.size() >= kMaxCodes && !counts_.contains(key)) key = kOverflow;
    counts_[key] += times;
  }
  // In the order of their bytes.
  [[nodiscard]] const std::map<std::string, uint64_t>& counts() const { return counts_; }

 private:
  std::map<std::string, uint64_t> counts_;
};

}  // namespace kvasir
