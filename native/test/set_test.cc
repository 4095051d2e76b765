// Sets in all encodings against a plain model: members, encodings step by step, builders, random members.
#include "types/set.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "check.h"
#include "types/set_builder.h"
#include "types/set_random.h"

using namespace kvasir;

namespace {

std::string text_of(const SetItem& item) {
  char tmp[kInt64Chars + 1];
  return item.str(tmp).str();
}

std::set<std::string> members(const Collection& c) {
  std::set<std::string> all;
  size_t n = 0;
  set_for_each(c, [&](const SetItem& item) {
    all.insert(text_of(item));
    n++;
    return true;
  });
  CHECK_EQ(n, all.size());
  CHECK_EQ(n, set_size(c));
  return all;
}

// Mostly integers, of all widths, or mostly words.
std::string some_member(Rng& rng, bool words) {
  if (words && rng.below(4) != 0) {
    return std::string(1 + rng.below(8), static_cast<char>('a' + rng.below(4))) +
           std::to_string(rng.below(60));
  }
  switch (rng.below(words ? 6 : 200)) {
    case 0:
      return std::to_string(static_cast<int64_t>(rng.next()));
    case 1:
      return std::to_string(static_cast<int32_t>(rng.next()));
    default:
      return std::to_string(static_cast<int64_t>(rng.below(700)) - 350);
  }
}

Collection start(const EncodingLimits& limits) { return set_make(limits, "1", 1); }

void run(uint64_t seed, size_t steps, const EncodingLimits& limits, bool words) {
  Rng rng(seed);
  std::set<std::string> model;
  Collection c = start(limits);
  for (size_t i = 0; i < steps; i++) {
    const bool shrinking = i > steps / 2;
    const std::string m = some_member(rng, words);
    const uint64_t what = rng.below(10);
    if (what < (shrinking ? 2U : 7U)) {
      CHECK_EQ(set_add(&c, limits, m), model.insert(m).second);
    } else if (what < 9) {
      CHECK_EQ(set_remove(&c, m), model.erase(m) > 0);
      if (shrinking && !model.empty()) {
        const std::string first = *model.begin();
        CHECK(set_remove(&c, first));
        model.erase(first);
      }
    } else {
      CHECK_EQ(set_contains(c, m), model.count(m) > 0);
    }
    if (i % (steps / 10) == 0) CHECK(members(c) == model);
  }
  CHECK(members(c) == model);
  const Collection copy = kSetOps.duplicate(c);
  CHECK(members(copy) == model);
  CHECK(copy.encoding == c.encoding);
  Sha1::Digest a{}, b{};
  kSetOps.mix(c, &a);
  kSetOps.mix(copy, &b);
  CHECK(a == b);
  CHECK(kSetOps.bytes(c, 5) > 0);
  set_destroy(copy);
  set_destroy(c);
}

}  // namespace

TEST(against_a_model) {
  EncodingLimits table;
  table.set_max_intset_entries = 0;
  table.set_max_listpack_entries = 0;
  for (uint64_t seed = 1; seed <= 10; seed++) {
    run(seed, 3000, EncodingLimits{}, true);
    run(seed, 3000, EncodingLimits{}, false);
    run(seed, 3000, table, seed % 2 == 0);
  }
}

TEST(many_at_once) {
  EncodingLimits limits;
  Rng rng(3);
  std::vector<std::string> words;
  for (int i = 0; i < 1000; i++) words.push_back(some_member(rng, true));
  const std::vector<Slice> slices(words.begin(), words.end());
  const std::set<std::string> model(words.begin(), words.end());
  Collection c = start(limits);
  CHECK_EQ(set_add_all(&c, limits, slices), model.size());
  CHECK(c.encoding == Encoding::kHashtable);
  CHECK(members(c) == model);
  bool found[1000];
  set_contains_all(c, slices, found);
  CHECK(std::all_of(found, found + 1000, [](bool f) { return f; }));
  const std::span<const Slice> half = std::span(slices).first(500);
  const std::set<std::string> gone(words.begin(), words.begin() + 500);
  CHECK_EQ(set_remove_all(&c, half), gone.size());
  set_contains_all(c, half, found);
  CHECK(std::none_of(found, found + 500, [](bool f) { return f; }));
  // Removing ends with the last member.
  CHECK_EQ(set_remove_all(&c, slices), model.size() - gone.size());
  CHECK_EQ(set_size(c), size_t{0});
  set_destroy(c);
}

