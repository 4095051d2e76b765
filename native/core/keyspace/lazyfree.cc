#include "keyspace/lazyfree.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

namespace kvasir {

namespace {

std::atomic<uint64_t> g_pending{0};
std::atomic<uint64_t> g_freed{0};

// One thread for the whole process, started at the first job and joined at exit.
class Worker {
 public:
  void push(Database::Contents&& c) {
    const std::lock_guard<std::mutex> lock(mutex_);
    jobs_.push_back(std::move(c));
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    wake_.notify_one();
  }
  void drain() {
    std::unique_lock<std::mutex> lock(mutex_);
    idle_.wait(lock, [this] { return jobs_.empty() && !busy_; });
  }
  ~Worker() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
      wake_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      Database::Contents c = std::move(jobs_.front());
      jobs_.pop_front();
      busy_ = true;
      lock.unlock();
      const size_t n = c.keys;
      free_contents(std::move(c));
      g_pending -= n;
      g_freed += n;
      lock.lock();
      busy_ = false;
      idle_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::deque<Database::Contents> jobs_;
  bool busy_ = false, stop_ = false;
  std::thread thread_;
};

Worker& worker() {
  static Worker w;
  return w;
}

void free_slot(SlotDicts* d) {
  if (d == nullptr) return;
  d->expires.clear([](Entry*) {});
  d->keys.clear([](Entry* e) { Entry::destroy(e); });
}

}  // namespace

void free_contents(Database::Contents&& contents) {
  const Database::Contents c = std::move(contents);
  free_slot(c.single.get());
  for (const auto& s : c.slots) free_slot(s.get());
}

void lazyfree_entry(Entry* e) {
  // Strings are one or two frees whatever their size: never worth a hand-over.
  Entry::destroy(e);
}

void lazyfree_contents(Database::Contents&& c) {
  if (c.keys == 0) {
    free_contents(std::move(c));
    return;
  }
  g_pending += c.keys;
  worker().push(std::move(c));
}

LazyfreeStats lazyfree_stats() { return {g_pending.load(), g_freed.load()}; }
void lazyfree_reset_stats() { g_freed = 0; }
void lazyfree_drain() { worker().drain(); }

}  // namespace kvasir
