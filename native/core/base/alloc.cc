// The slow paths of the slab allocator: filling and emptying the per-class caches, slabs and chunks, objects
// freed by other threads, giving memory back, and the counters.
//
// Invariants:
// - A slab belongs to one heap and one class from slab_new to slab_retire; only the owner's thread touches
// its
//   bookkeeping. Its tag is written before its first object is handed out, so whoever holds a pointer may
//   read it.
// - Slab::live counts objects that are out: live, in the owner's cache, or on its remote list.
// - A slab is in its heap's list of the class (listed) exactly while it has an object to give.
// - Arena fields are guarded by Arena::mutex, except the tables indexed by slab, which belong to the owners.
#include "base/alloc.h"

#include "base/background.h"
#include "base/prefetch.h"

#ifdef KVASIR_SLABS

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

namespace kvasir {
namespace alloc_detail {

Range range{0, 0, nullptr};
constinit thread_local HeapFront* tl_heap KVASIR_TLS_FAST = nullptr;

namespace {

constexpr size_t kSlabSize = size_t{1} << kSlabShift;
constexpr size_t kChunkSize = size_t{2} << 20;
constexpr unsigned kSlabsPerChunk = kChunkSize / kSlabSize;
constexpr uint32_t kAllSlabs = 0xffffffffu;
constexpr uint32_t kNone = 0xffffffffu;
constexpr unsigned kClassMask = (1u << kClassBits) - 1;
constexpr unsigned kMaxHeaps = (1u << (16 - kClassBits)) - 1;
static_assert(kClasses <= kClassMask);
constexpr unsigned kCollectBatch = 4096;  // objects a call of mem_collect returns: some 50 us
constexpr size_t kKeepSlabs = 64;         // empty slabs kept whatever the load
constexpr size_t kIdleSlabs = 8;          // thereof even if nobody has wanted one for a while
// Chunks that begin in small pages. A heap of a few chunks is touched here and there, and a huge page makes
// all of a chunk resident: as much again as the data. What is full is collapsed by mem_upkeep().
constexpr uint32_t kSmallPageChunks = 32;
constexpr int kMadvCollapse = 25;  // MADV_COLLAPSE, Linux 6.1
constexpr uint64_t kUpkeepUs = 1'000'000;
#ifdef KVASIR_TSAN
constexpr size_t kReserveMax = size_t{16} << 30;  // the sanitizer shadows what is reserved
constexpr size_t kReserveMin = size_t{1} << 30;
#else
constexpr size_t kReserveMax = size_t{1} << 40;
constexpr size_t kReserveMin = size_t{64} << 30;
#endif
static_assert(kSlabsPerChunk == 32, "a chunk's bitmaps are 32 bits");

struct Slab {
  void* free;     // given back, linked through their first word
  uint32_t prev;  // neighbours in the owner's list of the class
  uint32_t next;
  uint16_t live;
  uint16_t bumped;  // objects handed out at least once; the rest was never touched
  uint16_t capacity;
  bool listed;
};

// Large objects that were freed on the heap's thread, to be handed out again as they are. malloc keeps its
// books in and beside the objects it frees, which are cold by then: for values of 16 KB that are overwritten
// all the time, giving them back and asking anew costs as much as the command. Here nothing of them is
// touched.
class LargeCache {
 public:
  static constexpr size_t kMaxObject = 256 * 1024, kMaxBytes = 2 * 1024 * 1024;

  // An object for that size, or nullptr; *usable is what it has.
  void* take(size_t size, size_t* usable) {
    // What glibc has for a size: a multiple of 16 less the 8 bytes of its header.
    const size_t want = ((size + 23) & ~size_t{15}) - 8;
    for (unsigned i = count_; i-- > 0;) {
      if (usable_[i] - want > 16) continue;  // also when it is smaller
      void* const p = objects_[i];
      *usable = usable_[i];
      bytes_ -= usable_[i];
      count_--;
      for (; i < count_; i++) {
        objects_[i] = objects_[i + 1];
        usable_[i] = usable_[i + 1];
      }
      return p;
    }
    return nullptr;
  }
  // False: there is no room for it.
  bool keep(void* p, size_t usable) {
    if (count_ == kObjects || usable > kMaxObject || bytes_ + usable > kMaxBytes) return false;
    objects_[count_] = p;
    usable_[count_++] = usable;
    bytes_ += usable;
    return true;
  }
  void clear() {
    while (count_ > 0) free(objects_[--count_]);
    bytes_ = 0;
  }

