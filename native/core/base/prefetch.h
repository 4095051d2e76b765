// Asks for the cache line at p, without waiting for it.
//
// Not __builtin_prefetch: gcc (12) takes a function that does nothing but prefetch for a pure one and drops
// the calls to it, silently, whenever it has not been inlined by then. An asm statement stays.
#pragma once

namespace kvasir {

inline void prefetch(const void* p) {
#if defined(__x86_64__)
  asm volatile("prefetcht0 %0" : : "m"(*static_cast<const char*>(p)));
#elif defined(__aarch64__)
  asm volatile("prfm pldl1keep, [%0]" : : "r"(p));
#else
  __builtin_prefetch(p);
#endif
}

}  // namespace kvasir
