import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  escapeJson,
  filterLogfmt,
  Log,
  type LogSettings,
  timezoneOffset,
} from '../../src/observability/log.js';

const NOW = new Date(2026, 10, 3, 4, 5, 6, 7).getTime();

function capture(settings: Partial<LogSettings>, now = () => NOW) {
  const lines: string[] = [];
  const datagrams: [string, string][] = [];
  const log = new Log(
    settings,
    {
      write: (_file, line) => lines.push(Buffer.from(line).toString('latin1')),
      datagram: (path, data) => datagrams.push([path, data]) > 0,
    },
    now,
  );
  log.pid = 42;
  return { log, lines, datagrams };
}

describe('formats', () => {
  test('legacy has pid, role letter, timestamp and level mark', () => {
    const { log, lines } = capture({ level: 'debug' });
    log.debug('a');
    log.verbose('b');
    log.role = 'replica';
    log.notice('c');
    log.role = 'sentinel';
    log.warning('d');
    log.role = 'child';
    log.warning('e');
    expect(lines).toEqual([
      '42:M 03 Nov 2026 04:05:06.007 . a\n',
      '42:M 03 Nov 2026 04:05:06.007 - b\n',
      '42:S 03 Nov 2026 04:05:06.007 * c\n',
      '42:X 03 Nov 2026 04:05:06.007 # d\n',
      '42:C 03 Nov 2026 04:05:06.007 # e\n',
    ]);
  });

  test('logfmt filters what it cannot escape', () => {
    const { log, lines } = capture({ format: 'logfmt', level: 'verbose' });
    log.verbose('say "x"\r\nend\ttab');
    expect(lines).toEqual([
      'pid=42 role=primary timestamp="03 Nov 2026 04:05:06.007" level=info message="say \'x\'  end\ttab"\n',
    ]);
    expect(filterLogfmt('plain \\ text')).toBe('plain \\ text');
  });

  test('json escapes control characters, quotes and backslashes', () => {
    const { log, lines } = capture({ format: 'json', timestampFormat: 'milliseconds' });
    log.role = 'replica';
    log.warning('q" b\\ \b\f\n\r\t\x01\x1f\x7f é');
    expect(JSON.parse(Buffer.from(lines[0]!, 'latin1').toString('utf8'))).toEqual({
      pid: 42,
      role: 'replica',
      timestamp: String(NOW),
      level: 'warning',
      message: 'q" b\\ \b\f\n\r\t\x01\x1f\x7f é',
    });
    expect(lines[0]).toContain('"q\\" b\\\\ \\b\\f\\n\\r\\t\\u0001\\u001f\x7f ');
    expect(escapeJson('')).toBe('""');
  });

  test('iso8601 carries the zone', () => {
    const { log, lines } = capture({ timestampFormat: 'iso8601' });
    log.notice('x');
    const [, timestamp] = /^42:M (\S+) \* x\n$/.exec(lines[0]!)!;
    expect(Date.parse(timestamp!)).toBe(NOW);
    expect(timestamp).toMatch(/^2026-11-03T04:05:06\.007[+-]\d\d:\d\d$/);
  });

  test('the zone offset has sign, hours and minutes', () => {
    const zone = (minutes: number) => timezoneOffset({ getTimezoneOffset: () => minutes } as unknown as Date);
    expect([zone(0), zone(-330), zone(210), zone(-720)]).toEqual(['+00:00', '+05:30', '-03:30', '+12:00']);
  });

  test('the timestamp moves on when the second does', () => {
    let now = NOW;
    const { log, lines } = capture({}, () => now);
    log.notice('x');
    now += 992;
    log.notice('x');
    now += 1;
    log.notice('x');
    expect(lines.map((line) => line.slice(17, 29))).toEqual(['04:05:06.007', '04:05:06.999', '04:05:07.000']);
  });
});

describe('what is printed', () => {
  test.each([
    ['debug', 4],
    ['verbose', 3],
    ['notice', 2],
    ['warning', 1],
    ['nothing', 0],
  ] as const)('level %s lets %i of four through', (level, count) => {
    const { log, lines } = capture({});
    log.configure({ level });
    log.debug('');
    log.verbose('');
    log.notice('');
    log.warning('');
    expect(lines).toHaveLength(count);
    expect(log.enabled('warning')).toBe(count > 0);
    expect(log.enabled('debug')).toBe(level === 'debug');
  });

  test('a message ends at NUL and at 1023 bytes, a raw one only at NUL', () => {
    const { log, lines } = capture({});
    log.notice('a\0b');
    log.notice('x'.repeat(2000));
    log.raw('notice', 'y'.repeat(2000));
    expect(lines[0]!.endsWith('* a\n')).toBe(true);
    expect(lines[1]!.split('* ')[1]).toBe(`${'x'.repeat(1023)}\n`);
    expect(lines[2]).toBe('y'.repeat(2000));
  });

  test('bytes pass unchanged, strings are UTF-8', () => {
    const { log, lines } = capture({});
    log.notice(Uint8Array.of(0xff, 0x41, 0x80));
    log.notice('ü');
    expect(lines[0]!.endsWith('* \xffA\x80\n')).toBe(true);
    expect(lines[1]!.endsWith('* \xc3\xbc\n')).toBe(true);
  });

  test('lines from signals have a form of their own', () => {
    const { log, lines, datagrams } = capture({ format: 'json', syslogEnabled: true });
    log.fromSignal('warning', 'Received SIGTERM scheduling shutdown...');
    log.configure({ level: 'nothing' });
    log.fromSignal('warning', 'unheard');
    expect(lines).toEqual([
      `42:signal-handler (${Math.floor(NOW / 1000)}) Received SIGTERM scheduling shutdown...\n`,
    ]);
    expect(datagrams).toEqual([]);
  });

  test('syslog gets facility and severity, identity and pid', () => {
    const { log, datagrams } = capture({
      syslogEnabled: true,
      syslogIdent: 'kv',
      syslogFacility: 'local3',
      level: 'debug',
    });
    log.warning('hot é');
    log.debug('cold');
    log.configure({ syslogFacility: 'user' });
    log.notice('n');
    expect(datagrams).toEqual([
      ['/dev/log', `<${19 * 8 + 4}>Nov  3 04:05:06 kv[42]: hot é`],
      ['/dev/log', `<${19 * 8 + 7}>Nov  3 04:05:06 kv[42]: cold`],
      ['/dev/log', `<${1 * 8 + 5}>Nov  3 04:05:06 kv[42]: n`],
    ]);
  });
});

describe('the log file', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'kvasir-log-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  test('is appended to, followed when moved, and made again when removed', () => {
    const file = join(dir, 'log');
    const log = new Log({ logfile: file });
    log.notice('one');
    renameSync(file, `${file}.1`);
    log.notice('two');
    rmSync(file);
    log.notice('three');
    log.notice('four');
    expect(readFileSync(`${file}.1`, 'utf8')).toMatch(/one\n$/);
    expect(readFileSync(file, 'utf8')).toMatch(/^[^\n]*three\n[^\n]*four\n$/);
  });

  test('that cannot be written stops nobody', () => {
    const log = new Log({ logfile: join(dir, 'missing/log') });
    expect(() => log.warning('lost')).not.toThrow();
  });
});
