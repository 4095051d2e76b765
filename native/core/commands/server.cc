// Databases as a whole: DBSIZE, FLUSHALL, FLUSHDB, SWAPDB; and TIME.
#include "base/clock.h"
#include "commands/core.h"
#include "commands/keys.h"

namespace kvasir {

namespace {

void dbsize_command(Call& call) { call.reply().integer(static_cast<int64_t>(call.db().size())); }

// False: an error was replied.
bool flush(Call& call, int db) {
  bool async = call.core.settings.lazyfree_lazy_user_flush;
  if (call.argc() == 2 && equals_nocase(call.arg(1), "sync")) {
    async = false;
  } else if (call.argc() == 2 && equals_nocase(call.arg(1), "async")) {
    async = true;
  } else if (call.argc() != 1) {
    call.syntax_error();
    return false;
  }
  call.ks().dirty += call.ks().flush(db, async);
  // Replicas flush even when there was nothing here: theirs may differ.
  if (call.propagating()) call.propagation().force();
  call.reply().ok();
  return true;
}

void flushdb_command(Call& call) { flush(call, call.db().id()); }
void flushall_command(Call& call) {
  // Files of data follow.
  if (flush(call, -1) && !call.core.loading) call.core.hooks->control("flushall", {});
}

void swapdb_command(Call& call) {
  if (call.ks().clustered()) return call.reply().error("ERR SWAPDB is not allowed in cluster mode");
  int a;
  int b;
  if (!parse_int(call, 1, &a, "ERR invalid first DB index")) return;
  if (!parse_int(call, 2, &b, "ERR invalid second DB index")) return;
  const int n = call.ks().databases();
  if (a < 0 || a >= n || b < 0 || b >= n) return call.reply().error(kDatabaseOutOfRange);
  call.ks().swap(a, b);
  call.ks().dirty++;
  call.reply().ok();
}

void time_command(Call& call) {
  const int64_t us = wall_us();
  call.reply().array(2);
  call.reply().bulk_integer(us / 1000000);
  call.reply().bulk_integer(us % 1000000);
}

}  // namespace

void register_server_commands(HandlerMap& map) {
  map["dbsize"] = dbsize_command;
  map["flushall"] = flushall_command;
  map["flushdb"] = flushdb_command;
  map["swapdb"] = swapdb_command;
  map["time"] = time_command;
}

}  // namespace kvasir
