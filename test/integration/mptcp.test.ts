/**
 * Multipath TCP between two network namespaces that two links join. It needs root, iproute2 and a kernel with MPTCP;
 * the client is a few lines of Python, since Node cannot open an MPTCP socket.
 */

import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';

const SERVER = `kvasir-${process.pid}-s`;
const CLIENT = `kvasir-${process.pid}-c`;

/** Counts up in an endless loop of single requests, and prints every reply. */
const CLIENT_PROGRAM = `
import socket, sys
IPPROTO_MPTCP = 262
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
s.settimeout(20)
s.connect((sys.argv[1], int(sys.argv[2])))
replies = s.makefile('rb')
while True:
    s.sendall(b'*2\\r\\n$4\\r\\nINCR\\r\\n$1\\r\\nn\\r\\n')
    line = replies.readline()
    if not line: sys.exit('connection closed')
    print(line.decode().strip(), flush=True)
`;

function ip(...args: string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
}

function inside(namespace: string, ...command: string[]): string {
  const { status, stdout, stderr } = spawnSync('ip', ['netns', 'exec', namespace, ...command], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${command.join(' ')} in ${namespace}: ${stderr}`);
  return stdout;
}

/** A counter of the group MPTcpExt in a namespace. */
function counter(namespace: string, name: string): number {
  const [names, values] = inside(namespace, 'cat', '/proc/net/netstat')
    .split('\n')
    .filter((line) => line.startsWith('MPTcpExt:'))
    .map((line) => line.split(' '));
  return Number(values![names!.indexOf(name)]);
}

/** Why these tests cannot run here; '' when they can. */
function obstacle(): string {
  if (process.getuid?.() !== 0) return 'not root';
  const probe = `kvasir-${process.pid}-p`;
  if (spawnSync('ip', ['netns', 'add', probe]).status !== 0) return 'no ip netns';
  try {
    if (spawnSync('python3', ['--version']).status !== 0) return 'no python3';
    ip('-n', probe, 'link', 'add', 'name', 'v0', 'type', 'veth', 'peer', 'name', 'v1');
    if (inside(probe, 'cat', '/proc/sys/net/mptcp/enabled').trim() !== '1')
      return 'net.mptcp.enabled is not 1';
    inside(probe, 'ip', 'mptcp', 'endpoint', 'show');
    return '';
  } catch (error) {
    return String(error);
  } finally {
    spawnSync('ip', ['netns', 'del', probe]);
  }
}

const reason = obstacle();
if (reason !== '') console.log(`Multipath TCP is not tested: ${reason}`);

describe.skipIf(reason !== '')('Multipath TCP', { timeout: 60_000 }, () => {
  let server: RunningKvasir | undefined;

  beforeEach(() => {
    for (const namespace of [SERVER, CLIENT]) {
      ip('netns', 'add', namespace);
      ip('-n', namespace, 'link', 'set', 'lo', 'up');
    }
  });

  afterEach(async () => {
    await server?.kill();
    server = undefined;
    for (const namespace of [SERVER, CLIENT]) ip('netns', 'del', namespace);
  });

  function joinWithTwoLinks(): void {
    for (const link of [0, 1]) {
      ip('link', 'add', `s${link}`, 'netns', SERVER, 'type', 'veth', 'peer', `c${link}`, 'netns', CLIENT);
      ip('-n', SERVER, 'address', 'add', `10.77.${link}.1/24`, 'dev', `s${link}`);
      ip('-n', CLIENT, 'address', 'add', `10.77.${link}.2/24`, 'dev', `c${link}`);
      ip('-n', SERVER, 'link', 'set', `s${link}`, 'up');
      ip('-n', CLIENT, 'link', 'set', `c${link}`, 'up');
    }
    for (const namespace of [SERVER, CLIENT]) {
      ip('-n', namespace, 'mptcp', 'limits', 'set', 'subflow', '2', 'add_addr_accepted', '2');
    }
    ip('-n', CLIENT, 'mptcp', 'endpoint', 'add', '10.77.1.2', 'dev', 'c1', 'subflow');
    ip('-n', SERVER, 'mptcp', 'endpoint', 'add', '10.77.1.1', 'dev', 's1', 'signal');
  }

  test('a second subflow joins, and cutting a link loses no request', async () => {
    joinWithTwoLinks();
    const options = ['--mptcp', 'yes', '--bind', '0.0.0.0', '--protected-mode', 'no'];
    server = await startKvasir(options, { unix: true, wrapper: ['ip', 'netns', 'exec', SERVER] });
    const { port } = server;
    const client = spawn('ip', [
      ...['netns', 'exec', CLIENT, 'python3', '-c', CLIENT_PROGRAM],
      ...['10.77.0.1', `${port}`],
    ]);
    try {
      let errors = '';
      client.stderr.on('data', (chunk) => {
        errors += chunk;
      });
      let count = 0;
      let joined = 0;
      let joinedAt = 0;
      let cutAt = 0;
      for await (const line of createInterface({ input: client.stdout })) {
        // Exactly one more each time: no request lost, none run twice.
        expect(line).toBe(`:${++count}`);
        if (joined === 0 && count % 20 === 0) {
          joined = counter(SERVER, 'MPJoinAckRx');
          joinedAt = count;
        }
        if (joined > 0 && cutAt === 0 && count === joinedAt + 200) {
          ip('-n', SERVER, 'link', 'set', 's0', 'down');
          cutAt = count;
        }
        if (cutAt > 0 && count === cutAt + 5000) break;
      }
      expect(errors).toBe('');
      expect(joined).toBeGreaterThanOrEqual(1);
      expect(count).toBe(cutAt + 5000);
      const control = await server.connect({ path: server.path });
      expect(Number(await control.send('GET', 'n'))).toBeGreaterThanOrEqual(count);
      control.close();
    } finally {
      client.kill('SIGKILL');
    }
    await server.stop();
  });

  test('plain TCP clients are served by the same socket', async () => {
    server = await startKvasir(['--mptcp', 'yes'], { wrapper: ['ip', 'netns', 'exec', SERVER] });
    expect(ping(SERVER, server.port)).toBe('+PONG\r\n');
    expect(server.log).not.toContain('Multipath');
    await server.stop();
  });

  test('a kernel without it gets a warning and plain TCP', async () => {
    inside(SERVER, 'sh', '-c', 'echo 0 > /proc/sys/net/mptcp/enabled');
    server = await startKvasir(['--mptcp', 'yes'], { wrapper: ['ip', 'netns', 'exec', SERVER] });
    await server.logged(/# WARNING: mptcp is enabled, but this kernel has no Multipath TCP/);
    expect(ping(SERVER, server.port)).toBe('+PONG\r\n');
    await server.stop();
  });
});

/** What a plain TCP client inside the namespace gets for PING. */
function ping(namespace: string, port: number): string {
  const program =
    `const s = require('net').connect(${port}, '127.0.0.1', () => s.write('PING\\r\\n'));` +
    's.on("data", (d) => { process.stdout.write(d); s.destroy(); })';
  return inside(namespace, process.execPath, '-e', program);
}
