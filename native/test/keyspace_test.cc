#include "keyspace/keyspace.h"

#include <set>
#include <string>

#include "base/background.h"
#include "check.h"
#include "keyspace/dict_upkeep.h"
#include "keyspace/digest.h"
#include "keyspace/lazyfree.h"
#include "keyspace/value.h"

using namespace kvasir;

namespace {

struct Listener final : Signals {
  void key_modified(Database&, Slice, bool) override {}
  void notify(uint32_t, const char*, Slice, int) override {}
  void propagate_delete(Database&, Slice, bool) override { deletes++; }
  void expiry_took(int64_t) override {}
  void propagate_field_delete(kvasir::Database&, kvasir::Slice, std::span<const kvasir::Slice>, bool,
                              bool) override {}
  void flushed(int db) override { flushes.push_back(db); }
  void swapping(int a, int b) override {
    flushes.push_back(a);
    flushes.push_back(b);
  }
  void swapped(int, int) override {}
  void key_ready(kvasir::Database&, kvasir::Slice, kvasir::Type) override {}
  void key_gone(kvasir::Database&, kvasir::Slice) override {}
  int deletes = 0;
  std::vector<int> flushes;
};

struct Fixture {
  explicit Fixture(bool clustered = false) : ks(4, clustered, &signals) { ks.now_ms = 1000; }
  void add(const std::string& key, int64_t deadline = kNoExpiry) {
    ks.add(db, ks.ref(key), Entry::make_string(key, "v", deadline));
  }
  bool reads(const std::string& key) { return ks.lookup_read(db, ks.ref(key)) != nullptr; }
  bool writes(const std::string& key) { return ks.lookup_write(db, ks.ref(key)) != nullptr; }
  Listener signals;
  Keyspace ks;
  Database& db = ks.db(0);
};

std::set<std::string> scan_all(Database& db, int first, int last, size_t* steps = nullptr) {
  std::set<std::string> found;
  uint64_t cursor = 0;
  do {
    cursor =
        db.scan(KeyIndex::kAll, cursor, first, last, false, [&](Entry* e) { found.insert(e->key().str()); });
    if (steps != nullptr) ++*steps;
  } while (cursor != 0);
  return found;
}

}  // namespace

TEST(who_deletes_a_due_key) {
  {
    Fixture f;
    f.add("k", 999);
    CHECK(!f.reads("k"));
    CHECK_EQ(f.db.size(), 0U);
    CHECK_EQ(f.signals.deletes, 1);
    CHECK_EQ(f.ks.stats.misses, 1U);
  }
  {
    Fixture f;
    f.add("k", 1000);  // this very millisecond is still valid
    CHECK(f.reads("k"));
  }
  {
    Fixture f;
    f.ks.is_replica = true;
    f.add("k", 999);
    CHECK(!f.reads("k"));
    CHECK(!f.writes("k"));
    CHECK_EQ(f.db.size(), 1U);
    f.ks.replica_read_only = false;
    CHECK(!f.writes("k"));
    CHECK_EQ(f.db.size(), 0U);
  }
  {
    Fixture f;
    f.ks.import_mode = true;
    f.add("k", 999);
    CHECK(!f.reads("k"));
    CHECK_EQ(f.db.size(), 1U);
    f.ks.ignore_expiry = true;  // the import source
    CHECK(f.reads("k"));
    CHECK(f.writes("k"));
    f.ks.ignore_expiry = false;
    CHECK(!f.writes("k"));
    CHECK_EQ(f.db.size(), 0U);
  }
  {
    Fixture f;
    f.ks.expire_paused = true;
    f.add("k", 999);
    CHECK(!f.reads("k"));
    CHECK(f.ks.expire_if_due(f.db, f.ks.ref("k"), *f.db.find(f.ks.ref("k")).get()) == Expiry::kHidden);
    CHECK_EQ(f.db.size(), 1U);
    f.ks.expire_paused = false;
    CHECK(f.ks.lookup_read(f.db, f.ks.ref("k"), Keyspace::kNoExpire) == nullptr);
    CHECK_EQ(f.db.size(), 1U);
  }
  {
    Fixture f;
    f.ks.loading = true;
    f.add("k", 999);
    CHECK(f.reads("k"));
    CHECK(!f.ks.deadline_passed(1));
  }
}

TEST(random_entry_gives_up_where_nothing_may_be_deleted) {
  Fixture f;
  Rng rng(1);
  CHECK(f.ks.random_entry(f.db, rng) == nullptr);
  f.ks.is_replica = true;
  f.add("a", 5);
  CHECK(f.ks.random_entry(f.db, rng) != nullptr);
  f.ks.is_replica = false;
  CHECK(f.ks.random_entry(f.db, rng) == nullptr);
  CHECK_EQ(f.db.size(), 0U);
}

