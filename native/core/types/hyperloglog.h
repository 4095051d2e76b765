// HyperLogLogs as Valkey stores them in strings, byte for byte:
//
//   "HYLL" | encoding 1 | zeros 3 | cardinality 8, little-endian | registers
//
// The cardinality is the estimate as it was last computed; its highest bit says that it is out of date.
// Dense registers are 16,384 numbers of 6 bits (simd/kernels.h). Sparse ones are runs:
//   00nnnnnn           n + 1 zeros
//   01nnnnnn nnnnnnnn  n + 1 zeros
//   1vvvvvnn           n + 1 registers of value v + 1
// A valid sparse string has runs for exactly 16,384 registers. Strings come from clients, so that nothing but
// the header is ever taken for granted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/slice.h"
#include "simd/kernels.h"

namespace kvasir::hll {

inline constexpr size_t kRegisters = simd::kHllRegisters;
inline constexpr size_t kHeaderSize = 16;
inline constexpr size_t kDenseSize = kHeaderSize + simd::kHllDenseBytes;
inline constexpr size_t kEmptySize = kHeaderSize + 2;

enum class Encoding : uint8_t { kDense = 0, kSparse = 1 };

// A string that can change its length while it is edited.
class String {
 public:
  virtual ~String() = default;
  uint8_t* data = nullptr;
  size_t size = 0;
  // Sets data and size anew, keeping the bytes up to the shorter length.
  virtual void resize(size_t size) = 0;
  [[nodiscard]] Slice slice() const { return {reinterpret_cast<const char*>(data), size}; }
};

// An empty HyperLogLog, kEmptySize bytes.
void write_empty(uint8_t* out);

// Whether the header is one, of a known encoding and the length that goes with it.
bool is_hll(Slice s);
inline Encoding encoding_of(Slice s) { return static_cast<Encoding>(s[4]); }

bool cached_cardinality(Slice s, uint64_t* cardinality);
void cache_cardinality(uint8_t* data, uint64_t cardinality);
void invalidate_cardinality(uint8_t* data);

// The functions below take strings for which is_hll() holds.

enum class Change : int8_t { kCorrupt = -1, kNone = 0, kChanged = 1 };

// Adds an element. Sparse strings turn dense when they would become longer than sparse_max_bytes, or a value
// is too large for them.
Change add(String& s, Slice element, size_t sparse_max_bytes);
// Sets a register unless it is larger already.
Change raise(String& s, size_t index, uint8_t value, size_t sparse_max_bytes);
// False: corrupt, and nothing was changed.
bool to_dense(String& s);
// Each raw register becomes the larger of the two. False: corrupt; some may have changed.
bool merge(uint8_t* raw, Slice s);
// The same with several dense strings at once, which costs less.
void merge_dense(uint8_t* raw, std::span<const Slice> strings);
// False: corrupt.
bool cardinality(Slice s, uint64_t* estimate);
uint64_t cardinality_of_raw(const uint8_t* raw);

uint8_t dense_register(const uint8_t* registers, size_t index);
void set_dense_register(uint8_t* registers, size_t index, uint8_t value);

// Calls f(value, length) for the runs of a sparse string, where 0 is a run of zeros, and a third argument
// tells whether it takes two bytes; until f returns false.
template <class F>
void for_each_run(Slice s, F&& f) {
  const auto* p = reinterpret_cast<const uint8_t*>(s.data) + kHeaderSize;
  const auto* end = reinterpret_cast<const uint8_t*>(s.data) + s.size;
  while (p < end) {
    const uint8_t b = *p++;
    bool more;
    if ((b & 0x80) != 0) {
      more = f(static_cast<uint8_t>((b >> 2 & 0x1f) + 1), size_t{b & 3u} + 1, false);
    } else if ((b & 0x40) == 0) {
      more = f(uint8_t{0}, size_t{b & 0x3fu} + 1, false);
    } else {
      // Where the second byte is missing it counts as 0.
      const uint8_t low = p < end ? *p : 0;
      p++;
      more = f(uint8_t{0}, (size_t{b & 0x3fu} << 8 | low) + 1, true);
    }
    if (!more) return;
  }
}

}  // namespace kvasir::hll
