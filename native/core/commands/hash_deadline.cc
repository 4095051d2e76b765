// Deadlines of fields: HEXPIRE, HTTL, HPERSIST and their kin.
#include "commands/hash_deadline.h"

#include "base/numbers.h"
#include "commands/expire_args.h"

namespace kvasir {

FieldDated date_field(HashEdit* edit, Slice field, int64_t deadline, uint32_t conditions) {
  HashValue value;
  if (!edit->exists() || !hash_get(edit->c, field, edit->clock(), &value)) return FieldDated::kAbsent;
  if (!condition_holds(conditions, value.deadline, deadline)) return FieldDated::kConditionFailed;
  if (edit->clock().past(deadline)) {
    hash_remove(&edit->c, field, edit->clock());
    return FieldDated::kExpired;
  }
  hash_to_big(&edit->c);
  hash_redate(edit->c, field, deadline);
  return FieldDated::kDated;
}

FieldPersisted persist_field(HashEdit* edit, Slice field) {
  HashValue value;
  if (!edit->exists() || !hash_get(edit->c, field, edit->clock(), &value)) return FieldPersisted::kAbsent;
  if (value.deadline == kNoExpiry) return FieldPersisted::kNoDeadline;
  hash_redate(edit->c, field, kNoExpiry);
  return FieldPersisted::kPersisted;
}

namespace {

// HPEXPIREAT, with the conditions and all fields, as the command came.
void propagate_deadline(const Call& call, int64_t deadline) {
  char digits[kInt64Chars];
  std::vector<Slice> argv(call.argv.begin(), call.argv.end());
  argv[0] = "HPEXPIREAT";
  argv[2] = {digits, format_i64(digits, deadline)};
  call.propagation().rewrite(argv);
}

// HEXPIRE key time [NX | XX | GT | LT] FIELDS numfields field ...
void expire(const Call& call, TimeUnit unit, int64_t base_ms) {
  FieldList list;
  uint32_t conditions = 0;
  if (!find_field_list(call, 3, &list)) return call.reply().error(kFieldCountMismatch);
  if (!parse_conditions(call, 3, list.token, &conditions)) return;
  if (!check_field_count(call, list, 1, kFieldCountMismatch)) return;
  int64_t deadline;
  if (!parse_deadline(call, 2, unit, base_ms, 0, &deadline)) return;
  HashEdit edit(call);
  if (!edit.find()) return;

  call.reply().array(call.argc() - list.first);
  const bool propagating = call.propagating();
  std::vector<Slice> hdel;
  uint64_t changes = 0;
  bool expired = false;
  for (int i = list.first; i < call.argc(); i++) {
    const FieldDated dated = date_field(&edit, call.arg(i), deadline, conditions);
    if (dated == FieldDated::kDated || dated == FieldDated::kExpired) changes++;
    if (dated == FieldDated::kExpired) {
      // One moment for all: the others have expired, too, or were not there.
      expired = true;
      if (propagating) hdel.push_back(call.arg(i));
    }
    call.reply().integer(static_cast<int64_t>(dated));
  }
  if (changes == 0) return;
  const bool gone = expired ? edit.store_or_delete() : (edit.store(deadline), false);
  if (expired) {
    call.ks().stats.expired_fields += changes;
    if (propagating) propagate_hdel(call, edit.key().key, hdel);
  } else if (propagating) {
    propagate_deadline(call, deadline);
  }
  edit.notify(expired ? "hexpired" : "hexpire");
  call.ks().dirty += changes;
  edit.modified();
  if (gone) edit.notify("del", kNotifyGeneric);
}

void hexpire_command(Call& call) { expire(call, TimeUnit::kSeconds, call.ks().now_ms); }
void hexpireat_command(Call& call) { expire(call, TimeUnit::kSeconds, 0); }
void hpexpire_command(Call& call) { expire(call, TimeUnit::kMilliseconds, call.ks().now_ms); }
void hpexpireat_command(Call& call) { expire(call, TimeUnit::kMilliseconds, 0); }

// HPERSIST key FIELDS numfields field ...
void hpersist_command(Call& call) {
  FieldList list;
  if (!parse_field_list(call, kFieldCountMismatch, &list)) return;
  HashEdit edit(call);
  if (!edit.find()) return;
  call.reply().array(call.argc() - list.first);
  uint64_t changes = 0;
  for (int i = list.first; i < call.argc(); i++) {
    const FieldPersisted persisted = persist_field(&edit, call.arg(i));
    if (persisted == FieldPersisted::kPersisted) changes++;
    call.reply().integer(static_cast<int64_t>(persisted));
  }
  if (changes == 0) return;
  edit.store();
  call.ks().dirty += changes;
  edit.notify("hpersist");
  edit.modified();
}

// HTTL key FIELDS numfields field ...: -2: no such field, -1: no deadline.
void report_deadlines(const Call& call, TimeUnit unit, bool remaining) {
  FieldList list;
  if (!parse_field_list(call, "ERR syntax error", &list)) return;
  const FoundHash found = read_hash(call, 1);
  if (found.wrong) return;
  const FieldClock clock = call.ks().field_clock();
  call.reply().array(call.argc() - list.first);
  for (int i = list.first; i < call.argc(); i++) {
    HashValue value;
    if (!found || !hash_get(found.collection(), call.arg(i), clock, &value)) {
      call.reply().integer(-2);
    } else if (value.deadline == kNoExpiry) {
      call.reply().integer(-1);
    } else {
      call.reply().integer(deadline_as_reply(value.deadline, unit, remaining, call.ks().now_ms));
    }
  }
}

void httl_command(Call& call) { report_deadlines(call, TimeUnit::kSeconds, true); }
void hpttl_command(Call& call) { report_deadlines(call, TimeUnit::kMilliseconds, true); }
void hexpiretime_command(Call& call) { report_deadlines(call, TimeUnit::kSeconds, false); }
void hpexpiretime_command(Call& call) { report_deadlines(call, TimeUnit::kMilliseconds, false); }

}  // namespace

void propagate_hdel(const Call& call, Slice key, std::span<const Slice> fields) {
  std::vector<Slice> argv{"HDEL", key};
  argv.insert(argv.end(), fields.begin(), fields.end());
  call.propagation().rewrite(argv);
}

void register_hash_deadline_commands(HandlerMap& map) {
  map["hexpire"] = hexpire_command;
  map["hexpireat"] = hexpireat_command;
  map["hpexpire"] = hpexpire_command;
  map["hpexpireat"] = hpexpireat_command;
  map["hpersist"] = hpersist_command;
  map["httl"] = httl_command;
  map["hpttl"] = hpttl_command;
  map["hexpiretime"] = hexpiretime_command;
  map["hpexpiretime"] = hpexpiretime_command;
  register_hash_extended_commands(map);
}

}  // namespace kvasir
