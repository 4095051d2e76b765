// Streams: entries with rising ids, in nodes (types/stream_node.h) found by id (types/stream_nodes.h), and
// the consumer groups that read them (types/stream_group.h).
//
// A stream may be empty and stay. How nodes fill and go is Valkey's, since DUMP shows it: an entry is added
// to the last node unless that has stream-node-max-entries entries, deleted ones counted, or the entry would
// take it to stream-node-max-bytes; a node goes when its last live entry is deleted, and when trimming takes
// all of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "types/stream_group.h"
#include "types/stream_node.h"
#include "types/stream_nodes.h"
#include "types/type.h"

namespace kvasir {

extern const CollectionOps kStreamOps;

// What is to go from the beginning of a stream.
struct StreamTrim {
  enum class By : uint8_t { kNothing, kLength, kId };
  By by = By::kNothing;
  bool whole_nodes = false;  // "~": leaves what would mean to open a node
  uint64_t length = 0;       // kLength: so many entries stay
  StreamId least;            // kId: entries below it go
  uint64_t limit = 0;        // goes on to no node that would take it beyond so many entries; 0: none
};

class Stream {
 public:
  static Collection make();
  static Stream& of(const Collection& c) { return *static_cast<Stream*>(c.data); }

  Stream() = default;
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  [[nodiscard]] Stream* duplicate() const;
  [[nodiscard]] size_t free_effort() const;
  [[nodiscard]] size_t bytes(size_t samples) const;

  // --- entries ---
  // More text than this does not fit into a node.
  static constexpr size_t kMaxText = size_t{1} << 30;
  // The id that an entry gets by itself: the time, or what follows the last one. False: there is none left.
  bool next_id(int64_t now_ms, StreamId* id) const;
  // Adds an entry of fields and values in turn; id > last_id. False: more than kMaxText bytes.
  bool append(const StreamId& id, std::span<const Slice> data, const EncodingLimits& limits);
  // False: there is no live entry with that id.
  bool erase(const StreamId& id);
  // How many entries have gone.
  uint64_t trim(const StreamTrim& rule);
  [[nodiscard]] bool contains(const StreamId& id) const;
  // Of the last live entry, 0-0 if there is none; of the first one in the nodes, live or not, the greatest id
  // if there are no nodes.
  [[nodiscard]] StreamId last_live() const;
  [[nodiscard]] StreamId first_stored() const;

  // --- for loading ---
  // Takes a valid node; false: one with that id is there.
  bool load_node(const StreamId& id, const Listpack& lp) { return nodes_.insert(id, lp); }
  // Sets first_id from the entries: after they were loaded, and when the first one has gone.
  void find_first();

  [[nodiscard]] const StreamNodes& nodes() const { return nodes_; }

  // --- groups; nullptr: there is none, or there is one already ---
  [[nodiscard]] size_t group_count() const { return groups_ == nullptr ? 0 : groups_->size(); }
  [[nodiscard]] StreamGroups::Place first_group() const {
    return groups_ == nullptr ? StreamGroups::Place() : groups_->first();
  }
  [[nodiscard]] StreamGroup* group(Slice name) const;
  StreamGroup* add_group(Slice name, const StreamId& last_id, int64_t entries_read);
  void remove_group(StreamGroup* g);

  // --- counting what was read ---
  // Whether entries from `from` on were deleted one by one, so that ids cannot be counted from there.
  [[nodiscard]] bool deleted_from(const StreamId& from) const;
  // How many entries had been added when the one with that id was; StreamGroup::kUnknown.
  [[nodiscard]] int64_t estimate_read(const StreamId& id) const;
  // Entries that the group has still to read; false: not known.
  bool lag(const StreamGroup& g, int64_t* entries) const;
  // The group has read on to an entry behind its last_id.
  void advance(StreamGroup* g, const StreamId& id) const;

  uint64_t length = 0;
  StreamId first_id;           // of the first live entry; 0-0 if there is none
  StreamId last_id;            // the highest that was given
  StreamId max_deleted_id;     // the highest that was deleted by itself
  uint64_t entries_added = 0;  // ever

 private:
  friend class StreamReader;
  // Deletes entries of the first node from its beginning on; how many.
  uint64_t trim_node(const StreamNodes::Place& place, const StreamTrim& rule);
  // StreamNode::mark_deleted().
  StreamEntry mark_deleted(StreamNode* node, Listpack* lp, const StreamEntry& e);
  // The entry from which on the first node may have live ones.
  [[nodiscard]] StreamEntry front(const StreamNodes::Place& place, const StreamNode& node) const;
  void free_node(const StreamNodes::Place& place);
  void insert_group(StreamGroup* g);

  // Where exact trimming goes on: in that node, which is the first, all entries before the one at `at` are
  // deleted. `begin` was where entries began: a head that has changed its size has moved them.
  struct Front {
    StreamId node;
    Listpack::Pos at = Listpack::kNone;  // kNone: not known
    Listpack::Pos begin = Listpack::kNone;
  };

  StreamNodes nodes_;
  StreamGroups* groups_ = nullptr;  // since the first one
  Front front_;
};

// Goes through the live entries between two ids, both included, in either direction, while the stream does
// not change.
class StreamReader {
 public:
  StreamReader(const Stream& stream, const StreamId& from, const StreamId& to, bool backwards = false);

  // Goes to the first entry, then to the following ones; false: there is none.
  bool next();
  // Of the entry it is at.
  [[nodiscard]] const StreamId& id() const { return entry_.id; }
  [[nodiscard]] uint64_t fields() const { return entry_.fields; }
  // Calls f(field, value), both ListpackItem, for each pair.
  template <class F>
  void for_each_field(F&& f) const {
    node_.for_each_field(entry_, f);
  }

 private:
  StreamId from_, to_;
  StreamNodes::Place place_;
  StreamNode node_;
  StreamEntry entry_;
  bool backwards_;
  bool started_ = false;
};

}  // namespace kvasir
