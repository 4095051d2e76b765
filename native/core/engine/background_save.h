// Files that are written from walks over the keyspace while the loop goes on: BGSAVE, AOF rewrite, full sync
// to disk.
//
// The loop serialises in the slices that belong to its turns, a thread of each file does the rest
// (persist/file_writer.h). A slice takes about as long as the turn before it, between kLeastSliceUs and
// kMostSliceUs: a busy server gives a save half of its time at most, an idle one all of it. While the writer
// has as much as it can hold, slices are left out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "keyspace/snapshot.h"
#include "persist/rdb_save.h"

namespace kvasir {

class Engine;

class BackgroundSaves {
 public:
  static constexpr uint64_t kLeastSliceUs = 100;
  static constexpr uint64_t kMostSliceUs = 1000;
  // How long to wait for a writer that has enough.
  static constexpr uint64_t kPauseUs = 1000;

  enum class Form : uint8_t { kRdb, kCommands };
  struct Options {
    Form form = Form::kRdb;
    FileWriter::Options file;
    RdbFileTarget::Options rdb;
    // Microseconds to lose after each key; negative: one for every so many keys. For tests.
    int64_t key_delay_us = 0;
  };

  explicit BackgroundSaves(Engine* engine);
  ~BackgroundSaves();
  BackgroundSaves(const BackgroundSaves&) = delete;
  BackgroundSaves& operator=(const BackgroundSaves&) = delete;

  // Begins to write what the databases hold now. *id names it from then on. Returns errno, 0 on success;
  // EAGAIN: too many walks are under way. When it has ended the control plane hears "saved", "<id> ok" or
  // "<id> <operation> <why>", or "<id> unstorable <db> <key>".
  int begin(const std::string& path, const Options& options, int* id);
  // Ends it without a word; the file stays as it is. Nothing if it has ended.
  void cancel(int id);
  // The slice that belongs to a turn. True: the loop should turn again soon.
  bool run();
  // When the next slice is due, as mono_us(); 0: nothing waits.
  [[nodiscard]] uint64_t due_us() const;
  struct Progress {
    uint64_t keys, delivered;
  };
  [[nodiscard]] Progress progress(int id) const;

 private:
  struct Job;
  // True: there is more to do at once.
  bool step(Job& job, uint64_t now_us, uint64_t until_us);
  void report(Job& job);

  Engine& engine_;
  std::vector<std::unique_ptr<Job>> jobs_;
  int next_id_ = 1;
  uint64_t slice_end_us_ = 0;  // of the last one
};

}  // namespace kvasir
