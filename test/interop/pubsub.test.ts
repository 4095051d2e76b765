// Publish/subscribe, keyspace notifications, client tracking and MONITOR beside a real Valkey 9.1.2: the same random
// commands of four clients, and every byte that every client gets after each of them.

import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { encodeCommand } from '../support/resp-client.js';
import { findValkeyServer, startValkey } from '../support/valkey.js';

const CLIENTS = 4;
const STEPS = Number(process.env.PUBSUB_STEPS ?? 4000);
const SEED = Number(process.env.PUBSUB_SEED ?? 1);

/** Mulberry32: a failing seed replays. */
function randomFrom(seed: number): (n: number) => number {
  let a = seed;
  return (n) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** A connection that collects what it gets. */
class Ear {
  #bytes = '';
  #wake: () => void = () => {};
  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.#bytes += chunk.toString('latin1');
      this.#wake();
    });
  }
  static open(port: number): Promise<Ear> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new Ear(socket)));
      socket.on('error', reject);
    });
  }
  /** All of it in one write, so that the server runs it in one turn. */
  write(commands: readonly (readonly string[])[]): void {
    this.socket.write(Buffer.concat(commands.map(encodeCommand)));
  }
  /**
   * Everything that came up to the answer to a PING sent now. What is told at the end of a turn may come after the
   * answer to a PING of that turn: so there are two, and neither answer is part of the result.
   */
  async drain(): Promise<string> {
    for (const [marker, done] of [
      ['marker-1', () => this.#bytes.includes('marker-1\r\n')],
      ['marker-2', () => this.#bytes.endsWith('marker-2\r\n')],
    ] as const) {
      this.write([['PING', marker]]);
      const deadline = Date.now() + 5000;
      while (!done()) {
        if (Date.now() > deadline) throw new Error(`no answer: ${JSON.stringify(this.#bytes)}`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          setTimeout(resolve, 1000).unref();
        });
      }
    }
    const got = this.#bytes.replace(/(\*2\r\n\$4\r\npong\r\n)?\$8\r\nmarker-\d\r\n/g, '');
    this.#bytes = '';
    return got;
  }
  close(): void {
    this.socket.destroy();
  }
}

const CHANNELS = [
  'a1',
  'a2',
  'b1',
  'b2',
  'c1',
  '__redis__:invalidate',
  '__keyevent@0__:set',
  '__keyevent@0__:del',
];
// No two match the same channel: their order would be anybody's.
const PATTERNS = ['a*', 'b?', '__keyspace@*', 'c[0-9]', '__keyevent@?__:e*'];
const KEYS = ['p:1', 'p:2', 'q:1', 'q:2', 'r'];
const FLAGS = ['', 'KEA', 'KEAmn', 'K$g', 'Eg$x', 'KEn'];

/** One command. */
function command(random: (n: number) => number): string[] {
  const of = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const some = <T>(list: readonly T[]): T[] => Array.from({ length: 1 + random(2) }, () => of(list));
  const some0 = <T>(list: readonly T[]): T[] => (random(3) === 0 ? [] : some(list));
  switch (random(34)) {
    case 0:
      return ['SUBSCRIBE', ...some(CHANNELS)];
    case 1:
      return ['UNSUBSCRIBE', ...some0(CHANNELS)];
    case 2:
      return ['PSUBSCRIBE', ...some(PATTERNS)];
    case 3:
      return ['PUNSUBSCRIBE', ...some0(PATTERNS)];
    case 4:
      return ['SSUBSCRIBE', ...some(CHANNELS)];
    case 5:
      return ['SUNSUBSCRIBE', ...some0(CHANNELS)];
    case 6:
    case 7:
      return ['PUBLISH', of(CHANNELS), 'm'.repeat(random(2) === 0 ? random(20) : random(40000))];
    case 8:
      return ['SPUBLISH', of(CHANNELS), `${random(100)}`];
    case 9:
      return ['PUBSUB', of(['NUMPAT', 'NUMSUB', 'SHARDNUMSUB']), ...some0(CHANNELS)];
    case 10:
      return random(3) === 0 ? ['HELLO', of(['2', '3'])] : ['PUBSUB', 'NUMSUB', ...CHANNELS];
    case 11:
      return ['PING'];
    case 12:
      return random(4) === 0 ? ['RESET'] : ['CLIENT', of(['TRACKINGINFO', 'GETREDIR'])];
    case 13:
      return ['GET', of(KEYS)];
    case 14:
      return ['CLIENT', 'TRACKING', 'OFF'];
    case 15:
    case 16: {
      const options = [
        ['BCAST'],
        ['OPTIN'],
        ['OPTOUT'],
        ['NOLOOP'],
        ['REDIRECT', `${FIRST_ID + random(CLIENTS)}`],
      ];
      const chosen = options.filter(() => random(4) === 0).flat();
      const prefixes = chosen.includes('BCAST') ? some0(['p', 'q', 'p:1']).flatMap((p) => ['PREFIX', p]) : [];
      return ['CLIENT', 'TRACKING', 'ON', ...chosen, ...prefixes];
    }
    case 17:
      return ['CONFIG', 'SET', 'notify-keyspace-events', of(FLAGS)];
    case 18:
    case 19:
      return ['MGET', ...some(KEYS)];
    case 20:
      return ['GET', of(KEYS)];
    case 21:
    case 22:
      return ['SET', of(KEYS), `${random(10)}`, ...of([[], ['NX'], ['EX', '100'], ['GET'], ['KEEPTTL']])];
    case 23:
      return ['INCR', of(KEYS)];
    case 24:
      return [of(['DEL', 'UNLINK', 'EXISTS', 'TOUCH']), ...some(KEYS)];
    case 25:
      return [of(['RENAME', 'RENAMENX', 'COPY']), of(KEYS), of(KEYS)];
    case 26:
      return [of(['EXPIRE', 'PEXPIRE']), of(KEYS), of(['100000', '-1'])];
    case 27:
      return [of(['PERSIST', 'GETDEL', 'GETEX', 'STRLEN', 'TTL']), of(KEYS)];
    case 28:
      return of([
        ['APPEND', of(KEYS), 'x'],
        ['SETRANGE', of(KEYS), '1', 'y'],
        ['INCRBYFLOAT', of(KEYS), '0.5'],
        ['GETEX', of(KEYS), 'EX', '100'],
        ['GETEX', of(KEYS), 'PERSIST'],
        ['GETSET', of(KEYS), '1'],
        ['SETEX', of(KEYS), '100', '5'],
        ['GETRANGE', of(KEYS), '0', '1'],
      ]);
    case 29:
      return ['MSET', of(KEYS), '1', of(KEYS), '2'];
    case 30:
      return of([
        ['MOVE', of(KEYS), '1'],
        ['COPY', of(KEYS), of(KEYS), 'REPLACE'],
        ['MSETNX', of(KEYS), '1', of(KEYS), '2'],
        ['MSETEX', '2', of(KEYS), '1', of(KEYS), '2', 'EX', '100'],
        ['DELIFEQ', of(KEYS), '1'],
      ]);
    case 31:
      return random(3) === 0 ? ['FLUSHALL'] : ['SELECT', of(['0', '1'])];
    case 32:
      return random(3) === 0 ? ['SWAPDB', '0', '1'] : ['FLUSHDB'];
    default:
      return ['PING', 'x'];
  }
}

