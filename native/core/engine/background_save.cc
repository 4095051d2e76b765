#include "engine/background_save.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/clock.h"
#include "engine/engine.h"
#include "persist/aof_save.h"

namespace kvasir {

struct BackgroundSaves::Job {
  Job(int number, int fd, Core* core, const Options& options, int64_t annotation)
      : id(number), key_delay_us(options.key_delay_us), writer(fd, options.file) {
    if (options.form == Form::kCommands) {
      target = std::make_unique<AofFileTarget>(&writer, core->libraries, annotation);
    } else {
      auto file = std::make_unique<RdbFileTarget>(&core->keyspace, &writer, options.rdb);
      rdb = file.get();
      target = std::move(file);
    }
  }
  int id;
  int64_t key_delay_us;
  FileWriter writer;
  std::unique_ptr<SnapshotTarget> target;
  const RdbFileTarget* rdb = nullptr;  // the target, if it is one
  std::unique_ptr<SnapshotWalk> walk;  // until the writer was told of the end
  bool exhausted = false;              // the walk has nothing more to deliver
  uint64_t due_us = 0;
};

BackgroundSaves::BackgroundSaves(Engine* engine) : engine_(*engine) {}
BackgroundSaves::~BackgroundSaves() = default;

int BackgroundSaves::begin(const std::string& path, const Options& options, int* id) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return errno;
  const int64_t annotation = engine_.aof.timestamps ? engine_.core.wall_s : 0;
  auto job = std::make_unique<Job>(next_id_, fd, &engine_.core, options, annotation);
  job->walk = engine_.core.keyspace.start_walk(job->target.get());
  if (job->walk == nullptr) return EAGAIN;
  *id = next_id_++;
  jobs_.push_back(std::move(job));
  return 0;
}

void BackgroundSaves::cancel(int id) {
  std::erase_if(jobs_, [id](const std::unique_ptr<Job>& job) { return job->id == id; });
}

BackgroundSaves::Progress BackgroundSaves::progress(int id) const {
  for (const auto& job : jobs_) {
    if (job->id == id && job->walk != nullptr) return {job->walk->keys(), job->walk->delivered()};
  }
  return {0, 0};
}

uint64_t BackgroundSaves::due_us() const {
  uint64_t due = 0;
  for (const auto& job : jobs_) due = due == 0 ? job->due_us : std::min(due, job->due_us);
  return due;
}

bool BackgroundSaves::run() {
  if (jobs_.empty()) return false;
  const uint64_t now = mono_us();
  const uint64_t slice = std::clamp(now - slice_end_us_, kLeastSliceUs, kMostSliceUs) / jobs_.size();
  bool more = false;
  for (size_t i = 0; i < jobs_.size();) {
    Job& job = *jobs_[i];
    const uint64_t began = mono_us();
    if (began >= job.due_us && step(job, began, began + slice)) more = true;
    if (job.walk != nullptr || !job.writer.done()) {
      i++;
      continue;
    }
    const std::unique_ptr<Job> ended = std::move(jobs_[i]);
    jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(i));
    report(*ended);
  }
  slice_end_us_ = mono_us();
  return more;
}

bool BackgroundSaves::step(Job& job, uint64_t now_us, uint64_t until_us) {
  job.due_us = now_us + kPauseUs;
  if (job.walk == nullptr) return false;
  // Nobody reads a file that cannot be completed.
  const bool failed = job.writer.error().operation != nullptr || job.walk->refused();
  if (failed || job.exhausted) {
    failed ? job.writer.finish() : job.target->end();
    job.walk.reset();
    return false;
  }
  if (job.writer.crowded()) return false;
  const auto before = static_cast<int64_t>(job.walk->delivered());
  job.exhausted = !job.walk->step(until_us);
  const int64_t keys = static_cast<int64_t>(job.walk->delivered()) - before;
  const int64_t delay = job.key_delay_us;
  job.due_us = now_us + static_cast<uint64_t>(delay >= 0 ? keys * delay : keys / -delay);
  return delay == 0;
}

void BackgroundSaves::report(Job& job) {
  std::string how = std::to_string(job.id);
  const FileWriter::Error error = job.writer.error();
  if (job.rdb != nullptr && job.rdb->unstorable()) {
    how += " unstorable " + std::to_string(job.rdb->unstorable_db()) + " " + *job.rdb->unstorable();
  } else if (error.operation != nullptr) {
    how += std::string(" ") + error.operation + " " + strerror(error.number);
  } else {
    how += " ok";
  }
  engine_.core.hooks->control("saved", how);
}

}  // namespace kvasir
