// Connections: PING, ECHO, SELECT, AUTH, HELLO, QUIT, RESET.
#include <climits>

#include "base/numbers.h"
#include "commands/auth.h"
#include "commands/client_attributes.h"
#include "commands/core.h"

namespace kvasir {

namespace {

constexpr const char* kWrongPass = "WRONGPASS invalid username-password pair or user is disabled.";

void ping_command(Call& call) {
  if (call.argc() > 2) {
    call.reply().error("ERR wrong number of arguments for 'ping' command");
  } else if (call.client.flags.pubsub && call.reply().resp == 2) {
    // What a client that listens reads are arrays.
    call.reply().array(2);
    call.reply().bulk("pong");
    call.reply().bulk(call.argc() == 1 ? Slice() : call.arg(1));
  } else if (call.argc() == 1) {
    call.reply().status("PONG");
  } else {
    call.reply().bulk(call.arg(1));
  }
}

void echo_command(Call& call) { call.reply().bulk(call.arg(1)); }

void quit_command(Call& call) {
  call.reply().ok();
  call.client.flags.close_after_reply = true;
}

void select_command(Call& call) {
  int64_t index = 0;
  if (!parse_i64(call.arg(1), &index)) return call.not_an_integer();
  if (index < INT_MIN || index > INT_MAX) {
    call.reply().errorf("ERR value is out of range, value must between %d and %d", INT_MIN, INT_MAX);
  } else if (index < 0 || index >= call.ks().databases()) {
    call.reply().error("ERR DB index is out of range");
  } else {
    call.client.db = static_cast<int>(index);
    call.reply().ok();
  }
}

void auth_command(Call& call) {
  if (call.argc() > 3) return call.syntax_error();
  call.core.redact(1);
  Slice user = call.core.default_user.name;
  Slice password = call.arg(1);
  if (call.argc() == 2) {
    if (call.core.default_user.nopass) {
      call.reply().error(
          "ERR AUTH <password> called without any password configured for the default user. Are you sure "
          "your "
          "configuration is correct?");
      return;
    }
  } else {
    call.core.redact(2);
    user = call.arg(1);
    password = call.arg(2);
  }
  if (authenticate(call.core, call.client, user, password)) {
    call.reply().ok();
  } else {
    call.reply().error(kWrongPass);
  }
}

void hello_reply(Call& call) {
  const Settings& settings = call.core.settings;
  Reply& reply = call.reply();
  const bool zone = !settings.availability_zone.empty();
  reply.map(zone ? 8 : 7);
  reply.bulk("server");
  reply.bulk(settings.extended_redis_compat ? "redis" : "valkey");
  reply.bulk("version");
  reply.bulk(settings.extended_redis_compat ? settings.redis_version : settings.server_version);
  reply.bulk("proto");
  reply.integer(reply.resp);
  reply.bulk("id");
  reply.integer(static_cast<int64_t>(call.client.id));
  reply.bulk("mode");
  reply.bulk(call.ks().clustered() ? "cluster" : "standalone");
  reply.bulk("role");
  reply.bulk(call.core.replica ? "replica" : "master");
  reply.bulk("modules");
  // Valkey 9.1 has its Lua engine as a module that is always there.
  reply.array(1);
  reply.map(4);
  reply.bulk("name");
  reply.bulk("lua");
  reply.bulk("ver");
  reply.integer(1);
  reply.bulk("path");
  reply.bulk("lua");
  reply.bulk("args");
  reply.array(0);
  if (zone) {
    reply.bulk("availability_zone");
    reply.bulk(settings.availability_zone);
  }
}

// HELLO [protover [AUTH username password] [SETNAME clientname]]
void hello_command(Call& call) {
  Client& c = call.client;
  Reply& reply = call.reply();
  int64_t version = 0;
  if (call.argc() >= 2) {
    if (!parse_i64(call.arg(1), &version)) {
      reply.error("ERR Protocol version is not an integer or out of range");
      return;
    }
    if (version < 2 || version > 3) {
      reply.error("NOPROTO unsupported protocol version");
      return;
    }
  }
  int auth = 0, name = 0;  // where their values begin; 0: not given
  for (int i = 2; i < call.argc(); i++) {
    const int more = call.argc() - 1 - i;
    if (equals_nocase(call.arg(i), "auth") && more >= 2) {
      auth = i + 1;
      call.core.redact(auth);
      call.core.redact(auth + 1);
      i += 2;
    } else if (equals_nocase(call.arg(i), "setname") && more >= 1) {
      name = ++i;
      if (!valid_client_attribute(call.arg(name))) {
        reply.error(kBadClientName);
        return;
      }
    } else {
      reply.errorf("ERR Syntax error in HELLO option '%s'", call.arg(i).str().c_str());
      return;
    }
  }
  if (auth != 0 && !authenticate(call.core, c, call.arg(auth), call.arg(auth + 1))) {
    reply.error(kWrongPass);
    return;
  }
  if (!c.flags.authenticated) {
    reply.error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH "
        "<user> "
        "<pass> option can be used to authenticate the client and select the RESP protocol version at the "
        "same time");
    return;
  }
  if (name != 0) c.name = call.arg(name).str();
  if (version != 0) reply.resp = static_cast<uint8_t>(version);
  hello_reply(call);
}

// READONLY, READWRITE: whether a replica may answer this client's reads instead of sending it to the primary.
void readonly_command(Call& call) {
  call.client.flags.readonly = true;
  call.reply().ok();
}
void readwrite_command(Call& call) {
  call.client.flags.readonly = false;
  call.reply().ok();
}

// RESET: the connection as it was when it was new, save what the library said of itself.
void reset_command(Call& call) {
  Client& c = call.client;
  if (c.client_class() == ClientClass::kReplica || c.client_class() == ClientClass::kPrimary) {
    call.reply().error("ERR can only reset normal client connections");
    return;
  }
  call.core.watched.unwatch(&c);
  c.transaction.reset();
  call.core.monitors.remove(&c);
  call.core.tracking.disable(&c);
  call.core.pubsub.forget(&c);
  c.flags.pubsub = false;
  c.db = 0;
  c.reply.resp = 2;
  set_default_user(call.core, c);
  c.name.clear();
  c.flags.readonly = false;
  c.flags.reply_off = false;
  c.flags.reply_skip_next = false;
  c.flags.no_touch = false;
  c.flags.no_evict = false;
  c.flags.import_source = false;
  call.reply().status("RESET");
}

}  // namespace

void register_connection_commands(HandlerMap& map) {
  map["ping"] = ping_command;
  map["echo"] = echo_command;
  map["quit"] = quit_command;
  map["select"] = select_command;
  map["auth"] = auth_command;
  map["hello"] = hello_command;
  map["readonly"] = readonly_command;
  map["readwrite"] = readwrite_command;
  map["reset"] = reset_command;
}

}  // namespace kvasir
