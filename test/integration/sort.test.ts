/** SORT over a socket: every source and option, collation, what is stored, the rules of cluster mode. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { type RespClient, RespError } from '../support/resp-client.js';

describe('SORT', () => {
  let server: RunningKvasir;
  let client: RespClient;

  beforeAll(async () => {
    server = await startKvasir();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    client = await server.connect();
    await client.send('FLUSHALL');
    await client.send('CONFIG', 'SET', 'locale-collate', 'C');
    return () => client.close();
  });

  test('orders thousands of elements by the values of other keys', async () => {
    const n = 3000;
    const ids = Array.from({ length: n }, (_, i) => String(i));
    const weights = ids.map((_, i) => ((i * 7919) % n) - n / 2);
    await client.send('RPUSH', 'l', ...ids);
    await client.send('MSET', ...ids.flatMap((id, i) => [`w:${id}`, String(weights[i])]));
    const sorted = [...ids].sort((a, b) => weights[Number(a)]! - weights[Number(b)]!);
    expect(await client.send('SORT', 'l', 'BY', 'w:*')).toEqual(sorted);
    expect(await client.send('SORT', 'l', 'BY', 'w:*', 'LIMIT', '5', '7')).toEqual(sorted.slice(5, 12));
    expect(await client.send('SORT', 'l', 'BY', 'w:*', 'DESC', 'LIMIT', '0', '3')).toEqual(
      sorted.reverse().slice(0, 3),
    );
  });

  test('GET gives the element, values of other keys, and nothing', async () => {
    await client.send('RPUSH', 'l', '2', '1');
    await client.send('MSET', 'name:1', 'one', 'name:2', 'x'.repeat(20_000), 'arrow:1->', 'a');
    expect(
      await client.send('SORT', 'l', 'GET', '#', 'GET', 'name:*', 'GET', 'none:*', 'GET', 'const'),
    ).toEqual([...['1', 'one', null, null], ...['2', 'x'.repeat(20_000), null, null]]);
    expect(await client.send('SORT', 'l', 'GET', 'arrow:*->')).toEqual(['a', null]);
    expect(await client.send('SORT', 'l', 'GET', 'name:*', 'GET', 'none:*', 'STORE', 'd')).toBe(4);
    expect(await client.send('LRANGE', 'd', '0', '-1')).toEqual(['one', '', 'x'.repeat(20_000), '']);
  });

  test('a list may be sorted onto itself, and a result of nothing deletes', async () => {
    await client.send('RPUSH', 'l', '3', '1', '2');
    expect(await client.send('SORT', 'l', 'STORE', 'l')).toBe(3);
    expect(await client.send('LRANGE', 'l', '0', '-1')).toEqual(['1', '2', '3']);
    expect(await client.send('SORT', 'l', 'LIMIT', '9', '1', 'STORE', 'l')).toBe(0);
    expect(await client.send('EXISTS', 'l')).toBe(0);
  });

  test('a stored list serves who waits for it', async () => {
    const waiting = await server.connect();
    const popped = waiting.send('BLPOP', 'd', '0');
    await client.send('RPUSH', 'l', '2', '1');
    while (!String(await client.send('INFO', 'clients')).includes('blocked_clients:1'));
    expect(await client.send('SORT', 'l', 'STORE', 'd')).toBe(2);
    expect(await popped).toEqual(['d', '1']);
    waiting.close();
  });

  test('compressed nodes are read one after the other', async () => {
    await client.send('CONFIG', 'SET', 'list-compress-depth', '1', 'list-max-listpack-size', '16');
    const words = Array.from(
      { length: 400 },
      (_, i) => `word ${String((i * 37) % 400).padStart(4, '0')} ${'-'.repeat(40)}`,
    );
    await client.send('RPUSH', 'l', ...words);
    expect(await client.send('SORT', 'l', 'ALPHA')).toEqual([...words].sort());
    await client.send('CONFIG', 'SET', 'list-compress-depth', '0', 'list-max-listpack-size', '-2');
  });

  test('ALPHA follows the locale, except for what is stored', async () => {
    await client.send('RPUSH', 'l', 'b', 'B', 'a', 'ab\0d', 'ab\0c');
    expect(await client.send('SORT', 'l', 'ALPHA')).toEqual(['B', 'a', 'ab\0d', 'ab\0c', 'b']);
    expect(await client.send('CONFIG', 'SET', 'locale-collate', 'C.UTF-8')).toBe('OK');
    expect(await client.send('SORT', 'l', 'ALPHA')).toEqual(['B', 'a', 'ab\0d', 'ab\0c', 'b']);
    expect(await client.send('SORT', 'l', 'ALPHA', 'STORE', 'd')).toBe(5);
    expect(await client.send('LRANGE', 'd', '0', '-1')).toEqual(['B', 'a', 'ab\0c', 'ab\0d', 'b']);
    expect(await client.send('CONFIG', 'SET', 'locale-collate', 'xx_YY')).toEqual(
      new RespError(
        "ERR CONFIG SET failed (possibly related to argument 'locale-collate') - Invalid locale name",
      ),
    );
    expect(await client.send('CONFIG', 'GET', 'locale-collate')).toEqual(['locale-collate', 'C.UTF-8']);
  });

  test('errors', async () => {
    await client.send('RPUSH', 'l', '1', 'x');
    expect(await client.send('SORT', 'l')).toEqual(
      new RespError("ERR One or more scores can't be converted into double"),
    );
    expect(await client.send('SORT', 'l', 'LIMIT', '0', 'x')).toEqual(
      new RespError('ERR value is not an integer or out of range'),
    );
    expect(await client.send('SORT_RO', 'l', 'STORE', 'd')).toEqual(new RespError('ERR syntax error'));
    await client.send('SET', 's', 'text');
    expect(await client.send('SORT', 's')).toEqual(
      new RespError('WRONGTYPE Operation against a key holding the wrong kind of value'),
    );
  });
});

test('in cluster mode patterns may not leave the slot', async () => {
  const server = await startKvasir(['--cluster-enabled', 'yes']);
  const client = await server.connect();
  const denied = (option: string) =>
    new RespError(
      `ERR ${option} option of SORT denied in Cluster mode when keys formed by the pattern may be in different slots.`,
    );
  expect(await client.send('SORT', '{a}l', 'BY', 'w*')).toEqual(denied('BY'));
  expect(await client.send('SORT_RO', '{a}l', 'GET', 'w*')).toEqual(denied('GET'));
  expect(await client.send('SORT', '{a}l', 'BY', '{a}w*', 'GET', '#', 'GET', '{a}v*')).toEqual([]);
  client.close();
  await server.stop();
});

test('a server whose locale does not exist does not start', async () => {
  await expect(startKvasir(['--locale-collate', 'xx_YY'])).rejects.toThrow();
});