TEST(encodings_step_by_step) {
  EncodingLimits limits;
  limits.set_max_intset_entries = 4;
  limits.set_max_listpack_entries = 3;
  limits.set_max_listpack_value = 5;
  const auto encoding_after = [&](std::initializer_list<const char*> added) {
    Collection c = set_make(limits, *added.begin(), 1);
    for (const char* m : added) set_add(&c, limits, Slice(m));
    const Encoding e = c.encoding;
    set_destroy(c);
    return e;
  };
  CHECK(encoding_after({"1", "2", "3", "4"}) == Encoding::kIntset);
  CHECK(encoding_after({"1", "2", "3", "4", "5"}) == Encoding::kHashtable);
  CHECK(encoding_after({"1", "2", "a"}) == Encoding::kListpack);
  CHECK(encoding_after({"1", "2", "3", "a"}) == Encoding::kHashtable);
  CHECK(encoding_after({"a", "1", "2"}) == Encoding::kListpack);
  CHECK(encoding_after({"a", "1", "2", "3"}) == Encoding::kHashtable);
  CHECK(encoding_after({"a", "123456"}) == Encoding::kHashtable);
  // One of the integers is too long for a listpack, and none may be with its sign.
  CHECK(encoding_after({"123456", "a"}) == Encoding::kHashtable);
  CHECK(encoding_after({"-12345", "a"}) == Encoding::kHashtable);
  CHECK(encoding_after({"-1234", "a"}) == Encoding::kListpack);
  CHECK(encoding_after({"abcdef"}) == Encoding::kHashtable);
  // A command that brings more than fits.
  Collection c = set_make(limits, "a", 4);
  CHECK(c.encoding == Encoding::kHashtable);
  set_destroy(c);
  c = set_make(limits, "1", 5);
  CHECK(c.encoding == Encoding::kHashtable);
  set_destroy(c);
  c = set_make(limits, "1", 4);
  set_expect(&c, limits, 4);
  CHECK(c.encoding == Encoding::kIntset);
  set_expect(&c, limits, 5);
  CHECK(c.encoding == Encoding::kHashtable);
  set_destroy(c);
}

// What a builder makes has the members and the encoding that adding one by one gives.
TEST(builders_agree_with_adding) {
  Rng rng(11);
  for (int round = 0; round < 2000; round++) {
    EncodingLimits limits;
    limits.set_max_intset_entries = static_cast<int64_t>(rng.below(20));
    limits.set_max_listpack_entries = static_cast<int64_t>(rng.below(20));
    limits.set_max_listpack_value = static_cast<int64_t>(rng.below(8));
    Collection c{Encoding::kIntset, Intset::make().data()};
    SetBuilder builder(limits, Encoding::kIntset, 0);
    const size_t n = rng.below(30);
    const bool words = rng.below(2) == 0;
    for (size_t i = 0; i < n; i++) {
      const std::string m = some_member(rng, words);
      if (!set_add(&c, limits, Slice(m))) continue;
      SetItem item;
      item.text = m;
      if (rng.below(2) == 0) {
        builder.add(item);
      } else {
        builder.take(Member::make(m), hash_bytes(m));
      }
    }
    CHECK_EQ(builder.size(), set_size(c));
    const Collection built = builder.finish();
    CHECK(built.encoding == c.encoding);
    CHECK(members(built) == members(c));
    if (c.encoding == Encoding::kListpack) CHECK(Listpack(c.data).image() == Listpack(built.data).image());
    if (c.encoding == Encoding::kIntset) CHECK(Intset(c.data).image() == Intset(built.data).image());
    set_destroy(built);
    set_destroy(c);
  }
}

