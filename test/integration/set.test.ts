/** Set commands over a socket: encodings, reply types of both protocols, payloads, random members, large sets. */

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
  return () => client.close();
});

const encoding = (key: string) => client.send('OBJECT', 'ENCODING', key);
const members = async (key: string) => ((await client.send('SMEMBERS', key)) as string[]).sort();
const numbers = (n: number, from = 0) => Array.from({ length: n }, (_, i) => String(from + i));
const WRONG_TYPE = new RespError('WRONGTYPE Operation against a key holding the wrong kind of value');

test('a set leaves its compact encodings as Valkey does', async () => {
  await client.send('SADD', 'i', ...numbers(512));
  expect(await encoding('i')).toBe('intset');
  await client.send('SADD', 'i', '512');
  expect(await encoding('i')).toBe('hashtable');
  await client.send('SADD', 'l', 'a', ...numbers(127));
  expect(await encoding('l')).toBe('listpack');
  await client.send('SADD', 'l', 'b');
  expect(await encoding('l')).toBe('hashtable');
  await client.send('SADD', 'long', 'x'.repeat(64));
  expect(await encoding('long')).toBe('listpack');
  await client.send('SADD', 'long', 'x'.repeat(65));
  expect(await encoding('long')).toBe('hashtable');
  await client.send('SADD', 'mixed', '1', '2', 'a');
  expect(await encoding('mixed')).toBe('listpack');
  expect(await members('mixed')).toEqual(['1', '2', 'a']);
});

test('replies are sets in RESP3 and arrays in RESP2', async () => {
  const raw = async (...args: string[]) => (await client.raw(...args)).toString('latin1').slice(0, 2);
  await client.send('SADD', 's', '1', '2');
  const sets = [
    ['SMEMBERS', 's'],
    ['SINTER', 's'],
    ['SUNION', 's', 's'],
    ['SDIFF', 's', 'none'],
  ];
  for (const args of sets) expect(await raw(...args)).toBe('*2');
  await client.send('HELLO', '3');
  for (const args of sets) expect(await raw(...args)).toBe('~2');
  expect(await raw('SMEMBERS', 'none')).toBe('~0');
  expect(await raw('SRANDMEMBER', 's', '2')).toBe('*2');
  expect(await raw('SRANDMEMBER', 'none')).toBe('_\r');
  expect(await raw('SPOP', 's', '1')).toBe('~1');
  expect(await raw('SPOP', 's', '9')).toBe('~1');
  expect(await raw('SPOP', 's', '9')).toBe('~0');
});

test('algebra over sets of all encodings', async () => {
  await client.send('SADD', 'table', ...numbers(1000), 'word');
  await client.send('SADD', 'ints', '5', '7', '2000');
  await client.send('SADD', 'words', '7', 'word', 'other');
  const of = async (...args: string[]) => ((await client.send(...args)) as string[]).sort();
  expect(await of('SINTER', 'table', 'ints')).toEqual(['5', '7']);
  expect(await of('SINTER', 'table', 'words', 'table')).toEqual(['7', 'word']);
  expect(await of('SDIFF', 'words', 'table')).toEqual(['other']);
  expect(await of('SDIFF', 'ints', 'words', 'none')).toEqual(['2000', '5']);
  expect((await of('SUNION', 'table', 'ints', 'words')).length).toBe(1003);
  expect(await client.send('SINTERCARD', '2', 'table', 'ints', 'LIMIT', '1')).toBe(1);
  expect(await client.send('SUNIONSTORE', 'table', 'table', 'ints', 'words')).toBe(1003);
  expect(await client.send('SCARD', 'table')).toBe(1003);
  expect(await client.send('SINTERSTORE', 'd', 'table', 'ints')).toBe(3);
  expect(await encoding('d')).toBe('intset');
  await client.send('SET', 'str', 'x');
  expect(await client.send('SINTER', 'none', 'str')).toEqual(WRONG_TYPE);
  expect(await client.send('SUNION', 'str')).toEqual(WRONG_TYPE);
  expect(await client.send('SINTERCARD', '3', 'a')).toEqual(
    new RespError("ERR Number of keys can't be greater than number of args"),
  );
});

test('a store replaces whatever is there, its deadline included', async () => {
  await client.send('SADD', 'a', '1');
  await client.send('SET', 'd', 'text', 'EX', '100');
  expect(await client.send('SUNIONSTORE', 'd', 'a')).toBe(1);
  expect(await client.send('TTL', 'd')).toBe(-1);
  expect(await client.send('SDIFFSTORE', 'd', 'a', 'a')).toBe(0);
  expect(await client.send('EXISTS', 'd')).toBe(0);
});

test.each([10, 100, 3000])('popping from a set of %i leaves the rest', async (size) => {
  for (const part of [1, 2, Math.floor(size / 2), size - 1]) {
    await client.send('DEL', 's');
    await client.send('SADD', 's', ...numbers(size).map((n) => `m${n}`));
    const popped = (await client.send('SPOP', 's', String(part))) as string[];
    expect(new Set(popped).size).toBe(part);
    expect([...popped, ...(await members('s'))].sort()).toEqual(
      numbers(size)
        .map((n) => `m${n}`)
        .sort(),
    );
  }
});

