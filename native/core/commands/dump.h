// The payload of DUMP, as other commands need it.
#pragma once

#include <string>

#include "commands/core.h"

namespace kvasir {

// Appends the payload of an entry's value.
void append_dump(const Core& core, const Entry& e, std::string* out);

}  // namespace kvasir
