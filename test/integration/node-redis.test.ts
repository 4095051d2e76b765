/** node-redis (`redis`), unmodified, in RESP2 and RESP3. */

import { createClient, RESP_TYPES } from 'redis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';

let server: RunningKvasir;

beforeAll(async () => {
  server = await startKvasir();
});
afterAll(() => server.stop());

/** Connects; what a client says of connections it lost is no failure of a test. */
async function connected(RESP: 2 | 3, options: object = {}, at: RunningKvasir = server) {
  const client = createClient({
    RESP,
    socket: { port: at.port, host: '127.0.0.1', reconnectStrategy: () => 50 },
    ...options,
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}
type Client = Awaited<ReturnType<typeof connected>>;

describe.each([2, 3] as const)('node-redis, RESP%i', (RESP) => {
  let client: Client;

  beforeAll(async () => {
    client = await connected(RESP, { name: 'tester' });
  });
  afterAll(() => client.close());
  beforeEach(() => client.flushAll());

  test('strings', async () => {
    expect(await client.set('k', 'v')).toBe('OK');
    expect(await client.get('k')).toBe('v');
    expect(await client.set('k', 'w', { GET: true })).toBe('v');
    expect(await client.set('k', 'x', { condition: 'NX' })).toBeNull();
    expect(await client.set('k', 'x', { expiration: { type: 'EX', value: 100 } })).toBe('OK');
    expect(await client.ttl('k')).toBe(100);
    expect(await client.setNX('k', 'y')).toBe(0);
    expect(await client.setEx('e', 100, 'v')).toBe('OK');
    expect(await client.pSetEx('e', 100_000, 'v')).toBe('OK');
    expect(await client.getEx('e', { type: 'PERSIST' })).toBe('v');
    expect(await client.getDel('e')).toBe('v');
    expect(await client.append('k', 'yz')).toBe(3);
    expect(await client.strLen('k')).toBe(3);
    expect(await client.getRange('k', 0, 1)).toBe('xy');
    expect(await client.setRange('k', 1, 'Y')).toBe(3);
    expect(await client.incr('n')).toBe(1);
    expect(await client.incrBy('n', 9)).toBe(10);
    expect(await client.decr('n')).toBe(9);
    expect(await client.decrBy('n', 4)).toBe(5);
    expect(await client.incrByFloat('n', 1.25)).toBe('6.25');
    expect(await client.mSet({ a: '1', b: '2' })).toBe('OK');
    expect(await client.mSetNX({ b: '3', c: '3' })).toBe(0);
    expect(await client.mGet(['a', 'b', 'c'])).toEqual(['1', '2', null]);
    await client.mSet([
      ['x', 'ohmytext'],
      ['y', 'mynewtext'],
    ]);
    expect(await client.lcs('x', 'y')).toBe('mytext');
    expect(await client.lcsLen('x', 'y')).toBe(6);
    const matches = await client.lcsIdx('x', 'y');
    expect(matches.len).toBe(6);
    expect(matches.matches).toEqual([
      [
        [4, 7],
        [5, 8],
      ],
      [
        [2, 3],
        [0, 1],
      ],
    ]);
  });

  test('keys and expiry', async () => {
    await client.mSet({ a: '1', b: '2', c: '3' });
    expect(await client.del(['a', 'none'])).toBe(1);
    expect(await client.unlink('b')).toBe(1);
    expect(await client.exists(['a', 'c'])).toBe(1);
    expect(await client.type('c')).toBe('string');
    expect(await client.touch('c')).toBe(1);
    expect(await client.expire('c', 100)).toBe(1);
    expect(await client.expire('c', 50, 'GT')).toBe(0);
    expect(await client.pExpire('c', 200_000, 'GT')).toBe(1);
    expect(await client.expireAt('c', 4_000_000_000)).toBe(1);
    expect(await client.expireTime('c')).toBe(4_000_000_000);
    expect(await client.pExpireTime('c')).toBe(4_000_000_000_000);
    expect(await client.persist('c')).toBe(1);
    expect(await client.pTTL('c')).toBe(-1);
    expect(await client.rename('c', 'd')).toBe('OK');
    expect(await client.copy('d', 'e')).toBe(1);
    expect(await client.renameNX('d', 'e')).toBe(0);
    expect(await client.dbSize()).toBe(2);
    expect((await client.keys('?')).sort()).toEqual(['d', 'e']);
    expect(['d', 'e']).toContain(await client.randomKey());
    expect(await client.objectEncoding('d')).toBe('int');
    expect(await client.objectIdleTime('d')).toBe(0);
    expect(await client.move('d', 1)).toBe(1);
    expect(await client.flushDb()).toBe('OK');
  });

  test('commands of one turn are one pipeline', async () => {
    const replies = await Promise.all(
      Array.from({ length: 1000 }, (_, i) => [client.set(`k${i}`, `${i}`), client.get(`k${i}`)]).flat(),
    );
    for (let i = 0; i < 1000; i++) expect(replies.slice(2 * i, 2 * i + 2)).toEqual(['OK', `${i}`]);
    const [, failed, last] = await Promise.allSettled([
      client.set('s', 'x'),
      client.incr('s'),
      client.get('s'),
    ]);
    expect(failed).toMatchObject({ status: 'rejected' });
    expect(last).toEqual({ status: 'fulfilled', value: 'x' });
  });

  test('scan iterator', async () => {
    await Promise.all(Array.from({ length: 2000 }, (_, i) => client.set(`key:${i}`, '')));
    const found = new Set<string>();
    for await (const keys of client.scanIterator({ MATCH: 'key:*', COUNT: 50 })) {
      for (const key of keys) found.add(key);
    }
    expect(found.size).toBe(2000);
  });

  test('binary keys and big values', async () => {
    const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    const key = Buffer.from([0, 255, 13, 10, 42]);
    const value = Buffer.alloc(1024 * 1024, 'kvasir');
    await bytes.set(key, value);
    expect(value.equals((await bytes.get(key)) as unknown as Buffer)).toBe(true);
  });

  test('names, databases, HELLO', async () => {
    expect(await client.clientGetName()).toBe('tester');
    const other = await connected(RESP, { database: 4, name: 'fourth' });
    await other.set('here', '4');
    expect(await client.get('here')).toBeNull();
    expect(await other.clientInfo()).toMatchObject({ db: 4, name: 'fourth', resp: RESP });
    expect((await client.clientList()).map(({ name }) => name)).toContain('fourth');
    const hello = await client.hello(RESP);
    expect(hello).toMatchObject({ server: 'valkey', version: '9.1.2', proto: RESP, mode: 'standalone' });
    await other.close();
  });

  test('reconnects after a restart', async () => {
    const other = await connected(RESP, { database: 2, name: 'back' });
    await other.set('k', 'v');
    const back = new Promise((resolve) => other.once('ready', resolve));
    await server.restart();
    await back;
    expect(await other.clientInfo()).toMatchObject({ db: 2, name: 'back', resp: RESP });
    expect(await other.set('k', 'w')).toBe('OK');
    await other.close();
    await expect.poll(() => client.isReady, { timeout: 5000, interval: 10 }).toBe(true);
  });

  test('passwords', async () => {
    const locked = await startKvasir(['--requirepass', 'secret']);
    const good = await connected(RESP, { password: 'secret' }, locked);
    expect(await good.ping()).toBe('PONG');
    await good.close();
    const socket = { port: locked.port, host: '127.0.0.1', reconnectStrategy: false };
    await expect(connected(RESP, { password: 'wrong', socket }, locked)).rejects.toThrow('WRONGPASS');
    await locked.stop();
  });
});
