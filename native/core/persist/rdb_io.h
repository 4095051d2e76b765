// The primitives of the RDB format, which DUMP payloads share: lengths, strings, numbers. FACTS 2.2; rdb.c of
// Valkey is the reference.
//
//   length   00xxxxxx 6 bits | 01xxxxxx +1 byte 14 bits | 0x80 +4 bytes BE | 0x81 +8 bytes BE
//   string   length and bytes, or 0xC0 int8, 0xC1 int16, 0xC2 int32 (LE),
//            or 0xC3 with the lengths compressed and original and LZF data
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/slice.h"
#include "base/strbuf.h"
#include "persist/chunk.h"

namespace kvasir {

inline constexpr uint16_t kRdbVersion = 80;

class RdbWriter {
 public:
  // Strings shorter than this are copied into a chunk, longer ones that have a buffer of their own are
  // pinned.
  static constexpr size_t kPinFrom = 16 * 1024;

  // compress: rdbcompression; strings that it makes shorter are written as LZF.
  RdbWriter(std::string* out, bool compress) : out_(out), compress_(compress) {}
  // Into chunks, one after the other: compressing is left to whoever takes them.
  RdbWriter(ChunkSink* sink, bool compress) : out_(&sink->chunk->bytes), sink_(sink), compress_(compress) {}

  void byte(uint8_t b) { out_->push_back(static_cast<char>(b)); }
  void bytes(Slice s) { out_->append(s.data, s.size); }
  void length(uint64_t n);
  void string(Slice s);
  // The same of a whole buffer.
  void string(StrBuf* b);
  // One of `size` bytes that has been made shorter by LZF.
  void packed_string(Slice lzf, size_t size);
  // As string() writes its decimal digits.
  void integer_string(int64_t v);
  void le64(uint64_t v);
  void real(double v);  // IEEE 754, little endian

 private:
  // False: v has more than 32 bits.
  bool short_integer(int64_t v);
  void next_chunk_if_full() {
    if (sink_->chunk->size() < ChunkSink::kChunkBytes) return;
    sink_->next();
    out_ = &sink_->chunk->bytes;
  }

  std::string* out_;
  ChunkSink* sink_ = nullptr;
  bool compress_;
};

// Where an RDB is read from. Bytes are looked at in a window that grows on demand, so that a string is a
// slice of it without a copy; a slice is valid until the next read.
class RdbInput {
 public:
  explicit RdbInput(Slice all) : at_(all.data), end_(all.end()) {}
  virtual ~RdbInput() = default;
  RdbInput(const RdbInput&) = delete;
  RdbInput& operator=(const RdbInput&) = delete;

  // All reads return false when the input ends or is not what was asked for.
  bool byte(uint8_t* b) {
    if (!need(1)) return false;
    *b = static_cast<uint8_t>(*at_++);
    return true;
  }
  bool bytes(size_t n, Slice* out) {
    if (!need(n)) return false;
    *out = {at_, n};
    at_ += n;
    return true;
  }
  // A plain length.
  bool length(uint64_t* n);
  bool le64(uint64_t* v);
  bool real(double* v);
  // A string in any coding. What is not plain bytes is put into *scratch.
  bool string(Slice* out, std::string* scratch);
  // The same, but one of more than `longest` bytes comes as a buffer of its own.
  bool string(size_t longest, Slice* out, std::string* scratch, StrRef* buffer);
  // Copies n bytes out.
  virtual bool read_into(char* to, size_t n);
  // Bytes still in the window.
  [[nodiscard]] size_t left() const { return static_cast<size_t>(end_ - at_); }
  // No more than that is to come.
  [[nodiscard]] virtual uint64_t most_left() const { return left(); }
  // How many elements of at least that many bytes to make room for when `claimed` are announced.
  [[nodiscard]] uint64_t believed(uint64_t claimed, uint64_t least_bytes) const {
    return std::min(claimed, likely_left() / least_bytes);
  }

  // What was read is no value, and why; what is said first counts. Returns false.
  bool refuse(const char* why) {
    if (why_ == nullptr) why_ = why;
    return false;
  }
  // Whether a reason was given: without one the input ended or a string had an unknown coding.
  [[nodiscard]] bool refused() const { return why_ != nullptr; }
  // For the log, with no full stop added or taken: operators and tests know these texts.
  [[nodiscard]] const char* refusal() const {
    return why_ != nullptr ? why_ : "Short read or unknown coding";
  }

 protected:
  // Has at least n bytes in the window, or returns false.
  virtual bool refill(size_t /*n*/) { return false; }
  // What is to come, as far as it is known.
  [[nodiscard]] virtual uint64_t likely_left() const { return left(); }
  const char* at_;
  const char* end_;

 private:
  bool need(size_t n) { return left() >= n || refill(n); }
  // A length or, with *coded set, the kind of a string's coding.
  bool length_or_coding(uint64_t* n, bool* coded);
  // What follows length_or_coding().
  bool plain_buffer(uint64_t n, StrRef* buffer);
  bool packed_lengths(uint64_t* packed, uint64_t* original);
  bool unpack(uint64_t packed, uint64_t original, std::string* scratch);
  bool integer(uint64_t coding, std::string* scratch);

  const char* why_ = nullptr;
};

}  // namespace kvasir
