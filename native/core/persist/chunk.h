// A piece of a file on its way from the loop, which serialises, to a thread that compresses, checksums and
// writes.
//
// `bytes` is the file as it will be, but for strings whose coding is left to the thread: their length and
// their bytes, compressed or not, come into being there. Such a string either stands in `bytes`, uncoded, or
// is pinned: held by a reference instead of copied, so that the bytes stay what they are whatever becomes of
// the key meanwhile.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/strbuf.h"

namespace kvasir {

struct Chunk {
  struct String {
    size_t at;      // in `bytes`: where it stands, or what it comes before
    size_t size;    // 0: it is pinned
    StrRef pinned;  // released by whichever thread is done with the chunk
  };
  std::string bytes;
  std::vector<String> strings;  // by `at`
  size_t pinned_bytes = 0;
  // The file's checksum so far follows `bytes`.
  bool checksum_follows = false;

  [[nodiscard]] bool empty() const { return bytes.empty() && strings.empty() && !checksum_follows; }
  // What it stands for, roughly.
  [[nodiscard]] size_t size() const { return bytes.size() + pinned_bytes; }
  void clear() {
    bytes.clear();
    strings.clear();
    pinned_bytes = 0;
    checksum_follows = false;
  }
};

// Where a writer gets its chunks from.
class ChunkSink {
 public:
  // Chunks of about this size are worth handing over.
  static constexpr size_t kChunkBytes = 256 * 1024;

  virtual ~ChunkSink() = default;
  // The present chunk is full: takes it and puts an empty one in its place.
  virtual void next() = 0;
  Chunk* chunk = nullptr;
};

}  // namespace kvasir
