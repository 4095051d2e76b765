#include "base/sha1.h"
#include "base/sha256.h"
#include "check.h"

using namespace kvasir;

namespace {

template <typename D>
std::string hex(const D& d) {
  std::string s;
  for (const uint8_t b : d) {
    s.push_back("0123456789abcdef"[b >> 4]);
    s.push_back("0123456789abcdef"[b & 15]);
  }
  return s;
}

template <typename H>
void pieces_equal_whole() {
  std::string s;
  for (int n = 0; n < 300; n++) {
    H h;
    for (size_t i = 0; i < s.size();) {
      const size_t take = std::min(s.size() - i, (i * 7 + static_cast<size_t>(n)) % 70);
      h.update(Slice(s.data() + i, take));
      h.update(Slice());
      if (take == 0) h.update(Slice(s.data() + i, 1));
      i += take == 0 ? 1 : take;
    }
    CHECK(h.finish() == H::of(s));
    s.push_back(static_cast<char>(n * 31));
  }
}

}  // namespace

// The examples of FIPS 180-4 (NIST, "Examples with Intermediate Values").
TEST(sha1_vectors) {
  CHECK_EQ(hex(Sha1::of("")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  CHECK_EQ(hex(Sha1::of("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK_EQ(hex(Sha1::of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
           "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  CHECK_EQ(hex(Sha1::of(std::string(1000000, 'a'))), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST(sha256_vectors) {
  CHECK_EQ(hex(Sha256::of("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK_EQ(hex(Sha256::of("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK_EQ(hex(Sha256::of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK_EQ(hex(Sha256::of(std::string(1000000, 'a'))),
           "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(sha_in_pieces) {
  pieces_equal_whole<Sha1>();
  pieces_equal_whole<Sha256>();
}

TEST_MAIN()
