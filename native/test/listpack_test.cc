// Listpacks against a plain vector of strings, the bytes against examples taken from Valkey 9.1.2, and the
// validator against damaged bytes.
#include "types/listpack.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/rng.h"
#include "check.h"

using namespace kvasir;

namespace {

std::string text_of(const Listpack& lp, Listpack::Pos at) {
  char tmp[32];
  return lp.get(at).str(tmp).str();
}

std::string random_text(Rng& rng) {
  switch (rng.below(8)) {
    case 0:
      return std::to_string(static_cast<int64_t>(rng.next()));
    case 1:
      return std::to_string(static_cast<int64_t>(rng.below(300)) - 150);
    case 2:
      return std::to_string(static_cast<int64_t>(rng.below(1 << 17)) - (1 << 16));
    case 3:
      return std::to_string(static_cast<int64_t>(rng.below(1U << 25)) - (1 << 24));
    case 4:
      return std::string(rng.below(70), 'x');
    case 5:
      return std::string(rng.below(6000), 'y');
    case 6:
      return "00" + std::to_string(rng.below(10));
    default:
      return std::string(1, static_cast<char>(rng.below(256)));
  }
}

void check_same(const Listpack& lp, const std::vector<std::string>& model) {
  CHECK_EQ(lp.size(), model.size());
  CHECK(Listpack::valid(lp.image()));
  size_t i = 0;
  for (Listpack::Pos at = lp.first(); at != Listpack::kNone; at = lp.next(at)) {
    CHECK(text_of(lp, at) == model[i]);
    CHECK(lp.equals(at, model[i]));
    CHECK_EQ(lp.get(at).size(), model[i].size());
    i++;
  }
  CHECK_EQ(i, model.size());
  for (Listpack::Pos at = lp.last(); at != Listpack::kNone; at = lp.prev(at))
    CHECK(text_of(lp, at) == model[--i]);
  CHECK_EQ(i, 0U);
}

TEST(random_changes_agree_with_a_vector) {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    Rng rng(seed);
    Listpack lp = Listpack::make();
    std::vector<std::string> model;
    for (int step = 0; step < 400; step++) {
      const std::string text = random_text(rng);
      const size_t at = model.empty() ? 0 : rng.below(model.size());
      const auto it = model.begin() + static_cast<ptrdiff_t>(at);
      const auto index = static_cast<int64_t>(rng.below(2) ? at : at - model.size());
      switch (rng.below(model.empty() ? 2 : 8)) {
        case 0:
          lp.append(text);
          model.push_back(text);
          break;
        case 1:
          lp.prepend(text);
          model.insert(model.begin(), text);
          break;
        case 2:
          CHECK(text_of(lp, lp.insert_before(lp.at(index), text)) == text);
          model.insert(it, text);
          break;
        case 3:
          CHECK(text_of(lp, lp.insert_after(lp.at(index), text)) == text);
          model.insert(it + 1, text);
          break;
        case 4:
          lp.replace(lp.at(index), text);
          *it = text;
          break;
        case 5: {
          const size_t n = 1 + rng.below(3);
          const Listpack::Pos next = lp.erase(lp.at(index), n);
          model.erase(it, it + static_cast<ptrdiff_t>(std::min(n, model.size() - at)));
          CHECK(at < model.size() ? text_of(lp, next) == model[at] : next == Listpack::kNone);
          break;
        }
        case 6: {
          // A text out of the listpack itself.
          const ListpackItem item = lp.get(lp.at(index));
          const std::string own = *it;
          if (!item.is_int) {
            lp.prepend(item.text);
            model.insert(model.begin(), own);
          }
          break;
        }
        default: {
          const Listpack::Pos found = lp.find(lp.first(), text);
          const auto expected = std::find(model.begin(), model.end(), text);
          CHECK_EQ(found != Listpack::kNone, expected != model.end());
          if (found != Listpack::kNone) CHECK(text_of(lp, found) == text);
        }
      }
      if (step % 20 == 0) check_same(lp, model);
    }
    check_same(lp, model);
    CHECK(lp.at(static_cast<int64_t>(model.size())) == Listpack::kNone);
    CHECK(lp.at(-static_cast<int64_t>(model.size()) - 1) == Listpack::kNone);
    lp.destroy();
  }
}

