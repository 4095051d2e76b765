/** Bitmaps and HyperLogLogs give the same replies and bytes with every set of kernels. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import type { RespClient } from '../support/resp-client.js';

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

/** The same work, whatever the kernels. */
async function run(): Promise<unknown[]> {
  await client.send('FLUSHALL');
  const elements = (from: number) => Array.from({ length: 3000 }, (_, i) => `e${from + i}`);
  await client.send('PFADD', 'h1', ...elements(0));
  await client.send('PFADD', 'h2', ...elements(2000));
  await client.send('SETRANGE', 'a', 5, 'abcdefghij'.repeat(300));
  await client.send('SETRANGE', 'b', 0, '\x0f3U~'.repeat(500));
  const replies = [];
  for (const command of [
    ['BITCOUNT', 'a'],
    ['BITCOUNT', 'a', 43, 20_001, 'BIT'],
    ['BITPOS', 'a', 1],
    ['BITPOS', 'a', 0, -3, -1],
    ['BITOP', 'XOR', 'x', 'a', 'b'],
    ['BITOP', 'NOT', 'n', 'x'],
    ['GET', 'n'],
    ['PFCOUNT', 'h1'],
    ['PFCOUNT', 'h1', 'h2'],
    ['PFMERGE', 'm', 'h1', 'h2'],
    ['PFCOUNT', 'm'],
    ['GET', 'm'],
  ]) {
    replies.push(await client.send(...(command as [string, ...string[]])));
  }
  return replies;
}

test('DEBUG SIMD forces a set of kernels, and all agree', async () => {
  const fastest = await client.send('DEBUG', 'SIMD');
  expect(await client.send('DEBUG', 'SIMD', 'portable')).toBe('portable');
  expect(await client.send('DEBUG', 'SIMD')).toBe('portable');
  const expected = await run();
  for (const name of ['sse4.2', 'avx2', 'avx512', 'neon']) {
    const reply = await client.send('DEBUG', 'SIMD', name).catch((error: Error) => error);
    if (reply === name) expect(await run(), name).toEqual(expected);
  }
  expect(await client.send('DEBUG', 'SIMD', 'AUTO')).toBe(fastest);
  expect(await run()).toEqual(expected);
});
