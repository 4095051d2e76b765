// Enumerating keys: KEYS, SCAN; and what the other SCAN commands share with it.
#include <algorithm>
#include <vector>

#include "base/crc16.h"
#include "base/glob.h"
#include "base/numbers.h"
#include "commands/keys.h"
#include "commands/scan_args.h"

namespace kvasir {

bool parse_scan_cursor(const Call& call, int at, ScanOptions* out) {
  if (parse_u64(call.arg(at), &out->cursor)) return true;
  call.reply().error("ERR invalid cursor");
  return false;
}

bool parse_scan_options(const Call& call, ScanOf of, int from, ScanOptions* out) {
  for (int i = from; i < call.argc(); i++) {
    const Slice word = call.arg(i);
    const bool has_value = i + 1 < call.argc();
    if (equals_nocase(word, "count") && has_value) {
      if (!parse_i64(call.arg(++i), &out->count)) {
        call.not_an_integer();
        return false;
      }
      if (out->count < 1) {
        call.syntax_error();
        return false;
      }
    } else if (equals_nocase(word, "match") && has_value) {
      out->pattern = call.arg(++i);
      out->filtered = out->pattern != Slice("*");
    } else if (equals_nocase(word, "type") && of == ScanOf::kKeys && has_value) {
      const std::string name = call.arg(++i).str();
      constexpr Type kTypes[] = {Type::kString, Type::kList, Type::kSet,
                                 Type::kZset,   Type::kHash, Type::kStream};
      const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                      [&](Type t) { return equals_nocase(name.c_str(), type_name(t)); });
      if (type == std::end(kTypes)) {
        call.reply().error(std::string("ERR unknown type name '") + name.c_str() + "'");
        return false;
      }
      out->any_type = false;
      out->type = *type;
    } else if (equals_nocase(word, "novalues")) {
      if (of != ScanOf::kHash) {
        call.reply().error("ERR NOVALUES option can only be used in HSCAN");
        return false;
      }
      out->names_only = true;
    } else if (equals_nocase(word, "noscores")) {
      if (of != ScanOf::kZset) {
        call.reply().error("ERR NOSCORES option can only be used in ZSCAN");
        return false;
      }
      out->names_only = true;
    } else {
      call.syntax_error();
      return false;
    }
  }
  return true;
}

int pattern_slot(Slice pattern) {
  bool tag_possible = true;
  size_t open = pattern.size;  // of the first brace
  for (size_t i = 0; i < pattern.size; i++) {
    const char c = pattern[i];
    // Of an escaped character the slot is not worked out.
    if (c == '*' || c == '?' || c == '[' || c == '\\') return -1;
    if (c == '{' && tag_possible && open == pattern.size) {
      open = i;
    } else if (c == '}' && open < i && tag_possible) {
      if (i > open + 1) return static_cast<int>(key_slot({pattern.data, i + 1}));
      tag_possible = false;  // "{}" is no tag, and then nothing is
    }
  }
  return static_cast<int>(key_slot(pattern));
}

namespace {

void keys_command(Call& call) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const Slice pattern = call.arg(1);
  const bool all = pattern == Slice("*");
  const int only = ks.clustered() && !all ? pattern_slot(pattern) : -1;
  Reply& reply = call.reply();
  const Output::Mark start = reply.begin_aggregate();
  int64_t n = 0;
  for (int s = only >= 0 ? only : db.next_slot(KeyIndex::kAll, 0); s >= 0;
       s = only >= 0 ? -1 : db.next_slot(KeyIndex::kAll, s + 1)) {
    SlotDicts* d = db.slot(s);
    if (d == nullptr) continue;
    EntryDict::Iterator it(d->keys);
    for (const Entry* e = it.next(); e != nullptr && !call.client.flags.close_asap; e = it.next()) {
      if (ks.expired(*e) || (!all && !glob_match(pattern, e->key()))) continue;
      reply.bulk(e->key());
      n++;
    }
  }
  reply.end_array(start, n);
}

void scan_command(Call& call) {
  ScanOptions options;
  if (!parse_scan_cursor(call, 1, &options) || !parse_scan_options(call, ScanOf::kKeys, 2, &options)) return;
  Keyspace& ks = call.ks();
  Database& db = call.db();
  int first = 0;
  int last = ks.clustered() ? Database::kSlots - 1 : 0;
  if (ks.clustered() && options.filtered) {
    const int only = pattern_slot(options.pattern);
    if (only >= 0) first = last = only;
  }
  std::vector<const Entry*> found;
  int64_t sampled = 0;
  const auto visit = [&](const Entry* e) {
    sampled++;
    if (!options.any_type && e->type() != options.type) return;
    if (options.filtered && !glob_match(options.pattern, e->key())) return;
    // Deleting it leaves those found before in their places.
    if (ks.expire_if_due(db, ks.ref(e->key()), *e) != Expiry::kValid) return;
    found.push_back(e);
  };
  // In a very empty table ten times as many steps as keys are wanted must do.
  uint64_t steps = static_cast<uint64_t>(options.count) * 10;
  uint64_t cursor = options.cursor;
  do {
    cursor = db.scan(KeyIndex::kAll, cursor, first, last, false, visit);
  } while (cursor != 0 && steps-- != 0 && sampled < options.count);

  Reply& reply = call.reply();
  reply.array(2);
  char digits[24];
  reply.bulk({digits, format_u64(digits, cursor)});
  reply.array(static_cast<int64_t>(found.size()));
  for (const Entry* e : found) reply.bulk(e->key());
}

}  // namespace

void register_key_scan_commands(HandlerMap& map) {
  map["keys"] = keys_command;
  map["scan"] = scan_command;
}

}  // namespace kvasir
