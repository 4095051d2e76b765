#include "persist/file_sync.h"

#include <pthread.h>
#include <unistd.h>

#include <cerrno>

namespace kvasir {

FileSync::~FileSync() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void FileSync::sync(int fd, uint64_t offset) { push({fd, offset, false}); }

void FileSync::sync_and_close(int fd, uint64_t offset) { push({fd, offset, true}); }

void FileSync::push(Job job) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!job.close) syncs_.fetch_add(1, std::memory_order_relaxed);
  jobs_.push_back(job);
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "kvasir-fsync");
  }
  wake_.notify_one();
}

void FileSync::drain() {
  std::unique_lock<std::mutex> lock(mutex_);
  idle_.wait(lock, [this] { return jobs_.empty() && !working_; });
}

void FileSync::run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    const Job job = jobs_.front();
    jobs_.pop_front();
    working_ = true;
    lock.unlock();
    const int error = fdatasync(job.fd) == 0 ? 0 : errno;
    if (job.close) ::close(job.fd);
    if (error == 0 && job.offset > synced_.load(std::memory_order_relaxed)) {
      synced_.store(job.offset, std::memory_order_release);
    }
    error_.store(error, std::memory_order_release);
    lock.lock();
    working_ = false;
    if (!job.close) syncs_.fetch_sub(1, std::memory_order_release);
    idle_.notify_all();
  }
}

}  // namespace kvasir
