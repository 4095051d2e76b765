#include "types/zset_builder.h"

#include <algorithm>
#include <utility>

#include "base/alloc.h"

namespace kvasir {

ZsetBuilder::ZsetBuilder(size_t members) : set_(static_cast<BigZset*>(zset_make_big(members).data)) {
  members_.reserve(members);
}

ZsetBuilder::~ZsetBuilder() {
  if (set_ != nullptr) zset_destroy({Encoding::kSkiplist, set_});
}

bool ZsetBuilder::add(ScoredMember* m) {
  const Slice bytes = m->bytes();
  Dict<ScoredMemberTraits>::InsertPoint room;
  if (set_->dict.find_or_prepare(bytes, hash_bytes(bytes), &room)) return false;
  set_->dict.insert_at(room, m);
  members_.push_back(m);
  return true;
}

ScoredMember* ZsetBuilder::find_or_add(Slice bytes, double score, bool* added) {
  Dict<ScoredMemberTraits>::InsertPoint room;
  const auto slot = set_->dict.find_or_prepare(bytes, hash_bytes(bytes), &room);
  *added = !slot;
  if (slot) return slot.get();
  ScoredMember* m = ScoredMember::make(score, bytes);
  set_->dict.insert_at(room, m);
  members_.push_back(m);
  return m;
}

void ZsetBuilder::remove(Slice bytes) {
  ScoredMember* m = set_->dict.erase(bytes, hash_bytes(bytes));
  if (m == nullptr) return;
  mem_free(m);
  removed_ = true;
}

Collection ZsetBuilder::finish() {
  if (removed_) {
    members_.clear();
    Dict<ScoredMemberTraits>::Iterator it(set_->dict);
    while (ScoredMember* m = it.next()) members_.push_back(m);
  }
  const auto before = [](const ScoredMember* a, const ScoredMember* b) {
    return a->score != b->score ? a->score < b->score : compare(a->bytes(), b->bytes()) < 0;
  };
  // They mostly come in order, or in the opposite one.
  if (members_.size() > 1 && before(members_.back(), members_.front())) {
    std::reverse(members_.begin(), members_.end());
  }
  if (!std::is_sorted(members_.begin(), members_.end(), before)) {
    std::sort(members_.begin(), members_.end(), before);
  }
  set_->order.fill(members_);
  members_.clear();
  removed_ = false;
  return {Encoding::kSkiplist, std::exchange(set_, nullptr)};
}

}  // namespace kvasir
