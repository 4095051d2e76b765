// Numbers as text, as clients of Valkey write and see them. The accepted forms and the printed forms are part
// of the contract (util.c: string2ll, string2ull, string2d, string2ld, memtoull, d2string, ld2string), so
// none of this depends on the locale.
//
// Parsers take the whole slice or nothing, and leave *out alone on failure. Formatters write no NUL and
// return the length.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/slice.h"

namespace kvasir {

inline constexpr size_t kInt64Chars = 20;         // "-9223372036854775808"
inline constexpr size_t kDoubleChars = 32;        // what format_double writes at most, rounded up
inline constexpr size_t kLongDoubleChars = 5120;  // the largest long double has 4933 digits before the point

// The canonical form only, so that printing gives the same text again: no sign '+', spaces, leading zeros or
// "-0".
bool parse_i64(const Slice& s, int64_t* out);

// As strtoull reads it: what parse_i64 takes unless negative, and else also leading spaces and zeros, a '+',
// and a
// '-' (which wraps around). A NUL ends the text.
bool parse_u64(const Slice& s, uint64_t* out);

// Decimal, correctly rounded, with optional sign, point and exponent, or inf/infinity in any case; no spaces,
// no hexadecimal, no NaN. What overflows, or underflows to zero, is refused.
bool parse_double(const Slice& s, double* out);

// As strtold reads it, hexadecimal included; no spaces in front, no NaN, nothing beyond kLongDoubleChars.
bool parse_long_double(const Slice& s, long double* out);

// "10mb": digits and a unit b, k, kb, m, mb, g or gb in any case (k is 1000, kb 1024). Like the original, no
// digits mean 0 and a product beyond 64 bits wraps.
bool parse_memory_size(const Slice& s, uint64_t* out);

namespace detail {
inline constexpr std::array<char, 200> kTwoDigits = [] {
  std::array<char, 200> t{};
  for (size_t i = 0; i < 100; i++) {
    t[2 * i] = static_cast<char>('0' + i / 10);
    t[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return t;
}();
}  // namespace detail

// The two digits of a number below 100.
inline const char* two_digits(unsigned v) { return &detail::kTwoDigits[2 * v]; }

unsigned decimal_digits(uint64_t v);
size_t format_u64(char* out, uint64_t v);
size_t format_i64(char* out, int64_t v);
// "<type><v>CRLF", as RESP begins what has a length: at most kInt64Chars + 3 bytes.
inline size_t format_length_line(char* out, char type, uint64_t v) {
  out[0] = type;
  const size_t n = 1 + format_u64(out + 1, v);
  out[n] = '\r';
  out[n + 1] = '\n';
  return n + 2;
}

// Scores and RESP3 doubles: integers without point up to 2^62, else what Grisu2 gives (nearly always the
// shortest text that reads back the same), exponents as in 1e+21 and 1e-7. inf, -inf, nan, -0.
size_t format_double(char* out, double v);

// The same without the exception for integers, so that 1e+17 is that: what DEBUG DIGEST mixes of a score.
size_t format_double_short(char* out, double v);

// INCRBYFLOAT: 17 decimals, trailing zeros dropped, never an exponent. `out` has kLongDoubleChars.
size_t format_long_double_human(char* out, long double v);

// Fixed point (GEODIST: 4 decimals), rounded half to even; digits 1..17 and |v| x 10^digits below 2^63.
size_t format_fixed(char* out, double v, unsigned digits);

}  // namespace kvasir
