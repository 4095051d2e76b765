#include "server_object.h"

#include <unordered_map>

#include "addon_values.h"
#include "base/clock.h"
#include "commands/client_info.h"
#include "crash_report.h"
#include "keyspace/lazyfree.h"

namespace kvasir {

namespace {

constexpr size_t kMaxOffsets = 64 * 1024;

// An encoded reply.
void write_reply(Reply& reply, const std::string& bytes) {
  if (bytes.empty()) return;
  if (bytes[0] == '-') {
    // Through error(), so that it is counted.
    reply.error({bytes.data() + 1, bytes.size() - 3});
  } else {
    reply.raw(bytes);
  }
}

// A command whose handler is in TypeScript. One that could not be answered at once has its reply now.
void run_upcall(Call& call) {
  if (call.client.task == nullptr) return call.core.hooks->upcall(call);
  const std::unique_ptr<Task> task = std::move(call.client.task);
  write_reply(call.reply(), task->answer.lines.empty() ? std::string() : task->answer.lines[0]);
}

}  // namespace

Napi::Function ServerObject::define(Napi::Env env) {
  return DefineClass(env, "NativeServer",
                     {
                         InstanceMethod<&ServerObject::load_commands>("loadCommands"),
                         InstanceMethod<&ServerObject::rename_command>("renameCommand"),
                         InstanceMethod<&ServerObject::setting>("setting"),
                         InstanceMethod<&ServerObject::listen_tcp>("listenTcp"),
                         InstanceMethod<&ServerObject::listen_unix>("listenUnix"),
                         InstanceMethod<&ServerObject::close_listeners>("closeListeners"),
                         InstanceMethod<&ServerObject::cron>("cron"),
                         InstanceMethod<&ServerObject::redact>("redact"),
                         InstanceMethod<&ServerObject::stop>("stop"),
                         InstanceMethod<&ServerObject::save_rdb>("saveRdb"),
                         InstanceMethod<&ServerObject::load_rdb>("loadRdb"),
                         InstanceMethod<&ServerObject::load_figures>("loading"),
                         InstanceMethod<&ServerObject::saved>("saved"),
                         InstanceMethod<&ServerObject::begin_save>("beginSave"),
                         InstanceMethod<&ServerObject::cancel_save>("cancelSave"),
                         InstanceMethod<&ServerObject::save_progress>("saveProgress"),
                         InstanceMethod<&ServerObject::stats>("stats"),
                         InstanceMethod<&ServerObject::reset_stats>("resetStats"),
                         InstanceMethod<&ServerObject::command_stats>("commandStats"),
                         InstanceMethod<&ServerObject::keyspace>("keyspace"),
                         InstanceMethod<&ServerObject::commandlog>("commandlog"),
                         InstanceMethod<&ServerObject::latency>("latency"),
                         InstanceMethod<&ServerObject::histograms>("histograms"),
                         InstanceMethod<&ServerObject::client_stats>("clientStats"),
                         InstanceMethod<&ServerObject::memory>("memory"),
                         InstanceMethod<&ServerObject::purge>("purge"),
                         InstanceMethod<&ServerObject::collate>("collate"),
                         InstanceMethod<&ServerObject::identity>("identity"),
                         InstanceMethod<&ServerObject::answer_task>("answerTask"),
                         InstanceMethod<&ServerObject::halt>("halt"),
                         InstanceMethod<&ServerObject::debug>("debug"),
                         InstanceMethod<&ServerObject::aof>("aof"),
                         InstanceMethod<&ServerObject::load_aof_begin>("loadAofBegin"),
                         InstanceMethod<&ServerObject::load_aof_run>("loadAofRun"),
                     });
}

ServerObject::ServerObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ServerObject>(info), async_(info.Env(), "kvasir") {
  const Napi::Env env = info.Env();
  const Napi::Object options = info[0].As<Napi::Object>();
  const Napi::Object callbacks = info[1].As<Napi::Object>();
  on_upcall_ = Napi::Persistent(callbacks.Get("upcall").As<Napi::Function>());
  on_task_ = Napi::Persistent(callbacks.Get("task").As<Napi::Function>());
  on_log_ = Napi::Persistent(callbacks.Get("log").As<Napi::Function>());
  on_control_ = Napi::Persistent(callbacks.Get("control").As<Napi::Function>());
  Napi::Int32Array offsets = callbacks.Get("offsets").As<Napi::Int32Array>();
  offsets_ = Napi::Persistent(offsets);
  offsets_data_ = offsets.Data();
  engine_ = std::make_unique<Engine>(options.Get("databases").ToNumber().Int32Value(),
                                     options.Get("clustered").ToBoolean().Value(), this);
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  poller_ = std::make_unique<EpollPoller>(loop, [this] { turn(); });
  reactor_ = std::make_unique<Reactor>(engine_.get(), poller_.get());
  engine_->load.sample_memory();
  startup_memory_ = engine_->load.note_used();
  set_crash_subject(&engine_->core);
}

ServerObject::~ServerObject() {
  if (crash_subject() == &engine_->core) set_crash_subject(nullptr);
  aof_loader_.reset();
  reactor_.reset();
  poller_.reset();
}

// ------------------------------------------------------------------ entering JavaScript

void ServerObject::turn() {
  in_turn_ = true;
  reactor_->turn();
  in_turn_ = false;
  if (scope_) {
    scope_.reset();
    handles_.reset();
  }
}

void ServerObject::enter_js() {
  if (!in_turn_ || scope_) return;
  handles_.emplace(Env());
  scope_.emplace(Env(), async_);
}

void ServerObject::upcall(Call& call) {
  enter_js();
  const Napi::Env env = Env();
  const Napi::HandleScope inner(env);
  const auto argc = static_cast<size_t>(call.argc());
  if (argc > kMaxOffsets) {
    call.reply().error("ERR too many arguments");
    return;
  }
  argument_bytes_.clear();
  for (size_t i = 0; i < argc; i++) {
    argument_bytes_.append(call.argv[i].data, call.argv[i].size);
    offsets_data_[i] = static_cast<int32_t>(argument_bytes_.size());
  }
  napi_value args[8];
  napi_create_int32(env, call.command.id, &args[0]);
  napi_create_int64(env, static_cast<int64_t>(call.client.id), &args[1]);
  napi_create_int32(env, call.client.reply.resp, &args[2]);
  napi_create_int32(env, call.client.db, &args[3]);
  napi_get_boolean(env, call.client.peer_is_loopback(), &args[4]);
  napi_get_boolean(env, call.may_block(), &args[5]);
  napi_create_int32(env, call.argc(), &args[6]);
  napi_create_string_latin1(env, argument_bytes_.data(), argument_bytes_.size(), &args[7]);
  napi_value result = nullptr;
  const napi_status status = napi_call_function(env, Value(), on_upcall_.Value(), 8, args, &result);
  if (status != napi_ok) {
    napi_value error = nullptr;
    napi_get_and_clear_last_exception(env, &error);
    std::string text = "unknown error";
    if (error != nullptr) text = Napi::Value(env, error).ToString().Utf8Value();
    engine_->core.log(LogLevel::kWarning, "Command '%s' failed: %s", call.command.fullname.c_str(),
                      text.c_str());
    call.reply().error("ERR internal error: " + text);
    return;
  }
  napi_valuetype type;
  napi_typeof(env, result, &type);
  // Nothing: the reply comes later, as the answer to a task.
  if (type != napi_string) return call.start_task("reply", std::make_unique<Task>(), {});
  write_reply(call.reply(), latin1_bytes(Napi::Value(env, result)));
}

void ServerObject::log(LogLevel level, Slice message) {
  enter_js();
  const Napi::Env env = Env();
  const Napi::HandleScope inner(env);
  on_log_.Call({Napi::Number::New(env, static_cast<int>(level)), latin1(env, message)});
}

void ServerObject::start_task(const Client& c, const char* what, std::span<const Slice> args) {
  enter_js();
  const Napi::Env env = Env();
  const Napi::HandleScope inner(env);
  Napi::Array bytes = Napi::Array::New(env, args.size());
  for (uint32_t i = 0; i < args.size(); i++) {
    bytes.Set(i, Napi::Buffer<char>::Copy(env, args[i].data, args[i].size));
  }
  on_task_.Call({Napi::Number::New(env, static_cast<double>(c.id)),
                 Napi::Number::New(env, static_cast<double>(c.task->id)), Napi::String::New(env, what),
                 bytes});
}

void ServerObject::close(Client& c) { reactor_->close(static_cast<Connection&>(c)); }

void ServerObject::control(const char* event, Slice detail) {
  enter_js();
  const Napi::Env env = Env();
  const Napi::HandleScope inner(env);
  on_control_.Call({Napi::String::New(env, event), latin1(env, detail)});
}

// ------------------------------------------------------------------ set-up

// loadCommands(list): NativeCommand[] of src/commands/registry.ts; returns the problems found (missing and
// surplus handlers).
Napi::Value ServerObject::load_commands(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Array list = info[0].As<Napi::Array>();
  HandlerMap handlers = all_handlers();
  std::vector<std::string> problems;
  std::unordered_map<int, Command*> by_id;
  for (uint32_t i = 0; i < list.Length(); i++) {
    const Napi::Object o = list.Get(i).As<Napi::Object>();
    auto c = std::make_unique<Command>();
    c->id = o.Get("id").ToNumber().Int32Value();
    c->name = o.Get("name").ToString().Utf8Value();
    c->fullname = o.Get("fullName").ToString().Utf8Value();
    c->arity = o.Get("arity").ToNumber().Int32Value();
    c->flags = static_cast<uint64_t>(o.Get("flags").ToNumber().Int64Value());
    c->acl_categories = static_cast<uint64_t>(o.Get("categories").ToNumber().Int64Value());
    c->first_key = o.Get("firstKey").ToNumber().Int32Value();
    c->last_key = o.Get("lastKey").ToNumber().Int32Value();
    c->key_step = o.Get("keyStep").ToNumber().Int32Value();
    c->element = o.Get("element").ToNumber().Int32Value();
    const Napi::Array specs = o.Get("keySpecs").As<Napi::Array>();
    for (uint32_t k = 0; k < specs.Length(); k++)
      c->key_specs.push_back(specs.Get(k).ToNumber().Int32Value());
    const int parent = o.Get("parentId").ToNumber().Int32Value();
    if (parent >= 0) {
      const auto it = by_id.find(parent);
      if (it == by_id.end()) {
        problems.push_back("subcommand '" + c->fullname + "' comes before its container");
        continue;
      }
      c->parent = it->second;
    }
    const std::string symbol = o.Get("symbol").ToString().Utf8Value();
    if (symbol.empty()) {
      c->handler = run_upcall;
    } else {
      const auto it = handlers.find(symbol);
      if (it == handlers.end()) {
        problems.push_back("command '" + c->fullname + "' names the native handler '" + symbol +
                           "', which does not exist");
        continue;
      }
      c->handler = it->second;
      handlers.erase(it);
    }
    const int id = c->id;
    by_id[id] = engine(info).core.table.add(std::move(c));
  }
  for (const auto& [symbol, handler] : handlers) {
    problems.push_back("native handler '" + symbol + "' belongs to no command of the table");
  }
  Napi::Array out = Napi::Array::New(env, problems.size());
  for (uint32_t i = 0; i < problems.size(); i++) out.Set(i, Napi::String::New(env, problems[i]));
  return out;
}

Napi::Value ServerObject::rename_command(const Napi::CallbackInfo& info) {
  const bool ok =
      engine(info).core.table.rename(info[0].ToString().Utf8Value(), info[1].ToString().Utf8Value());
  return Napi::Boolean::New(info.Env(), ok);
}

Napi::Value ServerObject::setting(const Napi::CallbackInfo& info) {
  const bool known = apply_setting(engine(info), info[0].ToString().Utf8Value(), info[1]);
  return Napi::Boolean::New(info.Env(), known);
}

// collate(locale): see Collation::select().
Napi::Value ServerObject::collate(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), engine(info).core.collation.select(latin1_bytes(info[0])));
}

