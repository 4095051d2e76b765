// Strings: GET, SET and their families, and changes of a part of a string.
#include <cstring>
#include <limits>
#include <vector>

#include "base/numbers.h"
#include "commands/core.h"
#include "commands/expire_args.h"
#include "commands/key_batch.h"
#include "commands/string_value.h"

namespace kvasir {

namespace {

// Each rewritten command shows the deadline in milliseconds.
struct Digits {
  explicit Digits(int64_t v) : size(format_i64(text, v)) {}
  [[nodiscard]] Slice slice() const { return {text, size}; }
  char text[kInt64Chars];
  size_t size;
};

int64_t deadline_of(const EntrySlot& slot) { return slot ? slot.get()->expire_ms() : kNoExpiry; }

// ------------------------------------------------------------------ reading

void get_command(Call& call) { reply_value_of(call, call.key(1)); }

void mget_command(Call& call) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  call.reply().array(call.argc() - 1);
  for_each_key(call, 1, call.argc(), 1, [&](int, const KeyRef& k) {
    const Entry* e = ks.lookup_read(db, k);
    if (e == nullptr || e->type() != Type::kString) {
      call.reply().null();
    } else {
      reply_string(call, e);
    }
    return true;
  });
}

void strlen_command(Call& call) {
  const Entry* e = call.ks().lookup_read(call.db(), call.key(1));
  if (e != nullptr && e->type() != Type::kString) return call.wrong_type();
  call.reply().integer(e == nullptr ? 0 : static_cast<int64_t>(e->string_size()));
}

// GETRANGE and SUBSTR.
void getrange_command(Call& call) {
  int64_t start, end;
  if (!parse_i64(call.arg(2), &start) || !parse_i64(call.arg(3), &end)) return call.not_an_integer();
  const Entry* e = call.ks().lookup_read(call.db(), call.key(1));
  if (e != nullptr && e->type() != Type::kString) return call.wrong_type();
  char tmp[24];
  const Slice s = e == nullptr ? Slice("", 0) : e->string_value(tmp);
  const auto size = static_cast<int64_t>(s.size);
  const bool reversed = start < 0 && end < 0 && start > end;
  if (start < 0) start = start + size < 0 ? 0 : start + size;
  if (end < 0) end = end + size < 0 ? 0 : end + size;
  if (end >= size) end = size - 1;
  if (reversed || start > end) {
    call.reply().bulk(Slice("", 0));
    return;
  }
  const Slice part(s.data + start, static_cast<size_t>(end - start + 1));
  if (e->has_buffer()) {
    call.reply().bulk(e->buffer(), part);
  } else {
    call.reply().bulk(part);
  }
}

// ------------------------------------------------------------------ SET

// What replies "set" and "not set" are.
enum class SetReply : uint8_t { kStatus, kInteger };

void reply_set(const Call& call, SetReply kind, bool done) {
  if (kind == SetReply::kInteger) {
    call.reply().integer(done ? 1 : 0);
  } else if (done) {
    call.reply().ok();
  } else {
    call.reply().null();
  }
}

// SET k v … GET is propagated without GET, which may stand there more than once.
void propagate_without_get(const Call& call, const SetOptions& options) {
  std::vector<Slice> argv;
  argv.reserve(call.argv.size());
  for (int i = 0; i < call.argc(); i++) {
    if (i >= 3 && i != options.compare_arg && equals_nocase(call.arg(i), "GET")) continue;
    argv.push_back(call.arg(i));
  }
  call.propagation().rewrite(argv);
}

void propagate_set_with_deadline(const Call& call, int value_arg, int64_t deadline_ms) {
  // The name stays as the client wrote it where nothing but the time has to change.
  const bool same_shape = value_arg == 2 && call.argc() == 5;
  call.propagation().rewrite({same_shape ? call.arg(0) : Slice("SET"), call.arg(1), call.arg(value_arg),
                              "PXAT", Digits(deadline_ms).slice()});
}

// SET with options, SETNX, SETEX and PSETEX. `deadline_ms` is the one that the options or arguments ask for.
void set_generic(Call& call, int value_arg, const SetOptions& options, int64_t deadline_ms, SetReply kind) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(1);
  const bool get = options.has(kOptGet);
  if (get && !reply_value_of(call, k)) return;

