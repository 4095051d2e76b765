/** Hash commands over a socket: encodings, long values, payloads, and fields that expire. */

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { type RespClient, RespError } from '../support/resp-client.js';

let server: RunningKvasir;
let client: RespClient;

beforeAll(async () => {
  server = await startKvasir(['--enable-debug-command', 'yes', '--notify-keyspace-events', 'KEA']);
});
afterAll(() => server.stop());
beforeEach(async () => {
  client = await server.connect();
  await client.send('FLUSHALL');
  await client.send('CONFIG', 'RESETSTAT');
  await client.send('DEBUG', 'SET-ACTIVE-EXPIRE', '1');
  await client.send('CONFIG', 'SET', 'hash-max-listpack-entries', '512', 'hash-max-listpack-value', '64');
  return () => client.close();
});

const encoding = (key: string) => client.send('OBJECT', 'ENCODING', key);
const info = async (field: string) =>
  new RegExp(`^${field}:(.*)\r$`, 'm').exec(String(await client.send('INFO', 'everything')))?.[1];
async function until(holds: () => Promise<boolean>, timeoutMs = 5000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it did not happen in time');
    await new Promise((next) => setTimeout(next, 5));
  }
}
const pairs = (reply: unknown): Map<string, string> => {
  const list = reply as string[];
  return new Map(Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i]!, list[2 * i + 1]!]));
};

test('a hash leaves the listpack for one field too many, a long part, or a deadline', async () => {
  await client.send('CONFIG', 'SET', 'hash-max-listpack-entries', '3', 'hash-max-listpack-value', '8');
  await client.send('HSET', 'h', 'a', '1', 'b', '2', 'c', '3');
  expect(await encoding('h')).toBe('listpack');
  await client.send('HSET', 'h', 'd', '4');
  expect(await encoding('h')).toBe('hashtable');
  await client.send('HDEL', 'h', 'c', 'd');
  expect(await encoding('h')).toBe('hashtable');
  await client.send('HSET', 'long', 'a', '123456789');
  expect(await encoding('long')).toBe('hashtable');
  await client.send('HSET', 'dated', 'a', '1');
  expect(await client.send('HEXPIRE', 'dated', '100', 'FIELDS', '2', 'a', 'nosuch')).toEqual([1, -2]);
  expect(await encoding('dated')).toBe('hashtable');
});

test('long values keep their bytes while replies that refer to them are on their way', async () => {
  const value = 'abcdefgh'.repeat(50_000);
  await client.send('HSET', 'h', 'f', value, 'g', 'short');
  const other = await server.connect();
  other.write('HGET h f\r\nHGETDEL h FIELDS 1 f\r\nHSET h f new\r\nHGET h f\r\n');
  expect(await other.readReply()).toBe(value);
  expect(await other.readReply()).toEqual([value]);
  expect(await other.readReply()).toBe(1);
  expect(await other.readReply()).toBe('new');
  other.close();
});

test('HSCAN meets every field that is there all the time, while the table grows and shrinks', async () => {
  await client.send('CONFIG', 'SET', 'hash-max-listpack-entries', '0');
  const stays = Array.from({ length: 500 }, (_, i) => `stays:${i}`);
  await client.send('HSET', 'h', ...stays.flatMap((field) => [field, 'v']));
  const seen = new Set<string>();
  let cursor = '0';
  let step = 0;
  do {
    const [next, fields] = (await client.send('HSCAN', 'h', cursor, 'COUNT', '5', 'NOVALUES')) as [
      string,
      string[],
    ];
    for (const field of fields) seen.add(field);
    cursor = next;
    const names = Array.from({ length: 200 }, (_, i) => `comes:${i}`);
    if (step % 20 === 0) await client.send('HSET', 'h', ...names.flatMap((field) => [field, 'v']));
    if (step % 20 === 10) await client.send('HDEL', 'h', ...names);
    step++;
  } while (cursor !== '0');
  for (const field of stays) expect(seen).toContain(field);
});

