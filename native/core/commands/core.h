// The state of one server's data plane and the context in which a command runs.
//
// Core holds what commands work on: the keyspace, the clients, the settings and the counters. Call is one
// execution of one command. What commands need from above (the engine, the reactor, JavaScript) they reach
// through Hooks.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/collation.h"
#include "base/log_level.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "commands/blocking.h"
#include "commands/client.h"
#include "commands/command.h"
#include "commands/error_stats.h"
#include "commands/monitors.h"
#include "commands/pause.h"
#include "commands/pending.h"
#include "commands/pubsub.h"
#include "commands/push.h"
#include "commands/task.h"
#include "commands/tracking.h"
#include "commands/transaction.h"
#include "keyspace/eviction.h"
#include "keyspace/keyspace.h"
#include "persist/load_types.h"

namespace kvasir {

// Who may run the protected commands of one kind: nobody, everybody, or who connects from this machine.
enum class Access : uint8_t { kNobody, kAnybody, kLocal };

// A user as the data plane knows it: the compiled form of what src/acl decides.
struct User {
  std::string name;
  bool nopass = true;  // clients are authenticated at once
};

struct OutputLimit {
  uint64_t hard_bytes = 0;  // 0: none
  uint64_t soft_bytes = 0;
  int64_t soft_seconds = 0;
};

// Values of the configuration that the data plane reads; names as in src/config. The addon binds them by name
// (native/addon/settings.cc).
struct Settings {
  int64_t maxclients = 10000;
  int64_t proto_max_bulk_len = 512LL << 20;
  int64_t client_query_buffer_limit = 1LL << 30;
  OutputLimit output_limits[3];  // by ClientClass normal, replica, pubsub
  int64_t timeout_s = 0;
  int64_t tcp_keepalive_s = 300;
  int64_t prefetch_batch_max_size = 16;
  int64_t min_string_size_avoid_copy_reply = 16384;  // bytes; 0: never refer
  int64_t max_new_connections_per_cycle = 10;
  int64_t active_expire_effort = 1;
  int64_t hz = 10;
  int64_t maxmemory = 0;          // bytes; 0: no limit
  int64_t maxmemory_clients = 0;  // bytes; negative: percent of maxmemory; 0: no limit
  EvictionRule eviction;
  int64_t maxmemory_samples = 5;
  int64_t maxmemory_eviction_tenacity = 10;
  bool lazyfree_lazy_eviction = true;
  bool replica_ignore_maxmemory = true;
  int64_t min_replicas_to_write = 0;    // writes are refused with fewer good replicas; 0: never
  int64_t min_replicas_max_lag_s = 10;  // a replica that was heard of since then is a good one; 0: as above
  bool protected_mode = true;
  bool lazyfree_lazy_expire = true;
  bool lazyfree_lazy_user_del = true;
  bool lazyfree_lazy_user_flush = true;
  bool lazyfree_lazy_server_del = true;
  bool latency_tracking = true;
  bool activerehashing = true;
  int64_t latency_monitor_threshold_ms = 0;
  int64_t commandlog_execution_slower_than_us = 10000;
  int64_t commandlog_request_larger_than = 1 << 20;
  int64_t commandlog_reply_larger_than = 1 << 20;
  int64_t commandlog_slow_max_len = 128;
  int64_t commandlog_large_request_max_len = 128;
  int64_t commandlog_large_reply_max_len = 128;
  EncodingLimits encodings;
  bool rdb_compression = true;
  bool rdb_checksum = true;
  // The last background save failed, and writes are to wait until one succeeds.
  bool saves_failed = false;
  int64_t rdb_key_save_delay_us = 0;  // as LoadPace::key_delay_us
  LoadPace load_pace;
  bool rdb_version_check_strict = true;
  bool enable_debug_assert = false;
  bool hide_user_data_from_log = true;
  LogLevel loglevel = LogLevel::kNotice;  // messages below are not even formatted
  // Decided by the control plane: whether a client must authenticate, and who may run protected commands.
  bool auth_required = false;
  Access debug_command = Access::kNobody;
  Access module_command = Access::kNobody;
  bool import_mode = false;
  // DEBUG: replies count as if none fitted a fixed buffer; how often the largest reply of a period is
  // forgotten (-1: never).
  bool enforce_reply_list = false;
  int64_t reply_peak_reset_ms = 5000;
  // HELLO
  bool extended_redis_compat = false;
  std::string availability_zone;  // empty: none
  std::string server_version, redis_version;
};

struct Counters {
  uint64_t connections_received = 0;
  uint64_t connections_rejected = 0;
  uint64_t commands_processed = 0;
  uint64_t net_input = 0, net_output = 0;
  uint64_t total_error_replies = 0;
  uint64_t query_buffer_limit_disconnections = 0;
  uint64_t output_buffer_limit_disconnections = 0;
  uint64_t evicted_clients = 0;
  uint64_t unexpected_errors = 0;
  uint64_t total_reads = 0, total_writes = 0;
  uint64_t reply_buffer_shrinks = 0, reply_buffer_expands = 0;
  // Turns of the loop, from the first ready socket to the last reply; the cron counts with the turn after it.
  uint64_t eventloop_cycles = 0, eventloop_us = 0, eventloop_max_us = 0;
  uint64_t eventloop_cmd_ns = 0;  // in commands
  uint64_t eventloop_cron_us = 0, eventloop_persist_us = 0;
  uint64_t eventloop_cmd_max = 0;  // commands of the busiest turn
  uint64_t active_us = 0;          // turns that had something to do
  uint64_t prefetch_batches = 0, prefetch_entries = 0;
  uint64_t acl_auth_denied = 0;
  ErrorStats errors;
};

// The most memory that a client's input and output took in each of the last seconds.
class ClientPeaks {
 public:
  // Once a round of the cron, before its clients are noted.
  void advance(int64_t now_s) {
    const size_t next = static_cast<size_t>(now_s + 1) % kSeconds;
    input_[next] = output_[next] = 0;
    slot_ = static_cast<size_t>(now_s) % kSeconds;
  }
  void note(size_t input, size_t output) {
    if (input > input_[slot_]) input_[slot_] = input;
    if (output > output_[slot_]) output_[slot_] = output;
  }
  [[nodiscard]] size_t input() const { return *std::max_element(input_.begin(), input_.end()); }
  [[nodiscard]] size_t output() const { return *std::max_element(output_.begin(), output_.end()); }

