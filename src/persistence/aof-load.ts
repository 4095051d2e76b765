/**
 * Loading the files of a manifest: the base, which may be an RDB file, then the increments, as Valkey does it and with
 * its log lines. The commands are run by the core (native/core/engine/aof_loader.h), in slices between which clients
 * are served what may be served meanwhile.
 */
import { closeSync, readSync } from 'node:fs';
import type { AofLoadStep, NativeServer } from '../native/addon.js';
import type { Log } from '../observability/log.js';
import type { AofFiles } from './aof-files.js';
import type { AofFile, Manifest } from './aof-manifest.js';

/** `missing`: there is nothing to load. `empty`: there are files without contents. */
export type AofLoaded = 'ok' | 'truncated' | 'empty' | 'missing' | 'failed';

/** How the RDB part of a file went: where it ends, or null. */
export type RdbPart = number | null;

export interface AofLoadSurroundings {
  readonly files: AofFiles;
  readonly log: Log;
  readonly native: NativeServer;
  readonly appendfilename: string;
  /** aof-load-truncated */
  readonly loadTruncated: () => boolean;
  /** Loads the RDB file at the beginning of a file. now: without a turn of the loop. */
  readonly loadRdb: (path: Buffer, now: boolean) => RdbPart | Promise<RdbPart>;
}

/** Microseconds of running commands before clients have their turn. */
const SLICE_US = 2000;

/** What a step of loading waits for: another turn of the loop, or the RDB part. */
type Wait = undefined | Promise<RdbPart>;
type Steps<T> = Generator<Wait, T, RdbPart | undefined>;

export interface AofLoadResult {
  readonly outcome: AofLoaded;
  /** Bytes: of all files, and of the base. */
  readonly size: number;
  readonly baseSize: number;
}

export async function loadAof(manifest: Manifest, around: AofLoadSurroundings): Promise<AofLoadResult> {
  const steps = loadAll(manifest, around, false);
  let arg: RdbPart | undefined;
  for (;;) {
    const { done, value } = steps.next(arg);
    if (done) return value;
    arg = await (value ?? new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined))));
  }
}

/** The same without a turn of the loop. */
export function loadAofNow(manifest: Manifest, around: AofLoadSurroundings): AofLoadResult {
  const steps = loadAll(manifest, around, true);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

function* loadAll(manifest: Manifest, around: AofLoadSurroundings, now: boolean): Steps<AofLoadResult> {
  const { files, log, native } = around;
  const list = manifest.files;
  const nothing = (outcome: AofLoaded): AofLoadResult => ({ outcome, size: 0, baseSize: 0 });
  if (list.length === 0) return nothing('missing');
  let size = 0;
  for (const file of list) {
    const bytes = files.size(file.name);
    if (bytes === null) return nothing('failed');
    size += bytes;
  }
  if (size === 0) return nothing('empty');
  const baseSize = manifest.base === null ? 0 : (files.size(manifest.base.name) ?? 0);
  native.aof('loading', true, size);
  let outcome: AofLoaded = 'ok';
  try {
    for (const [i, file] of list.entries()) {
      const last = i === list.length - 1;
      const began = performance.now();
      outcome = yield* loadFile(file, around, now);
      if (outcome === 'ok' || (outcome === 'truncated' && last)) {
        const kind = file.type === 'b' ? 'base' : 'incr';
        log.notice(`DB loaded from ${kind} file ${file.name}: ${seconds(began)} seconds`);
      }
      // Other files have contents.
      if (outcome === 'empty') outcome = 'ok';
      if (outcome === 'truncated' && !last) {
        log.warning('Fatal error: the truncated file is not the last file');
        outcome = 'failed';
      }
      if (outcome === 'missing') outcome = 'failed';
      if (outcome === 'failed') break;
    }
  } finally {
    native.aof('loading', false, 0);
  }
  return { outcome, size, baseSize };
}

function* loadFile(file: AofFile, around: AofLoadSurroundings, now: boolean): Steps<AofLoaded> {
  const { files, log, native } = around;
  const fd = files.openForReading(file.name);
  if (typeof fd === 'string') return fd;
  const head = Buffer.alloc(6);
  const read = readSync(fd, head, 0, 6, 0);
  if (read === 0) {
    closeSync(fd);
    return 'empty';
  }
  let offset = 0;
  const magic = head.toString('latin1', 0, read);
  if (magic === 'VALKEY' || magic === 'REDIS0') {
    const old = file.name === around.appendfilename;
    log.notice(old ? 'Reading RDB preamble from AOF file...' : 'Reading RDB base file on AOF loading...');
    const part = around.loadRdb(files.absolute(files.inside(file.name)), now);
    const end = part instanceof Promise ? yield part : part;
    if (end === null || end === undefined) {
      closeSync(fd);
      log.warning(
        old
          ? `Error reading the RDB preamble of the AOF file ${file.name}, AOF loading aborted`
          : `Error reading the RDB base file ${file.name}, AOF loading aborted`,
      );
      return 'failed';
    }
    offset = end;
    if (old) log.notice('Reading the remaining AOF tail...');
  }
  native.loadAofBegin(fd, offset);
  let step: AofLoadStep;
  for (;;) {
    step = native.loadAofRun(SLICE_US);
    if (step.status !== 'more') break;
    yield;
  }
  return judge(file.name, step, around);
}

function judge(
  name: string,
  step: AofLoadStep,
  { files, log, loadTruncated }: AofLoadSurroundings,
): AofLoaded {
  switch (step.status) {
    case 'more':
    case 'done':
      return 'ok';
    case 'read-error':
      log.warning(`Unrecoverable error reading the append only file ${name}: ${step.error}`);
      return 'failed';
    case 'bad-command':
      log.warning(Buffer.from(`Error reading the append only file ${name}, error: ${step.error}`, 'latin1'));
      return 'failed';
    case 'bad-format':
      log.warning(
        `Bad file format reading the append only file ${name}: make a backup of your AOF file, then use ` +
          './valkey-check-aof --fix <filename.manifest>',
      );
      return 'failed';
    case 'torn':
      break;
  }
  if (step.inTransaction) log.warning(`Revert incomplete MULTI/EXEC transaction in AOF file ${name}`);
  if (loadTruncated()) {
    log.warning(`!!! Warning: short read while loading the AOF file ${name}!!!`);
    log.warning(`!!! Truncating the AOF ${name} at offset ${step.validUpTo} !!!`);
    const error = files.truncate(name, step.validUpTo);
    if (error === null) {
      log.warning(`AOF ${name} loaded anyway because aof-load-truncated is enabled`);
      return 'truncated';
    }
    log.warning(`Error truncating the AOF file ${name}: ${error}`);
  }
  log.warning(
    `Unexpected end of file reading the append only file ${name}. You can: 1) Make a backup of your AOF file, then ` +
      'use ./valkey-check-aof --fix <filename.manifest>. 2) Alternatively you can set the ' +
      "'aof-load-truncated' configuration option to yes and restart the server.",
  );
  return 'failed';
}

function seconds(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(3);
}
