// SHA-256 (FIPS 180-4), for the passwords of ACL users.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/slice.h"

namespace kvasir {

class Sha256 {
 public:
  static constexpr size_t kSize = 32;
  using Digest = std::array<uint8_t, kSize>;

  void update(const Slice& bytes);
  // Ends the message; the object is of no use afterwards.
  Digest finish();

  static Digest of(const Slice& bytes) {
    Sha256 h;
    h.update(bytes);
    return h.finish();
  }

 private:
  static std::array<uint32_t, 8> initial_state();
  void block(const uint8_t* p);

  std::array<uint32_t, 8> state_ = initial_state();
  std::array<uint8_t, 64> pending_;
  uint64_t length_ = 0;  // bytes; the last length_ % 64 are pending
};

}  // namespace kvasir
