#include "engine/commandlog.h"

namespace kvasir {

namespace {
constexpr size_t kMaxArgs = 32;
constexpr size_t kMaxArgBytes = 128;
}  // namespace

void CommandLog::push(CommandLogType type, std::span<const Slice> argv, uint64_t redacted, int64_t value,
                      int64_t time_s, std::string peer, std::string client_name, size_t max_len) {
  Item item;
  const size_t n = argv.size() < kMaxArgs ? argv.size() : kMaxArgs;
  item.argv.reserve(n);
  for (size_t i = 0; i < n; i++) {
    if (n != argv.size() && i == n - 1) {
      item.argv.push_back("... (" + std::to_string(argv.size() - n + 1) + " more arguments)");
    } else if (i < 64 && ((redacted >> i) & 1) != 0) {
      item.argv.emplace_back("(redacted)");
    } else if (argv[i].size > kMaxArgBytes) {
      item.argv.push_back(std::string(argv[i].data, kMaxArgBytes) + "... (" +
                          std::to_string(argv[i].size - kMaxArgBytes) + " more bytes)");
    } else {
      item.argv.push_back(argv[i].str());
    }
  }
  const auto t = static_cast<size_t>(type);
  item.id = next_id_[t]++;
  item.time_s = time_s;
  item.value = value;
  item.peer = std::move(peer);
  item.client_name = std::move(client_name);
  logs_[t].push_front(std::move(item));
  trim(type, max_len);
}

void CommandLog::trim(CommandLogType type, size_t max_len) {
  auto& log = logs_[static_cast<size_t>(type)];
  while (log.size() > max_len) log.pop_back();
}

void LatencyMonitor::add(const char* event, int64_t ms, int64_t now_s) {
  Series& s = events_[event];
  const auto v = static_cast<uint32_t>(ms);
  if (v > s.max) s.max = v;
  s.sum += v;
  s.count++;
  Sample& last = s.samples[(s.next + kSamples - 1) % kSamples];
  if (last.time_s == now_s) {
    if (v > last.ms) last.ms = v;
    return;
  }
  s.samples[s.next] = {now_s, v};
  s.next = (s.next + 1) % kSamples;
}

}  // namespace kvasir
