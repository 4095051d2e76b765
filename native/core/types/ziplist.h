// Ziplists: what Redis before 7 kept short lists, hashes and sorted sets in. They are only read, from
// payloads and files of that time; what is read becomes a listpack.
//
//   | total bytes u32 | start of the last element u32 | elements u16 | element ... | 0xFF |   little endian
//   element: | size of the one before: a byte, or 254 and u32 | encoding | bytes |
//
//   00xxxxxx          string, length 6 bits      1100 0000  int16      1111 1110  int8
//   01xxxxxx x8       string, length 14 bits     1101 0000  int32      1111 xxxx  integer 0..12, as xxxx - 1
//   10xxxxxx x32      string, length 32 bits     1110 0000  int64
//                     (both big endian)          1111 0000  int24
//
// 65535 elements in the header: unknown.
#pragma once

#include <cstdint>

#include "types/listpack.h"

namespace kvasir {

// Goes through the elements of a ziplist from outside, checking the structure on the way.
class ZiplistReader {
 public:
  explicit ZiplistReader(Slice image);

  // The next element, whose text belongs to the image; false at the end and where something is wrong.
  bool next(ListpackItem* item);
  // After the end: nothing was wrong.
  [[nodiscard]] bool valid() const { return valid_; }

 private:
  // What is left to check at the terminator.
  [[nodiscard]] bool closes() const;

  Slice image_;
  size_t at_ = 0;
  size_t last_ = 0;       // where the element before `at_` begins
  size_t last_size_ = 0;  // its bytes, 0 before the first
  uint32_t count_ = 0;
  bool valid_ = false;
};

}  // namespace kvasir
