// Taking elements from a list: LPOP, LMOVE, LMPOP and their families, and the same waiting for an element.
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "base/numbers.h"
#include "commands/block_timeout.h"
#include "commands/integer_args.h"
#include "commands/list_value.h"

namespace kvasir {

namespace {

const char* pop_event(ListEnd end) { return end == ListEnd::kHead ? "lpop" : "rpop"; }
const char* pop_name(ListEnd end) { return end == ListEnd::kHead ? "LPOP" : "RPOP"; }

// What taking `count` elements from an end of the list leaves to do.
void popped(const Call& call, const KeyRef& k, const EntrySlot& slot, Collection c, ListEnd end,
            size_t count) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  slot.get()->set_collection(c);
  ks.notify(kNotifyList, pop_event(end), k.key, db);
  list_after_removal(call, k, slot, c);
  ks.modified(db, k.key);
  ks.dirty += count;
}

// Replies with the first or last element and takes it.
void pop_one(const Call& call, const KeyRef& k, const EntrySlot& slot, ListEnd end) {
  Collection c = slot.get()->collection();
  const size_t at = end == ListEnd::kHead ? 0 : list_size(c) - 1;
  {
    ListReader reader(c, at, ListEnd::kTail);
    if (reader.next()) reply_item(call, reader.item());
  }
  list_erase(c, at, 1);
  popped(call, k, slot, c, end, 1);
}

// The same with an array of `count` elements, which are there.
void pop_many(const Call& call, const KeyRef& k, const EntrySlot& slot, ListEnd end, size_t count) {
  Collection c = slot.get()->collection();
  const size_t size = list_size(c);
  if (end == ListEnd::kHead) {
    reply_items(call, c, 0, count, ListEnd::kTail);
    list_erase(c, 0, count);
  } else {
    reply_items(call, c, size - 1, count, ListEnd::kHead);
    list_erase(c, size - count, count);
  }
  popped(call, k, slot, c, end, count);
}

void pop(Call& call, ListEnd end) {
  if (call.argc() > 3) {
    call.reply().errorf("ERR wrong number of arguments for '%s' command", call.command.fullname.c_str());
    return;
  }
  const bool several = call.argc() == 3;
  int64_t count = 1;
  if (several && !parse_positive(call, 2, &count)) return;
  const KeyRef k = call.key(1);
  const EntrySlot slot = call.ks().find_write(call.db(), k);
  if (!slot) {
    several ? call.reply().null_array() : call.reply().null();
    return;
  }
  if (slot.get()->type() != Type::kList) return call.wrong_type();
  if (!several) {
    pop_one(call, k, slot, end);
  } else if (count == 0) {
    call.reply().array(0);
  } else {
    pop_many(call, k, slot, end, std::min(static_cast<size_t>(count), list_size(slot.get()->collection())));
  }
}

void lpop_command(Call& call) { pop(call, ListEnd::kHead); }
void rpop_command(Call& call) { pop(call, ListEnd::kTail); }

// ------------------------------------------------------------------ moving

bool parse_end(const Call& call, int arg, ListEnd* end) {
  if (equals_nocase(call.arg(arg), "LEFT")) {
    *end = ListEnd::kHead;
  } else if (equals_nocase(call.arg(arg), "RIGHT")) {
    *end = ListEnd::kTail;
  } else {
    call.syntax_error();
    return false;
  }
  return true;
}

void pushed(const Call& call, const KeyRef& k, ListEnd end) {
  call.ks().modified(call.db(), k.key);
  call.ks().notify(kNotifyList, end == ListEnd::kHead ? "lpush" : "rpush", k.key, call.db());
}

// From one end of a list to one of the same.
void rotate(const Call& call, const KeyRef& k, const EntrySlot& slot, ListEnd from, ListEnd to) {
  const EncodingLimits& limits = encoding_limits(call);
  Collection c = slot.get()->collection();
  const size_t at = from == ListEnd::kHead ? 0 : list_size(c) - 1;
  std::string text;
  StrRef buffer;
  size_t counted;
  {
    ListReader reader(c, at, ListEnd::kTail);
    reader.next();
    const ListItem item = reader.item();
    char tmp[kInt64Chars + 1];
    if (item.buffer != nullptr) {
      buffer = StrRef(item.buffer->retain());
    } else {
      text = item.str(tmp).str();
    }
    reply_item(call, item);
    counted = item.is_int && c.encoding == Encoding::kQuicklist ? 0 : item.size();
  }
  // It leaves before it comes back: the list is never longer than it was.
  list_erase(c, at, 1);
  list_prepare(c, counted, 1, limits);
  list_push(c, to, {buffer ? buffer->slice() : Slice(text), buffer.get()}, limits);
  slot.get()->set_collection(c);
  pushed(call, k, to);
  popped(call, k, slot, c, from, 1);
}

void move_element(Call& call, ListEnd from, ListEnd to) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef source = call.key(1);
  EntrySlot slot = ks.find_write(db, source);
  if (!slot) {
    call.reply().null();
    return;
  }
  if (slot.get()->type() != Type::kList) return call.wrong_type();
  if (call.arg(1) == call.arg(2)) return rotate(call, source, slot, from, to);

