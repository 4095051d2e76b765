// What differs from type to type when a value is handled as a whole: duplicating (COPY), freeing and what
// that costs (UNLINK, FLUSHALL ASYNC), its size (MEMORY USAGE) and its digest (DEBUG DIGEST). A new type adds
// its row to the table in value.cc; nothing else in the keyspace knows the types apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "base/sha1.h"
#include "keyspace/entry.h"

namespace kvasir {

// The row of a type; nullptr of strings.
const CollectionOps* value_ops(Type t);

// An independent copy of the value under another key and deadline; access data starts anew. A long string is
// shared until one of the two is written.
Entry* value_duplicate(const Entry& e, Slice key, int64_t expire_ms);

// How much work freeing is, in allocations; more than kLazyfreeEffort is worth the background thread.
inline constexpr size_t kLazyfreeEffort = 64;
size_t value_free_effort(const Entry& e);

// Frees the entry with its value. Any thread, once nobody else can reach the entry.
void value_destroy(Entry* e);

// Bytes of the entry and its value. Of a large collection `samples` elements are measured and taken for
// typical.
size_t value_bytes(const Entry& e, size_t samples);

// DEBUG HTSTATS-KEY; false if the value is not kept in a hash table.
bool value_table_stats(const Entry& e, bool chains, std::string* out);

// Bytes that the value mixes into a digest, without elements that have a deadline before `time`; see
// keyspace/digest.h.
void value_mix(const Entry& e, Sha1::Digest* digest, int64_t time = std::numeric_limits<int64_t>::min());

}  // namespace kvasir
