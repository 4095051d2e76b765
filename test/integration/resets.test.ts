/** Clients that go without a goodbye leave nothing behind. */

import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';

let server: RunningKvasir;

beforeAll(async () => {
  server = await startKvasir([], { unix: true });
});
afterAll(() => server.stop());

const descriptors = () => readdirSync(`/proc/${server.pid}/fd`).length;

test.each([
  ['half a request', '*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$100000\r\nabc'],
  ['a request whose reply nobody reads', 'PING\r\n'],
  ['nothing', ''],
])('a TCP connection reset after %s', async (_name, bytes) => {
  const before = descriptors();
  const clients = await Promise.all(Array.from({ length: 50 }, () => server.connect()));
  for (const client of clients) {
    await client.send('PING');
    // In one go: the server may find the bytes and the reset together, and must read both.
    client.write(bytes);
    client.socket.resetAndDestroy();
  }
  await expect.poll(descriptors, { timeout: 5000, interval: 10 }).toBe(before);
});

test('a Unix connection closed with replies unread and half a request behind', async () => {
  const before = descriptors();
  const clients = await Promise.all(Array.from({ length: 50 }, () => server.connect({ path: server.path })));
  await clients[0]!.send('SET', 'big', 'x'.repeat(200_000));
  for (const client of clients) {
    client.socket.pause();
    client.write('GET big\r\nGET big\r\n*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$100000\r\nabc');
  }
  const control = await server.connect();
  await control.send('PING');
  control.close();
  for (const client of clients) client.close();
  await expect.poll(descriptors, { timeout: 5000, interval: 10 }).toBe(before);
});
