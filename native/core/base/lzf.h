// LZF, the compression of RDB strings and of the inner nodes of compressed lists.
//
//   000lllll  l+1 bytes that follow as they are
//   lllooooo oooooooo           l+2 bytes (l 1..6) from o+1 bytes back
//   111ooooo llllllll oooooooo  l+9 bytes from o+1 bytes back
//
// The format is Marc Lehmann's (LibLZF). Matches are looked for as LibLZF does with Valkey's settings (a
// table of 64 K positions by a hash of three bytes, skipping within matches), so that sizes agree with
// Valkey's.
#pragma once

#include <cstddef>

#include "base/slice.h"

namespace kvasir {

// Compresses into out. The number of bytes written, 0 if they would be more than `room`.
size_t lzf_compress(Slice in, char* out, size_t room);

// Decompresses exactly `size` bytes; the number of bytes written, 0 if `in` is not LZF or gives more than
// that.
size_t lzf_decompress(Slice in, char* out, size_t size);

}  // namespace kvasir
