// Intersection, difference and union against the standard library's, over sets of all encodings and sizes.
#include "types/set_algebra.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "check.h"

using namespace kvasir;

namespace {

using Model = std::set<std::string>;

struct Sample {
  Collection set;
  Model model;
};

Sample make(Rng& rng, size_t size, size_t range, int kind) {
  EncodingLimits roomy, none;
  roomy.set_max_intset_entries = roomy.set_max_listpack_entries = 1 << 20;
  none.set_max_intset_entries = none.set_max_listpack_entries = 0;
  Sample s{kind == 0   ? Collection{Encoding::kIntset, Intset::make().data()}
           : kind == 1 ? Collection{Encoding::kListpack, Listpack::make().data()}
                       : set_make_big(0),
           {}};
  while (s.model.size() < size) {
    const uint64_t n = rng.below(range);
    const std::string m = kind == 0 || n % 2 == 0 ? std::to_string(n) : "member " + std::to_string(n);
    if (s.model.insert(m).second) set_add(&s.set, kind == 2 ? none : roomy, m);
  }
  return s;
}

struct Found {
  Model members;
  bool operator()(const SetCandidate& c) {
    CHECK(members.insert(c.text.str()).second);
    char tmp[kInt64Chars + 1];
    CHECK_EQ(c.item.str(tmp).str(), c.text.str());
    return true;
  }
};

}  // namespace

TEST(against_the_standard_library) {
  Rng rng(1);
  for (int round = 0; round < 1500; round++) {
    const size_t n = 1 + rng.below(6);
    std::vector<Sample> samples;
    for (size_t i = 0; i < n; i++) {
      const size_t size = rng.below(10) == 0 ? rng.below(900) : rng.below(60);
      samples.push_back(make(rng, size, size * 3 + 1, static_cast<int>(rng.below(3))));
    }
    std::vector<Collection> sets;
    Model all, common = samples[0].model, left = samples[0].model;
    for (const Sample& s : samples) {
      sets.push_back(s.set);
      all.insert(s.model.begin(), s.model.end());
      std::erase_if(common, [&](const std::string& m) { return s.model.count(m) == 0; });
      if (&s != samples.data())
        std::erase_if(left, [&](const std::string& m) { return s.model.count(m) > 0; });
    }
    const std::span<const Collection> others = std::span<const Collection>(sets).subspan(1);
    Found inter, diff, tabled, united;
    set_select(sets[0], others, true, [&](const SetCandidate& c) { return inter(c); });
    set_select(sets[0], others, false, [&](const SetCandidate& c) { return diff(c); });
    set_subtract_all(sets[0], others, [&](const SetCandidate& c) { tabled(c); });
    set_unite(sets, [&](const SetCandidate& c) { united(c); });
    CHECK(inter.members == common);
    CHECK(diff.members == left);
    CHECK(tabled.members == left);
    CHECK(united.members == all);
    for (const Sample& s : samples) set_destroy(s.set);
  }
}

TEST(many_large_sets) {
  Rng rng(2);
  std::vector<Sample> samples;
  std::vector<Collection> sets;
  Model all;
  for (int i = 0; i < 8; i++) {
    samples.push_back(make(rng, 3000, 12000, i % 2 == 0 ? 2 : 0));
    sets.push_back(samples.back().set);
    all.insert(samples.back().model.begin(), samples.back().model.end());
  }
  Found united;
  set_unite(sets, [&](const SetCandidate& c) { united(c); });
  CHECK(united.members == all);
  for (const Sample& s : samples) set_destroy(s.set);
}

TEST(a_visitor_may_end_it) {
  Rng rng(3);
  const Sample a = make(rng, 500, 600, 2);
  const Sample b = make(rng, 600, 700, 2);
  size_t seen = 0;
  set_select(a.set, std::span(&b.set, 1), true, [&](const SetCandidate&) { return ++seen < 20; });
  CHECK_EQ(seen, size_t{20});
  set_destroy(a.set);
  set_destroy(b.set);
}

TEST_MAIN()
