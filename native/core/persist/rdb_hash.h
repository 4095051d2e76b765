// Hashes as RDB objects.
#pragma once

#include "persist/rdb_object.h"

namespace kvasir {

// Loading keeps fields whose deadline is past, as RESTORE must. Who loads a file as a primary drops them with
// hash_take_due() and propagates HDEL; a hash without a field left is no key.
extern const RdbCollection kRdbHash;

}  // namespace kvasir
