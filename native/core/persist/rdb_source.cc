#include "persist/rdb_source.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/crc64.h"

namespace kvasir {

namespace {

// One read: a few hundred microseconds of decoding.
constexpr size_t kReadBytes = 128 * 1024;

}  // namespace

RdbSource::~RdbSource() { free(data_); }

uint64_t RdbSource::most_left() const {
  if (size_ == kUnknown) return std::numeric_limits<uint64_t>::max();
  return left() + (size_ > fetched_ ? size_ - fetched_ : 0);
}

uint64_t RdbSource::likely_left() const {
  constexpr uint64_t kUnseen = 1 << 20;
  return size_ == kUnknown ? std::max<uint64_t>(left(), kUnseen) : most_left();
}

void RdbSource::note_read() {
  const auto read = static_cast<size_t>(at_ - data_);
  if (checksummed_) crc_ = crc64(crc_, data_ + crc_done_, read - crc_done_);
  crc_done_ = read;
}

uint64_t RdbSource::checksum() {
  if (data_ != nullptr) note_read();
  return crc_;
}

// What was read leaves the window.
void RdbSource::forget_read() {
  if (data_ == nullptr) return;
  note_read();
  const size_t rest = left();
  window_offset_ += static_cast<uint64_t>(at_ - data_);
  memmove(data_, at_, rest);
  at_ = data_;
  end_ = data_ + rest;
  crc_done_ = 0;
}

// Room for n bytes behind those that are there.
bool RdbSource::make_room(size_t n) {
  forget_read();
  const size_t have = left();
  const size_t want = have + n;
  // What one huge string needed is given back when it is through.
  if (want <= capacity_ && (capacity_ <= 8 * kReadBytes || want * 4 > capacity_)) return true;
  const size_t capacity = std::max(want, 2 * kReadBytes);
  auto* const grown = static_cast<char*>(realloc(data_, capacity));
  if (grown == nullptr) return false;
  data_ = grown;
  capacity_ = capacity;
  at_ = data_;
  end_ = data_ + have;
  return true;
}

bool RdbSource::push(Slice bytes) {
  if (!make_room(std::max(bytes.size, left()))) return false;
  memcpy(const_cast<char*>(end_), bytes.data, bytes.size);
  end_ += bytes.size;
  fetched_ += bytes.size;
  return true;
}

bool RdbSource::more() {
  if (fd_ < 0) {
    const uint64_t before = fetched_;
    while (fetched_ == before && !ended_) {
      if (!pacer_.pause(true)) return false;
    }
    return fetched_ != before;
  }
  // Twice as much as there is, so that a long string costs no more than its length in copies.
  if (!make_room(std::max(kReadBytes, left()))) return false;
  const auto room = capacity_ - static_cast<size_t>(end_ - data_);
  ssize_t n;
  do {
    n = ::read(fd_, const_cast<char*>(end_), std::min(room, kReadBytes));
  } while (n < 0 && errno == EINTR);
  if (n < 0) error_ = errno;
  if (n <= 0) return false;
  end_ += n;
  fetched_ += static_cast<uint64_t>(n);
  return pacer_.pause(false);
}

bool RdbSource::refill(size_t n) {
  if (n > most_left()) return false;
  while (left() < n) {
    if (!more()) return false;
  }
  return true;
}

bool RdbSource::read_into(char* to, size_t n) {
  if (n > most_left()) return false;
  while (n > 0) {
    const size_t here = std::min(n, left());
    memcpy(to, at_, here);
    at_ += here;
    to += here;
    n -= here;
    if (n > 0 && !more()) return false;
  }
  return true;
}

}  // namespace kvasir
