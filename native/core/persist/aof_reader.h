// Cuts commands out of an append-only file: RESP arrays of bulk strings, and lines that begin with # between
// them. The file is not trusted: nothing is allocated on the word of a length that is not in the file, and
// what is not exactly well-formed is an error.
//
// Arguments lie in the reader's buffer. next() takes commands that are whole there and moves nothing, so that
// several may be looked at together; when it says kMore, refill() gets more of the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/slice.h"

namespace kvasir {

class AofReader {
 public:
  enum class Next : uint8_t {
    kCommand,
    kMore,       // call refill(); a command or a line may have begun
    kBadFormat,  // what is there is no command
  };
  enum class Refill : uint8_t {
    kMore,   // there are new bytes
    kEnd,    // of the file, at the end of a command
    kTorn,   // of the file, within a command or a line
    kError,  // errno
  };

  // Reads fd from `offset` in the file on, and closes it in the end.
  AofReader(int fd, uint64_t offset);
  ~AofReader();
  AofReader(const AofReader&) = delete;
  AofReader& operator=(const AofReader&) = delete;

  // Appends the arguments of the next command to *argv; they stay until refill(). Anything but kCommand
  // leaves *argv as it was.
  Next next(std::vector<Slice>* argv);
  Refill refill();
  // Where in the file the next command begins, as far as next() has come.
  [[nodiscard]] uint64_t offset() const { return offset_ + pos_; }

  // Longest line with #, its end included.
  static constexpr size_t kLineMax = 1024;

 private:
  enum class Line : uint8_t { kWhole, kMore, kBad };
  // Reads "<prefix><digits>\r\n" at *at.
  Line length(size_t* at, char prefix, uint64_t* out) const;

  int fd_;
  char* buf_ = nullptr;
  size_t cap_ = 0;
  size_t size_ = 0;      // bytes of the file in buf_
  size_t pos_ = 0;       // thereof parsed
  size_t wanted_ = 0;    // the unfinished command has at least so many bytes
  uint64_t offset_ = 0;  // of buf_[0] in the file
};

}  // namespace kvasir
