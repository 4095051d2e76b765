// Ziplists as Redis before 7 wrote them, whole and damaged.
#include "types/ziplist.h"

#include <string>
#include <vector>

#include "base/rng.h"
#include "check.h"
#include "persist/rdb_pack.h"

using namespace kvasir;

namespace {

std::string le(uint64_t v, size_t n) { return {reinterpret_cast<const char*>(&v), n}; }

// A ziplist of elements that are encoded already.
std::string ziplist(const std::vector<std::string>& elements) {
  std::string body;
  size_t before = 0, last = 10;
  for (const std::string& e : elements) {
    last = 10 + body.size();
    const std::string head =
        before < 254 ? std::string(1, static_cast<char>(before)) : "\xfe" + le(before, 4);
    body += head + e;
    before = head.size() + e.size();
  }
  return le(body.size() + 11, 4) + le(last, 4) + le(elements.size(), 2) + body + '\xff';
}

std::string text(const std::string& s) {
  if (s.size() < 64) return static_cast<char>(s.size()) + s;
  if (s.size() < 16384) {
    return std::string(1, static_cast<char>(0x40 | s.size() >> 8)) + static_cast<char>(s.size()) + s;
  }
  std::string head = "\x80";
  for (int shift = 24; shift >= 0; shift -= 8) head += static_cast<char>(s.size() >> shift);
  return head + s;
}

std::vector<std::string> read(const std::string& bytes, bool* valid) {
  std::vector<std::string> elements;
  char tmp[kInt64Chars + 1];
  ZiplistReader reader(bytes);
  for (ListpackItem item; reader.next(&item);) elements.push_back(item.str(tmp).str());
  *valid = reader.valid();
  return elements;
}

}  // namespace

TEST(every_encoding) {
  const std::string medium(300, 'm'), large(20000, 'l');
  const std::string bytes =
      ziplist({text(""), text("short"), text(medium), text(large), "\xfe\x80", "\xc0" + le(0x8000, 2),
               "\xf0" + le(0x7fffff, 3), "\xf0" + le(0x800000, 3), "\xd0" + le(0x80000000, 4),
               "\xe0" + le(0x8000000000000000, 8), "\xf1", "\xfd"});
  bool valid;
  const std::vector<std::string> elements = read(bytes, &valid);
  CHECK(valid);
  const std::vector<std::string> expected = {
      "",       "short",   medium,     large,         "-128",
      "-32768", "8388607", "-8388608", "-2147483648", "-9223372036854775808",
      "0",      "12"};
  CHECK(elements == expected);
  auto lp = listpack_of_ziplist(bytes);
  CHECK(lp.has_value());
  CHECK_EQ(lp->size(), expected.size());
  char tmp[kInt64Chars + 1];
  for (size_t i = 0; i < expected.size(); i++) {
    CHECK_EQ(lp->get(lp->at(static_cast<int64_t>(i))).str(tmp).str(), expected[i]);
  }
  CHECK(Listpack::valid(lp->image()));
  lp->destroy();
}

TEST(empty_and_of_unknown_length) {
  bool valid;
  CHECK(read(ziplist({}), &valid).empty());
  CHECK(valid);
  std::string unknown = ziplist({text("a"), text("b")});
  unknown[8] = unknown[9] = '\xff';
  CHECK_EQ(read(unknown, &valid).size(), size_t{2});
  CHECK(valid);
}

TEST(what_is_wrong_is_refused) {
  const std::string good = ziplist({text("one"), text("two"), "\xf5"});
  bool valid;
  const auto damaged = [&](size_t at, char c) {
    std::string bytes = good;
    bytes[at] = c;
    read(bytes, &valid);
    return !valid;
  };
  CHECK(damaged(0, 1));                   // size
  CHECK(damaged(4, 11));                  // start of the last
  CHECK(damaged(8, 2));                   // count
  CHECK(damaged(10, 1));                  // a size before the first
  CHECK(damaged(15, 4));                  // a wrong size before
  CHECK(damaged(16, 0x3f));               // beyond the end
  CHECK(damaged(11, '\xf0' - 0x10 + 1));  // no such encoding
  CHECK(damaged(good.size() - 1, 0));
  for (size_t n = 0; n < good.size(); n++) {
    read(good.substr(0, n), &valid);
    CHECK(!valid);
  }
  CHECK(!listpack_of_ziplist(good.substr(0, 9)).has_value());
}

TEST(random_damage) {
  Rng rng(3);
  const std::string good =
      ziplist({text("one"), text(std::string(300, 'x')), "\xf5", "\xe0" + le(77, 8), text("")});
  for (int i = 0; i < 20000; i++) {
    std::string bytes = good.substr(0, rng.below(8) == 0 ? rng.below(good.size()) : good.size());
    for (uint64_t n = rng.below(4); n > 0 && !bytes.empty(); n--)
      bytes[rng.below(bytes.size())] = static_cast<char>(rng.next());
    bool valid;
    read(bytes, &valid);
  }
}

TEST(distinct_elements) {
  const auto of = [](const std::vector<std::string>& elements) {
    Listpack lp = Listpack::make();
    for (const std::string& e : elements) lp.append(e);
    return lp;
  };
  const auto check = [&](const std::vector<std::string>& elements, unsigned step) {
    Listpack lp = of(elements);
    const bool result = distinct(lp, step);
    lp.destroy();
    return result;
  };
  CHECK(check({}, 1));
  CHECK(check({"a", "b", "1", "01"}, 1));
  CHECK(!check({"a", "b", "1", "a"}, 1));
  CHECK(!check({"7", "b", "7"}, 1));
  CHECK(check({"a", "1", "b", "1"}, 2));
  CHECK(!check({"a", "1", "a", "2"}, 2));
  CHECK(!check({"a", "1", "b"}, 2));
}

TEST_MAIN()
