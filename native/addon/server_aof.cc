// The append-only file as the control plane (src/persistence/aof.ts) commands it.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <unordered_map>

#include "addon_values.h"
#include "base/clock.h"
#include "engine/aof_loader.h"
#include "server_object.h"

namespace kvasir {

namespace {

using Info = Napi::CallbackInfo;

uint64_t now_ms() { return mono_us() / 1000; }

// ("open", fd): see AofWriter::open(). False: what the file before it got last is torn.
Napi::Value open(Engine& engine, const Info& info) {
  if (engine.aof.torn()) return Napi::Boolean::New(info.Env(), false);
  engine.aof.open(info[1].ToNumber().Int32Value(), now_ms());
  return Napi::Boolean::New(info.Env(), true);
}

// ("flush"): writes what waits, whatever is going on. False: as of AofWriter::flush().
Napi::Value flush(Engine& engine, const Info& info) {
  return Napi::Boolean::New(info.Env(), engine.aof.flush(now_ms(), true));
}

// ("sync"): the same, and the file is on disk then.
Napi::Value sync(Engine& engine, const Info& info) {
  return Napi::Boolean::New(info.Env(), engine.aof.flush_and_sync(now_ms()));
}

Napi::Value close_file(Engine& engine, const Info& info) {
  engine.aof.stop(now_ms());
  return info.Env().Undefined();
}

Napi::Value discard(Engine& engine, const Info& info) {
  engine.aof.discard();
  return info.Env().Undefined();
}

Napi::Value forget_errors(Engine& engine, const Info& info) {
  engine.aof.forget_errors();
  return info.Env().Undefined();
}

// ("empty"): removes all data, which nobody hears of.
Napi::Value empty(Engine& engine, const Info& info) {
  engine.core.keyspace.flush(-1, false);
  return info.Env().Undefined();
}

// ("saving", whether): somebody else writes much to the disk.
Napi::Value saving(Engine& engine, const Info& info) {
  engine.aof.saving = info[1].ToBoolean().Value();
  return info.Env().Undefined();
}

// ("flush-sleep", us): DEBUG AOF-FLUSH-SLEEP
Napi::Value flush_sleep(Engine& engine, const Info& info) {
  engine.aof.flush_sleep_us = info[1].ToNumber().Uint32Value();
  return info.Env().Undefined();
}

// ("loading", whether, bytes): commands that do not belong to loading are refused, and nothing expires. The
// bytes of all files together.
Napi::Value loading(Engine& engine, const Info& info) {
  if (info[1].ToBoolean().Value()) {
    engine.loading.announce(static_cast<uint64_t>(info[2].ToNumber().Int64Value()));
  } else {
    engine.loading.end();
  }
  return info.Env().Undefined();
}

Napi::Value state(Engine& engine, const Info& info) {
  const AofWriter& aof = engine.aof;
  Fields f(info.Env());
  f("size", aof.size())("waiting", aof.waiting())("pendingSyncs", aof.pending_syncs())(
      "delayedSyncs", aof.delayed_syncs())("error", aof.write_error())("offset", engine.stream.offset())(
      "synced", aof.synced_offset());
  Napi::Object o = f.object();
  o.Set("nested", Napi::Boolean::New(info.Env(), engine.nested()));
  return o;
}

}  // namespace

Napi::Value ServerObject::aof(const Napi::CallbackInfo& info) {
  static const std::unordered_map<std::string, std::function<Napi::Value(Engine&, const Info&)>> kCommands = {
      {"open", open},       {"flush", flush},     {"sync", sync},
      {"stop", close_file}, {"discard", discard}, {"forget-errors", forget_errors},
      {"saving", saving},   {"empty", empty},     {"flush-sleep", flush_sleep},
      {"loading", loading}, {"state", state},
  };
  const auto it = kCommands.find(info[0].ToString().Utf8Value());
  if (it == kCommands.end()) throw Napi::Error::New(info.Env(), "the AOF has no such operation");
  return it->second(engine(info), info);
}

// loadAofBegin(fd, offset): see AofLoader. The descriptor is ours from now on.
Napi::Value ServerObject::load_aof_begin(const Napi::CallbackInfo& info) {
  const int fd = info[0].ToNumber().Int32Value();
  const auto offset = static_cast<uint64_t>(info[1].ToNumber().Int64Value());
  aof_loader_.reset();
  aof_loader_ = std::make_unique<AofLoader>(&engine(info), fd, offset);
  return info.Env().Undefined();
}

// loadAofRun(us): a slice of it.
Napi::Value ServerObject::load_aof_run(const Napi::CallbackInfo& info) {
  static constexpr const char* kStatus[] = {"more",       "done",       "torn",
                                            "bad-format", "read-error", "bad-command"};
  const Napi::Env env = info.Env();
  if (aof_loader_ == nullptr) throw Napi::Error::New(env, "no AOF is being loaded");
  const AofLoader::Status status = aof_loader_->run(static_cast<uint64_t>(info[0].ToNumber().Int64Value()));
  engine(info).loading.note(aof_loader_->offset());
  Napi::Object o = Napi::Object::New(env);
  o.Set("status", Napi::String::New(env, kStatus[static_cast<size_t>(status)]));
  o.Set("offset", Napi::Number::New(env, static_cast<double>(aof_loader_->offset())));
  if (status != AofLoader::Status::kMore) {
    o.Set("validUpTo", Napi::Number::New(env, static_cast<double>(aof_loader_->valid_up_to())));
    o.Set("inTransaction", Napi::Boolean::New(env, aof_loader_->in_transaction()));
    o.Set("error", latin1(env, aof_loader_->error()));
    aof_loader_.reset();
  }
  return o;
}

}  // namespace kvasir
