// A request with memory of its own: one that could not run in the turn it was parsed in (paused or blocked
// client), or that waits in a transaction.
#pragma once

#include <span>

#include "resp/parser.h"

namespace kvasir {

class SavedRequest {
 public:
  // Takes the request's buffers over.
  explicit SavedRequest(Request& r);
  ~SavedRequest();
  SavedRequest(SavedRequest&& o) noexcept : request_(o.request_) { o.request_ = {}; }
  SavedRequest(const SavedRequest&) = delete;
  SavedRequest& operator=(const SavedRequest&) = delete;
  SavedRequest& operator=(SavedRequest&&) = delete;
  // The request, which refers to this object: buffers stay here.
  [[nodiscard]] const Request& view() const { return request_; }
  // The request with slices that refer to `args`, and the buffers, which move to it: this object may go, or
  // be filled anew, while it runs.
  Request restore(ArgArena* args);
  // Lets everything go: there are no arguments any more.
  void clear();
  // Replaces an argument.
  void set_arg(size_t i, Slice value);
  [[nodiscard]] size_t argc() const { return request_.argc; }
  // The arguments, which stay here.
  [[nodiscard]] std::span<const Slice> args() const { return {request_.argv, request_.argc}; }
  // What the request took on the wire.
  [[nodiscard]] uint64_t wire_bytes() const { return request_.wire_bytes; }
  // Memory of the arguments.
  [[nodiscard]] size_t bytes() const;

 private:
  [[nodiscard]] bool buffered(size_t i) const {
    return request_.bufs != nullptr && request_.bufs[i] != nullptr;
  }
  // Copies r into one allocation: the slices, the buffers if there are any, the other arguments' bytes.
  void copy(const Request& r);

  Request request_;
};

}  // namespace kvasir
