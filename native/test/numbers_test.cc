#include "base/numbers.h"

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

#include "check.h"

using namespace kvasir;

namespace {

std::string text(double v) {
  char b[kDoubleChars];
  return {b, format_double(b, v)};
}
std::string human(long double v) {
  char b[kLongDoubleChars];
  return {b, format_long_double_human(b, v)};
}
std::string fixed(double v, unsigned digits) {
  char b[64];
  return {b, format_fixed(b, v, digits)};
}

}  // namespace

TEST(parse_i64_is_strict) {
  int64_t v = 77;
  for (const char* bad :
       {"", "-", "+1", "01", "-0", "-01", " 1", "1 ", "1a", "a", "9223372036854775808",
        "-9223372036854775809", "18446744073709551616", "99999999999999999999", "1.0", "00"}) {
    CHECK(!parse_i64(bad, &v));
    CHECK_EQ(v, 77);
  }
  CHECK(parse_i64("0", &v) && v == 0);
  CHECK(parse_i64("-1", &v) && v == -1);
  CHECK(parse_i64("9223372036854775807", &v) && v == INT64_MAX);
  CHECK(parse_i64("-9223372036854775808", &v) && v == INT64_MIN);
  CHECK(!parse_i64(Slice("1\0", 2), &v));
}

TEST(integers_round_trip) {
  std::mt19937_64 rng(5);
  for (int i = 0; i < 200000; i++) {
    const auto v = static_cast<int64_t>(rng() >> (rng() % 64)) * (rng() % 2 == 0 ? 1 : -1);
    char b[kInt64Chars];
    const size_t n = format_i64(b, v);
    CHECK_EQ(std::string(b, n), std::to_string(v));
    int64_t back = 0;
    CHECK(parse_i64(Slice(b, n), &back) && back == v);
  }
  uint64_t p = 1;
  for (unsigned d = 1; d <= 20; d++, p *= 10) {
    CHECK_EQ(decimal_digits(p), d);
    CHECK_EQ(decimal_digits(p - 1), d == 1 ? 1 : d - 1);
  }
  CHECK_EQ(decimal_digits(UINT64_MAX), 20u);
}

TEST(parse_u64_as_strtoull) {
  uint64_t v = 0;
  CHECK(parse_u64("18446744073709551615", &v) && v == UINT64_MAX);
  CHECK(!parse_u64("18446744073709551616", &v));
  CHECK(parse_u64(" 007", &v) && v == 7);
  CHECK(parse_u64("+3", &v) && v == 3);
  CHECK(!parse_u64("-3", &v));
  CHECK(parse_u64("-03", &v) && v == uint64_t{0} - 3);
  for (const char* bad : {"", " ", "+", "1 ", "0x1", "a"}) CHECK(!parse_u64(bad, &v));
}

TEST(parse_double_forms) {
  double v = 7;
  for (const char* bad :
       {"",      " 1",     "1 ",     "+",   "-",  ".",     "e5",  "1e",  "1e+",   "0x1p3", "nan", "-nan",
        "1e400", "-1e400", "1e-400", "1_0", "in", "infin", "--1", "+-1", "1.2.3", "1,5",   "inf "}) {
    CHECK(!parse_double(bad, &v));
    CHECK_EQ(v, 7.0);
  }
  CHECK(!parse_double(Slice("1\0", 2), &v));
  CHECK(parse_double("+1.5", &v) && v == 1.5);
  CHECK(parse_double(".5", &v) && v == 0.5);
  CHECK(parse_double("5.", &v) && v == 5);
  CHECK(parse_double("-InF", &v) && v == -INFINITY);
  CHECK(parse_double("+Infinity", &v) && v == INFINITY);
  CHECK(parse_double("-0", &v) && v == 0 && std::signbit(v));
  CHECK(parse_double("0e999999999999", &v) && v == 0);
  CHECK(parse_double("5e-324", &v) && v == 5e-324);
  CHECK(parse_double("0.00000000000000000000000000000000000000001e41", &v) && v == 1);
  CHECK(parse_double(std::string(5000, '1') + "e-4999", &v) && v == 1.1111111111111112);
}

TEST(parse_double_is_correctly_rounded) {
  std::mt19937_64 rng(11);
  for (int i = 0; i < 300000; i++) {
    char b[64];
    int n;
    if (i % 3 == 0) {
      n = snprintf(b, sizeof(b), "%.*g", static_cast<int>(1 + rng() % 20),
                   std::ldexp(static_cast<double>(rng()), static_cast<int>(rng() % 160) - 110));
    } else if (i % 3 == 1) {
      n = snprintf(b, sizeof(b), "%llue%d", static_cast<unsigned long long>(rng() >> (rng() % 64)),
                   static_cast<int>(rng() % 60) - 30);
    } else {
      // Halfway between two doubles, and next to it.
      const uint64_t m = (uint64_t{1} << 53) + (rng() >> 12);
      n = snprintf(b, sizeof(b), "%llu.%d", static_cast<unsigned long long>(m * 2 + 1),
                   static_cast<int>(rng() % 2));
    }
    double v = 0;
    CHECK(parse_double(Slice(b, static_cast<size_t>(n)), &v));
    if (v != strtod(b, nullptr)) {
      std::cerr << b << "\n";
      CHECK(false);
    }
  }
}

