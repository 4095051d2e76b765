import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Log } from '../../src/observability/log.js';
import {
  adjustOpenFilesLimit,
  bannerText,
  logConfigured,
  logReady,
  logSmallMaxmemory,
  logStarting,
  OomScore,
  openFilesLimit,
  PidFile,
  showBanner,
} from '../../src/server/startup.js';
import {
  checkClocksource,
  checkTransparentHugePages,
  checkXenClocksource,
  logBacklogWarning,
  logSystemWarnings,
  runSystemChecks,
  type SystemFiles,
} from '../../src/server/system-checks.js';

let lines: string[];
let log: Log;
let dir: string;

beforeEach(() => {
  lines = [];
  log = new Log({ level: 'debug' }, { write: (_file, line) => lines.push(Buffer.from(line).toString()) });
  dir = mkdtempSync(join(tmpdir(), 'kvasir-startup-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const banner = {
  clusterEnabled: false,
  port: 6379,
  tlsPort: 0,
  alwaysShowLogo: false,
  syslogEnabled: false,
  logfile: '',
};

describe('what a starting server says', () => {
  test('names versions and pid', () => {
    logStarting(log);
    expect(lines[0]).toMatch(/ \* oO0OoO0OoO0Oo Kvasir is starting oO0OoO0OoO0Oo\n$/);
    expect(lines[1]).toMatch(
      /Valkey version=9\.1\.2, bits=64, commit=[0-9a-f]{8}, modified=[01], pid=\d+, just started/,
    );
    expect(lines[1]).toContain(`pid=${process.pid},`);
  });

  test('where its configuration came from', () => {
    logConfigured(log, true, './kvasir-server');
    logConfigured(log, false, './kvasir-server');
    expect(lines[0]).toMatch(
      /# Warning: No config file specified, .* use \.\/kvasir-server \/path\/to\/valkey\.conf\n/,
    );
    expect(lines[1]).toMatch(/\* Configuration loaded\n/);
  });

  test('the banner matches what the test harness waits for', () => {
    const text = bannerText({ ...banner, clusterEnabled: true, port: 0, tlsPort: 7443 }, 31337);
    expect(text).toMatch(/ PID: 31337\b/);
    expect(text).toContain('Port: 7443');
    expect(text).toContain('Running in cluster mode');
    expect(text).toMatch(/\n\n$/);
  });

  test.each([
    ['a terminal', {}, true, true],
    ['no terminal', {}, false, false],
    ['no terminal but forced', { alwaysShowLogo: true }, false, true],
    ['a log file', { logfile: '/x' }, true, false],
    ['syslog', { syslogEnabled: true }, true, false],
  ])('%s decides on the logo', (_name, change, terminal, shown) => {
    showBanner(log, { ...banner, ...change }, terminal);
    expect(lines).toHaveLength(1);
    if (shown) expect(lines[0]).toContain(` PID: ${process.pid}`);
    else expect(lines[0]).toMatch(/\* Running mode=standalone, port=6379\.\n$/);
  });

  test('one ready line a listener', () => {
    logReady(log, ['tcp', 'unix']);
    expect(lines.map((line) => line.split('* ')[1])).toEqual([
      'Ready to accept connections tcp\n',
      'Ready to accept connections unix\n',
    ]);
  });

  test('a maxmemory below 1 MB is suspicious, none is not', () => {
    logSmallMaxmemory(log, 0);
    logSmallMaxmemory(log, 1024 * 1024);
    expect(lines).toHaveLength(0);
    logSmallMaxmemory(log, 100);
    expect(lines[0]).toContain('(current value is 100 bytes)');
  });
});

describe('pid file', () => {
  test('is written and removed', () => {
    const file = new PidFile(log, join(dir, 'pid'), false);
    file.create();
    expect(readFileSync(file.path!, 'utf8')).toBe(`${process.pid}\n`);
    file.remove();
    expect(existsSync(file.path!)).toBe(false);
    expect(lines[0]).toMatch(/\* Removing the pid file\.\n/);
  });

  test('that cannot be written is not fatal', () => {
    const file = new PidFile(log, join(dir, 'no/pid'), false);
    file.create();
    file.remove();
    expect(lines[0]).toMatch(/# Failed to write PID file: No such file or directory\n/);
  });

  test('has a default only in the background', () => {
    expect(new PidFile(log, '', false).path).toBeNull();
    expect(new PidFile(log, '', true).path).toBe('/var/run/valkey.pid');
  });
});

describe('open files', () => {
  const refuse = () => 'Operation not permitted';

  test('are read from /proc', () => {
    expect(
      openFilesLimit('Max processes  1 2 x\nMax open files            1024  unlimited  files\n'),
    ).toEqual([1024, Number.POSITIVE_INFINITY]);
    expect(openFilesLimit('')).toBeNull();
    expect(openFilesLimit()?.[0]).toBeGreaterThan(0);
  });

  test('suffice', () => {
    expect(adjustOpenFilesLimit(log, 10000, [10032, 10032], refuse)).toBe(10000);
    expect(lines).toHaveLength(0);
  });

  test('can be raised', () => {
    const asked: number[] = [];
    expect(
      adjustOpenFilesLimit(log, 10000, [1024, 4096], (n) => {
        asked.push(n);
        return '';
      }),
    ).toBe(10000);
    expect(asked).toEqual([10032]);
    expect(lines[0]).toContain(
      'Increased maximum number of open files to 10032 (it was originally set to 1024).',
    );
  });

  test('are raised as far as it goes, and maxclients is what fits', () => {
    const reduced = adjustOpenFilesLimit(log, 1000, [100, 100], (n) => (n > 500 ? refuse() : ''));
    expect(reduced).toBe(488 - 32);
    expect(lines[0]).toContain(
      'You requested maxclients of 1000 requiring at least 1032 max file descriptors.',
    );
    expect(lines[1]).toContain(
      "Server can't set maximum open files to 1032 because of OS error: Operation not permitted.",
    );
    expect(lines[2]).toContain('Current maximum open files is 488. maxclients has been reduced to 456');
  });

  test('may be too few to start', () => {
    expect(adjustOpenFilesLimit(log, 1000, [32, 32], refuse)).toBeNull();
    expect(lines[0]).toContain("Your current 'ulimit -n' of 32 is not enough for the server to start.");
  });

  test('unknown limits count as 1024', () => {
    expect(adjustOpenFilesLimit(log, 10000, null, refuse)).toBe(992);
  });
});

describe('oom score', () => {
  test('is relative to the start, clamped, and restored', () => {
    const path = join(dir, 'oom');
    writeFileSync(path, '900\n');
    const oom = new OomScore(log, path);
    const values = [0, 200, 800] as const;
    expect(oom.apply({ mode: 'no', values }, false)).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('900\n');
    oom.apply({ mode: 'relative', values }, true);
    expect(readFileSync(path, 'utf8')).toBe('1000\n');
    oom.apply({ mode: 'relative', values }, false);
    expect(readFileSync(path, 'utf8')).toBe('900\n');
    oom.apply({ mode: 'absolute', values }, true);
    expect(readFileSync(path, 'utf8')).toBe('200\n');
    oom.apply({ mode: 'no', values }, true);
    expect(readFileSync(path, 'utf8')).toBe('900\n');
  });

  test('that cannot be read fails', () => {
    const oom = new OomScore(log, join(dir, 'missing'));
    expect(oom.apply({ mode: 'absolute', values: [0, 0, 0] }, false)).toBe(false);
    expect(lines[0]).toContain('# Unable to read oom_score_adj: No such file or directory');
  });
});

describe('system checks', () => {
  const clock = '/sys/devices/system/clocksource/clocksource0';
  const machine =
    (files: Record<string, string>): SystemFiles =>
    (path) =>
      files[path] ?? null;

  test('a slow clock names a better one', () => {
    const slow = () => ({ user: 0.01, system: 0.04 });
    const files = {
      [`${clock}/current_clocksource`]: 'xen',
      [`${clock}/available_clocksource`]: 'xen tsc hpet',
    };
    expect(checkClocksource(machine(files), slow)).toMatchObject({
      message: expect.stringContaining(`'echo tsc > ${clock}/current_clocksource'`),
    });
    expect(checkClocksource(machine({}), slow)).toMatchObject({
      message: expect.stringContaining('Could not determine the available clocksources'),
    });
    expect(
      checkClocksource(machine({ ...files, [`${clock}/available_clocksource`]: 'xen' }), slow),
    ).toMatchObject({ message: expect.stringContaining('No suitable alternative clocksource') });
    expect(checkClocksource(machine({}), () => ({ user: 0.05, system: 0.001 }))).toEqual({ state: 'ok' });
  });

  test('xen and huge pages', () => {
    expect(checkXenClocksource(machine({}))).toEqual({ state: 'skipped' });
    expect(checkXenClocksource(machine({ [`${clock}/current_clocksource`]: 'xen' })).state).toBe('warning');
    const thp = (value: string) =>
      checkTransparentHugePages(machine({ '/sys/kernel/mm/transparent_hugepage/enabled': value })).state;
    expect([thp('[always] madvise never'), thp('always [madvise] never')]).toEqual(['warning', 'ok']);
  });

  test('warnings at start-up', () => {
    const files = machine({
      '/proc/sys/vm/overcommit_memory': '0',
      '/sys/kernel/mm/transparent_hugepage/enabled': '[always] madvise never',
    });
    logSystemWarnings(log, () => true, files);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('# WARNING Memory overcommit must be enabled!');
    logSystemWarnings(log, null, files);
    expect(lines[2]).toContain('# WARNING You have Transparent Huge Pages (THP) support enabled');
  });

  test('the backlog is compared with somaxconn', () => {
    const files = machine({ '/proc/sys/net/core/somaxconn': '128' });
    logBacklogWarning(log, 128, files);
    expect(lines).toHaveLength(0);
    logBacklogWarning(log, 511, files);
    expect(lines[0]).toContain('The TCP backlog setting of 511 cannot be enforced');
    expect(lines[0]).toContain('lower value of 128.');
  });

  test('--check-system prints each', () => {
    let out = '';
    const print = (text: string) => {
      out += text;
    };
    expect(runSystemChecks(print, machine({ '/proc/sys/vm/overcommit_memory': '2' }))).toBe(false);
    expect(out).toMatch(
      /\[xen-clocksource\]\.\.\.skipped\n\[overcommit\]\.\.\.WARNING:\nMemory overcommit .*\n\[THP\]\.\.\.skipped\n/,
    );
  });
});
