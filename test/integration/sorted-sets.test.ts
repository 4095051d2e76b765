/** Sorted set commands over a socket: encodings, both protocols, waiting, payloads. */

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { type RespClient, RespError } from '../support/resp-client.js';

let server: RunningKvasir;
let client: RespClient;

beforeAll(async () => {
  server = await startKvasir(['--enable-debug-command', 'yes']);
});
afterAll(() => server.stop());
beforeEach(async () => {
  client = await server.connect();
  await client.send('FLUSHALL');
  await client.send('CONFIG', 'SET', 'zset-max-listpack-entries', '128', 'zset-max-listpack-value', '64');
  return () => client.close();
});

const encoding = (key: string) => client.send('OBJECT', 'ENCODING', key);
/** Members m0 … with their numbers as scores. */
const fill = (key: string, size: number, score: (i: number) => number = (i) => i) =>
  client.send('ZADD', key, ...Array.from({ length: size }, (_, i) => [score(i), `m${i}`]).flat());

test('a listpack becomes a skiplist by number or by length, and never again a listpack', async () => {
  await fill('z', 128);
  expect(await encoding('z')).toBe('listpack');
  await client.send('ZADD', 'z', 5, 'one more');
  expect(await encoding('z')).toBe('skiplist');
  await client.send('ZREMRANGEBYRANK', 'z', 10, -1);
  expect(await encoding('z')).toBe('skiplist');
  await client.send('ZADD', 'long', 1, 'x'.repeat(65));
  expect(await encoding('long')).toBe('skiplist');
  // A result is made anew, as compact as it may be.
  await client.send('ZUNIONSTORE', 'copy', 1, 'z');
  expect(await encoding('copy')).toBe('listpack');
});

test.each(['listpack', 'skiplist'])('ranges of a %s, by rank, score and bytes', async (kind) => {
  if (kind === 'skiplist') await client.send('CONFIG', 'SET', 'zset-max-listpack-entries', '0');
  await fill('z', 10);
  expect(await encoding('z')).toBe(kind);
  expect(await client.send('ZRANGE', 'z', 0, 1)).toEqual(['m0', 'm1']);
  expect(await client.send('ZRANGE', 'z', -2, -1, 'REV')).toEqual(['m1', 'm0']);
  expect(await client.send('ZRANGE', 'z', '(3', 5, 'BYSCORE', 'WITHSCORES')).toEqual(['m4', '4', 'm5', '5']);
  expect(await client.send('ZRANGE', 'z', '+inf', '(3', 'BYSCORE', 'REV', 'LIMIT', 1, 2)).toEqual([
    ...['m8', 'm7'],
  ]);
  expect(await client.send('ZREVRANGEBYSCORE', 'z', 2, '-inf')).toEqual(['m2', 'm1', 'm0']);
  expect(await client.send('ZCOUNT', 'z', '(1', 4)).toBe(3);
  expect(await client.send('ZRANK', 'z', 'm7')).toBe(7);
  expect(await client.send('ZREVRANK', 'z', 'm7', 'WITHSCORE')).toEqual([2, '7']);
  expect(await client.send('ZRANK', 'z', 'nobody', 'WITHSCORE')).toBeNull();
  await client.send('ZADD', 'lex', 0, 'a', 0, 'b', 0, 'c', 0, 'd');
  expect(await client.send('ZRANGEBYLEX', 'lex', '[b', '(d')).toEqual(['b', 'c']);
  expect(await client.send('ZREVRANGEBYLEX', 'lex', '+', '(b')).toEqual(['d', 'c']);
  expect(await client.send('ZLEXCOUNT', 'lex', '-', '[c')).toBe(3);
  expect(await client.send('ZREMRANGEBYLEX', 'lex', '[a', '[b')).toBe(2);
  expect(await client.send('ZRANGESTORE', 'stored', 'z', 2, 4)).toBe(3);
  expect(await client.send('ZMSCORE', 'stored', 'm1', 'm2')).toEqual([null, '2']);
});

test('scores have RESP3 forms', async () => {
  await client.send('HELLO', 3);
  await client.send('ZADD', 'z', '1.5', 'a', 'inf', 'b');
  expect(await client.send('ZRANGE', 'z', 0, -1, 'WITHSCORES')).toEqual([
    ['a', 1.5],
    ['b', Number.POSITIVE_INFINITY],
  ]);
  expect(await client.send('ZSCORE', 'z', 'a')).toBe(1.5);
  expect(await client.send('ZPOPMIN', 'z', 1)).toEqual([['a', 1.5]]);
  expect(await client.send('ZPOPMIN', 'z')).toEqual(['b', Number.POSITIVE_INFINITY]);
  expect(await client.send('ZPOPMIN', 'z')).toEqual([]);
});

