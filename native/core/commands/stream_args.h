// What the stream commands share: reading their arguments, finding streams and groups, replying with entries,
// and what they hand to replicas.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "commands/core.h"
#include "types/stream.h"

namespace kvasir {

// --- ids; each: false means that an error was replied ---
// `ms-seq`, or `ms` with a number that is given. Like the original, it ends at a NUL.
bool parse_stream_id(const Slice& text, uint64_t missing_seq, StreamId* id);
bool parse_stream_id(const Call& call, int arg, StreamId* id, uint64_t missing_seq = 0);
// The same, and `-` and `+` for the least and the greatest.
bool parse_stream_bound(const Call& call, int arg, StreamId* id, uint64_t missing_seq);
// Bounds of an interval, which "(" leaves out.
bool parse_interval_start(const Call& call, int arg, StreamId* id);
bool parse_interval_end(const Call& call, int arg, StreamId* id);
// `ms-*`, too: *seq_given is false then.
bool parse_new_stream_id(const Call& call, int arg, StreamId* id, bool* seq_given);
// Whether the argument is this one character, or what a C string would show of it is.
bool is_sign(const Slice& arg, char sign);

bool parse_number(const Call& call, int arg, int64_t* n);

// A few on the stack, many on the heap.
template <class T>
class FewOrMany {
 public:
  explicit FewOrMany(size_t n) : size_(n) {
    if (n > few_.size()) many_.resize(n);
  }
  T& operator[](size_t i) { return data()[i]; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }

 private:
  T* data() { return size_ > few_.size() ? many_.data() : few_.data(); }
  size_t size_;
  std::array<T, 8> few_{};
  std::vector<T> many_;
};
using StreamIds = FewOrMany<StreamId>;
// The ids from argument `first` to the last one.
bool parse_stream_ids(const Call& call, int first, StreamIds* ids);

// --- streams ---
struct FoundStream {
  Stream* stream = nullptr;
  bool wrong = false;  // of another type: the error was replied
  explicit operator bool() const { return stream != nullptr; }
  Stream* operator->() const { return stream; }
};
FoundStream read_stream(const Call& call, int key_arg);
FoundStream write_stream(const Call& call, int key_arg);
// The group that arguments name, of a stream that is read or was found; nullptr: an error was replied.
StreamGroup* read_group(const Call& call, int key_arg, int group_arg, Stream** stream);
StreamGroup* find_group(const Call& call, const Entry* e, int key_arg, int group_arg, Stream** stream);

// --- replies ---
void reply_id(const Call& call, const StreamId& id);
// The entry that the reader is at: its id and an array of fields and values.
void reply_entry(const Call& call, const StreamReader& reader);
// Entries of an interval as an array; count 0: all.
void reply_entries(const Call& call, const Stream& s, const StreamId& from, const StreamId& to,
                   uint64_t count, bool backwards = false);
void subcommand_syntax_error(const Call& call, const char* container);

// --- consumers ---
// Creates the consumer if it is not there, with its event, and notes that it was seen.
Consumer* seen_consumer(const Call& call, Slice key, StreamGroup* g, Slice name, bool* created = nullptr);
// The pending entry as replicas shall have it: XCLAIM with all that it says.
void propagate_claim(const Call& call, Slice key, const StreamGroup& g, Slice id, const PendingEntry& p);
// How far the group has read: XGROUP SETID.
void propagate_group_id(const Call& call, Slice key, const StreamGroup& g);

}  // namespace kvasir
