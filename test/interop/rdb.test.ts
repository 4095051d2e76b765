/** RDB files between Kvasir and a real Valkey: each loads what the other has written, and finds the same data in it. */

import { copyFileSync, existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import type { RespArgument, RespClient } from '../support/resp-client.js';
import { findValkeyServer, type RunningValkey, startValkey } from '../support/valkey.js';

const binary = findValkeyServer();
if (binary === undefined) console.warn('rdb.test.ts is skipped: there is no valkey-server here');
const assets = join(process.env.VALKEY_PEER ?? join(homedir(), '.cache', 'valkey-peer'), 'src/tests/assets');

interface Side {
  client: RespClient;
  file: string;
}

let kvasir: RunningKvasir;
let valkey: RunningValkey;
let ours: Side;
let theirs: Side;

async function side(client: RespClient): Promise<Side> {
  const [, directory] = (await client.send('CONFIG', 'GET', 'dir')) as [string, string];
  return { client, file: join(directory, 'dump.rdb') };
}

/** Bytes that no compression makes shorter, always the same. */
function noise(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let x = 1;
  for (let i = 0; i < size; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

const range = (n: number): number[] => [...Array(n).keys()];

/** Every type in every encoding, with and without deadlines, in several databases. */
function dataset(): RespArgument[][] {
  const later = Date.now() + 10_000_000;
  return [
    ['SET', 'zero', '0'],
    ...['-1', '127', '128', '-32769', '2147483647', '2147483648', '-9223372036854775808'].map((n) => [
      'SET',
      `n${n}`,
      n,
    ]),
    ['SET', 'embedded', 'x'.repeat(30)],
    ['SET', 'raw', 'y'.repeat(100)],
    ['SET', 'compressible', 'abc'.repeat(50_000)],
    ['SET', 'noise', noise(100_000)],
    ['SET', 'binary', Buffer.from([0, 255, 13, 10])],
    ['SET', '', 'empty key'],
    ['SET', 'empty value', ''],
    ['SET', 'timed', 'v', 'PXAT', later],
    ['RPUSH', 'list', 'a', '1', '-5', 'x'.repeat(50)],
    ['RPUSH', 'quicklist', ...range(3000).map((i) => `element:${i}`)],
    ['RPUSH', 'plain', 'a', noise(20_000), 'b', 'z'.repeat(20_000)],
    ['SADD', 'intset16', ...range(10)],
    ['SADD', 'intset64', '1', '9223372036854775807', '-9223372036854775808'],
    ['SADD', 'set', 'a', 'b', '1'],
    ['SADD', 'big set', ...range(2000).map((i) => `member:${i}`)],
    ['SADD', 'set of long', 'x'.repeat(100), 'y'],
    ['ZADD', 'zset', '1', 'a', '2.5', 'b', '-inf', 'low', '+inf', 'high', '0.1', 'tenth'],
    ['ZADD', 'big zset', ...range(1000).flatMap((i) => [String(i / 7), `member:${i}`])],
    ['HSET', 'hash', 'f', 'v', 'g', '1'],
    ['HSET', 'big hash', ...range(1000).flatMap((i) => [`field:${i}`, `value:${i}`])],
    ['HSET', 'long field', 'x'.repeat(100), 'v'],
    ['HSET', 'dated hash', ...range(100).flatMap((i) => [`field:${i}`, `value:${i}`])],
    ['HPEXPIREAT', 'dated hash', later, 'FIELDS', '2', 'field:3', 'field:7'],
    ['HSET', 'dated and timed', 'f', 'v', 'g', 'w'],
    ['HPEXPIREAT', 'dated and timed', later + 5, 'FIELDS', '1', 'f'],
    ['PEXPIREAT', 'dated and timed', later],
    ...range(300).map((i) => ['XADD', 'stream', `${i + 1}-0`, 'field', `value:${i}`, 'n', i]),
    ['XDEL', 'stream', '5-0', '300-0'],
    ['XGROUP', 'CREATE', 'stream', 'group', '10'],
    ['XREADGROUP', 'GROUP', 'group', 'alice', 'COUNT', '20', 'STREAMS', 'stream', '>'],
    ['XREADGROUP', 'GROUP', 'group', 'bob', 'COUNT', '5', 'STREAMS', 'stream', '>'],
    ['XACK', 'stream', 'group', '12-0'],
    ['XGROUP', 'CREATECONSUMER', 'stream', 'group', 'idle'],
    ['XGROUP', 'CREATE', 'stream', 'empty group', '$'],
    ['XADD', 'emptied stream', '1-1', 'a', 'b'],
    ['XTRIM', 'emptied stream', 'MAXLEN', '0'],
    ['PFADD', 'hyperloglog', ...range(1000)],
    ['SETBIT', 'bits', '10000', '1'],
    ['GEOADD', 'places', '13.361389', '38.115556', 'Palermo', '15.087269', '37.502669', 'Catania'],
    ['SELECT', '1'],
    ...range(500).map((i) => ['SET', `key:${i}`, `value:${i}`]),
    ['SELECT', '15'],
    ['SET', 'last', 'one', 'PXAT', later],
    ['SELECT', '0'],
  ];
}

async function send(client: RespClient, commands: readonly RespArgument[][]): Promise<void> {
  await client.pipeline(commands.map((command) => [...command]));
}

const digest = (of: Side) => of.client.send('DEBUG', 'DIGEST');

/** `to` takes over the file that `from` saves. */
async function hand(from: Side, to: Side): Promise<void> {
  expect(await from.client.send('SAVE')).toBe('OK');
  copyFileSync(from.file, to.file);
  expect(await to.client.send('DEBUG', 'RELOAD', 'NOSAVE')).toBe('OK');
}

async function sizes(of: Side): Promise<unknown> {
  const text = (await of.client.send('INFO', 'keyspace')) as string;
  return text.replace(/avg_ttl=\d+/g, '');
}

describe.skipIf(binary === undefined)('RDB files', () => {
  beforeAll(async () => {
    valkey = await startValkey(binary!, ['--enable-debug-command', 'yes']);
    kvasir = await startKvasir(['--enable-debug-command', 'yes']);
    ours = await side(await kvasir.connect({ timeoutMs: 60_000 }));
    theirs = await side(await valkey.connect({ timeoutMs: 60_000 }));
  }, 60_000);
  afterAll(async () => {
    await kvasir?.kill();
    await valkey?.stop();
  });

  async function reset(): Promise<void> {
    for (const { client } of [ours, theirs]) {
      await client.send('FLUSHALL');
      await client.send('CONFIG', 'SET', 'maxmemory-policy', 'noeviction', 'rdbcompression', 'yes');
    }
  }

  for (const compression of ['yes', 'no']) {
    test(`both ways, rdbcompression ${compression}`, { timeout: 60_000 }, async () => {
      for (const [from, to] of [
        [ours, theirs],
        [theirs, ours],
      ] as const) {
        await reset();
        await from.client.send('CONFIG', 'SET', 'rdbcompression', compression);
        await send(from.client, dataset());
        const expected = await digest(from);
        await hand(from, to);
        expect(await digest(to)).toBe(expected);
        expect(await sizes(to)).toBe(await sizes(from));
        // And back: nothing is lost on the way.
        await hand(to, from);
        expect(await digest(from)).toBe(expected);
        for (const key of ['stream', 'emptied stream']) {
          expect(await to.client.send('XINFO', 'STREAM', key)).toEqual(
            await from.client.send('XINFO', 'STREAM', key),
          );
        }
        expect(await to.client.send('XPENDING', 'stream', 'group', '-', '+', '100')).toHaveLength(24);
        for (const [key] of [
          ['list'],
          ['quicklist'],
          ['intset16'],
          ['set'],
          ['big set'],
          ['zset'],
          ['big zset'],
          ['hash'],
          ['big hash'],
          ['dated hash'],
          ['n128'],
          ['embedded'],
          ['raw'],
        ] as const) {
          expect(await to.client.send('OBJECT', 'ENCODING', key)).toBe(
            await from.client.send('OBJECT', 'ENCODING', key),
          );
        }
        expect(await to.client.send('HPEXPIRETIME', 'dated hash', 'FIELDS', '1', 'field:7')).toEqual(
          await from.client.send('HPEXPIRETIME', 'dated hash', 'FIELDS', '1', 'field:7'),
        );
      }
    });
  }

  test.each(['allkeys-lru', 'volatile-lfu'])('use of keys, %s', async (policy) => {
    for (const [from, to] of [
      [ours, theirs],
      [theirs, ours],
    ] as const) {
      await reset();
      for (const { client } of [from, to]) await client.send('CONFIG', 'SET', 'maxmemory-policy', policy);
      const { client } = from;
      await send(client, [['SET', 'k', 'v']]);
      const dump = (await client.send('DUMP', 'k')) as string;
      const option = policy.endsWith('lru') ? ['IDLETIME', '5000'] : ['FREQ', '77'];
      await client.send('RESTORE', 'k', '0', Buffer.from(dump, 'latin1'), 'REPLACE', ...option);
      await hand(from, to);
      if (policy.endsWith('lru')) {
        expect(Math.abs(((await to.client.send('OBJECT', 'IDLETIME', 'k')) as number) - 5000)).toBeLessThan(
          5,
        );
      } else {
        expect(await to.client.send('OBJECT', 'FREQ', 'k')).toBe(77);
      }
    }
  });

  test('functions pass through us', async () => {
    await reset();
    const source = "#!lua name=lib\nserver.register_function('f', function() return 1 end)";
    await theirs.client.send('FUNCTION', 'LOAD', source);
    await hand(theirs, ours);
    await theirs.client.send('FUNCTION', 'FLUSH');
    await hand(ours, theirs);
    expect(await theirs.client.send('FCALL', 'f', '0')).toBe(1);
    await theirs.client.send('FUNCTION', 'FLUSH');
  });

  const old = [
    'encodings.rdb',
    'hash-ziplist.rdb',
    'hash-zipmap.rdb',
    'list-quicklist.rdb',
    'zset-ziplist.rdb',
    'corrupt_empty_keys.rdb',
    'scriptbackup.rdb',
  ];
  test.skipIf(!existsSync(assets)).each(old)('%s, from long ago', async (name) => {
    await reset();
    for (const { client, file } of [ours, theirs]) {
      copyFileSync(join(assets, name), file);
      expect(await client.send('DEBUG', 'RELOAD', 'NOSAVE')).toBe('OK');
    }
    expect(await digest(ours)).toBe(await digest(theirs));
    expect(await sizes(ours)).toBe(await sizes(theirs));
  });
});
