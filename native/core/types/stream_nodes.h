// The nodes of a stream, by the id of their first entry.
//
// The last node, to which entries are added, stands by itself: most streams have no other, and those that
// have need no search for it. The rest is a B+-tree. Nodes come at the end, except from an RDB or after an
// XSETID that took ids back, and mostly go at the front.
//
// XINFO STREAM tells how many nodes a radix tree over the same ids would have, as Valkey's does; that number
// is kept along.
#pragma once

#include <cstddef>
#include <cstdint>

#include "types/btree.h"
#include "types/listpack.h"
#include "types/stream_id.h"

namespace kvasir {

// For BTree: ids, with something that belongs to each.
template <class V>
struct StreamIdTraits {
  using Key = StreamId;
  using Value = V;
  using Probe = StreamId;
  static const StreamId& probe(const StreamId& id) { return id; }
  static bool below(const StreamId& a, const StreamId& b) { return wide(a) < wide(b); }
  static bool not_above(const StreamId& a, const StreamId& b) { return wide(a) <= wide(b); }

 private:
  static unsigned __int128 wide(const StreamId& id) {
    return static_cast<unsigned __int128>(id.ms) << 64 | id.seq;
  }
};

class StreamNodes {
  using Tree = BTree<StreamIdTraits<void*>>;

 public:
  // A node's place; valid until nodes come or go.
  class Place {
   public:
    Place() = default;
    explicit operator bool() const { return nodes_ != nullptr; }
    [[nodiscard]] const StreamId& id() const { return in_tree_ ? in_tree_.key() : nodes_->last_id_; }
    [[nodiscard]] Listpack listpack() const { return Listpack(in_tree_ ? in_tree_.value() : nodes_->last_); }
    void next() {
      if (in_tree_) {
        in_tree_.next();
      } else {
        nodes_ = nullptr;
      }
    }
    void prev() {
      if (in_tree_) {
        in_tree_.prev();
      } else {
        in_tree_ = nodes_->tree_.last();
      }
      if (!in_tree_) nodes_ = nullptr;
    }

   private:
    friend class StreamNodes;
    Place(const StreamNodes* nodes, const Tree::Place& in_tree) : nodes_(nodes), in_tree_(in_tree) {}
    const StreamNodes* nodes_ = nullptr;
    Tree::Place in_tree_;  // none: the last node
  };

  StreamNodes() = default;
  StreamNodes(const StreamNodes&) = delete;
  StreamNodes& operator=(const StreamNodes&) = delete;
  // Frees the listpacks.
  ~StreamNodes();

  [[nodiscard]] size_t size() const { return last_ == nullptr ? 0 : tree_.size() + 1; }
  // Memory of the index.
  [[nodiscard]] size_t bytes() const { return tree_.bytes(); }
  [[nodiscard]] size_t radix_nodes() const { return radix_nodes_; }

  [[nodiscard]] Place first() const { return {last_ == nullptr ? nullptr : this, tree_.first()}; }
  [[nodiscard]] Place last() const { return {last_ == nullptr ? nullptr : this, {}}; }
  // The last node that does not begin above the id.
  [[nodiscard]] Place at_or_before(const StreamId& id) const;

  // Takes the listpack as a new node; false: one with that id is there.
  bool insert(const StreamId& id, const Listpack& lp);
  // After a change of a node's listpack, which may have moved it.
  void set(const Place& node, const Listpack& lp);
  // Takes a node out; its listpack is the caller's.
  void erase(const Place& node);

 private:
  // How many nodes more a radix tree has with this id, which is not among ours.
  [[nodiscard]] size_t radix_cost(const StreamId& id) const;
  // Bit d is set where ids that have the first d bytes of this one, and not the next, are among ours.
  [[nodiscard]] unsigned branches(const StreamId& id) const;
  [[nodiscard]] Place after(const StreamId& id) const;
  [[nodiscard]] Place before(const StreamId& id) const;

  StreamId last_id_;
  void* last_ = nullptr;  // nullptr: there are no nodes
  Tree tree_;
  size_t radix_nodes_ = 1;
};

}  // namespace kvasir
