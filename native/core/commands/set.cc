// Sets: adding, removing, moving and looking up members, counting and listing them.
#include <vector>

#include "base/glob.h"
#include "base/numbers.h"
#include "commands/scan_args.h"
#include "commands/set_args.h"

namespace kvasir {

void reply_members(const Call& call, const Collection& c, bool as_set) {
  const auto n = static_cast<int64_t>(set_size(c));
  as_set ? call.reply().set(n) : call.reply().array(n);
  set_for_each(c, [&](const SetItem& item) {
    reply_member(call, item);
    return true;
  });
}

namespace {

// ------------------------------------------------------------------ changing

void sadd_command(Call& call) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const EncodingLimits& limits = call.core.settings.encodings;
  const std::span<const Slice> members = call.argv.subspan(2);
  const KeyRef k = call.key(1);
  EntryRoom room;
  const EntrySlot slot = ks.find_or_prepare(db, k, &room);
  Collection c;
  if (slot) {
    if (slot.get()->type() != Type::kSet) return call.wrong_type();
    c = slot.get()->collection();
    set_expect(&c, limits, members.size());
  } else {
    c = set_make(limits, members[0], members.size());
  }
  const size_t added = set_add_all(&c, limits, members, call.known_hash(2));
  if (slot) {
    slot.get()->set_collection(c);
  } else {
    ks.add(db, k, room, Entry::make_collection(k.key, Type::kSet, c));
  }
  if (added > 0) {
    ks.modified(db, k.key);
    ks.notify(kNotifySet, "sadd", k.key, db);
    ks.dirty += added;
  }
  call.reply().integer(static_cast<int64_t>(added));
}

void srem_command(Call& call) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(1);
  const FoundSet found = write_set(call, k);
  if (found.wrong) return;
  if (!found) return call.reply().integer(0);
  Collection c = found.collection();
  const size_t removed = set_remove_all(&c, call.argv.subspan(2), call.known_hash(2));
  found.entry->set_collection(c);
  if (removed > 0) {
    const bool gone = set_size(c) == 0;
    if (gone) ks.remove(db, k, ks.lazyfree_server_del);
    ks.modified(db, k.key);
    ks.notify(kNotifySet, "srem", k.key, db);
    if (gone) ks.notify(kNotifyGeneric, "del", k.key, db);
    ks.dirty += removed;
  }
  call.reply().integer(static_cast<int64_t>(removed));
}

void smove_command(Call& call) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const EncodingLimits& limits = call.core.settings.encodings;
  const KeyRef from = call.key(1);
  const KeyRef to = call.key(2);
  const Slice member = call.arg(3);
  // Whichever of the two keys is due goes now: looking the second up may delete it, but not the first.
  Entry* source = ks.lookup_write(db, from);
  Entry* target = ks.lookup_write(db, to);
  if (source == nullptr) return call.reply().integer(0);
  if (source->type() != Type::kSet || (target != nullptr && target->type() != Type::kSet)) {
    return call.wrong_type();
  }
  Collection c = source->collection();
  if (source == target) return call.reply().integer(set_contains(c, member) ? 1 : 0);
  const bool removed = set_remove(&c, member);
  source->set_collection(c);
  if (!removed) return call.reply().integer(0);
  ks.notify(kNotifySet, "srem", from.key, db);
  if (set_size(c) == 0) {
    ks.remove(db, from, ks.lazyfree_server_del);
    ks.notify(kNotifyGeneric, "del", from.key, db);
  }
  bool added = true;
  if (target == nullptr) {
    Collection fresh = set_make(limits, member, 1);
    set_add(&fresh, limits, member);
    ks.add(db, to, Entry::make_collection(to.key, Type::kSet, fresh));
  } else {
    Collection there = target->collection();
    added = set_add(&there, limits, member);
    target->set_collection(there);
  }
  ks.modified(db, from.key);
  ks.dirty++;
  if (added) {
    ks.dirty++;
    ks.modified(db, to.key);
    ks.notify(kNotifySet, "sadd", to.key, db);
  }
  call.reply().integer(1);
}

// ------------------------------------------------------------------ reading

void sismember_command(Call& call) {
  const FoundSet found = read_set(call, 1);
  if (found.wrong) return;
  call.reply().integer(found && set_contains(found.collection(), call.arg(2), call.known_hash(2)) ? 1 : 0);
}

void smismember_command(Call& call) {
  const FoundSet found = read_set(call, 1);
  if (found.wrong) return;
  std::span<const Slice> members = call.argv.subspan(2);
  call.reply().array(static_cast<int64_t>(members.size()));
  constexpr size_t kBatch = 64;
  bool present[kBatch] = {};
  while (!members.empty()) {
    const size_t n = std::min(kBatch, members.size());
    if (found) set_contains_all(found.collection(), members.first(n), present);
    for (size_t i = 0; i < n; i++) call.reply().integer(present[i] ? 1 : 0);
    members = members.subspan(n);
  }
}

void scard_command(Call& call) {
  const FoundSet found = read_set(call, 1);
  if (found.wrong) return;
  call.reply().integer(found ? static_cast<int64_t>(set_size(found.collection())) : 0);
}

void smembers_command(Call& call) {
  const FoundSet found = read_set(call, 1);
  if (found.wrong) return;
  if (!found) return call.reply().set(0);
  reply_members(call, found.collection(), true);
}

void sscan_command(Call& call) {
  ScanOptions options;
  if (!parse_scan_cursor(call, 2, &options)) return;
  const FoundSet found = read_set(call, 1);
  if (found.wrong) return;
  Reply& reply = call.reply();
  if (!found) {
    reply.array(2);
    reply.bulk("0");
    return reply.array(0);
  }
  if (!parse_scan_options(call, ScanOf::kSet, 3, &options)) return;

  // The cursor stands before the members, which are gathered meanwhile: pointers, since nothing changes.
  const Collection c = found.collection();
  const bool table = c.encoding == Encoding::kHashtable;
  std::vector<Slice> members;
  uint64_t cursor = 0;
  if (table) {
    cursor = options.cursor;
    uint64_t steps = static_cast<uint64_t>(options.count) * 10;
    int64_t sampled = 0;
    do {
      cursor = set_scan(c, cursor, [&](const Slice& member) {
        sampled++;
        if (!options.filtered || glob_match(options.pattern, member)) members.push_back(member);
      });
    } while (cursor != 0 && steps-- != 0 && sampled < options.count);
  }
  reply.array(2);
  char digits[24];
  reply.bulk({digits, format_u64(digits, cursor)});
  if (table) {
    reply.array(static_cast<int64_t>(members.size()));
    for (const Slice& member : members) reply.bulk(member);
    return;
  }
  const Output::Mark mark = reply.begin_aggregate();
  int64_t n = 0;
  char tmp[kInt64Chars + 1];
  set_for_each(c, [&](const SetItem& item) {
    const Slice member = item.str(tmp);
    if (!options.filtered || glob_match(options.pattern, member)) {
      reply.bulk(member);
      n++;
    }
    return true;
  });
  reply.end_array(mark, n);
}

}  // namespace

void register_set_commands(HandlerMap& map) {
  map["sadd"] = sadd_command;
  map["srem"] = srem_command;
  map["smove"] = smove_command;
  map["sismember"] = sismember_command;
  map["smismember"] = smismember_command;
  map["scard"] = scard_command;
  map["smembers"] = smembers_command;
  map["sscan"] = sscan_command;
}

}  // namespace kvasir
