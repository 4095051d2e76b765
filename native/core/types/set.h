// Sets: different byte strings without an order.
//
// Intset while all members are integers and few (set-max-intset-entries); listpack while they are few
// (set-max-listpack-entries) and short (set-max-listpack-value); else a Dict of members that it owns
// (types/member.h). A set goes from left to right as members are added, one by one or after set_expect(), and
// never back: which encoding a set has is Valkey's rule, step by step.
//
// A set may be empty while a command works on it; no key holds an empty one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/slice.h"
#include "types/intset.h"
#include "types/listpack.h"
#include "types/member.h"
#include "types/type.h"

namespace kvasir {

// A member that is read: an integer, or text that belongs to the set. Integers of a table are text.
using SetItem = ListpackItem;

extern const CollectionOps kSetOps;

// Empty, in the encoding for a first member like this and for so many members.
Collection set_make(const EncodingLimits& limits, Slice first, size_t members);
Collection set_make_big(size_t members);
void set_destroy(const Collection& c);
// Before so many members are added: leaves the compact encodings if they alone would not fit.
void set_expect(Collection* c, const EncodingLimits& limits, size_t members);

inline MemberDict& set_dict(const Collection& c) { return *static_cast<MemberDict*>(c.data); }
[[nodiscard]] size_t set_size(const Collection& c);
// `hash`: of the member, if the caller has it.
[[nodiscard]] bool set_contains(const Collection& c, Slice member, uint64_t hash = 0);
// False: it is there already.
bool set_add(Collection* c, const EncodingLimits& limits, const SetItem& item);
bool set_add(Collection* c, const EncodingLimits& limits, Slice member);
// False: it is not there.
bool set_remove(Collection* c, Slice member);

// The same for many, whose cache misses overlap. How many were added or removed; removing ends with the last
// member of the set.
// `hash`: of the first.
size_t set_add_all(Collection* c, const EncodingLimits& limits, std::span<const Slice> members,
                   uint64_t hash = 0);
size_t set_remove_all(Collection* c, std::span<const Slice> members, uint64_t hash = 0);
// Sets found[i], for members of the same number.
void set_contains_all(const Collection& c, std::span<const Slice> members, bool* found);

// How many integers an intset may have.
inline size_t intset_limit(const EncodingLimits& limits) {
  return std::min(static_cast<size_t>(limits.set_max_intset_entries), Intset::kMaxSize);
}
// The longest text of an integer between min and max.
size_t longest_number(int64_t min, int64_t max);

// Calls visit(const SetItem&) for each member, in order in an intset, until it returns false. The set must
// not change meanwhile.
template <class F>
void set_for_each(const Collection& c, F&& visit) {
  SetItem item;
  if (c.encoding == Encoding::kHashtable) {
    MemberDict::Iterator it(set_dict(c));
    while (const Member* m = it.next()) {
      item.text = m->bytes();
      if (!visit(static_cast<const SetItem&>(item))) return;
    }
  } else if (c.encoding == Encoding::kListpack) {
    const Listpack lp(c.data);
    for (Listpack::Pos at = lp.first(); at != Listpack::kNone; at = lp.next(at)) {
      if (!visit(lp.get(at))) return;
    }
  } else {
    const Intset s(c.data);
    const size_t n = s.size();
    item.is_int = true;
    for (size_t i = 0; i < n; i++) {
      item.number = s.at(i);
      if (!visit(static_cast<const SetItem&>(item))) return;
    }
  }
}

// Hashtable only: one step of a scan, which calls emit(Slice member).
template <class F>
uint64_t set_scan(const Collection& c, uint64_t cursor, F&& emit) {
  return set_dict(c).scan(cursor, [&](const Member* m) { emit(m->bytes()); });
}

}  // namespace kvasir
