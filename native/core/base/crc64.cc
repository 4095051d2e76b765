// Sixteen bytes a step with one table per byte position (Kounavis and Berry, 2008, widened).
#include "base/crc64.h"

#include <array>
#include <cstring>

namespace kvasir {
namespace {

constexpr uint64_t kReflectedPolynomial = 0x95ac9329ac4bc9b5u;

using Tables = std::array<std::array<uint64_t, 256>, 16>;

// tables[k][b]: the CRC of byte b followed by k zero bytes.
Tables make_tables() {
  Tables t;
  for (size_t b = 0; b < 256; b++) {
    uint64_t c = b;
    for (int i = 0; i < 8; i++) c = (c & 1) != 0 ? (c >> 1) ^ kReflectedPolynomial : c >> 1;
    t[0][b] = c;
  }
  for (size_t k = 1; k < 16; k++) {
    for (size_t b = 0; b < 256; b++) t[k][b] = (t[k - 1][b] >> 8) ^ t[0][t[k - 1][b] & 0xff];
  }
  return t;
}

uint64_t load64(const unsigned char* p) {
  uint64_t v;
  memcpy(&v, p, 8);
  return v;
}

}  // namespace

uint64_t crc64(uint64_t crc, const void* data, size_t size) {
  static const Tables t = make_tables();
  const auto* p = static_cast<const unsigned char*>(data);
  for (; size >= 16; p += 16, size -= 16) {
    const uint64_t x = crc ^ load64(p);
    const uint64_t y = load64(p + 8);
    uint64_t c = 0;
    for (unsigned i = 0; i < 8; i++) c ^= t[15 - i][(x >> (8 * i)) & 0xff] ^ t[7 - i][(y >> (8 * i)) & 0xff];
    crc = c;
  }
  for (; size > 0; p++, size--) crc = (crc >> 8) ^ t[0][(crc ^ *p) & 0xff];
  return crc;
}

}  // namespace kvasir
