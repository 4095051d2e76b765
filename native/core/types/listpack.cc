#include "types/listpack.h"

#include <algorithm>
#include <cstdlib>

#include "base/alloc.h"
#include "base/same_bytes.h"

namespace kvasir {

namespace {

int64_t little_endian(const uint8_t* p, unsigned bytes) {
  uint64_t v = 0;
  memcpy(&v, p, bytes);
  const unsigned unused = 64 - 8 * bytes;
  return static_cast<int64_t>(v << unused) >> unused;
}

}  // namespace

Listpack Listpack::make(size_t capacity) {
  Listpack lp(mem_alloc(std::max(capacity, kEmpty)));
  lp.set_bytes(kEmpty);
  lp.set_stored_count(0);
  lp.p_[kHeader] = kEnd;
  return lp;
}

Listpack Listpack::copy_of(Slice bytes) {
  Listpack lp(mem_alloc(bytes.size));
  memcpy(lp.p_, bytes.data, bytes.size);
  return lp;
}

void Listpack::destroy() {
  mem_free(p_);
  p_ = nullptr;
}

size_t Listpack::footprint() const { return mem_usable(p_); }

size_t Listpack::size() const {
  const uint16_t n = stored_count();
  if (n != kManyElements) return n;
  size_t count = 0;
  for (Pos at = first(); at != kNone; at = next(at)) count++;
  return count;
}

void Listpack::count_changed(int64_t by) {
  if (stored_count() == kManyElements) {
    if (by < 0) set_stored_count(size());
    return;
  }
  set_stored_count(static_cast<size_t>(stored_count() + by));
}

// ------------------------------------------------------------------ encoding

Listpack::Encoded Listpack::encode_int(int64_t v) {
  Encoded e;
  if (v >= 0 && v <= 127) {
    e.head[0] = static_cast<uint8_t>(v);
    e.head_size = 1;
    return e;
  }
  if (v >= -4096 && v <= 4095) {
    const auto u = static_cast<uint32_t>(v) & 0x1fff;
    e.head[0] = static_cast<uint8_t>(0xc0 | (u >> 8));
    e.head[1] = static_cast<uint8_t>(u);
    e.head_size = 2;
    return e;
  }
  unsigned bytes;
  if (v >= INT16_MIN && v <= INT16_MAX) {
    e.head[0] = 0xf1;
    bytes = 2;
  } else if (v >= -(1 << 23) && v < (1 << 23)) {
    e.head[0] = 0xf2;
    bytes = 3;
  } else if (v >= INT32_MIN && v <= INT32_MAX) {
    e.head[0] = 0xf3;
    bytes = 4;
  } else {
    e.head[0] = 0xf4;
    bytes = 8;
  }
  memcpy(e.head + 1, &v, bytes);
  e.head_size = static_cast<uint8_t>(1 + bytes);
  return e;
}

Listpack::Encoded Listpack::encode(Slice text) {
  int64_t v;
  if (text.size <= kInt64Chars && parse_i64(text, &v)) return encode_int(v);
  Encoded e;
  e.text = text;
  if (text.size < 64) {
    e.head[0] = static_cast<uint8_t>(0x80 | text.size);
    e.head_size = 1;
  } else if (text.size < 4096) {
    e.head[0] = static_cast<uint8_t>(0xe0 | (text.size >> 8));
    e.head[1] = static_cast<uint8_t>(text.size);
    e.head_size = 2;
  } else {
    e.head[0] = 0xf0;
    const auto n = static_cast<uint32_t>(text.size);
    memcpy(e.head + 1, &n, 4);
    e.head_size = 5;
  }
  return e;
}

// The bounds are the original's: a body of 16383 takes three bytes although two could say it.
size_t Listpack::back_size(size_t body) {
  if (body <= 127) return 1;
  if (body < 16383) return 2;
  if (body < 2097151) return 3;
  if (body < 268435455) return 4;
  return 5;
}

// Groups of 7 bits, the highest first; all but the first byte are marked, so that a reader that comes from
// behind knows where to stop.
void Listpack::write_back(uint8_t* p, size_t body) {
  const size_t n = back_size(body);
  for (size_t i = 0; i < n; i++) {
    const size_t shift = 7 * (n - 1 - i);
    p[i] = static_cast<uint8_t>(((body >> shift) & 127) | (i == 0 ? 0 : 128));
  }
}

size_t Listpack::cost(Slice text) {
  const size_t body = encode(text).body();
  return body + back_size(body);
}

// Bytes of encoding and content.
size_t Listpack::body_bytes(Pos at) const {
  const uint8_t* p = p_ + at;
  const uint8_t b = p[0];
  if (b < 0x80) return 1;
  if (b < 0xc0) return size_t{1} + (b & 0x3f);
  if (b < 0xe0) return 2;
  if (b < 0xf0) return 2 + ((static_cast<size_t>(b & 0x0f) << 8) | p[1]);
  switch (b) {
    case 0xf0: {
      uint32_t n;
      memcpy(&n, p + 1, 4);
      return size_t{5} + n;
    }
    case 0xf1:
      return 3;
    case 0xf2:
      return 4;
    case 0xf3:
      return 5;
    case 0xf4:
      return 9;
    default:
      abort();  // valid() lets nothing else in
  }
}

Listpack::Pos Listpack::element_bytes(Pos at) const {
  const size_t body = body_bytes(at);
  return static_cast<Pos>(body + back_size(body));
}

// The size whose last byte is at p. Five bytes at most, in front of which there is a header at least.
size_t Listpack::read_back(const uint8_t* p) {
  size_t body = 0;
  for (unsigned shift = 0; shift <= 28; shift += 7, p--) {
    body |= static_cast<size_t>(*p & 127) << shift;
    if (!(*p & 128)) return body;
  }
  return SIZE_MAX;
}

Listpack::Pos Listpack::before(Pos at) const {
  const size_t body = read_back(p_ + at - 1);
  return at - static_cast<Pos>(body + back_size(body));
}

// ------------------------------------------------------------------ reading

ListpackItem Listpack::get(Pos at) const {
  const uint8_t* p = p_ + at;
  const uint8_t b = p[0];
  ListpackItem item;
  const auto text = [&](size_t head, size_t n) { item.text = {reinterpret_cast<const char*>(p) + head, n}; };
  const auto number = [&](int64_t v) {
    item.is_int = true;
    item.number = v;
  };
  if (b < 0x80) {
    number(b);
  } else if (b < 0xc0) {
    text(1, b & 0x3f);
  } else if (b < 0xe0) {
    const auto u = static_cast<uint64_t>((b & 0x1f) << 8 | p[1]);
    number(static_cast<int64_t>(u << 51) >> 51);
  } else if (b < 0xf0) {
    text(2, static_cast<size_t>(b & 0x0f) << 8 | p[1]);
  } else if (b == 0xf0) {
    uint32_t n;
    memcpy(&n, p + 1, 4);
    text(5, n);
  } else {
    number(little_endian(p + 1, b == 0xf1 ? 2 : b == 0xf2 ? 3 : b == 0xf3 ? 4 : 8));
  }
  return item;
}

bool Listpack::equals(Pos at, const ListpackNeedle& needle) const {
  const uint8_t b = p_[at];
  // A number may also stand there as text, in a listpack that others made.
  const bool is_text = b >= 0x80 && (b < 0xc0 || (b >= 0xe0 && b <= 0xf0));
  if (!is_text && !needle.is_number_) return false;
  const ListpackItem item = get(at);
  return is_text ? item.text == needle.text_ : item.number == needle.number_;
}

// Elements that follow one another are often of one size. Going on by the size of the one before, once this
// one is seen to begin alike, leaves the processor nothing to wait for.
class Listpack::Stepper {
 public:
  explicit Stepper(const Listpack& lp) : lp_(lp) {}
  Pos behind(Pos at) {
    const uint8_t head = lp_.p_[at];
    if (head != head_) {
      bytes_ = lp_.element_bytes(at);
      // Of a long text the first byte does not tell the size.
      head_ = head >= 0xe0 && head <= 0xf0 ? kEnd : head;
    }
    return at + bytes_;
  }

