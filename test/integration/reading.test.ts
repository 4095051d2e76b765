/**
 * Sockets are reported once for what has arrived (native/core/net/reactor_receive.cc): whatever a read leaves behind, more
 * bytes or the peer's end, is read without another report.
 */
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { encodeCommand, type RespClient } from '../support/resp-client.js';

let server: RunningKvasir;
let admin: RespClient;

beforeAll(async () => {
  server = await startKvasir();
  admin = await server.connect();
});
afterAll(async () => {
  admin.close();
  await server.stop();
});

/** A connection of which all that it received is kept, and which does not answer the server's end with its own. */
function open(): { socket: Socket; received: () => string; closed: Promise<void> } {
  const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
  let received = '';
  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  const closed = new Promise<void>((resolve) => socket.once('end', () => resolve()));
  return { socket, received: () => received, closed };
}

test.each([
  ['a short request', 'PING\r\n', '+PONG\r\n'],
  ['the beginning of a request', 'PING\r\n*2\r\n$3\r\nGET', '+PONG\r\n'],
  ['more than one read takes', 'PING\r\n'.repeat(50_000), '+PONG\r\n'.repeat(50_000)],
  ['a long argument', encodeCommand(['ECHO', 'x'.repeat(500_000)]), `$500000\r\n${'x'.repeat(500_000)}\r\n`],
  ['nothing', '', ''],
])('%s and the end of the client arrive together', async (_, bytes, reply) => {
  const { socket, received, closed } = open();
  socket.end(bytes);
  await closed;
  socket.destroy();
  expect(received()).toBe(reply);
});

// The server stands still, so that all of it is there at its first look; the last read is not full.
test.each([40, 50, 63])('a pipeline of %i KB and the end of the client are there at once', async (size) => {
  const { socket, received, closed } = open();
  socket.write('PING\r\n');
  await expect.poll(received).toBe('+PONG\r\n');
  process.kill(server.pid, 'SIGSTOP');
  const count = Math.floor((size * 1024) / 6);
  await new Promise<void>((resolve) => socket.end('PING\r\n'.repeat(count), () => resolve()));
  process.kill(server.pid, 'SIGCONT');
  await closed;
  socket.destroy();
  expect(received()).toBe('+PONG\r\n'.repeat(count + 1));
});

// 32 KB is what one read takes, 1 KB the beginning of a request that is expected to be long.
test.each([1023, 1024, 1025, 32 * 1024 - 1, 32 * 1024, 32 * 1024 + 1, 64 * 1024])(
  'a pipeline of %i bytes and then nothing',
  async (size) => {
    const client = await server.connect();
    // Inline PINGs, the last with spaces in front, so that the sum is right.
    const count = Math.floor(size / 6) - 1;
    const last = ' '.repeat(size - count * 6 - 6);
    client.write(`${'PING\r\n'.repeat(count)}${last}PING\r\n`);
    for (let i = 0; i <= count; i++) expect(await client.readReply()).toBe('PONG');
    client.close();
  },
);

test('alike requests in one piece, with others behind them', async () => {
  const client = await server.connect();
  for (const size of [8 * 1024, 16 * 1024, 100_000]) {
    const set = encodeCommand(['SET', `alike:${size}`, 'v'.repeat(size)]);
    const piece = Buffer.concat([
      set,
      set,
      encodeCommand(['STRLEN', `alike:${size}`]),
      set,
      Buffer.from('PING\r\n'),
    ]);
    for (let round = 0; round < 5; round++) {
      // Some alone, so that the next one is guessed, then all at once.
      for (let i = 0; i < 3; i++)
        expect(await client.send('SET', `alike:${size}`, 'v'.repeat(size))).toBe('OK');
      client.write(piece);
      const replies = [];
      for (let i = 0; i < 5; i++) replies.push(await client.readReply());
      expect(replies).toEqual(['OK', 'OK', size, 'OK', 'PONG']);
    }
  }
  client.close();
});

test('what came while the client waited is read when it goes on', async () => {
  const client = await server.connect();
  client.write(encodeCommand(['BLPOP', 'queue', 0]));
  await expect.poll(async () => admin.send('INFO', 'clients')).toContain('blocked_clients:1\r\n');
  // Half of a request, so that the rest is read by itself; more than one read takes.
  client.write(`${'PING\r\n'.repeat(20_000)}*2\r\n$4\r\nECHO\r\n$3\r\nab`);
  expect(await admin.send('LPUSH', 'queue', 'element')).toBe(1);
  expect(await client.readReply()).toEqual(['queue', 'element']);
  for (let i = 0; i < 20_000; i++) expect(await client.readReply()).toBe('PONG');
  client.write('c\r\n');
  expect(await client.readReply()).toBe('abc');
  client.close();
});

test('a client that ends while it waits is gone', async () => {
  const { socket, closed } = open();
  socket.write(encodeCommand(['BLPOP', 'queue', 0]));
  await expect.poll(async () => admin.send('INFO', 'clients')).toContain('blocked_clients:1\r\n');
  socket.end();
  await closed;
  await expect.poll(async () => admin.send('INFO', 'clients')).toContain('blocked_clients:0\r\n');
  socket.destroy();
});

test('a pause ends for what came in the meantime', async () => {
  const client = await server.connect();
  expect(await admin.send('CLIENT', 'PAUSE', 200, 'ALL')).toBe('OK');
  client.write('PING\r\n'.repeat(10_000));
  for (let i = 0; i < 10_000; i++) expect(await client.readReply()).toBe('PONG');
  client.close();
});
