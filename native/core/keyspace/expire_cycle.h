// Deleting keys, and fields of hashes, that are past their deadline though nobody asks for them.
//
// The plan is Valkey's (active-expire-effort 1..10): a slow cycle begins hz times a second and may use a
// quarter of the time (more with more effort); it walks the databases' indices of deadlines, a few keys a
// step, and stays with a database while more than a tenth of what it samples (less with more effort) is due.
// A cycle that its time limit ended is followed by fast cycles of a millisecond between the turns of the
// loop, with as long a rest between two.
//
// A cycle has two jobs, keys and fields, which take turns at being the first. Fields need no samples: each
// database's index of deadlines gives the next hash with a due field, a few of which are removed a step
// (field_expiry.cc).
//
// Other than in Valkey a slow cycle does not take its 25 ms in one piece: it is cut into slices of kSliceUs,
// between which the loop turns, and what is left of its time when the next is due is dropped. The work per
// second is the same, and no client waits for longer than a slice.
#pragma once

#include <cstdint>

#include "keyspace/keyspace.h"

namespace kvasir {

class ExpireCycle {
 public:
  using Clock = uint64_t (*)();  // monotonic, in microseconds
  static constexpr uint64_t kSliceUs = 1000;

  explicit ExpireCycle(Keyspace* ks, Clock clock) : ks_(*ks), clock_(clock) {}

  int effort = 1;  // active-expire-effort

  // Begins a slow cycle and runs its first slice. Returns the microseconds spent.
  uint64_t begin(int64_t hz);
  // Between two turns of the loop: the next slice of a slow cycle, or a fast cycle if one is due. Returns the
  // microseconds spent.
  uint64_t between_turns();
  // A cycle has begun that has work and time left: the loop should turn again soon.
  [[nodiscard]] bool unfinished() const { return active_; }
  // between_turns() may have something to do.
  [[nodiscard]] bool wants_time() const { return active_ || time_limited_; }
  // Drops what is left of a cycle: keys have become somebody else's to expire.
  void cancel() { active_ = time_limited_ = false; }

 private:
  enum class End : uint8_t { kFinished, kTimeLimit };

  void start(bool all_databases, uint64_t budget_us);
  // Works for up to limit_us.
  End run(uint64_t limit_us);
  End run_keys(uint64_t start, uint64_t limit_us);
  End run_fields(uint64_t start, uint64_t limit_us);
  void finish(End end);
  [[nodiscard]] int level() const { return effort - 1; }

  Keyspace& ks_;
  Clock clock_;

  // --- the present cycle ---
  bool active_ = false;
  uint64_t budget_us_ = 0;   // time left to it
  int databases_left_ = 0;   // to look at
  int databases_to_do_ = 0;  // of those, with deadlines in them
  uint64_t sampled_ = 0, expired_ = 0;
  uint64_t hashes_looked_at_ = 0, hashes_due_ = 0;

  // --- from cycle to cycle ---
  int next_db_ = 0, next_fields_db_ = 0;
  bool fields_first_ = false;
  bool time_limited_ = false;  // the last cycle ended by its time limit
  uint64_t last_fast_us_ = 0;
};

// Deletes due keys among those that were written on a writable replica (Keyspace::replica_keys), for up to a
// millisecond.
class ReplicaKeyExpiry {
 public:
  explicit ReplicaKeyExpiry(Keyspace* ks) : ks_(*ks) {}
  void run();

 private:
  Keyspace& ks_;
  std::pair<int, std::string> cursor_{0, ""};  // the last key looked at
};

}  // namespace kvasir
