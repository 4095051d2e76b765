// Union, intersection and difference of sorted sets.
#include <algorithm>
#include <cmath>

#include "base/numbers.h"
#include "commands/zset_args.h"
#include "types/set.h"
#include "types/zset_builder.h"

namespace kvasir {

namespace {

enum class Op : uint8_t { kUnion, kInter, kDiff };
enum class Aggregate : uint8_t { kSum, kMin, kMax };

// An input: a sorted set, or a set, whose members have the score 1. That it may be a set is known here only.
class Source {
 public:
  double weight = 1;

  static bool accepts(const Entry* e) {
    return e == nullptr || e->type() == Type::kZset || e->type() == Type::kSet;
  }
  explicit Source(const Entry* e) : entry_(e), set_(e != nullptr && e->type() == Type::kSet) {
    if (e != nullptr) size_ = set_ ? set_size(e->collection()) : zset_size(e->collection());
  }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool same_as(const Source& o) const { return entry_ == o.entry_; }
  bool score_of(Slice member, double* score) const {
    if (size_ == 0) return false;
    if (!set_) return zset_score(entry_->collection(), member, score);
    *score = 1;
    return set_contains(entry_->collection(), member);
  }
  // Until visit(member, score) returns false.
  template <class F>
  void for_each(F&& visit) const {
    if (size_ == 0) return;
    char tmp[kInt64Chars + 1];
    if (set_) {
      return set_for_each(entry_->collection(),
                          [&](const SetItem& item) { return visit(item.str(tmp), 1.0); });
    }
    for (ZsetCursor at(entry_->collection(), 0); at.valid(); at.next()) {
      if (!visit(at.member(tmp), at.score())) return;
    }
  }

