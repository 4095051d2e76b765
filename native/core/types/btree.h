// Keys in order, each with a value: a B+-tree for keys that mostly come at the end and often go at the front,
// as a stream's nodes and its pending entries do.
//
// Keys and values stand in two arrays of their leaf. A leaf's elements are a window of its arrays, so that
// taking the first one costs as little as adding behind the last, and both go without a search.
//
//   keys[i] of an inner node is the smallest key below children[i]; keys[0] is not used.               (I1)
//   Leaves are linked in order, and none is empty.                                                      (I2)
//   A leaf other than the first is a quarter full, or as small as leaves get, or next to leaves that
//   it cannot be merged with.                                                                           (I3)
//
// Leaves start small and double; a full node at the right end is not halved: what comes in order fills its
// nodes. There are no pointers to parents: changes keep the path they came down.
//
// Traits say what is stored and how it is compared:
//
//   Key, Value    trivially copyable; an empty Value takes no memory
//   Probe         what a key is looked for by; probe(key) is a key's own
//   below(key, probe), not_above(key, probe)
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "base/alloc.h"

namespace kvasir {

template <class Traits>
class BTree {
  struct Leaf;
  struct Inner;

 public:
  using Key = typename Traits::Key;
  using Value = typename Traits::Value;
  using Probe = typename Traits::Probe;
  static_assert(std::is_trivially_copyable_v<Key> && std::is_trivially_copyable_v<Value>);

  // An element; valid until the next change.
  class Place {
   public:
    Place() = default;
    explicit operator bool() const { return leaf_ != nullptr; }
    [[nodiscard]] const Key& key() const { return leaf_->keys()[at_]; }
    [[nodiscard]] Value& value() const { return leaf_->values()[at_]; }
    void next() {
      if (++at_ < leaf_->count) return;
      leaf_ = leaf_->next;
      at_ = 0;
    }
    void prev() {
      if (at_-- > 0) return;
      leaf_ = leaf_->prev;
      at_ = leaf_ == nullptr ? 0 : leaf_->count - 1;
    }

   private:
    friend class BTree;
    Place(Leaf* leaf, unsigned at) : leaf_(leaf), at_(at) {}
    Leaf* leaf_ = nullptr;
    unsigned at_ = 0;
  };

  BTree() = default;
  BTree(const BTree&) = delete;
  BTree& operator=(const BTree&) = delete;
  // Frees the nodes, not what keys and values point to.
  ~BTree() {
    if (root_ != nullptr) free_tree(root_, height_);
  }

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Memory of the nodes.
  [[nodiscard]] size_t bytes() const { return bytes_; }

  [[nodiscard]] Place first() const { return {first_, 0}; }
  [[nodiscard]] Place last() const { return {last_, last_ == nullptr ? 0U : last_->count - 1U}; }
  [[nodiscard]] Place find(const Probe& probe) const {
    const Place p = at_or_after(probe);
    return p && Traits::not_above(p.key(), probe) ? p : Place();
  }
  // The first key that is not below the probe.
  [[nodiscard]] Place at_or_after(const Probe& probe) const {
    Leaf* leaf = descend(nullptr, probe);
    if (leaf == nullptr) return {};
    const unsigned at = lower(leaf, probe);
    return at < leaf->count ? Place(leaf, at) : Place(leaf->next, 0);
  }
  // The last key that is not above the probe.
  [[nodiscard]] Place at_or_before(const Probe& probe) const {
    Leaf* leaf = descend(nullptr, probe);
    if (leaf == nullptr) return {};
    const unsigned at = lower(leaf, probe);
    if (at < leaf->count && Traits::not_above(leaf->keys()[at], probe)) return {leaf, at};
    // By (I1) only the first leaf can begin above the probe.
    return at > 0 ? Place(leaf, at - 1) : Place();
  }

  // Of a key that is there already, *inserted is false and the value stays.
  Place insert(const Key& key, const Value& value, bool* inserted = nullptr);
  // False: it is not there.
  bool erase(const Probe& probe);

 private:
  static constexpr unsigned kLeafMax = 64;
  static constexpr unsigned kLeafLeast = 4;
  static constexpr unsigned kInnerMax = 32;
  static constexpr unsigned kMaxHeight = 24;
  static constexpr size_t kValueSize = std::is_empty_v<Value> ? 0 : sizeof(Value);

