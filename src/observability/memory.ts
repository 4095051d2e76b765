/** The memory figures behind INFO memory, MEMORY STATS and MEMORY DOCTOR, computed as in Valkey. */
import { ratio } from './format.js';
import type { ObservedServer } from './source.js';

export const ALLOCATOR = 'kvasir-slab';

export interface DatabaseOverhead {
  index: number;
  keyTable: number;
  expireTable: number;
}

/** Bytes, unless it says otherwise. Ratios compare figures that were sampled at the same time. */
export interface MemoryFigures {
  used: number;
  peak: number;
  /** Percent of the peak that is in use. */
  peakPercent: number;
  startup: number;
  clientsNormal: number;
  clientsReplica: number;
  databases: DatabaseOverhead[];
  tables: number;
  /** The arrays that resizes are leaving behind. */
  tablesRehashing: number;
  /** Number of tables being resized. */
  rehashing: number;
  /** Everything that is not data: start-up, clients, tables, headers of entries. */
  overhead: number;
  dataset: number;
  /** Percent of what was allocated since the start. */
  datasetPercent: number;
  keys: number;
  bytesPerKey: number;
  rss: number;
  allocated: number;
  active: number;
  resident: number;
  fragmentation: { ratio: number; bytes: number };
  allocatorFragmentation: { ratio: number; bytes: number };
  allocatorRss: { ratio: number; bytes: number };
  rssOverhead: { ratio: number; bytes: number };
}

export function memoryFigures({ native }: ObservedServer): MemoryFigures {
  const m = native.memory();
  const clients = native.clientStats();
  const keys = m.databases.reduce((sum, [, n]) => sum + n, 0);
  const databases = m.databases.map(([index, n, keyTable, expireTable]) => ({
    index,
    keyTable: keyTable + n * m.entryHeader,
    expireTable,
  }));
  const overhead =
    m.startup +
    clients.mem_clients_normal! +
    clients.mem_clients_slaves! +
    databases.reduce((sum, db) => sum + db.keyTable + db.expireTable, 0);
  const dataset = Math.max(0, m.used - overhead);
  const peak = Math.max(m.peak, m.used);
  return {
    used: m.used,
    peak,
    peakPercent: ratio(m.used * 100, peak),
    startup: m.startup,
    clientsNormal: clients.mem_clients_normal!,
    clientsReplica: clients.mem_clients_slaves!,
    databases,
    tables: m.tables,
    tablesRehashing: m.tablesRehashing,
    rehashing: m.rehashing,
    overhead,
    dataset,
    datasetPercent: ratio(dataset * 100, m.used > m.startup ? m.used - m.startup : 1),
    keys,
    bytesPerKey: Math.floor(ratio(dataset, keys)),
    rss: m.sampledRss,
    allocated: m.sampledUsed,
    active: m.active,
    resident: m.resident,
    fragmentation: { ratio: ratio(m.sampledRss, m.sampledUsed), bytes: m.sampledRss - m.sampledUsed },
    allocatorFragmentation: { ratio: ratio(m.active, m.sampledUsed), bytes: m.active - m.sampledUsed },
    allocatorRss: { ratio: ratio(m.resident, m.active), bytes: m.resident - m.active },
    rssOverhead: { ratio: ratio(m.sampledRss, m.resident), bytes: m.sampledRss - m.resident },
  };
}

const MB = 1024 * 1024;

/** What MEMORY DOCTOR has to say; the patient's name and the texts are Valkey's. */
export function memoryReport(figures: MemoryFigures, clients: number): string {
  if (figures.used < 5 * MB) {
    return (
      "Hi Sam, this instance is empty or is using very little memory, my issues detector can't be used in these " +
      'conditions. Please, leave for your mission on Earth and fill it with some data. The new Sam and I will be back ' +
      'to our programming as soon as I finished rebooting.\n'
    );
  }
  const high = ({ ratio: value, bytes }: { ratio: number; bytes: number }, limit: number) =>
    value > limit && bytes > 10 * MB;
  const issues: string[] = [];
  if (figures.peak / figures.used > 1.5) {
    issues.push(
      'Peak memory: In the past this instance used more than 150% the memory that is currently using. The allocator is ' +
        'normally not able to release memory after a peak, so you can expect to see a big fragmentation ratio, however ' +
        'this is actually harmless and is only due to the memory peak, and if the Valkey instance Resident Set Size ' +
        '(RSS) is currently bigger than expected, the memory will be used as soon as you fill the Valkey instance with ' +
        'more data. If the memory peak was only occasional and you want to try to reclaim memory, please try the ' +
        'MEMORY PURGE command, otherwise the only other option is to shutdown and restart the instance.',
    );
  }
  if (high(figures.fragmentation, 1.4)) {
    issues.push(
      'High total RSS: This instance has a memory fragmentation and RSS overhead greater than 1.4 (this means that the ' +
        'Resident Set Size of the Valkey process is much larger than the sum of the logical allocations Valkey ' +
        'performed). This problem is usually due either to a large peak memory (check if there is a peak memory entry ' +
        'above in the report) or may result from a workload that causes the allocator to fragment memory a lot. If the ' +
        'problem is a large peak memory, then there is no issue. Otherwise, make sure you are using the Jemalloc ' +
        `allocator and not the default libc malloc. Note: The currently used allocator is "${ALLOCATOR}".`,
    );
  }
  if (high(figures.allocatorFragmentation, 1.1)) {
    issues.push(
      'High allocator fragmentation: This instance has an allocator external fragmentation greater than 1.1. This ' +
        'problem is usually due either to a large peak memory (check if there is a peak memory entry above in the ' +
        "report) or may result from a workload that causes the allocator to fragment memory a lot. You can try enabling 'activedefrag' config option.",
    );
  }
  if (high(figures.allocatorRss, 1.1)) {
    issues.push(
      'High allocator RSS overhead: This instance has an RSS memory overhead is greater than 1.1 (this means that the ' +
        'Resident Set Size of the allocator is much larger than the sum what the allocator actually holds). This ' +
        'problem is usually due to a large peak memory (check if there is a peak memory entry above in the report), ' +
        'you can try the MEMORY PURGE command to reclaim it.',
    );
  }
  if (high(figures.rssOverhead, 1.1)) {
    issues.push(
      'High process RSS overhead: This instance has non-allocator RSS memory overhead is greater than 1.1 (this means ' +
        'that the Resident Set Size of the Valkey process is much larger than the RSS the allocator holds). This ' +
        'problem may be due to Lua scripts or Modules.',
    );
  }
  if (ratio(figures.clientsNormal, clients) > 200 * 1024) {
    issues.push(
      'Big client buffers: The clients output buffers in this instance are greater than 200K per client (on average). ' +
        'This may result from different causes, like Pub/Sub clients subscribed to channels bot not receiving data ' +
        'fast enough, so that data piles on the Valkey instance output buffer, or clients sending commands with large ' +
        'replies or very large sequences of commands in the same pipeline. Please use the CLIENT LIST command in order ' +
        'to investigate the issue if it causes problems in your instance, or to understand better why certain clients ' +
        'are using a big amount of memory.',
    );
  }
  if (issues.length === 0) {
    return "Hi Sam, I can't find any memory issue in your instance. I can only account for what occurs on this base.\n";
  }
  return (
    'Sam, I detected a few issues in this Valkey instance memory implants:\n\n' +
    `${issues.map((issue) => ` * ${issue}\n\n`).join('')}I'm here to keep you safe, Sam. I want to help you.\n`
  );
}
