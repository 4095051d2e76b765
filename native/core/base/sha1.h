// SHA-1 (FIPS 180-4), for the names of scripts and DEBUG DIGEST; not for security.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/slice.h"

namespace kvasir {

class Sha1 {
 public:
  static constexpr size_t kSize = 20;
  using Digest = std::array<uint8_t, kSize>;

  void update(const Slice& bytes);
  // Ends the message; the object is of no use afterwards.
  Digest finish();

  static Digest of(const Slice& bytes) {
    Sha1 h;
    h.update(bytes);
    return h.finish();
  }

 private:
  void block(const uint8_t* p);

  std::array<uint32_t, 5> state_{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  std::array<uint8_t, 64> pending_;
  uint64_t length_ = 0;  // bytes; the last length_ % 64 are pending
};

}  // namespace kvasir
