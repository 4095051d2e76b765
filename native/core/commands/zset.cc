// Sorted sets: adding, removing and looking up members, counting.
#include <array>
#include <cmath>
#include <vector>

#include "base/glob.h"
#include "base/numbers.h"
#include "commands/scan_args.h"
#include "commands/zset_args.h"

namespace kvasir {

namespace {

constexpr const char* kNotANumber = "ERR resulting score is not a number (NaN)";

// ------------------------------------------------------------------ adding

// Reads the options; false: no option.
bool zadd_option(const Slice& word, ZaddOptions* options) {
  constexpr std::pair<const char*, unsigned> kFlags[] = {
      {"nx", kZaddNx}, {"xx", kZaddXx}, {"incr", kZaddIncrement}, {"gt", kZaddGt}, {"lt", kZaddLt}};
  if (word.size != 2 && word.size != 4) return false;
  if (equals_nocase(word, "ch")) {
    options->changed = true;
    return true;
  }
  for (const auto& [name, flag] : kFlags) {
    if (!equals_nocase(word, name)) continue;
    options->flags |= flag;
    return true;
  }
  return false;
}

// A few on the stack, many on the heap.
class ScoredArguments {
 public:
  explicit ScoredArguments(size_t n) : size_(n) {
    if (n > few_.size()) many_.resize(n);
  }
  ScoredArgument* data() { return size_ > few_.size() ? many_.data() : few_.data(); }
  std::span<const ScoredArgument> all() { return {data(), size_}; }

 private:
  size_t size_;
  std::array<ScoredArgument, 8> few_;
  std::vector<ScoredArgument> many_;
};

void zadd_generic(const Call& call, ZaddOptions options) {
  int first = 2;
  while (first < call.argc() && zadd_option(call.arg(first), &options)) first++;
  const int rest = call.argc() - first;
  if (rest == 0 || rest % 2 != 0) return call.syntax_error();
  const bool nx = options.flags & kZaddNx;
  const bool gt = options.flags & kZaddGt;
  const bool lt = options.flags & kZaddLt;
  if (nx && (options.flags & kZaddXx)) {
    return call.reply().error("ERR XX and NX options at the same time are not compatible");
  }
  if ((gt && nx) || (lt && nx) || (gt && lt)) {
    return call.reply().error("ERR GT, LT, and/or NX options at the same time are not compatible");
  }
  if ((options.flags & kZaddIncrement) && rest > 2) {
    return call.reply().error("ERR INCR option supports a single increment-element pair");
  }
  ScoredArguments members(static_cast<size_t>(rest / 2));
  for (int i = 0; i < rest / 2; i++) {
    ScoredArgument& m = members.data()[i];
    if (!parse_float(call, first + 2 * i, &m.score)) return;
    m.member = call.arg(first + 2 * i + 1);
    m.hash = call.known_hash(first + 2 * i + 1);
  }
  add_members(call, options, members.all());
}

void zadd_command(Call& call) { zadd_generic(call, {}); }
void zincrby_command(Call& call) { zadd_generic(call, {kZaddIncrement, false}); }

}  // namespace

void add_members(const Call& call, const ZaddOptions& options, std::span<const ScoredArgument> members) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(1);
  const EncodingLimits& limits = call.core.settings.encodings;
  const bool increment = options.flags & kZaddIncrement;
  Reply& reply = call.reply();

  EntryRoom room;
  const EntrySlot slot = ks.find_or_prepare(db, k, &room);
  if (slot && slot.get()->type() != Type::kZset) return call.wrong_type();
  if (!slot && (options.flags & kZaddXx)) {
    increment ? reply.null() : reply.integer(0);
    return;
  }
  size_t longest = 0;
  for (const ScoredArgument& m : members) longest = std::max(longest, m.member.size);
  Collection c;
  if (slot) {
    c = slot.get()->collection();
    zset_expect(&c, limits, members.size(), longest);
  } else {
    c = zset_make(limits, members.size(), longest);
  }

