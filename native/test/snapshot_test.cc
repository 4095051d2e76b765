// Walks deliver what was there when they began, exactly once, whatever commands, deadlines and resizes do
// between their slices.
#include "keyspace/snapshot.h"

#include <map>
#include <string>

#include "base/background.h"
#include "base/rng.h"
#include "check.h"
#include "command_bench.h"
#include "keyspace/dict_upkeep.h"
#include "keyspace/digest.h"
#include "keyspace/expire_cycle.h"
#include "persist/rdb_object.h"

namespace kvasir {
namespace {

using Image = std::map<std::pair<int, std::string>, std::string>;

// All of an entry that a copy must have.
std::string fingerprint(const Entry& e) {
  Sha1::Digest digest{};
  digest_entry(&digest, e, std::numeric_limits<int64_t>::min());
  std::string out(digest.begin(), digest.end());
  out += std::to_string(e.expire_ms()) + (e.type() == Type::kString ? "" : encoding_name(e.encoding()));
  if (e.type() == Type::kStream) {  // whose digest leaves the groups out
    RdbWriter rdb(&out, false);
    rdb_save_value(rdb, e);
  }
  return out;
}

Image image_of(Keyspace& ks) {
  Image image;
  for (int i = 0; i < ks.databases(); i++) {
    Database& db = ks.db(i);
    for (int s = db.next_slot(KeyIndex::kAll, 0); s >= 0; s = db.next_slot(KeyIndex::kAll, s + 1)) {
      EntryDict::Iterator it(db.slot(s)->keys);
      while (const Entry* e = it.next()) image[{i, e->key().str()}] = fingerprint(*e);
    }
  }
  return image;
}

// A walk with what it shall deliver and what it has.
class Watched : public SnapshotTarget {
 public:
  explicit Watched(Keyspace& ks) : expected_(image_of(ks)), walk_(ks.start_walk(this)) {
    CHECK(walk_ != nullptr);
    CHECK_EQ(walk_->keys(), expected_.size());
  }
  void begin(std::span<const Size> databases) override { sizes.assign(databases.begin(), databases.end()); }
  bool entry(int db, int slot, const Entry& e) override {
    CHECK_EQ(slot, 0);
    CHECK(seen_.emplace(std::make_pair(db, e.key().str()), fingerprint(e)).second);
    return true;
  }
  void end() override {}
  // False: it is through, and everything was right.
  bool step() {
    if (walk_->step(0)) return true;
    CHECK_EQ(walk_->delivered(), seen_.size());
    CHECK_EQ(seen_.size(), expected_.size());
    for (const auto& [key, image] : expected_) {
      const auto at = seen_.find(key);
      const bool same = at != seen_.end() && at->second == image;
      CHECK(same);
      if (!same) std::cerr << "of " << key.second << " in " << key.first << "\n";
    }
    return false;
  }
  void finish() {
    while (step()) {
    }
  }
  const Image& seen() { return seen_; }
  std::vector<Size> sizes;

 private:
  Image expected_;
  Image seen_;
  std::unique_ptr<SnapshotWalk> walk_;
};

struct Bench : CommandBench {
  Bench() : CommandBench({}), cycle(&core.keyspace, [] { return uint64_t{0}; }), upkeep(&core.keyspace) {
    handlers = all_handlers();
    core.stream_active = false;
  }
  Keyspace& ks() { return core.keyspace; }
  ExpireCycle cycle;
  DictUpkeep upkeep;
};

// Commands of every kind that change data, on few keys so that they meet.
class Writer {
 public:
  Writer(Bench* bench, uint64_t seed) : b_(*bench), rng_(seed) {}

