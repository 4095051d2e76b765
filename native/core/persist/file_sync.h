// Putting a file's data on disk without holding the loop: one thread that calls fdatasync() on descriptors it
// is given, in that order. A disk may take seconds for it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>

namespace kvasir {

class FileSync {
 public:
  FileSync() = default;
  // Waits for what was asked for.
  ~FileSync();
  FileSync(const FileSync&) = delete;
  FileSync& operator=(const FileSync&) = delete;

  // Syncs fd, which must stay open until busy() is false or drain() returned. `offset`: what synced() says
  // once that is done.
  void sync(int fd, uint64_t offset);
  // The same, and closes it; the descriptor is the thread's from now on.
  void sync_and_close(int fd, uint64_t offset);
  // A sync() is under way. sync_and_close() does not count: nobody writes to that file any more.
  [[nodiscard]] bool busy() const { return syncs_.load(std::memory_order_acquire) > 0; }
  [[nodiscard]] unsigned pending() const { return syncs_.load(std::memory_order_relaxed); }
  // Blocks until nothing is under way.
  void drain();

  // The largest offset whose sync succeeded.
  [[nodiscard]] uint64_t synced() const { return synced_.load(std::memory_order_acquire); }
  // errno of the last sync; 0: it succeeded, or its failure was forgotten.
  [[nodiscard]] int error() const { return error_.load(std::memory_order_acquire); }
  void forget_error() { error_.store(0, std::memory_order_release); }

 private:
  struct Job {
    int fd;
    uint64_t offset;
    bool close;
  };
  void push(Job job);
  void run();

  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::deque<Job> jobs_;
  bool working_ = false, stop_ = false;
  std::atomic<unsigned> syncs_{0};
  std::atomic<uint64_t> synced_{0};
  std::atomic<int> error_{0};
  std::thread thread_;  // started by the first job
};

}  // namespace kvasir