  struct Leaf {
    Leaf* next;
    Leaf* prev;
    uint16_t first;  // the window begins here
    uint16_t count;
    uint16_t capacity;

    Key* keys() { return all_keys() + first; }
    Value* values() {
      if constexpr (kValueSize == 0) {
        static Value none;
        return &none;
      } else {
        return reinterpret_cast<Value*>(all_keys() + capacity) + first;
      }
    }
    [[nodiscard]] unsigned room_behind() const { return capacity - first - count; }

   private:
    Key* all_keys() { return reinterpret_cast<Key*>(this + 1); }
  };
  static_assert(alignof(Key) <= 8 && alignof(Value) <= 8 && sizeof(Leaf) == 24);
  struct Inner {
    uint32_t count;
    Key keys[kInnerMax];
    void* children[kInnerMax];
  };
  // The inner nodes on the way to a leaf, from the root, and which child was taken.
  struct Path {
    Inner* node[kMaxHeight];
    unsigned child[kMaxHeight];
  };

  // --- nodes ---
  static constexpr size_t leaf_bytes(unsigned capacity) {
    return sizeof(Leaf) + capacity * (sizeof(Key) + kValueSize);
  }
  Leaf* new_leaf(unsigned capacity) {
    // As many as the allocator has room for anyway.
    capacity = static_cast<unsigned>((mem_good_size(leaf_bytes(capacity)) - sizeof(Leaf)) /
                                     (sizeof(Key) + kValueSize));
    auto* leaf = static_cast<Leaf*>(mem_alloc(leaf_bytes(capacity)));
    leaf->next = leaf->prev = nullptr;
    leaf->first = leaf->count = 0;
    leaf->capacity = static_cast<uint16_t>(capacity);
    bytes_ += mem_usable(leaf);
    return leaf;
  }
  Inner* new_inner() {
    auto* inner = static_cast<Inner*>(mem_alloc(sizeof(Inner)));
    inner->count = 0;
    bytes_ += mem_usable(inner);
    return inner;
  }
  void free_node(void* node) {
    bytes_ -= mem_usable(node);
    mem_free(node);
  }
  void free_tree(void* node, unsigned height) {
    if (height > 0) {
      auto* inner = static_cast<Inner*>(node);
      for (unsigned i = 0; i < inner->count; i++) free_tree(inner->children[i], height - 1);
    }
    mem_free(node);
  }

  // --- finding ---
  // How many keys of the leaf are below the probe.
  static unsigned lower(Leaf* leaf, const Probe& probe) {
    const Key* keys = leaf->keys();
    unsigned from = 0;
    for (unsigned n = leaf->count; n > 0;) {
      const unsigned half = n / 2;
      if (Traits::below(keys[from + half], probe)) {
        from += half + 1;
        n -= half + 1;
      } else {
        n = half;
      }
    }
    return from;
  }
  // The last child that does not begin above the probe, or the first.
  static unsigned child_for(const Inner* node, const Probe& probe) {
    unsigned from = 1;
    for (unsigned n = node->count - 1; n > 0;) {
      const unsigned half = n / 2;
      if (Traits::not_above(node->keys[from + half], probe)) {
        from += half + 1;
        n -= half + 1;
      } else {
        n = half;
      }
    }
    return from - 1;
  }
  // path may be nullptr. nullptr: the tree is empty.
  Leaf* descend(Path* path, const Probe& probe) const {
    void* node = root_;
    for (unsigned level = 0; level < height_; level++) {
      auto* inner = static_cast<Inner*>(node);
      const unsigned child = child_for(inner, probe);
      if (path != nullptr) {
        path->node[level] = inner;
        path->child[level] = child;
      }
      node = inner->children[child];
    }
    return static_cast<Leaf*>(node);
  }

