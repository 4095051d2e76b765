#include "resp/output.h"

#include <algorithm>

#include "base/alloc.h"

namespace kvasir {

namespace {
constexpr size_t kArenaChunk = 256 * 1024;
constexpr size_t kKeptChunks = 4;
constexpr size_t kMinBlock = 16 * 1024;  // as Valkey's reply block, so that limits and sizes compare
}  // namespace

ReplyArena::ReplyArena() {
  chunks_.push_back({static_cast<char*>(mem_alloc(kArenaChunk)), kArenaChunk});
  cur_ = chunks_[0].data;
  end_ = cur_ + kArenaChunk;
}

ReplyArena::~ReplyArena() {
  for (const Chunk& c : chunks_) mem_free(c.data);
}

void ReplyArena::next_chunk(size_t n) {
  current_++;
  if (n > kArenaChunk || current_ == chunks_.size()) {
    const size_t size = std::max(n, kArenaChunk);
    chunks_.insert(chunks_.begin() + static_cast<ptrdiff_t>(current_),
                   {static_cast<char*>(mem_alloc(size)), size});
  }
  cur_ = chunks_[current_].data;
  end_ = cur_ + chunks_[current_].size;
}

void ReplyArena::reset() {
  if (current_ > 0) {
    size_t kept = 1;
    for (size_t i = 1; i < chunks_.size(); i++) {
      if (chunks_[i].size == kArenaChunk && kept < kKeptChunks) {
        chunks_[kept++] = chunks_[i];
      } else {
        mem_free(chunks_[i].data);
      }
    }
    chunks_.resize(kept);
    current_ = 0;
  }
  cur_ = chunks_[0].data;
  end_ = cur_ + chunks_[0].size;
  if (shared_) shared_->reset();
}

void Output::add_ref(StrBuf* buf, const char* p, size_t n) {
  buf->retain();
  ranges_.push_back({p, n, Kind::kRef, buf});
  bytes_ += n;
}

void Output::add_copy(Slice s) {
  append_owned(s.data, s.size);
  bytes_ += s.size;
}

void Output::splice(Output& from) {
  ranges_.insert(ranges_.end(), from.ranges_.begin() + static_cast<ptrdiff_t>(from.head_),
                 from.ranges_.end());
  bytes_ += from.bytes_;
  turn_bytes_ += from.turn_bytes_;
  owned_bytes_ += from.owned_bytes_;
  block_memory_ += from.block_memory_;
  blocks_ += from.blocks_;
  from.ranges_.clear();
  from.head_ = 0;
  from.bytes_ = from.turn_bytes_ = from.owned_bytes_ = from.block_memory_ = 0;
  from.blocks_ = 0;
}

// Appends to the last block while it is the last range and has room, then to a new one.
void Output::append_owned(const char* p, size_t n) {
  owned_bytes_ += n;
  if (!ranges_.empty() && ranges_.back().kind == Kind::kOwned && head_ < ranges_.size()) {
    Range& last = ranges_.back();
    auto* block = static_cast<Block*>(last.owner);
    const size_t room = block->cap - block->used;
    const size_t take = n < room ? n : room;
    memcpy(block->data + block->used, p, take);
    block->used += static_cast<uint32_t>(take);
    last.size += take;
    p += take;
    n -= take;
  }
  while (n > 0) {
    constexpr size_t kMaxBlock = size_t{64} << 20;
    size_t cap = n < kMinBlock ? kMinBlock : n;
    if (cap > kMaxBlock) cap = kMaxBlock;
    const size_t take = n < cap ? n : cap;
    auto* block = static_cast<Block*>(mem_alloc(sizeof(Block) + cap));
    block->cap = static_cast<uint32_t>(cap);
    block->used = static_cast<uint32_t>(take);
    memcpy(block->data, p, take);
    ranges_.push_back({block->data, take, Kind::kOwned, block});
    block_memory_ += mem_usable(block);
    blocks_++;
    p += take;
    n -= take;
  }
}

int Output::peek(iovec* iov, int max) const {
  int n = 0;
  for (size_t i = head_; i < ranges_.size() && n < max; i++) {
    const Range& r = ranges_[i];
    if (r.size == 0) continue;
    iov[n].iov_base = const_cast<char*>(r.data);
    iov[n].iov_len = r.size;
    n++;
  }
  return n;
}

void Output::release(Range& r) {
  if (r.kind == Kind::kRef) {
    static_cast<StrBuf*>(r.owner)->release();
  } else if (r.kind == Kind::kOwned) {
    block_memory_ -= mem_usable(r.owner);
    blocks_--;
    mem_free(r.owner);
  }
  r.owner = nullptr;
}

void Output::consume(size_t n) {
  bytes_ -= n;
  while (head_ < ranges_.size()) {
    Range& r = ranges_[head_];
    const size_t take = n < r.size ? n : r.size;
    if (r.kind == Kind::kOwned) owned_bytes_ -= take;
    if (r.kind == Kind::kTurn) turn_bytes_ -= take;
    if (take < r.size) {
      r.data += take;
      r.size -= take;
      return;
    }
    n -= take;
    release(r);
    head_++;
  }
  ranges_.clear();
  head_ = 0;
  // A list that once was long is not kept for an idle connection.
  if (ranges_.capacity() > 64) ranges_.shrink_to_fit();
}

void Output::settle() {
  if (turn_bytes_ == 0) {
    if (bytes_ == 0 && !ranges_.empty()) clear();
    return;
  }
  std::vector<Range> old(ranges_.begin() + static_cast<ptrdiff_t>(head_), ranges_.end());
  ranges_.clear();
  head_ = 0;
  for (Range& r : old) {
    if (r.kind == Kind::kTurn) {
      append_owned(r.data, r.size);
    } else {
      ranges_.push_back(r);
    }
  }
  turn_bytes_ = 0;
}

void Output::clear() {
  for (size_t i = head_; i < ranges_.size(); i++) release(ranges_[i]);
  ranges_.clear();
  head_ = 0;
  bytes_ = turn_bytes_ = owned_bytes_ = 0;
}

Output::Mark Output::mark() {
  ranges_.push_back({nullptr, 0, Kind::kTurn, nullptr});
  return {ranges_.size() - 1};
}

void Output::fill(Mark m, const char* p, size_t n) {
  Range& r = ranges_[m.range];
  r.data = p;
  r.size = n;
  bytes_ += n;
  turn_bytes_ += n;
}

}  // namespace kvasir
