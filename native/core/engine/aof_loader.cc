#include "engine/aof_loader.h"

#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "commands/auth.h"

namespace kvasir {

AofLoader::AofLoader(Engine* engine, int fd, uint64_t offset)
    : engine_(engine),
      reader_(fd, offset),
      client_(kClientId, &replies_),
      valid_up_to_(offset),
      before_multi_(offset) {
  set_default_user(engine_->core, client_);
  client_.flags.authenticated = true;
  client_.flags.fake = true;
  client_.flags.no_blocking = true;
  client_.reply.muted = true;
}

AofLoader::~AofLoader() { engine_->forget(client_); }

AofLoader::Status AofLoader::read_batch() {
  argv_.clear();
  batch_.clear();
  while (batch_.size() < kBatch) {
    const size_t before = argv_.size();
    switch (reader_.next(&argv_)) {
      case AofReader::Next::kCommand:
        batch_.push_back({before, argv_.size() - before, reader_.offset(), {}});
        break;
      case AofReader::Next::kBadFormat:
        return batch_.empty() ? Status::kBadFormat : Status::kMore;
      case AofReader::Next::kMore:
        // What has been found lies where a refill would put something else.
        if (!batch_.empty()) return Status::kMore;
        switch (reader_.refill()) {
          case AofReader::Refill::kMore:
            break;
          case AofReader::Refill::kEnd:
            valid_up_to_ = reader_.offset();
            return client_.transaction != nullptr ? Status::kTorn : Status::kDone;
          case AofReader::Refill::kTorn:
            return Status::kTorn;
          case AofReader::Refill::kError:
            error_ = strerror(errno);
            return Status::kReadError;
        }
        break;
    }
  }
  return Status::kMore;
}

bool AofLoader::check(const Item& item) {
  error_ = engine_->unusable(item.pending.request, item.pending.command);
  return error_.empty();
}

AofLoader::Status AofLoader::run(uint64_t us) {
  engine_->update_clock();
  const uint64_t end = mono_us() + us;
  do {
    const Status status = read_batch();
    if (batch_.empty()) return status;
    for (Item& item : batch_) {
      item.pending.request.argv = argv_.data() + item.argv;
      item.pending.request.argc = static_cast<uint32_t>(item.argc);
      engine_->prepare(&item.pending, nullptr, client_.db);
    }
    for (const Item& item : batch_) engine_->prefetch_entry(item.pending, client_.db);
    for (Item& item : batch_) {
      if (!check(item)) return Status::kBadCommand;
      const bool had_transaction = client_.transaction != nullptr;
      engine_->replay(client_, item.pending);
      if (!had_transaction && client_.transaction != nullptr) before_multi_ = valid_up_to_;
      valid_up_to_ = item.end;
    }
    client_.out.clear();
    replies_.reset();
  } while (mono_us() < end);
  return Status::kMore;
}

}  // namespace kvasir
