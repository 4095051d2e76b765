// Appends many elements to a listpack at once, into room that was made before.
//
//   lp.reserve(lp.bytes() + most(a) + kNumber);
//   ListpackAppender to(lp);
//   to.text(a); to.number(7);
//   to.finish();
//
// Until finish() the listpack is not one.
#pragma once

#include "types/listpack.h"

namespace kvasir {

class ListpackAppender {
 public:
  static constexpr size_t kNumber = 10;  // bytes of a number at most
  static size_t most(Slice text) { return text.size + 10; }

  explicit ListpackAppender(const Listpack& lp) : lp_(lp), at_(lp_.p_ + lp_.bytes() - 1) {}

  void number(int64_t v) {
    if (v >= 0 && v <= 127) {
      *at_++ = static_cast<uint8_t>(v);
      *at_++ = 1;
      count_++;
    } else {
      element(Listpack::encode_int(v));
    }
  }
  void text(Slice s) { element(Listpack::encode(s)); }
  void finish() {
    *at_ = Listpack::kEnd;
    lp_.set_bytes(static_cast<size_t>(at_ + 1 - lp_.p_));
    lp_.count_changed(count_);
  }

 private:
  void element(const Listpack::Encoded& e) {
    memcpy(at_, e.head, e.head_size);
    if (e.text.size > 0) memcpy(at_ + e.head_size, e.text.data, e.text.size);
    const size_t body = e.body();
    at_ += body;
    if (body <= 127) {
      *at_++ = static_cast<uint8_t>(body);
    } else {
      Listpack::write_back(at_, body);
      at_ += Listpack::back_size(body);
    }
    count_++;
  }

  Listpack lp_;
  uint8_t* at_;
  int64_t count_ = 0;
};

}  // namespace kvasir
