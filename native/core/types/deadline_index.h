// Items with a deadline each, found in the order of their deadlines: the fields of a hash, and the hashes of
// a database that have such fields.
//
// The index holds pointers to the items, 8-aligned and below 2^48, which keep their own deadlines. It is one
// word, and as small as what it holds:
//
//   nothing   0
//   one       the item itself
//   a leaf    up to 64 items in no order, in an array of exactly their number (rounded to a size class)
//   a tree    a root of pages of leaves; pages and root are sorted arrays of (lower bound, child)
//
//   What is in a child is not below its bound, and below the bound of the child after it.             (I1)
//   The bound of a page is that of its first leaf.                                                    (I2)
//   Of two leaves beside each other in a page, as of two pages, one at least is a quarter full, or both
//   together are more than three quarters of one.                                                     (I3)
//
// The order is that of (deadline, address): items with one and the same deadline, be they a million, are
// still spread over leaves. Leaves are unordered because only a split has to know the deadlines of what is in
// them, which costs two cache misses for each item added; searching one for a pointer costs none. A full leaf
// at the end is not halved when a later item comes, so that deadlines in the order of time fill their leaves.
//
// Three levels do: the root of a million items is an array of some 10 KB, of which one in a thousand changes
// moves a part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

namespace kvasir {

class DeadlineTree {
 public:
  // Of an item that is in the index.
  using DeadlineOf = int64_t (*)(const void* item);
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  DeadlineTree() = default;
  DeadlineTree(DeadlineTree&& other) noexcept : word_(std::exchange(other.word_, 0)) {}
  DeadlineTree& operator=(DeadlineTree&& other) noexcept {
    std::swap(word_, other.word_);
    return *this;
  }
  DeadlineTree(const DeadlineTree&) = delete;
  DeadlineTree& operator=(const DeadlineTree&) = delete;
  ~DeadlineTree() { clear(); }

  [[nodiscard]] bool empty() const { return word_ == 0; }
  // Forgets the items.
  void clear();
  // Memory besides the index itself.
  [[nodiscard]] size_t bytes() const;

  void add(void* item, int64_t deadline, DeadlineOf of);
  // The item is not looked at: it may be gone already.
  void remove(const void* item, int64_t deadline);
  // Takes out up to `max` items whose deadline is before `time`, the earliest leaf first; how many.
  size_t take_before(int64_t time, void** out, size_t max, DeadlineOf of);
  // The earliest deadline; kNever if there is none.
  int64_t earliest(DeadlineOf of);

 private:
  // What orders the items.
  struct Key {
    int64_t deadline;
    uint64_t item;
    friend bool operator<(const Key& a, const Key& b) {
      return a.deadline != b.deadline ? a.deadline < b.deadline : a.item < b.item;
    }
  };
  struct Child {
    Key from;
    uint64_t word;  // a Leaf's in a page, a Node* in the root
  };
  struct Node;
  class Leaf;

  [[nodiscard]] unsigned kind() const { return static_cast<unsigned>(word_ & kKindMask); }
  [[nodiscard]] Node* root() const;
  void set_root(Node* root);
  void grow_tree(void* item, const Key& key, DeadlineOf of);
  // Divides the full leaf at a place for one more item of that key.
  void split(size_t page_at, size_t leaf_at, void* item, const Key& key, DeadlineOf of);
  void insert_leaf(size_t page_at, size_t leaf_at, const Child& leaf);
  // After items left the leaf at a place: drops or merges what has got too small.
  void settle(size_t page_at, size_t leaf_at);
  void collapse();

  static constexpr uint64_t kKindMask = 7;
  static constexpr unsigned kOne = 1, kLeaf = 2, kTree = 3;

  uint64_t word_ = 0;
};

// The index for items of type T; Traits::deadline(const T*) says an item's.
template <class T, class Traits>
class DeadlineIndex {
 public:
  static constexpr int64_t kNever = DeadlineTree::kNever;

  [[nodiscard]] bool empty() const { return tree_.empty(); }
  [[nodiscard]] size_t bytes() const { return tree_.bytes(); }
  void clear() { tree_.clear(); }

  void add(T* item) { tree_.add(item, Traits::deadline(item), &of); }
  // With the deadline it had when it was added.
  void remove(const T* item, int64_t deadline) { tree_.remove(item, deadline); }
  size_t take_before(int64_t time, T** out, size_t max) {
    return tree_.take_before(time, reinterpret_cast<void**>(out), max, &of);
  }
  // O(64) at most.
  int64_t earliest() { return tree_.earliest(&of); }

 private:
  static int64_t of(const void* item) { return Traits::deadline(static_cast<const T*>(item)); }
  DeadlineTree tree_;
};

}  // namespace kvasir
