/** List commands over a socket: encodings, large elements, payloads. Blocking is in list-blocking.test.ts. */

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
  await client.send('CONFIG', 'SET', 'list-max-listpack-size', '-2', 'list-compress-depth', '0');
  return () => client.close();
});

const encoding = (key: string) => client.send('OBJECT', 'ENCODING', key);
const all = (key: string) => client.send('LRANGE', key, '0', '-1');

test('a list leaves the listpack when it outgrows the limit and comes back at half of it', async () => {
  await client.send('CONFIG', 'SET', 'list-max-listpack-size', '4');
  await client.send('RPUSH', 'l', 'a', 'b', 'c', 'd');
  expect(await encoding('l')).toBe('listpack');
  await client.send('RPUSH', 'l', 'e');
  expect(await encoding('l')).toBe('quicklist');
  await client.send('LPOP', 'l');
  expect(await encoding('l')).toBe('quicklist');
  await client.send('LPOP', 'l', '3');
  expect(await encoding('l')).toBe('listpack');
  expect(await all('l')).toEqual(['e']);
});

test('large elements keep their bytes through every change, compressed or not', async () => {
  await client.send('CONFIG', 'SET', 'list-compress-depth', '1');
  const large = (letter: string) => letter.repeat(30_000);
  await client.send('RPUSH', 'l', large('a'), 'small', large('b'), '42', large('c'));
  expect(await client.send('LINSERT', 'l', 'AFTER', 'small', large('d'))).toBe(6);
  expect(await client.send('LSET', 'l', '2', large('e'))).toBe('OK');
  expect(await client.send('LPOS', 'l', large('b'))).toBe(3);
  expect(await client.send('LREM', 'l', '0', '42')).toBe(1);
  expect(await client.send('LMOVE', 'l', 'm', 'RIGHT', 'LEFT')).toBe(large('c'));
  expect(await client.send('COPY', 'l', 'copy')).toBe(1);
  expect(await client.send('DEBUG', 'DIGEST-VALUE', 'copy')).toEqual(
    await client.send('DEBUG', 'DIGEST-VALUE', 'l'),
  );
  expect(await client.send('DEL', 'l')).toBe(1);
  expect(await all('copy')).toEqual([large('a'), 'small', large('e'), large('b')]);
  expect(await all('m')).toEqual([large('c')]);
  expect(String(await client.send('DEBUG', 'OBJECT', 'copy'))).toContain(
    'ql_nodes:4 ql_avg_node:1.00 ql_listpack_max:-2 ql_compressed:1 ql_uncompressed_size:',
  );
});

test('a list rotates onto itself and moves without a trace', async () => {
  await client.send('RPUSH', 'l', 'a', 'b', '3');
  expect(await client.send('RPOPLPUSH', 'l', 'l')).toBe('3');
  expect(await client.send('LMOVE', 'l', 'l', 'LEFT', 'LEFT')).toBe('3');
  expect(await all('l')).toEqual(['3', 'a', 'b']);
  for (const element of ['3', 'a', 'b']) {
    expect(await client.send('LMOVE', 'l', 'm', 'LEFT', 'RIGHT')).toBe(element);
  }
  expect(await client.send('EXISTS', 'l')).toBe(0);
  expect(await all('m')).toEqual(['3', 'a', 'b']);
});

test('errors leave the list as it was', async () => {
  await client.send('RPUSH', 'l', 'a');
  await client.send('SET', 's', 'text');
  const wrongType = new RespError('WRONGTYPE Operation against a key holding the wrong kind of value');
  expect(await client.send('LMOVE', 'l', 's', 'LEFT', 'LEFT')).toEqual(wrongType);
  expect(await client.send('LMPOP', '2', 's', 'l', 'LEFT')).toEqual(wrongType);
  expect(await client.send('LSET', 'l', '1', 'x')).toEqual(new RespError('ERR index out of range'));
  expect(await client.send('LSET', 'l', '4294967296', 'x')).toEqual(new RespError('ERR index out of range'));
  expect(await client.send('LPOP', 'l', '-1')).toEqual(
    new RespError('ERR value is out of range, must be positive'),
  );
  expect(await all('l')).toEqual(['a']);
});

test('DUMP and RESTORE keep lists of both encodings', async () => {
  await client.send('RPUSH', 'small', 'a', '1', '-7');
  await client.send(
    'RPUSH',
    'long',
    ...Array.from({ length: 3000 }, (_, i) => `element ${i}`),
    'x'.repeat(9000),
  );
  for (const key of ['small', 'long']) {
    const payload = Buffer.from((await client.send('DUMP', key)) as string, 'latin1');
    expect(await client.send('RESTORE', `${key}:2`, '0', payload)).toBe('OK');
    expect(await encoding(`${key}:2`)).toBe(await encoding(key));
    expect(await all(`${key}:2`)).toEqual(await all(key));
    const broken = Buffer.from(payload);
    broken[5]! ^= 0xff;
    expect(await client.send('RESTORE', 'broken', '0', broken)).toBeInstanceOf(RespError);
  }
});
