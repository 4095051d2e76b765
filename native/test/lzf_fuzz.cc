// LZF data from outside never writes or reads beyond what it was given; what we compress comes back.
#include <cstdlib>
#include <string>
#include <vector>

#include "base/lzf.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const kvasir::Slice in(reinterpret_cast<const char*>(data), size);
  std::vector<char> out(size * 8);
  kvasir::lzf_decompress(in, out.data(), out.size());
  std::vector<char> packed(size + size / 16 + 16);
  const size_t n = kvasir::lzf_compress(in, packed.data(), packed.size());
  if (n == 0) return 0;
  std::vector<char> back(size);
  if (kvasir::lzf_decompress({packed.data(), n}, back.data(), size) != size) abort();
  if (memcmp(back.data(), data, size) != 0) abort();
  return 0;
}
