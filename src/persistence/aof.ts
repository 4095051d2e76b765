/**
 * The append-only file of a server: which files there are, what is written where, and when it is rewritten.
 *
 * The core writes the increment (native/core/persist/aof_writer.h) and runs the commands of files that are loaded; the
 * schedule of rewrites is rewrite-schedule.ts; the manifest is aof-manifest.ts. Here they are put together: every step
 * is on disk before the next one relies on it, so that a crash between any two leaves a manifest whose files hold all
 * that was acknowledged.
 */
import { closeSync } from 'node:fs';
import type { Config } from '../config/config.js';
import type { AofWriterState, NativeServer } from '../native/addon.js';
import type { Log } from '../observability/log.js';
import type { ShutdownStep } from '../server/lifecycle.js';
import { AofFatal, AofFiles } from './aof-files.js';
import { type AofLoadResult, loadAof, loadAofNow, type RdbPart } from './aof-load.js';
import { Manifest } from './aof-manifest.js';
import { error, type ReplyEffect, replyOf, status, unixTime } from './effects.js';
import {
  INITIAL,
  type RewriteEffect,
  type RewriteEvent,
  type RewriteState,
  rewriteStep,
} from './rewrite-schedule.js';

export type BaseFormat = 'rdb' | 'aof';

/** A rewrite that is under way. */
export interface RunningRewrite {
  /** Ends it; the file is removed. `ended` is not called any more. */
  cancel(): void;
}

export interface AofSurroundings {
  readonly config: Config;
  readonly log: Log;
  readonly native: NativeServer;
  /** Somebody saves the data set, so that a rewrite has to wait. */
  readonly saving: () => boolean;
  /**
   * Begins to write the data set as it is now into a file, which is complete and synced when `ended` is called with
   * true; with false the reason has been logged. Null: it cannot even begin, and that has been logged.
   */
  readonly rewrite: (path: string, format: BaseFormat, ended: (ok: boolean) => void) => RunningRewrite | null;
  /** The same while everything else waits. */
  readonly rewriteNow: (path: string, format: BaseFormat) => boolean;
  readonly loadRdb: (path: Buffer, now: boolean) => RdbPart | Promise<RdbPart>;
  /** There is nothing left but to end: never returns in a server of its own. */
  readonly fatal: () => void;
}

/** Figures of INFO persistence. */
export interface AofFigures {
  readonly enabled: boolean;
  readonly rewriting: boolean;
  readonly scheduled: boolean;
  /** Seconds; -1: none. */
  readonly lastRewriteSeconds: number;
  readonly currentRewriteSeconds: number;
  readonly lastRewriteOk: boolean;
  readonly rewrites: number;
  readonly failures: number;
  readonly writeOk: boolean;
  readonly currentSize: number;
  readonly baseSize: number;
  readonly bufferLength: number;
  readonly pendingSyncs: number;
  readonly delayedSyncs: number;
}

export class AppendOnlyFile {
  readonly #around: AofSurroundings;
  readonly #files: AofFiles;
  readonly #appendfilename: string;
  #manifest = Manifest.empty;
  #state: RewriteState = INITIAL;
  #running: RunningRewrite | null = null;
  #format: BaseFormat = 'rdb';
  #rewriteBegan = 0;
  #lastRewriteSeconds = -1;
  #rewrites = 0;
  /** Bytes of all files but the one that is being written, and of all of them after the last rewrite. */
  #closedSize = 0;
  #baseSize = 0;

  constructor(around: AofSurroundings) {
    const { config, log } = around;
    this.#around = around;
    this.#appendfilename = config.str('appendfilename');
    this.#files = new AofFiles(
      {
        root: () => config.directory.path,
        appenddirname: config.str('appenddirname'),
        appendfilename: this.#appendfilename,
      },
      log,
    );
    config.onApply('appendonly', () => this.#switched());
    config.onApply('aof-disable-auto-gc', () => {
      this.#deleteHistory();
      return undefined;
    });
  }

