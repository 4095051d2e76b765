// Lists: pushing, reading, and changes by index or value. Popping is in list_pop.cc.
#include <limits>

#include "base/numbers.h"
#include "commands/integer_args.h"
#include "commands/list_value.h"

namespace kvasir {

void reply_items(const Call& call, const Collection& list, size_t start, size_t count, ListEnd towards) {
  call.reply().array(static_cast<int64_t>(count));
  ListReader reader(list, start, towards);
  if (towards == ListEnd::kTail) {
    ListItem item;
    for (; count > 0 && reader.take(&item); count--) reply_item(call, item);
    return;
  }
  for (; count > 0 && reader.next(); count--) reply_item(call, reader.item());
}

void list_after_removal(const Call& call, const KeyRef& k, const EntrySlot& slot, Collection c) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  if (list_size(c) > 0) {
    list_shrunk(c, encoding_limits(call));
    slot.get()->set_collection(c);
    return;
  }
  slot.get()->set_collection(c);
  ks.remove_at(db, k, slot, ks.lazyfree_server_del);
  ks.notify(kNotifyGeneric, "del", k.key, db);
}

namespace {

// ------------------------------------------------------------------ pushing

// Bytes of text of a new list up to which its elements are measured before they are stored.
constexpr size_t kSingleAllocation = 1024;

void push(Call& call, ListEnd end, bool only_existing) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(1);
  EntryRoom room;
  const EntrySlot slot = only_existing ? ks.find_write(db, k) : ks.find_or_prepare(db, k, &room);
  if (slot && slot.get()->type() != Type::kList) return call.wrong_type();
  if (!slot && only_existing) {
    call.reply().integer(0);
    return;
  }
  const EncodingLimits& limits = encoding_limits(call);
  const int count = call.argc() - 2;
  size_t bytes = 0;
  for (int i = 2; i < call.argc(); i++) bytes += call.arg(i).size;

  Collection c;
  if (slot) {
    c = slot.get()->collection();
  } else {
    // As much room as they take, in one allocation, unless they will be cut into nodes.
    size_t cost = 0;
    for (int i = 2; i < call.argc() && bytes <= kSingleAllocation; i++) cost += Listpack::cost(call.arg(i));
    c = list_make(cost);
  }
  list_prepare(c, bytes, static_cast<size_t>(count), limits);
  for (int i = 2; i < call.argc(); i++) {
    list_push(c, end, {call.arg(i), call.bufs == nullptr ? nullptr : call.bufs[i]}, limits);
  }
  if (slot) {
    slot.get()->set_collection(c);
  } else {
    ks.add(db, k, room, Entry::make_collection(k.key, Type::kList, c));
  }
  ks.dirty += static_cast<uint64_t>(count);
  ks.modified(db, k.key);
  ks.notify(kNotifyList, end == ListEnd::kHead ? "lpush" : "rpush", k.key, db);
  call.reply().integer(static_cast<int64_t>(list_size(c)));
}

void lpush_command(Call& call) { push(call, ListEnd::kHead, false); }
void rpush_command(Call& call) { push(call, ListEnd::kTail, false); }
void lpushx_command(Call& call) { push(call, ListEnd::kHead, true); }
void rpushx_command(Call& call) { push(call, ListEnd::kTail, true); }

void linsert_command(Call& call) {
  const bool after = equals_nocase(call.arg(2), "AFTER");
  if (!after && !equals_nocase(call.arg(2), "BEFORE")) return call.syntax_error();
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(1);
  Entry* e = ks.lookup_write(db, k);
  if (e == nullptr) {
    call.reply().integer(0);
    return;
  }
  if (e->type() != Type::kList) return call.wrong_type();
  const EncodingLimits& limits = encoding_limits(call);
  Collection c = e->collection();
  // Like Valkey, before it is known whether the pivot is there.
  list_prepare(c, call.arg(4).size, 1, limits);
  const bool inserted = list_insert(c, call.arg(3), after,
                                    {call.arg(4), call.bufs == nullptr ? nullptr : call.bufs[4]}, limits);
  e->set_collection(c);
  if (!inserted) {
    call.reply().integer(-1);
    return;
  }
  ks.modified(db, k.key);
  ks.notify(kNotifyList, "linsert", k.key, db);
  ks.dirty++;
  call.reply().integer(static_cast<int64_t>(list_size(c)));
}

