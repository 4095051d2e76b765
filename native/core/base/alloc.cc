// The slow paths of the slab allocator: filling and emptying the per-class caches, slabs and their heaps,
// objects freed by other threads, and the counters.
//
// Invariants:
// - A slab belongs to one heap and one class from slab_new to slab_retire; only the owner's thread touches
// its
//   bookkeeping. Its tag is written before its first object is handed out, so whoever holds a pointer may
//   read it.
// - Slab::live counts objects that are out: live, in the owner's cache, or on its remote list.
// - A slab is in its heap's list of the class (listed) exactly while it has an object to give.
#include "base/alloc.h"

#include "base/background.h"
#include "base/malloc_heap.h"
#include "base/prefetch.h"
#include "base/slab_arena.h"

#ifdef KVASIR_SLABS

#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

namespace kvasir {
namespace alloc_detail {

Range range{0, 0, nullptr};
constinit thread_local HeapFront* tl_heap KVASIR_TLS_FAST = nullptr;

namespace {

constexpr unsigned kClassMask = (1u << kClassBits) - 1;
constexpr unsigned kMaxHeaps = (1u << (16 - kClassBits)) - 1;
static_assert(kClasses <= kClassMask);
constexpr unsigned kCollectBatch = 4096;  // objects a call of mem_collect returns: some 50 us
constexpr uint64_t kUpkeepUs = 1'000'000;
constexpr uint32_t kNone = SlabArena::kNone;
constexpr size_t kSlabSize = SlabArena::kSlabSize;

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

struct Arena {
  SlabArena chunks;
  MallocHeap malloc_heap;
  Slab* slabs = nullptr;  // a row for each slab of the range; written by the slab's owner
  std::mutex heaps_mutex;
  std::atomic<Heap*> heaps[kMaxHeaps + 1] = {};
  std::atomic<unsigned> heap_count{0};
  std::vector<Heap*> orphans;
};

std::atomic<void (*)(size_t)> oom_handler{nullptr};
// Of threads without a heap.
std::atomic<int64_t> homeless_used{0};
std::atomic<int64_t> homeless_large{0};

// Lives until the process ends: objects may be freed after the last destructor.
Arena& arena() {
  static Arena* const a = [] {
    auto* fresh = new Arena;
    fresh->slabs = static_cast<Slab*>(fresh->chunks.reserve(sizeof(Slab)));
    return fresh;
  }();
  return *a;
}

Heap* own_heap() { return static_cast<Heap*>(tl_heap); }

uint32_t slab_of(const void* p) {
  return static_cast<uint32_t>((reinterpret_cast<uintptr_t>(p) - range.base) >> kSlabShift);
}
bool in_range(const void* p) { return reinterpret_cast<uintptr_t>(p) - range.base < range.size; }
void*& next_of(void* object) { return *static_cast<void**>(object); }

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
  const uint32_t i = a.chunks.take();
  if (i == kNone) return kNone;
  a.slabs[i] = {nullptr, kNone, kNone, 0, 0, static_cast<uint16_t>(kSlabSize / kClassSize[cls]), false};
  range.tag[i] = static_cast<uint16_t>(h->tag | cls);
  link_slab(a, h, cls, i);
  return i;
}

void slab_retire(Arena& a, Heap* h, unsigned cls, uint32_t i) {
  unlink_slab(a, h, cls, i);
  range.tag[i] = 0;
  a.chunks.give(i);
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
        out[n] = SlabArena::start(i) + size_t{kClassSize[cls]} * s.bumped++;
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
  Heap* const h = own_heap();
  if (h != nullptr && size <= LargeCache::kMaxObject) {
    size_t usable;
    if (void* const p = h->kept.take(size, &usable)) {
      bump(h->large, static_cast<int64_t>(usable));
      return p;
    }
  }
  void* const p = alloc_malloc(size, false);
#if defined(__GLIBC__)
  if (h != nullptr && mem_huge_pages()) arena().malloc_heap.grown(h->large.load(std::memory_order_relaxed));
#endif
  return p;
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
  s.mapped = a.chunks.mapped();
  s.held = a.chunks.held();
  return s;
}

void mem_set_oom_handler(void (*handler)(size_t)) { oom_handler.store(handler, std::memory_order_relaxed); }
void mem_set_huge_pages(bool on) { SlabArena::set_huge_pages(on); }
bool mem_huge_pages() { return SlabArena::huge_pages(); }

void mem_collect() {
  if (Heap* h = own_heap()) collect(h, kCollectBatch);
}

void mem_return_large() {
#if defined(__GLIBC__)
  malloc_trim(0);
  arena().malloc_heap.shrunk();
#endif
}

void mem_upkeep(uint64_t now_us) {
  static std::atomic<uint64_t> next_us{0};
  static std::atomic<bool> collapsing{false};
  uint64_t due = next_us.load(std::memory_order_relaxed);
  if (now_us < due || !next_us.compare_exchange_strong(due, now_us + kUpkeepUs)) return;
  SlabArena& chunks = arena().chunks;
  if (range.size == 0 || !chunks.upkeep()) return;
  if (collapsing.exchange(true)) return;
  run_in_background([&chunks] {
    chunks.collapse_full();
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
    for (size_t n = 1; n != 0; released += n) n = a.chunks.release_one();
  }
  mem_return_large();
  return released;
}

namespace {
thread_local unsigned scope_depth = 0;
}

HeapScope::HeapScope() {
  if (scope_depth++ > 0) return;
  Arena& a = arena();
  if (range.size == 0) return;
  const std::lock_guard lock(a.heaps_mutex);
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
  const std::lock_guard lock(a.heaps_mutex);
  a.orphans.push_back(own_heap());
  tl_heap = nullptr;
}

}  // namespace kvasir

#endif  // KVASIR_SLABS
