/**
 * The sections of INFO and their fields, in Valkey's order and by Valkey's names. Subjects that this server does not
 * have (yet) - persistence, replication, cluster, scripts, modules - print what a Valkey prints that does not use them.
 */
import { arch, machine, release, totalmem, type } from 'node:os';
import { formatDouble } from '../config/numbers.js';
import { type LoadFigures, openAddon } from '../native/addon.js';
import { BUILD, REDIS_VERSION, RELEASE_STAGE, VALKEY_VERSION } from '../version.js';
import { humanBytes, ratio, safeName, seconds } from './format.js';
import { ALLOCATOR, memoryFigures } from './memory.js';
import type { ObservedServer } from './source.js';

export type InfoField = readonly [name: string, value: string | number];

export interface InfoSection {
  /** What it is asked for by, in lower case. */
  readonly names: readonly string[];
  readonly title: string;
  /** Shown only when it is asked for by name. */
  readonly hidden?: boolean;
  readonly fields: (server: ObservedServer) => InfoField[];
}

/** In the order in which INFO shows them. */
export const infoSections: readonly InfoSection[] = [
  { names: ['server'], title: 'Server', fields: serverFields },
  { names: ['tls'], title: 'TLS', fields: tlsFields },
  { names: ['clients'], title: 'Clients', fields: clientFields },
  { names: ['memory'], title: 'Memory', fields: memoryFields },
  { names: ['persistence'], title: 'Persistence', fields: persistenceFields },
  { names: ['stats'], title: 'Stats', fields: statsFields },
  { names: ['replication'], title: 'Replication', fields: replicationFields },
  { names: ['cpu'], title: 'CPU', fields: cpuFields },
  { names: ['module_list', 'modules'], title: 'Modules', fields: () => [] },
  { names: ['commandstats'], title: 'Commandstats', fields: commandFields },
  { names: ['errorstats'], title: 'Errorstats', fields: errorFields },
  { names: ['latencystats'], title: 'Latencystats', fields: latencyFields },
  { names: ['cluster'], title: 'Cluster', fields: clusterFields },
  { names: ['cluster_info'], title: 'Cluster Info', fields: () => [] },
  { names: ['scriptingengines'], title: 'Scripting Engines', fields: scriptingFields },
  { names: ['keyspace'], title: 'Keyspace', fields: keyspaceFields },
  { names: ['debug'], title: 'Debug', hidden: true, fields: debugFields },
];

const OS = `${type()} ${release()} ${machine()}`;
const ARCH_BITS = /64|s390x/.test(arch()) ? 64 : 32;
const NO_REPLICATION_ID = '0'.repeat(40);

function serverFields(server: ObservedServer): InfoField[] {
  const { config } = server;
  const addon = openAddon();
  const now = Date.now();
  const uptime = Math.floor(now / 1000) - Math.floor(server.startedAt / 1000);
  const hz = config.int('hz');
  const fields: InfoField[] = [
    ['redis_version', REDIS_VERSION],
    ['server_name', 'valkey'],
    ['valkey_version', VALKEY_VERSION],
    ['valkey_release_stage', RELEASE_STAGE],
    ['redis_git_sha1', BUILD.sha],
    ['redis_git_dirty', BUILD.dirty ? 1 : 0],
    ['redis_build_id', BUILD.id],
    [
      config.bool('extended-redis-compatibility') ? 'redis_mode' : 'server_mode',
      config.bool('cluster-enabled') ? 'cluster' : 'standalone',
    ],
    ['os', OS],
    ['arch_bits', ARCH_BITS],
    ['monotonic_clock', addon.clockName()],
    ['multiplexing_api', 'epoll'],
    ['gcc_version', addon.compilerVersion],
    ['process_id', process.pid],
    ['process_supervised', server.supervised],
    ['run_id', server.runId],
    ['tcp_port', server.port !== 0 ? server.port : config.int('tls-port')],
    ['server_time_usec', server.native.stats().server_time_usec!],
    ['uptime_in_seconds', uptime],
    ['uptime_in_days', Math.floor(uptime / 86400)],
    ['hz', hz],
    ['configured_hz', hz],
    ['clients_hz', hz],
    ['lru_clock', Math.floor(now / 1000) & 0xffffff],
    ['executable', server.executable],
    ['config_file', config.file ?? ''],
    ['io_threads_active', 0],
    ['availability_zone', config.str('availability-zone')],
  ];
  if (server.shutdownRemainingMs !== null)
    fields.push(['shutdown_in_milliseconds', server.shutdownRemainingMs]);
  if (server.port !== 0) {
    const addresses = config.value('bind').map((address) => `,bind=${address}`);
    fields.push(['listener0', `name=tcp${addresses.join('')},port=${server.port}`]);
  }
  const path = config.str('unixsocket');
  if (path !== '') fields.push(['listener1', `name=unix,bind=${path}`]);
  return fields;
}

