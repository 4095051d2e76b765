// The receive phase of the reactor: what a socket has becomes requests of this turn. Most reads go to the
// turn's shared input, and the arguments of whole requests stay there; what is unfinished moves to the
// connection.
#include <sys/socket.h>

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

}  // namespace

void Reactor::readable(Connection& c) {
  if (busy_since_us_ == 0) busy_since_us_ = mono_us();
  if (halted_) return;
  if (!c.reading) {
    // Reported all the same: the peer has gone.
    close(c);
    return;
  }
  // The loop may report a socket twice before it calls turn(): parsed arguments must not move, and nobody
  // gets more than one read a turn.
  if (c.read_turn == turn_number_ || c.flags.close_after_reply) return;
  c.read_turn = turn_number_;
  touch(c);
  c.turn_bytes = 0;
  c.turn_requests = 0;
  Core& core = engine_->core;
  const bool pending = c.parser.has_pending();
  size_t room = kReadSize;
  char* p;
  if (pending) {
    const bool big = c.parser.reading_big();
    p = c.parser.read_buffer(kPendingReadSize, &room);
    if (!big) room = std::min(room, kReadSize);
  } else {
    p = input_.reserve(kReadSize);
    if (c.expects_big) room = kProbeSize;
  }
  const ssize_t n = ::recv(c.fd, p, room, 0);
  core.counters.total_reads++;
  if (n <= 0) {
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
    if (n == 0 && core.logs(LogLevel::kVerbose)) {
      core.log(LogLevel::kVerbose, "Client closed connection %s",
               client_info(core, c, core.settings.hide_user_data_from_log).c_str());
    } else if (n < 0) {
      core.log(LogLevel::kVerbose, "Reading from client: %s", strerror(errno));
    }
    close(c);
    return;
  }
  c.last_interaction_s = core.wall_s;
  c.net_in += static_cast<uint64_t>(n);
  c.turn_bytes = static_cast<uint32_t>(std::min<ssize_t>(n, kReadSize));
  core.counters.net_input += static_cast<uint64_t>(n);
  if (pending) {
    c.parser.did_read(static_cast<size_t>(n));
    parse_rest(c);
  } else {
    const bool probed = c.expects_big;
    input_.commit(static_cast<size_t>(n));
    parse(c, p, p + n);
    c.expects_big = c.parser.reading_big();
    if (probed && c.expects_big && !c.closing) read_big(c);
  }
}

// The rest of an argument whose beginning was read just now.
void Reactor::read_big(Connection& c) {
  size_t room = 0;
  char* p = c.parser.read_buffer(0, &room);
  const ssize_t n = ::recv(c.fd, p, room, 0);
  engine_->core.counters.total_reads++;
  if (n <= 0) return;  // nothing yet, or a failure that the next read will meet as well
  c.net_in += static_cast<uint64_t>(n);
  engine_->core.counters.net_input += static_cast<uint64_t>(n);
  c.parser.did_read(static_cast<size_t>(n));
  parse_rest(c);
}

// Parses what was read into the turn's input.
void Reactor::parse(Connection& c, const char* p, const char* end) {
  Core& core = engine_->core;
  RequestParser::Limits limits;
  limits.max_bulk = core.settings.proto_max_bulk_len;
  limits.authenticated = !core.settings.auth_required || c.flags.authenticated;
  const Command* hint = c.last_command;
  while (p < end) {
    Item item{&c, {}, false};
    const ParseResult r = c.parser.parse(&p, end, limits, &args_, &item.pending.request);
    if (r == ParseResult::kMore) break;
    if (r == ParseResult::kError) {
      item.protocol_error = true;
      items_.push_back(item);
      c.parser.keep(p, static_cast<size_t>(end - p));
      return;
    }
    if (item.pending.request.argc == 0) continue;
    engine_->prepare(&item.pending, hint, c.db);
    hint = item.pending.command;
    items_.push_back(item);
    c.turn_requests++;
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
    Item item{&c, {}, false};
    const ParseResult r = c.parser.parse_pending(limits, &args_, &item.pending.request);
    if (r == ParseResult::kMore) break;
    if (r == ParseResult::kError) {
      item.protocol_error = true;
      items_.push_back(item);
      return;
    }
    if (item.pending.request.argc == 0) continue;
    engine_->prepare(&item.pending, hint, c.db);
    hint = item.pending.command;
    items_.push_back(item);
    c.turn_requests++;
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
