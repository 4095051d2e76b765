/** SUBSCRIBE and PUBLISH in all their kinds, and keyspace notifications. */

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { type RespClient, RespError } from '../support/resp-client.js';

let server: RunningKvasir;
let publisher: RespClient;
let subscriber: RespClient;

beforeAll(async () => {
  server = await startKvasir();
});
afterAll(() => server.stop());
beforeEach(async () => {
  publisher = await server.connect();
  subscriber = await server.connect();
  await publisher.send('FLUSHALL');
  return () => {
    publisher.close();
    subscriber.close();
  };
});

const info = async (client: RespClient) => (await client.raw('CLIENT', 'INFO')).toString();

test('a subscriber with RESP2 gets arrays, and may do little else', async () => {
  expect(await subscriber.send('SUBSCRIBE', 'news', 'sport')).toEqual(['subscribe', 'news', 1]);
  expect(await subscriber.readReply()).toEqual(['subscribe', 'sport', 2]);
  expect(await publisher.send('PUBLISH', 'news', 'hello')).toBe(1);
  expect(await subscriber.readReply()).toEqual(['message', 'news', 'hello']);
  expect(await subscriber.send('GET', 'key')).toEqual(
    new RespError(
      "ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
    ),
  );
  expect(await subscriber.send('PING')).toEqual(['pong', '']);
  expect(await subscriber.send('PING', 'there')).toEqual(['pong', 'there']);
  expect(await subscriber.send('UNSUBSCRIBE', 'news')).toEqual(['unsubscribe', 'news', 1]);
  expect(await subscriber.send('UNSUBSCRIBE')).toEqual(['unsubscribe', 'sport', 0]);
  expect(await subscriber.send('UNSUBSCRIBE')).toEqual(['unsubscribe', null, 0]);
  expect(await subscriber.send('PING')).toBe('PONG');
});

test('with RESP3 messages are pushes and all commands may be sent', async () => {
  await subscriber.send('HELLO', '3');
  subscriber.write('SUBSCRIBE news\r\nPSUBSCRIBE n* *s\r\nSSUBSCRIBE shard\r\n');
  expect(await subscriber.readPush()).toEqual(['subscribe', 'news', 1]);
  expect(await subscriber.readPush()).toEqual(['psubscribe', 'n*', 2]);
  expect(await subscriber.readPush()).toEqual(['psubscribe', '*s', 3]);
  expect(await subscriber.readPush()).toEqual(['ssubscribe', 'shard', 1]);
  expect(await publisher.send('PUBLISH', 'news', 'x')).toBe(3);
  expect(await subscriber.readPush()).toEqual(['message', 'news', 'x']);
  const patterns = [await subscriber.readPush(), await subscriber.readPush()];
  expect(patterns).toContainEqual(['pmessage', 'n*', 'news', 'x']);
  expect(patterns).toContainEqual(['pmessage', '*s', 'news', 'x']);
  expect(await publisher.send('SPUBLISH', 'shard', 'y')).toBe(1);
  expect(await subscriber.readPush()).toEqual(['smessage', 'shard', 'y']);
  expect(await publisher.send('PUBLISH', 'shard', 'y')).toBe(0);
  expect(await info(subscriber)).toMatch(/flags=P .* sub=1 psub=2 ssub=1 /);
  expect(await publisher.send('PUBSUB', 'CHANNELS')).toEqual(['news']);
  expect(await publisher.send('PUBSUB', 'CHANNELS', 'x*')).toEqual([]);
  expect(await publisher.send('PUBSUB', 'SHARDCHANNELS')).toEqual(['shard']);
  expect(await publisher.send('PUBSUB', 'NUMSUB', 'news', 'other')).toEqual(['news', 1, 'other', 0]);
  expect(await publisher.send('PUBSUB', 'SHARDNUMSUB', 'shard')).toEqual(['shard', 1]);
  expect(await publisher.send('PUBSUB', 'NUMPAT')).toBe(2);
});

test('RESET and going away end all subscriptions', async () => {
  await subscriber.send('SUBSCRIBE', 'a');
  await subscriber.send('PSUBSCRIBE', 'a*');
  expect(await subscriber.send('RESET')).toBe('RESET');
  expect(await publisher.send('PUBLISH', 'a', '1')).toBe(0);
  expect(await info(subscriber)).toMatch(/flags=N .* sub=0 psub=0 ssub=0 /);
  await subscriber.send('SUBSCRIBE', 'a');
  expect(await subscriber.send('QUIT')).toBe('OK');
  await subscriber.closed();
  expect(await publisher.send('PUBSUB', 'NUMSUB', 'a')).toEqual(['a', 0]);
});

