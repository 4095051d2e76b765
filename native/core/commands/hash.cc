// Hashes: setting, reading and removing fields; HSCAN.
#include <algorithm>
#include <vector>

#include "base/glob.h"
#include "base/numbers.h"
#include "commands/hash_value.h"
#include "commands/scan_args.h"

namespace kvasir {

namespace {

// ------------------------------------------------------------------ setting

// Bytes of text of a new hash up to which its parts are measured before they are stored.
constexpr size_t kSingleAllocation = 1024;

// Arguments 2, 3, ... as pairs; for HSET, HMSET and HSETNX.
class Pairs {
 public:
  explicit Pairs(const Call& call) : call_(call) {
    for (int i = 2; i < call.argc(); i++) {
      const size_t n = call.arg(i).size;
      longest_ = std::max(longest_, n);
      bytes_ += n;
    }
  }
  [[nodiscard]] size_t count() const { return static_cast<size_t>(call_.argc() - 2) / 2; }

  void prepare(HashEdit* edit) const {
    const EncodingLimits& limits = call_.core.settings.encodings;
    if (edit->exists()) {
      hash_expect(&edit->c, limits, count(), longest_, bytes_);
      return;
    }
    // As much room as they take, in one allocation.
    size_t room = 0;
    for (int i = 2; i < call_.argc() && bytes_ <= kSingleAllocation; i++)
      room += Listpack::cost(call_.arg(i));
    edit->c = hash_make(limits, count(), longest_, room);
  }

