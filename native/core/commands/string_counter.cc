// INCR and its kin: strings that are numbers.
#include <cmath>
#include <limits>

#include "base/numbers.h"
#include "commands/core.h"

namespace kvasir {

namespace {

void incr_by(const Call& call, int64_t delta) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(1);
  EntryRoom room;
  const EntrySlot slot = ks.find_or_prepare(db, k, &room);
  int64_t value = 0;
  if (slot) {
    const Entry* e = slot.get();
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
  if (!slot) {
    ks.add(db, k, room, Entry::make_int(k.key, value));
  } else if (slot.get()->is_int()) {
    slot.get()->set_int_value(value);
  } else {
    ks.replace(db, k, slot, Entry::make_int(k.key, value, slot.get()->expire_ms()));
  }
  ks.modified(db, k.key);
  ks.notify(kNotifyString, "incrby", k.key, db);
  ks.dirty++;
  call.reply().integer(value);
}

void incr_command(Call& call) { incr_by(call, 1); }
void decr_command(Call& call) { incr_by(call, -1); }

void incrby_command(Call& call) {
  int64_t delta;
  if (!parse_i64(call.arg(2), &delta)) return call.not_an_integer();
  incr_by(call, delta);
}

void decrby_command(Call& call) {
  int64_t delta;
  if (!parse_i64(call.arg(2), &delta)) return call.not_an_integer();
  if (delta == std::numeric_limits<int64_t>::min()) {
    call.reply().error("ERR decrement would overflow");
    return;
  }
  incr_by(call, -delta);
}

void incrbyfloat_command(Call& call) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(1);
  const EntrySlot slot = ks.find_write(db, k);
  long double value = 0;
  long double delta;
  if (slot) {
    const Entry* e = slot.get();
    if (e->type() != Type::kString) return call.wrong_type();
    char tmp[24];
    if (e->is_int()) {
      value = static_cast<long double>(e->int_value());
    } else if (!parse_long_double(e->string_value(tmp), &value)) {
      call.reply().error("ERR value is not a valid float");
      return;
    }
  }
  if (!parse_long_double(call.arg(2), &delta)) {
    call.reply().error("ERR value is not a valid float");
    return;
  }
  value += delta;
  if (std::isnan(value) || std::isinf(value)) {
    call.reply().error("ERR increment would produce NaN or Infinity");
    return;
  }
  char text[kLongDoubleChars];
  const Slice digits(text, format_long_double_human(text, value));
  // The result stays text even when it looks like an integer.
  if (slot) {
    ks.replace(db, k, slot, Entry::make_text(k.key, digits, slot.get()->expire_ms()));
  } else {
    ks.add(db, k, Entry::make_text(k.key, digits));
  }
  ks.modified(db, k.key);
  ks.notify(kNotifyString, "incrbyfloat", k.key, db);
  ks.dirty++;
  call.reply().bulk(digits);
  // The result itself, so that other arithmetic elsewhere makes no difference.
  if (call.propagating()) call.propagation().rewrite({"SET", k.key, digits, "KEEPTTL"});
}

}  // namespace

void register_string_counter_commands(HandlerMap& map) {
  map["incr"] = incr_command;
  map["decr"] = decr_command;
  map["incrby"] = incrby_command;
  map["decrby"] = decrby_command;
  map["incrbyfloat"] = incrbyfloat_command;
}

}  // namespace kvasir
