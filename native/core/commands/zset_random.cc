// ZRANDMEMBER.
#include <algorithm>
#include <limits>
#include <unordered_set>

#include "base/numbers.h"
#include "commands/zset_args.h"

namespace kvasir {

namespace {

// A uniformly random rank is a uniformly random member.
template <class F>
void visit_random(const Call& call, const Collection& c, size_t size, F&& visit) {
  const ZsetCursor at(c, call.core.rng.below(size));
  char tmp[kInt64Chars + 1];
  visit(at.member(tmp), at.score());
}

// `count` different ranks of `size` in random order (R. Floyd's sampling, CACM 1987; each is inserted at a
// random place by the exchange below).
std::vector<size_t> random_ranks(Rng& rng, size_t count, size_t size) {
  std::vector<size_t> ranks;
  ranks.reserve(count);
  std::unordered_set<size_t> taken;
  taken.reserve(count);
  for (size_t j = size - count; j < size; j++) {
    size_t r = rng.below(j + 1);
    if (!taken.insert(r).second) {
      r = j;
      taken.insert(r);
    }
    ranks.push_back(r);
    std::swap(ranks.back(), ranks[rng.below(ranks.size())]);
  }
  return ranks;
}

void random_members(const Call& call, const Collection& c, int64_t count, bool scores) {
  const size_t size = zset_size(c);
  MemberReply out(call, scores);
  const auto emit = [&](const Slice& member, double score) { out.emit(member, score); };
  char tmp[kInt64Chars + 1];
  if (count < 0) {
    size_t n = 0 - static_cast<uint64_t>(count);
    out.begin(n);
    for (; n > 0 && !call.client.flags.close_asap; n--) visit_random(call, c, size, emit);
    return;
  }
  const size_t n = std::min(static_cast<size_t>(count), size);
  out.begin(n);
  if (n == size) {
    // All of them, in no random order: from the highest down, as Valkey gives them.
    for (ZsetCursor at(c, size - 1); at.valid(); at.prev()) emit(at.member(tmp), at.score());
    return;
  }
  std::vector<size_t> ranks = random_ranks(call.core.rng, n, size);
  if (c.encoding == Encoding::kSkiplist) {
    for (const size_t rank : ranks) {
      const ZsetCursor at(c, rank);
      emit(at.member(tmp), at.score());
    }
    return;
  }
  // A listpack is walked once, in its order.
  std::sort(ranks.begin(), ranks.end());
  ZsetCursor at(c, 0);
  size_t here = 0;
  for (const size_t rank : ranks) {
    for (; here < rank; here++) at.next();
    emit(at.member(tmp), at.score());
  }
}

void zrandmember_command(Call& call) {
  Reply& reply = call.reply();
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  int64_t count = 0;
  bool scores = false;
  if (call.argc() >= 3) {
    if (!parse_integer(call, 2, &count)) return;
    if (count < -kMost) {
      return reply.errorf("ERR value is out of range, value must between %lld and %lld",
                          static_cast<long long>(-kMost), static_cast<long long>(kMost));
    }
    scores = call.argc() == 4;
    if (call.argc() > 4 || (scores && !equals_nocase(call.arg(3), "withscores"))) return call.syntax_error();
    if (scores && (count < -kMost / 2 || count > kMost / 2)) return reply.error("ERR value is out of range");
  }
  const FoundZset found = read_zset(call, 1);
  if (found.wrong) return;
  if (call.argc() == 2) {
    if (!found) return reply.null();
    const Collection c = found.collection();
    return visit_random(call, c, zset_size(c),
                        [&](const Slice& member, double /*score*/) { reply.bulk(member); });
  }
  if (!found || count == 0) return reply.array(0);
  random_members(call, found.collection(), count, scores);
}

}  // namespace

void register_zset_random_commands(HandlerMap& map) { map["zrandmember"] = zrandmember_command; }

}  // namespace kvasir
