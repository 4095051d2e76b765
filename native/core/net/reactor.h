// The reactor: sockets, parsing, executing and sending, when the loop says so.
//
// A turn of the loop is receive -> execute -> persist -> reply. Receiving happens as the loop reports
// readable sockets: bytes are read into the turn's input memory, parsed at once, looked up and hashed. When
// the loop has reported all of them it calls turn(): the requests of all connections run in order, a batch at
// a time, the batch's buckets and then its entries being prefetched before its first command runs; then the
// replies of all connections leave, one system call each. When replies pile up (pipelines of large ones),
// those so far leave before the next command runs, while they are in cache and before their memory grows.
//
// Memory of a turn - input, argument arrays, replies - is reset at its end, and is therefore warm at the
// next.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/engine.h"
#include "net/connection.h"
#include "net/poller.h"

namespace kvasir {

// Bump memory for what is read in a turn.
class InputArena {
 public:
  InputArena();
  ~InputArena();
  InputArena(const InputArena&) = delete;
  InputArena& operator=(const InputArena&) = delete;
  // Room for n bytes.
  char* reserve(size_t n);
  void commit(size_t n) { cur_ += n; }
  void reset();
  // Gives back memory of which less than half was needed since the last call.
  void trim();

 private:
  [[nodiscard]] size_t first_used() const {
    return current_ > 0 ? kChunk : static_cast<size_t>(cur_ - chunks_[0]);
  }
  static constexpr size_t kChunk = 1 << 20;
  static constexpr size_t kLeast = 64 * 1024;  // of the first chunk is always kept

  std::vector<char*> chunks_;
  size_t current_ = 0;
  // Of the first chunk: bytes used in a turn at most since the last trim(), and bytes that may be resident.
  size_t peak_ = 0;
  size_t touched_ = 0;
  char* cur_ = nullptr;
  char* end_ = nullptr;
};

struct ListenResult {
  int port = 0;                  // the bound port (of use when 0 was asked for)
  std::string error;             // empty: success
  bool family_missing = false;   // the address family, or the protocol, does not exist here
  bool address_missing = false;  // the address belongs to no interface
};

class Reactor {
 public:
  Reactor(Engine* engine, Poller* poller);
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  // host: an address, or a name that has one; with a colon it is IPv6. mptcp: a Multipath TCP socket, which
  // accepts plain TCP as well. mark: SO_MARK of the socket; 0: none.
  ListenResult listen_tcp(const std::string& host, int port, int backlog, bool mptcp, uint32_t mark);
  // mode: permissions of the socket's file, 0: what the umask leaves. group: who owns it besides us, empty:
  // unchanged.
  ListenResult listen_unix(const std::string& path, int mode, const std::string& group, int backlog);
  // Closes the listening sockets (all, or those of one kind).
  void close_listeners(bool tcp = true, bool unix_sockets = true);
  [[nodiscard]] size_t listeners() const { return listeners_.size(); }

  // The execute, persist and reply phases: no reply leaves before what it answers is as safe as
  // appendfsync says.
  void turn();

  // Slices of background work on connections: timeouts, limits, buffer statistics. Called hz times a second.
  void cron(int64_t hz);

  // Nothing more is accepted, read or executed, beginning with the request after the running one: the process
  // is about to end, and what it would still do would be lost. Replies already written leave at the end of
  // the turn.
  void halt();

  // Closes everything. Outstanding replies are given one last chance to leave.
  void shutdown();

  void close(Connection& c);
  void queue_flush(Connection& c);
  // Others have added to what the client is sent.
  void output_added(Connection& c);
  // ended: as Pollable::on_ready() tells.
  void readable(Connection& c, bool ended);
  void writable(Connection& c);
  // Clients of one pause go on.
  void resume_postponed();
  // A client that waited for a key: its request is run again, or has its reply.
  void rerun(Connection& c);
  void unblocked(Connection& c);

  Engine& engine() { return *engine_; }
  Poller& poller() { return *poller_; }

 private:
  class Listener;
  friend class Listener;
  void accepted(int fd, bool unix_socket);
  void parse(Connection& c, const char* p, const char* end);
  void parse_rest(Connection& c);
  bool too_much_input(Connection& c);
  void protocol_error(Connection& c);
  void execute(Connection& c, Pending& p);
  void run_items();
  void prefetch_entries(size_t from, size_t end);
  void deliver();
  bool persist();
  void executed(Connection& c, Pending& p);
  void pause_reading(Connection& c);
  void postpone(Connection& c, Pending& p);
  void wait(Connection& c, Pending& p);
  void go_on(Connection& c);
  bool flush(Connection& c);
  void free_closed();
  // Notes that the connection's memory may have changed.
  void touch(Connection& c);
  void limit_client_memory();
  void count_turn(uint64_t commands_before);
  void wake_for_deadlines();
  // Sockets are reported once for all that has arrived: those that may hold more are read again next turn.
  void remember_unread(Connection& c);
  void read_remembered();
  void read(Connection& c);
  // Gets what recv() or the like returned when it was asked for `asked` bytes; false: there is nothing to
  // parse.
  bool received(Connection& c, ssize_t n, size_t asked);
  void read_pending(Connection& c);
  void read_shaped(Connection& c);
  void read_big(Connection& c);
  static void note_shape(Connection& c, const Request& r);

  struct Item {
    explicit Item(Connection* c) : connection(c) {}
    Connection* connection;
    Pending pending;
    bool protocol_error = false;
  };

  Engine* engine_;
  Poller* poller_;
  ReplyArena replies_;
  ArgArena args_;
  InputArena input_;
  std::vector<Item> items_;    // to be run
  std::vector<Item> running_;  // by run_items()
  std::vector<Connection*> flushing_, closing_, compacting_, touched_, unread_;
  std::vector<Connection*> postponed_;
  std::unordered_map<uint64_t, std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  uint64_t cron_cursor_ = 0;
  uint64_t turn_began_us_ = 0;
  uint64_t busy_since_us_ = 0;  // when this turn's first socket was reported; 0: none was
  uint64_t cron_us_ = 0;        // that the cron took since the last turn
  int64_t trimmed_s_ = 0;       // second in which the input arena was trimmed
  bool halted_ = false;
  bool in_turn_ = false;
  uint64_t turn_number_ = 1;
};

}  // namespace kvasir