 private:
  static constexpr size_t kSeconds = 8;
  std::array<size_t, kSeconds> input_{}, output_{};
  size_t slot_ = 0;
};

// What lies above the commands.
class Hooks {
 public:
  virtual ~Hooks() = default;
  // Runs a command that is implemented in TypeScript; its reply is written to the call's client.
  virtual void upcall(Call& call) = 0;
  virtual void log(LogLevel level, Slice message) = 0;
  // Has the control plane do something, and Engine::answer() called when that is done (task.h).
  virtual void start_task(const Client& c, const char* what, std::span<const Slice> args) = 0;
  // Closes a client at the end of the turn (at once means: unsent output is dropped).
  virtual void close(Client& c) = 0;
  // Asks the loop to shut down etc.: an event for the control plane, delivered after this turn.
  virtual void control(const char* event, Slice detail) = 0;
};

// How waiting for a key ends without the key.
enum class WaitEnd : uint8_t { kTimeout, kError };

// What commands ask of the engine: to run commands inside a command (EXEC, scripts), to end another client's
// wait.
class Executor {
 public:
  virtual ~Executor() = default;
  // With statistics, logs and propagation, without the checks that go before; what is propagated is atomic
  // with the outer command. The command is known; its first key may be hashed already.
  virtual void run_nested(Client& c, Pending p) = 0;
  // Answers a client that waits for keys and lets it go on. False: it waits for none.
  virtual bool end_wait(Client& c, WaitEnd end) = 0;
};

// What DEBUG switches. Not configuration: forgotten at restart.
struct DebugSwitches {
  bool active_expire = true;
  bool cron_paused = false;
  bool reply_buffer_resizing = true;
  bool skip_checksum_validation = false;
};

class Core;

// The propagation of one command: what AOF and replicas get instead of the command as it came. Empty means
// the command itself when it changed something.
class Propagation {
 public:
  // Replaces the command.
  void rewrite(std::initializer_list<Slice> argv);
  void rewrite(std::span<const Slice> argv);
  // Adds a command after the (possibly rewritten) command.
  void also(std::initializer_list<Slice> argv);
  void also(std::span<const Slice> argv);
  // Adds a command before it: what had to happen first, such as deleting a key that was due. In database db,
  // which need not be the client's.
  void before(int db, std::initializer_list<Slice> argv);
  void before(int db, std::span<const Slice> argv);
  void suppress() { suppressed_ = true; }
  void force() { forced_ = true; }
  // The same for replicas; the AOF does not get it.
  void force_to_replicas() { forced_ = replicas_only_ = true; }
  [[nodiscard]] bool suppressed() const { return suppressed_; }
  [[nodiscard]] bool forced() const { return forced_; }
  [[nodiscard]] bool replicas_only() const { return replicas_only_; }
  [[nodiscard]] bool rewritten() const { return rewritten_; }
  struct Item {
    std::string bytes;            // arguments, one after the other
    std::vector<uint32_t> sizes;  // their lengths
    int db = -1;                  // -1: the client's
  };
  [[nodiscard]] const std::vector<Item>& items() const { return items_; }
  [[nodiscard]] const std::vector<Item>& items_before() const { return before_; }
  [[nodiscard]] bool empty() const { return items_.empty() && before_.empty(); }
  void reset() {
    items_.clear();
    before_.clear();
    suppressed_ = forced_ = replicas_only_ = rewritten_ = false;
  }

