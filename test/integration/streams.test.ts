/** Stream commands over a socket: replies in both protocols, nodes, groups, payloads. Waiting is in stream-blocking.test.ts. */

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
  await client.send('CONFIG', 'SET', 'stream-node-max-entries', '100', 'stream-node-max-bytes', '4096');
  return () => client.close();
});

const fill = (key: string, from: number, to: number) =>
  client.pipeline(
    Array.from({ length: to - from + 1 }, (_, i) => ['XADD', key, `${from + i}-0`, 'f', `v${from + i}`]),
  );
const info = async (key: string): Promise<Map<string, unknown>> => {
  const list = (await client.send('XINFO', 'STREAM', key)) as unknown[];
  return new Map(list.flatMap((name, i) => (i % 2 === 0 ? [[String(name), list[i + 1]]] : [])));
};
const ids = async (...args: string[]): Promise<unknown[]> =>
  ((await client.send(...args)) as unknown[][]).map((entry) => entry[0]);

test('entries are added with rising ids and read in both directions', async () => {
  const first = String(await client.send('XADD', 's', '*', 'name', 'Ada', 'age', '36'));
  expect(first).toMatch(/^\d{13}-0$/);
  expect(await client.send('XADD', 's', '9999999999999-5', 'f', 'v')).toBe('9999999999999-5');
  expect(await client.send('XADD', 's', '9999999999999-*', 'f', 'w')).toBe('9999999999999-6');
  expect(await client.send('XADD', 's', '*', 'f', 'x')).toBe('9999999999999-7');
  expect(await client.send('XADD', 's', '9999999999999-7', 'f', 'x')).toEqual(
    new RespError('ERR The ID specified in XADD is equal or smaller than the target stream top item'),
  );
  expect(await client.send('XLEN', 's')).toBe(4);
  expect(await client.send('XRANGE', 's', '-', '+', 'COUNT', '1')).toEqual([
    [first, ['name', 'Ada', 'age', '36']],
  ]);
  expect(await ids('XREVRANGE', 's', '+', '(9999999999999-5')).toEqual([
    '9999999999999-7',
    '9999999999999-6',
  ]);
  expect(await ids('XRANGE', 's', '9999999999999-6', '9999999999999-6')).toEqual(['9999999999999-6']);
  expect(await client.send('TYPE', 's')).toBe('stream');
  expect(await client.send('OBJECT', 'ENCODING', 's')).toBe('stream');
});

test('ranges over many nodes give every entry once, whichever id they begin with', async () => {
  await fill('s', 1, 1000);
  expect((await info('s')).get('radix-tree-keys')).toBe(10);
  for (const [from, to] of [
    [1, 1000],
    [250, 251],
    [99, 301],
    [100, 100],
    [951, 1000],
    [700, 650],
  ]) {
    const wanted = Array.from({ length: Math.max(0, to! - from! + 1) }, (_, i) => `${from! + i}-0`);
    expect(await ids('XRANGE', 's', `${from}`, `${to}`)).toEqual(wanted);
    expect(await ids('XREVRANGE', 's', `${to}`, `${from}`)).toEqual(wanted.reverse());
  }
});

test('deleting and trimming move the first entry and take whole nodes along', async () => {
  await fill('s', 1, 250);
  expect(await client.send('XDEL', 's', '1-0', '2-0', '2-0', '200-0')).toBe(3);
  expect(await client.send('XTRIM', 's', 'MAXLEN', '~', '140')).toBe(98);
  const after = await info('s');
  expect(after.get('length')).toBe(149);
  expect(after.get('recorded-first-entry-id')).toBe('101-0');
  expect(after.get('max-deleted-entry-id')).toBe('200-0');
  expect(after.get('entries-added')).toBe(250);
  expect(await client.send('XTRIM', 's', 'MINID', '=', '240')).toBe(138);
  expect(await client.send('XADD', 's', 'MAXLEN', '3', '300', 'f', 'v')).toBe('300-0');
  expect(await ids('XRANGE', 's', '-', '+')).toEqual(['249-0', '250-0', '300-0']);
  expect(await client.send('XTRIM', 's', 'MAXLEN', '0')).toBe(3);
  // An empty stream stays.
  expect(await client.send('EXISTS', 's')).toBe(1);
  expect((await info('s')).get('first-entry')).toBe(null);
});

test('a reader sees what comes after an id, in the shape of its protocol', async () => {
  await fill('s', 1, 3);
  await fill('t', 5, 5);
  expect(await client.send('XREAD', 'COUNT', '1', 'STREAMS', 's', 't', 'none', '1', '0', '0')).toEqual([
    ['s', [['2-0', ['f', 'v2']]]],
    ['t', [['5-0', ['f', 'v5']]]],
  ]);
  expect(await client.send('XREAD', 'STREAMS', 's', '3')).toBe(null);
  expect(await client.send('XREAD', 'STREAMS', 's', '+')).toEqual([['s', [['3-0', ['f', 'v3']]]]]);
  expect(await client.send('XREAD', 'COUNT', '1', 'STREAMS', 's')).toEqual(
    new RespError(
      "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.",
    ),
  );
  await client.send('HELLO', '3');
  expect(await client.send('XREAD', 'COUNT', '1', 'STREAMS', 's', '2')).toEqual(
    new Map([['s', [['3-0', ['f', 'v3']]]]]),
  );
  const about = (await client.send('XINFO', 'STREAM', 's')) as Map<string, unknown>;
  expect(about.get('length')).toBe(3);
});

