// What the generator sends. A request is one command or a sequence of them that leaves together and counts as
// one; a workload is one or more such templates with weights. From it the requests of whole pipelines are
// built once as RESP bytes, and sending one only overwrites the digits of its numbers in place: a number's
// width never changes, so shorter ones are padded with zeros.
//
// Placeholders in an argument:
//   __rand_int__      a key number, 12 digits as in valkey-benchmark, so "key:" and a number make a 16-byte
//   key
//   __rand:LOW-HIGH__ a random number of that range, as wide as HIGH
//   __serial__        16 digits, rising by one with every use
//   __last+N__        N more than the __rand:…__ or __serial__ before it in the request, just as wide
//   __client__        the number of the connection, 12 digits
//   __data__          the value
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "numbers.h"

namespace kvasir::load {

constexpr int kDigits = 12;
constexpr int kSerialDigits = 16;
constexpr uint64_t kMaxKeyspace = 1'000'000'000'000;

using Command = std::vector<std::string>;

struct Weighted {
  std::vector<Command> commands;
  uint32_t weight;
};

// Understands set, get, incr, ping, mset:N, mget:N and mixed:G/S (G gets to S sets); returns an empty list
// for anything else. The templates still hold their placeholders.
std::vector<Weighted> parse_mix(std::string_view name);

// The commands of a sequence, of which a lone ";" parts one from the next. False with the reason in `error`
// if one is empty or a placeholder is malformed.
bool parse_sequence(const std::vector<std::string>& words, std::vector<Command>& out, std::string& error);

// A number to be written into a request.
struct Patch {
  enum class Kind : uint8_t { kKey, kRandom, kSerial, kLast, kClient };
  size_t at;     // offset of the first digit
  uint64_t low;  // kRandom: the smallest; kLast: what is added
  uint64_t span;
  int width;
  Kind kind;

  bool sets_last() const { return kind == Kind::kRandom || kind == Kind::kSerial; }
};

// The requests of one pipeline. Invariant: ends_ and patch_ends_ have one element per request, both rising.
class Batch {
 public:
  // Appends one request; __data__ becomes `data` now, every number a patch for later. The placeholders must
  // have passed parse_sequence().
  void append(const std::vector<Command>& commands, std::string_view data);

  // Gives fresh numbers to the first `count` requests and returns their bytes, which stay valid until the
  // next call.
  std::string_view prepare(size_t count, Numbers& numbers, uint64_t client);

  size_t count() const { return ends_.size(); }
  size_t bytes() const { return bytes_.size(); }

 private:
  std::string bytes_;
  std::vector<size_t> ends_;
  std::vector<Patch> patches_;
  std::vector<size_t> patch_ends_;
};

// The batches of a workload: one where there is one template, else a hundred (fewer if they are large) among
// which the templates are shuffled so that the weights hold over one round through all of them.
class Workload {
 public:
  // All templates must have the same number of commands.
  Workload(const std::vector<Weighted>& mix, size_t depth, std::string_view data, uint64_t seed);

  Batch& next() {
    Batch& batch = batches_[next_];
    if (++next_ == batches_.size()) next_ = 0;
    return batch;
  }
  const std::vector<Batch>& batches() const { return batches_; }
  // Replies to one request, and how many of its commands publish a message.
  uint32_t replies() const { return replies_; }
  uint32_t publishes() const { return publishes_; }

 private:
  std::vector<Batch> batches_;
  size_t next_ = 0;
  uint32_t replies_;
  uint32_t publishes_ = 0;
};

// Printable bytes that are neither an integer nor compressible to nothing.
std::string make_data(size_t size);

}  // namespace kvasir::load
