// Keys, whatever their type: DEL, EXISTS, TYPE, RENAME, MOVE, COPY and their kin.
#include "commands/keys.h"

#include <limits>

#include "base/numbers.h"
#include "commands/key_batch.h"
#include "keyspace/value.h"

namespace kvasir {

bool parse_int(const Call& call, int i, int* out, const char* error) {
  int64_t v;
  const bool number = parse_i64(call.arg(i), &v);
  if (number && v >= std::numeric_limits<int>::min() && v <= std::numeric_limits<int>::max()) {
    *out = static_cast<int>(v);
    return true;
  }
  if (error != nullptr) {
    call.reply().error(error);
  } else if (!number) {
    call.not_an_integer();
  } else {
    call.reply().error("ERR value is out of range, value must between -2147483648 and 2147483647");
  }
  return false;
}

bool parse_database(const Call& call, int i, int* out) {
  if (!parse_int(call, i, out)) return false;
  if (*out >= 0 && *out < call.ks().databases()) return true;
  call.reply().error(kDatabaseOutOfRange);
  return false;
}

namespace {

constexpr char kSameObject[] = "ERR source and destination objects are the same";

void delete_keys(Call& call, bool lazy) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  int64_t deleted = 0;
  for_each_key(call, 1, call.argc(), 1, [&](int, const KeyRef& k) {
    const EntrySlot slot = db.find(k);
    // A due key that may not be expired here can still be deleted.
    if (!slot || ks.expire_if_due(db, k, *slot.get()) == Expiry::kDeleted) return true;
    ks.remove_at(db, k, slot, lazy);
    ks.modified(db, k.key);
    ks.notify(kNotifyGeneric, "del", k.key, db);
    ks.dirty++;
    deleted++;
    return true;
  });
  call.reply().integer(deleted);
}

void del_command(Call& call) { delete_keys(call, call.core.settings.lazyfree_lazy_user_del); }
void unlink_command(Call& call) { delete_keys(call, true); }

void count_keys(Call& call, uint32_t flags) {
  int64_t n = 0;
  for_each_key(call, 1, call.argc(), 1, [&](int, const KeyRef& k) {
    if (call.ks().lookup_read(call.db(), k, flags) != nullptr) n++;
    return true;
  });
  call.reply().integer(n);
}

void exists_command(Call& call) { count_keys(call, Keyspace::kNoTouch); }

void touch_command(Call& call) {
  call.ks().no_touch = false;  // asking for it outweighs CLIENT NO-TOUCH
  count_keys(call, 0);
}

void type_command(Call& call) {
  const Entry* e = call.ks().lookup_read(call.db(), call.key(1), Keyspace::kNoTouch);
  call.reply().status(e == nullptr ? "none" : type_name(e->type()));
}

void randomkey_command(Call& call) {
  const Entry* e = call.ks().random_entry(call.db(), call.core.rng);
  if (e == nullptr) {
    call.reply().null();
  } else {
    call.reply().bulk(e->key());
  }
}

void rename(Call& call, bool only_if_new) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef from = call.key(1);
  const KeyRef to = call.key(2);
  if (ks.lookup_write(db, from) == nullptr) return call.reply().error(kNoSuchKey);
  const auto done = [&](bool renamed) {
    only_if_new ? call.reply().integer(renamed ? 1 : 0) : call.reply().ok();
  };
  if (from.key == to.key) return done(false);
  if (const EntrySlot old = ks.find_write(db, to)) {
    if (only_if_new) return done(false);
    ks.remove_at(db, to, old, ks.lazyfree_server_del);
  }
  Entry* shell = ks.take(db, from, db.find(from));
  Entry* e = shell->rebuild(to.key, shell->expire_ms());
  Entry::free_shell(shell);
  ks.add(db, to, e);
  ks.modified(db, from.key);
  ks.modified(db, to.key);
  ks.notify(kNotifyGeneric, "rename_from", from.key, db);
  ks.notify(kNotifyGeneric, "rename_to", to.key, db);
  ks.dirty++;
  done(true);
}

void rename_command(Call& call) { rename(call, false); }
void renamenx_command(Call& call) { rename(call, true); }

void move_command(Call& call) {
  Keyspace& ks = call.ks();
  Database& from = call.db();
  int id;
  if (!parse_database(call, 2, &id)) return;
  Database& to = ks.db(id);
  if (&from == &to) return call.reply().error(kSameObject);
  const KeyRef k = call.key(1);
  const EntrySlot slot = ks.find_write(from, k);
  if (!slot || ks.find_write(to, k)) return call.reply().integer(0);
  ks.add(to, k, ks.take(from, k, slot));
  ks.modified(from, k.key);
  ks.modified(to, k.key);
  ks.notify(kNotifyGeneric, "move_from", k.key, from);
  ks.notify(kNotifyGeneric, "move_to", k.key, to);
  ks.dirty++;
  call.reply().integer(1);
}

void copy_command(Call& call) {
  Keyspace& ks = call.ks();
  Database& from = call.db();
  int id = from.id();
  bool replace = false;
  for (int i = 3; i < call.argc(); i++) {
    if (equals_nocase(call.arg(i), "replace")) {
      replace = true;
    } else if (equals_nocase(call.arg(i), "db") && i + 1 < call.argc()) {
      if (!parse_database(call, ++i, &id)) return;
    } else {
      return call.syntax_error();
    }
  }
  Database& to = ks.db(id);
  const KeyRef source = call.key(1);
  const KeyRef target = call.key(2);
  if (&from == &to && source.key == target.key) return call.reply().error(kSameObject);
  const Entry* e = ks.lookup_read(from, source);
  if (e == nullptr) return call.reply().integer(0);
  const EntrySlot old = ks.find_write(to, target);
  if (old && !replace) return call.reply().integer(0);
  Entry* copy = value_duplicate(*e, target.key, e->expire_ms());
  if (old) ks.remove_at(to, target, old, ks.lazyfree_server_del);
  ks.add(to, target, copy);
  ks.modified(to, target.key);
  ks.notify(kNotifyGeneric, "copy_to", target.key, to);
  ks.dirty++;
  call.reply().integer(1);
}

}  // namespace

void register_key_commands(HandlerMap& map) {
  map["del"] = del_command;
  map["unlink"] = unlink_command;
  map["exists"] = exists_command;
  map["touch"] = touch_command;
  map["type"] = type_command;
  map["randomkey"] = randomkey_command;
  map["rename"] = rename_command;
  map["renamenx"] = renamenx_command;
  map["move"] = move_command;
  map["copy"] = copy_command;
  register_key_expire_commands(map);
  register_key_scan_commands(map);
  register_key_object_commands(map);
}

}  // namespace kvasir
