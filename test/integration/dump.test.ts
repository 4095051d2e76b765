/** DUMP and RESTORE. */

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { type RespClient, RespError } from '../support/resp-client.js';

let server: RunningKvasir;
let client: RespClient;

beforeAll(async () => {
  server = await startKvasir(['--enable-debug-command', 'yes']);
  client = await server.connect();
});
afterAll(async () => {
  client.close();
  await server.stop();
});
beforeEach(async () => {
  await client.send('FLUSHALL');
});

const bytes = (text: string) => Buffer.from(text, 'latin1');
const dump = async (key: string) => bytes((await client.send('DUMP', key)) as string);
const BAD_PAYLOAD = new RespError('ERR DUMP payload version or checksum are wrong');

test.each([
  // As Valkey 9.1.2 writes them.
  ['hello', '000568656c6c6f5000ac5816e7fb6647fe'],
  ['-5', '00c0fb'],
  ['12345', '00c13930'],
  ['-2147483648', '00c200000080'],
  ['99999999999', '000b3939393939393939393939'],
  ['', '0000'],
])('the payload of %j', async (value, start) => {
  await client.send('SET', 'k', value);
  const payload = await dump('k');
  expect(payload.toString('hex')).toMatch(new RegExp(`^${start}`));
  expect(payload.subarray(-10, -8).toString('hex')).toBe('5000');
  expect(await client.send('RESTORE', 'copy', 0, payload)).toBe('OK');
  expect(await client.send('GET', 'copy')).toBe(value);
});

test('long strings are compressed as rdbcompression says', async () => {
  const value = 'abcdefgh'.repeat(10_000);
  await client.send('SET', 'k', value);
  const small = await dump('k');
  expect(small.length).toBeLessThan(2000);
  await client.send('CONFIG', 'SET', 'rdbcompression', 'no');
  const large = await dump('k');
  await client.send('CONFIG', 'SET', 'rdbcompression', 'yes');
  expect(large.length).toBe(1 + 5 + value.length + 10);
  for (const payload of [small, large]) {
    expect(await client.send('RESTORE', 'copy', 0, payload, 'REPLACE')).toBe('OK');
    expect(await client.send('GET', 'copy')).toBe(value);
  }
});

test('DUMP of nothing is null', async () => {
  expect(await client.send('DUMP', 'nothing')).toBeNull();
});

test('RESTORE sets a deadline, relative or absolute', async () => {
  await client.send('SET', 'k', 'v');
  const payload = await dump('k');
  await client.send('RESTORE', 'relative', 100_000, payload);
  expect(await client.send('PTTL', 'relative')).toBeGreaterThan(90_000);
  const at = 4_000_000_000_000;
  await client.send('RESTORE', 'absolute', at, payload, 'ABSTTL');
  expect(await client.send('PEXPIRETIME', 'absolute')).toBe(at);
  await client.send('RESTORE', 'without', 0, payload);
  expect(await client.send('PTTL', 'without')).toBe(-1);
});

test('RESTORE with a deadline in the past leaves nothing, and removes what it replaces', async () => {
  await client.send('SET', 'k', 'v');
  const payload = await dump('k');
  expect(await client.send('RESTORE', 'k', 1, payload, 'REPLACE', 'ABSTTL')).toBe('OK');
  expect(await client.send('EXISTS', 'k')).toBe(0);
});

test('RESTORE onto a key needs REPLACE', async () => {
  await client.send('SET', 'k', 'old', 'EX', 1000);
  await client.send('SET', 'n', 'new');
  const payload = await dump('n');
  expect(await client.send('RESTORE', 'k', 0, payload)).toEqual(
    new RespError('BUSYKEY Target key name already exists.'),
  );
  expect(await client.send('RESTORE', 'k', 0, payload, 'REPLACE')).toBe('OK');
  expect(await client.send('GET', 'k')).toBe('new');
  expect(await client.send('TTL', 'k')).toBe(-1);
});

