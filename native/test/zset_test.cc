// Sorted sets in both encodings against a plain ordered model, under random operations.
#include "types/zset.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/rng.h"
#include "check.h"
#include "types/zset_builder.h"

using namespace kvasir;

namespace {

struct Model {
  std::map<std::string, double> scores;
  std::set<std::pair<double, std::string>> order;
  void put(const std::string& m, double s) {
    take(m);
    scores[m] = s;
    order.emplace(s, m);
  }
  bool take(const std::string& m) {
    const auto it = scores.find(m);
    if (it == scores.end()) return false;
    order.erase({it->second, m});
    scores.erase(it);
    return true;
  }
};

void compare_all(const Collection& c, const Model& model) {
  CHECK_EQ(zset_size(c), model.order.size());
  if (model.order.empty()) return;
  char tmp[32];
  ZsetCursor at(c, 0);
  for (const auto& [score, member] : model.order) {
    CHECK(at.valid());
    CHECK_EQ(at.member(tmp).str(), member);
    CHECK_EQ(at.score(), score);
    at.next();
  }
  CHECK(!at.valid());
  ZsetCursor back(c, model.order.size() - 1);
  for (auto it = model.order.rbegin(); it != model.order.rend(); ++it, back.prev()) {
    CHECK_EQ(back.member(tmp).str(), it->second);
  }
  CHECK(!back.valid());
}

void run(uint64_t seed, size_t members, size_t steps, const EncodingLimits& limits, unsigned scores) {
  Rng rng(seed);
  Model model;
  Collection c = zset_make(limits, 0, 0);
  for (size_t i = 0; i < steps; i++) {
    const std::string m = "m" + std::to_string(rng.below(members));
    double s = static_cast<double>(rng.below(scores)) / 2;
    // Grows first, then shrinks to nothing, so that nodes merge.
    const bool shrinking = i > steps / 2;
    const uint64_t what = rng.below(10);
    if (what < (shrinking ? 2U : 6U)) {
      const bool there = model.scores.count(m) > 0;
      const double wanted = s;
      const ZaddResult r = zset_add(&c, limits, m, 0, &s);
      CHECK_EQ(r == ZaddResult::kAdded, !there);
      model.put(m, wanted);
    } else if (what < 8) {
      CHECK_EQ(zset_remove(&c, m), model.take(m));
    } else if (what < 9) {
      double score = 0;
      const auto rank = zset_rank(c, m, &score);
      const auto it = model.scores.find(m);
      CHECK_EQ(rank.has_value(), it != model.scores.end());
      if (rank && i % 16 == 0) {
        CHECK_EQ(*rank, static_cast<size_t>(
                            std::distance(model.order.begin(), model.order.find({it->second, it->first}))));
      }
    } else if (shrinking && !model.order.empty()) {
      ScoreRange range;
      range.min = s;
      range.max = s + 1;
      range.max_open = true;
      const RankInterval ranks = zset_interval(c, range);
      const auto first = model.order.lower_bound({range.min, ""});
      const auto end = model.order.lower_bound({range.max, ""});
      CHECK_EQ(ranks.size(), static_cast<size_t>(std::distance(first, end)));
      zset_erase(&c, ranks);
      for (auto it = first; it != end; it = model.order.erase(it)) model.scores.erase(it->second);
    }
    if (i % (steps / 20) == 0) compare_all(c, model);
  }
  compare_all(c, model);
  if (zset_size(c) > 0) {
    const Collection copy = kZsetOps.duplicate(c);
    compare_all(copy, model);
    zset_destroy(copy);
    zset_erase(&c, {0, zset_size(c)});
    CHECK_EQ(zset_size(c), size_t{0});
  }
  zset_destroy(c);
}

}  // namespace

TEST(listpack_and_conversion) {
  for (uint64_t seed = 1; seed <= 20; seed++) run(seed, 100 + seed * 10, 2000, EncodingLimits{}, 20);
}

TEST(big) {
  EncodingLimits none;
  none.zset_max_listpack_entries = 0;
  for (uint64_t seed = 1; seed <= 3; seed++) {
    run(seed, 20, 4000, none, 5);
    run(seed, 5000, 40000, none, 20000);
    run(seed, 5000, 40000, none, 3);
  }
}

