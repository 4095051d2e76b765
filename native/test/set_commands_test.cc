// What the set commands and SORT hand to the propagation stream, the events they raise, what they count as
// changes, and the encodings of what they store.
#include <string>

#include "check.h"
#include "command_bench.h"

namespace kvasir {
namespace {

struct Bench : CommandBench {
  Bench()
      : CommandBench({register_set_commands, register_set_random_commands, register_set_algebra_commands,
                      register_sort_commands, register_list_commands, register_zset_commands,
                      register_zset_algebra_commands, register_string_commands}) {}
  // How many words the propagated command has.
  [[nodiscard]] size_t stream_words() const {
    return static_cast<size_t>(std::count(stream.begin(), stream.end(), ' ')) + 1;
  }
};

TEST(adding_and_removing) {
  Bench b;
  CHECK_EQ(b.run("SADD s a b a"), ":2");
  CHECK_EQ(b.signals.events, "new:s sadd:s ");
  CHECK_EQ(b.signals.modified, "s ");
  CHECK_EQ(b.changes, uint64_t{2});
  CHECK_EQ(b.stream, "SADD s a b a");
  CHECK_EQ(b.run("SADD s a"), ":0");
  CHECK_EQ(b.signals.events, "");
  CHECK_EQ(b.stream, "");
  CHECK_EQ(b.run("SREM s c"), ":0");
  CHECK_EQ(b.stream, "");
  CHECK_EQ(b.run("SREM s a b c"), ":2");
  CHECK_EQ(b.signals.events, "srem:s del:s ");
  CHECK_EQ(b.changes, uint64_t{2});
  CHECK(b.entry("s") == nullptr);
}

TEST(moving) {
  Bench b;
  b.run("SADD s a 1");
  CHECK_EQ(b.run("SMOVE s t 1"), ":1");
  CHECK_EQ(b.signals.events, "srem:s new:t sadd:t ");
  CHECK_EQ(b.signals.modified, "s t ");
  CHECK_EQ(b.changes, uint64_t{2});
  CHECK_EQ(b.encoding("t"), "intset");
  CHECK_EQ(b.run("SMOVE s t b"), ":0");
  CHECK_EQ(b.run("SMOVE none t 1"), ":0");
  CHECK_EQ(b.run("SMOVE s s a"), ":1");
  CHECK_EQ(b.run("SMOVE s s b"), ":0");
  CHECK_EQ(b.stream, "");
  b.run("SADD t a");
  // The destination has it: only the source changes.
  CHECK_EQ(b.run("SMOVE s t a"), ":1");
  CHECK_EQ(b.signals.events, "srem:s del:s ");
  CHECK_EQ(b.signals.modified, "s ");
  CHECK_EQ(b.changes, uint64_t{1});
  b.run("SET x y");
  CHECK_EQ(b.run("SMOVE none x a"), ":0");
  CHECK_EQ(b.run("SMOVE t x a"), "-WRONGTYPE Operation against a key holding the wrong kind of value");
}

TEST(pops_are_propagated_as_removals) {
  Bench b;
  b.run("SADD s 7");
  CHECK_EQ(b.run("SPOP s"), "$1 7");
  CHECK_EQ(b.stream, "SREM s 7");
  CHECK_EQ(b.signals.events, "spop:s del:s ");
  CHECK_EQ(b.changes, uint64_t{1});
  b.run("SADD s a b c");
  CHECK_EQ(b.run("SPOP s 0"), "*0");
  CHECK_EQ(b.stream, "");
  CHECK_EQ(b.signals.events, "");
  b.run("SPOP s 2");
  CHECK_EQ(b.stream_words(), size_t{4});
  CHECK_EQ(b.stream.substr(0, 7), "SREM s ");
  CHECK_EQ(b.changes, uint64_t{2});
  CHECK_EQ(b.signals.events, "spop:s ");
  b.run("SPOP s 5");
  CHECK_EQ(b.stream, "UNLINK s");
  CHECK_EQ(b.signals.events, "spop:s del:s ");
  CHECK_EQ(b.changes, uint64_t{1});
  b.core.keyspace.lazyfree_server_del = false;
  b.run("SADD s a b c");
  b.run("SPOP s 3");
  CHECK_EQ(b.stream, "DEL s");
}

TEST(large_pops_come_in_batches) {
  Bench b;
  std::string line = "SADD s";
  for (int i = 0; i < 3000; i++) line += " m" + std::to_string(i);
  b.run(line);
  for (const int n : {1025, 1600}) {
    b.run("SPOP s " + std::to_string(n));
    CHECK_EQ(b.core.propagation.items().size(), size_t{2});
    CHECK_EQ(b.core.propagation.items()[0].sizes.size(), size_t{1026});
    CHECK_EQ(b.changes, static_cast<uint64_t>(n));
  }
  CHECK_EQ(b.run("SCARD s"), ":375");
}

TEST(stores) {
  Bench b;
  b.run("SADD a 1 2 3 x");
  b.run("SADD b 2 3 4");
  CHECK_EQ(b.run("SINTERSTORE d a b"), ":2");
  CHECK_EQ(b.signals.events, "new:d sinterstore:d ");
  CHECK_EQ(b.encoding("d"), "intset");
  CHECK_EQ(b.changes, uint64_t{1});
  CHECK_EQ(b.stream, "SINTERSTORE d a b");
  CHECK_EQ(b.run("SUNIONSTORE d a b"), ":5");
  CHECK_EQ(b.signals.events, "sunionstore:d ");
  CHECK_EQ(b.encoding("d"), "listpack");
  CHECK_EQ(b.run("SDIFFSTORE d a b"), ":2");
  CHECK_EQ(b.signals.events, "sdiffstore:d ");
  CHECK_EQ(b.encoding("d"), "listpack");
  CHECK_EQ(b.run("SDIFFSTORE d b a"), ":1");
  CHECK_EQ(b.encoding("d"), "intset");
  // Nothing to store deletes, and is a change only if there was something.
  CHECK_EQ(b.run("SINTERSTORE d a none"), ":0");
  CHECK_EQ(b.signals.events, "keymiss:none del:d ");
  CHECK_EQ(b.changes, uint64_t{1});
  CHECK_EQ(b.run("SDIFFSTORE d a a"), ":0");
  CHECK_EQ(b.stream, "");
  b.run("SUNIONSTORE a a b");
  CHECK_EQ(b.run("SCARD a"), ":5");
}

TEST(a_difference_of_many_keeps_the_encoding_of_the_first) {
  Bench b;
  b.run("SADD a 1 2 3 4 5 6 7 8 x");
  // Enough small sets that a table of them is made.
  std::string keys = " a";
  for (int i = 0; i < 10; i++) {
    b.run("SADD b" + std::to_string(i) + " x");
    keys += " b" + std::to_string(i);
  }
  CHECK_EQ(b.run("SDIFFSTORE d" + keys), ":8");
  CHECK_EQ(b.encoding("d"), "listpack");
  CHECK_EQ(b.run("SDIFFSTORE d a b0"), ":8");
  CHECK_EQ(b.encoding("d"), "intset");
}

TEST(intersection_counts_to_its_limit) {
  Bench b;
  b.run("SADD a 1 2 3 4");
  b.run("SADD b 2 3 4 5");
  CHECK_EQ(b.run("SINTERCARD 2 a b"), ":3");
  CHECK_EQ(b.run("SINTERCARD 2 a b LIMIT 2"), ":2");
  CHECK_EQ(b.run("SINTERCARD 2 a b LIMIT 0"), ":3");
  CHECK_EQ(b.run("SINTERCARD 2 a a LIMIT 9"), ":4");
  CHECK_EQ(b.run("SINTERCARD 1 none"), ":0");
}

TEST(sorted_sets_take_sets_as_inputs) {
  Bench b;
  b.run("SADD s a b");
  b.run("ZADD z 5 b 7 c");
  CHECK_EQ(b.run("ZUNION 2 s z WITHSCORES"), "*6 $1 a $1 1 $1 b $1 6 $1 c $1 7");
  CHECK_EQ(b.run("ZINTER 2 z s WEIGHTS 1 10 WITHSCORES"), "*2 $1 b $2 15");
  CHECK_EQ(b.run("ZDIFF 2 s z WITHSCORES"), "*2 $1 a $1 1");
  CHECK_EQ(b.run("ZDIFF 2 z s"), "*1 $1 c");
  CHECK_EQ(b.run("ZINTERCARD 2 s s"), ":2");
  CHECK_EQ(b.run("ZUNIONSTORE d 1 s"), ":2");
}

TEST(sorting) {
  Bench b;
  b.run("RPUSH l 3 1 2 10");
  CHECK_EQ(b.run("SORT l"), "*4 $1 1 $1 2 $1 3 $2 10");
  CHECK_EQ(b.run("SORT l ALPHA DESC LIMIT 1 2"), "*2 $1 2 $2 10");
  CHECK_EQ(b.run("SORT l BY nosort DESC LIMIT 1 2"), "*2 $1 2 $1 1");
  b.run("SET w1 9");
  b.run("SET w3 -1");
  CHECK_EQ(b.run("SORT l BY w* GET # GET w*"), "*8 $1 3 $2 -1 $2 10 $-1 $1 2 $-1 $1 1 $1 9");
  CHECK_EQ(b.run("SORT l BY w* ALPHA"), "*4 $1 2 $2 10 $1 3 $1 1");
  CHECK_EQ(b.run("SORT l LIMIT 0 1 STORE d"), ":1");
  CHECK_EQ(b.signals.events, "new:d sortstore:d ");
  CHECK_EQ(b.stream, "SORT l LIMIT 0 1 STORE d");
  CHECK_EQ(b.changes, uint64_t{1});
  CHECK_EQ(b.run("SORT none STORE d"), ":0");
  CHECK_EQ(b.signals.events, "keymiss:none del:d ");
  CHECK_EQ(b.changes, uint64_t{1});
  CHECK_EQ(b.run("SORT none STORE d"), ":0");
  CHECK_EQ(b.stream, "");
  b.run("RPUSH l x");
  CHECK_EQ(b.run("SORT l STORE d"), "-ERR One or more scores can't be converted into double");
  CHECK(b.entry("d") == nullptr);
}

TEST(sorting_a_set_or_a_sorted_set) {
  Bench b;
  b.run("SADD s b a 3");
  CHECK_EQ(b.run("SORT s ALPHA"), "*3 $1 3 $1 a $1 b");
  // What is stored has an order even if none was asked for.
  CHECK_EQ(b.run("SORT s BY nosort STORE d"), ":3");
  CHECK_EQ(b.run("LRANGE d 0 -1"), "*3 $1 3 $1 a $1 b");
  b.run("ZADD z 3 a 2 b 1 c");
  CHECK_EQ(b.run("SORT z BY nosort"), "*3 $1 c $1 b $1 a");
  CHECK_EQ(b.run("SORT z BY nosort DESC LIMIT 0 2"), "*2 $1 a $1 b");
  CHECK_EQ(b.encoding("z"), "skiplist");
  b.run("SET str x");
  CHECK_EQ(b.run("SORT str"), "-WRONGTYPE Operation against a key holding the wrong kind of value");
  CHECK_EQ(b.run("SORT_RO s STORE d"), "-ERR syntax error");
}

TEST(sort_patterns_end_at_a_nul) {
  Bench b;
  b.run("RPUSH l 2 1");
  b.run("SET a1b->c yes");
  b.run("SET a1-> arrow");
  CHECK_EQ(b.run("SORT l GET a*b->"), "*2 $-1 $-1");
  CHECK_EQ(b.run("SORT l GET a*->"), "*2 $5 arrow $-1");
  const auto words = [&](const std::string& pattern) {
    const std::vector<std::string> argv = {"SORT", "l", "BY", pattern};
    return b.run(argv, std::vector<StrBuf*>(argv.size(), nullptr));
  };
  // No * before the NUL: a constant, and the order stays.
  CHECK_EQ(words(std::string("w\0*", 3)), "*2 $1 2 $1 1");
}

}  // namespace
}  // namespace kvasir

TEST_MAIN()
