// RDB files, written and read back: whole, and cut into pieces at every byte.
#include "persist/rdb_load.h"

#include <cstring>
#include <string>

#include "base/crc64.h"
#include "check.h"
#include "rdb_fixture.h"

using namespace kvasir;
using namespace kvasir::test;

namespace {

// A file with that in it between magic and end, and the right checksum.
std::string file_of(const std::string& parts, const char* magic = "VALKEY080") {
  std::string s = magic + parts + '\xff';
  const uint64_t crc = crc64(s);
  s.append(reinterpret_cast<const char*>(&crc), 8);
  return s;
}

std::string key(const std::string& name, const std::string& value) {
  return std::string("\0", 1) + static_cast<char>(name.size()) + name + static_cast<char>(value.size()) +
         value;
}

std::string deadline(int64_t ms) { return '\xfc' + std::string(reinterpret_cast<const char*>(&ms), 8); }

}  // namespace

TEST(the_example_of_valkey_9_1_2) {
  // As a real server wrote it; the order of a hash's fields is that of its table.
  Data data;
  data.string(0, "a", "hello");
  const std::string ours = saved(data);
  CHECK(
      ours.starts_with("VALKEY080\xfa\x0avalkey-ver\x05"
                       "9.1.2\xfa\x0aredis-bits\xc0\x40\xfa\x05"
                       "ctime\xc2"));
  const std::string end = ours.substr(ours.size() - 27, 19);
  CHECK(end == std::string("\xfe\x00\xfb\x01\x00\x00\x01"
                           "a\x05hello\xff",
                           15) ||
        ours.find(std::string("\xfa\x08"
                              "aof-base\xc0\x00\xfe\x00\xfb\x01\x00\x00\x01"
                              "a\x05hello\xff",
                              27)) != std::string::npos);
  uint64_t crc;
  memcpy(&crc, ours.data() + ours.size() - 8, 8);
  CHECK_EQ(crc, crc64({ours.data(), ours.size() - 8}));
}

TEST(what_is_saved_is_loaded) {
  for (const bool compress : {true, false}) {
    Data data, other;
    data.fill();
    data.libraries = {"#!lua name=one\nreturn 1"};
    const std::string bytes = saved(data, {compress, true});
    const Loaded loaded = load_file(other, bytes);
    CHECK(loaded.result == RdbLoadResult::kOk);
    CHECK(other.digest() == data.digest());
    CHECK_EQ(loaded.progress.keys_loaded, data.keys());
    CHECK(other.libraries == data.libraries);
    CHECK(loaded.says("Loading RDB produced by Valkey version 9.1.2"));
    CHECK(loaded.says("RDB memory usage when created 1.00 Mb"));
    CHECK(loaded.says("Done loading RDB, keys loaded: 312, keys expired: 0, all fields expired hashes: 0."));
    // And once more: nothing is lost by saving what was loaded.
    Data third;
    CHECK(load_file(third, saved(other)).result == RdbLoadResult::kOk);
    CHECK(third.digest() == data.digest());
  }
}

TEST(in_cluster_mode) {
  Data data(2, true), other(2, true), alone;
  for (int i = 0; i < 500; i++) data.string(i % 2, "key:" + std::to_string(i), "v");
  data.hash(0, "dated", 10, wall_ms() + 100000);
  const std::string bytes = saved(data);
  CHECK(bytes.find("slot-info") != std::string::npos);
  CHECK(load_file(other, bytes).result == RdbLoadResult::kOk);
  CHECK(other.digest() == data.digest());
  CHECK(load_file(alone, bytes).result == RdbLoadResult::kOk);
  CHECK(alone.digest() == data.digest());
}

TEST(in_pieces_of_any_size) {
  Data data;
  data.fill();
  const std::string bytes = saved(data);
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{100}, size_t{4096}, bytes.size()}) {
    Data other;
    const Loaded loaded = load_pushed(other, bytes, piece);
    CHECK(loaded.result == RdbLoadResult::kOk);
    CHECK(other.digest() == data.digest());
  }
}

