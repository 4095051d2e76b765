/** COMMANDLOG, SLOWLOG and LATENCY: what is recorded and how it is shown. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { type RespClient, RespError } from '../support/resp-client.js';

type Entry = [number, number, number, string[], string, string];

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

const config = (name: string, value: string | number) => client.send('CONFIG', 'SET', name, value);
const log = async (type: string) => (await client.send('COMMANDLOG', 'GET', -1, type)) as Entry[];

describe('COMMANDLOG', () => {
  beforeEach(async () => {
    await config('commandlog-execution-slower-than', 0);
    await config('commandlog-slow-execution-max-len', 128);
    await client.send('COMMANDLOG', 'RESET', 'slow');
  });

  test('an entry names command, client and time; the newest comes first', async () => {
    await client.send('CLIENT', 'SETNAME', 'somebody');
    await client.send('PING');
    const [newest, older] = await log('slow');
    expect(newest![3]).toEqual(['PING']);
    expect(newest![0]).toBe(older![0] + 1);
    expect(Math.abs(newest![1] - Date.now() / 1000)).toBeLessThan(5);
    expect(newest![4]).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(newest![5]).toBe('somebody');
    expect(await client.send('SLOWLOG', 'GET', 1)).toHaveLength(1);
  });

  test('a command that waits is recorded when its wait ends, however it does', async () => {
    const waiter = await server.connect();
    const id = await waiter.send('CLIENT', 'ID');
    const unblock = async (how: string) => {
      while ((await client.send('CLIENT', 'UNBLOCK', String(id), how)) === 0) await new Promise(setImmediate);
    };
    await client.send('CONFIG', 'RESETSTAT');
    const timedOut = waiter.send('BLPOP', 'nosuchkey', 0);
    await unblock('TIMEOUT');
    expect(await timedOut).toBeNull();
    const refused = waiter.send('BLPOP', 'nosuchkey', 0);
    await unblock('ERROR');
    expect(await refused).toEqual(new RespError('UNBLOCKED client unblocked via CLIENT UNBLOCK'));
    expect(await waiter.send('BLPOP', 'nosuchkey', 0.001)).toBeNull();
    const entries = (await log('slow')).filter(([, , , args]) => args[0] === 'BLPOP');
    expect(entries.map(([, , , args]) => args[2])).toEqual(['0.001', '0', '0']);
    const stats = String(await client.send('INFO', 'commandstats'));
    expect(stats).toMatch(
      /cmdstat_blpop:calls=3,usec=\d+,usec_per_call=[\d.]+,rejected_calls=1,failed_calls=0/,
    );
    waiter.close();
  });

  test('long arguments and long lists of them are cut', async () => {
    await client.send('MGET', 'a'.repeat(130), ...Array.from({ length: 39 }, (_, i) => `k${i}`));
    const [entry] = await log('slow');
    expect(entry![3]).toHaveLength(32);
    expect(entry![3][1]).toBe(`${'a'.repeat(128)}... (2 more bytes)`);
    expect(entry![3][31]).toBe('... (10 more arguments)');
  });

  test('secrets are hidden', async () => {
    await config('requirepass', 'secret');
    await client.send('AUTH', 'secret');
    await client.send('HELLO', 2, 'AUTH', 'default', 'secret');
    await config('requirepass', '');
    const all = JSON.stringify(await log('slow'));
    expect(all).not.toContain('secret');
    expect(all).toContain('["CONFIG","SET","requirepass","(redacted)"]');
    expect(all).toContain('["HELLO","2","AUTH","(redacted)","(redacted)"]');
  });

  test('a shorter log loses its oldest entries, a log of length 0 records nothing', async () => {
    for (let i = 0; i < 10; i++) await client.send('PING');
    await config('commandlog-slow-execution-max-len', 3);
    expect(await client.send('COMMANDLOG', 'LEN', 'slow')).toBe(3);
    const [{ 0: last }] = (await log('slow')) as [Entry];
    await config('commandlog-slow-execution-max-len', 0);
    await client.send('PING');
    await config('commandlog-slow-execution-max-len', 128);
    const [newest] = await log('slow');
    // Only the command that read the log, the one that emptied it and the last CONFIG SET may have been recorded since.
    expect(newest![0]).toBeLessThanOrEqual(last + 3);
  });

  test('large requests and replies', async () => {
    await config('commandlog-request-larger-than', 1024);
    await config('commandlog-reply-larger-than', 1024);
    await client.send('SET', 'key', 'x'.repeat(2048));
    await client.send('GET', 'key');
    const [request] = await log('large-request');
    expect(request![3][0]).toBe('SET');
    expect(request![2]).toBe('*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$2048\r\n'.length + 2050);
    const replies = await log('large-reply');
    expect(replies.find((entry) => entry[3][0] === 'GET')![2]).toBe(2057);
  });
});

describe('LATENCY', () => {
  test('HISTOGRAM of commands and containers', async () => {
    await client.send('CONFIG', 'RESETSTAT');
    await client.send('CLIENT', 'ID');
    await client.send('SET', 'a', 'b');
    const reply = (await client.send('LATENCY', 'HISTOGRAM', 'client', 'set', 'nosuch')) as unknown[];
    expect(reply.filter((_, i) => i % 2 === 0)).toEqual(['client|id', 'set']);
    const [calls, one, name, buckets] = reply[3] as [string, number, string, number[]];
    expect([calls, one, name]).toEqual(['calls', 1, 'histogram_usec']);
    expect(buckets.at(-1)).toBe(1);
  });

  test('DOCTOR before and after it is switched on', async () => {
    expect(await client.send('LATENCY', 'DOCTOR')).toMatch(/^I'm sorry, Dave/);
    expect(await client.send('LATENCY', 'GRAPH', 'none\0hidden')).toMatchObject({
      message: "ERR No samples available for event 'none'",
    });
    await config('latency-monitor-threshold', 1000000);
    expect(await client.send('LATENCY', 'DOCTOR')).toMatch(/^No latency spike/);
    await config('latency-monitor-threshold', 0);
  });

  test('a slow command is an event', async () => {
    await config('latency-monitor-threshold', 1);
    // Formatting the documentation of all commands for the first time takes some milliseconds.
    await client.send('COMMAND', 'DOCS');
    const deadline = Date.now() + 5000;
    let events: unknown[][] = [];
    for (let i = 0; events.length === 0 && Date.now() < deadline; i++) {
      await client.send('SET', 'big', Buffer.alloc(16 << 20, 'x'));
      await client.send('SETRANGE', `copy${i}`, 64 << 20, 'x');
      events = (await client.send('LATENCY', 'LATEST')) as unknown[][];
    }
    const [name, time, latest, max] = events[0] as [string, number, number, number];
    expect(['command', 'fast-command']).toContain(name);
    expect(max).toBeGreaterThanOrEqual(latest);
    expect((await client.send('LATENCY', 'HISTORY', name)) as unknown[]).toContainEqual([time, latest]);
    expect(await client.send('LATENCY', 'GRAPH', name)).toContain(`${name} - high `);
    expect(await client.send('LATENCY', 'DOCTOR')).toMatch(/Here is some advice for you/);
    expect(await client.send('LATENCY', 'RESET', name.toUpperCase())).toBe(1);
    await config('latency-monitor-threshold', 0);
  });

  test.each([
    ['expire-del', 'when it is asked for'],
    ['expire-cycle', 'by itself'],
  ])('%s: a big key that expires %s', async (event) => {
    await config('latency-monitor-threshold', 1);
    await client.send('FLUSHALL');
    await config('lazyfree-lazy-expire', 'no');
    await client.send('DEBUG', 'SET-ACTIVE-EXPIRE', event === 'expire-del' ? 0 : 1);
    for (let from = 0; from < 200_000; from += 10_000) {
      await client.send('SADD', 'big', ...Array.from({ length: 10_000 }, (_, i) => `member:${from + i}`));
    }
    await client.send('PEXPIRE', 'big', 1);
    const deadline = Date.now() + 5000;
    while ((await client.send('DBSIZE')) !== 0) {
      expect(Date.now()).toBeLessThan(deadline);
      if (event === 'expire-del') await client.send('TTL', 'big');
    }
    const events = (await client.send('LATENCY', 'LATEST')) as unknown[][];
    expect(events.map(([name]) => name)).toEqual(expect.arrayContaining([event, 'expire-del']));
    expect(await client.send('LATENCY', 'GRAPH', event)).toContain(`${event} - high `);
    await config('latency-monitor-threshold', 0);
  });
});
