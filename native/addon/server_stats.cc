// What the control plane reads: counters, statistics, logs.
#include "addon_values.h"
#include "commands/client_info.h"
#include "keyspace/lazyfree.h"
#include "server_object.h"

namespace kvasir {

namespace {

CommandLogType log_type(const Napi::Value& v) {
  return static_cast<CommandLogType>(v.ToNumber().Int32Value());
}

}  // namespace

// stats(): the counters behind INFO, by their INFO names where they have one.
Napi::Value ServerObject::stats(const Napi::CallbackInfo& info) {
  const Core& core = engine(info).core;
  const Counters& n = core.counters;
  const KeyspaceStats& k = core.keyspace.stats;
  const LazyfreeStats lazy = lazyfree_stats();
  const LoadSamples& load = engine(info).load;
  const Eviction& eviction = engine(info).eviction;
  Fields f(info.Env());
  f("connected_clients", core.clients.size())("blocked_clients", core.blocked_clients)(
      "client_recent_max_input_buffer", core.client_peaks.input())("client_recent_max_output_buffer",
                                                                   core.client_peaks.output())(
      "instantaneous_ops_per_sec", load.commands.mean())("instantaneous_input_bytes", load.net_input.mean())(
      "instantaneous_output_bytes", load.net_output.mean())(
      "instantaneous_eventloop_cycles_per_sec", load.cycles.mean())("instantaneous_eventloop_duration_usec",
                                                                    load.cycle_us.mean())(
      "reply_buffer_shrinks", n.reply_buffer_shrinks)("reply_buffer_expands", n.reply_buffer_expands)(
      "total_connections_received", n.connections_received)("rejected_connections", n.connections_rejected)(
      "total_commands_processed", n.commands_processed)("total_net_input_bytes", n.net_input)(
      "total_net_output_bytes", n.net_output)("total_error_replies", n.total_error_replies)(
      "unexpected_error_replies", n.unexpected_errors)("client_query_buffer_limit_disconnections",
                                                       n.query_buffer_limit_disconnections)(
      "client_output_buffer_limit_disconnections", n.output_buffer_limit_disconnections)(
      "evicted_clients", n.evicted_clients)("total_reads_processed", n.total_reads)(
      "total_writes_processed", n.total_writes)("acl_access_denied_auth", n.acl_auth_denied)(
      "eventloop_cycles", n.eventloop_cycles)("eventloop_duration_sum", n.eventloop_us)(
      "eventloop_duration_cmd_sum", n.eventloop_cmd_ns / 1000)("eventloop_duration_aof_sum",
                                                               n.eventloop_persist_us)(
      "eventloop_duration_cron_sum", n.eventloop_cron_us)("eventloop_duration_max", n.eventloop_max_us)(
      "eventloop_cmd_per_cycle_max", n.eventloop_cmd_max)("used_active_time_us", n.active_us)(
      "prefetch_batches", n.prefetch_batches)("prefetch_entries", n.prefetch_entries)(
      "keyspace_hits", k.hits)("keyspace_misses", k.misses)("expired_keys", k.expired)(
      "expired_fields", k.expired_fields)("hashes_stale_perc", k.hashes_stale_perc)(
      "evicted_keys", k.evicted)("eviction_exceeded_microseconds", eviction.exceeded_us())(
      "eviction_present_exceeded_microseconds", eviction.present_exceeded_us())(
      "mem_not_counted_for_evict", eviction.not_counted())("expired_stale_perc", k.expired_stale_perc)(
      "expired_time_cap_reached_count", k.expired_time_cap_reached)(
      "expire_cycle_cpu_microseconds", k.expire_cycle_cpu_us)("lazyfree_pending_objects", lazy.pending)(
      "lazyfreed_objects", lazy.freed)("dirty", core.keyspace.dirty)("next_client_id", core.next_client_id)(
      "server_time_usec", core.wall_us)("pubsub_channels", core.pubsub.topics(TopicKind::kChannel))(
      "pubsub_patterns", core.pubsub.topics(TopicKind::kPattern))(
      "pubsubshard_channels", core.pubsub.topics(TopicKind::kShardChannel))(
      "tracking_total_keys", core.tracking.keys())("tracking_total_items", core.tracking.items())(
      "tracking_total_prefixes", core.tracking.prefixes())("watching_clients", core.watched.clients())(
      "total_watched_keys", core.watched.keys())("clients_in_timeout_table", core.waiting.timed())(
      "total_blocking_keys", core.waiting.keys())("total_blocking_keys_on_nokey",
                                                  core.waiting.keys_on_gone());
  Napi::Array errors = Napi::Array::New(info.Env());
  uint32_t e = 0;
  for (const auto& [code, count] : n.errors.counts()) {
    Napi::Array pair = Napi::Array::New(info.Env(), 2);
    pair.Set(0U, latin1(info.Env(), code));
    pair.Set(1U, Napi::Number::New(info.Env(), static_cast<double>(count)));
    errors.Set(e++, pair);
  }
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
  engine(info).load.reset_rates();
  core.counters = {};
  core.keyspace.stats = {};
  engine(info).eviction.reset_stats();
  lazyfree_reset_stats();
  engine(info).aof.reset_stats();
  for (const auto& c : core.table.all()) {
    c->calls = c->nsec = c->rejected = c->failed = 0;
    c->histogram.reset();
  }
  return info.Env().Undefined();
}

// commandStats(): [fullName, calls, usec, rejected, failed] of every command that was called.
Napi::Value ServerObject::command_stats(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array out = Napi::Array::New(env);
  uint32_t n = 0;
  for (const auto& c : engine(info).core.table.all()) {
    if (c->calls == 0 && c->rejected == 0 && c->failed == 0) continue;
    Napi::Array row = Napi::Array::New(env);
    row.Set(0U, Napi::String::New(env, c->fullname));
    row.Set(1U, Napi::Number::New(env, static_cast<double>(c->calls)));
    const auto usec = c->nsec / 1000;
    row.Set(2U, Napi::Number::New(env, static_cast<double>(usec)));
    row.Set(3U, Napi::Number::New(env, static_cast<double>(c->rejected)));
    row.Set(4U, Napi::Number::New(env, static_cast<double>(c->failed)));
    out.Set(n++, row);
  }
  return out;
}

// keyspace(): per database with keys: [index, keys, expires, avg_ttl ms, hashes that have fields with a
// deadline].
Napi::Value ServerObject::keyspace(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array out = Napi::Array::New(env);
  uint32_t n = 0;
  Keyspace& ks = engine(info).core.keyspace;
  for (int i = 0; i < ks.databases(); i++) {
    const Database& db = ks.db(i);
    if (db.size() == 0) continue;
    Napi::Array row = Napi::Array::New(env, 5);
    row.Set(0U, Napi::Number::New(env, i));
    row.Set(1U, Napi::Number::New(env, static_cast<double>(db.size())));
    row.Set(2U, Napi::Number::New(env, static_cast<double>(db.expires_size())));
    row.Set(3U, Napi::Number::New(env, static_cast<double>(db.avg_ttl_ms)));
    row.Set(4U, Napi::Number::New(env, static_cast<double>(db.dated_hashes())));
    out.Set(n++, row);
  }
  return out;
}

// commandlog("get", type, count) -> rows [id, time s, value, argv[], peer, name], newest first; ("len",
// type); ("reset", type); ("trim", type, length).
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

// histograms(percentiles) -> [fullName, values, [µs, values not above][], ns at each percentile] of every
// command whose latency was recorded.
Napi::Value ServerObject::histograms(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Array percentiles = info[0].As<Napi::Array>();
  Napi::Array out = Napi::Array::New(env);
  uint32_t n = 0;
  for (const auto& c : engine(info).core.table.all()) {
    if (c->histogram.count() == 0) continue;
    Napi::Array values = Napi::Array::New(env, percentiles.Length());
    for (uint32_t i = 0; i < percentiles.Length(); i++) {
      const int64_t ns = c->histogram.value_at_percentile(percentiles.Get(i).ToNumber().DoubleValue());
      values.Set(i, Napi::Number::New(env, static_cast<double>(ns)));
    }
    Napi::Array powers = Napi::Array::New(env);
    uint32_t k = 0;
    c->histogram.for_each_power([&](int64_t us, uint64_t sum) {
      Napi::Array pair = Napi::Array::New(env, 2);
      pair.Set(0U, Napi::Number::New(env, static_cast<double>(us)));
      pair.Set(1U, Napi::Number::New(env, static_cast<double>(sum)));
      powers.Set(k++, pair);
    });
    Napi::Array row = Napi::Array::New(env, 4);
    row.Set(0U, latin1(env, c->fullname));
    row.Set(1U, Napi::Number::New(env, static_cast<double>(c->histogram.count())));
    row.Set(2U, powers);
    row.Set(3U, values);
    out.Set(n++, row);
  }
  return out;
}

// clientStats(): what is found out by asking every client.
Napi::Value ServerObject::client_stats(const Napi::CallbackInfo& info) {
  size_t memory = 0;
  size_t replica_memory = 0;
  size_t tracking = 0;
  size_t pubsub = 0;
  for (const auto& [id, c] : engine(info).core.clients) {
    (c->client_class() == ClientClass::kReplica ? replica_memory : memory) += c->memory();
    if (c->flags.tracking) tracking++;
    if (c->flags.pubsub) pubsub++;
  }
  Fields f(info.Env());
  f("mem_clients_normal", memory)("mem_clients_slaves", replica_memory)("tracking_clients", tracking)(
      "pubsub_clients", pubsub);
  return f.object();
}

// identity(clientId): who that client is, for the log; '' if it has gone.
Napi::Value ServerObject::identity(const Napi::CallbackInfo& info) {
  const Core& core = engine(info).core;
  const auto it = core.clients.find(static_cast<uint64_t>(info[0].ToNumber().Int64Value()));
  if (it == core.clients.end()) return Napi::String::New(info.Env(), "");
  return latin1(info.Env(), client_identity(*it->second, core.settings.hide_user_data_from_log));
}

// latency("all") -> [event, max ms, sum, count, [[time s, ms] oldest first]][]; ("reset", event) or ("reset")
// -> number;
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
    engine(info).latency_sample(info[1].ToString().Utf8Value().c_str(),
                                info[2].ToNumber().Int64Value() * 1000);
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
