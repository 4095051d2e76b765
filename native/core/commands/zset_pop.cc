// Taking members off either end of a sorted set, at once or when there is one.
#include <algorithm>
#include <limits>

#include "base/numbers.h"
#include "commands/block_timeout.h"
#include "commands/blocking.h"
#include "commands/zset_args.h"

namespace kvasir {

namespace {

enum class End : uint8_t { kMin, kMax };

struct PopForm {
  End end;
  bool key;     // the reply begins with the key's name
  bool nested;  // each member and its score are an array
};

void reply_head(const Call& call, const PopForm& form, Slice key, size_t members) {
  Reply& reply = call.reply();
  const auto n = static_cast<int64_t>(members);
  if (form.key && form.nested) {
    reply.array(2);
    reply.bulk(key);
    reply.array(n);
  } else if (form.key) {
    reply.array(n * 2 + 1);
    reply.bulk(key);
  } else {
    reply.array(form.nested ? n : n * 2);
  }
}

// Pops up to `count` members, which is not 0, and replies. Returns how many.
size_t pop(const Call& call, const KeyRef& k, Entry* e, const PopForm& form, uint64_t count) {
  Keyspace& ks = call.ks();
  const Collection c = e->collection();
  const size_t size = zset_size(c);
  const size_t n = std::min<uint64_t>(count, size);
  ks.notify(kNotifyZset, form.end == End::kMin ? "zpopmin" : "zpopmax", k.key, call.db());
  reply_head(call, form, k.key, n);
  char tmp[kInt64Chars + 1];
  ZsetCursor at(c, form.end == End::kMin ? 0 : size - 1);
  for (size_t i = 0; i < n; i++) {
    if (form.nested) call.reply().array(2);
    call.reply().bulk(at.member(tmp));
    call.reply().real(at.score());
    form.end == End::kMin ? at.next() : at.prev();
  }
  remove_ranks(call, k, e, form.end == End::kMin ? RankInterval{0, n} : RankInterval{size - n, size});
  ks.dirty += n;
  return n;
}

// ZPOPMIN and ZPOPMAX are what the others are propagated as; count 0: without one.
void propagate(const Call& call, End end, Slice key, size_t count) {
  if (!call.propagating()) return;
  const Slice name = end == End::kMin ? "ZPOPMIN" : "ZPOPMAX";
  if (count == 0) return call.propagation().rewrite({name, key});
  char digits[kInt64Chars];
  call.propagation().rewrite({name, key, {digits, format_u64(digits, count)}});
}

void zpop_generic(const Call& call, End end) {
  if (call.argc() > 3) return call.syntax_error();
  const bool counted = call.argc() == 3;
  int64_t count = 1;
  if (counted && !parse_integer_from(call, 2, 0, &count, "ERR value is out of range, must be positive"))
    return;
  const KeyRef k = call.key(1);
  const FoundZset found = write_zset(call, k);
  if (found.wrong) return;
  if (!found || count == 0) return call.reply().array(0);
  pop(call, k, found.entry, {end, false, counted && call.reply().resp > 2}, static_cast<uint64_t>(count));
}

void zpopmin_command(Call& call) { zpop_generic(call, End::kMin); }
void zpopmax_command(Call& call) { zpop_generic(call, End::kMax); }

enum class Popped : uint8_t { kYes, kNothing, kError };

// From the first of the keys that is there.
Popped pop_first(const Call& call, int first, int end, const PopForm& form, uint64_t count,
                 bool propagate_count) {
  for (int i = first; i < end; i++) {
    const KeyRef k = call.key(i);
    const FoundZset found = write_zset(call, k);
    if (found.wrong) return Popped::kError;
    if (!found) continue;
    const size_t n = pop(call, k, found.entry, form, count);
    propagate(call, form.end, k.key, propagate_count ? n : 0);
    return Popped::kYes;
  }
  return Popped::kNothing;
}

void wait_for(const Call& call, int first, int end, int64_t deadline_ms) {
  if (!call.may_block()) return call.reply().null_array();
  std::vector<std::string> keys;
  keys.reserve(static_cast<size_t>(end - first));
  for (int i = first; i < end; i++) keys.push_back(call.arg(i).str());
  call.block(Type::kZset, std::move(keys), deadline_ms);
}

void bzpop_generic(const Call& call, End end) {
  int64_t deadline_ms;
  const int last = call.argc() - 1;
  if (!parse_block_seconds(call, last, &deadline_ms)) return;
  if (pop_first(call, 1, last, {end, true, false}, 1, false) == Popped::kNothing) {
    wait_for(call, 1, last, deadline_ms);
  }
}

void bzpopmin_command(Call& call) { bzpop_generic(call, End::kMin); }
void bzpopmax_command(Call& call) { bzpop_generic(call, End::kMax); }

// numkeys key ... MIN|MAX [COUNT n], from argument `at` on.
struct MpopArguments {
  int first, end;  // of the keys
  PopForm form;
  int64_t count;
};

bool parse_mpop(const Call& call, int at, MpopArguments* out) {
  int64_t numkeys;
  if (!parse_integer_from(call, at, 1, &numkeys, "ERR numkeys should be greater than 0")) return false;
  if (numkeys >= call.argc() - at - 1) {
    call.syntax_error();
    return false;
  }
  out->first = at + 1;
  out->end = at + 1 + static_cast<int>(numkeys);
  const Slice where = call.arg(out->end);
  if (!equals_nocase(where, "min") && !equals_nocase(where, "max")) {
    call.syntax_error();
    return false;
  }
  out->form = {equals_nocase(where, "min") ? End::kMin : End::kMax, true, true};
  out->count = 1;
  bool counted = false;
  for (int i = out->end + 1; i < call.argc(); i++) {
    if (counted || !equals_nocase(call.arg(i), "count") || i + 1 >= call.argc()) {
      call.syntax_error();
      return false;
    }
    if (!parse_integer_from(call, ++i, 1, &out->count, "ERR count should be greater than 0")) return false;
    counted = true;
  }
  return true;
}

void zmpop_command(Call& call) {
  MpopArguments a;
  if (!parse_mpop(call, 1, &a)) return;
  if (pop_first(call, a.first, a.end, a.form, static_cast<uint64_t>(a.count), true) == Popped::kNothing) {
    call.reply().null_array();
  }
}

void bzmpop_command(Call& call) {
  MpopArguments a;
  int64_t deadline_ms;
  if (!parse_mpop(call, 2, &a) || !parse_block_seconds(call, 1, &deadline_ms)) return;
  if (pop_first(call, a.first, a.end, a.form, static_cast<uint64_t>(a.count), true) == Popped::kNothing) {
    wait_for(call, a.first, a.end, deadline_ms);
  }
}

}  // namespace

void register_zset_pop_commands(HandlerMap& map) {
  map["zpopmin"] = zpopmin_command;
  map["zpopmax"] = zpopmax_command;
  map["bzpopmin"] = bzpopmin_command;
  map["bzpopmax"] = bzpopmax_command;
  map["zmpop"] = zmpop_command;
  map["bzmpop"] = bzmpop_command;
}

}  // namespace kvasir
