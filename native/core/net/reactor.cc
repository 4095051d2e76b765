#include "net/reactor.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "commands/auth.h"
#include "commands/client_info.h"
#include "net/listener.h"

namespace kvasir {

namespace {

constexpr int kIovecs = 128;
constexpr size_t kReplyBufferMin = 1024, kReplyBufferMax = 16 * 1024;

void set_keepalive(int fd, int64_t interval_s) {
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
  auto set = [fd](int option, int value) { setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value); };
  set(TCP_KEEPIDLE, static_cast<int>(interval_s));
  // Three probes in the last third of the time: a dead peer is noticed after about twice the interval.
  set(TCP_KEEPINTVL, static_cast<int>(interval_s >= 3 ? interval_s / 3 : 1));
  set(TCP_KEEPCNT, 3);
}

const char kProtectedMode[] =
    "-DENIED Running in protected mode because protected mode is enabled and no password is set for the "
    "default user. "
    "In this mode connections are only accepted from the loopback interface. "
    "If you want to connect from external computers, you may adopt one of the following solutions: "
    "1) Disable protected mode by sending the command 'CONFIG SET protected-mode no' from the loopback "
    "interface by "
    "connecting from the same host the server is running on. "
    "2) Disable protected mode in the configuration file and restart the server. "
    "3) If you started the server manually just for testing, restart it with the '--protected-mode no' "
    "option. "
    "4) Set up an authentication password for the default user. "
    "NOTE: You only need to do one of the above things in order for the server to start accepting "
    "connections from the "
    "outside.\r\n";

// What stands in the query buffer, for the log: all of it or its two ends, printable.
std::string query_sample(Slice rest) {
  constexpr size_t kShown = 128;
  std::string text(1, '\'');
  if (rest.size < kShown) {
    text.append(rest.data, rest.size);
  } else {
    text.append(rest.data, kShown / 2);
    text.append("' (... more ").append(std::to_string(rest.size - kShown)).append(" bytes ...) '");
    text.append(rest.end() - kShown / 2, kShown / 2);
  }
  text.push_back('\'');
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '.';
  }
  return text;
}

}  // namespace

InputArena::InputArena() {
  chunks_.push_back(static_cast<char*>(mem_alloc(kChunk)));
  cur_ = chunks_[0];
  reset();
}
InputArena::~InputArena() {
  for (char* c : chunks_) mem_free(c);
}
char* InputArena::reserve(size_t n) {
  if (static_cast<size_t>(end_ - cur_) < n) {
    if (++current_ == chunks_.size()) chunks_.push_back(static_cast<char*>(mem_alloc(kChunk)));
    cur_ = chunks_[current_];
    end_ = cur_ + kChunk;
  }
  return cur_;
}
void InputArena::reset() {
  peak_ = std::max(peak_, first_used());
  // One chunk serves most turns; those that a burst needed are given back.
  while (chunks_.size() > 1 && current_ + 1 < chunks_.size()) {
    mem_free(chunks_.back());
    chunks_.pop_back();
  }
  current_ = 0;
  cur_ = chunks_[0];
  end_ = cur_ + kChunk;
}

void InputArena::trim() {
  static const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const size_t used = std::max(peak_, first_used());
  peak_ = 0;
  touched_ = std::max(touched_, used);
  const size_t keep = std::max(kLeast, 2 * used);
  if (touched_ <= keep) return;
  const auto at = reinterpret_cast<uintptr_t>(chunks_[0]);
  const uintptr_t from = (at + keep + page - 1) & ~(page - 1);
  const uintptr_t to = (at + touched_) & ~(page - 1);
  if (from < to) madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
  touched_ = keep;
}

Reactor::Reactor(Engine* engine, Poller* poller) : engine_(engine), poller_(poller) {
  // Made by the first message that needs it, it would add to used_memory at a time when eviction makes room,
  // and telling of evicted keys would have more of them go.
  replies_.shared();
}

