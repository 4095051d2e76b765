/** bin/kvasir-server as an operator meets it: command line, configuration, signals, files, supervision. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort, KVASIR_SERVER, type RunningKvasir, runKvasir, startKvasir } from '../support/kvasir.js';
import { RespClient } from '../support/resp-client.js';

let directory: string;
let server: RunningKvasir | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kvasir-program-'));
});
afterEach(async () => {
  await server?.kill();
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

async function config(client: RespClient, name: string): Promise<unknown> {
  return ((await client.send('CONFIG', 'GET', name)) as unknown[])[1];
}

describe('command line', () => {
  test('--version and --help say what they say and end', async () => {
    for (const flag of ['--version', '-v']) {
      const { code, stdout, stderr } = await runKvasir([flag]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/9\.1\.2 .*bits=64/);
    }
    for (const flag of ['--help', '-h']) {
      const { code, stdout } = await runKvasir([flag]);
      expect(code).toBe(0);
      expect(stdout).toContain('Usage: kvasir-server [/path/to/valkey.conf] [options] [-]');
    }
  });

  test('file, standard input and options: the last mention wins', async () => {
    const port = await freePort();
    const conf = file(
      'kvasir.conf',
      `port ${port}\nbind 127.0.0.1\nmaxclients 11\ntimeout 22\nhz 33\nsave ""\n`,
    );
    const child = spawn(process.execPath, [KVASIR_SERVER, conf, '--hz', '44', '-'], {
      cwd: directory,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      child.stdin.end('timeout 55\nhz 66\n');
      let log = '';
      await new Promise<void>((resolve) => {
        child.stdout.on('data', (chunk) => {
          log += chunk;
          if (log.includes('Ready to accept')) resolve();
        });
      });
      const client = await RespClient.connect({ port });
      const got = [];
      for (const name of ['maxclients', 'timeout', 'hz']) got.push(await config(client, name));
      expect(got).toEqual(['11', '55', '44']);
      expect((await client.send('INFO', 'server')) as string).toContain(`config_file:${conf}`);
      client.close();
    } finally {
      child.kill('SIGTERM');
      const [code] = await once(child, 'exit');
      expect(code).toBe(0);
    }
  });

  test('a line that cannot be is named with its file, number and reason', async () => {
    const conf = file('bad.conf', 'port 0\n\n# a comment\nmaxclients many\n');
    const { code, stderr } = await runKvasir([conf]);
    expect(code).toBe(1);
    expect(stderr).toContain('*** FATAL CONFIG FILE ERROR');
    expect(stderr).toContain('Reading the configuration file, at line 4');
    expect(stderr).toContain(">>> 'maxclients many'");
    expect(stderr).toContain("argument couldn't be parsed into an integer");
  });

  test.each([
    ['a parameter that does not exist', ['--no-such-parameter', 'x'], 'Bad directive'],
    ['a value that is missing', ['--maxclients'], 'FATAL CONFIG FILE ERROR'],
    ['a file that does not exist', ['/no/such/file.conf'], "can't open config file '/no/such/file.conf'"],
  ])('%s ends the start with 1', async (_name, args, reason) => {
    const { code, stdout, stderr } = await runKvasir(args);
    expect(code).toBe(1);
    expect(stdout + stderr).toContain(reason);
  });

  test('a port that is taken ends the start with 1', async () => {
    server = await startKvasir();
    const { code, stdout } = await runKvasir([
      '--port',
      `${server.port}`,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
    ]);
    expect(code).toBe(1);
    expect(stdout).toContain(`Failed listening on port ${server.port}`);
  });
});

describe('signals and files', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it with 0', async (signal) => {
    const pidfile = join(directory, 'kvasir.pid');
    server = await startKvasir(['--pidfile', pidfile]);
    expect(readFileSync(pidfile, 'utf8')).toBe(`${server.pid}\n`);
    await server.stop(signal);
    expect(existsSync(pidfile)).toBe(false);
    expect(server.log).toContain(`Received ${signal} scheduling shutdown...`);
    expect(server.log).toContain('ready to exit, bye bye...');
  });

  test('a signal right after the line of readiness is not too early', { timeout: 30_000 }, async () => {
    for (let i = 0; i < 5; i++) await (await startKvasir()).stop('SIGINT');
  });

  test('SIGHUP and SIGUSR1 leave it running', async () => {
    server = await startKvasir();
    const client = await server.connect();
    process.kill(server.pid, 'SIGHUP');
    process.kill(server.pid, 'SIGUSR1');
    expect(await client.send('PING')).toBe('PONG');
    expect(server.log).not.toContain('Debugger listening');
    client.close();
    await server.stop();
  });

  test('server-cpulist pins the main thread, bio-cpulist the background thread', async () => {
    const allowed = (thread: string) => {
      const status = readFileSync(`/proc/${server.pid}/task/${thread}/status`, 'latin1');
      return /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)![1];
    };
    const server = await startKvasir(['--server-cpulist', '0', '--bio-cpulist', '0']);
    expect(allowed(`${server.pid}`)).toBe('0');
    const background = () =>
      readdirSync(`/proc/${server.pid}/task`).find((id) =>
        readFileSync(`/proc/${server.pid}/task/${id}/comm`, 'latin1').startsWith('kvasir-bg'),
      );
    await expect.poll(background).toBeDefined();
    await expect.poll(() => allowed(background()!)).toBe('0');
    await server.stop();
  });

  test('the title shows what proc-title-template asks for, now and later', async () => {
    server = await startKvasir();
    const client = await server.connect();
    const title = () => readFileSync(`/proc/${server!.pid}/cmdline`, 'latin1').replace(/\0+$/, '');
    expect(title()).toBe(`${KVASIR_SERVER} 127.0.0.1:${server.port}`);
    const long = 'x'.repeat(300);
    expect(await client.send('CONFIG', 'SET', 'proc-title-template', `${long} {port} {title}`)).toBe('OK');
    expect(title()).toBe(`${long} ${server.port} ${KVASIR_SERVER}`);
    // What the environment said is still known.
    expect(await client.send('CONFIG', 'SET', 'proc-title-template', '{port}')).toBe('OK');
    expect(title()).toBe(String(server.port));
    client.close();
  });

  test('a signal that ends it is reported with the stack and who was served', async () => {
    const options = ['--enable-debug-command', 'yes', '--hide-user-data-from-log', 'no'];
    server = await startKvasir(options);
    const client = await server.connect();
    client.socket.on('error', () => {});
    client.write('DEBUG SEGFAULT\r\n');
    await client.closed();
    await server.logged(/BUG REPORT END/);
    expect(server.log).toMatch(/BUG REPORT START[\s\S]*crashed by signal: 11[\s\S]*Accessing address: 0x/);
    expect(server.log).toMatch(/STACK TRACE -[\s\S]*kvasir\.node[\s\S]*STACK TRACE DONE/);
    expect(server.log).toMatch(/CURRENT CLIENT INFO[\s\S]*cmd=debug[\s\S]*argv\[1\]: 'SEGFAULT'/);
  });

  test('SIGALRM, and a watchdog that is not wound, show the stack and end nothing', async () => {
    server = await startKvasir(['--enable-debug-command', 'yes']);
    const client = await server.connect();
    process.kill(server.pid, 'SIGALRM');
    await server.logged(/Received SIGALRM[\s\S]*STACK TRACE DONE/);
    expect(await client.send('CONFIG', 'SET', 'watchdog-period', 200)).toBe('OK');
    await client.send('DEBUG', 'SLEEP', '0.5');
    await server.logged(/WATCHDOG TIMER EXPIRED[\s\S]*STACK TRACE DONE/);
    expect(await client.send('CONFIG', 'SET', 'watchdog-period', 0)).toBe('OK');
    expect(await client.send('PING')).toBe('PONG');
    client.close();
  });

  test('a Unix socket with its permissions, and no port', async () => {
    server = await startKvasir(['--unixsocketperm', '750'], { unix: true, port: 0 });
    expect(statSync(server.path).mode & 0o777).toBe(0o750);
    expect(server.log).not.toContain('Ready to accept connections tcp');
    const client = await server.connect();
    expect(await client.send('PING')).toBe('PONG');
    expect(await config(client, 'port')).toBe('0');
    client.close();
    const { path } = server;
    await server.stop();
    expect(existsSync(path)).toBe(false);
  });

  test('daemonize: back at once, serving, and gone after SIGTERM', async () => {
    const port = await freePort();
    const pidfile = join(directory, 'daemon.pid');
    const logfile = join(directory, 'daemon.log');
    const { code, stdout } = await runKvasir([
      ...['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', directory],
      ...['--daemonize', 'yes', '--pidfile', pidfile, '--logfile', logfile],
    ]);
    expect(code).toBe(0);
    expect(stdout).not.toContain('Ready');
    const pid = Number(readFileSync(pidfile, 'utf8'));
    try {
      const client = await RespClient.connect({ port });
      expect((await client.send('INFO', 'server')) as string).toContain(`process_id:${pid}\r\n`);
      process.kill(pid, 'SIGTERM');
      await client.closed();
      // The parent of a daemon is somebody else: its end shows in its pid file, the last thing but the exit.
      await expect.poll(() => existsSync(pidfile), { timeout: 5000 }).toBe(false);
      expect(readFileSync(logfile, 'utf8')).toContain('bye bye');
    } finally {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended, as it should.
      }
    }
  });

  test('daemonize tells of a start that fails', async () => {
    server = await startKvasir();
    const args = ['--port', `${server.port}`, '--bind', '127.0.0.1', '--save', '', '--daemonize', 'yes'];
    expect((await runKvasir([...args, '--pidfile', join(directory, 'x.pid')], { cwd: directory })).code).toBe(
      1,
    );
  });
});

describe('log', () => {
  test('legacy lines have pid, role, time and level', async () => {
    server = await startKvasir();
    await server.logged(
      new RegExp(
        `^${server.pid}:M \\d\\d [A-Z][a-z]{2} \\d{4} \\d\\d:\\d\\d:\\d\\d\\.\\d{3} \\* Ready to accept`,
        'm',
      ),
    );
    await server.stop();
  });

  test('json lines are JSON', async () => {
    const logfile = join(directory, 'json.log');
    server = await startKvasir(['--log-format', 'json']);
    const lines = server.log
      .trim()
      .split('\n')
      .filter((line) => line.startsWith('{'));
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) {
      expect(JSON.parse(line)).toMatchObject({
        pid: server.pid,
        role: expect.any(String),
        message: expect.any(String),
      });
    }
    expect(existsSync(logfile)).toBe(false);
    await server.stop();
  });

  test('logfmt lines are pairs', async () => {
    server = await startKvasir(['--log-format', 'logfmt', '--log-timestamp-format', 'iso8601']);
    await server.logged(
      new RegExp(
        `^pid=${server.pid} role=\\w+ timestamp="?\\d{4}-\\d\\d-\\d\\dT.* message="Ready to accept`,
        'm',
      ),
    );
    await server.stop();
  });

  test('loglevel warning leaves out what is of no concern', async () => {
    const path = join(directory, 'quiet.sock');
    const child = spawn(process.execPath, [
      KVASIR_SERVER,
      ...['--port', '0', '--unixsocket', path, '--save', '', '--loglevel', 'warning'],
    ]);
    let log = '';
    child.stdout.on('data', (chunk) => {
      log += chunk;
    });
    await expect.poll(() => existsSync(path), { timeout: 10_000, interval: 10 }).toBe(true);
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(0);
    expect(log).not.toContain('Ready to accept');
    expect(log).not.toContain('Server initialized');
  });
});

/** Receives what sd_notify(3) sends: Node has no datagram sockets of the Unix family. */
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
while True:
    for line in s.recv(4096).decode().splitlines(): print(line, flush=True)
`;
const python = spawnSync('python3', ['--version']).status === 0;
if (!python) console.log('Readiness under systemd is not tested: no python3');

describe.skipIf(!python)('supervised by systemd', () => {
  test.each(['systemd', 'auto'])('%s: tells when it is ready and when it stops', async (mode) => {
    const socket = join(directory, 'notify.sock');
    const receiver = spawn('python3', ['-c', RECEIVER, socket]);
    try {
      let received = '';
      receiver.stdout.on('data', (chunk) => {
        received += chunk;
      });
      await expect.poll(() => received, { timeout: 10_000, interval: 10 }).toContain('bound\n');
      server = await startKvasir(['--supervised', mode], { env: { NOTIFY_SOCKET: socket } });
      await expect.poll(() => received).toContain('READY=1\n');
      expect(received).toContain(`MAINPID=${server.pid}\n`);
      expect(received).not.toContain('STOPPING=1');
      await server.stop();
      await expect.poll(() => received).toContain('STOPPING=1\n');
    } finally {
      receiver.kill('SIGKILL');
    }
  });
});
