#include "driver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "process_clock.h"

namespace kvasir::load {
namespace {

constexpr size_t kReadBytes = 256 * 1024;
constexpr int kEvents = 1024;
constexpr int64_t kSecond = 1'000'000'000;
// A listen backlog is often 511; connecting in steps below it, each ended by an answered PING, never
// overflows one (an overflow costs a SYN retry of a second).
constexpr size_t kConnectStep = 128;

int64_t to_ns(double seconds) { return static_cast<int64_t>(seconds * 1e9); }

std::string errno_text(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

}  // namespace

Driver::Driver(const Options& options)
    : options_(options),
      workload_(options.mix, options.rate > 0 ? 1 : options.pipeline, make_data(options.value_size),
                options.seed),
      numbers_(options.keyspace, options.sequential, options.seed, static_cast<uint64_t>(wall_us())),
      buffer_(kReadBytes),
      probe_(options.probe) {}

Driver::~Driver() {
  for (const auto& c : connections_) {
    if (c->fd >= 0) close(c->fd);
  }
  if (epoll_ >= 0) close(epoll_);
}

bool Driver::fail(std::string reason) {
  error_ = std::move(reason);
  return false;
}

int Driver::connect_one() {
  if (!options_.socket.empty()) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (options_.socket.size() >= sizeof(address.sun_path)) {
      fail("socket path too long");
      return -1;
    }
    std::memcpy(address.sun_path, options_.socket.data(), options_.socket.size());
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) return fd;
    fail(errno_text("connect"));
    if (fd >= 0) close(fd);
    return -1;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int rc = getaddrinfo(options_.host.c_str(), std::to_string(options_.port).c_str(), &hints, &list);
  if (rc != 0) {
    fail(options_.host + ": " + gai_strerror(rc));
    return -1;
  }
  int fd = -1;
  fail("no address for " + options_.host);
  for (const addrinfo* a = list; a != nullptr; a = a->ai_next) {
    fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
    if (fd < 0) continue;
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0) break;
    fail(errno_text("connect"));
    close(fd);
    fd = -1;
  }
  freeaddrinfo(list);
  if (fd >= 0) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  return fd;
}

bool Driver::greet(int fd) {
  constexpr std::string_view kPing = "PING\r\n";
  constexpr std::string_view kPong = "+PONG\r\n";
  if (write(fd, kPing.data(), kPing.size()) != static_cast<ssize_t>(kPing.size()))
    return fail(errno_text("write"));
  char reply[256];
  size_t have = 0;
  while (have < kPong.size()) {
    const ssize_t n = read(fd, reply + have, sizeof(reply) - have);
    if (n <= 0) return fail(n == 0 ? "the server closed a new connection" : errno_text("read"));
    have += static_cast<size_t>(n);
  }
  if (std::string_view(reply, have) != kPong) return fail("PING was answered " + std::string(reply, have));
  return true;
}

bool Driver::subscribe(Connection& c) {
  const Command words{"SUBSCRIBE", options_.channel};
  Batch batch;
  batch.append({words}, "");
  const std::string_view request = batch.prepare(1, numbers_, 0);
  if (write(c.fd, request.data(), request.size()) != static_cast<ssize_t>(request.size()))
    return fail(errno_text("write"));
  ReplyScanner::Counts counts;
  while (counts.replies == 0) {
    const ssize_t n = read(c.fd, buffer_.data(), buffer_.size());
    if (n <= 0) return fail(n == 0 ? "the server closed a new connection" : errno_text("read"));
    if (c.scanner.feed(buffer_.data(), static_cast<size_t>(n), counts) < 0)
      return fail("no reply to SUBSCRIBE");
  }
  return counts.errors == 0 || fail("SUBSCRIBE was answered " + counts.first_error);
}

