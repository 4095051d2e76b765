// What the control plane reads: counters, statistics, logs.
#include <sys/resource.h>

#include "addon_values.h"
#include "keyspace/lazyfree.h"
#include "server_object.h"

namespace kvasir {

namespace {

class Fields {
 public:
  explicit Fields(Napi::Env env) : env_(env), object_(Napi::Object::New(env)) {}
  template <class T>
  Fields& operator()(const char* name, T v) {
    object_.Set(name, Napi::Number::New(env_, static_cast<double>(v)));
    return *this;
  }
  [[nodiscard]] Napi::Object object() const { return object_; }

 private:
  Napi::Env env_;
  Napi::Object object_;
};

CommandLogType log_type(const Napi::Value& v) { return static_cast<CommandLogType>(v.ToNumber().Int32Value()); }

}  // namespace

// stats(): the counters behind INFO, by their INFO names where they have one.
Napi::Value ServerObject::stats(const Napi::CallbackInfo& info) {
  const Core& core = engine(info).core;
  const Counters& n = core.counters;
  const KeyspaceStats& k = core.keyspace.stats;
  const MemStats m = mem_stats();
  const LazyfreeStats lazy = lazyfree_stats();
  size_t output_max = 0;
  size_t input_max = 0;
  size_t clients_memory = 0;
  for (const auto& [id, c] : core.clients) {
    output_max = std::max(output_max, c->out.bytes());
    input_max = std::max(input_max, c->query_size());
    clients_memory += c->memory();
  }
  size_t dict_bytes = 0;
  for (int i = 0; i < core.keyspace.databases(); i++) {
    const Database& db = engine(info).core.keyspace.db(i);
    for (int s = 0; s < db.slot_count(); s++) {
      if (const SlotDicts* d = db.slot(s)) dict_bytes += d->keys.mem_bytes() + d->expires.mem_bytes();
    }
  }
  Fields f(info.Env());
  f("used_memory", m.used)("mem_active", m.active)("mem_mapped", m.mapped)("mem_large", m.large)
   ("mem_clients_normal", clients_memory)("mem_dicts", dict_bytes)
   ("connected_clients", core.clients.size())("blocked_clients", core.blocked_clients)
   ("client_recent_max_input_buffer", input_max)("client_recent_max_output_buffer", output_max)
   ("total_connections_received", n.connections_received)("rejected_connections", n.connections_rejected)
   ("total_commands_processed", n.commands_processed)
   ("total_net_input_bytes", n.net_input)("total_net_output_bytes", n.net_output)
   ("total_error_replies", n.total_error_replies)("unexpected_error_replies", n.unexpected_errors)
   ("client_query_buffer_limit_disconnections", n.query_buffer_limit_disconnections)
   ("client_output_buffer_limit_disconnections", n.output_buffer_limit_disconnections)
   ("evicted_clients", n.evicted_clients)
   ("total_reads_processed", n.total_reads)("total_writes_processed", n.total_writes)
   ("acl_access_denied_auth", n.acl_auth_denied)
   ("eventloop_cycles", n.eventloop_cycles)("eventloop_duration_sum", n.eventloop_us)
   ("eventloop_duration_cmd_sum", n.eventloop_cmd_us)
   ("prefetch_batches", n.prefetch_batches)("prefetch_entries", n.prefetch_entries)
   ("keyspace_hits", k.hits)("keyspace_misses", k.misses)("expired_keys", k.expired)("evicted_keys", k.evicted)
   ("expired_stale_perc", k.expired_stale_perc)("expired_time_cap_reached_count", k.expired_time_cap_reached)
   ("expire_cycle_cpu_microseconds", k.expire_cycle_cpu_us)
   ("lazyfree_pending_objects", lazy.pending)("lazyfreed_objects", lazy.freed)
   ("dirty", core.keyspace.dirty)("next_client_id", core.next_client_id)
   ("wall_ms", core.wall_ms);
  Napi::Object errors = Napi::Object::New(info.Env());
  for (const auto& [code, count] : n.errors) errors.Set(code, Napi::Number::New(info.Env(), static_cast<double>(count)));
  Napi::Object o = f.object();
  o.Set("errors", errors);
  int64_t left_ms = 0;
  const char* reason = core.pauses.longest(core.wall_ms, &left_ms);
  static constexpr const char* kScopes[] = {"none", "write", "all"};
  Napi::Object paused = Napi::Object::New(info.Env());
  paused.Set("reason", Napi::String::New(info.Env(), reason));
  paused.Set("actions", Napi::String::New(info.Env(), kScopes[static_cast<size_t>(core.pauses.scope())]));
  paused.Set("timeoutMs", Napi::Number::New(info.Env(), static_cast<double>(left_ms)));
  o.Set("paused", paused);
  return o;
}

// CONFIG RESETSTAT
Napi::Value ServerObject::reset_stats(const Napi::CallbackInfo& info) {
  Core& core = engine(info).core;
  core.counters = {};
  core.keyspace.stats = {};
  lazyfree_reset_stats();
  for (const auto& c : core.table.all()) {
    c->calls = c->usec = c->rejected = c->failed = 0;
    c->histogram.reset();
  }
  return info.Env().Undefined();
}

// commandStats(): [fullName, calls, usec, rejected, failed, p50, p99, p99.9 …] of every command that was called.
Napi::Value ServerObject::command_stats(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<double> percentiles;
  if (info.Length() > 0 && info[0].IsArray()) {
    const Napi::Array a = info[0].As<Napi::Array>();
    for (uint32_t i = 0; i < a.Length(); i++) percentiles.push_back(a.Get(i).ToNumber().DoubleValue());
  }
  Napi::Array out = Napi::Array::New(env);
  uint32_t n = 0;
  for (const auto& c : engine(info).core.table.all()) {
    if (c->calls == 0 && c->rejected == 0 && c->failed == 0) continue;
    Napi::Array row = Napi::Array::New(env);
    row.Set(0U, Napi::String::New(env, c->fullname));
    row.Set(1U, Napi::Number::New(env, static_cast<double>(c->calls)));
    row.Set(2U, Napi::Number::New(env, static_cast<double>(c->usec)));
    row.Set(3U, Napi::Number::New(env, static_cast<double>(c->rejected)));
    row.Set(4U, Napi::Number::New(env, static_cast<double>(c->failed)));
    for (uint32_t i = 0; i < percentiles.size(); i++) {
      row.Set(5U + i, Napi::Number::New(env, static_cast<double>(c->histogram.value_at_percentile(percentiles[i]))));
    }
    out.Set(n++, row);
  }
  return out;
}

// keyspace(): per database with keys: [index, keys, expires, avg_ttl ms].
Napi::Value ServerObject::keyspace(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array out = Napi::Array::New(env);
  uint32_t n = 0;
  Keyspace& ks = engine(info).core.keyspace;
  for (int i = 0; i < ks.databases(); i++) {
    const Database& db = ks.db(i);
    if (db.size() == 0) continue;
    Napi::Array row = Napi::Array::New(env, 4);
    row.Set(0U, Napi::Number::New(env, i));
    row.Set(1U, Napi::Number::New(env, static_cast<double>(db.size())));
    row.Set(2U, Napi::Number::New(env, static_cast<double>(db.expires_size())));
    row.Set(3U, Napi::Number::New(env, static_cast<double>(db.avg_ttl_ms)));
    out.Set(n++, row);
  }
  return out;
}

// commandlog("get", type, count) -> rows [id, time s, value, argv[], peer, name], newest first; ("len", type); ("reset",
// type); ("trim", type, length).
Napi::Value ServerObject::commandlog(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string what = info[0].ToString().Utf8Value();
  const CommandLogType type = log_type(info[1]);
  CommandLog& log = engine(info).commandlog;
  if (what == "len") return Napi::Number::New(env, static_cast<double>(log.items(type).size()));
  if (what == "reset") {
    log.reset(type);
    return env.Undefined();
  }
  if (what == "trim") {
    log.trim(type, static_cast<size_t>(info[2].ToNumber().Int64Value()));
    return env.Undefined();
  }
  const int64_t count = info[2].ToNumber().Int64Value();
  Napi::Array out = Napi::Array::New(env);
  uint32_t n = 0;
  for (const CommandLog::Item& item : log.items(type)) {
    if (count >= 0 && n >= count) break;
    Napi::Array row = Napi::Array::New(env, 6);
    row.Set(0U, Napi::Number::New(env, static_cast<double>(item.id)));
    row.Set(1U, Napi::Number::New(env, static_cast<double>(item.time_s)));
    row.Set(2U, Napi::Number::New(env, static_cast<double>(item.value)));
    Napi::Array argv = Napi::Array::New(env, item.argv.size());
    for (uint32_t i = 0; i < item.argv.size(); i++) argv.Set(i, latin1(env, item.argv[i]));
    row.Set(3U, argv);
    row.Set(4U, latin1(env, item.peer));
    row.Set(5U, latin1(env, item.client_name));
    out.Set(n++, row);
  }
  return out;
}

// latency("all") -> [event, max ms, sum, count, [[time s, ms] oldest first]][]; ("reset", event) or ("reset") -> number;
// ("add", event, ms).
Napi::Value ServerObject::latency(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string what = info[0].ToString().Utf8Value();
  LatencyMonitor& monitor = engine(info).latency;
  if (what == "reset") {
    const size_t n = info.Length() > 1 ? monitor.reset(info[1].ToString().Utf8Value()) : monitor.reset_all();
    return Napi::Number::New(env, static_cast<double>(n));
  }
  if (what == "add") {
    engine(info).latency_sample(info[1].ToString().Utf8Value().c_str(), info[2].ToNumber().Int64Value() * 1000);
    return env.Undefined();
  }
  Napi::Array out = Napi::Array::New(env);
  uint32_t n = 0;
  for (const auto& [event, s] : monitor.all()) {
    Napi::Array samples = Napi::Array::New(env);
    uint32_t k = 0;
    for (size_t i = 0; i < LatencyMonitor::kSamples; i++) {
      const LatencyMonitor::Sample& one = s.samples[(s.next + i) % LatencyMonitor::kSamples];
      if (one.time_s == 0) continue;
      Napi::Array pair = Napi::Array::New(env, 2);
      pair.Set(0U, Napi::Number::New(env, static_cast<double>(one.time_s)));
      pair.Set(1U, Napi::Number::New(env, one.ms));
      samples.Set(k++, pair);
    }
    Napi::Array row = Napi::Array::New(env, 5);
    row.Set(0U, Napi::String::New(env, event));
    row.Set(1U, Napi::Number::New(env, s.max));
    row.Set(2U, Napi::Number::New(env, s.sum));
    row.Set(3U, Napi::Number::New(env, s.count));
    row.Set(4U, samples);
    out.Set(n++, row);
  }
  return out;
}

}  // namespace kvasir
