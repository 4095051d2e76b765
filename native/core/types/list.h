// Lists: one listpack while it keeps within list-max-listpack-size, a quicklist beyond.
//
// When a list changes its encoding is Valkey's rule and left to the caller, who calls list_prepare() before
// adding and list_shrunk() after removing: a quicklist whose only node is a listpack of at most half the
// limit becomes that listpack again.
//
// A list may be empty while a command works on it; no key holds an empty one.
#pragma once

#include <optional>

#include "types/quicklist.h"
#include "types/type.h"

namespace kvasir {

extern const CollectionOps kListOps;

// Without elements; a listpack with room for elements that will take so many bytes.
Collection list_make(size_t room = 0);
[[nodiscard]] size_t list_size(const Collection& c);

// Before `count` elements with `bytes` bytes of text are added.
void list_prepare(Collection& c, size_t bytes, size_t count, const EncodingLimits& limits);
// After elements were removed or replaced.
void list_shrunk(Collection& c, const EncodingLimits& limits);
// After a list was built: as compact as it may be (RDB, RESTORE).
void list_settle(Collection& c, const EncodingLimits& limits);

void list_push(Collection& c, ListEnd end, const ListValue& v, const EncodingLimits& limits);
// From `start` (0 or more) on.
void list_erase(Collection& c, size_t start, size_t count);
// Removes elements that read as `text`, at most `limit` (0: all), from an end on; how many.
size_t list_remove(Collection& c, Slice text, size_t limit, ListEnd from);
// Beside the first element that reads as `pivot`; false: there is none.
bool list_insert(Collection& c, Slice pivot, bool after, const ListValue& v, const EncodingLimits& limits);
// Precondition: index < list_size().
void list_replace(Collection& c, size_t index, const ListValue& v, const EncodingLimits& limits);

// As QuicklistReader, for both encodings.
class ListReader {
 public:
  ListReader(const Collection& c, size_t index, ListEnd towards);

  bool next() {
    if (quicklist_) return quicklist_->next();
    if (started_ && at_ != Listpack::kNone) at_ = forward_ ? listpack_.next(at_) : listpack_.prev(at_);
    started_ = true;
    return at_ != Listpack::kNone;
  }
  // Towards the tail, in place of next() and item().
  bool take(ListItem* item) {
    if (quicklist_) return quicklist_->take(item);
    if (at_ == Listpack::kNone || at_ == listpack_.end_pos()) return false;
    static_cast<ListpackItem&>(*item) = listpack_.take(&at_);
    return true;
  }
  [[nodiscard]] ListItem item() const {
    if (quicklist_) return quicklist_->item();
    ListItem item;
    static_cast<ListpackItem&>(item) = listpack_.get(at_);
    return item;
  }
  [[nodiscard]] bool equals(const ListpackNeedle& needle) const {
    return quicklist_ ? quicklist_->equals(needle) : listpack_.equals(at_, needle);
  }

 private:
  std::optional<QuicklistReader> quicklist_;
  Listpack listpack_{nullptr};
  Listpack::Pos at_ = Listpack::kNone;
  bool forward_;
  bool started_ = false;
};

}  // namespace kvasir
