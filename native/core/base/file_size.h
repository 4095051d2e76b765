// How long a file is.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <optional>

namespace kvasir {

// Bytes of a regular file; nothing for what has no size that could be relied on. By statx: fstat is a symbol
// of glibc since 2.33 only, and prebuilt binaries are to load with 2.28.
inline std::optional<uint64_t> regular_file_size(int fd) {
  struct statx st {};
  if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_SIZE, &st) != 0 || !S_ISREG(st.stx_mode)) return {};
  return st.stx_size;
}

}  // namespace kvasir
