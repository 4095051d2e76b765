#include "base/malloc_heap.h"

#include <unistd.h>

#include <algorithm>

#include "base/background.h"
#include "base/huge_page.h"

namespace kvasir::alloc_detail {

namespace {

// What lies in the first of it is the host program's, and small.
constexpr uintptr_t kFirst = uintptr_t{16} << 20;
// Growth from one sweep to the next, at least; else a sixteenth.
constexpr int64_t kStep = int64_t{8} << 20;

uintptr_t first_page() {
  static const uintptr_t first = [] {
    const uintptr_t now = reinterpret_cast<uintptr_t>(sbrk(0));
    return (now + kFirst + kHugePage - 1) & ~uintptr_t{kHugePage - 1};
  }();
  return first;
}

}  // namespace

void MallocHeap::sweep(int64_t bytes) {
  next_.store(bytes + std::max(kStep, bytes / 16), std::memory_order_relaxed);
  if (!can_collapse() || reinterpret_cast<uintptr_t>(sbrk(0)) < first_page() + kHugePage) return;
  if (running_.exchange(true)) return;
  run_in_background([this] {
    collapse_full();
    running_.store(false);
  });
}

// Should the heap become smaller meanwhile, the calls fail.
void MallocHeap::collapse_full() {
  if (anew_.exchange(false)) huge_.clear();
  const uintptr_t first = first_page();
  for (size_t i = 0; first + (i + 1) * kHugePage <= reinterpret_cast<uintptr_t>(sbrk(0)); i++) {
    if (i >= huge_.size()) huge_.resize(i + 64);
    char* const page = reinterpret_cast<char*>(first + i * kHugePage);
    if (!huge_[i] && resident(page)) huge_[i] = collapse(page);
  }
}

}  // namespace kvasir::alloc_detail
