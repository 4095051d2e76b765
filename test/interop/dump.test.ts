/**
 * DUMP and RESTORE between Kvasir and a real Valkey 9.1.2: every encoding a value can have, each side's payload restored
 * by the other. The value is the same (DEBUG DIGEST-VALUE), the payload is the same byte for byte where an encoding has an
 * order, and what was restored is dumped as it came. RESTORE's options mean the same to both.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startKvasir } from '../support/kvasir.js';
import { type RespArgument, type RespClient, RespError, type RespValue } from '../support/resp-client.js';
import { findValkeyServer, startValkey } from '../support/valkey.js';

const binary = findValkeyServer();
if (binary === undefined)
  console.warn(
    'dump.test.ts is skipped: no valkey-server in $VALKEY_PEER/bin, ~/.cache/valkey-peer/bin or on PATH',
  );

type Command = readonly RespArgument[];

interface Encoding {
  readonly name: string;
  readonly encoding: string;
  /** The type byte of the payload. */
  readonly type: number;
  /** What writes `key`. */
  readonly commands: readonly Command[];
  /** Parameters while it is written; they are put back afterwards. */
  readonly config?: Readonly<Record<string, string>>;
  /**
   * ordered: the two sides' payloads are the same bytes. unordered: elements come in the order of a hash table. timed: it holds
   * times of the server's clock. lzf: compressed, and Valkey's compressor finds what earlier calls left in its table.
   */
  readonly bytes: 'ordered' | 'unordered' | 'timed' | 'lzf';
}

const STRING = 0;
const SET = 2;
const HASH = 4;
const ZSET_2 = 5;
const SET_INTSET = 11;
const HASH_LISTPACK = 16;
const ZSET_LISTPACK = 17;
const LIST_QUICKLIST_2 = 18;
const SET_LISTPACK = 20;
const STREAM_3 = 21;
const HASH_2 = 22;

const FOOTER = 10;
const FAR = 4_000_000_000_000;

/** Numbers that listpacks code in each of their widths, and strings of each of theirs. */
const NUMBERS = [0, 127, 128, -1, 4095, -4096, 4096, 32767, -32768, 8388607, -8388608, 2147483647];
const WIDE = ['2147483648', '-2147483648', '9223372036854775807', '-9223372036854775808'];
const STRINGS = [
  '',
  'a',
  '007',
  '-0',
  '1.5',
  '9223372036854775808',
  '\0\xff\r\n',
  's'.repeat(63),
  'm'.repeat(64),
];
const ELEMENTS: readonly RespArgument[] = [...NUMBERS, ...WIDE, ...STRINGS];
const LONG = 'l'.repeat(4096);
/** Bytes that do not compress: a linear congruence's upper ones. */
const noise = (length: number): Buffer => {
  let state = 1;
  return Buffer.from(
    Array.from({ length }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state >>> 24;
    }),
  );
};
const many = <T>(count: number, of: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => of(i));
const SCORES = [
  ...['-inf', '-1.7976931348623157e308', '-1e17', '-3.5', '-1', '-5e-324', '-0', '0', '5e-324', '0.1'],
  ...['0.30000000000000004', '1', '3.141592653589793', '1e15', '9007199254740993', '1e17', '1e21', '1e22'],
  ...['1.7976931348623157e308', 'inf'],
];
const scored = SCORES.flatMap((score, i) => [score, `m${i}`]);

const group = (stream: string): Command[] => [
  ['XGROUP', 'CREATE', stream, 'g', '0', 'ENTRIESREAD', '3'],
  ['XGROUP', 'CREATE', stream, 'untouched', '$'],
  ['XGROUP', 'CREATECONSUMER', stream, 'g', 'idle'],
  ['XREADGROUP', 'GROUP', 'g', 'alice', 'COUNT', '5', 'STREAMS', stream, '>'],
  ['XREADGROUP', 'GROUP', 'g', 'bob', 'COUNT', '5', 'STREAMS', stream, '>'],
  ['XACK', stream, 'g', '3-0'],
  ['XCLAIM', stream, 'g', 'carol', '0', '2-0', 'TIME', '1234567890123', 'RETRYCOUNT', '77'],
];

