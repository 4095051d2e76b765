// Binds configuration names to the values that the data plane reads.
#include <functional>
#include <unordered_map>

#include "addon_values.h"
#include "server_object.h"

namespace kvasir {

namespace {

using Apply = std::function<void(Engine&, const Napi::Value&)>;

Apply number(int64_t Settings::*field) {
  return [field](Engine& e, const Napi::Value& v) { e.core.settings.*field = v.ToNumber().Int64Value(); };
}
Apply flag(bool Settings::*field) {
  return [field](Engine& e, const Napi::Value& v) { e.core.settings.*field = v.ToBoolean().Value(); };
}

Apply text(std::string Settings::*field) {
  return [field](Engine& e, const Napi::Value& v) { e.core.settings.*field = latin1_bytes(v.ToString()); };
}

Apply access(Access Settings::*field) {
  return [field](Engine& e, const Napi::Value& v) {
    const std::string who = v.ToString().Utf8Value();
    e.core.settings.*field = who == "yes"     ? Access::kAnybody
                             : who == "local" ? Access::kLocal
                                              : Access::kNobody;
  };
}

Apply limit(int64_t EncodingLimits::*field) {
  return [field](Engine& e, const Napi::Value& v) {
    e.core.settings.encodings.*field = v.ToNumber().Int64Value();
  };
}

const std::unordered_map<std::string, Apply>& table() {
  static const std::unordered_map<std::string, Apply> t = {
      {"maxclients", number(&Settings::maxclients)},
      {"proto-max-bulk-len", number(&Settings::proto_max_bulk_len)},
      {"client-query-buffer-limit", number(&Settings::client_query_buffer_limit)},
      {"hash-max-listpack-entries", limit(&EncodingLimits::hash_max_listpack_entries)},
      {"hash-max-listpack-value", limit(&EncodingLimits::hash_max_listpack_value)},
      {"list-max-listpack-size", limit(&EncodingLimits::list_max_listpack_size)},
      {"list-compress-depth", limit(&EncodingLimits::list_compress_depth)},
      {"set-max-intset-entries", limit(&EncodingLimits::set_max_intset_entries)},
      {"set-max-listpack-entries", limit(&EncodingLimits::set_max_listpack_entries)},
      {"set-max-listpack-value", limit(&EncodingLimits::set_max_listpack_value)},
      {"zset-max-listpack-entries", limit(&EncodingLimits::zset_max_listpack_entries)},
      {"zset-max-listpack-value", limit(&EncodingLimits::zset_max_listpack_value)},
      {"stream-node-max-bytes", limit(&EncodingLimits::stream_node_max_bytes)},
      {"stream-node-max-entries", limit(&EncodingLimits::stream_node_max_entries)},
      {"hll-sparse-max-bytes", limit(&EncodingLimits::hll_sparse_max_bytes)},
      {"rdbcompression", flag(&Settings::rdb_compression)},
      {"rdbchecksum", flag(&Settings::rdb_checksum)},
      {"saves-failed", flag(&Settings::saves_failed)},
      {"rdb-key-save-delay", number(&Settings::rdb_key_save_delay_us)},
      {"key-load-delay",
       [](Engine& e, const Napi::Value& v) {
         e.core.settings.load_pace.key_delay_us = v.ToNumber().Int64Value();
       }},
      {"loading-process-events-interval-bytes",
       [](Engine& e, const Napi::Value& v) {
         e.core.settings.load_pace.event_bytes = v.ToNumber().Int64Value();
       }},
      {"rdb-version-check",
       [](Engine& e, const Napi::Value& v) {
         e.core.settings.rdb_version_check_strict = v.ToString().Utf8Value() == "strict";
       }},
      {"notify-keyspace-events",
       [](Engine& e, const Napi::Value& v) { e.core.keyspace.interest_notify = v.ToNumber().Uint32Value(); }},
      {"tracking-table-max-keys",
       [](Engine& e, const Napi::Value& v) {
         e.core.tracking.max_keys = static_cast<size_t>(v.ToNumber().DoubleValue());
       }},
      {"appendfsync",
       [](Engine& e, const Napi::Value& v) {
         const std::string policy = v.ToString().Utf8Value();
         e.aof.set_policy(policy == "always" ? FsyncPolicy::kAlways
                          : policy == "no"   ? FsyncPolicy::kNo
                                             : FsyncPolicy::kEverysec);
       }},
      {"no-appendfsync-on-rewrite",
       [](Engine& e, const Napi::Value& v) { e.aof.no_appendfsync_on_rewrite = v.ToBoolean().Value(); }},
      {"aof-timestamp-enabled",
       [](Engine& e, const Napi::Value& v) { e.aof.timestamps = v.ToBoolean().Value(); }},
      {"timeout", number(&Settings::timeout_s)},
      {"tcp-keepalive", number(&Settings::tcp_keepalive_s)},
      {"prefetch-batch-max-size", number(&Settings::prefetch_batch_max_size)},
      {"min-string-size-avoid-copy-reply", number(&Settings::min_string_size_avoid_copy_reply)},
      {"max-new-connections-per-cycle", number(&Settings::max_new_connections_per_cycle)},
      {"active-expire-effort", number(&Settings::active_expire_effort)},
      {"hz", number(&Settings::hz)},
      {"min-replicas-to-write", number(&Settings::min_replicas_to_write)},
      {"min-replicas-max-lag", number(&Settings::min_replicas_max_lag_s)},
      {"protected-mode", flag(&Settings::protected_mode)},
      {"latency-tracking", flag(&Settings::latency_tracking)},
      {"activerehashing", flag(&Settings::activerehashing)},
      {"latency-monitor-threshold",
       [](Engine& e, const Napi::Value& v) {
         e.core.settings.latency_monitor_threshold_ms = v.ToNumber().Int64Value();
         e.core.keyspace.time_expiry = e.core.settings.latency_monitor_threshold_ms > 0;
       }},
      {"commandlog-execution-slower-than", number(&Settings::commandlog_execution_slower_than_us)},
      {"commandlog-request-larger-than", number(&Settings::commandlog_request_larger_than)},
      {"commandlog-reply-larger-than", number(&Settings::commandlog_reply_larger_than)},
      {"commandlog-slow-execution-max-len", number(&Settings::commandlog_slow_max_len)},
      {"commandlog-large-request-max-len", number(&Settings::commandlog_large_request_max_len)},
      {"commandlog-large-reply-max-len", number(&Settings::commandlog_large_reply_max_len)},
      {"enable-debug-command", access(&Settings::debug_command)},
      {"enable-module-command", access(&Settings::module_command)},
      {"hide-user-data-from-log", flag(&Settings::hide_user_data_from_log)},
      {"lazyfree-lazy-user-del", flag(&Settings::lazyfree_lazy_user_del)},
      {"lazyfree-lazy-user-flush", flag(&Settings::lazyfree_lazy_user_flush)},
      {"lazyfree-lazy-expire",
       [](Engine& e, const Napi::Value& v) { e.core.keyspace.lazyfree_expire = v.ToBoolean().Value(); }},
      {"lazyfree-lazy-server-del",
       [](Engine& e, const Napi::Value& v) { e.core.keyspace.lazyfree_server_del = v.ToBoolean().Value(); }},
      {"lfu-log-factor",
       [](Engine& e, const Napi::Value& v) { e.core.keyspace.lfu_log_factor = v.ToNumber().Uint32Value(); }},
      {"lfu-decay-time",
       [](Engine& e, const Napi::Value& v) {
         e.core.keyspace.lfu_decay_minutes = v.ToNumber().Uint32Value();
       }},
      {"maxmemory-policy",
       [](Engine& e, const Napi::Value& v) {
         const EvictionRule rule = EvictionRule::parse(v.ToString().Utf8Value());
         e.core.settings.eviction = rule;
         e.core.keyspace.lfu = rule.order == EvictionOrder::kLfu;
       }},
      {"maxmemory",
       [](Engine& e, const Napi::Value& v) {
         e.core.settings.maxmemory = v.ToNumber().Int64Value();
         e.eviction.begin();
       }},
      {"maxmemory-clients", number(&Settings::maxmemory_clients)},
      {"maxmemory-samples", number(&Settings::maxmemory_samples)},
      {"maxmemory-eviction-tenacity", number(&Settings::maxmemory_eviction_tenacity)},
      {"lazyfree-lazy-eviction", flag(&Settings::lazyfree_lazy_eviction)},
      {"replica-ignore-maxmemory", flag(&Settings::replica_ignore_maxmemory)},
      {"loglevel",
       [](Engine& e, const Napi::Value& v) {
         const std::string level = v.ToString().Utf8Value();
         e.core.settings.loglevel = level == "debug"     ? LogLevel::kDebug
                                    : level == "verbose" ? LogLevel::kVerbose
                                    : level == "notice"  ? LogLevel::kNotice
                                                         : LogLevel::kWarning;
       }},
      {"requirepass",
       [](Engine& e, const Napi::Value& v) {
         e.core.requirepass = latin1_bytes(v.ToString());
         e.core.default_user.nopass = e.core.requirepass.empty();
         e.core.settings.auth_required = !e.core.requirepass.empty();
       }},
      {"import-mode",
       [](Engine& e, const Napi::Value& v) {
         e.core.settings.import_mode = e.core.keyspace.import_mode = v.ToBoolean().Value();
       }},
      {"replica-read-only",
       [](Engine& e, const Napi::Value& v) { e.core.keyspace.replica_read_only = v.ToBoolean().Value(); }},
      {"debug-client-enforce-reply-list", flag(&Settings::enforce_reply_list)},
      {"debug-replybuffer-peak-reset-time", number(&Settings::reply_peak_reset_ms)},
      {"extended-redis-compatibility", flag(&Settings::extended_redis_compat)},
      {"availability-zone", text(&Settings::availability_zone)},
      {"server-version", text(&Settings::server_version)},
      {"redis-version", text(&Settings::redis_version)},
      // "class hard soft seconds" with class 0 normal, 1 replica, 2 pubsub
      {"client-output-buffer-limit",
       [](Engine& e, const Napi::Value& v) {
         const Napi::Array a = v.As<Napi::Array>();
         for (uint32_t i = 0; i < 3 && i < a.Length(); i++) {
           const Napi::Array one = a.Get(i).As<Napi::Array>();
           OutputLimit& l = e.core.settings.output_limits[i];
           l.hard_bytes = static_cast<uint64_t>(one.Get(0U).ToNumber().Int64Value());
           l.soft_bytes = static_cast<uint64_t>(one.Get(1U).ToNumber().Int64Value());
           l.soft_seconds = one.Get(2U).ToNumber().Int64Value();
         }
       }},
  };
  return t;
}

}  // namespace

bool apply_setting(Engine& engine, const std::string& name, const Napi::Value& value) {
  const auto it = table().find(name);
  if (it == table().end()) return false;
  it->second(engine, value);
  return true;
}

}  // namespace kvasir
