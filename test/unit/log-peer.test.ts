/** Our lines beside those of the real Valkey, byte for byte: same settings, same messages, its timestamps. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Log, type LogFormat, type LogTimestampFormat } from '../../src/observability/log.js';

const server = join(process.env.VALKEY_PEER ?? join(homedir(), '.cache/valkey-peer'), 'bin/valkey-server');

const MESSAGES = [
  Buffer.from('plain'),
  Buffer.from('Test "quotes" and \\backslash\\'),
  Buffer.from('tab\t cr\r lf\n bs\b ff\f bell\x07 esc\x1b del\x7f'),
  Buffer.from([0x80, 0xff, 0xc3, 0xbc, 0x20]),
  Buffer.from('x'.repeat(1500)),
  Buffer.from(`"${'é'.repeat(600)}`),
  Buffer.from(''),
];

let child: ChildProcess | undefined;
let dir: string | undefined;

afterEach(async () => {
  if (child !== undefined && child.exitCode === null) {
    const gone = new Promise((done) => child?.once('exit', done));
    child.kill('SIGKILL');
    await gone;
  }
  if (dir !== undefined) rmSync(dir, { recursive: true });
});

function request(socket: Socket, ...args: Buffer[]): Promise<string> {
  return new Promise((done) => {
    socket.once('data', (data) => done(String(data)));
    socket.write(
      Buffer.concat([
        Buffer.from(`*${args.length}\r\n`),
        ...args.flatMap((arg) => [Buffer.from(`$${arg.length}\r\n`), arg, Buffer.from('\r\n')]),
      ]),
    );
  });
}

/** What DEBUG LOG wrote: the part of the log file that each call appended. */
async function peerLines(format: LogFormat, timestamps: LogTimestampFormat): Promise<Buffer[]> {
  dir = mkdtempSync(join(tmpdir(), 'kvasir-peer-'));
  const socketPath = join(dir, 's');
  const logfile = join(dir, 'log');
  const settings = `port 0\nunixsocket ${socketPath}\nlogfile ${logfile}\nlog-format ${format}\nsave ""\ndir ${dir}
log-timestamp-format ${timestamps}\nenable-debug-command yes\n`;
  child = spawn(server, ['-'], { stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin?.end(settings);
  const socket = await new Promise<Socket>((done) => {
    const attempt = () => {
      const candidate = connect(socketPath, () => done(candidate));
      candidate.once('error', () => setTimeout(attempt, 20));
    };
    attempt();
  });
  // Listening begins before the last start-up lines: an answer means that they are written.
  expect(await request(socket, Buffer.from('PING'))).toBe('+PONG\r\n');
  const lines: Buffer[] = [];
  for (const message of MESSAGES) {
    const before = readFileSync(logfile).length;
    expect(await request(socket, Buffer.from('DEBUG'), Buffer.from('LOG'), message)).toBe('+OK\r\n');
    lines.push(readFileSync(logfile).subarray(before));
  }
  socket.destroy();
  return lines;
}

function timestampOf(line: string, timestamps: LogTimestampFormat): number {
  const pattern = {
    legacy: /\d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d{3}/,
    iso8601: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d/,
    milliseconds: /\b\d{13}\b/,
  }[timestamps];
  const text = pattern.exec(line)![0];
  return timestamps === 'milliseconds' ? Number(text) : Date.parse(text);
}

describe.skipIf(!existsSync(server))('beside valkey-server', () => {
  const formats: LogFormat[] = ['legacy', 'logfmt', 'json'];
  const stamps: LogTimestampFormat[] = ['legacy', 'iso8601', 'milliseconds'];
  test.each(formats.flatMap((format) => stamps.map((stamp) => [format, stamp] as const)))(
    '%s with %s timestamps',
    { timeout: 60_000 },
    async (format, timestamps) => {
      const theirs = await peerLines(format, timestamps);
      for (const [i, line] of theirs.entries()) {
        let ours = Buffer.alloc(0);
        const log = new Log(
          { format, timestampFormat: timestamps },
          {
            write: (_file, bytes) => {
              ours = Buffer.from(bytes);
            },
          },
          () => timestampOf(line.toString('latin1'), timestamps),
        );
        log.pid = child!.pid!;
        log.warning(Buffer.concat([Buffer.from('DEBUG LOG: '), MESSAGES[i]!]));
        expect(ours.toString('latin1')).toBe(line.toString('latin1'));
      }
    },
  );
});
