// What the stream commands hand to the propagation stream, the events they raise, and what they count as
// changes.
#include <string>

#include "check.h"
#include "command_bench.h"
#include "commands/blocking.h"

namespace kvasir {
namespace {

struct Bench : CommandBench {
  Bench()
      : CommandBench({register_stream_commands, register_stream_group_commands, register_stream_info_commands,
                      register_stream_read_commands}) {}
};

// A stream s with entries 1-0 to 5-0 and a group g at its beginning.
struct Filled : Bench {
  Filled() {
    for (const char* id : {"1-0", "2-0", "3-0", "4-0", "5-0"}) run(std::string("XADD s ") + id + " f v");
    run("XGROUP CREATE s g 0");
  }
};

const std::string kTime = std::to_string(kNow);

TEST(entries_are_propagated_with_the_ids_they_got) {
  Bench b;
  CHECK_EQ(b.run("XADD s * f v"), "$15 1700000000000-0");
  CHECK_EQ(b.signals.events, "new:s xadd:s ");
  CHECK_EQ(b.signals.modified, "s ");
  CHECK_EQ(b.changes, uint64_t{1});
  CHECK_EQ(b.stream, "XADD s 1700000000000-0 f v");
  b.run("XADD s 1700000000000-* f v");
  CHECK_EQ(b.stream, "XADD s 1700000000000-1 f v");
  b.run("XADD s 1700000000000-7 f v");
  CHECK_EQ(b.stream, "XADD s 1700000000000-7 f v");
  // The clock stands still: the next one follows the last.
  b.run("XADD s NOMKSTREAM * f v");
  CHECK_EQ(b.stream, "XADD s NOMKSTREAM 1700000000000-8 f v");
  CHECK_EQ(b.run("XADD none NOMKSTREAM * f v"), "$-1");
  CHECK_EQ(b.stream, "");
}

TEST(trimming_about_is_propagated_as_what_it_did) {
  Bench b;
  b.core.settings.encodings.stream_node_max_entries = 2;
  for (const char* id : {"1-0", "2-0", "3-0", "4-0", "5-0"}) b.run(std::string("XADD s ") + id + " f v");
  b.run("XADD s MAXLEN ~ 3 6-* f v");
  CHECK_EQ(b.signals.events, "xadd:s xtrim:s ");
  CHECK_EQ(b.stream, "XADD s MAXLEN = 4 6-0 f v");
  CHECK_EQ(b.run("XTRIM s MAXLEN ~ 3"), ":0");
  CHECK_EQ(b.stream, "");
  CHECK_EQ(b.run("XTRIM s minid ~ 6 LIMIT 2"), ":2");
  CHECK_EQ(b.signals.events, "xtrim:s ");
  CHECK_EQ(b.changes, uint64_t{2});
  CHECK_EQ(b.stream, "XTRIM s minid = 5-0 LIMIT 2");
  b.run("XADD s MINID ~ 9 LIMIT 1 7-0 f v");
  CHECK_EQ(b.stream, "XADD s MINID = 5-0 LIMIT 1 7-0 f v");
  CHECK_EQ(b.run("XTRIM s MAXLEN 1"), ":2");
  CHECK_EQ(b.stream, "XTRIM s MAXLEN 1");
}

TEST(deleting_and_setting_ids) {
  Filled b;
  CHECK_EQ(b.run("XDEL s 2-0 9-9 3-0"), ":2");
  CHECK_EQ(b.signals.events, "xdel:s ");
  CHECK_EQ(b.changes, uint64_t{2});
  CHECK_EQ(b.stream, "XDEL s 2-0 9-9 3-0");
  CHECK_EQ(b.run("XDEL s 2-0"), ":0");
  CHECK_EQ(b.stream, "");
  CHECK_EQ(b.run("XSETID s 7-0 ENTRIESADDED 9 MAXDELETEDID 6-0"), "+OK");
  CHECK_EQ(b.signals.events, "xsetid:s ");
  CHECK_EQ(b.signals.modified, "");
  CHECK_EQ(b.stream, "XSETID s 7-0 ENTRIESADDED 9 MAXDELETEDID 6-0");
}

TEST(groups_and_consumers) {
  Bench b;
  CHECK_EQ(b.run("XGROUP CREATE s g $ MKSTREAM ENTRIESREAD 3"), "+OK");
  CHECK_EQ(b.signals.events, "new:s xgroup-create:s ");
  CHECK_EQ(b.signals.modified, "s ");
  CHECK_EQ(b.stream, "XGROUP CREATE s g $ MKSTREAM ENTRIESREAD 3");
  CHECK_EQ(b.run("XGROUP CREATE s g $"), "-BUSYGROUP Consumer Group name already exists");
  CHECK_EQ(b.stream, "");
  CHECK_EQ(b.run("XGROUP SETID s g 7"), "+OK");
  CHECK_EQ(b.signals.events, "xgroup-setid:s ");
  CHECK_EQ(b.run("XGROUP CREATECONSUMER s g c"), ":1");
  CHECK_EQ(b.signals.events, "xgroup-createconsumer:s ");
  CHECK_EQ(b.changes, uint64_t{1});
  CHECK_EQ(b.run("XGROUP CREATECONSUMER s g c"), ":0");
  CHECK_EQ(b.stream, "");
  CHECK_EQ(b.run("XGROUP DELCONSUMER s g c"), ":0");
  CHECK_EQ(b.signals.events, "xgroup-delconsumer:s ");
  CHECK_EQ(b.run("XGROUP DESTROY s g"), ":1");
  CHECK_EQ(b.signals.events, "xgroup-destroy:s ");
  CHECK_EQ(b.signals.modified, "");
  CHECK_EQ(b.run("XGROUP DESTROY s g"), ":0");
  CHECK_EQ(b.stream, "");
}

TEST(deliveries_are_propagated_as_claims) {
  Filled b;
  CHECK_EQ(b.run("XREADGROUP GROUP g c COUNT 2 STREAMS s >"),
           "*1 *2 $1 s *2 *2 $3 1-0 *2 $1 f $1 v *2 $3 2-0 *2 $1 f $1 v");
  CHECK_EQ(b.signals.events, "xgroup-createconsumer:s ");
  CHECK_EQ(b.signals.modified, "");
  CHECK_EQ(b.changes, uint64_t{2});
  CHECK_EQ(b.stream, "XCLAIM s g c 0 1-0 TIME " + kTime + " RETRYCOUNT 1 FORCE JUSTID LASTID 1-0|" +
                         "XCLAIM s g c 0 2-0 TIME " + kTime + " RETRYCOUNT 1 FORCE JUSTID LASTID 2-0|" +
                         "XGROUP SETID s g 2-0 ENTRIESREAD 2");
  // What it was given before is delivered again without a word to replicas.
  b.run("XREADGROUP GROUP g c STREAMS s 0");
  CHECK_EQ(b.stream, "");
  CHECK_EQ(b.changes, uint64_t{1});
  CHECK_EQ(b.run("XPENDING s g - + 1"), "*1 *4 $3 1-0 $1 c :0 :2");
  b.run("XREADGROUP GROUP g d COUNT 1 NOACK STREAMS s >");
  CHECK_EQ(b.stream, "XGROUP CREATECONSUMER s g d|XGROUP SETID s g 3-0 ENTRIESREAD 3");
  CHECK_EQ(b.run("XREADGROUP GROUP g c STREAMS s 5"), "*1 *2 $1 s *0");
  CHECK_EQ(b.run("XACK s g 1-0 2-0 3-0"), ":2");
  CHECK_EQ(b.stream, "XACK s g 1-0 2-0 3-0");
  CHECK_EQ(b.signals.events, "");
  CHECK_EQ(b.changes, uint64_t{2});
}

TEST(claims_are_propagated_with_all_that_they_say) {
  Filled b;
  b.run("XREADGROUP GROUP g c COUNT 3 STREAMS s >");
  CHECK_EQ(b.run("XCLAIM s g d 0 1-0 9-0 IDLE 1000 RETRYCOUNT 7 JUSTID"), "*1 $3 1-0");
  CHECK_EQ(b.stream, "XCLAIM s g d 0 1-0 TIME " + std::to_string(kNow - 1000) +
                         " RETRYCOUNT 7 FORCE JUSTID LASTID 3-0");
  CHECK_EQ(b.run("XCLAIM s g d 5000 1-0 JUSTID"), "*0");
  CHECK_EQ(b.stream, "");
  // A deleted entry goes from the list; replicas hear who had it.
  b.run("XDEL s 2-0");
  CHECK_EQ(b.run("XCLAIM s g d 0 2 LASTID 4-0"), "*0");
  CHECK_EQ(b.stream, "XCLAIM s g c 0 2 TIME " + kTime + " RETRYCOUNT 1 FORCE JUSTID LASTID 4-0");
  CHECK_EQ(b.run("XCLAIM s g d 0 9-9 LASTID 5-0"), "*0");
  CHECK_EQ(b.stream, "XGROUP SETID s g 5-0 ENTRIESREAD 3");
  CHECK_EQ(b.run("XCLAIM s g d 100 5-0 FORCE JUSTID"), "*1 $3 5-0");
  CHECK_EQ(b.run("XCLAIM s g d 0 4-0 FORCE"), "*1 *2 $3 4-0 *2 $1 f $1 v");
  CHECK_EQ(b.run("XPENDING s g 4-0 + 9"), "*2 *4 $3 4-0 $1 d :0 :2 *4 $3 5-0 $1 d :0 :1");
}

TEST(claims_by_idle_time_are_propagated_one_by_one) {
  Filled b;
  b.run("XREADGROUP GROUP g c COUNT 4 STREAMS s >");
  b.run("XDEL s 2-0");
  CHECK_EQ(b.run("XAUTOCLAIM s g d 0 - COUNT 3 JUSTID"), "*3 $3 4-0 *2 $3 1-0 $3 3-0 *1 $3 2-0");
  CHECK_EQ(b.stream, "XCLAIM s g d 0 1-0 TIME " + kTime + " RETRYCOUNT 1 FORCE JUSTID LASTID 4-0|" +
                         "XCLAIM s g c 0 2-0 TIME " + kTime + " RETRYCOUNT 1 FORCE JUSTID LASTID 4-0|" +
                         "XCLAIM s g d 0 3-0 TIME " + kTime + " RETRYCOUNT 1 FORCE JUSTID LASTID 4-0");
  CHECK_EQ(b.changes, uint64_t{4});
  CHECK_EQ(b.run("XAUTOCLAIM s g d 0 4-0"), "*3 $3 0-0 *1 *2 $3 4-0 *2 $1 f $1 v *0");
  CHECK_EQ(b.run("XAUTOCLAIM s g d 100 -"), "*3 $3 0-0 *0 *0");
  CHECK_EQ(b.stream, "");
}

TEST(a_reader_that_finds_nothing_waits) {
  Filled b;
  CHECK_EQ(b.run("XREAD STREAMS s $"), "*-1");
  CHECK_EQ(b.run("XREAD BLOCK 100 STREAMS s none $ 0"), "");
  CHECK(b.client->blocked == Blocked::kKeys);
  CHECK_EQ(b.client->waits->deadline_ms, b.core.wall_ms + 100);
  CHECK(!b.client->waits->unblock_on_gone);
  CHECK_EQ(b.client->waits->places.size(), size_t{2});
  // "$" means what it meant when the client began to wait.
  CHECK_EQ(b.client->waits->new_args.size(), size_t{1});
  CHECK_EQ(b.client->waits->new_args[0].first, size_t{6});
  CHECK_EQ(b.client->waits->new_args[0].second, "5-0");
  b.core.waiting.unblock(b.client.get());
  b.client->blocked = Blocked::kNo;
  b.run("XREADGROUP GROUP g c STREAMS s >");
  CHECK_EQ(b.run("XREADGROUP GROUP g c BLOCK 0 STREAMS s >"), "");
  CHECK(b.client->waits->unblock_on_gone);
  CHECK_EQ(b.client->waits->deadline_ms, kNoDeadline);
  b.core.waiting.unblock(b.client.get());
  b.client->blocked = Blocked::kNo;
  b.client->flags.no_blocking = true;
  CHECK_EQ(b.run("XREADGROUP GROUP g c BLOCK 0 STREAMS s >"), "*-1");
}

TEST(a_waiter_that_runs_in_vain_keeps_its_place) {
  Filled b;
  std::unique_ptr<Client> first = std::move(b.client);
  b.client = std::make_unique<Client>(3, &b.arena);
  std::swap(b.client, first);
  b.run("XREAD BLOCK 0 STREAMS s t $ $");
  std::swap(b.client, first);
  b.run("XREAD BLOCK 0 STREAMS s $");
  const auto first_of = [&b](const char* key) { return b.core.waiting.queue({0, key})[0]; };
  CHECK(first_of("s") == first.get());
  const auto what = b.core.waiting.unblock(first.get());
  b.core.rerun_order = what->order;
  first->flags.rerunning = true;
  first->blocked = Blocked::kNo;
  std::swap(b.client, first);
  b.run("XREAD BLOCK 0 STREAMS s t 5-0 0-0");
  CHECK(first_of("s") == b.client.get());
  CHECK_EQ(b.core.waiting.queue({0, "s"}).size(), size_t{2});
  b.core.waiting.unblock(b.client.get());
  b.core.waiting.unblock(first.get());
}

}  // namespace
}  // namespace kvasir

TEST_MAIN()
