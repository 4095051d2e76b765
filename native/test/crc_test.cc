#include <random>

#include "base/crc16.h"
#include "base/crc64.h"
#include "check.h"

using namespace kvasir;

namespace {

uint16_t crc16_bitwise(const std::string& s) {
  unsigned c = 0;
  for (const char ch : s) {
    c ^= static_cast<unsigned>(static_cast<unsigned char>(ch)) << 8;
    for (int i = 0; i < 8; i++) c = ((c << 1) ^ ((c & 0x8000) != 0 ? 0x1021 : 0)) & 0xffff;
  }
  return static_cast<uint16_t>(c);
}

// From the polynomial as published: reflect each byte in, the remainder out.
uint64_t crc64_bitwise(const std::string& s) {
  uint64_t c = 0;
  for (const char ch : s) {
    for (int i = 0; i < 8; i++) {
      const uint64_t bit = ((static_cast<unsigned char>(ch) >> i) & 1) ^ (c >> 63);
      c = (c << 1) ^ (bit != 0 ? 0xad93d23594c935a9u : 0);
    }
  }
  uint64_t out = 0;
  for (int i = 0; i < 64; i++) out |= ((c >> i) & 1) << (63 - i);
  return out;
}

}  // namespace

TEST(crc_check_values) {
  CHECK_EQ(crc16("123456789"), 0x31c3);
  CHECK_EQ(crc64("123456789"), 0xe9c6d914c4b8d9cau);
  CHECK_EQ(crc64(Slice("", 0)), 0u);
}

TEST(crc_against_bitwise) {
  std::mt19937_64 rng(7);
  for (size_t n = 0; n < 200; n++) {
    std::string s(n, 0);
    for (char& c : s) c = static_cast<char>(rng());
    CHECK_EQ(crc16(s), crc16_bitwise(s));
    CHECK_EQ(crc64(s), crc64_bitwise(s));
    const size_t cut = n == 0 ? 0 : rng() % n;
    CHECK_EQ(crc64(crc64(0, s.data(), cut), s.data() + cut, n - cut), crc64(s));
  }
}

TEST(key_slots) {
  CHECK_EQ(key_slot("foo"), 12182u);
  CHECK_EQ(key_slot("somekey"), 11058u);
  CHECK_EQ(key_slot("{foo}bar"), 12182u);
  CHECK_EQ(key_slot("x{foo}{bar}"), 12182u);
  CHECK_EQ(key_slot("foo{}{bar}"), crc16("foo{}{bar}") % 16384u);
  CHECK_EQ(key_slot("foo{{bar}}"), key_slot("{bar"));
  CHECK_EQ(key_slot("foo{bar"), crc16("foo{bar") % 16384u);
  CHECK_EQ(key_slot("foo{"), crc16("foo{") % 16384u);
  CHECK_EQ(key_slot(""), 0u);
}

TEST_MAIN()
