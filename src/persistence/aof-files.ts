/**
 * The directory of the append-only file: reading and replacing the manifest, opening increments, deleting what is
 * history. Every function either succeeds or logs what failed, in Valkey's words, and says so.
 *
 * Paths are latin1 bytes. Those that are logged are as the configuration has them; `root` makes them absolute.
 */
import {
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlink,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { toPath } from '../config/bytes.js';
import { joinPath } from '../config/directory.js';
import { errorCode, strerror } from '../config/errno.js';
import type { Log } from '../observability/log.js';
import { Manifest, ManifestError } from './aof-manifest.js';

export interface AofPlace {
  /** The directory that `dir` names, absolute. */
  readonly root: () => string;
  readonly appenddirname: string;
  readonly appendfilename: string;
}

/** The server cannot start, or go on: the reason has been logged. */
export class AofFatal extends Error {}

export class AofFiles {
  readonly #place: AofPlace;
  readonly #log: Log;

  constructor(place: AofPlace, log: Log) {
    this.#place = place;
    this.#log = log;
  }

  /** As it is logged. */
  inside(name: string): string {
    return joinPath(this.#place.appenddirname, name);
  }

  absolute(path: string): Buffer {
    return toPath(joinPath(this.#place.root(), path));
  }

  get temporaryIncrement(): string {
    return `temp-${this.#place.appendfilename}.incr`;
  }

  /** Of the old kind: one file in `dir`. */
  get singleFileExists(): boolean {
    return this.#isFile(this.#place.appendfilename);
  }

  exists(name: string): boolean {
    return this.#isFile(this.inside(name));
  }

  get directoryExists(): boolean {
    try {
      return statSync(this.absolute(this.#place.appenddirname)).isDirectory();
    } catch {
      return false;
    }
  }

  makeDirectory(): boolean {
    const { appenddirname } = this.#place;
    try {
      mkdirSync(this.absolute(appenddirname), { mode: 0o755 });
      return true;
    } catch (error) {
      if (errorCode(error) === 'EEXIST' && this.directoryExists) return true;
      const reason = errorCode(error) === 'EEXIST' ? 'Not a directory' : strerror(error);
      this.#log.warning(`Can't open or create append-only dir ${appenddirname}: ${reason}`);
      return false;
    }
  }

  /** @throws AofFatal when there is a manifest that cannot be read. */
  readManifest(): Manifest {
    const { appenddirname, appendfilename } = this.#place;
    if (!this.directoryExists) {
      this.#log.debug(`The AOF directory ${appenddirname} doesn't exist`);
      return Manifest.empty;
    }
    const name = `${appendfilename}.manifest`;
    if (!this.exists(name)) {
      this.#log.debug(`The AOF manifest file ${name} doesn't exist`);
      return Manifest.empty;
    }
    let bytes: string;
    try {
      bytes = readFileSync(this.absolute(this.inside(name)), 'latin1');
    } catch (error) {
      this.#log.warning(
        `Fatal error: can't open the AOF manifest file ${this.inside(name)} for reading: ${strerror(error)}`,
      );
      throw new AofFatal();
    }
    try {
      return Manifest.parse(bytes);
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
      for (const line of manifestErrorLines(error)) this.#log.warning(line);
      throw new AofFatal();
    }
  }

  /** Replaces the manifest on disk, which is either the old or the new one whatever happens. */
  writeManifest(manifest: Manifest): boolean {
    const name = `${this.#place.appendfilename}.manifest`;
    const temporary = `temp-${name}`;
    let step = `Can't open the AOF manifest file ${temporary}`;
    let fd = -1;
    try {
      fd = openSync(this.absolute(this.inside(temporary)), 'w', 0o666);
      step = `Error trying to write the temporary AOF manifest file ${temporary}`;
      writeAll(fd, Buffer.from(manifest.format(), 'latin1'));
      step = `Fail to fsync the temp AOF file ${temporary}`;
      fsyncSync(fd);
      step = `Error trying to rename the temporary AOF manifest file ${temporary} into ${name}`;
      renameSync(this.absolute(this.inside(temporary)), this.absolute(this.inside(name)));
      step = `Fail to fsync AOF directory ${this.inside(name)}`;
      this.#syncDirectory();
      return true;
    } catch (error) {
      this.#log.warning(`${step}: ${strerror(error)}`);
      return false;
    } finally {
      if (fd >= 0) closeSync(fd);
    }
  }

  /** A descriptor for appending; null: logged. fresh: whatever the file holds is thrown away. */
  openIncrement(name: string, fresh: boolean): number | null {
    const { O_WRONLY, O_APPEND, O_CREAT, O_TRUNC } = constants;
    try {
      const flags = O_WRONLY | O_APPEND | O_CREAT | (fresh ? O_TRUNC : 0);
      return openSync(this.absolute(this.inside(name)), flags, 0o666);
    } catch (error) {
      this.#log.warning(`Can't open the append-only file ${name}: ${strerror(error)}`);
      return null;
    }
  }

  openForReading(name: string): number | 'missing' | 'failed' {
    try {
      return openSync(this.absolute(this.inside(name)), 'r');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') {
        this.#log.warning(`The append log file ${name} doesn't exist: ${strerror(error)}`);
        return 'missing';
      }
      this.#log.warning(
        `Fatal error: can't open the append log file ${name} for reading: ${strerror(error)}`,
      );
      return 'failed';
    }
  }

  /** Bytes; null: logged. */
  size(name: string): number | null {
    try {
      return statSync(this.absolute(this.inside(name))).size;
    } catch (error) {
      this.#log.warning(`Unable to obtain the AOF file ${name} length. stat: ${strerror(error)}`);
      return null;
    }
  }

  /** @returns the text of errno, or null. */
  truncate(name: string, size: number): string | null {
    try {
      truncateSync(this.absolute(this.inside(name)), size);
      return null;
    } catch (error) {
      return strerror(error);
    }
  }

  /** Renames paths (not names); @returns the text of errno, or null. */
  rename(from: string, to: string): string | null {
    try {
      renameSync(this.absolute(from), this.absolute(to));
      return null;
    } catch (error) {
      return strerror(error);
    }
  }

  /** Off the loop: freeing the blocks of a large file takes its time. Errors do not matter. */
  removeLater(path: string): void {
    unlink(this.absolute(path), () => {});
  }

  remove(path: string): void {
    try {
      unlinkSync(this.absolute(path));
    } catch {
      // It was not there.
    }
  }

  #isFile(path: string): boolean {
    try {
      return statSync(this.absolute(path)).isFile();
    } catch {
      return false;
    }
  }

  #syncDirectory(): void {
    const fd = openSync(this.absolute(this.#place.appenddirname), 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }
}

/** What is logged (and printed by `kvasir check-aof`) of a manifest that cannot be used. */
export function manifestErrorLines(error: ManifestError): string[] {
  const where =
    error.line === null
      ? []
      : [`Reading the manifest file, at line ${error.line.number}\n`, `>>> '${error.line.text}'\n`];
  return ['\n*** FATAL AOF MANIFEST FILE ERROR ***\n', ...where, `${error.message}\n`];
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
