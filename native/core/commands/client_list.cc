// CLIENT ID, INFO, LIST.
#include "commands/client_commands.h"
#include "commands/client_filter.h"
#include "commands/client_info.h"

namespace kvasir {

namespace {

void id_command(Call& call) { call.reply().integer(static_cast<int64_t>(call.client.id)); }

void info_command(Call& call) {
  call.reply().verbatim(client_info(call.core, call.client, false) + "\n", "txt");
}

// CLIENT LIST [filter …]
void list_command(Call& call) {
  // No filter is one word.
  if (call.argc() == 3) return call.syntax_error();
  ClientFilter filter;
  if (!filter.parse(call, 2)) return;
  std::string text;
  for (const auto& [id, c] : call.core.clients) {
    if (!filter.matches(call.core, *c, call.client)) continue;
    text += client_info(call.core, *c, false);
    text += '\n';
  }
  call.reply().verbatim(text, "txt");
}

}  // namespace

void register_client_list_commands(HandlerMap& map) {
  map["client|id"] = id_command;
  map["client|info"] = info_command;
  map["client|list"] = list_command;
}

}  // namespace kvasir
