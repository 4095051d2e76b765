// Double to text by Grisu2 (Florian Loitsch, "Printing Floating-Point Numbers Quickly and Accurately with
// Integers", PLDI 2010), and the layout Valkey gives the digits. One double in a thousand comes out a digit
// longer than the shortest text or not the closest of the shortest ones: clients of Valkey see those digits,
// so they stay.
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/numbers.h"

namespace kvasir {
namespace {

struct DiyFp {
  uint64_t f;
  int e;
};

constexpr int kFirstPower = -348;
constexpr int kPowerStep = 8;
// 10^k for k = -348, -340 ... 340, the significand rounded to 64 bits.
constexpr DiyFp kPowersOfTen[] = {
    {0xfa8fd5a0081c0288u, -1220}, {0xbaaee17fa23ebf76u, -1193}, {0x8b16fb203055ac76u, -1166},
    {0xcf42894a5dce35eau, -1140}, {0x9a6bb0aa55653b2du, -1113}, {0xe61acf033d1a45dfu, -1087},
    {0xab70fe17c79ac6cau, -1060}, {0xff77b1fcbebcdc4fu, -1034}, {0xbe5691ef416bd60cu, -1007},
    {0x8dd01fad907ffc3cu, -980},  {0xd3515c2831559a83u, -954},  {0x9d71ac8fada6c9b5u, -927},
    {0xea9c227723ee8bcbu, -901},  {0xaecc49914078536du, -874},  {0x823c12795db6ce57u, -847},
    {0xc21094364dfb5637u, -821},  {0x9096ea6f3848984fu, -794},  {0xd77485cb25823ac7u, -768},
    {0xa086cfcd97bf97f4u, -741},  {0xef340a98172aace5u, -715},  {0xb23867fb2a35b28eu, -688},
    {0x84c8d4dfd2c63f3bu, -661},  {0xc5dd44271ad3cdbau, -635},  {0x936b9fcebb25c996u, -608},
    {0xdbac6c247d62a584u, -582},  {0xa3ab66580d5fdaf6u, -555},  {0xf3e2f893dec3f126u, -529},
    {0xb5b5ada8aaff80b8u, -502},  {0x87625f056c7c4a8bu, -475},  {0xc9bcff6034c13053u, -449},
    {0x964e858c91ba2655u, -422},  {0xdff9772470297ebdu, -396},  {0xa6dfbd9fb8e5b88fu, -369},
    {0xf8a95fcf88747d94u, -343},  {0xb94470938fa89bcfu, -316},  {0x8a08f0f8bf0f156bu, -289},
    {0xcdb02555653131b6u, -263},  {0x993fe2c6d07b7facu, -236},  {0xe45c10c42a2b3b06u, -210},
    {0xaa242499697392d3u, -183},  {0xfd87b5f28300ca0eu, -157},  {0xbce5086492111aebu, -130},
    {0x8cbccc096f5088ccu, -103},  {0xd1b71758e219652cu, -77},   {0x9c40000000000000u, -50},
    {0xe8d4a51000000000u, -24},   {0xad78ebc5ac620000u, 3},     {0x813f3978f8940984u, 30},
    {0xc097ce7bc90715b3u, 56},    {0x8f7e32ce7bea5c70u, 83},    {0xd5d238a4abe98068u, 109},
    {0x9f4f2726179a2245u, 136},   {0xed63a231d4c4fb27u, 162},   {0xb0de65388cc8ada8u, 189},
    {0x83c7088e1aab65dbu, 216},   {0xc45d1df942711d9au, 242},   {0x924d692ca61be758u, 269},
    {0xda01ee641a708deau, 295},   {0xa26da3999aef774au, 322},   {0xf209787bb47d6b85u, 348},
    {0xb454e4a179dd1877u, 375},   {0x865b86925b9bc5c2u, 402},   {0xc83553c5c8965d3du, 428},
    {0x952ab45cfa97a0b3u, 455},   {0xde469fbd99a05fe3u, 481},   {0xa59bc234db398c25u, 508},
    {0xf6c69a72a3989f5cu, 534},   {0xb7dcbf5354e9beceu, 561},   {0x88fcf317f22241e2u, 588},
    {0xcc20ce9bd35c78a5u, 614},   {0x98165af37b2153dfu, 641},   {0xe2a0b5dc971f303au, 667},
    {0xa8d9d1535ce3b396u, 694},   {0xfb9b7cd9a4a7443cu, 720},   {0xbb764c4ca7a44410u, 747},
    {0x8bab8eefb6409c1au, 774},   {0xd01fef10a657842cu, 800},   {0x9b10a4e5e9913129u, 827},
    {0xe7109bfba19c0c9du, 853},   {0xac2820d9623bf429u, 880},   {0x80444b5e7aa7cf85u, 907},
    {0xbf21e44003acdd2du, 933},   {0x8e679c2f5e44ff8fu, 960},   {0xd433179d9c8cb841u, 986},
    {0x9e19db92b4e31ba9u, 1013},  {0xeb96bf6ebadf77d9u, 1039},  {0xaf87023b9bf0ee6bu, 1066}};

// Rounded to the nearest.
DiyFp multiply(const DiyFp& a, const DiyFp& b) {
  const unsigned __int128 p = static_cast<unsigned __int128>(a.f) * b.f + (uint64_t{1} << 63);
  return {static_cast<uint64_t>(p >> 64), a.e + b.e + 64};
}

DiyFp normalized(const DiyFp& x) {
  const int shift = std::countl_zero(x.f);
  return {x.f << shift, x.e - shift};
}

// The power that brings an exponent e into [-60, -32], so that the integer part of the product fits 32 bits.
const DiyFp& cached_power(int e, int* k) {
  int i = (static_cast<int>(-(e + 87) * 0.30102999566398114) - kFirstPower) / kPowerStep;
  for (;;) {
    const int sum = e + kPowersOfTen[i].e + 64;
    if (sum < -60) {
      i++;
    } else if (sum > -32) {
      i--;
    } else {
      break;
    }
  }
  *k = kFirstPower + i * kPowerStep;
  return kPowersOfTen[i];
}

// Lowers the last digit while that comes closer to the value and stays inside the interval.
void round_last(char* last, uint64_t delta, uint64_t rest, uint64_t unit, uint64_t distance) {
  while (rest < distance && delta - rest >= unit &&
         (rest + unit < distance || distance - rest > rest + unit - distance)) {
    --*last;
    rest += unit;
  }
}

// Digits of a number in (low, high), as few as the margin allows, nearest w; the value is digits x 10^*k.
int generate(const DiyFp& w, const DiyFp& low, const DiyFp& high, char* digits, int* k) {
  const uint64_t to_w = high.f - w.f;
  uint64_t delta = high.f - low.f;
  const int point = -high.e;
  const uint64_t one = uint64_t{1} << point;
  uint64_t integer = high.f >> point;
  uint64_t fraction = high.f & (one - 1);

  int n = 0;
  int exponent = 10;
  for (uint64_t unit = 1000000000; exponent > 0; unit /= 10) {
    const uint64_t digit = integer / unit;
    if (digit != 0 || n != 0) digits[n++] = static_cast<char>('0' + digit);
    integer -= digit * unit;
    exponent--;
    const uint64_t rest = (integer << point) + fraction;
    if (rest <= delta) {
      *k += exponent;
      round_last(digits + n - 1, delta, rest, unit << point, to_w);
      return n;
    }
  }
  for (uint64_t scale = 10;; scale *= 10) {
    fraction *= 10;
    delta *= 10;
    exponent--;
    const uint64_t digit = fraction >> point;
    if (digit != 0 || n != 0) digits[n++] = static_cast<char>('0' + digit);
    fraction &= one - 1;
    if (fraction < delta) {
      *k += exponent;
      round_last(digits + n - 1, delta, fraction, one, to_w * scale);
      return n;
    }
  }
}

// v is finite and positive.
int grisu2(double v, char* digits, int* k) {
  constexpr uint64_t kHidden = uint64_t{1} << 52;
  const auto bits = std::bit_cast<uint64_t>(v);
  const int biased = static_cast<int>(bits >> 52 & 0x7ff);
  DiyFp w{bits & (kHidden - 1), biased == 0 ? -1074 : biased - 1075};
  if (biased != 0) w.f |= kHidden;

  DiyFp high = normalized({(w.f << 1) + 1, w.e - 1});
  // Below a power of two the neighbours are twice as dense.
  const int shift = w.f == kHidden ? 2 : 1;
  DiyFp low{(w.f << shift) - 1, w.e - shift};
  low.f <<= low.e - high.e;
  low.e = high.e;

  const DiyFp& power = cached_power(high.e, k);
  *k = -*k;
  w = multiply(normalized(w), power);
  high = multiply(high, power);
  low = multiply(low, power);
  // The products may be off by one unit: stay inside.
  low.f++;
  high.f--;
  return generate(w, low, high, digits, k);
}

size_t lay_out(char* out, const char* digits, int n, int k) {
  const auto count = static_cast<size_t>(n);
  const int exponent = k + n - 1;  // of the first digit
  if (k >= 0 && exponent < n + 7) {
    memcpy(out, digits, count);
    memset(out + n, '0', static_cast<size_t>(k));
    return count + static_cast<size_t>(k);
  }
  if (k < 0 && (k > -7 || std::abs(exponent) < 4)) {
    const int before_point = n + k;
    if (before_point > 0) {
      memcpy(out, digits, static_cast<size_t>(before_point));
      out[before_point] = '.';
      memcpy(out + before_point + 1, digits + before_point, static_cast<size_t>(-k));
      return count + 1;
    }
    const auto zeros = static_cast<size_t>(-before_point);
    out[0] = '0';
    out[1] = '.';
    memset(out + 2, '0', zeros);
    memcpy(out + 2 + zeros, digits, count);
    return 2 + zeros + count;
  }
  char* p = out;
  *p++ = digits[0];
  if (n > 1) {
    *p++ = '.';
    memcpy(p, digits + 1, count - 1);
    p += n - 1;
  }
  *p++ = 'e';
  *p++ = exponent < 0 ? '-' : '+';
  p += format_u64(p, static_cast<uint64_t>(std::abs(exponent)));
  return static_cast<size_t>(p - out);
}

}  // namespace

size_t format_double(char* out, double v) {
  constexpr double kSafe = 4611686018427387904.0;  // 2^62
  if (v >= -kSafe && v <= kSafe) {
    const auto i = static_cast<int64_t>(v);
    if (static_cast<double>(i) == v && (i != 0 || !std::signbit(v))) return format_i64(out, i);
  }
  return format_double_short(out, v);
}

size_t format_double_short(char* out, double v) {
  if (v != v) {
    memcpy(out, "nan", 3);
    return 3;
  }
  char* p = out;
  if (std::signbit(v)) {
    *p++ = '-';
    v = -v;
  }
  if (v == 0) {
    *p++ = '0';
  } else if (std::isinf(v)) {
    memcpy(p, "inf", 3);
    p += 3;
  } else {
    char digits[20];
    int k = 0;
    const int n = grisu2(v, digits, &k);
    p += lay_out(p, digits, n, k);
  }
  return static_cast<size_t>(p - out);
}

}  // namespace kvasir
