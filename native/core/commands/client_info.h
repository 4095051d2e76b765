// How a client is shown: the line of CLIENT LIST, also used in log messages.
#pragma once

#include <string>

#include "commands/core.h"

namespace kvasir {

// The letters of the flags field; "N" if there are none.
std::string client_flags(const Client& c);

// hide_user_data replaces the names that users chose (for the log).
std::string client_info(const Core& core, const Client& c, bool hide_user_data);

// Who a client is, without its state.
std::string client_identity(const Client& c, bool hide_user_data);

}  // namespace kvasir