TEST(in_order) {
  EncodingLimits none;
  none.zset_max_listpack_entries = 0;
  Collection c = zset_make(none, 1, 1);
  for (int i = 0; i < 20000; i++) {
    double s = i;
    zset_add(&c, none, std::to_string(i), 0, &s);
  }
  char tmp[32];
  for (size_t rank = 0; rank < 20000; rank += 37)
    CHECK_EQ(ZsetCursor(c, rank).member(tmp).str(), std::to_string(rank));
  while (zset_size(c) > 0) zset_erase(&c, {zset_size(c) - 1, zset_size(c)});
  zset_destroy(c);
}

TEST(in_reverse_order) {
  Collection c = zset_make_big(0);
  const EncodingLimits limits;
  for (int i = 0; i < 20000; i++) {
    double s = -i;
    zset_add(&c, limits, std::to_string(i), 0, &s);
  }
  char tmp[32];
  for (size_t rank = 0; rank < 20000; rank += 37)
    CHECK_EQ(ZsetCursor(c, rank).member(tmp).str(), std::to_string(19999 - rank));
  // Leaves are filled from this end, too.
  CHECK(static_cast<BigZset*>(c.data)->order.bytes() < 20000 * 19);
  while (zset_size(c) > 0) zset_erase(&c, {0, std::min<size_t>(zset_size(c), 999)});
  zset_destroy(c);
}

TEST(built_at_once) {
  Rng rng(7);
  // Around a full leaf, a full inner node, and one of the next level.
  for (const size_t size : {0U, 1U, 5U, 6U, 7U, 61U, 62U, 63U, 124U, 1000U, 1921U, 1922U, 1923U, 3844U,
                            59581U, 59582U, 59583U, 60000U}) {
    for (const int order : {0, 1, 2}) {
      Model model;
      ZsetBuilder builder(size);
      for (size_t i = 0; i < size; i++) {
        const double score = order == 0 ? static_cast<double>(rng.below(1000))
                                        : static_cast<double>(order == 1 ? i / 3 : (size - i) / 3);
        const std::string m = "m" + std::to_string(i);
        bool added = false;
        builder.find_or_add(m, score, &added);
        CHECK(added);
        model.put(m, score);
      }
      if (size > 10) {
        builder.remove("m7");
        builder.remove("nobody");
        model.take("m7");
        bool added = true;
        builder.find_or_add("m3", 0, &added)->score = 5;
        CHECK(!added);
        model.put("m3", 5);
      }
      CHECK_EQ(builder.size(), model.order.size());
      Collection c = builder.finish();
      compare_all(c, model);
      // What was built is a tree like any other.
      for (size_t i = 0; i < 300; i++) {
        const std::string m = "m" + std::to_string(rng.below(size + 50));
        double s = static_cast<double>(rng.below(1000));
        zset_add(&c, EncodingLimits{}, m, 0, &s);
        model.put(m, s);
      }
      compare_all(c, model);
      zset_destroy(c);
    }
  }
}

TEST(ranges_are_erased) {
  Rng rng(9);
  for (int round = 0; round < 60; round++) {
    Model model;
    ZsetBuilder builder(0);
    const size_t size = 1 + rng.below(6000);
    for (size_t i = 0; i < size; i++) {
      bool added;
      const auto score = static_cast<double>(rng.below(size));
      builder.find_or_add("m" + std::to_string(i), score, &added);
      model.put("m" + std::to_string(i), score);
    }
    Collection c = builder.finish();
    while (zset_size(c) > 0) {
      const size_t first = rng.below(zset_size(c));
      const size_t n = 1 + rng.below(rng.below(4) == 0 ? zset_size(c) - first
                                                       : std::min<size_t>(zset_size(c) - first, 200));
      zset_erase(&c, {first, first + n});
      auto it = std::next(model.order.begin(), static_cast<std::ptrdiff_t>(first));
      for (size_t i = 0; i < n; i++) {
        model.scores.erase(it->second);
        it = model.order.erase(it);
      }
      compare_all(c, model);
      double score;
      if (!model.order.empty()) CHECK(zset_score(c, model.order.begin()->second, &score));
    }
    zset_destroy(c);
  }
}

TEST_MAIN()
