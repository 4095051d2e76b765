// What the set commands share: finding their keys, showing members, ending a change.
#pragma once

#include "commands/core.h"
#include "types/set.h"

namespace kvasir {

// A set to be read, or to be written in place.
struct FoundSet {
  Entry* entry = nullptr;
  bool wrong = false;  // of another type: the error was replied
  explicit operator bool() const { return entry != nullptr; }
  [[nodiscard]] Collection collection() const { return entry->collection(); }
};

inline FoundSet found_set(const Call& call, Entry* e) {
  if (e == nullptr || e->type() == Type::kSet) return {e, false};
  call.wrong_type();
  return {nullptr, true};
}
inline FoundSet read_set(const Call& call, int key_arg) {
  return found_set(call, call.ks().lookup_read(call.db(), call.key(key_arg)));
}
inline FoundSet write_set(const Call& call, const KeyRef& k) {
  return found_set(call, call.ks().lookup_write(call.db(), k));
}

inline void reply_member(const Call& call, const SetItem& item) {
  if (item.is_int) return call.reply().bulk_integer(item.number);
  call.reply().bulk(item.text);
}

// All members, as a set or as an array.
void reply_members(const Call& call, const Collection& c, bool as_set);

}  // namespace kvasir
