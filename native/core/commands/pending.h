// A parsed request with what was found out about it while the data was still far away.
#pragma once

#include <cstdint>

#include "commands/command.h"
#include "resp/parser.h"

namespace kvasir {

struct Pending {
  Request request;
  Command* command = nullptr;  // nullptr: unknown
  uint64_t hash = 0;           // of the first key; 0: none
  int slot = 0;                // of the first key, in cluster mode
  uint64_t element_hash = 0;   // of argument Command::element; 0: not known
};

}  // namespace kvasir
