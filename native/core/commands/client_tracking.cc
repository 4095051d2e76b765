// CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO: server-assisted client-side caching.
#include "base/numbers.h"
#include "commands/client_commands.h"
#include "commands/core.h"

namespace kvasir {

namespace {

// What CLIENT TRACKING was given.
struct TrackingArgs {
  TrackingOptions options;
  std::vector<Slice> prefixes;
};

bool parse_tracking(Call& call, TrackingArgs* args) {
  Reply& reply = call.reply();
  TrackingOptions& o = args->options;
  for (int i = 3; i < call.argc(); i++) {
    const Slice word = call.arg(i);
    const bool more = i + 1 < call.argc();
    if (equals_nocase(word, "redirect") && more) {
      if (o.redirect != 0) {
        reply.error("ERR A client can only redirect to a single other client");
        return false;
      }
      int64_t id = 0;
      if (!parse_i64(call.arg(++i), &id)) return call.not_an_integer(), false;
      o.redirect = static_cast<uint64_t>(id);
      if (!call.core.clients.contains(o.redirect)) {
        reply.error("ERR The client ID you want redirect to does not exist");
        return false;
      }
    } else if (equals_nocase(word, "bcast")) {
      o.bcast = true;
    } else if (equals_nocase(word, "optin")) {
      o.optin = true;
    } else if (equals_nocase(word, "optout")) {
      o.optout = true;
    } else if (equals_nocase(word, "noloop")) {
      o.noloop = true;
    } else if (equals_nocase(word, "prefix") && more) {
      args->prefixes.push_back(call.arg(++i));
    } else {
      return call.syntax_error(), false;
    }
  }
  return true;
}

// The options agree with each other and with how the client tracks already. False: the error is replied.
bool compatible(Call& call, const TrackingArgs& args) {
  Reply& reply = call.reply();
  const TrackingOptions& o = args.options;
  const ClientTracking* now = call.client.tracking.get();
  if (!o.bcast && !args.prefixes.empty()) {
    reply.error("ERR PREFIX option requires BCAST mode to be enabled");
  } else if (now != nullptr && now->options.bcast != o.bcast) {
    reply.error(
        "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then "
        "re-enabling it with a different mode.");
  } else if (o.bcast && (o.optin || o.optout)) {
    reply.error("ERR OPTIN and OPTOUT are not compatible with BCAST");
  } else if (o.optin && o.optout) {
    reply.error("ERR You can't specify both OPTIN mode and OPTOUT mode");
  } else if (now != nullptr && ((o.optin && now->options.optout) || (o.optout && now->options.optin))) {
    reply.error(
        "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then "
        "re-enabling it with a different mode.");
  } else if (Tracking::Overlap found; o.bcast && Tracking::overlap(call.client, args.prefixes, &found)) {
    reply.errorf(
        "ERR Prefix '%s' overlaps with %s prefix '%s'. Prefixes for a single client must not overlap.",
        found.prefix.str().c_str(), found.existing ? "an existing" : "another provided",
        found.with.str().c_str());
  } else {
    return true;
  }
  return false;
}

// CLIENT TRACKING ON|OFF [REDIRECT id] [BCAST] [PREFIX prefix …] [OPTIN] [OPTOUT] [NOLOOP]
void tracking_command(Call& call) {
  TrackingArgs args;
  if (!parse_tracking(call, &args)) return;
  if (equals_nocase(call.arg(2), "on")) {
    if (!compatible(call, args)) return;
    call.core.tracking.enable(&call.client, args.options, args.prefixes);
  } else if (equals_nocase(call.arg(2), "off")) {
    call.core.tracking.disable(&call.client);
  } else {
    return call.syntax_error();
  }
  call.reply().ok();
}

// CLIENT CACHING YES|NO
void caching_command(Call& call) {
  Reply& reply = call.reply();
  ClientTracking* t = call.client.tracking.get();
  if (t == nullptr) {
    reply.error(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode "
        "enabled");
    return;
  }
  if (equals_nocase(call.arg(2), "yes")) {
    if (!t->options.optin) {
      reply.error("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
      return;
    }
  } else if (equals_nocase(call.arg(2), "no")) {
    if (!t->options.optout) {
      reply.error("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
      return;
    }
  } else {
    return call.syntax_error();
  }
  t->caching = true;
  reply.ok();
}

int64_t redirect_of(const Client& c) {
  return c.tracking == nullptr ? -1 : static_cast<int64_t>(c.tracking->options.redirect);
}

void getredir_command(Call& call) { call.reply().integer(redirect_of(call.client)); }

void trackinginfo_command(Call& call) {
  Reply& reply = call.reply();
  const ClientTracking* t = call.client.tracking.get();
  std::vector<Slice> flags = {t == nullptr ? "off" : "on"};
  if (t != nullptr) {
    if (t->options.bcast) flags.emplace_back("bcast");
    if (t->options.optin) flags.emplace_back("optin");
    if (t->options.optin && t->caching) flags.emplace_back("caching-yes");
    if (t->options.optout) flags.emplace_back("optout");
    if (t->options.optout && t->caching) flags.emplace_back("caching-no");
    if (t->options.noloop) flags.emplace_back("noloop");
    if (t->broken_redirect) flags.emplace_back("broken_redirect");
  }
  reply.map(3);
  reply.bulk("flags");
  reply.set(static_cast<int64_t>(flags.size()));
  for (const Slice& f : flags) reply.bulk(f);
  reply.bulk("redirect");
  reply.integer(redirect_of(call.client));
  reply.bulk("prefixes");
  reply.array(t == nullptr ? 0 : static_cast<int64_t>(t->prefixes.size()));
  if (t == nullptr) return;
  for (const auto& prefix : t->prefixes) reply.bulk(prefix->first);
}

}  // namespace

void register_client_tracking_commands(HandlerMap& map) {
  map["client|tracking"] = tracking_command;
  map["client|caching"] = caching_command;
  map["client|getredir"] = getredir_command;
  map["client|trackinginfo"] = trackinginfo_command;
}

}  // namespace kvasir