 private:
  const Listpack& lp_;
  Pos bytes_ = 0;
  uint8_t head_ = kEnd;  // of the elements that take `bytes_`; kEnd, which none has: not known
};

Listpack::Pos Listpack::find(Pos from, const ListpackNeedle& needle, unsigned skip) const {
  if (from == kNone) return kNone;
  const Slice text = needle.text_;
  // A short text begins with its length; any other is worth a closer look if it may be equal at all.
  const uint8_t short_head = text.size < 64 ? static_cast<uint8_t>(0x80 | text.size) : kEnd;
  const bool number = needle.is_number_;
  Stepper looked_at(*this);
  Stepper passed(*this);
  for (Pos at = from; p_[at] != kEnd;) {
    const uint8_t head = p_[at];
    if (head == short_head) {
      if (same_bytes(reinterpret_cast<const char*>(p_) + at + 1, text.data, text.size)) return at;
    } else if ((number || (head >= 0xe0 && head <= 0xf0)) && equals(at, needle)) {
      return at;
    }
    at = looked_at.behind(at);
    for (unsigned left = skip; left > 0 && p_[at] != kEnd; left--) at = passed.behind(at);
  }
  return kNone;
}

Listpack::Pos Listpack::at(int64_t index) const {
  const uint16_t n = stored_count();
  bool forward = index >= 0;
  if (n != kManyElements) {
    if (index < 0) index += n;
    if (index < 0 || index >= n) return kNone;
    forward = index < n / 2;
    if (!forward) index -= n;
  }
  Pos p;
  if (forward) {
    for (p = first(); p != kNone && index > 0; index--) p = next(p);
  } else {
    for (p = last(); p != kNone && index < -1; index++) p = prev(p);
  }
  return p;
}

// ------------------------------------------------------------------ changing

// Afterwards the element (or nothing) at `at` has new_size bytes, not yet written; all sizes are right.
void Listpack::resize_at(Pos at, size_t old_size, size_t new_size) {
  const size_t total = bytes();
  const size_t wanted = total - old_size + new_size;
  const size_t tail = total - at - old_size;
  if (new_size > old_size) {
    reserve(wanted);
    memmove(p_ + at + new_size, p_ + at + old_size, tail);
    set_bytes(wanted);
  } else if (new_size < old_size) {
    memmove(p_ + at + new_size, p_ + at + old_size, tail);
    shrink_to(wanted);
  }
}

void Listpack::shrink_to(size_t bytes) {
  set_bytes(bytes);
  if (bytes < mem_usable(p_) / 2) p_ = static_cast<uint8_t*>(mem_realloc(p_, bytes));
}

Listpack::Pos Listpack::splice(Pos at, size_t old_size, const Encoded& e) {
  const size_t body = e.body();
  // The text may be a part of this very listpack.
  const auto* from = reinterpret_cast<const uint8_t*>(e.text.data);
  if (e.text.size > 0 && from >= p_ && from < p_ + bytes()) {
    const std::string copy = e.text.str();
    Encoded apart = e;
    apart.text = copy;
    return splice(at, old_size, apart);
  }
  resize_at(at, old_size, body + back_size(body));
  uint8_t* p = p_ + at;
  memcpy(p, e.head, e.head_size);
  if (e.text.size > 0) memcpy(p + e.head_size, e.text.data, e.text.size);
  write_back(p + body, body);
  return at;
}

Listpack::Pos Listpack::insert_before(Pos at, Slice text) {
  splice(at, 0, encode(text));
  count_changed(1);
  return at;
}

Listpack::Pos Listpack::insert_int_before(Pos at, int64_t v) {
  splice(at, 0, encode_int(v));
  count_changed(1);
  return at;
}

Listpack::Pos Listpack::replace(Pos at, Slice text) { return splice(at, element_bytes(at), encode(text)); }
Listpack::Pos Listpack::replace_int(Pos at, int64_t v) {
  if (p_[at] <= 127 && v >= 0 && v <= 127) {
    p_[at] = static_cast<uint8_t>(v);
    return at;
  }
  return splice(at, element_bytes(at), encode_int(v));
}

Listpack::Pos Listpack::erase(Pos at, size_t count) {
  Pos end = at;
  int64_t removed = 0;
  for (; count > 0 && p_[end] != kEnd; count--, removed++) end += element_bytes(end);
  if (removed > 0) {
    resize_at(at, end - at, 0);
    count_changed(-removed);
  }
  return p_[at] == kEnd ? kNone : at;
}

// Elements that stay move to their place in runs: each byte once at most.
size_t Listpack::erase_equal(const ListpackNeedle& needle, size_t limit, bool last_ones) {
  size_t pass = 0;  // how many equal ones to leave alone first
  if (last_ones && limit != 0) {
    size_t all = 0;
    for (Pos at = first(); at != kNone; at = next(at)) all += equals(at, needle) ? 1 : 0;
    pass = all > limit ? all - limit : 0;
  }
  size_t removed = 0;
  Pos to = kHeader;    // where the next run goes
  Pos from = kHeader;  // where it begins
  const auto move_run = [&](Pos end) {
    if (to != from) memmove(p_ + to, p_ + from, end - from);
    to += end - from;
  };
  Pos at = kHeader;
  for (Pos behind; p_[at] != kEnd && (limit == 0 || removed < limit); at = behind) {
    behind = at + element_bytes(at);
    if (!equals(at, needle)) continue;
    if (pass > 0) {
      pass--;
      continue;
    }
    move_run(at);
    from = behind;
    removed++;
  }
  if (removed == 0) return 0;
  move_run(static_cast<Pos>(bytes()));
  shrink_to(to);
  count_changed(-static_cast<int64_t>(removed));
  return removed;
}

void Listpack::append_all(const Listpack& other) {
  const size_t more = other.bytes() - kEmpty;
  if (more == 0) return;
  const size_t count = size() + other.size();
  const Pos end = end_pos();
  resize_at(end, 0, more);
  memcpy(p_ + end, other.p_ + kHeader, more);
  set_stored_count(count);
}

void Listpack::reserve(size_t total) {
  if (total > mem_usable(p_)) p_ = static_cast<uint8_t*>(mem_realloc(p_, total));
}

void Listpack::shrink() {
  const size_t n = bytes();
  if (mem_good_size(n) < mem_usable(p_)) p_ = static_cast<uint8_t*>(mem_realloc(p_, n));
}

// ------------------------------------------------------------------ validation

bool Listpack::valid(Slice image) {
  if (image.size < kEmpty || image.size > UINT32_MAX) return false;
  const Listpack lp(const_cast<char*>(image.data));
  if (lp.bytes() != image.size) return false;
  const uint8_t* p = lp.p_;
  const size_t end = image.size - 1;  // of the terminator
  if (p[end] != kEnd) return false;
  size_t at = kHeader;
  size_t count = 0;
  while (at < end) {
    const uint8_t b = p[at];
    // How many bytes have to be there to know the size of the rest.
    const size_t head = b == 0xf0 ? 5 : b >= 0xe0 && b < 0xf0 ? 2 : 1;
    if (b > 0xf4 || at + head > end) return false;
    const size_t body = lp.body_bytes(static_cast<Pos>(at));
    const size_t back = back_size(body);
    if (body + back > end - at) return false;
    at += body + back;
    // Zeros in front of it, which a listpack made by others may have in the element's own bytes, do no harm.
    if (read_back(p + at - 1) != body) return false;
    count++;
  }
  return lp.stored_count() == kManyElements || lp.stored_count() == count;
}

}  // namespace kvasir
