/** Client-side caching: CLIENT TRACKING and the invalidations it brings. */

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { type RespClient, RespError } from '../support/resp-client.js';

let server: RunningKvasir;
let reader: RespClient;
let writer: RespClient;

beforeAll(async () => {
  server = await startKvasir();
});
afterAll(() => server.stop());
beforeEach(async () => {
  reader = await server.connect();
  writer = await server.connect();
  await writer.send('FLUSHALL');
  await reader.send('HELLO', '3');
  return () => {
    reader.close();
    writer.close();
  };
});

/** Nothing is pushed to the client that has not been read: pushes come before later replies. */
const quiet = async (client: RespClient) => {
  await client.send('PING');
  expect(client.pendingPushes).toBe(0);
};

test('a key that was read is invalidated once', async () => {
  expect(await reader.send('CLIENT', 'TRACKING', 'ON')).toBe('OK');
  await reader.send('MGET', 'a', 'b');
  await writer.send('SET', 'a', '1');
  expect(await reader.readPush()).toEqual(['invalidate', ['a']]);
  await writer.send('SET', 'a', '2');
  await quiet(reader);
  await writer.send('SELECT', '3');
  await writer.send('SET', 'b', '1');
  expect(await reader.readPush()).toEqual(['invalidate', ['b']]);
  expect(String(await writer.send('INFO', 'stats'))).toContain('tracking_total_keys:0');
});

test('own changes are told after the reply, or with NOLOOP not at all', async () => {
  await reader.send('CLIENT', 'TRACKING', 'ON');
  await reader.send('GET', 'a');
  const replies = await reader.pipeline([['MULTI'], ['SET', 'a', '1'], ['PING'], ['EXEC']]);
  expect(replies[3]).toEqual(['OK', 'PONG']);
  expect(await reader.readPush()).toEqual(['invalidate', ['a']]);
  await reader.send('CLIENT', 'TRACKING', 'ON', 'NOLOOP');
  await reader.send('GET', 'a');
  await reader.send('SET', 'a', '2');
  await quiet(reader);
});

test('OPTIN and OPTOUT follow CLIENT CACHING', async () => {
  await reader.send('CLIENT', 'TRACKING', 'ON', 'OPTIN');
  await reader.send('GET', 'a');
  expect(await reader.send('CLIENT', 'CACHING', 'YES')).toBe('OK');
  await reader.send('GET', 'b');
  await reader.send('GET', 'c');
  await writer.send('MSET', 'a', '1', 'b', '1', 'c', '1');
  expect(await reader.readPush()).toEqual(['invalidate', ['b']]);
  await quiet(reader);
  expect(await reader.send('CLIENT', 'CACHING', 'NO')).toEqual(
    new RespError('ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.'),
  );
  await reader.send('CLIENT', 'TRACKING', 'OFF');
  await reader.send('CLIENT', 'TRACKING', 'ON', 'OPTOUT');
  await reader.send('CLIENT', 'CACHING', 'NO');
  await reader.pipeline([['MULTI'], ['GET', 'a'], ['GET', 'b'], ['EXEC']]);
  await reader.send('GET', 'c');
  await writer.send('MSET', 'a', '2', 'b', '2', 'c', '2');
  expect(await reader.readPush()).toEqual(['invalidate', ['c']]);
  await quiet(reader);
});

