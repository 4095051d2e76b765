// The timeout argument of blocking commands.
#pragma once

#include "commands/core.h"

namespace kvasir {

// Seconds with a fraction (BLPOP) or milliseconds (XREAD): the moment at which the wait ends, as Unix time in
// ms; kNoDeadline for 0. False: an error was replied.
bool parse_block_seconds(const Call& call, int arg, int64_t* deadline_ms);
bool parse_block_ms(const Call& call, int arg, int64_t* deadline_ms);

}  // namespace kvasir
