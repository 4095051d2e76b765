// LZF: what is compressed comes back, the room is respected, and bytes from outside do no harm.
#include "base/lzf.h"

#include <string>
#include <vector>

#include "base/rng.h"
#include "check.h"

using kvasir::lzf_compress;
using kvasir::lzf_decompress;
using kvasir::Rng;

namespace {

std::string random_text(Rng& rng, size_t size) {
  const uint64_t letters = 1 + rng.below(20);
  std::string s;
  while (s.size() < size) {
    if (!s.empty() && rng.below(4) == 0) {
      const size_t from = rng.below(s.size());
      s += s.substr(from, rng.below(400));
    } else {
      s += static_cast<char>('a' + rng.below(letters));
    }
  }
  s.resize(size);
  return s;
}

// Exact memory, so that a sanitizer sees what is written beyond it.
size_t compress(const std::string& text, size_t room, std::vector<char>* out) {
  out->assign(room, 0);
  out->shrink_to_fit();
  return lzf_compress(text, out->data(), room);
}

TEST(what_is_compressed_comes_back) {
  Rng rng(1);
  for (int round = 0; round < 3000; round++) {
    const std::string text = random_text(rng, rng.below(round % 50 == 0 ? 200000 : 600));
    std::vector<char> packed;
    const size_t n = compress(text, text.size() + text.size() / 16 + 64, &packed);
    CHECK_EQ(n == 0, text.empty());
    std::string back(text.size(), '\0');
    CHECK_EQ(lzf_decompress({packed.data(), n}, back.data(), back.size()), text.size());
    CHECK(back == text);
    if (n < 5) continue;
    // With less room it either fits or says no.
    std::vector<char> tight;
    const size_t m = compress(text, rng.below(n + 8), &tight);
    CHECK(m <= tight.size());
    if (m > 0) CHECK_EQ(lzf_decompress({tight.data(), m}, back.data(), back.size()), text.size());
    // A wrong size is noticed or gives as much as it says.
    CHECK(lzf_decompress({packed.data(), n}, back.data(), text.size() - 1) == 0);
  }
}

TEST(runs_become_short) {
  std::vector<char> packed;
  CHECK(compress(std::string(1000, 'x'), 996, &packed) < 30);
  CHECK_EQ(compress("no repetition here", 14, &packed), 0U);
}

TEST(damaged_bytes_do_no_harm) {
  Rng rng(2);
  for (int round = 0; round < 20000; round++) {
    const std::string text = random_text(rng, 30 + rng.below(300));
    std::vector<char> packed;
    const size_t n = compress(text, text.size() + 64, &packed);
    std::vector<char> bytes(packed.begin(), packed.begin() + static_cast<ptrdiff_t>(n));
    for (size_t i = 1 + rng.below(3); i > 0; i--)
      bytes[rng.below(bytes.size())] = static_cast<char>(rng.next());
    std::vector<char> back(text.size());
    CHECK(lzf_decompress({bytes.data(), bytes.size()}, back.data(), back.size()) <= back.size());
  }
}

}  // namespace

TEST_MAIN()