TEST(cut_short_anywhere) {
  Data data;
  data.string(0, "a", "1");
  data.hash(0, "h", 3, wall_ms() + 100000);
  data.set(1, "s", 3, "m");
  data.libraries = {"#!lua name=x"};
  const std::string bytes = saved(data);
  for (size_t n = 0; n < bytes.size(); n++) {
    Data other, third;
    const Loaded file = load_file(other, {bytes.data(), n});
    CHECK(file.result == RdbLoadResult::kUnreadable);
    CHECK(file.says("Short read or OOM loading DB. Unrecoverable error, aborting now."));
    CHECK(file.says("Unexpected EOF reading RDB file"));
    RdbLoadOptions socket;
    socket.from_file = false;
    const Loaded stream = load_pushed(third, {bytes.data(), n}, 5, socket);
    CHECK(stream.result == RdbLoadResult::kFailed);
    CHECK(stream.says("assuming connection error, resuming operation."));
  }
}

TEST(given_up_in_the_middle) {
  Data data, other;
  data.fill();
  const std::string bytes = saved(data);
  RdbLoader loader(&other.ks, &other.limits, &other.libraries, {});
  loader.expect_pushes();
  loader.source().push({bytes.data(), bytes.size() / 2});
  CHECK(loader.run(std::numeric_limits<uint64_t>::max()));
  CHECK(loader.starving());
}

TEST(a_checksum_that_does_not_match) {
  Data data;
  data.string(0, "a", "1");
  std::string bytes = saved(data);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  Data other, trusting, none;
  const Loaded loaded = load_file(other, bytes);
  CHECK(loaded.result == RdbLoadResult::kUnreadable);
  CHECK(loaded.says("Wrong RDB checksum expected: ("));
  CHECK(loaded.says("RDB CRC error"));
  RdbLoadOptions options;
  options.verify_checksum = false;
  CHECK(load_file(trusting, bytes, options).result == RdbLoadResult::kOk);
  const Loaded unchecked = load_file(none, saved(data, {true, false}));
  CHECK(unchecked.result == RdbLoadResult::kOk);
  CHECK(unchecked.says("RDB file was saved with checksum disabled: no check performed."));
}

TEST(versions) {
  const auto result = [](const char* magic, bool strict) {
    Data data;
    RdbLoadOptions options;
    options.strict_version = strict;
    options.empty_first = true;
    data.string(0, "stays", "1");
    const Loaded loaded = load_file(data, file_of("", magic), options);
    CHECK_EQ(data.keys(), loaded.result == RdbLoadResult::kOk ? 0u : 1u);
    CHECK_EQ(loaded.says("RDB signature and version check passed. Flushing old data"),
             loaded.result == RdbLoadResult::kOk);
    return loaded.result;
  };
  const auto yes = RdbLoadResult::kOk, no = RdbLoadResult::kIncompatible;
  for (const bool strict : {true, false}) {
    CHECK(result("REDIS0011", strict) == yes);
    CHECK(result("REDIS0001", strict) == yes || true);
    CHECK(result("VALKEY080", strict) == yes);
    CHECK(result("REDIS0012", strict) == (strict ? no : yes));
    CHECK(result("REDIS0079", strict) == (strict ? no : yes));
    CHECK(result("REDIS0080", strict) == no);
    CHECK(result("REDIS0000", strict) == no);
    CHECK(result("VALKEY079", strict) == no);
    CHECK(result("VALKEY081", strict) == (strict ? no : yes));
    CHECK(result("REDIS1001", strict) == no);
    CHECK(result("something", strict) == no);
  }
}

TEST(types_that_mean_something_else_there) {
  Data data;
  RdbLoadOptions options;
  options.strict_version = false;
  const Loaded foreign = load_file(data, file_of("\x96", "REDIS0075"), options);
  CHECK(foreign.result == RdbLoadResult::kFailed);
  CHECK(foreign.says("Can't handle foreign type or opcode 150 in RDB with version 75"));
  const Loaded relaxed = load_file(data, file_of("\x96\x01x", "VALKEY090"), options);
  CHECK(relaxed.result == RdbLoadResult::kFailed);
  CHECK(relaxed.says("Unknown type or opcode when loading DB. Unrecoverable error, aborting now."));
  const Loaded strict = load_file(data, file_of("\x96\x01x"));
  CHECK(strict.result == RdbLoadResult::kUnreadable);
  CHECK(strict.says("Unknown RDB encoding type 150"));
}

TEST(a_version_for_old_replicas) {
  Data data;
  data.string(0, "a", "1");
  CHECK(saved(data, {true, true, RdbAccess::kNone, 11}).starts_with("REDIS0011"));
  data.hash(1, "dated", 4, wall_ms() + 100000);
  CHECK(saved(data, {true, true, RdbAccess::kNone, 11}).empty());
}

