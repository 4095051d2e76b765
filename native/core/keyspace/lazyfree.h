// Freeing without stopping the loop. What is costly to free - a database's worth of entries, a big collection
// - goes to one background thread; what is cheap is freed on the spot, since handing it over would cost more.
#pragma once

#include <cstddef>
#include <cstdint>

#include "keyspace/database.h"

namespace kvasir {

// Frees now if that is cheap (value_free_effort), else in the background. A string buffer that something else
// still refers to is only released.
void lazyfree_entry(Entry* e);
// Frees a detached database in the background.
void lazyfree_contents(Database::Contents&& c);
// Frees a detached database now.
void free_contents(Database::Contents&& c);

struct LazyfreeStats {
  uint64_t pending;  // objects (entries) handed over and not freed yet: lazyfree_pending_objects
  uint64_t freed;    // since the last reset: lazyfreed_objects
};
LazyfreeStats lazyfree_stats();
void lazyfree_reset_stats();

}  // namespace kvasir
