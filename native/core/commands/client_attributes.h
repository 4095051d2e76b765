// What a client says of itself: its name and its library.
#pragma once

#include "base/slice.h"

namespace kvasir {

inline constexpr const char* kBadClientName =
    "ERR Client names cannot contain spaces, newlines or special characters.";

// Visible ASCII only, so that CLIENT LIST can be split at its spaces. As in Valkey a NUL ends the text.
inline bool valid_client_attribute(Slice text) {
  for (const char c : text) {
    if (c == 0) return true;
    if (c < '!' || c > '~') return false;
  }
  return true;
}

}  // namespace kvasir
