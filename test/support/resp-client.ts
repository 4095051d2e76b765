/**
 * A small RESP2 and RESP3 client for tests, on a raw socket. It does what tests need and real clients hide: parsed
 * replies as they are (errors are values, not exceptions), the exact bytes of a reply, bytes of one's own on the wire,
 * pushes, and a time limit on everything.
 *
 *   const client = await RespClient.connect({ port });            // or { path } for a Unix socket
 *   await client.send('SET', 'key', 'value');                     // a parsed reply
 *   await client.pipeline([['GET', 'a'], ['GET', 'b']]);          // sent in one write
 *   (await client.raw('GET', 'key')).toString('latin1');          // '$5\r\nvalue\r\n'
 *   client.write('*1\r\n$4\r\nPI'); client.write('NG\r\n');       // any bytes, in any pieces
 *   await client.readReply();                                     // the next reply that nobody waits for yet
 *   await client.readPush();                                      // the next RESP3 push
 *   await client.closed();                                        // the server closes the connection
 *   client.close();
 *
 * Parsed values: bulk and simple strings are latin1 strings (a character is a byte; give bytes as Buffer or latin1
 * string and text outside ASCII as Buffer.from(text)), integers are numbers, or bigints beyond 2^53, doubles numbers,
 * nulls null, arrays arrays, maps Map, sets Set, errors RespError, verbatim strings VerbatimString, big numbers bigint.
 * Simple strings are plain strings unless the option `statuses` asks for SimpleString objects. RESP2 pub/sub messages
 * are ordinary arrays on the wire, hence replies here: take them with readReply().
 */

import { connect, type Socket } from 'node:net';

export type RespValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | RespError
  | SimpleString
  | VerbatimString
  | RespValue[]
  | Map<RespValue, RespValue>
  | Set<RespValue>;

/** An error reply, without its leading minus. */
export class RespError {
  constructor(readonly message: string) {}
}

/** A `+` reply, where `statuses` is set. */
export class SimpleString {
  constructor(readonly text: string) {}
}

export class VerbatimString {
  constructor(
    readonly format: string,
    readonly text: string,
  ) {}
}

export type RespArgument = string | number | bigint | Buffer;

export interface RespClientOptions {
  port?: number;
  host?: string;
  /** A Unix socket, instead of port and host. */
  path?: string;
  /** Limit on connecting and on the wait for each reply. */
  timeoutMs?: number;
  /** Parse simple strings as SimpleString, to tell them from bulk strings. */
  statuses?: boolean;
}

interface Waiter {
  resolve(frame: Buffer): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** A queue of frames, or of those who wait for one; at any time one of the two is empty. */
class FrameQueue {
  private readonly frames: Buffer[] = [];
  private readonly waiters: Waiter[] = [];
  private failure: Error | undefined;

  push(frame: Buffer): void {
    const waiter = this.waiters.shift();
    if (waiter === undefined) {
      this.frames.push(frame);
    } else {
      clearTimeout(waiter.timer);
      waiter.resolve(frame);
    }
  }

  /** Everyone who waits, now or later, for a frame that has not arrived yet gets `error`. */
  fail(error: Error): void {
    this.failure ??= error;
    for (const waiter of this.waiters.splice(0)) {
      clearTimeout(waiter.timer);
      waiter.reject(this.failure);
    }
  }

  shift(timeoutMs: number, onTimeout: () => void): Promise<Buffer> {
    const frame = this.frames.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(onTimeout, timeoutMs);
      this.waiters.push({ resolve, reject, timer });
    });
  }

  get length(): number {
    return this.frames.length;
  }
}

export class RespClient {
  private readonly replies = new FrameQueue();
  private readonly pushes = new FrameQueue();
  private readonly scanner = new FrameScanner();
  private readonly timeoutMs: number;
  private readonly statuses: boolean;
  private readonly whenClosed: Promise<void>;

