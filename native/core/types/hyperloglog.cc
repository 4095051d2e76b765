#include "types/hyperloglog.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace kvasir::hll {

namespace {

constexpr unsigned kIndexBits = 14;
constexpr unsigned kRankBits = 64 - kIndexBits;
constexpr uint8_t kInvalidCache = 0x80;  // in the last byte of the cardinality

constexpr uint8_t kValueRun = 0x80;
constexpr uint8_t kLongZeroRun = 0x40;
constexpr uint8_t kMaxSparseValue = 32;
constexpr size_t kMaxValueRun = 4;
constexpr size_t kMaxShortZeroRun = 64;

// MurmurHash64A (Appleby, public domain). Part of the format: registers of two servers can be merged only if
// both hash alike.
uint64_t murmur64a(Slice s) {
  constexpr uint64_t kMultiplier = 0xc6a4a7935bd1e995u;
  constexpr uint64_t kSeed = 0xadc83b19u;
  const auto mix = [](uint64_t v) { return v ^ v >> 47; };
  uint64_t h = kSeed ^ (s.size * kMultiplier);
  const char* p = s.data;
  size_t n = s.size;
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t word;
    memcpy(&word, p, 8);
    h = (h ^ mix(word * kMultiplier) * kMultiplier) * kMultiplier;
  }
  if (n != 0) {
    uint64_t tail = 0;
    memcpy(&tail, p, n);
    h = (h ^ tail) * kMultiplier;
  }
  return mix(mix(h) * kMultiplier);
}

uint8_t* registers_of(const String& s) { return s.data + kHeaderSize; }
const uint8_t* registers_of(Slice s) { return reinterpret_cast<const uint8_t*>(s.data) + kHeaderSize; }

Change raise_dense(uint8_t* registers, size_t index, uint8_t value) {
  if (value <= dense_register(registers, index)) return Change::kNone;
  set_dense_register(registers, index, value);
  return Change::kChanged;
}

uint8_t value_run(uint8_t value, size_t length) {
  return static_cast<uint8_t>(kValueRun | (value - 1) << 2 | static_cast<int>(length - 1));
}

bool is_value(uint8_t b) { return (b & kValueRun) != 0; }
bool is_long_zero(uint8_t b) { return (b & (kValueRun | kLongZeroRun)) == kLongZeroRun; }
uint8_t run_value(uint8_t b) { return static_cast<uint8_t>((b >> 2 & 0x1f) + 1); }
size_t run_length(uint8_t b) { return size_t{b & 3u} + 1; }

// Up to five bytes that replace one run.
struct Runs {
  void zeros(size_t n) {
    if (n > kMaxShortZeroRun) {
      bytes[size++] = static_cast<uint8_t>(kLongZeroRun | (n - 1) >> 8);
      bytes[size++] = static_cast<uint8_t>(n - 1);
    } else if (n != 0) {
      bytes[size++] = static_cast<uint8_t>(n - 1);
    }
  }
  void values(uint8_t value, size_t n) {
    if (n != 0) bytes[size++] = value_run(value, n);
  }
  uint8_t bytes[5];
  size_t size = 0;
};

// Joins runs of one value where a run can hold both, among the five from `at` on.
void join_runs(String& s, size_t at) {
  for (int left = 5; at < s.size && left > 0; left--) {
    const uint8_t b = s.data[at];
    if (is_long_zero(b)) {
      at += 2;
      continue;
    }
    if (is_value(b) && at + 1 < s.size) {
      const uint8_t next = s.data[at + 1];
      const size_t length = run_length(b) + run_length(next);
      if (is_value(next) && run_value(b) == run_value(next) && length <= kMaxValueRun) {
        s.data[at] = value_run(run_value(b), length);
        memmove(s.data + at + 1, s.data + at + 2, s.size - at - 2);
        s.resize(s.size - 1);
        continue;
      }
    }
    at++;
  }
}

// Raises a register that a sparse string is too small for.
Change raise_in_dense(String& s, size_t index, uint8_t value) {
  if (!to_dense(s)) return Change::kCorrupt;
  return raise_dense(registers_of(s), index, value);
}

