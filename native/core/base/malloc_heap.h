// Huge pages for malloc's heap, where large objects lie. A value of 64 KB is 16 small pages, and every reply
// that carries it looks each of them up. malloc has a tunable for this, but only the environment sets it, and
// it would make all that is touched resident; here what is full is collapsed, by the background thread, as
// the heap grows.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace kvasir::alloc_detail {

class MallocHeap {
 public:
  // A large object has come from malloc. bytes: what its thread has of them now. Any thread.
  void grown(int64_t bytes) {
    if (bytes >= next_.load(std::memory_order_relaxed)) sweep(bytes);
  }
  // The heap has become smaller, or has holes: what fills it again is looked at anew.
  void shrunk() {
    anew_.store(true, std::memory_order_relaxed);
    next_.store(0, std::memory_order_relaxed);
  }

 private:
  void sweep(int64_t bytes);
  void collapse_full();

  std::atomic<int64_t> next_{0};  // grown() so far makes work
  std::atomic<bool> anew_{false};
  std::atomic<bool> running_{false};
  // Of the background thread: pages that are huge, from the first on.
  std::vector<bool> huge_;
};

}  // namespace kvasir::alloc_detail
