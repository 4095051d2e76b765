// CLIENT is spread over client_list.cc, client_kill.cc, client_state.cc and client_tracking.cc.
#pragma once

#include "commands/command.h"

namespace kvasir {

void register_client_list_commands(HandlerMap& map);
void register_client_kill_commands(HandlerMap& map);
void register_client_state_commands(HandlerMap& map);
void register_client_tracking_commands(HandlerMap& map);

}  // namespace kvasir