const ENCODINGS: readonly Encoding[] = [
  ...[
    ...['0', '-1', '127', '-128', '128', '32767', '-32768', '32768', '2147483647', '-2147483648'],
    ...['2147483648', '9223372036854775807', '-9223372036854775808'],
  ].map(
    (value): Encoding => ({
      name: `string ${value}`,
      encoding: 'int',
      type: STRING,
      commands: [['SET', 'key', value]],
      bytes: 'ordered',
    }),
  ),
  ...['', 'x', '007', '-0', '\0\xff', 'e'.repeat(20), '9223372036854775808'].map(
    (value): Encoding => ({
      name: `string ${JSON.stringify(value)}`,
      encoding: 'embstr',
      type: STRING,
      commands: [['SET', 'key', value]],
      bytes: 'ordered',
    }),
  ),
  ...[45, 63, 64, 1000, 16383, 16384, 100_000].map(
    (length): Encoding => ({
      name: `string of ${length} bytes that do not compress`,
      encoding: length > 64 ? 'raw' : 'embstr',
      type: STRING,
      commands: [['SET', 'key', noise(length)]],
      bytes: 'ordered',
    }),
  ),
  {
    name: 'string that was appended to',
    encoding: 'raw',
    type: STRING,
    commands: [
      ['SET', 'key', 'abc'],
      ['APPEND', 'key', 'def'],
    ],
    bytes: 'ordered',
  },
  {
    name: 'string compressed with LZF',
    encoding: 'raw',
    type: STRING,
    commands: [['SET', 'key', 'abcdefgh'.repeat(10_000)]],
    config: { rdbcompression: 'yes' },
    bytes: 'lzf',
  },
  {
    name: 'HyperLogLog, sparse',
    encoding: 'raw',
    type: STRING,
    commands: [['PFADD', 'key', ...many(50, String)]],
    bytes: 'ordered',
  },
  {
    name: 'HyperLogLog, dense',
    encoding: 'raw',
    type: STRING,
    commands: [
      ['PFADD', 'key', ...many(5000, String)],
      ['PFCOUNT', 'key'],
    ],
    bytes: 'ordered',
  },
  {
    name: 'HyperLogLog, dense, compressed',
    encoding: 'raw',
    type: STRING,
    commands: [['PFADD', 'key', ...many(3000, String)]],
    config: { rdbcompression: 'yes' },
    bytes: 'lzf',
  },
  {
    name: 'list in a listpack',
    encoding: 'listpack',
    type: LIST_QUICKLIST_2,
    commands: [['RPUSH', 'key', ...ELEMENTS]],
    bytes: 'ordered',
  },
  {
    name: 'list of listpack nodes',
    encoding: 'quicklist',
    type: LIST_QUICKLIST_2,
    commands: [
      ['RPUSH', 'key', ...many(40, () => ELEMENTS).flat(), ...many(20, () => LONG)],
      ['LPUSH', 'key', ...ELEMENTS],
    ],
    bytes: 'ordered',
  },
  {
    name: 'list of nodes of three elements',
    encoding: 'quicklist',
    type: LIST_QUICKLIST_2,
    commands: [['RPUSH', 'key', ...ELEMENTS]],
    config: { 'list-max-listpack-size': '3' },
    bytes: 'ordered',
  },
  {
    name: 'list with plain nodes',
    encoding: 'quicklist',
    type: LIST_QUICKLIST_2,
    commands: [['RPUSH', 'key', 'a', noise(10_000), 'b', 'c', noise(100_000), noise(9000), 'd']],
    bytes: 'ordered',
  },
  {
    name: 'list with compressed inner nodes',
    encoding: 'quicklist',
    type: LIST_QUICKLIST_2,
    commands: [['RPUSH', 'key', ...many(2000, (i) => `element ${i} of a list that compresses`)]],
    config: { 'list-compress-depth': '1' },
    bytes: 'lzf',
  },
  {
    name: 'list with compressed plain nodes',
    encoding: 'quicklist',
    type: LIST_QUICKLIST_2,
    commands: [['RPUSH', 'key', 'a', 'b'.repeat(20_000), 'c'.repeat(20_000), 'd'.repeat(20_000), 'e']],
    config: { 'list-compress-depth': '1' },
    bytes: 'lzf',
  },
  ...[
    ['of 16 bits', [3, 1, 2, -32768, 32767]],
    ['of 32 bits', [3, 1, 2, -2147483648, 32768]],
    ['of 64 bits', [3, 1, 2, '-9223372036854775808', '9223372036854775807']],
  ].map(
    ([width, members]): Encoding => ({
      name: `set in an intset ${width}`,
      encoding: 'intset',
      type: SET_INTSET,
      commands: [['SADD', 'key', ...(members as RespArgument[])]],
      bytes: 'ordered',
    }),
  ),
  {
    name: 'set in a listpack',
    encoding: 'listpack',
    type: SET_LISTPACK,
    commands: [['SADD', 'key', 'first', ...ELEMENTS]],
    bytes: 'ordered',
  },
  {
    name: 'set in a hash table',
    encoding: 'hashtable',
    type: SET,
    commands: [['SADD', 'key', ...ELEMENTS, ...many(1000, (i) => `member ${i}`)]],
    bytes: 'unordered',
  },
  {
    name: 'hash in a listpack',
    encoding: 'listpack',
    type: HASH_LISTPACK,
    commands: [['HSET', 'key', ...ELEMENTS.flatMap((element, i) => [element, ELEMENTS.at(-i)!])]],
    bytes: 'ordered',
  },
  {
    name: 'hash in a hash table',
    encoding: 'hashtable',
    type: HASH,
    commands: [['HSET', 'key', ...many(1000, (i) => [`field ${i}`, i]).flat(), 'long', LONG]],
    bytes: 'unordered',
  },
  {
    name: 'hash with deadlines',
    encoding: 'hashtable',
    type: HASH_2,
    commands: [
      ['HSET', 'key', ...many(300, (i) => [`field ${i}`, ELEMENTS[i % ELEMENTS.length]!]).flat()],
      ...many(100, (i): Command => ['HPEXPIREAT', 'key', FAR + 7919 * i, 'FIELDS', 1, `field ${2 * i}`]),
    ],
    bytes: 'unordered',
  },
  {
    name: 'hash of one field with a deadline',
    encoding: 'hashtable',
    type: HASH_2,
    commands: [
      ['HSET', 'key', 'f', 'v'],
      ['HPEXPIREAT', 'key', FAR, 'FIELDS', 1, 'f'],
    ],
    bytes: 'ordered',
  },
  {
    name: 'hash whose deadlines are gone',
    encoding: 'hashtable',
    type: HASH,
    commands: [
      ['HSET', 'key', 'f', 'v'],
      ['HPEXPIREAT', 'key', FAR, 'FIELDS', 1, 'f'],
      ['HPERSIST', 'key', 'FIELDS', 1, 'f'],
    ],
    bytes: 'ordered',
  },
  {
    name: 'sorted set in a listpack',
    encoding: 'listpack',
    type: ZSET_LISTPACK,
    commands: [['ZADD', 'key', ...scored, 1, '17', 1, '-17']],
    bytes: 'ordered',
  },
  {
    name: 'sorted set in a skiplist',
    encoding: 'skiplist',
    type: ZSET_2,
    commands: [['ZADD', 'key', ...scored, ...many(500, (i) => [i / 3, `member ${i}`]).flat(), 7, LONG]],
    bytes: 'ordered',
  },
  {
    name: 'stream',
    encoding: 'stream',
    type: STREAM_3,
    commands: many(
      500,
      (i): Command => [
        ...['XADD', 'key', `${i + 1}-${i % 3}`],
        ...(i % 5 === 0 ? ['other', 'fields', 'here', LONG.slice(i * 8)] : ['f', `${i}`, 'g', 'v']),
      ],
    ),
    bytes: 'ordered',
  },
  {
    name: 'stream with deleted entries',
    encoding: 'stream',
    type: STREAM_3,
    commands: [
      ...many(300, (i): Command => ['XADD', 'key', `${i + 1}-0`, 'f', `${i}`]),
      ['XDEL', 'key', '1-0', '2-0', '77-0', '150-0', '299-0', '300-0'],
      ['XTRIM', 'key', 'MAXLEN', '250'],
    ],
    bytes: 'ordered',
  },
  {
    name: 'stream that is empty',
    encoding: 'stream',
    type: STREAM_3,
    commands: [
      ['XADD', 'key', '5-5', 'f', 'v'],
      ['XDEL', 'key', '5-5'],
      [
        'XSETID',
        'key',
        '18446744073709551615-18446744073709551614',
        'ENTRIESADDED',
        '99',
        'MAXDELETEDID',
        '6-6',
      ],
    ],
    bytes: 'ordered',
  },
  {
    name: 'stream with groups that nobody reads',
    encoding: 'stream',
    type: STREAM_3,
    commands: [
      ['XGROUP', 'CREATE', 'key', 'g', '0', 'MKSTREAM'],
      ['XGROUP', 'CREATE', 'key', 'h', '7-7', 'ENTRIESREAD', '12'],
    ],
    bytes: 'ordered',
  },
  {
    name: 'stream with groups, consumers and pending entries',
    encoding: 'stream',
    type: STREAM_3,
    commands: [
      ...many(12, (i): Command => ['XADD', 'key', `${i + 1}-0`, 'f', `${i}`]),
      ...group('key'),
      ['XDEL', 'key', '4-0', '12-0'],
    ],
    bytes: 'timed',
  },
];

