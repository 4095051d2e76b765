#include "base/lzf.h"

#include <algorithm>
#include <cstdint>
#include <memory>

namespace kvasir {

namespace {

constexpr unsigned kHashBits = 16;
constexpr size_t kMaxLiterals = 32;
constexpr size_t kMaxOffset = 1 << 13;
constexpr size_t kMaxMatch = (1 << 8) + (1 << 3);

// Positions by the hash of the three bytes there. A position is stored with the table's base of the time
// added, so that what earlier texts left is older than `base` and nothing has to be cleared.
class Positions {
 public:
  void begin(size_t size) {
    if (!slots_) slots_ = std::make_unique<uint64_t[]>(size_t{1} << kHashBits);
    base_ = next_;
    next_ += size;
  }
  // The last position with that hash plus one (0: none), and puts `at` in its place.
  size_t exchange(uint32_t three, size_t at) {
    uint64_t& slot = slots_[index(three)];
    const uint64_t old = slot;
    slot = base_ + at;
    return old < base_ ? 0 : static_cast<size_t>(old - base_) + 1;
  }
  void put(uint32_t three, size_t at) { slots_[index(three)] = base_ + at; }

 private:
  static uint32_t index(uint32_t three) {
    return ((three >> (24 - kHashBits)) - three * 5) & ((1U << kHashBits) - 1);
  }
  std::unique_ptr<uint64_t[]> slots_;
  uint64_t base_ = 1, next_ = 1;
};

// The output with its run of literals: a place for their number is kept before them.
class Writer {
 public:
  Writer(char* out, size_t room) : out_(reinterpret_cast<uint8_t*>(out)), room_(room) {}
  bool literal(uint8_t b) {
    if (n_ >= room_) return false;
    out_[n_++] = b;
    if (++literals_ == kMaxLiterals) {
      end_run();
      begin_run();
    }
    return true;
  }
  // Whether a match surely fits behind what is there.
  [[nodiscard]] bool fits_match() const { return n_ - (literals_ == 0 ? 1 : 0) + 4 < room_; }
  // length bytes (3 at least) from offset + 1 bytes back
  void match(size_t offset, size_t length) {
    finish();
    const size_t l = length - 2;
    if (l < 7) {
      put((offset >> 8) + (l << 5));
    } else {
      put((offset >> 8) + (7 << 5));
      put(l - 7);
    }
    put(offset);
    begin_run();
  }
  void begin_run() {
    literals_ = 0;
    n_++;
  }
  // Ends the run; one without literals disappears.
  void finish() {
    if (literals_ > 0) {
      end_run();
    } else {
      n_--;
    }
  }
  [[nodiscard]] size_t size() const { return n_; }
  [[nodiscard]] bool room_for(size_t n) const { return n_ + n <= room_; }

 private:
  void end_run() { out_[n_ - literals_ - 1] = static_cast<uint8_t>(literals_ - 1); }
  void put(size_t b) { out_[n_++] = static_cast<uint8_t>(b); }
  uint8_t* out_;
  size_t room_;
  size_t n_ = 0;
  size_t literals_ = 0;
};

}  // namespace

size_t lzf_compress(Slice in, char* out, size_t room) {
  if (in.size == 0 || room == 0) return 0;
  const auto* text = reinterpret_cast<const uint8_t*>(in.data);
  const size_t size = in.size;
  const auto three = [&](size_t i) {
    return static_cast<uint32_t>(text[i]) << 16 | static_cast<uint32_t>(text[i + 1]) << 8 | text[i + 2];
  };
  static thread_local Positions positions;
  positions.begin(size);
  Writer writer(out, room);
  writer.begin_run();
  size_t i = 0;
  while (i + 2 < size) {
    const uint32_t here = three(i);
    const size_t found = positions.exchange(here, i);
    // Like LibLZF, never a match at the very beginning.
    const size_t at = found == 0 ? 0 : found - 1;
    if (at == 0 || i - at > kMaxOffset || three(at) != here) {
      if (!writer.literal(text[i])) return 0;
      i++;
      continue;
    }
    if (!writer.fits_match()) return 0;
    // Like LibLZF, the last two bytes are left to the literals.
    const size_t longest = std::max<size_t>(3, std::min(size - i - 2, kMaxMatch));
    size_t length = 3;
    while (length < longest && text[at + length] == text[i + length]) length++;
    writer.match(i - at - 1, length);
    i += length;
    if (i + 2 >= size) break;
    // Within a match only the last two positions are remembered.
    positions.put(three(i - 2), i - 2);
    positions.put(three(i - 1), i - 1);
  }
  if (!writer.room_for(3)) return 0;  // two bytes and the head of a run at most
  for (; i < size; i++) writer.literal(text[i]);
  writer.finish();
  return writer.size();
}

size_t lzf_decompress(Slice in, char* out, size_t size) {
  const auto* p = reinterpret_cast<const uint8_t*>(in.data);
  const uint8_t* const end = p + in.size;
  size_t n = 0;
  while (p < end) {
    const size_t control = *p++;
    if (control < kMaxLiterals) {
      const size_t count = control + 1;
      if (count > size - n || count > static_cast<size_t>(end - p)) return 0;
      memcpy(out + n, p, count);
      p += count;
      n += count;
      continue;
    }
    size_t length = control >> 5;
    if (length == 7) {
      if (p >= end) return 0;
      length += *p++;
    }
    length += 2;
    if (p >= end) return 0;
    const size_t back = ((control & 0x1f) << 8 | *p++) + 1;
    if (back > n || length > size - n) return 0;
    // The source may overlap what is being written: then it repeats itself.
    if (back >= length) {
      memcpy(out + n, out + n - back, length);
    } else {
      for (size_t k = 0; k < length; k++) out[n + k] = out[n + k - back];
    }
    n += length;
  }
  return n;
}

}  // namespace kvasir
