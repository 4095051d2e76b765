#include "commands/hash_value.h"

#include <limits>

#include "base/numbers.h"

namespace kvasir {

FoundHash read_hash(const Call& call, int key_arg) {
  const Entry* e = call.ks().lookup_read(call.db(), call.key(key_arg));
  if (e == nullptr || e->type() == Type::kHash) return {e, false};
  call.wrong_type();
  return {nullptr, true};
}

bool HashEdit::found(Entry* e) {
  if (e == nullptr) return true;
  if (e->type() != Type::kHash) {
    call_.wrong_type();
    return false;
  }
  entry_ = e;
  c = e->collection();
  had_deadlines_ = hash_has_deadlines(c);
  return true;
}

bool HashEdit::find() { return found(ks_.lookup_write(db_, key_)); }
bool HashEdit::find_to_read() {
  Entry* e = ks_.lookup_read(db_, key_);
  if (e != nullptr) ks_.changing(db_, key_, e);
  return found(e);
}
bool HashEdit::find_or_prepare() {
  const EntrySlot slot = ks_.find_or_prepare(db_, key_, &room_);
  return found(slot ? slot.get() : nullptr);
}

void HashEdit::store(int64_t deadline) {
  if (entry_ == nullptr) {
    ks_.add(db_, key_, room_, Entry::make_collection(key_.key, Type::kHash, c));
    return;
  }
  entry_->set_collection(c);
  if (had_deadlines_ || deadline != kNoExpiry) ks_.fields_changed(db_, key_, entry_, deadline);
}

bool HashEdit::store_or_delete(int64_t deadline) {
  store(deadline);
  if (hash_size(c) > 0) return false;
  ks_.remove(db_, key_, ks_.lazyfree_server_del);
  return true;
}
bool HashEdit::store_or_delete() { return store_or_delete(kNoExpiry); }

void reply_value(const Call& call, const HashValue& value) {
  if (value.is_int) {
    call.reply().bulk_integer(value.number);
  } else if (value.buffer != nullptr) {
    call.reply().bulk(value.buffer, value.text);
  } else {
    call.reply().bulk(value.text);
  }
}

void reply_field(const Call& call, const Collection* c, Slice field, const FieldClock& clock, uint64_t hash) {
  HashValue value;
  if (c != nullptr && hash_get(*c, field, clock, &value, hash)) {
    reply_value(call, value);
  } else {
    call.reply().null();
  }
}

bool find_field_list(const Call& call, int from, FieldList* list) {
  for (int i = from; i < call.argc() - 1; i++) {
    if (!equals_nocase(call.arg(i), "fields")) continue;
    list->token = i;
    list->first = i + 2;
    return true;
  }
  return false;
}

bool check_field_count(const Call& call, const FieldList& list, int words, const char* mismatch) {
  int64_t n;
  if (!parse_i64(call.arg(list.token + 1), &n)) {
    call.not_an_integer();
    return false;
  }
  const int left = call.argc() - list.first;
  if (n > 0 && n <= std::numeric_limits<int>::max() && n * words == left) return true;
  call.reply().error(mismatch);
  return false;
}

bool parse_field_list(const Call& call, const char* mismatch, FieldList* list) {
  if (!equals_nocase(call.arg(2), "fields")) {
    call.syntax_error();
    return false;
  }
  list->token = 2;
  list->first = 4;
  return check_field_count(call, *list, 1, mismatch);
}

}  // namespace kvasir
