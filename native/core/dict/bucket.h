// One bucket of the hash table: a cache line of seven slots with a byte of hash (the tag) for each.
//
//   byte 0..6   tag of slot 0..6: the top eight bits of the key's hash
//   byte 7      meta: bit i = slot i is filled, bit 7 = chained
//   byte 8..63  seven slot words
//
// A chained bucket has six slots: the seventh word is the address of a child bucket and its filled bit is 0,
// so that matching needs no special case. Tags of empty slots are garbage; only the filled bits are
// meaningful.
//
// A slot word is the element in the low 48 bits (user-space addresses on Linux need no more unless asked for)
// and, above them, 16 further bits of the key's hash: see Dict for which ones and why.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace kvasir::dict {

inline constexpr unsigned kSlots = 7;
inline constexpr unsigned kAddressBits = 48;
inline constexpr uint64_t kAddressMask = (uint64_t{1} << kAddressBits) - 1;

// Bit i of the result is set when byte i of the eight at p equals tag. The portable form is always compiled,
// so that the tests can hold it against the vector form.
inline unsigned match_bytes_portable(const uint8_t* p, uint8_t tag) {
  constexpr uint64_t kLow7 = 0x7f7f7f7f7f7f7f7fULL;
  uint64_t w = 0;
  for (unsigned i = 0; i < 8; i++) w |= static_cast<uint64_t>(p[i]) << (8 * i);
  const uint64_t x = w ^ (0x0101010101010101ULL * tag);
  const uint64_t zero = ~(((x & kLow7) + kLow7) | x | kLow7);  // 0x80 in exactly the bytes of x that are 0
  return static_cast<unsigned>(((zero >> 7) * 0x0102040810204080ULL) >> 56);
}

inline unsigned match_bytes(const uint8_t* p, uint8_t tag) {
#if defined(__SSE2__)
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return static_cast<unsigned>(
             _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(static_cast<char>(tag))))) &
         0xffU;
#elif defined(__aarch64__) && defined(__ARM_NEON)
  static constexpr uint8_t kBit[8] = {1, 2, 4, 8, 16, 32, 64, 128};
  return vaddv_u8(vand_u8(vceq_u8(vld1_u8(p), vdup_n_u8(tag)), vld1_u8(kBit)));
#else
  return match_bytes_portable(p, tag);
#endif
}

struct Bucket {
  static constexpr uint8_t kChained = 0x80;
  static constexpr uint8_t kAllSlots = 0x7f;

  uint8_t tags[kSlots];
  uint8_t meta;
  uint64_t slots[kSlots];

  [[nodiscard]] bool chained() const { return (meta & kChained) != 0; }
  [[nodiscard]] Bucket* child() const {
    return chained() ? reinterpret_cast<Bucket*>(static_cast<uintptr_t>(slots[kSlots - 1])) : nullptr;
  }
  [[nodiscard]] unsigned filled() const { return meta & kAllSlots; }
  [[nodiscard]] unsigned free_slots() const {
    return ~static_cast<unsigned>(meta) & (chained() ? kAllSlots >> 1 : kAllSlots);
  }
  [[nodiscard]] unsigned count() const { return static_cast<unsigned>(__builtin_popcount(filled())); }
  // The filled slots whose tag is `tag`, as a bit mask.
  [[nodiscard]] unsigned match(uint8_t tag) const { return match_bytes(tags, tag) & filled(); }

  void put(unsigned pos, uint8_t tag, uint64_t word) {
    tags[pos] = tag;
    slots[pos] = word;
    meta = static_cast<uint8_t>(meta | (1U << pos));
  }
  void drop(unsigned pos) { meta = static_cast<uint8_t>(meta & ~(1U << pos)); }
  // The caller has emptied slot 6 before.
  void set_child(Bucket* b) {
    slots[kSlots - 1] = reinterpret_cast<uintptr_t>(b);
    meta |= kChained;
  }
  void clear_child() { meta = static_cast<uint8_t>(meta & ~kChained); }
};
static_assert(sizeof(Bucket) == 64);
static_assert(offsetof(Bucket, meta) == 7, "match_bytes reads eight bytes from tags");

}  // namespace kvasir::dict
