// What kinds of values there are, and what every collection can be asked to do as a whole.
//
// A collection is two words that its entry keeps: how it is encoded and where it is. The functions of a type
// (types/list.h, types/hash.h, ...) take a Collection&, since a change may move it or give it another
// encoding; whoever took it from an entry puts it back afterwards (Entry::set_collection).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/sha1.h"
#include "base/slice.h"

namespace kvasir {

// Deadlines of keys and of fields are Unix time in milliseconds; the deadline itself is still a valid moment.
inline constexpr int64_t kNoExpiry = -1;

// RDB and the wire know these numbers (OBJ_*).
enum class Type : uint8_t { kString = 0, kList = 1, kSet = 2, kZset = 3, kHash = 4, kStream = 6 };
inline constexpr size_t kTypes = 7;

enum class Encoding : uint8_t {
  kRaw,
  kInt,
  kHashtable,
  kListpack,
  kIntset,
  kSkiplist,
  kEmbstr,
  kQuicklist,
  kStream
};

const char* type_name(Type t);
// As OBJECT ENCODING says it.
const char* encoding_name(Encoding e);

// When a collection leaves its compact encoding: more elements than `entries`, or an element longer than
// `value` bytes. Names and defaults are those of valkey.conf.
struct EncodingLimits {
  int64_t hash_max_listpack_entries = 512;
  int64_t hash_max_listpack_value = 64;
  int64_t list_max_listpack_size = -2;  // elements of a node; negative: -1 to -5 are 4, 8, 16, 32 and 64 KB
  int64_t list_compress_depth = 0;      // nodes at either end that stay uncompressed; 0: all do
  // DEBUG QUICKLIST-PACKED-THRESHOLD: bytes from which an element of a quicklist gets a node of its own; 0:
  // from what does not fit into a node.
  size_t list_packed_threshold = 0;
  int64_t set_max_intset_entries = 512;
  int64_t set_max_listpack_entries = 128;
  int64_t set_max_listpack_value = 64;
  int64_t zset_max_listpack_entries = 128;
  int64_t zset_max_listpack_value = 64;
  int64_t stream_node_max_bytes = 4096;
  int64_t stream_node_max_entries = 100;
  int64_t hll_sparse_max_bytes = 3000;
};

struct Collection {
  Encoding encoding;
  void* data;
};

// The row of a type in the table of keyspace/value.cc; what strings do stands there.
struct CollectionOps {
  // An independent copy in the same encoding.
  Collection (*duplicate)(const Collection& c);
  // Any thread, once nobody else can reach it.
  void (*destroy)(Collection c);
  // How much work destroying is, in allocations.
  size_t (*free_effort)(const Collection& c);
  // Bytes of memory; of many elements `samples` are measured and taken for typical.
  size_t (*bytes)(const Collection& c, size_t samples);
  // What it mixes into DEBUG DIGEST, as Valkey does.
  void (*mix)(const Collection& c, Sha1::Digest* digest);
  // DEBUG HTSTATS-KEY of its hash table; false if it has none now. nullptr: it never has one.
  bool (*table_stats)(const Collection& c, bool chains, std::string* out) = nullptr;
  // Sends for what a command will read, in steps (keyspace/value_prefetch.h): the collection's own memory is
  // here. `hash`: of the element that will be looked for in its hash table; 0: of none. nullptr: there is
  // nothing worth it.
  static constexpr unsigned kPrefetchSteps = 2;
  void (*prefetch)(const Collection& c, uint64_t hash, unsigned step) = nullptr;
  // Of a type whose elements have deadlines: mix() without those that have one before `time` (ms).
  void (*mix_at)(const Collection& c, int64_t time, Sha1::Digest* digest) = nullptr;
};

// For CollectionOps::mix. Adds the SHA-1 of bytes, whatever the order of such calls.
void digest_xor(Sha1::Digest* digest, Slice bytes);
// The same, and replaces the result by its own SHA-1: the order of calls matters.
void digest_mix(Sha1::Digest* digest, Slice bytes);

}  // namespace kvasir