test('what a client publishes to itself comes after the reply, of a whole transaction too', async () => {
  await publisher.send('HELLO', '3');
  publisher.write('SUBSCRIBE me\r\n');
  await publisher.readPush();
  const bytes = publisher.raw('PUBLISH', 'me', '1');
  expect((await bytes).toString()).toBe(':1\r\n');
  expect(await publisher.readPush()).toEqual(['message', 'me', '1']);
  const replies = await publisher.pipeline([
    ['MULTI'],
    ['PUBLISH', 'me', '2'],
    ['PING'],
    ['PUBLISH', 'me', '3'],
    ['EXEC'],
  ]);
  expect(replies[4]).toEqual([1, 'PONG', 1]);
  expect(await publisher.readPush()).toEqual(['message', 'me', '2']);
  expect(await publisher.readPush()).toEqual(['message', 'me', '3']);
});

test.each([10, 16384, 100_000, 3_000_000])('a message of %d bytes reaches many subscribers', async (size) => {
  const message = Buffer.alloc(size, 'x').toString();
  const many = await Promise.all(Array.from({ length: 20 }, () => server.connect()));
  await Promise.all(many.map((c, i) => (i % 2 === 0 ? c.send('HELLO', '3') : null)));
  await Promise.all(
    many.map((c, i) => {
      if (i % 2 !== 0) return c.send('SUBSCRIBE', 'big');
      c.write('SUBSCRIBE big\r\n');
      return c.readPush();
    }),
  );
  expect(await publisher.send('PUBLISH', 'big', message)).toBe(20);
  for (const [i, c] of many.entries()) {
    const [kind, channel, text] = (await (i % 2 === 0 ? c.readPush() : c.readReply())) as string[];
    expect([kind, channel]).toEqual(['message', 'big']);
    expect(text === message).toBe(true);
    c.close();
  }
});

test('messages in one turn keep their order', async () => {
  await subscriber.send('SUBSCRIBE', 'n');
  const count = 5000;
  const replies = await publisher.pipeline(
    Array.from({ length: count }, (_, i) => ['PUBLISH', 'n', `${i}`] as const),
  );
  expect(replies.every((r) => r === 1)).toBe(true);
  for (let i = 0; i < count; i++) expect(await subscriber.readReply()).toEqual(['message', 'n', `${i}`]);
});

test('a subscriber that does not read is closed at its class’s limit', async () => {
  await publisher.send('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 100000 0 0');
  subscriber.write('SUBSCRIBE slow\r\n');
  await subscriber.readReply();
  const message = Buffer.alloc(50_000, 'x');
  await publisher.send('MULTI');
  for (let i = 0; i < 20; i++) await publisher.send('PUBLISH', 'slow', message);
  const replies = (await publisher.send('EXEC')) as number[];
  expect(replies.filter((n) => n === 1).length).toBeGreaterThan(0);
  await subscriber.closed();
  expect(await publisher.send('PUBSUB', 'NUMSUB', 'slow')).toEqual(['slow', 0]);
  await publisher.send('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 33554432 8388608 60');
});

test('keyspace notifications tell key and event, in the classes that are on', async () => {
  await publisher.send('CONFIG', 'SET', 'notify-keyspace-events', 'KE$gx');
  await subscriber.send('PSUBSCRIBE', '__key*@0__:*');
  await publisher.send('SET', 'k', 'v', 'PX', '1');
  expect(await subscriber.readReply()).toEqual(['pmessage', '__key*@0__:*', '__keyspace@0__:k', 'set']);
  expect(await subscriber.readReply()).toEqual(['pmessage', '__key*@0__:*', '__keyevent@0__:set', 'k']);
  expect(await subscriber.readReply()).toEqual(['pmessage', '__key*@0__:*', '__keyspace@0__:k', 'expire']);
  expect(await subscriber.readReply()).toEqual(['pmessage', '__key*@0__:*', '__keyevent@0__:expire', 'k']);
  // By the cron, outside of any command.
  expect(await subscriber.readReply()).toEqual(['pmessage', '__key*@0__:*', '__keyspace@0__:k', 'expired']);
  expect(await subscriber.readReply()).toEqual(['pmessage', '__key*@0__:*', '__keyevent@0__:expired', 'k']);
  await publisher.send('CONFIG', 'SET', 'notify-keyspace-events', 'Kg');
  await publisher.pipeline([
    ['SET', 'a', '1'],
    ['RENAME', 'a', 'b'],
    ['DEL', 'b'],
  ]);
  const got = [];
  for (let i = 0; i < 3; i++) got.push(((await subscriber.readReply()) as string[]).slice(2));
  expect(got).toEqual([
    ['__keyspace@0__:a', 'rename_from'],
    ['__keyspace@0__:b', 'rename_to'],
    ['__keyspace@0__:b', 'del'],
  ]);
  await publisher.send('CONFIG', 'SET', 'notify-keyspace-events', '');
});
