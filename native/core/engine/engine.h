// What one command goes through: the checks before it, the handler, and what follows (statistics, logs,
// propagation). The engine owns the Core and hears the keyspace's signals.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "commands/core.h"
#include "engine/background_save.h"
#include "engine/commandlog.h"
#include "engine/eviction.h"
#include "engine/load_samples.h"
#include "engine/loading.h"
#include "keyspace/dict_upkeep.h"
#include "keyspace/expire_cycle.h"
#include "keyspace/value_prefetch.h"
#include "persist/aof_writer.h"
#include "resp/parser.h"
#include "stream/stream.h"

namespace kvasir {

enum class Executed : uint8_t {
  kDone,       // a reply was written (or none is due)
  kPostponed,  // the client is paused: the request must be kept and given again
  kBlocked,    // the client waits for a key: the request must be kept for Client::rerun()
};

class Engine final : public Signals, public Executor, private AofListener {
 public:
  Engine(int databases, bool clustered, Hooks* hooks);

  Core core;
  CommandLog commandlog;
  LatencyMonitor latency;
  PropagationStream stream;
  AofWriter aof;
  LoadSamples load;
  Loading loading;
  BackgroundSaves saves;
  Eviction eviction;

  // Reads the clocks. Once at the start of a turn, and by execute() after a command that took long.
  void update_clock();
  // Looks the command up, hashes its first key and sends for the key's bucket in database `db`. `hint` is the
  // client's last command: most clients repeat themselves.
  void prepare(Pending* p, const Command* hint, int db);
  // The bucket is here: sends for the entry.
  void prefetch_entry(const Pending& p, int db) {
    if (p.hash != 0) core.keyspace.db(db).prefetch_entry(KeyRef({}, p.hash, p.slot));
  }
  // The entry is here: what a command on a collection will read is sent for by the next run_prefetch().
  void prefetch_value(Pending* p, int db) {
    const Command* c = p->command;
    if (c == nullptr || c->element < 0 || p->hash == 0) return;
    const auto at = static_cast<uint32_t>(c->element);
    const Slice element = at != 0 && at < p->request.argc ? p->request.argv[at] : Slice();
    values_.add(core.keyspace.db(db), KeyRef({}, p->hash, p->slot), element, &p->element_hash);
  }
  void run_prefetch() { values_.run(); }
  Executed execute(Client& c, Pending& p);
  // Runs a command of a file: unchecked, unlogged, not propagated, and without a reply if the client is
  // muted. The command exists.
  void replay(Client& c, Pending& p);
  // The running command is part of another: a transaction, a script.
  [[nodiscard]] bool nested() const { return nesting_ > 0; }
  // Why a request names no command that it could be: it does not exist, or never takes so many arguments.
  // Empty: it does.
  static std::string unusable(const Request& r, const Command* command);
  // The persist phase of a turn. False: what has been executed cannot be made as safe as promised, so that
  // nobody may hear of it.
  [[nodiscard]] bool persist(bool force = false) {
    return !aof.active() || aof.flush(core.mono_us / 1000, force);
  }
  // All commands of a turn have run: what is told once a turn is added to the replies.
  void commands_done() {
    if (core.tracking.to_broadcast()) core.tracking.broadcast();
  }
  // Something waits for commands_done(), though no client has sent anything.
  [[nodiscard]] bool wants_turn() const { return core.tracking.to_broadcast(); }

  // --- blocked clients (serve_blocked.cc) ---
  // The control plane's answer to the task of a client (task.h), which is given it by the next
  // run_answered(). Nothing happens if the client has gone.
  void answer(uint64_t client_id, uint64_t task_id, TaskAnswer answer);
  [[nodiscard]] bool has_answers() const { return !answered_.empty(); }
  void run_answered();
  // Has clients wait no longer whose time is over.
  void end_overdue_waits();
  // The client is being closed: it waits, watches and queues no more.
  void forget(Client& c);
  // Executor
  void run_nested(Client& c, Pending p) override;
  bool end_wait(Client& c, WaitEnd end) override;

  // Periodic work on the data, hz times a second: expiry, sizes of tables.
  void cron(int64_t hz);
  // The slice of background work that belongs to the end of a turn. True: there is more, the loop should turn
  // again soon.
  bool between_turns();

  // True if the client is over its class's output limit; it is then marked for closing, logged and counted.
  bool enforce_output_limit(Client& c);
  // --- maxmemory-clients (client_eviction.cc) ---
  // Whether clients must be looked at as they change: core.client_memory holds for all of them then.
  bool follows_client_memory();
  // What one client takes has changed in the middle of a turn: the next command must know.
  void client_changed(Client& c) {
    if (client_memory_followed_ && !c.flags.close_asap) core.client_memory.update(c);
  }
  // Closes clients until the others keep the limit.
  void evict_clients();
  // Follows the pauses as time goes by. True when they have become less strict since the last call, so that
  // postponed clients should try again.
  bool pause_loosened();
  // Counts the errors that were replied since this was last called, as failures of the command if one is
  // given.
  void count_errors(Client& c, Command* command);
  // Adds a latency sample if the monitor is on and it is long enough.
  void latency_sample(const char* event, int64_t us) {
    const int64_t ms = us / 1000;
    if (core.settings.latency_monitor_threshold_ms > 0 && ms >= core.settings.latency_monitor_threshold_ms) {
      latency.add(event, ms, core.wall_ms / 1000);
    }
  }

