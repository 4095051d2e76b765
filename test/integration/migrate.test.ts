/** MIGRATE: keys on their way to another server, which is a real one or one that answers as the test wants. */

import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { type RespClient, RespError } from '../support/resp-client.js';

let source: RunningKvasir;
let target: RunningKvasir;
let a: RespClient;
let b: RespClient;
let far: RespClient;

beforeAll(async () => {
  source = await startKvasir(['--enable-debug-command', 'yes']);
  target = await startKvasir(['--enable-debug-command', 'yes']);
});
afterAll(async () => {
  await source.stop();
  await target.stop();
});
beforeEach(async () => {
  a = await source.connect();
  b = await source.connect();
  far = await target.connect();
  await a.send('FLUSHALL');
  await far.send('FLUSHALL');
  await far.send('SELECT', '3');
  return () => {
    for (const client of [a, b, far]) client.close();
  };
});

const migrate = (...rest: string[]) => a.send('MIGRATE', '127.0.0.1', String(target.port), ...rest);

const VALUES: [string, ...string[]][] = [
  ['SET', 'text', 'x'.repeat(100_000)],
  ['RPUSH', 'list', 'a', 'b', '1'],
  ['SADD', 'set', 'a', 'b'],
  ['ZADD', 'zset', '1', 'a', '2.5', 'b'],
  ['HSET', 'hash', 'f', 'v', 'g', 'w'],
  ['XADD', 'stream', '1-1', 'f', 'v'],
];
const KEYS = VALUES.map(([, key]) => key!);

test('values of all types arrive as they were, and are gone here', async () => {
  for (const command of VALUES) await a.send(...command);
  const digests = await a.send('DEBUG', 'DIGEST-VALUE', ...KEYS);
  expect(await migrate('', '3', '5000', 'KEYS', ...KEYS, 'none')).toBe('OK');
  expect(await far.send('DEBUG', 'DIGEST-VALUE', ...KEYS)).toEqual(digests);
  expect(await a.send('DBSIZE')).toBe(0);
  expect(await migrate('', '3', '5000', 'KEYS', ...KEYS)).toBe('NOKEY');
  // The connection is kept, and so is the database that was selected on it.
  expect(await a.send('INFO', 'stats')).toContain('migrate_cached_sockets:1\r\n');
  await a.send('SET', 'again', '1');
  expect(await migrate('again', '5', '5000')).toBe('OK');
  expect(
    await far.pipeline([
      ['SELECT', '5'],
      ['GET', 'again'],
    ]),
  ).toEqual(['OK', '1']);
});

test('deadlines go along; COPY leaves the key; REPLACE overwrites', async () => {
  await a.send('SET', 'k', 'here', 'PX', '100000');
  expect(await migrate('k', '3', '5000', 'COPY')).toBe('OK');
  expect(await a.send('GET', 'k')).toBe('here');
  const left = Number(await far.send('PTTL', 'k'));
  expect(left).toBeGreaterThan(50_000);
  expect(left).toBeLessThanOrEqual(100_000);
  expect(await migrate('k', '3', '5000')).toEqual(
    new RespError('ERR Target instance replied with error: BUSYKEY Target key name already exists.'),
  );
  expect(await a.send('GET', 'k')).toBe('here');
  await far.send('SET', 'k', 'there');
  expect(await migrate('k', '3', '5000', 'REPLACE')).toBe('OK');
  expect(await far.send('GET', 'k')).toBe('here');
  expect(await a.send('EXISTS', 'k')).toBe(0);
});

test('only the keys that the target took are deleted', async () => {
  for (const key of ['a', 'b', 'c']) await a.send('SET', key, key);
  await far.send('SET', 'b', 'other');
  expect(await migrate('', '3', '5000', 'KEYS', 'a', 'b', 'c')).toEqual(
    new RespError('ERR Target instance replied with error: BUSYKEY Target key name already exists.'),
  );
  expect(await a.send('KEYS', '*')).toEqual(['b']);
  expect(await far.send('MGET', 'a', 'b', 'c')).toEqual(['a', 'other', 'c']);
});

test('options that make no sense are refused', async () => {
  const syntax = new RespError('ERR syntax error');
  expect(await migrate('k', '0', '10', 'NO')).toEqual(syntax);
  expect(await migrate('k', '0', '10', 'AUTH')).toEqual(syntax);
  expect(await migrate('k', '0', '10', 'AUTH2', 'user')).toEqual(syntax);
  expect(await migrate('k', '0', '10', 'KEYS', 'a')).toEqual(
    new RespError('ERR When using MIGRATE KEYS option, the key argument must be set to the empty string'),
  );
  const number = new RespError('ERR value is not an integer or out of range');
  expect(await migrate('k', 'x', '10')).toEqual(number);
  expect(await migrate('k', '0', 'x')).toEqual(number);
});

