// The increment of the append-only file that is being written: a reader of the propagation stream that hands
// its bytes to a file, from the stream's own blocks.
//
// flush() is called once a turn, before any reply leaves. What it promises depends on the policy:
//   always    everything appended to the stream so far is on disk, by one write and one fdatasync; or false,
//             and nothing may leave the process any more
//   everysec  the bytes are the kernel's, unless a sync under way would make the write wait: then they stay
//   in
//             the stream for up to two seconds. A thread syncs once a second.
//   no        the bytes are the kernel's
//
// A write that fails, or is short, leaves the file as long as it was before, if it can be cut; the bytes stay
// in the stream, write_error() tells why, and the next flush() tries again. While it is set the engine
// refuses writes, so that what waits does not grow.
//
// Some bytes of the stream do not belong into the file (exclude()), and some of the file are not in the
// stream (note_time()): offsets are the stream's, sizes the file's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "persist/file_sync.h"
#include "stream/stream.h"

namespace kvasir {

enum class FsyncPolicy : uint8_t { kNo, kAlways, kEverysec };

// Who is told.
class AofListener {
 public:
  virtual ~AofListener() = default;
  virtual void aof_log(bool warning, const std::string& text) = 0;
  // A latency sample.
  virtual void aof_latency(const char* event, uint64_t us) = 0;
};

class AofWriter {
 public:
  AofWriter(PropagationStream* stream, AofListener* listener) : stream_(stream), listener_(listener) {}
  // What was not flushed is lost.
  ~AofWriter();
  AofWriter(const AofWriter&) = delete;
  AofWriter& operator=(const AofWriter&) = delete;

  bool timestamps = false;                 // aof-timestamp-enabled
  bool no_appendfsync_on_rewrite = false;  // no sync while `saving`
  bool saving = false;                     // somebody else writes a lot to the disk: a save, a rewrite
  uint32_t flush_sleep_us = 0;             // DEBUG AOF-FLUSH-SLEEP
  [[nodiscard]] FsyncPolicy policy() const { return policy_; }
  void set_policy(FsyncPolicy policy);

  // Takes fd, open for appending: what is added to the stream from now on goes there, beginning with a
  // SELECT. The file before it, which the caller has flushed, is synced and closed in the background; what
  // could not be written to it goes to this one. Precondition: not torn().
  void open(int fd, uint64_t now_ms);
  // A part of a command is at the end of the file, since a short write could not be undone: the rest must
  // follow.
  [[nodiscard]] bool torn() const { return torn_; }
  // Flushes, syncs and closes.
  void stop(uint64_t now_ms);
  // Closes without writing what is left: the file is of no use.
  void discard();
  // Whether anything is written at all.
  [[nodiscard]] bool active() const { return fd_ >= 0; }

  // See above. now_ms: any clock that does not go back. force: do not wait for a sync that is under way.
  [[nodiscard]] bool flush(uint64_t now_ms, bool force = false);
  // Puts everything on disk now (shutdown), whatever the policy; errors are logged. False: as of flush().
  bool flush_and_sync(uint64_t now_ms);

  // The command that begins at the stream's end, or what follows it, runs in second `s` of the wall clock.
  // Only between commands, and not inside of MULTI.
  void note_time(int64_t s);
  // The stream's bytes from `from` to its end are for replicas only.
  void exclude(uint64_t from);

  // errno of the write or of the sync that failed last; 0: the file takes what comes.
  [[nodiscard]] int write_error() const { return write_error_ != 0 ? write_error_ : sync_.error(); }
  // A new beginning after appendonly was off: old errors are logged and forgotten.
  void forget_errors();

  // Up to here the stream is on disk.
  [[nodiscard]] uint64_t synced_offset() const { return std::max(synced_, sync_.synced()); }
  [[nodiscard]] uint64_t size() const { return size_; }  // of the present file
  [[nodiscard]] uint64_t waiting() const { return reader_ == nullptr ? 0 : reader_->pending(); }
  [[nodiscard]] unsigned pending_syncs() const { return sync_.pending(); }
  [[nodiscard]] uint64_t delayed_syncs() const { return delayed_syncs_; }
  void reset_stats() { delayed_syncs_ = 0; }

 private:
  // A place in the stream where the file has something else: a line before it, or without what lies up to
  // `end`.
  struct Mark {
    uint64_t offset;
    uint64_t end;  // of what is left out; offset itself for a line
    int64_t second;
  };
  // How far one flush came.
  struct Written {
    uint64_t stream = 0, file = 0;
    int error = 0;
  };
  // Writes up to the stream's end. *marks: how many it has passed; *line: what is left of the line before the
  // next byte.
  Written write_pending(size_t* marks, std::string* line) const;
  void advance(const Written& w, size_t marks, std::string line);
  bool write(uint64_t now_ms, bool syncing);
  bool write_failed(const Written& w, uint64_t expected, uint64_t now_ms);
  bool sync(uint64_t now_ms, bool syncing);
  [[nodiscard]] bool unsynced() const { return synced_size_ != size_; }

  PropagationStream* stream_;
  AofListener* listener_;
  FsyncPolicy policy_ = FsyncPolicy::kEverysec;
  std::unique_ptr<PropagationStream::Reader> reader_;
  int fd_ = -1;
  uint64_t size_ = 0;         // of the file
  uint64_t synced_size_ = 0;  // of it, for which a sync was asked for
  uint64_t synced_ = 0;       // stream offset on disk as far as the loop knows
  std::vector<Mark> marks_;   // ahead of the reader, in order
  std::string line_;          // goes before the next byte
  int written_db_ = -1;       // the database that the stream was in at the reader's position
  bool torn_ = false;
  int64_t noted_second_ = 0;
  uint64_t last_sync_ms_ = 0;
  uint64_t postponed_since_ms_ = 0;  // 0: no write waits for a sync
  uint64_t delayed_syncs_ = 0;
  int write_error_ = 0;
  int logged_sync_error_ = 0;
  uint64_t last_error_log_ms_ = 0;
  FileSync sync_;
};

}  // namespace kvasir
