// Lists against a plain model: random changes at small and large limits, with and without compression.
#include "types/list.h"

#include <algorithm>
#include <deque>
#include <string>

#include "base/alloc.h"
#include "base/rng.h"
#include "check.h"

using namespace kvasir;

namespace {

using Model = std::deque<std::string>;

std::string text_of(const ListItem& item) {
  char tmp[kInt64Chars + 1];
  return item.str(tmp).str();
}

bool same(const Collection& c, const Model& model) {
  if (list_size(c) != model.size()) return false;
  ListReader forward(c, 0, ListEnd::kTail);
  for (const std::string& s : model) {
    if (!forward.next() || text_of(forward.item()) != s || !forward.equals(ListpackNeedle(s))) return false;
  }
  if (forward.next()) return false;
  ListItem item;
  const size_t from = model.size() / 3;
  ListReader taker(c, from, ListEnd::kTail);
  for (size_t i = from; i < model.size(); i++) {
    if (!taker.take(&item) || text_of(item) != model[i]) return false;
  }
  if (taker.take(&item)) return false;
  if (model.empty()) return true;
  ListReader backward(c, model.size() - 1, ListEnd::kHead);
  for (auto it = model.rbegin(); it != model.rend(); ++it) {
    if (!backward.next() || text_of(backward.item()) != *it) return false;
  }
  return !backward.next();
}

// Few different ones, so that searches meet them; now and then a large one.
std::string random_value(Rng& rng, size_t large) {
  switch (rng.below(8)) {
    case 0:
      return std::string(rng.below(large) + 1, static_cast<char>('a' + rng.below(3)));
    case 1: {
      std::string s(rng.below(120), ' ');
      for (char& c : s) c = static_cast<char>(rng.below(256));
      return s;
    }
    case 2:
      return std::to_string(static_cast<int64_t>(rng.below(1ULL << 62)) - (1LL << 61));
    default:
      return std::string(rng.below(2), 'v').append(std::to_string(rng.below(12)));
  }
}

size_t model_remove(Model& m, const std::string& s, size_t limit, ListEnd from) {
  size_t removed = 0;
  if (from == ListEnd::kHead) {
    for (auto it = m.begin(); it != m.end() && (limit == 0 || removed < limit);) {
      if (*it == s) {
        it = m.erase(it);
        removed++;
      } else {
        ++it;
      }
    }
    return removed;
  }
  for (size_t i = m.size(); i-- > 0 && (limit == 0 || removed < limit);) {
    if (m[i] == s) {
      m.erase(m.begin() + static_cast<ptrdiff_t>(i));
      removed++;
    }
  }
  return removed;
}

void run(const EncodingLimits& limits, uint64_t seed, size_t large, int steps) {
  Rng rng(seed);
  Collection c = list_make();
  Model model;
  for (int step = 0; step < steps; step++) {
    const std::string s = random_value(rng, large);
    StrBuf* buffer = rng.below(2) != 0 ? StrBuf::copy_of(s) : nullptr;
    const ListValue v{buffer != nullptr ? buffer->slice() : Slice(s), buffer};
    const size_t n = model.size();
    const size_t at = n == 0 ? 0 : rng.below(n);
    switch (rng.below(n > 400 ? 14 : 10)) {
      case 0:
      case 1:
      case 2:
        list_prepare(c, s.size(), 1, limits);
        list_push(c, ListEnd::kHead, v, limits);
        model.push_front(s);
        break;
      case 3:
      case 4:
      case 5:
        list_prepare(c, s.size(), 1, limits);
        list_push(c, ListEnd::kTail, v, limits);
        model.push_back(s);
        break;
      case 6: {
        const bool after = rng.below(2) != 0;
        const std::string pivot = n == 0 ? "none" : model[at];
        list_prepare(c, s.size(), 1, limits);
        const auto it = std::find(model.begin(), model.end(), pivot);
        CHECK_EQ(list_insert(c, pivot, after, v, limits), it != model.end());
        if (it != model.end()) model.insert(after ? it + 1 : it, s);
        break;
      }
      case 7:
        if (n == 0) break;
        list_prepare(c, s.size(), 1, limits);
        list_replace(c, at, v, limits);
        model[at] = s;
        list_shrunk(c, limits);
        break;
      case 8: {
        const size_t limit = rng.below(3);
        const ListEnd from = rng.below(2) != 0 ? ListEnd::kHead : ListEnd::kTail;
        CHECK_EQ(list_remove(c, s, limit, from), model_remove(model, s, limit, from));
        list_shrunk(c, limits);
        break;
      }
      case 9: {
        const size_t count = rng.below(3);
        list_erase(c, at, count);
        const size_t real = std::min(count, n - at);
        model.erase(model.begin() + static_cast<ptrdiff_t>(at),
                    model.begin() + static_cast<ptrdiff_t>(at + real));
        list_shrunk(c, limits);
        break;
      }
      default: {  // what is long shrinks
        const size_t count = std::min(n - at, rng.below(200));
        list_erase(c, at, count);
        model.erase(model.begin() + static_cast<ptrdiff_t>(at),
                    model.begin() + static_cast<ptrdiff_t>(at + count));
        list_shrunk(c, limits);
        break;
      }
    }
    if (buffer != nullptr) buffer->release();
    CHECK_EQ(list_size(c), model.size());
    if (step % 16 == 0 || step + 1 == steps) {
      CHECK(same(c, model));
      Collection copy = kListOps.duplicate(c);
      CHECK(copy.encoding == c.encoding);
      CHECK(same(copy, model));
      CHECK(kListOps.bytes(copy, SIZE_MAX) > 0);
      kListOps.destroy(copy);
    }
  }
  kListOps.destroy(c);
}

EncodingLimits with(int64_t size, int64_t depth, size_t threshold = 0) {
  EncodingLimits limits;
  limits.list_max_listpack_size = size;
  limits.list_compress_depth = depth;
  limits.list_packed_threshold = threshold;
  return limits;
}

}  // namespace

