// What a connection still has to send, as a list of byte ranges that `sendmsg` takes as they are.
//
// A range is one of three kinds:
//   turn   bytes in the ReplyArena of the running turn. Most replies are written there and sent from there at
//   the
//          end of the turn; the commands of one client run one after the other, so its ranges merge into one.
//   owned  bytes in a block of this output: what the socket did not take at the end of the turn is moved
//   here. ref    bytes of a StrBuf of the keyspace, held by a reference: a long value is never copied
//   (zero-copy
//          reply). Overwriting the key meanwhile replaces the key's buffer and leaves ours alone.
//
// Invariant: outside a turn no range is of kind `turn` (Output::settle saw to it before the arena was reset).
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/slice.h"
#include "base/strbuf.h"

namespace kvasir {

// Bump memory for the replies of one turn. The first chunk is kept for ever, so that its lines stay in cache;
// a few more are kept for the next turn that needs them.
class ReplyArena {
 public:
  ReplyArena();
  ~ReplyArena();
  ReplyArena(const ReplyArena&) = delete;
  ReplyArena& operator=(const ReplyArena&) = delete;

  // Strings at least this long that live in a StrBuf are referenced instead of copied into the arena; 0:
  // never (min-string-size-avoid-copy-reply).
  size_t reference_from = 16384;

  // A place for n contiguous bytes; commit() says how many of them were used.
  char* reserve(size_t n) {
    if (static_cast<size_t>(end_ - cur_) < n) next_chunk(n);
    return cur_;
  }
  void commit(size_t n) { cur_ += n; }
  [[nodiscard]] const char* position() const { return cur_; }
  // Memory of the same turn for what several outputs refer to. It lies apart from the replies, so that what
  // one output gets of it in a row is one range.
  ReplyArena& shared() {
    if (!shared_) shared_ = std::make_unique<ReplyArena>();
    return *shared_;
  }
  // More was written than a first chunk holds: sending it now finds it in cache.
  [[nodiscard]] bool crowded() const { return current_ > 0 || (shared_ && shared_->crowded()); }
  // Start of a new turn: everything handed out becomes invalid.
  void reset();

 private:
  struct Chunk {
    char* data;
    size_t size;
  };
  void next_chunk(size_t n);
  std::vector<Chunk> chunks_;
  size_t current_ = 0;  // the chunk in use; those behind it are empty
  char* cur_ = nullptr;
  char* end_ = nullptr;
  std::unique_ptr<ReplyArena> shared_;
};

class Output {
 public:
  Output() = default;
  ~Output() { clear(); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Bytes that were just committed to the arena at p.
  void add_turn(const char* p, size_t n) {
    bytes_ += n;
    turn_bytes_ += n;
    if (!ranges_.empty()) {
      Range& last = ranges_.back();
      if (last.kind == Kind::kTurn && last.data + last.size == p) {
        last.size += n;
        return;
      }
    }
    ranges_.push_back({p, n, Kind::kTurn, nullptr});
  }
  // Refers to [p, p+n) inside buf; takes a reference of its own.
  void add_ref(StrBuf* buf, const char* p, size_t n);
  // Takes over everything that stands in another output, behind what stands here.
  void splice(Output& from);
  // Copies bytes that live neither in the arena nor in a StrBuf.
  void add_copy(Slice bytes);

  [[nodiscard]] bool empty() const { return bytes_ == 0; }
  // Bytes not yet taken by the socket, all kinds.
  [[nodiscard]] size_t bytes() const { return bytes_; }
  // Bytes in blocks of its own (`owned`) and the number of those blocks.
  [[nodiscard]] size_t owned_bytes() const { return owned_bytes_; }
  [[nodiscard]] size_t blocks() const { return blocks_; }
  [[nodiscard]] size_t ref_bytes() const { return bytes_ - owned_bytes_ - turn_bytes_; }
  [[nodiscard]] size_t turn_bytes() const { return turn_bytes_; }
  // Memory held for this output beyond the running turn.
  [[nodiscard]] size_t memory() const { return block_memory_ + ranges_.capacity() * sizeof(Range); }

  // Fills at most max iovecs from the front; returns their number.
  int peek(iovec* iov, int max) const;
  // The socket took n bytes.
  void consume(size_t n);
  // Moves what is left in the arena to blocks of its own. Before ReplyArena::reset().
  void settle();
  void clear();

  // A position to come back to with insert_at: used for lengths that are known only after the elements.
  struct Mark {
    size_t range;
  };
  Mark mark();
  // Puts bytes (already in the arena, outside any range) at the mark.
  void fill(Mark m, const char* p, size_t n);

 private:
  enum class Kind : uint8_t { kTurn, kOwned, kRef };
  struct Block {
    uint32_t cap;
    uint32_t used;
    char data[1];
  };
  struct Range {
    const char* data;
    size_t size;
    Kind kind;
    void* owner;  // StrBuf* of a ref, Block* of an owned range
  };
  void append_owned(const char* p, size_t n);
  void release(Range& r);

  std::vector<Range> ranges_;
  size_t head_ = 0;  // ranges_[0, head_) are sent
  size_t bytes_ = 0;
  size_t turn_bytes_ = 0;
  size_t owned_bytes_ = 0;
  size_t block_memory_ = 0;
  uint32_t blocks_ = 0;
};

}  // namespace kvasir
