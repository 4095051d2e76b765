#include "base/hash.h"

#include "base/rng.h"

namespace kvasir {

namespace hash_detail {

HashSeed seed = [] {
  HashSeed s;
  random_bytes(&s, sizeof(s));
  return s;
}();

uint64_t sip12_long(const char* p, size_t n) { return sip12<false>(p, n, seed); }

}  // namespace hash_detail

void set_hash_seed(const HashSeed& s) { hash_detail::seed = s; }
HashSeed hash_seed() { return hash_detail::seed; }

uint64_t hash_nocase(const Slice& s) { return hash_detail::sip12<true>(s.data, s.size, hash_detail::seed); }

}  // namespace kvasir
