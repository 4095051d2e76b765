// Sorted sets in both encodings against a plain ordered model, under random operations.
#include "types/zset.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/rng.h"
#include "check.h"

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

TEST_MAIN()
