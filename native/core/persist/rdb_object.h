// Values as RDB objects: the bytes behind the type byte in an RDB file, and inside a DUMP payload.
#pragma once

#include <cstdint>

#include "keyspace/entry.h"
#include "persist/rdb_io.h"

namespace kvasir {

// RDB_TYPE_*: what a value is written as, or was by older versions.
enum class RdbType : uint8_t {
  kString = 0,
  kList = 1,  // old
  kSet = 2,
  kZset = 3,  // old
  kHash = 4,
  kZset2 = 5,
  kHashZipmap = 9,    // old
  kListZiplist = 10,  // old
  kSetIntset = 11,
  kZsetZiplist = 12,      // old
  kHashZiplist = 13,      // old
  kListQuicklist = 14,    // old
  kStreamListpacks = 15,  // old
  kHashListpack = 16,
  kZsetListpack = 17,
  kListQuicklist2 = 18,
  kStreamListpacks2 = 19,  // old
  kSetListpack = 20,
  kStreamListpacks3 = 21,
  kHash2 = 22,
};
// Files and payloads of a foreign version (12 to 79) may not use types from here on: they meant something
// else there.
inline constexpr uint8_t kFirstForeignType = 22;

// Whether values of that type can be read here: those of modules cannot.
[[nodiscard]] bool rdb_type_known(uint8_t type);
// What the check of a file calls a type.
[[nodiscard]] const char* rdb_type_name(uint8_t type);
[[nodiscard]] RdbType rdb_type_of(const Entry& e);
void rdb_save_value(RdbWriter& out, const Entry& e);

enum class RdbLoaded : uint8_t {
  kOk,
  kCorrupt,
  kEmpty,  // a collection without elements: not a value
};
// Reads a value of that type and makes an entry of it under the key, with the deadline.
RdbLoaded rdb_load_value(RdbInput& in, uint8_t type, Slice key, int64_t expire_ms,
                         const EncodingLimits& limits, Entry** out);

// How a collection is written; a row a type.
struct RdbCollection {
  RdbType (*type)(const Collection& c);
  void (*save)(RdbWriter& out, const Collection& c);
  // Of any of the RDB types that become this type. On kOk *c is the caller's.
  RdbLoaded (*load)(RdbInput& in, RdbType type, const EncodingLimits& limits, Collection* c);
};

}  // namespace kvasir
