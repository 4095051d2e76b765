// String values in the keyspace: replying with one, storing one and changing one where it stands. For the
// string commands and for those that see strings as something else (bits, HyperLogLogs).
//
// A string is an int64 in the entry's value word, up to Entry::kMaxEmbedded bytes inside the entry, or a
// StrBuf. Two rules hold for every change:
//   - The bytes of a StrBuf are written only while no reply, snapshot or stream refers to it; otherwise the
//   entry
//     gets a buffer of its own first.
//   - The entry's encoding is the name that Valkey's OBJECT ENCODING would give: int for what SET sees to be
//   a
//     number, embstr for a new value that would fit Valkey's object together with key and deadline, raw for
//     longer ones and for all that was changed in place (APPEND, SETRANGE).
#pragma once

#include "commands/core.h"

namespace kvasir {

// Replies with the bytes of e, a string.
inline void reply_string(const Call& call, const Entry* e) {
  if (e->embedded()) {
    call.reply().bulk(e->embedded_value());
  } else if (e->is_int()) {
    call.reply().bulk_integer(e->int_value());
  } else {
    StrBuf* b = e->buffer();
    call.reply().bulk(b, b->slice());
  }
}

// Replies with the string of k, or null. False: it is something else, and an error was replied.
bool reply_value_of(const Call& call, const KeyRef& k);

// Stores argument `value_arg` at k with the given deadline, whatever is there. As in setKey, watchers hear of
// it; the caller counts and notifies.
void store_string(const Call& call, const KeyRef& k, int value_arg, int64_t deadline_ms = kNoExpiry);
// The same when the key was looked up already: slot is where it is, or nothing if it is not there.
void store_string(const Call& call, const KeyRef& k, EntrySlot slot, int value_arg, int64_t deadline_ms);

// Prepares the string at slot for being written to: it becomes raw and `size` bytes long, with bytes that
// nobody else refers to; those beyond its old length are not initialised. `greedy` leaves room to grow.
// Returns the bytes. The entry may have moved (slot stays valid).
char* resize_string(Keyspace& ks, Database& db, const KeyRef& k, EntrySlot slot, size_t size, bool greedy);
// Adds an absent key with a raw string of `size` bytes that the caller fills in; returns the bytes.
char* add_raw_string(Keyspace& ks, Database& db, const KeyRef& k, size_t size);

// Whether a string of `size` bytes may grow to, or be extended by, `more`; if not, an error was replied.
bool check_string_size(const Call& call, int64_t size, size_t more);

}  // namespace kvasir