TEST(scan_keeps_its_promise_through_growth_and_shrinking) {
  for (const bool clustered : {false, true}) {
    Fixture f(clustered);
    const int last = clustered ? Database::kSlots - 1 : 0;
    for (int i = 0; i < 500; i++) f.add("stays" + std::to_string(i));
    std::set<std::string> found;
    uint64_t cursor = 0;
    int n = 0;
    do {
      cursor =
          f.db.scan(KeyIndex::kAll, cursor, 0, last, false, [&](Entry* e) { found.insert(e->key().str()); });
      // Grows for a while, then shrinks.
      for (int i = 0; i < 40; i++, n++) {
        const std::string key = "temp" + std::to_string(n < 4000 ? n : n - 4000);
        if (n < 4000) {
          f.add(key);
        } else if (n < 8000) {
          f.ks.remove(f.db, f.ks.ref(key), false);
        }
      }
    } while (cursor != 0);
    for (int i = 0; i < 500; i++) CHECK(found.contains("stays" + std::to_string(i)));
  }
}

TEST(scan_of_slots) {
  Fixture f(true);
  for (int i = 0; i < 300; i++) f.add("k" + std::to_string(i) + "{tag" + std::to_string(i % 3) + "}");
  size_t steps = 0;
  CHECK_EQ(scan_all(f.db, 0, Database::kSlots - 1, &steps).size(), 300U);
  // Empty slots cost no steps (nor does the first, unless it has keys).
  CHECK(steps < 100);
  const int slot = static_cast<int>(key_slot("{tag1}"));
  CHECK_EQ(scan_all(f.db, slot, slot).size(), 100U);
  // A cursor beyond the range is at its end.
  CHECK_EQ(f.db.scan(KeyIndex::kAll, static_cast<uint64_t>(slot) + 1, slot, slot, false, [](Entry*) {}), 0U);
  for (int i = 0; i < 300; i++) {
    f.ks.remove(f.db, f.ks.ref("k" + std::to_string(i) + "{tag" + std::to_string(i % 3) + "}"), false);
  }
  CHECK_EQ(f.db.next_slot(KeyIndex::kAll, 0), -1);
}

TEST(take_and_swap_and_flush) {
  Fixture f;
  f.add("a", 5000);
  f.add("b");
  const KeyRef a = f.ks.ref("a");
  Entry* e = f.ks.take(f.db, a, f.db.find(a));
  CHECK_EQ(f.db.expires_size(), 0U);
  f.ks.add(f.ks.db(1), a, e);
  CHECK_EQ(f.ks.db(1).expires_size(), 1U);
  f.ks.swap(0, 1);
  CHECK(f.signals.flushes == (std::vector<int>{0, 1}));
  CHECK_EQ(f.db.expires_size(), 1U);
  CHECK(f.ks.db(1).find(f.ks.ref("b")));
  const LazyfreeStats before = lazyfree_stats();
  CHECK_EQ(f.ks.flush(-1, true), 2U);
  background_drain();
  CHECK_EQ(lazyfree_stats().pending, 0U);
  CHECK_EQ(lazyfree_stats().freed, before.freed + 2);
  CHECK_EQ(f.db.size() + f.ks.db(1).size(), 0U);
}

TEST(duplicates_are_independent) {
  Fixture f;
  const std::string big(5000, 'x');
  Entry* const long_one = Entry::make_string("k", big);
  Entry* const copy = value_duplicate(*long_one, "other", 77);
  CHECK_EQ(copy->expire_ms(), 77);
  CHECK(copy->key() == Slice("other"));
  CHECK(!copy->buffer()->unique());
  value_destroy(long_one);
  char tmp[24];
  CHECK(copy->string_value(tmp) == Slice(big));
  CHECK(copy->buffer()->unique());
  CHECK(value_bytes(*copy, 5) > 5000);
  value_destroy(copy);
  Entry* const number = Entry::make_int("n", 42);
  Entry* const number_copy = value_duplicate(*number, "m", kNoExpiry);
  CHECK_EQ(number_copy->int_value(), 42);
  value_destroy(number);
  value_destroy(number_copy);
}

// Values from valkey-server 9.1.2.
TEST(digest_is_valkeys) {
  const auto hex = [](const Sha1::Digest& d) {
    std::string s;
    char two[3];
    for (const uint8_t b : d) {
      snprintf(two, sizeof two, "%02x", b);
      s += two;
    }
    return s;
  };
  Fixture f;
  CHECK_EQ(hex(digest_dataset(f.ks)), std::string(40, '0'));
  f.add("a");
  f.ks.add(f.ks.db(1), f.ks.ref("n"), Entry::make_int("n", 12345, 99999));
  CHECK_EQ(hex(digest_dataset(f.ks)), std::string("7bbbbac18ecab02935387339f887d21d86292faa"));
  Sha1::Digest one{};
  digest_entry(&one, *f.db.find(f.ks.ref("a")).get());
  CHECK_EQ(hex(one), std::string("d79ee9fe5d5ad902d7f6620efc3b07b75ddd742f"));
}

TEST(upkeep_finishes_what_commands_leave) {
  Fixture f;
  for (int i = 0; i < 20000; i++) f.add("k" + std::to_string(i));
  while (f.db.slot(0)->keys.rehashing()) f.add("more" + std::to_string(f.db.size()));
  while (!f.db.slot(0)->keys.rehashing()) f.add("more" + std::to_string(f.db.size()));
  DictUpkeep upkeep(&f.ks);
  upkeep.run(false, 10);
  CHECK(f.db.slot(0)->keys.rehashing());
  for (int i = 0; i < 1000 && f.db.slot(0)->keys.rehashing(); i++) upkeep.run(true, 10);
  CHECK(!f.db.slot(0)->keys.rehashing());
}

TEST_MAIN()
