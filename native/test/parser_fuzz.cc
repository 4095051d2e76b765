// The first bytes choose the limits and the cuts; the rest is a stream that must be parsed the same cut or
// whole.
#include <cstdlib>

#include "parser_driver.h"

using namespace kvasir;
using kvasir::test::ParserDriver;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  RequestParser::Limits limits;
  limits.max_bulk = 256 * 1024;
  limits.authenticated = (data[0] & 1) != 0;
  uint32_t state = static_cast<uint32_t>(data[1]) << 8 | data[2] | 1;
  const size_t longest = size_t{1} << (data[3] % 17);
  const char* stream = reinterpret_cast<const char*>(data) + 4;
  const size_t n = size - 4;

  ParserDriver unsplit(limits);
  unsplit.read(stream, n);
  unsplit.end_turn();

  ParserDriver split(limits);
  for (size_t at = 0; at < n;) {
    state = state * 1664525 + 1013904223;
    size_t take = 1 + (state >> 8) % longest;
    if (take > n - at) take = n - at;
    // Some reads are made on a guess, right or wrong.
    Shape shape;
    if ((data[0] & 2) != 0 && (state & 64) != 0) shape = {(state >> 20) % 64, (state >> 12) % 48};
    if (!split.read(stream + at, take, shape)) break;
    split.end_turn();
    if ((state >> 28) == 0) split.parser().trim(true);
    at += take;
  }
  if (!(split.parsed() == unsplit.parsed())) abort();
  return 0;
}
