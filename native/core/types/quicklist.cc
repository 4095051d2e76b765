#include "types/quicklist.h"

#include <algorithm>
#include <cstdlib>

#include "base/alloc.h"
#include "base/lzf.h"

namespace kvasir {

namespace {

// Nodes limited by their number of elements have at most so many bytes.
constexpr size_t kSafeBytes = 8192;
// What an element adds to a listpack besides its text, estimated from above.
constexpr size_t kElementOverhead = 8;
// From so many nodes on, an unused half of a node is not felt: a new one has the room it will want at once.
constexpr size_t kManyNodes = 32;
// Smaller nodes are not compressed, and it has to gain something.
constexpr size_t kMinCompress = 48;
constexpr size_t kMinGain = 8;

size_t fill_bytes(int64_t fill) { return size_t{4096} << (-std::clamp<int64_t>(fill, -5, -1) - 1); }

}  // namespace

ListNodeLimit ListNodeLimit::of(int64_t fill) {
  if (fill < 0) return {fill_bytes(fill), SIZE_MAX};
  return {SIZE_MAX, fill == 0 ? 1 : static_cast<size_t>(fill)};
}

bool ListNodeLimit::exceeded(size_t new_bytes, size_t new_count) const {
  if (bytes != SIZE_MAX) return new_bytes > bytes;
  return new_bytes > kSafeBytes || new_count > count;
}

// ------------------------------------------------------------------ life

Quicklist* Quicklist::make(const EncodingLimits& limits) {
  auto* q = new (mem_alloc(sizeof(Quicklist))) Quicklist;
  q->fill_ = static_cast<int16_t>(std::clamp<int64_t>(limits.list_max_listpack_size, -5, INT16_MAX));
  q->depth_ = static_cast<uint16_t>(std::clamp<int64_t>(limits.list_compress_depth, 0, UINT16_MAX));
  return q;
}

void Quicklist::destroy(Quicklist* q) {
  for (Node* n = q->head_; n != nullptr;) {
    Node* next = n->next;
    free_node(n);
    n = next;
  }
  mem_free(q);
}

Quicklist* Quicklist::duplicate() const {
  auto* q = new (mem_alloc(sizeof(Quicklist))) Quicklist(*this);
  q->head_ = q->tail_ = nullptr;
  for (const Node* n = head_; n != nullptr; n = n->next) {
    auto* copy = new (mem_alloc(sizeof(Node))) Node(*n);
    if (n->compressed) {
      const size_t bytes = sizeof(Packed) + static_cast<Packed*>(n->data)->size;
      copy->data = mem_alloc(bytes);
      memcpy(copy->data, n->data, bytes);
    } else if (n->plain) {
      copy->data = static_cast<StrBuf*>(n->data)->retain();
    } else {
      copy->data = Listpack::copy_of(image(n)).data();
    }
    copy->prev = q->tail_;
    copy->next = nullptr;
    (q->tail_ == nullptr ? q->head_ : q->tail_->next) = copy;
    q->tail_ = copy;
  }
  return q;
}

Quicklist::Node* Quicklist::make_packed(Listpack lp) {
  auto* n = new (mem_alloc(sizeof(Node))) Node{};
  n->data = lp.data();
  n->size = lp.bytes();
  n->count = static_cast<uint32_t>(lp.size());
  return n;
}

Quicklist::Node* Quicklist::make_plain(StrBuf* buffer) {
  auto* n = new (mem_alloc(sizeof(Node))) Node{};
  n->plain = true;
  n->data = buffer;
  n->size = buffer->size();
  n->count = 1;
  return n;
}

Quicklist::Node* Quicklist::make_node(const ListValue& v, bool plain, size_t room) {
  if (plain) return make_plain(v.buffer != nullptr ? v.buffer->retain() : StrBuf::copy_of(v.text));
  Listpack lp = Listpack::make(std::max(room, Listpack::kEmpty + Listpack::cost(v.text)));
  lp.append(v.text);
  return make_packed(lp);
}

void Quicklist::release(const Node& n) {
  if (n.plain && !n.compressed) {
    static_cast<StrBuf*>(n.data)->release();
  } else {
    mem_free(n.data);
  }
}

void Quicklist::free_node(Node* n) {
  release(*n);
  mem_free(n);
}

size_t Quicklist::bytes(size_t samples) const {
  size_t sum = 0;
  size_t seen = 0;
  for (const Node* n = head_; n != nullptr && seen < samples; n = n->next, seen++) {
    sum += mem_usable(n) +
           (n->plain && !n->compressed ? static_cast<StrBuf*>(n->data)->footprint() : mem_usable(n->data));
  }
  if (seen > 0 && seen < nodes_) sum = sum / seen * nodes_;
  return mem_usable(this) + sum;
}

size_t Quicklist::unpacked_bytes() const {
  size_t sum = 0;
  for (const Node* n = head_; n != nullptr; n = n->next) sum += n->size;
  return sum;
}

void* Quicklist::dissolve(Quicklist* q, const ListNodeLimit& limit) {
  Node* n = q->head_;
  if (q->nodes_ != 1 || n->plain || n->size > limit.bytes || q->count_ > limit.count) return nullptr;
  unpack(n);
  void* listpack = n->data;
  mem_free(n);
  mem_free(q);
  return listpack;
}

// ------------------------------------------------------------------ compression

Slice Quicklist::image(const Node* n) {
  return n->plain ? static_cast<StrBuf*>(n->data)->slice() : Listpack(n->data).image();
}

void Quicklist::pack(Node* n) {
  if (n->compressed || n->incompressible || n->size < kMinCompress) return;
  auto* packed = static_cast<Packed*>(mem_alloc(sizeof(Packed) + n->size));
  packed->size = lzf_compress(image(n), packed->bytes, n->size);
  if (packed->size == 0 || packed->size + kMinGain >= n->size) {
    mem_free(packed);
    n->incompressible = true;
    return;
  }
  release(*n);
  n->data = mem_realloc(packed, sizeof(Packed) + packed->size);
  n->compressed = true;
}

void* Quicklist::unpacked(const Node* n) {
  const auto* packed = static_cast<const Packed*>(n->data);
  void* data;
  char* to;
  if (n->plain) {
    StrBuf* buffer = StrBuf::create(n->size);
    data = buffer;
    to = buffer->data();
  } else {
    data = mem_alloc(n->size);
    to = static_cast<char*>(data);
  }
  if (lzf_decompress({packed->bytes, packed->size}, to, n->size) != n->size) abort();  // our own bytes
  return data;
}

void Quicklist::unpack(Node* n) {
  if (!n->compressed) return;
  void* const packed = n->data;
  n->data = unpacked(n);
  n->compressed = false;
  mem_free(packed);
}

void Quicklist::settle(Node* n) {
  if (depth_ == 0 || nodes_ == 0) return;
  Node* front = head_;
  Node* back = tail_;
  bool at_end = n == nullptr;
  for (unsigned d = 0; d < depth_; d++) {
    unpack(front);
    unpack(back);
    if (front == n || back == n) at_end = true;
    if (front == back || front->next == back) return;
    front = front->next;
    back = back->prev;
  }
  if (!at_end) pack(n);
  pack(front);
  pack(back);
}

// ------------------------------------------------------------------ nodes

bool Quicklist::large(size_t size, size_t packed_threshold) const {
  if (packed_threshold != 0) [[unlikely]]
    return size >= packed_threshold;
  return size > (fill_ >= 0 ? kSafeBytes : fill_bytes(fill_));
}

bool Quicklist::room_in(const Node* n, size_t size, size_t packed_threshold) const {
  if (n == nullptr || n->plain || large(size, packed_threshold)) return false;
  return !ListNodeLimit::of(fill_).exceeded(n->size + size + kElementOverhead, n->count + 1);
}

bool Quicklist::mergeable(const Node* a, const Node* b) const {
  if (a == nullptr || b == nullptr || a->plain || b->plain) return false;
  return !ListNodeLimit::of(fill_).exceeded(a->size + b->size - Listpack::kEmpty, a->count + b->count);
}

void Quicklist::link(Node* beside, Node* n, bool after) {
  Node* const prev = after ? beside : beside == nullptr ? nullptr : beside->prev;
  Node* const next = !after ? beside : beside == nullptr ? nullptr : beside->next;
  n->prev = prev;
  n->next = next;
  (prev == nullptr ? head_ : prev->next) = n;
  (next == nullptr ? tail_ : next->prev) = n;
  nodes_++;
  count_ += n->count;
}

void Quicklist::unlink_and_free(Node* n) {
  (n->prev == nullptr ? head_ : n->prev->next) = n->next;
  (n->next == nullptr ? tail_ : n->next->prev) = n->prev;
  nodes_--;
  count_ -= n->count;
  free_node(n);
  settle(nullptr);
}

Listpack Quicklist::open(Node* n) {
  unpack(n);
  return Listpack(n->data);
}

void Quicklist::changed(Node* n, Listpack lp) {
  n->data = lp.data();
  n->size = lp.bytes();
  n->incompressible = false;
}

Quicklist::Node* Quicklist::split(Node* n, size_t offset, bool after) {
  Listpack keep = open(n);
  Listpack other = Listpack::copy_of(keep.image());
  const size_t before_cut = offset + (after ? 1 : 0);
  (after ? other : keep).erase(Listpack::kHeader, before_cut);
  Listpack& first = after ? keep : other;
  if (const Listpack::Pos cut = first.at(static_cast<int64_t>(before_cut)); cut != Listpack::kNone) {
    first.erase(cut, SIZE_MAX);
  }
  n->count = static_cast<uint32_t>(keep.size());
  changed(n, keep);
  return make_packed(other);
}

Quicklist::Node* Quicklist::merge(Node* a, Node* b) {
  Listpack lp = open(a);
  const Listpack from = open(b);
  lp.append_all(from);
  changed(a, lp);
  a->count += b->count;
  count_ += b->count;
  unlink_and_free(b);
  settle(a);
  return a;
}

Quicklist::Node* Quicklist::merge_around(Node* center) {
  if (center->prev != nullptr && mergeable(center->prev->prev, center->prev)) {
    merge(center->prev->prev, center->prev);
  }
  if (center->next != nullptr && mergeable(center->next, center->next->next)) {
    merge(center->next, center->next->next);
  }
  if (mergeable(center->prev, center)) center = merge(center->prev, center);
  if (mergeable(center, center->next)) center = merge(center, center->next);
  return center;
}

void Quicklist::erase_in(Node* n, Listpack::Pos pos, size_t count) {
  if (n->count == count) {
    unlink_and_free(n);
    return;
  }
  Listpack lp = open(n);
  lp.erase(pos, count);
  changed(n, lp);
  n->count -= static_cast<uint32_t>(count);
  count_ -= count;
}

// ------------------------------------------------------------------ changes

void Quicklist::push(ListEnd end, const ListValue& v, size_t packed_threshold) {
  const bool after = end == ListEnd::kTail;
  Node* const at = after ? tail_ : head_;
  if (room_in(at, v.text.size, packed_threshold)) [[likely]] {
    Listpack lp(at->data);
    // More are likely to follow; what is left over in the end goes when the node is full.
    if (const size_t grown = at->size + v.text.size + kElementOverhead; grown > mem_usable(at->data)) {
      lp.reserve(grown + grown / 8);
    }
    if (after) {
      lp.append(v.text);
    } else {
      lp.prepend(v.text);
    }
    changed(at, lp);
    at->count++;
    count_++;
    return;
  }
  // What is full will not grow again soon, and says how much room the next one will want.
  size_t room = 0;
  if (at != nullptr && !at->plain) {
    Listpack lp = open(at);
    lp.shrink();
    at->data = lp.data();
    if (nodes_ >= kManyNodes) room = std::min(at->size, kSafeBytes);
  }
  link(at, make_node(v, large(v.text.size, packed_threshold), room), after);
  settle(at);
}

void Quicklist::append_listpack(Listpack lp) {
  Node* const old = tail_;
  link(old, make_packed(lp), true);
  settle(old);
}

void Quicklist::append_plain(StrBuf* buffer) {
  Node* const old = tail_;
  link(old, make_plain(buffer), true);
  settle(old);
}

void Quicklist::insert(const Place& at, bool after, const ListValue& v, size_t packed_threshold) {
  Node* const n = at.node;
  const bool at_edge = after ? at.offset == n->count - 1 : at.offset == 0;
  Node* const neighbour = after ? n->next : n->prev;
  if (large(v.text.size, packed_threshold)) {
    Node* const added = make_node(v, true);
    if (n->plain || at_edge) {
      link(n, added, after);
      settle(n);
    } else {
      Node* const rest = split(n, at.offset, after);
      count_ -= rest->count;
      link(n, added, after);
      link(added, rest, after);
      settle(n);
      settle(rest);
    }
    settle(added);
  } else if (room_in(n, v.text.size, packed_threshold)) {
    Listpack lp = open(n);
    if (after) {
      lp.insert_after(at.pos, v.text);
    } else {
      lp.insert_before(at.pos, v.text);
    }
    changed(n, lp);
    n->count++;
    count_++;
    settle(n);
  } else if (at_edge && room_in(neighbour, v.text.size, packed_threshold)) {
    Listpack lp = open(neighbour);
    if (after) {
      lp.prepend(v.text);
    } else {
      lp.append(v.text);
    }
    changed(neighbour, lp);
    neighbour->count++;
    count_++;
    settle(neighbour);
  } else if (at_edge) {
    Node* const added = make_node(v, false);
    link(n, added, after);
    settle(n);
    settle(added);
  } else {
    Node* const rest = split(n, at.offset, after);
    count_ -= rest->count;
    Listpack lp(rest->data);
    if (after) {
      lp.prepend(v.text);
    } else {
      lp.append(v.text);
    }
    changed(rest, lp);
    rest->count++;
    link(n, rest, after);
    settle(rest);
    settle(merge_around(n));
  }
}

void Quicklist::replace(const Place& at, const ListValue& v, size_t packed_threshold) {
  Node* const n = at.node;
  const bool is_large = large(v.text.size, packed_threshold);
  if (!n->plain && !is_large) {
    Listpack lp = open(n);
    lp.replace(at.pos, v.text);
    changed(n, lp);
    settle(n);
    return;
  }
  if (n->plain) {
    if (is_large) {
      Node* const added = make_node(v, true);
      link(n, added, true);
      unlink_and_free(n);
      settle(added);
    } else {
      insert(at, true, v, packed_threshold);
      unlink_and_free(n);
    }
    return;
  }
  // A large element in the place of one of several: the node is cut behind it.
  Node* rest = nullptr;
  if (at.offset != n->count - 1) {
    rest = split(n, at.offset, true);
    count_ -= rest->count;
  }
  Node* added = make_node(v, true);
  link(n, added, true);
  if (rest != nullptr) link(added, rest, true);
  if (n->count == 1) {
    unlink_and_free(n);
  } else {
    erase_in(n, open(n).last(), 1);
    added = merge_around(added);
    settle(added->prev);
    if (added->next != nullptr) settle(added->next);
  }
  settle(added);
}

void Quicklist::erase(size_t start, size_t count) {
  if (start >= count_) return;
  count = std::min(count, count_ - start);
  size_t offset;
  Node* n = locate(start, &offset);
  while (count > 0) {
    Node* const next = n->next;
    const size_t here = std::min(count, n->count - offset);
    if (here == n->count) {
      unlink_and_free(n);
    } else {
      erase_in(n, open(n).at(static_cast<int64_t>(offset)), here);
      settle(n);
    }
    count -= here;
    offset = 0;
    n = next;
  }
}

size_t Quicklist::remove_in(Node* n, const ListpackNeedle& needle, size_t limit, bool last_ones) {
  if (n->plain && n->size != needle.text().size) return 0;
  // Where nothing is found a compressed node stays as it is.
  Node open = *n;
  if (n->compressed) {
    open.data = unpacked(n);
    open.compressed = false;
  }
  Listpack lp(open.data);
  const bool found =
      n->plain ? image(&open) == needle.text() : lp.find(lp.first(), needle) != Listpack::kNone;
  if (!found) {
    if (n->compressed) release(open);
    return 0;
  }
  if (n->compressed) release(*n);
  n->data = open.data;
  n->compressed = false;
  if (n->plain) {
    unlink_and_free(n);
    return 1;
  }
  const size_t removed = lp.erase_equal(needle, limit, last_ones);
  changed(n, lp);
  n->count -= static_cast<uint32_t>(removed);
  count_ -= removed;
  n->count == 0 ? unlink_and_free(n) : settle(n);
  return removed;
}

size_t Quicklist::remove(Slice text, size_t limit, ListEnd from) {
  const ListpackNeedle needle(text);
  const bool forward = from == ListEnd::kHead;
  size_t removed = 0;
  for (Node* n = forward ? head_ : tail_; n != nullptr && (limit == 0 || removed < limit);) {
    Node* const following = forward ? n->next : n->prev;
    removed += remove_in(n, needle, limit == 0 ? 0 : limit - removed, !forward);
    n = following;
  }
  return removed;
}

// ------------------------------------------------------------------ reading

Quicklist::Node* Quicklist::locate(size_t index, size_t* offset) const {
  Node* n;
  if (index < count_ / 2) {
    for (n = head_; index >= n->count; n = n->next) index -= n->count;
    *offset = index;
    return n;
  }
  n = tail_;
  size_t start = count_ - n->count;
  while (index < start) {
    n = n->prev;
    start -= n->count;
  }
  *offset = index - start;
  return n;
}

QuicklistReader::QuicklistReader(const Quicklist& list, size_t index, ListEnd towards)
    : forward_(towards == ListEnd::kTail) {
  if (index >= list.count_) return;
  size_t offset;
  open(list.locate(index, &offset));
  at_.offset = offset;
  if (!at_.node->plain) at_.pos = Listpack(data_).at(static_cast<int64_t>(offset));
}

void QuicklistReader::close() {
  if (own_ == nullptr) return;
  if (own_plain_) {
    static_cast<StrBuf*>(own_)->release();
  } else {
    mem_free(own_);
  }
  own_ = nullptr;
}

void QuicklistReader::open(Quicklist::Node* n) {
  close();
  at_ = {n, 0, Listpack::kNone};
  if (n == nullptr) return;
  data_ = n->data;
  if (n->compressed) {
    data_ = own_ = Quicklist::unpacked(n);
    own_plain_ = n->plain;
  }
  if (!forward_) at_.offset = n->count - 1;
  if (!n->plain) at_.pos = forward_ ? Listpack(data_).first() : Listpack(data_).last();
}

bool QuicklistReader::next() {
  Quicklist::Node* const n = at_.node;
  if (!started_ || n == nullptr) {
    started_ = true;
    return n != nullptr;
  }
  if (!n->plain) {
    const Listpack lp(data_);
    at_.pos = forward_ ? lp.next(at_.pos) : lp.prev(at_.pos);
    at_.offset += forward_ ? 1 : SIZE_MAX;
    if (at_.pos != Listpack::kNone) return true;
  }
  open(forward_ ? n->next : n->prev);
  return at_.node != nullptr;
}

ListItem QuicklistReader::item() const {
  ListItem item;
  if (at_.node->plain) {
    item.buffer = static_cast<StrBuf*>(data_);
    item.text = item.buffer->slice();
  } else {
    static_cast<ListpackItem&>(item) = Listpack(data_).get(at_.pos);
  }
  return item;
}

bool QuicklistReader::equals(const ListpackNeedle& needle) const {
  return at_.node->plain ? static_cast<StrBuf*>(data_)->slice() == needle.text()
                         : Listpack(data_).equals(at_.pos, needle);
}

}  // namespace kvasir