  const EntrySlot slot = ks.find_write(db, k);
  const bool found = static_cast<bool>(slot);
  bool set = true;
  if (options.has(kOptIfeq) && found) {
    if (slot.get()->type() != Type::kString) return call.wrong_type();
    char tmp[24];
    set = slot.get()->string_value(tmp) == call.arg(options.compare_arg);
  } else if (options.has(kOptIfeq)) {
    set = false;
  }
  if ((options.has(kOptNx) && found) || (options.has(kOptXx) && !found)) set = false;
  if (!set) {
    if (!get) reply_set(call, kind, false);
    return;
  }

  const bool expires = deadline_ms != kNoExpiry;
  if (expires && deadline_is_past(call, deadline_ms)) {
    if (found) delete_past_deadline(call, k);
    if (!get) call.reply().ok();
    return;
  }
  if (options.has(kOptKeepTtl)) deadline_ms = deadline_of(slot);
  store_string(call, k, slot, value_arg, deadline_ms);
  ks.dirty++;
  ks.notify(kNotifyString, "set", k.key, db);
  if (expires) ks.notify(kNotifyGeneric, "expire", k.key, db);
  if (!get) reply_set(call, kind, true);
  if (!call.propagating()) return;
  if (expires) {
    if (!options.has(kOptPxat)) propagate_set_with_deadline(call, value_arg, deadline_ms);
  } else if (get) {
    propagate_without_get(call, options);
  }
}

void set_command(Call& call) {
  if (call.argc() > 3) {
    SetOptions options;
    int64_t deadline_ms;
    if (!parse_set_options(call, OptionsOf::kSet, 3, call.argc(), &options)) return;
    if (!parse_deadline(call, options, &deadline_ms)) return;
    set_generic(call, 2, options, deadline_ms, SetReply::kStatus);
    return;
  }
  const KeyRef k = call.key(1);
  store_string(call, k, 2);
  call.ks().dirty++;
  call.ks().notify(kNotifyString, "set", k.key, call.db());
  call.reply().ok();
}

void setnx_command(Call& call) {
  SetOptions options;
  options.flags = kOptNx;
  set_generic(call, 2, options, kNoExpiry, SetReply::kInteger);
}

void set_for_time(Call& call, TimeUnit unit) {
  int64_t deadline_ms;
  if (!parse_deadline(call, 2, unit, call.ks().now_ms, 1, &deadline_ms)) return;
  set_generic(call, 3, {}, deadline_ms, SetReply::kStatus);
}

void setex_command(Call& call) { set_for_time(call, TimeUnit::kSeconds); }
void psetex_command(Call& call) { set_for_time(call, TimeUnit::kMilliseconds); }

void getset_command(Call& call) {
  Keyspace& ks = call.ks();
  const KeyRef k = call.key(1);
  if (!reply_value_of(call, k)) return;
  store_string(call, k, 2);
  ks.notify(kNotifyString, "set", k.key, call.db());
  ks.dirty++;
  if (call.propagating()) call.propagation().rewrite({"SET", k.key, call.arg(2)});
}

// ------------------------------------------------------------------ reading and changing