static Napi::Value listen_result(Napi::Env env, const ListenResult& r) {
  Napi::Object o = Napi::Object::New(env);
  o.Set("port", Napi::Number::New(env, r.port));
  o.Set("error", Napi::String::New(env, r.error));
  o.Set("familyMissing", Napi::Boolean::New(env, r.family_missing));
  o.Set("addressMissing", Napi::Boolean::New(env, r.address_missing));
  return o;
}

Napi::Value ServerObject::listen_tcp(const Napi::CallbackInfo& info) {
  return listen_result(
      info.Env(), reactor(info).listen_tcp(info[0].ToString().Utf8Value(), info[1].ToNumber().Int32Value(),
                                           info[2].ToNumber().Int32Value(), info[3].ToBoolean().Value(),
                                           info[4].ToNumber().Uint32Value()));
}

Napi::Value ServerObject::listen_unix(const Napi::CallbackInfo& info) {
  return listen_result(
      info.Env(), reactor(info).listen_unix(info[0].ToString().Utf8Value(), info[1].ToNumber().Int32Value(),
                                            info[2].ToString().Utf8Value(), info[3].ToNumber().Int32Value()));
}

Napi::Value ServerObject::close_listeners(const Napi::CallbackInfo& info) {
  const std::string kind = info.Length() > 0 && info[0].IsString() ? info[0].ToString().Utf8Value() : "";
  reactor(info).close_listeners(kind != "unix", kind != "tcp");
  return info.Env().Undefined();
}

