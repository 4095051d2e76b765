// HSETEX, HGETEX and HGETDEL: setting and reading fields together with what becomes of them.
#include "base/numbers.h"
#include "commands/expire_args.h"
#include "commands/hash_deadline.h"

namespace kvasir {

namespace {

struct Digits {
  explicit Digits(int64_t v) : size(format_i64(text, v)) {}
  [[nodiscard]] Slice slice() const { return {text, size}; }
  char text[kInt64Chars];
  size_t size;
};

// ------------------------------------------------------------------ HSETEX

// HSETEX key [NX | XX] [FNX | FXX] [EX | PX | EXAT | PXAT time | KEEPTTL] FIELDS numfields field value ...
class SetWithDeadline {
 public:
  explicit SetWithDeadline(const Call& call) : call_(call), edit_(call) {}

  void run() {
    if (!parse() || !edit_.find_or_prepare()) return;
    const bool exists = edit_.exists();
    if ((options_.has(kOptNx) && exists) || (options_.has(kOptXx) && !exists)) return refuse();
    if (!parse_time()) return;
    if (!field_conditions_hold()) return refuse();
    edit_.clock().past(deadline_) ? remove() : set();
    call_.reply().integer(1);
  }

 private:
  bool parse() {
    if (!find_field_list(call_, 0, &list_)) {
      call_.reply().error(kFieldCountMismatch);
      return false;
    }
    return parse_set_options(call_, OptionsOf::kHsetex, 2, list_.token, &options_) &&
           check_field_count(call_, list_, 2, kFieldCountMismatch);
  }

  bool parse_time() {
    if (!options_.has(kOptAnyTime)) return true;
    const TimeUnit unit = options_.has(kOptEx | kOptExat) ? TimeUnit::kSeconds : TimeUnit::kMilliseconds;
    const int64_t base = options_.has(kOptEx | kOptPx) ? call_.ks().now_ms : 0;
    return parse_deadline(call_, options_.time_arg, unit, base, 0, &deadline_);
  }

  void refuse() const { call_.reply().integer(0); }

  bool field_conditions_hold() {
    if (!options_.has(kOptFnx | kOptFxx)) return true;
    const bool wanted = options_.has(kOptFxx);
    for (int i = list_.first; i < call_.argc(); i += 2) {
      if ((edit_.exists() && hash_exists(edit_.c, call_.arg(i), edit_.clock())) != wanted) return false;
    }
    return true;
  }

  void set() {
    const auto fields = static_cast<size_t>(call_.argc() - list_.first) / 2;
    if (!edit_.exists()) {
      edit_.c =
          deadline_ != kNoExpiry ? hash_make_big(fields) : hash_make(call_.core.settings.encodings, 1, 0);
    }
    const bool keep = options_.has(kOptKeepTtl);
    std::vector<Slice> revived;
    for (int i = list_.first; i < call_.argc(); i += 2) {
      const HashStored stored = edit_.set(call_.arg(i), edit_.input(i + 1), deadline_, keep);
      if (stored == HashStored::kRevived) revived.push_back(call_.arg(i));
    }
    edit_.store(deadline_);
    edit_.expired(revived.size());
    if (call_.propagating()) {
      // A replica would keep the old deadlines of these.
      if (keep && !revived.empty()) propagate_expiry(revived);
      propagate_set();
    }
    edit_.modified();
    call_.ks().dirty += fields;
    edit_.notify("hset");
    if (options_.has(kOptAnyTime)) edit_.notify("hexpire");
  }

  // The deadline is past: what there is of the fields goes.
  void remove() {
    const auto fields = static_cast<size_t>(call_.argc() - list_.first) / 2;
    std::vector<Slice> removed;
    if (edit_.exists()) {
      for (int i = list_.first; i < call_.argc(); i += 2) {
        if (hash_remove(&edit_.c, call_.arg(i), {})) removed.push_back(call_.arg(i));
      }
    }
    call_.ks().stats.expired_fields += fields;
    bool gone = false;
    if (!removed.empty()) {
      gone = edit_.store_or_delete();
      if (call_.propagating()) propagate_hdel(call_, edit_.key().key, removed);
      edit_.modified();
      call_.ks().dirty += removed.size();
    } else if (!edit_.exists()) {
      // As if the hash had been made for them.
      edit_.notify("new", kNotifyNew);
      gone = true;
    }
    edit_.notify("hset");
    edit_.notify("hexpire");
    edit_.notify("hexpired");
    if (gone) edit_.notify("del", kNotifyGeneric);
  }

  // HDEL in front of the command, in pieces as long as those of the expiry cycle.
  void propagate_expiry(const std::vector<Slice>& fields) {
    for (size_t i = 0; i < fields.size(); i += Keyspace::kMostFields) {
      std::vector<Slice> argv{"HDEL", edit_.key().key};
      const size_t end = std::min(fields.size(), i + Keyspace::kMostFields);
      for (size_t j = i; j < end; j++) argv.push_back(fields[j]);
      call_.propagation().before(call_.db().id(), argv);
    }
  }

  // Without conditions, which held here, and with the deadline itself.
  void propagate_set() {
    if (!options_.has(kOptNx | kOptXx | kOptFnx | kOptFxx | kOptEx | kOptPx | kOptExat)) return;
    const Digits digits(deadline_);
    std::vector<Slice> argv{call_.arg(0), edit_.key().key};
    for (int i = 2; i < list_.token; i++) {
      if (options_.has(kOptEx | kOptPx | kOptExat) && i + 1 == options_.time_arg) {
        argv.emplace_back("PXAT");
        argv.push_back(digits.slice());
        i++;
      } else if (i == options_.time_arg || !is_condition(call_.arg(i))) {
        argv.push_back(call_.arg(i));
      }
    }
    for (int i = list_.token; i < call_.argc(); i++) argv.push_back(call_.arg(i));
    call_.propagation().rewrite(argv);
  }
  static bool is_condition(const Slice& word) {
    return equals_nocase(word, "nx") || equals_nocase(word, "xx") || equals_nocase(word, "fnx") ||
           equals_nocase(word, "fxx");
  }

