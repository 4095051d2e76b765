// Values from outside: whatever bytes claim to be an RDB object are refused or become a value that can be
// written, read back, copied, digested and freed.
#include <cstdlib>

#include "keyspace/value.h"
#include "persist/rdb_object.h"

using namespace kvasir;

namespace {

std::string written(const Entry& e) {
  std::string bytes;
  RdbWriter out(&bytes, false);
  rdb_save_value(out, e);
  return bytes;
}

Sha1::Digest digest_of(const Entry& e) {
  Sha1::Digest d{};
  value_mix(e, &d);
  return d;
}

void require(bool holds) {
  if (!holds) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const EncodingLimits limits;
  RdbInput in({reinterpret_cast<const char*>(data) + 1, size - 1});
  Entry* e = nullptr;
  if (rdb_load_value(in, data[0], "key", kNoExpiry, limits, &e) != RdbLoaded::kOk) return 0;
  const std::string bytes = written(*e);
  RdbInput again(bytes);
  Entry* other = nullptr;
  require(rdb_load_value(again, static_cast<uint8_t>(rdb_type_of(*e)), "key", kNoExpiry, limits, &other) ==
          RdbLoaded::kOk);
  require(again.left() == 0);
  require(digest_of(*e) == digest_of(*other));
  Entry* copy = value_duplicate(*e, "copy", kNoExpiry);
  require(digest_of(*e) == digest_of(*copy));
  value_destroy(copy);
  value_destroy(other);
  value_destroy(e);
  return 0;
}