  void once() {
    b_.client->db = static_cast<int>(rng_.below(2));
    static const char* const kForms[] = {
        "SET s# v%",
        "SET s# V PX %",
        "SET s# V KEEPTTL",
        "APPEND s# L",
        "SETRANGE s# % x",
        "SETBIT s# % 1",
        "INCRBY i# %",
        "GETEX s# PX %",
        "GETEX s# PERSIST",
        "GETDEL s#",
        "MSET s# 1 s# L s# 3",
        "PFADD p# % % %",
        "PFCOUNT p#",
        "PFMERGE p# p# p#",
        "BITFIELD s# SET u8 % 7",
        "BITOP NOT s# s#",
        "DEL s# l# h#",
        "UNLINK e# z# x#",
        "EXPIRE l# %",
        "PEXPIRE h# 1",
        "PERSIST l#",
        "RENAME s# s#",
        "RENAME l# l#",
        "RENAMENX h# h#",
        "COPY h# h# REPLACE",
        "COPY z# z# DB 1 REPLACE",
        "MOVE s# 1",
        "MOVE x# 0",
        "LPUSH l# % L %",
        "RPUSH l# % % L L L L",
        "LPOP l# 2",
        "RPOP l#",
        "LSET l# 0 %",
        "LREM l# 0 %",
        "LTRIM l# 1 -2",
        "LINSERT l# BEFORE % x",
        "LMOVE l# l# LEFT RIGHT",
        "HSET h# % v % L % x",
        "HSET h# % v % v % v % v % v",
        "HDEL h# % %",
        "HINCRBY h# n 3",
        "HPEXPIRE h# % FIELDS 1 %",
        "HPERSIST h# FIELDS 1 %",
        "HGETEX h# PX % FIELDS 1 %",
        "HGETDEL h# FIELDS 1 %",
        "HSETEX h# PX % FIELDS 1 % y",
        "SADD e# % % m%",
        "SREM e# % m%",
        "SPOP e#",
        "SMOVE e# e# %",
        "SINTERSTORE e# e# e#",
        "SUNIONSTORE e# e# e#",
        "ZADD z# % m% 1.5 n% -3 o",
        "ZINCRBY z# 1 m%",
        "ZREM z# m%",
        "ZPOPMIN z#",
        "ZREMRANGEBYRANK z# 0 1",
        "ZUNIONSTORE z# 2 z# z#",
        "ZRANGESTORE z# z# 0 3",
        "GEOADD z# 13.3 38.1 a%",
        "XADD x# * f v%",
        "XADD x# MAXLEN 5 * f L",
        "XTRIM x# MAXLEN 3",
        "XGROUP CREATE x# g 0 MKSTREAM",
        "XGROUP CREATECONSUMER x# g c%",
        "XREADGROUP GROUP g c1 COUNT 2 STREAMS x# >",
        "XAUTOCLAIM x# g c2 0 0",
        "XACK x# g 1-1",
        "XSETID x# 9999999999999-1",
        "SORT l# ALPHA STORE l#",
    };
    run(kForms[rng_.below(std::size(kForms))]);
    if (rng_.below(16) == 0) b_.ks().now_ms += static_cast<int64_t>(rng_.below(40));
    if (rng_.below(16) == 0) b_.cycle.begin(10);
    if (rng_.below(200) == 0) b_.ks().swap(0, 1);
    if (rng_.below(1500) == 0) b_.ks().flush(static_cast<int>(rng_.below(3)) - 1, rng_.below(2) == 0);
    if (rng_.below(50) == 0) b_.upkeep.run(true, 10);
    if (rng_.below(300) == 0) grow();
  }
  // Many keys at once, or many fewer: the dicts change their size.
  void grow() {
    const bool more = rng_.below(2) == 0;
    for (int i = 0; i < 400; i++) {
      const std::string key = "m" + std::to_string(rng_.below(1200));
      b_.run(more ? "SET " + key + " v" : "DEL " + key);
    }
  }

