// DUMP and RESTORE: a value as bytes.
//
//   payload   type byte, value as in an RDB file, version u16 LE, CRC-64 u64 LE of all before
#include "commands/dump.h"

#include "base/crc64.h"
#include "base/numbers.h"
#include "commands/core.h"
#include "commands/expire_args.h"
#include "persist/rdb_object.h"

namespace kvasir {

namespace {

constexpr size_t kFooter = 10;
constexpr uint16_t kLastOldVersion = 11;  // versions between this and ours are of others (FACTS 2.1)

bool foreign_version(uint16_t v) { return v > kLastOldVersion && v < kRdbVersion; }

void dump_command(Call& call) {
  const Entry* e = call.ks().lookup_read(call.db(), call.key(1));
  if (e == nullptr) return call.reply().null();
  std::string payload;
  append_dump(call.core, *e, &payload);
  call.reply().bulk(payload);
}

bool payload_valid(const Core& core, Slice payload, uint16_t* version) {
  if (payload.size < kFooter) return false;
  const char* footer = payload.end() - kFooter;
  memcpy(version, footer, 2);
  const bool strict = core.settings.rdb_version_check_strict;
  if (*version < 1 || (strict && (*version > kRdbVersion || foreign_version(*version)))) return false;
  if (core.debug.skip_checksum_validation) return true;
  uint64_t crc;
  memcpy(&crc, footer + 2, 8);
  return crc64({payload.data, payload.size - 8}) == crc;
}

struct RestoreOptions {
  bool replace = false, absttl = false;
  int64_t idle_s = -1, freq = -1;
};

// False: an error was replied.
bool parse_restore_options(const Call& call, RestoreOptions* o) {
  for (int i = 4; i < call.argc(); i++) {
    const Slice word = call.arg(i);
    const bool more = i + 1 < call.argc();
    if (equals_nocase(word, "replace")) {
      o->replace = true;
    } else if (equals_nocase(word, "absttl")) {
      o->absttl = true;
    } else if (equals_nocase(word, "idletime") && more && o->freq == -1) {
      if (!parse_i64(call.arg(++i), &o->idle_s)) return call.not_an_integer(), false;
      if (o->idle_s < 0) return call.reply().error("ERR Invalid IDLETIME value, must be >= 0"), false;
    } else if (equals_nocase(word, "freq") && more && o->idle_s == -1) {
      if (!parse_i64(call.arg(++i), &o->freq)) return call.not_an_integer(), false;
      if (o->freq < 0 || o->freq > 255) {
        return call.reply().error("ERR Invalid FREQ value, must be >= 0 and <= 255"), false;
      }
    } else {
      return call.syntax_error(), false;
    }
  }
  return true;
}

// RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]
void restore_command(Call& call) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  Reply& reply = call.reply();
  const KeyRef k = call.key(1);
  RestoreOptions options;
  if (!parse_restore_options(call, &options)) return;
  if (!options.replace && ks.lookup_write(db, k) != nullptr) {
    return reply.error("BUSYKEY Target key name already exists.");
  }
  int64_t deadline_ms;
  if (!parse_i64(call.arg(2), &deadline_ms)) return call.not_an_integer();
  if (deadline_ms < 0) return reply.error("ERR Invalid TTL value, must be >= 0");
  const Slice payload = call.arg(3);
  uint16_t version;
  if (!payload_valid(call.core, payload, &version)) {
    return reply.error("ERR DUMP payload version or checksum are wrong");
  }
  const bool expires = deadline_ms != 0;
  if (expires && !options.absttl) {
    // As the original does: a sum beyond the range of time wraps and lies in the past.
    deadline_ms = static_cast<int64_t>(static_cast<uint64_t>(deadline_ms) + static_cast<uint64_t>(ks.now_ms));
  }
  RdbInput in({payload.data, payload.size - kFooter});
  uint8_t type;
  if (!in.byte(&type)) return reply.error("ERR Bad data format");
  if (foreign_version(version) && type >= kFirstForeignType) {
    return reply.errorf("ERR Unsupported foreign data type: %d", type);
  }
  Entry* e = nullptr;
  if (rdb_load_value(in, type, k.key, expires ? deadline_ms : kNoExpiry, call.core.settings.encodings, &e) !=
      RdbLoaded::kOk) {
    call.core.log(LogLevel::kVerbose, "Internal error in RDB reading offset %zu -> %s",
                  payload.size - kFooter - in.left(), in.refusal());
    return reply.error("ERR Bad data format");
  }
  const bool deleted = options.replace && ks.remove(db, k, ks.lazyfree_server_del);
  if (expires && ks.deadline_passed(deadline_ms)) {
    ks.free_entry(e, false);
    if (deleted) {
      if (call.propagating()) call.propagation().rewrite({ks.lazyfree_server_del ? "UNLINK" : "DEL", k.key});
      ks.modified(db, k.key);
      ks.notify(kNotifyGeneric, "del", k.key, db);
      ks.dirty++;
    }
    return reply.ok();
  }
  ks.add(db, k, e);
  ks.set_access(e, options.freq, options.idle_s);
  if (expires && !options.absttl && call.propagating()) {
    char digits[kInt64Chars];
    std::vector<Slice> argv(call.argv.begin(), call.argv.end());
    argv[2] = {digits, format_i64(digits, deadline_ms)};
    argv.emplace_back("ABSTTL");
    call.propagation().rewrite(std::span<const Slice>(argv));
  }
  ks.modified(db, k.key);
  ks.notify(kNotifyGeneric, "restore", k.key, db);
  ks.dirty++;
  reply.ok();
}

}  // namespace

void append_dump(const Core& core, const Entry& e, std::string* payload) {
  const size_t start = payload->size();
  RdbWriter out(payload, core.settings.rdb_compression);
  out.byte(static_cast<uint8_t>(rdb_type_of(e)));
  rdb_save_value(out, e);
  payload->append(reinterpret_cast<const char*>(&kRdbVersion), 2);
  out.le64(crc64({payload->data() + start, payload->size() - start}));
}

void register_dump_commands(HandlerMap& map) {
  map["dump"] = dump_command;
  map["restore"] = restore_command;
}

}  // namespace kvasir
