#include "types/intset.h"

#include <algorithm>

#include "base/alloc.h"

namespace kvasir {

namespace {

size_t width_of(int64_t v) {
  if (v < INT32_MIN || v > INT32_MAX) return 8;
  return v < INT16_MIN || v > INT16_MAX ? 4 : 2;
}

}  // namespace

Intset Intset::make() { return of({}); }

Intset Intset::copy_of(Slice bytes) {
  Intset s(mem_alloc(bytes.size));
  memcpy(s.p_, bytes.data, bytes.size);
  return s;
}

Intset Intset::of(std::span<const int64_t> ascending) {
  const size_t w = ascending.empty() ? 2 : std::max(width_of(ascending.front()), width_of(ascending.back()));
  Intset s(mem_alloc(kHeader + ascending.size() * w));
  s.set_word(0, w);
  s.set_word(4, ascending.size());
  for (size_t i = 0; i < ascending.size(); i++) s.store(i, ascending[i]);
  return s;
}

void Intset::destroy() {
  mem_free(p_);
  p_ = nullptr;
}

size_t Intset::footprint() const { return mem_usable(p_); }

// Halves without a branch that depends on what is compared: the outcomes are random to the predictor.
template <class T>
size_t Intset::lower_bound(size_t from, size_t end, int64_t v) const {
  size_t n = end - from;
  if (n == 0) return end;
  while (n > 1) {
    const size_t half = n / 2;
    from += load<T>(from + half - 1) < v ? half : 0;
    n -= half;
  }
  return from + (load<T>(from) < v ? 1 : 0);
}

size_t Intset::lower_bound(size_t from, size_t end, int64_t v) const {
  switch (width()) {
    case 2:
      return lower_bound<int16_t>(from, end, v);
    case 4:
      return lower_bound<int32_t>(from, end, v);
    default:
      return lower_bound<int64_t>(from, end, v);
  }
}

bool Intset::contains(int64_t v) const {
  const size_t n = size();
  const size_t i = lower_bound(0, n, v);
  return i < n && at(i) == v;
}

bool Intset::contains_next(int64_t v, size_t* hint) const {
  // In steps that double, since the next is likely to be near.
  const size_t n = size();
  size_t from = *hint;
  size_t step = 1;
  while (from + step < n && at(from + step) < v) {
    from += step;
    step *= 2;
  }
  const size_t i = lower_bound(from, std::min(from + step + 1, n), v);
  *hint = i;
  return i < n && at(i) == v;
}

bool Intset::add(int64_t v) {
  if (width_of(v) > width()) widen(width_of(v));
  const size_t n = size();
  const size_t i = n > 0 && v > max() ? n : lower_bound(0, n, v);
  if (i < n && at(i) == v) return false;
  const size_t w = width();
  const size_t wanted = kHeader + (n + 1) * w;
  if (wanted > mem_usable(p_)) p_ = static_cast<char*>(mem_realloc(p_, wanted));
  char* const place = p_ + kHeader + i * w;
  memmove(place + w, place, (n - i) * w);
  set_word(4, n + 1);
  store(i, v);
  return true;
}

bool Intset::remove(int64_t v) {
  const size_t n = size();
  const size_t i = lower_bound(0, n, v);
  if (i == n || at(i) != v) return false;
  const size_t w = width();
  char* const place = p_ + kHeader + i * w;
  memmove(place, place + w, (n - i - 1) * w);
  shrink_to(n - 1);
  return true;
}

void Intset::widen(size_t width) {
  const size_t n = size();
  // Room for the one that is to be added.
  Intset wide(mem_alloc(kHeader + (n + 1) * width));
  wide.set_word(0, width);
  wide.set_word(4, n);
  for (size_t i = 0; i < n; i++) wide.store(i, at(i));
  mem_free(p_);
  p_ = wide.p_;
}

void Intset::shrink_to(size_t n) {
  set_word(4, n);
  if (mem_good_size(bytes()) < mem_usable(p_)) p_ = static_cast<char*>(mem_realloc(p_, bytes()));
}

bool Intset::valid(Slice image) {
  if (image.size < kHeader) return false;
  const Intset s(const_cast<char*>(image.data));
  const size_t w = s.width();
  if (w != 2 && w != 4 && w != 8) return false;
  const size_t n = s.size();
  if (n == 0 || kHeader + n * w != image.size) return false;
  for (size_t i = 1; i < n; i++) {
    if (s.at(i - 1) >= s.at(i)) return false;
  }
  return true;
}

}  // namespace kvasir