  const KeyRef target = call.key(2);
  Entry* destination = ks.lookup_write(db, target);
  if (destination != nullptr && destination->type() != Type::kList) return call.wrong_type();
  // Looking for the target may have deleted it because of its deadline.
  slot = db.find(source);
  Collection c = slot.get()->collection();
  const size_t at = from == ListEnd::kHead ? 0 : list_size(c) - 1;
  {
    ListReader reader(c, at, ListEnd::kTail);
    reader.next();
    const ListItem item = reader.item();
    char tmp[kInt64Chars + 1];
    const ListValue value{item.str(tmp), item.buffer};
    // Like Valkey, which has the numbers of a quicklist as numbers here and counts only texts.
    const size_t counted = item.is_int && c.encoding == Encoding::kQuicklist ? 0 : value.text.size;
    const EncodingLimits& limits = encoding_limits(call);
    Collection to_list = destination != nullptr ? destination->collection() : list_make();
    list_prepare(to_list, counted, 1, limits);
    list_push(to_list, to, value, limits);
    reply_item(call, item);
    if (destination != nullptr) {
      destination->set_collection(to_list);
    } else {
      ks.add(db, target, Entry::make_collection(target.key, Type::kList, to_list));
      slot = db.find(source);
    }
  }
  pushed(call, target, to);
  list_erase(c, at, 1);
  popped(call, source, slot, c, from, 1);
}

void lmove_command(Call& call) {
  ListEnd from, to;
  if (parse_end(call, 3, &from) && parse_end(call, 4, &to)) move_element(call, from, to);
}

void rpoplpush_command(Call& call) { move_element(call, ListEnd::kTail, ListEnd::kHead); }

// True: the source is there, or an error or null was replied.
bool source_decides(Call& call, int64_t deadline_ms) {
  const Entry* e = call.ks().lookup_write(call.db(), call.key(1));
  if (e != nullptr) {
    if (e->type() == Type::kList) return true;
    call.wrong_type();
  } else if (!call.may_block()) {
    call.reply().null();
  } else {
    call.block(Type::kList, {call.arg(1).str()}, deadline_ms);
  }
  return false;
}

void move_or_block(Call& call, ListEnd from, ListEnd to, int timeout_arg, std::initializer_list<Slice> as) {
  int64_t deadline_ms;
  if (!parse_block_seconds(call, timeout_arg, &deadline_ms) || !source_decides(call, deadline_ms)) return;
  const uint64_t before = call.ks().dirty;
  move_element(call, from, to);
  if (call.ks().dirty != before && call.propagating()) call.propagation().rewrite(as);
}

void blmove_command(Call& call) {
  ListEnd from, to;
  if (!parse_end(call, 3, &from) || !parse_end(call, 4, &to)) return;
  move_or_block(call, from, to, 5, {"LMOVE", call.arg(1), call.arg(2), call.arg(3), call.arg(4)});
}

void brpoplpush_command(Call& call) {
  move_or_block(call, ListEnd::kTail, ListEnd::kHead, 3, {"RPOPLPUSH", call.arg(1), call.arg(2)});
}

// ------------------------------------------------------------------ one of several lists