 private:
  static Item item(std::span<const Slice> argv);
  std::vector<Item> before_;
  std::vector<Item> items_;  // items_[0] is the rewritten command if rewritten_
  bool suppressed_ = false, forced_ = false, replicas_only_ = false, rewritten_ = false;
};

struct Call {
  Core& core;
  Client& client;
  Command& command;
  std::span<const Slice> argv;
  StrBuf** bufs;        // see Request
  uint64_t first_hash;  // hash of argv[command.first_key], computed when the command was parsed; 0 if there
                        // is none
  uint64_t element_hash = 0;  // of argument Command::element, if it was needed already

  [[nodiscard]] int argc() const { return static_cast<int>(argv.size()); }
  [[nodiscard]] Slice arg(int i) const { return argv[static_cast<size_t>(i)]; }
  Reply& reply() const { return client.reply; }
  [[nodiscard]] Keyspace& ks() const;
  [[nodiscard]] Database& db() const;
  // The hash of the element that argument i names, 0 if it is not known.
  [[nodiscard]] uint64_t known_hash(int i) const { return i == command.element ? element_hash : 0; }
  // The key at argument i with its hash and slot.
  [[nodiscard]] KeyRef key(int i) const;
  // The argument's own buffer, if it came in one, with a reference for the caller. The request keeps its own:
  // the arguments stay readable until the command is done (propagation, logs), whatever happens to the key
  // meanwhile.
  [[nodiscard]] StrBuf* take_buffer(int i) const {
    return bufs == nullptr || bufs[i] == nullptr ? nullptr : bufs[i]->retain();
  }
  // Commands from the primary or from a file must succeed as they did there: no limits of our own apply.
  [[nodiscard]] bool must_obey() const;
  // True when somebody reads the propagation stream, so that preparing a rewritten form is worth the work.
  [[nodiscard]] bool propagating() const;
  Propagation& propagation() const;

  // False inside EXEC and scripts: a command that would block answers as if its time was over.
  [[nodiscard]] bool may_block() const { return !client.flags.no_blocking; }
  // Ends the command without a reply and lets the client wait until one of the keys may serve it; see
  // blocking.h. The deadline is ignored when the command is run again. Returns what it waits for, to set more
  // of it.
  BlockedOnKeys& block(Type type, std::vector<std::string> keys, int64_t deadline_ms,
                       bool unblock_on_gone = false) const;

