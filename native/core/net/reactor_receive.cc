// The receive phase of the reactor: what a socket has becomes requests of this turn. Most reads go to the
// turn's shared input, and the arguments of whole requests stay there; what is unfinished moves to the
// connection.
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "commands/client_info.h"
#include "net/reactor.h"

namespace kvasir {

namespace {

constexpr size_t kReadSize = 32 * 1024;  // most that one connection contributes to a turn
constexpr size_t kProbeSize = 1024;      // the start of a request whose big argument shall not be copied
constexpr size_t kPendingReadSize = 16 * 1024;  // the same where the bytes stay with the connection
// Room behind the end of a request that is expected: a read that does not fill it has emptied the socket.
constexpr size_t kSlack = 256;
constexpr uint8_t kAlike = 2;     // so many requests of one shape make a guess
constexpr uint8_t kHoldoff = 64;  // reads without a guess after a wrong one

}  // namespace

void Reactor::remember_unread(Connection& c) {
  if (c.unread || c.closing) return;
  c.unread = true;
  unread_.push_back(&c);
}

void Reactor::read_remembered() {
  const size_t n = unread_.size();
  // Reading may add the same connections again, for the next turn.
  for (size_t i = 0; i < n; i++) {
    Connection& c = *unread_[i];
    c.unread = false;
    // Who reads again later is reported then.
    if (c.closing || !c.reading || halted_) continue;
    if (busy_since_us_ == 0) busy_since_us_ = mono_us();
    read(c);
  }
  unread_.erase(unread_.begin(), unread_.begin() + static_cast<ptrdiff_t>(n));
}

void Reactor::readable(Connection& c, bool ended) {
  if (busy_since_us_ == 0) busy_since_us_ = mono_us();
  if (halted_) return;
  if (!c.reading) {
    // Reported all the same: the peer has gone.
    close(c);
    return;
  }
  if (ended) c.ended = true;
  read(c);
}

void Reactor::read(Connection& c) {
  if (c.flags.close_after_reply) return;
  // The loop may report a socket twice before it calls turn(): parsed arguments must not move, and nobody
  // gets more than one read a turn.
  if (c.read_turn == turn_number_) {
    remember_unread(c);
    return;
  }
  c.read_turn = turn_number_;
  touch(c);
  c.turn_bytes = 0;
  c.turn_requests = 0;
  if (c.parser.has_pending()) {
    read_pending(c);
    return;
  }
  if (c.shape_seen >= kAlike && c.shape_holdoff == 0) {
    read_shaped(c);
    return;
  }
  if (c.shape_holdoff > 0) c.shape_holdoff--;
  char* p = input_.reserve(kReadSize);
  const bool probed = c.expects_big;
  const size_t asked = probed ? kProbeSize : kReadSize;
  const ssize_t n = ::recv(c.fd, p, asked, 0);
  if (!received(c, n, asked)) return;
  input_.commit(static_cast<size_t>(n));
  parse(c, p, p + n);
  c.expects_big = c.parser.reading_big();
  if (probed && c.expects_big && !c.closing) read_big(c);
}

// Behind what has arrived already.
void Reactor::read_pending(Connection& c) {
  size_t room = 0;
  char* p = c.parser.read_buffer(kPendingReadSize, &room);
  if (!c.parser.reading_big()) {
    room = std::min(room, kReadSize);
    const ssize_t n = ::recv(c.fd, p, room, 0);
    if (!received(c, n, room)) return;
    c.parser.did_read(static_cast<size_t>(n));
  } else {
    char slack[kSlack];
    iovec parts[2] = {{p, room}, {slack, kSlack}};
    const ssize_t read = ::readv(c.fd, parts, 2);
    if (!received(c, read, room + kSlack)) return;
    const auto n = static_cast<size_t>(read);
    c.parser.did_read(std::min(n, room));
    if (n > room) c.parser.keep(slack, n - room);
  }
  // One read may bring an argument that is over the limit to its end.
  if (!too_much_input(c)) parse_rest(c);
}

bool Reactor::received(Connection& c, ssize_t n, size_t asked) {
  Core& core = engine_->core;
  core.counters.total_reads++;
  if (n <= 0) {
    if (n < 0 && errno == EINTR) {
      remember_unread(c);
      return false;
    }
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (n == 0 && core.logs(LogLevel::kVerbose)) {
      core.log(LogLevel::kVerbose, "Client closed connection %s",
               client_info(core, c, core.settings.hide_user_data_from_log).c_str());
    } else if (n < 0) {
      core.log(LogLevel::kVerbose, "Reading from client: %s", strerror(errno));
    }
    close(c);
    return false;
  }
  // The end stands behind what came before it, and is not reported again.
  if (static_cast<size_t>(n) == asked || c.ended) remember_unread(c);
  c.last_interaction_s = core.wall_s;
  c.net_in += static_cast<uint64_t>(n);
  c.turn_bytes = static_cast<uint32_t>(std::min<ssize_t>(n, kReadSize));
  core.counters.net_input += static_cast<uint64_t>(n);
  return true;
}

void Reactor::note_shape(Connection& c, const Request& r) {
  const Shape shape = Shape::of(r);
  if (shape.bulk == 0) return;
  c.shape_seen = shape == c.shape ? std::min(c.shape_seen + 1, int{kAlike}) : 1;
  c.shape = shape;
}

// Reads one request to two places, its long last argument to where it will stay, on the guess that it is like
// the last one. A short request (a GET between SETs) is none the worse for it.
void Reactor::read_shaped(Connection& c) {
  Core& core = engine_->core;
  const Shape shape = c.shape;
  StrRef value(StrBuf::try_create(0, shape.bulk + 2));
  if (!value) {
    c.shape_seen = 0;
    remember_unread(c);
    return;
  }
  char* p = input_.reserve(Shape::kMaxHead);
  const size_t expected = size_t{shape.head} + shape.bulk + 2;
  char slack[kSlack];
  iovec parts[3] = {{p, shape.head}, {value->data(), shape.bulk + 2}, {slack, kSlack}};
  const ssize_t read = ::readv(c.fd, parts, 3);
  if (!received(c, read, expected + kSlack)) return;
  const auto n = static_cast<size_t>(read);
  if (n <= shape.head) {
    input_.commit(n);
    parse(c, p, p + n);
    return;
  }
  input_.commit(shape.head);
  RequestParser::Limits limits;
  limits.max_bulk = core.settings.proto_max_bulk_len;
  limits.authenticated = !core.settings.auth_required || c.flags.authenticated;
  Item item(&c);
  const size_t got = std::min(n, expected) - shape.head;
  const size_t more = n - shape.head - got;
  switch (c.parser.adopt(p, shape, value.get(), got, limits, &args_, &item.pending.request)) {
    case RequestParser::Adopted::kRequest:
      static_cast<void>(value.take());
      engine_->prepare(&item.pending, c.last_command, c.db);
      items_.push_back(item);
      c.turn_requests++;
      if (more > 0) {
        c.parser.keep(slack, more);
        parse_rest(c);
      }
      return;
    case RequestParser::Adopted::kMore:
      static_cast<void>(value.take());
      too_much_input(c);
      return;
    case RequestParser::Adopted::kWrongGuess:
      c.shape_seen = 0;
      c.shape_holdoff = kHoldoff;
      c.parser.keep(p, shape.head);
      c.parser.keep(value->data(), got);
      c.parser.keep(slack, more);
      parse_rest(c);
      return;
  }
}

// The rest of an argument whose beginning was read just now.
void Reactor::read_big(Connection& c) {
  size_t room = 0;
  char* p = c.parser.read_buffer(0, &room);
  const ssize_t n = ::recv(c.fd, p, room, 0);
  engine_->core.counters.total_reads++;
  if (n <= 0) {
    // Nothing yet, or an end or a failure that the next read will meet as well.
    if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) remember_unread(c);
    return;
  }
  c.net_in += static_cast<uint64_t>(n);
  engine_->core.counters.net_input += static_cast<uint64_t>(n);
  c.parser.did_read(static_cast<size_t>(n));
  if (!too_much_input(c)) parse_rest(c);
}