/** A policy, then a time to live and options that may be refused. */
const RESTORES: readonly (readonly [string, RespArgument, ...RespArgument[]])[] = [
  ['noeviction', 0, 'IDLETIME', 10, 'FREQ', 20],
  ['noeviction', 0, 'FREQ', 20, 'IDLETIME', 10],
  ['noeviction', 0, 'FREQ', 20],
  ['allkeys-lfu', 0, 'IDLETIME', 10],
  ['allkeys-lfu', 0, 'FREQ', 10, 'FREQ', 20],
  ['noeviction', 0, 'IDLETIME', -1],
  ['noeviction', 0, 'IDLETIME', 'x'],
  ['noeviction', 0, 'IDLETIME', '9223372036854775807'],
  ['allkeys-lfu', 0, 'FREQ', 256],
  ['allkeys-lfu', 0, 'FREQ', -1],
  ['noeviction', 0, 'FREQ'],
  ['noeviction', 0, 'IDLETIME'],
  ['noeviction', 0, 'NX'],
  ['noeviction', 0, 'REPLACE', 'REPLACE', 'ABSTTL', 'ABSTTL'],
  ['noeviction', -1],
  ['noeviction', -1, 'ABSTTL'],
  ['noeviction', 'x'],
  ['noeviction', '9223372036854775807'],
  ['noeviction', '9223372036854775807', 'ABSTTL'],
];

