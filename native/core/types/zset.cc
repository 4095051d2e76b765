#include "types/zset.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/alloc.h"
#include "base/numbers.h"
#include "base/prefetch.h"
#include "types/zset_builder.h"

namespace kvasir {

namespace {

using Pos = Listpack::Pos;

bool is_big(const Collection& c) { return c.encoding == Encoding::kSkiplist; }
BigZset& big(const Collection& c) { return *static_cast<BigZset*>(c.data); }
Listpack pack(const Collection& c) { return Listpack(c.data); }

// A score as text from elsewhere, where only what begins like one counts: "1e400" is infinite, "12ab" is 12,
// and what does not begin like a number 0.
double lenient_score(const Slice& s) {
  std::string text = s.str();
  const size_t sign = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const bool word = text.size() > sign && strchr("iInN", text[sign]) != nullptr && text[sign] != '\0';
  if (!word) text.resize(std::min(text.size(), text.find_first_not_of("0123456789+-.eE")));
  return strtod(text.c_str(), nullptr);
}

double score_at(const Listpack& lp, Pos at) {
  const ListpackItem item = lp.get(at);
  if (item.is_int) return static_cast<double>(item.number);
  double v;
  return parse_double(item.text, &v) ? v : lenient_score(item.text);
}

// Integers up to 2^62 are stored as such.
bool integral(double v, int64_t* out) {
  constexpr double kSafe = 4611686018427387904.0;
  if (!(v >= -kSafe && v <= kSafe)) return false;
  *out = static_cast<int64_t>(v);
  return static_cast<double>(*out) == v;
}

int compare_at(const Listpack& lp, Pos at, Slice text) {
  char tmp[kInt64Chars + 1];
  return compare(lp.get(at).str(tmp), text);
}

void pack_put(Listpack* lp, Pos before, Slice member, double score) {
  const Pos at = lp->insert_before(before, member);
  int64_t whole;
  if (integral(score, &whole)) {
    const Pos behind = lp->next(at);
    lp->insert_int_before(behind == Listpack::kNone ? lp->end_pos() : behind, whole);
    return;
  }
  char text[kDoubleChars];
  lp->insert_after(at, {text, format_double(text, score)});
}

void pack_insert(Collection* c, Slice member, double score) {
  Listpack lp = pack(*c);
  Pos at = lp.first();
  while (at != Listpack::kNone) {
    const Pos score_pos = lp.next(at);
    const double s = score_at(lp, score_pos);
    if (s > score || (s == score && compare_at(lp, at, member) > 0)) break;
    at = lp.next(score_pos);
  }
  pack_put(&lp, at == Listpack::kNone ? lp.end_pos() : at, member, score);
  c->data = lp.data();
}

void big_insert(BigZset& z, Slice member, uint64_t hash, double score) {
  ScoredMember* m = ScoredMember::make(score, member);
  z.dict.insert_new(m, hash);
  z.order.insert(m);
}

void to_big(Collection* c, size_t members) {
  Listpack lp = pack(*c);
  const Collection to = zset_make_big(members);
  char tmp[kInt64Chars + 1];
  for (Pos at = lp.first(); at != Listpack::kNone;) {
    const Pos score_pos = lp.next(at);
    const Slice member = lp.get(at).str(tmp);
    big_insert(big(to), member, hash_bytes(member), score_at(lp, score_pos));
    at = lp.next(score_pos);
  }
  lp.destroy();
  *c = to;
}

bool allowed(unsigned flags, double now, double before) {
  return !((flags & kZaddLt) && now >= before) && !((flags & kZaddGt) && now <= before);
}

// What to do with a member that is there. kUpdated: *score is new.
ZaddResult judge(unsigned flags, double before, double* score) {
  if (flags & kZaddNx) return ZaddResult::kSkipped;
  double now = *score;
  if (flags & kZaddIncrement) {
    now += before;
    if (std::isnan(now)) return ZaddResult::kNan;
  }
  if (!allowed(flags, now, before)) return ZaddResult::kSkipped;
  *score = now;
  return now == before ? ZaddResult::kSame : ZaddResult::kUpdated;
}

}  // namespace

// ------------------------------------------------------------------ as a whole

Collection zset_make_big(size_t members) {
  auto* z = new (mem_alloc(sizeof(BigZset))) BigZset;
  z->dict.try_expand(members);
  return {Encoding::kSkiplist, z};
}

Collection zset_make(const EncodingLimits& limits, size_t members, size_t longest) {
  if (members <= static_cast<size_t>(limits.zset_max_listpack_entries) &&
      longest <= static_cast<size_t>(limits.zset_max_listpack_value)) {
    return {Encoding::kListpack, Listpack::make().data()};
  }
  return zset_make_big(members);
}

void zset_expect(Collection* c, const EncodingLimits& limits, size_t members, size_t longest) {
  if (!is_big(*c) && (members > static_cast<size_t>(limits.zset_max_listpack_entries) ||
                      longest > static_cast<size_t>(limits.zset_max_listpack_value))) {
    to_big(c, members);
  }
}

void zset_make_skiplist(Collection* c) {
  if (!is_big(*c)) to_big(c, zset_size(*c));
}

void zset_settle(Collection* c, const EncodingLimits& limits) {
  if (!is_big(*c)) return;
  BigZset& z = big(*c);
  if (z.order.size() > static_cast<size_t>(limits.zset_max_listpack_entries)) return;
  size_t sum = 0;
  for (OrderedMembers::Place p = z.order.first(); p; p.next()) {
    const size_t n = p.member()->bytes().size;
    if (n > static_cast<size_t>(limits.zset_max_listpack_value)) return;
    sum += n;
  }
  if (sum > Listpack::kMaxBytes) return;
  Listpack lp = Listpack::make();
  for (OrderedMembers::Place p = z.order.first(); p; p.next()) {
    pack_put(&lp, lp.end_pos(), p.member()->bytes(), p.score());
  }
  zset_destroy(*c);
  *c = {Encoding::kListpack, lp.data()};
}

Collection zset_of(Listpack lp, const EncodingLimits& limits) {
  Collection c{Encoding::kListpack, lp.data()};
  const size_t members = lp.size() / 2;
  if (members > static_cast<size_t>(limits.zset_max_listpack_entries)) to_big(&c, members);
  return c;
}

bool zset_has_scores(const Listpack& lp) {
  for (Pos at = lp.first(); at != Listpack::kNone; at = lp.next(at)) {
    at = lp.next(at);
    if (at == Listpack::kNone || std::isnan(score_at(lp, at))) return false;
  }
  return true;
}

void zset_destroy(const Collection& c) {
  if (!is_big(c)) {
    pack(c).destroy();
    return;
  }
  BigZset& z = big(c);
  z.dict.clear([](ScoredMember* m) { mem_free(m); });
  z.~BigZset();
  mem_free(&z);
}

size_t zset_size(const Collection& c) { return is_big(c) ? big(c).order.size() : pack(c).size() / 2; }

// ------------------------------------------------------------------ one member

bool zset_score(const Collection& c, Slice member, double* score, uint64_t hash) {
  if (is_big(c)) {
    const ScoredMember* m = big(c).dict.find(member, hash_bytes(member, hash));
    if (m == nullptr) return false;
    *score = m->score;
    return true;
  }
  const Listpack lp = pack(c);
  const Pos at = lp.find(lp.first(), member, 1);
  if (at == Listpack::kNone) return false;
  *score = score_at(lp, lp.next(at));
  return true;
}

ZaddResult zset_add(Collection* c, const EncodingLimits& limits, Slice member, unsigned flags, double* score,
                    uint64_t hash) {
  if (!is_big(*c)) {
    Listpack lp = pack(*c);
    const Pos at = lp.find(lp.first(), member, 1);
    if (at != Listpack::kNone) {
      const ZaddResult result = judge(flags, score_at(lp, lp.next(at)), score);
      if (result == ZaddResult::kUpdated) {
        lp.erase(at, 2);
        c->data = lp.data();
        pack_insert(c, member, *score);
      }
      return result;
    }
    if (flags & kZaddXx) return ZaddResult::kSkipped;
    if (lp.size() / 2 + 1 <= static_cast<size_t>(limits.zset_max_listpack_entries) &&
        member.size <= static_cast<size_t>(limits.zset_max_listpack_value) && lp.fits(member.size)) {
      pack_insert(c, member, *score);
      return ZaddResult::kAdded;
    }
    to_big(c, lp.size() / 2 + 1);
  }
  BigZset& z = big(*c);
  hash = hash_bytes(member, hash);
  if (flags & kZaddXx) {
    ScoredMember* m = z.dict.find(member, hash);
    if (m == nullptr) return ZaddResult::kSkipped;
    const ZaddResult result = judge(flags, m->score, score);
    if (result == ZaddResult::kUpdated) z.order.rescore(m, *score);
    return result;
  }
  Dict<ScoredMemberTraits>::InsertPoint room;
  const auto slot = z.dict.find_or_prepare(member, hash, &room);
  if (slot) {
    ScoredMember* m = slot.get();
    const ZaddResult result = judge(flags, m->score, score);
    if (result == ZaddResult::kUpdated) z.order.rescore(m, *score);
    return result;
  }
  ScoredMember* m = ScoredMember::make(*score, member);
  z.dict.insert_at(room, m);
  z.order.insert(m);
  return ZaddResult::kAdded;
}

bool zset_remove(Collection* c, Slice member, uint64_t hash) {
  if (!is_big(*c)) {
    Listpack lp = pack(*c);
    const Pos at = lp.find(lp.first(), member, 1);
    if (at == Listpack::kNone) return false;
    lp.erase(at, 2);
    c->data = lp.data();
    return true;
  }
  BigZset& z = big(*c);
  ScoredMember* m = z.dict.erase(member, hash_bytes(member, hash));
  if (m == nullptr) return false;
  z.order.remove(m);
  mem_free(m);
  return true;
}

std::optional<size_t> zset_rank(const Collection& c, Slice member, double* score, uint64_t hash) {
  if (is_big(c)) {
    const ScoredMember* m = big(c).dict.find(member, hash_bytes(member, hash));
    if (m == nullptr) return std::nullopt;
    *score = m->score;
    return big(c).order.rank_of(m);
  }
  const Listpack lp = pack(c);
  const ListpackNeedle needle(member);
  size_t rank = 0;
  for (Pos at = lp.first(); at != Listpack::kNone; rank++) {
    const Pos score_pos = lp.next(at);
    if (lp.equals(at, needle)) {
      *score = score_at(lp, score_pos);
      return rank;
    }
    at = lp.next(score_pos);
  }
  return std::nullopt;
}

// ------------------------------------------------------------------ ranges

namespace {

// below(score, member) and not_above(score, member) with the member as bytes.
template <class Below, class NotAbove>
RankInterval interval(const Collection& c, Below&& below, NotAbove&& not_above) {
  if (is_big(c)) {
    const OrderedMembers& order = big(c).order;
    return {order.count_below(below), order.count_below(not_above)};
  }
  const Listpack lp = pack(c);
  size_t first = 0, rank = 0;
  for (Pos at = lp.first(); at != Listpack::kNone; rank++) {
    const Pos score_pos = lp.next(at);
    if (first == rank && below(lp, at, score_pos)) {
      first++;
    } else if (!not_above(lp, at, score_pos)) {
      break;
    }
    at = lp.next(score_pos);
  }
  return {first, rank};
}

}  // namespace

RankInterval zset_interval(const Collection& c, const ScoreRange& range) {
  struct Below {
    const ScoreRange& r;
    bool operator()(double score, const ScoredMember* /*m*/) const { return r.below(score); }
    bool operator()(const Listpack& lp, Pos /*at*/, Pos score) const { return r.below(score_at(lp, score)); }
  };
  struct NotAbove {
    const ScoreRange& r;
    bool operator()(double score, const ScoredMember* /*m*/) const { return r.not_above(score); }
    bool operator()(const Listpack& lp, Pos /*at*/, Pos score) const {
      return r.not_above(score_at(lp, score));
    }
  };
  return interval(c, Below{range}, NotAbove{range});
}

RankInterval zset_interval(const Collection& c, const LexRange& range) {
  struct Below {
    const LexRange& r;
    bool operator()(double /*score*/, const ScoredMember* m) const { return r.below(m->bytes()); }
    bool operator()(const Listpack& lp, Pos at, Pos /*score*/) const {
      char tmp[kInt64Chars + 1];
      return r.below(lp.get(at).str(tmp));
    }
  };
  struct NotAbove {
    const LexRange& r;
    bool operator()(double /*score*/, const ScoredMember* m) const { return r.not_above(m->bytes()); }
    bool operator()(const Listpack& lp, Pos at, Pos /*score*/) const {
      char tmp[kInt64Chars + 1];
      return r.not_above(lp.get(at).str(tmp));
    }
  };
  return interval(c, Below{range}, NotAbove{range});
}

void zset_erase(Collection* c, RankInterval ranks) {
  if (ranks.size() == 0) return;
  if (!is_big(*c)) {
    Listpack lp = pack(*c);
    lp.erase(lp.at(static_cast<int64_t>(2 * ranks.first)), 2 * ranks.size());
    c->data = lp.data();
    return;
  }
  BigZset& z = big(*c);
  // When most go, the table is made smaller once, at the end.
  const bool most = ranks.size() > z.order.size() / 2;
  if (most) z.dict.pause_rehash();
  z.order.remove_range(ranks.first, ranks.end, [&](std::span<ScoredMember* const> gone) {
    std::array<uint64_t, 64> hashes;
    for (const ScoredMember* m : gone) prefetch(m);
    for (size_t i = 0; i < gone.size(); i++) {
      hashes[i] = hash_bytes(gone[i]->bytes());
      z.dict.prefetch_bucket(hashes[i]);
    }
    for (size_t i = 0; i < gone.size(); i++) {
      z.dict.erase(gone[i]->bytes(), hashes[i]);
      mem_free(gone[i]);
    }
  });
  if (most) z.dict.resume_rehash();
}

ZsetCursor::ZsetCursor(const Collection& c, size_t rank) : big_(is_big(c)), listpack_(c.data) {
  if (big_) {
    place_ = big(c).order.at(rank);
  } else {
    at_ = listpack_.at(static_cast<int64_t>(2 * rank));
  }
}

double ZsetCursor::score() const { return big_ ? place_.score() : score_at(listpack_, listpack_.next(at_)); }

void ZsetCursor::next() {
  if (big_) {
    place_.next();
  } else {
    at_ = listpack_.next(listpack_.next(at_));
  }
}

void ZsetCursor::prev() {
  if (big_) {
    place_.prev();
    return;
  }
  const Pos score = listpack_.prev(at_);
  at_ = score == Listpack::kNone ? Listpack::kNone : listpack_.prev(score);
}

// ------------------------------------------------------------------ what the keyspace asks

namespace {

Collection duplicate(const Collection& c) {
  if (!is_big(c)) return {c.encoding, Listpack::copy_of(pack(c).image()).data()};
  ZsetBuilder copy(big(c).order.size());
  for (OrderedMembers::Place p = big(c).order.first(); p; p.next()) {
    copy.add(ScoredMember::make(p.score(), p.member()->bytes()));
  }
  return copy.finish();
}

size_t free_effort(const Collection& c) { return is_big(c) ? big(c).order.size() : 1; }

size_t bytes(const Collection& c, size_t samples) {
  if (!is_big(c)) return pack(c).footprint();
  const BigZset& z = big(c);
  size_t sum = mem_usable(c.data) + z.dict.mem_bytes() + z.order.bytes();
  size_t measured = 0, seen = 0;
  for (OrderedMembers::Place p = z.order.first(); p && seen < samples; p.next(), seen++) {
    measured += mem_usable(p.member());
  }
  if (seen > 0) {
    sum += static_cast<size_t>(static_cast<double>(measured) / static_cast<double>(seen) *
                               static_cast<double>(z.order.size()));
  }
  return sum;
}

void mix(const Collection& c, Sha1::Digest* digest) {
  char tmp[kInt64Chars + 1];
  char score[kDoubleChars];
  for (ZsetCursor at(c, 0); at.valid(); at.next()) {
    Sha1::Digest one{};
    digest_mix(&one, at.member(tmp));
    digest_mix(&one, {score, format_double_short(score, at.score())});
    digest_xor(digest, {reinterpret_cast<const char*>(one.data()), one.size()});
  }
}

void destroy(Collection c) { zset_destroy(c); }

bool table_stats(const Collection& c, bool chains, std::string* out) {
  if (!is_big(c)) return false;
  big(c).dict.stats(out, chains);
  return true;
}

void prefetch_member(const Collection& c, uint64_t hash, unsigned step) {
  if (hash == 0 || !is_big(c)) return;
  step == 0 ? big(c).dict.prefetch_bucket(hash) : big(c).dict.prefetch_elem(hash);
}

}  // namespace

const CollectionOps kZsetOps = {duplicate, destroy, free_effort, bytes, mix, table_stats, prefetch_member};

}  // namespace kvasir
