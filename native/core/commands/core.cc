#include "commands/core.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace kvasir {

namespace {
constexpr size_t kFixedReply = 16 * 1024;  // what the fixed reply buffer of Valkey holds
}

Client::Client(uint64_t client_id, ReplyArena* arena) : id(client_id), reply(&out, arena) { flags = {}; }
Client::~Client() = default;

size_t Client::limited_output(bool everything) const {
  const size_t n = out.bytes();
  if (n == 0 || (n <= kFixedReply && !everything)) return 0;
  // Replies are kept in blocks of at least that size.
  return std::max(kFixedReply, out.memory() + out.turn_bytes() + out.ref_bytes());
}

size_t Client::memory() const {
  return sizeof(Client) + 512 + out.memory() + out.turn_bytes() + reply_buffer + query_size() + query_free() +
         name.capacity() + lib_name.capacity() + lib_ver.capacity() + transaction_memory() + argv_memory() +
         argv.size() * sizeof(Slice) + (subscriptions == nullptr ? 0 : subscriptions->memory()) +
         (tracking == nullptr ? 0 : tracking->memory());
}

size_t Client::argv_memory() const {
  size_t n = postponed_size();
  for (const Slice& s : argv) n += s.size;
  return n;
}

size_t Client::transaction_memory() const {
  size_t n = 0;
  if (transaction != nullptr) {
    n += transaction->bytes + transaction->queue.capacity() * sizeof(Transaction::Queued);
  }
  if (watching != nullptr) n += watching->bytes;
  return n;
}

BlockedOnKeys& Call::block(Type type, std::vector<std::string> keys, int64_t deadline_ms,
                           bool unblock_on_gone) const {
  auto what = std::make_unique<BlockedOnKeys>();
  what->type = type;
  what->unblock_on_gone = unblock_on_gone;
  what->deadline_ms = client.flags.rerunning ? core.rerun_deadline_ms : deadline_ms;
  what->order = client.flags.rerunning ? core.rerun_order : 0;
  core.waiting.block(&client, client.db, std::move(keys), std::move(what));
  client.blocked = Blocked::kKeys;
  core.keyspace.interest_ready = true;
  return *client.waits;
}

void Call::start_task(const char* what, std::unique_ptr<Task> task, std::span<const Slice> args) const {
  task->id = ++core.last_task_id;
  client.task = std::move(task);
  client.blocked = Blocked::kTask;
  core.hooks->start_task(client, what, args);
}

Propagation::Item Propagation::item(std::span<const Slice> argv) {
  Item item;
  for (const Slice& s : argv) {
    item.bytes.append(s.data, s.size);
    item.sizes.push_back(static_cast<uint32_t>(s.size));
  }
  return item;
}

void Propagation::rewrite(std::span<const Slice> argv) {
  if (rewritten_) {
    items_[0] = item(argv);
  } else {
    items_.insert(items_.begin(), item(argv));
    rewritten_ = true;
  }
}

void Propagation::rewrite(std::initializer_list<Slice> argv) {
  rewrite(std::span<const Slice>(argv.begin(), argv.size()));
}

void Propagation::also(std::span<const Slice> argv) { items_.push_back(item(argv)); }

void Propagation::also(std::initializer_list<Slice> argv) {
  also(std::span<const Slice>(argv.begin(), argv.size()));
}

void Propagation::before(int db, std::initializer_list<Slice> argv) {
  before(db, std::span(argv.begin(), argv.size()));
}
void Propagation::before(int db, std::span<const Slice> argv) {
  before_.push_back(item(argv));
  before_.back().db = db;
}

void Core::log(LogLevel level, const char* format, ...) {
  if (!logs(level)) return;
  char text[1024];
  va_list ap;
  va_start(ap, format);
  const int n = vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  if (n < 0) return;
  const size_t len = static_cast<size_t>(n) < sizeof text ? static_cast<size_t>(n) : sizeof text - 1;
  hooks->log(level, {text, len});
}

}  // namespace kvasir
