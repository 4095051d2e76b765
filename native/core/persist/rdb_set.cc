#include "persist/rdb_set.h"

#include <algorithm>

#include "types/set.h"

namespace kvasir {

namespace {

RdbType type(const Collection& c) {
  if (c.encoding == Encoding::kIntset) return RdbType::kSetIntset;
  return c.encoding == Encoding::kListpack ? RdbType::kSetListpack : RdbType::kSet;
}

void save(RdbWriter& out, const Collection& c) {
  if (c.encoding == Encoding::kIntset) return out.string(Intset(c.data).image());
  if (c.encoding == Encoding::kListpack) return out.string(Listpack(c.data).image());
  out.length(set_size(c));
  set_for_each(c, [&](const SetItem& item) {
    out.string(item.text);
    return true;
  });
}

// Leaves a compact encoding that holds more than the settings of today allow; the length of elements is not
// looked at, as in Valkey.
void settle(Collection* c, const EncodingLimits& limits) { set_expect(c, limits, set_size(*c)); }

RdbLoaded load_intset(Slice image, const EncodingLimits& limits, Collection* c) {
  if (!Intset::valid(image)) return RdbLoaded::kCorrupt;
  *c = {Encoding::kIntset, Intset::copy_of(image).data()};
  settle(c, limits);
  return RdbLoaded::kOk;
}

// Whether no member comes twice. *plain: no text is there that should have been stored as an integer, where
// alone a lookup would find it.
bool all_differ(const Listpack& lp, bool* plain) {
  const Collection seen = set_make_big(std::min<size_t>(lp.size(), 1024));
  MemberDict& dict = set_dict(seen);
  bool differ = true;
  *plain = true;
  char tmp[kInt64Chars + 1];
  for (Listpack::Pos at = lp.first(); differ && at != Listpack::kNone; at = lp.next(at)) {
    const ListpackItem item = lp.get(at);
    const Slice text = item.str(tmp);
    MemberDict::InsertPoint room;
    differ = !dict.find_or_prepare(text, hash_bytes(text), &room);
    if (differ) dict.insert_at(room, Member::make(text));
    int64_t number;
    if (!item.is_int && text.size <= kInt64Chars && parse_i64(text, &number)) *plain = false;
  }
  set_destroy(seen);
  return differ;
}

RdbLoaded load_listpack(Slice image, const EncodingLimits& limits, Collection* c) {
  if (!Listpack::valid(image)) return RdbLoaded::kCorrupt;
  if (image.size == Listpack::kEmpty) return RdbLoaded::kEmpty;
  const Listpack given(const_cast<char*>(image.data));
  bool plain;
  if (!all_differ(given, &plain)) return RdbLoaded::kCorrupt;
  Listpack lp = plain ? Listpack::copy_of(image) : Listpack::make();
  char tmp[kInt64Chars + 1];
  for (Listpack::Pos at = given.first(); !plain && at != Listpack::kNone; at = given.next(at)) {
    lp.append(given.get(at).str(tmp));
  }
  *c = {Encoding::kListpack, lp.data()};
  settle(c, limits);
  return RdbLoaded::kOk;
}

// Adds the members that follow; false: the input ends or a member comes twice.
bool load_members(RdbInput& in, uint64_t members, const EncodingLimits& limits, Collection* c) {
  std::string scratch;
  for (uint64_t i = 0; i < members; i++) {
    Slice member;
    if (!in.string(&member, &scratch)) return false;
    const bool compact = c->encoding != Encoding::kHashtable;
    if (!set_add(c, limits, member)) return in.refuse("Duplicate set members detected");
    // What is still to come needs no resizing, but for no more than the input can hold.
    if (compact && c->encoding == Encoding::kHashtable) {
      set_dict(*c).try_expand(static_cast<size_t>(in.believed(members - i, 1) + set_size(*c)));
    }
  }
  return true;
}

RdbLoaded load_table(RdbInput& in, const EncodingLimits& limits, Collection* c) {
  uint64_t members;
  if (!in.length(&members)) return RdbLoaded::kCorrupt;
  if (members == 0) return RdbLoaded::kEmpty;
  *c = members > intset_limit(limits) ? set_make_big(static_cast<size_t>(in.believed(members, 1)))
                                      : Collection{Encoding::kIntset, Intset::make().data()};
  if (load_members(in, members, limits, c)) return RdbLoaded::kOk;
  set_destroy(*c);
  return RdbLoaded::kCorrupt;
}

RdbLoaded load(RdbInput& in, RdbType type, const EncodingLimits& limits, Collection* c) {
  if (type == RdbType::kSet) return load_table(in, limits, c);
  std::string scratch;
  Slice image;
  if (!in.string(&image, &scratch)) return RdbLoaded::kCorrupt;
  const bool intset = type == RdbType::kSetIntset;
  const RdbLoaded loaded = intset ? load_intset(image, limits, c) : load_listpack(image, limits, c);
  if (loaded == RdbLoaded::kCorrupt) {
    in.refuse(intset ? "Intset integrity check failed." : "Set listpack integrity check failed.");
  }
  return loaded;
}

}  // namespace

const RdbCollection kRdbSet = {type, save, load};

}  // namespace kvasir