TEST(deadlines_that_are_past) {
  Data data;
  const int64_t past = wall_ms() - 1000;
  const std::string parts = deadline(past) + key("gone", "1") + key("stays", "2") +
                            deadline(wall_ms() + 100000) + key("later", "3") +
                            std::string("\xfd\x01\x00\x00\x00", 5) + key("long ago", "4");
  const Loaded primary = load_file(data, file_of(parts));
  CHECK(primary.result == RdbLoadResult::kOk);
  CHECK_EQ(primary.progress.keys_loaded, 2u);
  CHECK_EQ(primary.progress.keys_expired, 2u);
  CHECK_EQ(data.ks.db(0).expires_size(), 1u);
  Data replica;
  RdbLoadOptions options;
  options.drop_expired = false;
  CHECK_EQ(load_file(replica, file_of(parts), options).progress.keys_loaded, 4u);
  CHECK_EQ(replica.ks.db(0).expires_size(), 3u);
  Data telling;
  options.drop_expired = options.propagate_expired = true;
  load_file(telling, file_of(parts), options);
  CHECK(telling.signals.told == std::vector<std::string>({"gone", "long ago"}));
}

TEST(fields_that_are_past) {
  Data data;
  const int64_t past = wall_ms() - 1000;
  const auto field = [](const std::string& name, int64_t ms) {
    return static_cast<char>(name.size()) + name + "\x01v" +
           std::string(reinterpret_cast<const char*>(&ms), 8);
  };
  const std::string some =
      std::string("\x16\x01h\x03", 4) + field("a", past) + field("b", -1) + field("c", wall_ms() + 100000);
  const std::string all = std::string("\x16\x01g\x01", 4) + field("a", past);
  RdbLoadOptions options;
  options.propagate_expired = true;
  const Loaded loaded = load_file(data, file_of(some + all), options);
  CHECK(loaded.result == RdbLoadResult::kOk);
  CHECK(loaded.says("keys loaded: 1, keys expired: 0, all fields expired hashes: 1."));
  CHECK_EQ(data.keys(), 1u);
  CHECK_EQ(hash_size(data.ks.db(0).find(data.ks.ref("h")).get()->collection()), 2u);
  CHECK_EQ(data.ks.db(0).dated_hashes(), 1u);
  CHECK(data.signals.told == std::vector<std::string>({"h.a", "g.a"}));
}

TEST(keys_that_come_twice) {
  Data data;
  const std::string parts = key("a", "1") + key("a", "2");
  const Loaded twice = load_file(data, file_of(parts));
  CHECK(twice.result == RdbLoadResult::kExit);
  CHECK(twice.says("RDB has duplicated key in DB 0"));
  Data merged;
  merged.string(0, "a", "0");
  merged.string(0, "b", "0");
  RdbLoadOptions options;
  options.replace_duplicates = true;
  CHECK(load_file(merged, file_of(parts), options).result == RdbLoadResult::kOk);
  CHECK_EQ(merged.keys(), 2u);
  CHECK_EQ(merged.ks.db(0).find(merged.ks.ref("a")).get()->int_value(), 2);
}

TEST(empty_values_are_left_out) {
  Data data;
  RdbLoadOptions options;
  options.hide_user_data = false;
  const Loaded loaded = load_file(data, file_of(std::string("\x02\x03set\x00", 6) + key("a", "1")), options);
  CHECK(loaded.result == RdbLoadResult::kOk);
  CHECK(loaded.says("rdbLoadObject skipping empty key: set"));
  CHECK(loaded.says("keys loaded: 1, keys expired: 0, empty keys skipped: 1, all fields expired hashes: 0."));
}

TEST(fields_of_the_file) {
  Data data;
  const auto aux = [](const std::string& name, const std::string& value) {
    return '\xfa' + std::string(1, static_cast<char>(name.size())) + name + static_cast<char>(value.size()) +
           value;
  };
  const std::string id(40, 'a');
  const Loaded loaded = load_file(
      data, file_of(aux("redis-ver", "7.2.0") + aux("%note", "hello") + aux("repl-stream-db", "3") +
                    aux("repl-id", id) + aux("Repl-Offset", "77") + aux("lua", "x") + aux("unknown", "x") +
                    aux("slot-info", "5,1,2,3") + aux("aof-base", "1") + aux("ctime", "9999999999")));
  CHECK(loaded.result == RdbLoadResult::kOk);
  CHECK(loaded.says("Loading RDB produced by Redis version 7.2.0"));
  CHECK(loaded.says("RDB '%note': hello"));
  CHECK(loaded.says("RDB is base AOF"));
  CHECK(loaded.says("RDB age 0 seconds"));
  CHECK(loaded.says("Unrecognized RDB AUX field: 'unknown'"));
  CHECK_EQ(loaded.replication.stream_db, 3);
  CHECK_EQ(loaded.replication.id, id);
  CHECK_EQ(loaded.replication.offset, 77);
  CHECK(load_file(data, file_of(aux("slot-info", "5,1"))).result == RdbLoadResult::kUnreadable);
}

