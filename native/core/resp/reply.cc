#include "resp/reply.h"

#include <cstdarg>
#include <cstdio>

namespace kvasir {

void Reply::line(char type, Slice s) {
  char* p = begin(s.size + 3);
  if (p == nullptr) return;
  p[0] = type;
  memcpy(p + 1, s.data, s.size);
  p[s.size + 1] = '\r';
  p[s.size + 2] = '\n';
  end(p, s.size + 3);
}

void Reply::error(Slice text) {
  errors_++;
  size_t code = 0;
  while (code < text.size && code < sizeof(last_error_) && text[code] != ' ') code++;
  memcpy(last_error_, text.data, code);
  last_error_size_ = static_cast<uint8_t>(code);
  // A line break inside would end the reply early: trailing ones are cut, inner ones become spaces.
  while (text.size > 0 && (text[text.size - 1] == '\r' || text[text.size - 1] == '\n')) text.size--;
  char* p = begin(text.size + 3);
  if (p == nullptr) return;
  p[0] = '-';
  for (size_t i = 0; i < text.size; i++) {
    const char c = text[i];
    p[i + 1] = (c == '\r' || c == '\n') ? ' ' : c;
  }
  p[text.size + 1] = '\r';
  p[text.size + 2] = '\n';
  end(p, text.size + 3);
}

void Reply::errorf(const char* format, ...) {
  char small[512];
  va_list ap;
  va_start(ap, format);
  const int n = vsnprintf(small, sizeof small, format, ap);
  va_end(ap);
  if (n < static_cast<int>(sizeof small)) {
    error({small, static_cast<size_t>(n < 0 ? 0 : n)});
    return;
  }
  std::string big(static_cast<size_t>(n) + 1, '\0');
  va_start(ap, format);
  vsnprintf(big.data(), big.size(), format, ap);
  va_end(ap);
  error({big.data(), static_cast<size_t>(n)});
}

void Reply::bulk(StrBuf* buf, Slice s) {
  const size_t from = arena_->reference_from;
  if (from == 0 || s.size < from || muted) {
    bulk(s);
    return;
  }
  Slice framed;
  if (s.data == buf->data() && s.size == buf->size() && buf->frame(&framed)) {
    out_->add_ref(buf, framed.data, framed.size);
    written_ += framed.size;
    return;
  }
  header('$', static_cast<int64_t>(s.size));
  out_->add_ref(buf, s.data, s.size);
  written_ += s.size;
  raw({"\r\n", 2});
}

void Reply::real(double v) {
  char tmp[64];
  const size_t n = format_double(tmp, v);
  if (resp == 2) {
    bulk({tmp, n});
  } else {
    line(',', {tmp, n});
  }
}

void Reply::human_real(long double v) {
  // %.17Lf of the largest long double has 4933 digits before the point.
  char tmp[kLongDoubleChars];
  const Slice text(tmp, format_long_double_human(tmp, v));
  resp == 2 ? bulk(text) : line(',', text);
}

void Reply::big_number(Slice digits) { resp == 2 ? bulk(digits) : line('(', digits); }

void Reply::verbatim(Slice text, const char format[3]) {
  if (resp == 2) {
    bulk(text);
    return;
  }
  char* p = begin(text.size + 32);
  if (p == nullptr) return;
  size_t n = head(p, '=', text.size + 4);
  memcpy(p + n, format, 3);
  p[n + 3] = ':';
  n += 4;
  memcpy(p + n, text.data, text.size);
  n += text.size;
  p[n++] = '\r';
  p[n++] = '\n';
  end(p, n);
}

void Reply::end_header(Output::Mark m, char type, int64_t n) {
  if (muted) return;
  char* p = arena_->reserve(24);
  const size_t len = head(p, type, static_cast<uint64_t>(n));
  arena_->commit(len);
  out_->fill(m, p, len);
  written_ += len;
}

}  // namespace kvasir
