// The data plane's allocator.
//
// Objects of the keyspace (entries, buckets, string buffers, collection nodes) live in slabs of 64 KiB that
// are cut from 2 MiB chunks of one reserved address range; every slab holds objects of one size class and
// nothing else (its bookkeeping is kept aside), so that an object costs its class size and no header, memory
// that becomes empty goes back to the system slab by slab, and huge pages can back the chunks (there is no
// fork whose copy-on-write they would spoil). Sizes above kMaxSlabObject go to malloc.
//
// Threads: a thread that calls HeapScope owns a heap of its own (the server's loop thread). Freeing on
// another thread is allowed: the object goes back to its owner through a lock-free list that the owner
// drains (mem_collect). A thread without a heap allocates from malloc.
//
// Under AddressSanitizer (or with -DKVASIR_PLAIN_MALLOC) everything is plain malloc, so that it sees each
// object. Under ThreadSanitizer the slabs stay, since their remote path is what it has to see.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kvasir {

inline constexpr size_t kMaxSlabObject = 8192;

#if defined(__SANITIZE_THREAD__)
#define KVASIR_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define KVASIR_TSAN 1
#endif
#endif
#if defined(KVASIR_TSAN) || !defined(KVASIR_PLAIN_MALLOC)
#define KVASIR_SLABS 1
#endif

// Never returns nullptr for sizes that succeed in practice: on exhaustion the process's out-of-memory handler
// runs (log line, then abort), as in Valkey. Alignment is 8 at least, 16 for class sizes that are multiples
// of 16, 64 for multiples of 64; a size that is a multiple of 64 gets such a class. Above kMaxSlabObject it
// is malloc's 16.
void* mem_alloc(size_t size);
void* mem_calloc(size_t size);
// Like mem_alloc, but nullptr when the memory cannot be had: for sizes that a client chose.
void* mem_try_alloc(size_t size);
void* mem_realloc(void* p, size_t size);
void mem_free(void* p);

// Bytes the object at p really has (its class size, or malloc_usable_size): all of them may be used.
size_t mem_usable(const void* p);
// What mem_alloc(size) would occupy; used to decide whether an in-place change fits.
size_t mem_good_size(size_t size);

// Bytes in live objects, process-wide: `used_memory`.
size_t mem_used();

struct MemStats {
  size_t used;       // bytes in live objects
  size_t slab_live;  // thereof in slabs
  size_t active;     // bytes of slabs that hold at least one object, plus large objects
  size_t mapped;     // bytes of chunks mapped
  size_t held;       // thereof in slabs that are in use or were and have not been given back
  size_t large;      // bytes in objects above kMaxSlabObject
};
MemStats mem_stats();

// Called with the size asked for when memory is exhausted; if it returns, the process aborts. nullptr
// restores the default, which prints a line to stderr.
void mem_set_oom_handler(void (*handler)(size_t));

// Whether chunks mapped from now on ask for transparent huge pages (the default). The kernel's own setting
// still decides; without it nothing changes.
void mem_set_huge_pages(bool on);
bool mem_huge_pages();

// Returns what other threads freed to the slabs, a bounded number of objects a call. Called once a turn.
void mem_collect();
// Gives back slabs that have been empty for a while, and has the background thread collapse full chunks into
// huge pages. For every server's cron; something happens once a second, by the monotonic time in µs.
void mem_upkeep(uint64_t now_us);
// Gives empty slabs back to the system (MEMORY PURGE); returns the bytes released.
size_t mem_purge();
// Has malloc give back what large objects that were freed have left behind. Any thread; takes milliseconds on
// a large heap.
void mem_return_large();

// Gives this thread a heap for the scope's life. Scopes may be nested on a thread (several embedded servers):
// they share the heap. Its objects may outlive the scope: afterwards the heap waits, with what it holds, for
// the next thread that opens a scope.
class HeapScope {
 public:
  HeapScope();
  ~HeapScope();
  HeapScope(const HeapScope&) = delete;
  HeapScope& operator=(const HeapScope&) = delete;
};

}  // namespace kvasir

#ifdef KVASIR_SLABS
#include "base/alloc_inl.h"
#endif
