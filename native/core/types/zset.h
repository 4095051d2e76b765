// Sorted sets: members with a score each, ordered by score and, where scores are equal, by bytes.
//
// Listpack: member, score, member, score ... in order; a score is an integer where it is one (which -0 then
// is not any more), else the text that format_double() gives. As Valkey stores it, byte for byte. Skiplist
// (the name that clients know): our Dict from bytes to member and a counted tree (types/ordered.h) over the
// same members; each is one allocation that the dict owns.
//
// Ranges by score and by bytes are turned into intervals of ranks; who walks or removes them goes by rank.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/hash.h"
#include "base/rng.h"
#include "base/slice.h"
#include "dict/dict.h"
#include "types/listpack.h"
#include "types/ordered.h"
#include "types/type.h"

namespace kvasir {

struct ScoredMemberTraits {
  using Elem = ScoredMember*;
  static Slice key(Elem e) { return e->bytes(); }
  static uint64_t hash(Slice s) { return hash_bytes(s); }
};

struct BigZset {
  Dict<ScoredMemberTraits> dict;
  OrderedMembers order;
};

struct ScoreRange {
  double min = 0, max = 0;
  bool min_open = false, max_open = false;

  [[nodiscard]] bool below(double score) const { return min_open ? score <= min : score < min; }
  [[nodiscard]] bool not_above(double score) const { return max_open ? score < max : score <= max; }
};

struct LexBound {
  enum Kind : uint8_t { kLeast, kBytes, kGreatest };
  Kind kind = kLeast;
  bool open = false;
  Slice bytes;
  // compare() of bytes and the bound.
  [[nodiscard]] int order(const Slice& s) const {
    return kind == kBytes ? compare(s, bytes) : kind == kLeast ? 1 : -1;
  }
};

struct LexRange {
  LexBound min, max;

  [[nodiscard]] bool below(const Slice& s) const {
    const int c = min.order(s);
    return min.open ? c <= 0 : c < 0;
  }
  [[nodiscard]] bool not_above(const Slice& s) const {
    const int c = max.order(s);
    return max.open ? c < 0 : c <= 0;
  }
};

// Ranks first, first + 1, ..., end - 1.
struct RankInterval {
  size_t first, end;
  [[nodiscard]] size_t size() const { return end > first ? end - first : 0; }
};

// A member's place. Valid until the next change.
class ZsetCursor {
 public:
  // At a rank below the size.
  ZsetCursor(const Collection& c, size_t rank);

  [[nodiscard]] bool valid() const { return big_ ? static_cast<bool>(place_) : at_ != Listpack::kNone; }
  [[nodiscard]] double score() const;
  // A number of a listpack is written to tmp (kInt64Chars + 1 bytes at least).
  Slice member(char* tmp) const { return big_ ? place_.member()->bytes() : listpack_.get(at_).str(tmp); }
  void next();
  void prev();
  // Sends for the member so many places on, or back: for long walks.
  void prefetch_member(unsigned distance, bool back) const {
    if (big_) place_.prefetch_member(distance, back);
  }

 private:
  bool big_;
  Listpack listpack_;
  Listpack::Pos at_ = Listpack::kNone;  // of the member
  OrderedMembers::Place place_;
};

enum ZaddFlag : uint8_t { kZaddIncrement = 1, kZaddNx = 2, kZaddXx = 4, kZaddGt = 8, kZaddLt = 16 };
enum class ZaddResult : uint8_t {
  kAdded,
  kUpdated,
  kSame,     // it has that score already
  kSkipped,  // a flag forbade it
  kNan,      // the sum would not be a number
};

// Empty, in the encoding for that many members of at most that length.
Collection zset_make(const EncodingLimits& limits, size_t members, size_t longest);
// Empty, in the big encoding, with room for that many; zset_settle() when it is complete.
Collection zset_make_big(size_t members);
// Leaves the listpack if so many members, or one of that length, are coming.
void zset_expect(Collection* c, const EncodingLimits& limits, size_t members, size_t longest);
// Leaves the listpack.
void zset_make_skiplist(Collection* c);
// Becomes a listpack if it may be one.
void zset_settle(Collection* c, const EncodingLimits& limits);
// Of a listpack of members and scores, which it takes over; a skiplist only if it has too many members.
Collection zset_of(Listpack lp, const EncodingLimits& limits);
// Whether every second element reads as a score: none as NaN.
[[nodiscard]] bool zset_has_scores(const Listpack& lp);
void zset_destroy(const Collection& c);

size_t zset_size(const Collection& c);
// `hash` in these: the member's, if the caller has it.
bool zset_score(const Collection& c, Slice member, double* score, uint64_t hash = 0);
// *score is the score or increment to begin with, and the member's score afterwards unless kSkipped or kNan.
ZaddResult zset_add(Collection* c, const EncodingLimits& limits, Slice member, unsigned flags, double* score,
                    uint64_t hash = 0);
bool zset_remove(Collection* c, Slice member, uint64_t hash = 0);
std::optional<size_t> zset_rank(const Collection& c, Slice member, double* score, uint64_t hash = 0);
RankInterval zset_interval(const Collection& c, const ScoreRange& range);
// Scores must be equal all over; else the result is some interval.
RankInterval zset_interval(const Collection& c, const LexRange& range);
// Cheaper per member the more there are.
void zset_erase(Collection* c, RankInterval ranks);

// Big encoding only: one step of a scan, which calls emit(Slice member, double score).
template <class F>
uint64_t zset_scan(const Collection& c, uint64_t cursor, F&& emit) {
  return static_cast<BigZset*>(c.data)->dict.scan(cursor,
                                                  [&](const ScoredMember* m) { emit(m->bytes(), m->score); });
}

extern const CollectionOps kZsetOps;

}  // namespace kvasir
