/** MULTI, EXEC, DISCARD, WATCH and UNWATCH. */

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { type RespClient, RespError } from '../support/resp-client.js';

let server: RunningKvasir;
let a: RespClient;
let b: RespClient;

beforeAll(async () => {
  server = await startKvasir(['--enable-debug-command', 'yes']);
});
afterAll(() => server.stop());
beforeEach(async () => {
  a = await server.connect();
  b = await server.connect();
  await a.send('FLUSHALL');
  return () => {
    a.close();
    b.close();
  };
});

const flags = async (client: RespClient) =>
  /flags=(\S+)/.exec(String(await client.send('CLIENT', 'INFO')))![1];

test('queued commands run together, and their replies come as one array', async () => {
  const replies = await a.pipeline([
    ['MULTI'],
    ['SET', 'n', '41'],
    ['INCR', 'n'],
    ['GET', 'n'],
    ['INCR', 'n', 'too many'],
  ]);
  expect(replies.slice(0, 4)).toEqual(['OK', 'QUEUED', 'QUEUED', 'QUEUED']);
  expect(replies[4]).toBeInstanceOf(RespError);
  expect(await a.send('EXEC')).toEqual(
    new RespError('EXECABORT Transaction discarded because of previous errors.'),
  );
  expect(await a.send('EXISTS', 'n')).toBe(0);
  expect(await a.pipeline([['MULTI'], ['SET', 'n', '41'], ['INCR', 'n'], ['GET', 'n'], ['EXEC']])).toEqual([
    'OK',
    'QUEUED',
    'QUEUED',
    'QUEUED',
    ['OK', 42, '42'],
  ]);
});

test('a command that fails does not stop those behind it', async () => {
  await a.send('SET', 'text', 'abc');
  const [, , , , replies] = await a.pipeline([
    ['MULTI'],
    ['INCR', 'text'],
    ['SET', 'after', '1'],
    ['PING'],
    ['EXEC'],
  ]);
  expect(replies).toEqual([new RespError('ERR value is not an integer or out of range'), 'OK', 'PONG']);
  expect(await b.send('GET', 'after')).toBe('1');
});

test('nothing of another client comes in between', async () => {
  await a.send('SET', 'n', '0');
  const rounds = 200;
  const work = async (client: RespClient) => {
    for (let i = 0; i < rounds; i++) {
      const [, , , , replies] = await client.pipeline([
        ['MULTI'],
        ['INCR', 'n'],
        ['INCRBY', 'n', '10'],
        ['DECR', 'n'],
        ['EXEC'],
      ]);
      const [first, second, third] = replies as number[];
      expect(second! - first!).toBe(10);
      expect(third! - second!).toBe(-1);
    }
  };
  await Promise.all([work(a), work(b)]);
  expect(await a.send('GET', 'n')).toBe(String(2 * rounds * 10));
});

test.each([
  ['EXEC', 'ERR EXEC without MULTI'],
  ['DISCARD', 'ERR DISCARD without MULTI'],
])('%s alone is an error', async (name, message) => {
  expect(await a.send(name)).toEqual(new RespError(message));
});

test.each([['MULTI'], ['WATCH', 'k']])('%s inside MULTI is an error, and EXEC discards', async (...args) => {
  await a.send('MULTI');
  expect(await a.send(...args)).toEqual(
    new RespError(`ERR Command '${args[0]!.toLowerCase()}' not allowed inside a transaction`),
  );
  expect(await a.send('EXEC')).toMatchObject({ message: expect.stringMatching(/^EXECABORT/) });
});

test('EXEC that is refused ends the transaction with the reason', async () => {
  const refused = new RespError(
    "EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command",
  );
  expect(await a.pipeline([['MULTI'], ['PING'], ['EXEC', 'x'], ['PING']])).toEqual([
    'OK',
    'QUEUED',
    refused,
    'PONG',
  ]);
  expect(await a.send('EXEC', 'x')).toEqual(refused);
});

