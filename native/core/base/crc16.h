// CRC-16/XMODEM (polynomial 0x1021, not reflected, initial value 0) and the cluster's mapping of keys to
// slots.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/slice.h"

namespace kvasir {

inline constexpr unsigned kSlotCount = 16384;

namespace crc_detail {

// table[k][b]: the CRC of byte b followed by k zero bytes.
inline constexpr std::array<std::array<uint16_t, 256>, 8> kCrc16 = [] {
  std::array<std::array<uint16_t, 256>, 8> t{};
  for (unsigned b = 0; b < 256; b++) {
    unsigned c = b << 8;
    for (int i = 0; i < 8; i++) c = (c & 0x8000) != 0 ? (c << 1) ^ 0x1021 : c << 1;
    t[0][b] = static_cast<uint16_t>(c);
  }
  for (size_t k = 1; k < 8; k++) {
    for (size_t b = 0; b < 256; b++) {
      const unsigned c = t[k - 1][b];
      t[k][b] = static_cast<uint16_t>((c << 8) ^ t[0][c >> 8]);
    }
  }
  return t;
}();

}  // namespace crc_detail

inline uint16_t crc16(const Slice& s) {
  using crc_detail::kCrc16;
  const auto* p = reinterpret_cast<const unsigned char*>(s.data);
  size_t n = s.size;
  unsigned c = 0;
  for (; n >= 8; p += 8, n -= 8) {
    c = kCrc16[7][p[0] ^ (c >> 8)] ^ kCrc16[6][p[1] ^ (c & 0xff)] ^ kCrc16[5][p[2]] ^ kCrc16[4][p[3]] ^
        kCrc16[3][p[4]] ^ kCrc16[2][p[5]] ^ kCrc16[1][p[6]] ^ kCrc16[0][p[7]];
  }
  for (; n > 0; p++, n--) c = ((c << 8) & 0xffff) ^ kCrc16[0][(c >> 8) ^ *p];
  return static_cast<uint16_t>(c);
}

// 0..16383. Only the hash tag counts if there is one: what stands between the first '{' and the next '}',
// unless empty.
inline unsigned key_slot(const Slice& key) {
  Slice hashed = key;
  if (key.size != 0) {
    if (const auto* open = static_cast<const char*>(memchr(key.data, '{', key.size))) {
      const char* const tag = open + 1;
      const auto left = static_cast<size_t>(key.end() - tag);
      if (left != 0) {
        const auto* close = static_cast<const char*>(memchr(tag, '}', left));
        if (close != nullptr && close != tag) hashed = Slice(tag, static_cast<size_t>(close - tag));
      }
    }
  }
  return crc16(hashed) & (kSlotCount - 1);
}

}  // namespace kvasir