function tlsFields(): InfoField[] {
  return ['server', 'client', 'ca'].flatMap((owner): InfoField[] => [
    [`tls_${owner}_cert_serial`, 'none'],
    [`tls_${owner}_cert_expires_in_seconds`, 0],
  ]);
}

function clientFields({ config, native }: ObservedServer): InfoField[] {
  const stats = native.stats();
  const clients = native.clientStats();
  return [
    ['connected_clients', stats.connected_clients!],
    ['cluster_connections', 0],
    ['maxclients', config.int('maxclients')],
    ['client_recent_max_input_buffer', stats.client_recent_max_input_buffer!],
    ['client_recent_max_output_buffer', stats.client_recent_max_output_buffer!],
    ['blocked_clients', stats.blocked_clients!],
    ['tracking_clients', clients.tracking_clients!],
    ['pubsub_clients', clients.pubsub_clients!],
    ['watching_clients', stats.watching_clients!],
    ['clients_in_timeout_table', stats.clients_in_timeout_table!],
    ['total_watched_keys', stats.total_watched_keys!],
    ['total_blocking_keys', stats.total_blocking_keys!],
    ['total_blocking_keys_on_nokey', stats.total_blocking_keys_on_nokey!],
    ['paused_reason', stats.paused.reason],
    ['paused_actions', stats.paused.actions],
    ['paused_timeout_milliseconds', stats.paused.timeoutMs],
  ];
}

function memoryFields(server: ObservedServer): InfoField[] {
  const m = memoryFigures(server);
  const stats = server.native.stats();
  const { config } = server;
  const systemMemory = totalmem();
  const maxmemory = config.int('maxmemory');
  return [
    ['used_memory', m.used],
    ['used_memory_human', humanBytes(m.used)],
    ['used_memory_rss', m.rss],
    ['used_memory_rss_human', humanBytes(m.rss)],
    ['used_memory_peak', m.peak],
    ['used_memory_peak_human', humanBytes(m.peak)],
    ['used_memory_peak_perc', `${m.peakPercent.toFixed(2)}%`],
    ['used_memory_overhead', m.overhead],
    ['used_memory_startup', m.startup],
    ['used_memory_dataset', m.dataset],
    ['used_memory_dataset_perc', `${m.datasetPercent.toFixed(2)}%`],
    ['allocator_allocated', m.allocated],
    ['allocator_active', m.active],
    ['allocator_resident', m.resident],
    ['allocator_muzzy', 0],
    ['total_system_memory', systemMemory],
    ['total_system_memory_human', humanBytes(systemMemory)],
    ['used_memory_lua', 0],
    ['used_memory_vm_eval', 0],
    ['used_memory_lua_human', humanBytes(0)],
    ['used_memory_scripts_eval', 0],
    ['number_of_cached_scripts', 0],
    ['number_of_functions', 0],
    ['number_of_libraries', 0],
    ['used_memory_vm_functions', 0],
    ['used_memory_vm_total', 0],
    ['used_memory_vm_total_human', humanBytes(0)],
    ['used_memory_functions', 0],
    ['used_memory_scripts', 0],
    ['used_memory_scripts_human', humanBytes(0)],
    ['maxmemory', maxmemory],
    ['maxmemory_human', humanBytes(maxmemory)],
    ['maxmemory_policy', config.choice('maxmemory-policy')],
    ['allocator_frag_ratio', m.allocatorFragmentation.ratio.toFixed(2)],
    ['allocator_frag_bytes', m.allocatorFragmentation.bytes],
    ['allocator_rss_ratio', m.allocatorRss.ratio.toFixed(2)],
    ['allocator_rss_bytes', m.allocatorRss.bytes],
    ['rss_overhead_ratio', m.rssOverhead.ratio.toFixed(2)],
    ['rss_overhead_bytes', m.rssOverhead.bytes],
    ['mem_fragmentation_ratio', m.fragmentation.ratio.toFixed(2)],
    ['mem_fragmentation_bytes', m.fragmentation.bytes],
    ['mem_not_counted_for_evict', stats.mem_not_counted_for_evict!],
    ['mem_replication_backlog', 0],
    ['mem_total_replication_buffers', 0],
    ['mem_replicas_repl_buffer', 0],
    ['mem_clients_slaves', m.clientsReplica],
    ['mem_clients_normal', m.clientsNormal],
    ['mem_cluster_links', 0],
    ['mem_cluster_slot_import', 0],
    ['mem_cluster_slot_export', 0],
    ['mem_aof_buffer', server.aof.figures.bufferLength],
    ['mem_allocator', ALLOCATOR],
    ['mem_overhead_db_hashtable_rehashing', m.tablesRehashing],
    ['active_defrag_running', 0],
    ['lazyfree_pending_objects', stats.lazyfree_pending_objects!],
    ['lazyfreed_objects', stats.lazyfreed_objects!],
  ];
}

