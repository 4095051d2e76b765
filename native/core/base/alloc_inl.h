// The allocator's fast paths: what has to be inlined for an allocation to cost a few nanoseconds. Included by
// alloc.h only.
//
// A slab's tag (two bytes, indexed by the address) names its size class and the heap that owns it, so
// mem_free finds both with one load. Per class a heap keeps a small LIFO array of free objects; only when
// that runs empty or full is slab bookkeeping touched (alloc.cc). Objects in those arrays do not count as
// live.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#if defined(__GLIBC__)
#define KVASIR_TLS_FAST __attribute__((tls_model("initial-exec")))
#else
#define KVASIR_TLS_FAST
#endif

namespace kvasir::alloc_detail {

inline constexpr unsigned kSlabShift = 16;
inline constexpr unsigned kClassBits = 7;  // of a tag
inline constexpr unsigned kClasses = 72;
inline constexpr unsigned kCacheMax = 64;

// Steps of 1/8 of the power of two below; above 2 KiB the largest sizes of which a slab of 64 KiB holds 31,
// 30 and so on down to 8. From 512 on all are multiples of 64, and below it every multiple of 64 is a class.
inline constexpr std::array<uint16_t, kClasses> kClassSize = [] {
  std::array<uint16_t, kClasses> size{};
  unsigned n = 0;
  for (unsigned s = 8; s <= 128; s += 8) size[n++] = static_cast<uint16_t>(s);
  for (unsigned top = 256; top <= 2048; top *= 2) {
    for (unsigned s = top / 2 + top / 16; s <= top; s += top / 16) size[n++] = static_cast<uint16_t>(s);
  }
  for (unsigned objects = 31; objects >= 8; objects--) {
    size[n++] = static_cast<uint16_t>((1u << kSlabShift) / objects / 64 * 64);
  }
  return size;
}();

// Indexed by the size in units of 8 bytes, rounded up.
inline constexpr std::array<uint8_t, kMaxSlabObject / 8 + 1> kClassOf = [] {
  std::array<uint8_t, kMaxSlabObject / 8 + 1> of{};
  unsigned c = 0;
  for (unsigned i = 0; i < of.size(); i++) {
    while (kClassSize[c] < i * 8) c++;
    of[i] = static_cast<uint8_t>(c);
  }
  return of;
}();

inline unsigned class_of(size_t size) { return kClassOf[(size + 7) >> 3]; }

struct Cache {
  uint32_t count;
  uint32_t cap;
  uint32_t size;
  void* items[kCacheMax];
};

// The part of a heap that the fast paths use; alloc.cc derives the rest.
struct HeapFront {
  uint32_t tag = 0;  // heap number << kClassBits: xor with a slab's tag gives the class of an own slab
  std::atomic<int64_t> used{0};  // written by the owner only
  Cache cache[kClasses];
};

// Set once, before the first heap exists; with size 0 every pointer is malloc's.
struct Range {
  uintptr_t base;
  size_t size;
  uint16_t* tag;
};
extern Range range;

extern constinit thread_local HeapFront* tl_heap KVASIR_TLS_FAST;

// Only the owner writes, others read: no read-modify-write instruction is needed.
inline void bump(std::atomic<int64_t>& counter, int64_t n) {
  counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

void* refill(HeapFront* heap, unsigned cls);  // nullptr when there is no memory
void flush(HeapFront* heap, unsigned cls);
void* alloc_large(size_t size);  // nullptr when there is no memory
void free_other(void* p);        // malloc's, another heap's, or nullptr
[[noreturn]] void out_of_memory(size_t size);

}  // namespace kvasir::alloc_detail

namespace kvasir {

inline void* mem_try_alloc(size_t size) {
  using namespace alloc_detail;
  HeapFront* const heap = tl_heap;
  if (heap == nullptr || size > kMaxSlabObject) [[unlikely]]
    return alloc_large(size);
  const unsigned cls = class_of(size);
  Cache& c = heap->cache[cls];
  if (c.count == 0) [[unlikely]]
    return refill(heap, cls);
  bump(heap->used, kClassSize[cls]);
  return c.items[--c.count];
}

inline void* mem_alloc(size_t size) {
  void* const p = mem_try_alloc(size);
  if (p == nullptr) [[unlikely]]
    alloc_detail::out_of_memory(size);
  return p;
}

inline void mem_free(void* p) {
  using namespace alloc_detail;
  const size_t offset = reinterpret_cast<uintptr_t>(p) - range.base;
  HeapFront* const heap = tl_heap;
  if (offset >= range.size || heap == nullptr) [[unlikely]]
    return free_other(p);
  const unsigned cls = range.tag[offset >> kSlabShift] ^ heap->tag;
  if (cls >= kClasses) [[unlikely]]
    return free_other(p);
  Cache& c = heap->cache[cls];
  if (c.count == c.cap) [[unlikely]]
    flush(heap, cls);
  bump(heap->used, -static_cast<int64_t>(kClassSize[cls]));
  c.items[c.count++] = p;
}

inline size_t mem_good_size(size_t size) {
  if (size <= kMaxSlabObject) return alloc_detail::kClassSize[alloc_detail::class_of(size)];
  // glibc: 8 bytes of header, granules of 16.
  return ((size + 8 + 15) & ~static_cast<size_t>(15)) - 8;
}

}  // namespace kvasir
