#include "types/deadline_index.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "base/alloc.h"
#include "base/prefetch.h"

namespace kvasir {

namespace {

constexpr size_t kLeafMax = 64;
constexpr size_t kPageMax = 64;
constexpr uint64_t kAddressMask = (uint64_t{1} << 48) - 1;

uint64_t address_of(const void* item) { return reinterpret_cast<uint64_t>(item); }

}  // namespace

// The items of a leaf, which is named by a word: the array's address and, above it, their number.
class DeadlineTree::Leaf {
 public:
  explicit Leaf(uint64_t word)
      : items_(reinterpret_cast<void**>(word & kAddressMask & ~kKindMask)), size_(word >> 48) {}
  static Leaf of(void* const* items, size_t n) {
    Leaf leaf(0);
    leaf.items_ = static_cast<void**>(mem_alloc(n * sizeof(void*)));
    leaf.size_ = n;
    memcpy(leaf.items_, items, n * sizeof(void*));
    return leaf;
  }

  [[nodiscard]] uint64_t word() const { return address_of(items_) | size_ << 48; }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool full() const { return size_ == kLeafMax; }
  void*& operator[](size_t i) { return items_[i]; }
  [[nodiscard]] size_t bytes() const { return mem_usable(items_); }

  void free() { mem_free(items_); }
  void add(void* const* items, size_t n) {
    if ((size_ + n) * sizeof(void*) > mem_usable(items_)) resize(size_ + n);
    memcpy(items_ + size_, items, n * sizeof(void*));
    size_ += n;
  }
  // An empty leaf has no array.
  void truncate(size_t n) {
    size_ = n;
    if (n == 0) {
      mem_free(items_);
      items_ = nullptr;
    } else if (mem_good_size(n * sizeof(void*)) * 4 <= mem_usable(items_) * 3) {
      resize(n);
    }
  }
  void remove(const void* item) {
    const size_t at = find(item);
    items_[at] = items_[size_ - 1];
    truncate(size_ - 1);
  }
  void prefetch() const {
    for (size_t i = 0; i < size_; i++) kvasir::prefetch(items_[i]);
  }
  [[nodiscard]] Key key(size_t i, DeadlineOf of) const { return {of(items_[i]), address_of(items_[i])}; }
  // The smallest key; not empty.
  [[nodiscard]] Key least(DeadlineOf of) const {
    prefetch();
    Key least = key(0, of);
    for (size_t i = 1; i < size_; i++) least = std::min(least, key(i, of));
    return least;
  }

 private:
  void resize(size_t n) { items_ = static_cast<void**>(mem_realloc(items_, n * sizeof(void*))); }
  [[nodiscard]] size_t find(const void* item) const {
    size_t i = 0;
    // Eight at a time, so that the comparisons can be made side by side.
    for (; i + 8 <= size_; i += 8) {
      unsigned hits = 0;
      for (unsigned j = 0; j < 8; j++) hits |= static_cast<unsigned>(items_[i + j] == item) << j;
      if (hits != 0) return i + static_cast<size_t>(__builtin_ctz(hits));
    }
    for (; i < size_; i++) {
      if (items_[i] == item) return i;
    }
    abort();  // an item that is not where its deadline says: going on would leave a dangling pointer
  }

  void** items_;
  uint64_t size_;
};

// A sorted array of children.
struct DeadlineTree::Node {
  uint64_t size;

  static Node* make(const Child* children, size_t n) {
    Node* node = static_cast<Node*>(mem_alloc(bytes_for(n)));
    node->size = n;
    memcpy(node->children(), children, n * sizeof(Child));
    return node;
  }
  static size_t bytes_for(size_t n) { return sizeof(Node) + n * sizeof(Child); }

  Child* children() { return reinterpret_cast<Child*>(this + 1); }
  Child& operator[](size_t i) { return children()[i]; }
  Node* page(size_t i) { return reinterpret_cast<Node*>(children()[i].word); }