  // Ends the command without a reply and lets the client wait until the control plane has done `what`; see
  // task.h. Precondition: may_block().
  void start_task(const char* what, std::unique_ptr<Task> task, std::span<const Slice> args) const;

  // Common replies.
  void wrong_type() const {
    reply().error("WRONGTYPE Operation against a key holding the wrong kind of value");
  }
  void syntax_error() const { reply().error("ERR syntax error"); }
  void not_an_integer() const { reply().error("ERR value is not an integer or out of range"); }
};

class Core {
 public:
  Core(int databases, bool clustered, Signals* signals, Hooks* hooks)
      : keyspace(databases, clustered, signals),
        hooks(hooks),
        watched(&keyspace),
        pubsub(&pushes),
        monitors(&pushes),
        tracking(&keyspace, &pushes, &clients, &rng) {}

  Keyspace keyspace;
  CommandTable table;
  Settings settings;
  Counters counters;
  Hooks* hooks;
  Executor* executor = nullptr;
  Rng rng;

  User default_user{"default", true};
  std::string requirepass;              // empty: none
  std::map<uint64_t, Client*> clients;  // by id, which is also their order of arrival
  uint64_t next_client_id = 1;
  size_t connected() const { return clients.size(); }
  size_t blocked_clients = 0;
  uint64_t last_task_id = 0;
  BlockedClients waiting;
  WatchedKeys watched;
  Pushes pushes;
  PubSub pubsub;
  Monitors monitors;
  Tracking tracking;
  // Of the client that runs a blocked command again: the deadline and the place it had, and the time the
  // command has taken.
  int64_t rerun_deadline_ms = kNoDeadline;
  uint64_t rerun_order = 0;
  uint64_t rerun_ns = 0;
  ClientPeaks client_peaks;
  Collation collation;  // locale-collate
  RetiredBuffers retired;
  ClientMemory client_memory;

  // --- time, read once a turn and again when a command was long ---
  int64_t wall_s = 0;
  int64_t wall_ms = 0;
  int64_t wall_us = 0;
  uint64_t mono_us = 0;

  Pauses pauses;
  // To be called after changing pauses, and by the engine as time goes by.
  void update_pauses() {
    pauses.update(wall_ms);
    keyspace.expire_paused = pauses.scope() != PauseScope::kNone;
  }

  DebugSwitches debug;

  Propagation propagation;
  bool stream_active = false;  // somebody reads the propagation stream
  bool loading = false;
  bool replica = false;       // of another server
  int64_t good_replicas = 0;  // of this one: online, and heard of within min_replicas_max_lag_s
  // A primary that shall not write where too few others would know of it (min-replicas-to-write).
  [[nodiscard]] bool enough_good_replicas() const {
    return good_replicas >= settings.min_replicas_to_write || settings.min_replicas_max_lag_s == 0 || replica;
  }
  // Sources of function libraries, as files brought them.
  std::vector<std::string> libraries;
  Client* executing = nullptr;
  // Arguments of the running command that must not appear in logs: bit i for argument i.
  uint64_t redacted_args = 0;
  void redact(int arg) { redacted_args |= 1ULL << (arg < 63 ? arg : 63); }

  [[nodiscard]] bool logs(LogLevel level) const { return level >= settings.loglevel; }
  void log(LogLevel level, const char* format, ...) __attribute__((format(printf, 3, 4)));
};

inline Keyspace& Call::ks() const { return core.keyspace; }
inline Database& Call::db() const { return core.keyspace.db(client.db); }
inline KeyRef Call::key(int i) const {
  const Slice k = arg(i);
  const int slot = core.keyspace.clustered() ? static_cast<int>(key_slot(k)) : 0;
  if (i == command.first_key && first_hash != 0) return {k, first_hash, slot};
  return {k, hash_bytes(k), slot};
}
inline bool Call::must_obey() const { return core.loading || client.client_class() == ClientClass::kPrimary; }
inline bool Call::propagating() const { return core.stream_active; }
inline Propagation& Call::propagation() const { return core.propagation; }

}  // namespace kvasir
