#include "base/sha256.h"

#include <bit>

#include "base/sha_block.h"

namespace kvasir {
namespace {

constexpr std::array<unsigned, 64> kPrimes = [] {
  std::array<unsigned, 64> primes{};
  size_t n = 0;
  for (unsigned candidate = 2; n < primes.size(); candidate++) {
    bool prime = true;
    for (size_t i = 0; i < n; i++) prime = prime && candidate % primes[i] != 0;
    if (prime) primes[n++] = candidate;
  }
  return primes;
}();

// The first 32 bits of the fraction of the k-th root of p, for k = 2 and 3.
constexpr uint32_t root_fraction(unsigned p, unsigned k) {
  using Wide = unsigned __int128;
  const Wide target = static_cast<Wide>(p) << (32 * k);
  uint64_t root = 0;
  for (int bit = 37; bit >= 0; bit--) {
    const uint64_t next = root | (uint64_t{1} << bit);
    Wide power = static_cast<Wide>(next) * next;
    if (k == 3) power *= next;
    if (power <= target) root = next;
  }
  return static_cast<uint32_t>(root);
}

constexpr std::array<uint32_t, 64> kRound = [] {
  std::array<uint32_t, 64> k{};
  for (size_t i = 0; i < k.size(); i++) k[i] = root_fraction(kPrimes[i], 3);
  return k;
}();
constexpr std::array<uint32_t, 8> kInitial = [] {
  std::array<uint32_t, 8> h{};
  for (size_t i = 0; i < h.size(); i++) h[i] = root_fraction(kPrimes[i], 2);
  return h;
}();
static_assert(kRound[0] == 0x428a2f98 && kInitial[0] == 0x6a09e667);

}  // namespace

std::array<uint32_t, 8> Sha256::initial_state() { return kInitial; }

void Sha256::block(const uint8_t* p) {
  std::array<uint32_t, 64> w;
  for (size_t t = 0; t < 16; t++) w[t] = sha_detail::load_be32(p + 4 * t);
  for (size_t t = 16; t < 64; t++) {
    const uint32_t s0 = std::rotr(w[t - 15], 7) ^ std::rotr(w[t - 15], 18) ^ (w[t - 15] >> 3);
    const uint32_t s1 = std::rotr(w[t - 2], 17) ^ std::rotr(w[t - 2], 19) ^ (w[t - 2] >> 10);
    w[t] = w[t - 16] + s0 + w[t - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state_;
  for (size_t t = 0; t < 64; t++) {
    const uint32_t sum1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const uint32_t t1 = h + sum1 + ((e & f) ^ (~e & g)) + kRound[t] + w[t];
    const uint32_t sum0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const uint32_t t2 = sum0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  const std::array<uint32_t, 8> sum{a, b, c, d, e, f, g, h};
  for (size_t i = 0; i < sum.size(); i++) state_[i] += sum[i];
}

void Sha256::update(const Slice& bytes) {
  sha_detail::feed(bytes, pending_, length_, [this](const uint8_t* p) { block(p); });
}

Sha256::Digest Sha256::finish() {
  sha_detail::pad(pending_, length_, [this](const uint8_t* p) { block(p); });
  return sha_detail::big_endian(state_);
}

}  // namespace kvasir