// The first of the keys first..last that is there: served by pop_one or, with a count, by pop_many. False:
// none is there; true also after an error.
bool pop_from_any(Call& call, int first, int last, ListEnd end, int64_t count) {
  for (int i = first; i <= last; i++) {
    const KeyRef k = call.key(i);
    const EntrySlot slot = call.ks().find_write(call.db(), k);
    if (!slot) continue;
    if (slot.get()->type() != Type::kList) {
      call.wrong_type();
      return true;
    }
    call.reply().array(2);
    call.reply().bulk(k.key);
    if (count < 0) {
      pop_one(call, k, slot, end);
      if (call.propagating()) call.propagation().rewrite({pop_name(end), k.key});
      return true;
    }
    const size_t n = std::min(static_cast<size_t>(count), list_size(slot.get()->collection()));
    pop_many(call, k, slot, end, n);
    if (call.propagating()) {
      char digits[kInt64Chars + 1];
      call.propagation().rewrite(
          {pop_name(end), k.key, Slice(digits, format_i64(digits, static_cast<int64_t>(n)))});
    }
    return true;
  }
  return false;
}

// count -1: BLPOP, whose reply is one element instead of an array.
void pop_or_block(Call& call, int first, int last, ListEnd end, int64_t count, int timeout_arg) {
  int64_t deadline_ms;
  if (!parse_block_seconds(call, timeout_arg, &deadline_ms)) return;
  if (pop_from_any(call, first, last, end, count)) return;
  if (!call.may_block()) {
    call.reply().null_array();
    return;
  }
  std::vector<std::string> keys;
  keys.reserve(static_cast<size_t>(last - first) + 1);
  for (int i = first; i <= last; i++) keys.push_back(call.arg(i).str());
  call.block(Type::kList, std::move(keys), deadline_ms);
}

void blpop_command(Call& call) {
  pop_or_block(call, 1, call.argc() - 2, ListEnd::kHead, -1, call.argc() - 1);
}
void brpop_command(Call& call) {
  pop_or_block(call, 1, call.argc() - 2, ListEnd::kTail, -1, call.argc() - 1);
}

struct PopManyArgs {
  int first, last;  // keys
  ListEnd end;
  int64_t count = 1;
};

// numkeys key … LEFT|RIGHT [COUNT n], from `arg` on.
bool parse_pop_many(Call& call, int arg, PopManyArgs* a) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  int64_t keys;
  if (!parse_in_range(call, arg, 1, kMax, &keys, "ERR numkeys should be greater than 0")) return false;
  if (keys >= call.argc() - arg - 1) {
    call.syntax_error();
    return false;
  }
  a->first = arg + 1;
  a->last = arg + static_cast<int>(keys);
  if (!parse_end(call, a->last + 1, &a->end)) return false;
  bool counted = false;
  for (int i = a->last + 2; i < call.argc(); i += 2) {
    if (counted || !equals_nocase(call.arg(i), "COUNT") || i + 1 == call.argc()) {
      call.syntax_error();
      return false;
    }
    if (!parse_in_range(call, i + 1, 1, kMax, &a->count, "ERR count should be greater than 0")) return false;
    counted = true;
  }
  return true;
}

void lmpop_command(Call& call) {
  PopManyArgs a;
  if (!parse_pop_many(call, 1, &a)) return;
  if (!pop_from_any(call, a.first, a.last, a.end, a.count)) call.reply().null_array();
}

void blmpop_command(Call& call) {
  PopManyArgs a;
  if (parse_pop_many(call, 2, &a)) pop_or_block(call, a.first, a.last, a.end, a.count, 1);
}

}  // namespace

void register_list_pop_commands(HandlerMap& map) {
  map["lpop"] = lpop_command;
  map["rpop"] = rpop_command;
  map["lmove"] = lmove_command;
  map["rpoplpush"] = rpoplpush_command;
  map["lmpop"] = lmpop_command;
  map["blpop"] = blpop_command;
  map["brpop"] = brpop_command;
  map["blmove"] = blmove_command;
  map["brpoplpush"] = brpoplpush_command;
  map["blmpop"] = blmpop_command;
}

}  // namespace kvasir