void getex_command(Call& call) {
  SetOptions options;
  int64_t deadline_ms;
  if (!parse_set_options(call, OptionsOf::kGetex, 2, call.argc(), &options)) return;
  if (!parse_deadline(call, options, &deadline_ms)) return;

  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(1);
  const Entry* e = ks.lookup_read(db, k);
  if (e == nullptr) {
    call.reply().null();
    return;
  }
  if (e->type() != Type::kString) return call.wrong_type();
  reply_string(call, e);

  const char* event;
  if (deadline_ms != kNoExpiry) {
    // A time counted from now is never past, whatever deadline_is_past() makes of the present moment.
    if (options.has(kOptPxat | kOptExat) && deadline_is_past(call, deadline_ms))
      return delete_past_deadline(call, k);
    ks.set_expire(db, k, db.find(k), deadline_ms);
    if (call.propagating()) call.propagation().rewrite({"PEXPIREAT", k.key, Digits(deadline_ms).slice()});
    event = "expire";
  } else if (options.has(kOptPersist) && e->expire_ms() != kNoExpiry) {
    ks.set_expire(db, k, db.find(k), kNoExpiry);
    if (call.propagating()) call.propagation().rewrite({"PERSIST", k.key});
    event = "persist";
  } else {
    return;
  }
  ks.modified(db, k.key);
  ks.notify(kNotifyGeneric, event, k.key, db);
  ks.dirty++;
}

// Deletes the existing key k, as DEL does.
void delete_key(const Call& call, const KeyRef& k) {
  Keyspace& ks = call.ks();
  ks.remove(call.db(), k, false);
  if (call.propagating()) call.propagation().rewrite({"DEL", k.key});
  ks.modified(call.db(), k.key);
  ks.notify(kNotifyGeneric, "del", k.key, call.db());
  ks.dirty++;
}

void getdel_command(Call& call) {
  const KeyRef k = call.key(1);
  const Entry* e = call.ks().lookup_read(call.db(), k);
  if (e == nullptr) {
    call.reply().null();
    return;
  }
  if (e->type() != Type::kString) return call.wrong_type();
  reply_string(call, e);
  delete_key(call, k);
}

void delifeq_command(Call& call) {
  const KeyRef k = call.key(1);
  const Entry* e = call.ks().lookup_write(call.db(), k);
  if (e != nullptr && e->type() != Type::kString) return call.wrong_type();
  char tmp[24];
  const bool equal = e != nullptr && e->string_value(tmp) == call.arg(2);
  if (equal) delete_key(call, k);
  call.reply().integer(equal ? 1 : 0);
}

// ------------------------------------------------------------------ many keys

void store_pairs(const Call& call) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  for_each_key(call, 1, call.argc(), 2, [&](int arg, const KeyRef& k) {
    store_string(call, k, arg + 1);
    ks.notify(kNotifyString, "set", k.key, db);
    return true;
  });
  ks.dirty += static_cast<uint64_t>(call.argc() - 1) / 2;
}

bool check_pairs(const Call& call) {
  if (call.argc() % 2 == 1) return true;
  call.reply().errorf("ERR wrong number of arguments for '%s' command", call.command.fullname.c_str());
  return false;
}

void mset_command(Call& call) {
  if (!check_pairs(call)) return;
  store_pairs(call);
  call.reply().ok();
}

void msetnx_command(Call& call) {
  if (!check_pairs(call)) return;
  const bool none_exists = for_each_key(
      call, 1, call.argc(), 2, [&](int, const KeyRef& k) { return !call.ks().find_write(call.db(), k); });
  if (none_exists) store_pairs(call);
  call.reply().integer(none_exists ? 1 : 0);
}

