#include "types/hash_field.h"

#include <utility>

namespace kvasir {

namespace {

// The reference that a field keeps of a long value.
StrBuf* buffer_of(const HashInput& value) {
  return value.buffer != nullptr ? value.buffer->retain() : StrBuf::copy_of(value.text);
}

}  // namespace

HashField::Layout HashField::layout(size_t field, size_t value, bool deadline) {
  Layout l{};
  if (field > 255) l.flags |= kLongField;
  if (deadline) l.flags |= kDeadline;
  if (value > kMaxEmbedded) {
    l.flags |= kBuffer;
    value = 0;
  } else if (value > 255) {
    l.flags |= kLongValue;
  }
  l.size = kHead[l.flags] + field + value;
  return l;
}

HashField* HashField::shell(const Layout& l, Slice field, int64_t deadline) {
  auto* f = static_cast<HashField*>(mem_alloc(l.size));
  char* p = f->bytes();
  *p = static_cast<char>(l.flags);
  if (l.flags & kLongField) {
    const auto n = static_cast<uint32_t>(field.size);
    memcpy(p + 1, &n, sizeof n);
  } else {
    p[1] = static_cast<char>(field.size);
  }
  if (l.flags & kDeadline) f->set_deadline(deadline);
  if (field.size != 0) memcpy(p + kHead[l.flags], field.data, field.size);
  return f;
}

// The flags say already how long a length is needed.
void HashField::embed(Slice value) {
  char* const p = meta();
  if (flags() & kLongValue) {
    const auto n = static_cast<uint16_t>(value.size);
    memcpy(p, &n, sizeof n);
  } else {
    *p = static_cast<char>(value.size);
  }
  if (value.size != 0) memmove(const_cast<char*>(field().end()), value.data, value.size);
}

HashField* HashField::make(Slice field, const HashInput& value, int64_t deadline) {
  const Layout l = layout(field.size, value.text.size, deadline != kNoExpiry);
  HashField* f = shell(l, field, deadline);
  if (l.flags & kBuffer) {
    f->set_buffer(buffer_of(value));
  } else {
    f->embed(value.text);
  }
  return f;
}

HashField* HashField::copy_of(const HashField& f) {
  return make(f.field(), {f.value(), f.buffer()}, f.deadline());
}

void HashField::destroy(HashField* f) {
  if (StrBuf* b = f->buffer()) b->release();
  mem_free(f);
}

HashField* HashField::assign(HashField* f, const HashInput& value, int64_t deadline) {
  const Layout l = layout(f->field().size, value.text.size, deadline != kNoExpiry);
  // In place as long as no more than a quarter is wasted.
  const size_t usable = mem_usable(f);
  if (l.flags == f->flags() && l.size <= usable && mem_good_size(l.size) * 4 >= usable * 3) {
    if (l.flags & kDeadline) f->set_deadline(deadline);
    if (l.flags & kBuffer) {
      StrBuf* const old = f->buffer();
      f->set_buffer(buffer_of(value));
      old->release();
    } else {
      f->embed(value.text);
    }
    return f;
  }
  HashField* const fresh = make(f->field(), value, deadline);
  destroy(f);
  return fresh;
}

HashField* HashField::redate(HashField* f, int64_t deadline) {
  if (f->has_deadline() && deadline != kNoExpiry) {
    f->set_deadline(deadline);
    return f;
  }
  HashField* const fresh = make(f->field(), {f->value(), f->buffer()}, deadline);
  destroy(f);
  return fresh;
}

}  // namespace kvasir
