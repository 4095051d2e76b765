// Deadlines as commands give them: the options EX, PX, EXAT, PXAT, KEEPTTL and PERSIST with those that may
// stand beside them (SET, GETEX, MSETEX, HSETEX, HGETEX), the arithmetic that turns a time into a deadline,
// and what happens to a key whose new deadline is already past. Shared with the EXPIRE family.
//
// A deadline is Unix time in milliseconds. "Now" is the keyspace's clock of the running command.
#pragma once

#include <cstdint>

#include "commands/core.h"

namespace kvasir {

enum SetOption : uint32_t {
  kOptNx = 1 << 0,
  kOptXx = 1 << 1,
  kOptIfeq = 1 << 2,
  kOptGet = 1 << 3,
  kOptKeepTtl = 1 << 4,
  kOptPersist = 1 << 5,
  kOptEx = 1 << 6,
  kOptPx = 1 << 7,
  kOptExat = 1 << 8,
  kOptPxat = 1 << 9,
  kOptFnx = 1 << 10,
  kOptFxx = 1 << 11,
  kOptAnyTime = kOptEx | kOptPx | kOptExat | kOptPxat,
};

// Which options a command takes.
enum class OptionsOf : uint8_t { kSet, kMsetex, kGetex, kHsetex, kHgetex };

struct SetOptions {
  uint32_t flags = 0;
  int time_arg = 0;     // argument with the time, if there is one of kOptAnyTime; its option stands before it
  int compare_arg = 0;  // argument with the value that IFEQ compares with

  [[nodiscard]] bool has(uint32_t any) const { return (flags & any) != 0; }
};

// Reads the options in arguments [from, to). False: a syntax error was replied.
bool parse_set_options(const Call& call, OptionsOf command, int from, int to, SetOptions* out);

enum class TimeUnit : int64_t { kMilliseconds = 1, kSeconds = 1000 };

// Reads argument `arg` as a time of at least `min`, counted from `base_ms` (0 or now), and gives its
// deadline; a negative one becomes 0. False: an error was replied.
bool parse_deadline(const Call& call, int arg, TimeUnit unit, int64_t base_ms, int64_t min,
                    int64_t* deadline_ms);
// The same for the time among the options, which must be positive. kNoExpiry if the options have none.
bool parse_deadline(const Call& call, const SetOptions& options, int64_t* deadline_ms);

// Conditions on the deadline that there is: NX, XX, GT and LT.
enum DeadlineCondition : uint32_t { kIfNone = 1, kIfAny = 2, kIfGreater = 4, kIfLess = 8 };
// Reads the conditions in arguments [from, to). False: an error was replied.
bool parse_conditions(const Call& call, int from, int to, uint32_t* out);
// Whether `wanted` may replace `current`. No deadline counts as one that never comes.
bool condition_holds(uint32_t conditions, int64_t current, int64_t wanted);

// "invalid expire time in '…' command"
void invalid_expire_time(const Call& call);

// Whether a key that is given this deadline is deleted right away. Not while loading and not on a replica:
// there the key is stored as it is, and its deletion comes from elsewhere.
inline bool deadline_is_past(const Call& call, int64_t deadline_ms) {
  return call.ks().deadline_passed(deadline_ms);
}

// What is left of a deadline, or the deadline itself, as TTL and its kin give it; seconds are rounded.
int64_t deadline_as_reply(int64_t deadline_ms, TimeUnit unit, bool remaining, int64_t now_ms);

// Deletes the existing key k because the command gave it a deadline that is past, with statistics and
// notification; the command is propagated as DEL or UNLINK. Replies nothing.
void delete_past_deadline(const Call& call, const KeyRef& k);

}  // namespace kvasir