// ------------------------------------------------------------------ reading

void llen_command(Call& call) {
  const Entry* e = call.ks().lookup_read(call.db(), call.key(1));
  if (e != nullptr && e->type() != Type::kList) return call.wrong_type();
  call.reply().integer(e == nullptr ? 0 : static_cast<int64_t>(list_size(e->collection())));
}

// An index that counts from the end when negative; false: it is not there.
bool resolve_index(const Collection& c, int64_t index, size_t* at) {
  const auto size = static_cast<int64_t>(list_size(c));
  if (index < 0) index += size;
  *at = static_cast<size_t>(index);
  return index >= 0 && index < size;
}

void lindex_command(Call& call) {
  const Entry* e = call.ks().lookup_read(call.db(), call.key(1));
  if (e == nullptr) {
    call.reply().null();
    return;
  }
  if (e->type() != Type::kList) return call.wrong_type();
  int64_t index;
  if (!parse_i64(call.arg(2), &index)) return call.not_an_integer();
  const Collection c = e->collection();
  size_t at;
  if (!resolve_index(c, index, &at)) {
    call.reply().null();
    return;
  }
  ListReader reader(c, at, ListEnd::kTail);
  if (reader.next()) reply_item(call, reader.item());
}

// The part [start, start + count) of `size` elements that an inclusive range means, from the end when
// negative.
void resolve_range(int64_t first, int64_t last, size_t size, size_t* start, size_t* count) {
  const auto n = static_cast<int64_t>(size);
  if (first < 0) first = first + n < 0 ? 0 : first + n;
  if (last < 0) last += n;
  if (last >= n) last = n - 1;
  const bool empty = first > last || first >= n;
  *start = empty ? 0 : static_cast<size_t>(first);
  *count = empty ? 0 : static_cast<size_t>(last - first + 1);
}

void lrange_command(Call& call) {
  int64_t first, last;
  if (!parse_i64(call.arg(2), &first) || !parse_i64(call.arg(3), &last)) return call.not_an_integer();
  const Entry* e = call.ks().lookup_read(call.db(), call.key(1));
  if (e == nullptr) {
    call.reply().array(0);
    return;
  }
  if (e->type() != Type::kList) return call.wrong_type();
  const Collection c = e->collection();
  size_t start, count;
  resolve_range(first, last, list_size(c), &start, &count);
  reply_items(call, c, start, count, ListEnd::kTail);
}

struct PositionOptions {
  int64_t rank = 1;
  int64_t count = -1;  // not given: the reply is one number
  int64_t maxlen = 0;
};

bool parse_position_options(Call& call, PositionOptions* o) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  for (int i = 3; i < call.argc(); i += 2) {
    const Slice name = call.arg(i);
    if (i + 1 == call.argc()) {
      call.syntax_error();
      return false;
    }
    if (equals_nocase(name, "RANK")) {
      if (!parse_in_range(call, i + 1, -kMax, kMax, &o->rank)) return false;
      if (o->rank == 0) {
        call.reply().error(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use "
            "negative to start from the end of the list");
        return false;
      }
    } else if (equals_nocase(name, "COUNT")) {
      if (!parse_positive(call, i + 1, &o->count, "ERR COUNT can't be negative")) return false;
    } else if (equals_nocase(name, "MAXLEN")) {
      if (!parse_positive(call, i + 1, &o->maxlen, "ERR MAXLEN can't be negative")) return false;
    } else {
      call.syntax_error();
      return false;
    }
  }
  return true;
}

