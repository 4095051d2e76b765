#include "base/numbers.h"

#include <locale.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>

namespace kvasir {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// The host program may have set a locale whose decimal point is a comma.
locale_t c_locale() {
  static const locale_t c = newlocale(LC_ALL_MASK, "C", nullptr);
  return c;
}

constexpr std::array<uint64_t, 20> kPowersOfTen = [] {
  std::array<uint64_t, 20> p{};
  uint64_t v = 1;
  for (uint64_t& x : p) {
    x = v;
    v *= 10;
  }
  return p;
}();

constexpr unsigned kMaxPowerOfFive = 27;
constexpr std::array<uint64_t, kMaxPowerOfFive + 1> kPowersOfFive = [] {
  std::array<uint64_t, kMaxPowerOfFive + 1> p{};
  uint64_t v = 1;
  for (uint64_t& x : p) {
    x = v;
    v *= 5;
  }
  return p;
}();

// w x 10^e, correctly rounded, for |e| <= 27: 5^27 fits 64 bits, so the product, or the quotient and whether
// there is a remainder, is exact in 128 bits.
double scale(uint64_t w, int e) {
  if (w == 0) return 0;
  unsigned __int128 v;
  int exponent = e;
  bool inexact = false;
  if (e >= 0) {
    v = static_cast<unsigned __int128>(w) * kPowersOfFive[static_cast<unsigned>(e)];
  } else {
    const uint64_t divisor = kPowersOfFive[static_cast<unsigned>(-e)];
    const int lead = std::countl_zero(w);
    const unsigned __int128 dividend = static_cast<unsigned __int128>(w << lead) << 63;
    v = dividend / divisor;
    inexact = v * divisor != dividend;
    exponent -= lead + 63;
  }
  const auto high = static_cast<uint64_t>(v >> 64);
  const int width =
      high != 0 ? 128 - std::countl_zero(high) : 64 - std::countl_zero(static_cast<uint64_t>(v));
  const int excess = width - 53;
  if (excess <= 0) return std::ldexp(static_cast<double>(static_cast<uint64_t>(v)), exponent);
  auto mantissa = static_cast<uint64_t>(v >> excess);
  const unsigned __int128 rest = v & ((static_cast<unsigned __int128>(1) << excess) - 1);
  const unsigned __int128 half = static_cast<unsigned __int128>(1) << (excess - 1);
  if (rest > half || (rest == half && (inexact || (mantissa & 1) != 0))) mantissa++;
  return std::ldexp(static_cast<double>(mantissa), exponent + excess);
}

}  // namespace

bool parse_i64(const Slice& s, int64_t* out) {
  const char* p = s.data;
  const char* const end = s.end();
  if (s.size == 0 || s.size > kInt64Chars) return false;
  if (s.size == 1 && *p == '0') {
    *out = 0;
    return true;
  }
  const bool negative = *p == '-';
  if (negative) p++;
  if (p == end || *p < '1' || *p > '9') return false;
  // 18 digits cannot overflow.
  uint64_t v = 0;
  const char* const safe = end - p > 18 ? p + 18 : end;
  for (; p != safe; p++) {
    if (!is_digit(*p)) return false;
    v = v * 10 + static_cast<uint64_t>(*p - '0');
  }
  for (; p != end; p++) {
    if (!is_digit(*p) || __builtin_mul_overflow(v, uint64_t{10}, &v) ||
        __builtin_add_overflow(v, static_cast<uint64_t>(*p - '0'), &v))
      return false;
  }
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (v > kMax + (negative ? 1 : 0)) return false;
  *out = static_cast<int64_t>(negative ? -v : v);
  return true;
}

bool parse_u64(const Slice& s, uint64_t* out) {
  int64_t i;
  if (parse_i64(s, &i)) {
    if (i < 0) return false;
    *out = static_cast<uint64_t>(i);
    return true;
  }
  const char* p = s.data;
  const char* const end = p + (s.size == 0 ? 0 : strnlen(p, s.size));
  while (p != end && is_space(*p)) p++;
  const bool negative = p != end && *p == '-';
  if (p != end && (*p == '-' || *p == '+')) p++;
  if (p == end) return false;
  uint64_t v = 0;
  for (; p != end; p++) {
    if (!is_digit(*p) || __builtin_mul_overflow(v, uint64_t{10}, &v) ||
        __builtin_add_overflow(v, static_cast<uint64_t>(*p - '0'), &v))
      return false;
  }
  *out = negative ? -v : v;
  return true;
}

bool parse_double(const Slice& s, double* out) {
  const char* p = s.data;
  const char* const end = s.end();
  if (p == end) return false;
  const bool negative = *p == '-';
  if (*p == '-' || *p == '+') p++;

  uint64_t w = 0;       // the first 19 significant digits
  int significant = 0;  // how many digits went into w, and beyond 19 how many there are
  int64_t exponent = 0;
  bool any = false;
  const auto digits = [&](bool fraction) {
    for (; p != end && is_digit(*p); p++) {
      any = true;
      if (significant == 0 && *p == '0') {
        exponent -= fraction ? 1 : 0;
        continue;
      }
      if (significant < 19) {
        w = w * 10 + static_cast<uint64_t>(*p - '0');
        exponent -= fraction ? 1 : 0;
      } else {
        exponent += fraction ? 0 : 1;
      }
      if (significant < 20) significant++;
    }
  };
  digits(false);
  if (p != end && *p == '.') {
    p++;
    digits(true);
  }
  if (!any) {
    const Slice word(negative || *s.data == '+' ? s.data + 1 : s.data,
                     s.size - (negative || *s.data == '+' ? 1 : 0));
    if (!equals_nocase(word, "inf") && !equals_nocase(word, "infinity")) return false;
    *out = negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    return true;
  }
  if (p != end && (*p == 'e' || *p == 'E')) {
    p++;
    const bool down = p != end && *p == '-';
    if (p != end && (*p == '-' || *p == '+')) p++;
    if (p == end) return false;
    int64_t e = 0;
    for (; p != end && is_digit(*p); p++) {
      if (e < 1000000000) e = e * 10 + (*p - '0');
    }
    exponent += down ? -e : e;
  }
  if (p != end) return false;

  double v;
  if (w == 0) {
    v = 0;
  } else if (significant <= 19 && std::abs(exponent) <= int64_t{kMaxPowerOfFive}) {
    v = scale(w, static_cast<int>(exponent));
  } else {
    char buffer[128];
    std::string large;
    const char* text = buffer;
    if (s.size < sizeof(buffer)) {
      memcpy(buffer, s.data, s.size);
      buffer[s.size] = 0;
    } else {
      large = s.str();
      text = large.c_str();
    }
    v = std::fabs(strtod_l(text, nullptr, c_locale()));
    if (v == 0 || std::isinf(v)) return false;
  }
  *out = negative ? -v : v;
  return true;
}

