// Bitmaps: single bits, counting and searching.
#include "commands/bitmap.h"

#include <algorithm>
#include <cstring>

#include "base/numbers.h"
#include "commands/string_value.h"
#include "types/bitmap.h"

namespace kvasir {

bool parse_bit_offset(const Call& call, int arg, unsigned width, uint64_t* offset) {
  Slice s = call.arg(arg);
  const bool units = width != 0 && !s.empty() && s[0] == '#';
  if (units) s = {s.data + 1, s.size - 1};
  int64_t v;
  bool valid = parse_i64(s, &v);
  if (valid) {
    // A product beyond 64 bits wraps around, as it does in Valkey.
    if (units) v = static_cast<int64_t>(static_cast<uint64_t>(v) * width);
    valid = v >= 0 && (call.must_obey() || (v >> 3) < call.core.settings.proto_max_bulk_len);
  }
  if (!valid) {
    call.reply().error("ERR bit offset is not an integer or out of range");
    return false;
  }
  *offset = static_cast<uint64_t>(v);
  return true;
}

WritableBits prepare_bits(const Call& call, const KeyRef& k, uint64_t last) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const EntrySlot slot = ks.find_write(db, k);
  const size_t needed = (last >> 3) + 1;
  WritableBits bits;
  if (!slot) {
    bits.data = add_raw_string(ks, db, k, needed);
    memset(bits.data, 0, needed);
    bits.bytes = {bits.data, needed};
    bits.grown = true;
  } else if (slot.get()->type() != Type::kString) {
    call.wrong_type();
  } else {
    const size_t old = slot.get()->string_size();
    const size_t size = std::max(old, needed);
    bits.data = resize_string(ks, db, k, slot, size, true);
    if (size > old) memset(bits.data + old, 0, size - old);
    bits.bytes = {bits.data, size};
    bits.grown = size > old;
  }
  return bits;
}

namespace {

void setbit_command(Call& call) {
  uint64_t offset;
  if (!parse_bit_offset(call, 2, 0, &offset)) return;
  int64_t value;
  if (!parse_i64(call.arg(3), &value) || (value & ~1) != 0) {
    return call.reply().error("ERR bit is not an integer or out of range");
  }
  const KeyRef k = call.key(1);
  const WritableBits bits = prepare_bits(call, k, offset);
  if (bits.data == nullptr) return;
  const uint64_t old = bitmap::field(bits.bytes, offset, 1);
  if (bits.grown || old != static_cast<uint64_t>(value)) {
    bitmap::set_field(bits.data, offset, 1, static_cast<uint64_t>(value));
    Keyspace& ks = call.ks();
    ks.modified(call.db(), k.key);
    ks.notify(kNotifyString, "setbit", k.key, call.db());
    ks.dirty++;
  }
  call.reply().integer(static_cast<int64_t>(old));
}

void getbit_command(Call& call) {
  uint64_t offset;
  if (!parse_bit_offset(call, 2, 0, &offset)) return;
  const Entry* e = call.ks().lookup_read(call.db(), call.key(1));
  if (e == nullptr) return call.reply().integer(0);
  if (e->type() != Type::kString) return call.wrong_type();
  char tmp[24];
  call.reply().integer(static_cast<int64_t>(bitmap::field(e->string_value(tmp), offset, 1)));
}

// A range as BITCOUNT and BITPOS take it: [start [end [BYTE|BIT]]] from argument `first` on.
struct RangeArguments {
  int64_t start = 0;
  int64_t end = -1;
  bool in_bits = false;
  bool has_end = false;
};

bool parse_range(const Call& call, int first, RangeArguments* range) {
  const int n = call.argc() - first;
  if (n > 3) {
    call.syntax_error();
    return false;
  }
  if (n >= 1 && !parse_i64(call.arg(first), &range->start)) {
    call.not_an_integer();
    return false;
  }
  if (n == 3) {
    range->in_bits = equals_nocase(call.arg(first + 2), "BIT");
    if (!range->in_bits && !equals_nocase(call.arg(first + 2), "BYTE")) {
      call.syntax_error();
      return false;
    }
  }
  range->has_end = n >= 2;
  if (range->has_end && !parse_i64(call.arg(first + 1), &range->end)) {
    call.not_an_integer();
    return false;
  }
  return true;
}

struct BitRange {
  uint64_t first = 0;
  uint64_t last = 0;
};

// The range within a string of `size` bytes; false if it is empty.
bool resolve(const RangeArguments& range, size_t size, BitRange* bits) {
  const auto total = static_cast<int64_t>(range.in_bits ? size * 8 : size);
  // The sum of a negative and a natural number does not overflow.
  const auto from_start = [total](int64_t v) { return v < 0 ? std::max<int64_t>(total + v, 0) : v; };
  const int64_t start = from_start(range.start);
  const int64_t end = std::min(from_start(range.end), total - 1);
  if (start > end) return false;
  const int64_t unit = range.in_bits ? 1 : 8;
  bits->first = static_cast<uint64_t>(start * unit);
  bits->last = static_cast<uint64_t>(end * unit + unit - 1);
  return true;
}

void bitcount_command(Call& call) {
  RangeArguments range;
  if (!parse_range(call, 2, &range)) return;
  const Entry* e = call.ks().lookup_read(call.db(), call.key(1));
  if (e != nullptr && e->type() != Type::kString) return call.wrong_type();
  if (e == nullptr) return call.reply().integer(0);
  char tmp[24];
  const Slice s = e->string_value(tmp);
  BitRange bits;
  // Both before the end and the wrong way round, it is empty even where clamping would make it a unit long.
  const bool reversed = range.has_end && range.start < 0 && range.end < 0 && range.start > range.end;
  const bool any = !reversed && resolve(range, s.size, &bits);
  call.reply().integer(any ? static_cast<int64_t>(bitmap::count(s, bits.first, bits.last)) : 0);
}

void bitpos_command(Call& call) {
  int64_t value;
  if (!parse_i64(call.arg(2), &value)) return call.not_an_integer();
  if (value != 0 && value != 1) return call.reply().error("ERR The bit argument must be 1 or 0.");
  RangeArguments range;
  if (!parse_range(call, 3, &range)) return;
  const Entry* e = call.ks().lookup_read(call.db(), call.key(1));
  if (e != nullptr && e->type() != Type::kString) return call.wrong_type();
  if (e == nullptr) return call.reply().integer(value == 1 ? -1 : 0);
  char tmp[24];
  const Slice s = e->string_value(tmp);
  BitRange bits;
  if (!resolve(range, s.size, &bits)) return call.reply().integer(-1);
  int64_t at = bitmap::find(s, bits.first, bits.last, value == 1);
  // Without an end the string goes on with zeros.
  if (at < 0 && value == 0 && !range.has_end) at = static_cast<int64_t>(s.size * 8);
  call.reply().integer(at);
}

}  // namespace

void register_bitmap_commands(HandlerMap& map) {
  map["setbit"] = setbit_command;
  map["getbit"] = getbit_command;
  map["bitcount"] = bitcount_command;
  map["bitpos"] = bitpos_command;
  register_bit_field_commands(map);
  register_bit_operation_commands(map);
}

}  // namespace kvasir
