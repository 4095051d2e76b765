// Runs a random sequence of replies, sends and settles against an Output and compares what leaves with a
// plain string.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "resp/reply.h"

namespace kvasir::test {

class OutputScript {
 public:
  // next(n): a number below n.
  explicit OutputScript(std::function<size_t(size_t)> next) : next_(std::move(next)), reply_(&out_, &arena_) {
    arena_.reference_from = 64;
  }

  // False: what left, or the accounting, is not what was put in.
  bool run(size_t steps) {
    for (; steps > 0; steps--) {
      step();
      if (out_.bytes() != expected_.size()) return false;
      if (out_.turn_bytes() + out_.owned_bytes() + out_.ref_bytes() != out_.bytes()) return false;
    }
    end_turn();
    while (!out_.empty()) {
      if (!send(1 + next_(100000))) return false;
    }
    return expected_.empty() && out_.blocks() == 0;
  }

 private:
  void step() {
    switch (next_(12)) {
      case 0:
        end_turn();
        break;
      case 1:
        send(1 + next_(40));
        break;
      case 2:
        send(1 + next_(100000));
        break;
      case 3: {  // a long value that its key drops while it is being sent
        StrBuf* b = StrBuf::copy_of(Slice(std::string(64 + next_(30000), letter())));
        reply_.bulk(b, b->slice());
        expected_ += "$" + std::to_string(b->size()) + "\r\n" + b->slice().str() + "\r\n";
        b->release();
        break;
      }
      case 4: {
        const std::string s(next_(40000), letter());
        out_.add_copy(s);
        expected_ += s;
        break;
      }
      case 5:
        aggregate(2);
        break;
      case 6: {
        const auto v = static_cast<int64_t>(next_(1000000)) - 500000;
        reply_.integer(v);
        expected_ += ":" + std::to_string(v) + "\r\n";
        break;
      }
      default: {
        const std::string s(next_(next_(6) == 0 ? 20000 : 50), letter());
        reply_.bulk(s);
        expected_ += "$" + std::to_string(s.size()) + "\r\n" + s + "\r\n";
      }
    }
  }
  // Elements first, length afterwards; within one turn.
  void aggregate(int depth) {
    const Output::Mark m = reply_.begin_aggregate();
    const std::string before = std::move(expected_);
    expected_.clear();
    const size_t n = next_(5);
    for (size_t i = 0; i < n; i++) {
      if (depth > 0 && next_(4) == 0) {
        aggregate(depth - 1);
      } else {
        const std::string s(next_(200), letter());
        reply_.bulk(s);
        expected_ += "$" + std::to_string(s.size()) + "\r\n" + s + "\r\n";
      }
    }
    reply_.end_array(m, static_cast<int64_t>(n));
    expected_ = before + "*" + std::to_string(n) + "\r\n" + expected_;
  }
  void end_turn() {
    out_.settle();
    arena_.reset();
  }
  bool send(size_t limit) {
    iovec iov[7];
    const int n = out_.peek(iov, 7);
    size_t sent = 0;
    for (int i = 0; i < n && sent < limit; i++) {
      const size_t take = std::min(limit - sent, iov[i].iov_len);
      if (expected_.compare(sent, take, static_cast<const char*>(iov[i].iov_base), take) != 0)
        return wrong_ = true, false;
      sent += take;
    }
    if (sent == 0 && !out_.empty()) return false;
    if (sent > 0) out_.consume(sent);
    expected_.erase(0, sent);
    return !wrong_;
  }
  char letter() { return static_cast<char>('a' + next_(26)); }

  std::function<size_t(size_t)> next_;
  ReplyArena arena_;
  Output out_;
  Reply reply_;
  std::string expected_;
  bool wrong_ = false;
};

}  // namespace kvasir::test
