// A client: everything the server knows of one session apart from its socket. The reactor's Connection
// derives from it; commands see only this.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "commands/client_memory.h"
#include "commands/command.h"
#include "resp/reply.h"

namespace kvasir {

class SavedRequest;
struct BlockedOnKeys;
struct ClientTracking;
struct Subscriptions;
struct Transaction;
struct User;
struct Task;
struct Watching;

// Classes of client-output-buffer-limit and CLIENT LIST TYPE.
enum class ClientClass : uint8_t { kNormal, kReplica, kPubsub, kPrimary };

// Why a client executes nothing at the moment.
enum class Blocked : uint8_t {
  kNo,
  kPostponed,  // paused: the request waits for CLIENT UNPAUSE
  kKeys,       // waits for a key (blocking.h)
  kTask,       // waits for the control plane (task.h)
};

struct ClientFlags {
  bool authenticated : 1;
  bool ever_authenticated : 1;
  bool close_after_reply : 1;  // nothing more is read or executed; closed when the output is sent
  bool close_asap : 1;         // closed at the end of this turn, whatever is unsent
  bool unix_socket : 1;
  bool no_evict : 1;
  bool no_touch : 1;
  bool readonly : 1;
  bool import_source : 1;
  bool reply_off : 1;
  bool reply_skip_next : 1;  // CLIENT REPLY SKIP was this command: the next one is mute
  bool reply_skip : 1;
  bool capa_redirect : 1;
  // Has ever sent MULTI or WATCH: CLIENT LIST then counts from 0 instead of -1.
  bool used_transactions : 1;
  bool
      no_blocking : 1;  // inside EXEC or a script: a command that would block answers as if its time was over
  bool rerunning : 1;   // runs again the command that it was blocked in
  bool monitor : 1;
  bool pubsub : 1;
  bool replica : 1;  // sends its writes to nobody: receives ours
  bool primary : 1;
  bool tracking : 1;
  bool fake : 1;  // has no socket: AOF loading, scripts
  bool protected_from_eviction : 1;
};

struct Client {
  Client(uint64_t client_id, ReplyArena* arena);
  virtual ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  const uint64_t id;
  Output out;
  Reply reply;
  ClientFlags flags;
  int db = 0;
  Blocked blocked = Blocked::kNo;
  User* user = nullptr;
  const Command* last_command = nullptr;

  // --- accounting (CLIENT LIST, INFO) ---
  int64_t created_ms = 0;
  int64_t last_interaction_s = 0;
  uint64_t net_in = 0, net_out = 0, commands = 0;
  std::span<const Slice> argv;  // of the command being executed, else empty
  size_t output_peak = 0;       // largest reply backlog in the present period (rbp)
  int64_t output_peak_reset_ms = 0;
  size_t reply_buffer =
      16384;  // what Valkey calls the client's reply buffer size (rbs): grows and shrinks with use
  ClientAccount account;
  int64_t soft_limit_since_s = 0;  // since when the output is above the class's soft limit; 0: it is not

  std::string name, lib_name, lib_ver;

  std::unique_ptr<Transaction> transaction;      // between MULTI and EXEC
  std::unique_ptr<Watching> watching;            // since the first WATCH
  std::unique_ptr<BlockedOnKeys> waits;          // while blocked == kKeys
  std::unique_ptr<Task> task;                    // while blocked == kTask, and when it is answered
  std::unique_ptr<Subscriptions> subscriptions;  // since the first of them (pubsub.h)
  std::unique_ptr<ClientTracking> tracking;      // while flags.tracking (tracking.h)

  // --- what the socket knows ---
  [[nodiscard]] virtual std::string peer_address() const {
    return "";
  }  // "ip:port", "[ip6]:port" or "path:0"
  [[nodiscard]] virtual std::string local_address() const { return ""; }
  [[nodiscard]] virtual std::string peer_ip() const { return ""; }
  [[nodiscard]] virtual std::string local_ip() const { return ""; }
  [[nodiscard]] virtual bool peer_is_loopback() const { return false; }
  [[nodiscard]] virtual int descriptor() const { return -1; }
  [[nodiscard]] virtual size_t query_size() const { return 0; }  // unparsed input (qbuf)
  [[nodiscard]] virtual size_t query_free() const {
    return 0;
  }  // free room in its own input buffer (qbuf-free)
  [[nodiscard]] virtual bool wants_write() const { return false; }   // waits for the socket to take more
  [[nodiscard]] virtual size_t postponed_size() const { return 0; }  // arguments of requests that wait
  // Output was added outside the client's own turn: it must be sent at the end of this one.
  virtual void output_added() {}
  // Resumes a client that was blocked or postponed.
  virtual void resume() {}
  // Runs the request in which it was blocked once more, at once; then what it sent after it.
  virtual void rerun() {}
  // The request in which it is blocked.
  [[nodiscard]] virtual const SavedRequest* blocked_in() const { return nullptr; }
  // The request in which it was blocked has its reply: goes on with what it sent after it.
  virtual void unblocked() {}

  [[nodiscard]] ClientClass client_class() const {
    if (flags.primary) return ClientClass::kPrimary;
    if (flags.replica) return ClientClass::kReplica;
    return flags.pubsub ? ClientClass::kPubsub : ClientClass::kNormal;
  }
  // Output that counts against client-output-buffer-limit: what a fixed reply buffer would not hold, or
  // everything.
  [[nodiscard]] size_t limited_output(bool everything = false) const;
  // Bytes of the arguments that it executes or waits to execute (argv-mem).
  [[nodiscard]] size_t argv_memory() const;
  // Memory of queued commands and watched keys (multi-mem).
  [[nodiscard]] size_t transaction_memory() const;
  // Total memory of the client (tot-mem).
  [[nodiscard]] size_t memory() const;
};

}  // namespace kvasir