  const Call& call_;
  HashEdit edit_;
  FieldList list_;
  SetOptions options_;
  int64_t deadline_ = kNoExpiry;
};

void hsetex_command(Call& call) { SetWithDeadline(call).run(); }

// ------------------------------------------------------------------ HGETEX

// HGETEX key [EX | PX | EXAT | PXAT time | PERSIST] FIELDS numfields field ...
class GetWithDeadline {
 public:
  explicit GetWithDeadline(const Call& call) : call_(call), edit_(call) {}

  void run() {
    if (!parse() || !edit_.find_to_read() || !parse_time()) return;
    const bool propagating = call_.propagating();
    call_.reply().array(call_.argc() - list_.first);
    std::vector<Slice> changed;
    uint64_t changes = 0;
    for (int i = list_.first; i < call_.argc(); i++) {
      const Slice field = call_.arg(i);
      reply_field(call_, edit_.exists() ? &edit_.c : nullptr, field, edit_.clock());
      if (!change(field)) continue;
      changes++;
      if (propagating) changed.push_back(field);
    }
    if (changes > 0) finish(changes, changed);
  }

 private:
  enum class Action : uint8_t { kNone, kDate, kRemove, kPersist };

  bool parse() {
    if (!find_field_list(call_, 0, &list_)) {
      call_.reply().error(kFieldCountMismatch);
      return false;
    }
    return parse_set_options(call_, OptionsOf::kHgetex, 2, list_.token, &options_) &&
           check_field_count(call_, list_, 1, kFieldCountMismatch);
  }

  bool parse_time() {
    if (options_.has(kOptPersist)) action_ = Action::kPersist;
    if (!options_.has(kOptAnyTime)) return true;
    const TimeUnit unit = options_.has(kOptEx | kOptExat) ? TimeUnit::kSeconds : TimeUnit::kMilliseconds;
    const int64_t base = options_.has(kOptEx | kOptPx) ? call_.ks().now_ms : 0;
    if (!parse_deadline(call_, options_.time_arg, unit, base, 0, &deadline_)) return false;
    action_ = edit_.clock().past(deadline_) ? Action::kRemove : Action::kDate;
    return true;
  }

  bool change(Slice field) {
    switch (action_) {
      case Action::kNone:
        return false;
      case Action::kDate:
        return date_field(&edit_, field, deadline_, 0) == FieldDated::kDated;
      case Action::kRemove:
        return edit_.exists() && hash_remove(&edit_.c, field, edit_.clock());
      case Action::kPersist:
        return persist_field(&edit_, field) == FieldPersisted::kPersisted;
    }
    return false;
  }

  void finish(uint64_t changes, const std::vector<Slice>& changed) {
    const bool gone = edit_.store_or_delete(action_ == Action::kDate ? deadline_ : kNoExpiry);
    if (action_ == Action::kRemove) call_.ks().stats.expired_fields += changes;
    if (call_.propagating()) propagate(changed);
    edit_.notify(action_ == Action::kRemove ? "hexpired" : action_ == Action::kDate ? "hexpire" : "hpersist");
    call_.ks().dirty += changes;
    edit_.modified();
    if (gone) edit_.notify("del", kNotifyGeneric);
  }

  // Only the fields that changed.
  void propagate(const std::vector<Slice>& changed) {
    const Slice key = edit_.key().key;
    if (action_ == Action::kRemove) return propagate_hdel(call_, key, changed);
    const Digits digits(deadline_);
    const Digits count(static_cast<int64_t>(changed.size()));
    std::vector<Slice> argv;
    if (action_ == Action::kDate) {
      argv = {"HPEXPIREAT", key, digits.slice()};
    } else {
      argv = {"HPERSIST", key};
    }
    argv.emplace_back("FIELDS");
    argv.push_back(count.slice());
    argv.insert(argv.end(), changed.begin(), changed.end());
    call_.propagation().rewrite(argv);
  }

  const Call& call_;
  HashEdit edit_;
  FieldList list_;
  SetOptions options_;
  int64_t deadline_ = kNoExpiry;
  Action action_ = Action::kNone;
};

void hgetex_command(Call& call) { GetWithDeadline(call).run(); }

// ------------------------------------------------------------------ HGETDEL

// HGETDEL key FIELDS numfields field ...
void hgetdel_command(Call& call) {
  FieldList list;
  if (!parse_field_list(call, kFieldCountMismatch, &list)) return;
  HashEdit edit(call);
  if (!edit.find()) return;
  call.reply().array(call.argc() - list.first);
  uint64_t deleted = 0;
  for (int i = list.first; i < call.argc(); i++) {
    reply_field(call, edit.exists() ? &edit.c : nullptr, call.arg(i), edit.clock());
    if (edit.exists() && hash_remove(&edit.c, call.arg(i), edit.clock())) deleted++;
  }
  if (deleted == 0) return;
  const bool gone = edit.store_or_delete();
  edit.modified();
  edit.notify("hdel");
  if (gone) edit.notify("del", kNotifyGeneric);
  call.ks().dirty += deleted;
}

}  // namespace

void register_hash_extended_commands(HandlerMap& map) {
  map["hsetex"] = hsetex_command;
  map["hgetex"] = hgetex_command;
  map["hgetdel"] = hgetdel_command;
}

}  // namespace kvasir
