// Looking at how a key is stored: OBJECT, MEMORY USAGE.
#include <limits>

#include "base/numbers.h"
#include "commands/keys.h"
#include "keyspace/value.h"

namespace kvasir {

namespace {

// nullptr: null was replied.
const Entry* object_lookup(const Call& call) {
  const Entry* e = call.ks().lookup_read(call.db(), call.key(2), Keyspace::kNoTouch | Keyspace::kNoNotify);
  if (e == nullptr) call.reply().null();
  return e;
}

void object_encoding_command(Call& call) {
  if (const Entry* e = object_lookup(call)) call.reply().bulk(encoding_name(e->encoding()));
}

void object_refcount_command(Call& call) {
  if (object_lookup(call) != nullptr) call.reply().integer(1);
}

void object_idletime_command(Call& call) {
  const Entry* e = object_lookup(call);
  if (e == nullptr) return;
  if (call.ks().lfu) {
    return call.reply().error(
        "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching "
        "between "
        "policies at runtime LRU and LFU data will take some time to adjust.");
  }
  call.reply().integer(call.ks().idle_seconds(*e));
}

void object_freq_command(Call& call) {
  const Entry* e = object_lookup(call);
  if (e == nullptr) return;
  if (!call.ks().lfu) {
    return call.reply().error(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when "
        "switching "
        "between policies at runtime LRU and LFU data will take some time to adjust.");
  }
  call.reply().integer(call.ks().lfu_frequency(*e));
}

void memory_usage_command(Call& call) {
  int64_t samples = 5;
  for (int i = 3; i < call.argc(); i += 2) {
    if (!equals_nocase(call.arg(i), "samples") || i + 1 >= call.argc()) return call.syntax_error();
    if (!parse_i64(call.arg(i + 1), &samples)) return call.not_an_integer();
    if (samples < 0) return call.syntax_error();
    if (samples == 0) samples = std::numeric_limits<int64_t>::max();
  }
  const EntrySlot slot = call.db().find(call.key(2));
  if (!slot) return call.reply().null();
  call.reply().integer(static_cast<int64_t>(value_bytes(*slot.get(), static_cast<size_t>(samples))));
}

}  // namespace

void register_key_object_commands(HandlerMap& map) {
  map["object|encoding"] = object_encoding_command;
  map["object|refcount"] = object_refcount_command;
  map["object|idletime"] = object_idletime_command;
  map["object|freq"] = object_freq_command;
  map["memory|usage"] = memory_usage_command;
}

}  // namespace kvasir