bool Driver::add(Role role, uint32_t number, bool greeted) {
  auto made = std::make_unique<Connection>();
  Connection& c = *made;
  c.fd = connect_one();
  if (c.fd < 0) return false;
  c.role = role;
  c.number = number;
  connections_.push_back(std::move(made));
  if (greeted && !greet(c.fd)) return false;
  if (role == Role::kSubscriber && !subscribe(c)) return false;
  if (role == Role::kProbe) prober_ = &c;
  if (fcntl(c.fd, F_SETFL, O_NONBLOCK) != 0) return fail(errno_text("fcntl"));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &c;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &event) == 0 || fail(errno_text("epoll_ctl"));
}

bool Driver::connect_all() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return fail(errno_text("epoll_create1"));
  for (uint32_t i = 0; i < options_.subscribers; i++) {
    if (!add(Role::kSubscriber, i, false)) return false;
  }
  if (probe_.used() && !add(Role::kProbe, 0, true)) return false;
  for (uint32_t i = 0; i < options_.clients; i++) {
    if (!add(Role::kLoad, i, i % kConnectStep == 0 || i + 1 == options_.clients)) return false;
  }
  return true;
}

bool Driver::watch(Connection& c, bool writable) {
  epoll_event event{};
  event.events = writable ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.ptr = &c;
  return epoll_ctl(epoll_, EPOLL_CTL_MOD, c.fd, &event) == 0 || fail(errno_text("epoll_ctl"));
}

