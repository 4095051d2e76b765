#include "base/rng.h"

#include <algorithm>
#include <vector>

#include "check.h"

using namespace kvasir;

namespace {

// The recurrence of the paper, word by word, without the header's shortcuts.
struct Plain {
  uint64_t s[4];
  uint64_t next() {
    const auto rotl = [](uint64_t x, int k) { return (x << k) | (x >> (64 - k)); };
    const uint64_t r = rotl(s[1] * 5, 7) * 9;
    const uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return r;
  }
};

}  // namespace

TEST(rng_is_xoshiro_seeded_by_splitmix) {
  // splitmix64 from 0 begins with these (its authors' test values).
  Plain plain{{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f, 0xf88bb8a8724c81ec}};
  Rng rng(0);
  for (int i = 0; i < 1000; i++) CHECK_EQ(rng.next(), plain.next());
}

TEST(rng_below_is_fair) {
  Rng rng(42);
  std::vector<int> seen(7);
  for (int i = 0; i < 70000; i++) seen[rng.below(7)]++;
  for (const int n : seen) CHECK(n > 9500 && n < 10500);
  for (int i = 0; i < 1000; i++) CHECK_EQ(rng.below(1), 0u);
  // A modulus would favour the lower third here.
  const uint64_t n = (uint64_t{3} << 62);
  int low = 0;
  for (int i = 0; i < 30000; i++) low += rng.below(n) < n / 3 ? 1 : 0;
  CHECK(low > 9500 && low < 10500);
  for (int i = 0; i < 1000; i++) {
    const double u = rng.unit();
    CHECK(u >= 0 && u < 1);
  }
}

TEST(rng_seeds_differ) {
  Rng a;
  Rng b;
  CHECK(a.next() != b.next());
  std::vector<int> v{1, 2, 3, 4, 5};
  std::shuffle(v.begin(), v.end(), a);
  std::sort(v.begin(), v.end());
  CHECK((v == std::vector<int>{1, 2, 3, 4, 5}));
}

TEST_MAIN()
