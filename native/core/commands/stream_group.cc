// Consumer groups: making and dropping them and their consumers, and what is pending for whom.
#include <algorithm>
#include <limits>
#include <vector>

#include "commands/integer_args.h"
#include "commands/stream_args.h"

namespace kvasir {

namespace {

// ------------------------------------------------------------------ XGROUP

struct GroupArguments {
  Stream* stream = nullptr;
  StreamGroup* group = nullptr;
  bool mkstream = false;
  int64_t entries_read = StreamGroup::kUnknown;
};

// Options, the key and the group. False: an error was replied.
bool parse_group(const Call& call, bool creates, bool sets, bool needs_group, GroupArguments* a) {
  for (int i = 5; i < call.argc();) {
    if (creates && equals_nocase(call.arg(i), "mkstream")) {
      a->mkstream = true;
      i++;
    } else if ((creates || sets) && i + 1 < call.argc() && equals_nocase(call.arg(i), "entriesread")) {
      if (!parse_number(call, i + 1, &a->entries_read)) return false;
      if (a->entries_read < 0 && a->entries_read != StreamGroup::kUnknown) {
        call.reply().error("ERR value for ENTRIESREAD must be positive or -1");
        return false;
      }
      i += 2;
    } else {
      subcommand_syntax_error(call, "XGROUP");
      return false;
    }
  }
  const FoundStream found = write_stream(call, 2);
  if (found.wrong) return false;
  a->stream = found.stream;
  if (a->mkstream) return true;
  if (!found) {
    call.reply().error(
        "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the "
        "MKSTREAM option to create an empty stream automatically.");
    return false;
  }
  a->group = found->group(call.arg(3));
  if (a->group == nullptr && needs_group) {
    call.reply().errorf("NOGROUP No such consumer group '%s' for key name '%s'", call.arg(3).str().c_str(),
                        call.arg(2).str().c_str());
    return false;
  }
  return true;
}

void changed(const Call& call, const char* event) {
  call.ks().dirty++;
  call.ks().notify(kNotifyStream, event, call.arg(2), call.db());
}

// XGROUP CREATE key group id|$ [MKSTREAM] [ENTRIESREAD n]
void create_command(Call& call) {
  GroupArguments a;
  if (!parse_group(call, true, false, false, &a)) return;
  if (call.argc() > 8) return subcommand_syntax_error(call, "XGROUP");
  StreamId id;
  if (is_sign(call.arg(4), '$')) {
    if (a.stream != nullptr) id = a.stream->last_id;
  } else if (!parse_stream_id(call, 4, &id)) {
    return;
  }
  if (a.stream == nullptr) {
    const Collection c = Stream::make();
    a.stream = &Stream::of(c);
    const KeyRef k = call.key(2);
    call.ks().add(call.db(), k, Entry::make_collection(k.key, Type::kStream, c));
    call.ks().modified(call.db(), k.key);
  }
  if (a.stream->add_group(call.arg(3), id, a.entries_read) == nullptr) {
    return call.reply().error("BUSYGROUP Consumer Group name already exists");
  }
  changed(call, "xgroup-create");
  call.reply().ok();
}

// XGROUP SETID key group id|$ [ENTRIESREAD n]
void setid_command(Call& call) {
  GroupArguments a;
  if (!parse_group(call, false, true, true, &a)) return;
  if (call.argc() != 5 && call.argc() != 7) return subcommand_syntax_error(call, "XGROUP");
  StreamId id;
  if (is_sign(call.arg(4), '$')) {
    id = a.stream->last_id;
  } else if (!parse_stream_bound(call, 4, &id, 0)) {
    return;
  }
  a.group->last_id = id;
  a.group->entries_read = a.entries_read;
  changed(call, "xgroup-setid");
  call.reply().ok();
}

void destroy_command(Call& call) {
  GroupArguments a;
  if (!parse_group(call, false, false, false, &a)) return;
  if (a.group == nullptr) return call.reply().integer(0);
  a.stream->remove_group(a.group);
  changed(call, "xgroup-destroy");
  call.reply().integer(1);
  // Who waits for the group is to hear that it has gone.
  call.ks().ready(call.db(), call.arg(2), Type::kStream);
}

void createconsumer_command(Call& call) {
  GroupArguments a;
  if (!parse_group(call, false, false, true, &a)) return;
  Consumer* c = a.group->add_consumer(call.arg(4));
  if (c != nullptr) {
    c->seen_ms = call.ks().now_ms;
    changed(call, "xgroup-createconsumer");
  }
  call.reply().integer(c != nullptr ? 1 : 0);
}

void delconsumer_command(Call& call) {
  GroupArguments a;
  if (!parse_group(call, false, false, true, &a)) return;
  size_t pending = 0;
  if (Consumer* c = a.group->consumer(call.arg(4))) {
    pending = c->pending.size();
    a.group->remove_consumer(c);
    changed(call, "xgroup-delconsumer");
  }
  call.reply().integer(static_cast<int64_t>(pending));
}

// ------------------------------------------------------------------ XACK, XPENDING

void xack_command(Call& call) {
  const FoundStream s = read_stream(call, 1);
  if (s.wrong) return;
  StreamGroup* g = s ? s->group(call.arg(2)) : nullptr;
  if (g == nullptr) return call.reply().integer(0);
  StreamIds ids(static_cast<size_t>(call.argc() - 3));
  if (!parse_stream_ids(call, 3, &ids)) return;
  int64_t acknowledged = 0;
  for (const StreamId& id : ids) acknowledged += g->acknowledge(id) ? 1 : 0;
  call.ks().dirty += static_cast<uint64_t>(acknowledged);
  call.reply().integer(acknowledged);
}

void reply_pending_summary(const Call& call, const StreamGroup& g) {
  Reply& reply = call.reply();
  reply.array(4);
  reply.integer(static_cast<int64_t>(g.pending().size()));
  if (g.pending().empty()) {
    reply.null();
    reply.null();
    reply.null_array();
    return;
  }
  reply_id(call, g.pending().first().key());
  reply_id(call, g.pending().last().key());
  const Output::Mark head = reply.begin_aggregate();
  int64_t consumers = 0;
  for (Consumers::Place p = g.consumers().first(); p; p.next()) {
    const Consumer& c = *p.key();
    if (c.pending.empty()) continue;
    reply.array(2);
    reply.bulk(c.name());
    reply.bulk_integer(static_cast<int64_t>(c.pending.size()));
    consumers++;
  }
  reply.end_array(head, consumers);
}

struct PendingRange {
  StreamId from, to;
  int64_t count = 0;
  int64_t min_idle_ms = 0;
  int consumer_arg = 0;  // 0: of all
};

// [IDLE ms] start end count [consumer]
bool parse_pending_range(const Call& call, PendingRange* r) {
  int arg = 3;
  if (equals_nocase(call.arg(arg), "idle")) {
    if (!parse_number(call, arg + 1, &r->min_idle_ms)) return false;
    if (call.argc() < 8) {
      call.syntax_error();
      return false;
    }
    arg += 2;
  }
  if (!parse_number(call, arg + 2, &r->count)) return false;
  if (!parse_interval_start(call, arg, &r->from) || !parse_interval_end(call, arg + 1, &r->to)) return false;
  if (arg + 3 < call.argc()) r->consumer_arg = arg + 3;
  return true;
}

// False: enough have been replied.
class PendingReply {
 public:
  PendingReply(const Call& call, const PendingRange& range) : call_(call), range_(range) {}
  [[nodiscard]] bool full() const { return n_ >= range_.count; }
  void entry(const StreamId& id, const PendingEntry& p) {
    const int64_t idle = static_cast<int64_t>(static_cast<uint64_t>(call_.ks().now_ms) -
                                              static_cast<uint64_t>(p.delivered_ms));
    if (range_.min_idle_ms != 0 && idle < range_.min_idle_ms) return;
    Reply& reply = call_.reply();
    reply.array(4);
    reply_id(call_, id);
    reply.bulk(p.consumer->name());
    reply.integer(std::max<int64_t>(idle, 0));
    reply.integer(static_cast<int64_t>(p.deliveries));
    n_++;
  }
  [[nodiscard]] int64_t entries() const { return n_; }

