#include "base/huge_page.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

namespace kvasir::alloc_detail {

namespace {
constexpr int kMadvCollapse = 25;
}

bool resident(char* page) {
  static const size_t count = kHugePage / static_cast<size_t>(sysconf(_SC_PAGESIZE));
  unsigned char pages[kHugePage / 4096];
  if (mincore(page, kHugePage, pages) != 0) return false;
  const auto there = std::count_if(pages, pages + count, [](unsigned char p) { return (p & 1) != 0; });
  return static_cast<size_t>(there) * 16 >= count * 15;
}

bool collapse(char* page) { return madvise(page, kHugePage, kMadvCollapse) == 0; }

bool can_collapse() {
  static const bool can = madvise(nullptr, 0, kMadvCollapse) == 0;
  return can;
}

}  // namespace kvasir::alloc_detail