 private:
  const Entry* entry_;
  bool set_;
  size_t size_ = 0;
};

double combine(double a, double b, Aggregate how) {
  if (how == Aggregate::kMin) return b < a ? b : a;
  if (how == Aggregate::kMax) return b > a ? b : a;
  const double sum = a + b;
  return std::isnan(sum) ? 0 : sum;  // +inf and -inf
}

double weighted(double score, double weight) {
  const double v = score * weight;
  return std::isnan(v) ? 0 : v;  // inf and 0
}

struct AlgebraCall {
  Op op;
  bool store, count_only;
  Aggregate aggregate = Aggregate::kSum;
  bool scores = false;
  int64_t limit = 0;
};

// The options in the arguments from `at` on. False: an error was replied.
bool parse_algebra_options(const Call& call, int at, AlgebraCall* a, std::vector<Source>* sources) {
  const int n = static_cast<int>(sources->size());
  const bool combines = a->op != Op::kDiff && !a->count_only;
  while (at < call.argc()) {
    const int remaining = call.argc() - at;
    const Slice word = call.arg(at);
    if (combines && remaining >= n + 1 && equals_nocase(word, "weights")) {
      at++;
      for (Source& s : *sources) {
        if (!parse_float(call, at++, &s.weight, "ERR weight value is not a float")) return false;
      }
    } else if (combines && remaining >= 2 && equals_nocase(word, "aggregate")) {
      const Slice how = call.arg(at + 1);
      if (equals_nocase(how, "sum")) {
        a->aggregate = Aggregate::kSum;
      } else if (equals_nocase(how, "min")) {
        a->aggregate = Aggregate::kMin;
      } else if (equals_nocase(how, "max")) {
        a->aggregate = Aggregate::kMax;
      } else {
        call.syntax_error();
        return false;
      }
      at += 2;
    } else if (!a->store && !a->count_only && equals_nocase(word, "withscores")) {
      a->scores = true;
      at++;
    } else if (a->count_only && remaining >= 2 && equals_nocase(word, "limit")) {
      if (!parse_integer_from(call, at + 1, 0, &a->limit, "ERR LIMIT can't be negative")) return false;
      at += 2;
    } else {
      call.syntax_error();
      return false;
    }
  }
  return true;
}

// Calls visit(member, score) for each member of all sources until it returns false. Smallest source first.
template <class F>
void intersect(const std::vector<Source>& sources, Aggregate how, F&& visit) {
  const Source& smallest = sources[0];
  smallest.for_each([&](const Slice& member, double own) {
    double score = weighted(own, smallest.weight);
    for (size_t j = 1; j < sources.size(); j++) {
      double other = own;
      if (!sources[j].same_as(smallest) && !sources[j].score_of(member, &other)) return true;
      score = combine(score, other * sources[j].weight, how);
    }
    return static_cast<bool>(visit(member, score));
  });
}

void unite(const std::vector<Source>& sources, Aggregate how, ZsetBuilder* result) {
  for (const Source& s : sources) {
    s.for_each([&](const Slice& bytes, double score) {
      score = weighted(score, s.weight);
      bool added;
      ScoredMember* m = result->find_or_add(bytes, score, &added);
      if (!added) m->score = combine(m->score, score, how);
      return true;
    });
  }
}

void add(ZsetBuilder* result, Slice bytes, double score) {
  bool added;
  result->find_or_add(bytes, score, &added);
}

// Looks every member of the first source up in the others, or removes the others' members from a copy of the
// first, whichever is less work.
void subtract(std::vector<Source>* sources, ZsetBuilder* result) {
  const Source& first = sources->front();
  size_t lookups = 0, removals = 0;
  for (size_t j = 0; j < sources->size(); j++) {
    if (j > 0 && (*sources)[j].same_as(first)) return;
    lookups += first.size();
    removals += (*sources)[j].size();
  }
  if (lookups / 2 <= removals) {
    std::sort(sources->begin() + 1, sources->end(),
              [](const Source& a, const Source& b) { return a.size() > b.size(); });
    first.for_each([&](const Slice& member, double score) {
      double ignored;
      const bool elsewhere = std::any_of(sources->begin() + 1, sources->end(),
                                         [&](const Source& s) { return s.score_of(member, &ignored); });
      if (!elsewhere) add(result, member, score);
      return true;
    });
    return;
  }
  first.for_each([&](const Slice& member, double score) {
    add(result, member, score);
    return true;
  });
  for (size_t j = 1; j < sources->size() && result->size() > 0; j++) {
    (*sources)[j].for_each([&](const Slice& member, double /*score*/) {
      result->remove(member);
      return result->size() > 0;
    });
  }
}

const char* store_event(Op op) {
  return op == Op::kUnion ? "zunionstore" : op == Op::kInter ? "zinterstore" : "zdiffstore";
}

// numkeys at argument `at`, then the keys and options.
void algebra_generic(const Call& call, int at, AlgebraCall a) {
  Reply& reply = call.reply();
  int64_t numkeys;
  if (!parse_integer(call, at, &numkeys)) return;
  if (numkeys < 1) {
    return reply.errorf("ERR at least 1 input key is needed for '%s' command", call.command.fullname.c_str());
  }
  if (numkeys > call.argc() - at - 1) return call.syntax_error();
  std::vector<Source> sources;
  sources.reserve(static_cast<size_t>(numkeys));
  for (int i = 0; i < numkeys; i++) {
    // A key that is due and is deleted here is not one of those found before.
    const Entry* e = call.ks().lookup_read(call.db(), call.key(at + 1 + i));
    if (!Source::accepts(e)) return call.wrong_type();
    sources.emplace_back(e);
  }
  if (!parse_algebra_options(call, at + 1 + static_cast<int>(numkeys), &a, &sources)) return;
  if (a.op != Op::kDiff) {
    std::stable_sort(sources.begin(), sources.end(),
                     [](const Source& x, const Source& y) { return x.size() < y.size(); });
  }
  if (a.count_only) {
    int64_t n = 0;
    intersect(sources, a.aggregate,
              [&](const Slice& /*member*/, double /*score*/) { return ++n != a.limit; });
    return reply.integer(n);
  }

  ZsetBuilder result(a.op == Op::kUnion ? sources.back().size() : 0);
  if (a.op == Op::kUnion) {
    unite(sources, a.aggregate, &result);
  } else if (a.op == Op::kDiff) {
    subtract(&sources, &result);
  } else {
    intersect(sources, a.aggregate, [&](const Slice& member, double score) {
      add(&result, member, score);
      return true;
    });
  }
  const size_t n = result.size();
  Collection members = result.finish();
  if (a.store) {
    zset_settle(&members, call.core.settings.encodings);
    store_zset(call, 1, members, store_event(a.op), 1);
    return reply.integer(static_cast<int64_t>(n));
  }
  MemberReply out(call, a.scores);
  out.begin(n);
  char unused[kInt64Chars + 1];
  if (n > 0) {
    for (ZsetCursor c(members, 0); c.valid(); c.next()) out.emit(c.member(unused), c.score());
  }
  zset_destroy(members);
}

void zunion_command(Call& call) { algebra_generic(call, 1, {Op::kUnion, false, false}); }
void zinter_command(Call& call) { algebra_generic(call, 1, {Op::kInter, false, false}); }
void zdiff_command(Call& call) { algebra_generic(call, 1, {Op::kDiff, false, false}); }
void zintercard_command(Call& call) { algebra_generic(call, 1, {Op::kInter, false, true}); }
void zunionstore_command(Call& call) { algebra_generic(call, 2, {Op::kUnion, true, false}); }
void zinterstore_command(Call& call) { algebra_generic(call, 2, {Op::kInter, true, false}); }
void zdiffstore_command(Call& call) { algebra_generic(call, 2, {Op::kDiff, true, false}); }

}  // namespace

void register_zset_algebra_commands(HandlerMap& map) {
  map["zunion"] = zunion_command;
  map["zinter"] = zinter_command;
  map["zdiff"] = zdiff_command;
  map["zintercard"] = zintercard_command;
  map["zunionstore"] = zunionstore_command;
  map["zinterstore"] = zinterstore_command;
  map["zdiffstore"] = zdiffstore_command;
}

}  // namespace kvasir
