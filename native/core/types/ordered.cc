#include "types/ordered.h"

#include <algorithm>
#include <vector>

namespace kvasir {

namespace {

template <class T>
void shift(T* array, unsigned from, unsigned to, unsigned n) {
  memmove(array + to, array + from, n * sizeof(T));
}

}  // namespace

OrderedMembers::~OrderedMembers() {
  if (root_ != nullptr) free_tree(root_, height_);
}

OrderedMembers::Leaf* OrderedMembers::new_leaf(unsigned capacity) {
  auto* leaf =
      static_cast<Leaf*>(mem_alloc(sizeof(Leaf) + capacity * (sizeof(double) + sizeof(ScoredMember*))));
  leaf->next = leaf->prev = nullptr;
  leaf->count = 0;
  leaf->capacity = capacity;
  bytes_ += mem_usable(leaf);
  return leaf;
}

OrderedMembers::Inner* OrderedMembers::new_inner() {
  auto* inner = static_cast<Inner*>(mem_alloc(sizeof(Inner)));
  inner->count = 0;
  bytes_ += mem_usable(inner);
  return inner;
}

void OrderedMembers::free_node(void* node) {
  bytes_ -= mem_usable(node);
  mem_free(node);
}

void OrderedMembers::free_tree(void* node, unsigned height) {
  if (height > 0) {
    auto* inner = static_cast<Inner*>(node);
    for (unsigned i = 0; i < inner->count; i++) free_tree(inner->children[i], height - 1);
  }
  free_node(node);
}

// ------------------------------------------------------------------ finding

OrderedMembers::Leaf* OrderedMembers::descend_to(Path* path, size_t* rank) const {
  void* node = root_;
  for (unsigned level = 0; level < height_; level++) {
    auto* inner = static_cast<Inner*>(node);
    unsigned child = 0;
    while (*rank >= inner->sizes[child]) *rank -= inner->sizes[child++];
    path->node[level] = inner;
    path->child[level] = child;
    node = inner->children[child];
  }
  return static_cast<Leaf*>(node);
}

OrderedMembers::Place OrderedMembers::at(size_t rank) const {
  Path path;
  const Leaf* leaf = descend_to(&path, &rank);
  return {leaf, static_cast<unsigned>(rank)};
}

OrderedMembers::Place OrderedMembers::last() const {
  if (root_ == nullptr) return {};
  const void* node = root_;
  for (unsigned h = height_; h > 0; h--) {
    const auto* inner = static_cast<const Inner*>(node);
    node = inner->children[inner->count - 1];
  }
  const auto* leaf = static_cast<const Leaf*>(node);
  return {leaf, leaf->count - 1};
}

OrderedMembers::Leaf* OrderedMembers::locate(Path* path, const ScoredMember* m, unsigned* at) const {
  const Slice bytes = m->bytes();
  // By (I1) the member is in the last child whose smallest member is not above it.
  void* node = root_;
  const auto not_above = [&](double score, const ScoredMember* x) {
    return score != m->score ? score < m->score : x == m || compare(x->bytes(), bytes) <= 0;
  };
  for (unsigned level = 0; level < height_; level++) {
    auto* inner = static_cast<Inner*>(node);
    path->node[level] = inner;
    path->child[level] = lower(inner->scores, inner->keys, inner->count, not_above) - 1;
    node = inner->children[path->child[level]];
  }
  auto* leaf = static_cast<Leaf*>(node);
  *at = lower(leaf->scores(), leaf->members(), leaf->count, not_above) - 1;
  return leaf;
}

// ------------------------------------------------------------------ adding

void OrderedMembers::put(Leaf* leaf, unsigned at, ScoredMember* m) {
  const unsigned behind = leaf->count - at;
  shift(leaf->scores(), at, at + 1, behind);
  shift(leaf->members(), at, at + 1, behind);
  leaf->scores()[at] = m->score;
  leaf->members()[at] = m;
  leaf->count++;
}

void OrderedMembers::put(Inner* node, unsigned at, double score, ScoredMember* key, size_t size,
                         void* child) {
  const unsigned behind = node->count - at;
  shift(node->scores, at, at + 1, behind);
  shift(node->keys, at, at + 1, behind);
  shift(node->sizes, at, at + 1, behind);
  shift(node->children, at, at + 1, behind);
  node->scores[at] = score;
  node->keys[at] = key;
  node->sizes[at] = size;
  node->children[at] = child;
  node->count++;
}

void OrderedMembers::set_key(Path* path, unsigned level, double score, ScoredMember* m) {
  for (;; level--) {
    Inner* node = path->node[level];
    const unsigned i = path->child[level];
    node->scores[i] = score;
    node->keys[i] = m;
    if (i != 0 || level == 0) return;
  }
}

// Puts a child behind the one on the path at `level`; its members are already counted above.
void OrderedMembers::add_child(Path* path, unsigned level, double score, ScoredMember* key, size_t size,
                               void* child) {
  Inner* node = path->node[level];
  const unsigned at = path->child[level] + 1;
  if (node->count < kInnerMax) {
    put(node, at, score, key, size, child);
    return;
  }
  Inner* right = new_inner();
  const unsigned keep = at == kInnerMax ? kInnerMax : kInnerMax / 2;
  right->count = kInnerMax - keep;
  memcpy(right->scores, node->scores + keep, right->count * sizeof(double));
  memcpy(right->keys, node->keys + keep, right->count * sizeof(ScoredMember*));
  memcpy(right->sizes, node->sizes + keep, right->count * sizeof(size_t));
  memcpy(right->children, node->children + keep, right->count * sizeof(void*));
  node->count = keep;
  if (at > keep || keep == kInnerMax) {
    put(right, at - keep, score, key, size, child);
  } else {
    put(node, at, score, key, size, child);
  }
  const auto members = [](const Inner* n) {
    size_t sum = 0;
    for (unsigned i = 0; i < n->count; i++) sum += n->sizes[i];
    return sum;
  };
  if (level == 0) {
    Inner* root = new_inner();
    put(root, 0, node->scores[0], node->keys[0], members(node), node);
    put(root, 1, right->scores[0], right->keys[0], members(right), right);
    root_ = root;
    height_++;
    return;
  }
  path->node[level - 1]->sizes[path->child[level - 1]] = members(node);
  add_child(path, level - 1, right->scores[0], right->keys[0], members(right), right);
}

void OrderedMembers::insert(ScoredMember* m) {
  if (root_ == nullptr) {
    root_ = first_ = new_leaf(kLeafLeast);
    height_ = 0;
  }
  Path path;
  const Slice bytes = m->bytes();
  const auto below = [&](double score, const ScoredMember* x) { return before(score, x, m->score, bytes); };
  Leaf* leaf = descend(&path, below);
  const unsigned at = lower(leaf->scores(), leaf->members(), leaf->count, below);
  size_++;
  for (unsigned level = 0; level < height_; level++) path.node[level]->sizes[path.child[level]]++;

  if (leaf->count == leaf->capacity && leaf->capacity < kLeafMax) {
    Leaf* wider = new_leaf(std::min(leaf->capacity * 2, kLeafMax));
    memcpy(wider->scores(), leaf->scores(), leaf->count * sizeof(double));
    memcpy(wider->members(), leaf->members(), leaf->count * sizeof(ScoredMember*));
    wider->count = leaf->count;
    free_node(leaf);
    root_ = first_ = leaf = wider;
  }
  if (leaf->count < leaf->capacity) {
    put(leaf, at, m);
    if (at == 0 && height_ > 0) set_key(&path, height_ - 1, m->score, m);
    return;
  }

  Leaf* right = new_leaf(kLeafMax);
  const bool last = at == kLeafMax && leaf->next == nullptr;
  const bool first = at == 0 && leaf->prev == nullptr;
  const unsigned keep = last ? kLeafMax : first ? 0 : kLeafMax / 2;
  right->count = kLeafMax - keep;
  memcpy(right->scores(), leaf->scores() + keep, right->count * sizeof(double));
  memcpy(right->members(), leaf->members() + keep, right->count * sizeof(ScoredMember*));
  leaf->count = keep;
  right->next = leaf->next;
  right->prev = leaf;
  if (right->next != nullptr) right->next->prev = right;
  leaf->next = right;
  if (at > keep || keep == kLeafMax) {
    put(right, at - keep, m);
  } else {
    put(leaf, at, m);
  }
  if (height_ == 0) {
    Inner* root = new_inner();
    put(root, 0, leaf->scores()[0], leaf->members()[0], leaf->count, leaf);
    put(root, 1, right->scores()[0], right->members()[0], right->count, right);
    root_ = root;
    height_ = 1;
    return;
  }
  const unsigned bottom = height_ - 1;
  path.node[bottom]->sizes[path.child[bottom]] = leaf->count;
  if (at == 0) set_key(&path, bottom, m->score, m);
  add_child(&path, bottom, right->scores()[0], right->members()[0], right->count, right);
}

void OrderedMembers::fill(std::span<ScoredMember* const> members) {
  if (members.empty()) return;
  struct Child {
    void* node;
    double score;
    ScoredMember* key;
    size_t size;
  };
  std::vector<Child> level;
  Leaf* left = nullptr;
  for (size_t at = 0; at < members.size(); at += kLeafMax) {
    const auto n = static_cast<unsigned>(std::min<size_t>(members.size() - at, kLeafMax));
    // Only the root may be narrow.
    Leaf* leaf = new_leaf(members.size() <= kLeafMax ? std::max(n, kLeafLeast) : kLeafMax);
    for (unsigned i = 0; i < n; i++) {
      leaf->scores()[i] = members[at + i]->score;
      leaf->members()[i] = members[at + i];
    }
    leaf->count = n;
    leaf->prev = left;
    (left == nullptr ? first_ : left->next) = leaf;
    left = leaf;
    level.push_back({leaf, members[at]->score, members[at], n});
  }
  for (height_ = 0; level.size() > 1; height_++) {
    std::vector<Child> above;
    for (size_t i = 0; i < level.size(); i++) {
      if (i % kInnerMax == 0) above.push_back({new_inner(), level[i].score, level[i].key, 0});
      auto* inner = static_cast<Inner*>(above.back().node);
      put(inner, inner->count, level[i].score, level[i].key, level[i].size, level[i].node);
      above.back().size += level[i].size;
    }
    level = std::move(above);
  }
  root_ = level[0].node;
  size_ = members.size();
}

// ------------------------------------------------------------------ removing

// Members that were below it are gone from the counts above, or have moved to a neighbour's.
void OrderedMembers::drop_child(Path* path, unsigned level, unsigned at) {
  Inner* node = path->node[level];
  const unsigned behind = node->count - at - 1;
  shift(node->scores, at + 1, at, behind);
  shift(node->keys, at + 1, at, behind);
  shift(node->sizes, at + 1, at, behind);
  shift(node->children, at + 1, at, behind);
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
  if (at == 0) set_key(path, level - 1, node->scores[0], node->keys[0]);
  if (node->count < kInnerMax / 4) merge_inner(path, level);
}

void OrderedMembers::merge_inner(Path* path, unsigned level) {
  Inner* parent = path->node[level - 1];
  if (parent->count < 2) return;
  const unsigned i = path->child[level - 1];
  const unsigned l = i + 1 < parent->count ? i : i - 1;
  auto* left = static_cast<Inner*>(parent->children[l]);
  auto* right = static_cast<Inner*>(parent->children[l + 1]);
  if (left->count + right->count > kInnerMax * 3 / 4) return;
  memcpy(left->scores + left->count, right->scores, right->count * sizeof(double));
  memcpy(left->keys + left->count, right->keys, right->count * sizeof(ScoredMember*));
  memcpy(left->sizes + left->count, right->sizes, right->count * sizeof(size_t));
  memcpy(left->children + left->count, right->children, right->count * sizeof(void*));
  left->count += right->count;
  parent->sizes[l] += parent->sizes[l + 1];
  free_node(right);
  drop_child(path, level - 1, l + 1);
}

void OrderedMembers::merge_leaves(Path* path) {
  Inner* parent = path->node[height_ - 1];
  if (parent->count < 2) return;
  const unsigned i = path->child[height_ - 1];
  const unsigned l = i + 1 < parent->count ? i : i - 1;
  auto* left = static_cast<Leaf*>(parent->children[l]);
  auto* right = static_cast<Leaf*>(parent->children[l + 1]);
  if (left->count + right->count > kLeafMax * 3 / 4) return;
  memcpy(left->scores() + left->count, right->scores(), right->count * sizeof(double));
  memcpy(left->members() + left->count, right->members(), right->count * sizeof(ScoredMember*));
  left->count += right->count;
  left->next = right->next;
  if (left->next != nullptr) left->next->prev = left;
  parent->sizes[l] += parent->sizes[l + 1];
  free_node(right);
  drop_child(path, height_ - 1, l + 1);
}

void OrderedMembers::take_out(Path* path, Leaf* leaf, unsigned at, unsigned n) {
  const unsigned behind = leaf->count - at - n;
  shift(leaf->scores(), at + n, at, behind);
  shift(leaf->members(), at + n, at, behind);
  leaf->count -= n;
  size_ -= n;
  for (unsigned level = 0; level < height_; level++) path->node[level]->sizes[path->child[level]] -= n;
  if (leaf->count == 0) {
    (leaf->prev != nullptr ? leaf->prev->next : first_) = leaf->next;
    if (leaf->next != nullptr) leaf->next->prev = leaf->prev;
    free_node(leaf);
    if (height_ == 0) {
      root_ = nullptr;
    } else {
      drop_child(path, height_ - 1, path->child[height_ - 1]);
    }
    return;
  }
  if (height_ == 0) return;
  if (at == 0) set_key(path, height_ - 1, leaf->scores()[0], leaf->members()[0]);
  if (leaf->count < kLeafMax / 4) merge_leaves(path);
}

void OrderedMembers::remove(const ScoredMember* m) {
  Path path;
  unsigned at;
  Leaf* leaf = locate(&path, m, &at);
  take_out(&path, leaf, at, 1);
}

void OrderedMembers::rescore(ScoredMember* m, double score) {
  Path path;
  unsigned at;
  Leaf* leaf = locate(&path, m, &at);
  const Slice bytes = m->bytes();
  if (at > 0 && at + 1 < leaf->count &&
      before(leaf->scores()[at - 1], leaf->members()[at - 1], score, bytes) &&
      !before(leaf->scores()[at + 1], leaf->members()[at + 1], score, bytes)) {
    leaf->scores()[at] = m->score = score;
    return;
  }
  take_out(&path, leaf, at, 1);
  m->score = score;
  insert(m);
}

}  // namespace kvasir
