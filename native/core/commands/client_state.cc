// CLIENT CAPA, GETNAME, SETNAME, SETINFO, REPLY, NO-EVICT, NO-TOUCH, IMPORT-SOURCE: the client's own state.
#include "commands/client_attributes.h"
#include "commands/client_commands.h"
#include "commands/core.h"

namespace kvasir {

namespace {

void capa_command(Call& call) {
  // Capabilities of later versions are no error.
  for (int i = 2; i < call.argc(); i++) {
    if (equals_nocase(call.arg(i), "redirect")) call.client.flags.capa_redirect = true;
  }
  call.reply().ok();
}

void getname_command(Call& call) {
  if (call.client.name.empty()) {
    call.reply().null();
  } else {
    call.reply().bulk(call.client.name);
  }
}

void setname_command(Call& call) {
  if (!valid_client_attribute(call.arg(2))) {
    call.reply().error(kBadClientName);
    return;
  }
  call.client.name = call.arg(2).str();
  call.reply().ok();
}

void setinfo_command(Call& call) {
  const Slice attribute = call.arg(2);
  const bool is_name = equals_nocase(attribute, "lib-name");
  if (!is_name && !equals_nocase(attribute, "lib-ver")) {
    call.reply().errorf("ERR Unrecognized option '%s'", attribute.str().c_str());
    return;
  }
  if (!valid_client_attribute(call.arg(3))) {
    call.reply().errorf("ERR %s cannot contain spaces, newlines or special characters.",
                        attribute.str().c_str());
    return;
  }
  (is_name ? call.client.lib_name : call.client.lib_ver) = call.arg(3).str();
  call.reply().ok();
}

// CLIENT REPLY ON|OFF|SKIP. The engine mutes commands by these flags before they run.
void reply_command(Call& call) {
  ClientFlags& flags = call.client.flags;
  const Slice mode = call.arg(2);
  if (equals_nocase(mode, "on")) {
    flags.reply_skip = flags.reply_off = false;
    call.reply().muted = false;
    call.reply().ok();
  } else if (equals_nocase(mode, "off")) {
    flags.reply_off = true;
  } else if (equals_nocase(mode, "skip")) {
    if (!flags.reply_off) flags.reply_skip_next = true;
  } else {
    call.syntax_error();
  }
}

// The value of an ON|OFF argument. False: the error is replied.
bool parse_switch(const Call& call, bool* on) {
  *on = equals_nocase(call.arg(2), "on");
  if (*on || equals_nocase(call.arg(2), "off")) return true;
  call.syntax_error();
  return false;
}

void no_evict_command(Call& call) {
  bool on = false;
  if (!parse_switch(call, &on)) return;
  call.client.flags.no_evict = on;
  call.reply().ok();
}

void no_touch_command(Call& call) {
  bool on = false;
  if (!parse_switch(call, &on)) return;
  call.client.flags.no_touch = on;
  call.reply().ok();
}

void import_source_command(Call& call) {
  if (!call.core.settings.import_mode && !equals_nocase(call.arg(2), "off")) {
    call.reply().error("ERR Server is not in import mode");
    return;
  }
  bool on = false;
  if (!parse_switch(call, &on)) return;
  call.client.flags.import_source = on;
  call.reply().ok();
}

}  // namespace

void register_client_state_commands(HandlerMap& map) {
  map["client|capa"] = capa_command;
  map["client|getname"] = getname_command;
  map["client|setname"] = setname_command;
  map["client|setinfo"] = setinfo_command;
  map["client|reply"] = reply_command;
  map["client|no-evict"] = no_evict_command;
  map["client|no-touch"] = no_touch_command;
  map["client|import-source"] = import_source_command;
}

void register_client_commands(HandlerMap& map) {
  register_client_list_commands(map);
  register_client_kill_commands(map);
  register_client_state_commands(map);
  register_client_tracking_commands(map);
}

}  // namespace kvasir
