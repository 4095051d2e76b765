#include "types/set_builder.h"

#include <algorithm>

#include "base/numbers.h"

namespace kvasir {

void SetShape::add(const SetItem& item) {
  const auto most = static_cast<size_t>(limits_->set_max_listpack_entries);
  const auto longest = static_cast<size_t>(limits_->set_max_listpack_value);
  const size_t length = item.size();
  if (!item.is_int) only_integers_ = false;
  if (encoding_ == Encoding::kIntset) {
    if (item.is_int) {
      if (size_ + 1 > intset_limit(*limits_)) encoding_ = Encoding::kHashtable;
    } else {
      const size_t number = size_ == 0 ? 0 : longest_number(min_, max_);
      const bool fits = size_ < most && length <= longest && number <= longest;
      encoding_ = fits ? Encoding::kListpack : Encoding::kHashtable;
    }
  } else if (encoding_ == Encoding::kListpack) {
    if (size_ >= most || length > longest) encoding_ = Encoding::kHashtable;
  }
  if (item.is_int) {
    min_ = size_ == 0 ? item.number : std::min(min_, item.number);
    max_ = size_ == 0 ? item.number : std::max(max_, item.number);
  }
  constexpr size_t kOverhead = 11;  // of an element in a listpack at most
  bytes_ += length + kOverhead;
  if (encoding_ == Encoding::kListpack && bytes_ > Listpack::kMaxBytes) encoding_ = Encoding::kHashtable;
  size_++;
}

SetBuilder::SetBuilder(const EncodingLimits& limits, Encoding start, size_t expected)
    : limits_(&limits), expected_(expected), shape_(limits, start) {
  to_encoding(start);
}

SetBuilder::~SetBuilder() {
  if (set_.data != nullptr) set_destroy(set_);
}

SetItem SetBuilder::recognised(const SetItem& item) {
  SetItem same = item;
  if (!item.is_int && item.text.size <= kInt64Chars && parse_i64(item.text, &same.number)) same.is_int = true;
  return same;
}

void SetBuilder::grow(const SetItem& item) {
  shape_.add(item);
  if (shape_.encoding() != set_.encoding) to_encoding(shape_.encoding());
}

// Encodings come in one order only: intset, listpack, table.
void SetBuilder::to_encoding(Encoding e) {
  if (e == set_.encoding) return;
  const Collection before = set_;
  set_ = e == Encoding::kHashtable ? set_make_big(std::max(expected_, size() + 1))
                                   : Collection{e, Listpack::make().data()};
  if (before.encoding == Encoding::kIntset) {
    std::sort(integers_.begin(), integers_.end());
    for (const int64_t v : integers_) place({true, v, {}});
    integers_.clear();
    return;
  }
  set_for_each(before, [this](const SetItem& item) {
    place(item);
    return true;
  });
  set_destroy(before);
}

void SetBuilder::place(const SetItem& item) {
  if (set_.encoding == Encoding::kIntset) {
    integers_.push_back(item.number);
  } else if (set_.encoding == Encoding::kListpack) {
    Listpack lp(set_.data);
    item.is_int ? lp.append_int(item.number) : lp.append(item.text);
    set_.data = lp.data();
  } else {
    char tmp[kInt64Chars + 1];
    const Slice text = item.str(tmp);
    set_dict(set_).insert_new(Member::make(text), hash_bytes(text));
  }
}

bool SetBuilder::settled() const {
  return set_.encoding == Encoding::kHashtable &&
         (!shape_.only_integers() || size() > intset_limit(*limits_));
}

void SetBuilder::add(const SetItem& item) {
  if (settled()) return place(item);
  const SetItem known = recognised(item);
  grow(known);
  place(known);
}

void SetBuilder::put(const SetItem& item) { place(settled() ? item : recognised(item)); }

void SetBuilder::take(Member* m, uint64_t hash) {
  if (!settled()) {
    SetItem item;
    item.text = m->bytes();
    const SetItem known = recognised(item);
    grow(known);
    if (set_.encoding != Encoding::kHashtable) {
      place(known);
      mem_free(m);
      return;
    }
  }
  set_dict(set_).insert_new(m, hash);
}

size_t SetBuilder::size() const {
  return set_.encoding == Encoding::kIntset ? integers_.size() : set_size(set_);
}

Collection SetBuilder::finish(bool prefer_intset) {
  if (prefer_intset && set_.encoding != Encoding::kIntset && shape_.only_integers() &&
      size() <= intset_limit(*limits_)) {
    set_for_each(set_, [this](const SetItem& item) {
      integers_.push_back(recognised(item).number);
      return true;
    });
    set_destroy(set_);
    set_ = {Encoding::kIntset, nullptr};
  }
  if (set_.encoding == Encoding::kIntset) {
    std::sort(integers_.begin(), integers_.end());
    set_.data = Intset::of(integers_).data();
  } else if (set_.encoding == Encoding::kListpack) {
    Listpack lp(set_.data);
    lp.shrink();
    set_.data = lp.data();
  }
  const Collection done = set_;
  set_ = {Encoding::kIntset, nullptr};
  integers_.clear();
  return done;
}

}  // namespace kvasir
