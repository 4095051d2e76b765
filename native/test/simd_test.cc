// Every set of kernels that runs here against plain loops over bits and registers.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "base/rng.h"
#include "check.h"
#include "simd/kernels.h"

using namespace kvasir;
using simd::Kernels;

namespace {

constexpr size_t kAlignments = 64;
constexpr uint8_t kGuard = 0xa5;

// Room for n bytes at a given distance from a cache line, with bytes around it that must stay.
class Placed {
 public:
  Placed(size_t n, size_t alignment) : bytes_(n + 3 * 64, kGuard), n_(n) {
    const auto at = reinterpret_cast<uintptr_t>(bytes_.data());
    start_ = (64 - at % 64) % 64 + alignment;
  }
  uint8_t* data() { return bytes_.data() + start_; }
  [[nodiscard]] bool intact() const {
    const auto guard = [](uint8_t b) { return b == kGuard; };
    return std::all_of(bytes_.begin(), bytes_.begin() + static_cast<ptrdiff_t>(start_), guard) &&
           std::all_of(bytes_.begin() + static_cast<ptrdiff_t>(start_ + n_), bytes_.end(), guard);
  }

 private:
  std::vector<uint8_t> bytes_;
  size_t n_;
  size_t start_;
};

void fill(Rng& rng, uint8_t* p, size_t n) {
  for (size_t i = 0; i < n; i++) p[i] = static_cast<uint8_t>(rng.next());
}

std::vector<size_t> lengths() {
  std::vector<size_t> all;
  for (size_t n = 0; n <= 300; n++) all.push_back(n);
  for (const size_t n : {511, 512, 513, 1023, 1024, 1087, 1500, 4096, 5000}) all.push_back(n);
  return all;
}

uint8_t register_of(const uint8_t* dense, size_t i) {
  unsigned v = 0;
  for (size_t b = 0; b < 6; b++) {
    const size_t at = i * 6 + b;
    v |= static_cast<unsigned>(dense[at / 8] >> at % 8 & 1) << b;
  }
  return static_cast<uint8_t>(v);
}

}  // namespace

TEST(popcount) {
  Rng rng;
  for (const Kernels* k : simd::available()) {
    for (size_t alignment = 0; alignment < kAlignments; alignment++) {
      for (const size_t n : lengths()) {
        Placed p(n, alignment);
        fill(rng, p.data(), n);
        uint64_t expected = 0;
        for (size_t i = 0; i < n; i++) expected += static_cast<uint64_t>(std::popcount(p.data()[i]));
        CHECK_EQ(k->popcount(p.data(), n), expected);
      }
    }
  }
}

TEST(popcount_of_many_ones) {
  const std::vector<uint8_t> ones(1 << 20, 0xff);
  for (const Kernels* k : simd::available())
    CHECK_EQ(k->popcount(ones.data() + 3, ones.size() - 5), (ones.size() - 5) * 8);
}

TEST(prefix) {
  Rng rng;
  for (const Kernels* k : simd::available()) {
    for (size_t alignment = 0; alignment < kAlignments; alignment++) {
      for (const size_t n : lengths()) {
        const uint8_t value = (n & 1) != 0 ? 0xff : 0x00;
        Placed p(n, alignment);
        memset(p.data(), value, n);
        CHECK_EQ(k->prefix_of(p.data(), n, value), n);
        if (n == 0) continue;
        const size_t at = rng.below(n);
        p.data()[at] ^= static_cast<uint8_t>(1 << rng.below(8));
        p.data()[at + rng.below(n - at)] ^= 0x10;
        size_t expected = 0;
        while (expected < n && p.data()[expected] == value) expected++;
        CHECK_EQ(k->prefix_of(p.data(), n, value), expected);
      }
    }
  }
}

TEST(bitwise) {
  Rng rng;
  for (const Kernels* k : simd::available()) {
    for (size_t alignment = 0; alignment < kAlignments; alignment++) {
      for (const size_t n : lengths()) {
        Placed a(n, alignment), b(n, rng.below(64)), out(n, rng.below(64));
        fill(rng, a.data(), n);
        fill(rng, b.data(), n);
        const auto check = [&](auto kernel, auto f) {
          kernel(out.data(), a.data(), b.data(), n);
          bool same = true;
          for (size_t i = 0; i < n; i++)
            same &= out.data()[i] == static_cast<uint8_t>(f(a.data()[i], b.data()[i]));
          CHECK(same);
          CHECK(out.intact());
        };
        check(k->bit_and, [](int x, int y) { return x & y; });
        check(k->bit_or, [](int x, int y) { return x | y; });
        check(k->bit_xor, [](int x, int y) { return x ^ y; });
        const auto invert = [k](uint8_t* o, const uint8_t* x, const uint8_t*, size_t m) {
          k->bit_not(o, x, m);
        };
        check(invert, [](int x, int) { return ~x; });
        // In place.
        memcpy(out.data(), a.data(), n);
        k->bit_xor(out.data(), out.data(), b.data(), n);
        k->bit_xor(out.data(), out.data(), b.data(), n);
        CHECK(n == 0 || memcmp(out.data(), a.data(), n) == 0);
      }
    }
  }
}