TEST(parse_long_double_forms) {
  long double v = 0;
  for (const char* bad : {"", " 1", "1 ", "nan", "1e5000", "1e-5000", "x", "1.5.5"})
    CHECK(!parse_long_double(bad, &v));
  CHECK(!parse_long_double(Slice("1\0", 2), &v));
  CHECK(parse_long_double("0x1p3", &v) && v == 8);
  CHECK(parse_long_double("+3.25", &v) && v == 3.25L);
  CHECK(parse_long_double("-inf", &v) && std::isinf(v) && v < 0);
}

TEST(parse_memory_sizes) {
  uint64_t v = 0;
  CHECK(parse_memory_size("10mb", &v) && v == 10u << 20);
  CHECK(parse_memory_size("10M", &v) && v == 10000000);
  CHECK(parse_memory_size("1Gb", &v) && v == 1u << 30);
  CHECK(parse_memory_size("7", &v) && v == 7);
  CHECK(parse_memory_size("7B", &v) && v == 7);
  CHECK(parse_memory_size("kb", &v) && v == 0);
  for (const char* bad : {"-1", "1 mb", "1tb", "1.5mb", "18446744073709551616"})
    CHECK(!parse_memory_size(bad, &v));
}

TEST(format_double_layout) {
  CHECK_EQ(text(3.0), "3");
  CHECK_EQ(text(-0.0), "-0");
  CHECK_EQ(text(0.0), "0");
  CHECK_EQ(text(INFINITY), "inf");
  CHECK_EQ(text(-INFINITY), "-inf");
  CHECK_EQ(text(-NAN), "nan");
  CHECK_EQ(text(0.1), "0.1");
  CHECK_EQ(text(-1.5), "-1.5");
  CHECK_EQ(text(1e21), "1e+21");
  CHECK_EQ(text(1e17), "100000000000000000");
  CHECK_EQ(text(1e-7), "1e-7");
  CHECK_EQ(text(0.000001), "0.000001");
  CHECK_EQ(text(1.7976931348623157e308), "1.7976931348623157e+308");
  CHECK_EQ(text(5e-324), "5e-324");
  CHECK_EQ(text(2.2250738585072014e-308), "2.2250738585072014e-308");
  CHECK_EQ(text(4611686018427387904.0), "4611686018427387904");
  CHECK_EQ(text(9223372036854775808.0), "9223372036854776000");
}

TEST(format_double_short_has_exponents_for_integers_too) {
  const auto text = [](double v) {
    char out[kDoubleChars];
    return std::string(out, format_double_short(out, v));
  };
  CHECK_EQ(text(1e17), "1e+17");
  CHECK_EQ(text(1e6), "1000000");
  CHECK_EQ(text(0.1), "0.1");
  CHECK_EQ(text(-3), "-3");
  CHECK_EQ(text(-0.0), "-0");
  CHECK_EQ(text(-HUGE_VAL), "-inf");
  CHECK_EQ(text(123456.78901234567), "1.2345678901234567e+5");
}

TEST(format_double_reads_back) {
  std::mt19937_64 rng(13);
  for (int i = 0; i < 300000; i++) {
    const double v = std::bit_cast<double>(rng());
    if (!std::isfinite(v)) continue;
    const std::string s = text(v);
    CHECK(s.size() < kDoubleChars);
    double back = 0;
    CHECK(parse_double(s, &back) && back == v);
  }
}

TEST(format_long_double_layout) {
  CHECK_EQ(human(3.0L), "3");
  CHECK_EQ(human(-0.0L), "0");
  CHECK_EQ(human(10.5L), "10.5");
  CHECK_EQ(human(100), "100");
  CHECK_EQ(human(-1e-20L), "0");
  CHECK_EQ(human(1e27L), "1000000000000000000000000000");
  CHECK_EQ(human(std::numeric_limits<long double>::infinity()), "inf");
  CHECK(human(std::numeric_limits<long double>::max()).size() > 4900);
}

TEST(format_fixed_point) {
  CHECK_EQ(fixed(0, 4), "0.0000");
  CHECK_EQ(fixed(166274.15156960039, 4), "166274.1516");
  CHECK_EQ(fixed(0.775, 4), "0.7750");
  CHECK_EQ(fixed(-0.05, 4), "-0.0500");
  CHECK_EQ(fixed(-12.00004, 4), "-12.0000");
}

TEST_MAIN()
