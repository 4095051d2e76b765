// BITFIELD and BITFIELD_RO: integers of any width inside a string.
//
// The arguments are read twice, first to check them all and then to run them, so that nothing has to be
// remembered in between.
#include <algorithm>

#include "base/numbers.h"
#include "commands/bitmap.h"
#include "types/bitmap.h"

namespace kvasir {

namespace {

using bitmap::FieldType;
using bitmap::Overflow;

enum class FieldAction : uint8_t { kGet, kSet, kIncrement };

struct FieldOperation {
  FieldAction action;
  FieldType type;
  uint64_t offset;
  int64_t operand;  // the value to set, or the increment
  Overflow overflow;
};

bool parse_field_type(const Call& call, int arg, FieldType* type) {
  const Slice s = call.arg(arg);
  int64_t width;
  const bool is_signed = !s.empty() && s[0] == 'i';
  if ((!is_signed && (s.empty() || s[0] != 'u')) || !parse_i64({s.data + 1, s.size - 1}, &width) ||
      width < 1 || width > (is_signed ? 64 : 63)) {
    call.reply().error(
        "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.");
    return false;
  }
  *type = {static_cast<unsigned>(width), is_signed};
  return true;
}

// Walks over the subcommands.
class FieldOperations {
 public:
  explicit FieldOperations(const Call& call) : call_(call) {}

  // False at the end, or after an error, which was replied.
  bool next(FieldOperation* op) {
    for (; arg_ < call_.argc(); arg_ += 2) {
      const Slice name = call_.arg(arg_);
      const int after = call_.argc() - arg_ - 1;
      if (equals_nocase(name, "GET") && after >= 2) return read(FieldAction::kGet, op);
      if (equals_nocase(name, "SET") && after >= 3) return read(FieldAction::kSet, op);
      if (equals_nocase(name, "INCRBY") && after >= 3) return read(FieldAction::kIncrement, op);
      if (!equals_nocase(name, "OVERFLOW") || after < 1) {
        call_.syntax_error();
        return fail();
      }
      const Slice policy = call_.arg(arg_ + 1);
      if (equals_nocase(policy, "WRAP")) {
        overflow_ = Overflow::kWrap;
      } else if (equals_nocase(policy, "SAT")) {
        overflow_ = Overflow::kSaturate;
      } else if (equals_nocase(policy, "FAIL")) {
        overflow_ = Overflow::kFail;
      } else {
        call_.reply().error("ERR Invalid OVERFLOW type specified");
        return fail();
      }
    }
    return false;
  }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  bool fail() {
    failed_ = true;
    return false;
  }
  bool read(FieldAction action, FieldOperation* op) {
    op->action = action;
    op->overflow = overflow_;
    op->operand = 0;
    if (!parse_field_type(call_, arg_ + 1, &op->type)) return fail();
    if (!parse_bit_offset(call_, arg_ + 2, op->type.width, &op->offset)) return fail();
    const bool get = action == FieldAction::kGet;
    if (!get && !parse_i64(call_.arg(arg_ + 3), &op->operand)) {
      call_.not_an_integer();
      return fail();
    }
    arg_ += get ? 3 : 4;
    return true;
  }

  const Call& call_;
  int arg_ = 2;
  Overflow overflow_ = Overflow::kWrap;
  bool failed_ = false;
};

// Runs SET or INCRBY and replies. Whether it counts as a change: in a string that became longer what was
// written does, even if it is the value that was there.
bool write_field(const Call& call, const FieldOperation& op, const WritableBits& bits) {
  const FieldType t = op.type;
  const int64_t old = bitmap::read_as(t, bitmap::field(bits.bytes, op.offset, t.width));
  const bool increment = op.action == FieldAction::kIncrement;
  int64_t value;
  if (!bitmap::fit(t, increment ? old : op.operand, increment ? op.operand : 0, op.overflow, &value)) {
    call.reply().null();
    return false;
  }
  call.reply().integer(increment ? value : old);
  bitmap::set_field(bits.data, op.offset, t.width, static_cast<uint64_t>(value));
  return bits.grown || value != old;
}

void bitfield_generic(Call& call, bool read_only) {
  int64_t count = 0;
  uint64_t last_written = 0;
  bool writes = false;
  FieldOperation op;
  FieldOperations check(call);
  for (; check.next(&op); count++) {
    if (op.action == FieldAction::kGet) continue;
    writes = true;
    last_written = std::max(last_written, op.offset + op.type.width - 1);
  }
  if (check.failed()) return;

  const KeyRef k = call.key(1);
  char tmp[24];
  WritableBits bits;
  if (!writes) {
    const Entry* e = call.ks().lookup_read(call.db(), k);
    if (e != nullptr && e->type() != Type::kString) return call.wrong_type();
    if (e != nullptr) bits.bytes = e->string_value(tmp);
  } else if (read_only) {
    return call.reply().error("ERR BITFIELD_RO only supports the GET subcommand");
  } else {
    bits = prepare_bits(call, k, last_written);
    if (bits.data == nullptr) return;
  }

  call.reply().array(count);
  uint64_t changes = 0;
  for (FieldOperations run(call); run.next(&op);) {
    if (op.action == FieldAction::kGet) {
      call.reply().integer(bitmap::read_as(op.type, bitmap::field(bits.bytes, op.offset, op.type.width)));
      continue;
    }
    if (write_field(call, op, bits)) changes++;
  }
  if (changes == 0) return;
  Keyspace& ks = call.ks();
  ks.modified(call.db(), k.key);
  ks.notify(kNotifyString, "setbit", k.key, call.db());
  ks.dirty += changes;
}

void bitfield_command(Call& call) { bitfield_generic(call, false); }
void bitfield_ro_command(Call& call) { bitfield_generic(call, true); }

}  // namespace

void register_bit_field_commands(HandlerMap& map) {
  map["bitfield"] = bitfield_command;
  map["bitfield_ro"] = bitfield_ro_command;
}

}  // namespace kvasir
