/** Streams that clients wait for: who is served, when, and how a wait ends otherwise. */

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

const entry = (id: string, value = 'v') => [id, ['f', value]];
const noGroup = (key: string) =>
  new RespError(`NOGROUP No such key '${key}' or consumer group 'g' in XREADGROUP with GROUP option`);
const inGroup = (consumer: string, ...rest: string[]) =>
  wait('XREADGROUP', 'GROUP', 'g', consumer, 'BLOCK', '0', ...rest);

test('every reader gets what is added, from the id on at which it began to wait', async () => {
  await control.send('XADD', 's', '1-1', 'f', 'old');
  const newest = await wait('XREAD', 'BLOCK', '0', 'STREAMS', 's', '$');
  const later = await wait('XREAD', 'BLOCK', '0', 'STREAMS', 's', '5-0');
  const last = await wait('XREAD', 'BLOCK', '0', 'STREAMS', 'none', 's', '+', '9');
  await control.send('XADD', 's', '2-1', 'f', 'v');
  expect(await newest.reply).toEqual([['s', [entry('2-1')]]]);
  expect(await blockedClients()).toBe(2);
  await control.pipeline([
    ['MULTI'],
    ['XADD', 's', '6-0', 'f', 'v'],
    ['XADD', 's', '7-0', 'f', 'w'],
    ['EXEC'],
  ]);
  expect(await later.reply).toEqual([['s', [entry('6-0'), entry('7-0', 'w')]]]);
  await control.send('XADD', 'none', '3-0', 'f', 'v');
  expect(await last.reply).toEqual([['none', [entry('3-0')]]]);
});

test('of a group, those who wait get one entry each, in the order in which they came', async () => {
  await control.send('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM');
  const first = await inGroup('a', 'STREAMS', 's', '>');
  const second = await inGroup('b', 'STREAMS', 's', '>');
  await control.send('XADD', 's', '1-0', 'f', 'v');
  expect(await first.reply).toEqual([['s', [entry('1-0')]]]);
  expect(await blockedClients()).toBe(1);
  await control.send('XADD', 's', '2-0', 'f', 'v');
  expect(await second.reply).toEqual([['s', [entry('2-0')]]]);
  expect(await control.send('XPENDING', 's', 'g')).toEqual([
    2,
    '1-0',
    '2-0',
    [
      ['a', '1'],
      ['b', '1'],
    ],
  ]);
});

test('who runs in vain keeps its place', async () => {
  for (const key of ['s', 't']) await control.send('XGROUP', 'CREATE', key, 'g', '$', 'MKSTREAM');
  const first = await inGroup('a', 'STREAMS', 's', 't', '>', '>');
  const second = await inGroup('b', 'STREAMS', 't', '>');
  // Nothing is left of it: the first one looks and waits on.
  await control.send('XADD', 's', 'MAXLEN', '0', '1-0', 'f', 'v');
  expect(await blockedClients()).toBe(2);
  await control.send('XADD', 't', '1-0', 'f', 'v');
  expect(await first.reply).toEqual([['t', [entry('1-0')]]]);
  await control.send('XADD', 't', '2-0', 'f', 'v');
  expect(await second.reply).toEqual([['t', [entry('2-0')]]]);
});

test('a group that goes, a key that goes or becomes something else ends the wait', async () => {
  const create = () => control.send('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM');
  const endings: [string[][], RespError][] = [
    [[['XGROUP', 'DESTROY', 's', 'g']], noGroup('s')],
    [[['DEL', 's']], noGroup('s')],
    [[['FLUSHALL']], noGroup('s')],
    [[['RENAME', 's', 't']], noGroup('s')],
    [
      [['SET', 's', 'text']],
      new RespError('WRONGTYPE Operation against a key holding the wrong kind of value'),
    ],
    [
      [['MULTI'], ['DEL', 's'], ['RPUSH', 's', 'x'], ['EXEC']],
      new RespError('WRONGTYPE Operation against a key holding the wrong kind of value'),
    ],
    [[['SWAPDB', '0', '1']], noGroup('s')],
  ];
  for (const [commands, ending] of endings) {
    await control.send('FLUSHALL');
    await create();
    const waiting = await inGroup('c', 'STREAMS', 's', '>');
    await control.pipeline(commands);
    expect([commands[0], await waiting.reply]).toEqual([commands[0], ending]);
  }
});