// Parses what was read into the turn's input.
void Reactor::parse(Connection& c, const char* p, const char* end) {
  Core& core = engine_->core;
  RequestParser::Limits limits;
  limits.max_bulk = core.settings.proto_max_bulk_len;
  limits.authenticated = !core.settings.auth_required || c.flags.authenticated;
  const Command* hint = c.last_command;
  const char* const begin = p;
  while (p < end) {
    // Filled in its place: a copy would wait for what was stored just before.
    Item& item = items_.emplace_back(&c);
    const ParseResult r = c.parser.parse(&p, end, limits, &args_, &item.pending.request);
    if (r == ParseResult::kError) {
      item.protocol_error = true;
      c.parser.keep(p, static_cast<size_t>(end - p));
      return;
    }
    if (r == ParseResult::kMore || item.pending.request.argc == 0) {
      items_.pop_back();
      if (r == ParseResult::kMore) break;
      continue;
    }
    engine_->prepare(&item.pending, hint, c.db);
    hint = item.pending.command;
    c.turn_requests++;
    // A pipeline is read as a whole.
    if (p == end && *begin == '*' && c.turn_requests == 1) note_shape(c, item.pending.request);
    if (!limits.authenticated) {
      // The limits depend on what this request does (AUTH): the rest is parsed after it ran.
      c.has_rest = p < end;
      break;
    }
  }
  if (p < end) {
    c.parser.keep(p, static_cast<size_t>(end - p));
    if (!c.has_rest) {
      // An argument that is known to be big is from now on read to its place.
      parse_rest(c);
    }
  }
}

