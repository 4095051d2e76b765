/**
 * What the two servers write into their append-only files for the same commands: the propagation stream made visible.
 * Both run with appendonly yes and appendfsync no, so that whatever a reply tells of is in the file before it.
 *
 * SELECTs are resolved into the database of each command, since only where they stand may differ.
 */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Mismatch } from './pair.js';
import { quote } from './resp.js';

export const INCREMENT_OPTIONS = [
  ...['--appendonly', 'yes', '--appendfsync', 'no', '--auto-aof-rewrite-percentage', '0'],
];

/** Times that both servers took from their clocks for the same command; see explained.ts. */
const CLOCK_TOLERANCE_MS = 3000;

interface Written {
  readonly db: number;
  readonly args: readonly string[];
}

/** Reads what is appended to the increment of a server. */
export class Increment {
  private readonly fd: number;
  private offset = 0;
  private rest = '';
  private db = -1;

  constructor(folder: string) {
    const directory = join(folder, 'appendonlydir');
    const name = readdirSync(directory).find((file) => file.endsWith('.incr.aof'));
    if (name === undefined) throw new Error(`no increment in ${directory}`);
    this.fd = openSync(join(directory, name), 'r');
  }

  close(): void {
    closeSync(this.fd);
  }

  /** The commands written since the last call. */
  next(): Written[] {
    const chunk = Buffer.allocUnsafe(1 << 20);
    const pieces = [this.rest];
    for (;;) {
      const n = readSync(this.fd, chunk, 0, chunk.length, this.offset);
      if (n === 0) break;
      pieces.push(chunk.toString('latin1', 0, n));
      this.offset += n;
    }
    this.rest = pieces.join('');
    const written: Written[] = [];
    let at = 0;
    for (;;) {
      const parsed = parse(this.rest, at);
      if (parsed === null) break;
      at = parsed.end;
      const { args } = parsed;
      if (args[0]!.toUpperCase() === 'SELECT') this.db = Number(args[1]);
      else written.push({ db: this.db, args });
    }
    this.rest = this.rest.slice(at);
    return written;
  }
}

/** One command from `at` on; null: there is no whole one. */
function parse(bytes: string, at: number): { args: string[]; end: number } | null {
  const line = (from: number, prefix: string): { value: number; end: number } | null => {
    const end = bytes.indexOf('\r\n', from);
    if (end < 0) return null;
    if (bytes[from] !== prefix) throw new Error(`the increment has ${quote(bytes.slice(from, from + 20))}`);
    return { value: Number(bytes.slice(from + 1, end)), end: end + 2 };
  };
  const head = line(at, '*');
  if (head === null) return null;
  const args: string[] = [];
  let end = head.end;
  for (let i = 0; i < head.value; i++) {
    const size = line(end, '$');
    if (size === null || bytes.length < size.end + size.value + 2) return null;
    args.push(bytes.slice(size.end, size.end + size.value));
    end = size.end + size.value + 2;
  }
  return { args, end };
}

/** A moment, alone or as the first part of a stream's id. */
const TIME = /^(\d{13,19})(-\d+)?$/;

function sameArgument(a: string, b: string): boolean {
  if (a === b) return true;
  const [x, y] = [TIME.exec(a), TIME.exec(b)];
  if (x === null || y === null || x[2] !== y[2]) return false;
  return Math.abs(Number(x[1]) - Number(y[1])) <= CLOCK_TOLERANCE_MS;
}

/**
 * Commands that come from a random choice, whose elements may come in any order, or that carry what each server has
 * dumped: how many arguments count.
 */
const RANDOM: Readonly<Record<string, number>> = { SREM: 2, HDEL: 2, RESTORE: 3 };

function same(a: Written, b: Written): boolean {
  const name = a.args[0]!.toUpperCase();
  if (name !== b.args[0]!.toUpperCase() || a.args.length !== b.args.length) return false;
  // These stand where they stand; their database does not matter.
  if (a.db !== b.db && name !== 'MULTI' && name !== 'EXEC') return false;
  const end = RANDOM[name] ?? a.args.length;
  for (let i = 1; i < end; i++) if (!sameArgument(a.args[i]!, b.args[i]!)) return false;
  return true;
}

const SHOWN = 80;
const show = (written: Written | undefined): string =>
  written === undefined
    ? 'nothing'
    : `[${written.db}] ${written.args.map((arg) => JSON.stringify(arg.slice(0, SHOWN))).join(' ')}`;

/** The first command that differs, with the one before it. */
export function compareIncrements(subject: Written[], reference: Written[]): Mismatch | null {
  for (let i = 0; i < Math.max(subject.length, reference.length); i++) {
    const [a, b] = [subject[i], reference[i]];
    if (a !== undefined && b !== undefined && same(a, b)) continue;
    const before = i > 0 ? `${show(subject[i - 1])} | ` : '';
    return {
      index: -1,
      subject: `increment: ${before}${show(a)}`,
      reference: `increment: ${before}${show(b)}`,
    };
  }
  return null;
}
