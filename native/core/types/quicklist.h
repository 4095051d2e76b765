// Quicklist: a long list as a chain of nodes, each a listpack with a bounded number of bytes or elements, or
// one large element by itself ("plain").
//
// How nodes fill, split and merge follows Valkey step by step, since it shows: a list becomes a listpack
// again when a single packed node is left (types/list.h). The limits are those of the moment at which the
// quicklist was made.
//
// With a compression depth d, the first and the last d nodes are as they are, and those between are LZF where
// that makes them smaller. Reading unpacks into the reader's own memory and changes nothing, so that a list
// may be read from several places; a change unpacks the node, and settle() packs it again.
//
// A large element is a StrBuf: it is taken over from the request it came in, and replies refer to it.
//
// Invariants: every node has elements; count_ is their sum; a node's `size` is its unpacked size, and that of
// the listpack while it is not compressed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/slice.h"
#include "base/strbuf.h"
#include "types/listpack.h"
#include "types/type.h"

namespace kvasir {

// An element that is read. The text is valid until the list changes or its reader goes on.
struct ListItem : ListpackItem {
  StrBuf* buffer = nullptr;  // holds the text, if it is a large one
};

// An element to be stored. With a buffer, the text is all of the buffer's bytes; a reference is taken if the
// element is large.
struct ListValue {
  Slice text;
  StrBuf* buffer = nullptr;
};

enum class ListEnd : uint8_t { kHead, kTail };

// What a node, or a list that is one listpack, may hold (list-max-listpack-size).
struct ListNodeLimit {
  size_t bytes;
  size_t count;
  // The limit that a setting means: either is SIZE_MAX then.
  static ListNodeLimit of(int64_t fill);
  [[nodiscard]] bool exceeded(size_t bytes, size_t count) const;
};

class Quicklist {
 public:
  struct Node {
    Node* prev;
    Node* next;
    void* data;  // listpack, StrBuf (plain) or Packed (compressed)
    size_t size;
    uint32_t count;
    bool plain : 1;
    bool compressed : 1;
    bool incompressible : 1;  // tried since its last change
  };
  // An element: its node, its index in it, and its position in the (unpacked) listpack.
  struct Place {
    Node* node = nullptr;
    size_t offset = 0;
    Listpack::Pos pos = Listpack::kNone;
  };

  static Quicklist* make(const EncodingLimits& limits);
  static void destroy(Quicklist* q);
  [[nodiscard]] Quicklist* duplicate() const;

  [[nodiscard]] size_t size() const { return count_; }
  [[nodiscard]] size_t nodes() const { return nodes_; }
  [[nodiscard]] int fill() const { return fill_; }
  [[nodiscard]] bool compresses() const { return depth_ != 0; }
  [[nodiscard]] size_t bytes(size_t samples) const;
  // Calls each(plain, bytes, size) for every node: the bytes of its element or its listpack, and how many
  // these are. Where the first are fewer than the second they are LZF.
  template <class F>
  void for_each_node(F&& each) const {
    for (const Node* n = head_; n != nullptr; n = n->next) {
      const auto* packed = static_cast<const Packed*>(n->data);
      each(n->plain, n->compressed ? Slice(packed->bytes, packed->size) : image(n), n->size);
    }
  }
  // Bytes of all nodes unpacked (DEBUG OBJECT).
  [[nodiscard]] size_t unpacked_bytes() const;

  // packed_threshold: see EncodingLimits::list_packed_threshold. The text is not one of this list's own.
  void push(ListEnd end, const ListValue& v, size_t packed_threshold);
  // Adds a listpack with elements as the last node; takes it over.
  void append_listpack(Listpack lp);
  // Adds a plain node at the end, whatever the size; takes a reference of the buffer over.
  void append_plain(StrBuf* buffer);
  void insert(const Place& at, bool after, const ListValue& v, size_t packed_threshold);
  void replace(const Place& at, const ListValue& v, size_t packed_threshold);
  // Removes elements from `start` (0 or more) on.
  void erase(size_t start, size_t count);
  // Removes elements that read as `text`, at most `limit` (0: all), from the head or from the tail on.
  size_t remove(Slice text, size_t limit, ListEnd from);
  // The listpack of the only node if it is packed and within these limits: it is the caller's, and the
  // quicklist is destroyed. nullptr: nothing happened.
  static void* dissolve(Quicklist* q, const ListNodeLimit& limit);