TEST(hll) {
  Rng rng;
  for (const Kernels* k : simd::available()) {
    for (size_t alignment = 0; alignment < kAlignments; alignment++) {
      Placed dense(simd::kHllDenseBytes, alignment), packed(simd::kHllDenseBytes, rng.below(64));
      Placed raw(simd::kHllRegisters, rng.below(64));
      fill(rng, dense.data(), simd::kHllDenseBytes);
      // Sometimes a histogram of few values, as real ones are.
      const uint64_t values = alignment % 3 == 0 ? 64 : alignment % 3 == 1 ? 20 : 1;
      for (size_t i = 0; i < simd::kHllRegisters; i++)
        raw.data()[i] = static_cast<uint8_t>(rng.below(values));

      uint32_t expected[simd::kHllValues] = {};
      uint32_t found[simd::kHllValues];
      for (size_t i = 0; i < simd::kHllRegisters; i++) expected[raw.data()[i]]++;
      k->hll_count_raw(raw.data(), found);
      CHECK(memcmp(found, expected, sizeof found) == 0);
      k->hll_pack(packed.data(), raw.data());
      CHECK(packed.intact());
      k->hll_count_dense(packed.data(), found);
      CHECK(memcmp(found, expected, sizeof found) == 0);

      std::vector<uint8_t> larger(simd::kHllRegisters);
      bool same = true;
      for (size_t i = 0; i < simd::kHllRegisters; i++) {
        same &= register_of(packed.data(), i) == raw.data()[i];
        larger[i] = std::max(raw.data()[i], register_of(dense.data(), i));
      }
      CHECK(same);
      const uint8_t* const sources[] = {dense.data(), packed.data()};
      k->hll_merge(raw.data(), sources, 2);
      CHECK(raw.intact());
      CHECK(memcmp(raw.data(), larger.data(), larger.size()) == 0);
    }
  }
}

// Nothing outside of what was given is touched: before it and behind it no page is mapped.
TEST(page_edges) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t room = (simd::kHllRegisters / page + 1) * page;
  auto* map = static_cast<uint8_t*>(
      mmap(nullptr, room + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  mprotect(map, page, PROT_NONE);
  mprotect(map + page + room, page, PROT_NONE);
  uint8_t* const begin = map + page;
  uint8_t* const end = begin + room;
  Rng rng;
  fill(rng, begin, room);
  std::vector<uint8_t> other(simd::kHllRegisters);
  uint32_t histogram[simd::kHllValues];
  for (const Kernels* k : simd::available()) {
    for (const size_t n : lengths()) {
      for (uint8_t* p : {begin, end - n}) {
        k->popcount(p, n);
        memset(p, 0, n);
        CHECK_EQ(k->prefix_of(p, n, 0), n);
        k->bit_and(p, p, other.data(), n);
        k->bit_or(other.data(), p, p, n);
        k->bit_xor(other.data(), other.data(), p, n);
        k->bit_not(p, p, n);
      }
    }
    for (uint8_t* dense : {begin, end - simd::kHllDenseBytes}) {
      std::fill(other.begin(), other.end(), uint8_t{17});
      k->hll_pack(dense, other.data());
      k->hll_count_dense(dense, histogram);
      CHECK_EQ(histogram[17], uint32_t{simd::kHllRegisters});
      const uint8_t* const sources[] = {dense};
      k->hll_merge(other.data(), sources, 1);
    }
    for (uint8_t* raw : {begin, end - simd::kHllRegisters}) {
      memset(raw, 3, simd::kHllRegisters);
      k->hll_count_raw(raw, histogram);
      const uint8_t* const sources[] = {other.data()};
      k->hll_merge(raw, sources, 0);
      k->hll_pack(other.data(), raw);
      CHECK_EQ(histogram[3], uint32_t{simd::kHllRegisters});
    }
  }
  munmap(map, room + 2 * page);
}

// Long enough to be read as several streams.
TEST(popcount_of_much) {
  std::vector<uint8_t> bytes((size_t{16} << 20) + (3 << 12) + 77);
  Rng rng;
  for (size_t i = 0; i < bytes.size(); i += 8) {
    const uint64_t v = rng.next();
    memcpy(bytes.data() + i, &v, std::min<size_t>(8, bytes.size() - i));
  }
  for (const size_t skip : {0, 1, 64, 12345}) {
    uint64_t expected = 0;
    for (size_t i = skip; i < bytes.size(); i++) expected += static_cast<uint64_t>(std::popcount(bytes[i]));
    for (const Kernels* k : simd::available()) {
      CHECK_EQ(k->popcount(bytes.data() + skip, bytes.size() - skip), expected);
    }
  }
}

TEST(selection) {
  for (const Kernels* k : simd::available()) {
    CHECK(simd::select(k->name));
    CHECK(&simd::kernels() == k);
  }
  CHECK(!simd::select("no such"));
  CHECK(simd::select("AUTO"));
  CHECK(&simd::kernels() == simd::available().back());
#if defined(__aarch64__)
  CHECK_EQ(std::string(simd::kernels().name), std::string("neon"));
#endif
}

TEST_MAIN()
