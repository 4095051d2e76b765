// MULTI, EXEC, DISCARD, WATCH, UNWATCH.
#include "commands/core.h"

namespace kvasir {

namespace {

void end_transaction(const Call& call) {
  call.core.watched.unwatch(&call.client);
  call.client.transaction.reset();
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
  ArgArena args;
  for (Transaction::Queued& queued : transaction->queue) {
    Request request = queued.request.restore(&args);
    call.core.executor->run_nested(c, *queued.command, request);
    if (request.bufs == nullptr) continue;
    for (uint32_t i = 0; i < request.argc; i++) {
      if (request.bufs[i] != nullptr) request.bufs[i]->release();
    }
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
