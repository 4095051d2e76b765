/**
 * Protocol fuzz: sessions of bytes that are partly not the protocol, cut at random places, compared byte for byte,
 * including whether the server closes and what it said before.
 *
 * When has a server said all it will? Both are probed with PING on a second connection, one round trip for every
 * read the session may need; a server serves all ready connections before it waits again. If the transcripts are
 * equal then, we go on; if not, the slower one gets time until the deadline. Then we half-close, which ends every
 * session, and compare once more.
 */
import { connect, type Socket } from 'node:net';
import { Connection, type Endpoint } from './connection.js';
import { resetServers } from './driver.js';
import type { Sides } from './pair.js';
import { Random } from './random.js';
import { encode, formatBytes } from './resp.js';

const SETTLE_MS = 5_000;
/** The least a server reads at once. */
const READ_SIZE = 16_384;
const MOST_PROBES = 40;

export interface RawResult {
  readonly sessions: number;
  readonly differences: readonly string[];
}

/** A bare socket that keeps everything it has been told. */
/** The connection's id in a reply to HELLO: its own, and as many digits as the server has had connections. */
const MASKED = /(\$2\r\nid\r\n):\d+/g;
/** A reply to HELLO is longer than this. */
const MASK_FROM = 60;

class Wire {
  private readonly chunks: Buffer[] = [];
  private length = 0;
  closed = false;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.length += chunk.length;
    });
    socket.on('error', () => {});
    socket.on('end', () => {
      this.closed = true;
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static open({ host, port }: Endpoint): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Wire(socket)));
    });
  }

  write(bytes: string): void {
    if (!this.closed) this.socket.write(bytes, 'latin1');
  }

  halfClose(): void {
    this.socket.end();
  }

  /** Bytes received, less those that MASKED takes away. */
  get size(): number {
    return this.length < MASK_FROM ? this.length : this.transcript.length;
  }

  get transcript(): Buffer {
    const text = Buffer.concat(this.chunks).toString('latin1');
    return Buffer.from(text.replace(MASKED, '$1:#'), 'latin1');
  }

  destroy(): void {
    this.socket.destroy();
  }
}

const word = (random: Random): string =>
  random.pick([
    'PING',
    'ECHO',
    'GET',
    'SET',
    'DEL',
    'INCR',
    'raw',
    'raw:1',
    'nosuch',
    'HELLO',
    '3',
    'EXISTS',
    '',
  ]);

function request(random: Random): string {
  return encode(
    random.pick([
      ['PING'],
      ['PING', random.bytes(random.int(0, 40))],
      ['ECHO', 'x'.repeat(random.int(0, 3000))],
      ['SET', 'raw', random.bytes(random.int(0, 60))],
      ['GET', 'raw'],
      ['GET'],
      ['HELLO', '3', 'BOGUS'],
      ['nosuch', random.bytes(random.int(0, 30))],
      ['MGET', 'raw', 'raw:1'],
      ['APPEND', 'raw', 'y'],
      ['DEL', 'raw'],
    ]),
  );
}

function inline(random: Random): string {
  const quoted = (): string =>
    random.pick([
      '"a b"',
      '"\\x41\\n\\t\\"\\\\"',
      "'it\\'s'",
      "'\\n'",
      '""',
      "''",
      '"unterminated',
      "'open",
      '"a"b',
      "'a'b",
      '"\\xzz"',
      'a"b"',
      '"\\x4"',
      '\\',
      '"a\\"',
    ]);
  const words = Array.from({ length: random.int(0, 4) }, () =>
    random.chance(0.3) ? quoted() : word(random),
  );
  const line = words.join(random.pick([' ', '  ', '\t', ' \t ']));
  const lead = random.chance(0.2) ? random.pick([' ', '\t', '\x00', '\x0b']) : '';
  return `${lead}${line}${random.pick(['\r\n', '\r\n', '\n', '\n\n', ' \r\n', '\r\r\n'])}`;
}

const NUMBERS = [
  ...[
    '0',
    '-1',
    '-2',
    '1',
    '2',
    '3',
    '1024',
    '1048576',
    '1048577',
    '2147483647',
    '2147483648',
    '536870912',
    '536870913',
    '4294967297',
  ],
  ...[
    '9223372036854775807',
    '9223372036854775808',
    '99999999999999999999999',
    'abc',
    '',
    ' 1',
    '1 ',
    '+1',
    '01',
    '-0',
    '1.0',
    '0x1',
    '1\x00',
    '--1',
  ],
];

/** Something that looks like a request and is not; some leave the parser waiting for more, some are errors. */
function broken(random: Random): string {
  const number = (): string => random.pick(NUMBERS);
  const end = (): string => random.pick(['\r\n', '\r\n', '\r\n', '\n', '\r', '\rX']);
  switch (random.int(0, 8)) {
    case 0:
      return `*${number()}${end()}`;
    case 1:
      return `*1\r\n$${number()}${end()}`;
    case 2:
      return `*2\r\n$4\r\nECHO\r\n$${number()}\r\nabc\r\n`;
    case 3:
      return `*1\r\n${random.pick(['+', '*', ':', 'P', '\x00', '-', ' ', '\r', '\xff', '\n'])}4\r\nPING\r\n`;
    case 4:
      return `*1\r\n$4\r\nPING${random.pick(['XX', '\n\n', '\r\r', '', '\n\r', 'X\r\n'])}`;
    case 5:
      return `*${'1'.repeat(random.pick([30, 1000, 60_000]))}`;
    case 6:
      return `*1\r\n$${'1'.repeat(random.pick([30, 1000, 60_000]))}`;
    case 7:
      return 'Z'.repeat(random.pick([100, 1000, 60_000]));
    default:
      return random.bytes(random.int(1, 60));
  }
}