test('where too few replicas would know of them, writes are refused, at last by EXEC', async () => {
  const refused = new RespError('NOREPLICAS Not enough good replicas to write.');
  await a.send('MULTI');
  await a.send('SET', 'k', 'v');
  await b.send('CONFIG', 'SET', 'min-replicas-to-write', '1');
  expect(await a.send('EXEC')).toEqual(
    new RespError(
      'EXECABORT Transaction discarded because of: NOREPLICAS Not enough good replicas to write.',
    ),
  );
  expect(await a.send('SET', 'k', 'v')).toEqual(refused);
  expect(await a.send('GET', 'k')).toBe(null);
  await a.send('MULTI');
  expect(await a.send('SET', 'k', 'v')).toEqual(refused);
  expect(await a.send('EXEC')).toEqual(
    new RespError('EXECABORT Transaction discarded because of previous errors.'),
  );
  await a.pipeline([['MULTI'], ['GET', 'k']]);
  expect(await a.send('EXEC')).toEqual([null]);
  // Without a lag that makes a replica a good one there is nothing to demand.
  await b.send('CONFIG', 'SET', 'min-replicas-max-lag', '0');
  expect(await a.send('SET', 'k', 'v')).toBe('OK');
  await b.send('CONFIG', 'SET', 'min-replicas-max-lag', '10', 'min-replicas-to-write', '0');
  expect(await a.send('SET', 'k', 'v')).toBe('OK');
});

test('DISCARD forgets what was queued and watched', async () => {
  await a.pipeline([['WATCH', 'k'], ['MULTI'], ['SET', 'k', 'queued'], ['DISCARD']]);
  await b.send('SET', 'k', 'other');
  expect(await a.send('GET', 'k')).toBe('other');
  expect(await a.pipeline([['MULTI'], ['PING'], ['EXEC']])).toEqual(['OK', 'QUEUED', ['PONG']]);
});

test.each([2, 3])('EXEC answers null when a watched key has changed (RESP%i)', async (protocol) => {
  await a.send('HELLO', protocol);
  await a.pipeline([['WATCH', 'k', 'k', 'other'], ['MULTI'], ['SET', 'k', 'mine']]);
  await b.send('SET', 'k', 'theirs');
  expect(await flags(b)).toBe('N');
  expect((await a.raw('EXEC')).toString()).toBe(protocol === 2 ? '*-1\r\n' : '_\r\n');
  expect(await b.send('GET', 'k')).toBe('theirs');
  // Only once.
  expect(await a.pipeline([['MULTI'], ['PING'], ['EXEC']])).toEqual(['OK', 'QUEUED', ['PONG']]);
});

test('a change before WATCH, after UNWATCH or in another database does not count', async () => {
  const transaction = [['MULTI'], ['PING'], ['EXEC']];
  await a.send('SET', 'k', '1');
  await a.send('WATCH', 'k');
  await b.pipeline([
    ['SELECT', '1'],
    ['SET', 'k', '2'],
  ]);
  expect((await a.pipeline(transaction))[2]).toEqual(['PONG']);
  await a.send('WATCH', 'k');
  await a.send('SET', 'k', '3');
  await a.send('UNWATCH');
  expect((await a.pipeline(transaction))[2]).toEqual(['PONG']);
});

test.each([
  ['EXPIRE', [['EXPIRE', 'k', '100']]],
  ['a deadline that passes', [['PEXPIRE', 'k', '1']]],
  ['DEL', [['DEL', 'k']]],
  [
    'RENAME onto it',
    [
      ['SET', 'x', '1'],
      ['RENAME', 'x', 'k'],
    ],
  ],
  ['FLUSHALL', [['FLUSHALL']]],
  ['SWAPDB', [['SWAPDB', '0', '1']]],
])('%s changes a watched key', async (_name, commands) => {
  await a.send('SET', 'k', '1');
  await a.send('WATCH', 'k');
  await b.pipeline(commands);
  await expect.poll(async () => (await b.send('TTL', 'k')) as number).not.toBe(0);
  expect((await a.pipeline([['MULTI'], ['PING'], ['EXEC']]))[2]).toBeNull();
});

