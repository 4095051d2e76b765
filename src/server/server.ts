/**
 * One server: the composition of configuration, command table, event loop and native core. It knows nothing of the
 * process it runs in (signals, files of its own, exit): that is program.ts; a program that embeds it is index.ts.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { MigrateLinks, migrateExchange } from '../cluster/migrate-links.js';
import type { CommandCall, ServerContext, ShutdownControl } from '../commands/context.js';
import { CommandTable } from '../commands/registry.js';
import type { Config } from '../config/config.js';
import { findParameter } from '../config/config.js';
import type { ParameterName } from '../config/parameters.js';
import type { NativeServer } from '../native/addon.js';
import type { Log } from '../observability/log.js';
import { AppendOnlyFile } from '../persistence/aof.js';
import { Rdb } from '../persistence/rdb.js';
import { SnapshotFiles } from '../persistence/snapshot-files.js';
import { REDIS_VERSION, VALKEY_VERSION } from '../version.js';
import { Loop } from './loop.js';

/** Parameters whose value the data plane reads as it is, by name. */
const NATIVE_PARAMETERS: readonly ParameterName[] = [
  'maxclients',
  'proto-max-bulk-len',
  'hash-max-listpack-entries',
  'hash-max-listpack-value',
  'list-max-listpack-size',
  'list-compress-depth',
  'set-max-intset-entries',
  'set-max-listpack-entries',
  'set-max-listpack-value',
  'zset-max-listpack-entries',
  'zset-max-listpack-value',
  'stream-node-max-bytes',
  'stream-node-max-entries',
  'hll-sparse-max-bytes',
  'appendfsync',
  'no-appendfsync-on-rewrite',
  'aof-timestamp-enabled',
  'rdbcompression',
  'rdbchecksum',
  'rdb-version-check',
  'rdb-key-save-delay',
  'key-load-delay',
  'loading-process-events-interval-bytes',
  'client-query-buffer-limit',
  'timeout',
  'tcp-keepalive',
  'prefetch-batch-max-size',
  'min-string-size-avoid-copy-reply',
  'max-new-connections-per-cycle',
  'active-expire-effort',
  'protected-mode',
  'latency-tracking',
  'activerehashing',
  'latency-monitor-threshold',
  'commandlog-execution-slower-than',
  'commandlog-request-larger-than',
  'commandlog-reply-larger-than',
  'commandlog-slow-execution-max-len',
  'commandlog-large-request-max-len',
  'commandlog-large-reply-max-len',
  'enable-debug-command',
  'enable-module-command',
  'hide-user-data-from-log',
  'loglevel',
  'lazyfree-lazy-user-del',
  'lazyfree-lazy-user-flush',
  'lazyfree-lazy-expire',
  'lazyfree-lazy-server-del',
  'lfu-log-factor',
  'lfu-decay-time',
  'maxmemory',
  'maxmemory-clients',
  'maxmemory-policy',
  'maxmemory-samples',
  'maxmemory-eviction-tenacity',
  'lazyfree-lazy-eviction',
  'replica-ignore-maxmemory',
  'min-replicas-to-write',
  'min-replicas-max-lag',
  'replica-read-only',
  'requirepass',
  'import-mode',
  'extended-redis-compatibility',
  'availability-zone',
  'notify-keyspace-events',
  'tracking-table-max-keys',
];

export interface ServerOptions {
  config: Config;
  log: Log;
  commands?: CommandTable;
  onControl?: (event: string, detail: string) => void;
  onCron?: () => void;
  /** What a file of data holds leaves nothing but to end. */
  onFatal?: () => void;
  /** `port 0` means a port that the system chooses, instead of none. */
  ephemeral?: boolean;
  /** Absolute path of the program, latin1 bytes; '' (the default) for a server inside of another program. */
  executable?: string;
  supervised?: ServerContext['supervised'];
}

/** A server that nobody runs: clients cannot end it. */
const NOBODY: ShutdownControl = { request: () => 'failed', abort: () => false, remainingMs: null };

/** The logs of COMMANDLOG: the index of each with the parameters of its threshold and its length. */
const COMMANDLOGS = [
  ['commandlog-execution-slower-than', 'commandlog-slow-execution-max-len'],
  ['commandlog-request-larger-than', 'commandlog-large-request-max-len'],
  ['commandlog-reply-larger-than', 'commandlog-large-reply-max-len'],
] as const;

/** `locale-collate` names no locale of this system. */
export class LocaleError extends Error {}

export class Server implements ServerContext {
  readonly config: Config;
  readonly log: Log;
  readonly commands: CommandTable;
  readonly runId = randomBytes(20).toString('hex');
  readonly replicationId = randomBytes(20).toString('hex');
  readonly startedAt = Date.now();
  readonly loop: Loop;
  readonly aof: AppendOnlyFile;
  readonly rdb: Rdb;
  readonly #migrateLinks = new MigrateLinks();
  #closed = false;
  readonly ephemeral: boolean;
  readonly executable: string;
  readonly supervised: ServerContext['supervised'];
  port = 0;
  /** Set by whoever runs the server, before it serves. */
  shutdown: ShutdownControl = NOBODY;

