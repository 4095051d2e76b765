// Prefetching of collections: every encoding in every step, keys that are not there, and elements whose hash
// it leaves for the command. That nothing is read which is not there is for the sanitizers to see.
#include "keyspace/value_prefetch.h"

#include <string>
#include <vector>

#include "check.h"
#include "command_bench.h"

using namespace kvasir;

namespace {

std::string many(const std::string& head, int n, const char* between) {
  std::string line = head;
  for (int i = 0; i < n; i++) line += between + std::string("element:") + std::to_string(i);
  return line;
}

TEST(every_encoding_and_what_is_missing) {
  CommandBench b({register_set_commands, register_hash_commands, register_zset_commands,
                  register_list_commands, register_stream_commands, register_string_commands});
  b.run("SET text value");
  b.run("SADD ints 1 2 3");
  b.run("SADD pack a b");
  b.run(many("SADD table", 300, " "));
  b.run("HSET hash-pack f v");
  b.run(many("HSET hash-table", 600, " v "));
  b.run("ZADD zset-pack 1 a");
  b.run(many("ZADD zset-table", 300, " 1 "));
  b.run("RPUSH list-pack a");
  b.run(many("RPUSH list-nodes", 2000, " "));
  b.run("XADD stream 1-1 f v");
  const std::vector<std::string> keys = {"text",       "ints",      "pack",       "table",
                                         "hash-pack",  "zset-pack", "zset-table", "list-pack",
                                         "list-nodes", "stream",    "missing",    "hash-table"};
  ValuePrefetch prefetch;
  const Database& db = b.core.keyspace.db(0);
  for (const std::string& key : keys) {
    const bool table = key.ends_with("table");
    for (const std::string element : {"element:7", "no such element", ""}) {
      uint64_t hash = 0;
      prefetch.add(db, b.core.keyspace.ref(key), element, &hash);
      CHECK_EQ(hash, table ? hash_bytes(Slice(element)) : 0U);
      uint64_t none = 0;
      prefetch.add(db, b.core.keyspace.ref(key), {}, &none);
      CHECK_EQ(none, 0U);
    }
    prefetch.run();
  }
}

TEST(what_is_too_much_is_left_out) {
  CommandBench b({register_set_commands});
  b.run(many("SADD table", 300, " "));
  ValuePrefetch prefetch;
  std::vector<uint64_t> hashes(2 * ValuePrefetch::kMost, 0);
  for (uint64_t& h : hashes)
    prefetch.add(b.core.keyspace.db(0), b.core.keyspace.ref("table"), "element:1", &h);
  CHECK(hashes.front() != 0);
  CHECK_EQ(hashes.back(), 0U);
  prefetch.run();
}

}  // namespace

TEST_MAIN()
