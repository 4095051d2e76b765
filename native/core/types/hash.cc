#include "types/hash.h"

#include <limits>

#include "base/alloc.h"

namespace kvasir {

namespace {

using Pos = Listpack::Pos;

bool is_big(const Collection& c) { return c.encoding == Encoding::kHashtable; }
BigHash& big(const Collection& c) { return *static_cast<BigHash*>(c.data); }
Listpack pack(const Collection& c) { return Listpack(c.data); }

// A field that is not there yet.
void big_insert(BigHash& h, HashField* f) {
  h.dict.insert_new(f, hash_bytes(f->field()));
  if (f->has_deadline()) h.deadlines.add(f);
}

// After a field was changed; `before` is where it was, and may be gone.
void reindex(BigHash& h, const HashField* before, int64_t had, HashField* f, int64_t deadline) {
  if (f == before && had == deadline) return;
  if (had != kNoExpiry) h.deadlines.remove(before, had);
  if (deadline != kNoExpiry) h.deadlines.add(f);
}

bool too_many(const EncodingLimits& limits, size_t fields) {
  return fields > static_cast<size_t>(limits.hash_max_listpack_entries);
}
bool too_long(const EncodingLimits& limits, size_t bytes) {
  return bytes > static_cast<size_t>(limits.hash_max_listpack_value);
}

}  // namespace

// ------------------------------------------------------------------ as a whole

Collection hash_make_big(size_t fields) {
  auto* h = new (mem_alloc(sizeof(BigHash))) BigHash;
  h->dict.try_expand(fields);
  return {Encoding::kHashtable, h};
}

Collection hash_make(const EncodingLimits& limits, size_t fields, size_t longest, size_t room) {
  if (too_many(limits, fields)) return hash_make_big(fields);
  if (too_long(limits, longest) || room > Listpack::kMaxBytes) return hash_make_big(0);
  return {Encoding::kListpack, Listpack::make(Listpack::kEmpty + room).data()};
}

void hash_to_big(Collection* c) {
  if (is_big(*c)) return;
  Listpack lp = pack(*c);
  const Collection to = hash_make_big(lp.size() / 2);
  char tmp[kInt64Chars + 1];
  char value_tmp[kInt64Chars + 1];
  for (Pos at = lp.first(); at != Listpack::kNone;) {
    const Slice field = lp.get(at).str(tmp);
    at = lp.next(at);
    big_insert(big(to), HashField::make(field, {lp.get(at).str(value_tmp)}, kNoExpiry));
    at = lp.next(at);
  }
  lp.destroy();
  *c = to;
}

void hash_expect(Collection* c, const EncodingLimits& limits, size_t fields, size_t longest, size_t bytes) {
  if (is_big(*c)) return;
  if (too_many(limits, fields)) {
    hash_to_big(c);
    big(*c).dict.try_expand(fields);
  } else if (too_long(limits, longest) || !pack(*c).fits(bytes)) {
    hash_to_big(c);
  }
}

size_t hash_size(const Collection& c) { return is_big(c) ? big(c).dict.size() : pack(c).size() / 2; }
bool hash_has_deadlines(const Collection& c) { return is_big(c) && !big(c).deadlines.empty(); }

// ------------------------------------------------------------------ one field

bool hash_get(const Collection& c, Slice field, const FieldClock& clock, HashValue* out, uint64_t hash) {
  if (is_big(c)) {
    const HashField* f = big(c).dict.find(field, hash_bytes(field, hash));
    if (f == nullptr) return false;
    const int64_t deadline = f->deadline();
    if (clock.hides(deadline)) return false;
    out->deadline = deadline;
    out->is_int = false;
    out->text = f->value();
    out->buffer = f->buffer();
    return true;
  }
  const Listpack lp = pack(c);
  const Pos at = lp.find(lp.first(), field, 1);
  if (at == Listpack::kNone) return false;
  *out = {};
  static_cast<ListpackItem&>(*out) = lp.get(lp.next(at));
  return true;
}

HashStored hash_set(Collection* c, const EncodingLimits& limits, Slice field, const HashInput& value,
                    int64_t deadline, bool keep, const FieldClock& clock, uint64_t hash) {
  if (!is_big(*c)) {
    Listpack lp = pack(*c);
    if (deadline == kNoExpiry && !too_long(limits, field.size) && !too_long(limits, value.text.size) &&
        lp.fits(field.size + value.text.size)) {
      const Pos at = lp.find(lp.first(), field, 1);
      if (at != Listpack::kNone) {
        lp.replace(lp.next(at), value.text);
        c->data = lp.data();
        return HashStored::kUpdated;
      }
      lp.append(field);
      lp.append(value.text);
      c->data = lp.data();
      if (too_many(limits, lp.size() / 2)) hash_to_big(c);
      return HashStored::kAdded;
    }
    hash_to_big(c);
  }
  BigHash& h = big(*c);
  Dict<HashFieldTraits>::InsertPoint room;
  auto slot = h.dict.find_or_prepare(field, hash_bytes(field, hash), &room);
  if (!slot) {
    HashField* f = HashField::make(field, value, deadline);
    h.dict.insert_at(room, f);
    if (deadline != kNoExpiry) h.deadlines.add(f);
    return HashStored::kAdded;
  }
  HashField* const before = slot.get();
  const int64_t had = before->deadline();
  const bool past = clock.past(had);
  if (keep && !past) deadline = had;
  HashField* const f = HashField::assign(before, value, deadline);
  if (f != before) slot.set(f);
  reindex(h, before, had, f, deadline);
  return past ? HashStored::kRevived : HashStored::kUpdated;
}

bool hash_remove(Collection* c, Slice field, const FieldClock& clock, uint64_t hash) {
  if (!is_big(*c)) {
    Listpack lp = pack(*c);
    const Pos at = lp.find(lp.first(), field, 1);
    if (at == Listpack::kNone) return false;
    lp.erase(at, 2);
    c->data = lp.data();
    return true;
  }
  BigHash& h = big(*c);
  const auto slot = h.dict.find_slot(field, hash_bytes(field, hash));
  if (!slot) return false;
  HashField* const f = slot.get();
  const int64_t deadline = f->deadline();
  if (clock.hides(deadline)) return false;
  h.dict.erase_slot(slot);
  if (deadline != kNoExpiry) h.deadlines.remove(f, deadline);
  HashField::destroy(f);
  return true;
}

void hash_redate(const Collection& c, Slice field, int64_t deadline) {
  BigHash& h = big(c);
  auto slot = h.dict.find_slot(field, hash_bytes(field));
  HashField* const before = slot.get();
  const int64_t had = before->deadline();
  if (had == deadline) return;
  HashField* const f = HashField::redate(before, deadline);
  if (f != before) slot.set(f);
  reindex(h, before, had, f, deadline);
}

// ------------------------------------------------------------------ deadlines

size_t hash_take_due(const Collection& c, int64_t time, HashField** out, size_t max) {
  if (!is_big(c)) return 0;
  BigHash& h = big(c);
  const size_t n = h.deadlines.take_before(time, out, max);
  for (size_t i = 0; i < n; i++) {
    const Slice field = out[i]->field();
    h.dict.erase(field, hash_bytes(field));
  }
  return n;
}

int64_t hash_earliest_deadline(const Collection& c) {
  return is_big(c) ? big(c).deadlines.earliest() : DeadlineTree::kNever;
}

// ------------------------------------------------------------------ what the keyspace asks

namespace {

// With all its fields, hidden ones too: they expire in the copy as they do here, on our replicas as well.
Collection duplicate(const Collection& c) {
  if (!is_big(c)) return {c.encoding, Listpack::copy_of(pack(c).image()).data()};
  BigHash& h = big(c);
  const Collection copy = hash_make_big(h.dict.size());
  Dict<HashFieldTraits>::Iterator it(h.dict);
  while (const HashField* f = it.next()) big_insert(big(copy), HashField::copy_of(*f));
  return copy;
}

void destroy(Collection c) {
  if (!is_big(c)) {
    pack(c).destroy();
    return;
  }
  BigHash& h = big(c);
  h.dict.clear([](HashField* f) { HashField::destroy(f); });
  h.~BigHash();
  mem_free(&h);
}

size_t free_effort(const Collection& c) { return is_big(c) ? big(c).dict.size() : 1; }

size_t bytes(const Collection& c, size_t samples) {
  if (!is_big(c)) return pack(c).footprint();
  BigHash& h = big(c);
  size_t sum = mem_usable(c.data) + h.dict.mem_bytes() + h.deadlines.bytes();
  size_t measured = 0, seen = 0;
  Dict<HashFieldTraits>::Iterator it(h.dict);
  for (const HashField* f; seen < samples && (f = it.next()) != nullptr; seen++) measured += f->footprint();
  if (seen > 0) {
    sum += static_cast<size_t>(static_cast<double>(measured) / static_cast<double>(seen) *
                               static_cast<double>(h.dict.size()));
  }
  return sum;
}

void mix_at(const Collection& c, int64_t time, Sha1::Digest* digest) {
  char tmp[kInt64Chars + 1];
  FieldClock clock;
  clock.hidden_before = time;
  hash_for_each(c, clock, [&](const Slice& field, const HashValue& value) {
    Sha1::Digest one{};
    digest_mix(&one, field);
    digest_mix(&one, value.str(tmp));
    digest_xor(digest, {reinterpret_cast<const char*>(one.data()), one.size()});
  });
}

void mix(const Collection& c, Sha1::Digest* digest) {
  mix_at(c, std::numeric_limits<int64_t>::min(), digest);
}

bool table_stats(const Collection& c, bool chains, std::string* out) {
  if (!is_big(c)) return false;
  big(c).dict.stats(out, chains);
  return true;
}

void prefetch_field(const Collection& c, uint64_t hash, unsigned step) {
  if (hash == 0 || !is_big(c)) return;
  step == 0 ? big(c).dict.prefetch_bucket(hash) : big(c).dict.prefetch_elem(hash);
}

}  // namespace

const CollectionOps kHashOps = {duplicate, destroy,     free_effort,    bytes,
                                mix,       table_stats, prefetch_field, mix_at};

}  // namespace kvasir
