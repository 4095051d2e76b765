#include "commands/string_value.h"

#include <algorithm>

#include "base/numbers.h"

namespace kvasir {

namespace {

// A buffer or entry whose room is more than this many times what the value needs is not reused for it.
constexpr size_t kMaxWaste = 2;

bool is_volatile(const Entry* e) { return e->has_expiry_slot() && e->expire_ms() != kNoExpiry; }

// Gives the entry, which has room for a deadline if it needs one, this deadline.
void update_deadline(Database& db, const KeyRef& k, Entry* e, int64_t deadline_ms) {
  if (!e->has_expiry_slot()) return;
  const bool had = e->expire_ms() != kNoExpiry;
  const bool has = deadline_ms != kNoExpiry;
  if (had && !has) db.erase_expiring(k);
  e->set_expire_ms(deadline_ms);
  if (!had && has) db.insert_expiring(k, e);
}

// Whether an embedded string may be overwritten by one of n bytes where it is.
bool embedded_fits(const Entry* e, size_t n) {
  if (e->embedded_value().size == n) return true;
  const size_t room = e->embedded_capacity();
  return n <= room && room <= kMaxWaste * n + 16;
}

// Overwrites the buffer of e.
void overwrite_buffer(Entry* e, Slice value) {
  StrBuf* old = e->buffer();
  if (old->unique() && value.size <= old->capacity() && old->capacity() <= kMaxWaste * value.size) {
    memcpy(old->data(), value.data, value.size);
    old->set_size(value.size);
  } else {
    e->set_buffer(StrBuf::copy_of(value));
    old->release();
  }
}

// The new value of a key: a number, or bytes, which may have a buffer of their own.
struct NewValue {
  NewValue(const Call& call, int arg) : bytes(call.arg(arg)) {
    is_int = bytes.size <= kInt64Chars && parse_i64(bytes, &number);
    if (bytes.size > Entry::kMaxEmbedded) buffer = call.take_buffer(arg);
  }
  [[nodiscard]] bool embeds() const { return !is_int && bytes.size <= Entry::kMaxEmbedded; }

  Slice bytes;
  StrBuf* buffer = nullptr;  // owned
  int64_t number = 0;
  bool is_int;
};

Entry* make_entry(Slice key, const NewValue& v, int64_t deadline_ms) {
  if (v.is_int) return Entry::make_int(key, v.number, deadline_ms);
  if (v.buffer != nullptr) return Entry::make_buffer(key, v.buffer, deadline_ms);
  return Entry::make_text(key, v.bytes, deadline_ms);
}

// Writes the value into the entry as it stands, if its layout allows.
bool overwrite_in_place(Core& core, Entry* e, const NewValue& v) {
  if (e->embedded()) {
    if (!v.embeds() || !embedded_fits(e, v.bytes.size)) return false;
    if (v.bytes.size != 0) memcpy(e->embedded_data(), v.bytes.data, v.bytes.size);
    e->set_embedded_size(v.bytes.size);
    return true;
  }
  if (v.embeds()) return false;
  if (v.is_int) {
    if (e->has_buffer()) e->buffer()->release();
    e->set_encoding(Encoding::kInt);
    e->set_int_value(v.number);
    return true;
  }
  if (v.buffer == nullptr && e->has_buffer()) {
    overwrite_buffer(e, v.bytes);
  } else {
    if (e->has_buffer()) core.retired.add(e->buffer());
    e->set_buffer(v.buffer != nullptr ? v.buffer : StrBuf::copy_of(v.bytes));
  }
  e->set_encoding(Encoding::kRaw);
  return true;
}

// What Valkey calls the embedded string of e: it stores the value with the deadline that was there, and then
// sets the new one.
void name_encoding(Entry* e, bool had_deadline, bool has_deadline) {
  if (!e->embedded()) return;
  const size_t value = e->embedded_value().size;
  const size_t key = e->key().size;
  const Encoding stored = Entry::string_encoding(value, key, had_deadline);
  const bool gains = has_deadline && !had_deadline;
  e->set_encoding(gains ? Entry::string_encoding_once_expiring(stored, value, key) : stored);
}

void overwrite(const Call& call, Database& db, const KeyRef& k, EntrySlot slot, const NewValue& v,
               int64_t deadline_ms) {
  Entry* e = slot.get();
  const bool had = is_volatile(e);
  const bool has = deadline_ms != kNoExpiry;
  if (e->type() == Type::kString && (!has || e->has_expiry_slot()) && overwrite_in_place(call.core, e, v)) {
    update_deadline(db, k, e, deadline_ms);
  } else {
    e = make_entry(k.key, v, deadline_ms);
    call.ks().replace(db, k, slot, e);
  }
  name_encoding(e, had, has);
}

}  // namespace

bool reply_value_of(const Call& call, const KeyRef& k) {
  const Entry* e = call.ks().lookup_read(call.db(), k);
  if (e == nullptr) {
    call.reply().null();
  } else if (e->type() != Type::kString) {
    call.wrong_type();
    return false;
  } else {
    reply_string(call, e);
  }
  return true;
}

void store_string(const Call& call, const KeyRef& k, int value_arg, int64_t deadline_ms) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  EntryRoom room;
  const EntrySlot slot = ks.find_or_prepare(db, k, &room);
  const NewValue v(call, value_arg);
  if (slot) {
    overwrite(call, db, k, slot, v, deadline_ms);
  } else {
    Entry* e = make_entry(k.key, v, deadline_ms);
    name_encoding(e, false, deadline_ms != kNoExpiry);
    ks.add(db, k, room, e);
  }
  ks.modified(db, k.key);
}

