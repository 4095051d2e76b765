/** `kvasir check-aof` beside valkey-check-aof: the same output, exit code and repairs for files whole and broken. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findValkeyServer } from '../support/valkey.js';

const binary = findValkeyServer();
const KVASIR = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'bin/kvasir');

const command = (...words: string[]) =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
const set = command('SET', 'key', 'value');

interface Outcome {
  output: string;
  code: number | null;
  files: Record<string, string>;
}

// Two programs a case.
const TIMEOUT_MS = 60_000;

describe.skipIf(binary === undefined)('check-aof and valkey-check-aof', { timeout: TIMEOUT_MS }, () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'check-aof-'));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  /** The program works on files of the same names in a directory of its own. */
  function run(program: string[], files: Record<string, string>, args: string[], input: string): Outcome {
    const directory = mkdtempSync(join(root, 'run-'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text, 'latin1');
    const { stdout, status } = spawnSync(program[0]!, [...program.slice(1), ...args], {
      cwd: directory,
      input,
      encoding: 'latin1',
    });
    const after = readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'latin1')]);
    rmSync(directory, { recursive: true });
    const output = stdout
      // The log of a program that has no log file.
      .replace(/^\d+:\S+ \d+ \w+ \d+ [\d:.]+ [#*] /gm, '')
      // Behind the end of what it has read, valkey-check-aof shows what its memory held before.
      .replace(/got: 00\w\w$/gm, 'got: 00--');
    return { output, code: status, files: Object.fromEntries(after) as Record<string, string> };
  }

  function same(files: Record<string, string>, args: string[], input = 'y\n'): Outcome {
    const tool = join(dirname(binary!), 'valkey-check-aof');
    const theirs = run([tool], files, args, input);
    const ours = run([process.execPath, KVASIR, 'check-aof'], files, args, input);
    expect(ours).toEqual(theirs);
    return ours;
  }

  test.each([
    ['a whole file', set + set],
    ['an empty file', ''],
    ['annotations', `#TS:1\r\n${set}#TS:2\r\n${set}`],
    ['a transaction', set + command('MULTI') + set + command('EXEC')],
    ['rubbish', `${set}!!!`],
    ['a short tail', (set + set).slice(0, -3)],
    ['a missing tail', (set + set).slice(0, -7)],
    ['an unfinished transaction', set + command('multi') + set],
    ['EXEC alone', set + command('exec') + set],
    ['MULTI twice', command('MULTI') + command('MULTI')],
    ['a wrong prefix', `${set}*1\r\n+3\r\nGET\r\n`],
    ['a wrong line end', `${set}*1\r\n$3\r\nGET\n\n`],
    ['a length that is none', `${set}*1\r\n$x\r\n`],
    ['a negative length', `${set}*1\r\n$-5\r\n`],
    ['no arguments', `*0\r\n${set}`],
    [
      'a large file',
      `${set.repeat(60000)}${command('SET', 'k', 'v'.repeat(3000000))}*2\r\n$3\r\nGET\r\n$5\r\nke`,
    ],
  ])('%s, looked at and repaired', (_what, text) => {
    same({ 'appendonly.aof': text }, ['appendonly.aof']);
    same({ 'appendonly.aof': text }, ['--fix', 'appendonly.aof']);
    same({ 'appendonly.aof': text }, ['--fix', 'appendonly.aof'], 'n\n');
  });

  test('every way to cut a file', () => {
    const text = `#TS:12\r\n${set}${command('MULTI')}${set}${command('EXEC')}`;
    for (let at = 1; at < text.length; at += 4) {
      same({ 'appendonly.aof': text.slice(0, at) }, ['--fix', 'appendonly.aof']);
    }
  });

  const manifest =
    'file appendonly.aof.1.base.aof seq 1 type b\n' +
    'file appendonly.aof.1.incr.aof seq 1 type i\n' +
    'file appendonly.aof.2.incr.aof seq 2 type i\n';
  const parts = (base: string, first: string, second: string) => ({
    'appendonly.aof.manifest': manifest,
    'appendonly.aof.1.base.aof': base,
    'appendonly.aof.1.incr.aof': first,
    'appendonly.aof.2.incr.aof': second,
  });

  test('the files of a manifest', () => {
    for (const args of [['appendonly.aof.manifest'], ['--fix', 'appendonly.aof.manifest']]) {
      same(parts(set, set, set), args);
      same(parts('', set, ''), args);
      same(parts(set, set, `${set}*1\r\n`), args);
      same(parts(set, `${set}*1\r\n`, set), args);
      same(parts(`${set}x`, set, set), args);
    }
  });

  test('manifests that are none', () => {
    for (const text of ['file a seq 1 type b\n!!!\n', 'file a seq 1 type x\n', 'file a seq 1']) {
      const { output } = same({ 'appendonly.aof.manifest': text }, ['appendonly.aof.manifest']);
      expect(output).toMatch(/FATAL AOF MANIFEST FILE ERROR/);
    }
  });

  test('cutting at a time', () => {
    const timed = [1, 2, 3, 4].map((s) => `#TS:${s}00\r\n${set}`).join('');
    for (const time of ['99', '100', '250', '400', '500', '0']) {
      same({ 'appendonly.aof': timed }, ['--truncate-to-timestamp', time, 'appendonly.aof']);
      same(parts(set, set, timed), ['--truncate-to-timestamp', time, 'appendonly.aof.manifest']);
    }
    same(parts(timed, set, set), ['--truncate-to-timestamp', '200', 'appendonly.aof.manifest']);
    same({ 'appendonly.aof': '#TS:x\r\n' }, ['--truncate-to-timestamp', '200', 'appendonly.aof']);
  });

  test('files that are not there', () => {
    same({}, ['nothing.aof']);
    same({ 'appendonly.aof.manifest': manifest }, ['appendonly.aof.manifest']);
  });

  test('arguments', () => {
    for (const args of [
      [],
      ['--fix'],
      ['a', 'b', 'c', 'd'],
      ['--truncate-to-timestamp', 'x', 'appendonly.aof'],
    ]) {
      const { output, code } = run([process.execPath, KVASIR, 'check-aof'], {}, args, '');
      expect(code).toBe(1);
      expect(output).toMatch(/^Usage: |^Cannot open|^Invalid timestamp/);
    }
  });
});
