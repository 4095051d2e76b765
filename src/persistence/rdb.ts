/**
 * The RDB file of a server: writing it at once (SAVE, the last snapshot before exiting), and reading it at start and for
 * DEBUG RELOAD. The bytes are the core's (native/core/persist); names, order of steps and log lines are decided here,
 * and are Valkey's.
 *
 * A file is replaced whole or not at all: it is written under another name, synced, renamed, and the directory synced.
 */
import { closeSync, fsyncSync, openSync, renameSync, unlinkSync } from 'node:fs';
import { toPath } from '../config/bytes.js';
import type { Config } from '../config/config.js';
import { joinPath } from '../config/directory.js';
import { strerror } from '../config/errno.js';
import type { SavePoint } from '../config/special.js';
import type { LoadOptions, LoadResult, NativeServer, SaveFailure, SaveFileOptions } from '../native/addon.js';
import type { Log } from '../observability/log.js';
import type { ShutdownStep } from '../server/lifecycle.js';
import { NO_SAVE, type SaveEffect, type SaveEvent, saveStep } from './background-save.js';
import { error, type ReplyEffect, replyOf, status, unixTime } from './effects.js';
import type { RunningWrite, SnapshotFiles } from './snapshot-files.js';

/** `missing`: there is no such file. */
export type RdbLoaded = LoadResult | 'missing';

export interface SaveOptions {
  /** The file will be read again soon: it may stay in the page cache. */
  keepCache?: boolean;
}

export interface RdbSurroundings {
  config: Config;
  log: Log;
  native: NativeServer;
  files: SnapshotFiles;
  /** The append-only file is being rewritten, which a background save has to wait for. */
  rewriting: () => boolean;
  /** What the file holds leaves nothing but to end: never returns in a server of its own. */
  fatal: () => void;
}

/** Figures of INFO persistence; seconds of Unix time, or -1. */
export interface SaveFigures {
  readonly running: boolean;
  readonly lastSave: number;
  /** Saves begun. */
  readonly saves: number;
  readonly lastOk: boolean;
  readonly lastSeconds: number;
  readonly currentSeconds: number;
  /** Of the save that is under way: keys that it is to write, and those it has. */
  readonly keys: number;
  readonly delivered: number;
  /** Walks begun, for this file and for others. */
  readonly walks: number;
}

export class Rdb {
  #lastSave = unixTime();
  #saves = 0;
  #state = NO_SAVE;
  #running: RunningWrite | null = null;
  readonly #around: RdbSurroundings;
  #loaded: ((result: RdbLoaded) => void) | null = null;

  constructor(around: RdbSurroundings) {
    this.#around = around;
    for (const name of ['save', 'stop-writes-on-bgsave-error'] as const) {
      around.config.onApply(name, () => {
        this.#judgeWrites();
        return undefined;
      });
    }
  }

  /** Unix time of the last successful save, at first that of the start. */
  get lastSave(): number {
    return this.#lastSave;
  }

