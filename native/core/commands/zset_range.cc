// ZRANGE and what came before it: walking an interval of a sorted set, and storing one.
#include <algorithm>

#include "base/numbers.h"
#include "commands/zset_args.h"

namespace kvasir {

namespace {

enum class By : uint8_t { kAny, kRank, kScore, kLex };
enum class Direction : uint8_t { kAny, kForward, kReverse };

struct RangeOptions {
  By by;
  Direction direction;
  bool scores = false;
  int64_t offset = 0, limit = -1;
};

// False: an error was replied.
bool parse_range_options(const Call& call, int from, bool store, RangeOptions* o) {
  for (int i = from; i < call.argc(); i++) {
    const Slice word = call.arg(i);
    if (!store && equals_nocase(word, "withscores")) {
      o->scores = true;
    } else if (equals_nocase(word, "limit") && i + 2 < call.argc()) {
      if (!parse_integer(call, i + 1, &o->offset) || !parse_integer(call, i + 2, &o->limit)) return false;
      i += 2;
    } else if (o->direction == Direction::kAny && equals_nocase(word, "rev")) {
      o->direction = Direction::kReverse;
    } else if (o->by == By::kAny && equals_nocase(word, "bylex")) {
      o->by = By::kLex;
    } else if (o->by == By::kAny && equals_nocase(word, "byscore")) {
      o->by = By::kScore;
    } else {
      call.syntax_error();
      return false;
    }
  }
  if (o->direction == Direction::kAny) o->direction = Direction::kForward;
  if (o->by == By::kAny) o->by = By::kRank;
  if (o->limit != -1 && o->by == By::kRank) {
    call.reply().error(
        "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
    return false;
  }
  if (o->scores && o->by == By::kLex) {
    call.reply().error("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
    return false;
  }
  return true;
}

// The part of an interval that LIMIT leaves, in the direction of the walk. A negative offset means none in a
// listpack; in a skiplist it counts from the end of the interval, as in Valkey.
RankInterval limited(RankInterval all, const RangeOptions& o, Encoding encoding) {
  const size_t size = all.size();
  uint64_t skip = static_cast<uint64_t>(o.offset);
  if (o.offset < 0) {
    const uint64_t back = 0 - skip;
    if (encoding == Encoding::kListpack || back > size) return {0, 0};
    skip = size - back;
  }
  if (skip >= size) return {0, 0};
  const size_t left = size - skip;
  const size_t n = o.limit < 0 ? left : std::min(left, static_cast<size_t>(o.limit));
  if (o.direction == Direction::kForward) return {all.first + skip, all.first + skip + n};
  return {all.end - skip - n, all.end - skip};
}

template <class F>
void walk(const Collection& c, RankInterval ranks, bool reverse, F&& visit) {
  size_t left = ranks.size();
  if (left == 0) return;
  char tmp[kInt64Chars + 1];
  ZsetCursor at(c, reverse ? ranks.end - 1 : ranks.first);
  constexpr unsigned kAhead = 8;
  for (unsigned i = 1; i < std::min<size_t>(left, kAhead); i++) at.prefetch_member(i, reverse);
  for (; left > 0; left--) {
    if (left > kAhead) at.prefetch_member(kAhead, reverse);
    visit(at.member(tmp), at);
    reverse ? at.prev() : at.next();
  }
}

// <key> <min> <max> [BYSCORE|BYLEX] [REV] [WITHSCORES] [LIMIT offset count], the key at argument `key`.
void range_generic(const Call& call, int key, bool store, By by, Direction direction) {
  RangeOptions o{by, direction};
  if (!parse_range_options(call, key + 3, store, &o)) return;
  const bool reverse = o.direction == Direction::kReverse;
  const bool swapped = reverse && o.by != By::kRank;
  const int min = swapped ? key + 2 : key + 1;
  const int max = swapped ? key + 1 : key + 2;
  int64_t start = 0, end = 0;
  ScoreRange scores;
  LexRange lex;
  switch (o.by) {
    case By::kScore:
      if (!parse_score_range(call, min, max, &scores)) return;
      break;
    case By::kLex:
      if (!parse_lex_range(call, min, max, &lex)) return;
      break;
    default:
      if (!parse_integer(call, min, &start) || !parse_integer(call, max, &end)) return;
  }

  const FoundZset found = read_zset(call, key);
  if (found.wrong) return;
  RankInterval ranks{0, 0};
  if (found) {
    const Collection c = found.collection();
    if (o.by == By::kRank) {
      const size_t size = zset_size(c);
      ranks = rank_interval(start, end, size);
      if (reverse && ranks.size() > 0) ranks = {size - ranks.end, size - ranks.first};
    } else {
      ranks = limited(o.by == By::kScore ? zset_interval(c, scores) : zset_interval(c, lex), o, c.encoding);
    }
  }
  if (!store) {
    MemberReply out(call, o.scores);
    out.begin(ranks.size());
    if (!found) return;
    walk(found.collection(), ranks, reverse,
         [&](const Slice& member, const ZsetCursor& at) { out.emit(member, o.scores ? at.score() : 0); });
    return;
  }
  const EncodingLimits& limits = call.core.settings.encodings;
  // Only a range of ranks is known to be long before it is walked.
  Collection result = zset_make(limits, o.by == By::kRank ? ranks.size() : 0, 0);
  if (found) {
    walk(found.collection(), ranks, reverse, [&](const Slice& member, const ZsetCursor& at) {
      double score = at.score();
      zset_add(&result, limits, member, 0, &score);
    });
  }
  store_zset(call, 1, result, "zrangestore", 1);
  call.reply().integer(static_cast<int64_t>(ranks.size()));
}

void zrange_command(Call& call) { range_generic(call, 1, false, By::kAny, Direction::kAny); }
void zrangestore_command(Call& call) { range_generic(call, 2, true, By::kAny, Direction::kAny); }
void zrevrange_command(Call& call) { range_generic(call, 1, false, By::kRank, Direction::kReverse); }
void zrangebyscore_command(Call& call) { range_generic(call, 1, false, By::kScore, Direction::kForward); }
void zrevrangebyscore_command(Call& call) { range_generic(call, 1, false, By::kScore, Direction::kReverse); }
void zrangebylex_command(Call& call) { range_generic(call, 1, false, By::kLex, Direction::kForward); }
void zrevrangebylex_command(Call& call) { range_generic(call, 1, false, By::kLex, Direction::kReverse); }

}  // namespace

void register_zset_range_commands(HandlerMap& map) {
  map["zrange"] = zrange_command;
  map["zrangestore"] = zrangestore_command;
  map["zrevrange"] = zrevrange_command;
  map["zrangebyscore"] = zrangebyscore_command;
  map["zrevrangebyscore"] = zrevrangebyscore_command;
  map["zrangebylex"] = zrangebylex_command;
  map["zrevrangebylex"] = zrevrangebylex_command;
}

}  // namespace kvasir
