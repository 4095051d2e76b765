// The index of deadlines against an ordered set, under random operations and under those it is made for.
#include "types/deadline_index.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "base/alloc.h"
#include "base/rng.h"
#include "check.h"

using namespace kvasir;

namespace {

struct alignas(8) Item {
  int64_t deadline;
};
struct ItemDeadline {
  static int64_t deadline(const Item* i) { return i->deadline; }
};
size_t g_looks = 0;
struct CountedDeadline {
  static int64_t deadline(const Item* i) {
    g_looks++;
    return i->deadline;
  }
};
using Index = DeadlineIndex<Item, ItemDeadline>;

class Pair {
 public:
  Item* add(int64_t deadline) {
    items_.push_back(std::make_unique<Item>(Item{deadline}));
    put(items_.back().get());
    return items_.back().get();
  }
  void put(Item* i) {
    index.add(i);
    model.emplace(i->deadline, i);
  }
  void remove(Item* i) {
    index.remove(i, i->deadline);
    CHECK_EQ(model.erase({i->deadline, i}), 1U);
  }
  void redate(Item* i, int64_t deadline) {
    remove(i);
    i->deadline = deadline;
    put(i);
  }
  // What is taken is due, as much of it as may be, and never twice.
  size_t take_before(int64_t time, size_t max) {
    std::vector<Item*> out(max);
    const size_t n = index.take_before(time, out.data(), max);
    size_t due = 0;
    for (auto it = model.begin(); it != model.end() && it->first < time && due < max; ++it) due++;
    CHECK_EQ(n, due);
    for (size_t i = 0; i < n; i++) {
      CHECK(out[i]->deadline < time);
      CHECK_EQ(model.erase({out[i]->deadline, out[i]}), 1U);
    }
    return n;
  }
  void check() {
    CHECK_EQ(index.empty(), model.empty());
    CHECK_EQ(index.earliest(), model.empty() ? Index::kNever : model.begin()->first);
  }
  Index index;
  std::set<std::pair<int64_t, Item*>> model;

 private:
  std::vector<std::unique_ptr<Item>> items_;
};

Item* any(const Pair& p, Rng& rng) {
  auto it = p.model.begin();
  std::advance(it, static_cast<long>(rng.below(p.model.size())));
  return it->second;
}

}  // namespace

TEST(random_operations) {
  for (const int64_t range : {1, 50, 100000}) {  // many with one deadline, or few
    for (const size_t most : {3, 70, 1500}) {
      Rng rng(static_cast<uint64_t>(range) * 7919 + most);
      Pair p;
      for (int step = 0; step < 12000; step++) {
        const uint64_t what = rng.below(20);
        const auto deadline = static_cast<int64_t>(rng.below(static_cast<uint64_t>(range)));
        if (p.model.size() < most && what < 12) {
          p.add(deadline);
        } else if (p.model.empty()) {
          continue;
        } else if (what < 15) {
          p.remove(any(p, rng));
        } else if (what < 18) {
          p.redate(any(p, rng), deadline);
        } else {
          p.take_before(static_cast<int64_t>(rng.below(static_cast<uint64_t>(range) / 4 + 2)),
                        1 + rng.below(what == 18 ? 5 : 200));
        }
        if (step % 16 == 0) p.check();
      }
      p.take_before(range, p.model.size() + 1);
      p.check();
      CHECK_EQ(p.index.bytes(), 0U);
    }
  }
}

TEST(memory_per_item) {
  const HeapScope heap;
  Rng rng(1);
  constexpr size_t kItems = 200000;
  Pair ordered;
  Pair random;
  Pair equal;
  for (size_t i = 0; i < kItems; i++) {
    ordered.add(static_cast<int64_t>(i));
    random.add(static_cast<int64_t>(rng.below(60000)));
    equal.add(7);
  }
  CHECK(ordered.index.bytes() < kItems * 17 / 2);
  CHECK(random.index.bytes() < kItems * 19 / 2);
  CHECK(equal.index.bytes() < kItems * 19 / 2);
  Pair small;
  small.add(1);
  CHECK_EQ(small.index.bytes(), 0U);
  for (int i = 0; i < 9; i++) small.add(i);
  CHECK(small.index.bytes() <= 96U);
}

// Removing nearly all of many leaves must not leave them behind.
TEST(thinned_out) {
  Rng rng(2);
  Pair p;
  std::vector<Item*> items;
  for (int i = 0; i < 50000; i++) items.push_back(p.add(static_cast<int64_t>(rng.below(1000000))));
  for (size_t i = 0; i < items.size(); i++) {
    if (i % 50 != 0) p.remove(items[i]);
  }
  p.check();
  CHECK(p.index.bytes() < p.model.size() * 32);
  while (p.take_before(1000001, 7) > 0) {
  }
  CHECK(p.model.empty());
}

// What is not due is not looked at again and again: the index knows after one look.
TEST(bounds_rise) {
  DeadlineIndex<Item, CountedDeadline> index;
  std::vector<Item> items(1000);
  for (size_t i = 0; i < items.size(); i++) {
    items[i].deadline = static_cast<int64_t>(i) + 1000;
    index.add(&items[i]);
  }
  index.remove(&items[0], 1000);
  Item* out[4];
  CHECK_EQ(index.take_before(1001, out, 4), 0U);
  g_looks = 0;
  for (int i = 0; i < 100; i++) CHECK_EQ(index.take_before(1001, out, 4), 0U);
  CHECK_EQ(g_looks, 0U);
  CHECK_EQ(index.take_before(1003, out, 4), 2U);
}

TEST(moves) {
  Index a;
  std::vector<Item> items(200);
  for (size_t i = 0; i < items.size(); i++) {
    items[i].deadline = static_cast<int64_t>(i);
    a.add(&items[i]);
  }
  Index b = std::move(a);
  CHECK(a.empty());
  CHECK_EQ(b.earliest(), 0);
  std::swap(a, b);
  CHECK(b.empty());
  CHECK_EQ(a.earliest(), 0);
}

TEST_MAIN()