  /** Writes `dbfilename` while everything else waits. False: it could not, and the log says why. */
  save(options: SaveOptions = {}): boolean {
    const { native } = this.#around;
    const temporary = this.#temporary;
    const failure = native.saveRdb(this.#path(temporary), this.#fileOptions(options.keepCache ?? false));
    if (failure !== undefined) {
      this.#reportFailure(failure, temporary);
      return false;
    }
    if (!this.#install(temporary)) return false;
    native.saved(Number.MAX_SAFE_INTEGER);
    this.#lastSave = unixTime();
    this.#state = { ...this.#state, lastOk: true };
    this.#judgeWrites();
    return true;
  }

  /** SAVE */
  saveNow(): boolean {
    this.#saves++;
    return this.save();
  }

  // ------------------------------------------------------------------ in the background

  /** BGSAVE [SCHEDULE] */
  request(schedule: boolean): ReplyEffect {
    const { native, rewriting } = this.#around;
    const inTransaction = native.aof('state').nested;
    return this.#answer({ type: 'request', schedule, rewriting: rewriting(), inTransaction });
  }

  /** BGSAVE CANCEL */
  cancel(): ReplyEffect {
    return this.#answer({ type: 'cancel', now: unixTime() });
  }

  /** FLUSHALL: what is being saved is gone, and a file with points of `save` is to say so at once. */
  flushed(): void {
    this.#step({
      type: 'abandon',
      now: unixTime(),
      why: 'Background saving is given up: all databases were flushed',
    });
    if (this.#around.config.value('save').length > 0) this.save();
  }

  /** Periodic work. */
  tick(): void {
    const { config, native, rewriting } = this.#around;
    if (native.loading().active) return;
    const points = config.value('save') as readonly SavePoint[];
    if (points.length === 0 && !this.#state.scheduled) return;
    const changes = native.stats().dirty!;
    const lastSave = this.lastSave;
    this.#step({ type: 'tick', now: unixTime(), rewriting: rewriting(), changes, lastSave, points });
  }

  get saving(): boolean {
    return this.#running !== null;
  }

  get figures(): SaveFigures {
    const { began, lastOk, lastSeconds } = this.#state;
    return {
      running: began !== null,
      lastSave: this.lastSave,
      saves: this.#saves,
      lastOk,
      lastSeconds,
      walks: this.#around.files.begun,
      currentSeconds: began === null ? -1 : unixTime() - began,
      ...(this.#running?.progress() ?? { keys: 0, delivered: 0 }),
    };
  }

  /** CONFIG RESETSTAT */
  resetFigures(): void {
    this.#saves = 0;
    this.#around.files.begun = 0;
  }

  #answer(event: SaveEvent): ReplyEffect {
    const reply = replyOf(this.#step(event));
    if (reply !== undefined) return reply;
    // Why it could not begin, the log has.
    return this.saving ? status('Background saving started') : error('');
  }

  #step(event: SaveEvent): readonly SaveEffect[] {
    const { lastOk } = this.#state;
    const { state, effects } = saveStep(this.#state, event);
    this.#state = state;
    if (state.lastOk !== lastOk) this.#judgeWrites();
    for (const effect of effects) {
      if (effect.type === 'log') this.#around.log.write(effect.level, effect.text);
      else if (effect.type === 'start') this.#beginSave();
      else if (effect.type === 'abort') this.#abort();
    }
    return effects;
  }

  #beginSave(): void {
    const { log, native, files } = this.#around;
    const temporary = this.#temporary;
    const changes = native.stats().dirty!;
    this.#saves++;
    const running = files.begin(this.#path(temporary), this.#fileOptions(false), (failure) => {
      this.#running = null;
      if (failure !== null) this.#reportFailure(failure, temporary);
      const ok = failure === null && this.#install(temporary);
      if (ok) {
        native.saved(changes);
        this.#lastSave = unixTime();
      }
      this.#step({ type: 'ended', now: unixTime(), ok });
    });
    if ('operation' in running) {
      this.#reportFailure(running, temporary);
      this.#step({ type: 'not-started', now: unixTime() });
      return;
    }
    this.#running = running;
    log.notice(`Background saving started by pid ${process.pid}`);
    this.#step({ type: 'started', now: unixTime() });
  }

  #abort(): void {
    this.#running?.cancel();
    this.#running = null;
    this.#remove(this.#temporary);
  }

  /** stop-writes-on-bgsave-error */
  #judgeWrites(): void {
    const { config, native } = this.#around;
    const stops = config.bool('stop-writes-on-bgsave-error') && config.value('save').length > 0;
    native.setting('saves-failed', stops && !this.#state.lastOk);
  }

  // ------------------------------------------------------------------ the file

