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
import type { LoadOptions, LoadResult, NativeServer } from '../native/addon.js';
import type { Log } from '../observability/log.js';
import type { ShutdownStep } from '../server/lifecycle.js';

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
  /** What the file holds leaves nothing but to end: never returns in a server of its own. */
  fatal: () => void;
}

export class Rdb {
  /** Unix time of the last successful save, at first that of the start. */
  lastSave = Math.floor(Date.now() / 1000);
  /** Saves begun. */
  saves = 0;
  /** What the last background save came to. */
  lastBackgroundSave: 'ok' | 'err' = 'ok';
  readonly #around: RdbSurroundings;
  #loaded: ((result: RdbLoaded) => void) | null = null;

  constructor(around: RdbSurroundings) {
    this.#around = around;
  }

  /** Writes `dbfilename` while everything else waits. False: it could not, and the log says why. */
  save(options: SaveOptions = {}): boolean {
    const { config, log, native } = this.#around;
    const name = config.str('dbfilename');
    const temporary = `temp-${process.pid}.rdb`;
    const root = config.directory.path === '' ? 'unknown' : config.directory.path;
    const failure = native.saveRdb(this.#path(temporary), {
      aofBase: false,
      keepCache: options.keepCache ?? false,
      incrementalFsync: config.bool('rdb-save-incremental-fsync'),
    });
    if (failure !== undefined) {
      if (failure.operation === 'open') {
        this.#warn(
          `Failed opening the temp RDB file ${temporary} (in server root dir ${root}) for saving: ${failure.error}`,
        );
      } else {
        this.#warn(`Write error while saving DB to the disk(${failure.operation}): ${failure.error}`);
        this.#remove(temporary);
      }
      return false;
    }
    try {
      renameSync(toPath(this.#path(temporary)), toPath(this.#path(name)));
    } catch (error) {
      this.#warn(
        `Error moving temp DB file ${temporary} on the final destination ${name} (in server root dir ${root}): ` +
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
    log.notice('DB saved on disk');
    native.saved(Number.MAX_SAFE_INTEGER);
    this.lastSave = Math.floor(Date.now() / 1000);
    this.lastBackgroundSave = 'ok';
    return true;
  }

  /** Writes the base of an append-only file while everything else waits. */
  writeBase(path: string): boolean {
    const { config, native } = this.#around;
    const failure = native.saveRdb(this.#path(path), {
      aofBase: true,
      keepCache: false,
      incrementalFsync: config.bool('aof-rewrite-incremental-fsync'),
    });
    if (failure === undefined) return true;
    this.#warn(`Write error writing append only file on disk: ${failure.error}`);
    return false;
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
