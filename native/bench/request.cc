#include "request.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace kvasir::load {
namespace {

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

// Writes the last `width` digits of `value`, with leading zeros, to where `end` is the place behind the last.
template <typename Int>
void put_digits(char* end, Int value, int width) {
  for (; width >= 2; width -= 2) {
    const Int high = value / 100;
    end -= 2;
    std::memcpy(end, &kPairs[static_cast<size_t>(2 * (value - high * 100))], 2);
    value = high;
  }
  if (width > 0) end[-1] = static_cast<char>('0' + value % 10);
}

// 32-bit divisions are the cheaper ones.
void put_number(char* end, uint64_t value, int width) {
  if (value <= UINT32_MAX) {
    put_digits(end, static_cast<uint32_t>(value), width);
  } else {
    put_digits(end, value, width);
  }
}

int width_of(uint64_t n) {
  int width = 1;
  for (; n >= 10; n /= 10) width++;
  return width;
}

template <typename Int>
bool parse_number(std::string_view text, Int max, Int& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out <= max;
}

// A placeholder at the beginning of a piece of an argument.
struct Placeholder {
  size_t size = 0;  // of its text; 0: there is none
  bool data = false;
  Patch patch{};

  // `last_width` is that of the number __last+N__ would refer to, 0 if there is none. False: malformed.
  static bool read(std::string_view text, int last_width, Placeholder& out) {
    out = {};
    if (!text.starts_with("__")) return true;
    const size_t end = text.find("__", 2);
    if (end == std::string_view::npos) return true;
    const std::string_view name = text.substr(2, end - 2);
    Patch& p = out.patch;
    if (name == "data") {
      out.data = true;
    } else if (name == "rand_int") {
      p.kind = Patch::Kind::kKey;
      p.width = kDigits;
    } else if (name == "client") {
      p.kind = Patch::Kind::kClient;
      p.width = kDigits;
    } else if (name == "serial") {
      p.kind = Patch::Kind::kSerial;
      p.width = kSerialDigits;
    } else if (name.starts_with("rand:")) {
      const size_t dash = name.find('-');
      uint64_t high = 0;
      if (dash == std::string_view::npos || !parse_number(name.substr(dash + 1), kMaxKeyspace, high) ||
          !parse_number(name.substr(5, dash - 5), high, p.low)) {
        return false;
      }
      p.kind = Patch::Kind::kRandom;
      p.span = high - p.low + 1;
      p.width = width_of(high);
    } else if (name.starts_with("last+")) {
      if (last_width == 0 || !parse_number(name.substr(5), kMaxKeyspace, p.low)) return false;
      p.kind = Patch::Kind::kLast;
      p.width = last_width;
    } else {
      return true;  // somebody's text that looks like one
    }
    out.size = end + 2;
    return true;
  }
};

}  // namespace

