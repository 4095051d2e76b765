#include "keyspace/value.h"

#include <array>

#include "types/hash.h"
#include "types/list.h"
#include "types/set.h"
#include "types/stream.h"
#include "types/zset.h"

namespace kvasir {

namespace {

// --- strings ---

Entry* string_duplicate(const Entry& e, Slice key, int64_t expire_ms) {
  if (e.is_int()) return Entry::make_int(key, e.int_value(), expire_ms);
  if (e.embedded()) {
    // A raw string stays raw: the copy is not looked at again for a better encoding, under whatever key.
    Entry* copy = Entry::make_text(key, e.embedded_value(), expire_ms);
    if (e.encoding() == Encoding::kRaw) copy->set_encoding(Encoding::kRaw);
    return copy;
  }
  return Entry::make_buffer(key, e.buffer()->retain(), expire_ms);
}

size_t string_bytes(const Entry& e) { return e.has_buffer() ? e.buffer()->footprint() : 0; }

void string_mix(const Entry& e, Sha1::Digest* digest) {
  char tmp[24];
  digest_mix(digest, e.string_value(tmp));
}

// By Type; a type without a row is not built and has no entries.
constexpr std::array<const CollectionOps*, kTypes> kCollections = {
    nullptr,    // strings live in their entry
    &kListOps,  // list
    &kSetOps,   // set
    &kZsetOps,  // sorted set
    &kHashOps,  // hash
    nullptr,    // -
    &kStreamOps,
};

const CollectionOps& ops(const Entry& e) { return *kCollections[static_cast<size_t>(e.type())]; }
bool is_string(const Entry& e) { return e.type() == Type::kString; }

}  // namespace

const CollectionOps* value_ops(Type t) { return kCollections[static_cast<size_t>(t)]; }

Entry* value_duplicate(const Entry& e, Slice key, int64_t expire_ms) {
  if (is_string(e)) return string_duplicate(e, key, expire_ms);
  return Entry::make_collection(key, e.type(), ops(e).duplicate(e.collection()), expire_ms);
}

size_t value_free_effort(const Entry& e) { return is_string(e) ? 1 : ops(e).free_effort(e.collection()); }

void value_destroy(Entry* e) {
  if (!is_string(*e)) ops(*e).destroy(e->collection());
  Entry::destroy(e);
}

size_t value_bytes(const Entry& e, size_t samples) {
  return e.shell_bytes() + (is_string(e) ? string_bytes(e) : ops(e).bytes(e.collection(), samples));
}

bool value_table_stats(const Entry& e, bool chains, std::string* out) {
  if (is_string(e) || ops(e).table_stats == nullptr) return false;
  return ops(e).table_stats(e.collection(), chains, out);
}

void value_mix(const Entry& e, Sha1::Digest* digest, int64_t time) {
  if (is_string(e)) return string_mix(e, digest);
  const CollectionOps& type = ops(e);
  type.mix_at != nullptr ? type.mix_at(e.collection(), time, digest) : type.mix(e.collection(), digest);
}

}  // namespace kvasir
