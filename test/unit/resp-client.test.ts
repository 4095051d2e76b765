import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  encodeCommand,
  parseReply,
  RespClient,
  RespError,
  SimpleString,
  VerbatimString,
} from '../support/resp-client.js';

let server: Server;
let client: RespClient;
let peer: Socket;

beforeEach(async () => {
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const { port } = server.address() as { port: number };
  client = await RespClient.connect({ port, timeoutMs: 200 });
  peer = await accepted;
});

afterEach(() => {
  client.close();
  peer.destroy();
  server.close();
});

const parse = (text: string) => parseReply(Buffer.from(text, 'latin1'));

test.each([
  ['+OK\r\n', 'OK'],
  ['-ERR no\r\n', new RespError('ERR no')],
  ['!6\r\nERR no\r\n', new RespError('ERR no')],
  [':-12\r\n', -12],
  [':9223372036854775807\r\n', 9223372036854775807n],
  ['(12345678901234567890\r\n', 12345678901234567890n],
  ['$3\r\na\r\n\r\n', 'a\r\n'],
  ['$-1\r\n', null],
  ['*-1\r\n', null],
  ['_\r\n', null],
  ['#t\r\n', true],
  [',-inf\r\n', -Infinity],
  [',1.5\r\n', 1.5],
  ['=6\r\ntxt:hi\r\n', new VerbatimString('txt', 'hi')],
  ['*2\r\n*0\r\n%1\r\n+k\r\n~1\r\n:1\r\n', [[], new Map([['k', new Set([1])]])]],
  ['|1\r\n+a\r\n:1\r\n*1\r\n+x\r\n', ['x']],
])('parses %j', (text, value) => {
  expect(parse(text)).toEqual(value);
});

test.each(['+OK\r\n+', '+OK', '#x\r\n', '?\r\n', '$3\r\nabcde\r\n'])('refuses %j', (text) => {
  expect(() => parse(text)).toThrow();
});

test('tells simple from bulk strings if asked to', () => {
  expect(parseReply(Buffer.from('+OK\r\n'), { statuses: true })).toEqual(new SimpleString('OK'));
});

test('sends commands as arrays of bulk strings', () => {
  expect(encodeCommand(['SET', 1, Buffer.from([0, 255]), '']).toString('latin1')).toBe(
    '*4\r\n$3\r\nSET\r\n$1\r\n1\r\n$2\r\n\0\xff\r\n$0\r\n\r\n',
  );
});

test('puts replies together from any pieces and splits pipelines', async () => {
  const text = '|1\r\n+a\r\n:1\r\n%1\r\n$3\r\n\r\n-\r\n*2\r\n_\r\n$-1\r\n+next\r\n>2\r\n+m\r\n:1\r\n*-1\r\n';
  const all = client.pipeline([['A'], ['B'], ['C']]);
  for (const byte of text) {
    peer.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await all).toEqual([new Map([['\r\n-', [null, null]]]), 'next', null]);
  expect(client.pendingPushes).toBe(1);
  expect(await client.readPush()).toEqual(['m', 1]);
});

test('keeps growing buffers in order', async () => {
  const big = 'x'.repeat(300_000);
  const replies = Promise.all([client.raw('A'), client.send('B'), client.send('C')]);
  peer.write(`$300000\r\n${big}\r\n:1\r\n$300000\r\n${big}\r\n`);
  const [raw, one, again] = await replies;
  expect(raw.length).toBe(300_000 + 11);
  expect(one).toBe(1);
  expect(again).toBe(big);
});

test('what nobody asked for can be read later', async () => {
  peer.write('+a\r\n+b\r\n');
  expect(await client.readReply()).toBe('a');
  expect((await client.readRaw()).toString()).toBe('+b\r\n');
  expect(client.pendingReplies).toBe(0);
});

test('a reply that does not come is an error, and the connection ends', async () => {
  await expect(client.send('PING')).rejects.toThrow('no reply in 200 ms');
  await client.closed();
  await expect(client.send('PING')).rejects.toThrow();
});

test('closing by the server rejects who waits, after what had arrived', async () => {
  const first = client.send('A');
  const second = client.send('B');
  peer.end('+a\r\n');
  expect(await first).toBe('a');
  await expect(second).rejects.toThrow('connection closed');
  await client.closed();
});

test('a broken reply is an error', async () => {
  const reply = client.send('A');
  peer.write('hello\r\n');
  await expect(reply).rejects.toThrow('bad type');
});

test('connecting to nobody is an error', async () => {
  const { port } = server.address() as { port: number };
  server.close();
  peer.destroy();
  await expect(RespClient.connect({ port: port === 1 ? 2 : 1 })).rejects.toThrow();
});
