/** @valkey/valkey-glide, unmodified, in RESP2 and RESP3: a client whose protocol core is native code. */

import { Batch, Decoder, ExpireOptions, GlideClient, ProtocolVersion, TimeUnit } from '@valkey/valkey-glide';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';

let server: RunningKvasir;

beforeAll(async () => {
  server = await startKvasir();
});
afterAll(() => server.stop());

describe.each([
  ['RESP2', ProtocolVersion.RESP2],
  ['RESP3', ProtocolVersion.RESP3],
])('valkey-glide, %s', (_name, protocol) => {
  let client: GlideClient;

  function connect(options: object = {}, at = server): Promise<GlideClient> {
    return GlideClient.createClient({
      addresses: [{ host: '127.0.0.1', port: at.port }],
      protocol,
      requestTimeout: 5000,
      ...options,
    });
  }

  beforeAll(async () => {
    client = await connect({ clientName: 'tester' });
  });
  afterAll(() => client.close());
  beforeEach(() => client.flushall());

  test('strings', async () => {
    expect(await client.set('k', 'v')).toBe('OK');
    expect(await client.get('k')).toBe('v');
    expect(await client.set('k', 'w', { returnOldValue: true })).toBe('v');
    expect(await client.set('k', 'x', { conditionalSet: 'onlyIfDoesNotExist' })).toBeNull();
    expect(
      await client.set('k', 'x', {
        conditionalSet: 'onlyIfEqual',
        comparisonValue: 'w',
        expiry: { type: TimeUnit.Seconds, count: 100 },
      }),
    ).toBe('OK');
    expect(await client.ttl('k')).toBe(100);
    expect(await client.getex('k', { expiry: 'persist' })).toBe('x');
    expect(await client.append('k', 'yz')).toBe(3);
    expect(await client.strlen('k')).toBe(3);
    expect(await client.getrange('k', 1, -1)).toBe('yz');
    expect(await client.setrange('k', 0, 'X')).toBe(3);
    expect(await client.getdel('k')).toBe('Xyz');
    expect(await client.incr('n')).toBe(1);
    expect(await client.incrBy('n', 9)).toBe(10);
    expect(await client.decr('n')).toBe(9);
    expect(await client.decrBy('n', 4)).toBe(5);
    expect(await client.incrByFloat('n', 0.5)).toBe(5.5);
    expect(await client.mset({ a: '1', b: '2' })).toBe('OK');
    expect(await client.msetnx({ b: '3', c: '3' })).toBe(false);
    expect(await client.mget(['a', 'b', 'c'])).toEqual(['1', '2', null]);
    await client.mset({ x: 'ohmytext', y: 'mynewtext' });
    expect(await client.lcs('x', 'y')).toBe('mytext');
    expect(await client.lcsLen('x', 'y')).toBe(6);
    expect(await client.lcsIdx('x', 'y')).toMatchObject({ len: 6 });
  });

  test('keys and expiry', async () => {
    await client.mset({ a: '1', b: '2', c: '3' });
    expect(await client.del(['a', 'none'])).toBe(1);
    expect(await client.unlink(['b'])).toBe(1);
    expect(await client.exists(['a', 'c'])).toBe(1);
    expect(await client.type('c')).toBe('string');
    expect(await client.touch(['c'])).toBe(1);
    expect(await client.expire('c', 100)).toBe(true);
    expect(await client.expire('c', 50, { expireOption: ExpireOptions.NewExpiryGreaterThanCurrent })).toBe(
      false,
    );
    expect(await client.pexpire('c', 200_000)).toBe(true);
    expect(await client.expireAt('c', 4_000_000_000)).toBe(true);
    expect(await client.expiretime('c')).toBe(4_000_000_000);
    expect(await client.pexpiretime('c')).toBe(4_000_000_000_000);
    expect(await client.persist('c')).toBe(true);
    expect(await client.pttl('c')).toBe(-1);
    expect(await client.rename('c', 'd')).toBe('OK');
    expect(await client.copy('d', 'e')).toBe(true);
    expect(await client.renamenx('d', 'e')).toBe(false);
    expect(await client.dbsize()).toBe(2);
    expect(['d', 'e']).toContain(await client.randomKey());
    expect(await client.objectEncoding('d')).toBe('int');
    expect(await client.move('d', 1)).toBe(true);
    expect(await client.flushdb()).toBe('OK');
  });

  test('batches', async () => {
    const batch = new Batch(false);
    for (let i = 0; i < 500; i++) batch.set(`k${i}`, `${i}`).get(`k${i}`);
    const replies = (await client.exec(batch, true))!;
    for (let i = 0; i < 500; i++) expect(replies.slice(2 * i, 2 * i + 2)).toEqual(['OK', `${i}`]);
  });

  test('scanning sees every key', async () => {
    await Promise.all(Array.from({ length: 1000 }, (_, i) => client.set(`key:${i}`, '')));
    const found = new Set<unknown>();
    let cursor = '0';
    do {
      const [next, keys] = await client.scan(cursor, { match: 'key:*', count: 100 });
      for (const key of keys) found.add(key);
      cursor = String(next);
    } while (cursor !== '0');
    expect(found.size).toBe(1000);
  });

  test('binary keys and big values', async () => {
    const key = Buffer.from([0, 255, 13, 10, 42]);
    const value = Buffer.alloc(1024 * 1024, 'kvasir');
    await client.set(key, value);
    expect(value.equals((await client.get(key, { decoder: Decoder.Bytes })) as Buffer)).toBe(true);
  });

  test('names, databases, HELLO', async () => {
    expect(await client.clientGetName()).toBe('tester');
    const other = await connect({ databaseId: 5, clientName: 'fifth' });
    await other.set('here', '5');
    expect(await client.get('here')).toBeNull();
    expect(String(await client.customCommand(['CLIENT', 'LIST']))).toMatch(/name=fifth .* db=5 /);
    const hello = await client.customCommand(['HELLO']);
    expect(JSON.stringify(hello)).toContain('"valkey"');
    other.close();
  });

  test('comes back after a restart', async () => {
    const other = await connect({ clientName: 'back' });
    await other.set('k', 'v');
    await server.restart();
    const ping = () => other.ping().then(String, (error: Error) => error.message);
    await expect.poll(ping, { timeout: 10_000, interval: 50 }).toBe('PONG');
    expect(await other.clientGetName()).toBe('back');
    other.close();
    const mine = () => client.ping().then(String, (error: Error) => error.message);
    await expect.poll(mine, { timeout: 10_000, interval: 50 }).toBe('PONG');
  });

  test('passwords', async () => {
    const locked = await startKvasir(['--requirepass', 'secret']);
    const good = await connect({ credentials: { password: 'secret' } }, locked);
    expect(await good.ping()).toBe('PONG');
    good.close();
    await expect(connect({ credentials: { password: 'wrong' } }, locked)).rejects.toThrow();
    await locked.stop();
  });
});