test('ZADD and its options', async () => {
  expect(await client.send('ZADD', 'z', 'NX', 1, 'a', 2, 'b')).toBe(2);
  expect(await client.send('ZADD', 'z', 'NX', 'CH', 9, 'a')).toBe(0);
  expect(await client.send('ZADD', 'z', 'XX', 'CH', 9, 'a', 9, 'c')).toBe(1);
  expect(await client.send('ZADD', 'z', 'GT', 'CH', 8, 'a', 8, 'b')).toBe(1);
  expect(await client.send('ZADD', 'z', 'LT', 'INCR', 1, 'a')).toBeNull();
  expect(await client.send('ZADD', 'z', 'INCR', -1, 'a')).toBe('8');
  expect(await client.send('ZINCRBY', 'z', '0.5', 'a')).toBe('8.5');
  for (const [args, error] of [
    [['XX', 'NX', 1, 'a'], 'ERR XX and NX options at the same time are not compatible'],
    [['GT', 'LT', 1, 'a'], 'ERR GT, LT, and/or NX options at the same time are not compatible'],
    [['INCR', 1, 'a', 2, 'b'], 'ERR INCR option supports a single increment-element pair'],
    [['nan', 'a'], 'ERR value is not a valid float'],
    [[1, 'a', 2], 'ERR syntax error'],
  ] as const) {
    expect(await client.send('ZADD', 'z', ...args)).toEqual(new RespError(error));
  }
  expect(await client.send('ZCARD', 'z')).toBe(2);
});

test('unions, intersections and differences, of sets as well', async () => {
  await client.send('ZADD', 'a', 1, 'x', 2, 'y', 3, 'z');
  await client.send('ZADD', 'b', 10, 'y', 20, 'w');
  await client.send('SADD', 's', 'y', 'z');
  expect(await client.send('ZUNION', 2, 'a', 'b', 'WITHSCORES')).toEqual([
    ...['x', '1', 'z', '3', 'y', '12', 'w', '20'],
  ]);
  expect(await client.send('ZINTER', 2, 'a', 's', 'WEIGHTS', 2, 100, 'WITHSCORES')).toEqual([
    ...['y', '104', 'z', '106'],
  ]);
  expect(await client.send('ZINTER', 2, 'a', 'b', 'AGGREGATE', 'MAX', 'WITHSCORES')).toEqual(['y', '10']);
  expect(await client.send('ZDIFF', 3, 'a', 'b', 'none')).toEqual(['x', 'z']);
  expect(await client.send('ZINTERCARD', 2, 'a', 's', 'LIMIT', 1)).toBe(1);
  expect(await client.send('ZDIFFSTORE', 'a', 2, 'a', 'a')).toBe(0);
  expect(await client.send('EXISTS', 'a')).toBe(0);
  expect(await client.send('ZUNION', 2, 's', 'b', 'WEIGHTS', 'inf', 1, 'WITHSCORES')).toEqual([
    ...['w', '20', 'y', 'inf', 'z', 'inf'],
  ]);
});

test('random members are different ones, or as many as asked for', async () => {
  await fill('z', 300);
  const different = (await client.send('ZRANDMEMBER', 'z', 100)) as string[];
  expect(new Set(different).size).toBe(100);
  const any = (await client.send('ZRANDMEMBER', 'z', -500, 'WITHSCORES')) as string[];
  expect(any).toHaveLength(1000);
  for (let i = 0; i < any.length; i += 2) expect(any[i]).toBe(`m${any[i + 1]}`);
  expect(await client.send('ZRANDMEMBER', 'none')).toBeNull();
  // All of them come from the highest down.
  const all = (await client.send('ZRANDMEMBER', 'z', 1000)) as string[];
  expect(all).toEqual(Array.from({ length: 300 }, (_, i) => `m${299 - i}`));
});

test('ZSCAN goes through all members, with or without their scores', async () => {
  await fill('z', 1000);
  for (const options of [[], ['NOSCORES']]) {
    const seen: string[] = [];
    let cursor = '0';
    do {
      const [next, part] = (await client.send('ZSCAN', 'z', cursor, 'COUNT', 50, ...options)) as [
        string,
        string[],
      ];
      cursor = next;
      seen.push(...(options.length === 0 ? part.filter((_, i) => i % 2 === 0) : part));
    } while (cursor !== '0');
    expect(new Set(seen).size).toBe(1000);
  }
});

test('clients wait for members, in order', async () => {
  const [first, second] = [await server.connect(), await server.connect()];
  const one = first.send('BZPOPMIN', 'q', 'r', 0);
  while (!String(await client.send('INFO', 'clients')).includes('blocked_clients:1'));
  const two = second.send('BZMPOP', 0, 1, 'r', 'MAX', 'COUNT', 2);
  while (!String(await client.send('INFO', 'clients')).includes('blocked_clients:2'));
  await client.send('ZADD', 'r', 1, 'a', 2, 'b', 3, 'c');
  expect(await one).toEqual(['r', 'a', '1']);
  expect(await two).toEqual([
    'r',
    [
      ['c', '3'],
      ['b', '2'],
    ],
  ]);
  expect(await client.send('EXISTS', 'r')).toBe(0);
  expect(await client.send('BZPOPMAX', 'none', '0.001')).toBeNull();
  for (const waiter of [first, second]) waiter.close();
});