test('a group gives each entry to one consumer until it is acknowledged', async () => {
  await fill('s', 1, 6);
  expect(await client.send('XGROUP', 'CREATE', 's', 'g', '0')).toBe('OK');
  const read = (consumer: string, ...rest: string[]) =>
    client.send('XREADGROUP', 'GROUP', 'g', consumer, ...rest);
  expect(await read('a', 'COUNT', '2', 'STREAMS', 's', '>')).toEqual([
    [
      's',
      [
        ['1-0', ['f', 'v1']],
        ['2-0', ['f', 'v2']],
      ],
    ],
  ]);
  await read('b', 'COUNT', '3', 'STREAMS', 's', '>');
  expect(await client.send('XPENDING', 's', 'g')).toEqual([
    5,
    '1-0',
    '5-0',
    [
      ['a', '2'],
      ['b', '3'],
    ],
  ]);
  expect(await client.send('XACK', 's', 'g', '1-0', '4-0', '77-7')).toBe(2);
  await client.send('XDEL', 's', '2-0');
  expect(await read('a', 'STREAMS', 's', '0')).toEqual([['s', [['2-0', null]]]]);
  const [cursor, claimed, deleted] = (await client.send(
    ...['XAUTOCLAIM', 's', 'g', 'c', '0', '-', 'COUNT', '2', 'JUSTID'],
  )) as unknown[];
  expect([cursor, claimed, deleted]).toEqual(['5-0', ['3-0'], ['2-0']]);
  expect(await client.send('XCLAIM', 's', 'g', 'c', '0', '5-0')).toEqual([['5-0', ['f', 'v5']]]);
  expect(await client.send('XGROUP', 'DELCONSUMER', 's', 'g', 'c')).toBe(2);
  const [group] = (await client.send('XINFO', 'GROUPS', 's')) as unknown[][];
  expect(group).toEqual([
    ...['name', 'g', 'consumers', 2, 'pending', 0, 'last-delivered-id', '5-0'],
    ...['entries-read', 5, 'lag', 1],
  ]);
  expect(await read('a', 'NOACK', 'STREAMS', 's', '>')).toEqual([['s', [['6-0', ['f', 'v6']]]]]);
  expect(await client.send('XPENDING', 's', 'g', '-', '+', '10')).toEqual([]);
});

test('a payload holds entries, groups and what is pending', async () => {
  await fill('s', 1, 300);
  await client.send('XDEL', 's', '7-0');
  await client.send('XGROUP', 'CREATE', 's', 'g', '0');
  await client.send('XREADGROUP', 'GROUP', 'g', 'a', 'COUNT', '150', 'STREAMS', 's', '>');
  await client.send('XREADGROUP', 'GROUP', 'g', 'b', 'COUNT', '20', 'STREAMS', 's', '>');
  await client.send('XACK', 's', 'g', '3-0', '160-0');
  const full = await client.send('XINFO', 'STREAM', 's', 'FULL', 'COUNT', '0');
  const payload = String(await client.send('DUMP', 's'));
  expect(await client.send('COPY', 's', 'copy')).toBe(1);
  expect(await client.send('DEL', 's')).toBe(1);
  expect(await client.send('XINFO', 'STREAM', 'copy', 'FULL', 'COUNT', '0')).toEqual(full);
  expect(await client.send('RESTORE', 'again', '0', payload)).toBe('OK');
  expect(await client.send('XINFO', 'STREAM', 'again', 'FULL', 'COUNT', '0')).toEqual(full);
  const [one, other] = (await client.send('DEBUG', 'DIGEST-VALUE', 'copy', 'again')) as string[];
  expect(one).toBe(other);
});

