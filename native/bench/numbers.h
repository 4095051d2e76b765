// Where the numbers in requests come from.
#pragma once

#include <cstdint>

namespace kvasir::load {

// splitmix64 (Steele, Lea, Flood 2014), then Lemire's multiplication into the range.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}

  // Uniform in [0, n).
  uint64_t below(uint64_t n) {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return static_cast<uint64_t>((static_cast<unsigned __int128>(z) * n) >> 64);
  }

 private:
  uint64_t state_;
};

class Numbers {
 public:
  // `first_serial` is the first number that serial() gives.
  Numbers(uint64_t keyspace, bool sequential, uint64_t seed, uint64_t first_serial)
      : keyspace_(keyspace), dice_(seed), serial_(first_serial), sequential_(sequential) {}

  // Of a key: uniformly random in [0, keyspace), or 0, 1, 2 … wrapping at keyspace.
  uint64_t key() {
    if (!sequential_) return dice_.below(keyspace_);
    const uint64_t n = counter_++;
    if (counter_ == keyspace_) counter_ = 0;
    return n;
  }
  uint64_t below(uint64_t n) { return dice_.below(n); }
  uint64_t serial() { return serial_++; }
  uint64_t keyspace() const { return keyspace_; }

 private:
  uint64_t keyspace_;
  Dice dice_;
  uint64_t counter_ = 0;
  uint64_t serial_;
  bool sequential_;
};

}  // namespace kvasir::load
