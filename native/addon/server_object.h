// The JavaScript face of one server's data plane: class NativeServer (src/native/addon.ts describes it).
#pragma once

#include <napi.h>

#include <memory>
#include <optional>
#include <string>

#include "base/alloc.h"
#include "engine/aof_loader.h"
#include "engine/engine.h"
#include "epoll_poller.h"
#include "net/reactor.h"

namespace kvasir {

class ServerObject final : public Napi::ObjectWrap<ServerObject>, public Hooks {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ServerObject(const Napi::CallbackInfo& info);
  ~ServerObject() override;

  // Hooks
  void upcall(Call& call) override;
  void log(LogLevel level, Slice message) override;
  void start_task(const Client& c, const char* what, std::span<const Slice> args) override;
  void close(Client& c) override;
  void control(const char* event, Slice detail) override;

 private:
  Napi::Value load_commands(const Napi::CallbackInfo& info);
  Napi::Value rename_command(const Napi::CallbackInfo& info);
  Napi::Value setting(const Napi::CallbackInfo& info);
  Napi::Value listen_tcp(const Napi::CallbackInfo& info);
  Napi::Value listen_unix(const Napi::CallbackInfo& info);
  Napi::Value close_listeners(const Napi::CallbackInfo& info);
  Napi::Value cron(const Napi::CallbackInfo& info);
  Napi::Value redact(const Napi::CallbackInfo& info);
  Napi::Value stop(const Napi::CallbackInfo& info);
  Napi::Value save_rdb(const Napi::CallbackInfo& info);
  Napi::Value load_rdb(const Napi::CallbackInfo& info);
  Napi::Value load_figures(const Napi::CallbackInfo& info);
  Napi::Value saved(const Napi::CallbackInfo& info);
  Napi::Value begin_save(const Napi::CallbackInfo& info);
  Napi::Value cancel_save(const Napi::CallbackInfo& info);
  Napi::Value save_progress(const Napi::CallbackInfo& info);
  Napi::Value stats(const Napi::CallbackInfo& info);
  Napi::Value reset_stats(const Napi::CallbackInfo& info);
  Napi::Value command_stats(const Napi::CallbackInfo& info);
  Napi::Value keyspace(const Napi::CallbackInfo& info);
  Napi::Value commandlog(const Napi::CallbackInfo& info);
  Napi::Value latency(const Napi::CallbackInfo& info);
  Napi::Value histograms(const Napi::CallbackInfo& info);
  Napi::Value client_stats(const Napi::CallbackInfo& info);
  Napi::Value memory(const Napi::CallbackInfo& info);
  Napi::Value purge(const Napi::CallbackInfo& info);
  Napi::Value collate(const Napi::CallbackInfo& info);
  Napi::Value identity(const Napi::CallbackInfo& info);
  Napi::Value answer_task(const Napi::CallbackInfo& info);
  Napi::Value halt(const Napi::CallbackInfo& info);
  Napi::Value debug(const Napi::CallbackInfo& info);  // server_debug.cc
  // server_aof.cc
  Napi::Value aof(const Napi::CallbackInfo& info);
  Napi::Value load_aof_begin(const Napi::CallbackInfo& info);
  Napi::Value load_aof_run(const Napi::CallbackInfo& info);

  // What methods work on; a method called after stop() throws.
  Engine& engine(const Napi::CallbackInfo& info) {
    if (!engine_) throw Napi::Error::New(info.Env(), "the server is closed");
    return *engine_;
  }
  Reactor& reactor(const Napi::CallbackInfo& info) {
    if (!reactor_) throw Napi::Error::New(info.Env(), "the server is closed");
    return *reactor_;
  }

  void turn();
  // The scope in which JavaScript is entered: opened by the first entry of a turn, closed after the turn, so
  // that promise reactions run outside of it. Outside a turn there is nothing to open: we were called from
  // JavaScript.
  void enter_js();

  HeapScope heap_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<EpollPoller> poller_;
  std::unique_ptr<Reactor> reactor_;
  std::unique_ptr<AofLoader> aof_loader_;  // while a file is loaded
  Napi::FunctionReference on_upcall_, on_task_, on_log_, on_control_;
  Napi::Reference<Napi::Int32Array> offsets_;
  int32_t* offsets_data_ = nullptr;
  std::string argument_bytes_;
  Napi::AsyncContext async_;
  bool in_turn_ = false;
  size_t startup_memory_ = 0;  // used_memory() of the server before it held anything
  std::optional<Napi::HandleScope> handles_;
  std::optional<Napi::CallbackScope> scope_;
};

// settings.cc: sets one value of Settings (or what depends on it) by its configuration name. False: unknown
// name.
bool apply_setting(Engine& engine, const std::string& name, const Napi::Value& value);

}  // namespace kvasir
