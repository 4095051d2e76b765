#include "keyspace/entry.h"

#include "base/numbers.h"

namespace kvasir {

namespace {
constexpr size_t kEmbstrLimit = 128;

// The embedded key: the size of its header, the header, the bytes and a NUL.
size_t valkey_key_size(size_t key) {
  return 1 + (key < 32 ? 1 : key < 256 ? 3 : key < 65536 ? 5 : 9) + key + 1;
}
}  // namespace

// Valkey's rule: robj without its pointer, the embedded key, the deadline and an sds of one-byte lengths fit
// two cache lines.
Encoding Entry::string_encoding(size_t value, size_t key, bool expires) {
  if (value > 255) return Encoding::kRaw;
  const size_t size = 8 + valkey_key_size(key) + (expires ? 8 : 0) + (3 + value + 1);
  return size <= kEmbstrLimit ? Encoding::kEmbstr : Encoding::kRaw;
}

// Valkey's object is rebuilt for the deadline unless its allocation has room for one. With at most the limit
// that is so where the value must not be smaller than a pointer: that takes the allocation beyond the limit,
// to a class of 160 bytes.
Encoding Entry::string_encoding_once_expiring(Encoding before, size_t value, size_t key) {
  if (before != Encoding::kEmbstr) return before;
  if (3 + value + 1 < sizeof(void*) && 8 + valkey_key_size(key) + sizeof(void*) > kEmbstrLimit) return before;
  return string_encoding(value, key, true);
}

Entry* Entry::make(Slice key, int64_t expire_ms, size_t embedded, bool is_embedded) {
  const bool expires = expire_ms != kNoExpiry;
  const bool long_key = key.size > 255;
  const size_t size =
      8 + (expires ? 8 : 0) + (is_embedded ? 0 : 8) + (long_key ? 4 : 1) + key.size + embedded;
  auto* e = static_cast<Entry*>(mem_alloc(size));
  e->lru_walk_ = 0;
  e->flags_ = static_cast<uint8_t>((expires ? kExpires : 0) | (is_embedded ? kEmbedded : 0) |
                                   (long_key ? kLongKey : 0));
  e->embedded_size_ = static_cast<uint16_t>(embedded);
  char* p = e->body();
  if (expires) {
    memcpy(p, &expire_ms, 8);
    p += 8;
  }
  if (!is_embedded) p += 8;
  if (long_key) {
    const auto n = static_cast<uint32_t>(key.size);
    memcpy(p, &n, 4);
    p += 4;
  } else {
    *p++ = static_cast<char>(key.size);
  }
  memcpy(p, key.data, key.size);
  return e;
}

Entry* Entry::make_string(Slice key, Slice value, int64_t expire_ms) {
  int64_t v;
  if (value.size <= kInt64Chars && parse_i64(value, &v)) return make_int(key, v, expire_ms);
  return make_text(key, value, expire_ms);
}

Entry* Entry::make_text(Slice key, Slice value, int64_t expire_ms) {
  if (value.size > kMaxEmbedded) {
    StrBuf* buf = StrBuf::create(value.size, value.size);
    memcpy(buf->data(), value.data, value.size);
    return make_buffer(key, buf, expire_ms);
  }
  Entry* e = make_embedded(key, value.size, string_encoding(value.size, key.size, expire_ms != kNoExpiry),
                           expire_ms);
  if (value.size != 0) memcpy(e->embedded_data(), value.data, value.size);
  return e;
}

Entry* Entry::make_embedded(Slice key, size_t size, Encoding encoding, int64_t expire_ms) {
  Entry* e = make(key, expire_ms, size, true);
  e->type_ = static_cast<uint8_t>(Type::kString);
  e->encoding_ = static_cast<uint8_t>(encoding);
  return e;
}

Entry* Entry::make_int(Slice key, int64_t value, int64_t expire_ms) {
  Entry* e = make(key, expire_ms, 0, false);
  e->type_ = static_cast<uint8_t>(Type::kString);
  e->encoding_ = static_cast<uint8_t>(Encoding::kInt);
  e->set_int_value(value);
  return e;
}

Entry* Entry::make_buffer(Slice key, StrBuf* buf, int64_t expire_ms) {
  Entry* e = make(key, expire_ms, 0, false);
  e->type_ = static_cast<uint8_t>(Type::kString);
  e->encoding_ = static_cast<uint8_t>(Encoding::kRaw);
  e->set_buffer(buf);
  return e;
}

Entry* Entry::make_collection(Slice key, Type type, const Collection& c, int64_t expire_ms) {
  Entry* e = make(key, expire_ms, 0, false);
  e->type_ = static_cast<uint8_t>(type);
  e->set_collection(c);
  return e;
}

Entry* Entry::rebuild(Slice key, int64_t expire_ms) {
  Entry* e = make(key, expire_ms, embedded() ? embedded_size_ : 0, embedded());
  e->lru_walk_ = lru_walk_;
  e->type_ = type_;
  e->encoding_ = encoding_;
  if (embedded()) {
    memcpy(e->embedded_data(), embedded_start(), embedded_size_);
    if (encoding() == Encoding::kEmbstr) {
      const bool expires = expire_ms != kNoExpiry;
      const bool gains = expires && this->expire_ms() == kNoExpiry;
      e->set_encoding(gains ? string_encoding_once_expiring(encoding(), embedded_size_, key.size)
                            : string_encoding(embedded_size_, key.size, expires));
    }
  } else {
    e->set_word(word());
  }
  return e;
}

void Entry::destroy(Entry* e) {
  if (e->has_buffer()) e->buffer()->release();
  mem_free(e);
}

Slice Entry::string_value(char* tmp) const {
  if (embedded()) return embedded_value();
  if (is_int()) return {tmp, format_i64(tmp, int_value())};
  const StrBuf* b = buffer();
  return {b->data(), b->size()};
}

size_t Entry::string_size() const {
  if (embedded()) return embedded_size_;
  if (is_int()) {
    char tmp[24];
    return format_i64(tmp, int_value());
  }
  return buffer()->size();
}

}  // namespace kvasir