 private:
  const Call& call_;
  const PendingRange& range_;
  int64_t n_ = 0;
};

void reply_pending_entries(const Call& call, const StreamGroup& g, const PendingRange& r) {
  const Consumer* c = nullptr;
  if (r.consumer_arg != 0) {
    c = g.consumer(call.arg(r.consumer_arg));
    if (c == nullptr) return call.reply().array(0);
  }
  const Output::Mark head = call.reply().begin_aggregate();
  PendingReply out(call, r);
  if (c == nullptr) {
    for (auto p = g.pending().at_or_after(r.from); p && !out.full() && p.key() <= r.to; p.next()) {
      out.entry(p.key(), p.value());
    }
  } else {
    for (auto p = c->pending.at_or_after(r.from); p && !out.full() && p.key() <= r.to; p.next()) {
      out.entry(p.key(), g.pending().find(p.key()).value());
    }
  }
  call.reply().end_array(head, out.entries());
}

// XPENDING key group [[IDLE ms] start end count [consumer]]
void xpending_command(Call& call) {
  const bool summary = call.argc() == 3;
  if (!summary && (call.argc() < 6 || call.argc() > 9)) return call.syntax_error();
  PendingRange r;
  if (!summary && !parse_pending_range(call, &r)) return;
  Stream* s;
  const StreamGroup* g = read_group(call, 1, 2, &s);
  if (g == nullptr) return;
  summary ? reply_pending_summary(call, *g) : reply_pending_entries(call, *g, r);
}

// ------------------------------------------------------------------ XCLAIM

struct ClaimArguments {
  int64_t min_idle_ms = 0;
  int ids = 0;  // from argument 5 on
  int64_t delivered_ms = -1;
  int64_t deliveries = -1;
  bool force = false, just_id = false;
  StreamId last_id;
};

// False: an error was replied.
bool parse_min_idle(const Call& call, const char* error, int64_t* ms) {
  if (!parse_i64(call.arg(4), ms)) {
    call.reply().error(error);
    return false;
  }
  *ms = std::max<int64_t>(*ms, 0);
  return true;
}

bool parse_claim_option(const Call& call, int* arg, ClaimArguments* a) {
  const Slice word = call.arg(*arg);
  const bool more = *arg + 1 < call.argc();
  const auto number = [&](const char* error, int64_t* v) {
    if (parse_i64(call.arg(++*arg), v)) return true;
    call.reply().error(error);
    return false;
  };
  if (equals_nocase(word, "force")) {
    a->force = true;
  } else if (equals_nocase(word, "justid")) {
    a->just_id = true;
  } else if (more && equals_nocase(word, "idle")) {
    if (!number("ERR Invalid IDLE option argument for XCLAIM", &a->delivered_ms)) return false;
    a->delivered_ms = static_cast<int64_t>(static_cast<uint64_t>(call.ks().now_ms) -
                                           static_cast<uint64_t>(a->delivered_ms));
  } else if (more && equals_nocase(word, "time")) {
    return number("ERR Invalid TIME option argument for XCLAIM", &a->delivered_ms);
  } else if (more && equals_nocase(word, "retrycount")) {
    return number("ERR Invalid RETRYCOUNT option argument for XCLAIM", &a->deliveries);
  } else if (more && equals_nocase(word, "lastid")) {
    return parse_stream_id(call, ++*arg, &a->last_id);
  } else {
    call.reply().errorf("ERR Unrecognized XCLAIM option '%s'", word.str().c_str());
    return false;
  }
  return true;
}

void reply_claimed(const Call& call, const Stream& s, const StreamId& id, bool just_id) {
  if (just_id) return reply_id(call, id);
  StreamReader reader(s, id, id);
  if (reader.next()) reply_entry(call, reader);
}

// Claims one entry for the consumer, or forgets it if it was deleted. True: it is in the reply.
bool claim(const Call& call, const Stream& s, StreamGroup* g, Consumer* c, const StreamId& id, Slice id_text,
           const ClaimArguments& a) {
  const Slice key = call.arg(1);
  const PendingEntries::Place place = g->pending().find(id);
  if (!s.contains(id)) {
    if (!place) return false;
    propagate_claim(call, key, *g, id_text, place.value());
    g->acknowledge(id);
    call.ks().dirty++;
    return false;
  }
  if (!place && !a.force) return false;
  if (place && a.min_idle_ms != 0) {
    const auto idle = static_cast<int64_t>(static_cast<uint64_t>(call.ks().now_ms) -
                                           static_cast<uint64_t>(place.value().delivered_ms));
    if (idle < a.min_idle_ms) return false;
  }
  bool added;
  PendingEntry& entry = g->assign(id, c, &added);
  if (added) entry.deliveries = 1;
  entry.delivered_ms = a.delivered_ms;
  if (a.deliveries >= 0) {
    entry.deliveries = static_cast<uint64_t>(a.deliveries);
  } else if (!a.just_id) {
    entry.deliveries++;
  }
  reply_claimed(call, s, id, a.just_id);
  c->active_ms = call.ks().now_ms;
  propagate_claim(call, key, *g, id_text, entry);
  call.ks().dirty++;
  return true;
}

// XCLAIM key group consumer min-idle-time id ... [IDLE ms] [TIME ms] [RETRYCOUNT n] [FORCE] [JUSTID] [LASTID
// id]
void xclaim_command(Call& call) {
  ClaimArguments a;
  Stream* s;
  StreamGroup* g = read_group(call, 1, 2, &s);
  if (g == nullptr) return;
  if (!parse_min_idle(call, "ERR Invalid min-idle-time argument for XCLAIM", &a.min_idle_ms)) return;
  StreamIds ids(static_cast<size_t>(call.argc() - 5));
  // What is no id is the first option.
  int arg = 5;
  while (arg < call.argc() && parse_stream_id(call.arg(arg), 0, &ids[static_cast<size_t>(arg - 5)])) arg++;
  a.ids = arg - 5;
  for (; arg < call.argc(); arg++) {
    if (!parse_claim_option(call, &arg, &a)) return;
  }
  Keyspace& ks = call.ks();
  call.propagation().suppress();
  Consumer* c = seen_consumer(call, call.arg(1), g, call.arg(3));
  bool advanced = a.last_id > g->last_id;
  if (advanced) g->last_id = a.last_id;
  if (a.delivered_ms < 0 || a.delivered_ms > ks.now_ms) a.delivered_ms = ks.now_ms;
  const Output::Mark head = call.reply().begin_aggregate();
  int64_t claimed = 0;
  for (int i = 0; i < a.ids; i++) {
    const uint64_t dirty = ks.dirty;
    if (claim(call, *s, g, c, ids[static_cast<size_t>(i)], call.arg(5 + i), a)) claimed++;
    // A claim that was propagated says how far the group has read.
    if (ks.dirty != dirty) advanced = false;
  }
  if (advanced) {
    propagate_group_id(call, call.arg(1), *g);
    ks.dirty++;
  }
  call.reply().end_array(head, claimed);
}

// ------------------------------------------------------------------ XAUTOCLAIM

struct AutoclaimArguments {
  int64_t min_idle_ms = 0;
  StreamId start;
  int64_t count = 100;
  bool just_id = false;
};

// Of pending entries that are looked at in vain, so many for each one wanted.
constexpr int64_t kAttempts = 10;
// What no machine has the memory for.
constexpr int64_t kCountTooHigh = int64_t{1} << 43;

bool parse_autoclaim(const Call& call, AutoclaimArguments* a) {
  if (!parse_min_idle(call, "ERR Invalid min-idle-time argument for XAUTOCLAIM", &a->min_idle_ms))
    return false;
  if (!parse_interval_start(call, 5, &a->start)) return false;
  for (int i = 6; i < call.argc(); i++) {
    if (i + 1 < call.argc() && equals_nocase(call.arg(i), "count")) {
      constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / StreamId::kBytes;
      if (!parse_in_range(call, ++i, 1, kMost, &a->count, "ERR COUNT must be > 0")) return false;
    } else if (equals_nocase(call.arg(i), "justid")) {
      a->just_id = true;
    } else {
      call.syntax_error();
      return false;
    }
  }
  return true;
}

struct Autoclaimed {
  std::vector<StreamId> claimed, deleted;
  StreamId next;  // the first pending entry that was not looked at; 0-0 at the end
};

void autoclaim(const Call& call, const Stream& s, StreamGroup* g, Consumer* c, const AutoclaimArguments& a,
               Autoclaimed* out) {
  const Slice key = call.arg(1);
  const int64_t now = call.ks().now_ms;
  int64_t wanted = a.count;
  PendingEntries::Place place = g->pending().at_or_after(a.start);
  for (int64_t attempts = a.count * kAttempts; place && attempts > 0 && wanted > 0; attempts--) {
    const StreamId id = place.key();
    const StreamIdText text(id);
    if (!s.contains(id)) {
      propagate_claim(call, key, *g, text.slice(), place.value());
      g->acknowledge(id);
      out->deleted.push_back(id);
      place = g->pending().at_or_after(id);
    } else {
      const auto idle = static_cast<int64_t>(static_cast<uint64_t>(now) -
                                             static_cast<uint64_t>(place.value().delivered_ms));
      place.next();
      if (a.min_idle_ms != 0 && idle < a.min_idle_ms) continue;
      PendingEntry& entry = g->assign(id, c);
      entry.delivered_ms = c->active_ms = now;
      if (!a.just_id) entry.deliveries++;
      propagate_claim(call, key, *g, text.slice(), entry);
      out->claimed.push_back(id);
    }
    wanted--;
    call.ks().dirty++;
  }
  if (place) out->next = place.key();
}

// XAUTOCLAIM key group consumer min-idle-time start [COUNT n] [JUSTID]
void xautoclaim_command(Call& call) {
  AutoclaimArguments a;
  // (The key counts as read whatever the other arguments are.)
  const Entry* e = call.ks().lookup_read(call.db(), call.key(1));
  if (!parse_autoclaim(call, &a)) return;
  Stream* s;
  StreamGroup* g = find_group(call, e, 1, 2, &s);
  if (g == nullptr) return;
  Reply& reply = call.reply();
  if (a.count >= kCountTooHigh) {
    return reply.error("ERR Insufficient memory, failed allocating transient memory, COUNT too high.");
  }
  call.propagation().suppress();
  Consumer* c = seen_consumer(call, call.arg(1), g, call.arg(3));
  Autoclaimed done;
  autoclaim(call, *s, g, c, a, &done);
  reply.array(3);
  reply_id(call, done.next);
  reply.array(static_cast<int64_t>(done.claimed.size()));
  for (const StreamId& id : done.claimed) reply_claimed(call, *s, id, a.just_id);
  reply.array(static_cast<int64_t>(done.deleted.size()));
  for (const StreamId& id : done.deleted) reply_id(call, id);
}

}  // namespace

void register_stream_group_commands(HandlerMap& map) {
  map["xgroup|create"] = create_command;
  map["xgroup|setid"] = setid_command;
  map["xgroup|destroy"] = destroy_command;
  map["xgroup|createconsumer"] = createconsumer_command;
  map["xgroup|delconsumer"] = delconsumer_command;
  map["xack"] = xack_command;
  map["xpending"] = xpending_command;
  map["xclaim"] = xclaim_command;
  map["xautoclaim"] = xautoclaim_command;
}

}  // namespace kvasir
