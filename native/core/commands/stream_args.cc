#include "commands/stream_args.h"

#include <algorithm>

#include "base/numbers.h"

namespace kvasir {

namespace {

constexpr const char* kInvalidId = "ERR Invalid stream ID specified as stream command argument";
constexpr size_t kLongestId = 127;  // beyond leading zeros nothing valid is as long

Slice until_nul(const Slice& s) {
  return {s.data, static_cast<size_t>(std::find(s.begin(), s.end(), '\0') - s.begin())};
}

// seq_given: nullptr where `ms-*` is no id.
bool parse(Slice text, uint64_t missing_seq, StreamId* id, bool* seq_given) {
  if (text.size > kLongestId) return false;
  text = until_nul(text);
  if (seq_given != nullptr) *seq_given = true;
  const char* dash = std::find(text.begin(), text.end(), '-');
  const Slice ms(text.data, static_cast<size_t>(dash - text.begin()));
  StreamId found{0, missing_seq};
  if (!parse_u64(ms, &found.ms)) return false;
  if (dash != text.end()) {
    const Slice seq(dash + 1, static_cast<size_t>(text.end() - dash - 1));
    if (seq_given != nullptr && seq == Slice("*")) {
      *seq_given = false;
      found.seq = 0;
    } else if (!parse_u64(seq, &found.seq)) {
      return false;
    }
  }
  *id = found;
  return true;
}

bool invalid_id(const Call& call) {
  call.reply().error(kInvalidId);
  return false;
}

bool is_open(const Slice& arg) { return arg.size > 1 && arg[0] == '('; }

bool parse_open(const Call& call, int arg, StreamId* id, uint64_t missing_seq) {
  const Slice text = call.arg(arg);
  return parse({text.data + 1, text.size - 1}, missing_seq, id, nullptr) || invalid_id(call);
}

}  // namespace

bool is_sign(const Slice& arg, char sign) {
  return arg.size > 0 && arg[0] == sign && (arg.size == 1 || arg[1] == '\0');
}

bool parse_stream_id(const Slice& text, uint64_t missing_seq, StreamId* id) {
  return parse(text, missing_seq, id, nullptr);
}

bool parse_stream_id(const Call& call, int arg, StreamId* id, uint64_t missing_seq) {
  return parse(call.arg(arg), missing_seq, id, nullptr) || invalid_id(call);
}

bool parse_stream_bound(const Call& call, int arg, StreamId* id, uint64_t missing_seq) {
  const Slice text = call.arg(arg);
  if (text.size <= kLongestId && (is_sign(text, '-') || is_sign(text, '+'))) {
    *id = text[0] == '-' ? StreamId() : StreamId::greatest();
    return true;
  }
  return parse_stream_id(call, arg, id, missing_seq);
}

bool parse_interval_start(const Call& call, int arg, StreamId* id) {
  if (!is_open(call.arg(arg))) return parse_stream_bound(call, arg, id, 0);
  if (!parse_open(call, arg, id, 0)) return false;
  if (id->increment()) return true;
  call.reply().error("ERR invalid start ID for the interval");
  return false;
}

bool parse_interval_end(const Call& call, int arg, StreamId* id) {
  if (!is_open(call.arg(arg))) return parse_stream_bound(call, arg, id, UINT64_MAX);
  if (!parse_open(call, arg, id, UINT64_MAX)) return false;
  if (id->decrement()) return true;
  call.reply().error("ERR invalid end ID for the interval");
  return false;
}

bool parse_new_stream_id(const Call& call, int arg, StreamId* id, bool* seq_given) {
  return parse(call.arg(arg), 0, id, seq_given) || invalid_id(call);
}

bool parse_number(const Call& call, int arg, int64_t* n) {
  if (parse_i64(call.arg(arg), n)) return true;
  call.not_an_integer();
  return false;
}

bool parse_stream_ids(const Call& call, int first, StreamIds* ids) {
  for (int i = first; i < call.argc(); i++) {
    if (!parse_stream_id(call, i, &(*ids)[static_cast<size_t>(i - first)])) return false;
  }
  return true;
}

// ------------------------------------------------------------------ streams

namespace {

FoundStream as_stream(const Call& call, const Entry* e) {
  if (e == nullptr) return {};
  if (e->type() == Type::kStream) return {&Stream::of(e->collection()), false};
  call.wrong_type();
  return {nullptr, true};
}

}  // namespace

FoundStream read_stream(const Call& call, int key_arg) {
  return as_stream(call, call.ks().lookup_read(call.db(), call.key(key_arg)));
}

FoundStream write_stream(const Call& call, int key_arg) {
  return as_stream(call, call.ks().lookup_write(call.db(), call.key(key_arg)));
}

StreamGroup* read_group(const Call& call, int key_arg, int group_arg, Stream** stream) {
  const Entry* e = call.ks().lookup_read(call.db(), call.key(key_arg));
  return find_group(call, e, key_arg, group_arg, stream);
}

StreamGroup* find_group(const Call& call, const Entry* e, int key_arg, int group_arg, Stream** stream) {
  const FoundStream found = as_stream(call, e);
  if (found.wrong) return nullptr;
  StreamGroup* g = found ? found->group(call.arg(group_arg)) : nullptr;
  if (g == nullptr) {
    call.reply().errorf("NOGROUP No such key '%s' or consumer group '%s'", call.arg(key_arg).str().c_str(),
                        call.arg(group_arg).str().c_str());
  }
  *stream = found.stream;
  return g;
}

// ------------------------------------------------------------------ replies

void reply_id(const Call& call, const StreamId& id) { call.reply().bulk(StreamIdText(id).slice()); }

void reply_entry(const Call& call, const StreamReader& reader) {
  Reply& reply = call.reply();
  reply.array(2);
  reply_id(call, reader.id());
  reply.array(static_cast<int64_t>(reader.fields() * 2));
  const auto item = [&reply](const ListpackItem& i) {
    i.is_int ? reply.bulk_integer(i.number) : reply.bulk(i.text);
  };
  reader.for_each_field([&](const ListpackItem& field, const ListpackItem& value) {
    item(field);
    item(value);
  });
}

void reply_entries(const Call& call, const Stream& s, const StreamId& from, const StreamId& to,
                   uint64_t count, bool backwards) {
  const Output::Mark head = call.reply().begin_aggregate();
  StreamReader reader(s, from, to, backwards);
  uint64_t n = 0;
  while ((count == 0 || n < count) && reader.next()) {
    reply_entry(call, reader);
    n++;
  }
  call.reply().end_array(head, static_cast<int64_t>(n));
}

void subcommand_syntax_error(const Call& call, const char* container) {
  call.reply().errorf("ERR unknown subcommand or wrong number of arguments for '%.128s'. Try %s HELP.",
                      call.arg(1).str().c_str(), container);
}

// ------------------------------------------------------------------ consumers

Consumer* seen_consumer(const Call& call, Slice key, StreamGroup* g, Slice name, bool* created) {
  // The stream was looked up for reading, as far as statistics go.
  call.ks().changing(call.db(), key);
  Consumer* c = g->consumer(name);
  if (created != nullptr) *created = c == nullptr;
  if (c == nullptr) {
    c = g->add_consumer(name);
    call.ks().dirty++;
    call.ks().notify(kNotifyStream, "xgroup-createconsumer", key, call.db());
  }
  c->seen_ms = call.ks().now_ms;
  return c;
}

void propagate_claim(const Call& call, Slice key, const StreamGroup& g, Slice id, const PendingEntry& p) {
  if (!call.propagating()) return;
  char time[kInt64Chars], deliveries[kInt64Chars];
  call.propagation().also({"XCLAIM", key, g.name(), p.consumer->name(), "0", id, "TIME",
                           Slice(time, format_i64(time, p.delivered_ms)), "RETRYCOUNT",
                           Slice(deliveries, format_i64(deliveries, static_cast<int64_t>(p.deliveries))),
                           "FORCE", "JUSTID", "LASTID", StreamIdText(g.last_id).slice()});
}

void propagate_group_id(const Call& call, Slice key, const StreamGroup& g) {
  if (!call.propagating()) return;
  char read[kInt64Chars];
  call.propagation().also({"XGROUP", "SETID", key, g.name(), StreamIdText(g.last_id).slice(), "ENTRIESREAD",
                           Slice(read, format_i64(read, g.entries_read))});
}

}  // namespace kvasir
