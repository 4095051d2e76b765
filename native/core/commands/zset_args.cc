#include "commands/zset_args.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

#include "base/numbers.h"

namespace kvasir {

bool parse_float(const Call& call, int arg, double* out, const char* error) {
  if (parse_double(call.arg(arg), out)) return true;
  call.reply().error(error);
  return false;
}

bool parse_integer(const Call& call, int arg, int64_t* out, const char* error) {
  if (parse_i64(call.arg(arg), out)) return true;
  call.reply().error(error != nullptr ? error : "ERR value is not an integer or out of range");
  return false;
}

bool parse_integer_from(const Call& call, int arg, int64_t least, int64_t* out, const char* error) {
  int64_t v;
  if (!parse_integer(call, arg, &v, error)) return false;
  if (v < least) {
    call.reply().error(error);
    return false;
  }
  *out = v;
  return true;
}

namespace {

// A bound may be empty (0) and may overflow or underflow, and ends at a NUL: unlike a score.
bool parse_score_bound(Slice s, double* out, bool* open) {
  if (!s.empty() && s[0] == '(') {
    *open = true;
    s = {s.data + 1, s.size - 1};
  }
  s.size = static_cast<size_t>(std::find(s.begin(), s.end(), '\0') - s.begin());
  if (s.empty()) {
    *out = 0;
    return true;
  }
  if (parse_double(s, out)) return true;
  if (!std::all_of(s.begin(), s.end(), [](char c) { return strchr("0123456789+-.eE", c) != nullptr; }))
    return false;
  const std::string text = s.str();
  char* end = nullptr;
  *out = strtod(text.c_str(), &end);
  return *end == '\0';
}

bool parse_lex_bound(const Slice& s, LexBound* out) {
  if (s.empty()) return false;
  switch (s[0]) {
    case '+':
    case '-':
      *out = {s[0] == '+' ? LexBound::kGreatest : LexBound::kLeast, true, {}};
      return s.size == 1 || s[1] == '\0';
    case '(':
    case '[':
      *out = {LexBound::kBytes, s[0] == '(', {s.data + 1, s.size - 1}};
      return true;
    default:
      return false;
  }
}

}  // namespace

bool parse_score_range(const Call& call, int min, int max, ScoreRange* out) {
  if (parse_score_bound(call.arg(min), &out->min, &out->min_open) &&
      parse_score_bound(call.arg(max), &out->max, &out->max_open)) {
    return true;
  }
  call.reply().error("ERR min or max is not a float");
  return false;
}

bool parse_lex_range(const Call& call, int min, int max, LexRange* out) {
  if (parse_lex_bound(call.arg(min), &out->min) && parse_lex_bound(call.arg(max), &out->max)) return true;
  call.reply().error("ERR min or max not valid string range item");
  return false;
}

RankInterval rank_interval(int64_t start, int64_t end, size_t size) {
  const auto n = static_cast<int64_t>(size);
  if (start < 0) start = std::max<int64_t>(0, n + start);
  if (end < 0) end = n + end;
  if (start > end || start >= n) return {0, 0};
  return {static_cast<size_t>(start), static_cast<size_t>(std::min(end, n - 1)) + 1};
}

FoundZset read_zset(const Call& call, int key_arg) {
  Entry* e = call.ks().lookup_read(call.db(), call.key(key_arg));
  if (e == nullptr || e->type() == Type::kZset) return {e, false};
  call.wrong_type();
  return {nullptr, true};
}

FoundZset write_zset(const Call& call, const KeyRef& k) {
  Entry* e = call.ks().lookup_write(call.db(), k);
  if (e == nullptr || e->type() == Type::kZset) return {e, false};
  call.wrong_type();
  return {nullptr, true};
}

void store_zset(const Call& call, int key_arg, Collection c, const char* event, uint64_t dirty) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(key_arg);
  if (zset_size(c) == 0) {
    zset_destroy(c);
    if (ks.lookup_write(db, k, Keyspace::kNoTouch) == nullptr) return;
    ks.remove(db, k, ks.lazyfree_server_del);
    ks.modified(db, k.key);
    ks.notify(kNotifyGeneric, "del", k.key, db);
    ks.dirty++;
    return;
  }
  ks.set(db, k, Entry::make_collection(k.key, Type::kZset, c));
  ks.modified(db, k.key);
  ks.notify(kNotifyZset, event, k.key, db);
  ks.dirty += dirty;
}

namespace {

void remove_key(const Call& call, const KeyRef& k) {
  Keyspace& ks = call.ks();
  ks.remove(call.db(), k, ks.lazyfree_server_del);
  ks.notify(kNotifyGeneric, "del", k.key, call.db());
}

}  // namespace

void finish_removal(const Call& call, const KeyRef& k, Entry* e, const Collection& c) {
  e->set_collection(c);
  if (zset_size(c) == 0) remove_key(call, k);
  call.ks().modified(call.db(), k.key);
}

void remove_ranks(const Call& call, const KeyRef& k, Entry* e, RankInterval ranks) {
  Collection c = e->collection();
  if (ranks.size() == zset_size(c)) {
    remove_key(call, k);
  } else {
    zset_erase(&c, ranks);
    e->set_collection(c);
  }
  call.ks().modified(call.db(), k.key);
}

}  // namespace kvasir
