// Integer arguments with bounds: counts, ranks, numbers of keys.
#pragma once

#include <cinttypes>
#include <cstdint>
#include <limits>

#include "base/numbers.h"
#include "commands/core.h"

namespace kvasir {

// False: an error was replied. It says `message` whatever is wrong with the argument; without one it says
// what is.
inline bool parse_in_range(const Call& call, int arg, int64_t min, int64_t max, int64_t* value,
                           const char* message = nullptr) {
  const bool number = parse_i64(call.arg(arg), value);
  if (number && *value >= min && *value <= max) return true;
  if (message != nullptr) {
    call.reply().error(message);
  } else if (!number) {
    call.not_an_integer();
  } else {
    call.reply().errorf("ERR value is out of range, value must between %" PRId64 " and %" PRId64, min, max);
  }
  return false;
}

// From 0 on.
inline bool parse_positive(const Call& call, int arg, int64_t* value,
                           const char* message = "ERR value is out of range, must be positive") {
  return parse_in_range(call, arg, 0, std::numeric_limits<int64_t>::max(), value, message);
}

}  // namespace kvasir
