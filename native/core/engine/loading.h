// A file that is being loaded while the loop goes on: clients are served what may be served meanwhile.
#pragma once

#include <memory>
#include <string>

#include "persist/load_types.h"

namespace kvasir {

class Engine;
class RdbLoader;

// As the control plane knows it.
const char* load_result_name(RdbLoadResult r);

class Loading {
 public:
  explicit Loading(Engine* engine);
  ~Loading();
  Loading(const Loading&) = delete;
  Loading& operator=(const Loading&) = delete;

  // Begins with a file; everything but what `options` says comes from the settings. Returns errno, 0 on
  // success. Precondition: !active().
  int begin(const std::string& path, RdbLoadOptions options);
  [[nodiscard]] bool active() const { return loader_ != nullptr; }
  // The slice that belongs to a turn. True: the loop should turn again soon. At the end the control plane
  // hears of it: "loaded", and how it ended.
  bool run();
  // A load of several files, of which others than this are read elsewhere: so many bytes in all are to come;
  // of the file at hand so many have. end(): all are through.
  void announce(uint64_t bytes);
  void note(uint64_t bytes);
  void end();

  // Goes on to the end without a turn of the loop.
  void run_to_end();
  // When the next slice is due, as mono_us(); 0: at once.
  [[nodiscard]] uint64_t due_us() const { return loader_ == nullptr ? 0 : due_us_; }

  // Of the load that is going on or was last.
  [[nodiscard]] const LoadProgress& progress() const { return progress_; }
  [[nodiscard]] int64_t began_s() const { return began_s_; }
  [[nodiscard]] RdbLoadResult result() const { return result_; }
  [[nodiscard]] const RdbReplication& replication() const { return replication_; }

 private:
  void begin_progress(uint64_t bytes);
  bool step(uint64_t until_us);

  Engine& engine_;
  int fd_ = -1;
  std::unique_ptr<RdbLoader> loader_;
  LoadProgress progress_;
  RdbReplication replication_;
  RdbLoadResult result_ = RdbLoadResult::kOk;
  int64_t began_s_ = 0;
  uint64_t due_us_ = 0;
  bool announced_ = false;
  uint64_t before_ = 0;  // bytes of the files before that at hand
};

}  // namespace kvasir
