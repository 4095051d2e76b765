import { execFile, spawn } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findOrBuildOwnLoad, type OwnReport } from '../../bench/lib/load.js';

const execute = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
let load: string;
const cleanups: (() => void)[] = [];

beforeAll(() => {
  load = findOrBuildOwnLoad(root);
}, 120_000);
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

type Answer = (args: string[], store: Map<string, string>) => string;

const strings: Answer = ([name, key, value], store) => {
  if (name === 'PING') return '+PONG\r\n';
  if (name === 'SET') {
    store.set(key!, value!);
    return '+OK\r\n';
  }
  const found = store.get(key!);
  return found === undefined ? '$-1\r\n' : `$${found.length}\r\n${found}\r\n`;
};

/** A server for requests as kvasir-load sends them: arrays of bulks, and the inline PING of its greeting. */
async function fakeServer(answer: Answer): Promise<{ port: number; store: Map<string, string> }> {
  const store = new Map<string, string>();
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    let input = '';
    socket.on('error', () => socket.destroy());
    socket.setEncoding('latin1').on('data', (chunk) => {
      input += chunk;
      let out = '';
      while (input.length > 0) {
        const inline = /^PING\r\n/.exec(input);
        const count = Number(/^\*(\d+)\r\n/.exec(input)?.[1] ?? Number.NaN);
        const whole =
          inline ?? new RegExp(`^\\*\\d+\\r\\n(?:\\$\\d+\\r\\n([^\\r]*)\\r\\n){${count}}`).exec(input);
        if (!whole) break;
        const args = inline
          ? ['PING']
          : whole[0].split('\r\n').filter((_, i) => i >= 2 && i % 2 === 0 && i <= 2 * count);
        input = input.slice(whole[0].length);
        out += answer(args, store);
      }
      if (out) socket.write(out, 'latin1');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, store };
}

/** A server of channels that gives each message to the first `deliveries` of its subscribers only. */
async function broadcaster(deliveries: number): Promise<number> {
  const subscribers: Socket[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.setEncoding('latin1').on('data', (chunk) => {
      const text = String(chunk);
      if (text.startsWith('PING')) socket.write('+PONG\r\n');
      if (text.includes('SUBSCRIBE')) {
        subscribers.push(socket);
        socket.write('*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n');
      }
      const published = text.split('PUBLISH').length - 1;
      const message = '*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$5\r\nhello\r\n';
      for (const s of subscribers.slice(0, deliveries)) if (published > 0) s.write(message.repeat(published));
      socket.write(':4\r\n'.repeat(published));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function run(...args: (string | number)[]): Promise<OwnReport> {
  const { stdout } = await execute(load, args.map(String));
  return JSON.parse(stdout) as OwnReport;
}

describe('kvasir-load', () => {
  it('expands templates', async () => {
    const args = [
      '--print',
      '2',
      '--sequential',
      '--value-size',
      '3',
      '--',
      'SET',
      'k:__rand_int__',
      '<__data__>',
    ];
    const { stdout } = await execute(load, args);
    const value = /<(...)>/.exec(stdout)![1]!;
    const request = (n: number) => `*3\r\n$3\r\nSET\r\n$14\r\nk:00000000000${n}\r\n$5\r\n<${value}>\r\n`;
    expect(stdout).toBe(request(0) + request(1));
  });

  it('fills exactly the keys asked for', async () => {
    const { port, store } = await fakeServer(strings);
    const report = await run(
      '--port',
      port,
      '--fill',
      1003,
      '--clients',
      7,
      '--pipeline',
      16,
      '--value-size',
      10,
    );
    expect(report.requests).toBe(1003);
    expect(store.size).toBe(1003);
    expect([...store.keys()].sort().at(-1)).toBe('key:000000001002');
    expect(new Set([...store.values()].map((v) => v.length))).toEqual(new Set([10]));
  });

  it('counts misses and hits apart, with ordered percentiles and CPU times', async () => {
    const { port } = await fakeServer(strings);
    await run('--port', port, '--fill', 50);
    const hits = [
      '--port',
      port,
      '--requests',
      500,
      '--clients',
      3,
      '--pipeline',
      4,
      '--server-pid',
      process.pid,
    ];
    const report = await run(...hits, '--keyspace', 50);
    expect([report.errors, report.nulls, report.unanswered]).toEqual([0, 0, 0]);
    expect(report.requests).toBe(500);
    expect(report.latencyUs.count).toBe(500);
    const { p50, p90, p99, p999, max } = report.latencyUs;
    expect([p50, p90, p99, p999, max]).toEqual([p50, p90, p99, p999, max].sort((a, b) => a - b));
    expect(p50).toBeGreaterThan(0);
    expect(report.loadCpuUs).toBeGreaterThan(0);
    expect(report.serverCpuUs).toBeGreaterThan(0);
    const misses = await run('--port', port, '--requests', 100, '--keyspace', 1_000_000, '--seed', 9);
    expect(misses.nulls).toBeGreaterThan(90);
  });

  it('reports error replies', async () => {
    const { port } = await fakeServer(([name]) => (name === 'PING' ? '+PONG\r\n' : '-OOM "no"\r\n'));
    const report = await run('--port', port, '--requests', 20, '--mix', 'set');
    expect(report.errors).toBe(20);
    expect(report.firstError).toBe('OOM "no"');
  });

  it('keeps to the timetable of an open loop and charges it for a stall', async () => {
    let seen = 0;
    let held: string[] | null = null;
    const { port } = await fakeServer((args, store) => {
      if (args[0] !== 'PING' && ++seen === 100) {
        // Blocks this process for 200 ms: every request due meanwhile is late by what remains of them.
        held = args;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
      }
      return strings(args, store);
    });
    const report = await run('--port', port, '--rate', 1000, '--seconds', 1, '--clients', 4);
    expect(held).not.toBeNull();
    expect(report.unanswered).toBe(0);
    expect(report.latencyUs.count).toBe(1000);
    expect(report.latencyUs.max).toBeGreaterThan(190_000);
    // 200 of 1,000 requests fell into the stall; a closed loop would have seen four.
    expect(report.latencyUs.p90).toBeGreaterThan(50_000);
  });

  it('counts a sequence of commands as one request', async () => {
    const { port, store } = await fakeServer(strings);
    const base = ['--port', port, '--clients', 3, '--pipeline', 4, '--requests', 100, '--keyspace', 10];
    const report = await run(
      ...base,
      '--',
      'SET',
      'k:__client__',
      'v',
      ';',
      'GET',
      'k:__client__',
      ';',
      'GET',
      'none',
    );
    expect([report.requests, report.errors, report.nulls, report.unanswered]).toEqual([100, 0, 100, 0]);
    expect(report.latencyUs.count).toBe(100);
    expect(report.bytesIn).toBe(100 * '+OK\r\n$1\r\nv\r\n$-1\r\n'.length);
    expect([...store.keys()].sort()).toEqual(['k:000000000000', 'k:000000000001', 'k:000000000002']);
    await expect(run(...base, '--', 'GET', 'k', ';')).rejects.toThrow('an empty command');
    await expect(run(...base, '--', 'GET', '__rand:9-1__')).rejects.toThrow('bad placeholder');
  });

  it('reads what its subscribers get, and misses what they do not', async () => {
    const publish = async (deliveries: number) => {
      const port = await broadcaster(deliveries);
      const base = ['--port', port, '--clients', 2, '--pipeline', 1, '--requests', 50, '--drain', 0.2];
      return run(...base, '--subscribers', 4, '--channel', 'c', '--', 'PUBLISH', 'c', 'hello');
    };
    const report = await publish(4);
    expect([report.requests, report.messages]).toEqual([50, 200]);
    await expect(publish(3)).rejects.toThrow('messages did not reach the subscribers');
  });

  it('asks its probe all through the run', async () => {
    const { port } = await fakeServer((args, store) =>
      args[0] === 'HLEN' ? ':21\r\n' : strings(args, store),
    );
    const before = Date.now() * 1000;
    const report = await run(
      '--port',
      port,
      '--seconds',
      0.3,
      '--mix',
      'set',
      '--probe',
      'HLEN a ; HLEN b',
      '--probe-ms',
      20,
    );
    const probes = report.probes!;
    expect(probes.length).toBeGreaterThan(5);
    for (const [sent, answered, sum] of probes) {
      expect(sent).toBeGreaterThanOrEqual(before);
      expect(answered).toBeGreaterThanOrEqual(sent);
      expect(sum).toBe(42);
    }
    await expect(run('--port', port, '--seconds', 0.2, '--mix', 'set', '--probe', 'GET a')).rejects.toThrow(
      'not answered with an integer',
    );
  });

  it('gives up on a server that closes or does not speak RESP', async () => {
    const { port } = await fakeServer(([name]) => (name === 'PING' ? '+PONG\r\n' : 'HTTP/1.1 400\r\n'));
    await expect(run('--port', port, '--requests', 5)).rejects.toThrow('not RESP2');
    await expect(run('--socket', '/nonexistent/socket')).rejects.toThrow('connect');
    await expect(run('--mix', 'nothing')).rejects.toThrow('bad value for --mix');
  });

  it('loads a real server over a Unix socket', async (context) => {
    const peer = join(
      process.env.VALKEY_PEER ?? join(homedir(), '.cache', 'valkey-peer'),
      'bin',
      'valkey-server',
    );
    const available = await execute(peer, ['--version']).catch(() => null);
    if (!available) return context.skip();
    const socket = join('/tmp', `kvasir-load-${process.pid}.sock`);
    const args = ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no'];
    const child = spawn(peer, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    cleanups.push(() => child.kill('SIGKILL'));
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => reject(new Error('the server ended')));
      let log = '';
      child.stdout.on('data', (chunk) => {
        log += chunk;
        if (log.includes('Ready to accept connections') || log.includes('ready to accept connections'))
          resolve();
      });
    });
    const fill = await run('--socket', socket, '--fill', 2000, '--pipeline', 32, '--value-size', 10_000);
    expect([fill.requests, fill.errors]).toEqual([2000, 0]);
    const mixed = ['--socket', socket, '--keyspace', 2000, '--requests', 4000, '--value-size', 10_000];
    const report = await run(...mixed, '--mix', 'mixed:80/20', '--pipeline', 8);
    expect([report.requests, report.errors, report.nulls]).toEqual([4000, 0, 0]);
    expect(report.bytesIn).toBe(3200 * (10_000 + '$10000\r\n\r\n'.length) + 800 * '+OK\r\n'.length);
    const wrong = await run(
      '--socket',
      socket,
      '--requests',
      10,
      '--keyspace',
      2000,
      '--',
      'INCR',
      'key:__rand_int__',
    );
    expect(wrong.firstError).toContain('not an integer');
  });
});
