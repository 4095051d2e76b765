#include "types/set.h"

#include <algorithm>

#include "base/alloc.h"
#include "base/numbers.h"

namespace kvasir {

namespace {

using Pos = Listpack::Pos;

bool is_big(const Collection& c) { return c.encoding == Encoding::kHashtable; }
bool is_pack(const Collection& c) { return c.encoding == Encoding::kListpack; }
MemberDict& big(const Collection& c) { return set_dict(c); }
Listpack pack(const Collection& c) { return Listpack(c.data); }
Intset ints(const Collection& c) { return Intset(c.data); }

bool as_integer(Slice s, int64_t* v) { return s.size <= kInt64Chars && parse_i64(s, v); }

// A setting as a size: the range of the parameter allows nothing negative.
size_t limit(int64_t setting) { return static_cast<size_t>(setting); }

void to_big(Collection* c, size_t room) {
  const Collection to = set_make_big(room);
  char tmp[kInt64Chars + 1];
  set_for_each(*c, [&](const SetItem& item) {
    const Slice text = item.str(tmp);
    big(to).insert_new(Member::make(text), hash_bytes(text));
    return true;
  });
  set_destroy(*c);
  *c = to;
}

// Whether an intset may become a listpack that takes `text`, too.
bool may_become_pack(const Intset& s, const EncodingLimits& limits, Slice text) {
  const size_t n = s.size();
  const size_t longest = n == 0 ? 0 : longest_number(s.min(), s.max());
  const size_t most = limit(limits.set_max_listpack_value);
  constexpr size_t kIntegerBytes = 11;  // that an integer takes in a listpack at most
  return n < limit(limits.set_max_listpack_entries) && text.size <= most && longest <= most &&
         n * kIntegerBytes + text.size <= Listpack::kMaxBytes;
}

void to_pack(Collection* c) {
  Intset s = ints(*c);
  Listpack lp = Listpack::make(Listpack::kEmpty + s.size() * 4);
  for (size_t i = 0; i < s.size(); i++) lp.append_int(s.at(i));
  s.destroy();
  *c = {Encoding::kListpack, lp.data()};
}

bool big_add(MemberDict& dict, Slice member, uint64_t hash) {
  MemberDict::InsertPoint room;
  if (dict.find_or_prepare(member, hash, &room)) return false;
  dict.insert_at(room, Member::make(member));
  return true;
}

bool pack_add(Collection* c, const EncodingLimits& limits, Slice member) {
  Listpack lp = pack(*c);
  if (lp.find(lp.first(), member) != Listpack::kNone) return false;
  if (lp.size() < limit(limits.set_max_listpack_entries) &&
      member.size <= limit(limits.set_max_listpack_value) && lp.fits(member.size)) {
    lp.append(member);
    c->data = lp.data();
    return true;
  }
  to_big(c, lp.size() + 1);
  big(*c).insert_new(Member::make(member), hash_bytes(member));
  return true;
}

bool intset_add(Collection* c, const EncodingLimits& limits, int64_t number) {
  Intset s = ints(*c);
  const bool added = s.add(number);
  c->data = s.data();
  if (added && s.size() > intset_limit(limits)) to_big(c, s.size());
  return added;
}

// Members of a table, a batch at a time: all are hashed and their buckets and then their elements sent for
// before the first is used. f(index, hash) may return false to end.
constexpr size_t kBatch = 16;
template <class F>
void for_each_hashed(const MemberDict& dict, std::span<const Slice> members, uint64_t first, F&& f) {
  uint64_t hashes[kBatch];
  for (size_t from = 0; from < members.size(); from += kBatch) {
    const size_t n = std::min(kBatch, members.size() - from);
    for (size_t i = 0; i < n; i++) {
      hashes[i] = hash_bytes(members[from + i], from + i == 0 ? first : 0);
      if (n > 1) dict.prefetch_bucket(hashes[i]);
    }
    for (size_t i = 0; n > 1 && i < n; i++) dict.prefetch_elem(hashes[i]);
    for (size_t i = 0; i < n; i++) {
      if (!f(from + i, hashes[i])) return;
    }
  }
}

}  // namespace

// ------------------------------------------------------------------ as a whole

Collection set_make_big(size_t members) {
  auto* dict = new (mem_alloc(sizeof(MemberDict))) MemberDict;
  dict->try_expand(members);
  return {Encoding::kHashtable, dict};
}

Collection set_make(const EncodingLimits& limits, Slice first, size_t members) {
  int64_t number;
  if (members <= limit(limits.set_max_intset_entries) && as_integer(first, &number)) {
    return {Encoding::kIntset, Intset::make().data()};
  }
  if (members <= limit(limits.set_max_listpack_entries)) {
    return {Encoding::kListpack, Listpack::make().data()};
  }
  return set_make_big(members);
}

void set_expect(Collection* c, const EncodingLimits& limits, size_t members) {
  if (is_big(*c)) return;
  if (members > limit(is_pack(*c) ? limits.set_max_listpack_entries : limits.set_max_intset_entries)) {
    to_big(c, members);
  }
}

void set_destroy(const Collection& c) {
  if (is_pack(c)) {
    pack(c).destroy();
  } else if (is_big(c)) {
    MemberDict& dict = big(c);
    dict.clear([](Member* m) { mem_free(m); });
    dict.~MemberDict();
    mem_free(&dict);
  } else {
    ints(c).destroy();
  }
}

size_t set_size(const Collection& c) {
  if (is_big(c)) return big(c).size();
  return is_pack(c) ? pack(c).size() : ints(c).size();
}

size_t longest_number(int64_t min, int64_t max) {
  const auto length = [](int64_t v) {
    return v < 0 ? 1 + decimal_digits(0 - static_cast<uint64_t>(v))
                 : decimal_digits(static_cast<uint64_t>(v));
  };
  return std::max(length(min), length(max));
}

// ------------------------------------------------------------------ members

bool set_contains(const Collection& c, Slice member, uint64_t hash) {
  if (is_big(c)) return big(c).find(member, hash_bytes(member, hash)) != nullptr;
  if (is_pack(c)) {
    const Listpack lp = pack(c);
    return lp.find(lp.first(), member) != Listpack::kNone;
  }
  int64_t number;
  return as_integer(member, &number) && ints(c).contains(number);
}

bool set_add(Collection* c, const EncodingLimits& limits, const SetItem& item) {
  if (item.is_int && c->encoding == Encoding::kIntset) return intset_add(c, limits, item.number);
  char tmp[kInt64Chars + 1];
  return set_add(c, limits, item.str(tmp));
}

bool set_add(Collection* c, const EncodingLimits& limits, Slice member) {
  if (is_big(*c)) return big_add(big(*c), member, hash_bytes(member));
  if (is_pack(*c)) return pack_add(c, limits, member);
  int64_t number;
  if (as_integer(member, &number)) return intset_add(c, limits, number);
  const Intset s = ints(*c);
  if (may_become_pack(s, limits, member)) {
    to_pack(c);
    Listpack lp = pack(*c);
    lp.append(member);
    lp.shrink();
    c->data = lp.data();
  } else {
    to_big(c, s.size() + 1);
    big(*c).insert_new(Member::make(member), hash_bytes(member));
  }
  return true;
}

bool set_remove(Collection* c, Slice member) {
  if (is_big(*c)) {
    Member* m = big(*c).erase(member, hash_bytes(member));
    mem_free(m);
    return m != nullptr;
  }
  if (is_pack(*c)) {
    Listpack lp = pack(*c);
    const Pos at = lp.find(lp.first(), member);
    if (at == Listpack::kNone) return false;
    lp.erase(at);
    c->data = lp.data();
    return true;
  }
  int64_t number;
  if (!as_integer(member, &number)) return false;
  Intset s = ints(*c);
  const bool removed = s.remove(number);
  c->data = s.data();
  return removed;
}

size_t set_add_all(Collection* c, const EncodingLimits& limits, std::span<const Slice> members,
                   uint64_t hash) {
  size_t added = 0;
  size_t i = 0;
  for (; i < members.size() && !is_big(*c); i++) added += set_add(c, limits, members[i]) ? 1 : 0;
  if (i == members.size()) return added;
  const std::span<const Slice> rest = members.subspan(i);
  for_each_hashed(big(*c), rest, i == 0 ? hash : 0, [&](size_t at, uint64_t h) {
    added += big_add(big(*c), rest[at], h) ? 1 : 0;
    return true;
  });
  return added;
}

size_t set_remove_all(Collection* c, std::span<const Slice> members, uint64_t hash) {
  size_t removed = 0;
  if (!is_big(*c)) {
    for (size_t i = 0; i < members.size() && set_size(*c) > 0; i++) {
      removed += set_remove(c, members[i]) ? 1 : 0;
    }
    return removed;
  }
  MemberDict& dict = big(*c);
  for_each_hashed(dict, members, hash, [&](size_t at, uint64_t h) {
    Member* m = dict.erase(members[at], h);
    if (m == nullptr) return true;
    mem_free(m);
    removed++;
    return !dict.empty();
  });
  return removed;
}

void set_contains_all(const Collection& c, std::span<const Slice> members, bool* found) {
  if (!is_big(c)) {
    for (size_t i = 0; i < members.size(); i++) found[i] = set_contains(c, members[i]);
    return;
  }
  const MemberDict& dict = big(c);
  for_each_hashed(dict, members, 0, [&](size_t at, uint64_t hash) {
    found[at] = dict.find(members[at], hash) != nullptr;
    return true;
  });
}

// ------------------------------------------------------------------ what the keyspace asks

namespace {

Collection duplicate(const Collection& c) {
  if (is_pack(c)) return {c.encoding, Listpack::copy_of(pack(c).image()).data()};
  if (!is_big(c)) return {c.encoding, Intset::copy_of(ints(c).image()).data()};
  const Collection copy = set_make_big(big(c).size());
  set_for_each(c, [&](const SetItem& item) {
    big(copy).insert_new(Member::make(item.text), hash_bytes(item.text));
    return true;
  });
  return copy;
}

size_t free_effort(const Collection& c) { return is_big(c) ? big(c).size() : 1; }

size_t bytes(const Collection& c, size_t samples) {
  if (is_pack(c)) return pack(c).footprint();
  if (!is_big(c)) return ints(c).footprint();
  MemberDict& dict = big(c);
  size_t measured = 0, seen = 0;
  {
    MemberDict::Iterator it(dict);
    for (const Member* m = nullptr; seen < samples && (m = it.next()) != nullptr; seen++) {
      measured += mem_usable(m);
    }
  }
  const double each = seen == 0 ? 0 : static_cast<double>(measured) / static_cast<double>(seen);
  return mem_usable(c.data) + dict.mem_bytes() + static_cast<size_t>(each * static_cast<double>(dict.size()));
}

void mix(const Collection& c, Sha1::Digest* digest) {
  char tmp[kInt64Chars + 1];
  set_for_each(c, [&](const SetItem& item) {
    digest_xor(digest, item.str(tmp));
    return true;
  });
}

void destroy(Collection c) { set_destroy(c); }

bool table_stats(const Collection& c, bool full, std::string* out) {
  if (!is_big(c)) return false;
  big(c).stats(out, full);
  return true;
}

void prefetch_member(const Collection& c, uint64_t hash, unsigned step) {
  if (hash == 0 || !is_big(c)) return;
  step == 0 ? big(c).prefetch_bucket(hash) : big(c).prefetch_elem(hash);
}

}  // namespace

const CollectionOps kSetOps = {duplicate, destroy, free_effort, bytes, mix, table_stats, prefetch_member};

}  // namespace kvasir
