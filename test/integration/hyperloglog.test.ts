/** HyperLogLogs over a socket: sparse and dense, merging, what is no HyperLogLog. */

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { type RespClient, RespError } from '../support/resp-client.js';

let server: RunningKvasir;
let client: RespClient;

beforeAll(async () => {
  server = await startKvasir();
  client = await server.connect();
});
afterAll(async () => {
  client.close();
  await server.stop();
});
beforeEach(() => client.send('FLUSHALL'));

const elements = (from: number, n: number) => Array.from({ length: n }, (_, i) => `e${from + i}`);

test('a few elements are counted exactly, and stay sparse', async () => {
  expect(await client.send('PFADD', 'h')).toBe(1);
  expect(await client.send('PFADD', 'h')).toBe(0);
  expect(await client.send('PFADD', 'h', 'a', 'b', 'c', 'a')).toBe(1);
  expect(await client.send('PFADD', 'h', 'b')).toBe(0);
  expect(await client.send('PFCOUNT', 'h')).toBe(3);
  expect(await client.send('PFDEBUG', 'ENCODING', 'h')).toBe('sparse');
  expect(await client.send('PFDEBUG', 'DECODE', 'h')).toBe('Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603');
});

test('many elements make it dense, with an estimate close to their number', async () => {
  for (let i = 0; i < 20_000; i += 1000) await client.send('PFADD', 'h', ...elements(i, 1000));
  expect(await client.send('PFDEBUG', 'ENCODING', 'h')).toBe('dense');
  expect(await client.send('STRLEN', 'h')).toBe(12_304);
  const estimate = Number(await client.send('PFCOUNT', 'h'));
  expect(Math.abs(estimate - 20_000)).toBeLessThan(1000);
});

test('merging takes the largest of every register, whatever the encodings', async () => {
  for (let i = 0; i < 10_000; i += 1000) await client.send('PFADD', 'all', ...elements(i, 1000));
  const parts: string[] = [];
  for (let i = 0; i < 40; i++) {
    parts.push(`part${i}`);
    await client.send('PFADD', `part${i}`, ...elements(i * 250, 250));
    // More dense ones than are merged at once.
    if (i % 2 === 0) await client.send('PFDEBUG', 'TODENSE', `part${i}`);
  }
  const whole = await client.send('PFCOUNT', 'all');
  expect(await client.send('PFCOUNT', ...parts)).toBe(whole);
  expect(await client.send('PFMERGE', 'merged', ...parts, 'none')).toBe('OK');
  expect(await client.send('PFCOUNT', 'merged')).toBe(whole);
  const registers = await client.send('PFDEBUG', 'GETREG', 'all');
  expect(await client.send('PFDEBUG', 'GETREG', 'merged')).toEqual(registers);
});

test('what is no HyperLogLog is refused', async () => {
  await client.send('SET', 'text', 'no');
  await client.send('RPUSH', 'list', 'a');
  const wrong = new RespError('WRONGTYPE Key is not a valid HyperLogLog string value.');
  expect(await client.send('PFADD', 'text', 'a')).toEqual(wrong);
  expect(await client.send('PFCOUNT', 'none', 'text')).toEqual(wrong);
  expect(await client.send('PFMERGE', 'text', 'none')).toEqual(wrong);
  expect(await client.send('PFADD', 'list', 'a')).toEqual(
    new RespError('WRONGTYPE Operation against a key holding the wrong kind of value'),
  );
  await client.send('PFADD', 'h', 'a');
  await client.send('SETRANGE', 'h', 16, '\x80');
  expect(await client.send('PFCOUNT', 'h', 'none')).toEqual(
    new RespError('INVALIDOBJ Corrupted HLL object detected'),
  );
});
