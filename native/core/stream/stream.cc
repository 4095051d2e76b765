#include "stream/stream.h"

#include <algorithm>

#include "base/alloc.h"
#include "base/numbers.h"

namespace kvasir {

PropagationStream::~PropagationStream() {
  if (tail_ != nullptr) release(tail_);
}

PropagationStream::Block* PropagationStream::grow(size_t n) {
  const size_t cap = std::clamp<size_t>(n, kBlockBytes, size_t{64} << 20);
  auto* b = static_cast<Block*>(mem_alloc(sizeof(Block) + cap));
  b->next = nullptr;
  b->start = offset_;
  b->used = 0;
  b->cap = static_cast<uint32_t>(cap);
  b->refs = 1;  // the stream's own, as its tail
  held_bytes_ += cap;
  if (tail_ != nullptr) {
    tail_->next = b;
    b->refs++;  // the block before it
    release(tail_);
  }
  tail_ = b;
  return b;
}

void PropagationStream::release(Block* b) {
  // Letting go of a block lets go of the one behind it, which may have waited only for that.
  while (b != nullptr && --b->refs == 0) {
    Block* next = b->next;
    held_bytes_ -= b->cap;
    mem_free(b);
    b = next;
  }
}

void PropagationStream::write(const char* p, size_t n) {
  while (n > 0) {
    if (tail_ == nullptr || tail_->used == tail_->cap) grow(n);
    const size_t take = std::min<size_t>(n, tail_->cap - tail_->used);
    memcpy(tail_->data + tail_->used, p, take);
    tail_->used += static_cast<uint32_t>(take);
    offset_ += take;
    p += take;
    n -= take;
  }
}

void PropagationStream::write_header(char type, size_t n) {
  char line[kInt64Chars + 3];
  write(line, format_length_line(line, type, n));
}

void PropagationStream::write_bulk(Slice s) {
  write_header('$', s.size);
  write(s.data, s.size);
  write("\r\n", 2);
}

uint64_t PropagationStream::append(int db, std::span<const Slice> argv) {
  if (!active()) return offset_;
  if (db >= 0 && db != db_) {
    db_ = db;
    char number[kInt64Chars];
    write_header('*', 2);
    write_bulk({"SELECT", 6});
    write_bulk({number, format_i64(number, db)});
  }
  const uint64_t begin = offset_;
  write_header('*', argv.size());
  for (const Slice& s : argv) write_bulk(s);
  return begin;
}

PropagationStream::Reader::Reader(PropagationStream* stream) : stream_(stream), offset_(stream->offset_) {
  stream_->readers_++;
  stream_->forget_db();
  if (stream_->tail_ == nullptr) stream_->grow(0);
  block_ = stream_->tail_;
  block_->refs++;
}

PropagationStream::Reader::~Reader() {
  stream_->release(block_);
  if (--stream_->readers_ == 0) {
    stream_->release(stream_->tail_);
    stream_->tail_ = nullptr;
  }
}

int PropagationStream::Reader::peek(iovec* iov, int max, uint64_t skip, uint64_t most) const {
  int n = 0;
  uint64_t at = offset_ + skip;
  for (Block* b = block_; b != nullptr && n < max && most > 0; b = b->next) {
    const uint64_t end = b->start + b->used;
    if (at >= end) continue;
    const auto from = static_cast<size_t>(at - b->start);
    const auto len = static_cast<size_t>(std::min<uint64_t>(end - at, most));
    iov[n].iov_base = b->data + from;
    iov[n].iov_len = len;
    n++;
    at += len;
    most -= len;
  }
  return n;
}

void PropagationStream::Reader::consume(uint64_t n) {
  offset_ += n;
  // A full block behind the position is let go; the tail is kept, since bytes will follow in it.
  while (block_->next != nullptr && offset_ >= block_->start + block_->used) {
    Block* next = block_->next;
    next->refs++;
    stream_->release(block_);
    block_ = next;
  }
}

}  // namespace kvasir
