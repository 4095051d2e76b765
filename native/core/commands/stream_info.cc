// XINFO: what a stream, its groups and their consumers are like.
#include <algorithm>

#include "commands/stream_args.h"

namespace kvasir {

namespace {

void field(const Call& call, const char* name, int64_t v) {
  call.reply().bulk(name);
  call.reply().integer(v);
}

void field(const Call& call, const char* name, const StreamId& id) {
  call.reply().bulk(name);
  reply_id(call, id);
}

void field(const Call& call, const char* name, Slice text) {
  call.reply().bulk(name);
  call.reply().bulk(text);
}

// What is not always known.
void field(const Call& call, const char* name, bool known, int64_t v) {
  call.reply().bulk(name);
  known ? call.reply().integer(v) : call.reply().null();
}

void progress_fields(const Call& call, const Stream& s, const StreamGroup& g) {
  int64_t lag = 0;
  field(call, "entries-read", g.entries_read != StreamGroup::kUnknown, g.entries_read);
  const bool known = s.lag(g, &lag);
  field(call, "lag", known, lag);
}

void stream_fields(const Call& call, const Stream& s) {
  field(call, "length", static_cast<int64_t>(s.length));
  field(call, "radix-tree-keys", static_cast<int64_t>(s.nodes().size()));
  field(call, "radix-tree-nodes", static_cast<int64_t>(s.nodes().radix_nodes()));
  field(call, "last-generated-id", s.last_id);
  field(call, "max-deleted-entry-id", s.max_deleted_id);
  field(call, "entries-added", static_cast<int64_t>(s.entries_added));
  field(call, "recorded-first-entry-id", s.first_id);
}

void reply_edge(const Call& call, const Stream& s, const char* name, bool last) {
  call.reply().bulk(name);
  StreamReader reader(s, {}, StreamId::greatest(), last);
  reader.next() ? reply_entry(call, reader) : call.reply().null();
}

// ------------------------------------------------------------------ XINFO STREAM ... FULL

// How many of n things are shown; count 0: all.
int64_t shown(size_t n, int64_t count) {
  return count == 0 ? static_cast<int64_t>(n) : std::min(static_cast<int64_t>(n), count);
}

void reply_group_pending(const Call& call, const StreamGroup& g, int64_t count) {
  Reply& reply = call.reply();
  int64_t left = shown(g.pending().size(), count);
  reply.bulk("pending");
  reply.array(left);
  for (PendingEntries::Place p = g.pending().first(); left > 0; p.next(), left--) {
    reply.array(4);
    reply_id(call, p.key());
    reply.bulk(p.value().consumer->name());
    reply.integer(p.value().delivered_ms);
    reply.integer(static_cast<int64_t>(p.value().deliveries));
  }
}

void reply_full_consumer(const Call& call, const StreamGroup& g, const Consumer& c, int64_t count) {
  Reply& reply = call.reply();
  reply.map(5);
  field(call, "name", c.name());
  field(call, "seen-time", c.seen_ms);
  field(call, "active-time", c.active_ms);
  field(call, "pel-count", static_cast<int64_t>(c.pending.size()));
  int64_t left = shown(c.pending.size(), count);
  reply.bulk("pending");
  reply.array(left);
  for (PendingIds::Place p = c.pending.first(); left > 0; p.next(), left--) {
    const PendingEntry& entry = g.pending().find(p.key()).value();
    reply.array(3);
    reply_id(call, p.key());
    reply.integer(entry.delivered_ms);
    reply.integer(static_cast<int64_t>(entry.deliveries));
  }
}

void reply_full_group(const Call& call, const Stream& s, const StreamGroup& g, int64_t count) {
  call.reply().map(7);
  field(call, "name", g.name());
  field(call, "last-delivered-id", g.last_id);
  progress_fields(call, s, g);
  field(call, "pel-count", static_cast<int64_t>(g.pending().size()));
  reply_group_pending(call, g, count);
  call.reply().bulk("consumers");
  call.reply().array(static_cast<int64_t>(g.consumers().size()));
  for (Consumers::Place p = g.consumers().first(); p; p.next()) reply_full_consumer(call, g, *p.key(), count);
}

void reply_full(const Call& call, const Stream& s, int64_t count) {
  call.reply().map(9);
  stream_fields(call, s);
  call.reply().bulk("entries");
  reply_entries(call, s, {}, StreamId::greatest(), static_cast<uint64_t>(count));
  call.reply().bulk("groups");
  call.reply().array(static_cast<int64_t>(s.group_count()));
  for (StreamGroups::Place p = s.first_group(); p; p.next()) reply_full_group(call, s, *p.key(), count);
}

// ------------------------------------------------------------------ the commands

// XINFO reads a key that must be there.
FoundStream stream_to_show(const Call& call) {
  const FoundStream s = read_stream(call, 2);
  if (!s && !s.wrong) call.reply().error("ERR no such key");
  return s;
}

// XINFO STREAM key [FULL [COUNT n]]
void stream_command(Call& call) {
  const FoundStream s = stream_to_show(call);
  if (!s) return;
  if (call.argc() == 3) {
    call.reply().map(10);
    stream_fields(call, *s.stream);
    field(call, "groups", static_cast<int64_t>(s->group_count()));
    reply_edge(call, *s.stream, "first-entry", false);
    reply_edge(call, *s.stream, "last-entry", true);
    return;
  }
  int64_t count = 10;
  if ((call.argc() != 4 && call.argc() != 6) || !equals_nocase(call.arg(3), "full") ||
      (call.argc() == 6 && !equals_nocase(call.arg(4), "count"))) {
    return subcommand_syntax_error(call, "XINFO");
  }
  if (call.argc() == 6 && !parse_number(call, 5, &count)) return;
  reply_full(call, *s.stream, count < 0 ? 10 : count);
}

void groups_command(Call& call) {
  const FoundStream s = stream_to_show(call);
  if (!s) return;
  call.reply().array(static_cast<int64_t>(s->group_count()));
  for (StreamGroups::Place p = s->first_group(); p; p.next()) {
    const StreamGroup& g = *p.key();
    call.reply().map(6);
    field(call, "name", g.name());
    field(call, "consumers", static_cast<int64_t>(g.consumers().size()));
    field(call, "pending", static_cast<int64_t>(g.pending().size()));
    field(call, "last-delivered-id", g.last_id);
    progress_fields(call, *s.stream, g);
  }
}

void consumers_command(Call& call) {
  const FoundStream s = stream_to_show(call);
  if (!s) return;
  const StreamGroup* g = s->group(call.arg(3));
  if (g == nullptr) {
    return call.reply().errorf("NOGROUP No such consumer group '%s' for key name '%s'",
                               call.arg(3).str().c_str(), call.arg(2).str().c_str());
  }
  const auto now = static_cast<uint64_t>(call.ks().now_ms);
  const auto since = [now](int64_t ms) { return static_cast<int64_t>(now - static_cast<uint64_t>(ms)); };
  call.reply().array(static_cast<int64_t>(g->consumers().size()));
  for (Consumers::Place p = g->consumers().first(); p; p.next()) {
    const Consumer& c = *p.key();
    call.reply().map(4);
    field(call, "name", c.name());
    field(call, "pending", static_cast<int64_t>(c.pending.size()));
    field(call, "idle", std::max<int64_t>(since(c.seen_ms), 0));
    field(call, "inactive", c.active_ms == Consumer::kNeverActive ? c.active_ms : since(c.active_ms));
  }
}

}  // namespace

void register_stream_info_commands(HandlerMap& map) {
  map["xinfo|stream"] = stream_command;
  map["xinfo|groups"] = groups_command;
  map["xinfo|consumers"] = consumers_command;
}

}  // namespace kvasir