  int64_t added = 0, updated = 0;
  double score = 0;
  ZaddResult result = ZaddResult::kSkipped;
  for (const ScoredArgument& m : members) {
    score = m.score;
    result = zset_add(&c, limits, m.member, options.flags, &score, m.hash);
    if (result == ZaddResult::kNan) break;
    if (result == ZaddResult::kAdded) added++;
    if (result == ZaddResult::kUpdated) updated++;
  }
  if (slot) {
    slot.get()->set_collection(c);
  } else {
    ks.add(db, k, room, Entry::make_collection(k.key, Type::kZset, c));
  }
  if (added + updated > 0) {
    ks.dirty += static_cast<uint64_t>(added + updated);
    ks.modified(db, k.key);
    ks.notify(kNotifyZset, increment ? "zincr" : "zadd", k.key, db);
  }
  if (result == ZaddResult::kNan) return reply.error(kNotANumber);
  if (!increment) return reply.integer(options.changed ? added + updated : added);
  if (result == ZaddResult::kSkipped) return reply.null();
  reply.real(score);
}

namespace {

// ------------------------------------------------------------------ removing

void zrem_command(Call& call) {
  const KeyRef k = call.key(1);
  const FoundZset found = write_zset(call, k);
  if (found.wrong) return;
  if (!found) return call.reply().integer(0);
  Collection c = found.collection();
  int64_t removed = 0;
  for (int i = 2; i < call.argc(); i++) {
    if (!zset_remove(&c, call.arg(i), call.known_hash(i))) continue;
    removed++;
    if (zset_size(c) == 0) break;
  }
  if (removed > 0) {
    call.ks().notify(kNotifyZset, "zrem", k.key, call.db());
    finish_removal(call, k, found.entry, c);
    call.ks().dirty += static_cast<uint64_t>(removed);
  }
  call.reply().integer(removed);
}

void remove_interval(const Call& call, const KeyRef& k, const FoundZset& found, RankInterval ranks,
                     const char* event) {
  if (ranks.size() > 0) {
    call.ks().notify(kNotifyZset, event, k.key, call.db());
    remove_ranks(call, k, found.entry, ranks);
    call.ks().dirty += ranks.size();
  }
  call.reply().integer(static_cast<int64_t>(ranks.size()));
}

void zremrangebyrank_command(Call& call) {
  int64_t start, end;
  if (!parse_integer(call, 2, &start) || !parse_integer(call, 3, &end)) return;
  const KeyRef k = call.key(1);
  const FoundZset found = write_zset(call, k);
  if (found.wrong) return;
  if (!found) return call.reply().integer(0);
  remove_interval(call, k, found, rank_interval(start, end, zset_size(found.collection())),
                  "zremrangebyrank");
}

// By score or by bytes.
template <class Range>
void remove_range(Call& call, bool (*parse)(const Call&, int, int, Range*), const char* event) {
  Range range;
  if (!parse(call, 2, 3, &range)) return;
  const KeyRef k = call.key(1);
  const FoundZset found = write_zset(call, k);
  if (found.wrong) return;
  if (!found) return call.reply().integer(0);
  remove_interval(call, k, found, zset_interval(found.collection(), range), event);
}

void zremrangebyscore_command(Call& call) {
  remove_range<ScoreRange>(call, parse_score_range, "zremrangebyscore");
}
void zremrangebylex_command(Call& call) { remove_range<LexRange>(call, parse_lex_range, "zremrangebylex"); }

// ------------------------------------------------------------------ reading

void zcard_command(Call& call) {
  const FoundZset found = read_zset(call, 1);
  if (found.wrong) return;
  call.reply().integer(found ? static_cast<int64_t>(zset_size(found.collection())) : 0);
}

void reply_score(const Call& call, const FoundZset& found, int arg) {
  double score;
  if (found && zset_score(found.collection(), call.arg(arg), &score, call.known_hash(arg)))
    return call.reply().real(score);
  call.reply().null();
}

void zscore_command(Call& call) {
  const FoundZset found = read_zset(call, 1);
  if (!found.wrong) reply_score(call, found, 2);
}

void zmscore_command(Call& call) {
  const FoundZset found = read_zset(call, 1);
  if (found.wrong) return;
  call.reply().array(call.argc() - 2);
  for (int i = 2; i < call.argc(); i++) reply_score(call, found, i);
}

void zrank_generic(const Call& call, bool reverse) {
  Reply& reply = call.reply();
  if (call.argc() > 4) {
    return reply.errorf("ERR wrong number of arguments for '%s' command", call.command.fullname.c_str());
  }
  const bool with_score = call.argc() == 4;
  if (with_score && !equals_nocase(call.arg(3), "withscore")) return call.syntax_error();
  const FoundZset found = read_zset(call, 1);
  if (found.wrong) return;
  double score;
  std::optional<size_t> rank;
  if (found) rank = zset_rank(found.collection(), call.arg(2), &score, call.known_hash(2));
  if (!rank) {
    with_score ? reply.null_array() : reply.null();
    return;
  }
  if (reverse) rank = zset_size(found.collection()) - 1 - *rank;
  if (with_score) reply.array(2);
  reply.integer(static_cast<int64_t>(*rank));
  if (with_score) reply.real(score);
}

void zrank_command(Call& call) { zrank_generic(call, false); }
void zrevrank_command(Call& call) { zrank_generic(call, true); }

template <class Range>
void count_range(Call& call, bool (*parse)(const Call&, int, int, Range*)) {
  Range range;
  if (!parse(call, 2, 3, &range)) return;
  const FoundZset found = read_zset(call, 1);
  if (found.wrong) return;
  call.reply().integer(found ? static_cast<int64_t>(zset_interval(found.collection(), range).size()) : 0);
}

void zcount_command(Call& call) { count_range<ScoreRange>(call, parse_score_range); }
void zlexcount_command(Call& call) { count_range<LexRange>(call, parse_lex_range); }

void zscan_command(Call& call) {
  ScanOptions options;
  if (!parse_scan_cursor(call, 2, &options)) return;
  const FoundZset found = read_zset(call, 1);
  if (found.wrong) return;
  Reply& reply = call.reply();
  if (!found) {
    reply.array(2);
    reply.bulk("0");
    return reply.array(0);
  }
  if (!parse_scan_options(call, ScanOf::kZset, 3, &options)) return;

  // The cursor stands before the elements, which are gathered meanwhile: pointers, since nothing changes.
  const Collection c = found.collection();
  const bool big = c.encoding == Encoding::kSkiplist;
  std::vector<std::pair<Slice, double>> members;
  const auto visit = [&](const Slice& member, double score) {
    if (!options.filtered || glob_match(options.pattern, member)) members.emplace_back(member, score);
  };
  uint64_t cursor = 0;
  if (big) {
    cursor = options.cursor;
    uint64_t steps = static_cast<uint64_t>(options.count) * 10;
    int64_t sampled = 0;
    do {
      cursor = zset_scan(c, cursor, [&](const Slice& member, double score) {
        sampled++;
        visit(member, score);
      });
    } while (cursor != 0 && steps-- != 0 && sampled < options.count);
  }
  reply.array(2);
  char digits[24];
  reply.bulk({digits, format_u64(digits, cursor)});
  const Output::Mark mark = reply.begin_aggregate();
  int64_t n = 0;
  const auto emit = [&](const Slice& member, double score) {
    reply.bulk(member);
    n++;
    if (options.names_only) return;
    char text[kDoubleChars];
    reply.bulk({text, format_double(text, score)});
    n++;
  };
  for (const auto& [member, score] : members) emit(member, score);
  if (!big) {
    char tmp[kInt64Chars + 1];
    for (ZsetCursor at(c, 0); at.valid(); at.next()) {
      const Slice member = at.member(tmp);
      if (!options.filtered || glob_match(options.pattern, member)) emit(member, at.score());
    }
  }
  reply.end_array(mark, n);
}

}  // namespace

void register_zset_commands(HandlerMap& map) {
  map["zadd"] = zadd_command;
  map["zincrby"] = zincrby_command;
  map["zrem"] = zrem_command;
  map["zremrangebyrank"] = zremrangebyrank_command;
  map["zremrangebyscore"] = zremrangebyscore_command;
  map["zremrangebylex"] = zremrangebylex_command;
  map["zcard"] = zcard_command;
  map["zscore"] = zscore_command;
  map["zmscore"] = zmscore_command;
  map["zrank"] = zrank_command;
  map["zrevrank"] = zrevrank_command;
  map["zcount"] = zcount_command;
  map["zlexcount"] = zlexcount_command;
  map["zscan"] = zscan_command;
}

}  // namespace kvasir
