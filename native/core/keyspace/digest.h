// DEBUG DIGEST: a SHA-1 over keys and values by which datasets are compared, across servers and with Valkey.
// What has an order (the bytes of a string, a list) is mixed, so that another order gives another digest;
// what has none (keys, the members of a set) is xored.
#pragma once

#include <limits>

#include "base/sha1.h"
#include "base/slice.h"
#include "keyspace/keyspace.h"

namespace kvasir {

// Type, value, and whether there is a deadline (not which). Elements with a deadline before `time` do not
// count.
void digest_entry(Sha1::Digest* digest, const Entry& e, int64_t time = std::numeric_limits<int64_t>::min());
// All databases; all zeros if there are no keys. O(everything).
Sha1::Digest digest_dataset(Keyspace& ks);

}  // namespace kvasir
