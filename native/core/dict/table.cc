#include "dict/table.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "base/alloc.h"
#include "base/background.h"
#include "base/huge_page.h"

namespace kvasir::dict {
namespace {

std::atomic<size_t> mapped_bytes{0};
std::atomic<ResizePolicy> policy_now{ResizePolicy::kAllow};

constexpr size_t kLine = sizeof(Bucket);
static_assert(kDiscardBytes == alloc_detail::kHugePage, "an array is collapsed a huge page at a time");

// Arrays above the slabs come from malloc, which promises 16 bytes only: one line more, and the address that
// malloc gave is kept in the word before the array.
constexpr bool aligned_by_hand(size_t bytes) { return bytes > kMaxSlabObject && bytes < kMapThreshold; }

Bucket* map_table(size_t bytes) {
  // A huge page needs a 2 MiB boundary, which mmap does not promise: map more and trim.
  const size_t align = bytes >= kDiscardBytes ? kDiscardBytes : 0;
  void* p = mmap(nullptr, bytes + align, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return nullptr;
  auto at = reinterpret_cast<uintptr_t>(p);
  if (align != 0) {
    const uintptr_t start = (at + align - 1) & ~(static_cast<uintptr_t>(align) - 1);
    if (start != at) munmap(p, start - at);
    const size_t tail = at + align - start;
    if (tail != 0) munmap(reinterpret_cast<void*>(start + bytes), tail);
    at = start;
  }
  mapped_bytes.fetch_add(bytes, std::memory_order_relaxed);
  return reinterpret_cast<Bucket*>(at);
}

}  // namespace

Bucket* table_try_alloc(size_t buckets) {
  const size_t bytes = buckets * sizeof(Bucket);
  if (bytes >= kMapThreshold) return map_table(bytes);
  if (!aligned_by_hand(bytes)) {
    void* p = mem_try_alloc(bytes);
    return p == nullptr ? nullptr : static_cast<Bucket*>(memset(p, 0, bytes));
  }
  // Sizes at which calloc gets pages that are zero already, and memset would be felt.
  void* raw = mem_calloc(bytes + kLine);
  const uintptr_t at = (reinterpret_cast<uintptr_t>(raw) + kLine) & ~static_cast<uintptr_t>(kLine - 1);
  reinterpret_cast<void**>(at)[-1] = raw;
  return reinterpret_cast<Bucket*>(at);
}

void table_free(Bucket* table, size_t buckets) {
  if (table == nullptr) return;
  const size_t bytes = buckets * sizeof(Bucket);
  if (bytes >= kMapThreshold) {
    munmap(table, bytes);
    mapped_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  } else {
    mem_free(aligned_by_hand(bytes) ? reinterpret_cast<void**>(table)[-1] : table);
  }
}

void table_discard(Bucket* table, size_t buckets, size_t first, size_t count) {
  if (buckets * sizeof(Bucket) < kMapThreshold) return;
  madvise(table + first, count * sizeof(Bucket), MADV_DONTNEED);
}

void table_settled(Bucket* table, size_t buckets) {
  const size_t bytes = buckets * sizeof(Bucket);
  if (bytes < kDiscardBytes || !mem_huge_pages()) return;
  madvise(table, bytes, MADV_HUGEPAGE);
  // The kernel's own thread would take minutes to come round. A piece at a time, so that a page fault of the
  // loop waits for one piece at most. Should the array be gone by then, the call fails or improves somebody
  // else's pages.
  run_in_background([table, bytes] {
    for (size_t at = 0; at < bytes; at += kDiscardBytes) {
      if (!alloc_detail::collapse(reinterpret_cast<char*>(table) + at)) return;
    }
  });
}

size_t table_bytes(size_t buckets) {
  const size_t bytes = buckets * sizeof(Bucket);
  return aligned_by_hand(bytes) ? bytes + kLine : bytes;
}

size_t table_mapped_bytes() { return mapped_bytes.load(std::memory_order_relaxed); }

Bucket* child_alloc() {
  auto* b = static_cast<Bucket*>(mem_alloc(sizeof(Bucket)));
  b->meta = 0;
  return b;
}

void child_free(Bucket* b) { mem_free(b); }

void fatal(const char* what) {
  fprintf(stderr, "kvasir: dict: %s\n", what);
  abort();
}

void set_resize_policy(ResizePolicy policy) { policy_now.store(policy, std::memory_order_relaxed); }
ResizePolicy resize_policy() { return policy_now.load(std::memory_order_relaxed); }

void TableStats::add(const TableStats& other) {
  top_level += other.top_level;
  children += other.children;
  used += other.used;
  max_chain = std::max(max_chain, other.max_chain);
  for (size_t i = 0; i < kChainLengths; i++) chains[i] += other.chains[i];
}

void TableStats::print(std::string* out, bool full) const {
  char line[160];
  const auto append = [&](int n) { out->append(line, static_cast<size_t>(n)); };
  append(snprintf(line, sizeof(line),
                  "Hash table %d stats (%s):\n table size: %zu\n number of entries: %zu\n", table,
                  table == 0 ? "main hash table" : "rehashing target", top_level * kSlots, used));
  if (table == 0)
    append(snprintf(line, sizeof(line), " rehashing index: %lld\n", static_cast<long long>(rehash_index)));
  if (!full) return;
  const double tops = top_level == 0 ? 1.0 : static_cast<double>(top_level);
  append(snprintf(line, sizeof(line),
                  " top-level buckets: %zu\n child buckets: %zu\n max chain length: %zu\n", top_level,
                  children, max_chain));
  append(snprintf(line, sizeof(line), " avg chain length: %f\n chain length distribution:\n",
                  static_cast<double>(children) / tops));
  for (size_t i = 0; i + 1 < kChainLengths; i++) {
    if (chains[i] == 0) continue;
    append(snprintf(line, sizeof(line), "   %zu: %zu (%.02f%%)\n", i, chains[i],
                    static_cast<double>(chains[i]) / tops * 100));
  }
}

}  // namespace kvasir::dict
