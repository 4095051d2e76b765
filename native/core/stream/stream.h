// The propagation stream: every change of the data set, encoded once as the RESP commands that reproduce it,
// in blocks that all its readers share - the AOF, replicas and the backlog, slot migrations. Each reader has
// a position of its own and holds the blocks from there on; a block that no reader needs is freed.
//
// Offsets count bytes from the start of the server's stream and never go back. Without readers nothing is
// encoded: active() says so, and handlers skip preparing what would be thrown away.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/slice.h"

namespace kvasir {

class PropagationStream {
 public:
  class Reader;

  PropagationStream() = default;
  ~PropagationStream();
  PropagationStream(const PropagationStream&) = delete;
  PropagationStream& operator=(const PropagationStream&) = delete;

  [[nodiscard]] bool active() const { return readers_ > 0; }
  [[nodiscard]] uint32_t readers() const { return readers_; }
  // Bytes appended so far.
  [[nodiscard]] uint64_t offset() const { return offset_; }
  // Bytes in blocks that readers still hold.
  [[nodiscard]] size_t held_bytes() const { return held_bytes_; }

  // Appends one command that runs in database db, with a SELECT before it when the stream was in another one;
  // -1: one to which databases do not matter, as MULTI and EXEC.
  // Returns where the command itself begins.
  uint64_t append(int db, std::span<const Slice> argv);
  // The database of what was appended last; -1: a SELECT comes next.
  [[nodiscard]] int database() const { return db_; }
  // Forces a SELECT before the next command: a reader joined that knows of no database yet.
  void forget_db() { db_ = -1; }

 private:
  // Filled from the front; `refs` counts the readers standing in it and the block before it.
  struct Block {
    Block* next;
    uint64_t start;  // offset of data[0]
    uint32_t used;
    uint32_t cap;
    uint32_t refs;
    char data[1];
  };
  static constexpr uint32_t kBlockBytes = 16 * 1024;

  void write(const char* p, size_t n);
  void write_header(char type, size_t n);
  void write_bulk(Slice s);
  Block* grow(size_t n);
  void release(Block* b);

  Block* tail_ = nullptr;  // where bytes are appended; held by a reference of its own while there are readers
  uint64_t offset_ = 0;
  size_t held_bytes_ = 0;
  int db_ = -1;
  uint32_t readers_ = 0;
};

// A reader stands at the stream's end when it is made and sees everything appended from then on.
class PropagationStream::Reader {
 public:
  explicit Reader(PropagationStream* stream);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  [[nodiscard]] uint64_t offset() const { return offset_; }
  [[nodiscard]] uint64_t pending() const { return stream_->offset_ - offset_; }
  // Fills at most max iovecs with the bytes from the reader's position on, or from `skip` bytes behind it,
  // and with no more than `most` bytes; they stay valid until consume(). Precondition: skip <= pending().
  int peek(iovec* iov, int max, uint64_t skip = 0, uint64_t most = UINT64_MAX) const;
  void consume(uint64_t n);

 private:
  PropagationStream* stream_;
  Block* block_;
  uint64_t offset_;
};

}  // namespace kvasir
