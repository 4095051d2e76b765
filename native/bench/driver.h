// Drives the connections of one measurement from one thread over epoll.
//
// Closed loop: every connection sends a pipeline, waits for all of its replies and sends the next at once; a
// reply's latency counts from the write of its pipeline. Open loop (a rate is given): request i is due at
// start + i / rate whatever the server does; it goes to the connection that has been free longest, waits its
// turn if none is free, and its latency counts from the time it was due, so that a stall is charged to every
// request it delayed (no coordinated omission).
//
// A measurement is warm-up, window, drain. Throughput and CPU time cover the window exactly. In the open loop
// the latencies are those of the requests due inside the window, however late the answer came.
//
// Beside the load there may be subscribers, connections that only read messages, and a probe, a connection
// that asks the server for a number now and then. Neither counts as load.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "histogram.h"
#include "numbers.h"
#include "options.h"
#include "probe.h"
#include "reply_scanner.h"
#include "request.h"

namespace kvasir::load {

struct Result {
  double seconds = 0;            // length of the window
  uint64_t requests = 0;         // answered inside the window
  uint64_t unanswered = 0;       // given up after the drain
  uint64_t bytes_in = 0;         // inside the window
  ReplyScanner::Counts replies;  // of the whole run, warm-up and drain included
  Histogram latency;
  uint64_t messages = 0;  // that reached a subscriber, of the whole run
  std::vector<Probe::Sample> probes;
  int64_t load_cpu_ns = 0;
  int64_t load_waited_ns = 0;
  int64_t server_cpu_ns = -1;
  int64_t server_waited_ns = 0;
};

class Driver {
 public:
  explicit Driver(const Options& options);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // Connects, loads, drains; `result` must be fresh. False with the reason in `error` if the server could not
  // be reached, closed a connection, spoke something other than RESP, fell silent, or lost a message to a
  // subscriber.
  bool run(Result& result, std::string& error);

 private:
  enum class Role : uint8_t { kLoad, kSubscriber, kProbe };
  struct Connection {
    int fd = -1;
    Role role = Role::kLoad;
    uint32_t number = 0;
    uint32_t outstanding = 0;  // requests; of the oldest, `answered` commands have been replied to
    uint32_t answered = 0;
    bool queued = false;      // open loop: stands in free_
    int64_t sent_at = 0;      // closed loop: when the pipeline was written
    std::deque<int64_t> due;  // open loop: of the outstanding requests, oldest first
    ReplyScanner scanner;
    std::string unsent;  // what the socket did not take; nothing else is sent before it
    size_t unsent_at = 0;
  };

  bool connect_all();
  int connect_one();
  bool greet(int fd);
  bool subscribe(Connection& c);
  bool add(Role role, uint32_t number, bool greeted);
  bool send_requests(Connection& c, size_t count);
  bool flush(Connection& c);
  bool watch(Connection& c, bool writable);
  bool handle(Connection& c, uint32_t events, bool sending);
  ssize_t read_some(Connection& c);
  bool receive(Connection& c, bool sending);
  bool receive_messages(Connection& c);
  bool receive_probe(Connection& c);
  bool ask_probe();
  bool poll(int timeout_ms, bool sending);
  bool start_next(Connection& c);
  bool closed_loop();
  bool open_loop();
  int64_t next_due() const;
  bool dispatch_due(int64_t now);
  void offer(Connection& c);
  bool drain();
  void begin_window(int64_t now);
  void end_window(int64_t now);
  bool fail(std::string reason);

  const Options& options_;
  Workload workload_;
  Numbers numbers_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<char> buffer_;
  int epoll_ = -1;
  Result* result_ = nullptr;
  std::string error_;

  bool in_window_ = false;
  int64_t window_start_ = 0;
  int64_t window_end_ = INT64_MAX;
  uint64_t to_issue_ = UINT64_MAX;
  uint64_t outstanding_ = 0;
  uint64_t finished_ = 0;  // requests answered, of the whole run

  Probe probe_;
  Connection* prober_ = nullptr;
  int64_t next_probe_ = 0;
  int64_t last_reply_ = 0;

  int64_t timetable_start_ = 0;
  uint64_t issued_ = 0;
  std::deque<Connection*> free_;
};

}  // namespace kvasir::load
