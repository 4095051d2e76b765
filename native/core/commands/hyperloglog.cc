// PFADD, PFCOUNT and PFMERGE on strings that are HyperLogLogs.
#include "commands/hyperloglog.h"

#include <array>
#include <cstring>
#include <utility>

#include "commands/key_batch.h"

namespace kvasir {

bool check_hll(const Call& call, const Entry* e) {
  if (e->type() != Type::kString) {
    call.wrong_type();
    return false;
  }
  if (!e->is_int() && hll::is_hll(e->string_value(nullptr))) return true;
  call.reply().error("WRONGTYPE Key is not a valid HyperLogLog string value.");
  return false;
}

void corrupt_hll(const Call& call) { call.reply().error("INVALIDOBJ Corrupted HLL object detected"); }

HllValue HllValue::add(const Call& call, const KeyRef& k) {
  add_raw_string(call.ks(), call.db(), k, hll::kEmptySize);
  HllValue v(call, k, call.db().find(k));
  hll::write_empty(v.data);
  return v;
}

HllValue::HllValue(const Call& call, const KeyRef& k, EntrySlot slot)
    : ks_(call.ks()), db_(call.db()), key_(k), slot_(slot) {
  HllValue::resize(slot.get()->string_size());
}

void HllValue::resize(size_t n) {
  data = reinterpret_cast<uint8_t*>(resize_string(ks_, db_, key_, slot_, n, true));
  size = n;
}

size_t sparse_limit(const Call& call) {
  return static_cast<size_t>(call.core.settings.encodings.hll_sparse_max_bytes);
}

namespace {

void changed(const Call& call, const KeyRef& k, uint64_t changes) {
  Keyspace& ks = call.ks();
  ks.modified(call.db(), k.key);
  ks.notify(kNotifyString, "pfadd", k.key, call.db());
  ks.dirty += changes;
}

void pfadd_command(Call& call) {
  const KeyRef k = call.key(1);
  const EntrySlot slot = call.ks().find_write(call.db(), k);
  if (slot && !check_hll(call, slot.get())) return;
  HllValue value = slot ? HllValue(call, k, slot) : HllValue::add(call, k);
  uint64_t changes = slot ? 0 : 1;
  for (int i = 2; i < call.argc(); i++) {
    const hll::Change c = hll::add(value, call.arg(i), sparse_limit(call));
    if (c == hll::Change::kCorrupt) return corrupt_hll(call);
    if (c == hll::Change::kChanged) changes++;
  }
  if (changes != 0) {
    hll::invalidate_cardinality(value.data);
    changed(call, k, changes);
  }
  call.reply().integer(changes != 0 ? 1 : 0);
}

// Merges the keys from argument 1 on into raw registers; *dense: one of them is. False: an error was replied.
bool merge_keys(const Call& call, uint8_t* raw, bool* dense) {
  std::array<Slice, 16> waiting;  // dense ones, to be merged together
  size_t n = 0;
  const bool fine = for_each_key(call, 1, call.argc(), 1, [&](int, const KeyRef& k) {
    const Entry* e = call.ks().lookup_read(call.db(), k);
    if (e == nullptr) return true;
    if (!check_hll(call, e)) return false;
    const Slice s = e->string_value(nullptr);
    if (hll::encoding_of(s) == hll::Encoding::kDense) {
      *dense = true;
      waiting[n++] = s;
      if (n == waiting.size()) hll::merge_dense(raw, {waiting.data(), std::exchange(n, 0)});
      return true;
    }
    if (hll::merge(raw, s)) return true;
    corrupt_hll(call);
    return false;
  });
  hll::merge_dense(raw, {waiting.data(), n});
  return fine;
}

void pfcount_command(Call& call) {
  if (call.argc() > 2) {
    alignas(64) uint8_t raw[hll::kRegisters] = {};
    bool dense = false;
    if (!merge_keys(call, raw, &dense)) return;
    return call.reply().integer(static_cast<int64_t>(hll::cardinality_of_raw(raw)));
  }
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(1);
  const Entry* e = ks.lookup_read(db, k);
  if (e == nullptr) return call.reply().integer(0);
  if (!check_hll(call, e)) return;
  uint64_t cardinality;
  const bool cached = hll::cached_cardinality(e->string_value(nullptr), &cardinality);
  // As in Valkey the string is raw from here on, whether or not it is written to.
  if (!cached || e->encoding() != Encoding::kRaw) {
    const HllValue value(call, k, ks.find_write(db, k, Keyspace::kNoTouch));
    if (!cached) {
      if (!hll::cardinality(value.slice(), &cardinality)) return corrupt_hll(call);
      hll::cache_cardinality(value.data, cardinality);
      ks.modified(db, k.key);
      ks.dirty++;
    }
  }
  call.reply().integer(static_cast<int64_t>(cardinality));
}

void pfmerge_command(Call& call) {
  alignas(64) uint8_t raw[hll::kRegisters] = {};
  bool dense = false;
  if (!merge_keys(call, raw, &dense)) return;

  const KeyRef k = call.key(1);
  const EntrySlot slot = call.ks().find_write(call.db(), k);
  HllValue value = slot ? HllValue(call, k, slot) : HllValue::add(call, k);
  if (dense) {
    if (value.size != hll::kDenseSize) value.resize(hll::kDenseSize);
    value.data[4] = static_cast<uint8_t>(hll::Encoding::kDense);
    simd::kernels().hll_pack(value.data + hll::kHeaderSize, raw);
  } else {
    for (size_t i = 0; i < hll::kRegisters; i++) {
      if (raw[i] != 0) hll::raise(value, i, raw[i], sparse_limit(call));
    }
  }
  hll::invalidate_cardinality(value.data);
  changed(call, k, 1);
  call.reply().ok();
}

}  // namespace

void register_hyperloglog_commands(HandlerMap& map) {
  map["pfadd"] = pfadd_command;
  map["pfcount"] = pfcount_command;
  map["pfmerge"] = pfmerge_command;
  register_hll_debug_commands(map);
}

}  // namespace kvasir
