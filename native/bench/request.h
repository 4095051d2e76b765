// What the generator sends. A workload is one or more command templates with weights; from it the requests of
// whole pipelines are built once as RESP bytes, and sending one only overwrites the digits of its keys in
// place. The twelve digits of __rand_int__ are zero-padded as in valkey-benchmark, so "key:" and a number
// make a 16-byte key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kvasir::load {

constexpr int kDigits = 12;
constexpr uint64_t kMaxKeyspace = 1'000'000'000'000;

using Command = std::vector<std::string>;

struct Weighted {
  Command command;
  uint32_t weight;
};

// Understands set, get, incr, ping, mset:N, mget:N and mixed:G/S (G gets to S sets); returns an empty list
// for anything else. The templates still hold their placeholders.
std::vector<Weighted> parse_mix(std::string_view name);

// Where the key numbers come from: uniformly random in [0, keyspace), or 0, 1, 2 … wrapping at keyspace.
class KeySource {
 public:
  KeySource(uint64_t keyspace, bool sequential, uint64_t seed)
      : keyspace_(keyspace), state_(seed), sequential_(sequential) {}

  uint64_t next() {
    if (sequential_) {
      const uint64_t n = counter_++;
      if (counter_ == keyspace_) counter_ = 0;
      return n;
    }
    // splitmix64 (Steele, Lea, Flood 2014), then Lemire's multiplication into the range.
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return static_cast<uint64_t>((static_cast<unsigned __int128>(z) * keyspace_) >> 64);
  }
  uint64_t keyspace() const { return keyspace_; }

 private:
  uint64_t keyspace_;
  uint64_t state_;
  uint64_t counter_ = 0;
  bool sequential_;
};

// The requests of one pipeline. Invariant: ends_ and patch_ends_ have one element per request, both rising.
class Batch {
 public:
  // Appends one request; __data__ becomes `data` now, __rand_int__ a patch for later.
  void append(const Command& command, std::string_view data);

  // Gives fresh numbers to the keys of the first `count` requests and returns their bytes, which stay valid
  // until the next call.
  std::string_view prepare(size_t count, KeySource& keys);

  size_t count() const { return ends_.size(); }
  size_t bytes() const { return bytes_.size(); }

 private:
  std::string bytes_;
  std::vector<size_t> ends_;
  std::vector<size_t> patches_;  // offset of the first of the twelve digits
  std::vector<size_t> patch_ends_;
};

// The batches of a workload: one where there is one template, else a hundred (fewer if they are large) among
// which the templates are shuffled so that the weights hold over one round through all of them.
class Workload {
 public:
  Workload(const std::vector<Weighted>& mix, size_t depth, std::string_view data, uint64_t seed);

  Batch& next() {
    Batch& batch = batches_[next_];
    if (++next_ == batches_.size()) next_ = 0;
    return batch;
  }
  const std::vector<Batch>& batches() const { return batches_; }

 private:
  std::vector<Batch> batches_;
  size_t next_ = 0;
};

// Printable bytes that are neither an integer nor compressible to nothing.
std::string make_data(size_t size);

}  // namespace kvasir::load