TEST(bytes_are_those_of_the_original) {
  // DUMP of a list made with RPUSH l 5 -1 4095 -32768 8388607 2147483647 -9223372036854775808 a hello.
  Listpack lp = Listpack::make();
  for (const char* text :
       {"5", "-1", "4095", "-32768", "8388607", "2147483647", "-9223372036854775808", "a", "hello"}) {
    lp.append(text);
  }
  const unsigned char expected[] = {
      0x3a, 0,    0,    0,    9,    0,    0x05, 0x01, 0xdf, 0xff, 0x02, 0xcf, 0xff, 0x02, 0xf1, 0x00, 0x80,
      0x03, 0xf2, 0xff, 0xff, 0x7f, 0x04, 0xf3, 0xff, 0xff, 0xff, 0x7f, 0x05, 0xf4, 0,    0,    0,    0,
      0,    0,    0,    0x80, 0x09, 0x81, 'a',  0x02, 0x85, 'h',  'e',  'l',  'l',  'o',  0x06, 0xff};
  Slice image = lp.image();
  CHECK_EQ(image.size, sizeof expected + 0);
  CHECK(image.size == sizeof expected && memcmp(image.data + 4, expected + 4, sizeof expected - 4) == 0);
  lp.destroy();
}

TEST(find_skips_values) {
  Listpack lp = Listpack::make();
  for (const char* text : {"a", "b", "b", "a", "7", "b"}) lp.append(text);
  CHECK(lp.find(lp.first(), "b", 1) == lp.at(2));
  CHECK(lp.find(lp.first(), "7", 1) == lp.at(4));
  CHECK(lp.find(lp.first(), "07", 1) == Listpack::kNone);
  lp.destroy();
}

TEST(more_elements_than_the_header_counts) {
  Listpack lp = Listpack::make();
  for (int i = 0; i < 70000; i++) lp.append_int(i % 100);
  CHECK_EQ(lp.size(), 70000U);
  CHECK(Listpack::valid(lp.image()));
  CHECK(text_of(lp, lp.at(-1)) == "99");
  CHECK(text_of(lp, lp.at(69998)) == "98");
  lp.erase(lp.first(), 5000);
  CHECK_EQ(lp.size(), 65000U);
  lp.append("x");
  CHECK_EQ(lp.size(), 65001U);
  Listpack other = Listpack::make();
  for (int i = 0; i < 1000; i++) other.append("y");
  lp.append_all(other);
  CHECK_EQ(lp.size(), 66001U);
  CHECK(Listpack::valid(lp.image()));
  other.destroy();
  lp.destroy();
}

TEST(damaged_bytes_are_refused_or_harmless) {
  Rng rng(7);
  for (int round = 0; round < 3000; round++) {
    Listpack lp = Listpack::make();
    for (size_t i = rng.below(12); i > 0; i--) lp.append(random_text(rng));
    std::string bytes = lp.image().str();
    lp.destroy();
    for (size_t i = 1 + rng.below(3); i > 0; i--)
      bytes[rng.below(bytes.size())] = static_cast<char>(rng.next());
    if (rng.below(4) == 0) bytes.resize(rng.below(bytes.size() + 1));
    // Exact memory, so that a sanitizer sees a read beyond it.
    std::vector<char> exact(bytes.begin(), bytes.end());
    size_t sum = 0;
    if (Listpack::valid({exact.data(), exact.size()}, [&](const ListpackItem& item) {
          sum += item.size();
          return true;
        })) {
      const Listpack seen(exact.data());
      for (Listpack::Pos at = seen.last(); at != Listpack::kNone; at = seen.prev(at))
        sum -= seen.get(at).size();
      CHECK_EQ(sum, 0U);
    }
  }
}

}  // namespace

