/**
 * The typed door to the C++ core. Nothing else loads the addon.
 *
 * Bytes cross as latin1 strings: one character is one byte.
 */
import type { NativeCommand } from '../commands/registry.js';
import type { ProcessCalls } from '../server/startup.js';
import { loadAddon } from './load.js';

export interface NativeOptions {
  databases: number;
  clustered: boolean;
}

export interface NativeCallbacks {
  /**
   * Runs a command that is implemented in TypeScript and returns its encoded reply. Argument i is
   * `bytes.slice(i === 0 ? 0 : offsets[i - 1], offsets[i])`.
   */
  upcall(
    commandId: number,
    clientId: number,
    resp: 2 | 3,
    db: number,
    local: boolean,
    mayBlock: boolean,
    argc: number,
    bytes: string,
  ): string | undefined;
  /**
   * Something to be done for a client that waits: `answerTask` says that it is. `reply` follows an upcall that returned
   * undefined, and is answered with one line, the encoded reply.
   */
  task(clientId: number, taskId: number, what: string, args: Buffer[]): void;
  /** 0 debug, 1 verbose, 2 notice, 3 warning. */
  log(level: number, message: string): void;
  /** Something the control plane has to act on. */
  control(event: string, detail: string): void;
  /** Filled before every upcall. */
  offsets: Int32Array;
}

export interface ListenResult {
  /** The bound port. */
  port: number;
  /** '' on success, else the text of errno. */
  error: string;
  /** The address family, or Multipath TCP, does not exist on this machine. */
  familyMissing: boolean;
  /** The address belongs to no interface of this machine. */
  addressMissing: boolean;
}

/** Who has paused clients most strictly, what, and for how much longer. */
export interface PausedClients {
  reason:
    | 'none'
    | 'client_pause'
    | 'shutdown_in_progress'
    | 'failover_in_progress'
    | 'slot_migration_in_progress';
  actions: 'none' | 'write' | 'all';
  timeoutMs: number;
}

export interface SaveFailure {
  /** What could not be done, by the name it has in Valkey's log; `open` for opening the file. */
  operation: string;
  /** The text of errno. */
  error: string;
}

export interface LoadOptions {
  /** Remove all data once the file's version is accepted, on the background thread if `emptyLazily`. */
  empty: boolean;
  emptyLazily: boolean;
  /** Keys of the file replace those of the same name; otherwise there must be none. */
  merge: boolean;
  /** What is past its deadline is loaded: commands follow that reckon with it. */
  aofBase: boolean;
  /** Who follows the stream is told of what is past its deadline and not loaded. */
  propagate: boolean;
  /** Do not return before it is done. */
  now: boolean;
}

/**
 * `incompatible`: nothing was changed. `failed`: part of it is loaded. `unreadable`: the same, and the process has to
 * end; `exit`: at once.
 */
export type LoadResult = 'ok' | 'incompatible' | 'failed' | 'unreadable' | 'exit';

/** Why the file cannot be opened ('': there is none of that name), or how loading ended ('': it goes on). */
export type LoadAnswer =
  | { error: string; result?: undefined }
  | { error?: undefined; result: LoadResult | '' };

/** Of the load that is going on, or was last. */
export interface LoadFigures {
  active: boolean;
  /** Unix time. */
  startTime: number;
  /** 0: not known. */
  totalBytes: number;
  loadedBytes: number;
  /** Memory that the writer of the file had in use; 0: not known. */
  usedMemory: number;
  keysLoaded: number;
  keysExpired: number;
}

/** Counters by their INFO names. */
export type NativeStats = Record<string, number> & {
  /** [code word, count] in the order of the words. */
  errors: [string, number][];
  paused: PausedClients;
};

/** [full name, calls, µs, rejected, failed] */
export type CommandStatsRow = [string, number, number, number, number];

/** [full name, values, [µs, values not above][] by powers of two, ns at each percentile asked for] */
export type HistogramRow = [string, number, [number, number][], number[]];

