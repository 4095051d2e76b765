// A question asked again and again while the load runs, and what it was answered: for series over time, such
// as how many fields a hash still has.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "numbers.h"
#include "request.h"

namespace kvasir::load {

class Probe {
 public:
  struct Sample {
    int64_t sent_us;  // since 1970, as is answered_us
    int64_t answered_us;
    int64_t sum;  // of the integers that the commands answered
  };

  // Without commands there is nothing to ask.
  explicit Probe(const std::vector<Command>& commands) {
    if (commands.empty()) return;
    Batch batch;
    batch.append(commands, "");
    Numbers none(1, true, 0, 0);
    request_ = batch.prepare(1, none, 0);
    replies_ = commands.size();
  }

  bool used() const { return replies_ > 0; }
  bool waiting() const { return left_ > 0; }

  // Returns the bytes to send. Must not be called while waiting.
  std::string_view ask(int64_t now_us) {
    left_ = replies_;
    sample_ = {now_us, 0, 0};
    return request_;
  }

  // Takes a piece of the answer; what is complete with it is appended to `out`. False if it is no integer.
  bool feed(std::string_view bytes, int64_t now_us, std::vector<Sample>& out) {
    for (const char c : bytes) {
      if (c != '\n') {
        line_ += c;
        continue;
      }
      if (left_ == 0 || line_.size() < 3 || line_[0] != ':' || line_.back() != '\r') return false;
      sample_.sum += std::strtoll(line_.c_str() + 1, nullptr, 10);
      line_.clear();
      if (--left_ > 0) continue;
      sample_.answered_us = now_us;
      out.push_back(sample_);
    }
    return line_.size() < 32;
  }

 private:
  std::string request_;
  size_t replies_ = 0;
  size_t left_ = 0;
  Sample sample_{};
  std::string line_;
};

}  // namespace kvasir::load
