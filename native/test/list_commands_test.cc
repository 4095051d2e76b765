// What the list commands hand to the propagation stream, the events they raise, and what they count as
// changes.
#include <string>

#include "check.h"
#include "command_bench.h"
#include "commands/blocking.h"

namespace kvasir {
namespace {

struct Bench : CommandBench {
  Bench() : CommandBench({register_list_commands, register_list_pop_commands}) {}
};

TEST(pushes_count_elements_and_stay_as_they_are) {
  Bench b;
  CHECK_EQ(b.run("RPUSH l a b c"), ":3");
  CHECK_EQ(b.signals.events, "new:l rpush:l ");
  CHECK_EQ(b.signals.modified, "l ");
  CHECK_EQ(b.changes, uint64_t{3});
  CHECK_EQ(b.stream, "RPUSH l a b c");
  CHECK_EQ(b.run("LPUSHX none a"), ":0");
  CHECK_EQ(b.stream, "");
  CHECK_EQ(b.run("LINSERT l BEFORE b x"), ":4");
  CHECK_EQ(b.signals.events, "linsert:l ");
  CHECK_EQ(b.run("LINSERT l BEFORE nowhere x"), ":-1");
  CHECK_EQ(b.signals.events, "");
  CHECK_EQ(b.run("LSET l 0 y"), "+OK");
  CHECK_EQ(b.signals.events, "lset:l ");
}

TEST(the_last_element_takes_the_key_along) {
  Bench b;
  b.run("RPUSH l a b");
  CHECK_EQ(b.run("LPOP l"), "$1 a");
  CHECK_EQ(b.signals.events, "lpop:l ");
  CHECK_EQ(b.run("RPOP l 5"), "*1 $1 b");
  CHECK_EQ(b.signals.events, "rpop:l del:l ");
  CHECK_EQ(b.changes, uint64_t{1});
  CHECK(b.entry("l") == nullptr);
  b.run("RPUSH l a a b");
  CHECK_EQ(b.run("LREM l 0 a"), ":2");
  CHECK_EQ(b.signals.events, "lrem:l ");
  CHECK_EQ(b.run("LTRIM l 5 9"), "+OK");
  CHECK_EQ(b.signals.events, "ltrim:l del:l ");
  CHECK_EQ(b.changes, uint64_t{1});
}

TEST(a_trim_of_nothing_is_an_event_and_no_change) {
  Bench b;
  b.run("RPUSH l a b");
  CHECK_EQ(b.run("LTRIM l 0 -1"), "+OK");
  CHECK_EQ(b.signals.events, "ltrim:l ");
  CHECK_EQ(b.signals.modified, "");
  CHECK_EQ(b.stream, "");
}

TEST(moves_push_before_they_pop) {
  Bench b;
  b.run("RPUSH l a b");
  CHECK_EQ(b.run("LMOVE l m LEFT RIGHT"), "$1 a");
  CHECK_EQ(b.signals.events, "new:m rpush:m lpop:l ");
  CHECK_EQ(b.changes, uint64_t{1});
  CHECK_EQ(b.stream, "LMOVE l m LEFT RIGHT");
  CHECK_EQ(b.run("RPOPLPUSH l m"), "$1 b");
  CHECK_EQ(b.signals.events, "lpush:m rpop:l del:l ");
  CHECK_EQ(b.run("RPOPLPUSH m m"), "$1 a");
  CHECK_EQ(b.signals.events, "lpush:m rpop:m ");
}

TEST(blocking_forms_are_propagated_without_waiting) {
  Bench b;
  b.run("RPUSH l a b c d e f g");
  CHECK_EQ(b.run("BLPOP none l 0"), "*2 $1 l $1 a");
  CHECK_EQ(b.stream, "LPOP l");
  CHECK_EQ(b.run("BRPOP l 0"), "*2 $1 l $1 g");
  CHECK_EQ(b.stream, "RPOP l");
  CHECK_EQ(b.run("BLMOVE l m left right 0"), "$1 b");
  CHECK_EQ(b.stream, "LMOVE l m left right");
  CHECK_EQ(b.run("BRPOPLPUSH l m 0"), "$1 f");
  CHECK_EQ(b.stream, "RPOPLPUSH l m");
  CHECK_EQ(b.run("LMPOP 2 none l LEFT"), "*2 $1 l *1 $1 c");
  CHECK_EQ(b.stream, "LPOP l 1");
  CHECK_EQ(b.run("BLMPOP 0 1 l RIGHT COUNT 9"), "*2 $1 l *2 $1 e $1 d");
  CHECK_EQ(b.stream, "RPOP l 2");
  CHECK_EQ(b.signals.events, "rpop:l del:l ");
}

TEST(nothing_to_take_blocks_or_answers_at_once) {
  Bench b;
  CHECK_EQ(b.run("BLPOP l m l 0"), "");
  CHECK(b.client->blocked == Blocked::kKeys);
  CHECK_EQ(b.core.waiting.keys(), size_t{2});
  CHECK_EQ(b.core.waiting.timed(), size_t{0});
  b.core.waiting.unblock(b.client.get());
  b.client->blocked = Blocked::kNo;
  b.client->flags.no_blocking = true;
  CHECK_EQ(b.run("BLPOP l 0"), "*-1");
  CHECK_EQ(b.run("BLMOVE l m LEFT LEFT 0"), "$-1");
  CHECK_EQ(b.run("BLMPOP 0 1 l LEFT"), "*-1");
}

}  // namespace
}  // namespace kvasir

TEST_MAIN()
