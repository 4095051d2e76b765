#include "simd/kernels.h"

#include <array>

#include "simd/sets.h"

namespace kvasir::simd {

namespace {

struct Sets {
  std::array<const Kernels*, 4> set{};
  size_t size = 0;

  Sets() {
    add(&kPortable);
#ifdef KVASIR_X86
    // The compiler's run-time answers "yes" to the AVX families only if XCR0 says that their registers are
    // saved.
    __builtin_cpu_init();
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt")) add(&kSse42);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt")) add(&kAvx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
        __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("gfni")) {
      add(&kAvx512);
    }
#endif
#ifdef KVASIR_ARM64
    add(&kNeon);  // part of the architecture's base
#endif
  }
  void add(const Kernels* k) { set[size++] = k; }
};

const Sets& sets() {
  static const Sets found;
  return found;
}

const Kernels* fastest() {
  const Sets& s = sets();
  return s.set[s.size - 1];
}

}  // namespace

namespace detail {
const Kernels* active = fastest();
}

std::span<const Kernels* const> available() { return {sets().set.data(), sets().size}; }

bool select(Slice name) {
  if (equals_nocase(name, "auto")) {
    detail::active = fastest();
    return true;
  }
  for (const Kernels* k : available()) {
    if (!equals_nocase(name, k->name)) continue;
    detail::active = k;
    return true;
  }
  return false;
}

}  // namespace kvasir::simd