void lpos_command(Call& call) {
  PositionOptions o;
  if (!parse_position_options(call, &o)) return;
  const bool several = o.count != -1;
  const Entry* e = call.ks().lookup_read(call.db(), call.key(1));
  if (e == nullptr) {
    several ? call.reply().array(0) : call.reply().null();
    return;
  }
  if (e->type() != Type::kList) return call.wrong_type();
  const bool forward = o.rank > 0;
  const int64_t rank = forward ? o.rank : -o.rank;
  const Collection c = e->collection();
  const auto size = static_cast<int64_t>(list_size(c));
  ListReader reader(c, forward ? 0 : static_cast<size_t>(size - 1),
                    forward ? ListEnd::kTail : ListEnd::kHead);
  const ListpackNeedle needle(call.arg(2));
  const Output::Mark mark = several ? call.reply().begin_aggregate() : Output::Mark{};
  int64_t matches = 0;
  int64_t found = 0;
  for (int64_t i = 0; (o.maxlen == 0 || i < o.maxlen) && reader.next(); i++) {
    if (!reader.equals(needle) || ++matches < rank) continue;
    call.reply().integer(forward ? i : size - 1 - i);
    found++;
    if (!several || found == o.count) break;
  }
  if (several) {
    call.reply().end_array(mark, found);
  } else if (found == 0) {
    call.reply().null();
  }
}

// ------------------------------------------------------------------ changing

void lset_command(Call& call) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(1);
  Entry* e = ks.lookup_write(db, k);
  if (e == nullptr) {
    call.reply().error("ERR no such key");
    return;
  }
  if (e->type() != Type::kList) return call.wrong_type();
  int64_t index;
  if (!parse_i64(call.arg(2), &index)) return call.not_an_integer();
  const EncodingLimits& limits = encoding_limits(call);
  Collection c = e->collection();
  list_prepare(c, call.arg(3).size, 1, limits);
  size_t at;
  const bool there = resolve_index(c, index, &at);
  if (there) {
    list_replace(c, at, {call.arg(3), call.bufs == nullptr ? nullptr : call.bufs[3]}, limits);
    list_shrunk(c, limits);
  }
  e->set_collection(c);
  if (!there) {
    call.reply().error("ERR index out of range");
    return;
  }
  ks.modified(db, k.key);
  ks.notify(kNotifyList, "lset", k.key, db);
  ks.dirty++;
  call.reply().ok();
}

void lrem_command(Call& call) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  int64_t count;
  if (!parse_in_range(call, 2, -kMax, kMax, &count)) return;
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(1);
  const EntrySlot slot = ks.find_write(db, k);
  if (!slot) {
    call.reply().integer(0);
    return;
  }
  if (slot.get()->type() != Type::kList) return call.wrong_type();
  Collection c = slot.get()->collection();
  const size_t removed = list_remove(c, call.arg(3), static_cast<size_t>(count < 0 ? -count : count),
                                     count < 0 ? ListEnd::kTail : ListEnd::kHead);
  if (removed > 0) {
    slot.get()->set_collection(c);
    ks.dirty += removed;
    ks.notify(kNotifyList, "lrem", k.key, db);
    list_after_removal(call, k, slot, c);
    ks.modified(db, k.key);
  }
  call.reply().integer(static_cast<int64_t>(removed));
}

void ltrim_command(Call& call) {
  int64_t first, last;
  if (!parse_i64(call.arg(2), &first) || !parse_i64(call.arg(3), &last)) return call.not_an_integer();
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(1);
  const EntrySlot slot = ks.find_write(db, k);
  if (!slot) {
    call.reply().ok();
    return;
  }
  if (slot.get()->type() != Type::kList) return call.wrong_type();
  Collection c = slot.get()->collection();
  const size_t size = list_size(c);
  size_t start, count;
  resolve_range(first, last, size, &start, &count);
  list_erase(c, start + count, size - start - count);
  list_erase(c, 0, start);
  slot.get()->set_collection(c);
  ks.notify(kNotifyList, "ltrim", k.key, db);
  list_after_removal(call, k, slot, c);
  if (count < size) ks.modified(db, k.key);
  ks.dirty += size - count;
  call.reply().ok();
}

}  // namespace

void register_list_commands(HandlerMap& map) {
  map["lpush"] = lpush_command;
  map["rpush"] = rpush_command;
  map["lpushx"] = lpushx_command;
  map["rpushx"] = rpushx_command;
  map["linsert"] = linsert_command;
  map["llen"] = llen_command;
  map["lindex"] = lindex_command;
  map["lrange"] = lrange_command;
  map["lpos"] = lpos_command;
  map["lset"] = lset_command;
  map["lrem"] = lrem_command;
  map["ltrim"] = ltrim_command;
}

}  // namespace kvasir