test('random members, with and without repetition', async () => {
  await client.send('SADD', 's', ...numbers(50));
  const some = (await client.send('SRANDMEMBER', 's', '20')) as string[];
  expect(new Set(some).size).toBe(20);
  expect(((await client.send('SRANDMEMBER', 's', '-200')) as string[]).length).toBe(200);
  expect(((await client.send('SRANDMEMBER', 's', '100')) as string[]).length).toBe(50);
  expect(await client.send('SRANDMEMBER', 's', '-9223372036854775808')).toEqual(
    new RespError(
      'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807',
    ),
  );
});

test('a scan gives every member that stays, while others come and go', async () => {
  await client.send('SADD', 's', ...numbers(2000).map((n) => `stay:${n}`));
  const seen = new Set<string>();
  let cursor = '0';
  let round = 0;
  do {
    const [next, found] = (await client.send('SSCAN', 's', cursor, 'COUNT', '50')) as [string, string[]];
    for (const member of found) seen.add(member);
    cursor = next;
    // Grows and shrinks the table between the steps.
    const others = numbers(400, 400 * Math.floor(round / 2));
    await client.send(round % 2 === 0 ? 'SADD' : 'SREM', 's', ...others);
    round++;
  } while (cursor !== '0');
  expect(numbers(2000).every((n) => seen.has(`stay:${n}`))).toBe(true);
});

test('DUMP, RESTORE, COPY and DEBUG DIGEST of every encoding', async () => {
  await client.send('SADD', 'ints', '1', '-7', '500');
  await client.send('SADD', 'pack', 'a', '12', '');
  await client.send('SADD', 'table', ...numbers(600), 'x'.repeat(300));
  for (const key of ['ints', 'pack', 'table']) {
    const payload = Buffer.from((await client.send('DUMP', key)) as string, 'latin1');
    expect(await client.send('RESTORE', `${key}:2`, '0', payload)).toBe('OK');
    expect(await client.send('COPY', key, `${key}:3`)).toBe(1);
    for (const copy of [`${key}:2`, `${key}:3`]) {
      expect(await encoding(copy)).toBe(await encoding(key));
      expect(await members(copy)).toEqual(await members(key));
      expect(await client.send('DEBUG', 'DIGEST-VALUE', copy)).toEqual(
        await client.send('DEBUG', 'DIGEST-VALUE', key),
      );
    }
  }
  // The bytes that Valkey writes.
  expect(Buffer.from((await client.send('DUMP', 'ints')) as string, 'latin1').toString('hex')).toMatch(
    /^0b0e0200000003000000f9ff0100f401/,
  );
});

test('payloads that are no set are refused', async () => {
  await client.send('DEBUG', 'SET-SKIP-CHECKSUM-VALIDATION', '1');
  const footer = '50000000000000000000';
  const restore = (hex: string) => client.send('RESTORE', 'k', '0', Buffer.from(hex + footer, 'hex'));
  const bad = new RespError('ERR Bad data format');
  // An intset: out of order, twice the same, of a wrong width, empty.
  expect(await restore('0b0c0200000002000000' + '02000100')).toEqual(bad);
  expect(await restore('0b0c0200000002000000' + '01000100')).toEqual(bad);
  expect(await restore('0b0c0300000002000000' + '01000200')).toEqual(bad);
  expect(await restore('0b080200000000000000')).toEqual(bad);
  // A listpack: the same member twice, as a number and as text; empty.
  expect(await restore('140b0b000000020005018131' + '02ff')).toEqual(bad);
  expect(await restore('140b0b0000000200050105' + '01ff')).toEqual(bad);
  expect(await restore('1407070000000000ff')).toEqual(bad);
  // Members one by one: twice the same, too few, more than there can be.
  expect(await restore('0202016101' + '61')).toEqual(bad);
  expect(await restore('02020161')).toEqual(bad);
  expect(await restore('0281ffffffffffffffff0161')).toEqual(bad);
  expect(await restore('0202016101' + '62')).toBe('OK');
  expect(await members('k')).toEqual(['a', 'b']);
  await client.send('DEBUG', 'SET-SKIP-CHECKSUM-VALIDATION', '0');
});

test('statistics of the table of a value', async () => {
  await client.send('SADD', 'table', ...numbers(600));
  expect(String(await client.send('DEBUG', 'HTSTATS-KEY', 'table'))).toContain('number of entries: 600');
  expect(String(await client.send('DEBUG', 'HTSTATS-KEY', 'table', 'full'))).toContain('top-level buckets');
  await client.send('SADD', 'small', '1');
  expect(await client.send('DEBUG', 'HTSTATS-KEY', 'small')).toEqual(
    new RespError('ERR The value stored at the specified key is not represented using an hash table'),
  );
});

test('memory per member is about what its bytes take', async () => {
  await client.send('SADD', 'table', ...numbers(1000).map((n) => `member:${n.padStart(9, '0')}`));
  const bytes = (await client.send('MEMORY', 'USAGE', 'table', 'SAMPLES', '0')) as number;
  // 24 bytes for the member and 18 for its place, which is what Valkey takes.
  expect(bytes / 1000).toBeLessThan(43);
});