  get figures(): AofFigures {
    const writer = this.#writer();
    return {
      enabled: this.#state.mode !== 'off',
      rewriting: this.#state.rewriting,
      scheduled: this.#state.scheduled,
      lastRewriteSeconds: this.#lastRewriteSeconds,
      currentRewriteSeconds: this.#state.rewriting ? unixTime() - this.#rewriteBegan : -1,
      lastRewriteOk: this.#state.lastOk,
      rewrites: this.#rewrites,
      failures: this.#state.failures,
      writeOk: writer.error === 0,
      currentSize: this.#closedSize + writer.size,
      baseSize: this.#baseSize,
      bufferLength: writer.waiting,
      pendingSyncs: writer.pendingSyncs,
      delayedSyncs: writer.delayedSyncs,
    };
  }

  get rewriting(): boolean {
    return this.#state.rewriting;
  }

  // ------------------------------------------------------------------ start

  /**
   * What a server does with `appendonly yes` before it serves: reads the files and opens the last one for writing.
   * @throws AofFatal, after logging why.
   */
  async start(): Promise<void> {
    const { config, log } = this.#around;
    this.#manifest = this.#files.readManifest();
    if (!config.bool('appendonly')) return;
    const began = performance.now();
    const loaded = await this.#load();
    if (loaded.outcome === 'failed') throw new AofFatal();
    if (loaded.outcome !== 'missing') {
      const seconds = ((performance.now() - began) / 1000).toFixed(3);
      log.notice(`DB loaded from append only file: ${seconds} seconds`);
    }
    this.#openAtStart();
    this.#state = { ...this.#state, mode: 'on' };
    this.#deleteHistory();
  }

  /** DEBUG LOADAOF. False: what is loaded now is not all. */
  async reload(): Promise<boolean> {
    const manifest = this.#manifestOfNow();
    return manifest !== null && this.#reloaded(await loadAof(manifest, this.#loadSurroundings()));
  }

  /** The same without a turn of the loop. */
  reloadNow(): boolean {
    const manifest = this.#manifestOfNow();
    return manifest !== null && this.#reloaded(loadAofNow(manifest, this.#loadSurroundings()));
  }

  /** What is on disk, when all of it is. Null: it cannot be read. */
  #manifestOfNow(): Manifest | null {
    const { fatal, native } = this.#around;
    if (this.#state.mode !== 'off') native.aof('flush');
    native.aof('empty');
    try {
      this.#manifest = this.#files.readManifest();
      this.#deleteHistory();
      return this.#upgraded();
    } catch (error) {
      if (!(error instanceof AofFatal)) throw error;
      fatal();
      return null;
    }
  }

