// A request with memory of its own: one that could not run in the turn it was parsed in (paused or blocked
// client), or that waits in a transaction.
#pragma once

#include <string>
#include <vector>

#include "resp/parser.h"

namespace kvasir {

class SavedRequest {
 public:
  // Takes the request's buffers over.
  explicit SavedRequest(Request& r);
  ~SavedRequest();
  SavedRequest(SavedRequest&& o) noexcept = default;
  SavedRequest(const SavedRequest&) = delete;
  SavedRequest& operator=(const SavedRequest&) = delete;
  SavedRequest& operator=(SavedRequest&&) = delete;
  // The request again; its slices refer to this object, its buffers move to it.
  Request restore(ArgArena* args);
  // The same with slices that refer to `args` only: this object may go, or be filled anew, while it runs.
  Request restore_apart(ArgArena* args);
  // Replaces an argument.
  void set_arg(size_t i, Slice value);
  [[nodiscard]] size_t argc() const { return sizes_.size(); }
  // The arguments, which stay here.
  [[nodiscard]] std::vector<Slice> args() const;
  // What the request took on the wire.
  [[nodiscard]] uint64_t wire_bytes() const { return wire_bytes_; }
  // Memory of the arguments.
  [[nodiscard]] size_t bytes() const;

 private:
  std::string bytes_;
  std::vector<size_t> sizes_;
  std::vector<StrBuf*> bufs_;  // empty, or parallel to sizes_
  uint64_t wire_bytes_;
};

}  // namespace kvasir