  get #temporary(): string {
    return `temp-${process.pid}.rdb`;
  }

  #fileOptions(keepCache: boolean): SaveFileOptions {
    const incrementalFsync = this.#around.config.bool('rdb-save-incremental-fsync');
    return { aofBase: false, keepCache, incrementalFsync };
  }

  #reportFailure({ operation, error }: SaveFailure, temporary: string): void {
    if (operation === 'open') {
      this.#warn(
        `Failed opening the temp RDB file ${temporary} (in server root dir ${this.#root}) for saving: ${error}`,
      );
      return;
    }
    this.#warn(`Write error while saving DB to the disk(${operation}): ${error}`);
    this.#remove(temporary);
  }

  /** A file that is complete takes the place of the last one. */
  #install(temporary: string): boolean {
    const name = this.#around.config.str('dbfilename');
    try {
      renameSync(toPath(this.#path(temporary)), toPath(this.#path(name)));
    } catch (error) {
      this.#warn(
        `Error moving temp DB file ${temporary} on the final destination ${name} (in server root dir ${this.#root}): ` +
          strerror(error),
      );
      this.#remove(temporary);
      return false;
    }
    try {
      this.#syncDirectory();
    } catch (error) {
      this.#warn(`Failed to fsync directory while saving DB: ${strerror(error)}`);
      return false;
    }
    this.#around.log.notice('DB saved on disk');
    return true;
  }

  get #root(): string {
    const { path } = this.#around.config.directory;
    return path === '' ? 'unknown' : path;
  }

  /**
   * Begins to write the base of an append-only file while the loop goes on. The file is not removed if that fails. Null:
   * it cannot begin. Either has been logged.
   */
  rewriteBase(path: string, commands: boolean, ended: (ok: boolean) => void): RunningWrite | null {
    const options = { ...this.#baseOptions(), commands };
    const running = this.#around.files.begin(this.#path(path), options, (failure) => {
      ended(this.#baseWritten(failure));
    });
    if (!('operation' in running)) return running;
    this.#warn(`Opening the temp file for AOF rewrite in rewriteAppendOnlyFile(): ${running.error}`);
    return null;
  }

  /** Writes the base of an append-only file while everything else waits. */
  writeBase(path: string): boolean {
    return this.#baseWritten(this.#around.native.saveRdb(this.#path(path), this.#baseOptions()));
  }

  #baseOptions(): SaveFileOptions {
    const incrementalFsync = this.#around.config.bool('aof-rewrite-incremental-fsync');
    return { aofBase: true, keepCache: false, incrementalFsync };
  }

  #baseWritten(failure: SaveFailure | null | undefined): boolean {
    if (failure) this.#warn(`Write error writing append only file on disk: ${failure.error}`);
    return !failure;
  }

  /** Reads `dbfilename` while the loop goes on; clients are told that it is being loaded. */
  load(options: Partial<LoadOptions> = {}): Promise<RdbLoaded> {
    return this.#idle() ? this.#load(this.#file, options) : Promise.resolve('failed');
  }

  /** The same without a turn of the loop. */
  loadNow(options: Partial<LoadOptions> = {}): RdbLoaded {
    return this.#idle() ? this.#loadNow(this.#file, options) : 'failed';
  }

  /** Reads the base of an append-only file, or what such a file begins with. Returns where it ends, or null. */
  loadBase(path: Buffer, now: boolean): number | null | Promise<number | null> {
    const file = { name: path.toString('latin1'), path: path.toString('latin1') };
    const end = (result: RdbLoaded) => (result === 'ok' ? this.#around.native.loading().loadedBytes : null);
    if (now) return end(this.#loadNow(file, { aofBase: true }));
    return this.#load(file, { aofBase: true }).then(end);
  }

  /** The core has come to the end of a file. */
  loadEnded(result: string): void {
    const resolve = this.#loaded;
    this.#loaded = null;
    const judged = this.#judge(result as LoadResult);
    resolve?.(judged);
  }

  /**
   * Brings the data back that the last run left, if it left any. Returns false when they are there and cannot be had:
   * then the server must not serve.
   */
  async restore(): Promise<boolean> {
    const { log } = this.#around;
    const began = performance.now();
    const result = await this.load({ propagate: true });
    if (result === 'ok') {
      log.notice(`DB loaded from disk: ${((performance.now() - began) / 1000).toFixed(3)} seconds`);
    } else if (result !== 'missing') {
      log.warning('Fatal error loading the DB, check server logs. Exiting.');
      return false;
    }
    return true;
  }

  /** The last snapshot before exiting, if there are points at which to save, or somebody asked for it. */
  finalSave(): ShutdownStep {
    return {
      run: (flags, report) => {
        const { config, log } = this.#around;
        this.#step({
          type: 'abandon',
          now: unixTime(),
          why: 'There is a child saving an .rdb. Killing it!',
        });
        const wanted = config.value('save').length > 0 && !flags.has('nosave');
        if (!wanted && !flags.has('save')) return null;
        log.notice('Saving the final RDB snapshot before exiting.');
        report('Saving the final RDB snapshot');
        return this.save({ keepCache: true }) ? null : 'Error trying to save the DB';
      },
    };
  }

  get #file(): { name: string; path: string } {
    const name = this.#around.config.str('dbfilename');
    return { name, path: this.#path(name) };
  }

  #idle(): boolean {
    if (!this.#around.native.loading().active) return true;
    this.#warn('A data set is being loaded already');
    return false;
  }

  #load(file: { name: string; path: string }, options: Partial<LoadOptions>): Promise<RdbLoaded> {
    const begun = this.#begin(file, { ...options, now: false });
    if (begun !== '') return Promise.resolve(begun);
    return new Promise((resolve) => {
      this.#loaded = resolve;
    });
  }

  #loadNow(file: { name: string; path: string }, options: Partial<LoadOptions>): RdbLoaded {
    const result = this.#begin(file, { ...options, now: true });
    return result === '' ? 'failed' : this.#judge(result);
  }

  #begin(file: { name: string; path: string }, options: Partial<LoadOptions>): RdbLoaded | '' {
    const { config, native } = this.#around;
    const answer = native.loadRdb(file.path, {
      empty: false,
      emptyLazily: config.bool('replica-lazy-flush'),
      merge: false,
      aofBase: false,
      propagate: false,
      now: false,
      ...options,
    });
    if (answer.error === undefined) return answer.result;
    if (answer.error !== '')
      this.#warn(`Fatal error: can't open the RDB file ${file.name} for reading: ${answer.error}`);
    return answer.error === '' ? 'missing' : 'failed';
  }

  #judge(result: RdbLoaded): RdbLoaded {
    if (result === 'unreadable') this.#warn('Terminating server after rdb file reading failure.');
    if (result === 'unreadable' || result === 'exit') this.#around.fatal();
    return result;
  }

  #path(name: string): string {
    const { path } = this.#around.config.directory;
    return path === '' ? name : joinPath(path, name);
  }

  #warn(bytes: string): void {
    this.#around.log.warning(Buffer.from(bytes, 'latin1'));
  }

  #remove(name: string): void {
    try {
      unlinkSync(toPath(this.#path(name)));
    } catch {
      // It may never have come into being.
    }
  }

  #syncDirectory(): void {
    const { path } = this.#around.config.directory;
    const fd = openSync(path === '' ? '.' : toPath(path), 'r');
    try {
      fsyncSync(fd);
    } catch (error) {
      // Some file systems cannot: there is nothing to be done about it (fsyncFileDir of Valkey does the same).
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'EBADF' && code !== 'EINVAL') throw error;
    } finally {
      closeSync(fd);
    }
  }
}