/**
 * A line around the limit of 64 KB. What follows it must not be sent: with an end of line in the buffer the server
 * accepts what it refuses without, so the answer would depend on how much it reads at a time.
 */
function endless(random: Random): string {
  const length = random.pick([65_535, 65_536, 65_537, 65_600, 80_000]);
  return random.pick(['Z'.repeat(length), `*${'1'.repeat(length)}`, `*1\r\n$${'1'.repeat(length)}`]);
}

/** A long pipeline of good requests, or a mixture that ends in something broken. */
function session(random: Random): string {
  let bytes = '';
  if (random.chance(0.25)) {
    for (let n = random.int(1, 200); n > 0; n--) bytes += request(random);
    return bytes;
  }
  for (let n = random.int(0, 8); n > 0; n--) bytes += random.chance(0.5) ? request(random) : inline(random);
  if (random.chance(0.05)) return bytes + endless(random);
  if (random.chance(0.85)) bytes += broken(random);
  if (random.chance(0.4)) bytes += request(random);
  if (random.chance(0.15)) bytes = bytes.slice(0, random.int(1, Math.max(1, bytes.length - 1)));
  return bytes;
}

/**
 * Valkey loses the byte 255 of an unquoted inline argument (it looks like the mark for "no character" of its
 * splitter); we keep it. Requests with it in their bulks are the command grammar's business.
 */
const withoutLostByte = (bytes: string): string => bytes.replaceAll('\xff', '\xfe');

function pieces(random: Random, bytes: string): string[] {
  const roll = random.unit();
  const count = roll < 0.3 ? 0 : roll < 0.8 ? random.int(1, 4) : random.int(5, 25);
  const cuts = Array.from({ length: count }, () => random.int(0, bytes.length)).sort((a, b) => a - b);
  return [0, ...cuts]
    .map((cut, i) => bytes.slice(cut, cuts[i] ?? bytes.length))
    .filter((piece) => piece !== '');
}

interface Probe {
  readonly subject: Connection;
  readonly reference: Connection;
}

async function probes(probe: Probe, count: number): Promise<void> {
  for (let n = 0; n < count; n++)
    await Promise.all([probe.subject.call('PING'), probe.reference.call('PING')]);
}

const same = (a: Wire, b: Wire): boolean => a.size === b.size && a.closed === b.closed;

async function settle(probe: Probe, a: Wire, b: Wire, done: () => boolean): Promise<void> {
  const deadline = Date.now() + SETTLE_MS;
  while (!done() && Date.now() < deadline) {
    await new Promise((next) => setTimeout(next, 1));
    await probes(probe, 1);
  }
  // The sizes agree; whatever one of them still had to say has had these turns to arrive.
  if (same(a, b)) await probes(probe, 1);
}

async function compareSession(sides: Sides, probe: Probe, parts: readonly string[]): Promise<string | null> {
  const [subject, reference] = await Promise.all([Wire.open(sides.subject), Wire.open(sides.reference)]);
  const judge = (when: string): string | null => {
    const [a, b] = [subject.transcript, reference.transcript];
    if (a.equals(b) && subject.closed === reference.closed) return null;
    const shown = (bytes: Buffer, closed: boolean): string =>
      `${formatBytes(bytes, 1000)} ${closed ? 'closed' : 'open'}`;
    return `  ${when}\n  subject  ${shown(a, subject.closed)}\n  valkey   ${shown(b, reference.closed)}`;
  };
  try {
    for (const part of parts) {
      subject.write(part);
      reference.write(part);
      await probes(probe, 1 + Math.min(MOST_PROBES, Math.ceil(part.length / READ_SIZE)));
    }
    await settle(probe, subject, reference, () => same(subject, reference));
    const open = judge('before the half-close');
    if (open !== null) return open;
    subject.halfClose();
    reference.halfClose();
    await settle(probe, subject, reference, () => subject.closed && reference.closed);
    return judge('after the half-close');
  } finally {
    subject.destroy();
    reference.destroy();
  }
}

/** Runs the sessions of a seed; a difference names the session's pieces so that it can be replayed by hand. */
export async function fuzzProtocol(
  sides: Sides,
  seed: number,
  sessions: number,
  limit = 1,
): Promise<RawResult> {
  const differences: string[] = [];
  let done = 0;
  await resetServers(sides);
  const probe = {
    subject: await Connection.open(sides.subject),
    reference: await Connection.open(sides.reference),
  };
  try {
    for (; done < sessions && differences.length < limit; done++) {
      const random = new Random(seed, 0x4000_0000 + done);
      const parts = pieces(random, withoutLostByte(session(random)));
      const difference = await compareSession(sides, probe, parts);
      if (difference !== null) {
        const sent = parts.map((part) => `    ${formatBytes(Buffer.from(part, 'latin1'), 2000)}`).join('\n');
        differences.push(`PROTOCOL DIFFERENCE  seed ${seed} session ${done}\n${sent}\n${difference}`);
      }
    }
  } finally {
    probe.subject.close();
    probe.reference.close();
  }
  return { sessions: done, differences };
}
