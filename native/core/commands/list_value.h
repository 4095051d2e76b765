// What the list commands share.
#pragma once

#include "commands/core.h"
#include "types/list.h"

namespace kvasir {

inline const EncodingLimits& encoding_limits(const Call& call) { return call.core.settings.encodings; }

inline void reply_item(const Call& call, const ListItem& item) {
  if (item.is_int) {
    call.reply().bulk_integer(item.number);
  } else if (item.buffer != nullptr) {
    call.reply().bulk(item.buffer, item.text);
  } else {
    call.reply().bulk(item.text);
  }
}

// An array of `count` elements from `start` on, towards an end. Precondition: they are there.
void reply_items(const Call& call, const Collection& list, size_t start, size_t count, ListEnd towards);

// After elements were removed from the list at slot, which now is c: the key goes if nothing is left.
void list_after_removal(const Call& call, const KeyRef& k, const EntrySlot& slot, Collection c);

}  // namespace kvasir