TEST(a_builder_prefers_an_intset) {
  EncodingLimits limits;
  for (const size_t n : {size_t{3}, size_t{128}, size_t{129}, size_t{512}, size_t{513}}) {
    SetBuilder builder(limits, Encoding::kListpack, 0);
    for (size_t i = 0; i < n; i++) {
      const std::string m = std::to_string(i * 7 % 1000);
      SetItem item;
      item.text = m;
      builder.add(item);
    }
    const Collection c = builder.finish(true);
    CHECK(c.encoding == (n <= 512 ? Encoding::kIntset : Encoding::kHashtable));
    CHECK_EQ(set_size(c), n);
    set_destroy(c);
  }
  SetBuilder mixed(limits, Encoding::kListpack, 0);
  mixed.add(SetItem{true, 5, {}});
  mixed.add(SetItem{false, 0, "a"});
  const Collection c = mixed.finish(true);
  CHECK(c.encoding == Encoding::kListpack);
  set_destroy(c);
}

namespace {

// A set of n members in each encoding.
std::vector<Collection> of_every_encoding(size_t n) {
  EncodingLimits roomy, none;
  roomy.set_max_intset_entries = roomy.set_max_listpack_entries = 100000;
  none.set_max_intset_entries = none.set_max_listpack_entries = 0;
  std::vector<Collection> all = {{Encoding::kIntset, Intset::make().data()},
                                 {Encoding::kListpack, Listpack::make().data()},
                                 set_make_big(0)};
  for (size_t i = 0; i < n; i++) {
    set_add(&all[0], roomy, std::to_string(i));
    set_add(&all[1], roomy, "m" + std::to_string(i));
    set_add(&all[2], none, "m" + std::to_string(i));
  }
  return all;
}

// How far counts are from being equal: chi square.
double spread(const std::map<std::string, size_t>& counts, size_t classes, size_t draws) {
  const double expected = static_cast<double>(draws) / static_cast<double>(classes);
  double sum = static_cast<double>(classes - counts.size()) * expected;
  for (const auto& [member, n] : counts) {
    const double d = static_cast<double>(n) - expected;
    sum += d * d / expected;
  }
  return sum;
}

}  // namespace

TEST(random_members_are_fair) {
  Rng rng(5);
  for (const size_t size : {size_t{2}, size_t{10}, size_t{100}}) {
    for (const Collection& c : of_every_encoding(size)) {
      const size_t draws = 200 * size;
      std::map<std::string, size_t> one, several;
      for (size_t i = 0; i < draws; i++) {
        set_random(c, rng, [&](const SetItem& item) { one[text_of(item)]++; });
      }
      const size_t half = (size + 1) / 2;
      for (size_t i = 0; i < draws / half; i++) {
        set_sample(c, rng, half, [&](const SetItem& item) { several[text_of(item)]++; });
      }
      // Degrees of freedom: size - 1. The bound is far out for every size used here.
      const double bound = static_cast<double>(size) + 6 * std::sqrt(2.0 * static_cast<double>(size)) + 12;
      CHECK(spread(one, size, draws) < bound);
      CHECK(spread(several, size, draws / half * half) < bound);
      set_destroy(c);
    }
  }
}

TEST(samples_differ_and_pops_take_out) {
  Rng rng(6);
  EncodingLimits limits;
  for (const size_t size : {size_t{1}, size_t{7}, size_t{120}, size_t{5000}}) {
    for (const size_t part : {size_t{1}, size / 300, size / 30, size / 2, size - size / 8, size - 1}) {
      if (part == 0 || part >= size) continue;
      for (Collection c : of_every_encoding(size)) {
        const std::set<std::string> before = members(c);
        std::set<std::string> drawn;
        set_sample(c, rng, part, [&](const SetItem& item) { drawn.insert(text_of(item)); });
        CHECK_EQ(drawn.size(), part);
        CHECK(std::includes(before.begin(), before.end(), drawn.begin(), drawn.end()));

        std::set<std::string> popped;
        set_pop(&c, limits, rng, part, [&](const SetItem& item) { popped.insert(text_of(item)); });
        CHECK_EQ(popped.size(), part);
        const std::set<std::string> after = members(c);
        CHECK_EQ(after.size(), size - part);
        std::set<std::string> both = after;
        both.insert(popped.begin(), popped.end());
        CHECK(both == before);
        while (set_size(c) > 0) {
          set_pop(&c, rng, [&](const SetItem& item) { CHECK(after.count(text_of(item)) == 1); });
        }
        set_destroy(c);
      }
    }
  }
}