test('HRANDFIELD is fair', async () => {
  for (const entries of ['512', '0']) {
    await client.send('CONFIG', 'SET', 'hash-max-listpack-entries', entries);
    await client.send('DEL', 'h');
    const fields = Array.from({ length: 40 }, (_, i) => `f${i}`);
    await client.send('HSET', 'h', ...fields.flatMap((field) => [field, field]));
    for (const [command, rounds] of [
      ['-2000', 2],
      ['10', 400],
      ['30', 130],
    ] as const) {
      const counts = new Map(fields.map((field) => [field, 0]));
      for (let i = 0; i < rounds; i++) {
        for (const field of (await client.send('HRANDFIELD', 'h', command)) as string[])
          counts.set(field, counts.get(field)! + 1);
      }
      // 100 each are expected; chi squared of 39 degrees is above 90 once in 200,000 times.
      const mean = [...counts.values()].reduce((sum, n) => sum + n) / 40;
      const chi = [...counts.values()].reduce((sum, n) => sum + (n - mean) ** 2 / mean, 0);
      expect(chi).toBeLessThan(90);
    }
  }
});

test('RESP3 shows maps and pairs', async () => {
  await client.send('HSET', 'h', 'a', '1');
  await client.send('HELLO', '3');
  expect(await client.raw('HGETALL', 'h')).toEqual(Buffer.from('%1\r\n$1\r\na\r\n$1\r\n1\r\n'));
  expect(await client.raw('HRANDFIELD', 'h', '3', 'WITHVALUES')).toEqual(
    Buffer.from('*1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n'),
  );
  expect(await client.raw('HGETALL', 'none')).toEqual(Buffer.from('%0\r\n'));
  expect(await client.raw('HGET', 'none', 'a')).toEqual(Buffer.from('_\r\n'));
  await client.send('HEXPIRE', 'h', '100', 'FIELDS', '1', 'a');
  expect(await client.raw('HGETALL', 'h')).toEqual(Buffer.from('%1\r\n$1\r\na\r\n$1\r\n1\r\n'));
});

