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
