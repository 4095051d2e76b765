// What the hash commands hand to the propagation stream, the events they raise, and what they count as
// changes; above all where fields have deadlines.
#include <string>

#include "check.h"
#include "command_bench.h"

namespace kvasir {
namespace {

struct Bench : CommandBench {
  Bench()
      : CommandBench({register_hash_commands, register_hash_counter_commands, register_hash_deadline_commands,
                      register_hash_random_command}) {}
  Keyspace& ks() { return core.keyspace; }
  Database& db() { return core.keyspace.db(0); }
  void pass(int64_t ms) { core.keyspace.now_ms += ms; }
  // What precedes the command in the stream.
  std::string before() {
    std::string out;
    for (const Propagation::Item& item : core.propagation.items_before()) {
      out += out.empty() ? "" : " | ";
      size_t at = 0;
      for (const uint32_t size : item.sizes) {
        out += (at == 0 ? "" : " ") + item.bytes.substr(at, size);
        at += size;
      }
    }
    return out;
  }
  uint64_t expired() { return core.keyspace.stats.expired_fields; }
};

const std::string kAt1000 = std::to_string(kNow + 1000);

TEST(plain_commands) {
  Bench b;
  CHECK_EQ(b.run("HSET h a 1 b 2 a 3"), ":2");
  CHECK_EQ(b.signals.events, "new:h hset:h ");
  CHECK_EQ(b.signals.modified, "h ");
  CHECK_EQ(b.changes, uint64_t{3});
  CHECK_EQ(b.stream, "HSET h a 1 b 2 a 3");
  CHECK_EQ(b.run("HSET h a"), "-ERR wrong number of arguments for 'hset' command");
  CHECK_EQ(b.run("HSETNX h a 9"), ":0");
  CHECK_EQ(b.stream, "");
  CHECK_EQ(b.run("HSETNX h c 9"), ":1");
  CHECK_EQ(b.stream, "HSETNX h c 9");
  CHECK_EQ(b.run("HINCRBY h a 4"), ":7");
  CHECK_EQ(b.signals.events, "hincrby:h ");
  CHECK_EQ(b.stream, "HINCRBY h a 4");
  CHECK_EQ(b.run("HINCRBYFLOAT h a 0.5"), "$3 7.5");
  CHECK_EQ(b.stream, "HSET h a 7.5");
  CHECK_EQ(b.run("HDEL h a nosuch"), ":1");
  CHECK_EQ(b.changes, uint64_t{1});
  CHECK_EQ(b.run("HDEL h b c d"), ":2");
  CHECK_EQ(b.signals.events, "hdel:h del:h ");
  CHECK(b.entry("h") == nullptr);
  CHECK_EQ(b.run("HDEL h a"), ":0");
  CHECK_EQ(b.signals.events, "");
}

TEST(counters_keep_deadlines_and_propagate_results) {
  Bench b;
  b.run("HSETEX h PX 1000 FIELDS 1 a 5");
  CHECK_EQ(b.run("HINCRBY h a 4"), ":9");
  CHECK_EQ(b.stream, "HSETEX h PXAT " + kAt1000 + " FIELDS 1 a 9");
  CHECK_EQ(b.run("HINCRBY h b 4"), ":4");
  CHECK_EQ(b.stream, "HSET h b 4");
  CHECK_EQ(b.run("HINCRBYFLOAT h a 0.5"), "$3 9.5");
  CHECK_EQ(b.stream, "HSETEX h PXAT " + kAt1000 + " FIELDS 1 a 9.5");
  CHECK_EQ(b.run("HPEXPIRETIME h FIELDS 2 a b"), "*2 :" + kAt1000 + " :-1");
  // Past its deadline the field counts from nothing, and has no deadline then.
  b.pass(1001);
  CHECK_EQ(b.run("HINCRBY h a 2"), ":2");
  CHECK_EQ(b.signals.events, "hexpired:h hincrby:h ");
  CHECK_EQ(b.stream, "HSET h a 2");
  CHECK_EQ(b.expired(), uint64_t{1});
  CHECK_EQ(b.run("HPTTL h FIELDS 1 a"), "*1 :-1");
  CHECK_EQ(b.db().dated_hashes(), size_t{0});
}

TEST(expire_forms) {
  Bench b;
  b.run("HSET h a 1 b 2 c 3");
  CHECK_EQ(b.run("HEXPIRE h 1 FIELDS 2 a nosuch"), "*2 :1 :-2");
  CHECK_EQ(b.stream, "HPEXPIREAT h " + kAt1000 + " FIELDS 2 a nosuch");
  CHECK_EQ(b.signals.events, "hexpire:h ");
  CHECK_EQ(b.changes, uint64_t{1});
  CHECK_EQ(b.encoding("h"), "hashtable");
  CHECK_EQ(b.run("HPEXPIRE h 1000 NX FIELDS 2 a b"), "*2 :0 :1");
  CHECK_EQ(b.stream, "HPEXPIREAT h " + kAt1000 + " NX FIELDS 2 a b");
  CHECK_EQ(b.run("HPEXPIREAT h " + kAt1000 + " GT FIELDS 1 a"), "*1 :0");
  CHECK_EQ(b.stream, "");
  CHECK_EQ(b.run("HEXPIREAT h 1 FIELDS 2 a b"), "*2 :2 :2");
  CHECK_EQ(b.stream, "HDEL h a b");
  CHECK_EQ(b.signals.events, "hexpired:h ");
  CHECK_EQ(b.run("HEXPIRE h 0 FIELDS 3 a b c"), "*3 :-2 :-2 :2");
  CHECK_EQ(b.stream, "HDEL h c");
  CHECK_EQ(b.signals.events, "hexpired:h del:h ");
  CHECK(b.entry("h") == nullptr);
  CHECK_EQ(b.expired(), uint64_t{3});
  CHECK_EQ(b.run("HEXPIRE h 5 FIELDS 1 a"), "*1 :-2");
}

TEST(expire_errors_come_in_order) {
  Bench b;
  constexpr const char* kCount =
      "-ERR numfields should be greater than 0 and match the provided number of fields";
  CHECK_EQ(b.run("HEXPIRE h x BOGUS 1 a b"), kCount);
  CHECK_EQ(b.run("HEXPIRE h x BOGUS FIELDS y a"), "-ERR Unsupported option BOGUS");
  CHECK_EQ(b.run("HEXPIRE h x GT LT FIELDS y a"),
           "-ERR GT and LT options at the same time are not compatible");
  CHECK_EQ(b.run("HEXPIRE h x NX FIELDS y a"), "-ERR value is not an integer or out of range");
  CHECK_EQ(b.run("HEXPIRE h x NX FIELDS 2 a"), kCount);
  CHECK_EQ(b.run("HEXPIRE h x NX FIELDS 1 a"), "-ERR value is not an integer or out of range");
  CHECK_EQ(b.run("HEXPIRE h -1 NX FIELDS 1 a"), "-ERR invalid expire time in 'hexpire' command");
  CHECK_EQ(b.run("HTTL h FIELDS 2 a"), "-ERR syntax error");
  CHECK_EQ(b.run("HPERSIST h FIELDS 2 a"), kCount);
  CHECK_EQ(b.run("HPERSIST h FELDS 1 a"), "-ERR syntax error");
  CHECK_EQ(b.run("HSETEX h EX 1 EX FIELDS 1 a b"), "-ERR syntax error");
  CHECK_EQ(b.run("HSETEX h EX -1 FIELDS 1 a b"), "-ERR invalid expire time in 'hsetex' command");
  CHECK_EQ(b.run("HSETEX h XX EX -1 FIELDS 1 a b"), ":0");
}

TEST(setex_forms) {
  Bench b;
  CHECK_EQ(b.run("HSETEX h NX FNX EX 1 FIELDS 2 a 1 b 2"), ":1");
  CHECK_EQ(b.stream, "HSETEX h PXAT " + kAt1000 + " FIELDS 2 a 1 b 2");
  CHECK_EQ(b.signals.events, "new:h hset:h hexpire:h ");
  CHECK_EQ(b.changes, uint64_t{2});
  CHECK_EQ(b.run("HSETEX h NX FIELDS 1 c 1"), ":0");
  CHECK_EQ(b.run("HSETEX h FXX FIELDS 2 a 1 c 1"), ":0");
  CHECK_EQ(b.run("HSETEX h pxat " + kAt1000 + " FIELDS 1 c 1"), ":1");
  CHECK_EQ(b.stream, "HSETEX h pxat " + kAt1000 + " FIELDS 1 c 1");
  CHECK_EQ(b.run("HSETEX h FXX KEEPTTL FIELDS 1 a 7"), ":1");
  CHECK_EQ(b.stream, "HSETEX h KEEPTTL FIELDS 1 a 7");
  CHECK_EQ(b.run("HPEXPIRETIME h FIELDS 1 a"), "*1 :" + kAt1000);
  CHECK_EQ(b.run("HSETEX h FIELDS 1 a 8"), ":1");
  CHECK_EQ(b.stream, "HSETEX h FIELDS 1 a 8");
  CHECK_EQ(b.run("HPEXPIRETIME h FIELDS 1 a"), "*1 :-1");
  // A deadline in the past removes what there is.
  CHECK_EQ(b.run("HSETEX h EXAT 1 FIELDS 2 a 9 nosuch 9"), ":1");
  CHECK_EQ(b.stream, "HDEL h a");
  CHECK_EQ(b.signals.events, "hset:h hexpire:h hexpired:h ");
  CHECK_EQ(b.changes, uint64_t{1});
  CHECK_EQ(b.run("HSETEX other EXAT 1 FIELDS 1 a 9"), ":1");
  CHECK_EQ(b.signals.events, "new:other hset:other hexpire:other hexpired:other del:other ");
  CHECK_EQ(b.changes, uint64_t{0});
  CHECK_EQ(b.stream, "");
}

TEST(fields_past_their_deadline_are_overwritten) {
  Bench b;
  b.run("HSETEX h PX 10 FIELDS 2 a 1 b 2");
  b.run("HSET h c 3");
  b.pass(11);
  CHECK_EQ(b.run("HGETALL h"), "*2 $1 c $1 3");
  CHECK_EQ(b.run("HLEN h"), ":3");
  CHECK_EQ(b.run("HDEL h a"), ":0");
  CHECK_EQ(b.run("HSETNX h a x"), ":1");
  CHECK_EQ(b.stream, "HSET h a x");
  CHECK_EQ(b.signals.events, "hexpired:h hset:h ");
  CHECK_EQ(b.run("HSETEX h KEEPTTL FIELDS 2 a 5 b 6"), ":1");
  CHECK_EQ(b.before(), "HDEL h b");
  CHECK_EQ(b.stream, "HSETEX h KEEPTTL FIELDS 2 a 5 b 6");
  CHECK_EQ(b.signals.events, "hexpired:h hset:h ");
  CHECK_EQ(b.expired(), uint64_t{2});
  CHECK_EQ(b.db().dated_hashes(), size_t{0});
}

TEST(getex_forms) {
  Bench b;
  b.run("HSET h a 1 b 2");
  CHECK_EQ(b.run("HGETEX h FIELDS 2 a nosuch"), "*2 $1 1 $-1");
  CHECK_EQ(b.stream, "");
  CHECK_EQ(b.run("HGETEX h EX 1 FIELDS 2 a nosuch"), "*2 $1 1 $-1");
  CHECK_EQ(b.stream, "HPEXPIREAT h " + kAt1000 + " FIELDS 1 a");
  CHECK_EQ(b.signals.events, "hexpire:h ");
  CHECK_EQ(b.run("HGETEX h PERSIST FIELDS 2 a b"), "*2 $1 1 $1 2");
  CHECK_EQ(b.stream, "HPERSIST h FIELDS 1 a");
  CHECK_EQ(b.signals.events, "hpersist:h ");
  CHECK_EQ(b.run("HGETEX h EXAT 1 FIELDS 2 b a"), "*2 $1 2 $1 1");
  CHECK_EQ(b.stream, "HDEL h b a");
  CHECK_EQ(b.signals.events, "hexpired:h del:h ");
  CHECK_EQ(b.run("HGETEX h EX 1 FIELDS 1 a"), "*1 $-1");
  CHECK_EQ(b.signals.events, "keymiss:h ");
}

TEST(getdel_and_persist) {
  Bench b;
  b.run("HSET h a 1 b 2");
  b.run("HPEXPIRE h 1000 FIELDS 1 a");
  CHECK_EQ(b.run("HPERSIST h FIELDS 3 a b c"), "*3 :1 :-1 :-2");
  CHECK_EQ(b.signals.events, "hpersist:h ");
  CHECK_EQ(b.stream, "HPERSIST h FIELDS 3 a b c");
  CHECK_EQ(b.run("HGETDEL h FIELDS 2 a c"), "*2 $1 1 $-1");
  CHECK_EQ(b.stream, "HGETDEL h FIELDS 2 a c");
  CHECK_EQ(b.signals.events, "hdel:h ");
  CHECK_EQ(b.run("HGETDEL h FIELDS 2 b b"), "*2 $1 2 $-1");
  CHECK_EQ(b.signals.events, "hdel:h del:h ");
}

// ------------------------------------------------------------------ what is due

size_t expire_all(Bench& b, size_t max = 80) {
  size_t n = 0;
  for (bool looked = true; looked;) n += b.ks().expire_fields(b.db(), max, &looked);
  return n;
}

TEST(due_fields_are_found_and_removed) {
  Bench b;
  b.run("HSETEX h PX 10 FIELDS 2 a 1 b 2");
  b.run("HSETEX h PX 500 FIELDS 1 c 3");
  b.run("HSETEX gone PX 20 FIELDS 1 a 1");
  b.run("HSET plain a 1");
  CHECK_EQ(b.db().dated_hashes(), size_t{2});
  CHECK_EQ(expire_all(b), size_t{0});
  b.pass(10);
  CHECK_EQ(expire_all(b), size_t{0});  // the deadline itself is still valid
  b.pass(1);
  b.signals.events.clear();
  CHECK_EQ(expire_all(b), size_t{2});
  CHECK_EQ(b.signals.events.substr(0, 8), "<hdel h ");
  CHECK_EQ(b.signals.events.substr(b.signals.events.find('>')), "> hexpired:h ");
  CHECK_EQ(b.run("HLEN h"), ":1");
  b.pass(10);
  CHECK_EQ(expire_all(b), size_t{1});
  CHECK_EQ(b.signals.events, "<hdel gone a> <unlink gone> hexpired:gone del:gone ");
  CHECK(b.entry("gone") == nullptr);
  CHECK_EQ(b.db().dated_hashes(), size_t{1});
  b.run("HDEL h c");
  CHECK_EQ(b.db().dated_hashes(), size_t{0});
  CHECK(b.db().hash_deadlines.empty());
  CHECK_EQ(b.expired(), uint64_t{3});
}

TEST(many_fields_go_in_steps) {
  Bench b;
  for (int i = 0; i < 1000; i++)
    b.run("HSETEX h PX " + std::to_string(1 + i % 50) + " FIELDS 1 f" + std::to_string(i) + " v");
  b.pass(100);
  bool looked = true;
  CHECK_EQ(b.ks().expire_fields(b.db(), 80, &looked), size_t{80});
  CHECK(looked);
  CHECK_EQ(b.run("HLEN h"), ":920");
  CHECK_EQ(expire_all(b, 5000), size_t{920});
  CHECK(b.entry("h") == nullptr);
}

TEST(replicas_hide_and_keep) {
  Bench b;
  b.ks().is_replica = true;
  b.run("HSETEX h EXAT 1 FIELDS 1 a 1");
  CHECK_EQ(b.run("HLEN h"), ":1");
  CHECK_EQ(b.run("HGET h a"), "$-1");
  CHECK_EQ(b.run("HEXISTS h a"), ":0");
  // The primary's commands see what is there.
  b.ks().ignore_expiry = true;
  CHECK_EQ(b.run("HGET h a"), "$1 1");
  CHECK_EQ(b.run("HDEL h a"), ":1");
}

TEST(an_importing_server_keeps_past_deadlines) {
  Bench b;
  b.ks().import_mode = true;
  b.run("HSET h a 1");
  CHECK_EQ(b.run("HEXPIREAT h 1 FIELDS 1 a"), "*1 :1");
  CHECK_EQ(b.run("HGET h a"), "$-1");
  CHECK_EQ(b.run("HLEN h"), ":1");
}

// The index of hashes against what the hashes say, whatever happens to keys.
TEST(the_database_knows_its_dated_hashes) {
  Bench b;
  Rng rng(5);
  Keyspace& ks = b.ks();
  Database& db = b.db();
  const auto name = [&] { return "h" + std::to_string(rng.below(12)); };
  for (int step = 0; step < 20000; step++) {
    const std::string key = name();
    const std::string field = "f" + std::to_string(rng.below(6));
    const KeyRef k = ks.ref(key);
    const EntrySlot slot = db.find(k);
    switch (rng.below(12)) {
      case 0:
        b.run("HDEL " + key + " " + field + " f0 f1");
        break;
      case 1:
        b.run("HPERSIST " + key + " FIELDS 1 " + field);
        break;
      case 2:
        b.run("HSET " + key + " " + field + " v");
        break;
      case 3:
        if (slot) ks.set_expire(db, k, slot, rng.below(2) == 0 ? kNoExpiry : kNow * 2);
        break;
      case 4:
        ks.remove(db, k, false);
        break;
      case 5:
        if (slot) ks.set(db, k, Entry::make_string(key, "text"));
        break;
      case 6: {  // RENAME
        const std::string to = name();
        if (!slot || to == key) break;
        ks.remove(db, ks.ref(to), false);
        Entry* shell = ks.take(db, k, db.find(k));
        Entry* e = shell->rebuild(to, shell->expire_ms());
        Entry::free_shell(shell);
        ks.add(db, ks.ref(to), e);
        break;
      }
      case 7:
        b.pass(static_cast<int64_t>(rng.below(40)));
        expire_all(b, 1 + rng.below(4));
        break;
      default:
        b.run("HSETEX " + key + " PX " + std::to_string(1 + rng.below(300)) + " FIELDS 1 " + field + " v");
    }
    if (slot && rng.below(50) == 0 && db.find(k) && db.find(k).get()->type() == Type::kString) {
      ks.remove(db, k, false);
    }
    if (step % 20 != 0) continue;
    size_t dated = 0;
    EntryDict::Iterator it(db.slot(0)->keys);
    while (const Entry* e = it.next()) {
      if (e->type() != Type::kHash || !hash_has_deadlines(e->collection())) continue;
      dated++;
      const int64_t filed = FiledHash::deadline(e);
      CHECK(filed != kNoExpiry);
      CHECK(filed <= hash_earliest_deadline(e->collection()));
    }
    CHECK_EQ(db.dated_hashes(), dated);
    CHECK_EQ(db.slot(0)->dated_hashes, dated);
    CHECK_EQ(db.hash_deadlines.empty(), dated == 0);
  }
}

}  // namespace
}  // namespace kvasir

TEST_MAIN()
