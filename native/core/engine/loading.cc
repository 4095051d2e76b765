#include "engine/loading.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "base/file_size.h"
#include "engine/engine.h"
#include "persist/rdb_load.h"

namespace kvasir {

namespace {

// Nobody but loaders needs the loop while data are loaded: clients get errors, which may take a moment.
constexpr uint64_t kSliceUs = 10000;

}  // namespace

const char* load_result_name(RdbLoadResult r) {
  switch (r) {
    case RdbLoadResult::kOk:
      return "ok";
    case RdbLoadResult::kIncompatible:
      return "incompatible";
    case RdbLoadResult::kFailed:
      return "failed";
    case RdbLoadResult::kUnreadable:
      return "unreadable";
    case RdbLoadResult::kExit:
      break;
  }
  return "exit";
}

Loading::Loading(Engine* engine) : engine_(*engine) {}

Loading::~Loading() {
  loader_.reset();
  if (fd_ >= 0) ::close(fd_);
}

int Loading::begin(const std::string& path, RdbLoadOptions options) {
  if (active()) return EBUSY;
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) return errno;
  const std::optional<uint64_t> size = regular_file_size(fd_);
  if (size) posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
  Core& core = engine_.core;
  options.strict_version = core.settings.rdb_version_check_strict;
  options.verify_checksum = core.settings.rdb_checksum && !core.debug.skip_checksum_validation;
  options.hide_user_data = core.settings.hide_user_data_from_log;
  options.pace = &core.settings.load_pace;
  loader_ = std::make_unique<RdbLoader>(&core.keyspace, &core.settings.encodings, &core.libraries, options);
  loader_->read(fd_, size.value_or(RdbSource::kUnknown));
  due_us_ = 0;
  if (!announced_) begin_progress(loader_->progress().total_bytes);
  return 0;
}

void Loading::begin_progress(uint64_t bytes) {
  Core& core = engine_.core;
  began_s_ = core.wall_s;
  progress_ = {};
  progress_.total_bytes = bytes;
  before_ = 0;
  core.loading = core.keyspace.loading = true;
}

void Loading::announce(uint64_t bytes) {
  announced_ = true;
  begin_progress(bytes);
}

void Loading::note(uint64_t bytes) {
  // Less than before: it is another file.
  const uint64_t loaded = before_ + bytes;
  if (loaded < progress_.loaded_bytes) before_ = progress_.loaded_bytes;
  progress_.loaded_bytes = before_ + bytes;
}

void Loading::end() {
  announced_ = false;
  engine_.core.loading = engine_.core.keyspace.loading = false;
}

bool Loading::step(uint64_t until_us) {
  const bool more = loader_->run(until_us);
  const uint64_t total = progress_.total_bytes;
  progress_ = loader_->progress();
  if (announced_) progress_.total_bytes = total;
  due_us_ = loader_->resume_at_us();
  engine_.load.note_used();
  Core& core = engine_.core;
  for (const RdbLoader::Line& line : loader_->take_lines()) core.log(line.level, "%s", line.text.c_str());
  if (more) return true;
  result_ = loader_->result();
  replication_ = loader_->replication();
  loader_.reset();
  // What was read will not be read again soon.
  if (result_ == RdbLoadResult::kOk) posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED);
  ::close(fd_);
  fd_ = -1;
  if (!announced_) end();
  return false;
}

bool Loading::run() {
  if (loader_ == nullptr) return false;
  const uint64_t now = mono_us();
  if (now < due_us()) return false;
  if (step(now + kSliceUs)) return due_us() == 0;
  engine_.core.hooks->control("loaded", load_result_name(result_));
  return true;
}

void Loading::run_to_end() {
  while (step(std::numeric_limits<uint64_t>::max())) {
    const uint64_t now = mono_us();
    if (due_us() > now) usleep(static_cast<useconds_t>(due_us() - now));
  }
}

}  // namespace kvasir