TEST(list_like_model) {
  uint64_t seed = 1;
  for (const int64_t size : {-2, -1, 0, 1, 3, 16}) {
    for (const int64_t depth : {0, 1, 3}) {
      run(with(size, depth), seed++, 200, 1500);
      run(with(size, depth), seed++, 20000, 600);
      run(with(size, depth, 5), seed++, 60, 1000);
    }
  }
}

TEST(list_leaves_and_regains_listpack) {
  const EncodingLimits limits = with(4, 0);
  Collection c = list_make();
  for (int i = 0; i < 5; i++) {
    list_prepare(c, 1, 1, limits);
    CHECK(c.encoding == (i < 4 ? Encoding::kListpack : Encoding::kQuicklist));
    list_push(c, ListEnd::kTail, {"x"}, limits);
  }
  // Two nodes stay a quicklist, whatever they hold; one does until it is half full.
  list_erase(c, 0, 3);
  list_shrunk(c, limits);
  CHECK(c.encoding == Encoding::kQuicklist);
  list_erase(c, 0, 1);
  list_shrunk(c, limits);
  CHECK(c.encoding == Encoding::kListpack);
  CHECK_EQ(list_size(c), size_t{1});
  kListOps.destroy(c);
}

TEST(list_compresses_its_middle) {
  const EncodingLimits limits = with(2, 1);
  Collection plain = list_make();
  Collection packed = list_make();
  const std::string text(1000, 'x');
  for (int i = 0; i < 100; i++) {
    for (Collection* c : {&plain, &packed}) {
      const EncodingLimits own = c == &packed ? limits : with(2, 0);
      list_prepare(*c, text.size(), 1, own);
      list_push(*c, ListEnd::kTail, {text}, own);
    }
  }
  CHECK(kListOps.bytes(packed, SIZE_MAX) * 5 < kListOps.bytes(plain, SIZE_MAX));
  CHECK_EQ(kListOps.free_effort(packed), size_t{50});
  kListOps.destroy(plain);
  kListOps.destroy(packed);
}

TEST(list_memory_of_a_million) {
#ifdef KVASIR_SLABS
  const HeapScope heap;
  const EncodingLimits limits;
  const size_t before = mem_used();
  Collection c = list_make();
  constexpr size_t kElements = 1000000;
  for (size_t i = 0; i < kElements; i++) {
    const std::string s = std::string("element:").append(std::to_string(1000000 + i));
    list_prepare(c, s.size(), 1, limits);
    list_push(c, i % 2 == 0 ? ListEnd::kTail : ListEnd::kHead, {s}, limits);
  }
  // Fifteen bytes of text, two of the listpack, and the nodes.
  CHECK((mem_used() - before) / kElements < 18);
  CHECK(mem_used() - before <= kListOps.bytes(c, SIZE_MAX));
  kListOps.destroy(c);
  CHECK_EQ(mem_used(), before);
#endif
}

TEST_MAIN()
