// The allocator as plain malloc with the same counters: AddressSanitizer then sees every object and its exact
// size.
#include "base/alloc.h"

#ifndef KVASIR_SLABS

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace kvasir {
namespace {

std::atomic<size_t> used{0};
std::atomic<size_t> large{0};
std::atomic<void (*)(size_t)> oom_handler{nullptr};

#if defined(__SANITIZE_ADDRESS__)
#define KVASIR_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KVASIR_ASAN 1
#endif
#endif
#ifdef KVASIR_ASAN
constexpr bool kExactSizes = true;
#else
constexpr bool kExactSizes = false;
#endif

bool wants_64(size_t size) { return size != 0 && size % 64 == 0 && size <= kMaxSlabObject; }

void* counted(void* p) {
  if (p == nullptr) return nullptr;
  const size_t n = malloc_usable_size(p);
  used.fetch_add(n, std::memory_order_relaxed);
  if (n > kMaxSlabObject) large.fetch_add(n, std::memory_order_relaxed);
  return p;
}

void discount(size_t n) {
  used.fetch_sub(n, std::memory_order_relaxed);
  if (n > kMaxSlabObject) large.fetch_sub(n, std::memory_order_relaxed);
}

[[noreturn]] void out_of_memory(size_t size) {
  if (auto* handler = oom_handler.load(std::memory_order_relaxed)) {
    handler(size);
  } else {
    fprintf(stderr, "Out Of Memory allocating %zu bytes!\n", size);
    fflush(stderr);
  }
  abort();
}

}  // namespace

void* mem_try_alloc(size_t size) {
  void* p = nullptr;
  if (wants_64(size)) {
    if (posix_memalign(&p, 64, size) != 0) p = nullptr;
  } else {
    p = malloc(size == 0 ? 1 : size);
  }
  return counted(p);
}

void* mem_alloc(size_t size) {
  void* const p = mem_try_alloc(size);
  if (p == nullptr) out_of_memory(size);
  return p;
}

void* mem_calloc(size_t size) {
  if (size <= kMaxSlabObject) return memset(mem_alloc(size), 0, size);
  void* const p = counted(calloc(1, size));
  if (p == nullptr) out_of_memory(size);
  return p;
}

void* mem_realloc(void* p, size_t size) {
  if (p == nullptr) return mem_alloc(size);
  const size_t have = malloc_usable_size(p);
  if (wants_64(size)) {
    void* const q = mem_alloc(size);
    memcpy(q, p, std::min(have, size));
    mem_free(p);
    return q;
  }
  discount(have);
  void* const q = counted(realloc(p, size == 0 ? 1 : size));
  if (q == nullptr) out_of_memory(size);
  return q;
}

void mem_free(void* p) {
  if (p == nullptr) return;
  discount(malloc_usable_size(p));
  free(p);
}

size_t mem_usable(const void* p) { return malloc_usable_size(const_cast<void*>(p)); }

size_t mem_good_size(size_t size) {
  if (kExactSizes) return size == 0 ? 1 : size;
  // glibc: 8 bytes of header, granules of 16, 24 at least.
  return std::max<size_t>(24, ((size + 8 + 15) & ~static_cast<size_t>(15)) - 8);
}

size_t mem_used() { return used.load(std::memory_order_relaxed); }

MemStats mem_stats() {
  const size_t all = mem_used();
  const size_t big = large.load(std::memory_order_relaxed);
  return {all, all - std::min(all, big), all, all, all, big};
}

void mem_set_oom_handler(void (*handler)(size_t)) { oom_handler.store(handler, std::memory_order_relaxed); }
// There are no chunks, heaps or empty slabs here.
void mem_set_huge_pages(bool) {}
bool mem_huge_pages() { return false; }
void mem_collect() {}
void mem_upkeep(uint64_t) {}
void mem_return_large() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

size_t mem_purge() { return 0; }
HeapScope::HeapScope() = default;
HeapScope::~HeapScope() = default;

}  // namespace kvasir

#endif  // !KVASIR_SLABS