/** Bytes, where it says nothing else. */
export interface NativeMemory {
  used: number;
  peak: number;
  startup: number;
  /** These four were sampled together. */
  sampledUsed: number;
  sampledRss: number;
  active: number;
  resident: number;
  /** Arrays of the hash tables and what leads to them. */
  tables: number;
  tablesRehashing: number;
  /** Number of tables being resized. */
  rehashing: number;
  entryHeader: number;
  /** [db, keys, table of keys, table of deadlines] of databases that have tables, and of database 0. */
  databases: [number, number, number, number][];
}

/** [id, unix time s, µs or bytes, arguments, peer address, client name] */
export type CommandLogRow = [number, number, number, string[], string, string];

/** [event, max ms, sum, count, [unix time s, ms][] oldest first] */
export type LatencyRow = [string, number, number, number, [number, number][]];

export interface AofWriterState {
  /** Bytes in the file being written. */
  size: number;
  /** Bytes that are not in it yet. */
  waiting: number;
  pendingSyncs: number;
  /** Writes that waited in vain for a sync to end. */
  delayedSyncs: number;
  /** errno of what failed last; 0: nothing did. */
  error: number;
  /** The end of the propagation stream, and what of it is on disk. */
  offset: number;
  synced: number;
  /** The running command is part of a transaction or a script. */
  nested: boolean;
}

export interface AofLoadStep {
  status: 'more' | 'done' | 'torn' | 'bad-format' | 'read-error' | 'bad-command';
  /** How much of the file has been read. */
  offset: number;
  /** With any status but `more`: what of the file is whole commands and transactions. */
  validUpTo: number;
  /** The file ends within MULTI. */
  inTransaction: boolean;
  error: string;
}

export interface SaveFileOptions {
  /** It is the base of an append-only file. */
  aofBase: boolean;
  /** It will be read again soon: it may stay in the page cache. */
  keepCache: boolean;
  /** It is brought to disk as it grows. */
  incrementalFsync: boolean;
  /** As the commands that make the data set, not as an RDB file. In the background only. */
  commands?: boolean;
}

