/** Lists that clients wait for: who is served, when, and how a wait ends otherwise. */

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { type RespClient, RespError } from '../support/resp-client.js';

let server: RunningKvasir;
let control: RespClient;
let waiters: RespClient[];

beforeAll(async () => {
  server = await startKvasir();
});
afterAll(() => server.stop());
beforeEach(async () => {
  control = await server.connect();
  waiters = [];
  await control.send('FLUSHALL');
  return () => {
    for (const client of [control, ...waiters]) client.close();
  };
});

async function blockedClients(): Promise<number> {
  return Number(/blocked_clients:(\d+)/.exec(String(await control.send('INFO', 'clients')))![1]);
}

/** A client of its own that is blocked in the command when this returns; gives its reply later. */
async function wait(...args: string[]): Promise<{ client: RespClient; reply: Promise<unknown> }> {
  const before = await blockedClients();
  const client = await server.connect();
  waiters.push(client);
  const reply = client.send(...args);
  while ((await blockedClients()) === before) await new Promise((next) => setImmediate(next));
  return { client, reply };
}

test('clients are served in the order in which they blocked, each with one element', async () => {
  const first = await wait('BLPOP', 'k', '0');
  const second = await wait('BRPOP', 'other', 'k', '0');
  const third = await wait('BLMPOP', '0', '1', 'k', 'LEFT', 'COUNT', '10');
  expect(await control.send('RPUSH', 'k', 'a', 'b', 'c', 'd')).toBe(4);
  expect(await first.reply).toEqual(['k', 'a']);
  expect(await second.reply).toEqual(['k', 'd']);
  expect(await third.reply).toEqual(['k', ['b', 'c']]);
  expect(await control.send('EXISTS', 'k')).toBe(0);
  expect(await blockedClients()).toBe(0);
});

test('a transaction serves when it is over: what it took back nobody gets', async () => {
  const waiting = await wait('BLPOP', 'k', '0');
  await control.pipeline([['MULTI'], ['RPUSH', 'k', 'gone'], ['DEL', 'k'], ['EXEC']]);
  expect(await blockedClients()).toBe(1);
  await control.pipeline([['MULTI'], ['RPUSH', 'k', 'x'], ['LPUSH', 'k', 'y'], ['EXEC']]);
  expect(await waiting.reply).toEqual(['k', 'y']);
  expect(await control.send('LRANGE', 'k', '0', '-1')).toEqual(['x']);
});

test('what a served client pushes serves the next one', async () => {
  const first = await wait('BLMOVE', 'a', 'b', 'LEFT', 'RIGHT', '0');
  const second = await wait('BRPOPLPUSH', 'b', 'c', '0');
  const third = await wait('BLPOP', 'c', '0');
  await control.send('RPUSH', 'a', 'x');
  expect(await first.reply).toBe('x');
  expect(await second.reply).toBe('x');
  expect(await third.reply).toEqual(['c', 'x']);
  expect(await control.send('DBSIZE')).toBe(0);
});

test('a value of another type serves nobody; the type of the destination is looked at when its turn comes', async () => {
  const pop = await wait('BLPOP', 'k', '0');
  await control.send('SET', 'k', 'text');
  expect(await blockedClients()).toBe(1);
  await control.send('SET', 'target', 'text');
  const move = await wait('BLMOVE', 'source', 'target', 'LEFT', 'LEFT', '0');
  await control.send('RPUSH', 'source', 'x');
  expect(await move.reply).toEqual(
    new RespError('WRONGTYPE Operation against a key holding the wrong kind of value'),
  );
  expect(await control.send('LLEN', 'source')).toBe(1);
  await control.send('RENAME', 'source', 'k');
  expect(await pop.reply).toEqual(['k', 'x']);
});

test('a wait ends with its time, with CLIENT UNBLOCK, or with the connection', async () => {
  const client = await server.connect();
  waiters.push(client);
  expect(await client.send('BLPOP', 'k', '0.01')).toBe(null);
  expect(await client.send('BLMOVE', 'k', 'l', 'LEFT', 'LEFT', '0.01')).toBe(null);
  expect(await client.send('BLMPOP', '0.01', '2', 'k', 'l', 'RIGHT')).toBe(null);

  const id = String(await client.send('CLIENT', 'ID'));
  for (const [how, reply] of [
    ['TIMEOUT', null],
    ['ERROR', new RespError('UNBLOCKED client unblocked via CLIENT UNBLOCK')],
  ] as const) {
    const waiting = client.send('BRPOP', 'k', '0');
    while ((await blockedClients()) === 0) await new Promise((next) => setImmediate(next));
    expect(await control.send('CLIENT', 'UNBLOCK', id, how)).toBe(1);
    expect(await waiting).toEqual(reply);
  }
  expect(await control.send('CLIENT', 'UNBLOCK', id)).toBe(0);

  const gone = await wait('BLPOP', 'k', '0');
  gone.reply.catch(() => {});
  gone.client.close();
  while ((await blockedClients()) > 0) await new Promise((next) => setImmediate(next));
  await control.send('RPUSH', 'k', 'kept');
  expect(await control.send('LRANGE', 'k', '0', '-1')).toEqual(['kept']);
});

test('what a client sent behind a command in which it waits comes after it', async () => {
  const client = await server.connect();
  waiters.push(client);
  const replies = client.pipeline([
    ['BLPOP', 'k', '0'],
    ['RPUSH', 'k', 'again'],
    ['LPOP', 'k'],
  ]);
  while ((await blockedClients()) === 0) await new Promise((next) => setImmediate(next));
  await control.send('RPUSH', 'k', 'x', 'y');
  expect(await replies).toEqual([['k', 'x'], 2, 'y']);
});

test('inside MULTI nothing waits', async () => {
  const replies = await control.pipeline([
    ['MULTI'],
    ['BLPOP', 'k', '0'],
    ['BLMOVE', 'k', 'l', 'LEFT', 'LEFT', '0'],
    ['BLMPOP', '0', '1', 'k', 'LEFT'],
    ['RPUSH', 'k', 'x'],
    ['BRPOP', 'k', '0'],
    ['EXEC'],
  ]);
  expect(replies.at(-1)).toEqual([null, null, null, 1, ['k', 'x']]);
});