TEST(equal_elements_are_erased) {
  Rng rng(5);
  for (int round = 0; round < 2000; round++) {
    Listpack lp = Listpack::make();
    std::vector<std::string> model;
    for (uint64_t n = rng.below(30); n > 0; n--) {
      const uint64_t what = rng.below(4);
      model.push_back(what == 0   ? "7"
                      : what == 1 ? "text"
                      : what == 2 ? std::string(200, 'x')
                                  : std::to_string(rng.below(3)));
      lp.append(model.back());
    }
    const std::string wanted = rng.below(2) == 0 ? "7" : rng.below(2) == 0 ? "text" : std::string(200, 'x');
    const size_t limit = rng.below(4);
    const bool last_ones = rng.below(2) == 0;
    size_t expected = 0;
    if (last_ones) std::reverse(model.begin(), model.end());
    std::erase_if(model, [&](const std::string& s) {
      if (s != wanted || (limit != 0 && expected == limit)) return false;
      expected++;
      return true;
    });
    if (last_ones) std::reverse(model.begin(), model.end());
    CHECK_EQ(lp.erase_equal(ListpackNeedle(wanted), limit, last_ones), expected);
    CHECK(Listpack::valid(lp.image()));
    CHECK_EQ(lp.size(), model.size());
    char tmp[kInt64Chars + 1];
    size_t i = 0;
    for (Listpack::Pos at = lp.first(); at != Listpack::kNone; at = lp.next(at), i++) {
      CHECK_EQ(lp.get(at).str(tmp).str(), model[i]);
    }
    lp.destroy();
  }
}

// As looking at one element after the other does, whatever stands there.
TEST(find_agrees_with_equals) {
  for (uint64_t seed = 1; seed <= 40; seed++) {
    Rng rng(seed);
    Listpack lp = Listpack::make();
    std::vector<std::string> model;
    const bool alike = rng.below(2) != 0;
    for (int i = 0; i < 60; i++) {
      std::string text = "t" + std::string(seed % 40, '-') + std::to_string(10 + rng.below(60));
      if (!alike) text = random_text(rng);
      lp.append(text);
      model.push_back(text);
    }
    for (int i = 0; i < 60; i++) {
      std::string sought = rng.below(3) != 0 ? model[rng.below(model.size())] : random_text(rng);
      if (!sought.empty() && rng.below(4) == 0) sought[rng.below(sought.size())] ^= 1;
      for (unsigned skip = 0; skip < 3; skip++) {
        size_t at = rng.below(4);
        const Listpack::Pos from = lp.at(static_cast<int64_t>(at));
        while (at < model.size() && model[at] != sought) at += skip + 1;
        const bool there = at < model.size();
        CHECK_EQ(lp.find(from, sought, skip), there ? lp.at(static_cast<int64_t>(at)) : Listpack::kNone);
      }
    }
    lp.destroy();
  }
}

// A listpack of others may hold digits as text, and a size written backwards may run on into zeros of the
// element.
TEST(foreign_listpacks) {
  const std::string image(
      "\x0e\0\0\0\2\0\x82"
      "12\x03"
      "\x05\x01"
      "\x00\xff",
      14);
  CHECK(!Listpack::valid(image));  // the last element has no size
  std::string text(
      "\x0d\0\0\0\2\0\x82"
      "12\x03"
      "\x05\x01\xff",
      13);
  CHECK(Listpack::valid(text));
  const Listpack lp(text.data());
  CHECK_EQ(lp.find(lp.first(), "12"), lp.first());
  CHECK(lp.equals(lp.first(), "12"));
  // A short text may have the form of a long one.
  std::string wide(
      "\x0c\0\0\0\1\0\xe0\x02"
      "ab\x04\xff",
      12);
  CHECK(Listpack::valid(wide));
  const Listpack odd(wide.data());
  CHECK_EQ(odd.find(odd.first(), "ab"), odd.first());
  CHECK_EQ(odd.find(odd.first(), "ac"), Listpack::kNone);
  std::string marked("\x11\0\0\0\1\0\xf4\x01\0\0\0\0\0\0\0\x89\xff", 17);
  CHECK(Listpack::valid(marked));
  const Listpack other(marked.data());
  CHECK_EQ(other.last(), other.first());
  marked[15] = '\x8a';
  CHECK(!Listpack::valid(marked));
}

TEST_MAIN()