function persistenceFields({ aof, config, native, rdb }: ObservedServer): InfoField[] {
  const figure = aof.figures;
  const load = native.loading();
  const saves = rdb.figures;
  const fields: InfoField[] = [
    ['loading', load.active ? 1 : 0],
    ['async_loading', 0],
    ['current_cow_peak', 0],
    ['current_cow_size', 0],
    ['current_cow_size_age', 0],
    ['current_fork_perc', (saves.keys > 0 ? (100 * saves.delivered) / saves.keys : 0).toFixed(2)],
    ['current_save_keys_processed', saves.delivered],
    ['current_save_keys_total', saves.keys],
    ['rdb_changes_since_last_save', native.stats().dirty!],
    ['rdb_bgsave_in_progress', saves.running ? 1 : 0],
    ['rdb_last_save_time', saves.lastSave],
    ['rdb_last_bgsave_status', saves.lastOk ? 'ok' : 'err'],
    ['rdb_last_bgsave_time_sec', saves.lastSeconds],
    ['rdb_current_bgsave_time_sec', saves.currentSeconds],
    ['rdb_saves', saves.saves],
    ['rdb_last_cow_size', 0],
    ['rdb_last_load_keys_expired', load.keysExpired],
    ['rdb_last_load_keys_loaded', load.keysLoaded],
    ['aof_enabled', figure.enabled ? 1 : 0],
    ['aof_rewrite_in_progress', figure.rewriting ? 1 : 0],
    ['aof_rewrite_scheduled', figure.scheduled ? 1 : 0],
    ['aof_last_rewrite_time_sec', figure.lastRewriteSeconds],
    ['aof_current_rewrite_time_sec', figure.currentRewriteSeconds],
    ['aof_last_bgrewrite_status', figure.lastRewriteOk ? 'ok' : 'err'],
    ['aof_rewrites', figure.rewrites],
    ['aof_rewrites_consecutive_failures', figure.failures],
    ['aof_last_write_status', figure.writeOk ? 'ok' : 'err'],
    ['aof_last_cow_size', 0],
    ['module_fork_in_progress', 0],
    ['module_fork_last_cow_size', 0],
    ['slot_migration_fork_in_progress', 0],
  ];
  if (config.bool('appendonly')) {
    fields.push(
      ['aof_current_size', figure.currentSize],
      ['aof_base_size', figure.baseSize],
      ['aof_pending_rewrite', figure.scheduled ? 1 : 0],
      ['aof_buffer_length', figure.bufferLength],
      ['aof_pending_bio_fsync', figure.pendingSyncs],
      ['aof_delayed_fsync', figure.delayedSyncs],
    );
  }
  if (load.active) fields.push(...loadingFields(load));
  return fields;
}