TEST(what_most_was_taken_from_is_compact_again) {
  Rng rng(7);
  EncodingLimits limits;
  Collection c = set_make_big(0);
  for (int i = 0; i < 1000; i++) set_add(&c, limits, std::to_string(i));
  CHECK(c.encoding == Encoding::kHashtable);
  set_pop(&c, limits, rng, 500, [](const SetItem&) {});
  CHECK(c.encoding == Encoding::kHashtable);
  set_pop(&c, limits, rng, 450, [](const SetItem&) {});
  CHECK(c.encoding == Encoding::kListpack);
  set_destroy(c);
}

TEST(intsets) {
  Rng rng(9);
  for (int round = 0; round < 50; round++) {
    std::set<int64_t> model;
    Intset s = Intset::make();
    const int64_t range = int64_t{1} << (4 + rng.below(58));
    for (int i = 0; i < 400; i++) {
      const auto v = static_cast<int64_t>(rng.below(static_cast<uint64_t>(range))) - range / 2;
      CHECK_EQ(s.add(v), model.insert(v).second);
      const auto w = static_cast<int64_t>(rng.below(static_cast<uint64_t>(range))) - range / 2;
      CHECK_EQ(s.contains(w), model.count(w) == 1);
      if (i % 3 == 0) CHECK_EQ(s.remove(w), model.erase(w) == 1);
    }
    const std::vector<int64_t> all(model.begin(), model.end());
    CHECK_EQ(s.size(), all.size());
    for (size_t i = 0; i < all.size(); i++) CHECK_EQ(s.at(i), all[i]);
    CHECK(all.empty() || Intset::valid(s.image()));
    // Ascending lookups, of what is there and what is not.
    size_t hint = 0;
    int64_t v = all.empty() ? 0 : all.front() - 2;
    for (int i = 0; i < 500; i++) {
      CHECK_EQ(s.contains_next(v, &hint), model.count(v) == 1);
      v += 1 + static_cast<int64_t>(rng.below(static_cast<uint64_t>(range / 100 + 2)));
    }
    s.retain([](int64_t n) { return n % 2 == 0; });
    std::erase_if(model, [](int64_t n) { return n % 2 != 0; });
    CHECK_EQ(s.size(), model.size());
    for (const int64_t n : model) CHECK(s.contains(n));
    s.destroy();
  }
}

TEST(intset_images) {
  const int64_t values[] = {-40000, -5, 0, 7, 70000};
  Intset s = Intset::of(values);
  const std::string image = s.image().str();
  CHECK_EQ(image.size(), size_t{8 + 5 * 4});
  CHECK(Intset::valid(image));
  for (size_t n = 0; n < image.size(); n++) CHECK(!Intset::valid(Slice(image.data(), n)));
  std::string wrong = image;
  wrong[0] = 3;
  CHECK(!Intset::valid(wrong));
  wrong = image;
  wrong[4] = 4;
  CHECK(!Intset::valid(wrong));
  wrong = image;
  std::swap_ranges(wrong.begin() + 8, wrong.begin() + 12, wrong.begin() + 12);
  CHECK(!Intset::valid(wrong));
  wrong = image;
  std::copy_n(wrong.begin() + 8, 4, wrong.begin() + 12);
  CHECK(!Intset::valid(wrong));
  Intset none = Intset::make();
  CHECK(!Intset::valid(none.image()));
  none.destroy();
  s.destroy();
}

TEST(members_of_every_length) {
  for (const size_t n : {size_t{0}, size_t{1}, size_t{253}, size_t{254}, size_t{255}, size_t{70000}}) {
    const std::string text(n, 'x');
    Member* m = Member::make(text);
    CHECK_EQ(m->bytes().str(), text);
    mem_free(m);
  }
}

TEST_MAIN()
