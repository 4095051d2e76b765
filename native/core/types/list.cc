#include "types/list.h"

#include "base/alloc.h"

namespace kvasir {

namespace {

bool is_listpack(const Collection& c) { return c.encoding == Encoding::kListpack; }
Listpack listpack(const Collection& c) { return Listpack(c.data); }
Quicklist* quicklist(const Collection& c) { return static_cast<Quicklist*>(c.data); }

Collection duplicate(const Collection& c) {
  return {c.encoding,
          is_listpack(c) ? Listpack::copy_of(listpack(c).image()).data() : quicklist(c)->duplicate()};
}

void destroy(Collection c) {
  if (is_listpack(c)) {
    listpack(c).destroy();
  } else {
    Quicklist::destroy(quicklist(c));
  }
}

size_t free_effort(const Collection& c) { return is_listpack(c) ? 1 : quicklist(c)->nodes(); }

size_t bytes(const Collection& c, size_t samples) {
  return is_listpack(c) ? listpack(c).footprint() : quicklist(c)->bytes(samples);
}

void mix(const Collection& c, Sha1::Digest* digest) {
  char tmp[kInt64Chars + 1];
  ListReader reader(c, 0, ListEnd::kTail);
  while (reader.next()) digest_mix(digest, reader.item().str(tmp));
}

void try_listpack(Collection& c, const ListNodeLimit& limit) {
  if (void* lp = Quicklist::dissolve(quicklist(c), limit)) c = {Encoding::kListpack, lp};
}

}  // namespace

const CollectionOps kListOps = {duplicate, destroy, free_effort, bytes, mix};

Collection list_make(size_t room) {
  return {Encoding::kListpack, Listpack::make(Listpack::kEmpty + room).data()};
}

size_t list_size(const Collection& c) { return is_listpack(c) ? listpack(c).size() : quicklist(c)->size(); }

void list_prepare(Collection& c, size_t bytes, size_t count, const EncodingLimits& limits) {
  if (!is_listpack(c)) return;
  Listpack lp = listpack(c);
  const ListNodeLimit limit = ListNodeLimit::of(limits.list_max_listpack_size);
  if (!limit.exceeded(lp.bytes() + bytes, lp.size() + count)) return;
  Quicklist* q = Quicklist::make(limits);
  if (lp.empty()) {
    lp.destroy();
  } else {
    q->append_listpack(lp);
  }
  c = {Encoding::kQuicklist, q};
}

void list_shrunk(Collection& c, const EncodingLimits& limits) {
  if (is_listpack(c)) return;
  // Half the limit, so that a list that hovers around it does not change all the time.
  const ListNodeLimit limit = ListNodeLimit::of(limits.list_max_listpack_size);
  try_listpack(c, {limit.bytes / 2, limit.count / 2});
}

void list_settle(Collection& c, const EncodingLimits& limits) {
  if (is_listpack(c)) {
    list_prepare(c, 0, 0, limits);
  } else {
    try_listpack(c, ListNodeLimit::of(limits.list_max_listpack_size));
  }
}

void list_push(Collection& c, ListEnd end, const ListValue& v, const EncodingLimits& limits) {
  if (!is_listpack(c)) {
    quicklist(c)->push(end, v, limits.list_packed_threshold);
    return;
  }
  Listpack lp = listpack(c);
  if (end == ListEnd::kTail) {
    lp.append(v.text);
  } else {
    lp.prepend(v.text);
  }
  c.data = lp.data();
}

void list_erase(Collection& c, size_t start, size_t count) {
  if (count == 0) return;
  if (!is_listpack(c)) {
    quicklist(c)->erase(start, count);
    return;
  }
  Listpack lp = listpack(c);
  const Listpack::Pos at = lp.at(static_cast<int64_t>(start));
  if (at == Listpack::kNone) return;
  lp.erase(at, count);
  c.data = lp.data();
}

size_t list_remove(Collection& c, Slice text, size_t limit, ListEnd from) {
  if (!is_listpack(c)) return quicklist(c)->remove(text, limit, from);
  Listpack lp = listpack(c);
  const size_t removed = lp.erase_equal(ListpackNeedle(text), limit, from == ListEnd::kTail);
  c.data = lp.data();
  return removed;
}

bool list_insert(Collection& c, Slice pivot, bool after, const ListValue& v, const EncodingLimits& limits) {
  if (!is_listpack(c)) {
    const ListpackNeedle needle(pivot);
    Quicklist::Place place;
    {
      QuicklistReader reader(*quicklist(c), 0, ListEnd::kTail);
      do {
        if (!reader.next()) return false;
      } while (!reader.equals(needle));
      place = reader.place();
    }
    quicklist(c)->insert(place, after, v, limits.list_packed_threshold);
    return true;
  }
  Listpack lp = listpack(c);
  const Listpack::Pos at = lp.find(lp.first(), pivot);
  if (at == Listpack::kNone) return false;
  if (after) {
    lp.insert_after(at, v.text);
  } else {
    lp.insert_before(at, v.text);
  }
  c.data = lp.data();
  return true;
}

void list_replace(Collection& c, size_t index, const ListValue& v, const EncodingLimits& limits) {
  if (!is_listpack(c)) {
    Quicklist::Place place;
    {
      QuicklistReader reader(*quicklist(c), index, ListEnd::kTail);
      reader.next();
      place = reader.place();
    }
    quicklist(c)->replace(place, v, limits.list_packed_threshold);
    return;
  }
  Listpack lp = listpack(c);
  lp.replace(lp.at(static_cast<int64_t>(index)), v.text);
  c.data = lp.data();
}

ListReader::ListReader(const Collection& c, size_t index, ListEnd towards)
    : forward_(towards == ListEnd::kTail) {
  if (is_listpack(c)) {
    listpack_ = listpack(c);
    at_ = listpack_.at(static_cast<int64_t>(index));
  } else {
    quicklist_.emplace(*quicklist(c), index, towards);
  }
}

}  // namespace kvasir
