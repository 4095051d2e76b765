// Feeds a byte stream to a RequestParser as the reactor does, in pieces of any size, and keeps what came out.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "resp/parser.h"

namespace kvasir::test {

struct Parsed {
  std::vector<std::vector<std::string>> requests;
  std::vector<uint64_t> wire_bytes;
  ParseError error = ParseError::kNone;
  char got = 0;

  friend bool operator==(const Parsed&, const Parsed&) = default;
};

class ParserDriver {
 public:
  explicit ParserDriver(RequestParser::Limits limits) : limits_(limits) {}

  // One read of a connection: everything it makes complete is parsed. False: the stream is in error.
  bool read(const char* p, size_t n) {
    if (parser_.has_pending()) {
      while (n > 0) {
        size_t room = 0;
        char* to = parser_.read_buffer(n, &room);
        const size_t take = n < room ? n : room;
        memcpy(to, p, take);
        parser_.did_read(take);
        p += take;
        n -= take;
        if (!parse_pending()) return false;
      }
      return true;
    }
    // A copy of exactly that size, so that a sanitizer sees every step beyond it.
    const std::unique_ptr<char[]> copy(new char[n]);
    memcpy(copy.get(), p, n);
    const char* at = copy.get();
    const char* end = at + n;
    while (at < end) {
      Request r;
      const ParseResult result = parser_.parse(&at, end, limits_, &args_, &r);
      if (result == ParseResult::kMore) break;
      if (!take(result, r)) return false;
    }
    if (at < end) {
      parser_.keep(at, static_cast<size_t>(end - at));
      return parse_pending();
    }
    return true;
  }

  // A read on the guess that a request of that shape comes, as Reactor::read_shaped.
  bool read(const char* p, size_t n, Shape shape) {
    if (parser_.has_pending() || n <= shape.head || shape.bulk == 0) return read(p, n);
    const size_t got = std::min(n - shape.head, size_t{shape.bulk} + 2);
    StrRef value(StrBuf::create(0, shape.bulk + 2));
    memcpy(value->data(), p + shape.head, got);
    const std::unique_ptr<char[]> head(new char[shape.head]);
    memcpy(head.get(), p, shape.head);
    Request r;
    switch (parser_.adopt(head.get(), shape, value.get(), got, limits_, &args_, &r)) {
      case RequestParser::Adopted::kRequest:
        static_cast<void>(value.take());
        take(ParseResult::kRequest, r);
        adopted++;
        break;
      case RequestParser::Adopted::kMore:
        static_cast<void>(value.take());
        adopted++;
        break;
      case RequestParser::Adopted::kWrongGuess:
        return read(p, n);
    }
    p += shape.head + got;
    n -= shape.head + got;
    return n == 0 || read(p, n);
  }

  size_t adopted = 0;  // guesses that were right

  void end_turn() {
    parser_.compact();
    args_.reset();
  }
  RequestParser& parser() { return parser_; }
  [[nodiscard]] const Parsed& parsed() const { return parsed_; }

 private:
  bool parse_pending() {
    while (true) {
      Request r;
      const ParseResult result = parser_.parse_pending(limits_, &args_, &r);
      if (result == ParseResult::kMore) return true;
      if (!take(result, r)) return false;
    }
  }
  bool take(ParseResult result, const Request& r) {
    if (result == ParseResult::kError) {
      parsed_.error = parser_.error();
      parsed_.got = parser_.got();
      return false;
    }
    if (r.argc == 0) return true;
    std::vector<std::string> argv;
    for (uint32_t i = 0; i < r.argc; i++) {
      argv.push_back(r.argv[i].str());
      if (r.bufs != nullptr && r.bufs[i] != nullptr) {
        if (!(r.bufs[i]->slice() == r.argv[i])) argv.back() = "(buffer and slice differ)";
        r.bufs[i]->release();
      }
    }
    parsed_.requests.push_back(std::move(argv));
    parsed_.wire_bytes.push_back(r.wire_bytes);
    return true;
  }

  RequestParser::Limits limits_;
  ArgArena args_;
  RequestParser parser_;
  Parsed parsed_;
};

}  // namespace kvasir::test
