// Files from outside: whatever bytes claim to be an RDB are refused or loaded, in one piece or in many; and
// what was loaded can be saved, and reads back the same.
#include <cstdlib>

#include "persist/rdb_load.h"
#include "rdb_fixture.h"

using namespace kvasir;
using namespace kvasir::test;

namespace {

void require(bool holds) {
  if (!holds) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  // The first byte says how; without the checksum, or hardly anything would get through.
  const uint8_t how = data[0];
  const Slice bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  RdbLoadOptions options;
  options.verify_checksum = (how & 1) != 0;
  options.strict_version = (how & 2) == 0;
  options.replace_duplicates = (how & 4) != 0;
  options.drop_expired = (how & 8) == 0;
  options.from_file = (how & 16) == 0;
  const bool clustered = (how & 32) != 0;
  Data whole(4, clustered), pieces(4, clustered);
  const Loaded first = load_pushed(whole, bytes, bytes.size, options);
  const Loaded second = load_pushed(pieces, bytes, 1 + how % 7, options);
  require(first.result == second.result);
  require(whole.digest() == pieces.digest());
  if (first.result != RdbLoadResult::kOk) return 0;
  Data again(4, clustered);
  options.drop_expired = false;
  const std::string file = saved(whole);
  require(load_pushed(again, file, file.size(), options).result == RdbLoadResult::kOk);
  require(again.digest() == whole.digest());
  return 0;
}
