// MULTI, EXEC, DISCARD, WATCH, UNWATCH.
#include "commands/core.h"

namespace kvasir {

namespace {

void end_transaction(const Call& call) {
  call.core.watched.unwatch(&call.client);
  call.client.transaction.reset();
}

// Sends for the entries of the first keys of the commands that come next. (A SELECT among them makes that
// useless, no more.)
constexpr size_t kPrefetched = 16;
void prefetch_keys(const Call& call, const std::vector<Transaction::Queued>& queue, size_t from) {
  const size_t end = std::min(queue.size(), from + kPrefetched);
  const Database& db = call.db();
  for (size_t i = from; i < end; i++) {
    if (queue[i].hash != 0) db.prefetch_bucket(KeyRef({}, queue[i].hash, queue[i].slot));
  }
  for (size_t i = from; i < end; i++) {
    if (queue[i].hash != 0) db.prefetch_entry(KeyRef({}, queue[i].hash, queue[i].slot));
  }
}

void multi_command(Call& call) {
  if (call.client.transaction != nullptr) return call.reply().error("ERR MULTI calls can not be nested");
  call.client.transaction = std::make_unique<Transaction>();
  call.client.flags.used_transactions = true;
  call.reply().ok();
}

void discard_command(Call& call) {
  if (call.client.transaction == nullptr) return call.reply().error("ERR DISCARD without MULTI");
  end_transaction(call);
  call.reply().ok();
}

void exec_command(Call& call) {
  Client& c = call.client;
  if (c.transaction == nullptr) return call.reply().error("ERR EXEC without MULTI");
  const bool refused = c.transaction->refused;
  if (refused || call.core.watched.broken(c)) {
    end_transaction(call);
    if (refused) {
      call.reply().error("EXECABORT Transaction discarded because of previous errors.");
    } else {
      call.reply().null_array();
    }
    return;
  }
  // The commands may change the client's state (RESET cannot be among them, CLIENT KILL of itself can).
  const std::unique_ptr<Transaction> transaction = std::move(c.transaction);
  end_transaction(call);
  // What is propagated are the commands, not EXEC.
  call.propagation().suppress();
  call.reply().array(static_cast<int64_t>(transaction->queue.size()));
  std::vector<Transaction::Queued>& queue = transaction->queue;
  for (size_t i = 0; i < queue.size(); i++) {
    if (i % kPrefetched == 0) prefetch_keys(call, queue, i);
    Transaction::Queued& queued = queue[i];
    call.core.executor->run_nested(c, {queued.request.view(), queued.command, queued.hash, queued.slot});
    queued.request.clear();
  }
}

void watch_command(Call& call) {
  if (call.client.transaction != nullptr) return call.reply().error("ERR WATCH inside MULTI is not allowed");
  call.client.flags.used_transactions = true;
  // Once a key has changed EXEC is bound to fail: more need not be watched.
  if (call.client.watching == nullptr || !call.client.watching->changed) {
    for (int i = 1; i < call.argc(); i++) call.core.watched.watch(&call.client, call.client.db, call.arg(i));
  }
  call.reply().ok();
}

void unwatch_command(Call& call) {
  call.core.watched.unwatch(&call.client);
  call.reply().ok();
}

}  // namespace

void register_transaction_commands(HandlerMap& map) {
  map["multi"] = multi_command;
  map["exec"] = exec_command;
  map["discard"] = discard_command;
  map["watch"] = watch_command;
  map["unwatch"] = unwatch_command;
}

}  // namespace kvasir
