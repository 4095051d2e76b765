/** Strings over a real socket: what clients see of their representation, and long values in flight while they change. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { encodeCommand, type RespArgument, type RespClient } from '../support/resp-client.js';

let server: RunningKvasir;
let client: RespClient;

beforeAll(async () => {
  server = await startKvasir();
  client = await server.connect();
});
afterAll(async () => {
  client.close();
  await server.stop();
});
beforeEach(async () => {
  await client.send('FLUSHALL');
});

const text = (length: number) => 'x'.repeat(length);

describe('OBJECT ENCODING', () => {
  // Commands that end with a string at k, and its encoding as Valkey 9.1 names it.
  const cases: [string, RespArgument[][], string][] = [
    ['SET of a number', [['SET', 'k', '12']], 'int'],
    ['SET of the longest number', [['SET', 'k', '-9223372036854775808']], 'int'],
    ['SET of a number beyond 64 bits', [['SET', 'k', '9223372036854775808']], 'embstr'],
    ['SET of digits with a leading zero', [['SET', 'k', '012']], 'embstr'],
    ['SET of nothing', [['SET', 'k', '']], 'embstr'],
    ['SET of the longest embstr', [['SET', 'k', text(112)]], 'embstr'],
    ['SET beyond it', [['SET', 'k', text(113)]], 'raw'],
    ['SET with a deadline: 8 bytes less', [['SET', 'k', text(104), 'EX', 100]], 'embstr'],
    ['SET with a deadline, one more', [['SET', 'k', text(105), 'EX', 100]], 'raw'],
    [
      'SET over a key with a deadline',
      [
        ['SET', 'k', 'v', 'EX', 100],
        ['SET', 'k', text(105)],
      ],
      'raw',
    ],
    [
      'GETEX that sets a deadline',
      [
        ['SET', 'k', text(105)],
        ['GETEX', 'k', 'EX', 100],
      ],
      'raw',
    ],
    ['SET of what we embed and Valkey does not', [['SET', 'k', text(1000)]], 'raw'],
    ['SET of a long string', [['SET', 'k', text(100_000)]], 'raw'],
    [
      'SET of a short string over a long one',
      [
        ['SET', 'k', text(100_000)],
        ['SET', 'k', 'v'],
      ],
      'embstr',
    ],
    [
      'SET of a number over a long one',
      [
        ['SET', 'k', text(100_000)],
        ['SET', 'k', '1'],
      ],
      'int',
    ],
    [
      'SET of a long string over a number',
      [
        ['SET', 'k', '1'],
        ['SET', 'k', text(100_000)],
      ],
      'raw',
    ],
    ['APPEND to nothing', [['APPEND', 'k', '12']], 'int'],
    [
      'APPEND to a number',
      [
        ['SET', 'k', '1'],
        ['APPEND', 'k', '2'],
      ],
      'raw',
    ],
    [
      'APPEND of nothing',
      [
        ['SET', 'k', 'v'],
        ['APPEND', 'k', ''],
      ],
      'raw',
    ],
    [
      'SET over what APPEND made raw',
      [
        ['SET', 'k', 'v'],
        ['APPEND', 'k', 'w'],
        ['SET', 'k', 'vw'],
      ],
      'embstr',
    ],
    ['SETRANGE on nothing', [['SETRANGE', 'k', 0, '12']], 'raw'],
    [
      'SETRANGE on a number',
      [
        ['SET', 'k', '12'],
        ['SETRANGE', 'k', 0, '3'],
      ],
      'raw',
    ],
    [
      'SETRANGE of nothing',
      [
        ['SET', 'k', '12'],
        ['SETRANGE', 'k', 0, ''],
      ],
      'int',
    ],
    [
      'INCR of a raw number',
      [
        ['APPEND', 'k', '1'],
        ['APPEND', 'k', '0'],
        ['INCR', 'k'],
      ],
      'int',
    ],
    ['INCRBYFLOAT', [['INCRBYFLOAT', 'k', '2']], 'embstr'],
    [
      'INCR after INCRBYFLOAT',
      [
        ['INCRBYFLOAT', 'k', '2'],
        ['INCR', 'k'],
      ],
      'int',
    ],
    ['MSET', [['MSET', 'k', '7', 'other', 'v']], 'int'],
    ['MSETEX', [['MSETEX', 1, 'k', text(105), 'EX', 100]], 'raw'],
    ['GETSET', [['GETSET', 'k', '7']], 'int'],
    ['SETEX', [['SETEX', 'k', 100, 'v']], 'embstr'],
  ];
  test.each(cases)('%s', async (_, commands, encoding) => {
    await client.pipeline(commands);
    expect(await client.send('OBJECT', 'ENCODING', 'k')).toBe(encoding);
  });
});

/** What a slow reader must get and what the key becomes, for every way of changing a long value. */
const changes: [string, (old: string) => { commands: RespArgument[][]; after: string | null }][] = [
  ['SET of one as long', (old) => ({ commands: [['SET', 'k', shifted(old)]], after: shifted(old) })],
  ['SET of a short one', () => ({ commands: [['SET', 'k', 'short']], after: 'short' })],
  ['SET of a number', () => ({ commands: [['SET', 'k', '17']], after: '17' })],
  ['GETSET', (old) => ({ commands: [['GETSET', 'k', shifted(old)]], after: shifted(old) })],
  [
    'MSET, the key twice',
    (old) => ({ commands: [['MSET', 'k', shifted(old), 'k', `${old}!`]], after: `${old}!` }),
  ],
  ['APPEND', (old) => ({ commands: [['APPEND', 'k', 'tail']], after: `${old}tail` })],
  [
    'APPEND again and again',
    (old) => ({
      commands: Array.from({ length: 50 }, () => ['APPEND', 'k', '0123456789']),
      after: old + '0123456789'.repeat(50),
    }),
  ],
  [
    'SETRANGE inside',
    (old) => ({ commands: [['SETRANGE', 'k', 10, '###']], after: `${old.slice(0, 10)}###${old.slice(13)}` }),
  ],
  [
    'SETRANGE beyond the end',
    (old) => ({ commands: [['SETRANGE', 'k', old.length + 2, 'end']], after: `${old}\0\0end` }),
  ],
  ['GETDEL', () => ({ commands: [['GETDEL', 'k']], after: null })],
  ['DEL', () => ({ commands: [['DEL', 'k']], after: null })],
  ['FLUSHALL ASYNC', () => ({ commands: [['FLUSHALL', 'ASYNC']], after: null })],
];