TEST(what_is_refused) {
  Data data;
  const auto fails = [&](const std::string& parts, RdbLoadResult how, const std::string& says) {
    const Loaded loaded = load_file(data, file_of(parts));
    CHECK(loaded.result == how);
    CHECK(loaded.says(says));
  };
  fails("\xfe\x10", RdbLoadResult::kExit,
        "FATAL: Data file was created with a Valkey server configured to handle more than 4 databases. "
        "Exiting");
  fails("\xf6", RdbLoadResult::kUnreadable, "Pre-release function format not supported.");
  // The id of a module "ABCDEFGHI" version 0, in nine times six bits.
  const std::string id("\x81\x00\x10\x83\x10\x51\x87\x20\x00", 9);
  fails("\xf7" + id + "\x02\x02", RdbLoadResult::kExit,
        "The RDB file contains AUX module data I can't load: no matching module 'ABCDEFGHI'");
  fails("\xf7" + id + "\x03\x02", RdbLoadResult::kUnreadable, "bad when_opcode");
  fails("\x07\x01k" + id, RdbLoadResult::kUnreadable,
        "The RDB file contains module data I can't load: no matching module type 'ABCDEFGHI'");
  fails("\x06\x01k", RdbLoadResult::kUnreadable, "Pre-release module format not supported");
  fails(std::string("\xf3\x03") + "abc", RdbLoadResult::kUnreadable,
        "Invalid slot import job name length in RDB");
  const std::string job = "\xf3\x28" + std::string(40, 'j');
  fails(job + "\x01\x05\x04", RdbLoadResult::kUnreadable, "Invalid slot import range in RDB: start=5 end=4");
  fails(job + std::string("\x01\x00\x80\x00\x00\x40\x00", 7), RdbLoadResult::kUnreadable,
        "Invalid slot import range in RDB: start=0 end=16384");
  CHECK(load_file(data, file_of(job + std::string("\x02\x00\x01\x05\x05", 5))).result == RdbLoadResult::kOk);
  CHECK(load_file(data, file_of(std::string("\xf4\x01\x02\x03"))).result == RdbLoadResult::kOk);
  fails(std::string("\x0b\x01s\x03"
                    "abc"),
        RdbLoadResult::kUnreadable, "Intset integrity check failed.");
}

TEST(claims_are_not_believed) {
  Data data;
  // RESIZEDB, a string, a hash and a set of 2^62.
  const std::string huge("\x81\x40\x00\x00\x00\x00\x00\x00\x00", 9);
  CHECK(load_file(data, file_of("\xfb" + huge + huge + key("a", "1"))).result == RdbLoadResult::kOk);
  for (const char* type : {"\x00", "\x04", "\x02", "\x05", "\x01"}) {
    const std::string parts = std::string(type, 1) + "\x01k" + huge;
    CHECK(load_file(data, file_of(parts)).result == RdbLoadResult::kUnreadable);
    Data other;
    CHECK(load_pushed(other, file_of(parts), 3).result == RdbLoadResult::kUnreadable);
  }
}

TEST(use_of_keys) {
  for (const bool lfu : {false, true}) {
    Data data, other;
    data.ks.lfu = other.ks.lfu = lfu;
    data.ks.lru_clock = other.ks.lru_clock = 100000;
    data.string(0, "a", "1");
    data.ks.set_access(data.ks.db(0).find(data.ks.ref("a")).get(), 77, 5000);
    const std::string bytes = saved(data, {true, true, lfu ? RdbAccess::kFrequency : RdbAccess::kIdle});
    CHECK(load_file(other, bytes).result == RdbLoadResult::kOk);
    const Entry& e = *other.ks.db(0).find(other.ks.ref("a")).get();
    if (lfu) {
      CHECK_EQ(e.lru() & 0xff, 77u);
    } else {
      CHECK_EQ(other.ks.idle_seconds(e), 5000u);
    }
  }
}

TEST_MAIN()
