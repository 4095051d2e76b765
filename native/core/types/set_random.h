// Random members of sets: one, several different ones, and taking them out. All members are equally likely,
// and so are all subsets of a size.
#pragma once

#include <vector>

#include "base/rng.h"
#include "types/set.h"
#include "types/set_builder.h"

namespace kvasir {

namespace set_random_detail {

// Decides for one after the other of `of` things which `wanted` of them are chosen (selection sampling; Knuth
// TAOCP 2, algorithm S).
class Selection {
 public:
  Selection(Rng* rng, size_t wanted, size_t of) : rng_(rng), wanted_(wanted), left_(of) {}
  bool next() {
    if (rng_->below(left_--) >= wanted_) return false;
    wanted_--;
    return true;
  }
  [[nodiscard]] bool done() const { return wanted_ == 0; }

 private:
  Rng* rng_;
  size_t wanted_, left_;
};

// Passing all members of a table in the order of memory costs as much as finding about one in so many by
// chance.
inline constexpr size_t kPassOf = 64;
inline bool rather_pass(size_t n, size_t size) { return n > size / kPassOf; }

// Which members have been drawn: addresses, open addressing.
class Drawn {
 public:
  explicit Drawn(size_t n) {
    size_t places = 8;
    while (places < 2 * n) places *= 2;
    at_.resize(places);
  }
  // False: it has been before.
  bool insert(const Member* m) {
    size_t i = (reinterpret_cast<uintptr_t>(m) >> 3) * 0x9e3779b97f4a7c15u >> 20;
    for (i &= at_.size() - 1; at_[i] != nullptr; i = (i + 1) & (at_.size() - 1)) {
      if (at_[i] == m) return false;
    }
    at_[i] = m;
    return true;
  }

 private:
  std::vector<const Member*> at_;
};

inline SetItem item_of(const Member* m) {
  SetItem item;
  item.text = m->bytes();
  return item;
}

}  // namespace set_random_detail

// Calls f(const SetItem&) with a random member. Precondition: the set is not empty.
template <class F>
void set_random(const Collection& c, Rng& rng, F&& f) {
  if (c.encoding == Encoding::kHashtable) {
    f(set_random_detail::item_of(set_dict(c).random(rng)));
  } else if (c.encoding == Encoding::kListpack) {
    const Listpack lp(c.data);
    f(lp.get(lp.at(static_cast<int64_t>(rng.below(lp.size())))));
  } else {
    const Intset s(c.data);
    f(SetItem{true, s.at(rng.below(s.size())), {}});
  }
}

// Calls f(const SetItem&) with `n` different random members, n <= set_size(), in no particular order.
template <class F>
void set_sample(const Collection& c, Rng& rng, size_t n, F&& f) {
  using namespace set_random_detail;
  const size_t size = set_size(c);
  if (n == 0) return;
  if (c.encoding != Encoding::kHashtable || rather_pass(n, size)) {
    Selection chosen(&rng, n, size);
    set_for_each(c, [&](const SetItem& item) {
      if (chosen.next()) f(item);
      return !chosen.done();
    });
    return;
  }
  Drawn drawn(n);
  const MemberDict& dict = set_dict(c);
  for (size_t found = 0; found < n;) {
    const Member* m = dict.random(rng);
    if (!drawn.insert(m)) continue;
    f(item_of(m));
    found++;
  }
}

// Takes a random member out, after f(const SetItem&) has seen it. Precondition: the set is not empty.
template <class F>
void set_pop(Collection* c, Rng& rng, F&& f) {
  if (c->encoding == Encoding::kHashtable) {
    const MemberDict::Slot at = set_dict(*c).random_slot(rng);
    Member* m = at.get();
    f(set_random_detail::item_of(m));
    set_dict(*c).erase_slot(at);
    mem_free(m);
  } else if (c->encoding == Encoding::kListpack) {
    Listpack lp(c->data);
    const Listpack::Pos at = lp.at(static_cast<int64_t>(rng.below(lp.size())));
    f(lp.get(at));
    lp.erase(at);
    c->data = lp.data();
  } else {
    Intset s(c->data);
    const int64_t v = s.at(rng.below(s.size()));
    f(SetItem{true, v, {}});
    s.remove(v);
    c->data = s.data();
  }
}

namespace set_random_detail {

// What is left after taking most of them is a new set, which may be of a more compact encoding.
template <class F>
void pop_most(Collection* c, const EncodingLimits& limits, Rng& rng, size_t n, F&& f) {
  const size_t size = set_size(*c);
  Selection stays(&rng, size - n, size);
  const bool integers = c->encoding == Encoding::kIntset;
  SetBuilder rest(limits, integers ? Encoding::kIntset : Encoding::kListpack, size - n);
  if (c->encoding == Encoding::kHashtable) {
    set_dict(*c).clear([&](Member* m) {
      if (stays.next()) return rest.take(m, hash_bytes(m->bytes()));
      f(item_of(m));
      mem_free(m);
    });
  } else {
    set_for_each(*c, [&](const SetItem& item) {
      if (stays.next()) {
        rest.add(item);
      } else {
        f(item);
      }
      return true;
    });
  }
  set_destroy(*c);
  *c = rest.finish();
}

}  // namespace set_random_detail

// Takes n random members out, n < set_size(); f sees each before it goes.
template <class F>
void set_pop(Collection* c, const EncodingLimits& limits, Rng& rng, size_t n, F&& f) {
  using namespace set_random_detail;
  const size_t size = set_size(*c);
  // From here on Valkey builds a new set, and the encoding shows it.
  constexpr size_t kMostlyTaken = 5;
  if ((size - n) * kMostlyTaken <= n) return pop_most(c, limits, rng, n, f);
  if (n == 1) return set_pop(c, rng, f);
  Selection chosen(&rng, n, size);
  if (c->encoding == Encoding::kListpack) {
    Listpack before(c->data);
    Listpack rest = Listpack::make();
    set_for_each(*c, [&](const SetItem& item) {
      if (chosen.next()) {
        f(item);
      } else {
        item.is_int ? rest.append_int(item.number) : rest.append(item.text);
      }
      return true;
    });
    before.destroy();
    c->data = rest.data();
  } else if (c->encoding == Encoding::kIntset) {
    Intset s(c->data);
    s.retain([&](int64_t v) {
      if (!chosen.next()) return true;
      f(SetItem{true, v, {}});
      return false;
    });
    c->data = s.data();
  } else if (rather_pass(n, size)) {
    MemberDict& dict = set_dict(*c);
    MemberDict::Iterator it(dict);
    while (!chosen.done()) {
      Member* m = it.next();
      if (!chosen.next()) continue;
      f(item_of(m));
      dict.erase_slot(it.slot());
      mem_free(m);
    }
  } else {
    for (; n > 0; n--) set_pop(c, rng, f);
  }
}

}  // namespace kvasir