Reactor::~Reactor() { shutdown(); }

void Reactor::halt() {
  halted_ = true;
  close_listeners();
}

void Reactor::shutdown() {
  close_listeners();
  for (auto& [id, c] : connections_) {
    if (!c->closing) flush(*c);
    close(*c);
  }
  touched_.clear();
  unread_.clear();
  free_closed();
}

// ------------------------------------------------------------------ accepting

void Reactor::accepted(int fd, bool unix_socket) {
  Core& core = engine_->core;
  if (core.clients.size() >= static_cast<size_t>(core.settings.maxclients)) {
    static const char kFull[] = "-ERR max number of clients reached\r\n";
    if (::send(fd, kFull, sizeof kFull - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
      // The refused client need not read why.
    }
    core.counters.connections_rejected++;
    ::close(fd);
    return;
  }
  if (!unix_socket) {
    const int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (core.settings.tcp_keepalive_s > 0) set_keepalive(fd, core.settings.tcp_keepalive_s);
  }
  auto c = std::make_unique<Connection>(this, core.next_client_id++, fd, &replies_);
  c->flags.unix_socket = unix_socket;
  set_default_user(core, *c);
  c->created_ms = core.wall_ms;
  c->last_interaction_s = core.wall_s;
  c->output_peak_reset_ms = core.wall_ms;
  core.counters.connections_received++;
  if (core.settings.protected_mode && core.default_user.nopass && !c->peer_is_loopback()) {
    if (::send(fd, kProtectedMode, sizeof kProtectedMode - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
      // As above.
    }
    core.counters.connections_rejected++;
    return;
  }
  c->handle = poller_->add(fd, c.get(), true);
  if (c->handle == nullptr) {
    core.log(LogLevel::kWarning, "Error registering fd event for the new client connection: %s",
             strerror(errno));
    return;
  }
  core.clients.emplace(c->id, c.get());
  if (core.logs(LogLevel::kVerbose)) core.log(LogLevel::kVerbose, "Accepted %s", c->peer_address().c_str());
  connections_.emplace(c->id, std::move(c));
}

void Reactor::protocol_error(Connection& c) {
  Core& core = engine_->core;
  c.reply.error(parse_error_reply(c.parser.error(), c.parser.got()));
  engine_->count_errors(c, nullptr);
  if (!core.logs(LogLevel::kVerbose)) {
    // Nothing to format.
  } else if (core.settings.hide_user_data_from_log) {
    core.log(LogLevel::kVerbose, "Protocol error (%s) from client: %s. Query buffer: *redacted*",
             parse_error_log(c.parser.error()), client_info(core, c, true).c_str());
  } else {
    core.log(LogLevel::kVerbose, "Protocol error (%s) from client: %s. Query buffer: %s",
             parse_error_log(c.parser.error()), client_info(core, c, false).c_str(),
             query_sample(c.parser.pending()).c_str());
  }
  c.flags.close_after_reply = true;
  queue_flush(c);
}

// ------------------------------------------------------------------ execute

void Reactor::turn() {
  Core& core = engine_->core;
  in_turn_ = true;
  engine_->update_clock();
  read_remembered();
  replies_.reference_from = static_cast<size_t>(core.settings.min_string_size_avoid_copy_reply);
  turn_began_us_ = core.mono_us;
  const uint64_t commands_before = core.counters.commands_processed;
  if (engine_->pause_loosened()) resume_postponed();
  engine_->end_overdue_waits();
  if (engine_->has_answers()) engine_->run_answered();
  // Executing may add items (the rest of a connection that authenticated).
  while (!items_.empty()) {
    running_.swap(items_);
    run_items();
    running_.clear();
  }
  deliver();
  for (Connection* c : compacting_) c->parser.compact();
  compacting_.clear();
  limit_client_memory();
  free_closed();
  args_.reset();
  input_.reset();
  core.retired.release();
  mem_collect();
  const bool more = engine_->between_turns();
  // What background work has to tell clients leaves at once. Kept for the next turn, the invalidations of
  // keys that were evicted would count as used memory there, and more keys would be evicted to make up for
  // them.
  if (engine_->wants_turn() || !flushing_.empty()) {
    deliver();
    free_closed();
  }
  if (more || !unread_.empty()) poller_->wake();
  turn_number_++;
  in_turn_ = false;
  count_turn(commands_before);
  if (engine_->pause_loosened()) resume_postponed();
  wake_for_deadlines();
}

// The buckets were sent for when the requests were parsed. The entries of one batch are sent for while the
// batch before it runs; a client's SELECT in between costs a useless prefetch, nothing else. More on their
// way at once than prefetch-batch-max-size wait for each other.
void Reactor::run_items() {
  const auto most = static_cast<size_t>(std::max<int64_t>(1, engine_->core.settings.prefetch_batch_max_size));
  const bool prefetching = most > 1 && running_.size() > 1;
  const size_t batch = prefetching ? (most + 1) / 2 : running_.size();
  if (prefetching) prefetch_entries(0, batch);
  for (size_t i = 0; i < running_.size(); i += batch) {
    const size_t end = std::min(i + batch, running_.size());
    if (prefetching) {
      prefetch_entries(end, end + batch);
      for (size_t j = i; j < end; j++) {
        engine_->prefetch_value(&running_[j].pending, running_[j].connection->db);
      }
      engine_->run_prefetch();
    }
    for (size_t j = i; j < end; j++) {
      Item& item = running_[j];
      if (item.protocol_error) {
        if (!item.connection->closing && !item.connection->flags.close_after_reply)
          protocol_error(*item.connection);
      } else {
        execute(*item.connection, item.pending);
      }
      if (replies_.crowded()) deliver();
    }
  }
}

void Reactor::prefetch_entries(size_t from, size_t end) {
  end = std::min(end, running_.size());
  if (from >= end) return;
  Counters& n = engine_->core.counters;
  n.prefetch_batches++;
  n.prefetch_entries += end - from;
  for (; from < end; from++) {
    engine_->prefetch_entry(running_[from].pending, running_[from].connection->db);
  }
}

// The persist and reply phases for the commands that have run: no output refers to the turn's memory
// afterwards.
void Reactor::deliver() {
  Core& core = engine_->core;
  engine_->commands_done();
  if (engine_->aof.active() && !persist()) return;
  for (size_t i = 0; i < flushing_.size(); i++) {
    Connection& c = *flushing_[i];
    c.flush_queued = false;
    if (c.closing) continue;
    if (!c.writing) flush(c);
    if (c.closing) continue;
    if (c.flags.close_after_reply && c.reading) {
      // Nothing that comes after the command that ends the connection is of interest.
      c.reading = false;
      poller_->watch(c.handle, false, c.writing);
    }
    c.out.settle();
    engine_->enforce_output_limit(c);
  }
  flushing_.clear();
  replies_.reset();
}

// False: nothing may leave any more, and nobody is left to whom it could.
bool Reactor::persist() {
  Core& core = engine_->core;
  const uint64_t before = mono_us();
  const bool safe = engine_->persist();
  core.counters.eventloop_persist_us += mono_us() - before;
  if (safe) return true;
  halt();
  for (auto& [id, c] : connections_) {
    c->out.clear();
    close(*c);
  }
  flushing_.clear();
  core.hooks->control("aof-failed", "");
  return false;
}

void Reactor::touch(Connection& c) {
  if (c.touched) return;
  c.touched = true;
  touched_.push_back(&c);
}

void Reactor::limit_client_memory() {
  const bool follow = engine_->follows_client_memory();
  for (Connection* c : touched_) {
    c->touched = false;
    if (follow && !c->closing) engine_->core.client_memory.update(*c);
  }
  touched_.clear();
  if (follow) engine_->evict_clients();
}

// Has the loop turn when a pause ends, a blocked client's time is over, or loading or a save goes on.
void Reactor::wake_for_deadlines() {
  int64_t next = engine_->core.pauses.next_end_ms();
  for (const uint64_t due : {engine_->loading.due_us(), engine_->saves.due_us()}) {
    if (due == 0) continue;
    const int64_t at = wall_ms() + static_cast<int64_t>((due - std::min(due, mono_us())) / 1000) + 1;
    if (next == 0 || at < next) next = at;
  }
  const int64_t wait = engine_->core.waiting.next_deadline_ms();
  if (wait != kNoDeadline && (next == 0 || wait < next)) next = wait;
  if (next == 0) return;
  const int64_t longest = 3600 * 1000;
  poller_->wake_after(static_cast<uint64_t>(std::clamp<int64_t>(next - wall_ms(), 1, longest)));
}

void Reactor::count_turn(uint64_t commands_before) {
  Counters& n = engine_->core.counters;
  const uint64_t began = busy_since_us_ != 0 ? busy_since_us_ : turn_began_us_;
  const uint64_t us = mono_us() - began + cron_us_;
  n.eventloop_cycles++;
  n.eventloop_us += us;
  n.eventloop_max_us = std::max(n.eventloop_max_us, us);
  if (busy_since_us_ != 0) n.active_us += us;
  // CONFIG RESETSTAT may have run.
  if (n.commands_processed > commands_before) {
    n.eventloop_cmd_max = std::max(n.eventloop_cmd_max, n.commands_processed - commands_before);
  }
  busy_since_us_ = 0;
  cron_us_ = 0;
}

void Reactor::execute(Connection& c, Pending& p) {
  if (c.turn_requests > 0) c.turn_requests--;
  touch(c);
  // The clock at the time of reading was that of an earlier turn.
  c.last_interaction_s = engine_->core.wall_s;
  if (halted_ || c.closing || c.flags.close_after_reply) {
    if (p.request.bufs != nullptr) SavedRequest drop(p.request);
    return;
  }
  if (c.blocked != Blocked::kNo) {
    postpone(c, p);
    return;
  }
  const Executed how = engine_->execute(c, p);
  if (how == Executed::kPostponed) {
    postpone(c, p);
    return;
  }
  if (how == Executed::kBlocked) {
    wait(c, p);
    return;
  }
  executed(c, p);
  // A pipeline must not pile up replies beyond the limit before the turn's end.
  if ((c.out.bytes() > kReplyBufferMax || engine_->core.settings.enforce_reply_list) &&
      engine_->enforce_output_limit(c)) {
    return;
  }
  if (c.has_rest) {
    c.has_rest = false;
    parse_rest(c);
  }
}

// What follows a command that ran.
void Reactor::executed(Connection& c, Pending& p) {
  if (p.request.bufs != nullptr) {
    for (uint32_t i = 0; i < p.request.argc; i++) {
      if (p.request.bufs[i] != nullptr) p.request.bufs[i]->release();
    }
  }
  c.flags.reply_skip = c.flags.reply_skip_next;
  c.flags.reply_skip_next = false;
  if (!c.out.empty() || c.flags.close_after_reply) queue_flush(c);
  engine_->client_changed(c);
}

void Reactor::pause_reading(Connection& c) {
  engine_->core.blocked_clients++;
  c.reading = false;
  poller_->watch(c.handle, false, c.writing);
}

void Reactor::postpone(Connection& c, Pending& p) {
  if (c.saved.empty()) {
    postponed_.push_back(&c);
    pause_reading(c);
  }
  c.saved.emplace_back(p.request);
}

// The client waits for a key or a task; its request is the first of those saved.
void Reactor::wait(Connection& c, Pending& p) {
  if (c.reading) pause_reading(c);
  c.saved.emplace_front(p.request);
  if (c.waits == nullptr) return;
  for (const auto& [i, value] : c.waits->new_args) c.saved.front().set_arg(i, value);
}

void Reactor::rerun(Connection& c) {
  Pending p;
  {
    SavedRequest saved = std::move(c.saved.front());
    c.saved.pop_front();
    p.request = saved.restore(&args_);
  }
  engine_->prepare(&p, nullptr, c.db);
  switch (engine_->execute(c, p)) {
    case Executed::kBlocked:
      wait(c, p);
      return;
    case Executed::kPostponed:
      c.saved.emplace_front(p.request);
      postponed_.push_back(&c);
      return;
    case Executed::kDone:
      executed(c, p);
      go_on(c);
      return;
  }
}

void Reactor::unblocked(Connection& c) {
  c.saved.pop_front();
  queue_flush(c);
  go_on(c);
}

// Reads again and takes up what was saved.
void Reactor::go_on(Connection& c) {
  engine_->core.blocked_clients--;
  if (c.closing) return;
  c.blocked = Blocked::kNo;
  c.reading = true;
  poller_->watch(c.handle, true, c.writing);
  // Running a saved request may save it again, so none of them stays where it is.
  for (SavedRequest& s : c.saved) {
    Item item(&c);
    item.pending.request = s.restore(&args_);
    engine_->prepare(&item.pending, nullptr, c.db);
    items_.push_back(item);
  }
  c.saved.clear();
  if (!in_turn_ && !items_.empty()) poller_->wake();
}

void Reactor::resume_postponed() {
  std::vector<Connection*> list;
  list.swap(postponed_);
  for (Connection* c : list) go_on(*c);
}

// ------------------------------------------------------------------ reply

void Reactor::queue_flush(Connection& c) {
  if (c.flush_queued || c.closing) return;
  c.flush_queued = true;
  touch(c);
  flushing_.push_back(&c);
  if (!in_turn_) poller_->wake();
}

void Reactor::output_added(Connection& c) {
  queue_flush(c);
  engine_->client_changed(c);
}

void Reactor::writable(Connection& c) {
  touch(c);
  if (!flush(c)) return;
  c.out.settle();
}

// Sends what the socket takes. False: the connection is being closed.
bool Reactor::flush(Connection& c) {
  Core& core = engine_->core;
  const size_t had = c.out.bytes();
  if (had > c.output_peak) c.output_peak = std::min(had, c.reply_buffer);
  while (!c.out.empty()) {
    iovec iov[kIovecs];
    const int n = c.out.peek(iov, kIovecs);
    ssize_t sent;
    if (n == 1) {
      sent = ::send(c.fd, iov[0].iov_base, iov[0].iov_len, MSG_NOSIGNAL);
    } else {
      msghdr m{};
      m.msg_iov = iov;
      m.msg_iovlen = static_cast<size_t>(n);
      sent = ::sendmsg(c.fd, &m, MSG_NOSIGNAL);
    }
    core.counters.total_writes++;
    if (sent < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) break;
      core.log(LogLevel::kVerbose, "Error writing to client: %s", strerror(errno));
      close(c);
      return false;
    }
    c.last_interaction_s = core.wall_s;
    c.net_out += static_cast<uint64_t>(sent);
    core.counters.net_output += static_cast<uint64_t>(sent);
    c.out.consume(static_cast<size_t>(sent));
  }
  const bool more = !c.out.empty();
  if (more != c.writing) {
    c.writing = more;
    poller_->watch(c.handle, c.reading, more);
  }
  if (!more) {
    c.soft_limit_since_s = 0;
    if (c.flags.close_after_reply) {
      close(c);
      return false;
    }
  }
  return true;
}

// ------------------------------------------------------------------ closing

void Reactor::close(Connection& c) {
  c.flags.close_asap = true;
  if (c.closing) return;
  c.closing = true;
  // For everybody else it is gone at once.
  engine_->core.clients.erase(c.id);
  engine_->core.client_memory.forget(c);
  if (c.blocked == Blocked::kKeys || c.blocked == Blocked::kTask) engine_->core.blocked_clients--;
  engine_->forget(c);
  if (c.handle != nullptr) {
    poller_->remove(c.handle);
    c.handle = nullptr;
  }
  closing_.push_back(&c);
  if (!in_turn_) poller_->wake();
}

void Reactor::free_closed() {
  for (Connection* c : closing_) {
    if (!c->saved.empty()) {
      const auto at = std::find(postponed_.begin(), postponed_.end(), c);
      if (at != postponed_.end()) {
        postponed_.erase(at);
        engine_->core.blocked_clients--;
      }
    }
    if (c->unread) unread_.erase(std::remove(unread_.begin(), unread_.end(), c), unread_.end());
    c->out.clear();
    connections_.erase(c->id);
  }
  closing_.clear();
}

// ------------------------------------------------------------------ background

void Reactor::cron(int64_t hz) {
  Core& core = engine_->core;
  const uint64_t began = mono_us();
  engine_->cron(hz);
  engine_->load.cron(core.counters, hz);
  core.client_peaks.advance(core.wall_s);
  if (engine_->pause_loosened()) resume_postponed();
  // Every client is looked at about once a second.
  size_t n = std::max<size_t>(5, core.clients.size() / static_cast<size_t>(std::max<int64_t>(1, hz)));
  n = std::min(n, core.clients.size());
  auto it = core.clients.upper_bound(cron_cursor_);
  for (; n > 0 && !core.clients.empty(); n--) {
    if (it == core.clients.end()) it = core.clients.begin();
    auto& c = static_cast<Connection&>(*it->second);
    cron_cursor_ = it->first;
    ++it;
    if (c.closing) continue;
    if (core.settings.timeout_s > 0 && c.blocked == Blocked::kNo &&
        c.client_class() == ClientClass::kNormal && !c.flags.monitor &&
        core.wall_s - c.last_interaction_s > core.settings.timeout_s) {
      core.log(LogLevel::kVerbose, "Closing idle client");
      close(c);
      continue;
    }
    touch(c);
    c.parser.trim(core.wall_s - c.last_interaction_s > 2);
    core.client_peaks.note(c.query_size() + c.query_free() + c.argv_memory(), c.limited_output());
    // The size a fixed reply buffer would have: halves for a client whose replies are small, doubles when
    // full.
    const size_t half = c.reply_buffer / 2;
    if (!core.debug.reply_buffer_resizing) {
      // As it is.
    } else if (half >= kReplyBufferMin && c.output_peak < half) {
      c.reply_buffer = std::max(kReplyBufferMin, c.output_peak + 1);
      core.counters.reply_buffer_shrinks++;
    } else if (c.reply_buffer * 2 < kReplyBufferMax * 2 && c.output_peak == c.reply_buffer) {
      c.reply_buffer = std::min(kReplyBufferMax, c.reply_buffer * 2);
      core.counters.reply_buffer_expands++;
    }
    const int64_t reset_ms = core.settings.reply_peak_reset_ms;
    if (reset_ms >= 0 && core.wall_ms - c.output_peak_reset_ms >= reset_ms) {
      c.output_peak = std::min(c.out.bytes(), c.reply_buffer);
      c.output_peak_reset_ms = core.wall_ms;
    }
    engine_->enforce_output_limit(c);
  }
  mem_upkeep(began);
  if (core.wall_s != trimmed_s_) {
    trimmed_s_ = core.wall_s;
    input_.trim();
  }
  if (core.tracking.clients() > 0) core.tracking.limit_keys();
  if (engine_->wants_turn()) poller_->wake();
  // What expired meanwhile is written, and what was written synced.
  if (engine_->aof.active()) persist();
  const uint64_t us = mono_us() - began;
  core.counters.eventloop_cron_us += us;
  cron_us_ += us;
}

}  // namespace kvasir
