// BITOP: bitwise operations between strings.
#include <algorithm>
#include <cstring>
#include <vector>

#include "commands/bitmap.h"
#include "commands/key_batch.h"
#include "commands/string_value.h"
#include "simd/kernels.h"

namespace kvasir {

namespace {

enum class BitOp : uint8_t { kAnd, kOr, kXor, kNot };

bool parse_operation(Slice name, BitOp* op) {
  if (equals_nocase(name, "AND")) {
    *op = BitOp::kAnd;
  } else if (equals_nocase(name, "OR")) {
    *op = BitOp::kOr;
  } else if (equals_nocase(name, "XOR")) {
    *op = BitOp::kXor;
  } else if (equals_nocase(name, "NOT")) {
    *op = BitOp::kNot;
  } else {
    return false;
  }
  return true;
}

// A source; the digits of a number are kept here.
struct Source {
  [[nodiscard]] Slice bytes() const {
    if (entry == nullptr) return {"", 0};
    return is_int ? Slice(digits, size) : entry->string_value(nullptr);
  }
  const Entry* entry = nullptr;
  size_t size = 0;
  bool is_int = false;
  char digits[24];
};

// The part of s in [from, from + n).
Slice part_of(Slice s, size_t from, size_t n) {
  if (from >= s.size) return {"", 0};
  return {s.data + from, std::min(n, s.size - from)};
}

const uint8_t* bytes_of(Slice s) { return reinterpret_cast<const uint8_t*>(s.data); }

// Strings count as if they went on with zeros. A piece of the result goes through all sources before the next
// one is begun, so that it stays in the first cache.
void combine(BitOp op, const std::vector<Source>& sources, uint8_t* out, size_t size) {
  constexpr size_t kPiece = 8192;
  const simd::Kernels& k = simd::kernels();
  const auto kernel = op == BitOp::kAnd ? k.bit_and : op == BitOp::kOr ? k.bit_or : k.bit_xor;
  for (size_t from = 0; from < size; from += kPiece, out += kPiece) {
    const size_t n = std::min(kPiece, size - from);
    Slice s = part_of(sources[0].bytes(), from, n);
    if (op == BitOp::kNot) {
      k.bit_not(out, bytes_of(s), n);
      continue;
    }
    memcpy(out, s.data, s.size);
    memset(out + s.size, 0, n - s.size);
    for (size_t i = 1; i < sources.size(); i++) {
      s = part_of(sources[i].bytes(), from, n);
      kernel(out, out, bytes_of(s), s.size);
      if (op == BitOp::kAnd) memset(out + s.size, 0, n - s.size);
    }
  }
}

void bitop_command(Call& call) {
  BitOp op;
  if (!parse_operation(call.arg(1), &op)) return call.syntax_error();
  if (op == BitOp::kNot && call.argc() != 4) {
    return call.reply().error("ERR BITOP NOT must be called with a single source key.");
  }
  Keyspace& ks = call.ks();
  Database& db = call.db();
  std::vector<Source> sources(static_cast<size_t>(call.argc() - 3));
  size_t size = 0;
  const bool strings = for_each_key(call, 3, call.argc(), 1, [&](int arg, const KeyRef& k) {
    const Entry* e = ks.lookup_read(db, k);
    if (e == nullptr) return true;
    if (e->type() != Type::kString) {
      call.wrong_type();
      return false;
    }
    Source& s = sources[static_cast<size_t>(arg - 3)];
    s.entry = e;
    s.is_int = e->is_int();
    s.size = e->string_value(s.digits).size;
    size = std::max(size, s.size);
    return true;
  });
  if (!strings) return;

  const KeyRef target = call.key(2);
  if (size == 0) {
    if (ks.remove(db, target, call.core.settings.lazyfree_lazy_server_del)) {
      ks.modified(db, target.key);
      ks.notify(kNotifyGeneric, "del", target.key, db);
      ks.dirty++;
    }
    return call.reply().integer(0);
  }
  Entry* result;
  if (size <= Entry::kMaxEmbedded) {
    result = Entry::make_embedded(target.key, size, Encoding::kRaw);
    combine(op, sources, reinterpret_cast<uint8_t*>(result->embedded_data()), size);
  } else {
    StrBuf* b = StrBuf::create(size);
    combine(op, sources, reinterpret_cast<uint8_t*>(b->data()), size);
    result = Entry::make_buffer(target.key, b);
  }
  ks.set(db, target, result);
  ks.modified(db, target.key);
  ks.notify(kNotifyString, "set", target.key, db);
  ks.dirty++;
  call.reply().integer(static_cast<int64_t>(size));
}

}  // namespace

void register_bit_operation_commands(HandlerMap& map) { map["bitop"] = bitop_command; }

}  // namespace kvasir