  private constructor(
    /** The socket itself, for tests of pausing, half-closing and resetting. */
    readonly socket: Socket,
    options: RespClientOptions,
  ) {
    this.timeoutMs = options.timeoutMs ?? 5000;
    this.statuses = options.statuses ?? false;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.receive(chunk));
    socket.on('error', (error) => this.fail(error));
    socket.on('end', () => socket.end());
    this.whenClosed = new Promise((resolve) => {
      socket.on('close', () => {
        this.fail(new Error('connection closed'));
        resolve();
      });
    });
  }

  static connect(options: RespClientOptions): Promise<RespClient> {
    const { path, port, host = '127.0.0.1', timeoutMs = 5000 } = options;
    return new Promise((resolve, reject) => {
      const target = path === undefined ? { port: port!, host } : { path };
      const socket = connect({ ...target, allowHalfOpen: true });
      const timer = setTimeout(
        () => socket.destroy(new Error(`no connection in ${timeoutMs} ms`)),
        timeoutMs,
      );
      socket.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        resolve(new RespClient(socket, options));
      });
    });
  }

  /** Sends one command and returns its parsed reply. */
  async send(...args: RespArgument[]): Promise<RespValue> {
    this.socket.write(encodeCommand(args));
    return this.readReply();
  }

  /** Sends several commands in one write and returns their parsed replies. */
  pipeline(commands: readonly (readonly RespArgument[])[]): Promise<RespValue[]> {
    this.socket.write(Buffer.concat(commands.map(encodeCommand)));
    return Promise.all(commands.map(() => this.readReply()));
  }

  /** Sends one command and returns the exact bytes of its reply. */
  raw(...args: RespArgument[]): Promise<Buffer> {
    this.socket.write(encodeCommand(args));
    return this.readRaw();
  }

  /** Puts bytes on the wire as they are; a string is taken as latin1. */
  write(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** The next reply that no earlier call waits for, parsed. */
  async readReply(): Promise<RespValue> {
    return this.parse(await this.readRaw());
  }

  /** The bytes of the next reply that no earlier call waits for. */
  readRaw(): Promise<Buffer> {
    return this.take(this.replies, 'reply');
  }

  /** The next RESP3 push, as the array of its items. */
  async readPush(): Promise<RespValue[]> {
    return this.parse(await this.take(this.pushes, 'push')) as RespValue[];
  }

  /** How many pushes have arrived that nobody has read. */
  get pendingPushes(): number {
    return this.pushes.length;
  }

  /** How many replies have arrived that nobody waited for. */
  get pendingReplies(): number {
    return this.replies.length;
  }

  /** Resolves when the connection is closed, by whichever side. */
  async closed(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not closed in ${this.timeoutMs} ms`)), this.timeoutMs);
    });
    try {
      await Promise.race([this.whenClosed, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the connection at once; who still waits for a reply gets an error. */
  close(): void {
    this.socket.destroy();
  }

  /** A reply that comes after its time limit would be taken for the next one's, so the connection does not survive. */
  private take(queue: FrameQueue, what: string): Promise<Buffer> {
    return queue.shift(this.timeoutMs, () => {
      const error = new Error(`no ${what} in ${this.timeoutMs} ms`);
      this.fail(error);
      this.socket.destroy();
    });
  }

  private receive(chunk: Buffer): void {
    this.scanner.append(chunk);
    try {
      for (let frame = this.scanner.next(); frame !== undefined; frame = this.scanner.next()) {
        (frame[0] === 0x3e ? this.pushes : this.replies).push(frame);
      }
    } catch (error) {
      this.fail(error as Error);
      this.socket.destroy();
    }
  }

  private fail(error: Error): void {
    this.replies.fail(error);
    this.pushes.fail(error);
  }

  private parse(frame: Buffer): RespValue {
    return parseReply(frame, { statuses: this.statuses });
  }
}

/** A command as an array of bulk strings; strings are latin1. */
export function encodeCommand(args: readonly RespArgument[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg), 'latin1');
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

/** Parses the bytes of exactly one reply; throws if there is anything else. */
export function parseReply(bytes: Buffer, options: { statuses?: boolean } = {}): RespValue {
  const parser = new Parser(bytes, options.statuses ?? false);
  const value = parser.value();
  if (parser.position !== bytes.length) throw new Error('bytes after the end of the reply');
  return value;
}

/**
 * Finds the ends of replies in the byte stream without parsing them: it only counts how many values are still missing,
 * so a reply that comes in many pieces is looked at once.
 */
class FrameScanner {
  private buffer = Buffer.alloc(4096);
  private used = 0;
  private start = 0;
  private position = 0;
  private missing = 1;

  append(chunk: Buffer): void {
    if (this.used + chunk.length > this.buffer.length) {
      const live = this.used - this.start;
      const size = Math.max(this.buffer.length, 2 * (live + chunk.length));
      const next = Buffer.alloc(size);
      this.buffer.copy(next, 0, this.start, this.used);
      this.buffer = next;
      this.position -= this.start;
      this.used = live;
      this.start = 0;
    }
    chunk.copy(this.buffer, this.used);
    this.used += chunk.length;
  }

  /** A copy of the next complete reply, if there is one. */
  next(): Buffer | undefined {
    while (this.missing > 0) {
      const lineEnd = this.buffer.indexOf('\r\n', this.position);
      if (lineEnd < 0 || lineEnd + 2 > this.used) return undefined;
      const type = String.fromCharCode(this.buffer[this.position]!);
      let end = lineEnd + 2;
      let inside = 0;
      if ('$=!*~>%|'.includes(type)) {
        const length = Number(this.buffer.toString('latin1', this.position + 1, lineEnd));
        if (!Number.isInteger(length)) throw new Error(`bad length in reply: ${this.near()}`);
        if ('$=!'.includes(type)) end += length < 0 ? 0 : length + 2;
        else if (type === '%') inside = 2 * length;
        // An attribute precedes the value it belongs to, and does not count as one.
        else if (type === '|') inside = 2 * length + 1;
        else inside = Math.max(length, 0);
      } else if (!'+-:_,#('.includes(type)) {
        throw new Error(`bad type in reply: ${this.near()}`);
      }
      if (end > this.used) return undefined;
      this.position = end;
      this.missing += inside - 1;
    }
    const frame = Buffer.from(this.buffer.subarray(this.start, this.position));
    this.start = this.position;
    this.missing = 1;
    return frame;
  }

  private near(): string {
    return JSON.stringify(
      this.buffer.toString('latin1', this.position, Math.min(this.used, this.position + 40)),
    );
  }
}

class Parser {
  position = 0;

  constructor(
    private readonly bytes: Buffer,
    private readonly statuses: boolean,
  ) {}

  value(): RespValue {
    const type = String.fromCharCode(this.bytes[this.position++]!);
    const line = this.line();
    switch (type) {
      case '+':
        return this.statuses ? new SimpleString(line) : line;
      case '-':
        return new RespError(line);
      case ':':
        return safeNumber(BigInt(line));
      case ',':
        if (line === 'inf' || line === '-inf') return line === 'inf' ? Infinity : -Infinity;
        return Number(line);
      case '(':
        return BigInt(line);
      case '#':
        if (line !== 't' && line !== 'f') throw new Error(`bad boolean '${line}'`);
        return line === 't';
      case '_':
        return null;
      case '$':
        return line === '-1' ? null : this.blob(Number(line));
      case '!':
        return new RespError(this.blob(Number(line)));
      case '=': {
        const text = this.blob(Number(line));
        return new VerbatimString(text.slice(0, 3), text.slice(4));
      }
      case '*':
        return line === '-1' ? null : this.values(Number(line));
      case '>':
        return this.values(Number(line));
      case '~':
        return new Set(this.values(Number(line)));
      case '%':
        return this.map(Number(line));
      case '|':
        this.map(Number(line));
        return this.value();
      default:
        throw new Error(`bad type '${type}' in reply`);
    }
  }

  private line(): string {
    const end = this.bytes.indexOf('\r\n', this.position);
    if (end < 0) throw new Error('reply ends in the middle of a line');
    const text = this.bytes.toString('latin1', this.position, end);
    this.position = end + 2;
    return text;
  }

  private blob(length: number): string {
    const end = this.position + length;
    if (this.bytes.toString('latin1', end, end + 2) !== '\r\n')
      throw new Error('bulk string without end of line');
    const text = this.bytes.toString('latin1', this.position, end);
    this.position = end + 2;
    return text;
  }

  private values(count: number): RespValue[] {
    return Array.from({ length: count }, () => this.value());
  }

  private map(count: number): Map<RespValue, RespValue> {
    const map = new Map<RespValue, RespValue>();
    for (let i = 0; i < count; i++) {
      const key = this.value();
      map.set(key, this.value());
    }
    return map;
  }
}

function safeNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
