#include "commands/expire_args.h"

#include <algorithm>

#include "base/numbers.h"

namespace kvasir {

namespace {

struct OptionRule {
  Slice word;
  uint32_t flag;
  uint32_t excluded_by;  // options that may not stand before it
  uint32_t commands;     // bit per OptionsOf
  bool takes_argument;
};

constexpr uint32_t bit(OptionsOf c) { return 1U << static_cast<uint32_t>(c); }
constexpr uint32_t kSetters = bit(OptionsOf::kSet) | bit(OptionsOf::kMsetex) | bit(OptionsOf::kHsetex);
constexpr uint32_t kGetters = bit(OptionsOf::kGetex) | bit(OptionsOf::kHgetex);
constexpr uint32_t kKeepOrPersist = kOptKeepTtl | kOptPersist;

constexpr OptionRule kRules[] = {
    {std::string_view("EX"), kOptEx, kKeepOrPersist | kOptPx | kOptExat | kOptPxat, kSetters | kGetters,
     true},
    {std::string_view("PX"), kOptPx, kKeepOrPersist | kOptEx | kOptExat | kOptPxat, kSetters | kGetters,
     true},
    {std::string_view("EXAT"), kOptExat, kKeepOrPersist | kOptEx | kOptPx | kOptPxat, kSetters | kGetters,
     true},
    {std::string_view("PXAT"), kOptPxat, kKeepOrPersist | kOptEx | kOptPx | kOptExat, kSetters | kGetters,
     true},
    {std::string_view("NX"), kOptNx, kOptXx | kOptIfeq, kSetters, false},
    {std::string_view("XX"), kOptXx, kOptNx | kOptIfeq, kSetters, false},
    {std::string_view("GET"), kOptGet, 0, bit(OptionsOf::kSet), false},
    {std::string_view("IFEQ"), kOptIfeq, kOptNx | kOptXx | kOptIfeq, bit(OptionsOf::kSet), true},
    {std::string_view("KEEPTTL"), kOptKeepTtl, kOptPersist | kOptAnyTime, kSetters, false},
    {std::string_view("PERSIST"), kOptPersist, kOptKeepTtl | kOptAnyTime, kGetters, false},
    {std::string_view("FNX"), kOptFnx, kOptFxx, bit(OptionsOf::kHsetex), false},
    {std::string_view("FXX"), kOptFxx, kOptFnx, bit(OptionsOf::kHsetex), false},
};

const OptionRule* find_rule(Slice word) {
  for (const OptionRule& rule : kRules) {
    if (equals_nocase(rule.word, word)) return &rule;
  }
  return nullptr;
}

}  // namespace

bool parse_set_options(const Call& call, OptionsOf command, int from, int to, SetOptions* out) {
  for (int i = from; i < to; i++) {
    const OptionRule* rule = find_rule(call.arg(i));
    if (rule == nullptr || (rule->commands & bit(command)) == 0 || out->has(rule->excluded_by) ||
        (rule->takes_argument && i + 1 == to)) {
      call.syntax_error();
      return false;
    }
    out->flags |= rule->flag;
    if (rule->takes_argument) {
      i++;
      (rule->flag == kOptIfeq ? out->compare_arg : out->time_arg) = i;
    }
  }
  return true;
}

bool parse_deadline(const Call& call, int arg, TimeUnit unit, int64_t base_ms, int64_t min,
                    int64_t* deadline_ms) {
  int64_t time;
  if (!parse_i64(call.arg(arg), &time)) {
    call.not_an_integer();
    return false;
  }
  int64_t ms;
  if (time < min || __builtin_mul_overflow(time, static_cast<int64_t>(unit), &ms) ||
      __builtin_add_overflow(ms, base_ms, &ms)) {
    invalid_expire_time(call);
    return false;
  }
  *deadline_ms = ms < 0 ? 0 : ms;
  return true;
}

bool parse_deadline(const Call& call, const SetOptions& options, int64_t* deadline_ms) {
  *deadline_ms = kNoExpiry;
  if (!options.has(kOptAnyTime)) return true;
  const TimeUnit unit = options.has(kOptEx | kOptExat) ? TimeUnit::kSeconds : TimeUnit::kMilliseconds;
  const int64_t base = options.has(kOptEx | kOptPx) ? call.ks().now_ms : 0;
  return parse_deadline(call, options.time_arg, unit, base, 1, deadline_ms);
}

bool parse_conditions(const Call& call, int from, int to, uint32_t* out) {
  *out = 0;
  for (int i = from; i < to; i++) {
    const Slice word = call.arg(i);
    if (equals_nocase(word, "nx")) {
      *out |= kIfNone;
    } else if (equals_nocase(word, "xx")) {
      *out |= kIfAny;
    } else if (equals_nocase(word, "gt")) {
      *out |= kIfGreater;
    } else if (equals_nocase(word, "lt")) {
      *out |= kIfLess;
    } else {
      // As a C string: what follows a zero byte is not shown.
      const std::string shown = word.str();
      call.reply().error(std::string("ERR Unsupported option ") + shown.c_str());
      return false;
    }
  }
  if ((*out & kIfNone) && (*out & (kIfAny | kIfGreater | kIfLess))) {
    call.reply().error("ERR NX and XX, GT or LT options at the same time are not compatible");
    return false;
  }
  if ((*out & kIfGreater) && (*out & kIfLess)) {
    call.reply().error("ERR GT and LT options at the same time are not compatible");
    return false;
  }
  return true;
}

bool condition_holds(uint32_t conditions, int64_t current, int64_t wanted) {
  const bool none = current == kNoExpiry;
  if ((conditions & kIfNone) && !none) return false;
  if ((conditions & kIfAny) && none) return false;
  if ((conditions & kIfGreater) && (none || wanted <= current)) return false;
  if ((conditions & kIfLess) && !none && wanted >= current) return false;
  return true;
}

int64_t deadline_as_reply(int64_t deadline_ms, TimeUnit unit, bool remaining, int64_t now_ms) {
  const int64_t ms = std::max<int64_t>(0, deadline_ms - (remaining ? now_ms : 0));
  if (unit == TimeUnit::kMilliseconds) return ms;
  // In unsigned arithmetic: a deadline may be near the end of its range.
  return static_cast<int64_t>((static_cast<uint64_t>(ms) + 500) / 1000);
}

void invalid_expire_time(const Call& call) {
  call.reply().errorf("ERR invalid expire time in '%s' command", call.command.fullname.c_str());
}

void delete_past_deadline(const Call& call, const KeyRef& k) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const bool lazy = ks.lazyfree_expire;
  ks.remove(db, k, lazy);
  ks.dirty++;
  if (call.propagating()) call.propagation().rewrite({lazy ? "UNLINK" : "DEL", k.key});
  ks.modified(db, k.key);
  ks.notify(kNotifyExpired, "expired", k.key, db);
  ks.stats.expired++;
}

}  // namespace kvasir
