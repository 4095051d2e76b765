// HRANDFIELD.
#include <algorithm>
#include <limits>
#include <unordered_set>
#include <vector>

#include "base/numbers.h"
#include "commands/hash_value.h"
#include "commands/integer_args.h"

namespace kvasir {

namespace {

// Tries to find a field that is not past its deadline before it is taken that there is none.
constexpr int kTries = 100;
// A hash of fewer than so many times the fields wanted is gone through as a whole.
constexpr size_t kFewTimes = 3;

// As the original does, a random field is never one that is past its deadline, whoever asks.
const HashField* random_field(const Call& call, BigHash& h) {
  const int64_t now = call.ks().now_ms;
  for (int i = 0; i < kTries; i++) {
    const HashField* f = h.dict.random(call.core.rng);
    if (!f->has_deadline() || f->deadline() >= now) return f;
  }
  return nullptr;
}

// Writes fields, with values or without: pairs in RESP3, a flat array in RESP2. Their number is known at the
// end.
class FieldReply {
 public:
  FieldReply(const Call& call, bool values)
      : call_(call), reply_(call.reply()), values_(values), mark_(reply_.begin_aggregate()) {}
  void emit(Slice field, const HashValue& value) {
    n_++;
    if (values_ && reply_.resp > 2) reply_.array(2);
    reply_.bulk(field);
    if (values_) reply_value(call_, value);
  }
  void emit(const HashField* f) {
    HashValue value;
    value.text = f->value();
    value.buffer = f->buffer();
    emit(f->field(), value);
  }
  void end() { reply_.end_array(mark_, values_ && reply_.resp == 2 ? n_ * 2 : n_); }

 private:
  const Call& call_;
  Reply& reply_;
  bool values_;
  Output::Mark mark_;
  int64_t n_ = 0;
};

void emit_at(const Listpack& lp, Listpack::Pos at, FieldReply* out) {
  char tmp[kInt64Chars + 1];
  HashValue value;
  static_cast<ListpackItem&>(value) = lp.get(lp.next(at));
  out->emit(lp.get(at).str(tmp), value);
}

// `count` times any field.
void emit_any(const Call& call, const Collection& c, size_t count, FieldReply* out) {
  if (c.encoding == Encoding::kHashtable) {
    for (; count > 0 && !call.client.flags.close_asap; count--) {
      const HashField* f = random_field(call, *static_cast<BigHash*>(c.data));
      if (f == nullptr) return;
      out->emit(f);
    }
    return;
  }
  const Listpack lp(c.data);
  std::vector<Listpack::Pos> fields;
  for (Listpack::Pos at = lp.first(); at != Listpack::kNone; at = lp.next(lp.next(at))) fields.push_back(at);
  for (; count > 0 && !call.client.flags.close_asap; count--) {
    emit_at(lp, fields[call.core.rng.below(fields.size())], out);
  }
}

// `count` different fields of `size`, which is more, in the order of the listpack (Knuth's algorithm S:
// each is taken with the chance that as many as are still wanted have among those that are left).
void emit_from_listpack(const Call& call, const Listpack& lp, size_t count, size_t size, FieldReply* out) {
  Listpack::Pos at = lp.first();
  for (size_t left = size; count > 0; left--, at = lp.next(lp.next(at))) {
    if (call.core.rng.below(left) >= count) continue;
    emit_at(lp, at, out);
    count--;
  }
}

// The same of a hashtable; fewer if fields are past their deadlines.
void emit_from_dict(const Call& call, const Collection& c, size_t count, size_t size, FieldReply* out) {
  BigHash& h = *static_cast<BigHash*>(c.data);
  if (count * kFewTimes > size) {
    std::vector<const HashField*> all;
    all.reserve(size);
    const FieldClock clock = call.ks().field_clock();
    Dict<HashFieldTraits>::Iterator it(h.dict);
    while (const HashField* f = it.next()) {
      if (!clock.hides(f->deadline())) all.push_back(f);
    }
    for (size_t i = 0; i < std::min(count, all.size()); i++) {
      std::swap(all[i], all[i + call.core.rng.below(all.size() - i)]);
      out->emit(all[i]);
    }
    return;
  }
  std::unordered_set<const HashField*> taken;
  taken.reserve(count);
  for (size_t tries = count * 10; taken.size() < count && tries > 0; tries--) {
    const HashField* f = random_field(call, h);
    if (f == nullptr) return;
    if (taken.insert(f).second) out->emit(f);
  }
}

void random_fields(const Call& call, int64_t count, bool values) {
  const FoundHash found = read_hash(call, 1);
  if (found.wrong) return;
  if (!found || count == 0) return call.reply().array(0);
  const Collection c = found.collection();
  const size_t size = hash_size(c);
  FieldReply out(call, values);
  if (count < 0 || count == 1) {
    emit_any(call, c, count < 0 ? 0 - static_cast<uint64_t>(count) : 1, &out);
  } else if (static_cast<uint64_t>(count) >= size) {
    hash_for_each(c, call.ks().field_clock(),
                  [&](const Slice& field, const HashValue& value) { out.emit(field, value); });
  } else if (c.encoding == Encoding::kListpack) {
    emit_from_listpack(call, Listpack(c.data), static_cast<size_t>(count), size, &out);
  } else {
    emit_from_dict(call, c, static_cast<size_t>(count), size, &out);
  }
  out.end();
}

void random_one(const Call& call) {
  const FoundHash found = read_hash(call, 1);
  if (found.wrong) return;
  Reply& reply = call.reply();
  if (!found) return reply.null();
  const Collection c = found.collection();
  if (c.encoding == Encoding::kHashtable) {
    const HashField* f = random_field(call, *static_cast<BigHash*>(c.data));
    f == nullptr ? reply.null() : reply.bulk(f->field());
    return;
  }
  const Listpack lp(c.data);
  char tmp[kInt64Chars + 1];
  reply.bulk(lp.get(lp.at(static_cast<int64_t>(2 * call.core.rng.below(lp.size() / 2)))).str(tmp));
}

// HRANDFIELD key [count [WITHVALUES]]
void hrandfield_command(Call& call) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  if (call.argc() == 2) return random_one(call);
  int64_t count;
  if (!parse_in_range(call, 2, -kMost, kMost, &count)) return;
  const bool values = call.argc() == 4;
  if (call.argc() > 4 || (values && !equals_nocase(call.arg(3), "withvalues"))) return call.syntax_error();
  if (values && (count < -kMost / 2 || count > kMost / 2)) {
    return call.reply().error("ERR value is out of range");
  }
  random_fields(call, count, values);
}

}  // namespace

void register_hash_random_command(HandlerMap& map) { map["hrandfield"] = hrandfield_command; }

}  // namespace kvasir
