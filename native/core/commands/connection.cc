// Connections: PING, ECHO, SELECT, AUTH, HELLO, QUIT, RESET.
#include "commands/core.h"

namespace kvasir {

namespace {

void ping_command(Call& call) {
  if (call.argc() > 2) {
    call.reply().error("ERR wrong number of arguments for 'ping' command");
  } else if (call.argc() == 1) {
    call.reply().status("PONG");
  } else {
    call.reply().bulk(call.arg(1));
  }
}

}  // namespace

void register_connection_commands(HandlerMap& map) { map["ping"] = ping_command; }

}  // namespace kvasir
