// Deadlines of keys: EXPIRE, TTL, PERSIST and their kin.
#include <limits>

#include "base/numbers.h"
#include "commands/expire_args.h"
#include "commands/keys.h"

namespace kvasir {

namespace {

enum Condition : uint32_t { kNx = 1, kXx = 2, kGt = 4, kLt = 8 };

// The conditions in the arguments from 3 on. False: an error was replied.
bool parse_conditions(const Call& call, uint32_t* out) {
  *out = 0;
  for (int i = 3; i < call.argc(); i++) {
    const Slice word = call.arg(i);
    if (equals_nocase(word, "nx")) {
      *out |= kNx;
    } else if (equals_nocase(word, "xx")) {
      *out |= kXx;
    } else if (equals_nocase(word, "gt")) {
      *out |= kGt;
    } else if (equals_nocase(word, "lt")) {
      *out |= kLt;
    } else {
      // As a C string: what follows a zero byte is not shown.
      const std::string shown = word.str();
      call.reply().error(std::string("ERR Unsupported option ") + shown.c_str());
      return false;
    }
  }
  if ((*out & kNx) && (*out & (kXx | kGt | kLt))) {
    call.reply().error("ERR NX and XX, GT or LT options at the same time are not compatible");
    return false;
  }
  if ((*out & kGt) && (*out & kLt)) {
    call.reply().error("ERR GT and LT options at the same time are not compatible");
    return false;
  }
  return true;
}

// No deadline counts as one that never comes.
bool condition_holds(uint32_t conditions, int64_t current, int64_t wanted) {
  const bool none = current == kNoExpiry;
  if ((conditions & kNx) && !none) return false;
  if ((conditions & kXx) && none) return false;
  if ((conditions & kGt) && (none || wanted <= current)) return false;
  if ((conditions & kLt) && !none && wanted >= current) return false;
  return true;
}

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
  if (!parse_conditions(call, &conditions)) return;
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

// -2: no such key, -1: no deadline. Seconds are rounded.
void report_deadline(Call& call, TimeUnit unit, bool remaining) {
  Keyspace& ks = call.ks();
  const Entry* e = ks.lookup_read(call.db(), call.key(1), Keyspace::kNoTouch);
  if (e == nullptr) return call.reply().integer(-2);
  if (e->expire_ms() == kNoExpiry) return call.reply().integer(-1);
  int64_t ms = e->expire_ms() - (remaining ? ks.now_ms : 0);
  if (ms < 0) ms = 0;
  // In unsigned arithmetic: a deadline may be near the end of its range.
  const int64_t s = static_cast<int64_t>((static_cast<uint64_t>(ms) + 500) / 1000);
  call.reply().integer(unit == TimeUnit::kSeconds ? s : ms);
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
