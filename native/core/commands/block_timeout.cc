#include "commands/block_timeout.h"

#include <cmath>
#include <limits>

#include "base/numbers.h"

namespace kvasir {

namespace {

bool deadline_in(const Call& call, int64_t ms, int64_t* deadline_ms) {
  if (ms < 0) {
    call.reply().error("ERR timeout is negative");
    return false;
  }
  if (ms == 0) {
    *deadline_ms = kNoDeadline;
  } else if (__builtin_add_overflow(ms, call.core.wall_ms, deadline_ms)) {
    call.reply().error("ERR timeout is out of range");
    return false;
  }
  return true;
}

}  // namespace

bool parse_block_seconds(const Call& call, int arg, int64_t* deadline_ms) {
  long double seconds;
  if (!parse_long_double(call.arg(arg), &seconds)) {
    call.reply().error("ERR timeout is not a float or out of range");
    return false;
  }
  const long double ms = seconds * 1000.0L;
  if (ms > static_cast<long double>(std::numeric_limits<int64_t>::max())) {
    call.reply().error("ERR timeout is out of range");
    return false;
  }
  // Less than a millisecond is not for ever. What is far below zero is negative, whatever its size.
  return deadline_in(call, ms < -1 ? -1 : static_cast<int64_t>(std::ceil(ms)), deadline_ms);
}

bool parse_block_ms(const Call& call, int arg, int64_t* deadline_ms) {
  int64_t ms;
  if (!parse_i64(call.arg(arg), &ms)) {
    call.reply().error("ERR timeout is not an integer or out of range");
    return false;
  }
  return deadline_in(call, ms, deadline_ms);
}

}  // namespace kvasir