std::vector<Weighted> parse_mix(std::string_view name) {
  const Command set{"SET", "key:__rand_int__", "__data__"};
  const Command get{"GET", "key:__rand_int__"};
  if (name == "set") return {{{set}, 1}};
  if (name == "get") return {{{get}, 1}};
  if (name == "incr") return {{{{"INCR", "ctr:__rand_int__"}}, 1}};
  if (name == "ping") return {{{{"PING"}}, 1}};
  const size_t colon = name.find(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view kind = name.substr(0, colon);
  const std::string_view rest = name.substr(colon + 1);
  if (kind == "mset" || kind == "mget") {
    uint32_t n = 0;
    if (!parse_number(rest, 10000U, n) || n == 0) return {};
    Command command{kind == "mset" ? "MSET" : "MGET"};
    for (uint32_t i = 0; i < n; i++) {
      command.push_back("key:__rand_int__");
      if (kind == "mset") command.push_back("__data__");
    }
    return {{{command}, 1}};
  }
  const size_t slash = rest.find('/');
  uint32_t gets = 0;
  uint32_t sets = 0;
  if (kind != "mixed" || slash == std::string_view::npos ||
      !parse_number(rest.substr(0, slash), 10000U, gets) ||
      !parse_number(rest.substr(slash + 1), 10000U, sets) || gets == 0 || sets == 0) {
    return {};
  }
  return {{{get}, gets}, {{set}, sets}};
}

bool parse_sequence(const std::vector<std::string>& words, std::vector<Command>& out, std::string& error) {
  out.assign(1, {});
  int last_width = 0;
  for (const std::string& word : words) {
    if (word == ";") {
      if (out.back().empty()) break;
      out.emplace_back();
      continue;
    }
    out.back().push_back(word);
    for (size_t at = word.find("__"); at != std::string::npos; at = word.find("__", at)) {
      Placeholder found;
      if (!Placeholder::read(std::string_view(word).substr(at), last_width, found)) {
        error = "bad placeholder: " + word;
        return false;
      }
      if (found.patch.sets_last()) last_width = found.patch.width;
      at += std::max<size_t>(found.size, 1);
    }
  }
  if (!out.back().empty()) return true;
  error = "an empty command";
  return false;
}

void Batch::append(const std::vector<Command>& commands, std::string_view data) {
  int last_width = 0;
  for (const Command& command : commands) {
    bytes_ += '*';
    bytes_ += std::to_string(command.size());
    bytes_ += "\r\n";
    for (const std::string& argument : command) {
      std::string value;
      std::vector<Patch> found;
      for (size_t at = 0; at < argument.size();) {
        Placeholder p;
        Placeholder::read(std::string_view(argument).substr(at), last_width, p);
        if (p.size == 0) {
          value += argument[at++];
          continue;
        }
        at += p.size;
        if (p.data) {
          value += data;
          continue;
        }
        if (p.patch.sets_last()) last_width = p.patch.width;
        p.patch.at = value.size();
        found.push_back(p.patch);
        value.append(static_cast<size_t>(p.patch.width), '0');
      }
      bytes_ += '$';
      bytes_ += std::to_string(value.size());
      bytes_ += "\r\n";
      for (Patch& p : found) {
        p.at += bytes_.size();
        patches_.push_back(p);
      }
      bytes_ += value;
      bytes_ += "\r\n";
    }
  }
  ends_.push_back(bytes_.size());
  patch_ends_.push_back(patches_.size());
}

std::string_view Batch::prepare(size_t count, Numbers& numbers, uint64_t client) {
  if (count == 0) return {};
  // The leading digits of a key number beyond the keyspace's width are zero for ever.
  const int key_width = std::min(kDigits, (width_of(numbers.keyspace() - 1) + 1) & ~1);
  uint64_t last = 0;
  for (size_t i = 0; i < patch_ends_[count - 1]; i++) {
    const Patch& p = patches_[i];
    char* const end = bytes_.data() + p.at + p.width;
    switch (p.kind) {
      case Patch::Kind::kKey:
        put_number(end, numbers.key(), key_width);
        break;
      case Patch::Kind::kRandom:
        put_number(end, last = p.low + numbers.below(p.span), p.width);
        break;
      case Patch::Kind::kSerial:
        put_number(end, last = numbers.serial(), p.width);
        break;
      case Patch::Kind::kLast:
        put_number(end, last + p.low, p.width);
        break;
      case Patch::Kind::kClient:
        put_number(end, client, p.width);
        break;
    }
  }
  return std::string_view(bytes_).substr(0, ends_[count - 1]);
}

Workload::Workload(const std::vector<Weighted>& mix, size_t depth, std::string_view data, uint64_t seed)
    : replies_(static_cast<uint32_t>(mix[0].commands.size())) {
  for (const Command& c : mix[0].commands) {
    if (strcasecmp(c[0].c_str(), "PUBLISH") == 0) publishes_++;
  }
  if (mix.size() == 1) {
    batches_.resize(1);
    for (size_t i = 0; i < depth; i++) batches_[0].append(mix[0].commands, data);
    return;
  }
  uint64_t total = 0;
  size_t largest = 0;
  for (const Weighted& w : mix) {
    total += w.weight;
    Batch probe;
    probe.append(w.commands, data);
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
  Dice dice(seed);
  for (size_t i = slots; i > 1; i--) std::swap(order[i - 1], order[dice.below(i)]);
  batches_.resize(variants);
  for (size_t i = 0; i < slots; i++) batches_[i / depth].append(mix[order[i]].commands, data);
}

std::string make_data(size_t size) {
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  Dice dice(7);
  std::string data(size, 'x');
  for (size_t i = 1; i < size; i++) data[i] = kAlphabet[dice.below(kAlphabet.size())];
  return data;
}

}  // namespace kvasir::load