 private:
  static constexpr unsigned kObjects = 32;
  size_t usable_[kObjects];
  void* objects_[kObjects];
  unsigned count_ = 0;
  size_t bytes_ = 0;
};

struct Heap : HeapFront {
  uint32_t partial[kClasses];
  LargeCache kept;
  void* pending = nullptr;             // taken from `remote`, not yet returned to the slabs
  std::atomic<int64_t> large{0};       // bytes of malloc; negative if others' objects were freed here
  std::atomic<int64_t> active{0};      // slabs with live > 0
  std::atomic<void*> remote{nullptr};  // freed by other threads, linked through their first word
};

struct Chunk {
  uint32_t free;   // bit per slab without owner
  uint32_t dirty;  // thereof with pages that were not given back
  bool huge;       // huge pages may back it; not while parts of it are released, which they would bring back
};

struct Arena {
  std::mutex mutex;
  Slab* slabs = nullptr;
  Chunk* chunks = nullptr;
  uint32_t chunk_limit = 0;
  std::atomic<uint32_t> chunk_count{0};
  // Chunks with a free slab and with a dirty one; slabs are taken at the lowest and released at the highest
  // address, which packs what lives.
  std::vector<uint64_t> with_free;
  std::vector<uint64_t> with_dirty;
  size_t free_hint = 0;   // no chunk with a free slab in words below
  size_t dirty_hint = 0;  // no chunk with a dirty slab in words above
  size_t dirty = 0;       // slabs
  size_t dirty_low = 0;   // fewest of them since the last upkeep
  size_t taken = 0;       // slabs
  std::atomic<Heap*> heaps[kMaxHeaps + 1] = {};
  std::atomic<unsigned> heap_count{0};
  std::vector<Heap*> orphans;
};

std::atomic<bool> huge_pages{true};
std::atomic<void (*)(size_t)> oom_handler{nullptr};
// Of threads without a heap.
std::atomic<int64_t> homeless_used{0};
std::atomic<int64_t> homeless_large{0};

void* map(size_t size, int protection) {
  void* const p = mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return p == MAP_FAILED ? nullptr : p;
}

// Reserves the range and its tables; leaves `range` empty (everything is malloc then) if the address space is
// too small, for instance under ulimit -v.
void reserve(Arena* a) {
  for (size_t size = kReserveMax; size >= kReserveMin; size /= 2) {
    const size_t slabs = size >> kSlabShift;
    const size_t chunks = size / kChunkSize;
    void* const area = map(size + kChunkSize, PROT_NONE);
    if (area == nullptr) continue;
    void* const tags = map(slabs * sizeof(uint16_t), PROT_READ | PROT_WRITE);
    void* const metas = map(slabs * sizeof(Slab), PROT_READ | PROT_WRITE);
    void* const chunk_table = map(chunks * sizeof(Chunk), PROT_READ | PROT_WRITE);
    if (tags == nullptr || metas == nullptr || chunk_table == nullptr) {
      munmap(area, size + kChunkSize);
      if (tags != nullptr) munmap(tags, slabs * sizeof(uint16_t));
      if (metas != nullptr) munmap(metas, slabs * sizeof(Slab));
      if (chunk_table != nullptr) munmap(chunk_table, chunks * sizeof(Chunk));
      continue;
    }
    a->slabs = static_cast<Slab*>(metas);
    a->chunks = static_cast<Chunk*>(chunk_table);
    a->chunk_limit = static_cast<uint32_t>(chunks);
    a->with_free.resize((chunks + 63) / 64);
    a->with_dirty.resize((chunks + 63) / 64);
    const uintptr_t base = (reinterpret_cast<uintptr_t>(area) + kChunkSize - 1) & ~(kChunkSize - 1);
    range = {base, size, static_cast<uint16_t*>(tags)};
    return;
  }
}

// Lives until the process ends: objects may be freed after the last destructor.
Arena& arena() {
  static Arena* const a = [] {
    auto* fresh = new Arena;
    reserve(fresh);
    return fresh;
  }();
  return *a;
}

Heap* own_heap() { return static_cast<Heap*>(tl_heap); }

uint32_t slab_of(const void* p) {
  return static_cast<uint32_t>((reinterpret_cast<uintptr_t>(p) - range.base) >> kSlabShift);
}
bool in_range(const void* p) { return reinterpret_cast<uintptr_t>(p) - range.base < range.size; }
char* slab_start(uint32_t slab) {
  return reinterpret_cast<char*>(range.base + (static_cast<uintptr_t>(slab) << kSlabShift));
}
void*& next_of(void* object) { return *static_cast<void**>(object); }

void set_bit(std::vector<uint64_t>& bits, size_t i, bool on) {
  const uint64_t mask = uint64_t{1} << (i % 64);
  bits[i / 64] = on ? bits[i / 64] | mask : bits[i / 64] & ~mask;
}

// Whether the kernel makes a huge page of what is there when it is asked to.
bool can_collapse() {
  static const bool can = madvise(reinterpret_cast<void*>(range.base), 0, kMadvCollapse) == 0;
  return can;
}

bool wants_huge(uint32_t chunk) {
  return huge_pages.load(std::memory_order_relaxed) && (chunk >= kSmallPageChunks || !can_collapse());
}

void allow_huge(Chunk& c, char* start, bool on) {
  if (c.huge != on) madvise(start, kChunkSize, on ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  c.huge = on;
}

// With the mutex held. Lowest chunk with a free slab, mapping another one if there is none.
uint32_t chunk_with_free(Arena& a) {
  const uint32_t count = a.chunk_count.load(std::memory_order_relaxed);
  const size_t words = (count + 63) / 64;
  for (; a.free_hint < words; a.free_hint++) {
    if (const uint64_t w = a.with_free[a.free_hint]; w != 0)
      return static_cast<uint32_t>(a.free_hint * 64 + static_cast<unsigned>(__builtin_ctzll(w)));
  }
  if (count == a.chunk_limit) return kNone;
  char* const start = slab_start(count * kSlabsPerChunk);
  if (mprotect(start, kChunkSize, PROT_READ | PROT_WRITE) != 0) return kNone;
  const bool huge = wants_huge(count);
  madvise(start, kChunkSize, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  a.chunks[count] = {kAllSlabs, 0, huge};
  set_bit(a.with_free, count, true);
  a.free_hint = count / 64;
  a.chunk_count.store(count + 1, std::memory_order_relaxed);
  return count;
}

uint32_t slab_take(Arena& a) {
  const std::lock_guard lock(a.mutex);
  const uint32_t ci = chunk_with_free(a);
  if (ci == kNone) return kNone;
  Chunk& c = a.chunks[ci];
  const auto bit = static_cast<unsigned>(__builtin_ctz(c.dirty != 0 ? c.dirty : c.free));
  const uint32_t mask = 1u << bit;
  if ((c.dirty & mask) != 0) {
    c.dirty &= ~mask;
    a.dirty_low = std::min(a.dirty_low, --a.dirty);
    if (c.dirty == 0) set_bit(a.with_dirty, ci, false);
  }
  c.free &= ~mask;
  if (c.free == 0) set_bit(a.with_free, ci, false);
  a.taken++;
  return ci * kSlabsPerChunk + bit;
}

// With the mutex held. The highest chunk with a dirty slab for which the predicate holds.
template <class F>
uint32_t dirty_chunk(Arena& a, F&& wanted) {
  while (a.dirty_hint > 0 && a.with_dirty[a.dirty_hint] == 0) a.dirty_hint--;
  for (size_t word = a.dirty_hint + 1; word-- > 0;) {
    for (uint64_t left = a.with_dirty[word]; left != 0;) {
      const unsigned bit = 63 - static_cast<unsigned>(__builtin_clzll(left));
      const auto ci = static_cast<uint32_t>(word * 64 + bit);
      if (wanted(a.chunks[ci])) return ci;
      left ^= uint64_t{1} << bit;
    }
  }
  return kNone;
}

// With the mutex held. Gives the dirty pages of a chunk back to the system; the bytes.
size_t release_chunk(Arena& a, uint32_t ci) {
  if (ci == kNone) return 0;
  Chunk& c = a.chunks[ci];
  char* const start = slab_start(ci * kSlabsPerChunk);
  if (c.free == kAllSlabs) {
    madvise(start, kChunkSize, MADV_DONTNEED);
    allow_huge(c, start, wants_huge(ci));
  } else {
    allow_huge(c, start, false);
    for (uint32_t left = c.dirty; left != 0;) {
      const auto first = static_cast<unsigned>(__builtin_ctz(left));
      const uint32_t inverse = ~(left >> first);
      const unsigned run = inverse == 0 ? 32 : static_cast<unsigned>(__builtin_ctz(inverse));
      madvise(start + first * kSlabSize, run * kSlabSize, MADV_DONTNEED);
      left = run + first >= 32 ? 0 : left & (kAllSlabs << (first + run));
    }
  }
  const auto slabs = static_cast<size_t>(__builtin_popcount(c.dirty));
  c.dirty = 0;
  a.dirty -= slabs;
  a.dirty_low = std::min(a.dirty_low, a.dirty);
  set_bit(a.with_dirty, ci, false);
  return slabs * kSlabSize;
}

size_t release_one_chunk(Arena& a) {
  return release_chunk(a, dirty_chunk(a, [](const Chunk&) { return true; }));
}

// With the mutex held. What nobody wanted since the last upkeep goes, a chunk at a time. A huge page is not
// given up for little.
void release_idle(Arena& a) {
  const size_t idle = std::exchange(a.dirty_low, a.dirty);
  if (idle <= kIdleSlabs) return;
  release_chunk(a, dirty_chunk(a, [](const Chunk& c) {
                  return !c.huge || c.free == kAllSlabs || __builtin_popcount(c.dirty) >= 8;
                }));
}

bool full_in_small_pages(const Chunk& c) { return c.free == 0 && !c.huge; }

// Whether all but a sixteenth of a chunk's pages are there. Its slabs may be taken for classes of which there
// is hardly an object.
bool resident(char* start) {
  static const size_t count = kChunkSize / static_cast<size_t>(sysconf(_SC_PAGESIZE));
  unsigned char pages[kChunkSize / 4096];
  if (mincore(start, kChunkSize, pages) != 0) return false;
  const auto there = std::count_if(pages, pages + count, [](unsigned char p) { return (p & 1) != 0; });
  return static_cast<size_t>(there) * 16 >= count * 15;
}

// On the background thread. The lock is taken anew for each chunk, as what it takes to copy one is felt by
// who needs a slab meanwhile.
void collapse_full_chunks(Arena& a) {
  for (uint32_t ci = 0; ci < a.chunk_count.load(std::memory_order_relaxed); ci++) {
    const std::lock_guard lock(a.mutex);
    Chunk& c = a.chunks[ci];
    char* const start = slab_start(ci * kSlabsPerChunk);
    if (!full_in_small_pages(c) || !resident(start)) continue;
    allow_huge(c, start, true);
    // Should there be no huge page now, the kernel's own thread comes round some time.
    madvise(start, kChunkSize, kMadvCollapse);
  }
}

void slab_give(Arena& a, uint32_t slab) {
  range.tag[slab] = 0;
  const std::lock_guard lock(a.mutex);
  const uint32_t ci = slab / kSlabsPerChunk;
  const uint32_t mask = 1u << (slab % kSlabsPerChunk);
  a.chunks[ci].free |= mask;
  a.chunks[ci].dirty |= mask;
  set_bit(a.with_free, ci, true);
  set_bit(a.with_dirty, ci, true);
  a.free_hint = std::min<size_t>(a.free_hint, ci / 64);
  a.dirty_hint = std::max<size_t>(a.dirty_hint, ci / 64);
  a.dirty++;
  a.taken--;
  // A sixteenth of what is in use may lie idle. One chunk a call bounds the time and keeps up all the same.
  if (a.dirty > std::max(kKeepSlabs, a.taken / 16)) release_one_chunk(a);
}

void link_slab(Arena& a, Heap* h, unsigned cls, uint32_t i) {
  Slab& s = a.slabs[i];
  s.prev = kNone;
  s.next = h->partial[cls];
  if (s.next != kNone) a.slabs[s.next].prev = i;
  h->partial[cls] = i;
  s.listed = true;
}

void unlink_slab(Arena& a, Heap* h, unsigned cls, uint32_t i) {
  Slab& s = a.slabs[i];
  if (s.prev == kNone) {
    h->partial[cls] = s.next;
  } else {
    a.slabs[s.prev].next = s.next;
  }
  if (s.next != kNone) a.slabs[s.next].prev = s.prev;
  s.listed = false;
}

uint32_t slab_new(Arena& a, Heap* h, unsigned cls) {
  const uint32_t i = slab_take(a);
  if (i == kNone) return kNone;
  a.slabs[i] = {nullptr, kNone, kNone, 0, 0, static_cast<uint16_t>(kSlabSize / kClassSize[cls]), false};
  range.tag[i] = static_cast<uint16_t>(h->tag | cls);
  link_slab(a, h, cls, i);
  return i;
}

void slab_retire(Arena& a, Heap* h, unsigned cls, uint32_t i) {
  unlink_slab(a, h, cls, i);
  slab_give(a, i);
}

void slab_put(Arena& a, Heap* h, unsigned cls, void* p) {
  const uint32_t i = slab_of(p);
  Slab& s = a.slabs[i];
  if (s.live == 0) abort();  // freed twice: going on would hand one object out to two owners
  next_of(p) = s.free;
  s.free = p;
  s.live--;
  if (!s.listed) link_slab(a, h, cls, i);
  if (s.live != 0) return;
  bump(h->active, -1);
  // The last slab of a class stays, so that a class that comes and goes does not take and give one each time.
  if (h->partial[cls] != i || s.next != kNone) slab_retire(a, h, cls, i);
}

void flush_oldest(Heap* h, unsigned cls, unsigned n) {
  Arena& a = arena();
  Cache& c = h->cache[cls];
  for (unsigned i = 0; i < n; i++) slab_put(a, h, cls, c.items[i]);
  c.count -= n;
  memmove(c.items, c.items + n, c.count * sizeof(void*));
}

// Returns up to `limit` objects that other threads freed.
void collect(Heap* h, size_t limit) {
  while (limit > 0) {
    if (h->pending == nullptr) {
      if (h->remote.load(std::memory_order_relaxed) == nullptr) return;
      h->pending = h->remote.exchange(nullptr, std::memory_order_acquire);
    }
    for (; h->pending != nullptr && limit > 0; limit--) {
      void* const p = h->pending;
      h->pending = next_of(p);
      prefetch(h->pending);
      const unsigned cls = range.tag[slab_of(p)] ^ h->tag;
      Cache& c = h->cache[cls];
      if (c.count == c.cap) flush_oldest(h, cls, std::max(1u, c.cap / 2));
      c.items[c.count++] = p;
    }
  }
}

Heap* heap_create(Arena& a) {
  const unsigned number = a.heap_count.load(std::memory_order_relaxed) + 1;
  if (number > kMaxHeaps) return nullptr;
  auto* h = new Heap;
  h->tag = number << kClassBits;
  for (unsigned cls = 0; cls < kClasses; cls++) {
    h->partial[cls] = kNone;
    h->cache[cls].count = 0;
    h->cache[cls].size = kClassSize[cls];
    h->cache[cls].cap = std::clamp<uint32_t>(32768u / kClassSize[cls], 4, kCacheMax);
  }
  a.heaps[number].store(h, std::memory_order_release);
  a.heap_count.store(number, std::memory_order_release);
  return h;
}

void count_large(int64_t n) {
  if (Heap* h = own_heap()) {
    bump(h->large, n);
  } else {
    homeless_large.fetch_add(n, std::memory_order_relaxed);
  }
}

void* alloc_malloc(size_t size, bool zero) {
  void* const p = zero ? calloc(1, size == 0 ? 1 : size) : malloc(size == 0 ? 1 : size);
  if (p != nullptr) count_large(static_cast<int64_t>(malloc_usable_size(p)));
  return p;
}

size_t non_negative(int64_t n) { return n < 0 ? 0 : static_cast<size_t>(n); }

}  // namespace

void* refill(HeapFront* front, unsigned cls) {
  auto* const h = static_cast<Heap*>(front);
  Arena& a = arena();
  Cache& c = h->cache[cls];
  if (h->partial[cls] == kNone) collect(h, kCollectBatch);
  if (c.count == 0) {
    void* out[kCacheMax];
    const unsigned want = std::max(1u, c.cap / 2);
    unsigned n = 0;
    while (n < want) {
      uint32_t i = h->partial[cls];
      if (i == kNone) {
        if (n > 0) break;
        i = slab_new(a, h, cls);
        if (i == kNone) return nullptr;
      }
      Slab& s = a.slabs[i];
      const unsigned before = n;
      for (; n < want && s.free != nullptr; n++) {
        out[n] = s.free;
        s.free = next_of(s.free);
      }
      for (; n < want && s.bumped < s.capacity; n++)
        out[n] = slab_start(i) + size_t{kClassSize[cls]} * s.bumped++;
      if (s.live == 0) bump(h->active, 1);
      s.live = static_cast<uint16_t>(s.live + n - before);
      if (s.free == nullptr && s.bumped == s.capacity) unlink_slab(a, h, cls, i);
    }
    // Handed out in the order taken, so that neighbours in time are neighbours in memory.
    for (unsigned i = 0; i < n; i++) c.items[i] = out[n - 1 - i];
    c.count = n;
  }
  bump(h->used, kClassSize[cls]);
  return c.items[--c.count];
}

void flush(HeapFront* front, unsigned cls) {
  flush_oldest(static_cast<Heap*>(front), cls, std::max(1u, front->cache[cls].cap / 2));
}

void* alloc_large(size_t size) {
  if (Heap* h = own_heap(); h != nullptr && size <= LargeCache::kMaxObject) {
    size_t usable;
    if (void* const p = h->kept.take(size, &usable)) {
      bump(h->large, static_cast<int64_t>(usable));
      return p;
    }
  }
  return alloc_malloc(size, false);
}

void free_other(void* p) {
  if (p == nullptr) return;
  if (!in_range(p)) {
    const size_t usable = malloc_usable_size(p);
    count_large(-static_cast<int64_t>(usable));
    if (Heap* h = own_heap(); h == nullptr || usable <= kMaxSlabObject || !h->kept.keep(p, usable)) free(p);
    return;
  }
  const unsigned tag = range.tag[slab_of(p)];
  if (tag <= kClassMask) abort();  // not an object: its slab has no owner
  Heap* const owner = arena().heaps[tag >> kClassBits].load(std::memory_order_acquire);
  const int64_t size = kClassSize[tag & kClassMask];
  if (Heap* h = own_heap()) {
    bump(h->used, -size);
  } else {
    homeless_used.fetch_sub(size, std::memory_order_relaxed);
  }
  void* head = owner->remote.load(std::memory_order_relaxed);
  do {
    next_of(p) = head;
  } while (
      !owner->remote.compare_exchange_weak(head, p, std::memory_order_release, std::memory_order_relaxed));
}

void out_of_memory(size_t size) {
  if (auto* handler = oom_handler.load(std::memory_order_relaxed)) {
    handler(size);
  } else {
    fprintf(stderr, "Out Of Memory allocating %zu bytes!\n", size);
    fflush(stderr);
  }
  abort();
}

}  // namespace alloc_detail

using namespace alloc_detail;

void* mem_calloc(size_t size) {
  if (tl_heap == nullptr || size > kMaxSlabObject) {
    void* const p = alloc_malloc(size, true);
    if (p == nullptr) out_of_memory(size);
    return p;
  }
  return memset(mem_alloc(size), 0, size);
}

void* mem_realloc(void* p, size_t size) {
  if (p == nullptr) return mem_alloc(size);
  size_t have;
  if (in_range(p)) {
    const unsigned cls = range.tag[slab_of(p)] & kClassMask;
    if (size <= kMaxSlabObject && class_of(size) == cls) return p;
    have = kClassSize[cls];
  } else {
    have = malloc_usable_size(p);
    if (size > kMaxSlabObject || tl_heap == nullptr) {
      void* const q = realloc(p, size == 0 ? 1 : size);
      if (q == nullptr) out_of_memory(size);
      count_large(static_cast<int64_t>(malloc_usable_size(q)) - static_cast<int64_t>(have));
      return q;
    }
  }
  void* const q = mem_alloc(size);
  memcpy(q, p, std::min(have, size));
  mem_free(p);
  return q;
}

size_t mem_usable(const void* p) {
  if (in_range(p)) return kClassSize[range.tag[slab_of(p)] & kClassMask];
  return malloc_usable_size(const_cast<void*>(p));
}

size_t mem_used() {
  const Arena& a = arena();
  int64_t sum =
      homeless_used.load(std::memory_order_relaxed) + homeless_large.load(std::memory_order_relaxed);
  const unsigned n = a.heap_count.load(std::memory_order_acquire);
  for (unsigned i = 1; i <= n; i++) {
    const Heap* h = a.heaps[i].load(std::memory_order_relaxed);
    sum += h->used.load(std::memory_order_relaxed) + h->large.load(std::memory_order_relaxed);
  }
  return non_negative(sum);
}

MemStats mem_stats() {
  Arena& a = arena();
  int64_t slab = homeless_used.load(std::memory_order_relaxed);
  int64_t large = homeless_large.load(std::memory_order_relaxed);
  int64_t active = 0;
  const unsigned n = a.heap_count.load(std::memory_order_acquire);
  for (unsigned i = 1; i <= n; i++) {
    const Heap* h = a.heaps[i].load(std::memory_order_relaxed);
    slab += h->used.load(std::memory_order_relaxed);
    large += h->large.load(std::memory_order_relaxed);
    active += h->active.load(std::memory_order_relaxed);
  }
  MemStats s;
  s.used = non_negative(slab + large);
  s.slab_live = non_negative(slab);
  s.large = non_negative(large);
  s.active = non_negative(active) * kSlabSize + s.large;
  s.mapped = a.chunk_count.load(std::memory_order_relaxed) * kChunkSize;
  const std::lock_guard lock(a.mutex);
  s.held = (a.taken + a.dirty) * kSlabSize;
  return s;
}

void mem_set_oom_handler(void (*handler)(size_t)) { oom_handler.store(handler, std::memory_order_relaxed); }
void mem_set_huge_pages(bool on) { huge_pages.store(on, std::memory_order_relaxed); }
bool mem_huge_pages() { return huge_pages.load(std::memory_order_relaxed); }

void mem_collect() {
  if (Heap* h = own_heap()) collect(h, kCollectBatch);
}

void mem_return_large() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

void mem_upkeep(uint64_t now_us) {
  static std::atomic<uint64_t> next_us{0};
  static std::atomic<bool> collapsing{false};
  uint64_t due = next_us.load(std::memory_order_relaxed);
  if (now_us < due || !next_us.compare_exchange_strong(due, now_us + kUpkeepUs)) return;
  Arena& a = arena();
  if (range.size == 0) return;
  {
    const std::lock_guard lock(a.mutex);
    release_idle(a);
    if (!huge_pages.load(std::memory_order_relaxed) || !can_collapse()) return;
    const Chunk* const end = a.chunks + a.chunk_count.load(std::memory_order_relaxed);
    if (std::none_of(static_cast<const Chunk*>(a.chunks), end, full_in_small_pages)) return;
  }
  if (collapsing.exchange(true)) return;
  run_in_background([&a] {
    collapse_full_chunks(a);
    collapsing.store(false);
  });
}

size_t mem_purge() {
  Arena& a = arena();
  if (Heap* h = own_heap()) {
    h->kept.clear();
    collect(h, SIZE_MAX);
    for (unsigned cls = 0; cls < kClasses; cls++) {
      flush_oldest(h, cls, h->cache[cls].count);
      for (uint32_t i = h->partial[cls]; i != kNone;) {
        const uint32_t next = a.slabs[i].next;
        if (a.slabs[i].live == 0) slab_retire(a, h, cls, i);
        i = next;
      }
    }
  }
  size_t released = 0;
  if (range.size != 0) {
    // The lock is taken anew for each chunk: other threads may need a slab meanwhile.
    for (size_t n = 1; n != 0; released += n) {
      const std::lock_guard lock(a.mutex);
      n = release_one_chunk(a);
    }
  }
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
  return released;
}

namespace {
thread_local unsigned scope_depth = 0;
}

HeapScope::HeapScope() {
  if (scope_depth++ > 0) return;
  Arena& a = arena();
  if (range.size == 0) return;
  const std::lock_guard lock(a.mutex);
  if (a.orphans.empty()) {
    tl_heap = heap_create(a);
  } else {
    tl_heap = a.orphans.back();
    a.orphans.pop_back();
  }
}

HeapScope::~HeapScope() {
  if (--scope_depth > 0 || tl_heap == nullptr) return;
  Arena& a = arena();
  const std::lock_guard lock(a.mutex);
  a.orphans.push_back(own_heap());
  tl_heap = nullptr;
}

}  // namespace kvasir

#endif  // KVASIR_SLABS
