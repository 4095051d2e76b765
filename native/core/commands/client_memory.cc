#include "commands/client_memory.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "commands/client.h"

namespace kvasir {

namespace {
// Below this nobody could talk to the server any more, not even to raise the limit.
constexpr size_t kLeastLimit = size_t{128} * 1024;
}  // namespace

size_t client_memory_limit(int64_t maxmemory_clients, int64_t maxmemory) {
  if (maxmemory_clients == 0) return 0;
  if (maxmemory_clients > 0) return std::max(static_cast<size_t>(maxmemory_clients), kLeastLimit);
  if (maxmemory <= 0) return std::numeric_limits<size_t>::max();
  const double share = static_cast<double>(maxmemory) * -static_cast<double>(maxmemory_clients) / 100;
  return std::max(static_cast<size_t>(share), kLeastLimit);
}

void ClientMemory::update(Client& c) {
  ClientAccount& a = c.account;
  const ClientClass klass = c.client_class();
  const size_t bytes = c.memory();
  sums_[static_cast<size_t>(a.klass)] -= a.bytes;
  sums_[static_cast<size_t>(klass)] += bytes;
  a.klass = klass;
  a.bytes = bytes;
  const bool evictable =
      !c.flags.no_evict && !c.flags.fake && (klass == ClientClass::kNormal || klass == ClientClass::kPubsub);
  const int list = evictable ? static_cast<int>(std::bit_width(bytes)) - 1 : -1;
  if (list == a.list) return;
  unlink(c);
  if (list >= 0) link(c, list);
}

void ClientMemory::forget(Client& c) {
  unlink(c);
  sums_[static_cast<size_t>(c.account.klass)] -= c.account.bytes;
  c.account.bytes = 0;
}

size_t ClientMemory::limited_bytes() const {
  return sums_[static_cast<size_t>(ClientClass::kNormal)] + sums_[static_cast<size_t>(ClientClass::kPubsub)];
}

Client* ClientMemory::largest() const {
  return filled_ == 0 ? nullptr : lists_[static_cast<size_t>(std::bit_width(filled_)) - 1].first;
}

void ClientMemory::link(Client& c, int list) {
  List& l = lists_[static_cast<size_t>(list)];
  c.account.list = static_cast<int8_t>(list);
  c.account.before = l.last;
  c.account.after = nullptr;
  (l.last != nullptr ? l.last->account.after : l.first) = &c;
  l.last = &c;
  filled_ |= 1ULL << list;
}

void ClientMemory::unlink(Client& c) {
  ClientAccount& a = c.account;
  if (a.list < 0) return;
  List& l = lists_[static_cast<uint8_t>(a.list)];
  (a.before != nullptr ? a.before->account.after : l.first) = a.after;
  (a.after != nullptr ? a.after->account.before : l.last) = a.before;
  if (l.first == nullptr) filled_ &= ~(1ULL << a.list);
  a.list = -1;
  a.before = a.after = nullptr;
}

}  // namespace kvasir
