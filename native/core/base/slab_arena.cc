#include "base/slab_arena.h"

#ifdef KVASIR_SLABS

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace kvasir::alloc_detail {

namespace {

constexpr size_t kChunkSize = SlabArena::kChunkSize;
constexpr unsigned kSlabsPerChunk = kChunkSize / SlabArena::kSlabSize;
constexpr uint32_t kAllSlabs = 0xffffffffu;
constexpr size_t kKeepSlabs = 64;  // empty slabs kept whatever the load
constexpr size_t kIdleSlabs = 8;   // thereof even if nobody has wanted one for a while
// Chunks that begin in small pages. A heap of a few chunks is touched here and there, and a huge page makes
// all of a chunk resident: as much again as the data. What is full is collapsed.
constexpr uint32_t kSmallPageChunks = 32;
#ifdef KVASIR_TSAN
constexpr size_t kReserveMax = size_t{16} << 30;  // the sanitizer shadows what is reserved
constexpr size_t kReserveMin = size_t{1} << 30;
#else
constexpr size_t kReserveMax = size_t{1} << 40;
constexpr size_t kReserveMin = size_t{64} << 30;
#endif
static_assert(kSlabsPerChunk == 32, "a chunk's bitmaps are 32 bits");

std::atomic<bool> huge_pages_wanted{true};

void* map(size_t size, int protection) {
  void* const p = mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return p == MAP_FAILED ? nullptr : p;
}

void set_bit(std::vector<uint64_t>& bits, size_t i, bool on) {
  const uint64_t mask = uint64_t{1} << (i % 64);
  bits[i / 64] = on ? bits[i / 64] | mask : bits[i / 64] & ~mask;
}

bool wants_huge(uint32_t chunk) {
  return SlabArena::huge_pages() && (chunk >= kSmallPageChunks || !can_collapse());
}

void allow_huge(SlabArena::Chunk& c, char* start, bool on) {
  if (c.huge != on) madvise(start, kChunkSize, on ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  c.huge = on;
}

}  // namespace

void SlabArena::set_huge_pages(bool on) { huge_pages_wanted.store(on, std::memory_order_relaxed); }
bool SlabArena::huge_pages() { return huge_pages_wanted.load(std::memory_order_relaxed); }

void* SlabArena::reserve(size_t row) {
  for (size_t size = kReserveMax; size >= kReserveMin; size /= 2) {
    const size_t slabs = size >> kSlabShift;
    const size_t chunks = size / kChunkSize;
    void* const area = map(size + kChunkSize, PROT_NONE);
    if (area == nullptr) continue;
    void* const tags = map(slabs * sizeof(uint16_t), PROT_READ | PROT_WRITE);
    void* const metas = map(slabs * row, PROT_READ | PROT_WRITE);
    void* const chunk_table = map(chunks * sizeof(Chunk), PROT_READ | PROT_WRITE);
    if (tags == nullptr || metas == nullptr || chunk_table == nullptr) {
      munmap(area, size + kChunkSize);
      if (tags != nullptr) munmap(tags, slabs * sizeof(uint16_t));
      if (metas != nullptr) munmap(metas, slabs * row);
      if (chunk_table != nullptr) munmap(chunk_table, chunks * sizeof(Chunk));
      continue;
    }
    chunks_ = static_cast<Chunk*>(chunk_table);
    limit_ = static_cast<uint32_t>(chunks);
    with_free_.resize((chunks + 63) / 64);
    with_dirty_.resize((chunks + 63) / 64);
    const uintptr_t base = (reinterpret_cast<uintptr_t>(area) + kChunkSize - 1) & ~(kChunkSize - 1);
    range = {base, size, static_cast<uint16_t*>(tags)};
    return metas;
  }
  return nullptr;
}

// Lowest chunk with a free slab, mapping another one if there is none.
uint32_t SlabArena::chunk_with_free() {
  const uint32_t count = count_.load(std::memory_order_relaxed);
  const size_t words = (count + 63) / 64;
  for (; free_hint_ < words; free_hint_++) {
    if (const uint64_t w = with_free_[free_hint_]; w != 0)
      return static_cast<uint32_t>(free_hint_ * 64 + static_cast<unsigned>(__builtin_ctzll(w)));
  }
  if (count == limit_) return kNone;
  char* const at = start(count * kSlabsPerChunk);
  if (mprotect(at, kChunkSize, PROT_READ | PROT_WRITE) != 0) return kNone;
  const bool huge = wants_huge(count);
  madvise(at, kChunkSize, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  chunks_[count] = {kAllSlabs, 0, huge};
  set_bit(with_free_, count, true);
  free_hint_ = count / 64;
  count_.store(count + 1, std::memory_order_relaxed);
  return count;
}

uint32_t SlabArena::take() {
  const std::lock_guard lock(mutex_);
  const uint32_t ci = chunk_with_free();
  if (ci == kNone) return kNone;
  Chunk& c = chunks_[ci];
  const auto bit = static_cast<unsigned>(__builtin_ctz(c.dirty != 0 ? c.dirty : c.free));
  const uint32_t mask = 1u << bit;
  if ((c.dirty & mask) != 0) {
    c.dirty &= ~mask;
    dirty_low_ = std::min(dirty_low_, --dirty_);
    if (c.dirty == 0) set_bit(with_dirty_, ci, false);
  }
  c.free &= ~mask;
  if (c.free == 0) set_bit(with_free_, ci, false);
  taken_++;
  return ci * kSlabsPerChunk + bit;
}

// The highest chunk with a dirty slab for which the predicate holds.
template <class F>
uint32_t SlabArena::dirty_chunk(F&& wanted) {
  while (dirty_hint_ > 0 && with_dirty_[dirty_hint_] == 0) dirty_hint_--;
  for (size_t word = dirty_hint_ + 1; word-- > 0;) {
    for (uint64_t left = with_dirty_[word]; left != 0;) {
      const unsigned bit = 63 - static_cast<unsigned>(__builtin_clzll(left));
      const auto ci = static_cast<uint32_t>(word * 64 + bit);
      if (wanted(chunks_[ci])) return ci;
      left ^= uint64_t{1} << bit;
    }
  }
  return kNone;
}

// Gives the dirty pages of a chunk back to the system; the bytes.
size_t SlabArena::release(uint32_t ci) {
  if (ci == kNone) return 0;
  Chunk& c = chunks_[ci];
  char* const at = start(ci * kSlabsPerChunk);
  if (c.free == kAllSlabs) {
    madvise(at, kChunkSize, MADV_DONTNEED);
    allow_huge(c, at, wants_huge(ci));
  } else {
    allow_huge(c, at, false);
    for (uint32_t left = c.dirty; left != 0;) {
      const auto first = static_cast<unsigned>(__builtin_ctz(left));
      const uint32_t inverse = ~(left >> first);
      const unsigned run = inverse == 0 ? 32 : static_cast<unsigned>(__builtin_ctz(inverse));
      madvise(at + first * kSlabSize, run * kSlabSize, MADV_DONTNEED);
      left = run + first >= 32 ? 0 : left & (kAllSlabs << (first + run));
    }
  }
  const auto slabs = static_cast<size_t>(__builtin_popcount(c.dirty));
  c.dirty = 0;
  dirty_ -= slabs;
  dirty_low_ = std::min(dirty_low_, dirty_);
  set_bit(with_dirty_, ci, false);
  return slabs * kSlabSize;
}

size_t SlabArena::release_highest() {
  return release(dirty_chunk([](const Chunk&) { return true; }));
}

size_t SlabArena::release_one() {
  const std::lock_guard lock(mutex_);
  return release_highest();
}

namespace {
bool full_in_small_pages(const SlabArena::Chunk& c) { return c.free == 0 && !c.huge; }

}  // namespace

bool SlabArena::upkeep() {
  const std::lock_guard lock(mutex_);
  // What nobody wanted since the last time goes. A huge page is not given up for little.
  if (std::exchange(dirty_low_, dirty_) > kIdleSlabs) {
    release(dirty_chunk(
        [](const Chunk& c) { return !c.huge || c.free == kAllSlabs || __builtin_popcount(c.dirty) >= 8; }));
  }
  if (!huge_pages() || !can_collapse()) return false;
  return std::any_of(chunks_, chunks_ + count_.load(std::memory_order_relaxed), full_in_small_pages);
}

// The lock is taken anew for each chunk, as what it takes to copy one is felt by who needs a slab meanwhile.
void SlabArena::collapse_full() {
  for (uint32_t ci = 0; ci < count_.load(std::memory_order_relaxed); ci++) {
    const std::lock_guard lock(mutex_);
    Chunk& c = chunks_[ci];
    char* const at = start(ci * kSlabsPerChunk);
    // Its slabs may be taken for classes of which there is hardly an object.
    if (!full_in_small_pages(c) || !resident(at)) continue;
    allow_huge(c, at, true);
    collapse(at);
  }
}

size_t SlabArena::held() const {
  const std::lock_guard lock(mutex_);
  return (taken_ + dirty_) * kSlabSize;
}

void SlabArena::give(uint32_t slab) {
  const std::lock_guard lock(mutex_);
  const uint32_t ci = slab / kSlabsPerChunk;
  const uint32_t mask = 1u << (slab % kSlabsPerChunk);
  chunks_[ci].free |= mask;
  chunks_[ci].dirty |= mask;
  set_bit(with_free_, ci, true);
  set_bit(with_dirty_, ci, true);
  free_hint_ = std::min<size_t>(free_hint_, ci / 64);
  dirty_hint_ = std::max<size_t>(dirty_hint_, ci / 64);
  dirty_++;
  taken_--;
  // A sixteenth of what is in use may lie idle. One chunk a call bounds the time and keeps up all the same.
  if (dirty_ > std::max(kKeepSlabs, taken_ / 16)) release_highest();
}

}  // namespace kvasir::alloc_detail

#endif  // KVASIR_SLABS
