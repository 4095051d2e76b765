#include "resp/parser.h"

#include <algorithm>
#include <climits>

#include "base/alloc.h"
#include "base/numbers.h"

namespace kvasir {

namespace {

constexpr size_t kArgChunk = 16 * 1024;      // slices
constexpr size_t kMinBuffer = 20 * 1024;     // a read of 16 KB fits behind a short rest
constexpr size_t kBusyBuffer = 36 * 1024;    // of a connection that sends big arguments
constexpr size_t kMaxSpare = 4096;           // more unused buffer than this is looked at by trim()
constexpr size_t kModestBuffer = 32 * 1024;  // a busy connection may keep this much whatever it uses
constexpr size_t kLargeBuffer = 256 * 1024;  // an empty buffer that is larger goes at the end of the turn
constexpr size_t kFastArgs = 1024;           // more arguments than this go through the resumable path

// The length behind '*' or '$' up to CR. Fast for the one to three digits that nearly all have.
inline bool parse_length(const char* p, const char* cr, int64_t* v) {
  const size_t n = static_cast<size_t>(cr - p);
  if (n > 0 && n <= 3 && p[0] >= '1' && p[0] <= '9') {
    int64_t x = p[0] - '0';
    for (size_t i = 1; i < n; i++) {
      const auto d = static_cast<unsigned char>(p[i] - '0');
      if (d > 9) return parse_i64({p, n}, v);
      x = x * 10 + d;
    }
    *v = x;
    return true;
  }
  return parse_i64({p, n}, v);
}

// The CR that ends the line at p, or nullptr. Length lines are short, so a plain loop beats memchr. No line
// is longer than kInlineMax: what is beyond is not looked at, so that a line is refused or taken however the
// stream is cut.
inline const char* find_cr(const char* p, const char* end) {
  const char* stop = end - p > 8 ? p + 8 : end;
  for (; p < stop; p++) {
    if (*p == '\r') return p;
  }
  if (p == end) return nullptr;
  const size_t window = std::min(static_cast<size_t>(end - p), kInlineMax - 8);
  return static_cast<const char*>(memchr(p, '\r', window));
}

// Where the line at p is a length of one or two digits, as most are: what stands behind the line. nullptr:
// look closer.
inline const char* short_length(const char* p, const char* end, int64_t* v) {
  if (end - p < 5) return nullptr;
  const unsigned first = static_cast<unsigned char>(p[1]) - unsigned{'0'};
  if (p[2] == '\r') {
    if (first > 9 || p[3] != '\n') return nullptr;
    *v = first;
    return p + 4;
  }
  const unsigned second = static_cast<unsigned char>(p[2]) - unsigned{'0'};
  if (first - 1 > 8 || second > 9 || p[3] != '\r' || p[4] != '\n') return nullptr;
  *v = first * 10 + second;
  return p + 5;
}

inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

inline int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ArgArena::ArgArena() { next_chunk(kArgChunk); }

ArgArena::~ArgArena() {
  for (Slice* c : chunks_) mem_free(c);
}

void ArgArena::next_chunk(size_t n) {
  const size_t count = n > kArgChunk ? n : kArgChunk;
  chunks_.push_back(static_cast<Slice*>(mem_alloc(count * sizeof(Slice))));
  cur_ = chunks_.back();
  end_ = cur_ + count;
}

void ArgArena::reset() {
  while (chunks_.size() > 1) {
    mem_free(chunks_.back());
    chunks_.pop_back();
  }
  cur_ = chunks_[0];
  end_ = cur_ + kArgChunk;
}

std::string parse_error_reply(ParseError e, char got) {
  switch (e) {
    case ParseError::kBigInline:
      return "ERR Protocol error: too big inline request";
    case ParseError::kUnbalancedQuotes:
      return "ERR Protocol error: unbalanced quotes in request";
    case ParseError::kBigMultibulkCount:
      return "ERR Protocol error: too big mbulk count string";
    case ParseError::kMultibulkLength:
      return "ERR Protocol error: invalid multibulk length";
    case ParseError::kUnauthMultibulkLength:
      return "ERR Protocol error: unauthenticated multibulk length";
    case ParseError::kBigBulkCount:
      return "ERR Protocol error: too big bulk count string";
    case ParseError::kBulkLength:
      return "ERR Protocol error: invalid bulk length";
    case ParseError::kUnauthBulkLength:
      return "ERR Protocol error: unauthenticated bulk length";
    case ParseError::kExpectedDollar:
      return std::string("ERR Protocol error: expected '$', got '") + got + "'";
    case ParseError::kCrlf:
      return "ERR Protocol error: invalid CRLF in request";
    case ParseError::kNone:
      break;
  }
  return "ERR Protocol error";
}

const char* parse_error_log(ParseError e) {
  switch (e) {
    case ParseError::kBigInline:
      return "too big inline request";
    case ParseError::kUnbalancedQuotes:
      return "unbalanced quotes in inline request";
    case ParseError::kBigMultibulkCount:
      return "too big mbulk count string";
    case ParseError::kMultibulkLength:
      return "invalid mbulk count";
    case ParseError::kUnauthMultibulkLength:
      return "unauth mbulk count";
    case ParseError::kBigBulkCount:
      return "too big bulk count string";
    case ParseError::kBulkLength:
      return "invalid bulk length";
    case ParseError::kUnauthBulkLength:
      return "unauth bulk length";
    case ParseError::kExpectedDollar:
      return "expected $ but got something else";
    case ParseError::kCrlf:
      return "invalid CRLF in request";
    case ParseError::kNone:
      break;
  }
  return "";
}

bool split_args(Slice line, char* storage, std::vector<Slice>* out) {
  const char* p = line.begin();
  const char* end = line.end();
  // The field's splitters work on C strings: a NUL ends the line.
  if (line.size > 0) {
    if (const void* nul = memchr(p, 0, line.size)) end = static_cast<const char*>(nul);
  }
  char* w = storage;
  while (true) {
    while (p < end && is_space(*p)) p++;
    if (p == end) return true;
    char* start = w;
    char quote = 0;
    // As in a shell, quoted and plain parts that touch are one argument.
    for (; p < end; p++) {
      if (quote == 0) {
        if (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t') break;
        if (*p == '"' || *p == '\'') {
          quote = *p;
        } else {
          *w++ = *p;
        }
      } else if (*p == quote) {
        quote = 0;
      } else if (quote == '"' && *p == '\\' && end - p > 4 && p[1] == 'x' && hex_digit(p[2]) >= 0 &&
                 hex_digit(p[3]) >= 0) {
        *w++ = static_cast<char>(hex_digit(p[2]) * 16 + hex_digit(p[3]));
        p += 3;
      } else if (quote == '"' && *p == '\\' && end - p > 2) {
        p++;
        switch (*p) {
          case 'n':
            *w++ = '\n';
            break;
          case 'r':
            *w++ = '\r';
            break;
          case 't':
            *w++ = '\t';
            break;
          case 'b':
            *w++ = '\b';
            break;
          case 'a':
            *w++ = '\a';
            break;
          default:
            *w++ = *p;
            break;
        }
      } else if (quote == '\'' && *p == '\\' && end - p > 2 && p[1] == '\'') {
        *w++ = '\'';
        p++;
      } else {
        *w++ = *p;
      }
    }
    if (quote != 0) return false;
    out->push_back({start, static_cast<size_t>(w - start)});
  }
}

RequestParser::~RequestParser() {
  reset_request();
  mem_free(buf_);
}

void RequestParser::reset_request() {
  for (Arg& a : args_) {
    if (a.buf != nullptr) a.buf->release();
  }
  args_.clear();
  if (args_.capacity() > 1024) args_.shrink_to_fit();
  if (big_ != nullptr) big_->release();
  big_ = nullptr;
  big_filled_ = big_wire_ = 0;
  multibulk_ = 0;
  bulk_ = -1;
}

ParseResult RequestParser::parse_inline(const char** p, const char* end, ArgArena* args, Request* out) {
  // What decides is where the line ends, not how much of it has come, so that a line is refused or taken
  // however the stream is cut. As in Valkey no line ends behind a NUL.
  const size_t window = std::min(static_cast<size_t>(end - *p), kInlineMax + 1);
  const auto* nl = static_cast<const char*>(memchr(*p, '\n', window));
  if (nl != nullptr && memchr(*p, 0, static_cast<size_t>(nl - *p)) != nullptr) nl = nullptr;
  if (nl == nullptr) {
    if (window > kInlineMax) return fail(ParseError::kBigInline);
    return ParseResult::kMore;
  }
  const char* stop = nl;
  if (stop > *p && stop[-1] == '\r') stop--;
  const Slice line(*p, static_cast<size_t>(stop - *p));
  std::vector<Slice> words;
  if (!split_args(line, args->bytes(line.size + 1), &words)) return fail(ParseError::kUnbalancedQuotes);
  out->argv = args->reserve(words.size());
  for (size_t i = 0; i < words.size(); i++) out->argv[i] = words[i];
  args->commit(words.size());
  out->bufs = nullptr;
  out->argc = static_cast<uint32_t>(words.size());
  out->wire_bytes = static_cast<uint64_t>(nl + 1 - *p);
  *p = nl + 1;
  return ParseResult::kRequest;
}

inline ParseResult RequestParser::bulk_length(const char** p, const char* end, const Limits& limits,
                                              int64_t* len) {
  if (*p == end) return ParseResult::kMore;
  const char* const next = **p == '$' ? short_length(*p, end, len) : nullptr;
  if (next != nullptr) {
    *p = next;
    return ParseResult::kRequest;
  }
  const char* const cr = find_cr(*p, end);
  if (cr == nullptr || cr + 1 >= end) {
    if (cr == nullptr && static_cast<size_t>(end - *p) > kInlineMax) return fail(ParseError::kBigBulkCount);
    return ParseResult::kMore;
  }
  if (**p != '$') return fail(ParseError::kExpectedDollar, **p);
  if (cr[1] != '\n') return fail(ParseError::kCrlf);
  if (!parse_length(*p + 1, cr, len) || *len < 0 || (!limits.replicated && *len > limits.max_bulk)) {
    return fail(ParseError::kBulkLength);
  }
  if (*len > 16384 && !limits.authenticated) return fail(ParseError::kUnauthBulkLength);
  *p = cr + 2;
  return ParseResult::kRequest;
}

ParseResult RequestParser::parse(const char** cursor, const char* end, const Limits& limits, ArgArena* args,
                                 Request* out) {
  const char* p = *cursor;
  if (p == end) return ParseResult::kMore;
  if (*p != '*') return parse_inline(cursor, end, args, out);

  int64_t n;
  const char* next = short_length(p, end, &n);
  if (next == nullptr) {
    const char* cr = find_cr(p, end);
    if (cr == nullptr || cr + 1 >= end) {
      if (cr == nullptr && static_cast<size_t>(end - p) > kInlineMax)
        return fail(ParseError::kBigMultibulkCount);
      return ParseResult::kMore;
    }
    if (cr[1] != '\n') return fail(ParseError::kCrlf);
    if (!parse_length(p + 1, cr, &n) || n > INT_MAX) return fail(ParseError::kMultibulkLength);
    next = cr + 2;
  }
  if (n > 10 && !limits.authenticated) return fail(ParseError::kUnauthMultibulkLength);
  p = next;
  if (n <= 0) {
    out->argc = 0;
    out->argv = nullptr;
    out->bufs = nullptr;
    out->wire_bytes = static_cast<uint64_t>(p - *cursor);
    *cursor = p;
    return ParseResult::kRequest;
  }
  if (static_cast<size_t>(n) > kFastArgs) return ParseResult::kMore;

  Slice* argv = args->reserve(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; i++) {
    int64_t len;
    const ParseResult r = bulk_length(&p, end, limits, &len);
    if (r != ParseResult::kRequest) return r;
    if (end - p < len + 2) return ParseResult::kMore;
    if (p[len] != '\r' || p[len + 1] != '\n') return fail(ParseError::kCrlf);
    argv[i] = {p, static_cast<size_t>(len)};
    p += len + 2;
  }
  args->commit(static_cast<size_t>(n));
  out->argv = argv;
  out->bufs = nullptr;
  out->argc = static_cast<uint32_t>(n);
  out->wire_bytes = static_cast<uint64_t>(p - *cursor);
  *cursor = p;
  return ParseResult::kRequest;
}

RequestParser::Adopted RequestParser::adopt(const char* p, Shape shape, StrBuf* value, size_t got,
                                            const Limits& limits, ArgArena* args, Request* out) {
  const char* const start = p;
  const char* const end = p + shape.head;
  // The number behind `mark` on the line at p; p is behind the line then.
  const auto line = [&](char mark, int64_t* v) {
    const char* cr = p == end || *p != mark ? nullptr : find_cr(p, end);
    if (cr == nullptr || cr + 1 >= end || cr[1] != '\n' || !parse_length(p + 1, cr, v)) return false;
    p = cr + 2;
    return true;
  };
  int64_t n, len;
  if (!line('*', &n) || n < 2 || static_cast<size_t>(n) > kFastArgs) return Adopted::kWrongGuess;
  Slice* argv = args->reserve(static_cast<size_t>(n));
  for (int64_t i = 0; i + 1 < n; i++) {
    if (!line('$', &len) || len < 0 || end - p < len + 2 || p[len] != '\r' || p[len + 1] != '\n') {
      return Adopted::kWrongGuess;
    }
    argv[i] = {p, static_cast<size_t>(len)};
    p += len + 2;
  }
  if (!line('$', &len) || len != shape.bulk || p != end || len > limits.max_bulk || !limits.authenticated) {
    return Adopted::kWrongGuess;
  }
  if (got < static_cast<size_t>(len) + 2) {
    for (int64_t i = 0; i + 1 < n; i++) {
      args_.push_back({size_ + static_cast<size_t>(argv[i].data - start), argv[i].size, nullptr});
    }
    keep(start, shape.head);
    scan_ = size_;
    multibulk_ = 1;
    bulk_ = len;
    big_ = value;
    big_filled_ = got;
    return Adopted::kMore;
  }
  if (value->data()[len] != '\r' || value->data()[len + 1] != '\n') return Adopted::kWrongGuess;
  args->commit(static_cast<size_t>(n));
  value->set_size(static_cast<size_t>(len));
  argv[n - 1] = value->slice();
  out->argv = argv;
  out->bufs = reinterpret_cast<StrBuf**>(args->bytes(static_cast<size_t>(n) * sizeof(StrBuf*)));
  memset(static_cast<void*>(out->bufs), 0, static_cast<size_t>(n) * sizeof(StrBuf*));
  out->bufs[n - 1] = value;
  out->argc = static_cast<uint32_t>(n);
  out->wire_bytes = shape.head + static_cast<uint64_t>(len) + 2;
  return Adopted::kRequest;
}

void RequestParser::reserve_buffer(size_t n) {
  if (cap_ - size_ >= n) return;
  const size_t larger = cap_ + std::min(cap_, size_t{1} << 20);
  const size_t cap = std::max({kMinBuffer, larger, ((size_ + n) | 4095) + 4097});
  buf_ = static_cast<char*>(mem_realloc(buf_, cap));
  cap_ = mem_usable(buf_);
}

void RequestParser::keep(const char* p, size_t n) {
  if (n == 0) return;
  reserve_buffer(n);
  memcpy(buf_ + size_, p, n);
  size_ += n;
  peak_ = std::max(peak_, size_);
}

char* RequestParser::read_buffer(size_t want, size_t* room) {
  if (big_ != nullptr) {
    if (big_->capacity() < static_cast<size_t>(bulk_) + 2) {
      big_ = StrBuf::ensure_capacity(big_, static_cast<size_t>(bulk_) + 2, false);  // trim() had shrunk it
    }
    *room = static_cast<size_t>(bulk_) + 2 - big_filled_;
    return big_->data() + big_filled_;
  }
  reserve_buffer(want);
  *room = cap_ - size_;
  return buf_ + size_;
}

void RequestParser::did_read(size_t n) {
  if (big_ != nullptr) {
    big_filled_ += n;
  } else {
    size_ += n;
    peak_ = std::max(peak_, size_);
  }
}

ParseResult RequestParser::parse_pending(const Limits& limits, ArgArena* args, Request* out) {
  if (multibulk_ == 0 && big_ == nullptr) {
    if (pos_ == size_) return ParseResult::kMore;
    const char* p = buf_ + pos_;
    const ParseResult r = parse(&p, buf_ + size_, limits, args, out);
    if (r == ParseResult::kRequest) {
      pos_ = scan_ = static_cast<size_t>(p - buf_);
      return r;
    }
    if (r == ParseResult::kError) return r;
    scan_ = pos_;
    if (buf_[pos_] != '*') return r;  // an inline command is looked at again as a whole: it is short
  }
  return resume(limits, args, out);
}

ParseResult RequestParser::resume(const Limits& limits, ArgArena* args, Request* out) {
  if (big_ != nullptr) {
    if (big_filled_ < static_cast<size_t>(bulk_) + 2) return ParseResult::kMore;
    char* tail = big_->data() + bulk_;
    if (tail[0] != '\r' || tail[1] != '\n') return fail(ParseError::kCrlf);
    big_->set_size(static_cast<size_t>(bulk_));
    args_.push_back({0, static_cast<size_t>(bulk_), big_});
    big_wire_ += static_cast<size_t>(bulk_) + 2;
    big_ = nullptr;
    big_filled_ = 0;
    // Who sends one big argument sends more: fewer and larger reads from now on, until trim() sees that it is
    // over. Nothing refers to the buffer yet: this is the first request of the read.
    reserve_buffer(kBusyBuffer);
    bulk_ = -1;
    multibulk_--;
    if (multibulk_ == 0) goto complete;
  }
  if (multibulk_ == 0) {
    const char* p = buf_ + scan_;
    const char* end = buf_ + size_;
    const char* cr = find_cr(p, end);
    if (cr == nullptr || cr + 1 >= end) return ParseResult::kMore;  // parse() has checked the line's length
    int64_t n;
    if (!parse_length(p + 1, cr, &n)) return fail(ParseError::kMultibulkLength);
    multibulk_ = n;
    bulk_ = -1;
    scan_ = static_cast<size_t>(cr + 2 - buf_);
  }
  while (multibulk_ > 0) {
    const char* p = buf_ + scan_;
    const char* end = buf_ + size_;
    if (bulk_ < 0) {
      int64_t len;
      const ParseResult r = bulk_length(&p, end, limits, &len);
      if (r != ParseResult::kRequest) return r;
      bulk_ = len;
      scan_ = static_cast<size_t>(p - buf_);
    }
    if (end - p < bulk_ + 2) {
      if (static_cast<size_t>(bulk_) >= kBigArg && !limits.replicated) {
        // The rest of this argument goes straight to where it will stay.
        const auto have = static_cast<size_t>(end - p);
        big_ = StrBuf::create(0, static_cast<size_t>(bulk_) + 2);
        memcpy(big_->data(), p, have);
        big_filled_ = have;
        size_ = scan_;
        // What is left here are headers. Beside a very long argument that may take its time it is no trouble
        // to make the buffer small; not while earlier requests of this read refer to it.
        if (pos_ == 0 && static_cast<size_t>(bulk_) / 16 > cap_ - size_ && cap_ - size_ > kMaxSpare) {
          buf_ = static_cast<char*>(mem_realloc(buf_, std::max(size_, size_t{1024})));
          cap_ = mem_usable(buf_);
        }
      }
      return ParseResult::kMore;
    }
    if (p[bulk_] != '\r' || p[bulk_ + 1] != '\n') return fail(ParseError::kCrlf);
    args_.push_back({scan_, static_cast<size_t>(bulk_), nullptr});
    scan_ += static_cast<size_t>(bulk_) + 2;
    bulk_ = -1;
    multibulk_--;
  }
complete:
  const size_t n = args_.size();
  out->argv = args->reserve(n);
  args->commit(n);
  out->bufs = nullptr;
  out->argc = static_cast<uint32_t>(n);
  out->wire_bytes = scan_ - pos_ + big_wire_;
  for (size_t i = 0; i < n; i++) {
    const Arg& a = args_[i];
    if (a.buf == nullptr) {
      out->argv[i] = {buf_ + a.offset, a.size};
      continue;
    }
    if (out->bufs == nullptr) {
      out->bufs = reinterpret_cast<StrBuf**>(args->bytes(n * sizeof(StrBuf*)));
      memset(static_cast<void*>(out->bufs), 0, n * sizeof(StrBuf*));
    }
    out->argv[i] = {a.buf->data(), a.size};
    out->bufs[i] = a.buf;  // the reference moves to the request
  }
  args_.clear();
  big_wire_ = 0;
  multibulk_ = 0;
  pos_ = scan_;
  return ParseResult::kRequest;
}

void RequestParser::compact() {
  if (pos_ == 0) return;
  const size_t left = size_ - pos_;
  if (left > 0) memmove(buf_, buf_ + pos_, left);
  for (Arg& a : args_) {
    if (a.buf == nullptr) a.offset -= pos_;
  }
  scan_ -= pos_;
  size_ = left;
  pos_ = 0;
  // A request of very many arguments grew it: the next will rather be a small one.
  if (left == 0 && cap_ > kLargeBuffer) {
    mem_free(buf_);
    buf_ = nullptr;
    cap_ = peak_ = scan_ = 0;
  }
}

void RequestParser::trim(bool idle) {
  if (cap_ - size_ > kMaxSpare) {
    size_t want = cap_;
    if (idle) {
      want = size_;
    } else if (cap_ > kModestBuffer && cap_ / 2 > peak_) {
      want = std::max({peak_, size_, size_t{1024}});
    }
    if (want == 0) {
      mem_free(buf_);
      buf_ = nullptr;
      cap_ = 0;
    } else if (want != cap_) {
      buf_ = static_cast<char*>(mem_realloc(buf_, want));
      cap_ = mem_usable(buf_);
    }
  }
  if (idle && big_ != nullptr) {
    big_->set_size(big_filled_);
    big_ = StrBuf::shrink(big_);
  }
  peak_ = size_;
}

size_t RequestParser::room() const {
  return cap_ - size_ + (big_ != nullptr ? big_->capacity() - big_filled_ : 0);
}

size_t RequestParser::memory() const {
  return cap_ + args_.capacity() * sizeof(Arg) + (big_ != nullptr ? big_->capacity() : 0);
}

}  // namespace kvasir