/** Progress is that of the file, or, where its length is not known, of the memory that its writer had in use. */
function loadingFields(load: LoadFigures): InfoField[] {
  let percent = 0;
  let remaining = 1;
  const all = load.totalBytes !== 0 ? load.totalBytes : load.usedMemory;
  if (all !== 0) {
    percent = (load.loadedBytes / all) * 100;
    remaining = all - load.loadedBytes;
  }
  if (load.totalBytes === 0) {
    percent = Math.min(percent, 99.99);
    remaining = Math.max(remaining, 1);
  }
  const elapsed = Math.floor(Date.now() / 1000) - load.startTime;
  const eta = elapsed === 0 ? 1 : Math.floor((elapsed * remaining) / (load.loadedBytes + 1));
  return [
    ['loading_start_time', load.startTime],
    ['loading_total_bytes', load.totalBytes],
    ['loading_rdb_used_mem', load.usedMemory],
    ['loading_loaded_bytes', load.loadedBytes],
    ['loading_loaded_perc', percent.toFixed(2)],
    ['loading_eta_seconds', eta],
  ];
}

function statsFields({ native, cachedMigrateSockets, rdb }: ObservedServer): InfoField[] {
  const s = native.stats();
  const kbps = (bytes: number) => (bytes / 1024).toFixed(2);
  const counter = (name: string): InfoField => [name, s[name] as number];
  return [
    counter('total_connections_received'),
    counter('total_commands_processed'),
    counter('instantaneous_ops_per_sec'),
    counter('total_net_input_bytes'),
    counter('total_net_output_bytes'),
    ['total_net_repl_input_bytes', 0],
    ['total_net_repl_output_bytes', 0],
    ['total_net_cluster_slot_import_bytes', 0],
    ['total_net_cluster_slot_export_bytes', 0],
    ['instantaneous_input_kbps', kbps(s.instantaneous_input_bytes!)],
    ['instantaneous_output_kbps', kbps(s.instantaneous_output_bytes!)],
    ['instantaneous_input_repl_kbps', kbps(0)],
    ['instantaneous_output_repl_kbps', kbps(0)],
    counter('rejected_connections'),
    ['sync_full', 0],
    ['sync_partial_ok', 0],
    ['sync_partial_err', 0],
    counter('expired_keys'),
    counter('expired_fields'),
    ['expired_stale_perc', s.expired_stale_perc!.toFixed(2)],
    ['expired_keys_with_volatile_items_stale_perc', s.hashes_stale_perc!.toFixed(2)],
    counter('expired_time_cap_reached_count'),
    ['expire_cycle_cpu_milliseconds', Math.floor(s.expire_cycle_cpu_microseconds! / 1000)],
    counter('evicted_keys'),
    counter('evicted_clients'),
    ['evicted_scripts', 0],
    ['total_eviction_exceeded_time', Math.floor(s.eviction_exceeded_microseconds! / 1000)],
    ['current_eviction_exceeded_time', Math.floor(s.eviction_present_exceeded_microseconds! / 1000)],
    counter('keyspace_hits'),
    counter('keyspace_misses'),
    counter('pubsub_channels'),
    counter('pubsub_patterns'),
    counter('pubsubshard_channels'),
    ['latest_fork_usec', 0],
    // What others fork for; here it is a walk over the keyspace.
    ['total_forks', rdb.figures.walks],
    ['migrate_cached_sockets', cachedMigrateSockets],
    ['slave_expires_tracked_keys', 0],
    ['active_defrag_hits', 0],
    ['active_defrag_misses', 0],
    ['active_defrag_key_hits', 0],
    ['active_defrag_key_misses', 0],
    ['total_active_defrag_time', 0],
    ['current_active_defrag_time', 0],
    counter('tracking_total_keys'),
    counter('tracking_total_items'),
    counter('tracking_total_prefixes'),
    counter('unexpected_error_replies'),
    counter('total_error_replies'),
    ['dump_payload_sanitizations', 0],
    counter('total_reads_processed'),
    counter('total_writes_processed'),
    ['io_threaded_reads_processed', 0],
    ['io_threaded_writes_processed', 0],
    ['io_threaded_freed_objects', 0],
    ['io_threaded_accept_processed', 0],
    ['io_threaded_poll_processed', 0],
    ['io_threaded_total_prefetch_batches', s.prefetch_batches!],
    ['io_threaded_total_prefetch_entries', s.prefetch_entries!],
    counter('client_query_buffer_limit_disconnections'),
    counter('client_output_buffer_limit_disconnections'),
    counter('reply_buffer_shrinks'),
    counter('reply_buffer_expands'),
    counter('eventloop_cycles'),
    counter('eventloop_duration_sum'),
    counter('eventloop_duration_cmd_sum'),
    counter('instantaneous_eventloop_cycles_per_sec'),
    counter('instantaneous_eventloop_duration_usec'),
    counter('acl_access_denied_auth'),
    ['acl_access_denied_cmd', 0],
    ['acl_access_denied_key', 0],
    ['acl_access_denied_channel', 0],
    ['acl_access_denied_tls_cert', 0],
    ['acl_access_denied_db', 0],
  ];
}

