// What the sorted set and geo commands hand to the propagation stream, the events they raise, and what they
// count as changes.
#include <string>

#include "check.h"
#include "command_bench.h"
#include "commands/blocking.h"

namespace kvasir {
namespace {

struct Bench : CommandBench {
  Bench()
      : CommandBench({register_zset_commands, register_zset_range_commands, register_zset_pop_commands,
                      register_zset_algebra_commands, register_geo_commands, register_geo_search_commands}) {}
};

TEST(added_and_updated_members_are_changes) {
  Bench b;
  CHECK_EQ(b.run("ZADD z 1 a 2 b"), ":2");
  CHECK_EQ(b.signals.events, "new:z zadd:z ");
  CHECK_EQ(b.signals.modified, "z ");
  CHECK_EQ(b.changes, uint64_t{2});
  CHECK_EQ(b.stream, "ZADD z 1 a 2 b");
  CHECK_EQ(b.run("ZADD z CH 1 a 3 b"), ":1");
  CHECK_EQ(b.changes, uint64_t{1});
  CHECK_EQ(b.run("ZADD z GT 1 b"), ":0");
  CHECK_EQ(b.signals.events, "");
  CHECK_EQ(b.stream, "");
  CHECK_EQ(b.run("ZINCRBY z 2 a"), "$1 3");
  CHECK_EQ(b.signals.events, "zincr:z ");
  CHECK_EQ(b.run("ZADD z -inf a"), ":0");
  CHECK_EQ(b.run("ZINCRBY z +inf a"), "-ERR resulting score is not a number (NaN)");
  CHECK_EQ(b.stream, "");
  CHECK_EQ(b.run("ZADD none XX 1 a"), ":0");
  CHECK(b.entry("none") == nullptr);
}

TEST(the_last_member_takes_the_key_along) {
  Bench b;
  b.run("ZADD z 1 a 2 b 3 c 4 d 5 e");
  CHECK_EQ(b.run("ZREM z a none"), ":1");
  CHECK_EQ(b.signals.events, "zrem:z ");
  CHECK_EQ(b.changes, uint64_t{1});
  CHECK_EQ(b.run("ZREMRANGEBYRANK z 0 0"), ":1");
  CHECK_EQ(b.signals.events, "zremrangebyrank:z ");
  CHECK_EQ(b.run("ZREMRANGEBYSCORE z 100 200"), ":0");
  CHECK_EQ(b.signals.events, "");
  CHECK_EQ(b.run("ZREMRANGEBYSCORE z -inf inf"), ":3");
  CHECK_EQ(b.signals.events, "zremrangebyscore:z del:z ");
  CHECK_EQ(b.changes, uint64_t{3});
  CHECK(b.entry("z") == nullptr);
  b.run("ZADD z 1 a");
  CHECK_EQ(b.run("ZPOPMAX z 7"), "*2 $1 a $1 1");
  CHECK_EQ(b.signals.events, "zpopmax:z del:z ");
  b.run("ZADD z 1 a");
  CHECK_EQ(b.run("ZREM z a"), ":1");
  CHECK_EQ(b.signals.events, "zrem:z del:z ");
}

TEST(pops_are_propagated_as_the_simplest_ones) {
  Bench b;
  b.run("ZADD z 1 a 2 b 3 c 4 d 5 e");
  CHECK_EQ(b.run("BZPOPMIN none z 0"), "*3 $1 z $1 a $1 1");
  CHECK_EQ(b.stream, "ZPOPMIN z");
  CHECK_EQ(b.run("BZPOPMAX z 0"), "*3 $1 z $1 e $1 5");
  CHECK_EQ(b.stream, "ZPOPMAX z");
  CHECK_EQ(b.run("ZMPOP 2 none z MIN"), "*2 $1 z *1 *2 $1 b $1 2");
  CHECK_EQ(b.stream, "ZPOPMIN z 1");
  CHECK_EQ(b.run("BZMPOP 0 1 z MAX COUNT 9"), "*2 $1 z *2 *2 $1 d $1 4 *2 $1 c $1 3");
  CHECK_EQ(b.stream, "ZPOPMAX z 2");
  CHECK_EQ(b.signals.events, "zpopmax:z del:z ");
  CHECK_EQ(b.run("BZPOPMIN z 0"), "");
  CHECK(b.client->blocked == Blocked::kKeys);
  b.core.waiting.unblock(b.client.get());
  b.client->blocked = Blocked::kNo;
}

TEST(stores_replace_or_delete) {
  Bench b;
  b.run("ZADD a 1 x 2 y");
  b.run("ZADD b 3 y 4 w");
  CHECK_EQ(b.run("ZUNIONSTORE u 2 a b WEIGHTS 1 10"), ":3");
  CHECK_EQ(b.signals.events, "new:u zunionstore:u ");
  CHECK_EQ(b.changes, uint64_t{1});
  CHECK_EQ(b.run("ZRANGE u 0 -1 WITHSCORES"), "*6 $1 x $1 1 $1 y $2 32 $1 w $2 40");
  CHECK_EQ(b.run("ZINTERSTORE u 2 a none"), ":0");
  CHECK_EQ(b.signals.events, "keymiss:none del:u ");
  CHECK_EQ(b.changes, uint64_t{1});
  CHECK_EQ(b.run("ZDIFFSTORE u 2 none a"), ":0");
  CHECK_EQ(b.changes, uint64_t{0});
  CHECK_EQ(b.run("ZRANGESTORE r a 0 0 REV"), ":1");
  CHECK_EQ(b.signals.events, "new:r zrangestore:r ");
  CHECK_EQ(b.run("ZRANGE r 0 -1"), "*1 $1 y");
}

// Minus zero and zero are one score where scores are compared, and two where they are added.
TEST(a_union_adds_zeros) {
  Bench b;
  b.core.settings.encodings.zset_max_listpack_entries = 0;
  b.run("ZADD a -0 x");
  b.run("ZADD b 0 x");
  CHECK_EQ(b.run("ZUNION 2 a b WITHSCORES"), "*2 $1 x $1 0");
  CHECK_EQ(b.run("ZUNION 2 a a WITHSCORES"), "*2 $1 x $2 -0");
  CHECK_EQ(b.run("ZUNION 1 a WEIGHTS inf WITHSCORES"), "*2 $1 x $1 0");
  b.run("ZADD a inf x");
  b.run("ZADD b -inf x");
  CHECK_EQ(b.run("ZINTER 2 a b WITHSCORES"), "*2 $1 x $1 0");
}

TEST(negative_offsets_count_from_the_end_of_a_skiplist) {
  for (const int64_t entries : {128, 0}) {
    Bench b;
    b.core.settings.encodings.zset_max_listpack_entries = entries;
    b.run("ZADD z 0 a 0 b 0 c 0 d 0 e");
    const bool big = entries == 0;
    const char* none = "*0";
    CHECK_EQ(b.encoding("z"), big ? "skiplist" : "listpack");
    CHECK_EQ(b.run("ZRANGE z - + BYLEX LIMIT -2 9"), big ? "*2 $1 d $1 e" : none);
    CHECK_EQ(b.run("ZRANGE z [d [b BYLEX REV LIMIT -2 -1"), big ? "*2 $1 c $1 b" : none);
    CHECK_EQ(b.run("ZRANGE z [b [d BYLEX LIMIT -3 1"), big ? "*1 $1 b" : none);
    CHECK_EQ(b.run("ZRANGE z [b [d BYLEX LIMIT -4 1"), none);
    CHECK_EQ(b.run("ZRANGEBYSCORE z -inf inf LIMIT -1 5"), big ? "*1 $1 e" : none);
    CHECK_EQ(b.run("ZREVRANGEBYSCORE z inf -inf LIMIT -5 1"), big ? "*1 $1 e" : none);
    CHECK_EQ(b.run("ZREVRANGEBYSCORE z inf -inf LIMIT -9223372036854775808 1"), none);
  }
}

TEST(places_are_propagated_as_scores) {
  Bench b;
  CHECK_EQ(b.run("GEOADD g CH 13.361389 38.115556 Palermo 15.087269 37.502669 Catania"), ":2");
  CHECK_EQ(b.stream, "ZADD g CH 3479099956230698 Palermo 3479447370796909 Catania");
  CHECK_EQ(b.signals.events, "new:g zadd:g ");
  CHECK_EQ(b.run("GEOSEARCHSTORE s g FROMLONLAT 15 37 BYRADIUS 100 km"), ":1");
  CHECK_EQ(b.signals.events, "new:s geosearchstore:s ");
  CHECK_EQ(b.run("GEORADIUS g 15 37 1 m STORE s"), ":0");
  CHECK_EQ(b.signals.events, "del:s ");
}

}  // namespace
}  // namespace kvasir

TEST_MAIN()