Change raise_sparse(String& s, size_t index, uint8_t value, size_t sparse_max_bytes) {
  if (value > kMaxSparseValue) return raise_in_dense(s, index, value);

  // The run that has the register, and the one before it.
  size_t at = kHeaderSize;
  size_t previous = kHeaderSize;
  size_t first = 0;
  size_t length = 0;
  for (;;) {
    if (at >= s.size) return Change::kCorrupt;
    const uint8_t b = s.data[at];
    size_t bytes = 1;
    if (is_value(b)) {
      length = run_length(b);
    } else if (is_long_zero(b)) {
      if (at + 1 == s.size) return Change::kCorrupt;
      bytes = 2;
      length = (size_t{b & 0x3fu} << 8 | s.data[at + 1]) + 1;
    } else {
      length = size_t{b & 0x3fu} + 1;
    }
    if (index < first + length) break;
    previous = at;
    at += bytes;
    first += length;
  }

  const uint8_t b = s.data[at];
  if (is_value(b) && run_value(b) >= value) return Change::kNone;
  if (length == 1 && !is_long_zero(b)) {
    s.data[at] = value_run(value, 1);
  } else {
    const size_t before = index - first;
    const size_t behind = first + length - 1 - index;
    Runs runs;
    if (is_value(b)) {
      runs.values(run_value(b), before);
      runs.values(value, 1);
      runs.values(run_value(b), behind);
    } else {
      runs.zeros(before);
      runs.values(value, 1);
      runs.zeros(behind);
    }
    const size_t old_size = s.size;
    const size_t old_bytes = is_long_zero(b) ? 2 : 1;
    const size_t new_size = old_size - old_bytes + runs.size;
    if (new_size > old_size && new_size > sparse_max_bytes) return raise_in_dense(s, index, value);
    if (new_size > old_size) s.resize(new_size);
    uint8_t* p = s.data + at;
    memmove(p + runs.size, p + old_bytes, old_size - at - old_bytes);
    memcpy(p, runs.bytes, runs.size);
    if (new_size < old_size) s.resize(new_size);
  }
  join_runs(s, previous);
  invalidate_cardinality(s.data);
  return Change::kChanged;
}

// Otmar Ertl, New cardinality estimation algorithms for HyperLogLog sketches, 2017: sigma and tau.
double sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double y = 1;
  double z = x;
  for (;;) {
    x *= x;
    const double last = z;
    z += x * y;
    y += y;
    if (last == z) return z;
  }
}

double tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1;
  double z = 1 - x;
  for (;;) {
    x = std::sqrt(x);
    const double last = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
    if (last == z) return z / 3;
  }
}

// The order of these operations decides the last digit of large estimates.
uint64_t estimate(const uint32_t* histogram) {
  constexpr double kAlpha = 0.721347520444481703680;  // 1 / (2 ln 2)
  constexpr double m = kRegisters;
  double z = m * tau((m - histogram[kRankBits + 1]) / m);
  for (size_t j = kRankBits; j >= 1; j--) {
    z += histogram[j];
    z *= 0.5;
  }
  z += m * sigma(histogram[0] / m);
  return static_cast<uint64_t>(std::llround(kAlpha * m * m / z));
}

}  // namespace

void write_empty(uint8_t* out) {
  memset(out, 0, kHeaderSize);
  memcpy(out, "HYLL", 4);
  out[4] = static_cast<uint8_t>(Encoding::kSparse);
  out[kHeaderSize] = static_cast<uint8_t>(kLongZeroRun | (kRegisters - 1) >> 8);
  out[kHeaderSize + 1] = static_cast<uint8_t>(kRegisters - 1);
}

bool is_hll(Slice s) {
  if (s.size < kHeaderSize || memcmp(s.data, "HYLL", 4) != 0) return false;
  const auto encoding = static_cast<uint8_t>(s[4]);
  if (encoding > static_cast<uint8_t>(Encoding::kSparse)) return false;
  return encoding_of(s) != Encoding::kDense || s.size == kDenseSize;
}

