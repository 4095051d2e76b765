#include "persist/rdb_file.h"

#include <cstdio>

#include "base/numbers.h"
#include "persist/rdb_object.h"

namespace kvasir {

namespace {

void opcode(RdbWriter& out, RdbOpcode code) { out.byte(static_cast<uint8_t>(code)); }

void field(RdbWriter& out, Slice name, int64_t value) {
  char digits[kInt64Chars];
  rdb_write_field(out, name, {digits, format_i64(digits, value)});
}

}  // namespace

void rdb_write_field(RdbWriter& out, Slice name, Slice value) {
  opcode(out, RdbOpcode::kField);
  out.string(name);
  out.string(value);
}

void rdb_write_header(RdbWriter& out, const RdbHeader& header) {
  char magic[16];
  const char* format = header.version > kLastForeignVersion ? "VALKEY%03d" : "REDIS%04d";
  const int n = snprintf(magic, sizeof magic, format, static_cast<int>(header.version));
  out.bytes({magic, static_cast<size_t>(n)});
  rdb_write_field(out, "valkey-ver", header.server_version);
  field(out, "redis-bits", 64);
  field(out, "ctime", header.time_s);
  field(out, "used-mem", static_cast<int64_t>(header.used_memory));
  if (header.replication) {
    field(out, "repl-stream-db", header.replication->stream_db);
    rdb_write_field(out, "repl-id", header.replication->id);
    field(out, "repl-offset", header.replication->offset);
  }
  field(out, "aof-base", header.aof_base ? 1 : 0);
  for (const std::string& source : header.libraries) {
    opcode(out, RdbOpcode::kFunction);
    out.string(source);
  }
}

void rdb_write_select(RdbWriter& out, int db) {
  opcode(out, RdbOpcode::kSelect);
  out.length(static_cast<uint64_t>(db));
}

void rdb_write_sizes(RdbWriter& out, uint64_t keys, uint64_t expires) {
  opcode(out, RdbOpcode::kResize);
  out.length(keys);
  out.length(expires);
}

bool rdb_write_entry(RdbWriter& out, const Entry& e, const RdbEntryOptions& options) {
  const RdbType type = rdb_type_of(e);
  if (options.version <= kRdbOldVersion && static_cast<uint8_t>(type) >= kFirstForeignType) return false;
  if (e.expire_ms() != kNoExpiry) {
    opcode(out, RdbOpcode::kDeadlineMs);
    out.le64(static_cast<uint64_t>(e.expire_ms()));
  }
  if (options.access == RdbAccess::kIdle) {
    opcode(out, RdbOpcode::kIdle);
    out.length(options.access_value);
  } else if (options.access == RdbAccess::kFrequency) {
    opcode(out, RdbOpcode::kFrequency);
    out.byte(static_cast<uint8_t>(options.access_value));
  }
  out.byte(static_cast<uint8_t>(type));
  out.string(e.key());
  rdb_save_value(out, e);
  return true;
}

void rdb_write_end(RdbWriter& out) { opcode(out, RdbOpcode::kEnd); }

}  // namespace kvasir
