#include "types/stream_nodes.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace kvasir {

StreamNodes::~StreamNodes() {
  for (Tree::Place p = tree_.first(); p; p.next()) mem_free(p.value());
  if (last_ != nullptr) mem_free(last_);
}

StreamNodes::Place StreamNodes::at_or_before(const StreamId& id) const {
  if (last_ == nullptr) return {};
  if (last_id_ <= id) return last();
  const Tree::Place p = tree_.at_or_before(id);
  return p ? Place(this, p) : Place();
}

bool StreamNodes::insert(const StreamId& id, const Listpack& lp) {
  if (last_ != nullptr && (id == last_id_ || tree_.find(id))) return false;
  radix_nodes_ += radix_cost(id);
  if (last_ != nullptr && id < last_id_) {
    tree_.insert(id, lp.data());
    return true;
  }
  if (last_ != nullptr) tree_.insert(last_id_, last_);
  last_id_ = id;
  last_ = lp.data();
  return true;
}

void StreamNodes::set(const Place& node, const Listpack& lp) {
  (node.in_tree_ ? node.in_tree_.value() : last_) = lp.data();
}

void StreamNodes::erase(const Place& node) {
  const StreamId id = node.id();
  if (node.in_tree_) {
    tree_.erase(id);
  } else if (const Tree::Place p = tree_.last()) {
    last_id_ = p.key();
    last_ = p.value();
    tree_.erase(last_id_);
  } else {
    last_ = nullptr;
  }
  radix_nodes_ -= radix_cost(id);
}

// ------------------------------------------------------------------ the radix tree that is not there
//
// It is the trie of the ids' 16 bytes in which a run of nodes with one child each is one node. So there is a
// node where ids part ("branch"), one at each id's end ("leaf"), and one more on each way from a branch to
// the branch or leaf below it that is longer than one byte. A new id parts from the nearest of the others at
// a depth where either others part already, or one of the ways is cut in two.

namespace {

constexpr int kDepth = StreamId::kBytes;

// How many bytes two different ids begin with alike.
int common(const StreamId& a, const StreamId& b) {
  const uint64_t ms = a.ms ^ b.ms;
  return ms != 0 ? std::countl_zero(ms) / 8 : 8 + std::countl_zero(a.seq ^ b.seq) / 8;
}

// The id with its bytes from a depth on all ones or zeros.
StreamId filled(StreamId id, int from, bool ones) {
  const auto fill = [ones](uint64_t v, int at) {
    const uint64_t rest = at >= 8 ? 0 : ~uint64_t{0} >> (8 * at);
    return ones ? v | rest : v & ~rest;
  };
  id.ms = fill(id.ms, from);
  id.seq = fill(id.seq, std::max(from - 8, 0));
  return id;
}

}  // namespace

StreamNodes::Place StreamNodes::after(const StreamId& id) const {
  StreamId next = id;
  if (last_ == nullptr || !next.increment() || last_id_ < next) return {};
  return {this, tree_.at_or_after(next)};
}

StreamNodes::Place StreamNodes::before(const StreamId& id) const {
  StreamId prev = id;
  return prev.decrement() ? at_or_before(prev) : Place();
}

unsigned StreamNodes::branches(const StreamId& id) const {
  unsigned depths = 0;
  for (Place p = after(id); p;) {
    const int depth = common(id, p.id());
    depths |= 1U << depth;
    p = after(filled(id, depth, true));
  }
  for (Place p = before(id); p;) {
    const int depth = common(id, p.id());
    depths |= 1U << depth;
    p = before(filled(id, depth, false));
  }
  return depths;
}

size_t StreamNodes::radix_cost(const StreamId& id) const {
  // What lies on a way of that many bytes behind its first one.
  const auto run = [](int bytes) { return bytes > 0 ? size_t{1} : size_t{0}; };
  const Place p = before(id);
  const Place q = after(id);
  if (!p && !q) return 1;  // the root that an empty tree has becomes the way to the leaf
  const int left = p ? common(p.id(), id) : -1;
  const int right = q ? common(id, q.id()) : -1;
  const int depth = std::max(left, right);
  const unsigned others = branches(left >= right ? p.id() : q.id());
  const size_t leaf = 1 + run(kDepth - depth - 1);
  if ((others >> depth & 1) != 0) return leaf;
  const unsigned above = others & ((1U << depth) - 1);
  const unsigned below = others >> depth;
  const int from = above == 0 ? -1 : std::bit_width(above) - 1;
  const int to = below == 0 ? kDepth : depth + std::countr_zero(below);
  return leaf + 1 + run(depth - from - 1) + run(to - depth - 1) - 1;
}

}  // namespace kvasir
