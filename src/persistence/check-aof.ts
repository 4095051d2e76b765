/**
 * `kvasir check-aof`: whether an append-only file, or the files of a manifest, are whole, and cutting off what is not.
 * Output, line by line, is that of valkey-check-aof, since scripts read it.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { fromUtf8, toPath, toUtf8 } from '../config/bytes.js';
import { strerror } from '../config/errno.js';
import { manifestErrorLines } from './aof-files.js';
import { Manifest, ManifestError } from './aof-manifest.js';

export interface CheckAofIo {
  out(text: string): void;
  /** The answer to a question: a line of standard input, '' at its end. */
  ask(): string;
  /** Checks the RDB file at the beginning of a file and says what it finds; where it ends, or null. */
  checkRdb(path: string): number | null;
}

export interface CheckAofOptions {
  readonly fix: boolean;
  /** Unix time: what comes after the first annotation that is later is cut off. */
  readonly truncateTo: number | null;
}

/** Ends the program; what there was to say has been said. */
class Stop extends Error {}

type Verdict = 'ok' | 'empty' | 'truncated' | 'truncated-to-time';

const BUFFER_BYTES = 1 << 20;
const LINE_MAX = 128;
const ANNOTATION_MAX = 1024;
const MULTI = 'multi';
const EXEC = 'exec';

/** Reads a file from its beginning, as C's buffered streams do. */
class Reader {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #begin = 0;
  #end = 0;
  #offset = 0;
  /** A read has come to the end of the file. */
  atEnd = false;

  constructor(fd: number, offset: number) {
    this.#fd = fd;
    this.#offset = offset;
  }

  /** Where the next byte stands in the file. */
  get offset(): number {
    return this.#offset - (this.#end - this.#begin);
  }

  /** The next byte, which stays; -1 at the end. */
  peek(): number {
    return this.#begin < this.#end || this.#fill() ? this.#buffer[this.#begin]! : -1;
  }

  /** A line with its end, but at most `max` bytes; null at the end of the file. */
  line(max: number): string | null {
    let text = '';
    while (text.length < max) {
      if (this.#begin === this.#end && !this.#fill()) break;
      const most = Math.min(this.#end, this.#begin + max - text.length);
      const newline = this.#buffer.subarray(this.#begin, most).indexOf(10);
      const end = newline < 0 ? most : this.#begin + newline + 1;
      text += this.#buffer.toString('latin1', this.#begin, end);
      this.#begin = end;
      if (newline >= 0) break;
    }
    return text === '' ? null : text;
  }

  /** Goes on by n bytes, or to the end. The first `keep` and the last two of them, and how many there were. */
  take(n: number, keep: number): { head: string; tail: string; got: number } {
    let head = '';
    let tail = '';
    let got = 0;
    while (got < n) {
      if (this.#begin === this.#end && !this.#fill()) break;
      const len = Math.min(this.#end - this.#begin, n - got);
      const piece = this.#buffer.subarray(this.#begin, this.#begin + len);
      if (head.length < keep) head += piece.toString('latin1', 0, keep - head.length);
      tail = (tail + piece.toString('latin1', Math.max(0, len - 2))).slice(-2);
      this.#begin += len;
      got += len;
    }
    return { head, tail, got };
  }

  #fill(): boolean {
    const n = readSync(this.#fd, this.#buffer, 0, BUFFER_BYTES, this.#offset);
    this.#begin = 0;
    this.#end = n;
    this.#offset += n;
    if (n === 0) this.atEnd = true;
    return n > 0;
  }
}

export class AofCheck {
  readonly #io: CheckAofIo;
  readonly #options: CheckAofOptions;
  #error = '';
  #errorOffset = 0;
  /** Lines of all files so far. */
  #line = 1;

  constructor(io: CheckAofIo, options: CheckAofOptions) {
    this.#io = io;
    this.#options = options;
  }

  /** @returns the exit code. */
  run(path: string): number {
    try {
      if (this.#isManifest(path)) this.#checkParts(path);
      else this.#checkSingle(path);
      return 0;
    } catch (error) {
      if (error instanceof Stop) return 1;
      throw error;
    }
  }

  #checkSingle(path: string): void {
    const preamble = this.#isRdb(path);
    this.#io.out('Start checking Old-Style AOF\n');
    this.#report(this.#check(path, path, true, preamble), path, 'AOF');
  }

  #checkParts(path: string): void {
    const { out } = this.#io;
    out('Start checking Multi Part AOF\n');
    const { base, increments } = this.#readManifest(path);
    const inside = (name: string) => `${dirname(path)}/${toUtf8(name)}`;
    if (base !== null) {
      const preamble = this.#isRdb(inside(base.name));
      out(`Start to check BASE AOF (${preamble ? 'RDB' : 'RESP'} format).\n`);
      const verdict = this.#check(base.name, inside(base.name), increments.length === 0, preamble);
      this.#report(verdict, base.name, 'BASE AOF');
    }
    if (increments.length > 0) {
      out('Start to check INCR files.\n');
      for (const [i, { name }] of increments.entries()) {
        const verdict = this.#check(name, inside(name), i === increments.length - 1, false);
        this.#report(verdict, name, 'INCR AOF');
      }
    }
    out('All AOF files and manifest are valid\n');
  }

  #readManifest(path: string): Manifest {
    try {
      return Manifest.parse(readFileSync(path, 'latin1'));
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
      for (const line of manifestErrorLines(error)) this.#io.out(`${line}\n`);
      throw new Stop();
    }
  }

  #report(verdict: Verdict, name: string, kind: string): void {
    const { out } = this.#io;
    if (verdict === 'ok') out(`${kind} ${name} is valid\n`);
    else if (verdict === 'empty') out(`${kind} ${name} is empty\n`);
    else if (verdict === 'truncated') out(`Successfully truncated AOF ${name}\n`);
    else out(`Successfully truncated AOF ${name} to timestamp ${this.#options.truncateTo}\n`);
  }

  #stop(text: string): never {
    this.#io.out(text);
    throw new Stop();
  }

