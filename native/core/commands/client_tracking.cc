// CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO: server-assisted client-side caching.
#include "base/numbers.h"
#include "commands/client_commands.h"
#include "commands/core.h"

namespace kvasir {

namespace {

struct TrackingOptions {
  bool bcast = false, optin = false, optout = false, noloop = false, prefixes = false;
  int64_t redirect = 0;  // 0: none
};

bool parse_tracking(Call& call, TrackingOptions* o) {
  Reply& reply = call.reply();
  for (int i = 3; i < call.argc(); i++) {
    const Slice word = call.arg(i);
    const bool more = i + 1 < call.argc();
    if (equals_nocase(word, "redirect") && more) {
      if (o->redirect != 0) {
        reply.error("ERR A client can only redirect to a single other client");
        return false;
      }
      if (!parse_i64(call.arg(++i), &o->redirect)) return call.not_an_integer(), false;
      if (!call.core.clients.contains(static_cast<uint64_t>(o->redirect))) {
        reply.error("ERR The client ID you want redirect to does not exist");
        return false;
      }
    } else if (equals_nocase(word, "bcast")) {
      o->bcast = true;
    } else if (equals_nocase(word, "optin")) {
      o->optin = true;
    } else if (equals_nocase(word, "optout")) {
      o->optout = true;
    } else if (equals_nocase(word, "noloop")) {
      o->noloop = true;
    } else if (equals_nocase(word, "prefix") && more) {
      o->prefixes = true;
      i++;
    } else {
      return call.syntax_error(), false;
    }
  }
  return true;
}

// CLIENT TRACKING ON|OFF [REDIRECT id] [BCAST] [PREFIX prefix …] [OPTIN] [OPTOUT] [NOLOOP]
void tracking_command(Call& call) {
  TrackingOptions o;
  if (!parse_tracking(call, &o)) return;
  Reply& reply = call.reply();
  if (equals_nocase(call.arg(2), "off")) {
    reply.ok();
  } else if (!equals_nocase(call.arg(2), "on")) {
    call.syntax_error();
  } else if (!o.bcast && o.prefixes) {
    reply.error("ERR PREFIX option requires BCAST mode to be enabled");
  } else if (o.bcast && (o.optin || o.optout)) {
    reply.error("ERR OPTIN and OPTOUT are not compatible with BCAST");
  } else if (o.optin && o.optout) {
    reply.error("ERR You can't specify both OPTIN mode and OPTOUT mode");
  } else {
    // Invalidation messages travel by publish/subscribe, which this server does not have yet: claiming to
    // track would let clients serve stale values.
    reply.error("ERR client tracking is not available");
  }
}

void caching_command(Call& call) {
  call.reply().error(
      "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode "
      "enabled");
}

void getredir_command(Call& call) { call.reply().integer(-1); }

void trackinginfo_command(Call& call) {
  Reply& reply = call.reply();
  reply.map(3);
  reply.bulk("flags");
  reply.set(1);
  reply.bulk("off");
  reply.bulk("redirect");
  reply.integer(-1);
  reply.bulk("prefixes");
  reply.array(0);
}

}  // namespace

void register_client_tracking_commands(HandlerMap& map) {
  map["client|tracking"] = tracking_command;
  map["client|caching"] = caching_command;
  map["client|getredir"] = getredir_command;
  map["client|trackinginfo"] = trackinginfo_command;
}

}  // namespace kvasir