/** The elements of a hash table's payload, each as the bytes that stand there, sorted. */
function elements(payload: Buffer): string[] {
  const perElement = { [SET]: 1, [HASH]: 2, [HASH_2]: 2 }[payload[0]!]!;
  let at = 1;
  const length = (): number => {
    const first = payload[at++]!;
    if (first >> 6 === 0) return first;
    if (first >> 6 === 1) return ((first & 0x3f) << 8) | payload[at++]!;
    if (first === 0x80) {
      at += 4;
      return payload.readUInt32BE(at - 4);
    }
    if (first >= 0xc0 && first <= 0xc2) return 1 << (first - 0xc0);
    throw new Error(`unexpected length ${first}`);
  };
  const count = length();
  const found: string[] = [];
  for (let i = 0; i < count; i++) {
    const from = at;
    for (let n = 0; n < perElement; n++) {
      const size = length();
      at += size;
    }
    if (payload[0] === HASH_2) at += 8;
    found.push(payload.toString('latin1', from, at));
  }
  expect(at).toBe(payload.length - FOOTER);
  return found.sort();
}

interface Side {
  readonly name: string;
  readonly client: RespClient;
  stop(): Promise<void>;
}

describe.skipIf(binary === undefined)('DUMP and RESTORE beside Valkey 9.1.2', () => {
  let sides: Record<'kvasir' | 'valkey', Side>;
  const both = () => [sides.kvasir, sides.valkey];

  beforeAll(async () => {
    const options = ['--enable-debug-command', 'yes'];
    const [ours, theirs] = await Promise.all([startKvasir(options), startValkey(binary!, options)]);
    sides = {
      kvasir: { name: 'Kvasir', client: await ours.connect(), stop: () => ours.stop() },
      valkey: { name: 'Valkey', client: await theirs.connect(), stop: () => theirs.stop() },
    };
  });
  afterAll(async () => {
    for (const side of Object.values(sides ?? {})) {
      side.client.close();
      await side.stop();
    }
  });
  beforeEach(async () => {
    for (const { client } of both()) await client.send('FLUSHALL');
  });

  const dump = async ({ client }: Side, key: string): Promise<Buffer> => {
    const payload = await client.send('DUMP', key);
    expect(payload).toBeTypeOf('string');
    return Buffer.from(payload as string, 'latin1');
  };
  const digest = async ({ client }: Side, key: string): Promise<RespValue> =>
    ((await client.send('DEBUG', 'DIGEST-VALUE', key)) as RespValue[])[0]!;
  const configure = async ({ client }: Side, parameters: Readonly<Record<string, string>>) => {
    expect(await client.send('CONFIG', 'SET', ...Object.entries(parameters).flat())).toBe('OK');
  };

  const DEFAULTS = { rdbcompression: 'no', 'list-max-listpack-size': '-2', 'list-compress-depth': '0' };
  /** Without compression, whose outcome is not defined, unless it is the point. */
  const write = async (side: Side, { commands, config = {} }: Encoding) => {
    await configure(side, { ...DEFAULTS, ...config });
    for (const reply of await side.client.pipeline(commands)) expect(reply).not.toBeInstanceOf(RespError);
  };

  describe.each([
    ['kvasir', 'valkey'],
    ['valkey', 'kvasir'],
  ] as const)('written by %s, restored by %s', (from, to) => {
    test.each(ENCODINGS.map((encoding) => [encoding.name, encoding] as const))('%s', async (_, encoding) => {
      const [writer, reader] = [sides[from], sides[to]];
      await write(writer, encoding);
      await configure(reader, { ...DEFAULTS, ...encoding.config });
      expect(await writer.client.send('OBJECT', 'ENCODING', 'key')).toBe(encoding.encoding);
      const payload = await dump(writer, 'key');
      expect(payload[0]).toBe(encoding.type);

      expect(await reader.client.send('RESTORE', 'copy', 0, payload)).toBe('OK');
      expect(await writer.client.send('RESTORE', 'copy', 0, payload)).toBe('OK');
      expect(await digest(reader, 'copy')).toBe(await digest(writer, 'key'));
      expect(await reader.client.send('OBJECT', 'ENCODING', 'copy')).toBe(
        await writer.client.send('OBJECT', 'ENCODING', 'copy'),
      );
      const again = await dump(reader, 'copy');
      // Restored it may have another encoding: a hash table that is small, for example.
      const reference = await dump(writer, 'copy');
      if (encoding.bytes === 'unordered') expect(elements(again)).toEqual(elements(reference));
      else if (encoding.bytes !== 'lzf') expect(again.toString('hex')).toBe(reference.toString('hex'));
      if (encoding.type === STREAM_3) {
        const inFull = (side: Side, key: string) =>
          side.client.send('XINFO', 'STREAM', key, 'FULL', 'COUNT', 0);
        expect(await inFull(reader, 'copy')).toEqual(await inFull(writer, 'key'));
      }
    });
  });

  test.each(
    ENCODINGS.filter(({ bytes }) => bytes === 'ordered' || bytes === 'unordered').map(
      (encoding) => [encoding.name, encoding] as const,
    ),
  )('both write the same: %s', async (_, encoding) => {
    for (const side of both()) await write(side, encoding);
    const [ours, theirs] = await Promise.all(both().map((side) => dump(side, 'key')));
    if (encoding.bytes === 'unordered') expect(elements(ours!)).toEqual(elements(theirs!));
    else expect(ours!.toString('hex')).toBe(theirs!.toString('hex'));
  });

  describe.each([
    ['kvasir', 'valkey'],
    ['valkey', 'kvasir'],
  ] as const)('options of RESTORE, the payload by %s, restored by %s', (from, to) => {
    let payload: Buffer;
    let client: RespClient;
    beforeEach(async () => {
      await sides[from].client.send('RPUSH', 'source', 'a', 'b', 'c');
      payload = await dump(sides[from], 'source');
      client = sides[to].client;
    });

    test('REPLACE', async () => {
      await client.send('SET', 'key', 'of another type', 'EX', 1000);
      expect(await client.send('RESTORE', 'key', 0, payload)).toEqual(
        new RespError('BUSYKEY Target key name already exists.'),
      );
      expect(await client.send('RESTORE', 'key', 0, payload, 'replace')).toBe('OK');
      expect(await client.send('LRANGE', 'key', 0, -1)).toEqual(['a', 'b', 'c']);
      expect(await client.send('PTTL', 'key')).toBe(-1);
    });

    test('a time to live, and ABSTTL', async () => {
      expect(await client.send('RESTORE', 'relative', 1_000_000, payload)).toBe('OK');
      const left = (await client.send('PTTL', 'relative')) as number;
      expect(left).toBeLessThanOrEqual(1_000_000);
      expect(left).toBeGreaterThan(900_000);
      expect(await client.send('RESTORE', 'absolute', FAR, payload, 'ABSTTL')).toBe('OK');
      expect(await client.send('PEXPIRETIME', 'absolute')).toBe(FAR);
      expect(await client.send('RESTORE', 'none', 0, payload, 'ABSTTL')).toBe('OK');
      expect(await client.send('PTTL', 'none')).toBe(-1);
      await client.send('SET', 'past', 'v');
      expect(await client.send('RESTORE', 'past', 1, payload, 'ABSTTL', 'REPLACE')).toBe('OK');
      expect(await client.send('EXISTS', 'past')).toBe(0);
    });

    test('IDLETIME', async () => {
      expect(await client.send('RESTORE', 'key', 0, payload, 'IDLETIME', 1000)).toBe('OK');
      const idle = (await client.send('OBJECT', 'IDLETIME', 'key')) as number;
      expect(idle).toBeGreaterThanOrEqual(1000);
      expect(idle).toBeLessThan(1100);
    });

    test('FREQ', async () => {
      await client.send('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu');
      try {
        for (const frequency of [0, 1, 5, 100, 255]) {
          expect(await client.send('RESTORE', 'key', 0, payload, 'FREQ', frequency, 'REPLACE')).toBe('OK');
          expect(await client.send('OBJECT', 'FREQ', 'key')).toBe(frequency);
        }
      } finally {
        await client.send('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
      }
    });
  });

  // Options are taken or refused alike, and leave the same behind.
  test.each(
    RESTORES.map(
      ([policy, ttl, ...options]) =>
        [`${ttl} … ${options.join(' ')}, ${policy}`, policy, ttl, options] as const,
    ),
  )('RESTORE key %s', async (_, policy, ttl, options) => {
    const outcomes: RespValue[][] = [];
    for (const side of both()) {
      await side.client.send('SET', 'source', 'value');
      const payload = await dump(side, 'source');
      await configure(side, { 'maxmemory-policy': policy });
      outcomes.push(
        await side.client.pipeline([
          ['RESTORE', 'key', ttl, payload, ...options],
          ['EXISTS', 'key'],
          ['PEXPIRETIME', 'key'],
          ['OBJECT', policy === 'allkeys-lfu' ? 'FREQ' : 'IDLETIME', 'key'],
        ]),
      );
      await configure(side, { 'maxmemory-policy': 'noeviction' });
    }
    expect(outcomes[0]).toEqual(outcomes[1]);
  });
});
