#include "persist/rdb_io.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/lzf.h"
#include "base/numbers.h"

namespace kvasir {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

namespace {

constexpr uint8_t k6Bit = 0x00, k14Bit = 0x40, k32Bit = 0x80, k64Bit = 0x81, kCoded = 0xc0;
constexpr uint8_t kInt8 = 0, kInt16 = 1, kInt32 = 2, kLzf = 3;
constexpr size_t kShortInteger = 11;      // digits of an int32 with its sign
constexpr size_t kWorthCompressing = 20;  // shorter strings never gain
constexpr size_t kLeastGain = 4;
// LZF makes at most 264 bytes of three: a claim beyond that is no claim of ours to allocate for.
constexpr uint64_t kMaxExpansion = 264;

uint64_t big_endian(Slice s) {
  uint64_t v = 0;
  for (const char c : s) v = v << 8 | static_cast<uint8_t>(c);
  return v;
}

}  // namespace

void RdbWriter::length(uint64_t n) {
  if (n < 64) {
    byte(static_cast<uint8_t>(k6Bit | n));
  } else if (n < 16384) {
    byte(static_cast<uint8_t>(k14Bit | n >> 8));
    byte(static_cast<uint8_t>(n));
  } else {
    const int bits = n <= UINT32_MAX ? 32 : 64;
    byte(bits == 32 ? k32Bit : k64Bit);
    for (int shift = bits - 8; shift >= 0; shift -= 8) byte(static_cast<uint8_t>(n >> shift));
  }
}

bool RdbWriter::short_integer(int64_t v) {
  const bool one = v >= INT8_MIN && v <= INT8_MAX;
  const bool two = v >= INT16_MIN && v <= INT16_MAX;
  if (v < INT32_MIN || v > INT32_MAX) return false;
  byte(kCoded | (one ? kInt8 : two ? kInt16 : kInt32));
  out_->append(reinterpret_cast<const char*>(&v), one ? 1 : two ? 2 : 4);
  return true;
}

void RdbWriter::string(Slice s) {
  int64_t v;
  if (s.size <= kShortInteger && parse_i64(s, &v) && short_integer(v)) return;
  if (compress_ && s.size > kWorthCompressing) {
    if (sink_ != nullptr) {
      sink_->chunk->strings.push_back({out_->size(), s.size, {}});
      bytes(s);
      return next_chunk_if_full();
    }
    std::string packed(s.size - kLeastGain, '\0');
    const size_t n = lzf_compress(s, packed.data(), packed.size());
    if (n > 0) return packed_string({packed.data(), n}, s.size);
  }
  length(s.size);
  bytes(s);
  if (sink_ != nullptr) next_chunk_if_full();
}

void RdbWriter::string(StrBuf* b) {
  if (sink_ == nullptr || b->size() < kPinFrom) return string(b->slice());
  sink_->chunk->strings.push_back({out_->size(), 0, StrRef(b->retain())});
  sink_->chunk->pinned_bytes += b->size();
  next_chunk_if_full();
}

void RdbWriter::packed_string(Slice lzf, size_t size) {
  byte(kCoded | kLzf);
  length(lzf.size);
  length(size);
  bytes(lzf);
}

void RdbWriter::integer_string(int64_t v) {
  if (short_integer(v)) return;
  char digits[kInt64Chars];
  const size_t n = format_i64(digits, v);
  length(n);
  bytes({digits, n});
}

void RdbWriter::le64(uint64_t v) { out_->append(reinterpret_cast<const char*>(&v), 8); }
void RdbWriter::real(double v) { out_->append(reinterpret_cast<const char*>(&v), 8); }

bool RdbInput::length_or_coding(uint64_t* n, bool* coded) {
  uint8_t b;
  Slice rest;
  *coded = false;
  if (!byte(&b)) return false;
  switch (b & 0xc0) {
    case k6Bit:
      *n = b & 0x3f;
      return true;
    case k14Bit:
      if (!bytes(1, &rest)) return false;
      *n = static_cast<uint64_t>(b & 0x3f) << 8 | big_endian(rest);
      return true;
    case kCoded:
      *n = b & 0x3f;
      *coded = true;
      return true;
    default:
      if ((b != k32Bit && b != k64Bit) || !bytes(b == k32Bit ? 4 : 8, &rest)) return false;
      *n = big_endian(rest);
      return true;
  }
}

// The number of a string's coding counts as a length where one is due, as in Valkey.
bool RdbInput::length(uint64_t* n) {
  bool coded;
  return length_or_coding(n, &coded);
}

bool RdbInput::le64(uint64_t* v) {
  Slice s;
  if (!bytes(8, &s)) return false;
  memcpy(v, s.data, 8);
  return true;
}

bool RdbInput::real(double* v) {
  Slice s;
  if (!bytes(8, &s)) return false;
  memcpy(v, s.data, 8);
  return true;
}

bool RdbInput::packed_lengths(uint64_t* packed, uint64_t* original) {
  return length(packed) && length(original) && *original / kMaxExpansion <= *packed;
}

bool RdbInput::unpack(uint64_t packed, uint64_t original, std::string* scratch) {
  Slice s;
  if (!bytes(packed, &s)) return false;
  scratch->resize(original);
  return lzf_decompress(s, scratch->data(), original) == original;
}

bool RdbInput::integer(uint64_t coding, std::string* scratch) {
  Slice s;
  if (coding > kInt32 || !bytes(size_t{1} << coding, &s)) return false;
  uint64_t raw = 0;
  memcpy(&raw, s.data, s.size);
  const auto unused = static_cast<unsigned>(64 - 8 * s.size);
  char digits[kInt64Chars];
  scratch->assign(digits, format_i64(digits, static_cast<int64_t>(raw << unused) >> unused));
  return true;
}

bool RdbInput::string(Slice* out, std::string* scratch) {
  uint64_t n, original;
  bool coded;
  if (!length_or_coding(&n, &coded)) return false;
  if (!coded) return bytes(n, out);
  if (n == kLzf) {
    if (!packed_lengths(&n, &original) || !unpack(n, original, scratch)) return false;
  } else if (!integer(n, scratch)) {
    return false;
  }
  *out = *scratch;
  return true;
}

bool RdbInput::string(size_t longest, Slice* out, std::string* scratch, StrRef* buffer) {
  uint64_t n, original;
  bool coded;
  if (!length_or_coding(&n, &coded)) return false;
  if (!coded) return n > longest ? plain_buffer(n, buffer) : bytes(n, out);
  if (n != kLzf) {
    if (!integer(n, scratch)) return false;
  } else if (!packed_lengths(&n, &original)) {
    return false;
  } else if (original <= longest) {
    if (!unpack(n, original, scratch)) return false;
  } else {
    Slice packed;
    if (!bytes(n, &packed)) return false;
    StrRef unpacked(StrBuf::try_create(original));
    if (!unpacked || lzf_decompress(packed, unpacked->data(), original) != original) return false;
    *buffer = std::move(unpacked);
    return true;
  }
  *out = *scratch;
  return true;
}

// The buffer grows with what has come: its length is a claim.
bool RdbInput::plain_buffer(uint64_t n, StrRef* buffer) {
  constexpr uint64_t kAtOnce = 64 << 20;
  if (n > most_left() || n > StrBuf::kMaxCapacity) return false;
  StrRef b(StrBuf::try_create(0, std::min(n, kAtOnce)));
  if (!b) return false;
  for (uint64_t have = 0; have < n;) {
    const uint64_t piece = std::min(n - have, kAtOnce);
    b = StrRef(StrBuf::ensure_capacity(b.take(), have + piece));
    if (!read_into(b->data() + have, piece)) return false;
    have += piece;
    b->set_size(have);
  }
  *buffer = StrRef(StrBuf::shrink(b.take()));
  return true;
}

bool RdbInput::read_into(char* to, size_t n) {
  Slice s;
  if (!bytes(n, &s)) return false;
  memcpy(to, s.data, n);
  return true;
}

}  // namespace kvasir
