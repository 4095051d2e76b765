// What surrounds the values in an RDB file. FACTS 2.5; rdb.c of Valkey is the reference.
//
//   file      magic and version (9 bytes), fields, libraries, databases, 255, CRC-64 of all before (u64 LE,
//   0: none) field     250, name, value (strings) library   245, source (string) database  254, number; 251,
//   keys, keys with a deadline; entries entry     [252, deadline ms (i64 LE)] [248, idle seconds | 249,
//   access count (byte)] type, key, value
//
// The functions that write parts may be called in any order that makes a file: a reader takes databases more
// than once.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "keyspace/entry.h"
#include "persist/load_types.h"
#include "persist/rdb_io.h"

namespace kvasir {

inline constexpr uint16_t kRdbOldVersion = 11;  // what replicas before 9.0 read
// Versions that were never ours or our ancestors'.
inline constexpr int kFirstForeignVersion = 12, kLastForeignVersion = 79;

enum class RdbOpcode : uint8_t {
  kSlotImport = 243,
  kSlotInfo = 244,
  kFunction = 245,
  kFunctionPreRelease = 246,
  kModuleAux = 247,
  kIdle = 248,
  kFrequency = 249,
  kField = 250,
  kResize = 251,
  kDeadlineMs = 252,
  kDeadline = 253,
  kSelect = 254,
  kEnd = 255,
};

struct RdbHeader {
  uint16_t version = kRdbVersion;
  bool aof_base = false;
  std::string server_version;
  int64_t time_s = 0;
  uint64_t used_memory = 0;
  std::optional<RdbReplication> replication;
  std::span<const std::string> libraries;  // sources of functions
};

void rdb_write_header(RdbWriter& out, const RdbHeader& header);
void rdb_write_field(RdbWriter& out, Slice name, Slice value);
void rdb_write_select(RdbWriter& out, int db);
// After the first rdb_write_select() of a database.
void rdb_write_sizes(RdbWriter& out, uint64_t keys, uint64_t expires);

// What is said of the use of keys, by maxmemory-policy.
enum class RdbAccess : uint8_t { kNone, kIdle, kFrequency };
struct RdbEntryOptions {
  uint16_t version = kRdbVersion;
  RdbAccess access = RdbAccess::kNone;
  uint32_t access_value = 0;  // seconds or count of this entry
};
// False: the version cannot hold the value (deadlines of fields); nothing was written.
bool rdb_write_entry(RdbWriter& out, const Entry& e, const RdbEntryOptions& options);
// What follows is the checksum.
void rdb_write_end(RdbWriter& out);

}  // namespace kvasir