test('broadcasting tells one message per prefix and turn', async () => {
  await reader.send('CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'a:', 'PREFIX', 'b:');
  await writer.pipeline([
    ['MULTI'],
    ['SET', 'b:1', '1'],
    ['MSET', 'a:2', '1', 'a:1', '1', 'c', '1'],
    ['EXEC'],
  ]);
  expect(await reader.readPush()).toEqual(['invalidate', ['a:1', 'a:2']]);
  expect(await reader.readPush()).toEqual(['invalidate', ['b:1']]);
  await quiet(reader);
  expect(await reader.send('CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'a:x')).toEqual(
    new RespError(
      "ERR Prefix 'a:x' overlaps with an existing prefix 'a:'. Prefixes for a single client must not overlap.",
    ),
  );
  expect((await reader.raw('CLIENT', 'INFO')).toString()).toMatch(/flags=tB .* redir=0 /);
  await writer.send('SET', 'a:9', '1', 'PX', '1');
  expect(await reader.readPush()).toEqual(['invalidate', ['a:9']]);
  // Its expiry, noticed by the cron.
  expect(await reader.readPush()).toEqual(['invalidate', ['a:9']]);
});

test('prefixes of one client must not overlap', async () => {
  const track = (...prefixes: string[]) =>
    reader.send('CLIENT', 'TRACKING', 'ON', 'BCAST', ...prefixes.flatMap((p) => ['PREFIX', p]));
  const refused = (prefix: string, other: string, where = 'an existing') =>
    new RespError(
      `ERR Prefix '${prefix}' overlaps with ${where} prefix '${other}'. Prefixes for a single client must not overlap.`,
    );
  const memory = async () =>
    Number(/tot-mem=(\d+)/.exec((await reader.raw('CLIENT', 'INFO')).toString())![1]);
  const before = await memory();
  const many = Array.from({ length: 100 }, (_, i) => `m${String(i).padStart(3, '0')}`);
  expect(await track('d', 'bb', ...many)).toBe('OK');
  expect((await memory()) - before).toBeGreaterThan(100 * 16);
  expect(await track('a', 'c', 'e')).toBe('OK');
  for (const [prefix, other] of [
    ['bbb', 'bb'],
    ['b', 'bb'],
    ['bb', 'bb'],
    ['m', 'm000'],
    ['m0500', 'm050'],
    ['ee', 'e'],
  ] as const) {
    expect(await track('x', prefix), prefix).toEqual(refused(prefix, other));
  }
  expect(await track('')).toEqual(refused('', 'a'));
  expect(await track('x', 'yy', 'y')).toEqual(refused('yy', 'y', 'another provided'));
  expect(await track('x', 'y')).toBe('OK');
  // All keys, which nobody compares with what is there.
  expect(await track()).toBe('OK');
  expect(await track('z')).toEqual(refused('z', ''));
});

test('flushing invalidates everything', async () => {
  await reader.send('CLIENT', 'TRACKING', 'ON');
  await reader.send('GET', 'a');
  await writer.send('FLUSHDB');
  expect(await reader.readPush()).toEqual(['invalidate', null]);
  expect(await reader.send('FLUSHALL')).toBe('OK');
  expect(await reader.readPush()).toEqual(['invalidate', null]);
});

test('a RESP2 client has a subscriber told, and learns when that has gone', async () => {
  const told = await server.connect();
  const id = Number(await told.send('CLIENT', 'ID'));
  await told.send('SUBSCRIBE', '__redis__:invalidate');
  await writer.send('CLIENT', 'TRACKING', 'ON', 'REDIRECT', `${id}`);
  expect(await writer.send('CLIENT', 'GETREDIR')).toBe(id);
  await writer.send('GET', 'a');
  await writer.send('SET', 'a', '1');
  expect(await told.readReply()).toEqual(['message', '__redis__:invalidate', ['a']]);
  await reader.send('CLIENT', 'TRACKING', 'ON', 'REDIRECT', `${id}`);
  await reader.send('GET', 'a');
  await told.send('QUIT');
  await told.closed();
  await writer.send('SET', 'a', '2');
  expect(await reader.readPush()).toEqual(['tracking-redir-broken', id]);
  expect((await reader.raw('CLIENT', 'INFO')).toString()).toMatch(/flags=tR /);
});

test('the table is bounded', async () => {
  await writer.send('CONFIG', 'SET', 'tracking-table-max-keys', '10');
  await reader.send('CLIENT', 'TRACKING', 'ON');
  for (let i = 0; i < 100; i++) await reader.send('GET', `key${i}`);
  await quiet(reader).catch(() => {});
  const evicted = new Set<string>();
  while (evicted.size < 90) {
    const [kind, keys] = (await reader.readPush()) as [string, string[]];
    expect(kind).toBe('invalidate');
    evicted.add(keys[0]!);
  }
  expect(String(await writer.send('INFO', 'stats'))).toContain('tracking_total_keys:10\r\n');
  await writer.send('CONFIG', 'SET', 'tracking-table-max-keys', '1000000');
});
