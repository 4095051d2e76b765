// CLIENT KILL, PAUSE, UNPAUSE, UNBLOCK: what one client does to others.
#include <limits>
#include <vector>

#include "base/numbers.h"
#include "commands/client_commands.h"
#include "commands/client_filter.h"

namespace kvasir {

namespace {

// CLIENT KILL ip:port | filter …
void kill_command(Call& call) {
  const bool old_form = call.argc() == 3;
  ClientFilter filter;
  filter.set_skip_me(!old_form);
  if (old_form) {
    filter.set_addr(call.arg(2));
  } else if (!filter.parse(call, 2)) {
    return;
  }
  std::vector<Client*> matching;
  for (const auto& [id, c] : call.core.clients) {
    if (filter.matches(call.core, *c, call.client)) matching.push_back(c);
  }
  for (Client* c : matching) {
    if (c != &call.client) call.core.hooks->close(*c);
  }
  if (!old_form) {
    call.reply().integer(static_cast<int64_t>(matching.size()));
  } else if (matching.empty()) {
    call.reply().error("ERR No such client");
  } else {
    call.reply().ok();
  }
  for (const Client* c : matching) {
    if (c == &call.client) call.client.flags.close_after_reply = true;
  }
}

// CLIENT PAUSE milliseconds [WRITE|ALL]
void pause_command(Call& call) {
  bool writes_only = false;
  if (call.argc() == 4) {
    writes_only = equals_nocase(call.arg(3), "write");
    if (!writes_only && !equals_nocase(call.arg(3), "all")) {
      call.reply().error("ERR CLIENT PAUSE mode must be WRITE or ALL");
      return;
    }
  }
  int64_t ms = 0;
  if (!parse_i64(call.arg(2), &ms)) {
    call.reply().error("ERR timeout is not an integer or out of range");
  } else if (ms < 0) {
    call.reply().error("ERR timeout is negative");
  } else if (ms > std::numeric_limits<int64_t>::max() - call.core.wall_ms) {
    call.reply().error("ERR timeout is out of range");
  } else {
    Pauses& pauses = call.core.pauses;
    // A second pause never loosens or shortens the first.
    const bool all = !writes_only || pauses.scope_of(PauseReason::kClient) == PauseScope::kAll;
    pauses.pause(PauseReason::kClient, ms == 0 ? 0 : call.core.wall_ms + ms,
                 all ? PauseScope::kAll : PauseScope::kWrites);
    call.core.update_pauses();
    call.reply().ok();
  }
}

void unpause_command(Call& call) {
  call.core.pauses.end(PauseReason::kClient);
  call.core.update_pauses();
  call.reply().ok();
}

// CLIENT UNBLOCK id [TIMEOUT|ERROR]
void unblock_command(Call& call) {
  bool error = false;
  if (call.argc() == 4) {
    error = equals_nocase(call.arg(3), "error");
    if (!error && !equals_nocase(call.arg(3), "timeout")) {
      call.reply().error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
      return;
    }
  }
  int64_t id = 0;
  if (!parse_i64(call.arg(2), &id)) return call.not_an_integer();
  const auto it = call.core.clients.find(static_cast<uint64_t>(id));
  const bool done = it != call.core.clients.end() &&
                    call.core.executor->end_wait(*it->second, error ? WaitEnd::kError : WaitEnd::kTimeout);
  call.reply().integer(done ? 1 : 0);
}

}  // namespace

void register_client_kill_commands(HandlerMap& map) {
  map["client|kill"] = kill_command;
  map["client|pause"] = pause_command;
  map["client|unpause"] = unpause_command;
  map["client|unblock"] = unblock_command;
}

}  // namespace kvasir
