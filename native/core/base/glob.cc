#include "base/glob.h"

#include <utility>

namespace kvasir {
namespace {

constexpr int kMaxStars = 1000;

bool same(char a, char b, bool nocase) { return nocase ? ascii_lower(a) == ascii_lower(b) : a == b; }

bool in_range(signed char from, signed char to, signed char c, bool nocase) {
  if (from > to) std::swap(from, to);
  if (nocase) {
    from = static_cast<signed char>(ascii_lower(static_cast<char>(from)));
    to = static_cast<signed char>(ascii_lower(static_cast<char>(to)));
    c = static_cast<signed char>(ascii_lower(static_cast<char>(c)));
  }
  return c >= from && c <= to;
}

// p stands behind the '['; it is moved behind the class.
bool class_matches(const char*& p, const char* end, char c, bool nocase) {
  const bool negated = p != end && *p == '^';
  if (negated) p++;
  bool found = false;
  while (p != end && *p != ']') {
    const auto left = end - p;
    if (*p == '\\' && left >= 2) {
      found |= p[1] == c;
      p += 2;
    } else if (left >= 3 && p[1] == '-') {
      found |= in_range(static_cast<signed char>(p[0]), static_cast<signed char>(p[2]),
                        static_cast<signed char>(c), nocase);
      p += 3;
    } else {
      found |= same(*p, c, nocase);
      p++;
    }
  }
  if (p != end) p++;
  return found != negated;
}

// Matches one byte against the element at p (not a star), and moves p behind it.
bool element_matches(const char*& p, const char* end, char c, bool nocase) {
  switch (*p++) {
    case '?':
      return true;
    case '[':
      return class_matches(p, end, c, nocase);
    case '\\':
      if (p != end) p++;
      [[fallthrough]];
    default:
      return same(p[-1], c, nocase);
  }
}

}  // namespace

bool glob_match(const Slice& pattern, const Slice& string, bool nocase) {
  const char* p = pattern.data;
  const char* const pattern_end = p + pattern.size;
  const char* s = string.data;
  const char* const string_end = s + string.size;
  if (s == string_end) return p == pattern_end;

  const char* after_star = nullptr;  // of the last star met, and
  const char* star_from = nullptr;   // where in the string its rest is tried now
  int stars = 0;
  for (;;) {
    if (p != pattern_end && *p == '*') {
      while (p != pattern_end && *p == '*') p++;
      if (p == pattern_end) return true;
      if (++stars > kMaxStars) return false;
      after_star = p;
      star_from = s;
    }
    if (p != pattern_end && element_matches(p, pattern_end, *s, nocase)) {
      if (++s != string_end) continue;
      // The elements up to the next star take one byte each, so starting later could not help.
      while (p != pattern_end && *p == '*') p++;
      return p == pattern_end;
    }
    if (after_star == nullptr || ++star_from == string_end) return false;
    p = after_star;
    s = star_from;
  }
}

}  // namespace kvasir