test('IDLETIME and FREQ', async () => {
  await client.send('SET', 'k', 'v');
  const payload = await dump('k');
  await client.send('RESTORE', 'idle', 0, payload, 'IDLETIME', 1000);
  expect(await client.send('OBJECT', 'IDLETIME', 'idle')).toBeGreaterThanOrEqual(1000);
  await client.send('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu');
  await client.send('RESTORE', 'freq', 0, payload, 'FREQ', 100);
  expect(await client.send('OBJECT', 'FREQ', 'freq')).toBe(100);
  await client.send('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  for (const [option, value, error] of [
    ['IDLETIME', -1, 'ERR Invalid IDLETIME value, must be >= 0'],
    ['FREQ', 256, 'ERR Invalid FREQ value, must be >= 0 and <= 255'],
    ['FREQ', 'x', 'ERR value is not an integer or out of range'],
  ] as const) {
    expect(await client.send('RESTORE', 'bad', 0, payload, option, value)).toEqual(new RespError(error));
  }
});

test('a damaged payload is refused', async () => {
  await client.send('SET', 'k', 'some value that is long enough');
  const payload = await dump('k');
  for (let i = 0; i < payload.length; i++) {
    const damaged = Buffer.from(payload);
    damaged[i]! ^= 1;
    expect(await client.send('RESTORE', 'x', 0, damaged)).toEqual(BAD_PAYLOAD);
  }
  expect(await client.send('RESTORE', 'x', 0, payload.subarray(0, -1))).toEqual(BAD_PAYLOAD);
  expect(await client.send('RESTORE', 'x', 0, '')).toEqual(BAD_PAYLOAD);
  // Without the checksum the format itself has to notice.
  await client.send('DEBUG', 'SET-SKIP-CHECKSUM-VALIDATION', 1);
  for (const head of [
    '',
    '\xfe',
    '\x00',
    '\x00\x7f',
    '\x00\xc3\x05\x7f\x00',
    '\x00\xc3\x40\x80\xff\xff\xff\xff',
    '\x0b',
  ]) {
    const reply = await client.send('RESTORE', 'x', 0, bytes(`${head}\x50\x00${'\0'.repeat(8)}`));
    expect(reply).toEqual(new RespError('ERR Bad data format'));
  }
  await client.send('DEBUG', 'SET-SKIP-CHECKSUM-VALIDATION', 0);
  expect(await client.send('EXISTS', 'x')).toBe(0);
});

/** A sorted set of the first RDB format with one member, whose score has these digits. */
const oldZset = (score: string): Buffer =>
  Buffer.concat([
    Buffer.from([3, 1, 1, 0x61, score.length]),
    Buffer.from(score, 'latin1'),
    Buffer.from([80, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
  ]);

test('the scores of old sorted sets are what scanf makes of them', async () => {
  await client.send('DEBUG', 'SET-SKIP-CHECKSUM-VALIDATION', 1);
  for (const [text, score] of [
    ['3', '3'],
    [' -.5', '-0.5'],
    ['3x', '3'],
    ['3e5x', '300000'],
    ['0x1p3', '8'],
    ['infx', 'inf'],
    ['1e999', 'inf'],
  ]) {
    expect([text, await client.send('RESTORE', 'z', 0, oldZset(text!), 'REPLACE')]).toEqual([text, 'OK']);
    expect(await client.send('ZSCORE', 'z', 'a')).toBe(score);
  }
  for (const text of [
    '',
    'e',
    '.e',
    '+',
    'in',
    'infi',
    'nan',
    '3e',
    '3e+',
    '3e\x1500',
    '1.e',
    '0x',
    '0xg',
    '0x1p',
  ]) {
    const refused = await client.send('RESTORE', 'z', 0, oldZset(text), 'REPLACE');
    expect([text, refused]).toEqual([text, new RespError('ERR Bad data format')]);
  }
  await client.send('DEBUG', 'SET-SKIP-CHECKSUM-VALIDATION', 0);
});