test('a reader without a group waits through all that', async () => {
  await control.send('XADD', 's', '5-0', 'f', 'v');
  const waiting = await wait('XREAD', 'BLOCK', '0', 'STREAMS', 's', '$');
  await control.send('DEL', 's');
  await control.send('SET', 's', 'text');
  await control.send('DEL', 's');
  await control.send('RPUSH', 's', 'x');
  expect(await blockedClients()).toBe(1);
  await control.pipeline([
    ['DEL', 's'],
    ['XADD', 's', '1-0', 'f', 'v'],
  ]);
  // It wants what comes after 5-0.
  expect(await blockedClients()).toBe(1);
  await control.send('XADD', 's', '6-0', 'f', 'v');
  expect(await waiting.reply).toEqual([['s', [entry('6-0')]]]);
});

test('a renamed stream serves those who wait for its new name', async () => {
  await control.send('XADD', 'other', '1-0', 'f', 'v');
  await control.send('XGROUP', 'CREATE', 'other', 'g', '0');
  await control.send('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM');
  const waiting = await inGroup('c', 'STREAMS', 's', '>');
  await control.send('RENAME', 'other', 's');
  expect(await waiting.reply).toEqual([['s', [entry('1-0')]]]);
});

test('lists and streams of one name serve their own', async () => {
  await control.send('RPUSH', 'k', 'x');
  const list = await wait('BLMOVE', 'k2', 'k', 'LEFT', 'LEFT', '0');
  await control.send('DEL', 'k');
  const pop = await wait('BLPOP', 'k', '0');
  const read = await wait('XREAD', 'BLOCK', '0', 'STREAMS', 'k', '0');
  await control.send('XADD', 'k', '1-0', 'f', 'v');
  expect(await read.reply).toEqual([['k', [entry('1-0')]]]);
  expect(await blockedClients()).toBe(2);
  await control.send('DEL', 'k');
  await control.send('RPUSH', 'k', 'y');
  expect(await pop.reply).toEqual(['k', 'y']);
  await control.send('RPUSH', 'k2', 'z');
  expect(await list.reply).toBe('z');
});

test('a wait ends with its time, with CLIENT UNBLOCK, or with the connection', async () => {
  await control.send('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM');
  const client = await server.connect();
  waiters.push(client);
  expect(await client.send('XREAD', 'BLOCK', '10', 'STREAMS', 's', '$')).toBe(null);
  expect(await client.send('XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', '10', 'STREAMS', 's', '>')).toBe(null);
  const id = String(await client.send('CLIENT', 'ID'));
  const waiting = client.send('XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', '0', 'STREAMS', 's', '>');
  while ((await blockedClients()) === 0) await new Promise((next) => setImmediate(next));
  expect(await control.send('CLIENT', 'UNBLOCK', id, 'ERROR')).toBe(1);
  expect(await waiting).toEqual(new RespError('UNBLOCKED client unblocked via CLIENT UNBLOCK'));
  const gone = await inGroup('d', 'STREAMS', 's', '>');
  gone.reply.catch(() => {});
  gone.client.close();
  while ((await blockedClients()) > 0) await new Promise((next) => setImmediate(next));
  await control.send('XADD', 's', '1-0', 'f', 'v');
  expect(await control.send('XPENDING', 's', 'g')).toEqual([0, null, null, null]);
  await client.send('HELLO', '3');
  expect(await client.send('XREAD', 'BLOCK', '0', 'STREAMS', 's', '0')).toEqual(
    new Map([['s', [entry('1-0')]]]),
  );
});
