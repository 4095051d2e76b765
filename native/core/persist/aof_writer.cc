#include "persist/aof_writer.h"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "persist/aof_object.h"

namespace kvasir {

namespace {
constexpr int kIovecs = 256;
constexpr uint64_t kSyncEveryMs = 1000;
constexpr uint64_t kLongestPostponementMs = 2000;
constexpr uint64_t kErrorLogEveryMs = 30 * 1000;
}  // namespace

AofWriter::~AofWriter() { discard(); }

void AofWriter::set_policy(FsyncPolicy policy) {
  // Offsets that the thread and the loop report must not cross.
  if (policy == FsyncPolicy::kAlways) sync_.drain();
  policy_ = policy;
}

void AofWriter::open(int fd, uint64_t now_ms) {
  const bool fresh = fd_ < 0;
  if (fresh) {
    sync_.drain();
    // All that there is comes from files already.
    synced_ = stream_->offset();
  } else {
    sync_.sync_and_close(fd_, reader_->offset());
  }
  line_.clear();
  if (waiting() > 0) {
    AofCommands out(&line_);
    aof_write_select(out, written_db_);
  } else {
    // A new reader makes the stream go on with a SELECT.
    reader_ = std::make_unique<PropagationStream::Reader>(stream_);
    marks_.clear();
  }
  fd_ = fd;
  const off_t end = ::lseek(fd, 0, SEEK_END);
  size_ = synced_size_ = end < 0 ? 0 : static_cast<uint64_t>(end);
  postponed_since_ms_ = 0;
  last_sync_ms_ = now_ms;
}

void AofWriter::stop(uint64_t now_ms) {
  if (fd_ < 0) return;
  flush_and_sync(now_ms);
  discard();
}

void AofWriter::discard() {
  if (fd_ < 0) return;
  sync_.drain();
  ::close(fd_);
  fd_ = -1;
  reader_.reset();
  marks_.clear();
  line_.clear();
  torn_ = false;
  size_ = synced_size_ = 0;
  postponed_since_ms_ = 0;
  noted_second_ = 0;
}

void AofWriter::note_time(int64_t s) {
  if (s <= noted_second_) return;
  noted_second_ = s;
  const uint64_t at = stream_->offset();
  if (!marks_.empty() && marks_.back().offset == at && marks_.back().end == at) {
    marks_.back().second = s;
    return;
  }
  marks_.push_back({at, at, s});
}

void AofWriter::exclude(uint64_t from) {
  const uint64_t end = stream_->offset();
  if (!marks_.empty() && marks_.back().end == from && marks_.back().offset != from) {
    marks_.back().end = end;
    return;
  }
  marks_.push_back({from, end, 0});
}

void AofWriter::forget_errors() {
  if (sync_.error() != 0) {
    listener_->aof_log(true, "AOF reopen, just ignore the AOF fsync error in bio job");
    sync_.forget_error();
    logged_sync_error_ = 0;
  }
  if (write_error_ != 0) {
    listener_->aof_log(true, "AOF reopen, just ignore the last error.");
    write_error_ = 0;
  }
}

bool AofWriter::flush(uint64_t now_ms, bool force) {
  if (fd_ < 0) return true;
  const int sync_error = sync_.error();
  if (sync_error != 0 && logged_sync_error_ == 0) {
    listener_->aof_log(true, std::string("Fail to fsync the AOF file: ") + strerror(sync_error));
  }
  logged_sync_error_ = sync_error;
  const bool syncing = sync_.busy();
  if (reader_->pending() == 0 && line_.empty()) {
    // What was written last may still have to be synced.
    if (unsynced()) {
      if (policy_ == FsyncPolicy::kAlways) return sync(now_ms, syncing);
      if (policy_ == FsyncPolicy::kEverysec && !syncing && now_ms - last_sync_ms_ >= kSyncEveryMs) {
        return sync(now_ms, false);
      }
    } else if (!syncing && policy_ != FsyncPolicy::kNo) {
      synced_ = reader_->offset();
    }
    return true;
  }
  if (syncing && policy_ == FsyncPolicy::kEverysec && !force) {
    // Linux lets a write to a file wait for a sync of the same file.
    if (postponed_since_ms_ == 0) {
      postponed_since_ms_ = now_ms;
      return true;
    }
    if (now_ms - postponed_since_ms_ < kLongestPostponementMs) return true;
    delayed_syncs_++;
    listener_->aof_log(false,
                       "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer "
                       "without waiting for fsync to complete, this may slow down the server.");
  }
  return write(now_ms, syncing) && (write_error_ != 0 || sync(now_ms, syncing));
}

bool AofWriter::flush_and_sync(uint64_t now_ms) {
  if (fd_ < 0) return true;
  const bool ok = flush(now_ms, true);
  if (fdatasync(fd_) != 0) {
    listener_->aof_log(true, std::string("Fail to fsync the AOF file: ") + strerror(errno));
    return ok;
  }
  last_sync_ms_ = now_ms;
  synced_size_ = size_;
  synced_ = reader_->offset();
  return ok;
}

AofWriter::Written AofWriter::write_pending(size_t* marks, std::string* line) const {
  Written w;
  const uint64_t begin = reader_->offset();
  const uint64_t end = stream_->offset();
  while (true) {
    uint64_t at = begin + w.stream;
    uint64_t until = end;
    for (; *marks < marks_.size(); ++*marks) {
      const Mark& m = marks_[*marks];
      if (m.offset > at) {
        until = std::min(until, m.offset);
        break;
      }
      if (m.end > m.offset) {
        w.stream = m.end - begin;
        at = m.end;
      } else if (at == end) {
        break;  // nothing is dated yet
      } else {
        aof_write_time(line, m.second);
      }
    }
    if (at == end && line->empty()) return w;
    iovec iov[kIovecs];
    int n = 0;
    if (!line->empty()) {
      iov[0].iov_base = line->data();
      iov[0].iov_len = line->size();
      n = 1;
    }
    n += reader_->peek(iov + n, kIovecs - n, w.stream, until - at);
    const ssize_t got = ::writev(fd_, iov, n);
    if (got < 0) {
      if (errno == EINTR) continue;
      w.error = errno;
      return w;
    }
    const size_t of_line = std::min(line->size(), static_cast<size_t>(got));
    line->erase(0, of_line);
    w.file += static_cast<uint64_t>(got);
    w.stream += static_cast<uint64_t>(got) - of_line;
  }
}

void AofWriter::advance(const Written& w, size_t marks, std::string line) {
  size_ += w.file;
  marks_.erase(marks_.begin(), marks_.begin() + static_cast<ptrdiff_t>(marks));
  line_ = std::move(line);
  reader_->consume(w.stream);
}

bool AofWriter::write(uint64_t now_ms, bool syncing) {
  if (flush_sleep_us > 0) usleep(flush_sleep_us);
  const uint64_t pending = reader_->pending();
  size_t marks = 0;
  std::string line = line_;
  const uint64_t began = mono_us();
  const Written w = write_pending(&marks, &line);
  const uint64_t us = mono_us() - began;
  const char* how = syncing  ? "aof-write-pending-fsync"
                    : saving ? "aof-write-active-child"
                             : "aof-write-alone";
  listener_->aof_latency(how, us);
  listener_->aof_latency("aof-write", us);
  postponed_since_ms_ = 0;
  if (w.error != 0) {
    const bool survived = write_failed(w, pending, now_ms);
    if (w.file == 0) return survived;
    if (::ftruncate(fd_, static_cast<off_t>(size_)) == 0) return survived;
    listener_->aof_log(
        true,
        "Could not remove short write from the append-only file. The server may refuse to load the "
        "AOF the next time it starts.");
    torn_ = true;
    advance(w, marks, std::move(line));
    return survived;
  }
  if (write_error_ != 0) {
    listener_->aof_log(false, "AOF write error looks solved. The server can write again.");
    write_error_ = 0;
  }
  advance(w, marks, std::move(line));
  torn_ = false;
  written_db_ = stream_->database();
  return true;
}

// Says what happened, at most twice a minute. False: the policy allows no going on.
bool AofWriter::write_failed(const Written& w, uint64_t expected, uint64_t now_ms) {
  if (last_error_log_ms_ == 0 || now_ms - last_error_log_ms_ > kErrorLogEveryMs) {
    last_error_log_ms_ = std::max<uint64_t>(now_ms, 1);
    if (w.file == 0) {
      listener_->aof_log(true, std::string("Error writing to the AOF file: ") + strerror(w.error));
    } else {
      listener_->aof_log(true, "Short write while writing to the AOF file: (nwritten=" +
                                   std::to_string(w.file) + ", expected=" + std::to_string(expected) + ")");
    }
  }
  write_error_ = w.file == 0 ? w.error : ENOSPC;
  if (policy_ != FsyncPolicy::kAlways) return true;
  listener_->aof_log(true,
                     "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...");
  return false;
}

bool AofWriter::sync(uint64_t now_ms, bool syncing) {
  if (no_appendfsync_on_rewrite && saving) return true;
  if (policy_ == FsyncPolicy::kAlways) {
    const uint64_t began = mono_us();
    if (fdatasync(fd_) != 0) {
      listener_->aof_log(
          true, std::string("Can't persist AOF for fsync error when the AOF fsync policy is 'always': ") +
                    strerror(errno) + ". Exiting...");
      return false;
    }
    listener_->aof_latency("aof-fsync-always", mono_us() - began);
    synced_size_ = size_;
    synced_ = reader_->offset();
    last_sync_ms_ = now_ms;
  } else if (policy_ == FsyncPolicy::kEverysec && now_ms - last_sync_ms_ >= kSyncEveryMs) {
    if (!syncing) {
      sync_.sync(fd_, reader_->offset());
      synced_size_ = size_;
    }
    last_sync_ms_ = now_ms;
  }
  return true;
}

}  // namespace kvasir