 private:
  friend class QuicklistReader;
  struct Packed {  // a node's LZF bytes
    size_t size;
    char bytes[];
  };

  [[nodiscard]] bool large(size_t size, size_t packed_threshold) const;
  [[nodiscard]] bool room_in(const Node* n, size_t size, size_t packed_threshold) const;
  [[nodiscard]] bool mergeable(const Node* a, const Node* b) const;
  // A node with this one element, not in the list yet; a packed one with room for so many bytes in all.
  static Node* make_node(const ListValue& v, bool plain, size_t room = 0);
  static Node* make_packed(Listpack lp);
  static Node* make_plain(StrBuf* buffer);
  static void free_node(Node* n);
  // Frees what a node holds.
  static void release(const Node& n);
  void link(Node* beside, Node* n, bool after);
  void unlink_and_free(Node* n);
  // Splits a packed node: the new one, not linked, has what comes after the element at `offset`, or what
  // comes before it.
  static Node* split(Node* n, size_t offset, bool after);
  Node* merge(Node* a, Node* b);
  Node* merge_around(Node* center);
  // The node of an element and its index there. Precondition: index < size().
  [[nodiscard]] Node* locate(size_t index, size_t* offset) const;
  // Restores a node's bytes from what compression made of them: a listpack or a StrBuf, the caller's.
  static void* unpacked(const Node* n);
  // remove() in one node, which may go.
  size_t remove_in(Node* n, const ListpackNeedle& needle, size_t limit, bool last_ones);
  // Removes elements of one packed node; the node may go.
  void erase_in(Node* n, Listpack::Pos pos, size_t count);

  // The listpack of a packed node, unpacked, for a change; changed() ends it.
  static Listpack open(Node* n);
  static void changed(Node* n, Listpack lp);
  static void unpack(Node* n);
  static void pack(Node* n);
  // The bytes of a node that is not compressed.
  static Slice image(const Node* n);
  // Restores what compression asks for, after `n` was changed or added (nullptr: after a node went).
  void settle(Node* n);

  Node* head_ = nullptr;
  Node* tail_ = nullptr;
  size_t count_ = 0;
  uint32_t nodes_ = 0;
  int16_t fill_;
  uint16_t depth_;
};

// Goes through the elements from an index towards the tail or the head, while the list does not change. What
// it gives is valid until it goes on.
class QuicklistReader {
 public:
  // towards kTail: forwards. From an index that is not there it gives nothing.
  QuicklistReader(const Quicklist& list, size_t index, ListEnd towards);
  ~QuicklistReader() { close(); }
  QuicklistReader(const QuicklistReader&) = delete;
  QuicklistReader& operator=(const QuicklistReader&) = delete;

  // Goes to the first element, then to the following ones; false: there is none.
  bool next();
  // Towards the tail, in place of next() and item(): the next element, decoded while it is passed.
  bool take(ListItem* item) {
    if (at_.node != nullptr && at_.offset == at_.node->count) open(at_.node->next);
    if (at_.node == nullptr) return false;
    at_.offset++;
    if (at_.node->plain) {
      *item = this->item();
    } else {
      static_cast<ListpackItem&>(*item) = Listpack(data_).take(&at_.pos);
      item->buffer = nullptr;
    }
    return true;
  }
  // Of the element it is at.
  [[nodiscard]] ListItem item() const;
  [[nodiscard]] bool equals(const ListpackNeedle& needle) const;
  [[nodiscard]] const Quicklist::Place& place() const { return at_; }

 private:
  void open(Quicklist::Node* n);
  void close();

  Quicklist::Place at_;
  bool forward_;
  bool started_ = false;
  void* data_ = nullptr;  // what the node holds, unpacked
  void* own_ = nullptr;   // the same if we unpacked it
  bool own_plain_ = false;
};

}  // namespace kvasir
