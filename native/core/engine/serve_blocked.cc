// Clients that wait for keys: serving them, and ending their wait. See commands/blocking.h for the rules.
#include "engine/engine.h"

namespace kvasir {

void Engine::key_ready(Database& db, Slice key, Type type) { core.waiting.key_ready(db.id(), key, type); }
void Engine::key_gone(Database& db, Slice key) { core.waiting.key_gone(db.id(), key); }

void Engine::flushed(int db) {
  if (core.tracking.interested()) core.tracking.flushed();
  if (core.watched.clients() > 0) core.watched.flushed(db);
  for (int i = 0; i < core.keyspace.databases(); i++) {
    if ((db >= 0 && i != db) || core.waiting.keys_on_gone() == 0) continue;
    for (const std::string& name : core.waiting.keys_in(i)) {
      if (core.keyspace.db(i).find(core.keyspace.ref(name))) core.waiting.key_gone(i, name);
    }
  }
}

void Engine::swapping(int a, int b) {
  if (core.watched.clients() == 0) return;
  core.watched.flushed(a, b);
  core.watched.flushed(b, a);
}

void Engine::swapped(int a, int b) {
  for (const int i : {a, b}) {
    for (const std::string& name : core.waiting.keys_in(i)) {
      const EntrySlot slot = core.keyspace.db(i).find(core.keyspace.ref(name));
      if (slot) {
        core.waiting.key_ready(i, name, slot.get()->type());
      } else {
        core.waiting.key_gone(i, name);
      }
    }
  }
}

void Engine::serve_ready() {
  // A command that is run again may make further keys ready: they come after those that were ready before.
  if (serving_) return;
  serving_ = true;
  while (core.waiting.any_ready()) {
    for (const DbKey& key : core.waiting.take_ready()) serve(key);
  }
  serving_ = false;
}

void Engine::serve(const DbKey& key) {
  // Those who block again while we are here go back to their places, and are not asked a second time.
  for (Client* c : core.waiting.queue(key)) {
    // Another client's command may have ended this one's wait, or the client.
    if (c->blocked != Blocked::kKeys || c->waits == nullptr) continue;
    const EntrySlot slot = core.keyspace.db(key.db).find(core.keyspace.ref(key.name));
    const bool there = slot && !core.keyspace.expired(*slot.get());
    if (!(there && slot.get()->type() == c->waits->type) && !c->waits->unblock_on_gone) continue;
    const std::unique_ptr<BlockedOnKeys> what = core.waiting.unblock(c);
    core.rerun_deadline_ms = what->deadline_ms;
    core.rerun_order = what->order;
    core.rerun_ns = what->run_ns;
    core.keyspace.interest_ready = core.waiting.clients() > 0;
    c->flags.rerunning = true;
    c->blocked = Blocked::kNo;
    c->rerun();
    c->flags.rerunning = false;
  }
}

void Engine::end_overdue_waits() {
  while (Client* c = core.waiting.overdue(core.wall_ms)) end_wait(*c, WaitEnd::kTimeout);
}

bool Engine::end_wait(Client& c, WaitEnd end) {
  if (c.blocked != Blocked::kKeys) return false;
  const std::unique_ptr<BlockedOnKeys> what = core.waiting.unblock(&c);
  core.keyspace.interest_ready = core.waiting.clients() > 0;
  c.blocked = Blocked::kNo;
  const uint64_t written = c.reply.written();
  c.reply.muted = c.flags.reply_off || c.flags.reply_skip;
  if (end == WaitEnd::kTimeout) {
    c.reply.null_array();
  } else {
    c.reply.error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
  }
  // Only now has the command been executed; being told to give up counts as a refusal.
  auto* cmd = const_cast<Command*>(c.last_command);
  if (cmd != nullptr) {
    cmd->calls++;
    cmd->nsec += what->run_ns;
    if (end == WaitEnd::kError) cmd->rejected++;
    if (core.settings.latency_tracking) cmd->histogram.record(static_cast<int64_t>(what->run_ns));
    if (const SavedRequest* request = c.blocked_in()) {
      log_command(c, {*cmd, request->args(), request->wire_bytes()},
                  static_cast<int64_t>(what->run_ns / 1000), c.reply.written() - written);
    }
  }
  count_errors(c, nullptr);
  c.commands++;
  core.counters.commands_processed++;
  c.unblocked();
  return true;
}

void Engine::answer(uint64_t client_id, uint64_t task_id, TaskAnswer answer) {
  const auto it = core.clients.find(client_id);
  if (it == core.clients.end() || it->second->blocked != Blocked::kTask) return;
  Task& task = *it->second->task;
  if (task.id != task_id) return;
  task.answer = std::move(answer);
  answered_.push_back(client_id);
}

void Engine::run_answered() {
  for (const uint64_t id : std::exchange(answered_, {})) {
    const auto it = core.clients.find(id);
    if (it == core.clients.end() || it->second->blocked != Blocked::kTask) continue;
    Client& c = *it->second;
    core.rerun_ns = c.task->run_ns;
    c.flags.rerunning = true;
    c.blocked = Blocked::kNo;
    c.rerun();
    c.flags.rerunning = false;
    // Where the second run was refused, nobody has taken the answer.
    if (c.blocked != Blocked::kTask) c.task.reset();
  }
}

void Engine::forget(Client& c) {
  c.task.reset();
  if (c.blocked == Blocked::kKeys) {
    core.waiting.unblock(&c);
    core.keyspace.interest_ready = core.waiting.clients() > 0;
  }
  core.watched.unwatch(&c);
  c.transaction.reset();
  core.pubsub.forget(&c);
  core.tracking.forget(&c);
  core.monitors.remove(&c);
}

}  // namespace kvasir
