// Intersection, union and difference of sets.
#include "types/set_algebra.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "commands/integer_args.h"
#include "commands/key_batch.h"
#include "commands/set_args.h"
#include "types/set_builder.h"

namespace kvasir {

namespace {

using Sets = std::vector<Collection>;

bool smaller(const Collection& a, const Collection& b) { return set_size(a) < set_size(b); }
bool larger(const Collection& a, const Collection& b) { return set_size(a) > set_size(b); }

// The sets under the keys in the arguments [first, end), in their order; of a key that is not there an entry
// without data. False: an error was replied.
bool read_sets(const Call& call, int first, int end, Sets* sets) {
  sets->reserve(static_cast<size_t>(end - first));
  return for_each_key(call, first, end, 1, [&](int /*arg*/, const KeyRef& k) {
    const FoundSet found = found_set(call, call.ks().lookup_read(call.db(), k));
    if (found.wrong) return false;
    sets->push_back(found ? found.collection() : Collection{Encoding::kIntset, nullptr});
    return true;
  });
}

bool missing(const Collection& c) { return c.data == nullptr; }
bool all_integers(const Sets& sets) {
  return std::all_of(sets.begin(), sets.end(),
                     [](const Collection& c) { return c.encoding == Encoding::kIntset; });
}

// Puts a set under the key in argument 1, or deletes that if the set is empty, and replies its size.
void store_set(const Call& call, const Collection& c, const char* event) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const KeyRef k = call.key(1);
  const size_t n = set_size(c);
  if (n > 0) {
    ks.set(db, k, Entry::make_collection(k.key, Type::kSet, c));
    ks.modified(db, k.key);
    ks.notify(kNotifySet, event, k.key, db);
    ks.dirty++;
  } else {
    set_destroy(c);
    if (ks.remove(db, k, ks.lazyfree_server_del)) {
      ks.modified(db, k.key);
      ks.notify(kNotifyGeneric, "del", k.key, db);
      ks.dirty++;
    }
  }
  call.reply().integer(static_cast<int64_t>(n));
}

// A set reply whose size is known at its end.
class MembersReply {
 public:
  explicit MembersReply(const Call& call) : reply_(call.reply()), mark_(reply_.begin_aggregate()) {}
  void operator()(const SetCandidate& c) {
    reply_.bulk(c.text);
    n_++;
  }
  void end() { reply_.end_set(mark_, n_); }

