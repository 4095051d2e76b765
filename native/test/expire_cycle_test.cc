#include "keyspace/expire_cycle.h"

#include <string>

#include "check.h"

using namespace kvasir;

namespace {

struct Listener final : Signals {
  void key_modified(Database&, Slice, bool) override {}
  void notify(uint32_t klass, const char* event, Slice, int) override {
    if (klass == kNotifyExpired && std::string(event) == "expired") events++;
  }
  void propagate_delete(Database&, Slice, bool) override { deletes++; }
  void expiry_took(int64_t) override {}
  void propagate_field_delete(kvasir::Database&, kvasir::Slice, std::span<const kvasir::Slice>, bool,
                              bool) override {}
  void flushed(int) override {}
  void swapping(int, int) override {}
  void swapped(int, int) override {}
  void key_ready(kvasir::Database&, kvasir::Slice, kvasir::Type) override {}
  void key_gone(kvasir::Database&, kvasir::Slice) override {}
  int events = 0, deletes = 0;
};

// A clock that a reading advances: work costs time, and always the same.
uint64_t g_now = 0;
uint64_t g_per_reading = 0;
uint64_t fake_clock() { return g_now += g_per_reading; }

struct Fixture {
  explicit Fixture(int databases = 16, bool clustered = false) : ks(databases, clustered, &signals) {
    ks.now_ms = 1000000;
    ks.interest_notify = kNotifyExpired;
    g_now = 1000000;
    g_per_reading = 0;
  }
  void add(int db, const std::string& key, int64_t ttl_ms) {
    ks.add(ks.db(db), ks.ref(key),
           Entry::make_string(key, "value", ttl_ms == 0 ? kNoExpiry : ks.now_ms + ttl_ms));
  }
  void fill(int db, int n, int64_t ttl_ms, const std::string& prefix = "k") {
    for (int i = 0; i < n; i++) add(db, prefix + std::to_string(i), ttl_ms);
  }
  Listener signals;
  Keyspace ks;
  ExpireCycle cycle{&ks, fake_clock};
};

}  // namespace

TEST(deletes_what_is_due_and_nothing_else) {
  Fixture f;
  f.fill(0, 500, 10, "due");
  f.fill(0, 300, 100000, "later");
  f.fill(0, 200, 0, "never");
  f.fill(3, 40, 10);
  f.ks.now_ms += 10;  // the deadline itself is still valid
  for (int i = 0; i < 200; i++) f.cycle.begin(10);
  CHECK_EQ(f.ks.db(0).size(), 1000U);
  f.ks.now_ms += 1;
  for (int i = 0; i < 400; i++) f.cycle.begin(10);
  CHECK_EQ(f.ks.db(0).size(), 500U);
  CHECK_EQ(f.ks.db(0).expires_size(), 300U);
  CHECK_EQ(f.ks.db(3).size(), 0U);
  CHECK_EQ(f.ks.stats.expired, 540U);
  CHECK_EQ(f.signals.events, 540);
  CHECK_EQ(f.signals.deletes, 540);
}

// Wherever in the table the last of them is found. The clock stands still during a cycle: one that looks for
// more never ends.
TEST(ends_when_nothing_is_left) {
  for (int round = 0; round < 300; round++) {
    Fixture f(1);
    const int n = 1 + round * 7 % 997;
    f.fill(0, n, 10, std::to_string(round) + "-");
    f.ks.now_ms += 11;
    for (int i = 0; i < 10; i++) {
      f.cycle.begin(10);
      g_now += 1000000;
    }
    CHECK_EQ(f.signals.events + static_cast<int>(f.ks.db(0).size()), n);
  }
}

TEST(stays_with_a_database_while_much_of_it_is_due) {
  Fixture f;
  f.fill(0, 10000, 1);
  f.ks.now_ms += 2;
  f.cycle.begin(10);
  // What is left is in a table too empty to be walked, until it has shrunk.
  CHECK(f.ks.db(0).size() < 1000U);
  CHECK(!f.cycle.unfinished());
  CHECK(f.ks.stats.expired_stale_perc > 4.9);
}

TEST(a_cycle_is_cut_into_slices_and_ends_with_its_budget) {
  Fixture f;
  f.fill(0, 40000, 1);
  f.ks.now_ms += 2;
  g_per_reading = 400;
  f.cycle.begin(10);
  CHECK(f.cycle.unfinished());
  const size_t after_one = f.ks.db(0).size();
  CHECK(after_one < 40000U);
  CHECK(after_one > 35000U);
  int slices = 1;
  while (f.cycle.unfinished() && slices < 1000) {
    // No slice takes more than its limit, give or take the readings around the check.
    CHECK(f.cycle.between_turns() <= ExpireCycle::kSliceUs + 4 * g_per_reading);
    slices++;
  }
  // 25 ms of slices of 1 ms and a bit.
  CHECK(slices > 10);
  CHECK(slices < 26);
  CHECK_EQ(f.ks.stats.expired_time_cap_reached, 1U);
  CHECK(f.ks.stats.expire_cycle_cpu_us >= 25000U);
  CHECK(f.ks.db(0).size() > 0U);
}

