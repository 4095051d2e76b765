// The hash table against std::unordered_map, its SCAN guarantee as a property, and its corners.
#include "dict/dict.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/alloc.h"
#include "base/rng.h"
#include "check.h"

namespace {

using kvasir::Dict;
using kvasir::Rng;
using kvasir::Slice;
using kvasir::dict::ResizePolicy;
using kvasir::dict::set_resize_policy;

struct Item {
  uint32_t id;
  uint32_t size;
  char bytes[24];
};

uint64_t mix(uint64_t x) {
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ULL;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ULL;
  return x ^ (x >> 32);
}

struct GoodHash {
  static uint64_t of(const Slice& s) {
    uint64_t h = 0x9e3779b97f4a7c15ULL + s.size;
    for (const char c : s) h = mix(h ^ static_cast<uint8_t>(c));
    return h;
  }
};
// Few values: long chains, equal tags.
struct PoorHash {
  static uint64_t of(const Slice& s) { return GoodHash::of(s) & 0x8000000000000e07ULL; }
};

template <class Hash>
struct ItemTraits {
  using Elem = Item*;
  static Slice key(const Item* i) { return {i->bytes, i->size}; }
  static uint64_t hash(const Slice& s) { return Hash::of(s); }
};
using Traits = ItemTraits<GoodHash>;

// Items of one test, by number; their keys have all lengths from 1 to 24.
class Items {
 public:
  Item* at(uint32_t id) {
    if (id >= all_.size()) all_.resize(id + 1);
    if (!all_[id]) {
      all_[id] = std::make_unique<Item>();
      Item* i = all_[id].get();
      i->id = id;
      i->size = static_cast<uint32_t>(snprintf(i->bytes, sizeof(i->bytes), "%u", id));
      const uint32_t want = std::max<uint32_t>(i->size, id % 24 + 1);
      while (i->size < want) i->bytes[i->size++] = '.';
    }
    return all_[id].get();
  }