test('large ranges are removed at once, and the table gets smaller when all is done', async () => {
  await fill('z', 20_000, (i) => i % 100);
  const stats = async () => String(await client.send('DEBUG', 'HTSTATS-KEY', 'z', 'full'));
  expect(await stats()).toContain('number of entries: 20000\n');
  expect(await client.send('ZREMRANGEBYSCORE', 'z', 10, 19)).toBe(2000);
  expect(await client.send('ZCARD', 'z')).toBe(18_000);
  expect(await client.send('ZSCORE', 'z', 'm10')).toBeNull();
  expect(await client.send('ZREMRANGEBYRANK', 'z', 1, -1)).toBe(17_999);
  expect(await stats()).toContain('number of entries: 1\n rehashing index: 0\n');
  expect(await stats()).toContain('(rehashing target):\n table size: 7\n number of entries: 0\n');
  expect(await client.send('ZREMRANGEBYSCORE', 'z', '-inf', 'inf')).toBe(1);
  expect(await client.send('EXISTS', 'z')).toBe(0);
  await client.send('ZADD', 'small', 1, 'a');
  expect(await client.send('DEBUG', 'HTSTATS-KEY', 'small')).toEqual(
    new RespError('ERR The value stored at the specified key is not represented using an hash table'),
  );
});

test('payloads are those of Valkey, and come back', async () => {
  await client.send('ZADD', 'z', 1, 'a', '1.5', 'bb', '-inf', '7');
  const small = Buffer.from((await client.send('DUMP', 'z')) as string, 'latin1');
  expect(small.toString('hex')).toBe(
    '111d1d00000006000701842d696e660581610201018262620383312e3504ff5000b7289c72e2c07feb',
  );
  await client.send('CONFIG', 'SET', 'zset-max-listpack-entries', '0');
  await client.send('ZUNIONSTORE', 'big', 1, 'z');
  const large = Buffer.from((await client.send('DUMP', 'big')) as string, 'latin1');
  expect(large.toString('hex')).toBe(
    '0503026262000000000000f83f0161000000000000f03fc007000000000000f0ff500033f8912e0b5945b5',
  );
  for (const payload of [small, large]) {
    expect(await client.send('RESTORE', 'copy', 0, payload, 'REPLACE')).toBe('OK');
    expect(await encoding('copy')).toBe('skiplist');
    expect(await client.send('ZRANGE', 'copy', 0, -1, 'WITHSCORES')).toEqual([
      ...['7', '-inf', 'a', '1', 'bb', '1.5'],
    ]);
  }
});

test.each([
  // As Valkey 9.1.2 answers.
  ['0.1', '6605f56364a85f2c14bc54c5b4318ac4616eb60a'],
  ['1e17', '865dfe692ba47395ddd673188be31a88f4f3a760'],
  ['123456.78901234567', '1da2a480f1336f7f8be1ed9807d19bc03ed05e60'],
])('the digest of a member with score %s', async (score, digest) => {
  await client.send('ZADD', 'z', score, 'a');
  expect(await client.send('DEBUG', 'DIGEST-VALUE', 'z')).toEqual([digest]);
});

test('payloads of old encodings are read, and wrong ones refused', async () => {
  await client.send('DEBUG', 'SET-SKIP-CHECKSUM-VALIDATION', 1);
  const restore = (hex: string) =>
    client.send('RESTORE', 'k', 0, Buffer.from(`${hex}50000000000000000000`, 'hex'), 'REPLACE');
  const members = () => client.send('ZRANGE', 'k', 0, -1, 'WITHSCORES');
  // Digits: a 1.5, b infinite.
  expect(await restore('0302016103312e350162fe')).toBe('OK');
  expect(await members()).toEqual(['a', '1.5', 'b', 'inf']);
  // A ziplist: a 3.
  expect(await restore('0c10100000000d00000002000001610' + '3f4ff')).toBe('OK');
  expect(await members()).toEqual(['a', '3']);
  const bad = new RespError('ERR Bad data format');
  for (const hex of [
    '03010161fd', // no number
    '05020161000000000000f03f0161000000000000f03f', // twice the same
    '05010161000000000000f87f', // not a number
    '0500', // nothing in it
    '110d0d00000002008161020101ff', // a listpack whose size is wrong
    '110e0e000000030081610201010501ff', // a member without score
  ]) {
    expect(await restore(hex)).toEqual(bad);
  }
  await client.send('DEBUG', 'SET-SKIP-CHECKSUM-VALIDATION', 0);
});
