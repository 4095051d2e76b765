// What the server's memory use is measured by.
#pragma once

#include "base/alloc.h"
#include "dict/table.h"

namespace kvasir {

// `used_memory`: bytes in live objects of the data plane, process-wide. Mapped bucket arrays are not the
// allocator's, so they are added.
inline size_t used_memory() { return mem_used() + dict::table_mapped_bytes(); }

}  // namespace kvasir