// All connections share the batch that is patched here, so what the socket does not take at once is copied.
bool Driver::send_requests(Connection& c, size_t count) {
  const std::string_view bytes = workload_.next().prepare(count, numbers_, c.number);
  c.outstanding += static_cast<uint32_t>(count);
  outstanding_ += count;
  ssize_t n = send(c.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (n < 0) {
    if (errno != EAGAIN && errno != EINTR) return fail(errno_text("send"));
    n = 0;
  }
  if (static_cast<size_t>(n) == bytes.size()) return true;
  c.unsent.assign(bytes.substr(static_cast<size_t>(n)));
  c.unsent_at = 0;
  return watch(c, true);
}

bool Driver::flush(Connection& c) {
  const size_t left = c.unsent.size() - c.unsent_at;
  const ssize_t n = send(c.fd, c.unsent.data() + c.unsent_at, left, MSG_NOSIGNAL);
  if (n < 0) return errno == EAGAIN || errno == EINTR || fail(errno_text("send"));
  c.unsent_at += static_cast<size_t>(n);
  if (c.unsent_at < c.unsent.size()) return true;
  c.unsent.clear();
  c.unsent_at = 0;
  offer(c);
  return watch(c, false);
}

// Closed loop: the next pipeline of a connection, as far as there are requests left to send.
bool Driver::start_next(Connection& c) {
  const size_t count = static_cast<size_t>(std::min<uint64_t>(options_.pipeline, to_issue_));
  if (count == 0) return true;
  if (to_issue_ != UINT64_MAX) to_issue_ -= count;
  c.sent_at = now_ns();
  return send_requests(c, count);
}

// Open loop: puts a connection that can take a request at the end of the queue of free ones.
void Driver::offer(Connection& c) {
  if (options_.rate <= 0 || c.queued || !c.unsent.empty() || c.outstanding >= options_.pipeline) return;
  c.queued = true;
  free_.push_back(&c);
}

// Reads what there is into buffer_: the number of bytes, 0 if there is nothing, -1 after fail().
ssize_t Driver::read_some(Connection& c) {
  const ssize_t n = recv(c.fd, buffer_.data(), buffer_.size(), 0);
  if (n > 0) return n;
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  fail(n == 0 ? "the server closed a connection" : errno_text("recv"));
  return -1;
}

bool Driver::receive_messages(Connection& c) {
  const ssize_t n = read_some(c);
  if (n <= 0) return n == 0;
  ReplyScanner::Counts counts;
  const int64_t done = c.scanner.feed(buffer_.data(), static_cast<size_t>(n), counts);
  if (done < 0) return fail("a message is not RESP2");
  result_->messages += static_cast<uint64_t>(done);
  return true;
}

bool Driver::receive_probe(Connection& c) {
  const ssize_t n = read_some(c);
  if (n <= 0) return n == 0;
  const std::string_view bytes(buffer_.data(), static_cast<size_t>(n));
  return probe_.feed(bytes, wall_us(), result_->probes) || fail("the probe was not answered with an integer");
}

bool Driver::ask_probe() {
  const int64_t now = now_ns();
  if (!probe_.used() || probe_.waiting() || now < next_probe_) return true;
  next_probe_ = now + to_ns(options_.probe_ms / 1000);
  const std::string_view request = probe_.ask(wall_us());
  // Some hundred bytes on a connection that has nothing outstanding: the socket takes them.
  return send(prober_->fd, request.data(), request.size(), MSG_NOSIGNAL) ==
             static_cast<ssize_t>(request.size()) ||
         fail(errno_text("send"));
}

bool Driver::receive(Connection& c, bool sending) {
  const ssize_t n = read_some(c);
  if (n <= 0) return n == 0;
  const int64_t replies = c.scanner.feed(buffer_.data(), static_cast<size_t>(n), result_->replies);
  if (replies < 0) return fail("the server's reply is not RESP2");
  if (in_window_) result_->bytes_in += static_cast<uint64_t>(n);
  const uint64_t answered = c.answered + static_cast<uint64_t>(replies);
  const auto done = static_cast<int64_t>(answered / workload_.replies());
  c.answered = static_cast<uint32_t>(answered % workload_.replies());
  if (done > c.outstanding || (done == c.outstanding && c.answered > 0))
    return fail("more replies than requests");
  if (done == 0) return true;
  finished_ += static_cast<uint64_t>(done);
  const int64_t now = now_ns();
  last_reply_ = now;
  c.outstanding -= static_cast<uint32_t>(done);
  outstanding_ -= static_cast<uint64_t>(done);
  if (in_window_) result_->requests += static_cast<uint64_t>(done);
  if (options_.rate > 0) {
    for (int64_t i = 0; i < done; i++) {
      const int64_t due = c.due.front();
      c.due.pop_front();
      if (window_start_ > 0 && due >= window_start_ && due < window_end_) result_->latency.record(now - due);
    }
    offer(c);
    return true;
  }
  if (in_window_) result_->latency.record(now - c.sent_at, static_cast<uint64_t>(done));
  return !sending || c.outstanding > 0 || start_next(c);
}

bool Driver::handle(Connection& c, uint32_t events, bool sending) {
  if ((events & EPOLLOUT) != 0 && !c.unsent.empty() && !flush(c)) return false;
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return true;
  switch (c.role) {
    case Role::kSubscriber:
      return receive_messages(c);
    case Role::kProbe:
      return receive_probe(c);
    case Role::kLoad:
      break;
  }
  return receive(c, sending);
}

bool Driver::poll(int timeout_ms, bool sending) {
  if (!ask_probe()) return false;
  epoll_event events[kEvents];
  const int n = epoll_wait(epoll_, events, kEvents, timeout_ms);
  if (n < 0) return errno == EINTR || fail(errno_text("epoll_wait"));
  for (int i = 0; i < n; i++) {
    if (!handle(*static_cast<Connection*>(events[i].data.ptr), events[i].events, sending)) return false;
  }
  return true;
}

void Driver::begin_window(int64_t now) {
  in_window_ = true;
  window_start_ = now;
  if (options_.requests > 0 && options_.rate <= 0) {
    to_issue_ = options_.requests;
  } else {
    window_end_ = now + to_ns(options_.seconds);
  }
  result_->load_waited_ns = -waited_ns(0);
  result_->load_cpu_ns = -cpu_ns(0);
  if (options_.server_pid > 0) {
    result_->server_waited_ns = -waited_ns(options_.server_pid);
    result_->server_cpu_ns = -cpu_ns(options_.server_pid);
  }
}

void Driver::end_window(int64_t now) {
  in_window_ = false;
  window_end_ = std::min(window_end_, now);
  result_->seconds = static_cast<double>(now - window_start_) / 1e9;
  if (options_.server_pid > 0) {
    result_->server_cpu_ns += cpu_ns(options_.server_pid);
    result_->server_waited_ns += waited_ns(options_.server_pid);
  }
  result_->load_cpu_ns += cpu_ns(0);
  result_->load_waited_ns += waited_ns(0);
}

bool Driver::closed_loop() {
  const int64_t warm_end = now_ns() + to_ns(options_.warmup);
  if (options_.warmup == 0) begin_window(now_ns());
  last_reply_ = now_ns();
  for (const auto& c : connections_) {
    if (c->role == Role::kLoad && !start_next(*c)) return false;
  }
  while (true) {
    const int64_t before = now_ns();
    const int64_t deadline = in_window_ ? window_end_ : warm_end;
    const int64_t longest = probe_.used() ? 1 : 100;
    const int64_t left = std::clamp<int64_t>((deadline - before) / 1'000'000 + 1, 1, longest);
    if (!poll(static_cast<int>(left), true)) return false;
    const int64_t now = now_ns();
    if (!in_window_) {
      if (now >= warm_end) begin_window(now);
    } else if (now >= window_end_ || (to_issue_ == 0 && outstanding_ == 0)) {
      end_window(now);
      return true;
    }
    if (now - last_reply_ > to_ns(options_.drain) + kSecond) return fail("the server stopped answering");
  }
}

int64_t Driver::next_due() const {
  return timetable_start_ + std::llround(static_cast<double>(issued_) * 1e9 / options_.rate);
}

// Sends what is due, as long as a connection is free; requests due after the window are never sent.
bool Driver::dispatch_due(int64_t now) {
  while (!free_.empty()) {
    const int64_t due = next_due();
    if (due > now || due >= window_end_) return true;
    Connection& c = *free_.front();
    free_.pop_front();
    c.queued = false;
    c.due.push_back(due);
    issued_++;
    if (!send_requests(c, 1)) return false;
    offer(c);
  }
  return true;
}

// Polls without sleeping: the generator has a core of its own, and a timer would make requests late.
bool Driver::open_loop() {
  timetable_start_ = now_ns();
  last_reply_ = timetable_start_;
  const int64_t warm_end = timetable_start_ + to_ns(options_.warmup);
  for (const auto& c : connections_) {
    if (c->role == Role::kLoad) offer(*c);
  }
  while (true) {
    const int64_t now = now_ns();
    if (!in_window_ && now >= warm_end) begin_window(now);
    if (in_window_ && now >= window_end_) {
      end_window(now);
      return true;
    }
    if (!dispatch_due(now) || !poll(0, true)) return false;
  }
}

// Waits for the replies and messages that are still owed; in the open loop also sends the requests that were
// due in the window and found no free connection.
bool Driver::drain() {
  const int64_t give_up = now_ns() + to_ns(options_.drain);
  const auto backlog = [this] { return options_.rate > 0 && next_due() < window_end_; };
  const auto messages_owed = [this] {
    return options_.subscribers * workload_.publishes() * finished_ > result_->messages;
  };
  while (outstanding_ > 0 || backlog() || messages_owed()) {
    const int64_t now = now_ns();
    if (now >= give_up) break;
    if (backlog() && !dispatch_due(now)) return false;
    if (!poll(1, false)) return false;
  }
  result_->unanswered = outstanding_;
  for (; backlog(); issued_++) result_->unanswered++;
  return outstanding_ > 0 || !messages_owed() || fail("messages did not reach the subscribers");
}

bool Driver::run(Result& result, std::string& error) {
  result_ = &result;
  const bool ok = connect_all() && (options_.rate > 0 ? open_loop() : closed_loop()) && drain();
  error = error_;
  return ok;
}

}  // namespace kvasir::load
