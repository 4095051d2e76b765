// Strings: GET, SET and their families.
#include "base/numbers.h"
#include "commands/core.h"

namespace kvasir {

namespace {

// Replies with the string value of e.
void reply_string(const Call& call, Entry* e) {
  if (e->embedded()) {
    call.reply().bulk(e->embedded_value());
  } else if (e->is_int()) {
    call.reply().bulk_integer(e->int_value());
  } else {
    StrBuf* b = e->buffer();
    call.reply().bulk(b, b->slice());
  }
}

void get_command(Call& call) {
  Entry* e = call.ks().lookup_read(call.db(), call.key(1));
  if (e == nullptr) {
    call.reply().null();
  } else if (e->type() != Type::kString) {
    call.wrong_type();
  } else {
    reply_string(call, e);
  }
}

// Stores a string at k, replacing whatever is there, deadline included. The value may come in a buffer of its own, whose
// reference is taken. In place when the old value is an embedded string without deadline and the new one fits.
void store_string(Call& call, const KeyRef& k, Slice value, StrBuf* buf) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const EntrySlot slot = ks.find_write(db, k);
  if (buf == nullptr && slot && slot.get()->type() == Type::kString && slot.get()->embedded() &&
      !slot.get()->has_expiry_slot() && value.size <= Entry::kMaxEmbedded && value.size > 20 &&
      value.size <= slot.get()->embedded_capacity() && slot.get()->embedded_value().size <= 2 * value.size) {
    Entry* e = slot.get();
    memcpy(e->embedded_data(), value.data, value.size);
    e->set_embedded_size(value.size);
    e->set_encoding(Entry::string_encoding(value.size, k.key.size, false));
  } else {
    Entry* e = buf != nullptr ? Entry::make_buffer(k.key, buf) : Entry::make_string(k.key, value);
    if (slot) {
      ks.replace(db, k, slot, e);
    } else {
      ks.add(db, k, e);
    }
  }
  ks.modified(db, k.key);
  ks.dirty++;
  ks.notify(kNotifyString, "set", k.key, db);
}

void set_command(Call& call) {
  store_string(call, call.key(1), call.arg(2), call.take_buffer(2));
  call.reply().ok();
}

void incr_by(Call& call, int64_t delta) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(1);
  const EntrySlot slot = ks.find_write(db, k);
  int64_t value = 0;
  if (slot) {
    Entry* e = slot.get();
    if (e->type() != Type::kString) return call.wrong_type();
    if (e->is_int()) {
      value = e->int_value();
    } else {
      char tmp[24];
      if (!parse_i64(e->string_value(tmp), &value)) return call.not_an_integer();
    }
  }
  if (__builtin_add_overflow(value, delta, &value)) {
    call.reply().error("ERR increment or decrement would overflow");
    return;
  }
  if (slot && slot.get()->is_int()) {
    slot.get()->set_int_value(value);
  } else if (slot) {
    ks.replace(db, k, slot, Entry::make_int(k.key, value, slot.get()->expire_ms()));
  } else {
    ks.add(db, k, Entry::make_int(k.key, value));
  }
  ks.modified(db, k.key);
  ks.dirty++;
  ks.notify(kNotifyString, "incrby", k.key, db);
  call.reply().integer(value);
}

void incr_command(Call& call) { incr_by(call, 1); }

void mset_command(Call& call) {
  for (int i = 1; i + 1 < call.argc(); i += 2) store_string(call, call.key(i), call.arg(i + 1), call.take_buffer(i + 1));
  call.reply().ok();
}

}  // namespace

void register_string_commands(HandlerMap& map) {
  map["get"] = get_command;
  map["set"] = set_command;
  map["incr"] = incr_command;
  map["mset"] = mset_command;
}
void register_key_commands(HandlerMap&) {}
void register_server_commands(HandlerMap&) {}

}  // namespace kvasir