  // Signals
  void key_modified(Database& db, Slice key, bool by_client) override;
  void notify(uint32_t klass, const char* event, Slice key, int db) override;
  void propagate_delete(Database& db, Slice key, bool lazy) override;
  void expiry_took(int64_t us) override { latency_sample("expire-del", us); }
  void propagate_field_delete(Database& db, Slice key, std::span<const Slice> fields, bool key_gone,
                              bool lazy) override;
  void flushed(int db) override;
  void swapping(int a, int b) override;
  void swapped(int a, int b) override;
  void key_ready(Database& db, Slice key, Type type) override;
  void key_gone(Database& db, Slice key) override;

 private:
  // AofListener
  void aof_log(bool warning, const std::string& text) override;
  void aof_latency(const char* event, uint64_t us) override;
  // False: the command has no key, or its position is not fixed.
  bool hash_first_key(Pending* p) const;
  // execute() without what follows every request, refused or not.
  Executed judge(Client& c, Pending& p);
  void run(Client& c, Pending& p);
  void run_command(Client& c, Pending& p);
  // What the outermost command pushed to its own client, and the limits of those it pushed much to.
  void finish_pushes();
  void queue(Client& c, Pending& p);
  // Serves those who wait for keys that became ready; right after the command that made them so.
  void serve_ready();
  void serve(const DbKey& key);
  void reject(Client& c, Command* command, Slice error);
  // What is written could not be kept on disk: writes wait until it can. And the error that says so.
  [[nodiscard]] bool disk_failed() const {
    return core.settings.saves_failed || (aof.active() && aof.write_error() != 0);
  }
  [[nodiscard]] std::string disk_error() const;
  // False: it has been refused. Of commands with the flag PROTECTED: DEBUG, and subcommands of MODULE.
  bool may_run_protected(Client& c, Command& command);
  // Appends what the command did to the propagation stream: one command, or several in MULTI/EXEC.
  void propagate(const Call& call, bool changed);
  // One command of what is propagated; within a group (EXEC, scripts) what is more than one is wrapped in
  // MULTI/EXEC.
  void emit(int db, std::span<const Slice> argv, bool replicas_only = false);
  void append(int db, std::span<const Slice> argv, bool replicas_only = false);
  // The AOF tells in which second a command ran.
  void note_second() {
    // Until it has a second command, nothing of a group is in the stream.
    if (aof.timestamps && aof.active() && group_size_ < 2) aof.note_time(core.wall_s);
  }
  void end_group();
  // A command for the commandlog.
  struct Logged {
    const Command& command;
    std::span<const Slice> argv;
    uint64_t wire_bytes;
  };
  // Logs the command if it was slow or large. A limit of -1 is above everything.
  void log_command(const Client& c, const Logged& what, int64_t usec, uint64_t reply_bytes) {
    const Settings& s = core.settings;
    if (static_cast<uint64_t>(usec) >= static_cast<uint64_t>(s.commandlog_execution_slower_than_us) ||
        what.wire_bytes >= static_cast<uint64_t>(s.commandlog_request_larger_than) ||
        reply_bytes >= static_cast<uint64_t>(s.commandlog_reply_larger_than)) {
      log_to_commandlog(c, what, usec, reply_bytes);
    }
  }
  void log_to_commandlog(const Client& c, const Logged& what, int64_t usec, uint64_t reply_bytes);

  // Whether keys that are past their deadline are ours to delete at the moment.
  [[nodiscard]] bool expires_actively() const {
    const Keyspace& ks = core.keyspace;
    return core.debug.active_expire && !ks.is_replica && !ks.import_mode && !ks.expire_paused && !ks.loading;
  }

  std::vector<uint64_t> answered_;  // clients, by id
  ValuePrefetch values_;
  ExpireCycle expire_cycle_;
  ReplicaKeyExpiry replica_keys_;
  DictUpkeep dicts_;
  PauseScope pause_scope_ = PauseScope::kNone;  // as pause_loosened() saw it last
  // The group of commands that belong together: open while a command runs others inside it.
  int nesting_ = 0;
  std::vector<std::string> group_first_;  // its first command, held back until there is a second
  int group_first_db_ = 0;
  bool group_first_replicas_only_ = false;
  size_t group_size_ = 0;
  bool serving_ = false;
  bool replaying_ = false;
  std::span<const Slice> judged_;  // the request that judge() was given last
  bool client_memory_followed_ = false;
  std::string channel_;      // of a keyspace notification
  uint64_t last_ticks_ = 0;  // when the previous command of this turn ended: the start of the next
};

}  // namespace kvasir
