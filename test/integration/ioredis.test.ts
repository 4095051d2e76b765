/** ioredis and iovalkey, unmodified: one API, two packages, RESP2 and (ioredis) RESP3. */

import { Redis as IoRedis, type RedisOptions } from 'ioredis';
import { Redis as IoValkey } from 'iovalkey';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';

type Client = IoRedis;

/** What a client says of connections that tests cut is no failure. */
function quiet(client: Client): Client {
  return client.on('error', () => {});
}

function ioredis(protocol: 2 | 3, options: RedisOptions): Client {
  const all = { host: '127.0.0.1', protocol, ...options, replyMapping: 'legacy' as const };
  return quiet(new IoRedis(all));
}

/** Its types are those of an older ioredis; what is used here is the same in both. */
function iovalkey(options: RedisOptions): Client {
  return quiet(new IoValkey({ host: '127.0.0.1', ...options } as object) as unknown as Client);
}

const CLIENTS: [string, (options: RedisOptions) => Client][] = [
  ['ioredis, RESP2', (options) => ioredis(2, options)],
  ['ioredis, RESP3', (options) => ioredis(3, options)],
  ['iovalkey', iovalkey],
];

let server: RunningKvasir;

beforeAll(async () => {
  server = await startKvasir([], { unix: true });
});
afterAll(() => server.stop());