 private:
  std::vector<std::unique_ptr<Item>> all_;
};

template <class T>
void insert(Dict<T>& d, Item* i) {
  d.insert_new(i, T::hash(T::key(i)));
}
template <class T>
Item* find(const Dict<T>& d, Item* i) {
  return d.find(T::key(i), T::hash(T::key(i)));
}
template <class T>
Item* erase(Dict<T>& d, Item* i) {
  return d.erase(T::key(i), T::hash(T::key(i)));
}

// What must hold of the tables whatever happened before.
template <class T>
void check_tables(const Dict<T>& d) {
  size_t used = 0;
  for (unsigned t = 0; t < 2; t++) {
    const auto s = d.table_stats(t, true);
    size_t children = 0;
    for (size_t n = 0; n < s.kChainLengths; n++) children += n * s.chains[n];
    if (s.max_chain < s.kChainLengths) CHECK_EQ(children, s.children);
    used += s.used;
  }
  CHECK_EQ(used, d.size());
}

TEST(tag_matching_forms_agree) {
  Rng rng(1);
  for (int round = 0; round < 200000; round++) {
    uint8_t bytes[8];
    for (uint8_t& b : bytes)
      b = static_cast<uint8_t>(rng.below(round % 2 == 0 ? 3 : 256) * (round % 3 == 0 ? 127 : 1));
    const uint8_t tag = bytes[rng.below(8)];
    unsigned expect = 0;
    for (unsigned i = 0; i < 8; i++) expect |= bytes[i] == tag ? 1U << i : 0;
    CHECK_EQ(kvasir::dict::match_bytes_portable(bytes, tag), expect);
    CHECK_EQ(kvasir::dict::match_bytes(bytes, tag), expect);
  }
}

TEST(empty_dict_costs_nothing) {
  CHECK(sizeof(Dict<Traits>) <= 64);
  Items items;
  Rng rng(1);
  Dict<Traits> d;
  Item* out[4];
  CHECK_EQ(d.mem_bytes(), size_t{0});
  CHECK_EQ(d.buckets(0), size_t{0});
  CHECK(find(d, items.at(1)) == nullptr);
  CHECK(erase(d, items.at(1)) == nullptr);
  CHECK(d.random(rng) == nullptr);
  CHECK_EQ(d.sample(rng, out, 4), size_t{0});
  CHECK_EQ(d.scan(7, [](Item*) {}), uint64_t{0});
  CHECK(!d.rehash_step(1));
  CHECK(!d.resize_if_needed());
  d.prefetch_bucket(5);
  d.prefetch_elem(5);
  d.clear([](Item*) {});
  {
    Dict<Traits>::Iterator it(d);
    CHECK(it.next() == nullptr);
  }
  CHECK_EQ(d.mem_bytes(), size_t{0});
  insert(d, items.at(1));
  CHECK_EQ(d.mem_bytes(), size_t{64});
}

template <class T>
void differential(uint64_t seed, uint32_t ids, int operations) {
  Rng rng(seed);
  Items items;
  Items others;  // different objects with the same keys, for replacement
  Dict<T> d;
  std::unordered_map<uint32_t, Item*> model;
  int pauses = 0;
  uint64_t grow = 70;
  for (int n = 0; n < operations; n++) {
    if (n % 512 == 0)
      grow = rng.below(3) * 35 + 15;  // percent of changes that are inserts: shrink, hold, grow
    const auto id = static_cast<uint32_t>(rng.below(ids));
    Item* const i = items.at(id);
    const uint64_t h = T::hash(T::key(i));
    const auto known = model.find(id);
    Item* const expect = known == model.end() ? nullptr : known->second;
    if (rng.below(3) == 0) {
      d.prefetch_bucket(h);
      d.prefetch_elem(h);
      CHECK(d.find(T::key(i), h) == expect);
      const auto slot = d.find_slot(T::key(i), h);
      CHECK(static_cast<bool>(slot) == (expect != nullptr));
      if (slot && rng.below(4) == 0) {
        auto s = slot;
        s.set(others.at(id));
        known->second = others.at(id);
        CHECK(d.find(T::key(i), h) == others.at(id));
      }
    } else if (rng.below(100) < grow) {
      if (expect == nullptr && rng.below(2) == 0) {
        d.insert_new(i, h);
        model[id] = i;
      } else {
        typename Dict<T>::InsertPoint at;
        const auto slot = d.find_or_prepare(T::key(i), h, &at);
        CHECK(static_cast<bool>(slot) == (expect != nullptr));
        if (slot) {
          CHECK(slot.get() == expect);
        } else if (rng.below(8) != 0) {  // an insert point may be left unused
          d.insert_at(at, i);
          model[id] = i;
        }
      }
    } else if (rng.below(2) == 0) {
      CHECK(d.erase(T::key(i), h) == expect);
      model.erase(id);
    } else if (const auto slot = d.find_slot(T::key(i), h)) {
      CHECK(slot.get() == expect);
      d.erase_slot(slot);
      model.erase(id);
    }
    switch (rng.below(200)) {
      case 0:
        d.rehash_step(rng.below(20));
        break;
      case 1:
        d.rehash_for(std::chrono::microseconds(20));
        break;
      case 2:
        d.try_expand(rng.below(2 * ids));
        break;
      case 3:
        d.resize_if_needed();
        break;
      case 4:
        d.pause_rehash();
        pauses++;
        break;
      case 5:
      case 6:
        if (pauses > 0) {
          d.resume_rehash();
          pauses--;
        }
        break;
      default:
        break;
    }
    CHECK_EQ(d.size(), model.size());
    if (n % 1000 == 0) {
      check_tables(d);
      for (const auto& [key, item] : model) CHECK(find(d, item) == item);
    }
  }
  while (pauses-- > 0) d.resume_rehash();
  check_tables(d);
  for (uint32_t id = 0; id < ids; id++) {
    const auto known = model.find(id);
    CHECK(erase(d, items.at(id)) == (known == model.end() ? nullptr : known->second));
  }
  CHECK(d.empty());
}

TEST(differential_against_unordered_map) {
  for (uint64_t seed = 0; seed < 30; seed++) differential<Traits>(seed, 30 << (seed % 8), 12000);
  differential<Traits>(77, 20000, 150000);
}
TEST(differential_with_a_poor_hash) {
  for (uint64_t seed = 0; seed < 8; seed++) differential<ItemTraits<PoorHash>>(seed, 20 << (seed % 5), 6000);
}
TEST(differential_under_other_policies) {
  for (const ResizePolicy p : {ResizePolicy::kAvoid, ResizePolicy::kForbid}) {
    set_resize_policy(p);
    for (uint64_t seed = 0; seed < 6; seed++) differential<Traits>(seed, 50 << seed, 10000);
  }
  set_resize_policy(ResizePolicy::kAllow);
}

TEST(grows_and_shrinks_at_the_thresholds_of_valkey) {
  Items items;
  Dict<Traits> d;
  for (uint32_t i = 0; i < 7; i++) insert(d, items.at(i));
  CHECK_EQ(d.buckets(0), size_t{1});
  CHECK(!d.rehashing());
  for (uint32_t i = 7; i < 20000; i++) {
    const bool full = !d.rehashing() && d.size() == d.buckets(0) * 7;
    insert(d, items.at(i));
    if (i % 2 == 1 && full) CHECK(d.rehashing());
    CHECK(d.table_stats(0, false).used <= 9 * std::max<size_t>(d.buckets(0), 1));
  }
  while (d.rehash_step(10)) {
  }
  CHECK_EQ(d.buckets(0), size_t{4096});
  for (uint32_t i = 0; i < 20000; i++) {
    const size_t before = d.buckets(0);
    const bool was = d.rehashing();
    CHECK(erase(d, items.at(i)) == items.at(i));
    if (!was && d.rehashing()) {
      CHECK(d.size() * 100 <= before * 7 * 13);
      CHECK(d.buckets(1) < before);
    }
  }
  CHECK(d.size() == 0 && !d.rehashing());
  CHECK_EQ(d.buckets(0), size_t{1});
  CHECK_EQ(d.mem_bytes(), size_t{64});
}

TEST(mass_erase_while_paused_then_refill) {
  Items items;
  Dict<Traits> d;
  for (uint32_t i = 0; i < 20000; i++) insert(d, items.at(i));
  while (d.rehash_step(10)) {
  }
  d.pause_rehash();
  for (uint32_t i = 1; i < 20000; i++) erase(d, items.at(i));
  CHECK(!d.rehashing());
  d.resume_rehash();
  CHECK(d.rehashing());
  std::string text;
  d.stats(&text, false);
  CHECK_EQ(text,
           std::string("Hash table 0 stats (main hash table):\n table size: 28672\n number of entries: 1\n"
                       " rehashing index: 0\nHash table 1 stats (rehashing target):\n table size: 7\n"
                       " number of entries: 0\n"));
  size_t longest = 0;
  for (uint32_t i = 1; i < 2000; i++) {
    insert(d, items.at(i));
    for (unsigned t = 0; t < 2; t++) longest = std::max(longest, d.table_stats(t, true).max_chain);
  }
  CHECK(!d.rehashing());
  CHECK(longest <= 8);
  check_tables(d);
  for (uint32_t i = 0; i < 2000; i++) CHECK(find(d, items.at(i)) == items.at(i));
}

TEST(policies_wait_for_the_hard_limits) {
  Items items;
  Dict<Traits> d;
  set_resize_policy(ResizePolicy::kAvoid);
  for (uint32_t i = 0; i < 35; i++) insert(d, items.at(i));
  CHECK_EQ(d.buckets(0), size_t{1});
  insert(d, items.at(35));
  CHECK(d.buckets(0) > 1 || d.rehashing());
  CHECK(!d.resize_if_needed());
  for (uint32_t i = 36; i < 700; i++) insert(d, items.at(i));
  while (d.rehash_step(10)) {
  }
  const size_t full = d.buckets(0);
  set_resize_policy(ResizePolicy::kForbid);
  for (uint32_t i = 1; i < 700; i++) erase(d, items.at(i));
  CHECK_EQ(d.buckets(0), full);
  CHECK(!d.resize_if_needed());
  set_resize_policy(ResizePolicy::kAllow);
  CHECK(d.resize_if_needed());
}

struct VetoTraits : Traits {
  static inline bool allowed = false;
  static inline size_t asked = 0;
  static bool growth_allowed(size_t bytes, double fill) {
    asked = bytes;
    CHECK(fill > 1.0 && fill <= 5.0);
    return allowed;
  }
};
TEST(growth_can_be_vetoed) {
  Items items;
  Dict<VetoTraits> d;
  for (uint32_t i = 0; i < 35; i++) insert(d, items.at(i));
  CHECK_EQ(d.buckets(0), size_t{1});
  CHECK_EQ(VetoTraits::asked, size_t{512});
  VetoTraits::allowed = true;
  CHECK(d.resize_if_needed());
  CHECK(d.rehashing());
}

TEST(chains_are_closed_after_erase) {
  Items items;
  Dict<ItemTraits<PoorHash>> d;
  Rng rng(3);
  set_resize_policy(ResizePolicy::kForbid);
  for (uint32_t i = 0; i < 35; i++) insert(d, items.at(i));
  CHECK_EQ(d.mem_bytes(), size_t{6 * 64});  // 5 * 6 slots and a last bucket of 5
  std::vector<uint32_t> order(35);
  for (uint32_t i = 0; i < 35; i++) order[i] = i;
  for (uint32_t i = 34; i > 0; i--) std::swap(order[i], order[rng.below(i + 1)]);
  for (uint32_t n = 0; n < 35; n++) {
    CHECK(erase(d, items.at(order[n])) == items.at(order[n]));
    const size_t left = 34 - n;
    const size_t least = left <= 7 ? 1 : (left - 7 + 5) / 6 + 1;
    CHECK_EQ(d.mem_bytes(), least * 64);
    for (uint32_t k = n + 1; k < 35; k++) CHECK(find(d, items.at(order[k])) == items.at(order[k]));
  }
  set_resize_policy(ResizePolicy::kAllow);
}

// Random changes between the steps of a scan: what was there all the time must have been emitted.
template <class T>
void scan_property(uint64_t seed) {
  Rng rng(seed);
  Items items;
  Dict<T> d;
  const auto ids = static_cast<uint32_t>(4 << rng.below(11));
  std::vector<Item*> in;  // unordered; index by position
  std::unordered_map<Item*, size_t> where;
  std::unordered_set<Item*> whole;  // there since the scan began
  std::vector<bool> emitted(ids, false);
  const auto add = [&](Item* i) {
    if (where.contains(i)) return;
    where[i] = in.size();
    in.push_back(i);
    insert(d, i);
  };
  const auto remove = [&](Item* i) {
    const auto at = where.find(i);
    if (at == where.end()) return;
    in[at->second] = in.back();
    where[in.back()] = at->second;
    in.pop_back();
    where.erase(i);
    whole.erase(i);
    CHECK(erase(d, i) == i);
  };
  const auto any = [&] { return items.at(static_cast<uint32_t>(rng.below(ids))); };
  const uint64_t start = rng.below(ids + 1);
  for (uint64_t n = 0; n < start; n++) add(any());
  if (rng.below(2) == 0) d.try_expand(rng.below(8 * ids));
  d.rehash_step(rng.below(d.buckets(0) + 1));
  whole.insert(in.begin(), in.end());

  uint64_t cursor = 0;
  uint64_t steps = 0;
  uint64_t grow = rng.below(3);  // 0: shrinks, 1: holds, 2: grows
  const uint64_t burst = 1 + rng.below(60);
  do {
    const bool disturb = rng.below(8) == 0;
    cursor = d.scan(cursor, [&](Item* i) {
      emitted[i->id] = true;
      if (!disturb) return;
      if (rng.below(4) == 0) remove(i);
      if (rng.below(8) == 0) remove(any());
      if (rng.below(8) == 0) add(any());
    });
    steps++;
    if (rng.below(40) == 0) grow = rng.below(3);
    for (uint64_t n = rng.below(burst); n > 0; n--) {
      if (rng.below(4) < grow + 1 && (grow != 0 || rng.below(8) == 0)) {
        add(any());
      } else if (!in.empty() && in.size() > ids / 64) {
        remove(in[rng.below(in.size())]);
      }
    }
    if (rng.below(30) == 0) d.try_expand(rng.below(8 * ids));
    if (rng.below(10) == 0) d.rehash_step(rng.below(30));
    CHECK(steps < 400000);
  } while (cursor != 0 && steps < 400000);
  for (Item* i : whole) {
    if (!emitted[i->id]) {
      CHECK(emitted[i->id]);
      std::cerr << "seed " << seed << ": missed " << i->id << " of " << whole.size() << "\n";
      return;
    }
  }
  check_tables(d);
}

TEST(scan_misses_nothing) {
  for (uint64_t seed = 0; seed < 4000; seed++) scan_property<Traits>(seed);
}
TEST(scan_misses_nothing_with_a_poor_hash) {
  for (uint64_t seed = 0; seed < 200; seed++) scan_property<ItemTraits<PoorHash>>(seed);
}

TEST(scan_emits_once_when_nothing_changes) {
  Items items;
  for (const uint32_t count : {1, 7, 8, 100, 1793, 3000, 14337}) {
    for (const size_t moved : {0, 1, 5, 100}) {
      for (const bool shrinking : {false, true}) {
        Dict<Traits> d;
        for (uint32_t i = 0; i < (shrinking ? count * 10 : count); i++) insert(d, items.at(i));
        d.pause_rehash();
        for (uint32_t i = count; i < count * 10 && shrinking; i++) erase(d, items.at(i));
        d.resume_rehash();
        if (!shrinking) d.try_expand(count * 20);
        d.rehash_step(moved);
        std::vector<int> seen(count, 0);
        uint64_t cursor = 0;
        do {
          cursor = d.scan(cursor, [&](Item* i) { seen[i->id]++; });
        } while (cursor != 0);
        CHECK(std::all_of(seen.begin(), seen.end(), [](int n) { return n == 1; }));
      }
    }
  }
}

// A shrink of 2^12 from 2^17 buckets: the slots of the small array do not know all bits of the index in the
// large.
TEST(scan_during_a_great_shrink_of_a_mapped_table) {
  const size_t mapped = kvasir::dict::table_mapped_bytes();
  Items items;
  Dict<Traits> d;
  CHECK(d.try_expand(700000));
  CHECK_EQ(d.buckets(0), size_t{1} << 17);
  CHECK_EQ(kvasir::dict::table_mapped_bytes(), mapped + (size_t{8} << 20));
  for (uint32_t i = 0; i < 300; i++) insert(d, items.at(i));
  CHECK(d.resize_if_needed());
  CHECK_EQ(d.buckets(1), size_t{64});
  std::set<uint32_t> seen;
  size_t calls = 0;
  uint64_t cursor = 0;
  while (true) {
    cursor = d.scan(cursor, [&](Item* i) {
      seen.insert(i->id);
      calls++;
    });
    if (cursor == 0) break;
    if (calls % 3 == 0) d.rehash_step(1);
  }
  CHECK_EQ(seen.size(), size_t{300});
  while (d.rehash_step(100)) {
  }
  CHECK_EQ(kvasir::dict::table_mapped_bytes(), mapped);
  for (uint32_t i = 0; i < 300; i++) CHECK(find(d, items.at(i)) == items.at(i));
}

TEST(mapped_tables_grow_and_shrink) {
  const size_t mapped = kvasir::dict::table_mapped_bytes();
  constexpr uint32_t kCount = 500000;
  Items items;
  {
    Dict<Traits> d;
    for (uint32_t i = 0; i < kCount; i++) insert(d, items.at(i));
    CHECK(kvasir::dict::table_mapped_bytes() > mapped);
    for (uint32_t i = 0; i < kCount; i++) CHECK(find(d, items.at(i)) == items.at(i));
    for (uint32_t i = 100; i < kCount; i++) CHECK(erase(d, items.at(i)) == items.at(i));
    for (uint32_t i = 0; i < 100; i++) CHECK(find(d, items.at(i)) == items.at(i));
    check_tables(d);
  }
  CHECK_EQ(kvasir::dict::table_mapped_bytes(), mapped);
}

TEST(iterator_visits_each_once_and_allows_erase) {
  Items items;
  for (const uint32_t count : {1, 6, 8, 50, 999, 5000}) {
    for (const size_t moved : {0, 3}) {
      Dict<Traits> d;
      for (uint32_t i = 0; i < count; i++) insert(d, items.at(i));
      d.try_expand(count * 4);
      d.rehash_step(moved);
      std::vector<int> seen(count, 0);
      {
        Dict<Traits>::Iterator it(d);
        while (Item* i = it.next()) {
          CHECK(it.slot().get() == i);
          seen[i->id]++;
          if (i->id % 3 == 0) CHECK(erase(d, i) == i);
          if (i->id % 3 == 1) d.erase_slot(it.slot());
        }
      }
      CHECK(std::all_of(seen.begin(), seen.end(), [](int n) { return n == 1; }));
      CHECK_EQ(d.size(), static_cast<size_t>(count / 3));
      check_tables(d);
      for (uint32_t i = 0; i < count; i++) CHECK((find(d, items.at(i)) != nullptr) == (i % 3 == 2));
    }
  }
}

TEST(iterator_closes_the_holes_it_leaves) {
  Items items;
  Dict<Traits> d;
  for (uint32_t i = 0; i < 7000; i++) insert(d, items.at(i));
  while (d.rehash_step(100)) {
  }
  const size_t tops = d.buckets(0) * sizeof(kvasir::dict::Bucket);
  CHECK(d.mem_bytes() > tops);
  size_t n = 0;
  Dict<Traits>::Iterator it(d);
  while (Item* i = it.next()) {
    if (++n % 7 != 0) erase(d, i);
  }
  CHECK_EQ(d.size(), size_t{1000});
  CHECK(d.mem_bytes() - tops < 640);  // hardly a chain of more than seven is left at one a bucket
}

double chi_square(const std::vector<int>& counts, double expect) {
  double sum = 0;
  for (const int n : counts) sum += (n - expect) * (n - expect) / expect;
  return sum;
}

TEST(random_is_fair) {
  Items items;
  struct Shape {
    uint32_t before, left;
    size_t steps;
  };
  // One bucket; a load of seven with chains; a growth half done; a table that is being shrunk; a sparse one.
  for (const Shape s : {Shape{5, 5, 0}, {447, 447, 1000}, {460, 460, 6}, {2000, 220, 1}, {2000, 400, 1000}}) {
    Rng rng(42);
    Dict<Traits> d;
    for (uint32_t i = 0; i < s.before; i++) insert(d, items.at(i));
    while (d.rehash_step(100) && s.before == 2000) {
    }
    d.pause_rehash();
    for (uint32_t i = s.left; i < s.before; i++) erase(d, items.at(i));
    d.resume_rehash();
    d.rehash_step(s.steps);
    std::vector<int> counts(s.left, 0);
    constexpr int kEach = 400;
    for (uint32_t n = 0; n < s.left * kEach; n++) counts[d.random(rng)->id]++;
    const double freedom = s.left - 1;
    // Mean of chi-square + 4 standard deviations, the seed being fixed.
    CHECK(chi_square(counts, kEach) < freedom + 4 * std::sqrt(2 * freedom) + 4);
  }
}

TEST(random_finds_the_last_element_of_a_sparse_table) {
  Items items;
  Rng rng(5);
  Dict<Traits> d;
  set_resize_policy(ResizePolicy::kForbid);
  d.try_expand(100000);
  insert(d, items.at(1));
  CHECK(d.random(rng) == items.at(1));
  set_resize_policy(ResizePolicy::kAllow);
}

TEST(sample_is_distinct_complete_and_even) {
  Items items;
  Rng rng(7);
  for (const uint32_t count : {1, 5, 7, 9, 300, 500, 1000}) {
    for (const size_t moved : {0, 4}) {
      Dict<Traits> d;
      for (uint32_t i = 0; i < count; i++) insert(d, items.at(i));
      if (moved != 0) d.try_expand(count * 2);
      d.rehash_step(moved);
      std::vector<Item*> out(count + 10);
      for (int round = 0; round < 50; round++) {
        CHECK_EQ(d.sample(rng, out.data(), count + 10), size_t{count});
        CHECK_EQ((std::set<Item*>(out.begin(), out.begin() + count).size()), size_t{count});
        const size_t some = 1 + rng.below(count);
        CHECK_EQ(d.sample(rng, out.data(), some), some);
        CHECK_EQ((std::set<Item*>(out.begin(), out.begin() + static_cast<long>(some)).size()), some);
      }
      std::vector<int> counts(count, 0);
      const size_t want = std::min<size_t>(5, count);
      const size_t rounds = 200 * count;
      for (size_t round = 0; round < rounds; round++) {
        CHECK_EQ(d.sample(rng, out.data(), want), want);
        for (size_t i = 0; i < want; i++) counts[out[i]->id]++;
      }
      // Neighbours come together, so the variance is up to `want` times that of single draws.
      const double expect = 200.0 * static_cast<double>(want);
      CHECK(chi_square(counts, expect) <
            (count + 4 * std::sqrt(2.0 * count)) * static_cast<double>(want) + 4);
      for (const int n : counts) CHECK(std::abs(n - expect) < 0.35 * expect);
    }
  }
}

TEST(clear_in_slices_elsewhere) {
  Items items;
  for (const size_t moved : {0, 7}) {
    Dict<Traits> d;
    for (uint32_t i = 0; i < 5000; i++) insert(d, items.at(i));
    d.try_expand(30000);
    d.rehash_step(moved);
    Dict<Traits> away = d.detach();
    CHECK(d.empty() && d.mem_bytes() == 0);
    insert(d, items.at(1));
    std::vector<int> released(5000, 0);
    size_t slices = 1;
    while (away.clear_step(50, [&](Item* i) { released[i->id]++; })) slices++;
    CHECK(slices > 10);
    CHECK(std::all_of(released.begin(), released.end(), [](int n) { return n == 1; }));
    CHECK(away.empty() && away.mem_bytes() == 0);
    insert(away, items.at(2));
    CHECK(find(away, items.at(2)) == items.at(2));
    CHECK(find(d, items.at(1)) == items.at(1));
    size_t n = 0;
    d.clear([&](Item*) { n++; });
    CHECK_EQ(n, size_t{1});
    away = std::move(d);
    CHECK(away.empty());
  }
}

TEST(half_cleared_and_half_moved_dicts_free_their_memory) {
  Items items;  // leaks are LeakSanitizer's to find
  Dict<Traits> d;
  for (uint32_t i = 0; i < 5000; i++) insert(d, items.at(i));
  d.try_expand(30000);
  d.rehash_step(9);
  Dict<Traits> half = d.detach();
  half.clear_step(20, [](Item*) {});
  for (uint32_t i = 0; i < 5000; i++) insert(d, items.at(i));
}

TEST(memory_is_what_the_buckets_take) {
  Items items;
  Dict<Traits> d;
  for (uint32_t i = 0; i < 100001; i++) insert(d, items.at(i));
  while (d.rehash_step(100)) {
  }
  const auto s = d.table_stats(0, true);
  CHECK_EQ(s.top_level, size_t{16384});
  CHECK_EQ(d.mem_bytes(), (s.top_level + s.children) * 64);
  CHECK(s.max_chain <= 3);
  d.try_expand(200000);
  CHECK_EQ(d.mem_bytes(), (s.top_level + s.children + d.buckets(1)) * 64);
  Dict<Traits> small;
  CHECK(small.try_expand(5000));
  CHECK_EQ(small.mem_bytes(), size_t{1025 * 64});  // aligned by hand: a line more
}

TEST(stats_text) {
  Items items;
  Dict<Traits> d;
  insert(d, items.at(1));
  std::string text;
  d.stats(&text, true);
  CHECK_EQ(text,
           std::string("Hash table 0 stats (main hash table):\n table size: 7\n number of entries: 1\n"
                       " rehashing index: -1\n top-level buckets: 1\n child buckets: 0\n"
                       " max chain length: 0\n avg chain length: 0.000000\n chain length distribution:\n"
                       "   0: 1 (100.00%)\n"));
  kvasir::dict::TableStats sum = d.table_stats(0, true);
  Dict<Traits> more;
  for (uint32_t i = 0; i < 8; i++) insert(more, items.at(i));
  more.rehash_step(1);
  sum.add(more.table_stats(0, true));
  CHECK_EQ(sum.used, size_t{9});
  CHECK_EQ(sum.top_level, size_t{3});
  CHECK_EQ(sum.chains[0], size_t{3});
}

}  // namespace

TEST_MAIN()