 private:
  Reply& reply_;
  Output::Mark mark_;
  int64_t n_ = 0;
};

// ------------------------------------------------------------------ intersection

// Calls visit(candidate) for the members of all sets until it returns false. Sorts the sets.
template <class F>
void intersect(Sets* sets, F&& visit) {
  if (std::any_of(sets->begin(), sets->end(), missing)) return;
  std::stable_sort(sets->begin(), sets->end(), smaller);
  const Collection smallest = sets->front();
  Sets others;
  others.reserve(sets->size());
  for (const Collection& c : *sets) {
    if (c.data != smallest.data) others.push_back(c);
  }
  set_select(smallest, others, true, visit);
}

void sinter_command(Call& call) {
  Sets sets;
  if (!read_sets(call, 1, call.argc(), &sets)) return;
  MembersReply out(call);
  intersect(&sets, [&](const SetCandidate& c) {
    out(c);
    return true;
  });
  out.end();
}

void sinterstore_command(Call& call) {
  Sets sets;
  if (!read_sets(call, 2, call.argc(), &sets)) return;
  const Collection& smallest = *std::min_element(sets.begin(), sets.end(), [](const auto& a, const auto& b) {
    return (missing(a) ? 0 : set_size(a)) < (missing(b) ? 0 : set_size(b));
  });
  const bool integers = smallest.encoding == Encoding::kIntset;
  SetBuilder result(call.core.settings.encodings, integers ? Encoding::kIntset : Encoding::kListpack, 0);
  intersect(&sets, [&](const SetCandidate& c) {
    result.add(c.item);
    return true;
  });
  store_set(call, result.finish(true), "sinterstore");
}

void sintercard_command(Call& call) {
  Reply& reply = call.reply();
  int64_t numkeys, limit = 0;
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  if (!parse_in_range(call, 1, 1, kMost, &numkeys, "ERR numkeys should be greater than 0")) return;
  if (numkeys > call.argc() - 2) {
    return reply.error("ERR Number of keys can't be greater than number of args");
  }
  const int end = 2 + static_cast<int>(numkeys);
  for (int i = end; i < call.argc(); i++) {
    if (!equals_nocase(call.arg(i), "limit") || i + 1 == call.argc()) return call.syntax_error();
    if (!parse_positive(call, ++i, &limit, "ERR LIMIT can't be negative")) return;
  }
  Sets sets;
  if (!read_sets(call, 2, end, &sets)) return;
  int64_t n = 0;
  intersect(&sets, [&](const SetCandidate& /*c*/) { return ++n != limit; });
  reply.integer(n);
}

// ------------------------------------------------------------------ difference

// The first set and what is subtracted from it.
struct Difference {
  Sets others;
  bool empty = false;   // nothing can be left
  bool tabled = false;  // the members of the others go into one table, rather than the first's through each
};

// As the original, which may be seen in the encoding of what is stored: the table is for many small sets.
Difference plan(const Sets& sets) {
  Difference d;
  const Collection& first = sets.front();
  if (missing(first)) {
    d.empty = true;
    return d;
  }
  const size_t size = set_size(first);
  size_t lookups = size, removals = size;
  for (size_t i = 1; i < sets.size(); i++) {
    const Collection& c = sets[i];
    if (missing(c)) continue;
    if (c.data == first.data) d.empty = true;
    lookups += size;
    removals += set_size(c);
    d.others.push_back(c);
  }
  d.tabled = lookups / 2 > removals;
  if (!d.tabled) std::stable_sort(d.others.begin(), d.others.end(), larger);
  return d;
}

template <class F>
void subtract(const Collection& first, const Difference& d, F&& visit) {
  if (d.tabled) {
    set_subtract_all(first, d.others, visit);
  } else {
    set_select(first, d.others, false, [&](const SetCandidate& c) {
      visit(c);
      return true;
    });
  }
}

void sdiff_command(Call& call) {
  Sets sets;
  if (!read_sets(call, 1, call.argc(), &sets)) return;
  const Difference d = plan(sets);
  if (d.empty) return call.reply().set(0);
  MembersReply out(call);
  subtract(sets.front(), d, [&](const SetCandidate& c) { out(c); });
  out.end();
}

void sdiffstore_command(Call& call) {
  Sets sets;
  if (!read_sets(call, 2, call.argc(), &sets)) return;
  const Difference d = plan(sets);
  SetBuilder result(call.core.settings.encodings, Encoding::kIntset, 0);
  if (!d.empty) {
    if (d.tabled) {
      // There, the result begins as a copy of the first set.
      set_for_each(sets.front(), [&](const SetItem& item) {
        result.count(item);
        return !result.settled();
      });
    }
    subtract(sets.front(), d,
             [&](const SetCandidate& c) { d.tabled ? result.put(c.item) : result.add(c.item); });
  }
  store_set(call, result.finish(), "sdiffstore");
}

// ------------------------------------------------------------------ union

void sunion_command(Call& call) {
  Sets sets;
  if (!read_sets(call, 1, call.argc(), &sets)) return;
  const bool integers = all_integers(sets);
  std::erase_if(sets, missing);
  if (integers) {
    // In order, as an intset of them all would be.
    std::vector<int64_t> all;
    for (const Collection& c : sets) {
      set_for_each(c, [&](const SetItem& item) {
        all.push_back(item.number);
        return true;
      });
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    call.reply().set(static_cast<int64_t>(all.size()));
    for (const int64_t v : all) call.reply().bulk_integer(v);
    return;
  }
  std::stable_sort(sets.begin(), sets.end(), larger);
  MembersReply out(call);
  set_unite(sets, [&](const SetCandidate& c) { out(c); });
  out.end();
}

// Adds all members of a set to another, whose encoding goes its way.
void add_set(Collection* to, const EncodingLimits& limits, const Collection& from) {
  set_algebra_detail::for_each_batch(from, false, [&](SetBatch* batch) {
    size_t i = 0;
    for (; i < batch->size() && to->encoding != Encoding::kHashtable; i++) {
      set_add(to, limits, (*batch)[i].item);
    }
    Slice texts[SetBatch::kMax];
    const size_t from_here = i;
    for (; i < batch->size(); i++) texts[i] = (*batch)[i].text;
    set_add_all(to, limits, std::span<const Slice>(texts + from_here, batch->size() - from_here));
    return true;
  });
}

void sunionstore_command(Call& call) {
  const EncodingLimits& limits = call.core.settings.encodings;
  Sets sets;
  if (!read_sets(call, 2, call.argc(), &sets)) return;
  std::erase_if(sets, missing);
  Collection result{Encoding::kIntset, Intset::make().data()};
  const size_t most = sets.empty() ? 0 : set_size(*std::max_element(sets.begin(), sets.end(), smaller));
  if (most > std::max(intset_limit(limits), static_cast<size_t>(limits.set_max_listpack_entries))) {
    // No compact encoding would hold the largest of them: it makes a table, and the others are added.
    std::stable_sort(sets.begin(), sets.end(), larger);
    set_destroy(result);
    result = set_make_big(most);
    set_algebra_detail::for_each_batch(sets.front(), true, [&](SetBatch* batch) {
      for (size_t i = 0; i < batch->size(); i++) {
        set_dict(result).insert_new(Member::make((*batch)[i].text), (*batch)[i].hash);
      }
      return true;
    });
    sets.erase(sets.begin());
  }
  for (const Collection& c : sets) add_set(&result, limits, c);
  store_set(call, result, "sunionstore");
}

}  // namespace

void register_set_algebra_commands(HandlerMap& map) {
  map["sinter"] = sinter_command;
  map["sinterstore"] = sinterstore_command;
  map["sintercard"] = sintercard_command;
  map["sdiff"] = sdiff_command;
  map["sdiffstore"] = sdiffstore_command;
  map["sunion"] = sunion_command;
  map["sunionstore"] = sunionstore_command;
}

}  // namespace kvasir
