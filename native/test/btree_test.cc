// B+-trees against std::map under random operations, and in the order in which streams use them.
#include "types/btree.h"

#include <iterator>
#include <map>
#include <string>

#include "base/rng.h"
#include "check.h"
#include "types/stream_nodes.h"

using namespace kvasir;

namespace {

using Tree = BTree<StreamIdTraits<uint64_t>>;
using Set = BTree<StreamIdTraits<struct Empty>>;
struct Empty {};
using Model = std::map<StreamId, uint64_t>;

void compare_all(const Tree& tree, const Model& model) {
  CHECK_EQ(tree.size(), model.size());
  CHECK_EQ(tree.empty(), model.empty());
  Tree::Place at = tree.first();
  for (const auto& [id, v] : model) {
    CHECK(at && at.key() == id && at.value() == v);
    at.next();
  }
  CHECK(!at);
  at = tree.last();
  for (auto it = model.rbegin(); it != model.rend(); ++it) {
    CHECK(at && at.key() == it->first && at.value() == it->second);
    at.prev();
  }
  CHECK(!at);
  // Whatever was put in and taken out, nodes are not left nearly empty.
  CHECK(tree.bytes() <= 4096 + model.size() * 24 * 5);
}

void check_finding(const Tree& tree, const Model& model, const StreamId& id) {
  const auto exact = model.find(id);
  const Tree::Place found = tree.find(id);
  CHECK_EQ(static_cast<bool>(found), exact != model.end());
  if (found) CHECK_EQ(found.value(), exact->second);
  const auto behind = model.lower_bound(id);
  const Tree::Place after = tree.at_or_after(id);
  CHECK_EQ(static_cast<bool>(after), behind != model.end());
  if (after) CHECK(after.key() == behind->first);
  const auto above = model.upper_bound(id);
  const Tree::Place before = tree.at_or_before(id);
  CHECK_EQ(static_cast<bool>(before), above != model.begin());
  if (before) CHECK(before.key() == std::prev(above)->first);
}

void random_operations(uint64_t seed, uint64_t ids, size_t steps) {
  Rng rng(seed);
  Tree tree;
  Model model;
  for (size_t i = 0; i < steps; i++) {
    const StreamId id{rng.below(ids), rng.below(3)};
    // Grows first, then shrinks to nothing, so that nodes merge.
    const bool adds = rng.below(10) < (i < steps / 2 ? 7 : 2);
    if (adds) {
      bool inserted;
      const Tree::Place p = tree.insert(id, i, &inserted);
      CHECK(p.key() == id);
      CHECK_EQ(inserted, model.emplace(id, i).second);
      CHECK_EQ(p.value(), model[id]);
    } else {
      CHECK_EQ(tree.erase(id), model.erase(id) > 0);
    }
    check_finding(tree, model, {rng.below(ids + 2), rng.below(3)});
    if (i % (steps / 10) == 0) compare_all(tree, model);
  }
  compare_all(tree, model);
  while (!model.empty()) {
    const StreamId id = model.begin()->first;
    CHECK(tree.erase(id));
    model.erase(id);
  }
  compare_all(tree, model);
  CHECK_EQ(tree.bytes(), size_t{0});
}

}  // namespace

TEST(random_operations_agree_with_a_map) {
  for (uint64_t seed = 1; seed <= 10; seed++) {
    random_operations(seed, 30, 2000);
    random_operations(seed, 3000, 40000);
  }
}

TEST(a_queue_stays_as_large_as_it_is) {
  for (const size_t length : {1, 3, 60, 64, 65, 1000}) {
    Tree tree;
    Model model;
    for (uint64_t i = 0; i < 5000; i++) {
      tree.insert({i, 0}, i);
      model.emplace(StreamId{i, 0}, i);
      if (i < length) continue;
      CHECK(tree.erase({i - length, 0}));
      model.erase({i - length, 0});
    }
    compare_all(tree, model);
    CHECK(tree.bytes() <= 5000 + length * 30);
  }
}

TEST(what_comes_in_order_fills_the_nodes) {
  Tree tree;
  constexpr uint64_t kKeys = 100000;
  for (uint64_t i = 0; i < kKeys; i++) tree.insert({i, 0}, i);
  CHECK(tree.bytes() < kKeys * 27);
  for (uint64_t i = kKeys; i > 0; i--) CHECK(tree.erase({i - 1, 0}));
  CHECK_EQ(tree.bytes(), size_t{0});
}

TEST(what_comes_backwards) {
  Tree tree;
  Model model;
  for (uint64_t i = 10000; i > 0; i--) {
    tree.insert({0, i}, i);
    model.emplace(StreamId{0, i}, i);
  }
  compare_all(tree, model);
}

TEST(empty_values_take_no_memory) {
  Set set;
  for (uint64_t i = 0; i < 10000; i++) set.insert({i, i}, {});
  CHECK(set.bytes() < 10000 * 18);
  for (uint64_t i = 0; i < 10000; i += 2) CHECK(set.erase({i, i}));
  for (uint64_t i = 0; i < 10000; i++) CHECK_EQ(static_cast<bool>(set.find({i, i})), i % 2 == 1);
}

TEST_MAIN()
