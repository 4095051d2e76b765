// What the sorted set and geo commands share: reading their arguments, finding their keys, storing results.
#pragma once

#include <cstdint>

#include "commands/core.h"
#include "types/zset.h"

namespace kvasir {

// Each: false means that an error was replied.
bool parse_float(const Call& call, int arg, double* out,
                 const char* error = "ERR value is not a valid float");
bool parse_integer(const Call& call, int arg, int64_t* out, const char* error = nullptr);
// An integer from `least` on.
bool parse_integer_from(const Call& call, int arg, int64_t least, int64_t* out, const char* error);
bool parse_score_range(const Call& call, int min, int max, ScoreRange* out);
bool parse_lex_range(const Call& call, int min, int max, LexRange* out);

// Ranks as clients give them, negative from the end, made an interval; empty if nothing is there.
RankInterval rank_interval(int64_t start, int64_t end, size_t size);

// A sorted set to be read, or to be written in place.
struct FoundZset {
  Entry* entry = nullptr;
  bool wrong = false;  // of another type: the error was replied
  explicit operator bool() const { return entry != nullptr; }
  [[nodiscard]] Collection collection() const { return entry->collection(); }
};
FoundZset read_zset(const Call& call, int key_arg);
FoundZset write_zset(const Call& call, const KeyRef& k);

// Puts a sorted set under a key instead of what is there, or deletes the key if it is empty. Takes it.
// Counts `dirty` changes, or one for a deletion.
void store_zset(const Call& call, int key_arg, Collection c, const char* event, uint64_t dirty);
// After members were removed: deletes the key if none is left, else keeps the collection. The type's event
// has been sent.
void finish_removal(const Call& call, const KeyRef& k, Entry* e, const Collection& c);
// Takes out the members of these ranks, of which there are some, and does what finish_removal() does. If
// nothing would be left the key goes as it is, so that its members may be freed in the background.
void remove_ranks(const Call& call, const KeyRef& k, Entry* e, RankInterval ranks);

// Without scores an array of members. With them a flat array in RESP2, pairs in RESP3.
class MemberReply {
 public:
  MemberReply(const Call& call, bool scores) : reply_(call.reply()), scores_(scores) {}
  void begin(size_t members) {
    reply_.array(static_cast<int64_t>(scores_ && reply_.resp == 2 ? members * 2 : members));
  }
  void emit(Slice member, double score) {
    if (scores_ && reply_.resp > 2) reply_.array(2);
    reply_.bulk(member);
    if (scores_) reply_.real(score);
  }

 private:
  Reply& reply_;
  bool scores_;
};

// ZADD with its arguments from `first` on in argv, for GEOADD; propagation is the caller's.
struct ZaddOptions {
  unsigned flags = 0;
  bool changed = false;  // CH: counts updates, too
};
struct ScoredArgument {
  double score;
  Slice member;
  uint64_t hash = 0;  // of the member; 0: not known
};
void add_members(const Call& call, const ZaddOptions& options, std::span<const ScoredArgument> members);

}  // namespace kvasir
