/**
 * The manifest of the append-only file: which files it consists of, in the order in which they are loaded.
 *
 *   base        at most one: the data set as it was at the last rewrite
 *   history     what a rewrite has made superfluous and nobody has deleted yet; never loaded
 *   increments  what was written since, sequence numbers rising
 *
 * A Manifest is never changed: every step of a rewrite makes a new one, which is put on disk before it is believed in.
 * Names and lines are latin1 bytes. Format and limits: FACTS 4 (aof.c of Valkey).
 */
import { quote, splitWords } from '../config/quoting.js';

/** `b` base, `h` history, `i` increment. */
export type AofFileType = 'b' | 'h' | 'i';

export interface AofFile {
  readonly name: string;
  readonly seq: number;
  readonly type: AofFileType;
}

/** What is wrong with a manifest, and where. */
export class ManifestError extends Error {
  /** Counted from 1; null: the error is not that of a line's contents. */
  readonly line: { readonly number: number; readonly text: string } | null;

  constructor(message: string, line: { number: number; text: string } | null = null) {
    super(message);
    this.line = line;
  }
}

const LINE_MAX = 1024;
const INVALID = 'Invalid AOF manifest file format';

/** What `fgets` would read: up to a line's end, or as much as a line may have. */
function* pieces(bytes: string): Generator<string> {
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf('\n', at);
    const end = Math.min(newline < 0 ? bytes.length : newline + 1, at + LINE_MAX);
    yield bytes.slice(at, end);
    at = end;
  }
}

/** As C's atoll. */
function leadingInteger(text: string): number {
  return Number(/^\s*[+-]?\d+/.exec(text)?.[0] ?? 0);
}

function needsQuotes(name: string): boolean {
  return name === '' || /[^\x21-\x7e]|["'\\]/.test(name);
}

function formatLine({ name, seq, type }: AofFile): string {
  return `file ${needsQuotes(name) ? quote(name) : name} seq ${seq} type ${type}\n`;
}

function parseLine(text: string, number: number): AofFile {
  const fail = (message: string) => new ManifestError(message, { number, text });
  const words = splitWords(text);
  // More pairs than we know are a newer format's.
  if (words === null || words.length < 6 || words.length % 2 !== 0) throw fail(INVALID);
  let name = '';
  let seq = 0;
  let type = '';
  for (let i = 0; i < words.length; i += 2) {
    const value = words[i + 1]!;
    switch (words[i]!.toLowerCase()) {
      case 'file':
        name = value;
        if (/[/\\]/.test(name)) throw fail("File can't be a path, just a filename");
        break;
      case 'seq':
        seq = leadingInteger(value);
        break;
      case 'type':
        type = value[0] ?? '';
        break;
    }
  }
  if (name === '' || seq === 0 || type === '') throw fail(INVALID);
  if (type !== 'b' && type !== 'h' && type !== 'i') throw fail('Unknown AOF file type');
  return { name, seq, type };
}

interface Parts {
  readonly base: AofFile | null;
  readonly history: readonly AofFile[];
  readonly increments: readonly AofFile[];
  readonly baseSeq: number;
  readonly incrementSeq: number;
}

export class Manifest {
  readonly base: AofFile | null;
  readonly history: readonly AofFile[];
  readonly increments: readonly AofFile[];
  /** The highest numbers given so far. */
  readonly baseSeq: number;
  readonly incrementSeq: number;

  static readonly empty = new Manifest({
    base: null,
    history: [],
    increments: [],
    baseSeq: 0,
    incrementSeq: 0,
  });

  constructor(parts: Parts) {
    this.base = parts.base;
    this.history = parts.history;
    this.increments = parts.increments;
    this.baseSeq = parts.baseSeq;
    this.incrementSeq = parts.incrementSeq;
  }

  /** @throws ManifestError */
  static parse(bytes: string): Manifest {
    let base: AofFile | null = null;
    const history: AofFile[] = [];
    const increments: AofFile[] = [];
    let number = 0;
    for (const piece of pieces(bytes)) {
      number++;
      if (piece.startsWith('#')) continue;
      if (!piece.endsWith('\n')) throw new ManifestError('The AOF manifest file contains too long line');
      const text = piece.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
      const file = parseLine(text, number);
      if (file.type === 'b') {
        if (base !== null) throw new ManifestError('Found duplicate base file information', { number, text });
        base = file;
      } else if (file.type === 'h') {
        history.push(file);
      } else {
        if (file.seq <= (increments.at(-1)?.seq ?? 0))
          throw new ManifestError('Found a non-monotonic sequence number', { number, text });
        increments.push(file);
      }
    }
    if (number === 0) throw new ManifestError('Found an empty AOF manifest');
    return new Manifest({
      base,
      history,
      increments,
      baseSeq: base?.seq ?? 0,
      incrementSeq: increments.at(-1)?.seq ?? 0,
    });
  }

  format(): string {
    const base = this.base === null ? [] : [this.base];
    return [...base, ...this.history, ...this.increments].map(formatLine).join('');
  }

  /** What is loaded, in order. */
  get files(): readonly AofFile[] {
    return this.base === null ? this.increments : [this.base, ...this.increments];
  }

  get isEmpty(): boolean {
    return this.base === null && this.increments.length === 0;
  }

  /** With a base of the next number; the one before it becomes history. */
  withBase(appendfilename: string, format: 'rdb' | 'aof'): Manifest {
    const seq = this.baseSeq + 1;
    return new Manifest({
      ...this,
      base: { name: `${appendfilename}.${seq}.base.${format}`, seq, type: 'b' },
      baseSeq: seq,
      history: this.base === null ? this.history : [{ ...this.base, type: 'h' }, ...this.history],
    });
  }

  /** With one increment more. */
  withIncrement(appendfilename: string): Manifest {
    const seq = this.incrementSeq + 1;
    return new Manifest({
      ...this,
      increments: [...this.increments, { name: `${appendfilename}.${seq}.incr.aof`, seq, type: 'i' }],
      incrementSeq: seq,
    });
  }

  /** A new base holds what the increments say, save the last one if that is still being written. */
  withRewritten(lastIsOpen: boolean): Manifest {
    const kept = lastIsOpen ? this.increments.slice(-1) : [];
    const done = lastIsOpen ? this.increments.slice(0, -1) : this.increments;
    const history = done.map((file): AofFile => ({ ...file, type: 'h' })).reverse();
    return new Manifest({ ...this, increments: kept, history: [...history, ...this.history] });
  }

  withoutHistory(): Manifest {
    return new Manifest({ ...this, history: [] });
  }

  /** A single file of a version before manifests becomes the base, under its own name. */
  static upgraded(name: string): Manifest {
    return new Manifest({ ...Manifest.empty, base: { name, seq: 1, type: 'b' }, baseSeq: 1 });
  }
}