/** What a client sends at once: a command, a transaction, or CLIENT CACHING with what it is for. */
function batch(random: (n: number) => number): string[][] {
  const several = () => Array.from({ length: 1 + random(4) }, () => command(random));
  switch (random(10)) {
    case 0:
      return [['MULTI'], ...several(), [random(5) === 0 ? 'DISCARD' : 'EXEC']];
    case 1: {
      const mode = ['CLIENT', 'CACHING', ['YES', 'NO', 'x'][random(3)]!];
      return [mode, ['CLIENT', 'TRACKINGINFO'], ['MULTI'], ...several(), ['EXEC'], ['GET', 'p:1']];
    }
    case 2:
      return [
        ['CLIENT', 'CACHING', ['YES', 'NO'][random(2)]!],
        ['MGET', ...KEYS.slice(random(3))],
      ];
    default:
      return [command(random)];
  }
}

const FIRST_ID = 50;

/** Four clients with the ids 50 to 53: connections before them are spent. */
async function openSide(port: number): Promise<Ear[]> {
  const ears: Ear[] = [];
  while (ears.length < CLIENTS) {
    const ear = await Ear.open(port);
    ear.write([['CLIENT', 'ID']]);
    const id = Number((await ear.drain()).slice(1));
    if (id < FIRST_ID) ear.close();
    else expect(ears.push(ear)).toBe(id - FIRST_ID + 1);
  }
  return ears;
}

/** What all clients got. Who acted is asked first: what it caused is then on its way to the others. */
async function heard(ears: readonly Ear[], first: number): Promise<string[]> {
  const got: string[] = [];
  got[first] = await ears[first]!.drain();
  for (const [i, ear] of ears.entries()) if (i !== first) got[i] = await ear.drain();
  return got;
}

const sorted = (text: string) => text.split('\r\n').sort().join('\r\n');

const peer = findValkeyServer();

test.runIf(peer !== undefined)(
  'every client gets the same bytes in the same order',
  async () => {
    const valkey = await startValkey(peer!);
    let kvasir: RunningKvasir | undefined;
    try {
      kvasir = await startKvasir();
      const sides = [await openSide(valkey.port), await openSide(kvasir.port)];
      const random = randomFrom(SEED);
      const history: string[] = [];
      for (let step = 0; step < STEPS; step++) {
        const who = random(CLIENTS);
        const commands = batch(random);
        const text = commands.map((args) => args.join(' ').slice(0, 100)).join(' / ');
        history.push(`${who}: ${text}`);
        const results: string[][] = [];
        for (const ears of sides) {
          ears[who]!.write(commands);
          results.push(await heard(ears, who));
        }
        const [theirs, ours] = results as [string[], string[]];
        // The order in which all of a client's subscriptions end is that of a hash table.
        const loose = /UNSUBSCRIBE( \/|$)/.test(text);
        const shown = (texts: string[]) => (loose ? texts.map(sorted) : texts);
        expect(shown(ours), history.slice(-30).join('\n')).toEqual(shown(theirs));
      }
      for (const ear of sides.flat()) ear.close();
    } finally {
      await kvasir?.stop();
      await valkey.stop();
    }
  },
  600_000,
);
