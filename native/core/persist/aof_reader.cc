#include "persist/aof_reader.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/alloc.h"
#include "base/file_size.h"

namespace kvasir {

namespace {
constexpr size_t kBufferBytes = 256 * 1024;
// Longer than any length that a file can mean.
constexpr size_t kMaxDigits = 18;
}  // namespace

AofReader::AofReader(int fd, uint64_t offset)
    : fd_(fd), buf_(static_cast<char*>(mem_alloc(kBufferBytes))), cap_(kBufferBytes), offset_(offset) {
  // A file that cannot seek is read from where it stands.
  ::lseek(fd, static_cast<off_t>(offset), SEEK_SET);
}

AofReader::~AofReader() {
  mem_free(buf_);
  ::close(fd_);
}

AofReader::Line AofReader::length(size_t* at, char prefix, uint64_t* out) const {
  size_t i = *at;
  if (i == size_) return Line::kMore;
  if (buf_[i++] != prefix) return Line::kBad;
  uint64_t n = 0;
  const size_t digits = i;
  for (; i < size_ && buf_[i] >= '0' && buf_[i] <= '9'; i++) {
    if (i - digits == kMaxDigits) return Line::kBad;
    n = n * 10 + static_cast<uint64_t>(buf_[i] - '0');
  }
  if (i == size_) return Line::kMore;
  if (i == digits || buf_[i] != '\r') return Line::kBad;
  if (++i == size_) return Line::kMore;
  if (buf_[i++] != '\n') return Line::kBad;
  *out = n;
  *at = i;
  return Line::kWhole;
}

AofReader::Next AofReader::next(std::vector<Slice>* argv) {
  wanted_ = 0;
  while (pos_ < size_ && buf_[pos_] == '#') {
    const size_t most = std::min(size_ - pos_, kLineMax);
    const auto* end = static_cast<const char*>(memchr(buf_ + pos_, '\n', most));
    if (end == nullptr) return most == kLineMax ? Next::kBadFormat : Next::kMore;
    pos_ = static_cast<size_t>(end + 1 - buf_);
  }
  if (pos_ == size_) return Next::kMore;
  const size_t before = argv->size();
  const auto leave = [&](Next how) {
    argv->resize(before);
    return how;
  };
  size_t at = pos_;
  uint64_t argc = 0;
  const auto incomplete = [&](Line line) {
    return leave(line == Line::kBad ? Next::kBadFormat : Next::kMore);
  };
  if (const Line line = length(&at, '*', &argc); line != Line::kWhole) return incomplete(line);
  if (argc == 0) return leave(Next::kBadFormat);
  for (uint64_t i = 0; i < argc; i++) {
    uint64_t len = 0;
    if (const Line line = length(&at, '$', &len); line != Line::kWhole) return incomplete(line);
    if (size_ - at < len + 2) {
      // As much of the line's end as is there must be one.
      if (size_ - at == len + 1 && buf_[at + len] != '\r') return leave(Next::kBadFormat);
      wanted_ = at - pos_ + static_cast<size_t>(len) + 2;
      return leave(Next::kMore);
    }
    if (buf_[at + len] != '\r' || buf_[at + len + 1] != '\n') return leave(Next::kBadFormat);
    argv->emplace_back(buf_ + at, static_cast<size_t>(len));
    at += static_cast<size_t>(len) + 2;
  }
  pos_ = at;
  return Next::kCommand;
}

AofReader::Refill AofReader::refill() {
  const size_t rest = size_ - pos_;
  memmove(buf_, buf_ + pos_, rest);
  offset_ += pos_;
  pos_ = 0;
  size_ = rest;
  if (rest == cap_ || wanted_ > cap_) {
    // Twice as much, or what the command needs if the file has it.
    const uint64_t size = regular_file_size(fd_).value_or(0);
    const uint64_t left = size > offset_ ? size - offset_ : 0;
    const size_t cap = std::max(rest == cap_ ? 2 * cap_ : cap_, wanted_ <= left ? wanted_ : 0);
    char* bigger = static_cast<char*>(mem_alloc(cap));
    memcpy(bigger, buf_, size_);
    mem_free(buf_);
    buf_ = bigger;
    cap_ = cap;
  }
  while (true) {
    const ssize_t n = ::read(fd_, buf_ + size_, cap_ - size_);
    if (n > 0) {
      size_ += static_cast<size_t>(n);
      return Refill::kMore;
    }
    if (n == 0) return size_ == 0 ? Refill::kEnd : Refill::kTorn;
    if (errno != EINTR) return Refill::kError;
  }
}

}  // namespace kvasir