export interface NativeServer {
  /** Returns what is wrong with the table: handlers missing or surplus on either side. */
  loadCommands(commands: NativeCommand[]): string[];
  renameCommand(from: string, to: string): boolean;
  /** False: the data plane has no such setting. */
  setting(name: string, value: unknown): boolean;
  /** Has SORT ... ALPHA follow a locale; '' is that of the environment. False: there is none of that name. */
  collate(locale: string): boolean;
  listenTcp(host: string, port: number, backlog: number, mptcp: boolean, mark: number): ListenResult;
  listenUnix(path: string, mode: number, group: string, backlog: number): ListenResult;
  /** Without a kind: all. */
  closeListeners(kind?: 'tcp' | 'unix'): void;
  /** False: DEBUG PAUSE-CRON holds up all periodic work. */
  cron(hz: number): boolean;
  /** Writes all databases to a file while everything else waits. undefined: it is written and synced. */
  saveRdb(path: string, options: SaveFileOptions): SaveFailure | undefined;
  /** Loads a file; the control event `loaded` tells how it ended. */
  loadRdb(path: string, options: LoadOptions): LoadAnswer;
  loading(): LoadFigures;
  /** So many changes, or all that there are, are on disk. */
  saved(changes: number): void;
  /**
   * Begins to write what all databases hold now while the loop goes on. Returns a number, with which the control event
   * `saved` begins: "<number> ok", "<number> <operation> <why>" or "<number> unstorable <db> <key>".
   */
  beginSave(path: string, options: SaveFileOptions): number | SaveFailure;
  cancelSave(save: number): void;
  /** How many keys are to be written, and how many have been. */
  saveProgress(save: number): { keys: number; delivered: number };
  /** Hides argument i of the running command from logs. */
  redact(argument: number): void;
  /** The task of a client is done, or `failure` says what could not be. Nothing happens if the client has gone. */
  answerTask(clientId: number, taskId: number, failure: string, lines: readonly string[]): void;
  /** Stops accepting, reading and executing, beginning with the request after the running one. */
  halt(): void;
  stop(): void;
  stats(): NativeStats;
  resetStats(): void;
  commandStats(): CommandStatsRow[];
  /** Of the commands whose latency was recorded. */
  histograms(percentiles: readonly number[]): HistogramRow[];
  /** Figures for which every client is asked, by their INFO names. */
  clientStats(): Record<string, number>;
  memory(): NativeMemory;
  /** Gives memory that is not in use back to the system; returns the bytes. */
  purge(): number;
  /** Who a client is, for the log; '' if it has gone. */
  identity(clientId: number): string;
  /** [db, keys, expires, avg ttl ms, hashes that have fields with a deadline] of databases that have keys. */
  keyspace(): [number, number, number, number, number][];
  commandlog(what: 'get', type: number, count: number): CommandLogRow[];
  commandlog(what: 'len', type: number): number;
  commandlog(what: 'reset', type: number): void;
  commandlog(what: 'trim', type: number, length: number): void;
  latency(what: 'all'): LatencyRow[];
  latency(what: 'reset', event?: string): number;
  latency(what: 'add', event: string, ms: number): void;
  // The append-only file: native/core/persist/aof_writer.h, native/core/engine/aof_loader.h
  /** Takes a descriptor that is open for appending. False: the last command of the present file is torn. */
  aof(what: 'open', fd: number): boolean;
  /** False: it failed, and the fsync policy allows no going on. */
  aof(what: 'flush' | 'sync'): boolean;
  aof(what: 'stop' | 'discard' | 'forget-errors' | 'empty'): void;
  aof(what: 'saving', whether: boolean): void;
  aof(what: 'flush-sleep', us: number): void;
  /** Clients get -LOADING, and nothing expires. */
  aof(what: 'loading', whether: boolean, totalBytes: number): void;
  aof(what: 'state'): AofWriterState;
  /** The file is read from the descriptor's position, which is `offset`; the descriptor is given away. */
  loadAofBegin(fd: number, offset: number): void;
  loadAofRun(us: number): AofLoadStep;
  // DEBUG
  /** Hexadecimal digest of the dataset, or of one key's value. */
  debug(what: 'digest', db?: number, key?: string): string;
  debug(what: 'object', db: number, key: string, fast?: boolean): string | undefined;
  debug(what: 'populate', db: number, count: number, prefix: string, size: number): void;
  debug(what: 'htstats', db: number, full: boolean): string;
  /** False: the value is not kept in a hash table. */
  debug(what: 'htstats-key', db: number, key: string, full: boolean): string | false | undefined;
  /** The set of SIMD kernels in use, then all that run here; with a name (or `auto`) that one is chosen before. */
  debug(what: 'simd', name?: string): string[] | undefined;
  /** Stops the loop for so many microseconds. */
  debug(what: 'sleep', us: number): void;
  debug(what: 'quicklist-packed-threshold', bytes: number): void;
  debug(what: 'glob-test'): void;
  /** Does not return. how: segfault, panic, assert, oom. */
  debug(what: 'crash', how: string): void;
  /** A switch: active-expire, pause-cron, reply-buffer-resizing, dict-resizing, skip-checksum-validation. */
  debug(what: string, on: boolean): void;
}

export interface Addon extends ProcessCalls {
  NativeServer: new (options: NativeOptions, callbacks: NativeCallbacks) => NativeServer;
  /** Replaces this process by another program; returns the text of errno if that failed. */
  execute(path: string, argv: readonly string[]): string;
  /** µs of system and user time: of the process, of its ended children, of this thread. */
  cpuUsage(): [number, number, number, number, number, number];
  /** The clock that measures durations, as Valkey names it. */
  clockName(): string;
  compilerVersion: string;
}

let addon: Addon | undefined;

/** @throws AddonError when the addon cannot be loaded. */
export function openAddon(): Addon {
  addon ??= loadAddon() as Addon;
  return addon;
}
