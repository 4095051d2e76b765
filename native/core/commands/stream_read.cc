// XREAD and XREADGROUP: reading several streams, at once or when one of them has something.
//
// A client that waits runs its command again, whole, when a stream is added to. XREADGROUP also runs again
// when a key goes or its group does, to say that there is nothing to wait for any more.
#include <algorithm>
#include <string>
#include <vector>

#include "commands/block_timeout.h"
#include "commands/blocking.h"
#include "commands/stream_args.h"

namespace kvasir {

namespace {

struct ReadArguments {
  bool group_command;
  int group_arg = 0;  // the consumer's name follows
  int first = 0;      // of the keys; as many ids follow
  int streams = 0;
  uint64_t count = 0;  // 0: all
  bool blocks = false, acknowledged = false;
  int64_t deadline_ms = kNoDeadline;

  [[nodiscard]] int key_arg(int i) const { return first + i; }
  [[nodiscard]] int id_arg(int i) const { return first + streams + i; }
};

// One of the streams.
struct Source {
  Stream* stream = nullptr;      // nullptr: the key is not there
  StreamGroup* group = nullptr;  // XREADGROUP
  StreamId after;                // what is wanted comes after it
  bool undelivered = false;      // ">": what the group has not delivered
};
using Sources = FewOrMany<Source>;

bool only_for_groups(const Call& call, const char* option) {
  call.reply().errorf("ERR The %s option is only supported by XREADGROUP. You called XREAD instead.", option);
  return false;
}

bool parse_read(const Call& call, ReadArguments* a) {
  Reply& reply = call.reply();
  for (int i = 1; i < call.argc() && a->first == 0; i++) {
    const int more = call.argc() - i - 1;
    const Slice word = call.arg(i);
    if (more > 0 && equals_nocase(word, "block")) {
      if (!parse_block_ms(call, ++i, &a->deadline_ms)) return false;
      a->blocks = true;
    } else if (more > 0 && equals_nocase(word, "count")) {
      int64_t n;
      if (!parse_number(call, ++i, &n)) return false;
      a->count = n < 0 ? 0 : static_cast<uint64_t>(n);
    } else if (more > 0 && equals_nocase(word, "streams")) {
      if (more % 2 != 0) {
        reply.errorf(
            "ERR Unbalanced '%s' list of streams: for each stream key an ID or '%c' must be specified.",
            call.command.fullname.c_str(), a->group_command ? '>' : '$');
        return false;
      }
      a->first = i + 1;
      a->streams = more / 2;
    } else if (more > 1 && equals_nocase(word, "group")) {
      if (!a->group_command) return only_for_groups(call, "GROUP");
      a->group_arg = i + 1;
      i += 2;
    } else if (equals_nocase(word, "noack")) {
      if (!a->group_command) return only_for_groups(call, "NOACK");
      a->acknowledged = true;
    } else {
      call.syntax_error();
      return false;
    }
  }
  if (a->first == 0) {
    call.syntax_error();
    return false;
  }
  if (a->group_command && a->group_arg == 0) {
    reply.error("ERR Missing GROUP option for XREADGROUP");
    return false;
  }
  return true;
}

bool meaningless(const Call& call, char sign) {
  call.reply().errorf(
      "ERR The %c ID is meaningless in the context of XREADGROUP: you want to read the history of this "
      "consumer "
      "by specifying a proper ID, or use the > ID to get new messages. The %c ID would just return an empty "
      "result set.",
      sign, sign);
  return false;
}

bool parse_position(const Call& call, const ReadArguments& a, int i, Source* from) {
  const int arg = a.id_arg(i);
  const Slice text = call.arg(arg);
  if (is_sign(text, '$')) {
    if (a.group_command) return meaningless(call, '$');
    if (from->stream != nullptr) from->after = from->stream->last_id;
    return true;
  }
  if (is_sign(text, '+')) {
    if (a.group_command) return meaningless(call, '+');
    if (from->stream == nullptr || from->stream->length == 0) return true;
    from->after = from->stream->last_id;
    if (from->after.decrement()) return true;
    call.reply().error("ERR the stream last element ID is 0-0");
    return false;
  }
  if (is_sign(text, '>')) {
    if (!a.group_command) {
      call.reply().error(
          "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> "
          "option.");
      return false;
    }
    from->after = StreamId::greatest();
  } else if (!parse_stream_id(call, arg, &from->after)) {
    return false;
  }
  from->undelivered = a.group_command && from->after == StreamId::greatest();
  return true;
}

bool find_sources(const Call& call, const ReadArguments& a, Sources* sources) {
  for (int i = 0; i < a.streams; i++) {
    Source& from = (*sources)[static_cast<size_t>(i)];
    const FoundStream found = read_stream(call, a.key_arg(i));
    if (found.wrong) return false;
    from.stream = found.stream;
    if (a.group_command) {
      from.group = found ? found->group(call.arg(a.group_arg)) : nullptr;
      if (from.group == nullptr) {
        call.reply().errorf("NOGROUP No such key '%s' or consumer group '%s' in XREADGROUP with GROUP option",
                            call.arg(a.key_arg(i)).str().c_str(), call.arg(a.group_arg).str().c_str());
        return false;
      }
    }
    if (!parse_position(call, a, i, &from)) return false;
  }
  return true;
}

// ------------------------------------------------------------------ replying

// What the consumer was given before and has not acknowledged, in the order of ids.
void reply_history(const Call& call, const Stream& s, const StreamGroup& g, const Consumer& c,
                   const StreamId& from, uint64_t count) {
  const Output::Mark head = call.reply().begin_aggregate();
  uint64_t n = 0;
  for (PendingIds::Place p = c.pending.at_or_after(from); p && (count == 0 || n < count); p.next(), n++) {
    StreamReader reader(s, p.key(), p.key());
    if (!reader.next()) {
      // Deleted from the stream, but nobody has told the consumer.
      call.reply().array(2);
      reply_id(call, p.key());
      call.reply().null_array();
      continue;
    }
    reply_entry(call, reader);
    PendingEntry& entry = g.pending().find(p.key()).value();
    entry.delivered_ms = call.ks().now_ms;
    entry.deliveries++;
  }
  call.reply().end_array(head, static_cast<int64_t>(n));
}

// Entries that the group has not delivered yet: they become the consumer's.
void deliver(const Call& call, Slice key, const Source& from, Consumer* c, uint64_t count,
             bool acknowledged) {
  const Output::Mark head = call.reply().begin_aggregate();
  StreamGroup& g = *from.group;
  StreamId start = from.after;
  start.increment();
  StreamReader reader(*from.stream, start, StreamId::greatest());
  uint64_t n = 0;
  bool advanced = false;
  while ((count == 0 || n < count) && reader.next()) {
    n++;
    if (reader.id() > g.last_id) {
      from.stream->advance(&g, reader.id());
      advanced = true;
    }
    reply_entry(call, reader);
    if (acknowledged) continue;
    // After XGROUP SETID it may be pending already, for whomever.
    PendingEntry& entry = g.assign(reader.id(), c);
    entry.delivered_ms = c->active_ms = call.ks().now_ms;
    entry.deliveries = 1;
    propagate_claim(call, key, g, StreamIdText(reader.id()).slice(), entry);
  }
  if (advanced) propagate_group_id(call, key, g);
  call.reply().end_array(head, static_cast<int64_t>(n));
}

// Whether there is something for it; if so, undelivered entries are those behind the group's last one.
bool has_something(Source* from) {
  if (from->group != nullptr && !from->undelivered) return true;
  const StreamId after = from->group != nullptr ? from->group->last_id : from->after;
  if (from->stream->length == 0 || from->stream->last_id <= after) return false;
  if (from->stream->last_live() <= after) return false;
  from->after = after;
  return true;
}

// How many streams had something, which was replied, all but the header of the reply.
int serve(const Call& call, const ReadArguments& a, Sources* sources, Output::Mark* head) {
  int served = 0;
  for (int i = 0; i < a.streams; i++) {
    Source& from = (*sources)[static_cast<size_t>(i)];
    const Slice key = call.arg(a.key_arg(i));
    if (from.stream == nullptr) {
      // The original looks twice, and counts twice.
      call.ks().lookup_read(call.db(), call.key(a.key_arg(i)));
      continue;
    }
    call.ks().stats.hits++;
    const bool something = has_something(&from);
    Consumer* c = nullptr;
    if (from.group != nullptr) {
      bool created;
      c = seen_consumer(call, key, from.group, call.arg(a.group_arg + 1), &created);
      if (created && a.acknowledged && call.propagating()) {
        call.propagation().also({"XGROUP", "CREATECONSUMER", key, from.group->name(), c->name()});
      }
    }
    if (!something) continue;
    if (served++ == 0) *head = call.reply().begin_aggregate();
    if (call.reply().resp == 2) call.reply().array(2);
    call.reply().bulk(key);
    if (from.group == nullptr) {
      StreamId start = from.after;
      start.increment();
      reply_entries(call, *from.stream, start, StreamId::greatest(), a.count);
      continue;
    }
    if (from.undelivered) {
      deliver(call, key, from, c, a.count, a.acknowledged);
    } else {
      StreamId start = from.after;
      start.increment();
      reply_history(call, *from.stream, *from.group, *c, start, a.count);
    }
    call.ks().dirty++;
  }
  return served;
}

void wait_for_entries(const Call& call, const ReadArguments& a, Sources* sources) {
  std::vector<std::string> keys;
  keys.reserve(static_cast<size_t>(a.streams));
  for (int i = 0; i < a.streams; i++) keys.push_back(call.arg(a.key_arg(i)).str());
  BlockedOnKeys& waits = call.block(Type::kStream, std::move(keys), a.deadline_ms, a.group_command);
  for (int i = 0; i < a.streams; i++) {
    if (!is_sign(call.arg(a.id_arg(i)), '$')) continue;
    // When it runs again it wants what has come since now.
    waits.new_args.emplace_back(static_cast<size_t>(a.id_arg(i)),
                                StreamIdText((*sources)[static_cast<size_t>(i)].after).slice().str());
  }
}

void xread_generic(const Call& call, bool group_command) {
  ReadArguments a;
  a.group_command = group_command;
  if (!parse_read(call, &a)) return;
  // Replicas get what it does to the group, never the command.
  if (group_command) call.propagation().suppress();
  Sources sources(static_cast<size_t>(a.streams));
  if (!find_sources(call, a, &sources)) return;
  Output::Mark head;
  const int served = serve(call, a, &sources, &head);
  if (served > 0) {
    call.reply().resp == 2 ? call.reply().end_array(head, served) : call.reply().end_map(head, served);
  } else if (a.blocks && call.may_block()) {
    wait_for_entries(call, a, &sources);
  } else {
    call.reply().null_array();
  }
}

void xread_command(Call& call) { xread_generic(call, false); }
void xreadgroup_command(Call& call) { xread_generic(call, true); }

}  // namespace

void register_stream_read_commands(HandlerMap& map) {
  map["xread"] = xread_command;
  map["xreadgroup"] = xreadgroup_command;
}

}  // namespace kvasir
