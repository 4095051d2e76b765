#include "types/ziplist.h"

#include <cstring>

namespace kvasir {

namespace {

constexpr size_t kHeader = 10;
constexpr uint8_t kEnd = 0xff;
constexpr uint8_t kLongSize = 254;  // of the element before
constexpr uint16_t kManyElements = 0xffff;

uint32_t u32(const char* p) {
  uint32_t v;
  memcpy(&v, p, sizeof(v));
  return v;
}
uint16_t u16(const char* p) {
  uint16_t v;
  memcpy(&v, p, sizeof(v));
  return v;
}
uint8_t u8(const char* p) { return static_cast<uint8_t>(*p); }

// Bytes of the integer behind an encoding byte of 11xxxxxx; 0: it is in the byte; -1: there is no such
// encoding.
int integer_bytes(uint8_t encoding) {
  switch (encoding) {
    case 0xc0:
      return 2;
    case 0xd0:
      return 4;
    case 0xe0:
      return 8;
    case 0xf0:
      return 3;
    case 0xfe:
      return 1;
    default:
      return encoding > 0xf0 && encoding < 0xfe ? 0 : -1;
  }
}

}  // namespace

ZiplistReader::ZiplistReader(Slice image) : image_(image), at_(kHeader) {
  valid_ = image.size > kHeader && u32(image.data) == image.size && u8(image.end() - 1) == kEnd &&
           u32(image.data + 4) < image.size;
}

bool ZiplistReader::closes() const {
  if (at_ != image_.size - 1) return false;
  if (count_ > 0 && u32(image_.data + 4) != last_) return false;
  const uint16_t stated = u16(image_.data + 8);
  return stated == kManyElements || stated == count_;
}

bool ZiplistReader::next(ListpackItem* item) {
  if (!valid_) return false;
  const char* p = image_.data + at_;
  // The terminator is the last byte and not part of an element.
  const size_t left = image_.size - 1 - at_;
  if (u8(p) == kEnd) {
    valid_ = closes();
    return false;
  }
  valid_ = false;
  const size_t before = u8(p) == kLongSize ? 5 : 1;
  if (left < before + 1) return false;
  if ((before == 1 ? u8(p) : u32(p + 1)) != last_size_) return false;

  const uint8_t encoding = u8(p + before);
  const char* body = p + before + 1;
  const size_t room = left - before - 1;
  size_t used;  // behind the encoding byte
  *item = {};
  if (encoding < 0xc0) {
    const size_t more = encoding < 0x40 ? 0 : encoding < 0x80 ? 1 : 4;  // bytes of the length
    if (room < more) return false;
    size_t size = encoding & 0x3f;
    if (more == 1) size = size << 8 | u8(body);
    if (more == 4) size = __builtin_bswap32(u32(body));
    if (room - more < size) return false;
    item->text = {body + more, size};
    used = more + size;
  } else {
    const int bytes = integer_bytes(encoding);
    if (bytes < 0 || room < static_cast<size_t>(bytes)) return false;
    item->is_int = true;
    if (bytes == 0) {
      item->number = (encoding & 0x0f) - 1;
    } else {
      uint64_t v = 0;
      memcpy(&v, body, static_cast<size_t>(bytes));
      const int unused = 64 - 8 * bytes;
      item->number = static_cast<int64_t>(v << unused) >> unused;
    }
    used = static_cast<size_t>(bytes);
  }
  last_ = at_;
  last_size_ = before + 1 + used;
  at_ += last_size_;
  count_++;
  valid_ = true;
  return true;
}

}  // namespace kvasir
