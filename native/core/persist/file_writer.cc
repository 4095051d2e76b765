#include "persist/file_writer.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/crc64.h"
#include "persist/rdb_io.h"

namespace kvasir {

namespace {

// How much may be dirty in the page cache: bounds what the final sync has to wait for.
constexpr uint64_t kSyncEvery = 4 * 1024 * 1024;
constexpr size_t kMostSpare = 4;

}  // namespace

void ChunkCoder::code(const Chunk& chunk, std::string* out) {
  const size_t start = out->size();
  RdbWriter writer(out, compress_);
  const Slice bytes = chunk.bytes;
  size_t at = 0;
  for (const Chunk::String& s : chunk.strings) {
    writer.bytes({bytes.data + at, s.at - at});
    at = s.at + s.size;
    writer.string(s.pinned ? s.pinned->slice() : Slice(bytes.data + s.at, s.size));
  }
  writer.bytes({bytes.data + at, bytes.size - at});
  if (checksum_) crc_ = crc64(crc_, out->data() + start, out->size() - start);
  if (chunk.checksum_follows) writer.le64(crc_);
}

FileWriter::FileWriter(int fd, Options options)
    : options_(std::move(options)), fd_(fd), coder_(options_.compress, options_.checksum) {
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "kvasir-save");
}

FileWriter::~FileWriter() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!ending_) abandoned_ = true;
    ending_ = true;
    work_.notify_one();
  }
  thread_.join();
}

std::unique_ptr<Chunk> FileWriter::take_chunk() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!spare_.empty()) {
      std::unique_ptr<Chunk> chunk = std::move(spare_.back());
      spare_.pop_back();
      return chunk;
    }
  }
  auto chunk = std::make_unique<Chunk>();
  chunk->bytes.reserve(ChunkSink::kChunkBytes + ChunkSink::kChunkBytes / 4);
  return chunk;
}

void FileWriter::push(std::unique_ptr<Chunk> chunk) {
  if (chunk->empty()) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (error_.operation != nullptr) return;
  waiting_bytes_ += chunk->size();
  waiting_.push_back(std::move(chunk));
  work_.notify_one();
}

bool FileWriter::crowded() {
  const std::lock_guard<std::mutex> lock(mutex_);
  was_crowded_ = waiting_bytes_ > kMostWaiting;
  return was_crowded_;
}

void FileWriter::wait_for_room() {
  std::unique_lock<std::mutex> lock(mutex_);
  progress_.wait(lock, [this] { return waiting_bytes_ <= kMostWaiting; });
}

void FileWriter::finish() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ending_ = true;
  work_.notify_one();
}

void FileWriter::wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  progress_.wait(lock, [this] { return done(); });
}

FileWriter::Error FileWriter::error() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return error_;
}

// ------------------------------------------------------------------ the thread

std::unique_ptr<Chunk> FileWriter::next() {
  std::unique_lock<std::mutex> lock(mutex_);
  work_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
  if (abandoned_ || waiting_.empty()) return nullptr;
  std::unique_ptr<Chunk> chunk = std::move(waiting_.front());
  waiting_.pop_front();
  return chunk;
}

void FileWriter::run() {
  while (std::unique_ptr<Chunk> chunk = next()) {
    const size_t size = chunk->size();
    const bool written = error_.operation == nullptr && write_chunk(*chunk);
    chunk->clear();
    bool room;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      waiting_bytes_ -= size;
      if (spare_.size() < kMostSpare) spare_.push_back(std::move(chunk));
      if (!written) {
        waiting_.clear();
        waiting_bytes_ = 0;
      }
      room = was_crowded_ && waiting_bytes_ <= kMostWaiting;
      if (room) was_crowded_ = false;
      progress_.notify_all();
    }
    if (room && options_.notify) options_.notify();
  }
  close_file();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    waiting_.clear();
    waiting_bytes_ = 0;
    done_.store(true, std::memory_order_release);
    progress_.notify_all();
  }
  if (options_.notify) options_.notify();
}

bool FileWriter::fail(const char* operation) {
  const int number = errno;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (error_.operation == nullptr) error_ = {operation, number};
  return false;
}

bool FileWriter::write_chunk(const Chunk& chunk) {
  out_.clear();
  coder_.code(chunk, &out_);
  const bool ok = write_bytes(out_);
  // One huge string must not keep its room for ever.
  if (out_.capacity() > 4 * ChunkSink::kChunkBytes) std::string().swap(out_);
  return ok;
}

bool FileWriter::write_bytes(Slice bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data, std::min<size_t>(bytes.size, kSyncEvery));
    if (n < 0) {
      if (errno == EINTR) continue;
      return fail("rdbSaveRio");
    }
    bytes = {bytes.data + n, bytes.size - static_cast<size_t>(n)};
    written_.fetch_add(static_cast<uint64_t>(n), std::memory_order_relaxed);
    if (options_.sync_as_it_goes && written() - synced_ >= kSyncEvery) bring_to_disk();
  }
  return true;
}

// Starts writing what is new and waits for what was started before. That a file system cannot do it is no
// error: the final sync remains.
void FileWriter::bring_to_disk() {
  const uint64_t end = written();
  sync_file_range(fd_, static_cast<off_t>(synced_), static_cast<off_t>(end - synced_), SYNC_FILE_RANGE_WRITE);
  if (synced_ > 0) {
    sync_file_range(fd_, 0, static_cast<off_t>(synced_),
                    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    if (!options_.keep_cache) posix_fadvise(fd_, 0, static_cast<off_t>(synced_), POSIX_FADV_DONTNEED);
  }
  synced_ = end;
}

void FileWriter::close_file() {
  const bool complete = !abandoned_ && error_.operation == nullptr;
  if (complete && fsync(fd_) != 0) fail("fsync");
  if (complete && !options_.keep_cache) posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED);
  if (::close(fd_) != 0 && complete) fail("fclose");
}

}  // namespace kvasir
