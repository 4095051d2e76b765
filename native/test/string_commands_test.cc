// What the string commands hand to the propagation stream, the events they raise, and how they treat the
// buffers of long values. The handlers run on a Core of their own, without engine and sockets.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/strbuf.h"
#include "check.h"
#include "command_bench.h"
#include "commands/core.h"

namespace kvasir {
namespace {

struct Bench : CommandBench {
  Bench() : CommandBench({register_string_commands}) {}
};

TEST(set_propagates_absolute_time) {
  Bench b;
  CHECK_EQ(b.run("set k v"), "+OK");
  CHECK_EQ(b.stream, "set k v");
  CHECK_EQ(b.signals.events, "new:k set:k ");
  CHECK_EQ(b.run("set k v EX 100"), "+OK");
  CHECK_EQ(b.stream, "set k v PXAT 1700000100000");
  CHECK_EQ(b.signals.events, "set:k expire:k ");
  CHECK_EQ(b.run("set k v px 5 xx"), "+OK");
  CHECK_EQ(b.stream, "SET k v PXAT 1700000000005");
  CHECK_EQ(b.run("SETEX k 10 w"), "+OK");
  CHECK_EQ(b.stream, "SET k w PXAT 1700000010000");
  CHECK_EQ(b.run("PSETEX k 10 w"), "+OK");
  CHECK_EQ(b.stream, "SET k w PXAT 1700000000010");
  CHECK_EQ(b.run("SET k v PXAT 1800000000000 NX"), "$-1");
  CHECK_EQ(b.stream, "");
  CHECK_EQ(b.run("SET k v PXAT 1800000000000 XX"), "+OK");
  CHECK_EQ(b.stream, "SET k v PXAT 1800000000000 XX");
  CHECK_EQ(b.run("SETNX n 1"), ":1");
  CHECK_EQ(b.stream, "SETNX n 1");
  CHECK_EQ(b.run("SETNX n 1"), ":0");
  CHECK_EQ(b.changes, 0U);
}

TEST(set_get_propagates_without_get) {
  Bench b;
  CHECK_EQ(b.run("SET k get"), "+OK");
  CHECK_EQ(b.run("SET k v GET IFEQ get get KEEPTTL"), "$3 get");
  CHECK_EQ(b.stream, "SET k v IFEQ get KEEPTTL");
  CHECK_EQ(b.run("SET k w GET EX 1"), "$1 v");
  CHECK_EQ(b.stream, "SET k w PXAT 1700000001000");
  CHECK_EQ(b.run("GETSET k x"), "$1 w");
  CHECK_EQ(b.stream, "SET k x");
  CHECK_EQ(b.entry("k")->expire_ms(), kNoExpiry);
  CHECK_EQ(b.core.keyspace.db(0).expires_size(), 0U);
}

TEST(past_deadline_deletes) {
  Bench b;
  for (const bool lazy : {false, true}) {
    b.core.keyspace.lazyfree_expire = lazy;
    b.run("SET k v");
    CHECK_EQ(b.run("SET k w EXAT 1"), "+OK");
    CHECK_EQ(b.stream, lazy ? "UNLINK k" : "DEL k");
    CHECK_EQ(b.signals.events, "expired:k ");
    CHECK_EQ(b.signals.modified, "k ");
    CHECK(b.entry("k") == nullptr);
    CHECK_EQ(b.run("SET k w EXAT 1"), "+OK");
    CHECK_EQ(b.changes, 0U);
    b.run("SET k v");
    CHECK_EQ(b.run("GETEX k PXAT 1"), "$1 v");
    CHECK_EQ(b.stream, lazy ? "UNLINK k" : "DEL k");
  }
  CHECK_EQ(b.core.keyspace.stats.expired, 4U);
  // A replica stores it as its primary did.
  b.core.keyspace.is_replica = true;
  CHECK_EQ(b.run("SET k w PXAT 1"), "+OK");
  CHECK_EQ(b.entry("k")->expire_ms(), 1);
}

TEST(getex_and_deletions) {
  Bench b;
  b.run("SET k v");
  CHECK_EQ(b.run("GETEX k"), "$1 v");
  CHECK_EQ(b.changes, 0U);
  CHECK_EQ(b.run("GETEX k PERSIST"), "$1 v");
  CHECK_EQ(b.changes, 0U);
  CHECK_EQ(b.run("GETEX k EX 7"), "$1 v");
  CHECK_EQ(b.stream, "PEXPIREAT k 1700000007000");
  CHECK_EQ(b.signals.events, "expire:k ");
  CHECK_EQ(b.run("GETEX k PERSIST"), "$1 v");
  CHECK_EQ(b.stream, "PERSIST k");
  CHECK_EQ(b.signals.events, "persist:k ");
  CHECK_EQ(b.run("DELIFEQ k w"), ":0");
  CHECK_EQ(b.changes, 0U);
  CHECK_EQ(b.run("DELIFEQ k v"), ":1");
  CHECK_EQ(b.stream, "DEL k");
  b.run("SET k 12");
  CHECK_EQ(b.run("GETDEL k"), "$2 12");
  CHECK_EQ(b.stream, "DEL k");
  CHECK_EQ(b.signals.events, "del:k ");
  CHECK_EQ(b.run("GETDEL k"), "$-1");
  CHECK_EQ(b.signals.events, "keymiss:k ");
}

TEST(counters) {
  Bench b;
  CHECK_EQ(b.run("INCRBYFLOAT k 1.5"), "$3 1.5");
  CHECK_EQ(b.stream, "SET k 1.5 KEEPTTL");
  CHECK_EQ(b.run("INCRBYFLOAT k 0.5"), "$1 2");
  CHECK_EQ(b.encoding("k"), "embstr");
  CHECK_EQ(b.signals.events, "incrbyfloat:k ");
  CHECK_EQ(b.run("DECRBY k 5"), ":-3");
  CHECK_EQ(b.stream, "DECRBY k 5");
  CHECK_EQ(b.encoding("k"), "int");
  CHECK_EQ(b.run("SET k 9223372036854775807 PX 100"), "+OK");
  CHECK_EQ(b.run("INCR k"), "-ERR increment or decrement would overflow");
  CHECK_EQ(b.run("DECRBY k -9223372036854775808"), "-ERR decrement would overflow");
  CHECK_EQ(b.run("DECR k"), ":9223372036854775806");
  CHECK_EQ(b.entry("k")->expire_ms(), kNow + 100);
}

TEST(many_keys) {
  Bench b;
  CHECK_EQ(b.run("MSETEX 2 a 1 b 2 EX 10 NX"), ":1");
  CHECK_EQ(b.stream, "MSETEX 2 a 1 b 2 PXAT 1700000010000 NX");
  CHECK_EQ(b.signals.events, "new:a set:a expire:a new:b set:b expire:b ");
  CHECK_EQ(b.changes, 2U);
  CHECK_EQ(b.run("MSETEX 2 a 3 c 4 NX"), ":0");
  CHECK_EQ(b.changes, 0U);
  CHECK_EQ(b.run("MSETEX 1 a 3 KEEPTTL"), ":1");
  CHECK_EQ(b.stream, "MSETEX 1 a 3 KEEPTTL");
  CHECK_EQ(b.entry("a")->expire_ms(), kNow + 10000);
  CHECK_EQ(b.run("MSETEX 2 a 3"), "-ERR syntax error");
  CHECK_EQ(b.run("MSET a 1 c 2 a 3"), "+OK");
  CHECK_EQ(b.stream, "MSET a 1 c 2 a 3");
  CHECK_EQ(b.changes, 3U);
  CHECK_EQ(b.entry("a")->expire_ms(), kNoExpiry);
  CHECK_EQ(b.run("MSETNX d 1 a 2"), ":0");
  CHECK_EQ(b.run("MSETNX d 1 d 2"), ":1");
  CHECK_EQ(b.run("GET d"), "$1 2");
  // More keys than a batch of prefetching.
  std::string line = "MGET";
  for (int i = 0; i < 40; i++) line += i % 2 == 0 ? " a" : " none";
  const std::string reply = b.run(line);
  CHECK_EQ(reply.substr(0, 14), "*40 $1 3 $-1 $");
  CHECK_EQ(reply.size(), 3U + 20 * 9);
}

TEST(expired_key_is_deleted_before_it_is_overwritten) {
  Bench b;
  b.run("SET k v PX 10");
  b.core.keyspace.now_ms += 11;
  CHECK_EQ(b.run("SET k w"), "+OK");
  CHECK_EQ(b.signals.events, "expired:k <unlink k> new:k set:k ");
  CHECK_EQ(b.core.keyspace.db(0).size(), 1U);
  CHECK_EQ(b.core.keyspace.db(0).expires_size(), 0U);
  b.run("SET k 5 PX 10");
  b.core.keyspace.now_ms += 11;
  CHECK_EQ(b.run("INCR k"), ":1");
}

TEST(expire_time_limits) {
  Bench b;
  const std::string error = "-ERR invalid expire time in 'set' command";
  for (const char* time : {"EX 0", "PX -1", "EX 9223372036854775807", "EX 9223372036854776",
                           "PX 9223372036854775807", "EXAT 9223372036854776"}) {
    CHECK_EQ(b.run(std::string("SET k v ") + time), error);
  }
  CHECK_EQ(b.run("SETEX k 0 v"), "-ERR invalid expire time in 'setex' command");
  CHECK_EQ(b.run("SET k v EX 1.5"), "-ERR value is not an integer or out of range");
  CHECK_EQ(b.run("SET k v EX"), "-ERR syntax error");
  CHECK_EQ(b.run("SET k v EX 1 PX 1"), "-ERR syntax error");
  CHECK_EQ(b.run("SET k v KEEPTTL EX 1"), "-ERR syntax error");
  CHECK_EQ(b.run("GETEX k PERSIST EX 1"), "-ERR syntax error");
  CHECK(b.entry("k") == nullptr);
}

// ------------------------------------------------------------------ buffers

std::vector<StrBuf*> value_buffer(StrBuf* b) { return {nullptr, nullptr, b}; }

TEST(own_buffer_is_stored_without_a_copy) {
  Bench b;
  StrBuf* value = StrBuf::copy_of(std::string(40000, 'x'));
  CHECK_EQ(b.run({"SET", "k", ""}, value_buffer(value)), "+OK");
  CHECK(b.entry("k")->buffer() == value);
  // The request's reference and the key's.
  CHECK_EQ(value->refs(), 2U);
  value->release();
  // One buffer replaces another in the same entry.
  const Entry* before = b.entry("k");
  StrBuf* other = StrBuf::copy_of(std::string(50000, 'y'));
  b.run({"SET", "k", ""}, value_buffer(other));
  other->release();
  CHECK(b.entry("k") == before);
  CHECK(b.entry("k")->buffer() == other);
  CHECK(other->unique());
}

TEST(a_referenced_buffer_is_left_alone) {
  Bench b;
  const std::string x(20000, 'x');
  b.run("SET k " + x);
  for (const char* change :
       {"APPEND k tail", "SETRANGE k 5 abc", "SET k ", "GETSET k ", "SETRANGE k 30000 end"}) {
    b.run("SET k " + x);
    StrBuf* held = b.entry("k")->buffer()->retain();
    const std::string line = change;
    b.run(line.back() == ' ' ? line + std::string(20000, 'z') : line);
    CHECK_EQ(held->slice().str(), x);
    CHECK(b.entry("k")->buffer() != held);
    CHECK(held->unique());
    held->release();
  }
}

TEST(long_values_reply_by_reference_above_the_threshold) {
  Bench b;
  const std::string x(20000, 'x');
  b.run("SET k " + x);
  const auto reference_of = [&](const char* line) {
    Command& c = b.command;
    c.name = c.fullname = "get";
    const Slice argv[] = {"GET", line};
    Call call{b.core, *b.client, c, argv, nullptr, 0};
    b.handlers.at("get")(call);
    const size_t n = b.client->out.ref_bytes();
    b.client->out.clear();
    return n;
  };
  CHECK_EQ(reference_of("k"), x.size());
  b.arena.reference_from = 20001;
  CHECK_EQ(reference_of("k"), 0U);
  b.arena.reference_from = 0;
  CHECK_EQ(reference_of("k"), 0U);
  b.arena.reference_from = 20000;
  CHECK_EQ(reference_of("k"), x.size());
}

TEST(append_grows_by_doubling) {
  Bench b;
  b.run("SET k " + std::string(2000, 'x'));
  int moves = 0;
  const char* data = nullptr;
  for (int i = 0; i < 20000; i++) {
    b.run("APPEND k 0123456789");
    if (b.entry("k")->buffer()->data() != data) moves++;
    data = b.entry("k")->buffer()->data();
  }
  CHECK_EQ(b.entry("k")->string_size(), 202000U);
  CHECK(moves < 12);
}

TEST(in_place_and_not_too_roomy) {
  Bench b;
  b.run("SET k " + std::string(600, 'x'));
  const Entry* e = b.entry("k");
  b.run("SET k " + std::string(500, 'y'));
  CHECK(b.entry("k") == e);
  b.run("SET k short");
  CHECK(b.entry("k")->shell_bytes() < 64);
  CHECK_EQ(b.run("GET k"), "$5 short");
  b.run("APPEND k ''");
  CHECK_EQ(b.encoding("k"), "raw");
  b.run("SET k short");
  CHECK_EQ(b.encoding("k"), "embstr");
  b.run("SET k 1 EX 10");
  b.run("SET k 2");
  CHECK_EQ(b.core.keyspace.db(0).expires_size(), 0U);
  CHECK_EQ(b.entry("k")->expire_ms(), kNoExpiry);
}

TEST(size_limit) {
  Bench b;
  b.core.settings.proto_max_bulk_len = 1 << 20;
  const std::string error = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)";
  CHECK_EQ(b.run("SETRANGE k 1048576 x"), error);
  CHECK_EQ(b.run("SETRANGE k 9223372036854775807 x"), error);
  CHECK_EQ(b.run("SETRANGE k 1048575 x"), ":1048576");
  CHECK_EQ(b.run("APPEND k x"), error);
  CHECK_EQ(b.run("APPEND k ''"), ":1048576");
  CHECK_EQ(b.run("SETRANGE k 9223372036854775807 ''"), ":1048576");
  CHECK_EQ(b.run("SETRANGE k -1 x"), "-ERR offset is out of range");
  b.core.loading = true;
  CHECK_EQ(b.run("APPEND k x"), ":1048577");
}

TEST(lcs) {
  Bench b;
  b.run("MSET a ohmytext b mynewtext");
  CHECK_EQ(b.run("LCS a b"), "$6 mytext");
  CHECK_EQ(b.run("LCS a b LEN"), ":6");
  CHECK_EQ(b.run("LCS a b IDX"), "*4 $7 matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $3 len :6");
  CHECK_EQ(b.run("LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN"),
           "*4 $7 matches *1 *3 *2 :4 :7 *2 :5 :8 :4 $3 len :6");
  CHECK_EQ(b.run("LCS a none"), "$0 ");
  CHECK_EQ(b.run("LCS a b LEN IDX"), "-ERR If you want both the length and indexes, please just use IDX.");
  b.core.settings.proto_max_bulk_len = 9 * 10 * 4 - 1;
  CHECK_EQ(b.run("LCS a b"), "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
}

}  // namespace
}  // namespace kvasir

TEST_MAIN()
