#include "base/sha1.h"

#include <bit>

#include "base/sha_block.h"

namespace kvasir {

void Sha1::block(const uint8_t* p) {
  std::array<uint32_t, 80> w;
  for (size_t t = 0; t < 16; t++) w[t] = sha_detail::load_be32(p + 4 * t);
  for (size_t t = 16; t < 80; t++) w[t] = std::rotl(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
  auto [a, b, c, d, e] = state_;
  for (size_t t = 0; t < 80; t++) {
    uint32_t f;
    uint32_t k;
    if (t < 20) {
      f = (b & c) | (~b & d);
      k = 0x5a827999;
    } else if (t < 40) {
      f = b ^ c ^ d;
      k = 0x6ed9eba1;
    } else if (t < 60) {
      f = (b & c) | (b & d) | (c & d);
      k = 0x8f1bbcdc;
    } else {
      f = b ^ c ^ d;
      k = 0xca62c1d6;
    }
    const uint32_t next = std::rotl(a, 5) + f + e + k + w[t];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  state_[0] += a;
  state_[1] += b;
  state_[2] += c;
  state_[3] += d;
  state_[4] += e;
}

void Sha1::update(const Slice& bytes) {
  sha_detail::feed(bytes, pending_, length_, [this](const uint8_t* p) { block(p); });
}

Sha1::Digest Sha1::finish() {
  sha_detail::pad(pending_, length_, [this](const uint8_t* p) { block(p); });
  return sha_detail::big_endian(state_);
}

}  // namespace kvasir