  #reloaded(loaded: AofLoadResult): boolean {
    if (loaded.outcome !== 'ok' && loaded.outcome !== 'empty') return false;
    // What was loaded is on disk.
    this.#around.native.saved(Number.MAX_SAFE_INTEGER);
    this.#around.log.notice('Append Only File loaded by DEBUG LOADAOF');
    return true;
  }

  async #load(): Promise<AofLoadResult> {
    const loaded = await loadAof(this.#upgraded(), this.#loadSurroundings());
    if (loaded.size > 0) this.#baseSize = loaded.baseSize;
    return loaded;
  }

  #loadSurroundings() {
    const { config, log, native, loadRdb } = this.#around;
    return {
      files: this.#files,
      log,
      native,
      loadRdb,
      appendfilename: this.#appendfilename,
      loadTruncated: () => config.bool('aof-load-truncated'),
    };
  }

  /** A lone file of a version before manifests moves into the directory and is the base from then on. */
  #upgraded(): Manifest {
    const files = this.#files;
    const name = this.#appendfilename;
    if (!files.singleFileExists) return this.#manifest;
    const { base, increments, isEmpty } = this.#manifest;
    const interrupted = base !== null && increments.length === 0 && base.name === name && !files.exists(name);
    if (files.directoryExists && !isEmpty && !interrupted) return this.#manifest;
    const manifest = Manifest.upgraded(name);
    if (!files.makeDirectory() || !files.writeManifest(manifest)) throw new AofFatal();
    const { log, config } = this.#around;
    const directory = config.str('appenddirname');
    const error = files.rename(name, files.inside(name));
    if (error !== null) {
      log.warning(`Error trying to move the old AOF file ${name} into dir ${directory}: ${error}`);
      throw new AofFatal();
    }
    log.notice(
      `Successfully migrated an old-style AOF file (${name}) into the AOF directory (${directory}).`,
    );
    this.#manifest = manifest;
    return manifest;
  }

  #openAtStart(): void {
    const { log, native, rewriteNow } = this.#around;
    const files = this.#files;
    if (!files.makeDirectory()) throw new AofFatal();
    let manifest = this.#manifest;
    if (manifest.isEmpty) {
      const format = this.#baseFormat();
      manifest = manifest.withBase(this.#appendfilename, format);
      const { name } = manifest.base!;
      const temporary = `temp-rewriteaof-${process.pid}.aof`;
      if (!rewriteNow(temporary, format)) throw new AofFatal();
      const error = files.rename(temporary, files.inside(name));
      if (error !== null) {
        log.warning(`Error moving temp append only file on the final destination: ${error}`);
        files.remove(temporary);
        throw new AofFatal();
      }
      log.notice(`Creating AOF base file ${name} on server start`);
    }
    const continued = manifest.increments.length > 0;
    if (!continued) manifest = manifest.withIncrement(this.#appendfilename);
    const { name } = manifest.increments.at(-1)!;
    const fd = files.openIncrement(name, false);
    if (fd === null) throw new AofFatal();
    if (manifest !== this.#manifest && !files.writeManifest(manifest)) throw new AofFatal();
    this.#manifest = manifest;
    native.aof('open', fd);
    this.#closedSize = this.#sizeOf(manifest.files.slice(0, -1));
    log.notice(`${continued ? 'Opening' : 'Creating'} AOF incr file ${name} on server start`);
  }

  // ------------------------------------------------------------------ rewriting

  /** BGREWRITEAOF. */
  request(): ReplyEffect {
    const reply = replyOf(this.#step({ type: 'request', ...this.#obstacles() }));
    if (reply !== undefined) return reply;
    return this.#state.rewriting
      ? status('Background append only file rewriting started')
      : error(
          "Can't execute an AOF background rewriting. Please check the server logs for more information.",
        );
  }

  /** Periodic work. */
  tick(): void {
    const { config } = this.#around;
    const { mode, scheduled, rewriting } = this.#state;
    if (rewriting || (mode === 'off' && !scheduled)) return;
    this.#step({
      type: 'tick',
      saving: this.#around.saving(),
      now: unixTime(),
      size: this.#closedSize + this.#writer().size,
      baseSize: this.#baseSize,
      percentage: config.int('auto-aof-rewrite-percentage'),
      minSize: config.int('auto-aof-rewrite-min-size'),
    });
  }

  /** CONFIG SET appendonly. */
  #switched(): string | undefined {
    const wanted = this.#around.config.bool('appendonly');
    if (wanted === (this.#state.mode !== 'off')) return undefined;
    if (!wanted) {
      this.#step({ type: 'disable' });
      return undefined;
    }
    this.#step({ type: 'enable', ...this.#obstacles() });
    if (this.#state.rewriting || this.#state.scheduled) return undefined;
    this.#state = { ...this.#state, mode: 'off' };
    this.#around.log.warning(
      "The server needs to enable the AOF but can't trigger a background AOF rewrite operation. Check the above logs " +
        'for more info about the error.',
    );
    return 'Unable to turn on AOF. Check server logs.';
  }

  #obstacles() {
    return { saving: this.#around.saving(), inTransaction: this.#around.native.aof('state').nested };
  }

  #step(event: RewriteEvent): readonly RewriteEffect[] {
    const { state, effects } = rewriteStep(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#apply(effect);
    return effects;
  }

  #apply(effect: RewriteEffect): void {
    const { native, log } = this.#around;
    switch (effect.type) {
      case 'start':
        this.#step({ type: this.#begin() ? 'started' : 'not-started' });
        break;
      case 'cancel':
        // Valkey's line, which operators and tests wait for; here the child is a walk in the same process.
        log.notice(`Killing running AOF rewrite child: ${process.pid}`);
        this.#running?.cancel();
        this.#running = null;
        this.#noteEnd();
        break;
      case 'stop-writing':
        native.aof('stop');
        this.#closedSize = 0;
        break;
      case 'drop-increment': {
        const name = this.#files.temporaryIncrement;
        native.aof('discard');
        log.notice(`Removing the temp incr aof file ${name} in the background`);
        this.#files.removeLater(this.#files.inside(name));
        break;
      }
      case 'forget-errors':
        native.aof('forget-errors');
        break;
      case 'log':
        log.write(effect.level, effect.text);
        break;
      case 'reply':
        break;
    }
  }

  /** The increment that begins with the rewrite, then the rewrite itself: both see the same moment. */
  #begin(): boolean {
    const { native, log } = this.#around;
    if (!this.#files.makeDirectory()) return false;
    if (this.#state.mode !== 'off' && !this.#openIncrement()) return false;
    this.#rewrites++;
    this.#rewriteBegan = unixTime();
    this.#format = this.#baseFormat();
    native.aof('saving', true);
    const ended = (ok: boolean) => {
      this.#running = null;
      this.#ended(ok);
    };
    const running = this.#around.rewrite(this.#temporaryBase, this.#format, ended);
    if (running === null) {
      native.aof('saving', false);
      log.warning("Can't rewrite append only file in background");
      return false;
    }
    log.notice('Background append only file rewriting started');
    this.#running = running;
    return true;
  }

  #openIncrement(): boolean {
    const { native, log } = this.#around;
    const files = this.#files;
    const waiting = this.#state.mode === 'waiting';
    const manifest = waiting ? this.#manifest : this.#manifest.withIncrement(this.#appendfilename);
    const name = waiting ? files.temporaryIncrement : manifest.increments.at(-1)!.name;
    if (!native.aof('flush')) return false;
    const before = this.#writer();
    const fd = files.openIncrement(name, true);
    if (fd === null) return false;
    if ((!waiting && !files.writeManifest(manifest)) || !native.aof('open', fd)) {
      closeSync(fd);
      return false;
    }
    this.#closedSize += before.size;
    this.#manifest = manifest;
    log.notice(`Creating AOF incr file ${name} on background rewrite`);
    return true;
  }

  #ended(ok: boolean): void {
    const { log } = this.#around;
    if (ok) log.notice('Background AOF rewrite terminated with success');
    else log.warning('Background AOF rewrite terminated with error');
    const replaced = ok && this.#replaceBase();
    this.#files.removeLater(this.#temporaryBase);
    this.#noteEnd();
    this.#step({ type: replaced ? 'rewritten' : 'failed' });
    if (!replaced) return;
    this.#deleteHistory();
    log.notice('Background AOF rewrite finished successfully');
  }

  #noteEnd(): void {
    this.#around.native.aof('saving', false);
    this.#lastRewriteSeconds = unixTime() - this.#rewriteBegan;
  }

  /** Puts the new base in the place of the old one and of all increments that it holds. */
  #replaceBase(): boolean {
    const { log } = this.#around;
    const files = this.#files;
    let manifest = this.#manifest.withBase(this.#appendfilename, this.#format);
    const base = manifest.base!.name;
    const basePath = files.inside(base);
    const temporary = this.#temporaryBase;
    let error = this.#timed(() => files.rename(temporary, basePath));
    if (error !== null) {
      log.warning(
        `Error trying to rename the temporary AOF base file ${temporary} into ${basePath}: ${error}`,
      );
      return false;
    }
    log.notice(`Successfully renamed the temporary AOF base file ${temporary} into ${base}`);
    let incrementPath: string | null = null;
    if (this.#state.mode === 'waiting') {
      manifest = manifest.withIncrement(this.#appendfilename);
      const { name } = manifest.increments.at(-1)!;
      const from = files.inside(files.temporaryIncrement);
      const to = files.inside(name);
      error = this.#timed(() => files.rename(from, to));
      if (error !== null) {
        log.warning(`Error trying to rename the temporary AOF incr file ${from} into ${to}: ${error}`);
        files.removeLater(basePath);
        return false;
      }
      incrementPath = to;
      log.notice(`Successfully renamed the temporary AOF incr file ${files.temporaryIncrement} into ${name}`);
    }
    manifest = manifest.withRewritten(this.#state.mode !== 'off');
    if (!files.writeManifest(manifest)) {
      files.removeLater(basePath);
      if (incrementPath !== null) files.removeLater(incrementPath);
      return false;
    }
    this.#manifest = manifest;
    if (this.#state.mode !== 'off') {
      this.#closedSize = files.size(base) ?? 0;
      this.#baseSize = this.#closedSize + this.#writer().size;
    }
    return true;
  }

  #timed(rename: () => string | null): string | null {
    const { config, native } = this.#around;
    const began = performance.now();
    const error = rename();
    const ms = performance.now() - began;
    const threshold = config.int('latency-monitor-threshold');
    if (error === null && threshold > 0 && ms >= threshold)
      native.latency('add', 'aof-rename', Math.floor(ms));
    return error;
  }

  #deleteHistory(): void {
    const { history } = this.#manifest;
    if (history.length === 0 || this.#around.config.bool('aof-disable-auto-gc')) return;
    for (const { name } of history) {
      this.#around.log.notice(`Removing the history file ${name} in the background`);
      this.#files.removeLater(this.#files.inside(name));
    }
    this.#manifest = this.#manifest.withoutHistory();
    this.#files.writeManifest(this.#manifest);
  }

  // ------------------------------------------------------------------ end

  /** Everything is put on disk; a first rewrite that is not done yet holds the end up. */
  finalSync(): ShutdownStep {
    return {
      run: (flags) => {
        const { log, native } = this.#around;
        if (this.#state.rewriting) {
          if (this.#state.mode === 'waiting') {
            if (!flags.has('force')) return 'Writing initial AOF';
            log.warning('Writing initial AOF. Exit anyway.');
          }
          log.warning('There is a child rewriting the AOF. Killing it!');
          this.#apply({ type: 'cancel' });
          this.#state = { ...this.#state, rewriting: false };
        }
        if (this.#state.mode !== 'off') {
          log.notice('Calling fsync() on the AOF file.');
          native.aof('sync');
        }
        return null;
      },
    };
  }

  /** The server is closed, asked to or not: what it has acknowledged is not lost. */
  close(): void {
    this.#running?.cancel();
    this.#running = null;
    if (this.#state.mode !== 'off') this.#around.native.aof('sync');
  }

  get #temporaryBase(): string {
    return `temp-rewriteaof-bg-${process.pid}.aof`;
  }

  #baseFormat(): BaseFormat {
    return this.#around.config.bool('aof-use-rdb-preamble') ? 'rdb' : 'aof';
  }

  #sizeOf(list: readonly { name: string }[]): number {
    return list.reduce((sum, { name }) => sum + (this.#files.size(name) ?? 0), 0);
  }

  #writer(): AofWriterState {
    return this.#around.native.aof('state');
  }
}
