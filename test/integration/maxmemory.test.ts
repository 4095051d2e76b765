/** maxmemory and maxmemory-clients: what is evicted, what is refused, and what tells of it. */

import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { type RespClient, RespError } from '../support/resp-client.js';

const OOM = "OOM command not allowed when used memory > 'maxmemory'.";

let server: RunningKvasir;
let client: RespClient;

beforeEach(async () => {
  server = await startKvasir(['--save', '']);
  client = await server.connect();
});
afterEach(() => server.stop());

async function info(field: string): Promise<number> {
  const text = String(await client.send('INFO', 'everything'));
  return Number(new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(text)![1]);
}

/** Writes numbered keys, each with a deadline if told so. */
async function fill(count: number, bytes: number, deadline: boolean): Promise<void> {
  const value = 'x'.repeat(bytes);
  for (let i = 0; i < count; i++) {
    await client.send('SET', `key:${i}`, value, ...(deadline ? ['EX', '1000'] : []));
  }
}

test.each([
  'allkeys-lru',
  'allkeys-lfu',
  'allkeys-random',
  'volatile-lru',
  'volatile-lfu',
  'volatile-ttl',
  'volatile-random',
])('%s keeps the limit', async (policy) => {
  const limit = (await info('used_memory')) + 400_000;
  await client.send('CONFIG', 'SET', 'maxmemory', String(limit), 'maxmemory-policy', policy);
  await fill(1000, 1000, true);
  expect(await info('used_memory')).toBeLessThan(limit + 16_384);
  expect(await info('evicted_keys')).toBeGreaterThan(300);
  // Asking may evict.
  await client.send('CONFIG', 'SET', 'maxmemory', '0');
  expect(await client.send('DBSIZE')).toBe(1000 - (await info('evicted_keys')));
});

test.each(['noeviction', 'volatile-lru', 'volatile-ttl', 'volatile-random'])(
  '%s refuses what needs memory when nothing may be evicted',
  async (policy) => {
    await client.send('CONFIG', 'SET', 'maxmemory-policy', policy);
    await fill(10, 10, false);
    await client.send('CONFIG', 'SET', 'maxmemory', '1');
    expect(await client.send('SET', 'k', 'v')).toEqual(new RespError(OOM));
    expect(await client.send('GET', 'key:1')).toBe('xxxxxxxxxx');
    expect(await client.send('DEL', 'key:1')).toBe(1);
    expect(await info('evicted_keys')).toBe(0);
    expect(await info('errorstat_OOM')).toBeNaN();
    expect(String(await client.send('INFO', 'errorstats'))).toContain('errorstat_OOM:count=1');
    await client.send('CONFIG', 'SET', 'maxmemory', '0');
    expect(await client.send('SET', 'k', 'v')).toBe('OK');
  },
);

test('a transaction is judged by its commands, when they are queued and when they shall run', async () => {
  await client.send('MULTI');
  await client.send('SET', 'k', 'v');
  const other = await server.connect();
  await other.send('CONFIG', 'SET', 'maxmemory', '1');
  expect(await client.send('EXEC')).toEqual(
    new RespError(`EXECABORT Transaction discarded because of: ${OOM}`),
  );
  await client.send('MULTI');
  expect(await client.send('SET', 'k', 'v')).toEqual(new RespError(OOM));
  expect(await client.send('EXEC')).toEqual(
    new RespError('EXECABORT Transaction discarded because of previous errors.'),
  );
  await other.send('CONFIG', 'SET', 'maxmemory', '0');
  await client.send('MULTI');
  await client.send('SET', 'k', 'v');
  await other.send('CONFIG', 'SET', 'maxmemory', '1');
  expect(await client.send('DISCARD')).toBe('OK');
  await client.send('MULTI');
  await client.send('GET', 'k');
  expect(await client.send('EXEC')).toEqual([null]);
});

test('a lower limit takes effect without any further command, and is told of', async () => {
  await client.send('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru', 'maxmemory-eviction-tenacity', '1');
  await fill(2000, 1000, false);
  const limit = (await info('used_memory')) - 1_500_000;
  await client.send('CONFIG', 'SET', 'maxmemory', String(limit));
  await expect.poll(() => info('used_memory'), { interval: 5 }).toBeLessThanOrEqual(limit + 16_384);
  await expect.poll(() => info('current_eviction_exceeded_time'), { interval: 5 }).toBe(0);
  expect(server.log).toContain('is smaller than the current memory usage');
});

test('telling clients of evicted keys does not make more keys go', async () => {
  await client.send('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru', 'maxmemory-eviction-tenacity', '100');
  const trackers = await Promise.all(Array.from({ length: 10 }, () => server.connect()));
  const keys = Array.from({ length: 300 }, (_, i) => `${i}:${'x'.repeat(1000)}`);
  await client.pipeline(keys.map((key) => ['SET', key, 'x']));
  for (const tracker of trackers) {
    await tracker.send('HELLO', '3');
    await tracker.send('CLIENT', 'TRACKING', 'ON');
    await tracker.pipeline(keys.map((key) => ['GET', key]));
  }
  await client.send('CONFIG', 'SET', 'maxmemory', String((await info('used_memory')) - 100_000));
  expect(await info('evicted_keys')).toBeGreaterThan(0);
  expect(await client.send('DBSIZE')).toBeGreaterThan(150);
  expect(await trackers[0]!.readPush()).toEqual(['invalidate', [expect.stringContaining('xxx')]]);
});

test('the keys that were used last stay', async () => {
  await client.send(
    'CONFIG',
    'SET',
    'maxmemory-policy',
    'allkeys-lfu',
    'lfu-log-factor',
    '0',
    'maxmemory-samples',
    '10',
  );
  await fill(1000, 1000, false);
  for (let i = 0; i < 100; i++) {
    for (let n = 0; n < 20; n++) await client.send('GET', `key:${i}`);
  }
  await client.send('CONFIG', 'SET', 'maxmemory', String((await info('used_memory')) - 500_000));
  await expect.poll(() => info('evicted_keys')).toBeGreaterThan(300);
  let left = 0;
  for (let i = 0; i < 100; i++) left += Number(await client.send('EXISTS', `key:${i}`));
  expect(left).toBeGreaterThan(95);
});

test('the largest clients are disconnected, but not those that are protected', async () => {
  await client.send('CLIENT', 'NO-EVICT', 'ON');
  const sizes = [100_000, 400_000, 1_600_000];
  const clients = await Promise.all(sizes.map(() => server.connect()));
  const names = async () =>
    [...String(await client.send('CLIENT', 'LIST')).matchAll(/name=(size\d)/g)].map((m) => m[1]);
  const memory = async (name: string) =>
    Number(
      new RegExp(`name=${name} .* tot-mem=(\\d+)`).exec(String(await client.send('CLIENT', 'LIST')))?.[1],
    );
  for (const [i, size] of sizes.entries()) {
    await clients[i]!.send('CLIENT', 'SETNAME', `size${i}`);
    clients[i]!.write(`*2\r\n$${size}\r\n${'x'.repeat(size - 10)}`);
    await expect.poll(() => memory(`size${i}`)).toBeGreaterThan(size - 11);
  }
  await client.send('CONFIG', 'SET', 'maxmemory-clients', '1500000');
  expect(await names()).toEqual(['size0', 'size1']);
  // 20 % of 2 MB: less than the second has.
  await client.send('CONFIG', 'SET', 'maxmemory', '2000000', 'maxmemory-clients', '20%');
  expect(await names()).toEqual(['size0']);
  expect(await info('evicted_clients')).toBe(2);
  expect(server.log).toContain('Evicting client: id=');
});
