// The chunks of the slab allocator: pieces of 2 MiB of one reserved address range, each cut into slabs that
// heaps take and give back. Knows which slabs are free and which pages the system may have; what is in a slab
// is its owner's business. For alloc.cc only.
//
// A free slab is dirty while it has pages that were not given back. Slabs are taken at the lowest address and
// given back to the system at the highest, which packs what lives.
//
// Huge pages: the first chunks of a process begin in small pages, and upkeep finds those that have become
// full, for collapse_full(). The others are huge from the first touch on. A chunk that is given back in part
// falls back to small pages, as a huge one would bring the rest back.
#pragma once

#include "base/alloc.h"

#ifdef KVASIR_SLABS

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/huge_page.h"

namespace kvasir::alloc_detail {

// Any thread may call anything.
class SlabArena {
 public:
  static constexpr size_t kSlabSize = size_t{1} << kSlabShift;
  static constexpr size_t kChunkSize = kHugePage;
  static constexpr uint32_t kNone = 0xffffffffu;

  struct Chunk {
    uint32_t free;   // bit per slab without owner
    uint32_t dirty;  // thereof with pages that were not given back
    bool huge;       // huge pages may back it
  };

  static void set_huge_pages(bool on);
  static bool huge_pages();
  static char* start(uint32_t slab) {
    return reinterpret_cast<char*>(range.base + (static_cast<uintptr_t>(slab) << kSlabShift));
  }

  // Reserves `range` and its tables, and a zeroed one of `row` bytes for each slab, which is returned; once,
  // before all else. nullptr, with `range` left empty (everything is malloc then), if the address space is
  // too small, for instance under ulimit -v.
  void* reserve(size_t row);
  // A slab; kNone if there is no memory.
  uint32_t take();
  void give(uint32_t slab);
  // Gives what is dirty in the highest chunk that has any back to the system; the bytes.
  size_t release_one();
  // Gives back slabs that were dirty since the last call, a chunk at most. True: there may be work for
  // collapse_full().
  bool upkeep();
  // Has the kernel make huge pages of full chunks, which takes some 0.3 ms for each.
  void collapse_full();

  [[nodiscard]] size_t mapped() const { return count_.load(std::memory_order_relaxed) * kChunkSize; }
  // Bytes of slabs that are taken or dirty.
  [[nodiscard]] size_t held() const;

 private:
  // With the mutex held:
  uint32_t chunk_with_free();  // the lowest; mapped if there is none, kNone if that is impossible
  template <class F>
  uint32_t dirty_chunk(F&& wanted);  // the highest with a dirty slab for which the predicate holds, or kNone
  size_t release(uint32_t chunk);    // nothing for kNone
  size_t release_highest();

  mutable std::mutex mutex_;
  Chunk* chunks_ = nullptr;
  uint32_t limit_ = 0;  // chunks that fit into the range
  std::atomic<uint32_t> count_{0};
  std::vector<uint64_t> with_free_;   // bit per chunk with a free slab
  std::vector<uint64_t> with_dirty_;  // and with a dirty one
  size_t free_hint_ = 0;              // no chunk with a free slab in words below
  size_t dirty_hint_ = 0;             // no chunk with a dirty slab in words above
  size_t dirty_ = 0;                  // slabs
  size_t dirty_low_ = 0;              // fewest of them since the last upkeep
  size_t taken_ = 0;                  // slabs
};

}  // namespace kvasir::alloc_detail

#endif  // KVASIR_SLABS
