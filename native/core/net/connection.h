// One client connection: a Client with a socket, its parser, and what it waits for.
#pragma once

#include <deque>
#include <string>

#include "commands/client.h"
#include "net/poller.h"
#include "resp/parser.h"
#include "resp/saved_request.h"

namespace kvasir {

class Reactor;

class Connection final : public Client, public Pollable {
 public:
  Connection(Reactor* reactor, uint64_t id, int fd, ReplyArena* arena);
  ~Connection() override;

  void on_ready(bool readable, bool writable, bool ended) override;

  [[nodiscard]] std::string peer_address() const override;
  [[nodiscard]] std::string local_address() const override;
  [[nodiscard]] std::string peer_ip() const override;
  [[nodiscard]] std::string local_ip() const override;
  [[nodiscard]] bool peer_is_loopback() const override;
  [[nodiscard]] int descriptor() const override { return fd; }
  [[nodiscard]] size_t query_size() const override {
    return parser.pending_size() - parser.parsed_size() + (turn_requests > 0 ? turn_bytes : 0);
  }
  [[nodiscard]] size_t postponed_size() const override;
  [[nodiscard]] size_t query_free() const override { return parser.room(); }
  [[nodiscard]] bool wants_write() const override { return writing; }
  void output_added() override;
  void resume() override;
  void rerun() override;
  [[nodiscard]] const SavedRequest* blocked_in() const override {
    return saved.empty() ? nullptr : &saved.front();
  }
  void unblocked() override;

  int fd;
  Poller::Handle handle = nullptr;
  RequestParser parser;
  std::deque<SavedRequest> saved;
  bool writing = false;       // waits for the socket to become writable
  bool flush_queued = false;  // stands in the reactor's list of this turn
  bool closing = false;       // stands in the reactor's list of connections to close
  bool has_rest = false;      // unparsed input is left for later in this turn
  bool touched = false;       // stands in the reactor's list of connections whose memory may have changed
  bool reading = true;
  bool unread = false;         // stands in the reactor's list of connections whose socket may hold more
  bool ended = false;          // the end of what the peer sends is there to be read
  bool expects_big = false;    // its last request had an argument that was read to its place
  Shape shape;                 // of its last request with a long last argument
  uint8_t shape_seen = 0;      // how often in a row
  uint8_t shape_holdoff = 0;   // reads for which no guess is made, since one was wrong
  uint64_t read_turn = 0;      // the turn of the last read
  uint32_t turn_bytes = 0;     // what it brought
  uint32_t turn_requests = 0;  // how many of its requests are still to run

 private:
  Reactor* reactor_;
  mutable std::string peer_, local_;  // addresses never change and cost a system call
};

}  // namespace kvasir
