// A string seen as bits and as integers of any width. Bit 0 is the highest bit of the first byte, so that an
// integer at a byte boundary reads as big-endian.
#pragma once

#include <cstdint>

#include "base/slice.h"

namespace kvasir::bitmap {

// Ranges are of bits, both ends included, within the string.
uint64_t count(Slice s, uint64_t first, uint64_t last);
// The first bit of that value, or -1.
int64_t find(Slice s, uint64_t first, uint64_t last, bool value);

// Integers of 1 to 64 bits. Bits beyond the end read as 0; what is set must be inside.
uint64_t field(Slice s, uint64_t offset, unsigned width);
void set_field(char* data, uint64_t offset, unsigned width, uint64_t value);

enum class Overflow : uint8_t { kWrap, kSaturate, kFail };

// How an integer of a field is to be read.
struct FieldType {
  unsigned width;  // up to 64 if signed, else up to 63
  bool is_signed;
};
inline int64_t read_as(FieldType t, uint64_t bits) {
  const unsigned unused = 64 - t.width;
  if (!t.is_signed) return static_cast<int64_t>(bits);
  return static_cast<int64_t>(bits << unused) >> unused;
}

// value + increment as a field of type t can hold it. Without INCRBY the increment is 0, and value is any
// number, taken as unsigned where t is. False: it does not fit and the policy is to fail.
bool fit(FieldType t, int64_t value, int64_t increment, Overflow policy, int64_t* result);

}  // namespace kvasir::bitmap