function replicationFields({ config, replicationId }: ObservedServer): InfoField[] {
  const fields: InfoField[] = [
    ['role', 'master'],
    ['connected_slaves', 0],
  ];
  if (config.int('min-replicas-to-write') !== 0 && config.int('min-replicas-max-lag') !== 0)
    fields.push(['min_slaves_good_slaves', 0]);
  fields.push(
    ['replicas_waiting_psync', 0],
    ['master_failover_state', 'no-failover'],
    ['master_replid', replicationId],
    ['master_replid2', NO_REPLICATION_ID],
    ['master_repl_offset', 0],
    ['second_repl_offset', -1],
    ['repl_backlog_active', 0],
    ['repl_backlog_size', config.int('repl-backlog-size')],
    ['repl_backlog_first_byte_offset', 0],
    ['repl_backlog_histlen', 0],
  );
  return fields;
}

function cpuFields({ native }: ObservedServer): InfoField[] {
  const [system, user, childrenSystem, childrenUser, threadSystem, threadUser] = openAddon().cpuUsage();
  return [
    ['used_cpu_sys', seconds(system)],
    ['used_cpu_user', seconds(user)],
    ['used_cpu_sys_children', seconds(childrenSystem)],
    ['used_cpu_user_children', seconds(childrenUser)],
    ['used_cpu_sys_main_thread', seconds(threadSystem)],
    ['used_cpu_user_main_thread', seconds(threadUser)],
    ['used_active_time_main_thread', seconds(native.stats().used_active_time_us!)],
  ];
}

function commandFields({ native }: ObservedServer): InfoField[] {
  return native.commandStats().map(([name, calls, usec, rejected, failed]) => {
    const perCall = ratio(usec, calls).toFixed(2);
    return [
      `cmdstat_${safeName(name)}`,
      `calls=${calls},usec=${usec},usec_per_call=${perCall},rejected_calls=${rejected},failed_calls=${failed}`,
    ];
  });
}

function errorFields({ native }: ObservedServer): InfoField[] {
  return native.stats().errors.map(([code, count]) => [`errorstat_${safeName(code)}`, `count=${count}`]);
}

function latencyFields({ config, native }: ObservedServer): InfoField[] {
  if (!config.bool('latency-tracking')) return [];
  const percentiles = config.value('latency-tracking-info-percentiles');
  return native.histograms(percentiles).map(([name, , , values]) => {
    const shown = values.map((ns, i) => `p${formatDouble(percentiles[i]!)}=${(ns / 1000).toFixed(3)}`);
    return [`latency_percentiles_usec_${safeName(name)}`, shown.join(',')];
  });
}

function clusterFields({ config }: ObservedServer): InfoField[] {
  return [['cluster_enabled', config.bool('cluster-enabled') ? 1 : 0]];
}

function scriptingFields(): InfoField[] {
  return [
    ['engines_count', 0],
    ['engines_total_used_memory', 0],
    ['engines_total_memory_overhead', 0],
  ];
}

function keyspaceFields({ native }: ObservedServer): InfoField[] {
  return native
    .keyspace()
    .map(([index, keys, expires, avgTtl, datedHashes]) => [
      `db${index}`,
      `keys=${keys},expires=${expires},avg_ttl=${avgTtl},keys_with_volatile_items=${datedHashes}`,
    ]);
}

function debugFields({ native }: ObservedServer): InfoField[] {
  const s = native.stats();
  return [
    ['eventloop_duration_aof_sum', s.eventloop_duration_aof_sum!],
    ['eventloop_duration_cron_sum', s.eventloop_duration_cron_sum!],
    ['eventloop_duration_max', s.eventloop_duration_max!],
    ['eventloop_cmd_per_cycle_max', s.eventloop_cmd_per_cycle_max!],
    ['io_threaded_reads_pending', 0],
    ['io_threaded_writes_pending', 0],
  ];
}
