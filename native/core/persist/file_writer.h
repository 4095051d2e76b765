// Writes chunks to a file on a thread of its own: it codes the strings that were left to it, keeps the file's
// CRC-64, writes, has the kernel bring the data to disk as it goes, and syncs at the end. The loop only
// serialises, and never waits for a disk unless it wants to.
//
// The first failure ends the work: what is pushed afterwards is thrown away, and error() says what failed.
// The file stays where it is, whatever happens: removing a half-written one is the owner's.
//
// Threads: all functions are the owner's, called from one thread, but for Options::notify, which the writer's
// thread calls.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "persist/chunk.h"

namespace kvasir {

// Brings chunks into the form that is written.
class ChunkCoder {
 public:
  // compress: rdbcompression. checksum: rdbchecksum; without it the checksum that is written is 0.
  ChunkCoder(bool compress, bool checksum) : compress_(compress), checksum_(checksum) {}
  // Appends the chunk as it is in the file.
  void code(const Chunk& chunk, std::string* out);

 private:
  bool compress_, checksum_;
  uint64_t crc_ = 0;
};

class FileWriter {
 public:
  // More than this need not wait.
  static constexpr size_t kMostWaiting = 8 * 1024 * 1024;

  struct Options {
    bool compress = true;
    bool checksum = true;
    bool sync_as_it_goes = true;  // rdb-save-incremental-fsync
    bool keep_cache = false;      // what was written is not dropped from the page cache: it will soon be read
    // Called when there is room again after crowded() was true, and when done.
    std::function<void()> notify;
  };
  // Takes the descriptor, which is at its beginning, and closes it when all is written.
  FileWriter(int fd, Options options);
  // Without finish(): gives up. Waits for the thread.
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  // An empty chunk, one that was used before if there is one.
  std::unique_ptr<Chunk> take_chunk();
  void push(std::unique_ptr<Chunk> chunk);
  // Enough is waiting: whoever can wait should.
  [[nodiscard]] bool crowded();
  // Waits until it is not.
  void wait_for_room();
  // Nothing more is coming: the file is synced and closed. done() follows. May be called again.
  void finish();
  [[nodiscard]] bool compresses() const { return options_.compress; }
  [[nodiscard]] bool done() const { return done_.load(std::memory_order_acquire); }
  // Blocks until done().
  void wait();

  struct Error {
    const char* operation = nullptr;  // nullptr: none
    int number = 0;                   // errno
  };
  // Final once done(); before, what has failed so far.
  [[nodiscard]] Error error();
  // Bytes in the file.
  [[nodiscard]] uint64_t written() const { return written_.load(std::memory_order_relaxed); }

 private:
  void run();
  std::unique_ptr<Chunk> next();
  bool write_chunk(const Chunk& chunk);
  bool write_bytes(Slice bytes);
  void bring_to_disk();
  void close_file();
  bool fail(const char* operation);

  const Options options_;
  int fd_;
  // The thread's.
  ChunkCoder coder_;
  std::string out_;
  uint64_t synced_ = 0;

  std::mutex mutex_;
  std::condition_variable work_, progress_;
  std::deque<std::unique_ptr<Chunk>> waiting_;
  std::vector<std::unique_ptr<Chunk>> spare_;
  size_t waiting_bytes_ = 0;
  bool ending_ = false, abandoned_ = false, was_crowded_ = false;
  Error error_;
  std::atomic<uint64_t> written_{0};
  std::atomic<bool> done_{false};
  std::thread thread_;
};

}  // namespace kvasir
