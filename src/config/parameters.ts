// The table of parameters: every name that Valkey 9.1.2 knows, with its range, default and traits. Facts from config.c
// and server.h of that release. Grouped by subject; within a group by type and name.
//
// A few exist only so that a configuration file or a client written for Valkey finds them (rdma-*, jemalloc-bg-thread,
// activedefrag, enable-module-command): RDMA and defragmentation refuse to be switched on.

import {
  bool,
  bytes,
  choice,
  DEBUG,
  DENY_LOADING,
  flagSet,
  HIDDEN,
  IMMUTABLE,
  INT_MAX,
  INT_MIN,
  INT64_MAX,
  int,
  PROTECTED,
  SENSITIVE,
  special,
  text,
  UINT_MAX,
  UINT64_MAX,
  VOLATILE,
} from './parameter.js';
import * as s from './special.js';
import {
  announcedHostname,
  announcedIp,
  announcedNodename,
  clusterConfigFile,
  fileName,
  hashSeed,
  ipv4OrEmpty,
  ipv6OrEmpty,
  mptcpAvailable,
  noActiveDefrag,
  shutdownFlags,
  titleTemplate,
} from './validate.js';

const KB = 1024;
const MB = 1024 * KB;
const GB = 1024 * MB;

const evictionPolicies = [
  'volatile-lru',
  'volatile-lfu',
  'volatile-random',
  'volatile-ttl',
  'allkeys-lru',
  'allkeys-lfu',
  'allkeys-random',
  'noeviction',
] as const;
const syslogFacilities = [
  'user',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
] as const;
const logLevels = ['debug', 'verbose', 'notice', 'warning', 'nothing'] as const;
const supervisors = ['upstart', 'systemd', 'auto', 'no'] as const;
const fsyncPolicies = ['everysec', 'always', 'no'] as const;
const shutdownFlagNames = ['default', 'save', 'nosave', 'now', 'force', 'safe', 'failover'] as const;
const disklessLoads = ['disabled', 'on-empty-db', 'swapdb', 'flush-before-load'] as const;
const tlsClientAuths = ['no', 'yes', 'optional'] as const;
const tlsUserFields = ['CN', 'URI', 'off'] as const;
const oomModes = ['no', 'yes', 'absolute'] as const;
const pubsubDefaults = ['allchannels', 'resetchannels'] as const;
const protectedActions = ['no', 'yes', 'local'] as const;
const endpointTypes = ['ip', 'hostname', 'unknown-endpoint'] as const;
const nodesConfSaves = ['sync', 'best-effort'] as const;
const propagationErrors = ['ignore', 'panic', 'panic-on-replicas'] as const;
const logFormats = ['legacy', 'logfmt', 'json'] as const;
const logTimestamps = ['legacy', 'iso8601', 'milliseconds'] as const;
const rdbVersionChecks = ['strict', 'relaxed'] as const;

