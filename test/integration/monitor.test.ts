/** MONITOR. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { RespError } from '../support/resp-client.js';

let server: RunningKvasir;

beforeAll(async () => {
  server = await startKvasir();
});
afterAll(() => server.stop());

test('a monitor sees what others do, without secrets and administration', async () => {
  const monitor = await server.connect();
  const client = await server.connect();
  expect(await monitor.send('MONITOR')).toBe('OK');
  const line = async () =>
    String(await monitor.readReply()).replace(/^\d+\.\d{6} \[(\d+) 127\.0\.0\.1:\d+\]/, '$1');
  await client.send('SELECT', '2');
  await client.send('set', 'k"1\\', Buffer.from([0, 10, 13, 9, 7, 8, 255, 97]));
  await client.send('CONFIG', 'GET', 'maxclients');
  await client.send('AUTH', 'default', 'secret');
  await client.pipeline([['MULTI'], ['GET', 'a'], ['EXEC']]);
  expect(await line()).toBe('2 "SELECT" "2"');
  expect(await line()).toBe('2 "set" "k\\"1\\\\" "\\x00\\n\\r\\t\\a\\b\\xffa"');
  expect(await line()).toBe('2 "AUTH" "(redacted)" "(redacted)"');
  expect(await line()).toBe('2 "MULTI"');
  expect(await line()).toBe('2 "GET" "a"');
  expect(await line()).toBe('2 "EXEC"');
  expect(String(await client.send('CLIENT', 'LIST'))).toMatch(/flags=O /);
  expect(await monitor.send('GET', 'k')).toEqual(
    new RespError("ERR Replica can't interact with the keyspace"),
  );
  expect(await monitor.send('RESET')).toBe('RESET');
  await client.send('ECHO', 'x');
  expect(await monitor.send('PING')).toBe('PONG');
  client.close();
  monitor.close();
});