/** Bytes that differ from place to place, so that a shifted or overwritten piece shows. */
function pattern(length: number): string {
  const words = Array.from({ length: Math.ceil(length / 8) }, (_, i) => String(i * 7919).padStart(8, '.'));
  return words.join('').slice(0, length);
}
const shifted = (s: string) => s.slice(1) + s[0];

// More than the socket buffers of both sides hold, so that most of it waits in the server.
const IN_FLIGHT = 24 << 20;

describe.each([0, 1024, 16384])('a reply in flight, referenced from %i bytes on', (threshold) => {
  beforeAll(async () => {
    await client.send('CONFIG', 'SET', 'min-string-size-avoid-copy-reply', threshold);
  });
  describe.each([16 << 10, 100_000, 1 << 20])('a value of %i bytes', (size) => {
    test.each(changes)('%s', async (_, change) => {
      const old = pattern(size);
      const { commands, after } = change(old);
      await client.pipeline([
        ['SET', 'k', old],
        ['SET', 'marker', 0],
      ]);
      const reader = await server.connect({ timeoutMs: 20_000 });
      try {
        reader.socket.pause();
        const gets = Math.ceil(IN_FLIGHT / size);
        const get = encodeCommand(['GET', 'k']);
        reader.write(
          Buffer.concat([...Array.from({ length: gets }, () => get), encodeCommand(['INCR', 'marker'])]),
        );
        while ((await client.send('GET', 'marker')) !== '1');
        await client.pipeline(commands);
        expect((await client.send('GET', 'k')) === after).toBe(true);
        reader.socket.resume();
        for (let i = 0; i < gets; i++) expect((await reader.readReply()) === old).toBe(true);
        expect(await reader.readReply()).toBe(1);
      } finally {
        reader.close();
      }
    });
  });
});

test('the oldest value of a pipeline is replied even if the same pipeline changes it', async () => {
  const old = pattern(64 << 10);
  await client.send('SET', 'k', old);
  const replies = await client.pipeline([
    ['GET', 'k'],
    ['APPEND', 'k', '!'],
    ['GETRANGE', 'k', 1, -2],
    ['SET', 'k', 'new', 'GET'],
    ['MGET', 'k', 'none', 'k'],
  ]);
  expect(replies).toEqual([old, old.length + 1, old.slice(1), `${old}!`, ['new', null, 'new']]);
});

test('nulls in RESP3', async () => {
  const three = await server.connect();
  await three.send('HELLO', '3');
  expect(String(await three.raw('GET', 'none'))).toBe('_\r\n');
  expect(String(await three.raw('SET', 'k', 'v', 'XX'))).toBe('_\r\n');
  expect(String(await three.raw('MGET', 'none'))).toBe('*1\r\n_\r\n');
  await three.send('SET', 'k', 'abc');
  expect(String(await three.raw('LCS', 'k', 'k', 'IDX'))).toBe(
    '%2\r\n$7\r\nmatches\r\n*1\r\n*2\r\n*2\r\n:0\r\n:2\r\n*2\r\n:0\r\n:2\r\n$3\r\nlen\r\n:3\r\n',
  );
  three.close();
});
