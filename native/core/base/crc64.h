// CRC-64 with the Jones polynomial 0xad93d23594c935a9, reflected, initial value 0, no final xor: the checksum
// of RDB files and DUMP payloads ("123456789" gives e9c6d914c4b8d9ca).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/slice.h"

namespace kvasir {

// Continues `crc` (0 at the start) over more bytes.
uint64_t crc64(uint64_t crc, const void* data, size_t size);
inline uint64_t crc64(const Slice& s) { return crc64(0, s.data, s.size); }

}  // namespace kvasir
