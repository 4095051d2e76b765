#include "base/glob.h"

#include <random>

#include "check.h"

using namespace kvasir;

namespace {

// The plain recursive meaning, exponential and all: every element takes a byte, a star any number. A pattern
// is first cut into elements, so it shares nothing with the matcher but the rules.
struct Element {
  bool star = false;
  bool any = false;
  bool negated = false;
  bool folds = true;
  std::vector<std::pair<int, int>> ranges;  // signed bytes; a pair of equals is one byte
  std::vector<int> exact;                   // escaped in a class: never folded
  std::vector<int> literal;
};

std::vector<Element> elements(const std::string& p) {
  std::vector<Element> out;
  for (size_t i = 0; i < p.size();) {
    Element e;
    if (p[i] == '*') {
      e.star = true;
      i++;
    } else if (p[i] == '?') {
      e.any = true;
      i++;
    } else if (p[i] == '[') {
      i++;
      if (i < p.size() && p[i] == '^') {
        e.negated = true;
        i++;
      }
      for (; i < p.size() && p[i] != ']';) {
        if (p[i] == '\\' && i + 1 < p.size()) {
          e.exact.push_back(p[i + 1]);
          i += 2;
        } else if (i + 2 < p.size() && p[i + 1] == '-') {
          e.ranges.emplace_back(std::min(static_cast<signed char>(p[i]), static_cast<signed char>(p[i + 2])),
                                std::max(static_cast<signed char>(p[i]), static_cast<signed char>(p[i + 2])));
          i += 3;
        } else {
          e.literal.push_back(p[i++]);
        }
      }
      i++;
    } else {
      if (p[i] == '\\' && i + 1 < p.size()) i++;
      e.literal.push_back(p[i++]);
    }
    out.push_back(e);
  }
  return out;
}

int fold(int c, bool nocase) { return nocase && c >= 'A' && c <= 'Z' ? c + 32 : c; }

bool takes(const Element& e, char ch, bool nocase) {
  if (e.any) return true;
  bool found = false;
  for (const int c : e.exact) found |= static_cast<char>(c) == ch;
  for (const int c : e.literal) found |= fold(c, nocase) == fold(ch, nocase);
  for (const auto& [a, b] : e.ranges) {
    const int c = fold(static_cast<signed char>(ch), nocase);
    found |= c >= fold(a, nocase) && c <= fold(b, nocase);
  }
  return found != e.negated;
}

bool reference(const std::vector<Element>& es, size_t i, const std::string& s, size_t j, bool nocase) {
  if (i == es.size()) return j == s.size();
  if (es[i].star) {
    for (size_t k = j; k <= s.size(); k++) {
      if (reference(es, i + 1, s, k, nocase)) return true;
    }
    return false;
  }
  return j < s.size() && takes(es[i], s[j], nocase) && reference(es, i + 1, s, j + 1, nocase);
}

}  // namespace

TEST(glob_corners) {
  CHECK(glob_match("", ""));
  CHECK(!glob_match("*", ""));
  CHECK(!glob_match("", "a"));
  CHECK(glob_match("a*", "a"));
  CHECK(glob_match("a**", "a"));
  CHECK(glob_match("[a", "a"));
  CHECK(!glob_match("[a", "b"));
  CHECK(!glob_match("[a", "["));
  CHECK(glob_match("[^", "x"));
  CHECK(!glob_match("[", "["));
  CHECK(!glob_match("[]", "]"));
  CHECK(glob_match("[^-]", "a"));
  CHECK(!glob_match("[^-]", "-"));
  CHECK(glob_match("\\", "\\"));
  CHECK(glob_match("\\*", "*"));
  CHECK(!glob_match("\\*", "a"));
  CHECK(glob_match("[a-", "a"));
  CHECK(glob_match("[a-", "-"));
  CHECK(!glob_match("[a-", "b"));
  CHECK(glob_match("[a-]", "^"));  // the range from ']' to 'a'
  CHECK(glob_match("[z-a]", "m"));
  CHECK(glob_match("[\\]]", "]"));
  CHECK(glob_match("h[a-c]l*o", "hbllo"));
  CHECK(glob_match("HELLO*", "hello world", true));
  CHECK(!glob_match("HELLO*", "hello world"));
  CHECK(glob_match("[A-C]", "b", true));
  CHECK(!glob_match("[\\B]", "b", true));
  CHECK(!glob_match("[Z-a]", "z", true));
}

TEST(glob_against_the_recursive_meaning) {
  std::mt19937_64 rng(3);
  const std::string pattern_chars = "aabBcz*??[]^-\\\x81\xfe";
  const std::string string_chars = "aabBcz-]^\\*\x81\xff";
  int matches = 0;
  for (int i = 0; i < 300000; i++) {
    std::string p(rng() % 9, 0);
    std::string s(1 + rng() % 6, 0);
    for (char& c : p) c = pattern_chars[rng() % pattern_chars.size()];
    for (char& c : s) c = string_chars[rng() % string_chars.size()];
    const bool nocase = rng() % 2 == 0;
    const bool expect = reference(elements(p), 0, s, 0, nocase);
    matches += expect ? 1 : 0;
    if (glob_match(p, s, nocase) != expect) {
      std::cerr << "pattern " << p << " string " << s << " nocase " << nocase << "\n";
      CHECK(false);
    }
  }
  CHECK(matches > 3000);
}

TEST(glob_abusive_patterns_end) {
  std::string p;
  for (int i = 0; i < 900; i++) p += "a*";
  CHECK(!glob_match(p + "b", std::string(30000, 'a')));
  CHECK(glob_match(p, std::string(30000, 'a')));
  std::string many;
  for (int i = 0; i < 1000; i++) many += "*a";
  CHECK(glob_match(many + "*", std::string(2000, 'a')));
  CHECK(!glob_match("*a" + many, std::string(2000, 'a')));
}

TEST_MAIN()
