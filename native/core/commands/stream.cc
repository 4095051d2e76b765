// Streams: adding, deleting, trimming and reading entries. Waiting for them is in stream_read.cc, groups are
// in stream_group.cc.
#include <algorithm>
#include <vector>

#include "base/numbers.h"
#include "commands/stream_args.h"

namespace kvasir {

namespace {

// ------------------------------------------------------------------ trimming

// Entries that "~" lets go at once unless LIMIT says otherwise: a hundred nodes' worth.
uint64_t default_limit(const Call& call) {
  const int64_t entries = call.core.settings.encodings.stream_node_max_entries;
  int64_t limit;
  if (__builtin_mul_overflow(entries, int64_t{100}, &limit) || limit <= 0) return 10000;
  return static_cast<uint64_t>(std::min<int64_t>(limit, 1000000));
}

struct TrimArguments {
  StreamTrim rule;
  int threshold_arg = 0;
  int64_t limit = 0;
  bool limited = false;
};

// MAXLEN|MINID [=|~] threshold at *arg, which goes on to the threshold.
bool parse_threshold(const Call& call, StreamTrim::By by, int* arg, TrimArguments* a) {
  if (a->rule.by != StreamTrim::By::kNothing) {
    call.reply().error("ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
    return false;
  }
  const Slice next = call.arg(*arg + 1);
  a->rule.whole_nodes = *arg + 2 < call.argc() && is_sign(next, '~');
  if (a->rule.whole_nodes || (*arg + 2 < call.argc() && is_sign(next, '='))) ++*arg;
  a->threshold_arg = ++*arg;
  if (by == StreamTrim::By::kId) {
    if (!parse_stream_id(call, *arg, &a->rule.least)) return false;
  } else {
    int64_t n;
    if (!parse_number(call, *arg, &n)) return false;
    if (n < 0) {
      call.reply().error("ERR The MAXLEN argument must be >= 0.");
      return false;
    }
    a->rule.length = static_cast<uint64_t>(n);
  }
  a->rule.by = by;
  return true;
}

// One of the options that XADD and XTRIM share, at *arg. *taken: it is one. False: an error was replied.
bool parse_trim_option(const Call& call, int* arg, TrimArguments* a, bool* taken) {
  const Slice word = call.arg(*arg);
  const bool more = *arg + 1 < call.argc();
  *taken = true;
  if (more && equals_nocase(word, "maxlen")) return parse_threshold(call, StreamTrim::By::kLength, arg, a);
  if (more && equals_nocase(word, "minid")) return parse_threshold(call, StreamTrim::By::kId, arg, a);
  *taken = more && equals_nocase(word, "limit");
  if (!*taken) return true;
  if (!parse_number(call, ++*arg, &a->limit)) return false;
  if (a->limit < 0) {
    call.reply().error("ERR The LIMIT argument must be >= 0.");
    return false;
  }
  a->limited = true;
  return true;
}

// After all options.
bool settle_limit(const Call& call, bool must_trim, TrimArguments* a) {
  const bool trims = a->rule.by != StreamTrim::By::kNothing;
  const char* error = nullptr;
  if (a->limit != 0 && !trims) {
    error = "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy";
  } else if (must_trim && !trims) {
    error = "ERR syntax error, XTRIM must be called with a trimming strategy";
  } else if (call.must_obey()) {
    // What comes from our primary says exactly what it did.
    a->rule.limit = 0;
  } else if (a->limited && !a->rule.whole_nodes) {
    error = "ERR syntax error, LIMIT cannot be used without the special ~ option";
  } else if (a->limited) {
    a->rule.limit = static_cast<uint64_t>(a->limit);
  } else {
    a->rule.limit = a->rule.whole_nodes ? default_limit(call) : 0;
  }
  if (error == nullptr) return true;
  call.reply().error(error);
  return false;
}

// Says exactly how far "~" went, in arguments that replicas get.
void rewrite_threshold(std::vector<Slice>* argv, const TrimArguments& a, const Stream& s, std::string* text) {
  char tmp[StreamId::kChars];
  const size_t n =
      a.rule.by == StreamTrim::By::kLength ? format_u64(tmp, s.length) : s.first_stored().format(tmp);
  text->assign(tmp, n);
  (*argv)[static_cast<size_t>(a.threshold_arg) - 1] = "=";
  (*argv)[static_cast<size_t>(a.threshold_arg)] = *text;
}

// ------------------------------------------------------------------ XADD

struct AddArguments {
  TrimArguments trim;
  bool create = true;
  bool id_given = false, seq_given = false;
  StreamId id;
  int id_arg = 0;
};

bool parse_add(const Call& call, AddArguments* a) {
  int i = 2;
  for (; i < call.argc(); i++) {
    const Slice word = call.arg(i);
    if (is_sign(word, '*')) break;
    bool taken;
    if (!parse_trim_option(call, &i, &a->trim, &taken)) return false;
    if (taken) continue;
    if (equals_nocase(word, "nomkstream")) {
      a->create = false;
      continue;
    }
    // What is no option is the id, whether it is one or not.
    if (is_sign(word, '-') || is_sign(word, '+')) {
      call.reply().error("ERR Invalid stream ID specified as stream command argument");
      return false;
    }
    if (!parse_new_stream_id(call, i, &a->id, &a->seq_given)) return false;
    a->id_given = true;
    break;
  }
  a->id_arg = i;
  return settle_limit(call, false, &a->trim);
}

// The id of the new entry; false: an error was replied.
bool choose_id(const Call& call, const Stream& s, const AddArguments& a, StreamId* id) {
  bool fits = true;
  if (!a.id_given) {
    fits = s.next_id(call.ks().now_ms, id);
  } else if (a.seq_given || s.last_id.ms != a.id.ms) {
    *id = a.id;
  } else {
    *id = {s.last_id.ms, s.last_id.seq + 1};
    fits = id->seq != 0;
  }
  if (fits && *id > s.last_id) return true;
  call.reply().error("ERR The ID specified in XADD is equal or smaller than the target stream top item");
  return false;
}

void propagate_add(const Call& call, const AddArguments& a, const Stream& s, Slice id) {
  const bool trimmed_about = a.trim.rule.whole_nodes;
  if (!call.propagating() || (a.id_given && a.seq_given && !trimmed_about)) return;
  std::vector<Slice> argv(call.argv.begin(), call.argv.end());
  std::string threshold;
  if (trimmed_about) rewrite_threshold(&argv, a.trim, s, &threshold);
  argv[static_cast<size_t>(a.id_arg)] = id;
  call.propagation().rewrite(std::span<const Slice>(argv));
}

void xadd_command(Call& call) {
  AddArguments a;
  Reply& reply = call.reply();
  if (!parse_add(call, &a)) return;
  const int pairs = call.argc() - a.id_arg - 1;
  if (pairs < 2 || pairs % 2 == 1) {
    return reply.errorf("ERR wrong number of arguments for '%s' command", call.command.fullname.c_str());
  }
  if (a.id_given && a.seq_given && a.id.is_zero()) {
    return reply.error("ERR The ID specified in XADD must be greater than 0-0");
  }
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(1);
  EntryRoom room;
  const EntrySlot slot = ks.find_or_prepare(db, k, &room);
  Stream* s;
  if (slot) {
    if (slot.get()->type() != Type::kStream) return call.wrong_type();
    s = &Stream::of(slot.get()->collection());
  } else {
    if (!a.create) return reply.null();
    const Collection c = Stream::make();
    s = &Stream::of(c);
    ks.add(db, k, room, Entry::make_collection(k.key, Type::kStream, c));
  }
  if (s->last_id == StreamId::greatest()) {
    return reply.error("ERR The stream has exhausted the last possible ID, unable to add more items");
  }
  StreamId id;
  if (!choose_id(call, *s, a, &id)) return;
  const std::span<const Slice> data = call.argv.subspan(static_cast<size_t>(a.id_arg) + 1);
  if (!s->append(id, data, call.core.settings.encodings)) {
    return reply.error("ERR Elements are too large to be stored");
  }
  const StreamIdText text(id);
  ks.notify(kNotifyStream, "xadd", k.key, db);
  ks.dirty++;
  reply.bulk(text.slice());
  if (s->trim(a.trim.rule) > 0) ks.notify(kNotifyStream, "xtrim", k.key, db);
  propagate_add(call, a, *s, text.slice());
  ks.modified(db, k.key);
  ks.ready(db, k.key, Type::kStream);
}

// ------------------------------------------------------------------ XTRIM, XDEL, XSETID

void xtrim_command(Call& call) {
  TrimArguments a;
  for (int i = 2; i < call.argc(); i++) {
    bool taken;
    if (!parse_trim_option(call, &i, &a, &taken)) return;
    if (!taken) return call.syntax_error();
  }
  if (!settle_limit(call, true, &a)) return;
  const FoundStream s = write_stream(call, 1);
  if (s.wrong) return;
  if (!s) return call.reply().integer(0);
  Keyspace& ks = call.ks();
  const uint64_t gone = s->trim(a.rule);
  if (gone > 0) {
    ks.notify(kNotifyStream, "xtrim", call.arg(1), call.db());
    if (a.rule.whole_nodes && call.propagating()) {
      std::vector<Slice> argv(call.argv.begin(), call.argv.end());
      std::string threshold;
      rewrite_threshold(&argv, a, *s.stream, &threshold);
      call.propagation().rewrite(std::span<const Slice>(argv));
    }
    ks.modified(call.db(), call.arg(1));
    ks.dirty += gone;
  }
  call.reply().integer(static_cast<int64_t>(gone));
}

void xdel_command(Call& call) {
  const FoundStream s = write_stream(call, 1);
  if (s.wrong) return;
  if (!s) return call.reply().integer(0);
  StreamIds ids(static_cast<size_t>(call.argc() - 2));
  if (!parse_stream_ids(call, 2, &ids)) return;
  uint64_t deleted = 0;
  for (const StreamId& id : ids) deleted += s->erase(id) ? 1 : 0;
  if (deleted > 0) {
    call.ks().modified(call.db(), call.arg(1));
    call.ks().notify(kNotifyStream, "xdel", call.arg(1), call.db());
    call.ks().dirty += deleted;
  }
  call.reply().integer(static_cast<int64_t>(deleted));
}

// XSETID key last-id [ENTRIESADDED n] [MAXDELETEDID id]
void xsetid_command(Call& call) {
  Reply& reply = call.reply();
  StreamId id, max_deleted;
  int64_t added = -1;
  if (!parse_stream_id(call, 2, &id)) return;
  for (int i = 3; i < call.argc(); i += 2) {
    const bool more = i + 1 < call.argc();
    if (more && equals_nocase(call.arg(i), "entriesadded")) {
      if (!parse_number(call, i + 1, &added)) return;
      if (added < 0) return reply.error("ERR entries_added must be positive");
    } else if (more && equals_nocase(call.arg(i), "maxdeletedid")) {
      if (!parse_stream_id(call, i + 1, &max_deleted)) return;
      if (id < max_deleted) {
        return reply.error(
            "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
      }
    } else {
      return call.syntax_error();
    }
  }
  const FoundStream s = write_stream(call, 1);
  if (s.wrong) return;
  if (!s) return reply.error("ERR no such key");
  if (id < s->max_deleted_id) {
    return reply.error("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id");
  }
  if (s->length > 0 && id < s->last_live()) {
    return reply.error("ERR The ID specified in XSETID is smaller than the target stream top item");
  }
  if (s->length > 0 && added != -1 && s->length > static_cast<uint64_t>(added)) {
    return reply.error("ERR The entries_added specified in XSETID is smaller than the target stream length");
  }
  s->last_id = id;
  if (added != -1) s->entries_added = static_cast<uint64_t>(added);
  if (!max_deleted.is_zero()) s->max_deleted_id = max_deleted;
  call.ks().dirty++;
  call.ks().notify(kNotifyStream, "xsetid", call.arg(1), call.db());
  reply.ok();
}

// ------------------------------------------------------------------ reading

void xlen_command(Call& call) {
  const FoundStream s = read_stream(call, 1);
  if (!s.wrong) call.reply().integer(s ? static_cast<int64_t>(s->length) : 0);
}

void xrange_generic(const Call& call, bool backwards) {
  StreamId from, to;
  if (!parse_interval_start(call, backwards ? 3 : 2, &from)) return;
  if (!parse_interval_end(call, backwards ? 2 : 3, &to)) return;
  int64_t count = -1;
  for (int i = 4; i < call.argc(); i += 2) {
    if (i + 1 == call.argc() || !equals_nocase(call.arg(i), "count")) return call.syntax_error();
    if (!parse_number(call, i + 1, &count)) return;
    count = std::max<int64_t>(count, 0);
  }
  const FoundStream s = read_stream(call, 1);
  if (s.wrong) return;
  if (!s) return call.reply().array(0);
  if (count == 0) return call.reply().null_array();
  reply_entries(call, *s.stream, from, to, count == -1 ? 0 : static_cast<uint64_t>(count), backwards);
}

void xrange_command(Call& call) { xrange_generic(call, false); }
void xrevrange_command(Call& call) { xrange_generic(call, true); }

}  // namespace

void register_stream_commands(HandlerMap& map) {
  map["xadd"] = xadd_command;
  map["xtrim"] = xtrim_command;
  map["xdel"] = xdel_command;
  map["xsetid"] = xsetid_command;
  map["xlen"] = xlen_command;
  map["xrange"] = xrange_command;
  map["xrevrange"] = xrevrange_command;
}

}  // namespace kvasir
