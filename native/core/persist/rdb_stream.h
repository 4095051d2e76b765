// Streams as RDB objects.
#pragma once

#include "persist/rdb_object.h"

namespace kvasir {

extern const RdbCollection kRdbStream;

}  // namespace kvasir
