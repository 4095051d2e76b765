/** `import { createServer } from 'kvasir'`: a server inside a program. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createServer, type EmbeddedServer, type ServerConfig } from '../../src/index.js';
import { RespClient, RespError } from '../support/resp-client.js';

let directory: string;
const servers: EmbeddedServer[] = [];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kvasir-embedding-'));
});
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

function create(parameters?: ServerConfig): EmbeddedServer {
  const server = createServer(parameters);
  servers.push(server);
  return server;
}

test('listens on a port of the loopback interface that the system chooses', async () => {
  const server = create();
  expect(server.address).toBeUndefined();
  const address = await server.listen();
  expect(address).toEqual({ host: '127.0.0.1', port: expect.any(Number), path: '' });
  expect(address.port).toBeGreaterThan(0);
  expect(server.address).toEqual(address);
  const client = await RespClient.connect({ port: address.port });
  expect(await client.send('SET', 'k', 'v')).toBe('OK');
  expect(await client.send('GET', 'k')).toBe('v');
  await server.close();
  await client.closed();
  expect(server.address).toBeUndefined();
  await expect(RespClient.connect({ port: address.port })).rejects.toThrow('ECONNREFUSED');
});

test('listens on a Unix socket alone, or beside a port', async () => {
  const path = join(directory, 'alone.sock');
  const server = create({ unixsocketperm: 700 });
  expect(await server.listen({ path })).toEqual({ host: '127.0.0.1', port: 0, path });
  expect(statSync(path).mode & 0o777).toBe(0o700);
  const client = await RespClient.connect({ path });
  expect(await client.send('PING')).toBe('PONG');
  client.close();
  await server.close();
  expect(existsSync(path)).toBe(false);

  // What one listen() asked for is forgotten by the next.
  const { port } = await server.listen({ port: 0 });
  expect(existsSync(path)).toBe(false);
  await server.close();
  await server.listen({ port, path });
  for (const target of [{ port }, { path }]) {
    const other = await RespClient.connect(target);
    expect(await other.send('PING')).toBe('PONG');
    other.close();
  }
});

test('two servers in one program share nothing', async () => {
  const [a, b] = [create({ databases: 4 }), create()];
  const first = await RespClient.connect({ port: (await a.listen()).port });
  const second = await RespClient.connect({ port: (await b.listen()).port });
  await first.send('SET', 'k', 'first');
  expect(await second.send('GET', 'k')).toBeNull();
  expect(await first.send('SELECT', '5')).toBeInstanceOf(RespError);
  expect(await second.send('SELECT', '5')).toBe('OK');
  await a.close();
  expect(await second.send('SET', 'k', 'second')).toBe('OK');
  second.close();
});

test('a server that listens again is empty and configured as at first', async () => {
  const server = create({ maxclients: 100 });
  const first = await RespClient.connect({ port: (await server.listen()).port });
  await first.send('SET', 'k', 'v');
  await first.send('CONFIG', 'SET', 'maxclients', '50');
  await server.close();
  const second = await RespClient.connect({ port: (await server.listen()).port });
  expect(await second.send('GET', 'k')).toBeNull();
  expect(await second.send('CONFIG', 'GET', 'maxclients')).toEqual(['maxclients', '100']);
  second.close();
});

test('SHUTDOWN ends the server, not the program', async () => {
  const server = create();
  const client = await RespClient.connect({ port: (await server.listen()).port });
  client.write('SHUTDOWN NOSAVE\r\n');
  await client.closed();
  await expect.poll(() => server.address).toBeUndefined();
  const again = await RespClient.connect({ port: (await server.listen()).port });
  expect(await again.send('PING')).toBe('PONG');
  again.close();
});

test('what cannot be is refused', async () => {
  expect(() => createServer({ 'no-such-parameter': 1 })).toThrow(TypeError);
  expect(() => createServer({ 'no-such-parameter': 1 })).toThrow("'no-such-parameter'");
  expect(() => createServer({ maxclients: 'many' })).toThrow(/^maxclients: /);
  expect(() => createServer({ 'maxmemory-policy': 'none-such' })).toThrow(/^maxmemory-policy: /);
  const server = create();
  await expect(server.listen({ port: 70_000 })).rejects.toThrow();
  await expect(server.listen({ port: -1 })).rejects.toThrow();
  await expect(server.listen({ host: '192.0.2.1' })).rejects.toThrow();
  await expect(server.listen({ path: join(directory, 'no/such/directory.sock') })).rejects.toThrow();
  expect(server.address).toBeUndefined();
  const { port } = await server.listen();
  await expect(server.listen()).rejects.toThrow('listening already');
  const other = create();
  await expect(other.listen({ port })).rejects.toThrow(`${port}`);
  // A failed attempt leaves nothing behind.
  expect((await other.listen()).port).not.toBe(port);
});

test('close() may come at any time, more than once', async () => {
  const server = create();
  await server.close();
  await server.listen();
  await Promise.all([server.close(), server.close()]);
  await server.listen();
});

test('two hundred starts and stops leave no descriptor, no handle and no memory', { timeout: 60_000 }, () => {
  const program = fileURLToPath(new URL('../support/start-stop.mjs', import.meta.url));
  const result = spawnSync(process.execPath, ['--expose-gc', program, '100'], {
    encoding: 'utf8',
    timeout: 50_000,
  });
  expect(result.stderr).toBe('');
  expect(result.status).toBe(0);
  const { before, after } = JSON.parse(result.stdout);
  expect(after.descriptors).toBe(before.descriptors);
  expect(after.handles).toBe(before.handles);
  // V8's come and go; a server's would be there two hundred times.
  expect(after.timers - before.timers).toBeLessThan(10);
  // 200 servers at 100 KB each would be 20 MB.
  expect(after.rss - before.rss).toBeLessThan(16 * 1024 * 1024);
});