void store_string(const Call& call, const KeyRef& k, EntrySlot slot, int value_arg, int64_t deadline_ms) {
  Keyspace& ks = call.ks();
  Database& db = call.db();
  const NewValue v(call, value_arg);
  if (slot) {
    overwrite(call, db, k, slot, v, deadline_ms);
  } else {
    Entry* e = make_entry(k.key, v, deadline_ms);
    name_encoding(e, false, deadline_ms != kNoExpiry);
    ks.add(db, k, e);
  }
  ks.modified(db, k.key);
}

char* resize_string(Keyspace& ks, Database& db, const KeyRef& k, EntrySlot slot, size_t size, bool greedy) {
  Entry* old = slot.get();
  if (old->has_buffer()) {
    StrBuf* b = StrBuf::ensure_capacity(old->buffer(), size, greedy);
    b->set_size(size);
    old->set_buffer(b);
    return b->data();
  }
  if (old->embedded() && size <= Entry::kMaxEmbedded && size <= old->embedded_capacity()) {
    old->set_embedded_size(size);
    old->set_encoding(Encoding::kRaw);
    return old->embedded_data();
  }
  char tmp[24];
  const Slice bytes = old->string_value(tmp);
  const size_t kept = std::min(bytes.size, size);
  Entry* e;
  char* data;
  if (size <= Entry::kMaxEmbedded) {
    e = Entry::make_embedded(k.key, size, Encoding::kRaw, old->expire_ms());
    data = e->embedded_data();
  } else {
    StrBuf* b = StrBuf::create(size, greedy && size < StrBuf::kMaxSlack ? 2 * size : size);
    e = Entry::make_buffer(k.key, b, old->expire_ms());
    data = b->data();
  }
  if (kept != 0) memcpy(data, bytes.data, kept);
  ks.replace(db, k, slot, e);
  return data;
}

char* add_raw_string(Keyspace& ks, Database& db, const KeyRef& k, size_t size) {
  if (size <= Entry::kMaxEmbedded) {
    Entry* e = Entry::make_embedded(k.key, size, Encoding::kRaw);
    ks.add(db, k, e);
    return e->embedded_data();
  }
  StrBuf* b = StrBuf::create(size);
  ks.add(db, k, Entry::make_buffer(k.key, b));
  return b->data();
}

bool check_string_size(const Call& call, int64_t size, size_t more) {
  if (call.must_obey()) return true;
  int64_t total;
  if (__builtin_add_overflow(size, static_cast<int64_t>(more), &total) ||
      total > call.core.settings.proto_max_bulk_len) {
    call.reply().error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    return false;
  }
  return true;
}

}  // namespace kvasir