describe.each(CLIENTS)('%s', (_name, create) => {
  let client: Client;

  beforeAll(() => {
    client = create({ port: server.port, connectionName: 'tester' });
  });
  afterAll(async () => {
    await client.quit();
  });
  beforeEach(() => client.flushall());

  test('strings', async () => {
    expect(await client.set('k', 'v')).toBe('OK');
    expect(await client.get('k')).toBe('v');
    expect(await client.get('none')).toBeNull();
    expect(await client.set('k', 'w', 'GET')).toBe('v');
    expect(await client.set('k', 'x', 'NX')).toBeNull();
    expect(await client.set('k', 'x', 'XX')).toBe('OK');
    expect(await client.set('k', 'y', 'EX', 100)).toBe('OK');
    expect(await client.set('k', 'z', 'KEEPTTL')).toBe('OK');
    expect(await client.ttl('k')).toBe(100);
    expect(await client.call('SET', 'k', 'a', 'IFEQ', 'z')).toBe('OK');
    expect(await client.call('SET', 'k', 'b', 'IFEQ', 'z')).toBeNull();
    expect(await client.setnx('k', 'b')).toBe(0);
    expect(await client.setex('e', 100, 'v')).toBe('OK');
    expect(await client.psetex('e', 100_000, 'v')).toBe('OK');
    expect(await client.getex('e', 'PERSIST')).toBe('v');
    expect(await client.ttl('e')).toBe(-1);
    expect(await client.getset('e', 'w')).toBe('v');
    expect(await client.getdel('e')).toBe('w');
    expect(await client.exists('e')).toBe(0);
    expect(await client.append('k', 'bcd')).toBe(4);
    expect(await client.strlen('k')).toBe(4);
    expect(await client.getrange('k', 1, -2)).toBe('bc');
    expect(await client.setrange('k', 6, 'x')).toBe(7);
    expect(await client.get('k')).toBe('abcd\0\0x');
    expect(await client.incr('n')).toBe(1);
    expect(await client.incrby('n', 41)).toBe(42);
    expect(await client.decr('n')).toBe(41);
    expect(await client.decrby('n', 1)).toBe(40);
    expect(Number(await client.incrbyfloat('n', 0.5))).toBe(40.5);
    expect(await client.mset('a', '1', 'b', '2')).toBe('OK');
    expect(await client.mset(new Map([['c', '3']]))).toBe('OK');
    expect(await client.msetnx('c', '4', 'd', '4')).toBe(0);
    expect(await client.mget('a', 'b', 'c', 'd')).toEqual(['1', '2', '3', null]);
    expect(await client.call('MSETEX', '2', 'a', '5', 'b', '6', 'EX', '100')).toBe(1);
    expect(await client.ttl('b')).toBe(100);
    expect(await client.call('DELIFEQ', 'a', '0')).toBe(0);
    expect(await client.call('DELIFEQ', 'a', '5')).toBe(1);
    await client.mset('x', 'ohmytext', 'y', 'mynewtext');
    expect(await client.lcs('x', 'y')).toBe('mytext');
    expect(await client.lcs('x', 'y', 'LEN')).toBe(6);
    expect(await client.substr('x', 2, 3)).toBe('my');
  });

  test('keys and expiry', async () => {
    await client.mset('a', '1', 'b', '2', 'c', '3');
    expect(await client.del('a', 'none')).toBe(1);
    expect(await client.unlink('b')).toBe(1);
    expect(await client.exists('a', 'c', 'c')).toBe(2);
    expect(await client.type('c')).toBe('string');
    expect(await client.type('a')).toBe('none');
    expect(await client.touch('c', 'a')).toBe(1);
    expect(await client.expire('c', 100)).toBe(1);
    expect(await client.expire('c', 50, 'GT')).toBe(0);
    expect(await client.pexpire('c', 50_000, 'LT')).toBe(1);
    expect(await client.pttl('c')).toBeGreaterThan(49_000);
    expect(await client.expireat('c', 4_000_000_000)).toBe(1);
    expect(await client.expiretime('c')).toBe(4_000_000_000);
    expect(await client.pexpireat('c', 4_000_000_000_123)).toBe(1);
    expect(await client.pexpiretime('c')).toBe(4_000_000_000_123);
    expect(await client.persist('c')).toBe(1);
    expect(await client.ttl('c')).toBe(-1);
    expect(await client.ttl('a')).toBe(-2);
    expect(await client.rename('c', 'd')).toBe('OK');
    await client.set('e', 'x');
    expect(await client.renamenx('d', 'e')).toBe(0);
    expect(await client.copy('d', 'f')).toBe(1);
    expect(await client.copy('d', 'f', 'REPLACE')).toBe(1);
    expect(await client.dbsize()).toBe(3);
    expect((await client.keys('*')).sort()).toEqual(['d', 'e', 'f']);
    expect(['d', 'e', 'f']).toContain(await client.randomkey());
    expect(await client.object('ENCODING', 'd')).toBe('int');
    expect(await client.object('REFCOUNT', 'd')).toBeGreaterThan(0);
    expect(await client.move('d', 1)).toBe(1);
    await client.select(1);
    expect(await client.get('d')).toBe('3');
    await client.swapdb(0, 1);
    expect(await client.get('d')).toBeNull();
    await client.select(0);
    expect(await client.get('d')).toBe('3');
    expect(await client.flushdb('ASYNC')).toBe('OK');
    expect(await client.dbsize()).toBe(0);
  });

  test('a key is gone when its time is over', async () => {
    await client.psetex('k', 30, 'v');
    expect(await client.get('k')).toBe('v');
    await expect.poll(() => client.exists('k'), { timeout: 2000, interval: 5 }).toBe(0);
    expect(await client.get('k')).toBeNull();
  });

  test('pipelines keep order, errors included', async () => {
    const pipeline = client.pipeline();
    for (let i = 0; i < 1000; i++) pipeline.set(`k${i}`, i).get(`k${i}`).incr(`k${i}`);
    pipeline.call('NOSUCH', 'arg').set('s', 'text').incr('s').ping();
    const results = (await pipeline.exec())!;
    expect(results).toHaveLength(3004);
    for (let i = 0; i < 1000; i++) {
      expect(results.slice(3 * i, 3 * i + 3)).toEqual([
        [null, 'OK'],
        [null, `${i}`],
        [null, i + 1],
      ]);
    }
    expect(String(results[3000]![0])).toContain("ERR unknown command 'NOSUCH'");
    expect(String(results[3002]![0])).toContain('ERR value is not an integer or out of range');
    expect(results[3003]).toEqual([null, 'PONG']);
  });

  test('a thousand commands at once on one connection', async () => {
    const replies = await Promise.all(Array.from({ length: 1000 }, () => client.incr('n')));
    expect(replies).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
  });

  test('binary keys and big values', async () => {
    const key = Buffer.from([0, 13, 10, 255, 128, 36]);
    const value = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < value.length; i++) value[i] = (i * 31 + (i >> 8)) & 255;
    await client.set(key, value);
    expect(value.equals((await client.getBuffer(key))!)).toBe(true);
    expect(await client.strlen(key)).toBe(value.length);
    const copies = await Promise.all(Array.from({ length: 8 }, () => client.getBuffer(key)));
    expect(copies.every((copy) => value.equals(copy!))).toBe(true);
    expect((await client.keysBuffer('*'))[0]).toEqual(key);
  });

  test('scanning with a stream sees every key', async () => {
    const pipeline = client.pipeline();
    for (let i = 0; i < 2000; i++) pipeline.set(`${i % 2 === 0 ? 'even' : 'odd'}:${i}`, i);
    await pipeline.exec();
    const found = new Set<string>();
    for await (const keys of client.scanStream({ match: 'even:*', count: 100, type: 'string' })) {
      for (const key of keys as string[]) found.add(key);
    }
    expect(found.size).toBe(1000);
    expect([...found].every((key) => key.startsWith('even:'))).toBe(true);
  });

  test('names, databases and Unix sockets', async () => {
    expect(await client.client('GETNAME')).toBe('tester');
    const other = create({ path: server.path, db: 3, connectionName: 'by-path' });
    await other.set('here', '3');
    expect(await client.get('here')).toBeNull();
    const list = String(await client.client('LIST'));
    expect(list).toMatch(/name=by-path .* db=3 /);
    expect(list).toContain('name=tester');
    expect(Number(await other.client('ID'))).toBeGreaterThan(Number(await client.client('ID')));
    await other.quit();
  });

  test('connections come back after a restart, with their database, name and queue', async () => {
    const other = create({
      port: server.port,
      db: 2,
      connectionName: 'back',
      retryStrategy: () => 50,
      maxRetriesPerRequest: null,
    });
    await other.set('k', 'v');
    const closed = new Promise((resolve) => other.once('close', resolve));
    const restarted = server.restart();
    await closed;
    // Queued while there is no connection.
    const written = other.set('k', 'w');
    await restarted;
    expect(await written).toBe('OK');
    expect(String(await other.client('LIST'))).toMatch(/name=back .* db=2 /);
    await other.quit();
    expect(await client.ping()).toBe('PONG');
  });
});

describe.each(CLIENTS)('%s with a password', (_name, create) => {
  let locked: RunningKvasir;
  beforeAll(async () => {
    locked = await startKvasir(['--requirepass', 'secret']);
  });
  afterAll(() => locked.stop());

  test('the right one opens, none and a wrong one do not', async () => {
    const good = create({ port: locked.port, password: 'secret' });
    expect(await good.set('k', 'v')).toBe('OK');
    await good.quit();
    const user = create({ port: locked.port, username: 'default', password: 'secret' });
    expect(await user.get('k')).toBe('v');
    await user.quit();
    for (const password of [undefined, 'wrong']) {
      const bad = create({
        port: locked.port,
        ...(password === undefined ? {} : { password }),
        lazyConnect: true,
        retryStrategy: () => null,
        maxRetriesPerRequest: 0,
      });
      await expect(bad.connect().then(() => bad.get('k'))).rejects.toThrow();
      bad.disconnect();
    }
  });
});
