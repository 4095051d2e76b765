/** Generic commands, deadlines and DEBUG over real sockets. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { type RespClient, RespError, VerbatimString } from '../support/resp-client.js';

let server: RunningKvasir;
let client: RespClient;

beforeAll(async () => {
  server = await startKvasir(['--enable-debug-command', 'local']);
  client = await server.connect();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await client.send('debug', 'set-active-expire', 1);
  await client.send('flushall');
});

const error = (message: string) => new RespError(message);

/** Asks until `check` holds: for what the server does in its own time. */
async function eventually(check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error('not in ten seconds');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('keys', () => {
  test('DEL, UNLINK, EXISTS, TOUCH and TYPE count and name what is there', async () => {
    await client.send('mset', 'a', 1, 'b', 2, 'c', 3);
    expect(await client.send('exists', 'a', 'a', 'x')).toBe(2);
    expect(await client.send('touch', 'a', 'b', 'x')).toBe(2);
    expect(await client.send('type', 'a')).toBe('string');
    expect(await client.send('type', 'x')).toBe('none');
    expect(await client.send('del', 'a', 'x', 'a')).toBe(1);
    expect(await client.send('unlink', 'b', 'c')).toBe(2);
    expect(await client.send('dbsize')).toBe(0);
    // More keys than a prefetched batch.
    const many = Array.from({ length: 50 }, (_, i) => `k${i}`);
    await client.pipeline(many.map((key) => ['set', key, 'v']));
    expect(await client.send('exists', ...many)).toBe(50);
    expect(await client.send('del', ...many)).toBe(50);
  });

  test('RENAME takes value and deadline along', async () => {
    await client.send('set', 'a', 'x'.repeat(3000), 'pxat', 99_999_999_999_999);
    await client.send('set', 'b', 'old');
    expect(await client.send('renamenx', 'a', 'b')).toBe(0);
    expect(await client.send('rename', 'a', 'b')).toBe('OK');
    expect(await client.send('get', 'b')).toBe('x'.repeat(3000));
    expect(await client.send('pexpiretime', 'b')).toBe(99_999_999_999_999);
    expect(await client.send('exists', 'a')).toBe(0);
    expect(await client.send('rename', 'a', 'b')).toEqual(error('ERR no such key'));
    expect(await client.send('rename', 'b', 'b')).toBe('OK');
    expect(await client.send('renamenx', 'b', 'b')).toBe(0);
  });

  test('COPY makes an independent value, in any database', async () => {
    const long = 'y'.repeat(5000);
    await client.send('set', 'a', long);
    expect(await client.send('copy', 'a', 'b')).toBe(1);
    await client.send('append', 'b', '!');
    expect(await client.send('get', 'a')).toBe(long);
    expect(await client.send('copy', 'a', 'b')).toBe(0);
    expect(await client.send('copy', 'a', 'b', 'replace')).toBe(1);
    expect(await client.send('get', 'b')).toBe(long);
    expect(await client.send('copy', 'a', 'a')).toEqual(
      error('ERR source and destination objects are the same'),
    );
    expect(await client.send('copy', 'a', 'a', 'db', 3)).toBe(1);
    expect(await client.send('copy', 'a', 'b', 'db', 16)).toEqual(error('ERR DB index is out of range'));
    expect(await client.send('move', 'a', 3)).toBe(0);
    expect(await client.send('move', 'b', 3)).toBe(1);
    expect(await client.send('swapdb', 0, 3)).toBe('OK');
    expect(await client.send('dbsize')).toBe(2);
    expect(await client.send('flushdb', 'async')).toBe('OK');
    expect(await client.send('dbsize')).toBe(0);
    await client.send('swapdb', 3, 0);
    expect(await client.send('keys', '*')).toEqual(['a']);
  });

  test('SCAN finds everything, filtered by pattern and type', async () => {
    await client.send('debug', 'populate', 2000);
    const scan = async (...options: string[]): Promise<Set<string>> => {
      const found = new Set<string>();
      let cursor = '0';
      do {
        const [next, keys] = (await client.send('scan', cursor, ...options)) as [string, string[]];
        for (const key of keys) found.add(key);
        cursor = next;
      } while (cursor !== '0');
      return found;
    };
    expect((await scan()).size).toBe(2000);
    expect((await scan('count', '100', 'match', 'key:1??')).size).toBe(100);
    expect((await scan('type', 'string', 'count', '500')).size).toBe(2000);
    expect((await scan('type', 'list', 'count', '500')).size).toBe(0);
    expect(await client.send('scan', 0, 'type', 'foo')).toEqual(error("ERR unknown type name 'foo'"));
    expect(await client.send('scan', 'x')).toEqual(error('ERR invalid cursor'));
    expect(await client.send('scan', 0, 'count', 0)).toEqual(error('ERR syntax error'));
    expect(((await client.send('keys', 'key:19?')) as string[]).length).toBe(10);
  });
});

describe('deadlines', () => {
  test('EXPIRE with conditions', async () => {
    await client.send('set', 'k', 'v');
    expect(await client.send('expire', 'k', 100, 'xx')).toBe(0);
    expect(await client.send('expire', 'k', 100, 'gt')).toBe(0);
    expect(await client.send('expire', 'k', 100, 'nx')).toBe(1);
    expect(await client.send('expire', 'k', 200, 'lt')).toBe(0);
    expect(await client.send('expire', 'k', 200, 'gt')).toBe(1);
    expect(await client.send('ttl', 'k')).toBe(200);
    expect(await client.send('expire', 'k', 1, 'nx', 'gt')).toEqual(
      error('ERR NX and XX, GT or LT options at the same time are not compatible'),
    );
    expect(await client.send('expire', 'k', 1, 'Foo')).toEqual(error('ERR Unsupported option Foo'));
    expect(await client.send('expire', 'k', '9223372036854775807')).toEqual(
      error("ERR invalid expire time in 'expire' command"),
    );
    expect(await client.send('persist', 'k')).toBe(1);
    expect(await client.send('persist', 'k')).toBe(0);
    expect(await client.send('ttl', 'k')).toBe(-1);
    expect(await client.send('expireat', 'k', 1)).toBe(1);
    expect(await client.send('ttl', 'k')).toBe(-2);
  });

  test('due keys go without being asked for, unless that is switched off', async () => {
    const keys = Array.from({ length: 300 }, (_, i) => ['set', `k${i}`, 'v', 'px', '1']);
    await client.send('debug', 'set-active-expire', 0);
    await client.pipeline(keys);
    await client.send('set', 'stays', 'v', 'ex', 1000);
    await eventually(async () => (await client.send('exists', 'k299')) === 0);
    // Four periods of the cron: by then a cycle would have run.
    await client.send('debug', 'sleep', '0.4');
    expect(await client.send('dbsize')).toBeGreaterThan(200);
    await client.send('debug', 'set-active-expire', 1);
    await eventually(async () => (await client.send('dbsize')) === 1);
  });

  test('in import mode only the import source sees due keys, and they stay', async () => {
    await client.send('config', 'set', 'import-mode', 'yes');
    const source = await server.connect();
    await source.send('client', 'import-source', 'on');
    await source.send('set', 'k', 'v', 'pxat', 1);
    expect(await source.send('get', 'k')).toBe('v');
    expect(await client.send('get', 'k')).toBe(null);
    expect(await client.send('dbsize')).toBe(1);
    await client.send('config', 'set', 'import-mode', 'no');
    await eventually(async () => (await client.send('dbsize')) === 0);
    source.close();
  });
});

describe('looking inside', () => {
  test('OBJECT and MEMORY USAGE', async () => {
    await client.send('mset', 'int', 12345, 'short', 'abc', 'long', 'z'.repeat(2000));
    expect(await client.send('object', 'encoding', 'int')).toBe('int');
    expect(await client.send('object', 'encoding', 'short')).toBe('embstr');
    expect(await client.send('object', 'encoding', 'long')).toBe('raw');
    expect(await client.send('object', 'refcount', 'int')).toBe(1);
    expect(await client.send('object', 'idletime', 'int')).toBe(0);
    expect(await client.send('object', 'encoding', 'x')).toBe(null);
    expect(await client.send('object', 'freq', 'int')).toBeInstanceOf(RespError);
    expect(await client.send('memory', 'usage', 'long')).toBeGreaterThan(2000);
    expect(await client.send('memory', 'usage', 'x')).toBe(null);
    expect(await client.send('memory', 'usage', 'int', 'samples', -1)).toEqual(error('ERR syntax error'));
  });

  test('DEBUG DIGEST is that of Valkey 9.1.2', async () => {
    expect(await client.send('debug', 'digest')).toBe('0'.repeat(40));
    await client.send('set', 'a', 'v');
    await client.send('set', 'n', 12345, 'ex', 1000);
    await client.send('move', 'n', 1);
    expect(await client.send('debug', 'digest')).toBe('7bbbbac18ecab02935387339f887d21d86292faa');
    expect(await client.send('debug', 'digest-value', 'a', 'x')).toEqual([
      'd79ee9fe5d5ad902d7f6620efc3b07b75ddd742f',
      '0'.repeat(40),
    ]);
  });

  test('DEBUG PROTOCOL has every type in both protocols', async () => {
    const resp3 = await server.connect();
    await resp3.send('hello', 3);
    expect(await resp3.send('debug', 'protocol', 'map')).toEqual(
      new Map([
        [0, false],
        [1, true],
        [2, false],
      ]),
    );
    expect(await resp3.send('debug', 'protocol', 'set')).toEqual(new Set([0, 1, 2]));
    expect(await resp3.send('debug', 'protocol', 'bignum')).toBe(1234567999999999999999999999999999999n);
    expect(await resp3.send('debug', 'protocol', 'verbatim')).toEqual(
      new VerbatimString('txt', 'This is a verbatim\nstring'),
    );
    expect(await resp3.send('debug', 'protocol', 'attrib')).toBe('Some real reply following the attribute');
    expect(await resp3.send('debug', 'protocol', 'push')).toBe('Some real reply following the push reply');
    expect(await resp3.readPush()).toEqual(['server-cpu-usage', 42]);
    expect(await client.send('debug', 'protocol', 'map')).toEqual([0, 0, 1, 1, 2, 0]);
    expect(await client.send('debug', 'protocol', 'double')).toBe('3.141');
    resp3.close();
  });

  test('DEBUG checks its arguments', async () => {
    expect(await client.send('debug', 'foo')).toEqual(
      error("ERR unknown subcommand or wrong number of arguments for 'foo'. Try DEBUG HELP."),
    );
    expect(await client.send('debug', 'populate', -1)).toEqual(
      error('ERR value is out of range, must be positive'),
    );
    expect(await client.send('debug', 'htstats', 99)).toEqual(error('ERR Out of range database'));
    expect(await client.send('debug', 'error', 'BAD thing')).toEqual(error('BAD thing'));
    const help = (await client.send('debug', 'help')) as string[];
    expect(help[0]).toBe('DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:');
  });

  test('DEBUG is refused unless it is enabled', async () => {
    const strict = await startKvasir();
    const stranger = await strict.connect();
    const reply = (await stranger.send('debug', 'sleep', 0)) as RespError;
    expect(reply.message).toMatch(/^ERR DEBUG command not allowed\. If the enable-debug-command option/);
    stranger.close();
    await strict.stop();
  });

  test.each(['segfault', 'panic', 'assert', 'oom'])('DEBUG %s ends the process', async (how) => {
    const victim = await startKvasir(['--enable-debug-command', 'yes']);
    const last = await victim.connect();
    last.send('debug', how).catch(() => {});
    const [, signal] = await victim.exit();
    expect(signal).toBe(how === 'segfault' ? 'SIGSEGV' : 'SIGABRT');
    await victim.kill();
  });
});
