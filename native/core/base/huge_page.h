// Huge pages by request, for memory that is there already: MADV_COLLAPSE, Linux 6.1. Older kernels refuse it,
// and nothing is lost.
#pragma once

#include <cstddef>

namespace kvasir::alloc_detail {

inline constexpr size_t kHugePage = size_t{2} << 20;

// Whether all but a sixteenth of a huge page's memory is there; what is not would become resident with it.
bool resident(char* page);
// Copies what is there into a huge page: some 0.3 ms, in which a page fault of the loop waits. False:
// refused, perhaps as there is none now; the kernel's own thread comes round some time.
bool collapse(char* page);
bool can_collapse();

}  // namespace kvasir::alloc_detail
