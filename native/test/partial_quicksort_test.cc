// Partial sorting against std::sort, with equal elements and with orders that are bad for quicksorts.
#include "base/partial_quicksort.h"

#include <utility>
#include <vector>

#include "base/rng.h"
#include "check.h"

using namespace kvasir;

namespace {

struct Item {
  int key;
  int id;
};

void check(std::vector<Item> items, size_t wanted) {
  std::vector<int> expected;
  for (const Item& i : items) expected.push_back(i.key);
  std::sort(expected.begin(), expected.end());
  std::vector<bool> seen(items.size());
  size_t compared = 0;
  partial_quicksort(std::span<Item>(items), wanted, [&](const Item& a, const Item& b) {
    compared++;
    return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
  });
  for (size_t i = 0; i < wanted; i++) CHECK_EQ(items[i].key, expected[i]);
  for (const Item& i : items) seen[static_cast<size_t>(i.id)] = true;
  CHECK(std::find(seen.begin(), seen.end(), false) == seen.end());
  CHECK(compared < 1000 + items.size() * 120);
}

}  // namespace

TEST(random_arrays) {
  Rng rng;
  for (int round = 0; round < 3000; round++) {
    const size_t n = rng.below(round % 10 == 0 ? 2000 : 60);
    const uint64_t keys = 1 + rng.below(round % 3 == 0 ? 3 : 1000);
    std::vector<Item> items;
    for (size_t i = 0; i < n; i++) items.push_back({static_cast<int>(rng.below(keys)), static_cast<int>(i)});
    check(items, rng.below(n + 1));
  }
}

TEST(orders_that_are_there_already) {
  for (const int n : {10, 1000, 20000}) {
    for (const int shape : {0, 1, 2, 3}) {
      std::vector<Item> items;
      for (int i = 0; i < n; i++) {
        items.push_back({shape == 0 ? i : shape == 1 ? n - i : shape == 2 ? 7 : std::min(i, n - i), i});
      }
      check(items, static_cast<size_t>(n / 3));
    }
  }
}

// An adversary that answers so that every cut is as bad as it can be (McIlroy, "A killer adversary for
// quicksort", 1999): the sort that takes over keeps it short.
TEST(an_adversary) {
  constexpr int kSize = 20000;
  std::vector<int> value(kSize, kSize);
  int solid = 0, candidate = 0;
  size_t compared = 0;
  std::vector<int> items;
  for (int i = 0; i < kSize; i++) items.push_back(i);
  partial_quicksort(std::span<int>(items), kSize - 1, [&](int x, int y) {
    compared++;
    if (value[static_cast<size_t>(x)] == kSize && value[static_cast<size_t>(y)] == kSize) {
      value[static_cast<size_t>(x == candidate ? x : y)] = solid++;
    }
    if (value[static_cast<size_t>(x)] == kSize) candidate = x;
    if (value[static_cast<size_t>(y)] == kSize) candidate = y;
    return value[static_cast<size_t>(x)] - value[static_cast<size_t>(y)];
  });
  CHECK(compared < size_t{kSize} * 200);
  for (size_t i = 1; i + 1 < items.size(); i++) {
    CHECK(value[static_cast<size_t>(items[i - 1])] <= value[static_cast<size_t>(items[i])]);
  }
}

TEST_MAIN()
