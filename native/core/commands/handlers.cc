#include "commands/command.h"

namespace kvasir {

HandlerMap all_handlers() {
  HandlerMap map;
  register_client_commands(map);
  register_connection_commands(map);
  register_dump_commands(map);
  register_key_commands(map);
  register_server_commands(map);
  register_string_commands(map);
  register_transaction_commands(map);
  return map;
}

}  // namespace kvasir
