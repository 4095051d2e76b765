// Counts the replies in a RESP2 stream without keeping them. The generator asks only how many requests were
// answered, how many with an error, and how many with nil (a GET that missed), so the scanner skips bulk
// contents by length and looks only at header lines.
//
// Invariant: between calls the state is (pending_, skip_, line_), so that a stream may be cut anywhere.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace kvasir::load {

class ReplyScanner {
 public:
  struct Counts {
    uint64_t replies = 0;
    uint64_t errors = 0;
    uint64_t nulls = 0;
    std::string first_error;
  };

  // Adds what is complete in data[0, size) to `counts` and returns the number of replies completed by this
  // call, or -1 if the stream is not RESP2 (the connection cannot be used further).
  int64_t feed(const char* data, size_t size, Counts& counts) {
    const uint64_t before = counts.replies;
    const char* p = data;
    const char* const end = data + size;
    while (p < end) {
      if (skip_ > 0) {
        const uint64_t step = skip_ < static_cast<uint64_t>(end - p) ? skip_ : static_cast<uint64_t>(end - p);
        p += step;
        skip_ -= step;
        if (skip_ == 0) leaf(counts);
        continue;
      }
      const char* newline = static_cast<const char*>(memchr(p, '\n', static_cast<size_t>(end - p)));
      if (newline == nullptr) {
        line_.append(p, end);
        if (line_.size() > kMaxLine) return -1;
        break;
      }
      bool ok;
      if (line_.empty()) {
        ok = header(std::string_view(p, static_cast<size_t>(newline - p)), counts);
      } else {
        line_.append(p, newline);
        ok = header(line_, counts);
        line_.clear();
      }
      if (!ok) return -1;
      p = newline + 1;
    }
    return static_cast<int64_t>(counts.replies - before);
  }

 private:
  static constexpr size_t kMaxLine = 64 * 1024;
  static constexpr int64_t kMaxLength = int64_t{1} << 40;

  // One line without its LF. A bulk's header starts the skip of its bytes and CRLF; everything else is
  // complete with its line.
  bool header(std::string_view line, Counts& counts) {
    if (line.size() < 2 || line.back() != '\r') return false;
    line.remove_suffix(1);
    const std::string_view rest = line.substr(1);
    int64_t n = 0;
    switch (line[0]) {
      case '+':
      case ':':
        leaf(counts);
        return true;
      case '-':
        counts.errors++;
        if (counts.first_error.empty()) counts.first_error = rest;
        leaf(counts);
        return true;
      case '$':
        if (!length(rest, n)) return false;
        if (n < 0) {
          counts.nulls++;
          leaf(counts);
        } else {
          skip_ = static_cast<uint64_t>(n) + 2;
        }
        return true;
      case '*':
        if (!length(rest, n)) return false;
        if (n < 0) counts.nulls++;
        if (n <= 0) {
          leaf(counts);
        } else {
          pending_ += static_cast<uint64_t>(n) - 1;
        }
        return true;
      default:
        return false;
    }
  }

  static bool length(std::string_view digits, int64_t& n) {
    if (digits == "-1") {
      n = -1;
      return true;
    }
    if (digits.empty()) return false;
    n = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9' || n > kMaxLength) return false;
      n = n * 10 + (c - '0');
    }
    return n <= kMaxLength;
  }

  // A value without children ended; it may be the last one of a whole (nested) reply.
  void leaf(Counts& counts) {
    if (--pending_ == 0) {
      counts.replies++;
      pending_ = 1;
    }
  }

  uint64_t pending_ = 1;
  uint64_t skip_ = 0;
  std::string line_;
};

}  // namespace kvasir::load