TEST(fast_cycles_follow_a_cycle_that_ran_out_of_time_with_pauses) {
  Fixture f;
  f.fill(0, 40000, 1);
  f.ks.now_ms += 2;
  CHECK(!f.cycle.wants_time());
  g_per_reading = 2000;
  f.cycle.begin(1000);  // a budget of 250 µs
  CHECK(!f.cycle.unfinished());
  CHECK(f.cycle.wants_time());
  g_per_reading = 100;
  const size_t before = f.ks.db(0).size();
  CHECK(f.cycle.between_turns() > 0U);
  const size_t after = f.ks.db(0).size();
  CHECK(after < before);
  f.cycle.between_turns();
  if (!f.cycle.unfinished()) {
    CHECK_EQ(f.cycle.between_turns(), 0U);  // not again within twice its duration
    CHECK_EQ(f.ks.db(0).size(), f.ks.db(0).expires_size());
  }
  g_now += 3000;
  g_per_reading = 0;
  CHECK_EQ(f.cycle.between_turns(), 0U);  // the clock stands still, the work is done
  CHECK(f.ks.db(0).size() < 1000U);
  CHECK(!f.cycle.wants_time());
}

TEST(more_effort_takes_more_time) {
  uint64_t spent[2];
  for (const int effort : {1, 10}) {
    Fixture f;
    f.fill(0, 40000, 1);
    f.ks.now_ms += 2;
    g_per_reading = 1000;
    f.cycle.effort = effort;
    f.cycle.begin(10);
    while (f.cycle.unfinished()) f.cycle.between_turns();
    spent[effort == 10] = f.ks.stats.expire_cycle_cpu_us;
  }
  CHECK(spent[0] >= 25000 && spent[0] < 30000);
  CHECK(spent[1] >= 43000 && spent[1] < 48000);
}

TEST(databases_take_turns) {
  Fixture f(40);
  for (int i = 0; i < 40; i++) f.fill(i, 10, 1);
  f.ks.now_ms += 2;
  f.cycle.begin(10);
  size_t left = 0;
  for (int i = 0; i < 40; i++) left += f.ks.db(i).size();
  CHECK_EQ(left, 240U);  // sixteen databases a cycle
  f.cycle.begin(10);
  f.cycle.begin(10);
  left = 0;
  for (int i = 0; i < 40; i++) left += f.ks.db(i).size();
  CHECK_EQ(left, 0U);
}

TEST(average_ttl) {
  Fixture f;
  f.fill(0, 100, 50000);
  f.cycle.begin(10);
  CHECK_EQ(f.ks.db(0).avg_ttl_ms, 50000);
  f.ks.now_ms += 10000;
  f.cycle.begin(10);
  // A step counts for a fiftieth.
  CHECK(f.ks.db(0).avg_ttl_ms < 50000 && f.ks.db(0).avg_ttl_ms >= 49000);
  f.ks.flush(0, false);
  CHECK_EQ(f.ks.db(0).avg_ttl_ms, 0);
}

TEST(cluster_mode_walks_the_slots) {
  Fixture f(1, true);
  f.fill(0, 3000, 1, "due");
  f.fill(0, 3000, 0, "never");
  CHECK(f.ks.db(0).next_slot(KeyIndex::kExpiring, 0) >= 0);
  f.ks.now_ms += 2;
  for (int i = 0; i < 20; i++) f.cycle.begin(10);
  CHECK_EQ(f.ks.db(0).size(), 3000U);
  CHECK_EQ(f.ks.db(0).expires_size(), 0U);
  CHECK_EQ(f.ks.db(0).next_slot(KeyIndex::kExpiring, 0), -1);
}

TEST(keys_of_a_writable_replica) {
  Fixture f;
  f.ks.is_replica = true;
  f.ks.replica_read_only = false;
  f.fill(0, 10, 1, "own");
  f.add(0, "own-later", 100000);
  f.ks.ignore_expiry = true;  // from the primary
  f.fill(0, 10, 1, "primary");
  f.ks.ignore_expiry = false;
  CHECK_EQ(f.ks.replica_keys.size(), 11U);
  f.ks.now_ms += 2;
  ReplicaKeyExpiry expiry(&f.ks);
  expiry.run();
  CHECK_EQ(f.ks.db(0).size(), 11U);
  CHECK_EQ(f.ks.replica_keys.size(), 1U);
  f.ks.set_expire(f.ks.db(0), f.ks.ref("own-later"), f.ks.db(0).find(f.ks.ref("own-later")), kNoExpiry);
  expiry.run();
  CHECK_EQ(f.ks.replica_keys.size(), 0U);
}

TEST_MAIN()