Napi::Value ServerObject::cron(const Napi::CallbackInfo& info) {
  const bool paused = engine(info).core.debug.cron_paused;
  if (!paused) reactor(info).cron(info[0].ToNumber().Int64Value());
  return Napi::Boolean::New(info.Env(), !paused);
}

// answerTask(client, task, failure, lines): see Engine::answer().
Napi::Value ServerObject::answer_task(const Napi::CallbackInfo& info) {
  TaskAnswer answer;
  answer.failure = latin1_bytes(info[2]);
  const Napi::Array lines = info[3].As<Napi::Array>();
  for (uint32_t i = 0; i < lines.Length(); i++) answer.lines.push_back(latin1_bytes(lines.Get(i)));
  engine(info).answer(static_cast<uint64_t>(info[0].ToNumber().Int64Value()),
                      static_cast<uint64_t>(info[1].ToNumber().Int64Value()), std::move(answer));
  poller_->wake();
  return info.Env().Undefined();
}

Napi::Value ServerObject::halt(const Napi::CallbackInfo& info) {
  reactor(info).halt();
  return info.Env().Undefined();
}

Napi::Value ServerObject::redact(const Napi::CallbackInfo& info) {
  engine(info).core.redact(info[0].ToNumber().Int32Value());
  return info.Env().Undefined();
}

// Ends serving for good: closes listeners and connections and lets go of the loop.
Napi::Value ServerObject::stop(const Napi::CallbackInfo& info) {
  if (reactor_) {
    aof_loader_.reset();
    reactor_->shutdown();
    reactor_.reset();
    poller_.reset();
    // The callbacks refer to what refers to this object: without this, neither would ever be collected.
    on_upcall_.Reset();
    on_task_.Reset();
    on_log_.Reset();
    on_control_.Reset();
    offsets_.Reset();
    engine_.reset();
  }
  return info.Env().Undefined();
}

}  // namespace kvasir
