#include "engine/engine.h"

#include <cstdio>
#include <cstring>

#include "base/clock.h"
#include "commands/client_info.h"

namespace kvasir {

namespace {
// EXEC may, if all that it will run may.
bool may_run_while_loading(const Client& c, const Command& cmd) {
  if (!(cmd.flags & kCmdLoading)) return false;
  return c.transaction == nullptr || cmd.fullname != "exec" || (c.transaction->common_flags & kCmdLoading);
}

// Reply memory granted to a client that has not authenticated: enough for errors.
constexpr size_t kUnauthenticatedOutput = 1024;
// A command that took longer than this makes the cached clock stale.
constexpr uint64_t kLongCommandUs = 500;
}  // namespace

Engine::Engine(int databases, bool clustered, Hooks* hooks)
    : core(databases, clustered, this, hooks),
      aof(&stream, this),
      loading(this),
      saves(this),
      eviction(this),
      expire_cycle_(&core.keyspace, mono_us),
      replica_keys_(&core.keyspace),
      dicts_(&core.keyspace) {
  core.executor = this;
  update_clock();
}

void Engine::update_clock() {
  core.wall_us = wall_us();
  core.wall_ms = core.wall_us / 1000;
  core.wall_s = core.wall_ms / 1000;
  core.mono_us = mono_us();
  core.keyspace.now_ms = core.wall_ms;
  core.keyspace.lru_clock = static_cast<uint32_t>(core.wall_ms / 1000) & 0xffffff;
  last_ticks_ = ticks();
  // Several servers may share the thread; each reads the clocks at the start of its turn.
  table_growth_limit = static_cast<size_t>(core.settings.maxmemory);
}

void Engine::prepare(Pending* p, const Command* hint, int db) {
  const Request& r = p->request;
  const Slice& name = r.argv[0];
  Command* c;
  if (hint != nullptr && hint->parent == nullptr &&
      equals_nocase({hint->name.data(), hint->name.size()}, name)) {
    c = const_cast<Command*>(hint);
  } else {
    c = core.table.find(name);
  }
  if (c != nullptr && c->is_container && r.argc > 1) {
    Command* sub = CommandTable::find_sub(c, r.argv[1]);
    // The container stays, to tell an unknown subcommand from an unknown command.
    if (sub != nullptr) c = sub;
  }
  p->command = c;
  if (hash_first_key(p) && core.settings.prefetch_batch_max_size > 1) {
    core.keyspace.db(db).prefetch_bucket(KeyRef({}, p->hash, p->slot));
  }
}

bool Engine::hash_first_key(Pending* p) const {
  const Command* c = p->command;
  const Request& r = p->request;
  p->hash = 0;
  if (c == nullptr || c->first_key <= 0 || static_cast<uint32_t>(c->first_key) >= r.argc) return false;
  const Slice& key = r.argv[c->first_key];
  p->hash = hash_bytes(key);
  if (core.keyspace.clustered()) p->slot = static_cast<int>(key_slot(key));
  return true;
}

void Engine::reject(Client& c, Command* command, Slice error) {
  if (command != nullptr) command->rejected++;
  if (c.transaction != nullptr) {
    c.transaction->refused = true;
    c.transaction->drop_queue();
  }
  if (command != nullptr && command->fullname == "exec") {
    core.watched.unwatch(&c);
    c.transaction.reset();
    const std::string text = error.str();
    c.reply.error("EXECABORT Transaction discarded because of: " +
                  (text.starts_with("ERR ") ? text.substr(4) : text));
    count_errors(c, nullptr);
    // Monitors saw MULTI: they see that the transaction is over.
    if (core.monitors.any()) core.monitors.feed(c, judged_, 0);
    return;
  }
  c.reply.error(error);
  count_errors(c, nullptr);
}

std::string Engine::disk_error() const {
  if (!core.settings.saves_failed) {
    return std::string("MISCONF Errors writing to the AOF file: ") + strerror(aof.write_error());
  }
  return "MISCONF Valkey is configured to save RDB snapshots, but it's currently unable to persist to disk. "
         "Commands that may modify the data set are disabled, because this instance is configured to report "
         "errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check "
         "the Valkey logs for details about the RDB error.";
}

std::string Engine::unusable(const Request& r, const Command* command) {
  const bool container = command != nullptr && command->is_container && r.argc > 1;
  if (command != nullptr && !container) {
    const int argc = static_cast<int>(r.argc);
    if ((command->arity <= 0 || argc == command->arity) && argc >= -command->arity) return "";
    return "wrong number of arguments for '" + command->fullname + "' command";
  }
  char text[512];
  if (container) {
    std::string upper = command->name;
    for (char& ch : upper) {
      if (ch >= 'a' && ch <= 'z') ch = static_cast<char>(ch - 32);
    }
    snprintf(text, sizeof text, "unknown subcommand '%.128s'. Try %s HELP.", r.argv[1].str().c_str(),
             upper.c_str());
  } else {
    std::string args;
    for (uint32_t i = 1; i < r.argc && args.size() < 128; i++) {
      char one[160];
      snprintf(one, sizeof one, "'%.*s' ", 128 - static_cast<int>(args.size()), r.argv[i].str().c_str());
      args += one;
    }
    snprintf(text, sizeof text, "unknown command '%.128s', with args beginning with: %s",
             r.argv[0].str().c_str(), args.c_str());
  }
  // Valkey does not cut trailing blanks, but ends the line at the first line break that an argument brings.
  for (char* p = text; *p != 0; p++) {
    if (*p == '\r' || *p == '\n') *p = ' ';
  }
  return text;
}

bool Engine::may_run_protected(Client& c, Command& command) {
  const bool debug = command.parent == nullptr;
  const Access access = debug ? core.settings.debug_command : core.settings.module_command;
  if (access == Access::kAnybody || (access == Access::kLocal && c.peer_is_loopback())) return true;
  const std::string container = debug ? "DEBUG" : "MODULE";
  const std::string setting = debug ? "enable-debug-command" : "enable-module-command";
  reject(c, &command,
         "ERR " + container + " command not allowed. If the " + setting +
             " option is set to \"local\", you can run it from a local connection, otherwise you need to set "
             "this option in the configuration file, and then restart the server.");
  return false;
}

void Engine::count_errors(Client& c, Command* command) {
  const uint64_t errors = c.reply.take_errors();
  if (errors == 0) return;
  core.counters.total_error_replies += errors;
  core.counters.errors.add(c.reply.last_error(), errors, false);
  if (command != nullptr) command->failed++;
}

Executed Engine::execute(Client& c, Pending& p) {
  if (core.tracking.clients() > 0) [[unlikely]]
    core.tracking.limit_keys();
  const Executed how = judge(c, p);
  if (c.tracking != nullptr && how == Executed::kDone) [[unlikely]]
    Tracking::command_done(c, p.command);
  return how;
}

Executed Engine::judge(Client& c, Pending& p) {
  Command* cmd = p.command;
  const Request& r = p.request;
  Reply& reply = c.reply;
  judged_ = {r.argv, r.argc};
  reply.muted = c.flags.reply_off || c.flags.reply_skip;
  core.redacted_args = 0;

  if (cmd == nullptr || (cmd->is_container && r.argc > 1)) {
    c.last_command = nullptr;
    // A web page or a proxy made to talk to us: drop the connection at once.
    if (cmd == nullptr && (equals_nocase(r.argv[0], "host:") || equals_nocase(r.argv[0], "post"))) {
      core.log(LogLevel::kWarning,
               "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands "
               "to Valkey. "
               "This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise "
               "your Valkey "
               "instance. Connection from %s aborted.",
               c.peer_address().c_str());
      core.hooks->close(c);
      return Executed::kDone;
    }
    if (core.settings.auth_required && !c.flags.authenticated) {
      reject(c, nullptr, "NOAUTH Authentication required.");
    } else {
      reject(c, nullptr, "ERR " + unusable(r, cmd));
    }
    return Executed::kDone;
  }
  c.last_command = cmd;
  if (core.settings.auth_required && !c.flags.authenticated && !(cmd->flags & kCmdNoAuth)) {
    reject(c, cmd, "NOAUTH Authentication required.");
    return Executed::kDone;
  }
  const int argc = static_cast<int>(r.argc);
  if ((cmd->arity > 0 && argc != cmd->arity) || argc < -cmd->arity) {
    reject(c, cmd, "ERR " + unusable(r, cmd));
    return Executed::kDone;
  }
  if ((cmd->flags & kCmdProtected) != 0 && !may_run_protected(c, *cmd)) [[unlikely]]
    return Executed::kDone;
  if (c.transaction != nullptr && (cmd->flags & kCmdNoMulti)) {
    reject(c, cmd, "ERR Command '" + cmd->fullname + "' not allowed inside a transaction");
    return Executed::kDone;
  }
  // Before keys have to go, clients that take too much do; perhaps this one.
  if (client_memory_followed_) [[unlikely]] {
    evict_clients();
    if (c.flags.close_asap) return Executed::kDone;
  }
  // EXEC is judged by what it will run.
  uint64_t flags = cmd->flags;
  if (c.transaction != nullptr && cmd->fullname == "exec") flags |= c.transaction->command_flags;
  if (core.settings.maxmemory != 0 && eviction.run() == EvictResult::kFail && (flags & kCmdDenyoom) != 0) {
    reject(c, cmd, "OOM command not allowed when used memory > 'maxmemory'.");
    if (core.waiting.any_ready()) serve_ready();
    return Executed::kDone;
  }
  if (disk_failed() && ((flags & kCmdWrite) != 0 || cmd->fullname == "ping")) [[unlikely]] {
    reject(c, cmd, disk_error());
    return Executed::kDone;
  }
  if ((flags & kCmdWrite) != 0 && !core.enough_good_replicas()) [[unlikely]] {
    reject(c, cmd, "NOREPLICAS Not enough good replicas to write.");
    return Executed::kDone;
  }
  if (c.flags.pubsub && reply.resp == 2 && !cmd->subscriber_may) [[unlikely]] {
    reject(c, cmd,
           "ERR Can't execute '" + cmd->fullname +
               "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this "
               "context");
    return Executed::kDone;
  }
  if (core.loading && !may_run_while_loading(c, *cmd)) {
    reject(c, cmd, "LOADING Valkey is loading the dataset in memory");
    return Executed::kDone;
  }
  // As for a replica, which a monitor once was a kind of.
  if (c.flags.monitor && (flags & (kCmdWrite | kCmdReadonly | kCmdMayReplicate)) != 0) [[unlikely]] {
    reject(c, cmd, "ERR Replica can't interact with the keyspace");
    return Executed::kDone;
  }
  // Nothing is exempt, not even CLIENT UNPAUSE; only replicas must get on, for a failover to succeed, and who
  // has its task answered: it may be the one that paused.
  const PauseScope pause = core.pauses.scope();
  if (pause != PauseScope::kNone && !c.flags.fake && !c.flags.replica && c.task == nullptr &&
      (pause == PauseScope::kAll || (flags & (kCmdWrite | kCmdMayReplicate)) != 0)) {
    c.blocked = Blocked::kPostponed;
    return Executed::kPostponed;
  }
  if (c.transaction != nullptr && !cmd->ends_transaction) {
    queue(c, p);
    return Executed::kDone;
  }
  run(c, p);
  if (core.waiting.any_ready()) serve_ready();
  const bool waits = c.blocked == Blocked::kKeys || c.blocked == Blocked::kTask;
  return waits ? Executed::kBlocked : Executed::kDone;
}

void Engine::queue(Client& c, Pending& p) {
  Transaction& t = *c.transaction;
  // What will be discarded anyway need not be kept.
  if (!t.refused && !(c.watching != nullptr && c.watching->changed)) {
    if (t.queue.empty()) t.queue.reserve(Transaction::kUsualSize);
    t.queue.push_back({SavedRequest(p.request), p.command, p.hash, p.slot});
    t.bytes += t.queue.back().request.bytes() + t.queue.back().request.argc() * sizeof(void*);
    t.command_flags |= p.command->flags;
    t.common_flags &= p.command->flags;
  }
  c.reply.status("QUEUED");
}

void Engine::run(Client& c, Pending& p) {
  const bool outermost = core.executing == nullptr;
  if (outermost) core.pushes.begin(&c);
  run_command(c, p);
  if (!outermost) return;
  if (core.pushes.unfinished) [[unlikely]]
    finish_pushes();
  core.pushes.begin(nullptr);
}

void Engine::finish_pushes() {
  core.tracking.send_pending();
  std::vector<Client*> lagging;
  core.pushes.end(&lagging);
  for (Client* c : lagging) enforce_output_limit(*c);
}

void Engine::run_command(Client& c, Pending& p) {
  Command* cmd = p.command;
  Reply& reply = c.reply;
  const uint64_t written = reply.written();
  const uint64_t dirty = core.keyspace.dirty;
  Client* outer = core.executing;
  core.executing = &c;
  core.keyspace.no_touch = c.flags.no_touch;
  core.keyspace.ignore_expiry =
      core.keyspace.import_mode && c.flags.import_source && !core.keyspace.is_replica;

  const std::span<const Slice> argv(p.request.argv, p.request.argc);
  Call call{core, c, *cmd, argv, p.request.bufs, p.hash, p.element_hash};
  const std::span<const Slice> outer_argv = std::exchange(c.argv, argv);
  const bool streaming = stream.active() && !replaying_;
  // What commands left there while nobody read the stream concerns nobody.
  if (streaming && !core.stream_active) core.propagation.reset();
  core.stream_active = streaming;
  const uint64_t start = last_ticks_;
  cmd->handler(call);
  const uint64_t end = ticks();
  last_ticks_ = end;
  core.executing = outer;
  c.argv = outer_argv;
  if (replaying_) [[unlikely]]
    return;

  if (core.monitors.any() && !c.flags.rerunning && !core.loading &&
      !(cmd->flags & (kCmdSkipMonitor | kCmdAdmin))) [[unlikely]] {
    core.monitors.feed(c, call.argv, core.redacted_args);
  }
  // A client that tracks has read what its scripts read; the scripts themselves tell nothing.
  Client& tracker = *core.pushes.current();
  if (tracker.tracking != nullptr && (cmd->flags & kCmdReadonly) && !(cmd->flags & kCmdSkipMonitor))
      [[unlikely]] {
    core.tracking.remember(tracker, *cmd, call.argv);
  }

  uint64_t ns = ticks_to_ns(end - start);
  if (outer == nullptr) core.counters.eventloop_cmd_ns += ns;
  if (c.flags.rerunning) [[unlikely]]
    ns += std::exchange(core.rerun_ns, 0);
  if (c.blocked == Blocked::kKeys) [[unlikely]] {
    // It counts when it is through; what it may have propagated already (keys that were due) does not wait.
    c.waits->run_ns += ns;
    if (core.stream_active) propagate(call, false);
    return;
  }
  if (c.blocked == Blocked::kTask) [[unlikely]] {
    c.task->run_ns = ns;
    if (core.stream_active) propagate(call, false);
    return;
  }
  const auto usec = static_cast<int64_t>(ns / 1000);
  cmd->calls++;
  cmd->nsec += ns;
  if (core.settings.latency_tracking) cmd->histogram.record(static_cast<int64_t>(ns));
  if (reply.errors() != 0) [[unlikely]]
    count_errors(c, cmd);
  c.commands++;
  core.counters.commands_processed++;

  // What follows is dated after the command.
  if (static_cast<uint64_t>(usec) > kLongCommandUs) update_clock();

  log_command(c, {*cmd, call.argv, p.request.wire_bytes}, usec, reply.written() - written);
  if (core.settings.latency_monitor_threshold_ms > 0) {
    latency_sample((cmd->flags & kCmdFast) ? "fast-command" : "command", usec);
  }
  if (core.stream_active) propagate(call, core.keyspace.dirty != dirty);
}

void Engine::replay(Client& c, Pending& p) {
  if (c.transaction != nullptr && !p.command->ends_transaction) {
    queue(c, p);
    return;
  }
  replaying_ = true;
  run(c, p);
  replaying_ = false;
}

void Engine::run_nested(Client& c, Pending p) {
  const bool streaming = core.stream_active;
  Propagation outer_propagation;
  if (streaming) outer_propagation = std::exchange(core.propagation, {});
  const uint64_t outer_redacted = std::exchange(core.redacted_args, 0);
  const bool outer_blocking = c.flags.no_blocking;
  c.flags.no_blocking = true;
  nesting_++;
  if (p.hash == 0) hash_first_key(&p);
  run(c, p);
  nesting_--;
  c.flags.no_blocking = outer_blocking;
  core.redacted_args = outer_redacted;
  if (streaming) {
    core.propagation = std::move(outer_propagation);
  } else if (core.stream_active) {
    // A reader came meanwhile. The outer command began before it: only what is nested is propagated.
    core.propagation.reset();
    core.propagation.suppress();
  }
}

// ------------------------------------------------------------------ propagation

void Engine::append(int db, std::span<const Slice> argv, bool replicas_only) {
  const uint64_t begin = stream.append(db, argv);
  if (replicas_only && aof.active()) aof.exclude(begin);
}

void Engine::emit(int db, std::span<const Slice> argv, bool replicas_only) {
  if (nesting_ == 0) {
    append(db, argv, replicas_only);
    return;
  }
  if (group_size_++ == 0) {
    group_first_.assign(argv.size(), {});
    for (size_t i = 0; i < argv.size(); i++) group_first_[i] = argv[i].str();
    group_first_db_ = db;
    group_first_replicas_only_ = replicas_only;
    return;
  }
  if (group_size_ == 2) {
    static const Slice kMulti[] = {{"MULTI", 5}};
    append(-1, kMulti);
    const std::vector<Slice> first(group_first_.begin(), group_first_.end());
    append(group_first_db_, first, group_first_replicas_only_);
  }
  append(db, argv, replicas_only);
}

void Engine::end_group() {
  if (group_size_ == 1) {
    const std::vector<Slice> first(group_first_.begin(), group_first_.end());
    append(group_first_db_, first, group_first_replicas_only_);
  } else if (group_size_ > 1) {
    static const Slice kExec[] = {{"EXEC", 4}};
    append(-1, kExec);
  }
  group_size_ = 0;
  group_first_.clear();
}

void Engine::propagate(const Call& call, bool changed) {
  Propagation& p = core.propagation;
  // A command that ran others has propagated through them.
  const bool nobody = p.replicas_only() && aof.active() && stream.readers() == 1;
  const bool itself = (changed || (p.forced() && !nobody)) && !p.suppressed() && !p.rewritten();
  const size_t n = p.items_before().size() + p.items().size() + (itself ? 1 : 0);
  const int db = call.client.db;
  if (n > 0) {
    const auto append = [&](const Propagation::Item& item) {
      std::vector<Slice> argv;
      const char* at = item.bytes.data();
      for (const uint32_t size : item.sizes) {
        argv.emplace_back(at, size);
        at += size;
      }
      emit(item.db < 0 ? db : item.db, argv);
    };
    // A SCAN that finds several keys due deletes each for itself.
    const bool together = n > 1 && !(call.command.flags & kCmdTouchesArbitraryKeys);
    note_second();
    if (together) nesting_++;
    for (const auto& item : p.items_before()) append(item);
    if (itself) emit(db, call.argv, p.replicas_only());
    for (const auto& item : p.items()) append(item);
    if (together) nesting_--;
  }
  if (nesting_ == 0 && group_size_ > 0) end_group();
  p.reset();
}

void Engine::log_to_commandlog(const Client& c, const Logged& what, int64_t usec, uint64_t reply_bytes) {
  if (what.command.flags & kCmdSkipCommandlog) return;
  const Settings& s = core.settings;
  const int64_t values[3] = {usec, static_cast<int64_t>(what.wire_bytes), static_cast<int64_t>(reply_bytes)};
  const int64_t limits[3] = {s.commandlog_execution_slower_than_us, s.commandlog_request_larger_than,
                             s.commandlog_reply_larger_than};
  const int64_t lengths[3] = {s.commandlog_slow_max_len, s.commandlog_large_request_max_len,
                              s.commandlog_large_reply_max_len};
  for (size_t i = 0; i < 3; i++) {
    if (limits[i] < 0 || lengths[i] == 0 || values[i] < limits[i]) continue;
    commandlog.push(static_cast<CommandLogType>(i), what.argv, core.redacted_args, values[i],
                    core.wall_ms / 1000, c.peer_address(), c.name, static_cast<size_t>(lengths[i]));
  }
}

bool Engine::enforce_output_limit(Client& c) {
  const size_t used = c.limited_output(core.settings.enforce_reply_list);
  if (c.flags.fake || c.flags.close_asap) return false;
  if (used == 0) {
    c.soft_limit_since_s = 0;
    return false;
  }
  const OutputLimit& limit = core.settings.output_limits[static_cast<size_t>(c.client_class()) % 3];
  bool over = core.settings.auth_required && !c.flags.ever_authenticated && used > kUnauthenticatedOutput;
  if (limit.hard_bytes != 0 && used >= limit.hard_bytes) over = true;
  if (limit.soft_bytes != 0 && used >= limit.soft_bytes) {
    const int64_t now = core.wall_ms / 1000;
    if (c.soft_limit_since_s == 0) {
      c.soft_limit_since_s = now;
    } else if (now - c.soft_limit_since_s > limit.soft_seconds) {
      over = true;
    }
  } else {
    c.soft_limit_since_s = 0;
  }
  if (!over) return false;
  core.log(LogLevel::kWarning,
           "Client %s scheduled to be closed ASAP for overcoming of output buffer limits.",
           client_info(core, c, core.settings.hide_user_data_from_log).c_str());
  core.counters.output_buffer_limit_disconnections++;
  core.hooks->close(c);
  return true;
}

bool Engine::pause_loosened() {
  core.update_pauses();
  const PauseScope before = pause_scope_;
  pause_scope_ = core.pauses.scope();
  return pause_scope_ < before;
}

void Engine::cron(int64_t hz) {
  update_clock();
  Keyspace& ks = core.keyspace;
  if (expires_actively()) {
    expire_cycle_.effort = static_cast<int>(core.settings.active_expire_effort);
    latency_sample("expire-cycle", static_cast<int64_t>(expire_cycle_.begin(hz)));
  }
  if (!ks.is_replica) {
    ks.replica_keys.clear();
  } else if (core.debug.active_expire) {
    replica_keys_.run();
  }
  // Tables have been made as large as they will have to be.
  if (!core.loading) dicts_.run(core.settings.activerehashing, hz);
}

bool Engine::between_turns() {
  bool more = loading.run();
  if (saves.run()) more = true;
  if (eviction.running() && eviction.run() == EvictResult::kRunning) more = true;
  if (core.waiting.any_ready() && !core.loading) {
    // Who waited for a key that was evicted has a reply now, and may go on with the next turn.
    serve_ready();
    more = true;
  }
  if (!expire_cycle_.wants_time()) return more;
  if (!expires_actively()) {
    expire_cycle_.cancel();
    return more;
  }
  latency_sample("expire-cycle", static_cast<int64_t>(expire_cycle_.between_turns()));
  return expire_cycle_.unfinished() || more;
}

void Engine::key_modified(Database& db, Slice key, bool by_client) {
  if (core.watched.clients() > 0) core.watched.key_modified(db, key);
  if (core.tracking.interested()) core.tracking.key_modified(key, by_client ? core.executing : nullptr);
}

// "__keyspace@<db>__:<key>" tells the event, "__keyevent@<db>__:<event>" the key.
void Engine::notify(uint32_t, const char* event, Slice key, int db) {
  if (core.pubsub.topics(TopicKind::kChannel) + core.pubsub.topics(TopicKind::kPattern) == 0) return;
  const Slice name(event);
  const auto publish = [&](const char* kind, Slice to, Slice what) {
    channel_.assign(kind).append(std::to_string(db)).append("__:").append(to.data, to.size);
    core.pubsub.publish(channel_, what, nullptr, false);
  };
  if (core.keyspace.interest_notify & kNotifyKeyspace) publish("__keyspace@", key, name);
  if (core.keyspace.interest_notify & kNotifyKeyevent) publish("__keyevent@", name, key);
}

namespace {
Slice delete_command(bool lazy) { return lazy ? Slice("UNLINK", 6) : Slice("DEL", 3); }
}  // namespace

void Engine::propagate_delete(Database& db, Slice key, bool lazy) {
  if (!stream.active()) return;
  const Slice name = delete_command(lazy);
  if (core.executing != nullptr) {
    core.propagation.before(db.id(), {name, key});
  } else {
    const Slice argv[] = {name, key};
    note_second();
    append(db.id(), argv);
  }
}

// Fields expire between commands only.
void Engine::propagate_field_delete(Database& db, Slice key, std::span<const Slice> fields, bool key_gone,
                                    bool lazy) {
  if (!stream.active()) return;
  std::vector<Slice> argv{{"HDEL", 4}, key};
  argv.insert(argv.end(), fields.begin(), fields.end());
  note_second();
  // Clients of a replica shall see both or neither.
  nesting_++;
  emit(db.id(), argv);
  if (key_gone) {
    const Slice gone[] = {delete_command(lazy), key};
    emit(db.id(), gone);
  }
  nesting_--;
  end_group();
}

void Engine::aof_log(bool warning, const std::string& text) {
  core.log(warning ? LogLevel::kWarning : LogLevel::kNotice, "%s", text.c_str());
}

void Engine::aof_latency(const char* event, uint64_t us) { latency_sample(event, static_cast<int64_t>(us)); }

}  // namespace kvasir