  constructor(options: ServerOptions) {
    const { config, log } = options;
    this.config = config;
    this.log = log;
    this.ephemeral = options.ephemeral ?? false;
    this.executable = options.executable ?? '';
    this.supervised = options.supervised ?? 'no';
    this.commands = options.commands ?? new CommandTable();
    this.loop = new Loop({
      databases: config.bool('cluster-enabled') ? config.int('cluster-databases') : config.int('databases'),
      clustered: config.bool('cluster-enabled'),
      commands: this.commands,
      log,
      context: (): CommandCall['server'] => this,
      onTask: (client, task, what, args) => this.#runTask(client, task, what, args),
      onControl: (event, detail) => {
        if (event === 'loaded') this.rdb.loadEnded(detail);
        else if (event === 'saved') snapshots.report(detail);
        else if (event === 'flushall') this.rdb.flushed();
        else options.onControl?.(event, detail);
      },
      onCron: () => {
        this.aof.tick();
        this.rdb.tick();
        options.onCron?.();
      },
    });
    const snapshots = new SnapshotFiles(this.native);
    this.aof = new AppendOnlyFile({
      config,
      log,
      native: this.native,
      saving: () => this.rdb.saving,
      rewrite: (path, format, ended) => this.rdb.rewriteBase(path, format === 'aof', ended),
      rewriteNow: (path, format) => {
        if (format === 'rdb') return this.rdb.writeBase(path);
        writeFileSync(path, '');
        return true;
      },
      loadRdb: (path, now) => this.rdb.loadBase(path, now),
      fatal: options.onFatal ?? (() => {}),
    });
    this.rdb = new Rdb({
      config,
      log,
      native: this.native,
      files: snapshots,
      rewriting: () => this.aof.rewriting,
      fatal: options.onFatal ?? (() => {}),
    });
    for (const name of NATIVE_PARAMETERS) this.#push(name);
    this.native.setting('server-version', VALKEY_VERSION);
    this.native.setting('redis-version', REDIS_VERSION);
    this.#pushOutputLimits();
    this.loop.hz = config.int('hz');
    this.#collate(config.str('locale-collate'));
    config.onApply('locale-collate', () =>
      this.native.collate(config.str('locale-collate')) ? undefined : 'Invalid locale name',
    );
    config.onChange((names) => {
      for (const name of names) {
        if (NATIVE_PARAMETERS.includes(name)) this.#push(name);
        if (name === 'client-output-buffer-limit') this.#pushOutputLimits();
        if (name === 'hz') this.loop.hz = config.int('hz');
      }
      this.#trimCommandlogs(names);
      if (names.includes('maxmemory')) this.#warnOfEviction();
    });
  }

  get shutdownRemainingMs(): number | null {
    return this.shutdown.remainingMs;
  }

  get loading(): boolean {
    return this.native.loading().active;
  }

  get cachedMigrateSockets(): number {
    return this.#migrateLinks.size;
  }

  get native(): NativeServer {
    return this.loop.native;
  }

  start(): void {
    this.loop.start();
  }

  close(): void {
    this.#closed = true;
    this.aof.close();
    this.#migrateLinks.close();
    this.loop.stop();
  }

  #runTask(client: number, task: number, what: string, args: Buffer[]): void {
    if (what !== 'migrate') throw new Error(`no task is called '${what}'`);
    void this.#migrateLinks.run(migrateExchange(args)).then(({ failure, lines }) => {
      if (!this.#closed) this.native.answerTask(client, task, failure, lines);
    });
  }

  /** The new limit is below what is in use already. */
  #warnOfEviction(): void {
    const limit = this.config.int('maxmemory');
    const { used } = this.native.memory();
    if (limit === 0 || limit >= used) return;
    this.log.warning(
      `WARNING: the new maxmemory value set via CONFIG SET (${limit}) is smaller than the current memory usage ` +
        `(${used}). This will result in key eviction and/or the inability to accept new write commands depending on ` +
        'the maxmemory-policy.',
    );
  }

  /** @throws Error for a locale that was named and does not exist; one of the environment may be missing. */
  #collate(locale: string): void {
    if (this.native.collate(locale)) return;
    if (locale !== '') {
      this.loop.stop();
      throw new LocaleError(`Failed to configure LOCALE for invalid locale name: '${locale}'.`);
    }
    this.log.warning(
      'Warning: Failed to configure LOCALE derived from the environment variables, using the default locale ' +
        "'C'.",
    );
  }

  #push(name: ParameterName): void {
    const value = this.config.raw(findParameter(name)!);
    if (!this.native.setting(name, typeof value === 'bigint' ? Number(value) : (value ?? ''))) {
      throw new Error(`the native core has no setting '${name}'`);
    }
  }

  /** A shorter log loses its oldest entries at once; one that is switched off keeps what it has. */
  #trimCommandlogs(changed: readonly ParameterName[]): void {
    for (const [type, [threshold, length]] of COMMANDLOGS.entries()) {
      if (!changed.includes(threshold) && !changed.includes(length)) continue;
      if (this.config.int(threshold) < 0 || this.config.int(length) === 0) continue;
      this.native.commandlog('trim', type, this.config.int(length));
    }
  }

  #pushOutputLimits(): void {
    const { normal, replica, pubsub } = this.config.value('client-output-buffer-limit');
    this.native.setting(
      'client-output-buffer-limit',
      [normal, replica, pubsub].map((l) => [Number(l.hard), Number(l.soft), l.softSeconds]),
    );
  }
}
