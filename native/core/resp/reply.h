// Writes replies in RESP2 or RESP3 into a client's Output. What differs between the two protocols is decided
// here and nowhere else: handlers say what a reply is (a map, a double, a null), not how it looks.
#pragma once

#include <cstdint>
#include <utility>

#include "base/copy.h"
#include "base/numbers.h"
#include "base/slice.h"
#include "resp/output.h"

namespace kvasir {

class Reply {
 public:
  Reply(Output* out, ReplyArena* arena) : out_(out), arena_(arena) {}

  uint8_t resp = 2;    // 2 or 3
  bool muted = false;  // CLIENT REPLY OFF / SKIP: everything is dropped

  // Bytes written so far by this writer (commandlog large-reply, tot-net-out of a command).
  [[nodiscard]] uint64_t written() const { return written_; }
  // Error replies written and not yet counted in the statistics. Who counts them takes them, so that what a
  // command inside a command replied (EXEC) is not counted, and blamed, once more outside.
  [[nodiscard]] uint64_t errors() const { return errors_; }
  uint64_t take_errors() { return std::exchange(errors_, 0); }
  [[nodiscard]] Slice last_error() const { return {last_error_, last_error_size_}; }

  void raw(Slice s) {
    char* p = begin(s.size);
    if (p == nullptr) return;
    memcpy(p, s.data, s.size);
    end(p, s.size);
  }
  void ok() { raw({"+OK\r\n", 5}); }
  void status(Slice s) { line('+', s); }
  // text as in Valkey's shared errors: "WRONGTYPE Operation …", "ERR syntax error"; without '-'. CR and LF
  // become spaces.
  void error(Slice text);
  void errorf(const char* format, ...) __attribute__((format(printf, 2, 3)));

  void integer(int64_t v) {
    if (v >= 0 && v <= 9) {
      char small[4] = {':', static_cast<char>('0' + v), '\r', '\n'};
      raw({small, 4});
      return;
    }
    char* p = begin(24);
    if (p == nullptr) return;
    p[0] = ':';
    size_t n = 1 + format_i64(p + 1, v);
    p[n++] = '\r';
    p[n++] = '\n';
    end(p, n);
  }

  void bulk(Slice s) {
    char* p = begin(s.size + 25);
    if (p == nullptr) return;
    size_t n = head(p, '$', s.size);
    copy_short(p + n, s.data, s.size);
    n += s.size;
    memcpy(p + n, "\r\n", 2);
    end(p, n + 2);
  }
  // A string that lives in buf: referenced when it is long (ReplyArena::reference_from), copied when it is
  // short.
  void bulk(StrBuf* buf, Slice s);
  void bulk_integer(int64_t v) {
    char tmp[24];
    bulk({tmp, format_i64(tmp, v)});
  }

  void null() { raw(resp == 2 ? Slice("$-1\r\n", 5) : Slice("_\r\n", 3)); }
  void null_array() { raw(resp == 2 ? Slice("*-1\r\n", 5) : Slice("_\r\n", 3)); }
  void boolean(bool v) {
    raw(resp == 2 ? (v ? Slice(":1\r\n", 4) : Slice(":0\r\n", 4))
                  : (v ? Slice("#t\r\n", 4) : Slice("#f\r\n", 4)));
  }
  void real(double v);             // RESP3 double, RESP2 bulk
  void human_real(long double v);  // real() with the digits that INCRBYFLOAT prints
  void big_number(Slice digits);
  void verbatim(Slice text, const char format[3]);

  void array(int64_t n) { header('*', n); }
  void map(int64_t pairs) { resp == 2 ? header('*', pairs * 2) : header('%', pairs); }
  void set(int64_t n) { header(resp == 2 ? '*' : '~', n); }
  void push(int64_t n) { header(resp == 2 ? '*' : '>', n); }
  void attribute(int64_t pairs) { header('|', pairs); }  // RESP3 only

  // An aggregate whose length is known after its elements: begin_*() … elements … end_*(mark, n).
  Output::Mark begin_aggregate() { return muted ? Output::Mark{0} : out_->mark(); }
  void end_array(Output::Mark m, int64_t n) { end_header(m, '*', n); }
  void end_map(Output::Mark m, int64_t pairs) {
    resp == 2 ? end_header(m, '*', pairs * 2) : end_header(m, '%', pairs);
  }
  void end_set(Output::Mark m, int64_t n) { end_header(m, resp == 2 ? '*' : '~', n); }

  Output& output() { return *out_; }
  [[nodiscard]] ReplyArena& arena() const { return *arena_; }

 private:
  char* begin(size_t n) { return muted ? nullptr : arena_->reserve(n); }
  void end(const char* p, size_t n) {
    arena_->commit(n);
    out_->add_turn(p, n);
    written_ += n;
  }
  // "<type><n>\r\n" at p; returns its length.
  static size_t head(char* p, char type, uint64_t n) {
    // Most lengths have one or two digits.
    p[0] = type;
    size_t len;
    if (n < 10) {
      p[1] = static_cast<char>('0' + n);
      len = 2;
    } else if (n < 100) {
      memcpy(p + 1, two_digits(static_cast<unsigned>(n)), 2);
      len = 3;
    } else {
      len = 1 + format_u64(p + 1, n);
    }
    memcpy(p + len, "\r\n", 2);
    return len + 2;
  }
  void header(char type, int64_t n) {
    char* p = begin(24);
    if (p == nullptr) return;
    end(p, head(p, type, static_cast<uint64_t>(n)));
  }
  void end_header(Output::Mark m, char type, int64_t n);
  void line(char type, Slice s);

  Output* out_;
  ReplyArena* arena_;
  uint64_t written_ = 0;
  uint64_t errors_ = 0;
  char last_error_[32] = {};  // the error's code word, for INFO errorstats
  uint8_t last_error_size_ = 0;
};

}  // namespace kvasir
