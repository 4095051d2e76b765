// memcpy for lengths that are mostly short.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>

namespace kvasir {

// Up to 64 bytes are copied without a call or a loop: in two pieces, from the front and from the back, that
// overlap where they must. The areas do not overlap.
inline void copy_short(char* to, const char* from, size_t n) {
  const auto two_of = [&](auto piece) {
    constexpr size_t kSize = decltype(piece)::value;
    char front[kSize];
    char back[kSize];
    memcpy(front, from, kSize);
    memcpy(back, from + n - kSize, kSize);
    memcpy(to, front, kSize);
    memcpy(to + n - kSize, back, kSize);
  };
  if (n > 64) {
    memcpy(to, from, n);
  } else if (n >= 32) {
    two_of(std::integral_constant<size_t, 32>{});
  } else if (n >= 16) {
    two_of(std::integral_constant<size_t, 16>{});
  } else if (n >= 8) {
    two_of(std::integral_constant<size_t, 8>{});
  } else if (n >= 4) {
    two_of(std::integral_constant<size_t, 4>{});
  } else if (n > 0) {
    const char middle = from[n / 2];
    const char last = from[n - 1];
    to[0] = from[0];
    to[n / 2] = middle;
    to[n - 1] = last;
  }
}

}  // namespace kvasir
