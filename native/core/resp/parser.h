// The request parser: RESP multibulk and inline commands from any split of the byte stream.
//
// Common case: whole commands lie in the buffer that the turn read them into; their arguments are then slices
// of that buffer, written straight to the turn's ArgArena, and nothing is copied or allocated. Only what is
// left unfinished at the end of a read becomes state: the bytes move to the connection's own buffer
// (`pending`), the arguments found so far are remembered as offsets into it, so that a huge command costs
// O(its size) however finely it is cut. An argument of kBigArg bytes or more that is not complete is read
// directly into a StrBuf of its size, which SET then stores as it is. A client whose requests are alike (same
// length up to a long last argument, same length of that) gets this without a first read that finds out: the
// reactor reads the two parts to two places on the guess that the next request is like the last (Shape), and
// adopt() checks the guess.
//
// Nothing is allocated on the word of a client beyond what it has sent, save one big argument once the client
// is authenticated (bounded by proto-max-bulk-len).
#pragma once

#include <cstdint>
#include <vector>

#include "base/slice.h"
#include "base/strbuf.h"

namespace kvasir {

inline constexpr size_t kInlineMax = 64 * 1024;  // longest inline command or length line
inline constexpr size_t kBigArg = 32 * 1024;

// Arrays of slices that live for one turn. Pointers stay valid until reset().
class ArgArena {
 public:
  ArgArena();
  ~ArgArena();
  ArgArena(const ArgArena&) = delete;
  ArgArena& operator=(const ArgArena&) = delete;
  Slice* reserve(size_t n) {
    if (static_cast<size_t>(end_ - cur_) < n) next_chunk(n);
    return cur_;
  }
  void commit(size_t n) { cur_ += n; }
  // Bytes for the life of the turn (unquoted inline arguments).
  char* bytes(size_t n) {
    const size_t slots = (n + sizeof(Slice) - 1) / sizeof(Slice);
    char* p = reinterpret_cast<char*>(reserve(slots));
    commit(slots);
    return p;
  }
  void reset();

 private:
  void next_chunk(size_t n);
  std::vector<Slice*> chunks_;
  Slice* cur_ = nullptr;
  Slice* end_ = nullptr;
};

struct Request {
  Slice* argv = nullptr;
  StrBuf** bufs =
      nullptr;  // parallel to argv where an argument is a StrBuf of its own (one reference each), or nullptr
  uint32_t argc = 0;
  uint64_t wire_bytes = 0;  // what it took on the wire
};

enum class ParseError : uint8_t {
  kNone,
  kBigInline,
  kUnbalancedQuotes,
  kBigMultibulkCount,
  kMultibulkLength,
  kUnauthMultibulkLength,
  kBigBulkCount,
  kBulkLength,
  kUnauthBulkLength,
  kExpectedDollar,
  kCrlf,
};
// The error's reply ("ERR Protocol error: …"); got is the character of kExpectedDollar.
std::string parse_error_reply(ParseError e, char got);
// The wording of the log line.
const char* parse_error_log(ParseError e);

enum class ParseResult : uint8_t { kRequest, kMore, kError };

// The sizes of a request whose last argument is long.
struct Shape {
  uint32_t head = 0;  // bytes up to the last argument's first
  uint32_t bulk = 0;  // length of that argument; 0: no such request
  bool operator==(const Shape&) const = default;

  static constexpr size_t kMaxHead = 4096, kMinBulk = 8 * 1024, kMaxBulk = size_t{2} << 20;
  // Of a request that was not inline; no shape if it is out of bounds.
  static Shape of(const Request& r) {
    const size_t bulk = r.argc > 1 ? r.argv[r.argc - 1].size : 0;
    if (bulk < kMinBulk || bulk > kMaxBulk || r.wire_bytes > kMaxHead + bulk) return {};
    return {static_cast<uint32_t>(r.wire_bytes - bulk - 2), static_cast<uint32_t>(bulk)};
  }
};

class RequestParser {
 public:
  RequestParser() = default;
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Limits of this connection; set before every parse.
  struct Limits {
    int64_t max_bulk = 512LL << 20;
    bool authenticated = true;
    bool replicated = false;  // a primary or an import: no length limits, no direct reads
  };

  // Parses one request from [*p, end). kRequest: *p is behind it. kMore: *p is at the first byte of an
  // unfinished request; the caller must hand exactly [*p, end) to keep(). kError: error() and got() tell. A
  // request with argc 0 (empty line, "*0", "*-1") is a kRequest too: the caller ignores it.
  ParseResult parse(const char** p, const char* end, const Limits& limits, ArgArena* args, Request* out);

