#include "keyspace/eviction.h"

#include <algorithm>
#include <set>
#include <string>

#include "check.h"

using namespace kvasir;

namespace {

struct Listener final : Signals {
  void key_modified(Database&, Slice, bool) override {}
  void notify(uint32_t, const char*, Slice, int) override {}
  void propagate_delete(Database&, Slice, bool) override {}
  void expiry_took(int64_t) override {}
  void propagate_field_delete(kvasir::Database&, kvasir::Slice, std::span<const kvasir::Slice>, bool,
                              bool) override {}
  void key_ready(Database&, Slice, Type) override {}
  void key_gone(Database&, Slice) override {}
  void flushed(int) override {}
  void swapping(int, int) override {}
  void swapped(int, int) override {}
};

struct Fixture {
  explicit Fixture(bool clustered = false) : ks(3, clustered, &signals), sampler(&ks) {
    ks.now_ms = 60000LL * 1000;
    ks.lru_clock = 1000000;
  }
  Entry* add(int db, const std::string& key, int64_t deadline = kNoExpiry) {
    Entry* e = Entry::make_string(key, "v", deadline);
    ks.add(ks.db(db), ks.ref(key), e);
    return e;
  }
  // Evicts up to n keys; returns their names, the first evicted first.
  std::vector<std::string> evict(const EvictionRule& rule, size_t samples, size_t n) {
    std::vector<std::string> gone;
    EvictionSampler::Pick pick;
    while (gone.size() < n && sampler.pick(rule, samples, &pick)) {
      CHECK(ks.remove(*pick.db, pick.ref(), false));
      gone.push_back(pick.key);
    }
    return gone;
  }
  Listener signals;
  Keyspace ks;
  EvictionSampler sampler;
};

const char* const kRules[] = {"allkeys-lru",  "allkeys-lfu",  "allkeys-random", "volatile-lru",
                              "volatile-lfu", "volatile-ttl", "volatile-random"};

// Evicts half of n keys that are to go in the order of their numbers; the share of those gone that belong to
// the right half.
double accuracy(Fixture& f, const char* policy, size_t samples, int n) {
  const std::vector<std::string> gone =
      f.evict(EvictionRule::parse(policy), samples, static_cast<size_t>(n) / 2);
  CHECK_EQ(gone.size(), static_cast<size_t>(n) / 2);
  const auto right =
      std::count_if(gone.begin(), gone.end(), [&](const std::string& key) { return std::stoi(key) < n / 2; });
  return static_cast<double>(right) / static_cast<double>(gone.size());
}

TEST(policies_have_their_names) {
  CHECK(EvictionRule::parse("noeviction").order == EvictionOrder::kNone);
  CHECK(EvictionRule::parse("volatile-ttl") == (EvictionRule{EvictionOrder::kTtl, KeyIndex::kExpiring}));
  CHECK(EvictionRule::parse("allkeys-lfu") == (EvictionRule{EvictionOrder::kLfu, KeyIndex::kAll}));
}

TEST(every_candidate_goes_in_the_end_and_nothing_else) {
  for (const bool clustered : {false, true}) {
    for (const char* policy : kRules) {
      Fixture f(clustered);
      std::set<std::string> left;
      for (int i = 0; i < 300; i++) {
        const bool candidate = i % 2 == 0 || std::string(policy).starts_with("allkeys");
        const std::string key = std::to_string(i);
        f.add(i % 3, key, i % 2 == 0 ? f.ks.now_ms + 1000 + i : kNoExpiry);
        if (candidate) left.insert(key);
      }
      const size_t size = f.ks.db(0).size() + f.ks.db(1).size() + f.ks.db(2).size();
      const size_t candidates = left.size();
      const auto gone = f.evict(EvictionRule::parse(policy), 5, 1000);
      for (const std::string& key : gone) CHECK_EQ(left.erase(key), size_t{1});
      CHECK(left.empty());
      CHECK_EQ(f.ks.db(0).size() + f.ks.db(1).size() + f.ks.db(2).size(), size - candidates);
    }
  }
}

TEST(noeviction_picks_nothing) {
  Fixture f;
  f.add(0, "k");
  CHECK(f.evict(EvictionRule::parse("noeviction"), 5, 1).empty());
}

TEST(the_least_recently_used_go_first) {
  for (const bool clustered : {false, true}) {
    Fixture f(clustered);
    const int n = 20000;
    for (int i = 0; i < n; i++) f.add(0, std::to_string(i))->set_lru(static_cast<uint32_t>(500000 + i));
    const double five = accuracy(f, "allkeys-lru", 5, n);
    CHECK(five > 0.85);
  }
}

TEST(more_samples_are_more_accurate) {
  double share[2];
  for (int i = 0; i < 2; i++) {
    Fixture f;
    const int n = 20000;
    for (int k = 0; k < n; k++) f.add(0, std::to_string(k))->set_lru(static_cast<uint32_t>(500000 + k));
    share[i] = accuracy(f, "allkeys-lru", i == 0 ? 1 : 10, n);
  }
  CHECK(share[1] > share[0]);
  CHECK(share[1] > 0.93);
}

TEST(the_least_frequently_used_go_first) {
  Fixture f;
  f.ks.lfu = true;
  const int n = 20000;
  const uint32_t minute = static_cast<uint32_t>(f.ks.now_ms / 60000) & 0xffff;
  for (int i = 0; i < n; i++) {
    f.add(0, std::to_string(i))->set_lru(minute << 8 | static_cast<uint32_t>(i * 255 / n));
  }
  CHECK(accuracy(f, "allkeys-lfu", 5, n) > 0.85);
}

TEST(the_soonest_deadlines_go_first) {
  Fixture f;
  const int n = 20000;
  for (int i = 0; i < n; i++) f.add(0, std::to_string(i), f.ks.now_ms + 1000 + i);
  CHECK(accuracy(f, "volatile-ttl", 5, n) > 0.85);
}

TEST(keys_that_have_gone_are_passed_over) {
  Fixture f;
  const EvictionRule rule = EvictionRule::parse("allkeys-lru");
  for (int i = 0; i < 100; i++) f.add(0, std::to_string(i));
  CHECK_EQ(f.evict(rule, 10, 1).size(), size_t{1});
  f.ks.flush(-1, false);
  f.add(1, "last");
  const auto gone = f.evict(rule, 10, 10);
  CHECK_EQ(gone.size(), size_t{1});
  CHECK(gone[0] == "last");
}

TEST(another_rule_forgets_what_was_drawn) {
  Fixture f;
  for (int i = 0; i < 1000; i++) f.add(0, std::to_string(i));
  CHECK_EQ(f.evict(EvictionRule::parse("allkeys-lru"), 16, 1).size(), size_t{1});
  f.add(0, "volatile", f.ks.now_ms + 5000);
  const auto gone = f.evict(EvictionRule::parse("volatile-lru"), 16, 10);
  CHECK_EQ(gone.size(), size_t{1});
  CHECK(gone[0] == "volatile");
}

}  // namespace

TEST_MAIN()