  // --- changing ---
  static void copy(Leaf* to, unsigned to_at, Leaf* from, unsigned from_at, unsigned n) {
    memmove(to->keys() + to_at, from->keys() + from_at, n * sizeof(Key));
    if constexpr (kValueSize != 0) {
      memmove(to->values() + to_at, from->values() + from_at, n * sizeof(Value));
    }
  }
  static void put(Leaf* leaf, unsigned at, const Key& key, const Value& value);
  static void put(Inner* node, unsigned at, const Key& key, void* child);
  Leaf* resize(Path* path, Leaf* leaf, unsigned capacity);
  void link_behind(Leaf* leaf, Leaf* right);
  void unlink(Leaf* leaf);
  Place insert_at(Path* path, Leaf* leaf, unsigned at, const Key& key, const Value& value);
  void add_child(Path* path, unsigned level, const Key& key, void* child);
  static void set_key(Path* path, unsigned level, const Key& key);
  void erase_at(Path* path, Leaf* leaf, unsigned at);
  void drop_child(Path* path, unsigned level, unsigned at);
  bool merge_leaves(Path* path);
  void merge_inner(Path* path, unsigned level);

  void* root_ = nullptr;
  Leaf* first_ = nullptr;
  Leaf* last_ = nullptr;
  size_t size_ = 0;
  size_t bytes_ = 0;
  unsigned height_ = 0;  // of inner nodes above the leaves
};

// ------------------------------------------------------------------ adding

// There is room for one.
template <class Traits>
void BTree<Traits>::put(Leaf* leaf, unsigned at, const Key& key, const Value& value) {
  const unsigned count = leaf->count;
  if (leaf->room_behind() > 0) {
    copy(leaf, at + 1, leaf, at, count - at);
  } else if (at == count) {
    // To the front, all the way: the next ones that come find their room at once.
    const unsigned from = leaf->first;
    leaf->first = 0;
    copy(leaf, 0, leaf, from, count);
  } else {
    leaf->first--;
    copy(leaf, 0, leaf, 1, at);
  }
  leaf->keys()[at] = key;
  if constexpr (kValueSize != 0) leaf->values()[at] = value;
  leaf->count++;
}

template <class Traits>
void BTree<Traits>::put(Inner* node, unsigned at, const Key& key, void* child) {
  const unsigned behind = node->count - at;
  memmove(node->keys + at + 1, node->keys + at, behind * sizeof(Key));
  memmove(node->children + at + 1, node->children + at, behind * sizeof(void*));
  node->keys[at] = key;
  node->children[at] = child;
  node->count++;
}

// Gives the leaf on the path another capacity; it moves.
template <class Traits>
typename BTree<Traits>::Leaf* BTree<Traits>::resize(Path* path, Leaf* leaf, unsigned capacity) {
  Leaf* fresh = new_leaf(capacity);
  copy(fresh, 0, leaf, 0, leaf->count);
  fresh->count = leaf->count;
  fresh->next = leaf->next;
  fresh->prev = leaf->prev;
  (fresh->prev != nullptr ? fresh->prev->next : first_) = fresh;
  (fresh->next != nullptr ? fresh->next->prev : last_) = fresh;
  if (height_ == 0) {
    root_ = fresh;
  } else {
    path->node[height_ - 1]->children[path->child[height_ - 1]] = fresh;
  }
  free_node(leaf);
  return fresh;
}

template <class Traits>
void BTree<Traits>::link_behind(Leaf* leaf, Leaf* right) {
  right->next = leaf->next;
  right->prev = leaf;
  (right->next != nullptr ? right->next->prev : last_) = right;
  leaf->next = right;
}

// Puts a child behind the one on the path at `level`.
template <class Traits>
void BTree<Traits>::add_child(Path* path, unsigned level, const Key& key, void* child) {
  Inner* node = path->node[level];
  const unsigned at = path->child[level] + 1;
  if (node->count < kInnerMax) {
    put(node, at, key, child);
    return;
  }
  Inner* right = new_inner();
  const unsigned keep = at == kInnerMax ? kInnerMax : kInnerMax / 2;
  right->count = kInnerMax - keep;
  memcpy(right->keys, node->keys + keep, right->count * sizeof(Key));
  memcpy(right->children, node->children + keep, right->count * sizeof(void*));
  node->count = keep;
  if (at > keep || keep == kInnerMax) {
    put(right, at - keep, key, child);
  } else {
    put(node, at, key, child);
  }
  if (level == 0) {
    Inner* root = new_inner();
    put(root, 0, right->keys[0], node);
    put(root, 1, right->keys[0], right);
    root_ = root;
    height_++;
    return;
  }
  add_child(path, level - 1, right->keys[0], right);
}

template <class Traits>
typename BTree<Traits>::Place BTree<Traits>::insert_at(Path* path, Leaf* leaf, unsigned at, const Key& key,
                                                       const Value& value) {
  size_++;
  // A window that reaches the end moves to the front only if it then has room for a while.
  const bool appends = at == leaf->count;
  const bool full =
      leaf->count == leaf->capacity ||
      (appends && leaf->room_behind() == 0 && leaf->count > static_cast<unsigned>(leaf->capacity) * 3 / 4);
  if (full && leaf->capacity < kLeafMax) {
    leaf = resize(path, leaf, std::min<unsigned>(leaf->capacity * 2U, kLeafMax));
  } else if (full) {
    // (What comes in order finds a leaf of its own that is no larger than the tree has use for.)
    const unsigned keep = appends && leaf->next == nullptr ? leaf->count : leaf->count / 2U;
    Leaf* right = new_leaf(keep == leaf->count ? kLeafMax / 4 : kLeafMax);
    right->count = static_cast<uint16_t>(leaf->count - keep);
    copy(right, 0, leaf, keep, right->count);
    leaf->count = static_cast<uint16_t>(keep);
    link_behind(leaf, right);
    Leaf* target = leaf;
    if (at > keep || right->count == 0) {
      target = right;
      at -= keep;
    }
    put(target, at, key, value);
    if (height_ == 0) {
      Inner* root = new_inner();
      put(root, 0, right->keys()[0], leaf);
      put(root, 1, right->keys()[0], right);
      root_ = root;
      height_ = 1;
    } else {
      add_child(path, height_ - 1, right->keys()[0], right);
    }
    return {target, at};
  }
  // By (I1) only the first leaf gets a new smallest key, and that is written nowhere.
  put(leaf, at, key, value);
  return {leaf, at};
}

template <class Traits>
typename BTree<Traits>::Place BTree<Traits>::insert(const Key& key, const Value& value, bool* inserted) {
  if (inserted != nullptr) *inserted = true;
  const Probe probe = Traits::probe(key);
  if (last_ == nullptr) {
    root_ = first_ = last_ = new_leaf(kLeafLeast);
  } else if (!Traits::below(last_->keys()[last_->count - 1], probe)) {
    Path path;
    Leaf* leaf = descend(&path, probe);
    const unsigned at = lower(leaf, probe);
    if (at < leaf->count && Traits::not_above(leaf->keys()[at], probe)) {
      if (inserted != nullptr) *inserted = false;
      return {leaf, at};
    }
    return insert_at(&path, leaf, at, key, value);
  }
  if (last_->room_behind() > 0) {
    put(last_, last_->count, key, value);
    size_++;
    return last();
  }
  Path path;
  Leaf* leaf = descend(&path, probe);
  return insert_at(&path, leaf, leaf->count, key, value);
}

// ------------------------------------------------------------------ removing

// The smallest key below the child on the path at `level` is another one.
template <class Traits>
void BTree<Traits>::set_key(Path* path, unsigned level, const Key& key) {
  while (path->child[level] == 0) {
    if (level-- == 0) return;
  }
  path->node[level]->keys[path->child[level]] = key;
}

template <class Traits>
void BTree<Traits>::unlink(Leaf* leaf) {
  (leaf->prev != nullptr ? leaf->prev->next : first_) = leaf->next;
  (leaf->next != nullptr ? leaf->next->prev : last_) = leaf->prev;
  free_node(leaf);
}

template <class Traits>
void BTree<Traits>::drop_child(Path* path, unsigned level, unsigned at) {
  Inner* node = path->node[level];
  const unsigned behind = node->count - at - 1;
  memmove(node->keys + at, node->keys + at + 1, behind * sizeof(Key));
  memmove(node->children + at, node->children + at + 1, behind * sizeof(void*));
  node->count--;
  if (level == 0) {
    // The root has two children at least; one below may have had a single one.
    while (height_ > 0 && static_cast<Inner*>(root_)->count == 1) {
      void* old = root_;
      root_ = static_cast<Inner*>(old)->children[0];
      height_--;
      free_node(old);
    }
    return;
  }
  if (node->count == 0) {
    free_node(node);
    drop_child(path, level - 1, path->child[level - 1]);
    return;
  }
  // What was keys[1] has moved to keys[0] and says where the node now begins.
  if (at == 0) set_key(path, level - 1, node->keys[0]);
  if (node->count < kInnerMax / 4) merge_inner(path, level);
}

template <class Traits>
void BTree<Traits>::merge_inner(Path* path, unsigned level) {
  Inner* parent = path->node[level - 1];
  if (parent->count < 2) return;
  const unsigned i = path->child[level - 1];
  const unsigned l = i + 1 < parent->count ? i : i - 1;
  auto* left = static_cast<Inner*>(parent->children[l]);
  auto* right = static_cast<Inner*>(parent->children[l + 1]);
  if (left->count + right->count > kInnerMax * 3 / 4) return;
  right->keys[0] = parent->keys[l + 1];
  memcpy(left->keys + left->count, right->keys, right->count * sizeof(Key));
  memcpy(left->children + left->count, right->children, right->count * sizeof(void*));
  left->count += right->count;
  free_node(right);
  drop_child(path, level - 1, l + 1);
}

template <class Traits>
bool BTree<Traits>::merge_leaves(Path* path) {
  Inner* parent = path->node[height_ - 1];
  if (parent->count < 2) return false;
  const unsigned i = path->child[height_ - 1];
  const unsigned l = i + 1 < parent->count ? i : i - 1;
  auto* left = static_cast<Leaf*>(parent->children[l]);
  auto* right = static_cast<Leaf*>(parent->children[l + 1]);
  const unsigned sum = left->count + right->count;
  if (sum > kLeafMax * 3 / 4) return false;
  path->child[height_ - 1] = l;
  if (left->room_behind() < right->count) left = resize(path, left, std::max(sum, kLeafLeast));
  copy(left, left->count, right, 0, right->count);
  left->count = static_cast<uint16_t>(sum);
  unlink(right);
  drop_child(path, height_ - 1, l + 1);
  return true;
}

template <class Traits>
void BTree<Traits>::erase_at(Path* path, Leaf* leaf, unsigned at) {
  size_--;
  leaf->count--;
  if (leaf->count == 0) {
    unlink(leaf);
    if (height_ == 0) {
      root_ = nullptr;
    } else {
      drop_child(path, height_ - 1, path->child[height_ - 1]);
    }
    return;
  }
  if (at <= leaf->count / 2U) {
    leaf->first++;
    // The window has moved: what stood at index -1 + n now stands at n - 1.
    memmove(leaf->keys(), leaf->keys() - 1, at * sizeof(Key));
    if constexpr (kValueSize != 0) memmove(leaf->values(), leaf->values() - 1, at * sizeof(Value));
  } else {
    copy(leaf, at, leaf, at + 1, leaf->count - at);
  }
  if (at == 0 && height_ > 0) set_key(path, height_ - 1, leaf->keys()[0]);
  // The first leaf is about to go, if elements go as they came.
  if (leaf->count > leaf->capacity / 4U || (height_ > 0 && leaf == first_)) return;
  if (height_ > 0 && merge_leaves(path)) return;
  if (leaf->capacity >= kLeafLeast * 2) resize(path, leaf, std::max(leaf->capacity / 2U, kLeafLeast));
}

template <class Traits>
bool BTree<Traits>::erase(const Probe& probe) {
  if (first_ == nullptr) return false;
  const bool is_first =
      Traits::not_above(first_->keys()[0], probe) && !Traits::below(first_->keys()[0], probe);
  if (is_first && height_ > 0 && first_->count > 1) {
    // Nothing above knows where the first leaf begins.
    first_->first++;
    first_->count--;
    size_--;
    return true;
  }
  Path path;
  Leaf* leaf = descend(&path, probe);
  const unsigned at = lower(leaf, probe);
  if (at == leaf->count || !Traits::not_above(leaf->keys()[at], probe)) return false;
  erase_at(&path, leaf, at);
  return true;
}

}  // namespace kvasir
