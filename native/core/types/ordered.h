// Members in the order of (score, bytes): a B+-tree that counts.
//
// A member is one allocation, owned by whoever uses the tree, and never moves. Leaves hold the scores and the
// pointers of their members in two arrays, so that a search among scores reads the leaf and nothing else;
// only equal scores need the members' bytes. Inner nodes hold for each child its number of members, and the
// score and the pointer of its smallest member.
//
//   keys[i] of an inner node is the smallest member below children[i], sizes[i] their number.         (I1)
//   Leaves are linked in order, and none is empty.                                                     (I2)
//   Of two neighbours under one parent, one at least is a quarter full, or both together are more than
//   three quarters of a node.                                                                          (I3)
//
// Nodes of 1 KB: 62 members, 31 children. A tree of one leaf has one as small as it needs. A full leaf at
// either end, where the new member comes still further out, is not halved: what comes in order fills its
// leaves. There are no pointers to parents: changes
// keep the path they came down.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/alloc.h"
#include "base/prefetch.h"
#include "base/slice.h"
#include "types/member.h"

namespace kvasir {

// | score 8 | the bytes as types/member.h stores them |
struct ScoredMember {
  double score;

  static ScoredMember* make(double score, Slice bytes) {
    auto* m = static_cast<ScoredMember*>(mem_alloc(sizeof(double) + LengthPrefixed::size_for(bytes)));
    m->score = score;
    LengthPrefixed::write(reinterpret_cast<char*>(m + 1), bytes);
    return m;
  }
  [[nodiscard]] Slice bytes() const { return LengthPrefixed::read(reinterpret_cast<const char*>(this + 1)); }
};

class OrderedMembers {
  struct Leaf;
  struct Inner;

 public:
  // A member's place; valid until the next change.
  class Place {
   public:
    Place() = default;
    explicit operator bool() const { return leaf_ != nullptr; }
    [[nodiscard]] double score() const;
    [[nodiscard]] ScoredMember* member() const;
    void next();
    void prev();
    // Sends for the member so many places on, or back.
    void prefetch_member(unsigned distance, bool back) const;

   private:
    friend class OrderedMembers;
    Place(const Leaf* leaf, unsigned at) : leaf_(leaf), at_(at) {}
    const Leaf* leaf_ = nullptr;
    unsigned at_ = 0;
  };

  OrderedMembers() = default;
  OrderedMembers(const OrderedMembers&) = delete;
  OrderedMembers& operator=(const OrderedMembers&) = delete;
  // Frees the nodes, not the members.
  ~OrderedMembers();

  [[nodiscard]] size_t size() const { return size_; }
  // Memory of the nodes.
  [[nodiscard]] size_t bytes() const { return bytes_; }

  // Not yet in it.
  void insert(ScoredMember* m);
  // In it.
  void remove(const ScoredMember* m);
  // Gives a member that is in it another score.
  void rescore(ScoredMember* m, double score);
  // Takes out the members at the ranks first, first + 1, ..., end - 1, which must exist, a part of a leaf at
  // a time: gone(std::span<ScoredMember* const>) gets each part when it is out.
  template <class F>
  void remove_range(size_t first, size_t end, F&& gone);
  // Makes an empty tree of members that are in order.
  void fill(std::span<ScoredMember* const> members);

  // rank < size().
  [[nodiscard]] Place at(size_t rank) const;
  [[nodiscard]] Place first() const { return {first_, 0}; }
  [[nodiscard]] Place last() const;
  [[nodiscard]] size_t rank_of(const ScoredMember* m) const {
    return count_below(
        [m](double score, const ScoredMember* x) { return before(score, x, m->score, m->bytes()); });
  }
  // How many members satisfy below(score, member), which must hold up to a point and not after it.
  template <class Below>
  size_t count_below(Below&& below) const;

 private:
  static constexpr unsigned kLeafMax = 62;
  static constexpr unsigned kLeafLeast = 6;
  static constexpr unsigned kInnerMax = 31;
  static constexpr unsigned kMaxHeight = 24;

  struct Leaf {
    Leaf* next;
    Leaf* prev;
    uint32_t count;
    uint32_t capacity;
    // capacity scores, then as many pointers.
    [[nodiscard]] double* scores() { return reinterpret_cast<double*>(this + 1); }
    [[nodiscard]] const double* scores() const { return reinterpret_cast<const double*>(this + 1); }
    [[nodiscard]] ScoredMember** members() { return reinterpret_cast<ScoredMember**>(scores() + capacity); }
    [[nodiscard]] ScoredMember* const* members() const {
      return reinterpret_cast<ScoredMember* const*>(scores() + capacity);
    }
  };
  struct Inner {
    uint32_t count;
    double scores[kInnerMax];
    ScoredMember* keys[kInnerMax];
    size_t sizes[kInnerMax];
    void* children[kInnerMax];
  };
  // The inner nodes on the way to a leaf, from the root, and which child was taken.
  struct Path {
    Inner* node[kMaxHeight];
    unsigned child[kMaxHeight];
  };

