#include "base/hash.h"

#include <random>

#include "check.h"

using namespace kvasir;

namespace {

// The paper's description, byte by byte, with the numbers of rounds as parameters.
uint64_t rotate(uint64_t x, int b) { return (x << b) | (x >> (64 - b)); }

uint64_t siphash(int c, int d, const unsigned char* key, const std::string& in) {
  auto word = [](const unsigned char* p) {
    uint64_t w = 0;
    for (int i = 7; i >= 0; i--) w = (w << 8) | p[i];
    return w;
  };
  uint64_t v[4] = {word(key) ^ 0x736f6d6570736575u, word(key + 8) ^ 0x646f72616e646f6du,
                   word(key) ^ 0x6c7967656e657261u, word(key + 8) ^ 0x7465646279746573u};
  auto rounds = [&v](int n) {
    while (n-- > 0) {
      v[0] += v[1], v[1] = rotate(v[1], 13), v[1] ^= v[0], v[0] = rotate(v[0], 32);
      v[2] += v[3], v[3] = rotate(v[3], 16), v[3] ^= v[2];
      v[0] += v[3], v[3] = rotate(v[3], 21), v[3] ^= v[0];
      v[2] += v[1], v[1] = rotate(v[1], 17), v[1] ^= v[2], v[2] = rotate(v[2], 32);
    }
  };
  std::string padded = in;
  while (padded.size() % 8 != 7) padded.push_back(0);
  padded.push_back(static_cast<char>(in.size() & 0xff));
  for (size_t i = 0; i < padded.size(); i += 8) {
    const uint64_t m = word(reinterpret_cast<const unsigned char*>(padded.data()) + i);
    v[3] ^= m;
    rounds(c);
    v[0] ^= m;
  }
  v[2] ^= 0xff;
  rounds(d);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

}  // namespace

TEST(siphash_against_an_independent_one) {
  unsigned char key[16];
  std::string in;
  for (unsigned i = 0; i < 16; i++) key[i] = static_cast<unsigned char>(i);
  for (char i = 0; i < 15; i++) in.push_back(i);
  CHECK_EQ(siphash(2, 4, key, in), 0xa129ca6149be45e5u);  // the paper's vector proves the reference

  std::mt19937_64 rng(1);
  for (size_t n = 0; n < 300; n++) {
    HashSeed seed{rng(), rng()};
    memcpy(key, &seed, 16);
    std::string s(n, 0);
    for (char& c : s) c = static_cast<char>(rng());
    CHECK_EQ(hash_bytes(s, seed), siphash(1, 2, key, s));
    set_hash_seed(seed);
    CHECK_EQ(hash_bytes(s), siphash(1, 2, key, s));
    std::string lower = s;
    for (char& c : lower) c = ascii_lower(c);
    CHECK_EQ(hash_nocase(s), siphash(1, 2, key, lower));
  }
}

TEST(hash_nocase_of_every_byte) {
  for (int b = 0; b < 256; b++) {
    const std::string s(9, static_cast<char>(b));
    CHECK_EQ(hash_nocase(s), hash_bytes(std::string(9, ascii_lower(static_cast<char>(b)))));
  }
}

TEST_MAIN()
