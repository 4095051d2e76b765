/** Addresses: bind lists, IPv6, protected mode, keepalive. */

import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';

let server: RunningKvasir | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
const hasLoopback6 = addresses.some((a) => a.address === '::1');
/** An address of this machine by which it is a stranger to itself. */
const outside = addresses.find((a) => !a.internal && a.family === 'IPv4')?.address;

const refusal = (host: string) =>
  server!.connect({ host }).then(
    (client) => {
      client.close();
      return 'connected';
    },
    () => 'refused',
  );

describe('bind', () => {
  test('an address with a dash need not exist', async () => {
    server = await startKvasir(['--bind', '127.0.0.1 -198.51.100.77 -2001:db8::77']);
    const client = await server.connect();
    expect(await client.send('PING')).toBe('PONG');
    client.close();
  });

  test('an address without one must', async () => {
    await expect(startKvasir(['--bind', '127.0.0.1 198.51.100.77'])).rejects.toThrow(/198\.51\.100\.77/);
  });

  test.skipIf(!hasLoopback6)('IPv6 and IPv4 side by side', async () => {
    server = await startKvasir(['--bind', '127.0.0.1 ::1']);
    for (const [host, shown] of [
      ['127.0.0.1', '127\\.0\\.0\\.1:'],
      ['::1', '\\[::1\\]:'],
    ] as const) {
      const client = await server.connect({ host });
      expect(await client.send('CLIENT', 'INFO')).toMatch(
        new RegExp(` addr=${shown}\\d+ laddr=${shown}${server.port} `),
      );
      client.close();
    }
  });

  test.skipIf(!hasLoopback6)('CONFIG SET bind moves it, and keeps its clients', async () => {
    server = await startKvasir([]);
    const client = await server.connect();
    expect(await client.send('CONFIG', 'SET', 'bind', '::1')).toBe('OK');
    expect(await refusal('127.0.0.1')).toBe('refused');
    expect(await refusal('::1')).toBe('connected');
    expect(await client.send('PING')).toBe('PONG');
    client.close();
  });
});

describe.skipIf(outside === undefined)('protected mode', () => {
  test('strangers are refused with the reason, until there is a password or it is switched off', async () => {
    server = await startKvasir(['--bind', `127.0.0.1 ${outside}`]);
    const admin = await server.connect();
    const stranger = await server.connect({ host: outside! });
    // The refusal comes unasked and ends the connection.
    expect(await stranger.readReply()).toMatchObject({
      message: expect.stringMatching(/^DENIED Running in protected mode/),
    });
    await stranger.closed();
    expect(await admin.send('INFO', 'stats')).toMatch(/rejected_connections:1\r/);

    await admin.send('CONFIG', 'SET', 'protected-mode', 'no');
    const welcome = await server.connect({ host: outside! });
    expect(await welcome.send('PING')).toBe('PONG');
    welcome.close();

    await admin.send('CONFIG', 'SET', 'protected-mode', 'yes', 'requirepass', 'secret');
    const known = await server.connect({ host: outside! });
    expect(await known.send('AUTH', 'secret')).toBe('OK');
    known.close();
    admin.close();
  });
});

/** Column `tr tm->when` of a connection of the server: 02 is the keepalive timer, its end in hundredths of seconds. */
function timerOf(serverPort: number, clientPort: number): [kind: string, hundredths: number] {
  const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0');
  for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n')) {
    const [, local, remote, , , timer] = line.trim().split(/\s+/);
    if (local?.endsWith(`:${hex(serverPort)}`) && remote?.endsWith(`:${hex(clientPort)}`)) {
      const [kind, when] = timer!.split(':');
      return [kind!, Number.parseInt(when!, 16)];
    }
  }
  throw new Error('no such connection');
}

describe('tcp-keepalive', () => {
  test.each([
    [100, '02'],
    [0, '00'],
  ])('%i seconds', async (seconds, kind) => {
    server = await startKvasir(['--tcp-keepalive', `${seconds}`]);
    const client = await server.connect();
    await client.send('PING');
    // Until the reply is acknowledged the retransmission timer is the one that shows.
    await expect.poll(() => timerOf(server!.port, client.socket.localPort!)[0], { interval: 10 }).toBe(kind);
    const [, hundredths] = timerOf(server.port, client.socket.localPort!);
    expect(hundredths).toBeLessThanOrEqual(seconds * 100);
    if (seconds > 0) expect(hundredths).toBeGreaterThan(seconds * 100 - 3000);
    client.close();
  });
});
