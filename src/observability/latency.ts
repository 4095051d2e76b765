/** LATENCY GRAPH and LATENCY DOCTOR: the latency monitor's time series as pictures and as advice. */
import type { Config } from '../config/config.js';
import type { LatencyRow } from '../native/addon.js';
import { sparkline } from './sparkline.js';

const GRAPH_COLUMNS = 80;
const GRAPH_ROWS = 4;

/** @param now seconds since the epoch */
export function latencyGraph([event, allTimeHigh, , , samples]: LatencyRow, now: number): string {
  const values = samples.map(([, ms]) => ms);
  const high = Math.max(0, ...values);
  const low = values.length === 0 ? 0 : Math.min(...values);
  const labelled = samples.map(([time, value]) => ({ value, label: age(now - time) }));
  return (
    `${event} - high ${high} ms, low ${low} ms (all time high ${allTimeHigh} ms)\n` +
    `${'-'.repeat(GRAPH_COLUMNS)}\n${sparkline(labelled, GRAPH_COLUMNS, GRAPH_ROWS)}`
  );
}

function age(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86400)}d`;
}

/**
 * What LATENCY DOCTOR can advise, in the order in which it does. Texts are Valkey's. Two of Valkey's do not apply here:
 * slow forks (this server does not fork to save) and transparent huge pages (their harm is copying after a fork).
 */
const ADVICE = {
  slowlogEnabled: (config: Config) =>
    'There are latency issues with potentially slow commands you are using. Try to enable the Slow Log Valkey feature ' +
    `using the command 'CONFIG SET slowlog-log-slower-than ${thresholdUs(config)}'. If the Slow log is disabled Valkey ` +
    'is not able to log slow commands execution for you.',
  slowlogTuning: (config: Config) =>
    'Your current Slow Log configuration only logs events that are slower than your configured latency monitor ' +
    `threshold. Please use 'CONFIG SET slowlog-log-slower-than ${thresholdUs(config)}'.`,
  slowlogInspect: () =>
    'Check your Slow Log to understand what are the commands you are running which are too slow to execute. Please ' +
    'check https://valkey.io/commands/slowlog for more information.',
  scheduler: () =>
    'The system is slow to execute Valkey code paths not containing system calls. This usually means the system does ' +
    'not provide Valkey CPU time to run for long periods. You should try to:\n' +
    '  1) Lower the system load.\n' +
    '  2) Use a computer / VM just for Valkey if you are running other software in the same system.\n' +
    '  3) Check if you have a "noisy neighbour" problem.\n' +
    "  4) Check with 'valkey-cli --intrinsic-latency 100' what is the intrinsic latency in your system.\n" +
    '  5) Check if the problem is allocator-related by recompiling Valkey with MALLOC=libc, if you are using Jemalloc. ' +
    'However this may create fragmentation problems.',
  localDisk: () =>
    'It is strongly advised to use local disks for persistence, especially if you are using AOF. Remote disks provided ' +
    'by platform-as-a-service providers are known to be slow.',
  ssd: () =>
    'SSD disks are able to reduce fsync latency, and total time needed for snapshotting and AOF log rewriting ' +
    '(resulting in smaller memory usage). With extremely high write load SSD disks can be a good option. However ' +
    'Valkey should perform reasonably with high load using normal disks. Use this advice as a last resort.',
  dataWriteback: () =>
    'Mounting ext3/4 filesystems with data=writeback can provide a performance boost compared to data=ordered, however ' +
    'this mode of operation provides less guarantees, and sometimes it can happen that after a hard crash the AOF file ' +
    'will have a half-written command at the end and will require to be repaired before Valkey restarts.',
  diskContention: () =>
    'Try to lower the disk contention. This is often caused by other disk intensive processes running in the same ' +
    'computer (including other Valkey instances).',
  noAppendfsync: () =>
    'Assuming from the point of view of data safety this is viable in your environment, you could try to enable the ' +
    "'no-appendfsync-on-rewrite' option, so that fsync will not be performed while there is a child rewriting the AOF " +
    'file or producing an RDB file (the moment where there is high disk contention).',
  relaxFsync: (config: Config) =>
    config.choice('appendfsync') === 'always'
      ? "Your fsync policy is set to 'always'. It is very hard to get good performances with such a setup, if possible " +
        "try to relax the fsync policy to 'onesec'."
      : null,
  writeLoad: () =>
    'Latency during the AOF atomic rename operation or when the final difference is flushed to the AOF file at the end ' +
    'of the rewrite, sometimes is caused by very high write load, causing the AOF buffer to get very large. If possible ' +
    'try to send less commands to accomplish the same work, or use Lua scripts to group multiple operations into a ' +
    'single EVALSHA call.',
  hz: (config: Config) =>
    config.int('hz') < 100
      ? "In order to make the Valkey keys expiring process more incremental, try to set the 'hz' configuration " +
        "parameter to 100 using 'CONFIG SET hz 100'."
      : null,
  largeObjects: () =>
    'Deleting, expiring or evicting (because of maxmemory policy) large objects is a blocking operation. If you have ' +
    'very large objects that are often deleted, expired, or evicted, try to fragment those objects into multiple ' +
    'smaller objects.',
  massEviction: () =>
    "Sudden changes to the 'maxmemory' setting via 'CONFIG SET', or allocation of large objects via sets or sorted sets " +
    'intersections, STORE option of SORT, Valkey Cluster large keys migrations (RESTORE command), may create sudden ' +
    'memory pressure forcing the server to block trying to evict keys. ',
} as const satisfies Record<string, (config: Config) => string | null>;

type Advice = keyof typeof ADVICE;

/** What an event points to, whatever its figures. */
const BY_EVENT: Readonly<Record<string, readonly Advice[]>> = {
  command: ['slowlogInspect', 'largeObjects'],
  'fast-command': ['scheduler'],
  'aof-write-pending-fsync': ['localDisk', 'diskContention', 'ssd', 'dataWriteback'],
  'aof-write-active-child': ['noAppendfsync', 'dataWriteback', 'ssd'],
  'aof-write-alone': ['localDisk', 'dataWriteback', 'ssd'],
  'aof-fsync-always': ['relaxFsync'],
  'aof-fstat': ['diskContention', 'localDisk'],
  'rdb-unlink-temp-file': ['diskContention', 'localDisk'],
  'aof-rewrite-diff-write': ['writeLoad', 'dataWriteback', 'ssd', 'localDisk'],
  'aof-rename': ['writeLoad', 'dataWriteback', 'ssd', 'localDisk'],
  'expire-cycle': ['hz', 'largeObjects'],
  'eviction-del': ['largeObjects'],
  'eviction-cycle': ['massEviction'],
};

function thresholdUs(config: Config): bigint {
  return config.bigint('latency-monitor-threshold') * 1000n;
}

/** @param now seconds since the epoch */
export function latencyReport(events: readonly LatencyRow[], config: Config, now: number): string {
  if (events.length === 0) {
    return config.int('latency-monitor-threshold') === 0
      ? "I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this Valkey instance. You may use " +
          '"CONFIG SET latency-monitor-threshold <milliseconds>." in order to enable it.\n'
      : 'No latency spike was observed during the lifetime of this Valkey instance, not in the slightest bit.\n';
  }
  const advice = new Set<Advice>();
  let report = 'Latency spikes are observed in this Valkey instance.\n\n';
  for (const [i, row] of events.entries()) {
    const [event] = row;
    report += `${i + 1}. ${summary(row, now)}\n`;
    for (const one of BY_EVENT[event] ?? []) advice.add(one);
    if (event === 'command') {
      const slowerThan = config.int('commandlog-execution-slower-than');
      if (slowerThan < 0 || config.int('commandlog-slow-execution-max-len') === 0)
        advice.add('slowlogEnabled');
      else if (Math.floor(slowerThan / 1000) > config.int('latency-monitor-threshold'))
        advice.add('slowlogTuning');
    }
  }
  if (advice.size === 0) {
    return (
      `${report}\nThere are latency events logged that are not easy to fix. Please get some help from Valkey ` +
      'community, providing this report in your help request.\n'
    );
  }
  report += '\nHere is some advice for you:\n\n';
  for (const name of Object.keys(ADVICE) as Advice[]) {
    const text = advice.has(name) ? ADVICE[name](config) : null;
    if (text !== null) report += `- ${text}\n`;
  }
  return report;
}

function summary([event, worst, , , samples]: LatencyRow, now: number): string {
  const n = samples.length;
  const average = Math.floor(samples.reduce((sum, [, ms]) => sum + ms, 0) / n);
  const deviation = Math.floor(samples.reduce((sum, [, ms]) => sum + Math.abs(average - ms), 0) / n);
  const period = Math.max(1, now - Math.min(...samples.map(([time]) => time)));
  return (
    `${event}: ${n} latency spikes (average ${average}ms, mean deviation ${deviation}ms, period ` +
    `${(period / n).toFixed(2)} sec). Worst all time event ${worst}ms.`
  );
}