void msetex_command(Call& call) {
  int64_t keys;
  if (!parse_i64(call.arg(1), &keys) || keys < 1 || keys > std::numeric_limits<int>::max()) {
    call.reply().error("ERR invalid numkeys value or out of range");
    return;
  }
  if (keys > (call.argc() - 2) / 2) return call.syntax_error();
  const int end = 2 + static_cast<int>(keys) * 2;
  SetOptions options;
  int64_t deadline_ms;
  if (!parse_set_options(call, OptionsOf::kMsetex, end, call.argc(), &options)) return;
  if (!parse_deadline(call, options, &deadline_ms)) return;

  Keyspace& ks = call.ks();
  Database& db = call.db();
  if (options.has(kOptNx | kOptXx)) {
    const bool wanted = options.has(kOptXx);
    const bool go = for_each_key(call, 2, end, 2, [&](int, const KeyRef& k) {
      return static_cast<bool>(ks.find_write(db, k)) == wanted;
    });
    if (!go) {
      call.reply().integer(0);
      return;
    }
  }
  const bool expires = deadline_ms != kNoExpiry;
  const bool keep = options.has(kOptKeepTtl);
  // A deadline that is past already is stored as well, and takes effect when somebody looks.
  for_each_key(call, 2, end, 2, [&](int arg, const KeyRef& k) {
    if (keep) {
      const EntrySlot slot = ks.find_write(db, k);
      store_string(call, k, slot, arg + 1, deadline_of(slot));
    } else {
      store_string(call, k, arg + 1, deadline_ms);
    }
    ks.dirty++;
    ks.notify(kNotifyString, "set", k.key, db);
    if (expires) ks.notify(kNotifyGeneric, "expire", k.key, db);
    return true;
  });
  if (expires && !options.has(kOptPxat) && call.propagating()) {
    const Digits digits(deadline_ms);
    std::vector<Slice> argv(call.argv.begin(), call.argv.end());
    argv[static_cast<size_t>(options.time_arg) - 1] = "PXAT";
    argv[static_cast<size_t>(options.time_arg)] = digits.slice();
    call.propagation().rewrite(argv);
  }
  call.reply().integer(1);
}

// ------------------------------------------------------------------ parts of a string

void append_command(Call& call) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(1);
  const Slice tail = call.arg(2);
  size_t size = tail.size;
  const EntrySlot slot = ks.find_write(db, k);
  if (!slot) {
    store_string(call, k, slot, 2, kNoExpiry);
  } else {
    if (slot.get()->type() != Type::kString) return call.wrong_type();
    const size_t old_size = slot.get()->string_size();
    if (!check_string_size(call, static_cast<int64_t>(old_size), tail.size)) return;
    size += old_size;
    char* data = resize_string(ks, db, k, slot, size, true);
    if (tail.size != 0) memcpy(data + old_size, tail.data, tail.size);
    ks.modified(db, k.key);
  }
  ks.notify(kNotifyString, "append", k.key, db);
  ks.dirty++;
  call.reply().integer(static_cast<int64_t>(size));
}

void setrange_command(Call& call) {
  int64_t offset;
  if (!parse_i64(call.arg(2), &offset)) return call.not_an_integer();
  if (offset < 0) {
    call.reply().error("ERR offset is out of range");
    return;
  }
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(1);
  const Slice part = call.arg(3);
  const EntrySlot slot = ks.find_write(db, k);
  if (slot && slot.get()->type() != Type::kString) return call.wrong_type();
  const size_t old_size = slot ? slot.get()->string_size() : 0;
  if (part.empty()) {
    call.reply().integer(static_cast<int64_t>(old_size));
    return;
  }
  if (!check_string_size(call, offset, part.size)) return;
  const auto start = static_cast<size_t>(offset);
  const size_t size = std::max(old_size, start + part.size);
  char* data = slot ? resize_string(ks, db, k, slot, size, size > old_size) : add_raw_string(ks, db, k, size);
  if (start > old_size) memset(data + old_size, 0, start - old_size);
  memcpy(data + start, part.data, part.size);
  ks.modified(db, k.key);
  ks.notify(kNotifyString, "setrange", k.key, db);
  ks.dirty++;
  call.reply().integer(static_cast<int64_t>(size));
}

}  // namespace

void register_string_commands(HandlerMap& map) {
  map["append"] = append_command;
  map["delifeq"] = delifeq_command;
  map["get"] = get_command;
  map["getdel"] = getdel_command;
  map["getex"] = getex_command;
  map["getrange"] = getrange_command;
  map["getset"] = getset_command;
  map["mget"] = mget_command;
  map["mset"] = mset_command;
  map["msetex"] = msetex_command;
  map["msetnx"] = msetnx_command;
  map["psetex"] = psetex_command;
  map["set"] = set_command;
  map["setex"] = setex_command;
  map["setnx"] = setnx_command;
  map["setrange"] = setrange_command;
  map["strlen"] = strlen_command;
  map["substr"] = getrange_command;
  register_string_counter_commands(map);
  register_string_lcs_command(map);
}

}  // namespace kvasir