bool parse_long_double(const Slice& s, long double* out) {
  if (s.size == 0 || s.size >= kLongDoubleChars || is_space(s[0])) return false;
  char buffer[kLongDoubleChars];
  memcpy(buffer, s.data, s.size);
  buffer[s.size] = 0;
  char* end = nullptr;
  errno = 0;
#if defined(__GLIBC__)
  const long double v = strtold_l(buffer, &end, c_locale());
#else
  const long double v = strtold(buffer, &end);  // musl knows no other decimal point
#endif
  if (end != buffer + s.size || std::isnan(v)) return false;
  if (errno == ERANGE && (std::isinf(v) || v == 0)) return false;
  *out = v;
  return true;
}

bool parse_memory_size(const Slice& s, uint64_t* out) {
  size_t digits = 0;
  while (digits < s.size && is_digit(s[digits])) digits++;
  const Slice unit(s.data + digits, s.size - digits);
  uint64_t factor;
  if (unit.empty() || equals_nocase(unit, "b")) {
    factor = 1;
  } else if (equals_nocase(unit, "k")) {
    factor = 1000;
  } else if (equals_nocase(unit, "kb")) {
    factor = 1024;
  } else if (equals_nocase(unit, "m")) {
    factor = 1000 * 1000;
  } else if (equals_nocase(unit, "mb")) {
    factor = 1024 * 1024;
  } else if (equals_nocase(unit, "g")) {
    factor = uint64_t{1000} * 1000 * 1000;
  } else if (equals_nocase(unit, "gb")) {
    factor = uint64_t{1024} * 1024 * 1024;
  } else {
    return false;
  }
  if (digits >= 128) return false;
  uint64_t v = 0;
  for (size_t i = 0; i < digits; i++) {
    if (__builtin_mul_overflow(v, uint64_t{10}, &v) ||
        __builtin_add_overflow(v, static_cast<uint64_t>(s[i] - '0'), &v))
      return false;
  }
  *out = v * factor;
  return true;
}

unsigned decimal_digits(uint64_t v) {
  // 1233/4096 is just above log10(2): the estimate is right or one too small.
  const auto bits = static_cast<unsigned>(64 - std::countl_zero(v | 1));
  const unsigned estimate = bits * 1233 >> 12;
  return estimate + (v >= kPowersOfTen[estimate] ? 1 : 0) + (v == 0 ? 1 : 0);
}

size_t format_u64(char* out, uint64_t v) {
  const unsigned n = decimal_digits(v);
  char* p = out + n;
  while (v >= 100) {
    const uint64_t quotient = v / 100;
    p -= 2;
    memcpy(p, two_digits(static_cast<unsigned>(v - quotient * 100)), 2);
    v = quotient;
  }
  if (v >= 10) {
    memcpy(out, two_digits(static_cast<unsigned>(v)), 2);
  } else {
    *out = static_cast<char>('0' + v);
  }
  return n;
}

size_t format_i64(char* out, int64_t v) {
  if (v >= 0) return format_u64(out, static_cast<uint64_t>(v));
  *out = '-';
  return 1 + format_u64(out + 1, -static_cast<uint64_t>(v));
}

size_t format_long_double_human(char* out, long double v) {
  if (std::isnan(v)) {
    memcpy(out, "nan", 3);
    return 3;
  }
  if (std::isinf(v)) {
    memcpy(out, v < 0 ? "-inf" : "inf", v < 0 ? 4 : 3);
    return v < 0 ? 4 : 3;
  }
  const locale_t before = uselocale(c_locale());
  auto n = static_cast<size_t>(snprintf(out, kLongDoubleChars, "%.17Lf", v));
  uselocale(before);
  n = std::min(n, kLongDoubleChars - 1);
  while (out[n - 1] == '0') n--;
  if (out[n - 1] == '.') n--;
  if (n == 2 && out[0] == '-' && out[1] == '0') {
    out[0] = '0';
    n = 1;
  }
  return n;
}

size_t format_fixed(char* out, double v, unsigned digits) {
  const long long scaled = std::llrint(v * static_cast<double>(kPowersOfTen[digits]));
  char* p = out;
  uint64_t u = static_cast<uint64_t>(scaled);
  if (scaled < 0) {
    *p++ = '-';
    u = -u;
  }
  p += format_u64(p, u / kPowersOfTen[digits]);
  *p++ = '.';
  const uint64_t fraction = u % kPowersOfTen[digits];
  const unsigned zeros = digits - decimal_digits(fraction);
  memset(p, '0', zeros);
  p += zeros;
  p += format_u64(p, fraction);
  return static_cast<size_t>(p - out);
}

}  // namespace kvasir