  #fail(text: string): false {
    this.#error = `0x${this.#errorOffset.toString(16).padStart(16)}: ${text}`;
    return false;
  }

  #open(path: string, flags: 'r' | 'r+', refusal: string): number {
    try {
      return openSync(path, flags);
    } catch (error) {
      return this.#stop(`Cannot open file ${fromUtf8(path)}: ${strerror(error)}${refusal}\n`);
    }
  }

  #check(name: string, path: string, last: boolean, preamble: boolean): Verdict {
    const { out } = this.#io;
    const fd = this.#open(path, 'r+', ', aborting...');
    try {
      const { size } = fstatSync(fd);
      if (size === 0) return 'empty';
      let begin = 0;
      if (preamble) {
        const end = this.#io.checkRdb(path);
        if (end === null) this.#stop('RDB preamble of AOF file is not sane, aborting.\n');
        out('RDB preamble is OK, proceeding with AOF tail...\n');
        begin = end;
      }
      const reader = new Reader(fd, begin);
      const whole = this.#readCommands(reader, name, path, fd, last);
      if (whole === null) return 'truncated-to-time';
      return this.#judge(name, fd, size, whole, last);
    } finally {
      closeSync(fd);
    }
  }

  /** Where the last whole command or transaction ends; null: the file was cut at a time. */
  #readCommands(reader: Reader, name: string, path: string, fd: number, last: boolean): number | null {
    const open = { multi: 0 };
    let whole = reader.offset;
    for (;;) {
      if (open.multi === 0) whole = reader.offset;
      const first = reader.peek();
      if (first < 0) break;
      if (first === 0x23) {
        if (!this.#readAnnotation(reader, path, fd, last)) return null;
      } else if (first === 0x2a) {
        if (!this.#readCommand(reader, path, open)) break;
      } else {
        this.#io.out(`AOF ${name} format error\n`);
        break;
      }
    }
    if (reader.atEnd && open.multi !== 0 && this.#error === '')
      this.#fail('Reached EOF before reading EXEC for MULTI');
    if (this.#error !== '') this.#io.out(`${this.#error}\n`);
    return whole;
  }

  #readCommand(reader: Reader, path: string, open: { multi: number }): boolean {
    const argc = this.#readLength(reader, '*');
    if (argc === null) return false;
    for (let i = 0; i < argc; i++) {
      const len = this.#readLength(reader, '$');
      if (len === null) return false;
      if (len < 0)
        return this.#fail(`Expected to read string of ${len} bytes, which is not in the suitable range`);
      this.#errorOffset = reader.offset;
      const { head, tail, got } = reader.take(len + 2, i === 0 && len <= MULTI.length ? len : 0);
      if (got < len + 2) return this.#fail(`Expected to read ${len + 2} bytes, got ${got} bytes`);
      if (!this.#lineEnd(tail)) return false;
      if (i > 0) continue;
      const command = head.toLowerCase();
      if (command === MULTI && open.multi++ !== 0)
        return this.#fail(`Unexpected MULTI in AOF ${fromUtf8(path)}`);
      if (command === EXEC && --open.multi !== 0)
        return this.#fail(`Unexpected EXEC in AOF ${fromUtf8(path)}`);
    }
    return true;
  }

  #readLength(reader: Reader, prefix: string): number | null {
    this.#errorOffset = reader.offset;
    const line = reader.line(LINE_MAX - 1);
    if (line === null) return null;
    if (line[0] !== prefix) {
      this.#fail(`Expected prefix '${prefix}', got: '${line[0]}'`);
      return null;
    }
    const digits = /^[ \t\n\v\f\r]*[+-]?\d+/.exec(line.slice(1))?.[0] ?? '';
    return this.#lineEnd(line.slice(1 + digits.length)) ? Number(digits) : null;
  }

  #lineEnd(text: string): boolean {
    if (text.startsWith('\r\n')) {
      this.#line++;
      return true;
    }
    const hex = (at: number) =>
      ((((text.charCodeAt(at) || 0) << 24) >> 24) >>> 0).toString(16).padStart(2, '0');
    return this.#fail(`Expected \\r\\n, got: ${hex(0)}${hex(1)}`);
  }

  /** False: the file has been cut before it. */
  #readAnnotation(reader: Reader, path: string, fd: number, last: boolean): boolean {
    const { truncateTo } = this.#options;
    const at = reader.offset;
    this.#errorOffset = at;
    const line = reader.line(ANNOTATION_MAX - 1)!;
    if (truncateTo === null || !line.startsWith('#TS:')) return true;
    const [, digits = '', rest = ''] = /^#TS:([ \t]*[+-]?\d*)(.?)/s.exec(line)!;
    if (rest !== '\r') this.#stop('Invalid timestamp annotation\n');
    if (Number(digits) <= truncateTo) return true;
    const file = fromUtf8(path);
    if (at === 0) this.#stop(`AOF ${file} has nothing before timestamp ${truncateTo}, aborting...\n`);
    if (!last) {
      this.#stop(
        `Failed to truncate AOF ${file} to timestamp ${truncateTo} to offset ${at} because it is not the last file.\n` +
          'If you insist, please delete all files after this file according to the manifest file and delete the ' +
          'corresponding records in manifest file manually. Then re-run valkey-check-aof.\n',
      );
    }
    try {
      ftruncateSync(fd, at);
      return false;
    } catch {
      return this.#stop(`Failed to truncate AOF ${file} to timestamp ${truncateTo}\n`);
    }
  }

  #judge(name: string, fd: number, size: number, whole: number, last: boolean): Verdict {
    const { out, ask } = this.#io;
    const diff = size - whole;
    if (diff === 0 && this.#options.truncateTo !== null) {
      out(`Truncate nothing in AOF ${name} to timestamp ${this.#options.truncateTo}\n`);
      return 'ok';
    }
    out(
      `AOF analyzed: filename=${name}, size=${size}, ok_up_to=${whole}, ok_up_to_line=${this.#line}, diff=${diff}\n`,
    );
    if (diff === 0) return 'ok';
    if (!this.#options.fix) this.#stop(`AOF ${name} is not valid. Use the --fix option to try fixing it.\n`);
    if (!last) this.#stop(`Failed to truncate AOF ${name} because it is not the last file\n`);
    out(`This will shrink the AOF ${name} from ${size} bytes, with ${diff} bytes, to ${whole} bytes\n`);
    out('Continue? [y/N]: ');
    if (!/^y/i.test(ask())) this.#stop('Aborting...\n');
    try {
      ftruncateSync(fd, whole);
      return 'truncated';
    } catch {
      return this.#stop(`Failed to truncate AOF ${name}\n`);
    }
  }

  #head(path: string, bytes: number): { head: Buffer; size: number } {
    const fd = this.#open(path, 'r', '');
    try {
      const head = Buffer.alloc(bytes);
      return { head: head.subarray(0, readSync(fd, head, 0, bytes, 0)), size: fstatSync(fd).size };
    } finally {
      closeSync(fd);
    }
  }

  #isRdb(path: string): boolean {
    const { head, size } = this.#head(path, 6);
    const magic = head.toString('latin1');
    return size >= 8 && (magic.startsWith('REDIS') || magic === 'VALKEY');
  }

  /** A manifest's first line that is no comment begins with `file`. */
  #isManifest(path: string): boolean {
    const { size } = this.#head(path, 1);
    const fd = openSync(path, 'r');
    try {
      const reader = new Reader(fd, 0);
      for (let line = reader.line(1024); line !== null; line = reader.line(1024)) {
        if (!line.startsWith('#')) return size > 0 && line.startsWith('file');
      }
      return false;
    } finally {
      closeSync(fd);
    }
  }
}

