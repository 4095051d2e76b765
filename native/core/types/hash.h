// Hashes: fields with a value each, and perhaps a deadline.
//
// Listpack: field, value, field, value ... in the order in which they came; no field has a deadline. As
// Valkey stores it, byte for byte. Hashtable: our Dict of fields (types/hash_field.h) and an index of those
// that have a deadline (types/deadline_index.h), by which the due ones are found without looking at the
// others. A hash never goes back to a listpack.
//
// A field past its deadline is hidden until the expiry cycle removes it (keyspace/field_expiry.cc): it is not
// found, visited or removed, but counted by hash_size(). Who looks says when "past" is, with a FieldClock.
//
// A hash may be empty while a command works on it; no key holds an empty one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/hash.h"
#include "base/rng.h"
#include "dict/dict.h"
#include "types/deadline_index.h"
#include "types/hash_field.h"
#include "types/listpack.h"
#include "types/type.h"

namespace kvasir {

struct HashFieldTraits {
  using Elem = HashField*;
  static Slice key(Elem f) { return f->field(); }
  static uint64_t hash(Slice s) { return hash_bytes(s); }
};

struct FieldDeadlines {
  static int64_t deadline(const HashField* f) { return f->deadline(); }
};

struct BigHash {
  Dict<HashFieldTraits> dict;
  DeadlineIndex<HashField, FieldDeadlines> deadlines;
  // The keyspace's: where its index of such hashes has this one (keyspace/field_expiry.cc).
  int64_t filed_ms = kNoExpiry;
};

// A value that is read; valid until the hash changes.
struct HashValue : ListpackItem {
  StrBuf* buffer = nullptr;  // holds the text, if it is a long one
  int64_t deadline = kNoExpiry;
};

enum class HashStored : uint8_t {
  kAdded,
  kUpdated,
  kRevived,  // it was there, but past its deadline: counts as added
};

// Empty, in the encoding for that many fields, each part at most `longest` bytes; a listpack has room for
// `room` bytes.
Collection hash_make(const EncodingLimits& limits, size_t fields, size_t longest, size_t room = 0);
// Leaves the listpack if so many fields, parts of that length, or `bytes` bytes in all, are coming.
void hash_expect(Collection* c, const EncodingLimits& limits, size_t fields, size_t longest, size_t bytes);
// As a hashtable, with room for that many fields.
Collection hash_make_big(size_t fields);
void hash_to_big(Collection* c);

// Hidden fields count.
size_t hash_size(const Collection& c);
bool hash_has_deadlines(const Collection& c);

// `hash` in these: the field's, if the caller has it.
// False: the field is not there, and *out stays as it was.
bool hash_get(const Collection& c, Slice field, const FieldClock& clock, HashValue* out, uint64_t hash = 0);
inline bool hash_exists(const Collection& c, Slice field, const FieldClock& clock, uint64_t hash = 0) {
  HashValue unused;
  return hash_get(c, field, clock, &unused, hash);
}
// Sets a field and its deadline; with `keep`, one that is there and not past keeps its own.
HashStored hash_set(Collection* c, const EncodingLimits& limits, Slice field, const HashInput& value,
                    int64_t deadline, bool keep, const FieldClock& clock, uint64_t hash = 0);
bool hash_remove(Collection* c, Slice field, const FieldClock& clock, uint64_t hash = 0);
// Gives a field that is there another deadline. Precondition: a hashtable, and hash_get() finds the field.
void hash_redate(const Collection& c, Slice field, int64_t deadline);

// Takes out up to `max` fields whose deadline is before `time`: they are the caller's, who destroys them.
size_t hash_take_due(const Collection& c, int64_t time, HashField** out, size_t max);
// The earliest deadline; DeadlineTree::kNever if there is none.
int64_t hash_earliest_deadline(const Collection& c);

// Visits all fields that are not hidden: visit(Slice field, const HashValue& value). The slices are valid
// during the call; nothing may change meanwhile.
template <class F>
void hash_for_each(const Collection& c, const FieldClock& clock, F&& visit) {
  HashValue value;
  if (c.encoding == Encoding::kListpack) {
    const Listpack lp(c.data);
    char tmp[kInt64Chars + 1];
    for (Listpack::Pos at = lp.first(); at != Listpack::kNone;) {
      const Slice field = lp.get(at).str(tmp);
      at = lp.next(at);
      static_cast<ListpackItem&>(value) = lp.get(at);
      visit(field, value);
      at = lp.next(at);
    }
    return;
  }
  Dict<HashFieldTraits>::Iterator it(static_cast<BigHash*>(c.data)->dict);
  while (const HashField* f = it.next()) {
    value.deadline = f->deadline();
    if (clock.hides(value.deadline)) continue;
    value.text = f->value();
    value.buffer = f->buffer();
    visit(f->field(), value);
  }
}

// Hashtable only: one step of a scan, with what Dict::scan() guarantees; emit(const HashField*) for all but
// hidden fields.
template <class F>
uint64_t hash_scan(const Collection& c, const FieldClock& clock, uint64_t cursor, F&& emit) {
  return static_cast<BigHash*>(c.data)->dict.scan(cursor, [&](const HashField* f) {
    if (!clock.hides(f->deadline())) emit(f);
  });
}

extern const CollectionOps kHashOps;

}  // namespace kvasir
