/**
 * The connections over which MIGRATE hands keys to other servers.
 *
 * One connection a target, used by one exchange after the other; it is kept for ten seconds after its last use, and
 * at most 64 are. What is sent and what the answers mean is the command's (native/core/commands/migrate.cc): here
 * requests go out, one line comes back for each, and time is kept.
 */
import { connect, type Socket } from 'node:net';

const IDLE_MS = 10_000;
const MOST_LINKS = 64;
/** As long as a timer of Node can run. */
const LONGEST_MS = 2 ** 31 - 1;
/** No status or error line is longer. */
const LONGEST_LINE = 64 * 1024;

export interface Exchange {
  host: string;
  port: number;
  /** Selected before the requests, unless the connection is there already. */
  db: string;
  /** How long a step (to connect, to get some bytes out or in) may take. */
  timeoutMs: number;
  /** [user,] password */
  auth: readonly Buffer[];
  /** Commands as they go over the wire, and how many they are. */
  requests: Buffer;
  replies: number;
}

export interface Outcome {
  /** `connecting to the client`, `writing to target instance` …; empty: every request has its line. */
  failure: string;
  /** Without line ends. Where AUTH or SELECT was refused, their error stands in for each. */
  lines: string[];
}

/** The arguments of the task 'migrate': host, port, db, timeout, replies, requests, then what AUTH is given, if it is. */
export function migrateExchange([
  host,
  port,
  db,
  timeoutMs,
  replies,
  requests,
  ...auth
]: readonly Buffer[]): Exchange {
  return {
    host: host!.toString('latin1'),
    port: Number.parseInt(port!.toString('latin1'), 10),
    db: db!.toString('latin1'),
    timeoutMs: Math.min(Number(timeoutMs), LONGEST_MS),
    auth,
    requests: requests!,
    replies: Number(replies),
  };
}

class LinkFailure extends Error {
  constructor(
    readonly doing: string,
    readonly timedOut: boolean,
  ) {
    super(doing);
  }
}

function command(words: readonly (string | Buffer)[]): Buffer {
  const parts = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = Buffer.from(word as Buffer);
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

/** One connection. Its methods may not be called while another call is under way. */
class Link {
  /** The database the other side has selected, if that is known. */
  db: string | null = null;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static open(host: string, port: number, timeoutMs: number): Promise<Link> {
    return new Promise((resolve, reject) => {
      const failure = (timedOut: boolean) => new LinkFailure('connecting to the client', timedOut);
      if (!(port > 0 && port < 65536)) return reject(failure(false));
      const socket = connect({ host, port, noDelay: true });
      const giveUp = (timedOut: boolean) => {
        socket.destroy();
        reject(failure(timedOut));
      };
      socket.setTimeout(timeoutMs, () => giveUp(true));
      socket.once('error', () => giveUp(false));
      socket.once('connect', () => {
        socket.setTimeout(0);
        socket.removeAllListeners();
        // What happens while nobody waits is found out by the next exchange.
        socket.on('error', () => {});
        socket.unref();
        resolve(new Link(socket));
      });
    });
  }

  get usable(): boolean {
    return !this.#socket.destroyed && this.#socket.readable && this.#socket.writable;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Sends bytes and hands over each line that comes until there are `count`. @throws LinkFailure */
  exchange(bytes: Buffer, count: number, timeoutMs: number, onLine: (line: string) => void): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      let rest: Buffer = Buffer.alloc(0);
      let left = count;
      const end = (failure?: LinkFailure) => {
        socket.setTimeout(0);
        socket.off('data', onData).off('timeout', onTimeout).off('close', onEnd).off('end', onEnd);
        socket.unref();
        if (failure === undefined) resolve();
        else reject(failure);
      };
      const fail = (timedOut: boolean) => {
        const doing = socket.writableLength > 0 ? 'writing' : 'reading';
        socket.destroy();
        end(new LinkFailure(`${doing} to target instance`, timedOut));
      };
      const onTimeout = () => fail(true);
      const onEnd = () => fail(false);
      const onData = (chunk: Buffer) => {
        rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        let from = 0;
        for (let at = rest.indexOf(10); at >= 0 && left > 0; at = rest.indexOf(10, from)) {
          onLine(rest.toString('latin1', from, rest[at - 1] === 13 ? at - 1 : at));
          from = at + 1;
          left--;
        }
        rest = rest.subarray(from);
        if (left === 0) end();
        else if (rest.length > LONGEST_LINE) fail(false);
      };
      socket.on('data', onData).on('timeout', onTimeout).on('close', onEnd).on('end', onEnd);
      socket.ref();
      socket.setTimeout(timeoutMs);
      socket.write(bytes);
    });
  }
}

