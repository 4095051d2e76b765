// What SHA-1 and SHA-256 share: cutting a message into blocks of 64 bytes, padding it, and big-endian words.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/slice.h"

namespace kvasir::sha_detail {

inline uint32_t load_be32(const uint8_t* p) {
  return static_cast<uint32_t>(p[0]) << 24 | static_cast<uint32_t>(p[1]) << 16 |
         static_cast<uint32_t>(p[2]) << 8 | p[3];
}
inline void store_be32(uint8_t* p, uint32_t v) {
  for (int i = 0; i < 4; i++) p[i] = static_cast<uint8_t>(v >> (24 - 8 * i));
}

template <typename Block>
void feed(const Slice& bytes, std::array<uint8_t, 64>& pending, uint64_t& length, Block block) {
  const auto* p = reinterpret_cast<const uint8_t*>(bytes.data);
  size_t n = bytes.size;
  const size_t have = length % 64;
  length += n;
  if (have != 0) {
    const size_t take = std::min(n, 64 - have);
    if (take != 0) memcpy(pending.data() + have, p, take);
    if (have + take < 64) return;
    block(pending.data());
    p += take;
    n -= take;
  }
  for (; n >= 64; p += 64, n -= 64) block(p);
  if (n != 0) memcpy(pending.data(), p, n);
}

// A one bit, zeros, and the length in bits as 64-bit big-endian number at the end of a block.
template <typename Block>
void pad(std::array<uint8_t, 64>& pending, uint64_t length, Block block) {
  size_t have = length % 64;
  pending[have++] = 0x80;
  if (have > 56) {
    memset(pending.data() + have, 0, 64 - have);
    block(pending.data());
    have = 0;
  }
  memset(pending.data() + have, 0, 56 - have);
  const uint64_t bits = length * 8;
  store_be32(pending.data() + 56, static_cast<uint32_t>(bits >> 32));
  store_be32(pending.data() + 60, static_cast<uint32_t>(bits));
  block(pending.data());
}

template <size_t kWords>
std::array<uint8_t, kWords * 4> big_endian(const std::array<uint32_t, kWords>& state) {
  std::array<uint8_t, kWords * 4> out;
  for (size_t i = 0; i < kWords; i++) store_be32(out.data() + 4 * i, state[i]);
  return out;
}

}  // namespace kvasir::sha_detail