export const CHECK_AOF_USAGE = (program: string): string =>
  `Usage: ${program} [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>\n`;

/** Runs the program. @returns its exit code. */
export function checkAof(program: string, args: readonly string[], io: CheckAofIo, version: string): number {
  let options: CheckAofOptions = { fix: false, truncateTo: null };
  let path: string;
  if (args.length === 1) {
    if (args[0] === '-v' || args[0] === '--version') {
      io.out(`${version}\n`);
      return 0;
    }
    path = args[0]!;
  } else if (args.length === 2 && args[0] === '--fix') {
    options = { fix: true, truncateTo: null };
    path = args[1]!;
  } else if (args.length === 3 && args[0] === '--truncate-to-timestamp') {
    if (!/^[+-]?\d+$/.test(args[1]!)) {
      io.out('Invalid timestamp, aborting...\n');
      return 1;
    }
    // 0 is no timestamp.
    options = { fix: false, truncateTo: Number(args[1]) || null };
    path = args[2]!;
  } else {
    io.out(CHECK_AOF_USAGE(program));
    return 1;
  }
  if (toPath(fromUtf8(path)).length > 4096) {
    io.out('Error: filepath is too long (exceeds PATH_MAX)\n');
    io.out(CHECK_AOF_USAGE(program));
    return 1;
  }
  return new AofCheck(io, options).run(path);
}
