// A node of a stream: a listpack with the entries of one stretch of ids. Byte for byte as Valkey's, since
// DUMP and RDB carry nodes as they are.
//
//   head    live, deleted, fields, field 1 ... field n, 0
//   entry   flags, ms, seq, [fields,] data ..., elements
//
// ms and seq are the differences to the node's id, which is that of its first entry. With the flag
// same-fields the entry has the fields of the head and its data are values; else its data are fields and
// values in turn, and their number stands before. `elements` says how many listpack elements stand between
// the entry's beginning and itself: who comes from behind goes back by it, and ends at the head's 0. A
// deleted entry stays with a flag; a node whose last entry is deleted goes as a whole (types/stream.h).
//
// The ids of live entries rise; those of deleted ones need not, since XSETID may take a stream's last id
// back.
//
// A StreamNode reads a listpack that it does not own; positions are those of the listpack.
#pragma once

#include <cstdint>
#include <span>

#include "types/listpack.h"
#include "types/stream_id.h"

namespace kvasir {

struct StreamEntry {
  StreamId id;
  Listpack::Pos at = Listpack::kNone;    // of its flags
  Listpack::Pos data = Listpack::kNone;  // of its first field or, with same_fields, its first value
  uint64_t fields = 0;
  bool deleted = false;
  bool same_fields = false;

  explicit operator bool() const { return at != Listpack::kNone; }
};

class StreamNode {
 public:
  using Pos = Listpack::Pos;

  StreamNode() : lp_(nullptr) {}
  StreamNode(const Listpack& lp, const StreamId& id);

  [[nodiscard]] const Listpack& listpack() const { return lp_; }
  [[nodiscard]] int64_t live() const { return live_; }
  [[nodiscard]] int64_t deleted() const { return deleted_; }

  // Where the first entry is.
  [[nodiscard]] Pos begin() const { return lp_.skip(fields_at_, static_cast<uint64_t>(fields_) + 1); }
  // Entries, deleted ones included; one without a place means that there is none. At a position, which must
  // be an entry's or the end.
  [[nodiscard]] StreamEntry entry(Pos at) const;
  [[nodiscard]] StreamEntry first() const { return entry(begin()); }
  [[nodiscard]] StreamEntry last() const { return before(lp_.end_pos()); }
  [[nodiscard]] StreamEntry next(const StreamEntry& e) const { return entry(behind(e)); }
  [[nodiscard]] StreamEntry prev(const StreamEntry& e) const { return before(e.at); }
  // The first live entry that is not below the id, or the last one that is not above it. Searched from the
  // end that is nearer to it.
  [[nodiscard]] StreamEntry at_or_after(const StreamId& id) const;
  [[nodiscard]] StreamEntry at_or_before(const StreamId& id) const;
  // The first live entry from `e` on, towards the end or the beginning.
  [[nodiscard]] StreamEntry skip_deleted(StreamEntry e) const {
    while (e && e.deleted) e = next(e);
    return e;
  }
  [[nodiscard]] StreamEntry skip_deleted_back(StreamEntry e) const {
    while (e && e.deleted) e = prev(e);
    return e;
  }

  // Calls f(field, value), both ListpackItem, for each pair of the entry.
  template <class F>
  void for_each_field(const StreamEntry& e, F&& f) const {
    Pos field = fields_at_;
    Pos at = e.data;
    for (uint64_t n = e.fields; n > 0; n--) {
      const ListpackItem name = lp_.take(e.same_fields ? &field : &at);
      const ListpackItem value = lp_.take(&at);
      f(name, value);
    }
  }

  // Adds a live entry with fields and values in turn, and counts it. Room is made for as much as twice what
  // there was, but not for more than `limit` bytes or what `max_entries` entries (0: no limit) like those
  // that are there take.
  void append(Listpack* lp, const StreamId& id, std::span<const Slice> data, size_t limit,
              int64_t max_entries);
  // Flags an entry as deleted, which may move the listpack; the next entry. The head's numbers stay as they
  // are until set_counts().
  StreamEntry mark_deleted(Listpack* lp, const StreamEntry& e);

  // --- changing a listpack, which may move: StreamNodes of it become invalid ---
  // A listpack with the head that entries with these fields (every other of `data`) want, and with room for
  // `capacity` bytes.
  static Listpack make(std::span<const Slice> data, size_t capacity);
  static void set_counts(Listpack* lp, int64_t live, int64_t deleted);

  // Whether bytes from outside are a node: a valid listpack whose entries agree with its head. *live: how
  // many entries are not deleted.
  static bool valid(Slice image, uint64_t* live);

 private:
  enum Flag : int64_t { kDeleted = 1, kSameFields = 2 };

  [[nodiscard]] static int64_t number(const ListpackItem& item);
  [[nodiscard]] int64_t take_number(Pos* at) const { return number(lp_.take(at)); }
  // The entry that ends before a position.
  [[nodiscard]] StreamEntry before(Pos end) const;
  [[nodiscard]] Pos behind(const StreamEntry& e) const {
    return lp_.skip(e.data, (e.same_fields ? e.fields : 2 * e.fields) + 1);
  }
  // Whether an id is nearer to the node's last entry than to its first.
  [[nodiscard]] bool late(const StreamId& id) const;

  Listpack lp_;
  StreamId id_;
  int64_t live_ = 0;
  int64_t deleted_ = 0;
  int64_t fields_ = 0;
  Pos fields_at_ = Listpack::kNone;
};

}  // namespace kvasir