/** What Valkey 9.1.2 and its predecessors wrote of XADD s 1-1 f v and a group g whose consumer c has that entry. */
test('payloads of all three formats', async () => {
  const head = '1d0000000a00' + '010100010101816602' + '0001';
  const node = `10${'00000000000000010000000000000001'}1d${head}${'020100010001' + '817602' + '0401' + 'ff'}`;
  const bytes = (hex: string) => Buffer.from(hex, 'hex').toString('latin1');
  const id = '00000000000000010000000000000001';
  const seen = '0068e5cf8b010000';
  const footer = '5000' + '0000000000000000';
  await client.send('DEBUG', 'SET-SKIP-CHECKSUM-VALIDATION', '1');
  try {
    const lengthAndIds = '01' + '0101';
    const group = (read: string) => `0101670101${read}01${id}${seen}0101` + `0163${seen}`;
    for (const [type, body] of [
      ['0f', `01${node}${lengthAndIds}${group('')}01${id}`],
      ['13', `01${node}${lengthAndIds}0101000001${group('01')}01${id}`],
      ['15', `01${node}${lengthAndIds}0101000001${group('01')}${seen}01${id}`],
    ]) {
      const restored = await client.send('RESTORE', 's', '0', bytes(type! + body! + footer), 'REPLACE');
      expect([type, restored]).toEqual([type, 'OK']);
      expect(await client.send('XRANGE', 's', '-', '+')).toEqual([['1-1', ['f', 'v']]]);
      expect((await info('s')).get('recorded-first-entry-id')).toBe('1-1');
      expect(await client.send('XINFO', 'GROUPS', 's')).toEqual([
        [
          ...['name', 'g', 'consumers', 1, 'pending', 1, 'last-delivered-id', '1-1'],
          ...['entries-read', 1, 'lag', 0],
        ],
      ]);
      const full = JSON.stringify(await client.send('XINFO', 'STREAM', 's', 'FULL'));
      expect(full).toContain('"seen-time",1700000000000,"active-time",1700000000000,"pel-count",1');
    }
    // An entry that the group does not have cannot be a consumer's.
    const bad = `01${node}0101010101000001` + `01016701010100` + `010163${seen}${seen}01${id}`;
    expect(await client.send('RESTORE', 's', '0', bytes(`15${bad}${footer}`), 'REPLACE')).toEqual(
      new RespError('ERR Bad data format'),
    );
  } finally {
    await client.send('DEBUG', 'SET-SKIP-CHECKSUM-VALIDATION', '0');
  }
});

test('wrong types, missing keys and groups', async () => {
  await client.send('SET', 'text', 'x');
  const wrong = new RespError('WRONGTYPE Operation against a key holding the wrong kind of value');
  for (const args of [
    ['XADD', 'text', '*', 'f', 'v'],
    ['XLEN', 'text'],
    ['XRANGE', 'text', '-', '+'],
    ['XREAD', 'STREAMS', 'text', '0'],
    ['XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 'text', '>'],
    ['XDEL', 'text', '1'],
    ['XTRIM', 'text', 'MAXLEN', '1'],
    ['XSETID', 'text', '1'],
    ['XACK', 'text', 'g', '1'],
    ['XPENDING', 'text', 'g'],
    ['XCLAIM', 'text', 'g', 'c', '0', '1'],
    ['XAUTOCLAIM', 'text', 'g', 'c', '0', '1'],
    ['XGROUP', 'CREATE', 'text', 'g', '$'],
    ['XINFO', 'STREAM', 'text'],
  ]) {
    expect([args, await client.send(...args)]).toEqual([args, wrong]);
  }
  expect(await client.send('XINFO', 'STREAM', 'none')).toEqual(new RespError('ERR no such key'));
  expect(await client.send('XPENDING', 'none', 'g')).toEqual(
    new RespError("NOGROUP No such key 'none' or consumer group 'g'"),
  );
  expect(await client.send('XTRIM', 'none', 'MAXLEN', '1')).toBe(0);
});

test('events of streams have a class of their own', async () => {
  await client.send('CONFIG', 'SET', 'notify-keyspace-events', 'Et');
  const listener = await server.connect();
  try {
    await listener.send('PSUBSCRIBE', '__keyevent@0__:*');
    await client.pipeline([
      ['XADD', 's', '1', 'f', 'v'],
      ['XADD', 's', 'MAXLEN', '1', '2', 'f', 'v'],
      ['XGROUP', 'CREATE', 's', 'g', '0'],
      ['XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '>'],
      ['XGROUP', 'SETID', 's', 'g', '0'],
      ['XGROUP', 'DELCONSUMER', 's', 'g', 'c'],
      ['XGROUP', 'DESTROY', 's', 'g'],
      ['XDEL', 's', '2'],
      ['XSETID', 's', '9'],
    ]);
    for (const event of [
      ...['xadd', 'xadd', 'xtrim', 'xgroup-create', 'xgroup-createconsumer', 'xgroup-setid'],
      ...['xgroup-delconsumer', 'xgroup-destroy', 'xdel', 'xsetid'],
    ]) {
      expect(await listener.readReply()).toEqual([
        'pmessage',
        '__keyevent@0__:*',
        `__keyevent@0__:${event}`,
        's',
      ]);
    }
  } finally {
    listener.close();
    await client.send('CONFIG', 'SET', 'notify-keyspace-events', '');
  }
});

test('the memory of entries', async () => {
  await fill('s', 1, 1000);
  const bytes = Number(await client.send('MEMORY', 'USAGE', 's', 'SAMPLES', '0'));
  // A value of 4 or 5 bytes, its head, two differences, flags and two numbers around them.
  expect(bytes).toBeGreaterThan(1000 * 14);
  expect(bytes).toBeLessThan(1000 * 18);
});