  // The child in which an item with that key is or belongs.
  size_t find(const Key& key) {
    Child* const begin = children();
    Child* const after =
        std::upper_bound(begin, begin + size, key, [](const Key& k, const Child& c) { return k < c.from; });
    return after == begin ? 0 : static_cast<size_t>(after - begin) - 1;
  }
  // Both return where the node is now.
  Node* insert(size_t at, const Child* more, size_t n) {
    Node* node = this;
    if (bytes_for(size + n) > mem_usable(this)) {
      // The root may get large: it grows by an eighth.
      node = static_cast<Node*>(mem_realloc(this, bytes_for(size + n + (size >= kPageMax ? size / 8 : 0))));
    }
    Child* const place = node->children() + at;
    memmove(place + n, place, (node->size - at) * sizeof(Child));
    memcpy(place, more, n * sizeof(Child));
    node->size += n;
    return node;
  }
  Node* truncate(size_t n) {
    size = n;
    if (mem_good_size(bytes_for(n)) * 4 > mem_usable(this) * 3) return this;
    return static_cast<Node*>(mem_realloc(this, bytes_for(n)));
  }
  Node* erase(size_t at) {
    Child* const place = children() + at;
    memmove(place, place + 1, (size - at - 1) * sizeof(Child));
    return truncate(size - 1);
  }
};

DeadlineTree::Node* DeadlineTree::root() const { return reinterpret_cast<Node*>(word_ & ~kKindMask); }
void DeadlineTree::set_root(Node* root) { word_ = address_of(root) | kTree; }

void DeadlineTree::clear() {
  if (kind() == kLeaf) {
    Leaf(word_).free();
  } else if (kind() == kTree) {
    Node* const top = root();
    for (size_t i = 0; i < top->size; i++) {
      Node* const page = top->page(i);
      for (size_t j = 0; j < page->size; j++) Leaf((*page)[j].word).free();
      mem_free(page);
    }
    mem_free(top);
  }
  word_ = 0;
}

size_t DeadlineTree::bytes() const {
  if (kind() == kLeaf) return Leaf(word_).bytes();
  if (kind() != kTree) return 0;
  Node* const top = root();
  size_t sum = mem_usable(top);
  for (size_t i = 0; i < top->size; i++) {
    Node* const page = top->page(i);
    sum += mem_usable(page);
    for (size_t j = 0; j < page->size; j++) sum += Leaf((*page)[j].word).bytes();
  }
  return sum;
}

// ------------------------------------------------------------------ adding

void DeadlineTree::add(void* item, int64_t deadline, DeadlineOf of) {
  switch (kind()) {
    case 0:
      word_ = address_of(item) | kOne;
      return;
    case kOne: {
      void* const both[] = {reinterpret_cast<void*>(word_ & ~kKindMask), item};
      word_ = Leaf::of(both, 2).word() | kLeaf;
      return;
    }
    case kLeaf: {
      Leaf leaf(word_);
      if (!leaf.full()) {
        leaf.add(&item, 1);
        word_ = leaf.word() | kLeaf;
        return;
      }
      const Key from = leaf.least(of);
      const Child only{from, leaf.word()};
      const Child page{from, address_of(Node::make(&only, 1))};
      set_root(Node::make(&page, 1));
      [[fallthrough]];
    }
    default:
      grow_tree(item, {deadline, address_of(item)}, of);
  }
}

void DeadlineTree::grow_tree(void* item, const Key& key, DeadlineOf of) {
  Node* const top = root();
  const size_t i = top->find(key);
  Node* const page = top->page(i);
  const size_t j = page->find(key);
  Child& child = (*page)[j];
  if (key < child.from) child.from = (*top)[i].from = key;  // the first of all
  Leaf leaf(child.word);
  if (leaf.full()) return split(i, j, item, key, of);
  leaf.add(&item, 1);
  child.word = leaf.word();
}

void DeadlineTree::split(size_t page_at, size_t leaf_at, void* item, const Key& key, DeadlineOf of) {
  Node* const top = root();
  Node* const page = top->page(page_at);
  Leaf leaf((*page)[leaf_at].word);
  leaf.prefetch();
  std::array<Key, kLeafMax> keys;
  for (size_t i = 0; i < kLeafMax; i++) keys[i] = leaf.key(i, of);
  if (page_at == top->size - 1 && leaf_at == page->size - 1 &&
      *std::max_element(keys.begin(), keys.end()) < key) {
    return insert_leaf(page_at, leaf_at + 1, {key, Leaf::of(&item, 1).word()});
  }
  constexpr size_t kHalf = kLeafMax / 2;
  std::nth_element(keys.begin(), keys.begin() + kHalf, keys.end());
  for (size_t i = 0; i < kLeafMax; i++) leaf[i] = reinterpret_cast<void*>(keys[i].item);
  Leaf right = Leaf::of(&leaf[kHalf], kLeafMax - kHalf);
  leaf.truncate(kHalf);
  (key < keys[kHalf] ? leaf : right).add(&item, 1);
  (*page)[leaf_at].word = leaf.word();
  insert_leaf(page_at, leaf_at + 1, {keys[kHalf], right.word()});
}

void DeadlineTree::insert_leaf(size_t page_at, size_t leaf_at, const Child& leaf) {
  Node* const top = root();
  Node* page = top->page(page_at);
  if (page->size < kPageMax) {
    (*top)[page_at].word = address_of(page->insert(leaf_at, &leaf, 1));
    return;
  }
  // A page of its own for what comes at the end, else half of what there is.
  const bool at_end = page_at == top->size - 1 && leaf_at == page->size;
  const size_t keep = at_end ? page->size : kPageMax / 2;
  Node* right = at_end ? Node::make(&leaf, 1) : Node::make(page->children() + keep, page->size - keep);
  if (!at_end) {
    page = page->truncate(keep);
    if (leaf_at <= keep) {
      page = page->insert(leaf_at, &leaf, 1);
    } else {
      right = right->insert(leaf_at - keep, &leaf, 1);
    }
  }
  (*top)[page_at].word = address_of(page);
  const Child more{(*right)[0].from, address_of(right)};
  set_root(top->insert(page_at + 1, &more, 1));
}

// ------------------------------------------------------------------ removing

void DeadlineTree::remove(const void* item, int64_t deadline) {
  if (kind() == kTree) {
    const Key key{deadline, address_of(item)};
    Node* const top = root();
    const size_t i = top->find(key);
    Node* const page = top->page(i);
    const size_t j = page->find(key);
    Leaf leaf((*page)[j].word);
    leaf.remove(item);
    (*page)[j].word = leaf.word();
    return settle(i, j);
  }
  if (kind() == kOne) {
    if ((word_ & ~kKindMask) != address_of(item)) abort();
    word_ = 0;
    return;
  }
  Leaf leaf(word_);
  leaf.remove(item);
  word_ = leaf.word() | kLeaf;
  collapse();
}

void DeadlineTree::settle(size_t page_at, size_t leaf_at) {
  Node* top = root();
  Node* page = top->page(page_at);
  Leaf leaf((*page)[leaf_at].word);
  if (leaf.size() == 0) {
    page = page->erase(leaf_at);
  } else if (leaf.size() >= kLeafMax / 4 || page->size == 1) {
    return;
  } else {
    const size_t left_at = leaf_at == page->size - 1 ? leaf_at - 1 : leaf_at;
    Leaf left((*page)[left_at].word);
    Leaf right((*page)[left_at + 1].word);
    if (left.size() + right.size() > kLeafMax * 3 / 4) return;
    left.add(&right[0], right.size());
    right.free();
    (*page)[left_at].word = left.word();
    page = page->erase(left_at + 1);
  }
  (*top)[page_at].word = address_of(page);

  if (page->size == 0) {
    mem_free(page);
    top = top->erase(page_at);
    set_root(top);
  } else {
    (*top)[page_at].from = (*page)[0].from;
    if (page->size < kPageMax / 4 && top->size > 1) {
      const size_t left_at = page_at == top->size - 1 ? page_at - 1 : page_at;
      Node* const left = top->page(left_at);
      Node* const right = top->page(left_at + 1);
      if (left->size + right->size <= kPageMax * 3 / 4) {
        (*top)[left_at].word = address_of(left->insert(left->size, right->children(), right->size));
        mem_free(right);
        top = top->erase(left_at + 1);
        set_root(top);
      }
    }
  }
  collapse();
}

// Goes back to a smaller form where that has become possible.
void DeadlineTree::collapse() {
  if (kind() == kTree) {
    Node* const top = root();
    if (top->size > 1) return;
    if (top->size == 0) {
      mem_free(top);
      word_ = 0;
      return;
    }
    Node* const page = top->page(0);
    if (page->size > 1) return;
    word_ = (*page)[0].word | kLeaf;
    mem_free(page);
    mem_free(top);
  }
  Leaf leaf(word_);
  if (leaf.size() > 1) return;
  word_ = leaf.size() == 0 ? 0 : address_of(leaf[0]) | kOne;
  if (leaf.size() == 1) leaf.free();
}

// ------------------------------------------------------------------ what is due

size_t DeadlineTree::take_before(int64_t time, void** out, size_t max, DeadlineOf of) {
  size_t n = 0;
  // Moves what is due out of a leaf, as far as there is room. True: some is left.
  const auto take = [&](Leaf* leaf) {
    constexpr size_t kAhead = 8;
    size_t size = leaf->size();
    for (size_t i = 0; i < std::min(size, kAhead); i++) prefetch((*leaf)[i]);
    for (size_t i = 0; i < size && n < max;) {
      void* const item = (*leaf)[i];
      if (i + kAhead < size) prefetch((*leaf)[i + kAhead]);
      if (of(item) < time) {
        out[n++] = item;
        (*leaf)[i] = (*leaf)[--size];
      } else {
        i++;
      }
    }
    leaf->truncate(size);
    return size > 0;
  };
  while (n < max && word_ != 0) {
    if (kind() == kOne) {
      void* const item = reinterpret_cast<void*>(word_ & ~kKindMask);
      if (of(item) >= time) break;
      out[n++] = item;
      word_ = 0;
      break;
    }
    if (kind() == kLeaf) {
      Leaf leaf(word_);
      take(&leaf);
      word_ = leaf.word() | kLeaf;
      collapse();
      break;
    }
    Node* const top = root();
    if ((*top)[0].from.deadline >= time) break;
    Node* const page = top->page(0);
    Leaf leaf((*page)[0].word);
    const bool left = take(&leaf);
    (*page)[0].word = leaf.word();
    // Another look shall not be needed until something is due.
    if (left && n < max) (*page)[0].from = (*top)[0].from = leaf.least(of);
    settle(0, 0);
    if (left) break;
  }
  return n;
}

int64_t DeadlineTree::earliest(DeadlineOf of) {
  if (word_ == 0) return kNever;
  if (kind() == kOne) return of(reinterpret_cast<void*>(word_ & ~kKindMask));
  if (kind() == kLeaf) return Leaf(word_).least(of).deadline;
  Node* const top = root();
  Node* const page = top->page(0);
  const Key least = Leaf((*page)[0].word).least(of);
  (*page)[0].from = (*top)[0].from = least;
  return least.deadline;
}

}  // namespace kvasir