  enum class Adopted : uint8_t { kRequest, kMore, kWrongGuess };
  // A read put shape.head bytes to p and `got` more, at most shape.bulk + 2, to value's data. If they are a
  // request of that shape so far, takes value (a reference) over: kRequest, as parse(); kMore: it is pending.
  // kWrongGuess: nothing was taken. Not while something is pending.
  Adopted adopt(const char* p, Shape shape, StrBuf* value, size_t got, const Limits& limits, ArgArena* args,
                Request* out);

  // --- state between reads ---
  [[nodiscard]] bool has_pending() const { return size_ > 0 || big_ != nullptr; }
  // Copies the unfinished rest of the input. Called after kMore (with what parse left), or to put aside whole
  // requests that may not run yet (fresh state).
  void keep(const char* p, size_t n);
  // Where the next read goes when has_pending(): the rest of a big argument, or behind the pending bytes.
  // *room is how much fits there (at least `want` unless a big argument needs less).
  char* read_buffer(size_t want, size_t* room);
  // The next read fills a big argument, and nothing else.
  [[nodiscard]] bool reading_big() const { return big_ != nullptr; }
  // n bytes were read there.
  void did_read(size_t n);
  // Parses from the pending bytes, as parse() does; call until it returns kMore.
  ParseResult parse_pending(const Limits& limits, ArgArena* args, Request* out);
  // After the requests of a turn were executed: drops the parsed part of the pending bytes.
  void compact();

  [[nodiscard]] ParseError error() const { return error_; }
  [[nodiscard]] char got() const { return got_; }
  [[nodiscard]] Slice pending() const { return {buf_ + pos_, size_ - pos_}; }
  // Between turns, now and then: gives back what the buffers have too much. An idle connection keeps nothing
  // that holds no bytes.
  void trim(bool idle);

  // Memory of the pending bytes, the big argument and the argument list.
  [[nodiscard]] size_t memory() const;
  // Room behind the pending bytes and in the big argument.
  [[nodiscard]] size_t room() const;
  // Bytes of requests that are not complete, and of those kept for later.
  [[nodiscard]] size_t held() const { return pending_size() + big_wire_; }
  [[nodiscard]] size_t pending_size() const { return size_ - pos_ + big_filled_; }
  // Thereof what has been parsed in front of an argument that is read to its place.
  [[nodiscard]] size_t parsed_size() const { return big_ == nullptr ? 0 : scan_ - pos_; }

 private:
  struct Arg {
    size_t offset;  // in buf_
    size_t size;
    StrBuf* buf;  // instead of offset
  };
  ParseResult parse_inline(const char** p, const char* end, ArgArena* args, Request* out);
  ParseResult resume(const Limits& limits, ArgArena* args, Request* out);
  // Reads the line "$<length>" at *p and goes behind it; kRequest: it was whole.
  ParseResult bulk_length(const char** p, const char* end, const Limits& limits, int64_t* len);
  ParseResult fail(ParseError e, char got = 0) {
    error_ = e;
    got_ = got;
    return ParseResult::kError;
  }
  void reset_request();
  void reserve_buffer(size_t n);

  // The unfinished request: state of resume().
  char* buf_ = nullptr;
  size_t size_ = 0, cap_ = 0;
  size_t pos_ = 0;         // start of the current request in buf_
  size_t scan_ = 0;        // first byte not yet looked at by resume()
  int64_t multibulk_ = 0;  // arguments still to come; 0: no multibulk header seen yet
  int64_t bulk_ = -1;      // length of the argument being read; -1: its header is to come
  std::vector<Arg> args_;
  StrBuf* big_ = nullptr;  // the argument being read directly, big_filled_ of bulk_ + 2 bytes there
  size_t big_filled_ = 0;
  size_t peak_ = 0;      // largest size_ since the last trim()
  size_t big_wire_ = 0;  // wire bytes of this request that went to StrBufs
  ParseError error_ = ParseError::kNone;
  char got_ = 0;
};

// Splits an inline command or a configuration line into arguments with the shell-like quoting that the
// protocol defines ("…" with \n \r \t \b \a \xHH escapes, '…' with \'). False: unbalanced quotes. The
// arguments are written to storage, which must have room for line.size bytes; slices refer to it.
bool split_args(Slice line, char* storage, std::vector<Slice>* out);

}  // namespace kvasir
