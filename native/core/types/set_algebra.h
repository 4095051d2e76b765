// Intersection, difference and union of sets, member by member.
//
// Members go through in batches: while one batch is looked up in a set, the elements of the next are on their
// way from memory, and in a table the buckets and then the elements of a whole batch are sent for before the
// first comparison. A member is hashed once, however many sets it is looked up in.
//
// A listpack in which much is to be looked up gets a table of its own for the time of the operation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "types/set.h"

namespace kvasir {

// A member on its way: an item, with its text whatever it is, and what was computed from that.
struct SetCandidate {
  SetItem item;
  Slice text;
  uint64_t hash;
  const Member* member;  // of a table; until resolve() all there is
};

class SetBatch {
 public:
  static constexpr size_t kMax = 16;

  SetBatch() = default;
  SetBatch(const SetBatch&) = delete;
  SetBatch& operator=(const SetBatch&) = delete;

  [[nodiscard]] size_t size() const { return n_; }
  [[nodiscard]] bool empty() const { return n_ == 0; }
  SetCandidate& operator[](size_t i) { return at_[i]; }
  // Reads the members of a table: as late as possible, since the reader has sent for them. Computes hashes if
  // they will be needed.
  void resolve(bool hashes);

 private:
  friend class SetBatchReader;
  friend class SetProbe;
  size_t n_ = 0;
  SetCandidate at_[kMax];
  char digits_[kMax][kInt64Chars + 1];
};

// Reads a set, which must not change meanwhile, batch by batch.
class SetBatchReader {
 public:
  explicit SetBatchReader(const Collection& c);
  // False: there is no more.
  bool fill(SetBatch* batch);

 private:
  Collection set_;
  std::optional<MemberDict::Iterator> members_;
  size_t at_ = 0;  // listpack: position; intset: index
};

// A table of members that belong to others: what has been seen so far.
class MemberIndex {
 public:
  MemberIndex() = default;
  MemberIndex(const MemberIndex&) = delete;
  MemberIndex& operator=(const MemberIndex&) = delete;

  void reserve(size_t members) { dict_.try_expand(members); }
  // Not yet in it. A member of a table is referred to, other text copied.
  void add(const SetCandidate& c);
  // The same if it is new.
  void note(const SetCandidate& c);
  [[nodiscard]] const MemberDict& dict() const { return dict_; }

 private:
  Member* own(Slice text);

  MemberDict dict_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  size_t left_ = 0;
};

// A set that members are looked up in.
class SetProbe {
 public:
  // lookups: about how many there will be. ascending: integers will come in order.
  SetProbe(const Collection& c, size_t lookups, bool ascending = false);
  explicit SetProbe(const MemberIndex& index) : dict_(&index.dict()) {}

  // Whether keep() needs hashes.
  [[nodiscard]] bool hashes() const { return dict_ != nullptr; }
  // Keeps the candidates of a resolved batch that are in the set, or those that are not.
  void keep(SetBatch* batch, bool present);

 private:
  bool contains(const SetCandidate& c);

  Collection set_{Encoding::kHashtable, nullptr};
  const MemberDict* dict_ = nullptr;
  std::unique_ptr<MemberIndex> index_;
  bool ascending_ = false;
  size_t hint_ = 0;
};

namespace set_algebra_detail {

// Calls pass(SetBatch*) for each batch of the set, resolved, until it returns false.
template <class F>
void for_each_batch(const Collection& c, bool hashes, F&& pass) {
  SetBatch batches[2];
  SetBatchReader reader(c);
  SetBatch* now = &batches[0];
  SetBatch* next = &batches[1];
  for (bool more = reader.fill(now); more; std::swap(now, next)) {
    more = reader.fill(next);
    now->resolve(hashes);
    if (!pass(now)) return;
  }
}

inline bool any_hashes(const std::vector<SetProbe>& probes) {
  return std::any_of(probes.begin(), probes.end(), [](const SetProbe& p) { return p.hashes(); });
}

}  // namespace set_algebra_detail

// Calls visit(const SetCandidate&) for the members of `from` that are in all of `others` (present), or in
// none of them, until it returns false. The order of `others` is the order of looking up.
template <class F>
void set_select(const Collection& from, std::span<const Collection> others, bool present, F&& visit) {
  std::vector<SetProbe> probes;
  probes.reserve(others.size());
  for (const Collection& c : others) {
    probes.emplace_back(c, set_size(from), from.encoding == Encoding::kIntset);
  }
  set_algebra_detail::for_each_batch(from, set_algebra_detail::any_hashes(probes), [&](SetBatch* batch) {
    for (SetProbe& p : probes) {
      if (batch->empty()) break;
      p.keep(batch, present);
    }
    for (size_t i = 0; i < batch->size(); i++) {
      if (!visit(static_cast<const SetCandidate&>((*batch)[i]))) return false;
    }
    return true;
  });
}

// set_select(from, others, false) by way of one table of all members of the others: less work if there are
// many of them.
template <class F>
void set_subtract_all(const Collection& from, std::span<const Collection> others, F&& visit) {
  MemberIndex index;
  for (const Collection& c : others) {
    set_algebra_detail::for_each_batch(c, true, [&](SetBatch* batch) {
      for (size_t i = 0; i < batch->size(); i++) index.note((*batch)[i]);
      return true;
    });
  }
  SetProbe probe(index);
  set_algebra_detail::for_each_batch(from, true, [&](SetBatch* batch) {
    probe.keep(batch, false);
    for (size_t i = 0; i < batch->size(); i++) visit(static_cast<const SetCandidate&>((*batch)[i]));
    return true;
  });
}

// Calls visit(const SetCandidate&) once for each member of any of the sets, which should come largest first.
// A member is new if it is in none of the sets before: the first few of these that can tell quickly are
// asked, what the others brought is noted in one table.
template <class F>
void set_unite(std::span<const Collection> sets, F&& visit) {
  constexpr size_t kAsked = 4;
  std::vector<SetProbe> before;
  MemberIndex index;
  bool noted = false;
  for (size_t i = 0; i < sets.size(); i++) {
    const Collection& c = sets[i];
    const bool last = i + 1 == sets.size();
    const bool ask = c.encoding != Encoding::kListpack && before.size() < kAsked;
    const bool note = !ask && !last;
    const bool hashes = note || noted || set_algebra_detail::any_hashes(before);
    SetProbe others(index);
    set_algebra_detail::for_each_batch(c, hashes, [&](SetBatch* batch) {
      for (SetProbe& p : before) p.keep(batch, false);
      if (noted) others.keep(batch, false);
      for (size_t j = 0; j < batch->size(); j++) {
        const SetCandidate& candidate = (*batch)[j];
        visit(candidate);
        if (note) index.add(candidate);
      }
      return true;
    });
    if (ask) before.emplace_back(c, 0);
    noted = noted || note;
  }
}

}  // namespace kvasir
