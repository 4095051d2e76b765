#include "keyspace/value.h"

#include <array>

#include "keyspace/digest.h"

namespace kvasir {

namespace {

struct TypeOps {
  Entry* (*duplicate)(const Entry& e, Slice key, int64_t expire_ms);
  size_t (*free_effort)(const Entry& e);
  void (*destroy)(Entry* e);
  size_t (*value_bytes)(const Entry& e, size_t samples);  // without the entry itself
  void (*mix)(const Entry& e, Sha1::Digest* digest);
};

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

size_t string_free_effort(const Entry&) { return 1; }

size_t string_bytes(const Entry& e, size_t) { return e.has_buffer() ? e.buffer()->footprint() : 0; }

void string_mix(const Entry& e, Sha1::Digest* digest) {
  char tmp[24];
  digest_mix(digest, e.string_value(tmp));
}

constexpr TypeOps kString{string_duplicate, string_free_effort, Entry::destroy, string_bytes, string_mix};

// By Type. The entry of a type that has no row cannot be made.
constexpr std::array<const TypeOps*, 7> kOps = {&kString};

const TypeOps& ops(const Entry& e) { return *kOps[static_cast<size_t>(e.type())]; }

}  // namespace

Entry* value_duplicate(const Entry& e, Slice key, int64_t expire_ms) {
  return ops(e).duplicate(e, key, expire_ms);
}

size_t value_free_effort(const Entry& e) { return ops(e).free_effort(e); }

void value_destroy(Entry* e) { ops(*e).destroy(e); }

size_t value_bytes(const Entry& e, size_t samples) {
  return e.shell_bytes() + ops(e).value_bytes(e, samples);
}

void value_mix(const Entry& e, Sha1::Digest* digest) { ops(e).mix(e, digest); }

}  // namespace kvasir