export const parameters = [
  // Networking
  bool('hide-user-data-from-log', true),
  bool('io-threads-always-active', false, HIDDEN),
  bool('mptcp', false, IMMUTABLE, { valid: mptcpAvailable }),
  bool('protected-mode', true),
  int('client-query-buffer-limit', MB, INT64_MAX, GB, DEBUG, { unit: 'memory', unsigned: true }),
  int('io-threads', 1, 256, 1, DEBUG),
  int('max-new-connections-per-cycle', 1, 1000, 10, 0, { unsigned: true }),
  int('max-new-tls-connections-per-cycle', 1, 1000, 1, 0, { unsigned: true }),
  int('maxclients', 1, UINT_MAX, 10000, 0, { unsigned: true }),
  int('maxmemory-clients', -100, INT64_MAX, 0, 0, { unit: 'memory-or-percent' }),
  int('min-io-threads-avoid-copy-reply', 0, INT_MAX, 7, HIDDEN),
  int('min-string-size-avoid-copy-reply', 0, INT_MAX, 16384, HIDDEN),
  int('min-string-size-avoid-copy-reply-threaded', 0, INT_MAX, 65536, HIDDEN),
  int('port', 0, 65535, 6379),
  int('prefetch-batch-max-size', 0, 128, 16),
  int('proto-max-bulk-len', MB, INT64_MAX, 512 * MB, DEBUG, { unit: 'memory' }),
  int('rdma-completion-vector', -1, 1024, -1, IMMUTABLE),
  int('rdma-port', 0, 65535, 0),
  int('rdma-rx-size', 64 * KB, 16 * MB, MB, IMMUTABLE),
  int('socket-mark-id', 0, UINT_MAX, 0, IMMUTABLE, { unsigned: true }),
  int('tcp-backlog', 0, INT_MAX, 511, IMMUTABLE),
  int('tcp-keepalive', 0, INT_MAX, 300),
  int('timeout', 0, INT_MAX, 0),
  int('tracking-table-max-keys', 0, INT64_MAX, 1000000, 0, { unsigned: true }),
  int('unixsocketperm', 0, 0o777, 0, IMMUTABLE, { unit: 'octal', unsigned: true }),
  special('bind', s.bind),
  special('client-output-buffer-limit', s.outputLimits),
  special('rdma-bind', s.rdmaBind),
  text('bind-source-addr', null),
  text('unixsocket', null, IMMUTABLE),
  text('unixsocketgroup', null, IMMUTABLE),

  // TLS
  bool('tls-cluster', false),
  bool('tls-prefer-server-ciphers', false),
  bool('tls-replication', false),
  bool('tls-session-caching', true),
  choice('tls-auth-clients', tlsClientAuths, 'yes'),
  choice('tls-auth-clients-user', tlsUserFields, 'off'),
  int('tls-auto-reload-interval', 0, INT_MAX, 0),
  int('tls-port', 0, 65535, 0),
  int('tls-session-cache-size', 0, INT_MAX, 20 * KB),
  int('tls-session-cache-timeout', 0, INT_MAX, 300),
  text('tls-ca-cert-dir', null, VOLATILE),
  text('tls-ca-cert-file', null, VOLATILE),
  text('tls-cert-file', null, VOLATILE),
  text('tls-ciphers', null),
  text('tls-ciphersuites', null),
  text('tls-client-cert-file', null, VOLATILE),
  text('tls-client-key-file', null, VOLATILE),
  text('tls-client-key-file-pass', null, SENSITIVE),
  text('tls-dh-params-file', null, VOLATILE),
  text('tls-key-file', null, VOLATILE),
  text('tls-key-file-pass', null, SENSITIVE),
  text('tls-protocols', null),

  // Process
  bool('always-show-logo', false, IMMUTABLE),
  bool('crash-log-enabled', true),
  bool('crash-memcheck-enabled', true),
  bool('daemonize', false, IMMUTABLE),
  bool('disable-thp', true, IMMUTABLE),
  bool('enable-debug-assert', false, IMMUTABLE | HIDDEN),
  bool('extended-redis-compatibility', false),
  bool('import-mode', false, DEBUG),
  bool('lua-enable-insecure-api', false, HIDDEN | PROTECTED, { alias: 'lua-enable-deprecated-api' }),
  bool('set-proc-title', true, IMMUTABLE),
  bool('syslog-enabled', false, IMMUTABLE),
  bool('use-exit-on-panic', false, HIDDEN),
  bytes('availability-zone', ''),
  bytes('hash-seed', null, IMMUTABLE, { valid: hashSeed }),
  choice('enable-debug-command', protectedActions, 'no', IMMUTABLE),
  choice('enable-module-command', protectedActions, 'no', IMMUTABLE),
  choice('enable-protected-configs', protectedActions, 'no', IMMUTABLE),
  choice('log-format', logFormats, 'legacy'),
  choice('log-timestamp-format', logTimestamps, 'legacy'),
  choice('loglevel', logLevels, 'notice'),
  choice('oom-score-adj', oomModes, 'no', 0, { synonyms: { relative: 'yes' } }),
  choice('propagation-error-behavior', propagationErrors, 'ignore'),
  choice('supervised', supervisors, 'no', IMMUTABLE),
  choice('syslog-facility', syslogFacilities, 'local0', IMMUTABLE),
  flagSet('shutdown-on-sigint', shutdownFlagNames, 0, { valid: shutdownFlags }),
  flagSet('shutdown-on-sigterm', shutdownFlagNames, 0, { valid: shutdownFlags }),
  int('busy-reply-threshold', 0, INT64_MAX, 5000, 0, { alias: 'lua-time-limit' }),
  int('databases', 1, INT_MAX, 16, IMMUTABLE),
  int('hz', 0, INT_MAX, 10, 0, { clamp: { min: 1n, max: 500n, atLoad: true } }),
  int('shutdown-timeout', 0, INT_MAX, 10),
  int('watchdog-period', 0, INT_MAX, 0, HIDDEN),
  special('dir', s.dir, PROTECTED | DENY_LOADING),
  special('oom-score-adj-values', s.oomScores),
  text('aof-rewrite-cpulist', null, IMMUTABLE, { alias: 'aof_rewrite_cpulist' }),
  text('bgsave-cpulist', null, IMMUTABLE, { alias: 'bgsave_cpulist' }),
  text('bio-cpulist', null, IMMUTABLE, { alias: 'bio_cpulist' }),
  text('debug-context', '', DEBUG | HIDDEN),
  text('ignore-warnings', ''),
  text('locale-collate', ''),
  text('logfile', '', IMMUTABLE),
  text('pidfile', null, IMMUTABLE),
  text('proc-title-template', '{title} {listen-addr} {server-mode}', 0, { valid: titleTemplate }),
  text('server-cpulist', null, IMMUTABLE, { alias: 'server_cpulist' }),
  text('syslog-ident', 'valkey', IMMUTABLE),

  // Security
  bytes('requirepass', null, SENSITIVE),
  choice('acl-pubsub-default', pubsubDefaults, 'resetchannels'),
  int('acllog-max-len', 0, INT64_MAX, 128, 0, { unsigned: true }),
  text('aclfile', '', IMMUTABLE),

  // Snapshot
  bool('rdb-del-sync-files', false),
  bool('rdb-save-incremental-fsync', true),
  bool('rdbchecksum', true, IMMUTABLE),
  bool('rdbcompression', true),
  bool('stop-writes-on-bgsave-error', true),
  choice('rdb-version-check', rdbVersionChecks, 'strict'),
  int('key-load-delay', INT_MIN, INT_MAX, 0, HIDDEN),
  int('loading-process-events-interval-bytes', 1024, INT_MAX, 2 * MB, HIDDEN),
  int('rdb-key-save-delay', INT_MIN, INT_MAX, 0, HIDDEN),
  special('save', s.save),
  text('dbfilename', 'dump.rdb', PROTECTED, { valid: fileName('dbfilename', 'filename') }),

  // Append-only file
  bool('aof-disable-auto-gc', false, HIDDEN),
  bool('aof-load-truncated', true),
  bool('aof-rewrite-incremental-fsync', true),
  bool('aof-timestamp-enabled', false),
  bool('aof-use-rdb-preamble', true),
  bool('appendonly', false, DENY_LOADING),
  bool('no-appendfsync-on-rewrite', false),
  choice('appendfsync', fsyncPolicies, 'everysec'),
  int('auto-aof-rewrite-min-size', 0, INT64_MAX, 64 * MB, 0, { unit: 'memory' }),
  int('auto-aof-rewrite-percentage', 0, INT_MAX, 100),
  text('appenddirname', 'appendonlydir', IMMUTABLE, { valid: fileName('appenddirname', 'dirname') }),
  text('appendfilename', 'appendonly.aof', IMMUTABLE, { valid: fileName('appendfilename', 'filename') }),

  // Replication
  bool('dual-channel-replication-enabled', false, DEBUG),
  bool('repl-disable-tcp-nodelay', false),
  bool('repl-diskless-sync', true, DEBUG),
  bool('repl-mptcp', false, IMMUTABLE, { valid: mptcpAvailable }),
  bool('replica-announced', true),
  bool('replica-ignore-disk-write-errors', false),
  bool('replica-ignore-maxmemory', true, 0, { alias: 'slave-ignore-maxmemory' }),
  bool('replica-lazy-flush', true, 0, { alias: 'slave-lazy-flush' }),
  bool('replica-read-only', true, DEBUG, { alias: 'slave-read-only' }),
  bool('replica-serve-stale-data', true, 0, { alias: 'slave-serve-stale-data' }),
  bytes('primaryauth', null, SENSITIVE, { alias: 'masterauth' }),
  choice('repl-diskless-load', disklessLoads, 'disabled', DEBUG | DENY_LOADING),
  int('min-replicas-max-lag', 0, INT_MAX, 10, 0, { alias: 'min-slaves-max-lag' }),
  int('min-replicas-to-write', 0, INT_MAX, 0, 0, { alias: 'min-slaves-to-write' }),
  int('repl-backlog-size', 1, INT64_MAX, 10 * MB, 0, {
    unit: 'memory',
    clamp: { min: 16n * 1024n, max: INT64_MAX, atLoad: false },
  }),
  int('repl-backlog-ttl', 0, INT64_MAX, 3600),
  int('repl-diskless-sync-delay', 0, INT_MAX, 5),
  int('repl-diskless-sync-max-replicas', 0, INT_MAX, 0),
  int('repl-ping-replica-period', 1, INT_MAX, 10, 0, { alias: 'repl-ping-slave-period' }),
  int('repl-timeout', 1, INT_MAX, 60),
  int('replica-announce-port', 0, 65535, 0, 0, { alias: 'slave-announce-port' }),
  int('replica-priority', 0, INT_MAX, 100, 0, { alias: 'slave-priority' }),
  special('replicaof', s.replicaOf, IMMUTABLE, { alias: 'slaveof' }),
  text('primaryuser', null, SENSITIVE, { alias: 'masteruser' }),
  text('replica-announce-ip', null, 0, { alias: 'slave-announce-ip' }),

  // Cluster
  bool('cluster-allow-pubsubshard-when-down', true),
  bool('cluster-allow-reads-when-down', false),
  bool('cluster-allow-replica-migration', true),
  bool('cluster-enabled', false, IMMUTABLE),
  bool('cluster-replica-no-failover', false, 0, { alias: 'cluster-slave-no-failover' }),
  bool('cluster-require-full-coverage', true),
  bool('cluster-slot-stats-enabled', false),
  choice('cluster-config-save-behavior', nodesConfSaves, 'sync'),
  choice('cluster-preferred-endpoint-type', endpointTypes, 'ip'),
  int('cluster-announce-bus-port', 0, 65535, 0),
  int('cluster-announce-client-port', 0, 65535, 0),
  int('cluster-announce-client-tls-port', 0, 65535, 0),
  int('cluster-announce-port', 0, 65535, 0),
  int('cluster-announce-tls-port', 0, 65535, 0),
  int('cluster-blacklist-ttl', 0, UINT64_MAX, 60, 0, { unsigned: true }),
  int('cluster-databases', 1, INT_MAX, 1, IMMUTABLE),
  int('cluster-link-sendbuf-limit', 0, UINT64_MAX, 0, 0, { unit: 'memory', unsigned: true }),
  int('cluster-manual-failover-timeout', 1, INT_MAX, 5000),
  int('cluster-message-gossip-perc', 1, 100, 10, HIDDEN),
  int('cluster-migration-barrier', 0, INT_MAX, 1),
  int('cluster-node-timeout', 0, INT64_MAX, 15000),
  int('cluster-ping-interval', 0, INT64_MAX, 0, HIDDEN),
  int('cluster-port', 0, 65535, 0, IMMUTABLE),
  int('cluster-replica-validity-factor', 0, INT_MAX, 10, 0, { alias: 'cluster-slave-validity-factor' }),
  int('cluster-slot-migration-log-max-len', 0, INT64_MAX, 1000, 0, { unsigned: true }),
  int('slot-migration-max-failover-repl-bytes', -1, INT64_MAX, 0, 0, { unit: 'memory-or-negative' }),
  text('cluster-announce-client-ipv4', null, 0, { valid: ipv4OrEmpty }),
  text('cluster-announce-client-ipv6', null, 0, { valid: ipv6OrEmpty }),
  text('cluster-announce-hostname', null, 0, { valid: announcedHostname }),
  text('cluster-announce-human-nodename', null, 0, { valid: announcedNodename }),
  text('cluster-announce-ip', null, 0, { valid: announcedIp }),
  text('cluster-config-file', 'nodes.conf', IMMUTABLE, { valid: clusterConfigFile }),

  // Memory
  bool('activedefrag', false, DEBUG, { valid: noActiveDefrag }),
  bool('activerehashing', true),
  bool('jemalloc-bg-thread', true),
  bool('lazyfree-lazy-eviction', true, DEBUG),
  bool('lazyfree-lazy-expire', true, DEBUG),
  bool('lazyfree-lazy-server-del', true, DEBUG),
  bool('lazyfree-lazy-user-del', true, DEBUG),
  bool('lazyfree-lazy-user-flush', true, DEBUG),
  choice('maxmemory-policy', evictionPolicies, 'noeviction'),
  int('active-defrag-cycle-max', 1, 99, 25),
  int('active-defrag-cycle-min', 1, 99, 1),
  int('active-defrag-cycle-us', 0, 100000, 500),
  int('active-defrag-ignore-bytes', 1, INT64_MAX, 100 * MB, 0, { unit: 'memory', unsigned: true }),
  int('active-defrag-max-scan-fields', 1, INT64_MAX, 1000, 0, { unsigned: true }),
  int('active-defrag-threshold-lower', 0, 1000, 10),
  int('active-defrag-threshold-upper', 0, 1000, 100),
  int('active-expire-effort', 1, 10, 1),
  int('lfu-decay-time', 0, INT_MAX, 1),
  int('lfu-log-factor', 0, INT_MAX, 10),
  int('maxmemory', 0, UINT64_MAX, 0, 0, { unit: 'memory', unsigned: true }),
  int('maxmemory-eviction-tenacity', 0, 100, 10),
  int('maxmemory-samples', 1, 64, 5),

  // Observability
  bool('latency-tracking', true),
  int('commandlog-execution-slower-than', -1, INT64_MAX, 10000, 0, { alias: 'slowlog-log-slower-than' }),
  int('commandlog-large-reply-max-len', 0, INT64_MAX, 128, 0, { unsigned: true }),
  int('commandlog-large-request-max-len', 0, INT64_MAX, 128, 0, { unsigned: true }),
  int('commandlog-reply-larger-than', -1, INT64_MAX, MB),
  int('commandlog-request-larger-than', -1, INT64_MAX, MB),
  int('commandlog-slow-execution-max-len', 0, INT64_MAX, 128, 0, {
    alias: 'slowlog-max-len',
    unsigned: true,
  }),
  int('latency-monitor-threshold', 0, INT64_MAX, 0),
  special('latency-tracking-info-percentiles', s.percentiles),
  special('notify-keyspace-events', s.keyspaceEvents),

  // Data types
  int('hash-max-listpack-entries', 0, INT64_MAX, 512, 0, {
    alias: 'hash-max-ziplist-entries',
    unsigned: true,
  }),
  int('hash-max-listpack-value', 0, INT64_MAX, 64, 0, {
    alias: 'hash-max-ziplist-value',
    unit: 'memory',
    unsigned: true,
  }),
  int('hll-sparse-max-bytes', 0, INT64_MAX, 3000, 0, { unit: 'memory', unsigned: true }),
  int('list-compress-depth', 0, INT_MAX, 0, DEBUG),
  int('list-max-listpack-size', INT_MIN, INT_MAX, -2, 0, { alias: 'list-max-ziplist-size' }),
  int('set-max-intset-entries', 0, INT64_MAX, 512, 0, { unsigned: true }),
  int('set-max-listpack-entries', 0, INT64_MAX, 128, 0, { unsigned: true }),
  int('set-max-listpack-value', 0, INT64_MAX, 64, 0, { unsigned: true }),
  int('stream-node-max-bytes', 0, INT64_MAX, 4096, 0, { unit: 'memory', unsigned: true }),
  int('stream-node-max-entries', 0, INT64_MAX, 100),
  int('zset-max-listpack-entries', 0, INT64_MAX, 128, 0, {
    alias: 'zset-max-ziplist-entries',
    unsigned: true,
  }),
  int('zset-max-listpack-value', 0, INT64_MAX, 64, 0, {
    alias: 'zset-max-ziplist-value',
    unit: 'memory',
    unsigned: true,
  }),
] as const;

type Entry = (typeof parameters)[number];
type NamesOf<T extends Entry['type']> = Extract<Entry, { type: T }>['name'];

export type ParameterName = Entry['name'];
export type BoolName = NamesOf<'bool'>;
export type IntName = NamesOf<'int'>;
export type TextName = NamesOf<'text'>;
export type ChoiceName = NamesOf<'choice'>;
export type FlagSetName = NamesOf<'flags'>;
export type SpecialName = NamesOf<'special'>;
export type ChoiceValue<N extends ChoiceName> = Extract<Entry, { type: 'choice'; name: N }>['default'];
export type FlagName<N extends FlagSetName> = Extract<Entry, { type: 'flags'; name: N }>['values'][number];
export type SpecialValue<N extends SpecialName> = Extract<Entry, { type: 'special'; name: N }>['default'];
