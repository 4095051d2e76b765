// HINCRBY and HINCRBYFLOAT: fields that are numbers.
#include <cmath>

#include "base/numbers.h"
#include "commands/hash_value.h"

namespace kvasir {

namespace {

// Stores the sum, under the deadline that the field has, and tells of it.
void store_sum(const Call& call, HashEdit* edit, Slice digits, int64_t deadline, const char* event) {
  if (!edit->exists()) edit->c = hash_make(call.core.settings.encodings, 1, 0);
  const HashStored stored = edit->set(call.arg(2), {digits}, deadline, false, call.known_hash(2));
  edit->store(deadline);
  edit->modified();
  edit->expired(stored == HashStored::kRevived ? 1 : 0);
  edit->notify(event);
  call.ks().dirty++;
}

// The result itself, and the deadline: a replica may have the field still or no more.
void propagate_sum(const Call& call, const HashEdit& edit, Slice digits, int64_t deadline) {
  const Slice key = edit.key().key;
  if (deadline == kNoExpiry) return call.propagation().rewrite({"HSET", key, call.arg(2), digits});
  char time[kInt64Chars];
  call.propagation().rewrite(
      {"HSETEX", key, "PXAT", {time, format_i64(time, deadline)}, "FIELDS", "1", call.arg(2), digits});
}

void hincrby_command(Call& call) {
  int64_t delta;
  if (!parse_i64(call.arg(3), &delta)) return call.not_an_integer();
  HashEdit edit(call);
  if (!edit.find_or_prepare()) return;
  int64_t sum = 0;
  HashValue value;
  if (edit.exists() && hash_get(edit.c, call.arg(2), edit.clock(), &value, call.known_hash(2))) {
    sum = value.number;
    if (!value.is_int && !parse_i64(value.text, &sum)) {
      return call.reply().error("ERR hash value is not an integer");
    }
  }
  if (__builtin_add_overflow(sum, delta, &sum)) {
    return call.reply().error("ERR increment or decrement would overflow");
  }
  char text[kInt64Chars];
  const Slice digits(text, format_i64(text, sum));
  store_sum(call, &edit, digits, value.deadline, "hincrby");
  call.reply().integer(sum);
  if (edit.had_deadlines() && call.propagating()) propagate_sum(call, edit, digits, value.deadline);
}

void hincrbyfloat_command(Call& call) {
  long double delta;
  if (!parse_long_double(call.arg(3), &delta)) return call.reply().error("ERR value is not a valid float");
  if (std::isnan(delta) || std::isinf(delta)) return call.reply().error("ERR value is NaN or Infinity");
  HashEdit edit(call);
  if (!edit.find_or_prepare()) return;
  long double sum = 0;
  HashValue value;
  if (edit.exists() && hash_get(edit.c, call.arg(2), edit.clock(), &value, call.known_hash(2))) {
    if (value.is_int) {
      sum = static_cast<long double>(value.number);
    } else if (!parse_long_double(value.text, &sum)) {
      return call.reply().error("ERR hash value is not a float");
    }
  }
  sum += delta;
  if (std::isnan(sum) || std::isinf(sum)) {
    return call.reply().error("ERR increment would produce NaN or Infinity");
  }
  char text[kLongDoubleChars];
  const Slice digits(text, format_long_double_human(text, sum));
  store_sum(call, &edit, digits, value.deadline, "hincrbyfloat");
  call.reply().bulk(digits);
  // Whatever deadlines there are: other arithmetic elsewhere shall make no difference.
  if (call.propagating()) propagate_sum(call, edit, digits, value.deadline);
}

}  // namespace

void register_hash_counter_commands(HandlerMap& map) {
  map["hincrby"] = hincrby_command;
  map["hincrbyfloat"] = hincrbyfloat_command;
}

}  // namespace kvasir