test('nobody waits inside a transaction', async () => {
  await a.send('SET', 'k', 'v');
  await a.pipeline([
    ['MULTI'],
    ['MIGRATE', '127.0.0.1', String(target.port), 'none', '3', '1000'],
    ['MIGRATE', '127.0.0.1', String(target.port), 'k', '3', '1000'],
  ]);
  expect(await a.send('EXEC')).toEqual([
    'NOKEY',
    new RespError('ERR MIGRATE cannot wait for another server inside a transaction or a script'),
  ]);
  expect(await a.send('GET', 'k')).toBe('v');
});

test('a password is used, and shown to nobody', async () => {
  await far.send('CONFIG', 'SET', 'requirepass', 'secret-word');
  await a.send('CONFIG', 'SET', 'commandlog-execution-slower-than', '0');
  await a.send('SLOWLOG', 'RESET');
  await a.send('SET', 'k', 'v');
  const wrong = await migrate('k', '3', '5000', 'AUTH', 'wrong-word');
  expect((wrong as RespError).message).toContain('Target instance replied with error: WRONGPASS');
  expect(await far.send('EXISTS', 'k')).toBe(0);
  expect(await migrate('k', '3', '5000', 'AUTH2', 'default', 'secret-word')).toBe('OK');
  expect(await far.send('GET', 'k')).toBe('v');
  await far.send('CONFIG', 'SET', 'requirepass', '');
  const log = JSON.stringify(await a.send('SLOWLOG', 'GET', '10'));
  expect(log).toContain('(redacted)');
  expect(log).not.toContain('-word');
});

/** A target that answers when the test says so. `next` gives the words of the next command. */
class Puppet {
  readonly #server: Server;
  readonly #commands: string[][] = [];
  readonly #wanted: ((words: string[]) => void)[] = [];
  readonly sockets: Socket[] = [];
  #rest = '';

