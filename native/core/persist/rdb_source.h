// Where a loader reads an RDB from: a file, or bytes that are pushed in as they arrive. Both run through one
// window, which grows with what is really there and never with what a length claims.
//
// A reader that asks for more than there is yet waits in Pacer::pause(): there the loop goes on meanwhile.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "persist/rdb_io.h"

namespace kvasir {

class RdbSource final : public RdbInput {
 public:
  class Pacer {
   public:
    virtual ~Pacer() = default;
    // Called between pieces of input; nothing that was read is in use. starving: the reader cannot go on
    // without more being pushed. False: the reader is to give up.
    virtual bool pause(bool starving) = 0;
  };
  static constexpr uint64_t kUnknown = std::numeric_limits<uint64_t>::max();

  // Reads a descriptor, which stays the caller's. size: bytes that it has, kUnknown for a pipe.
  RdbSource(Pacer* pacer, int fd, uint64_t size) : RdbInput({}), pacer_(*pacer), fd_(fd), size_(size) {}
  // Is pushed into.
  explicit RdbSource(Pacer* pacer) : RdbInput({}), pacer_(*pacer) {}
  ~RdbSource() override;

  // False: there is no memory for it.
  bool push(Slice bytes);
  void push_end() { ended_ = true; }

  // Whether a checksum of all that is read is kept; from the beginning or not at all.
  void keep_checksum() { checksummed_ = true; }
  [[nodiscard]] uint64_t checksum();
  // Bytes read.
  [[nodiscard]] uint64_t offset() const { return window_offset_ + static_cast<uint64_t>(at_ - data_); }
  [[nodiscard]] uint64_t size() const { return size_; }
  [[nodiscard]] uint64_t most_left() const override;
  bool read_into(char* to, size_t n) override;
  // Bytes that are here and not read.
  [[nodiscard]] size_t buffered() const { return left(); }
  // errno of a read that failed; 0: none did.
  [[nodiscard]] int error() const { return error_; }

 protected:
  bool refill(size_t n) override;
  [[nodiscard]] uint64_t likely_left() const override;

 private:
  void forget_read();
  bool make_room(size_t n);
  // Gets more; false: there is no more.
  bool more();
  void note_read();

  Pacer& pacer_;
  int fd_ = -1;
  uint64_t size_ = kUnknown;
  uint64_t fetched_ = 0;  // bytes that have come so far
  char* data_ = nullptr;  // the window: [data_, end_) of capacity_
  size_t capacity_ = 0;
  uint64_t window_offset_ = 0;  // of data_ in the whole
  bool ended_ = false;
  int error_ = 0;
  bool checksummed_ = false;
  uint64_t crc_ = 0;
  size_t crc_done_ = 0;  // bytes of the window that are in crc_
};

}  // namespace kvasir