// Parses what stands in the connection's own buffer.
void Reactor::parse_rest(Connection& c) {
  Core& core = engine_->core;
  RequestParser::Limits limits;
  limits.max_bulk = core.settings.proto_max_bulk_len;
  limits.authenticated = !core.settings.auth_required || c.flags.authenticated;
  const Command* hint = c.last_command;
  c.has_rest = false;
  compacting_.push_back(&c);
  while (true) {
    Item& item = items_.emplace_back(&c);
    const ParseResult r = c.parser.parse_pending(limits, &args_, &item.pending.request);
    if (r == ParseResult::kError) {
      item.protocol_error = true;
      return;
    }
    if (r == ParseResult::kMore || item.pending.request.argc == 0) {
      items_.pop_back();
      if (r == ParseResult::kMore) break;
      continue;
    }
    engine_->prepare(&item.pending, hint, c.db);
    hint = item.pending.command;
    c.turn_requests++;
    if (c.parser.pending().size == 0 && c.turn_requests == 1 && item.pending.request.bufs != nullptr) {
      note_shape(c, item.pending.request);
    }
    if (!limits.authenticated) {
      c.has_rest = c.parser.pending().size > 0;
      break;
    }
  }
  too_much_input(c);
}

bool Reactor::too_much_input(Connection& c) {
  Core& core = engine_->core;
  const size_t unauthenticated = 1 << 20;
  const size_t used = c.parser.held();
  const bool over = used > static_cast<size_t>(core.settings.client_query_buffer_limit) ||
                    (core.settings.auth_required && !c.flags.authenticated && used > unauthenticated);
  if (!over) return false;
  core.log(LogLevel::kWarning, "Closing client that reached max query buffer length: %s",
           client_info(core, c, core.settings.hide_user_data_from_log).c_str());
  core.counters.query_buffer_limit_disconnections++;
  close(c);
  return true;
}

}  // namespace kvasir