  constructor(connected?: (socket: Socket) => void) {
    this.#server = createServer((socket) => {
      this.sockets.push(socket);
      socket.on('error', () => {});
      connected?.(socket);
      socket.on('data', (data) => {
        this.#rest += data.toString('latin1');
        this.#parse();
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return String((this.#server.address() as { port: number }).port);
  }

  next(): Promise<string[]> {
    const words = this.#commands.shift();
    return words === undefined ? new Promise((done) => this.#wanted.push(done)) : Promise.resolve(words);
  }

  answer(line: string): void {
    this.sockets.at(-1)!.write(`${line}\r\n`);
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
  }

  #parse(): void {
    for (;;) {
      const head = /^\*(\d+)\r\n/.exec(this.#rest);
      if (head === null) return;
      let at = head[0].length;
      const words: string[] = [];
      for (let i = 0; i < Number(head[1]); i++) {
        const size = /^\$(\d+)\r\n/.exec(this.#rest.slice(at, at + 20));
        if (size === null) return;
        at += size[0].length;
        if (this.#rest.length < at + Number(size[1]) + 2) return;
        words.push(this.#rest.slice(at, at + Number(size[1])));
        at += Number(size[1]) + 2;
      }
      this.#rest = this.#rest.slice(at);
      const wanted = this.#wanted.shift();
      if (wanted === undefined) this.#commands.push(words);
      else wanted(words);
    }
  }
}

async function withPuppet(work: (puppet: Puppet, port: string) => Promise<void>): Promise<void> {
  const puppet = new Puppet();
  const port = await puppet.listen();
  try {
    await work(puppet, port);
  } finally {
    puppet.close();
  }
}

test('others are served meanwhile; a key that changed on its way is sent again, and nobody changes it then', async () => {
  await withPuppet(async (puppet, port) => {
    await a.send('SET', 'k', 'old');
    await a.send('SET', 'still', 'same');
    const moved = a.send('MIGRATE', '127.0.0.1', port, '', '0', '5000', 'KEYS', 'k', 'still');
    expect(await puppet.next()).toEqual(['SELECT', '0']);
    puppet.answer('+OK');
    const [, , , old] = await puppet.next();
    expect((await puppet.next()).slice(0, 3)).toEqual(['RESTORE', 'still', '0']);
    expect(await b.send('GET', 'k')).toBe('old');
    expect(await b.send('SET', 'k', 'new')).toBe('OK');
    for (let i = 0; i < 2; i++) puppet.answer('+OK');
    const again = await puppet.next();
    expect(again.slice(0, 3)).toEqual(['RESTORE', 'k', '0']);
    expect(again[4]).toBe('REPLACE');
    expect(again[3]).not.toBe(old);
    // The one that did not change is gone already; writing has to wait, reading has not.
    expect(
      await b.pipeline([
        ['EXISTS', 'still'],
        ['GET', 'k'],
      ]),
    ).toEqual([0, 'new']);
    expect(await b.send('INFO', 'clients')).toContain('paused_reason:slot_migration_in_progress');
    const c = await source.connect();
    const late = c.send('APPEND', 'k', '!');
    await b.send('PING');
    puppet.answer('+OK');
    expect(await moved).toBe('OK');
    // It finds nothing there any more.
    expect(await late).toBe(1);
    expect(await b.send('GET', 'k')).toBe('!');
    c.close();
    expect(await b.send('INFO', 'clients')).toContain('paused_reason:none');
  });
});

test('a key that was deleted on its way is deleted there', async () => {
  await withPuppet(async (puppet, port) => {
    await a.send('SET', 'k', 'v');
    const moved = a.send('MIGRATE', '127.0.0.1', port, 'k', '0', '5000');
    await puppet.next();
    puppet.answer('+OK');
    await puppet.next();
    await b.send('DEL', 'k');
    puppet.answer('+OK');
    expect(await puppet.next()).toEqual(['DEL', 'k']);
    puppet.answer(':1');
    expect(await moved).toBe('OK');
  });
});

test('a target that says nothing costs the timeout and no key', async () => {
  await withPuppet(async (_puppet, port) => {
    await a.send('SET', 'k', 'v');
    expect(await a.send('MIGRATE', '127.0.0.1', port, 'k', '0', '50')).toEqual(
      new RespError('IOERR error or timeout reading to target instance'),
    );
    expect(await a.send('GET', 'k')).toBe('v');
  });
});

test('a kept connection that the target has closed is made anew', async () => {
  await withPuppet(async (puppet, port) => {
    for (let round = 0; round < 2; round++) {
      await a.send('SET', 'k', 'v');
      const moved = a.send('MIGRATE', '127.0.0.1', port, 'k', '0', '5000');
      expect(await puppet.next()).toEqual(['SELECT', '0']);
      puppet.answer('+OK');
      expect((await puppet.next())[1]).toBe('k');
      puppet.answer('+OK');
      expect(await moved).toBe('OK');
      const closed = new Promise((done) => puppet.sockets.at(-1)!.on('close', done));
      puppet.sockets.at(-1)!.destroy();
      await closed;
    }
    expect(puppet.sockets.length).toBe(2);
  });
});

test('a target that hangs up twice is given up', async () => {
  const puppet = new Puppet((socket) => socket.once('data', () => socket.destroy()));
  const port = await puppet.listen();
  await a.send('SET', 'k', 'v');
  expect(await a.send('MIGRATE', '127.0.0.1', port, 'k', '0', '5000')).toEqual(
    new RespError('IOERR error or timeout reading to target instance'),
  );
  expect(puppet.sockets.length).toBe(2);
  puppet.close();
  expect(await a.send('MIGRATE', '127.0.0.1', port, 'k', '0', '5000')).toEqual(
    new RespError('IOERR error or timeout connecting to the client'),
  );
  expect(await a.send('MIGRATE', '127.0.0.1', 'no-port', 'k', '0', '5000')).toEqual(
    new RespError('IOERR error or timeout connecting to the client'),
  );
  expect(await a.send('GET', 'k')).toBe('v');
});

test('a client that goes away leaves its keys where they are', async () => {
  await withPuppet(async (puppet, port) => {
    await a.send('SET', 'k', 'v');
    const id = String(await a.send('CLIENT', 'ID'));
    const moved = a.send('MIGRATE', '127.0.0.1', port, 'k', '0', '5000').catch(() => 'gone');
    await puppet.next();
    expect(await b.send('INFO', 'clients')).toContain('blocked_clients:1');
    expect(await b.send('CLIENT', 'KILL', 'ID', id)).toBe(1);
    expect(await moved).toBe('gone');
    puppet.answer('+OK');
    await puppet.next();
    puppet.answer('+OK');
    expect(await b.send('GET', 'k')).toBe('v');
    expect(await b.send('INFO', 'clients')).toContain('blocked_clients:0');
  });
});

test('READONLY and READWRITE show in the flags of a client', async () => {
  const flags = async () => /flags=(\S+)/.exec(String(await a.send('CLIENT', 'INFO')))![1];
  expect(await a.send('READONLY')).toBe('OK');
  expect(await flags()).toBe('r');
  expect(await a.send('READWRITE')).toBe('OK');
  expect(await flags()).toBe('N');
});
