#include "request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <numeric>

namespace kvasir::load {
namespace {

constexpr std::string_view kRandInt = "__rand_int__";
constexpr std::string_view kData = "__data__";
constexpr size_t kVariants = 100;
constexpr size_t kVariantBytes = 64 << 20;

constexpr std::array<char, 200> make_pairs() {
  std::array<char, 200> pairs{};
  for (size_t i = 0; i < 100; i++) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}
constexpr std::array<char, 200> kPairs = make_pairs();

template <typename Int>
void put_pairs(char* end, Int value, int pairs) {
  for (int i = 0; i < pairs; i++) {
    const Int high = value / 100;
    end -= 2;
    std::memcpy(end, &kPairs[static_cast<size_t>(2 * (value - high * 100))], 2);
    value = high;
  }
}

bool parse_number(std::string_view text, uint32_t max, uint32_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out <= max;
}

}  // namespace

std::vector<Weighted> parse_mix(std::string_view name) {
  const Command set{"SET", "key:__rand_int__", "__data__"};
  const Command get{"GET", "key:__rand_int__"};
  if (name == "set") return {{set, 1}};
  if (name == "get") return {{get, 1}};
  if (name == "incr") return {{{"INCR", "ctr:__rand_int__"}, 1}};
  if (name == "ping") return {{{"PING"}, 1}};
  const size_t colon = name.find(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view kind = name.substr(0, colon);
  const std::string_view rest = name.substr(colon + 1);
  if (kind == "mset" || kind == "mget") {
    uint32_t n = 0;
    if (!parse_number(rest, 10000, n) || n == 0) return {};
    Command command{kind == "mset" ? "MSET" : "MGET"};
    for (uint32_t i = 0; i < n; i++) {
      command.push_back("key:__rand_int__");
      if (kind == "mset") command.push_back("__data__");
    }
    return {{command, 1}};
  }
  const size_t slash = rest.find('/');
  uint32_t gets = 0;
  uint32_t sets = 0;
  if (kind != "mixed" || slash == std::string_view::npos ||
      !parse_number(rest.substr(0, slash), 10000, gets) ||
      !parse_number(rest.substr(slash + 1), 10000, sets) || gets == 0 || sets == 0) {
    return {};
  }
  return {{get, gets}, {set, sets}};
}

void Batch::append(const Command& command, std::string_view data) {
  bytes_ += '*';
  bytes_ += std::to_string(command.size());
  bytes_ += "\r\n";
  for (const std::string& argument : command) {
    std::string value;
    std::vector<size_t> places;
    size_t at = 0;
    while (at < argument.size()) {
      const std::string_view rest = std::string_view(argument).substr(at);
      if (rest.starts_with(kRandInt)) {
        places.push_back(value.size());
        value.append(kDigits, '0');
        at += kRandInt.size();
      } else if (rest.starts_with(kData)) {
        value += data;
        at += kData.size();
      } else {
        value += argument[at++];
      }
    }
    bytes_ += '$';
    bytes_ += std::to_string(value.size());
    bytes_ += "\r\n";
    for (const size_t place : places) patches_.push_back(bytes_.size() + place);
    bytes_ += value;
    bytes_ += "\r\n";
  }
  ends_.push_back(bytes_.size());
  patch_ends_.push_back(patches_.size());
}

std::string_view Batch::prepare(size_t count, KeySource& keys) {
  if (count == 0) return {};
  const size_t patches = patch_ends_[count - 1];
  // The leading digits beyond the keyspace's width are zero for ever. 32-bit divisions are the cheaper ones.
  int pairs = 1;
  for (uint64_t reach = 100; reach < keys.keyspace() && pairs < kDigits / 2; reach *= 100) pairs++;
  char* const bytes = bytes_.data();
  if (keys.keyspace() <= UINT32_MAX) {
    for (size_t i = 0; i < patches; i++) {
      put_pairs(bytes + patches_[i] + kDigits, static_cast<uint32_t>(keys.next()), pairs);
    }
  } else {
    for (size_t i = 0; i < patches; i++) put_pairs(bytes + patches_[i] + kDigits, keys.next(), pairs);
  }
  return std::string_view(bytes_).substr(0, ends_[count - 1]);
}

Workload::Workload(const std::vector<Weighted>& mix, size_t depth, std::string_view data, uint64_t seed) {
  if (mix.size() == 1) {
    batches_.resize(1);
    for (size_t i = 0; i < depth; i++) batches_[0].append(mix[0].command, data);
    return;
  }
  uint64_t total = 0;
  size_t largest = 0;
  for (const Weighted& w : mix) {
    total += w.weight;
    Batch probe;
    probe.append(w.command, data);
    largest = std::max(largest, probe.bytes());
  }
  // Divisors of a hundred, so that weights given as percentages come out exactly.
  size_t variants = kVariants;
  for (const size_t fewer : {50, 20, 10}) {
    if (variants * depth * largest > kVariantBytes) variants = fewer;
  }
  std::vector<size_t> order;
  const size_t slots = variants * depth;
  uint64_t weight_so_far = 0;
  for (size_t i = 0; i < mix.size(); i++) {
    weight_so_far += mix[i].weight;
    order.resize(slots * weight_so_far / total, i);
  }
  KeySource dice(slots, false, seed);
  for (size_t i = slots; i > 1; i--) std::swap(order[i - 1], order[dice.next() % i]);
  batches_.resize(variants);
  for (size_t i = 0; i < slots; i++) batches_[i / depth].append(mix[order[i]].command, data);
}

std::string make_data(size_t size) {
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  KeySource dice(kAlphabet.size(), false, 7);
  std::string data(size, 'x');
  for (size_t i = 1; i < size; i++) data[i] = kAlphabet[dice.next()];
  return data;
}

}  // namespace kvasir::load
