// Deadlines of keys: EXPIRE, TTL, PERSIST and their kin.
#include <limits>

#include "base/numbers.h"
#include "commands/expire_args.h"
#include "commands/keys.h"

namespace kvasir {

namespace {

void propagate_deadline(const Call& call, int64_t when) {
  char digits[24];
  const Slice time(digits, format_i64(digits, when));
  std::vector<Slice> argv(call.argv.begin(), call.argv.end());
  argv[0] = "PEXPIREAT";
  argv[2] = time;
  call.propagation().rewrite(argv);
}

void expire(Call& call, TimeUnit unit, int64_t base_ms) {
  uint32_t conditions;
  int64_t when;
  if (!parse_conditions(call, 3, call.argc(), &conditions)) return;
  if (!parse_deadline(call, 2, unit, base_ms, std::numeric_limits<int64_t>::min(), &when)) return;
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(1);
  const EntrySlot slot = ks.find_write(db, k);
  if (!slot || !condition_holds(conditions, slot.get()->expire_ms(), when)) return call.reply().integer(0);
  if (deadline_is_past(call, when)) {
    delete_past_deadline(call, k);
    return call.reply().integer(1);
  }
  ks.set_expire(db, k, slot, when);
  ks.modified(db, k.key);
  ks.notify(kNotifyGeneric, "expire", k.key, db);
  ks.dirty++;
  if (call.propagating()) propagate_deadline(call, when);
  call.reply().integer(1);
}

void expire_command(Call& call) { expire(call, TimeUnit::kSeconds, call.ks().now_ms); }
void expireat_command(Call& call) { expire(call, TimeUnit::kSeconds, 0); }
void pexpire_command(Call& call) { expire(call, TimeUnit::kMilliseconds, call.ks().now_ms); }
void pexpireat_command(Call& call) { expire(call, TimeUnit::kMilliseconds, 0); }

// -2: no such key, -1: no deadline.
void report_deadline(Call& call, TimeUnit unit, bool remaining) {
  Keyspace& ks = call.ks();
  const Entry* e = ks.lookup_read(call.db(), call.key(1), Keyspace::kNoTouch);
  if (e == nullptr) return call.reply().integer(-2);
  if (e->expire_ms() == kNoExpiry) return call.reply().integer(-1);
  call.reply().integer(deadline_as_reply(e->expire_ms(), unit, remaining, ks.now_ms));
}

void ttl_command(Call& call) { report_deadline(call, TimeUnit::kSeconds, true); }
void pttl_command(Call& call) { report_deadline(call, TimeUnit::kMilliseconds, true); }
void expiretime_command(Call& call) { report_deadline(call, TimeUnit::kSeconds, false); }
void pexpiretime_command(Call& call) { report_deadline(call, TimeUnit::kMilliseconds, false); }

void persist_command(Call& call) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(1);
  const EntrySlot slot = ks.find_write(db, k);
  if (!slot || slot.get()->expire_ms() == kNoExpiry) return call.reply().integer(0);
  ks.set_expire(db, k, slot, kNoExpiry);
  ks.modified(db, k.key);
  ks.notify(kNotifyGeneric, "persist", k.key, db);
  ks.dirty++;
  call.reply().integer(1);
}

}  // namespace

void register_key_expire_commands(HandlerMap& map) {
  map["expire"] = expire_command;
  map["expireat"] = expireat_command;
  map["pexpire"] = pexpire_command;
  map["pexpireat"] = pexpireat_command;
  map["ttl"] = ttl_command;
  map["pttl"] = pttl_command;
  map["expiretime"] = expiretime_command;
  map["pexpiretime"] = pexpiretime_command;
  map["persist"] = persist_command;
}

}  // namespace kvasir