 private:
  // # is a number of a key, % a small number, L a long string.
  void run(const std::string& form) {
    std::string line;
    for (const char c : form) {
      if (c == '#') {
        line += std::to_string(rng_.below(6));
      } else if (c == '%') {
        line += std::to_string(rng_.below(600));
      } else if (c == 'L') {
        const bool word = !line.empty() && line.back() == ' ';
        line += word ? std::string(rng_.below(3000), 'x') + "y" : "L";
      } else {
        line += c;
      }
    }
    b_.run(line);
  }
  Bench& b_;
  Rng rng_;
};

TEST(nothing_changes) {
  Bench b;
  for (int i = 0; i < 1000; i++) b.run("SET k" + std::to_string(i) + " v");
  b.run("SET e v EX 100");
  Watched w(b.ks());
  CHECK_EQ(w.sizes.size(), size_t{2});
  CHECK_EQ(w.sizes[0].keys, uint64_t{1001});
  CHECK_EQ(w.sizes[0].expires, uint64_t{1});
  CHECK_EQ(w.sizes[1].keys, uint64_t{0});
  CHECK(w.step());
  w.finish();
}

TEST(an_empty_keyspace) {
  Bench b;
  Watched w(b.ks());
  CHECK(!w.step());
}

TEST(random_writes_between_random_slices) {
  for (uint64_t seed = 1; seed <= 60; seed++) {
    Bench b;
    Rng rng(seed);
    Writer writer(&b, seed * 1000);
    for (int i = 0; i < 1500; i++) writer.once();
    std::vector<std::unique_ptr<Watched>> walks;
    for (int i = 0; i < 4000; i++) {
      if (walks.size() < Snapshots::kMost && rng.below(60) == 0) {
        walks.push_back(std::make_unique<Watched>(b.ks()));
      }
      if (!walks.empty() && rng.below(12) == 0) {
        const size_t at = rng.below(walks.size());
        if (!walks[at]->step() || rng.below(200) == 0) {
          walks.erase(walks.begin() + static_cast<std::ptrdiff_t>(at));
          // An abandoned walk keeps its place until it has been swept.
          while (b.ks().snapshots().sweep(~uint64_t{0})) {
          }
        }
      }
      writer.once();
    }
    for (auto& w : walks) w->finish();
    walks.clear();
    CHECK(!b.ks().snapshots().active());
    CHECK(test::failures() == 0);
    if (test::failures() != 0) {
      std::cerr << "seed " << seed << "\n";
      return;
    }
  }
}

TEST(a_flushed_database_is_still_delivered) {
  Bench b;
  for (int i = 0; i < 500; i++) b.run("SET k" + std::to_string(i) + " v");
  Watched w(b.ks());
  w.step();
  b.ks().flush(-1, false);
  for (int i = 0; i < 500; i++) b.run("SET k" + std::to_string(i) + " other");
  b.ks().flush(0, true);
  b.ks().swap(0, 1);
  w.finish();
  CHECK_EQ(w.seen().size(), size_t{500});
}

TEST(all_places_taken) {
  Bench b;
  for (int i = 0; i < 2000; i++) b.run("SET k" + std::to_string(i) + " v");
  std::vector<std::unique_ptr<Watched>> walks;
  for (unsigned i = 0; i < Snapshots::kMost; i++) walks.push_back(std::make_unique<Watched>(b.ks()));
  struct Nobody : SnapshotTarget {
    void begin(std::span<const Size>) override {}
    bool entry(int, int, const Entry&) override { return true; }
    void end() override {}
  } nobody;
  CHECK(b.ks().start_walk(&nobody) == nullptr);
  walks[2]->step();
  walks.erase(walks.begin() + 2);  // given up: the place is free once it has been swept
  CHECK(b.ks().start_walk(&nobody) == nullptr);
  while (b.ks().snapshots().sweep(0)) {
  }
  walks.push_back(std::make_unique<Watched>(b.ks()));
  for (auto& w : walks) w->finish();
}

TEST(some_slots_of_a_cluster) {
  RecordedSignals signals;
  Keyspace ks(2, true, &signals);
  for (int i = 0; i < 3000; i++) {
    const std::string key = "k" + std::to_string(i);
    ks.add(ks.db(i % 2), ks.ref(key), Entry::make_string(key, "v"));
  }
  struct Counted : SnapshotTarget {
    explicit Counted(Keyspace* k) : ks(k) {}
    void begin(std::span<const Size>) override {}
    bool entry(int db, int slot, const Entry& e) override {
      CHECK_EQ(ks->ref(e.key()).slot, slot);
      CHECK(slot < 100);
      CHECK_EQ(std::stoi(e.key().str().substr(1)) % 2, db);
      count++;
      return true;
    }
    void end() override {}
    Keyspace* ks;
    size_t count = 0;
  } counted(&ks);
  auto walk = ks.start_walk(&counted, [](int slot) { return slot < 100; });
  const size_t expected = walk->keys();
  CHECK(expected > 0);
  // What is written is delivered if it is wanted, and never twice.
  for (int i = 0; i < 3000; i++) {
    const std::string key = "k" + std::to_string(i);
    if (i % 3 == 0) ks.remove(ks.db(i % 2), ks.ref(key), false);
  }
  while (walk->step(0)) {
  }
  CHECK_EQ(counted.count, expected);
  CHECK_EQ(walk->delivered(), expected);
}

TEST(a_target_that_wants_no_more) {
  Bench b;
  for (int i = 0; i < 500; i++) b.run("SET k" + std::to_string(i) + " v");
  struct Full : SnapshotTarget {
    void begin(std::span<const Size>) override {}
    bool entry(int, int, const Entry&) override { return ++count < 100; }
    void end() override {}
    int count = 0;
  } full;
  auto walk = b.ks().start_walk(&full);
  while (walk->step(0)) {
  }
  CHECK(walk->refused());
  CHECK_EQ(full.count, 100);
  walk.reset();
  while (b.ks().snapshots().sweep(0)) {
  }
  CHECK(!b.ks().snapshots().active());
  Watched w(b.ks());
  w.finish();
}

}  // namespace
}  // namespace kvasir

TEST_MAIN()
