/** How the server program starts and ends: exit codes, log, pid file. */

import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { createServer as createKvasir } from '../../dist/index.js';
import { type RunningKvasir, runKvasir, startKvasir } from '../support/kvasir.js';
import { RespClient, RespError } from '../support/resp-client.js';

let server: RunningKvasir | undefined;

afterEach(async () => {
  await server?.kill();
  server = undefined;
});

/** Messages of the log, without time and level. */
function messages(log: string): string[] {
  return log.split('\n').map((line) => line.replace(/^\d+:[A-Z] .{24} . /, ''));
}

function inOrder(log: string, patterns: RegExp[]): void {
  let from = 0;
  for (const pattern of patterns) {
    const match = pattern.exec(log.slice(from));
    expect(match, `${pattern} after character ${from} of\n${log}`).not.toBeNull();
    from += match!.index + match![0].length;
  }
}

describe('SHUTDOWN', () => {
  test('closes the connection without a reply, exits with 0 and removes the pid file', async () => {
    server = await startKvasir(['--pidfile', 'kvasir.pid']);
    const pidFile = join(server.directory, 'kvasir.pid');
    expect(readFileSync(pidFile, 'latin1')).toBe(`${server.pid}\n`);
    const client = await server.connect();
    const answer = client.send('SHUTDOWN', 'NOSAVE');
    await expect(answer).rejects.toThrow();
    expect(await server.exit()).toEqual([0, null]);
    expect(existsSync(pidFile)).toBe(false);
    inOrder(server.log, [
      /User requested shutdown\.\.\. \(user request from 'id=\d+ addr=127\.0\.0\.1:\d+ laddr=.* fd=\d+ name=\*redacted\* /,
      /Removing the pid file\./,
      /# Valkey is now ready to exit, bye bye\.\.\./,
    ]);
  });

  test('executes nothing that comes after it; what came before is answered', async () => {
    server = await startKvasir();
    const client = await server.connect();
    const answers = ['SET key value', 'SHUTDOWN NOW', 'SET key other'].map((line) =>
      client.raw(...line.split(' ')),
    );
    expect((await answers[0]!).toString()).toBe('+OK\r\n');
    await expect(answers[1]).rejects.toThrow();
    await expect(answers[2]).rejects.toThrow();
    expect(await server.exit()).toEqual([0, null]);
  });

  test('argument errors leave it running', async () => {
    server = await startKvasir();
    const client = await server.connect();
    for (const words of [['SAVE', 'NOSAVE'], ['ABORT', 'NOW'], ['PLEASE']]) {
      expect(await client.send('SHUTDOWN', ...words)).toEqual(new RespError('ERR syntax error'));
    }
    expect(await client.send('SHUTDOWN', 'ABORT')).toEqual(new RespError('ERR No shutdown in progress.'));
    expect(await client.send('PING')).toBe('PONG');
    await server.stop();
  });

  test('ends an embedded server and not its program', async () => {
    const embedded = createKvasir({ loglevel: 'nothing' });
    const { port } = await embedded.listen();
    const client = await RespClient.connect({ port });
    await expect(client.send('SHUTDOWN')).rejects.toThrow();
    await client.closed();
    expect(embedded.address).toBeUndefined();
    await embedded.listen();
    await embedded.close();
  });
});

describe('signals', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it with 0', async (signal) => {
    server = await startKvasir(['--pidfile', 'kvasir.pid']);
    const pidFile = join(server.directory, 'kvasir.pid');
    await server.stop(signal);
    expect(existsSync(pidFile)).toBe(false);
    inOrder(server.log, [
      new RegExp(`Received ${signal} scheduling shutdown\\.\\.\\.`),
      /User requested shutdown\.\.\.\n/,
      /Removing the pid file\./,
      /ready to exit, bye bye/,
    ]);
  });
});

describe('the start', () => {
  test('says things in the order of Valkey', async () => {
    server = await startKvasir(['--always-show-logo', 'yes', '--maxmemory', '1000']);
    await server.logged(/WARNING: You specified a maxmemory value/);
    inOrder(server.log, [
      /oO0OoO0OoO0Oo Kvasir is starting oO0OoO0OoO0Oo/,
      / just started/,
      /Configuration loaded/,
      /monotonic clock: /,
      / PID: \d+/,
      /Server initialized/,
      /Ready to accept connections tcp/,
      /WARNING: You specified a maxmemory value/,
    ]);
    const warning = messages(server.log).findIndex((line) => line.startsWith('WARNING Memory overcommit'));
    const starting = messages(server.log).findIndex((line) => line.includes('is starting'));
    expect(warning).toBeLessThan(starting);
  });

  test('on a port that is taken, says so and exits with 1', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const { code, stdout } = await runKvasir(['--port', `${port}`, '--bind', '127.0.0.1', '--save', '']);
    other.close();
    expect(code).toBe(1);
    expect(stdout).toContain(`Failed listening on port ${port} (tcp), aborting.`);
  });

  test('oom-score-adj is applied', async () => {
    server = await startKvasir([
      '--oom-score-adj',
      'absolute',
      '--oom-score-adj-values',
      '910',
      '920',
      '930',
    ]);
    const score = () => readFileSync(`/proc/${server!.pid}/oom_score_adj`, 'latin1').trim();
    const client = await server.connect();
    await client.send('PING');
    expect(score()).toBe('910');
    expect(await client.send('CONFIG', 'SET', 'oom-score-adj-values', '940 950 960')).toBe('OK');
    expect(score()).toBe('940');
    await server.stop();
  });
});
