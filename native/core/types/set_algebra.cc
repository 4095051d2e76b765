#include "types/set_algebra.h"

#include "base/numbers.h"
#include "base/prefetch.h"

namespace kvasir {

void SetBatch::resolve(bool hashes) {
  for (size_t i = 0; i < n_; i++) {
    SetCandidate& c = at_[i];
    if (c.member != nullptr) {
      c.item.is_int = false;
      c.text = c.item.text = c.member->bytes();
    } else {
      c.text = c.item.str(digits_[i]);
    }
    if (hashes) c.hash = hash_bytes(c.text);
  }
}

SetBatchReader::SetBatchReader(const Collection& c) : set_(c) {
  if (c.encoding == Encoding::kHashtable) {
    members_.emplace(set_dict(c));
  } else if (c.encoding == Encoding::kListpack) {
    at_ = Listpack(c.data).first();
  }
}

bool SetBatchReader::fill(SetBatch* batch) {
  size_t n = 0;
  if (members_) {
    while (n < SetBatch::kMax) {
      const Member* m = members_->next();
      if (m == nullptr) break;
      prefetch(m);
      batch->at_[n++].member = m;
    }
  } else if (set_.encoding == Encoding::kListpack) {
    const Listpack lp(set_.data);
    auto at = static_cast<Listpack::Pos>(at_);
    for (; n < SetBatch::kMax && at != Listpack::kNone; at = lp.next(at)) {
      batch->at_[n].member = nullptr;
      batch->at_[n++].item = lp.get(at);
    }
    at_ = at;
  } else {
    const Intset s(set_.data);
    const size_t size = s.size();
    for (; n < SetBatch::kMax && at_ < size; at_++) {
      batch->at_[n].member = nullptr;
      batch->at_[n++].item = {true, s.at(at_), {}};
    }
  }
  batch->n_ = n;
  return n > 0;
}

// ------------------------------------------------------------------ what has been seen

Member* MemberIndex::own(Slice text) {
  constexpr size_t kBlock = 16384;
  const size_t size = LengthPrefixed::size_for(text);
  if (size > left_) {
    const size_t block = std::max(size, kBlock);
    blocks_.push_back(std::make_unique<char[]>(block));
    free_ = blocks_.back().get();
    left_ = block;
  }
  Member* m = Member::write(free_, text);
  free_ += size;
  left_ -= size;
  return m;
}

void MemberIndex::add(const SetCandidate& c) {
  // The dict changes no member.
  dict_.insert_new(c.member != nullptr ? const_cast<Member*>(c.member) : own(c.text), c.hash);
}

void MemberIndex::note(const SetCandidate& c) {
  if (dict_.find(c.text, c.hash) == nullptr) add(c);
}

// ------------------------------------------------------------------ looking up

SetProbe::SetProbe(const Collection& c, size_t lookups, bool ascending) : set_(c), ascending_(ascending) {
  // A lookup in a listpack reads all of it, which is worth as much as putting a few members into a table.
  constexpr size_t kManyLookups = 32;
  if (c.encoding == Encoding::kHashtable) {
    dict_ = &set_dict(c);
  } else if (c.encoding == Encoding::kListpack && lookups > kManyLookups) {
    index_ = std::make_unique<MemberIndex>();
    index_->reserve(set_size(c));
    set_algebra_detail::for_each_batch(c, true, [this](SetBatch* batch) {
      for (size_t i = 0; i < batch->size(); i++) index_->add((*batch)[i]);
      return true;
    });
    dict_ = &index_->dict();
  }
}

bool SetProbe::contains(const SetCandidate& c) {
  if (set_.encoding == Encoding::kListpack) {
    const Listpack lp(set_.data);
    return lp.find(lp.first(), c.text) != Listpack::kNone;
  }
  int64_t number = c.item.number;
  if (!c.item.is_int && (c.text.size > kInt64Chars || !parse_i64(c.text, &number))) return false;
  const Intset s(set_.data);
  return ascending_ ? s.contains_next(number, &hint_) : s.contains(number);
}

void SetProbe::keep(SetBatch* batch, bool present) {
  const size_t n = batch->n_;
  if (dict_ != nullptr) {
    for (size_t i = 0; i < n; i++) dict_->prefetch_bucket(batch->at_[i].hash);
    for (size_t i = 0; i < n; i++) dict_->prefetch_elem(batch->at_[i].hash);
  }
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    const SetCandidate& c = batch->at_[i];
    const bool found = dict_ != nullptr ? dict_->find(c.text, c.hash) != nullptr : contains(c);
    if (found != present) continue;
    if (kept != i) batch->at_[kept] = c;
    kept++;
  }
  batch->n_ = kept;
}

}  // namespace kvasir
