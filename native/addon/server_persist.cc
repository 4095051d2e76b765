// Files of the dataset: what src/persistence asks of the data plane.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "addon_values.h"
#include "keyspace/memory.h"
#include "persist/rdb_save.h"
#include "server_object.h"

namespace kvasir {

namespace {

bool flag(const Napi::Object& o, const char* name) { return o.Get(name).ToBoolean().Value(); }

RdbAccess access_kind(const EvictionRule& rule) {
  if (rule.order == EvictionOrder::kLru) return RdbAccess::kIdle;
  return rule.order == EvictionOrder::kLfu ? RdbAccess::kFrequency : RdbAccess::kNone;
}

// rdb-key-save-delay: µs after every key; negative: one for every so many keys.
void delay(int64_t us) {
  if (us > 0) {
    usleep(static_cast<useconds_t>(us));
  } else if (us < 0 && std::rand() % -us == 0) {  // NOLINT: any number will do
    usleep(1);
  }
}

Napi::Object failure(Napi::Env env, const char* operation, int number) {
  Napi::Object o = Napi::Object::New(env);
  o.Set("operation", Napi::String::New(env, operation));
  o.Set("error", Napi::String::New(env, strerror(number)));
  return o;
}

FileWriter::Options file_options(const Core& core, const Napi::Object& how) {
  FileWriter::Options options;
  options.compress = core.settings.rdb_compression;
  options.checksum = core.settings.rdb_checksum;
  options.sync_as_it_goes = flag(how, "incrementalFsync");
  options.keep_cache = flag(how, "keepCache");
  return options;
}

RdbFileTarget::Options target_options(const Core& core, const Napi::Object& how) {
  RdbFileTarget::Options to;
  to.header.aof_base = flag(how, "aofBase");
  to.header.server_version = core.settings.server_version;
  to.header.time_s = wall_ms() / 1000;
  to.header.used_memory = used_memory();
  to.header.libraries = core.libraries;
  to.access = access_kind(core.settings.eviction);
  return to;
}

}  // namespace

// saveRdb(path, {aofBase, keepCache, incrementalFsync}): writes all databases into that file while the loop
// stands still. undefined, or which operation failed and why.
Napi::Value ServerObject::save_rdb(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Core& core = engine(info).core;
  const std::string path = latin1_bytes(info[0]);
  const Napi::Object how = info[1].As<Napi::Object>();
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return failure(env, "open", errno);
  FileWriter writer(fd, file_options(core, how));
  RdbFileTarget::Options to = target_options(core, how);
  to.wait = true;
  RdbFileTarget target(&core.keyspace, &writer, to);
  const int64_t pause_us = core.settings.rdb_key_save_delay_us;
  deliver_all(core.keyspace, target, [&] {
    if (pause_us != 0) delay(pause_us);
  });
  // After a failure as well.
  writer.finish();
  writer.wait();
  const FileWriter::Error error = writer.error();
  if (error.operation == nullptr) return env.Undefined();
  return failure(env, error.operation, error.number);
}

// loadRdb(path, options): {error} if it cannot be opened, '' where there is no such file; {result} otherwise:
// '' when it is under way ("loaded" follows), or with options.now how it ended.
Napi::Value ServerObject::load_rdb(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Engine& e = engine(info);
  const Napi::Object how = info[1].As<Napi::Object>();
  RdbLoadOptions options;
  options.empty_first = flag(how, "empty");
  options.empty_lazily = flag(how, "emptyLazily");
  options.replace_duplicates = flag(how, "merge");
  options.drop_expired = !e.core.keyspace.is_replica && !flag(how, "aofBase");
  options.propagate_expired = flag(how, "propagate");
  const int number = e.loading.begin(latin1_bytes(info[0]), options);
  Napi::Object answer = Napi::Object::New(env);
  if (number != 0) {
    answer.Set("error", Napi::String::New(env, number == ENOENT ? "" : strerror(number)));
    return answer;
  }
  const bool now = flag(how, "now");
  now ? e.loading.run_to_end() : poller_->wake();
  answer.Set("result", Napi::String::New(env, now ? load_result_name(e.loading.result()) : ""));
  return answer;
}

// loading(): the load that is going on, or was last.
Napi::Value ServerObject::load_figures(const Napi::CallbackInfo& info) {
  const Engine& e = engine(info);
  const LoadProgress& p = e.loading.progress();
  Fields f(info.Env());
  f("startTime", e.loading.began_s())("totalBytes", p.total_bytes)("loadedBytes", p.loaded_bytes)(
      "usedMemory", p.used_memory)("keysLoaded", p.keys_loaded)("keysExpired", p.keys_expired);
  Napi::Object o = f.object();
  o.Set("active", Napi::Boolean::New(info.Env(), e.core.loading));
  return o;
}

// saved(changes): that many changes are on disk.
Napi::Value ServerObject::saved(const Napi::CallbackInfo& info) {
  Keyspace& ks = engine(info).core.keyspace;
  ks.dirty -= std::min<uint64_t>(ks.dirty, static_cast<uint64_t>(info[0].ToNumber().Int64Value()));
  return info.Env().Undefined();
}

// beginSave(path, options as in saveRdb): begins to write what all databases hold now while the loop goes on.
// Its number, by which "saved" will name it; or what failed and why.
Napi::Value ServerObject::begin_save(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Engine& e = engine(info);
  const Napi::Object how = info[1].As<Napi::Object>();
  BackgroundSaves::Options options;
  options.file = file_options(e.core, how);
  options.rdb = target_options(e.core, how);
  options.key_delay_us = e.core.settings.rdb_key_save_delay_us;
  if (flag(how, "commands")) {
    options.form = BackgroundSaves::Form::kCommands;
    options.file.compress = false;
    options.file.checksum = false;
  }
  int id = 0;
  const int number = e.saves.begin(latin1_bytes(info[0]), options, &id);
  if (number != 0) return failure(env, "open", number);
  poller_->wake();
  return Napi::Number::New(env, id);
}

// cancelSave(number)
Napi::Value ServerObject::cancel_save(const Napi::CallbackInfo& info) {
  engine(info).saves.cancel(info[0].ToNumber().Int32Value());
  return info.Env().Undefined();
}

// saveProgress(number): {keys, delivered} of a save that is under way.
Napi::Value ServerObject::save_progress(const Napi::CallbackInfo& info) {
  const BackgroundSaves::Progress p = engine(info).saves.progress(info[0].ToNumber().Int32Value());
  Fields f(info.Env());
  f("keys", p.keys)("delivered", p.delivered);
  return f.object();
}

}  // namespace kvasir