test('a key that was due when it was watched may be removed', async () => {
  await a.send('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
  await a.send('SET', 'k', '1', 'PX', '1');
  await expect.poll(async () => await b.send('PTTL', 'nothing')).toBe(-2);
  await new Promise((resolve) => setTimeout(resolve, 5)); // the deadline has to pass
  await a.send('WATCH', 'k');
  expect(await b.send('EXISTS', 'k')).toBe(0);
  expect((await a.pipeline([['MULTI'], ['PING'], ['EXEC']]))[2]).toEqual(['PONG']);
  await a.send('DEBUG', 'SET-ACTIVE-EXPIRE', '1');
});

test('CLIENT LIST shows the transaction and what is watched', async () => {
  const field = async (name: string) =>
    new RegExp(` ${name}=(\\S*)`).exec(String(await b.send('CLIENT', 'LIST')))![1];
  expect(await field('multi')).toBe('-1');
  await a.pipeline([['WATCH', 'x', 'y'], ['MULTI'], ['SET', 'x', '1']]);
  expect(await field('multi')).toBe('1');
  expect(await field('watch')).toBe('2');
  expect(await field('flags')).toBe('x');
  expect(Number(await field('multi-mem'))).toBeGreaterThan(0);
  await b.send('SET', 'y', '1');
  expect(await field('flags')).toBe('xd');
});

test('RESET and closing leave a transaction', async () => {
  await a.pipeline([['WATCH', 'k'], ['MULTI'], ['SET', 'k', '1']]);
  expect(await a.send('RESET')).toBe('RESET');
  expect(await a.send('EXEC')).toEqual(new RespError('ERR EXEC without MULTI'));
  await b.pipeline([['WATCH', 'k'], ['MULTI'], ['SET', 'k', '1']]);
  b.close();
  await a.send('SET', 'k', '2');
  expect(await a.send('GET', 'k')).toBe('2');
});

test('large arguments are kept until EXEC', async () => {
  const value = 'v'.repeat(300_000);
  expect(await a.pipeline([['MULTI'], ['SET', 'big', value], ['STRLEN', 'big'], ['EXEC']])).toEqual([
    'OK',
    'QUEUED',
    'QUEUED',
    ['OK', value.length],
  ]);
  expect(await a.send('GET', 'big')).toBe(value);
});

test('what will be discarded is not kept', async () => {
  const id = await a.send('CLIENT', 'ID');
  const field = async (name: string) =>
    new RegExp(` ${name}=(-?\\d+)`).exec(String(await b.send('CLIENT', 'LIST', 'ID', String(id))))![1];
  expect(await field('multi')).toBe('-1');
  await a.pipeline([['WATCH', 'k', 'l'], ['MULTI'], ['SET', 'x', 'y']]);
  expect([await field('multi'), await field('watch')]).toEqual(['1', '2']);
  await b.send('SET', 'k', 'changed');
  // Nothing can save it any more, so that it watches no longer; an emptied database leaves that to EXEC.
  expect([await field('multi'), await field('watch')]).toEqual(['0', '0']);
  await a.send('SET', 'x', 'z');
  expect(await field('multi')).toBe('0');
  expect(await a.send('EXEC')).toBeNull();
  await a.pipeline([['WATCH', 'k'], ['MULTI'], ['SET', 'x', 'y']]);
  await b.send('FLUSHALL');
  expect([await field('multi'), await field('watch')]).toEqual(['0', '1']);
  expect(await a.send('EXEC')).toBeNull();
  await a.pipeline([['MULTI'], ['SET', 'x', 'y'], ['NOSUCHCOMMAND'], ['SET', 'x', 'y']]);
  expect(await field('multi')).toBe('0');
  await a.send('DISCARD');
});