interface Entry {
  link: Link | null;
  /** The exchanges that were asked for before, one after the other. */
  busy: Promise<unknown>;
  waiting: number;
  idle: NodeJS.Timeout | undefined;
}

export class MigrateLinks {
  readonly #entries = new Map<string, Entry>();

  /** How many connections are kept: INFO's migrate_cached_sockets. */
  get size(): number {
    return [...this.#entries.values()].filter((entry) => entry.link !== null).length;
  }

  close(): void {
    for (const name of [...this.#entries.keys()]) this.#drop(name);
  }

  /** Never rejects. */
  run(exchange: Exchange): Promise<Outcome> {
    const name = `${exchange.host}:${exchange.port}`;
    const entry = this.#entry(name);
    clearTimeout(entry.idle);
    entry.waiting++;
    const outcome = entry.busy.then(() => this.#try(entry, exchange));
    entry.busy = outcome.then(() => {
      entry.waiting--;
      if (entry.waiting > 0) return;
      // It was dropped meanwhile, perhaps while it connected.
      if (this.#entries.get(name) !== entry) entry.link?.close();
      else if (entry.link === null) this.#drop(name);
      else entry.idle = setTimeout(() => this.#drop(name), IDLE_MS).unref();
    });
    return outcome;
  }

  #entry(name: string): Entry {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      if (this.#entries.size >= MOST_LINKS) {
        const unused = [...this.#entries].find(([, one]) => one.waiting === 0);
        if (unused !== undefined) this.#drop(unused[0]);
      }
      entry = { link: null, busy: Promise.resolve(), waiting: 0, idle: undefined };
      this.#entries.set(name, entry);
    }
    return entry;
  }

  #drop(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    clearTimeout(entry.idle);
    entry.link?.close();
    entry.link = null;
    this.#entries.delete(name);
  }

  /** A connection that was kept is often closed by the other side: then a new one is tried, once. */
  async #try(entry: Entry, exchange: Exchange): Promise<Outcome> {
    for (let last = false; ; last = true) {
      const lines: string[] = [];
      try {
        await this.#once(entry, exchange, lines);
        return { failure: '', lines };
      } catch (error) {
        if (!(error instanceof LinkFailure)) throw error;
        const connected = entry.link !== null;
        entry.link?.close();
        entry.link = null;
        if (last || !connected || error.timedOut || lines.length > 0) return { failure: error.doing, lines };
      }
    }
  }

  async #once(entry: Entry, exchange: Exchange, lines: string[]): Promise<void> {
    const { host, port, db, timeoutMs, auth, requests, replies } = exchange;
    if (entry.link === null || !entry.link.usable) {
      entry.link?.close();
      entry.link = null;
      entry.link = await Link.open(host, port, timeoutMs);
    }
    const { link } = entry;
    const before: Buffer[] = [];
    if (auth.length > 0) before.push(command(['AUTH', ...auth]));
    if (link.db !== db) before.push(command(['SELECT', db]));
    // Nothing is sent before it is known where it goes.
    let refused = '';
    if (before.length > 0) {
      await link.exchange(Buffer.concat(before), before.length, timeoutMs, (line) => {
        if (line.startsWith('-') && refused === '') refused = line;
      });
    }
    if (refused !== '') {
      link.db = null;
      lines.push(...new Array<string>(replies).fill(refused));
      return;
    }
    let failed = false;
    await link.exchange(requests, replies, timeoutMs, (line) => {
      failed ||= line.startsWith('-');
      lines.push(line);
    });
    link.db = failed ? null : db;
  }
}
