// Checks of compact encodings from outside that collections without repetitions share.
#pragma once

#include <optional>

#include "types/listpack.h"

namespace kvasir {

// Whether every `step`th element, from the first on, reads differently from all others: step 1 for sets, 2
// for the fields of hashes and the members of sorted sets. Also that elements come in whole steps.
[[nodiscard]] bool distinct(const Listpack& lp, unsigned step);

// The elements of a ziplist as a listpack, the caller's; nothing if it is not a valid one.
std::optional<Listpack> listpack_of_ziplist(Slice ziplist);

}  // namespace kvasir
