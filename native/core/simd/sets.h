// The sets of kernels, for the dispatcher and for each other: a set takes over from a plainer one what its
// instructions do not improve.
#pragma once

#include "simd/kernels.h"

#if defined(__x86_64__)
#define KVASIR_X86 1
#elif defined(__aarch64__)
#define KVASIR_ARM64 1
#endif

namespace kvasir::simd {

extern const Kernels kPortable;
#ifdef KVASIR_X86
extern const Kernels kSse42, kAvx2, kAvx512;
#endif
#ifdef KVASIR_ARM64
extern const Kernels kNeon;
#endif

// From so many bytes on, which no cache holds, an input is read in several places in turn: each is a stream
// to the CPU's prefetchers, and one stream alone does not use what the memory can deliver.
inline constexpr size_t kStreamsFrom = size_t{16} << 20;
// The bytes of each of n streams, a multiple of 4096 / n. They are pages in odd numbers and a bit more, so
// that streams neither compete for the same sets of a cache nor come to the ends of their pages together.
constexpr size_t stream_bytes(size_t size, size_t n) {
  constexpr size_t kPage = 4096;
  return ((size / n / kPage - 2) | 1) * kPage + kPage / n;
}

namespace portable {
uint64_t popcount(const uint8_t* p, size_t n);
size_t prefix_of(const uint8_t* p, size_t n, uint8_t value);
void bit_and(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n);
void bit_or(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n);
void bit_xor(uint8_t* out, const uint8_t* a, const uint8_t* b, size_t n);
void bit_not(uint8_t* out, const uint8_t* a, size_t n);
void hll_count_dense(const uint8_t* dense, uint32_t* histogram);
void hll_count_raw(const uint8_t* raw, uint32_t* histogram);
}  // namespace portable

}  // namespace kvasir::simd
