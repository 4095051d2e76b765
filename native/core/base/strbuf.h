// A reference-counted buffer for a long string: a header, immediately followed by the bytes, so that a reply
// can be sent as it lies here (frame). Replies, snapshots and the propagation stream hold references to the
// bytes of a key that may be overwritten meanwhile.
//
// The count is atomic: databases are freed in the background (keyspace/lazyfree.h) while replies of the
// owner's thread still hold bytes of theirs. Other threads may read the bytes while somebody holds a
// reference for them. Bytes may be written only while unique().
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "base/alloc.h"
#include "base/numbers.h"
#include "base/prefetch.h"
#include "base/slice.h"

namespace kvasir {

class StrBuf {
 public:
  // Spare room that a greedy growth leaves at most: beyond it, growing doubles no more.
  static constexpr size_t kMaxSlack = size_t{1} << 20;
  static constexpr size_t kMaxCapacity = std::numeric_limits<ptrdiff_t>::max() / 2;

  // One reference, owned by the caller; the bytes are not initialised. The capacity is at least max(len,
  // cap).
  static StrBuf* create(size_t len, size_t cap = 0) {
    return init(mem_alloc(bytes_for(std::max(len, cap))), len);
  }
  // nullptr when the memory cannot be had: for lengths that a client chose.
  static StrBuf* try_create(size_t len, size_t cap = 0) {
    cap = std::max(len, cap);
    if (cap > kMaxCapacity) return nullptr;
    void* const p = mem_try_alloc(bytes_for(cap));
    return p == nullptr ? nullptr : init(p, len);
  }
  static StrBuf* copy_of(const Slice& bytes, size_t cap = 0) {
    StrBuf* const b = create(bytes.size, cap);
    if (bytes.size != 0) memcpy(b->data(), bytes.data, bytes.size);
    return b;
  }

  char* data() { return reinterpret_cast<char*>(this) + sizeof(StrBuf); }
  [[nodiscard]] const char* data() const { return reinterpret_cast<const char*>(this) + sizeof(StrBuf); }
  [[nodiscard]] size_t size() const { return len_; }
  [[nodiscard]] size_t capacity() const { return cap_; }
  [[nodiscard]] Slice slice() const { return {data(), len_}; }
  // Bytes the buffer occupies, for MEMORY USAGE.
  [[nodiscard]] size_t footprint() const { return sizeof(StrBuf) + cap_; }
  void set_size(size_t len) {
    assert(len <= cap_);
    len_ = len;
  }

  // The whole as a bulk reply, "$<length>CRLF<bytes>CRLF", in one piece: the length line is written before
  // the bytes and the line end behind them, unless they stand there already (from an earlier reply, or from
  // the request that brought the bytes). False: there is no room, or others hold the buffer.
  bool frame(Slice* out) {
    if (cap_ - len_ < 2) return false;
    char line[kInt64Chars + 3];
    const size_t n = format_length_line(line, '$', len_);
    if (n > sizeof head_) return false;
    char* const begin = data() - n;
    char* const end = data() + len_;
    if (memcmp(begin, line, n) != 0 || memcmp(end, "\r\n", 2) != 0) {
      if (!unique()) return false;
      memcpy(begin, line, n);
      memcpy(end, "\r\n", 2);
    }
    *out = {begin, n + len_ + 2};
    return true;
  }

  [[nodiscard]] uint32_t refs() const { return __atomic_load_n(&refs_, __ATOMIC_ACQUIRE); }
  [[nodiscard]] bool unique() const { return refs() == 1; }
  StrBuf* retain() {
    __atomic_fetch_add(&refs_, 1, __ATOMIC_RELAXED);
    return this;
  }
  void release() {
    // The only holder cannot be joined by another, so that the common case needs no locked instruction.
    if (unique() || __atomic_sub_fetch(&refs_, 1, __ATOMIC_ACQ_REL) == 0) mem_free(this);
  }

  // Takes the caller's reference and returns one to a unique buffer with the same bytes and room for `want`:
  // the same one, perhaps moved, or a copy if others hold it. Greedy growth doubles, so that appending costs
  // amortised O(1).
  static StrBuf* ensure_capacity(StrBuf* b, size_t want, bool greedy = true) {
    if (b->unique() && want <= b->cap_) return b;
    size_t cap = std::max(want, b->len_);
    if (greedy && want > b->len_) cap = cap < kMaxSlack ? cap * 2 : cap + kMaxSlack;
    if (!b->unique()) {
      StrBuf* const own = copy_of(b->slice(), cap);
      b->release();
      return own;
    }
    const size_t len = b->len_;
    return init(mem_realloc(b, bytes_for(cap)), len);
  }

  // Gives spare room back (as ensure_capacity, takes the reference and returns one). Shared buffers stay.
  static StrBuf* shrink(StrBuf* b) {
    const size_t len = b->len_;
    if (!b->unique() || mem_good_size(sizeof(StrBuf) + len) >= sizeof(StrBuf) + b->cap_) return b;
    return init(mem_realloc(b, bytes_for(len)), len);
  }

 private:
  static size_t bytes_for(size_t cap) { return sizeof(StrBuf) + cap; }
  static StrBuf* init(void* p, size_t len) {
    auto* const b = static_cast<StrBuf*>(p);
    b->refs_ = 1;
    b->len_ = len;
    b->cap_ = mem_usable(p) - sizeof(StrBuf);
    return b;
  }

  uint32_t refs_;
  size_t len_;
  size_t cap_;
  char head_[16];  // room for the length line of a reply, right before the bytes
};

static_assert(sizeof(StrBuf) == 40);

// One reference, held for a scope or inside another object.
class StrRef {
 public:
  StrRef() = default;
  // Adopts a reference that the caller owns.
  explicit StrRef(StrBuf* owned) : buf_(owned) {}
  StrRef(const StrRef& o) : buf_(o.buf_ == nullptr ? nullptr : o.buf_->retain()) {}
  StrRef(StrRef&& o) noexcept : buf_(std::exchange(o.buf_, nullptr)) {}
  StrRef& operator=(StrRef o) noexcept {
    std::swap(buf_, o.buf_);
    return *this;
  }
  ~StrRef() {
    if (buf_ != nullptr) buf_->release();
  }
  [[nodiscard]] StrBuf* get() const { return buf_; }
  // Hands the reference to the caller.
  [[nodiscard]] StrBuf* take() { return std::exchange(buf_, nullptr); }
  StrBuf* operator->() const { return buf_; }
  explicit operator bool() const { return buf_ != nullptr; }

 private:
  StrBuf* buf_ = nullptr;
};

// References that are given up a little later. The header of a long value that is overwritten is seldom in
// cache: it is sent for here and looked at when other work was done, at the end of the turn or when a few
// have come together.
class RetiredBuffers {
 public:
  RetiredBuffers() = default;
  ~RetiredBuffers() { release(); }
  RetiredBuffers(const RetiredBuffers&) = delete;
  RetiredBuffers& operator=(const RetiredBuffers&) = delete;
  // Takes the caller's reference.
  void add(StrBuf* b) {
    prefetch(b);
    if (count_ == kMost) release();
    buffers_[count_++] = b;
  }
  void release() {
    while (count_ > 0) buffers_[--count_]->release();
  }

 private:
  static constexpr unsigned kMost = 4;
  StrBuf* buffers_[kMost] = {};
  unsigned count_ = 0;
};

}  // namespace kvasir