test('fields past their deadline are hidden, and counted until they are removed', async () => {
  await client.send('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
  await client.send('HSET', 'h', 'stays', '1');
  await client.send('HSETEX', 'h', 'PX', '1', 'FIELDS', '2', 'a', '1', 'b', '2');
  await until(async () => (await client.send('HEXISTS', 'h', 'b')) === 0);
  expect(await client.send('HLEN', 'h')).toBe(3);
  expect(await client.send('HGETALL', 'h')).toEqual(['stays', '1']);
  expect(await client.send('HKEYS', 'h')).toEqual(['stays']);
  expect(await client.send('HVALS', 'h')).toEqual(['1']);
  expect(await client.send('HMGET', 'h', 'a', 'stays')).toEqual([null, '1']);
  expect(await client.send('HSTRLEN', 'h', 'a')).toBe(0);
  expect(await client.send('HSCAN', 'h', '0')).toEqual(['0', ['stays', '1']]);
  expect(await client.send('HRANDFIELD', 'h', '-5')).toEqual(Array(5).fill('stays'));
  expect(await client.send('HDEL', 'h', 'a')).toBe(0);
  expect(await client.send('HTTL', 'h', 'FIELDS', '2', 'a', 'stays')).toEqual([-2, -1]);
  expect(await client.send('HPERSIST', 'h', 'FIELDS', '1', 'a')).toEqual([-2]);
  expect(await client.send('HINCRBY', 'h', 'a', '5')).toBe(5);
  expect(await info('expired_fields')).toBe('1');
  await client.send('DEBUG', 'SET-ACTIVE-EXPIRE', '1');
  await until(async () => (await client.send('HLEN', 'h')) === 2);
  expect(await info('expired_fields')).toBe('2');
  expect(await info('db0')).toMatch(/keys=1,expires=0,avg_ttl=0,keys_with_volatile_items=0$/);
});

test('the last field takes the key along, and events tell of it', async () => {
  const subscriber = await server.connect();
  await subscriber.send('PSUBSCRIBE', '__keyevent@0__:*');
  await client.send('HSETEX', 'h', 'PX', '1', 'FIELDS', '1', 'a', '1');
  const events: string[] = [];
  while (events.at(-1) !== 'del')
    events.push(String(((await subscriber.readReply()) as string[])[2]).replace('__keyevent@0__:', ''));
  expect(events).toEqual(['hset', 'hexpire', 'hexpired', 'del']);
  subscriber.close();
});

test('INFO counts the hashes that have fields with deadlines', async () => {
  await client.send('HSETEX', 'h1', 'EX', '1000', 'FIELDS', '1', 'a', '1');
  await client.send('HSETEX', 'h2', 'EX', '1000', 'FIELDS', '1', 'a', '1');
  await client.send('HSET', 'h3', 'a', '1');
  const dated = async () => /keys_with_volatile_items=(\d+)/.exec((await info('db0'))!)?.[1];
  expect(await dated()).toBe('2');
  await client.send('COPY', 'h1', 'h4');
  expect(await dated()).toBe('3');
  await client.send('RENAME', 'h1', 'h5');
  await client.send('EXPIRE', 'h5', '1000');
  expect(await dated()).toBe('3');
  await client.send('SET', 'h5', 'text');
  expect(await dated()).toBe('2');
  await client.send('HPERSIST', 'h4', 'FIELDS', '1', 'a');
  expect(await dated()).toBe('1');
  await client.send('MOVE', 'h2', '1');
  expect(await dated()).toBe('0');
  await client.send('SWAPDB', '0', '1');
  expect(await dated()).toBe('1');
  await client.send('FLUSHALL');
  expect(await info('db0')).toBeUndefined();
});

test('deadlines survive DUMP and RESTORE, COPY and RENAME', async () => {
  const at = String(Date.now() + 1_000_000);
  await client.send('HSETEX', 'h', 'PXAT', at, 'FIELDS', '1', 'a', '1');
  await client.send('HSET', 'h', 'b', 'v'.repeat(5000), 'c', '-7');
  const payload = Buffer.from((await client.send('DUMP', 'h')) as string, 'latin1');
  expect(payload[0]).toBe(22);
  expect(await client.send('RESTORE', 'restored', '0', payload)).toBe('OK');
  await client.send('COPY', 'h', 'copy');
  await client.send('RENAME', 'h', 'renamed');
  for (const key of ['restored', 'copy', 'renamed']) {
    expect(await client.send('HPEXPIRETIME', key, 'FIELDS', '3', 'a', 'b', 'c')).toEqual([
      Number(at),
      -1,
      -1,
    ]);
    expect(pairs(await client.send('HGETALL', key))).toEqual(
      new Map([
        ['a', '1'],
        ['b', 'v'.repeat(5000)],
        ['c', '-7'],
      ]),
    );
  }
  // Without deadlines it is written as every server knows it.
  await client.send('HPERSIST', 'copy', 'FIELDS', '1', 'a');
  expect(Buffer.from((await client.send('DUMP', 'copy')) as string, 'latin1')[0]).toBe(4);
});

test('a restored field whose deadline is past is hidden, then removed', async () => {
  await client.send('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
  await client.send('HSET', 'h', 'stays', '1');
  await client.send('HSETEX', 'h', 'PX', '1', 'FIELDS', '1', 'a', '1');
  await until(async () => (await client.send('HEXISTS', 'h', 'a')) === 0);
  const payload = Buffer.from((await client.send('DUMP', 'h')) as string, 'latin1');
  await client.send('RESTORE', 'h', '0', payload, 'REPLACE');
  expect(await client.send('HLEN', 'h')).toBe(2);
  expect(await client.send('HGET', 'h', 'a')).toBeNull();
  await client.send('DEBUG', 'SET-ACTIVE-EXPIRE', '1');
  await until(async () => (await client.send('HLEN', 'h')) === 1);
});

test('a hundred thousand fields expire while other clients are served', async () => {
  const fields = 100_000;
  const batch = 1000;
  for (let i = 0; i < fields; i += batch) {
    const args = Array.from({ length: batch }, (_, j) => [`field:${i + j}`, 'value']).flat();
    await client.send('HSETEX', 'big', 'PX', String(1 + ((i / batch) % 5)), 'FIELDS', String(batch), ...args);
  }
  await client.send('HSET', 'big', 'stays', '1');
  let longest = 0;
  await until(async () => {
    const from = performance.now();
    const left = await client.send('HLEN', 'big');
    longest = Math.max(longest, performance.now() - from);
    return left === 1;
  }, 20_000);
  expect(await info('expired_fields')).toBe(String(fields));
  // A slice is a millisecond; what is above that is the machine's.
  expect(longest).toBeLessThan(250);
});

test('an importing server keeps what is past its deadline for the import source', async () => {
  await client.send('CONFIG', 'SET', 'import-mode', 'yes');
  try {
    await client.send('CLIENT', 'IMPORT-SOURCE', 'ON');
    expect(await client.send('HSETEX', 'h', 'PXAT', '1', 'FIELDS', '1', 'a', '1')).toBe(1);
    expect(await client.send('HGET', 'h', 'a')).toBe('1');
    const other = await server.connect();
    expect(await other.send('HGET', 'h', 'a')).toBeNull();
    expect(await other.send('HLEN', 'h')).toBe(1);
    other.close();
  } finally {
    await client.send('CLIENT', 'IMPORT-SOURCE', 'OFF');
    await client.send('CONFIG', 'SET', 'import-mode', 'no');
  }
  await until(async () => (await client.send('EXISTS', 'h')) === 0);
});

test('a paused server hides fields and removes none', async () => {
  await client.send('HSETEX', 'h', 'PX', '1', 'FIELDS', '1', 'a', '1');
  await client.send('CLIENT', 'PAUSE', '100000', 'WRITE');
  try {
    await until(async () => (await client.send('HEXISTS', 'h', 'a')) !== 1);
  } finally {
    await client.send('CLIENT', 'UNPAUSE');
  }
  await until(async () => (await client.send('EXISTS', 'h')) === 0);
});

test('wrong types and arguments', async () => {
  const wrongType = new RespError('WRONGTYPE Operation against a key holding the wrong kind of value');
  const count = new RespError(
    'ERR numfields should be greater than 0 and match the provided number of fields',
  );
  const syntax = new RespError('ERR syntax error');
  await client.send('SET', 's', 'text');
  for (const command of [
    ['HGETEX', 's', 'EX', 'abc', 'FIELDS', '1', 'a'],
    ['HSETEX', 's', 'EX', 'abc', 'FIELDS', '1', 'a', 'b'],
    ['HGETDEL', 's', 'FIELDS', '1', 'a'],
    ['HTTL', 's', 'FIELDS', '1', 'a'],
    ['HEXPIRE', 's', '1', 'FIELDS', '1', 'a'],
    ['HINCRBY', 's', 'a', '1'],
    ['HRANDFIELD', 's', '1'],
  ])
    expect(await client.send(...(command as [string]))).toEqual(wrongType);
  expect(await client.send('HSETEX', 'h', 'FIELDS', '2', 'a', 'b')).toEqual(count);
  expect(await client.send('HSETEX', 'h', 'NX', 'FIELDS', '2', 'a', 'b')).toEqual(count);
  expect(await client.send('HSETEX', 'h', 'NX', 'XX', 'FIELDS', '1', 'a', 'b')).toEqual(syntax);
  expect(await client.send('HSETEX', 'h', 'PERSIST', 'FIELDS', '1', 'a', 'b')).toEqual(syntax);
  expect(await client.send('HGETEX', 'h', 'KEEPTTL', 'FIELDS', '1', 'a')).toEqual(syntax);
  // A key may read like the word that begins the list.
  expect(await client.send('HSETEX', 'fields', '2', 'a', '1', 'b', '2')).toBe(1);
  expect(await client.send('HMGET', 'fields', 'a', 'b')).toEqual(['1', '2']);
  await client.send('HSET', 'h', 'text', 'x', 'most', '9223372036854775807');
  expect(await client.send('HINCRBY', 'h', 'text', '1')).toEqual(
    new RespError('ERR hash value is not an integer'),
  );
  expect(await client.send('HINCRBY', 'h', 'most', '1')).toEqual(
    new RespError('ERR increment or decrement would overflow'),
  );
  expect(await client.send('HINCRBYFLOAT', 'h', 'text', '1')).toEqual(
    new RespError('ERR hash value is not a float'),
  );
  expect(await client.send('HRANDFIELD', 'h', '-9223372036854775807', 'WITHVALUES')).toEqual(
    new RespError('ERR value is out of range'),
  );
});