 private:
  const Call& call_;
  size_t longest_ = 0, bytes_ = 0;
};

// The number of fields that were added; -1: an error was replied.
int64_t set_pairs(const Call& call) {
  if (call.argc() % 2 == 1) {
    call.reply().errorf("ERR wrong number of arguments for '%s' command", call.command.fullname.c_str());
    return -1;
  }
  HashEdit edit(call);
  if (!edit.find_or_prepare()) return -1;
  const Pairs pairs(call);
  pairs.prepare(&edit);
  int64_t added = 0;
  size_t revived = 0;
  for (int i = 2; i < call.argc(); i += 2) {
    const HashStored stored = edit.set(call.arg(i), edit.input(i + 1), kNoExpiry, false, call.known_hash(i));
    if (stored != HashStored::kUpdated) added++;
    if (stored == HashStored::kRevived) revived++;
  }
  edit.store();
  edit.modified();
  edit.expired(revived);
  edit.notify("hset");
  call.ks().dirty += pairs.count();
  return added;
}

void hset_command(Call& call) {
  const int64_t added = set_pairs(call);
  if (added >= 0) call.reply().integer(added);
}

void hmset_command(Call& call) {
  if (set_pairs(call) >= 0) call.reply().ok();
}

void hsetnx_command(Call& call) {
  HashEdit edit(call);
  if (!edit.find_or_prepare()) return;
  const Slice field = call.arg(2);
  if (edit.exists() && hash_exists(edit.c, field, edit.clock(), call.known_hash(2)))
    return call.reply().integer(0);
  Pairs(call).prepare(&edit);
  const HashStored stored = edit.set(field, edit.input(3), kNoExpiry, false, call.known_hash(2));
  edit.store();
  edit.modified();
  edit.expired(stored == HashStored::kRevived ? 1 : 0);
  edit.notify("hset");
  call.ks().dirty++;
  // A replica may still have the field, if that had expired here.
  if (edit.had_deadlines() && call.propagating()) {
    call.propagation().rewrite({"HSET", edit.key().key, field, call.arg(3)});
  }
  call.reply().integer(1);
}

// ------------------------------------------------------------------ reading

void hget_command(Call& call) {
  const FoundHash found = read_hash(call, 1);
  if (found.wrong) return;
  if (!found) return call.reply().null();
  const Collection c = found.collection();
  reply_field(call, &c, call.arg(2), call.ks().field_clock(), call.known_hash(2));
}

void hmget_command(Call& call) {
  const FoundHash found = read_hash(call, 1);
  if (found.wrong) return;
  const FieldClock clock = call.ks().field_clock();
  const Collection c = found ? found.collection() : Collection{};
  call.reply().array(call.argc() - 2);
  for (int i = 2; i < call.argc(); i++) {
    reply_field(call, found ? &c : nullptr, call.arg(i), clock, call.known_hash(i));
  }
}

enum Parts : unsigned { kFields = 1, kValues = 2 };

void reply_all(const Call& call, unsigned parts) {
  const FoundHash found = read_hash(call, 1);
  if (found.wrong) return;
  Reply& reply = call.reply();
  const bool map = parts == (kFields | kValues);
  if (!found) {
    map ? reply.map(0) : reply.array(0);
    return;
  }
  const Collection c = found.collection();
  // How many are hidden shows as they are visited.
  const bool counted = !hash_has_deadlines(c);
  Output::Mark mark{};
  int64_t n = static_cast<int64_t>(hash_size(c));
  if (!counted) {
    mark = reply.begin_aggregate();
    n = 0;
  } else {
    map ? reply.map(n) : reply.array(n);
  }
  hash_for_each(c, call.ks().field_clock(), [&](const Slice& field, const HashValue& value) {
    if (parts & kFields) reply.bulk(field);
    if (parts & kValues) reply_value(call, value);
    if (!counted) n++;
  });
  if (!counted) map ? reply.end_map(mark, n) : reply.end_array(mark, n);
}

void hgetall_command(Call& call) { reply_all(call, kFields | kValues); }
void hkeys_command(Call& call) { reply_all(call, kFields); }
void hvals_command(Call& call) { reply_all(call, kValues); }

void hlen_command(Call& call) {
  const FoundHash found = read_hash(call, 1);
  if (found.wrong) return;
  call.reply().integer(found ? static_cast<int64_t>(hash_size(found.collection())) : 0);
}

// What is known of a field; false: the error was replied, or it is not there, which was replied as 0.
bool lookup_field(const Call& call, HashValue* value) {
  const FoundHash found = read_hash(call, 1);
  if (found.wrong) return false;
  if (found && hash_get(found.collection(), call.arg(2), call.ks().field_clock(), value, call.known_hash(2)))
    return true;
  call.reply().integer(0);
  return false;
}

void hstrlen_command(Call& call) {
  HashValue value;
  if (lookup_field(call, &value)) call.reply().integer(static_cast<int64_t>(value.size()));
}

void hexists_command(Call& call) {
  HashValue value;
  if (lookup_field(call, &value)) call.reply().integer(1);
}

void hscan_command(Call& call) {
  ScanOptions options;
  if (!parse_scan_cursor(call, 2, &options)) return;
  const FoundHash found = read_hash(call, 1);
  if (found.wrong) return;
  Reply& reply = call.reply();
  if (!found) {
    reply.array(2);
    reply.bulk("0");
    return reply.array(0);
  }
  if (!parse_scan_options(call, ScanOf::kHash, 3, &options)) return;

  const Collection c = found.collection();
  const FieldClock clock = call.ks().field_clock();
  const auto matches = [&](const Slice& field) {
    return !options.filtered || glob_match(options.pattern, field);
  };
  // The cursor stands before the fields, which are gathered meanwhile: pointers, since nothing changes.
  const bool big = c.encoding == Encoding::kHashtable;
  std::vector<const HashField*> fields;
  uint64_t cursor = 0;
  if (big) {
    cursor = options.cursor;
    uint64_t steps = static_cast<uint64_t>(options.count) * 10;
    int64_t sampled = 0;
    do {
      cursor = hash_scan(c, clock, cursor, [&](const HashField* f) {
        sampled++;
        if (matches(f->field())) fields.push_back(f);
      });
    } while (cursor != 0 && steps-- != 0 && sampled < options.count);
  }
  reply.array(2);
  char digits[24];
  reply.bulk({digits, format_u64(digits, cursor)});
  const int64_t words = options.names_only ? 1 : 2;
  if (big) {
    reply.array(static_cast<int64_t>(fields.size()) * words);
    for (const HashField* f : fields) {
      reply.bulk(f->field());
      if (options.names_only) continue;
      StrBuf* const buffer = f->buffer();
      buffer != nullptr ? reply.bulk(buffer, buffer->slice()) : reply.bulk(f->value());
    }
    return;
  }
  const Output::Mark mark = reply.begin_aggregate();
  int64_t n = 0;
  hash_for_each(c, clock, [&](const Slice& field, const HashValue& value) {
    if (!matches(field)) return;
    reply.bulk(field);
    if (!options.names_only) reply_value(call, value);
    n += words;
  });
  reply.end_array(mark, n);
}

// ------------------------------------------------------------------ removing

void hdel_command(Call& call) {
  HashEdit edit(call);
  if (!edit.find()) return;
  if (!edit.exists()) return call.reply().integer(0);
  int64_t deleted = 0;
  for (int i = 2; i < call.argc(); i++) {
    if (!hash_remove(&edit.c, call.arg(i), edit.clock(), call.known_hash(i))) continue;
    deleted++;
    if (hash_size(edit.c) == 0) break;
  }
  if (deleted > 0) {
    const bool gone = edit.store_or_delete();
    edit.modified();
    edit.notify("hdel");
    if (gone) edit.notify("del", kNotifyGeneric);
    call.ks().dirty += static_cast<uint64_t>(deleted);
  }
  call.reply().integer(deleted);
}

}  // namespace

void register_hash_commands(HandlerMap& map) {
  map["hset"] = hset_command;
  map["hmset"] = hmset_command;
  map["hsetnx"] = hsetnx_command;
  map["hget"] = hget_command;
  map["hmget"] = hmget_command;
  map["hgetall"] = hgetall_command;
  map["hkeys"] = hkeys_command;
  map["hvals"] = hvals_command;
  map["hlen"] = hlen_command;
  map["hstrlen"] = hstrlen_command;
  map["hexists"] = hexists_command;
  map["hscan"] = hscan_command;
  map["hdel"] = hdel_command;
}

}  // namespace kvasir