bool cached_cardinality(Slice s, uint64_t* cardinality) {
  if ((static_cast<uint8_t>(s[15]) & kInvalidCache) != 0) return false;
  memcpy(cardinality, s.data + 8, 8);
  return true;
}
void cache_cardinality(uint8_t* data, uint64_t cardinality) { memcpy(data + 8, &cardinality, 8); }
void invalidate_cardinality(uint8_t* data) { data[15] |= kInvalidCache; }

uint8_t dense_register(const uint8_t* registers, size_t index) {
  // The last register ends with the last byte.
  const size_t bit = index * 6;
  unsigned v = registers[bit / 8];
  if (bit % 8 > 2) v |= static_cast<unsigned>(registers[bit / 8 + 1]) << 8;
  return static_cast<uint8_t>(v >> bit % 8 & 63);
}

void set_dense_register(uint8_t* registers, size_t index, uint8_t value) {
  const size_t bit = index * 6;
  const unsigned mask = 63u << bit % 8;
  const unsigned v = static_cast<unsigned>(value) << bit % 8;
  uint8_t* p = registers + bit / 8;
  p[0] = static_cast<uint8_t>((p[0] & ~mask) | v);
  if (bit % 8 > 2) p[1] = static_cast<uint8_t>((p[1] & ~(mask >> 8)) | v >> 8);
}

Change add(String& s, Slice element, size_t sparse_max_bytes) {
  const uint64_t hash = murmur64a(element);
  const size_t index = hash & (kRegisters - 1);
  const uint64_t rest = hash >> kIndexBits | uint64_t{1} << kRankBits;
  return raise(s, index, static_cast<uint8_t>(std::countr_zero(rest) + 1), sparse_max_bytes);
}

Change raise(String& s, size_t index, uint8_t value, size_t sparse_max_bytes) {
  if (encoding_of(s.slice()) == Encoding::kDense) return raise_dense(registers_of(s), index, value);
  return raise_sparse(s, index, value, sparse_max_bytes);
}

bool to_dense(String& s) {
  if (encoding_of(s.slice()) == Encoding::kDense) return true;
  uint8_t raw[kRegisters] = {};
  if (!merge(raw, s.slice())) return false;
  s.resize(kDenseSize);
  s.data[4] = static_cast<uint8_t>(Encoding::kDense);
  simd::kernels().hll_pack(registers_of(s), raw);
  return true;
}

void merge_dense(uint8_t* raw, std::span<const Slice> strings) {
  std::array<const uint8_t*, 16> registers;
  while (!strings.empty()) {
    const size_t n = std::min(strings.size(), registers.size());
    for (size_t i = 0; i < n; i++) registers[i] = registers_of(strings[i]);
    simd::kernels().hll_merge(raw, registers.data(), n);
    strings = strings.subspan(n);
  }
}

bool merge(uint8_t* raw, Slice s) {
  if (encoding_of(s) == Encoding::kDense) {
    merge_dense(raw, {&s, 1});
    return true;
  }
  size_t index = 0;
  bool fits = true;
  for_each_run(s, [&](uint8_t value, size_t length, bool) {
    fits = length <= kRegisters - index;
    if (!fits) return false;
    const size_t end = index + length;
    if (value == 0) index = end;
    for (; index < end; index++) {
      if (value > raw[index]) raw[index] = value;
    }
    return true;
  });
  return fits && index == kRegisters;
}

bool cardinality(Slice s, uint64_t* result) {
  uint32_t histogram[simd::kHllValues] = {};
  if (encoding_of(s) == Encoding::kDense) {
    simd::kernels().hll_count_dense(registers_of(s), histogram);
  } else {
    size_t index = 0;
    for_each_run(s, [&](uint8_t value, size_t length, bool) {
      if (length > kRegisters - index) {
        index = 0;
        return false;
      }
      index += length;
      histogram[value] += static_cast<uint32_t>(length);
      return true;
    });
    if (index != kRegisters) return false;
  }
  *result = estimate(histogram);
  return true;
}

uint64_t cardinality_of_raw(const uint8_t* raw) {
  uint32_t histogram[simd::kHllValues];
  simd::kernels().hll_count_raw(raw, histogram);
  return estimate(histogram);
}

}  // namespace kvasir::hll