  static bool before(double score, const ScoredMember* m, double other, const Slice& bytes) {
    return score != other ? score < other : compare(m->bytes(), bytes) < 0;
  }
  // How many of n, in order, are below.
  template <class Below>
  static unsigned lower(const double* scores, ScoredMember* const* members, unsigned n, Below&& below) {
    unsigned from = 0;
    while (n > 0) {
      const unsigned half = n / 2;
      if (below(scores[from + half], members[from + half])) {
        from += half + 1;
        n -= half + 1;
      } else {
        n = half;
      }
    }
    return from;
  }

  Leaf* new_leaf(unsigned capacity);
  Inner* new_inner();
  void free_node(void* node);
  void free_tree(void* node, unsigned height);
  // The leaf where `below` ends, or begins to be false.
  template <class Below>
  Leaf* descend(Path* path, Below&& below) const;
  Leaf* descend_to(Path* path, size_t* rank) const;
  // The place of m in the leaf that descend() found; of a member that is in the tree.
  Leaf* locate(Path* path, const ScoredMember* m, unsigned* at) const;
  // n members of a leaf, from `at` on.
  void take_out(Path* path, Leaf* leaf, unsigned at, unsigned n);
  // The smallest member below the child on the path at `level` is another one.
  static void set_key(Path* path, unsigned level, double score, ScoredMember* m);
  static void put(Leaf* leaf, unsigned at, ScoredMember* m);
  static void put(Inner* node, unsigned at, double score, ScoredMember* key, size_t size, void* child);
  void add_child(Path* path, unsigned level, double score, ScoredMember* key, size_t size, void* child);
  void drop_child(Path* path, unsigned level, unsigned at);
  void merge_leaves(Path* path);
  void merge_inner(Path* path, unsigned level);

  void* root_ = nullptr;
  Leaf* first_ = nullptr;
  size_t size_ = 0;
  size_t bytes_ = 0;
  unsigned height_ = 0;  // of inner nodes above the leaves
};

inline double OrderedMembers::Place::score() const { return leaf_->scores()[at_]; }
inline ScoredMember* OrderedMembers::Place::member() const { return leaf_->members()[at_]; }
inline void OrderedMembers::Place::next() {
  if (++at_ < leaf_->count) return;
  leaf_ = leaf_->next;
  at_ = 0;
}
inline void OrderedMembers::Place::prev() {
  if (at_-- > 0) return;
  leaf_ = leaf_->prev;
  at_ = leaf_ == nullptr ? 0 : leaf_->count - 1;
}

inline void OrderedMembers::Place::prefetch_member(unsigned distance, bool back) const {
  const Leaf* leaf = leaf_;
  // Beyond either end of the leaf it counts on in the neighbour, unless that is very short.
  unsigned at = back ? at_ - distance : at_ + distance;
  if (at >= leaf->count) {
    if (!back) at -= leaf->count;
    leaf = back ? leaf->prev : leaf->next;
    if (leaf == nullptr) return;
    if (back) at += leaf->count;
    if (at >= leaf->count) return;
  }
  prefetch(leaf->members()[at]);
}

template <class Below>
size_t OrderedMembers::count_below(Below&& below) const {
  if (root_ == nullptr) return 0;
  const void* node = root_;
  size_t rank = 0;
  for (unsigned h = height_; h > 0; h--) {
    const auto* inner = static_cast<const Inner*>(node);
    const unsigned n = lower(inner->scores, inner->keys, inner->count, below);
    const unsigned child = n == 0 ? 0 : n - 1;
    for (unsigned i = 0; i < child; i++) rank += inner->sizes[i];
    node = inner->children[child];
  }
  const auto* leaf = static_cast<const Leaf*>(node);
  return rank + lower(leaf->scores(), leaf->members(), leaf->count, below);
}

template <class Below>
OrderedMembers::Leaf* OrderedMembers::descend(Path* path, Below&& below) const {
  void* node = root_;
  for (unsigned level = 0; level < height_; level++) {
    auto* inner = static_cast<Inner*>(node);
    const unsigned n = lower(inner->scores, inner->keys, inner->count, below);
    path->node[level] = inner;
    path->child[level] = n == 0 ? 0 : n - 1;
    node = inner->children[path->child[level]];
  }
  return static_cast<Leaf*>(node);
}

template <class F>
void OrderedMembers::remove_range(size_t first, size_t end, F&& gone) {
  for (size_t left = end - first; left > 0;) {
    Path path;
    size_t at = first;
    Leaf* leaf = descend_to(&path, &at);
    const size_t n = std::min<size_t>(left, leaf->count - at);
    ScoredMember* part[kLeafMax];
    memcpy(part, leaf->members() + at, n * sizeof(ScoredMember*));
    take_out(&path, leaf, static_cast<unsigned>(at), static_cast<unsigned>(n));
    gone(std::span<ScoredMember* const>(part, n));
    left -= n;
  }
}

}  // namespace kvasir
