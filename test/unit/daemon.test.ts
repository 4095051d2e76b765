import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DaemonSide, startDaemon } from '../../src/server/daemon.js';

/** A daemon in a few lines; it says where it runs and what it was given, then is ready. */
const DAEMON = `
  const fs = require('node:fs');
  const stat = fs.readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ');
  const facts = {
    pid: process.pid, session: Number(stat[3]), cwd: process.cwd(), out: fs.readlinkSync('/proc/self/fd/1'),
    stdin: fs.readFileSync(0, 'utf8'), fd: process.env.KVASIR_DAEMON_FD,
  };
  fs.writeFileSync(process.argv[1], JSON.stringify(facts));
  fs.writeSync(Number(facts.fd), '+');
`;

test('the first process learns that the daemon is ready', { timeout: 60_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'kvasir-daemon-'));
  const file = join(dir, 'facts');
  try {
    expect(await startDaemon({ args: ['-e', DAEMON, file], cwd: dir, stdin: 'port 1\n' })).toBe(0);
    const facts = JSON.parse(readFileSync(file, 'utf8'));
    expect(facts).toEqual({
      pid: expect.any(Number),
      session: facts.pid,
      cwd: dir,
      out: '/dev/null',
      stdin: 'port 1\n',
      fd: '3',
    });
    expect(facts.pid).not.toBe(process.pid);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test.each([
  ['process.exit(7)', 7],
  ['process.kill(process.pid, "SIGKILL")', 1],
  ['0', 0],
])('a daemon that dies first hands its exit code on: %s', { timeout: 60_000 }, async (program, code) => {
  expect(await startDaemon({ args: ['-e', program], cwd: tmpdir() })).toBe(code);
});

test('the marker is taken out of the environment', () => {
  const env = { KVASIR_DAEMON_FD: '3', OTHER: 'x' };
  expect(DaemonSide.detect(env)).not.toBeNull();
  expect(env).toEqual({ OTHER: 'x' });
  expect(DaemonSide.detect(env)).toBeNull();
});
