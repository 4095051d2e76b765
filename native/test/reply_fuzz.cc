// The input is the sequence of choices of an OutputScript.
#include <cstdlib>

#include "output_script.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  size_t at = 0;
  kvasir::test::OutputScript script([&](size_t n) -> size_t {
    size_t v = 0;
    for (int i = 0; i < 3 && at < size; i++) v = v << 8 | data[at++];
    return v % n;
  });
  if (!script.run(1 + size / 4)) abort();
  return 0;
}
