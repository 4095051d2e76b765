import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseServerArgs, type ServeArgs } from '../../src/cli/server-args.js';

function serve(...args: string[]): ServeArgs {
  const parsed = parseServerArgs(args);
  if (parsed.action !== 'serve') throw new Error(`expected serve, not ${parsed.action}`);
  return parsed;
}

describe('parseServerArgs', () => {
  test('no arguments run on defaults', () => {
    expect(serve()).toEqual({ action: 'serve', configFile: null, fromStdin: false, options: '', bare: true });
  });

  test('the first argument is the file unless it starts with a dash', () => {
    expect(serve('a.conf').configFile).toBe(join(process.cwd(), 'a.conf'));
    expect(serve('/x/a.conf', '--port', '1')).toMatchObject({
      configFile: '/x/a.conf',
      options: 'port "1" ',
    });
    expect(serve('--port', '1').configFile).toBeNull();
  });

  test('a dash reads standard input, first or last only', () => {
    expect(serve('-')).toMatchObject({ configFile: null, fromStdin: true, options: '' });
    expect(serve('-', '--port', '1')).toMatchObject({ fromStdin: true, options: 'port "1" ' });
    expect(serve('a.conf', '--port', '1', '-')).toMatchObject({ fromStdin: true, options: 'port "1" ' });
    expect(serve('a.conf', '-')).toMatchObject({ fromStdin: true, options: '' });
    expect(serve('--bind', '-', '--port', '1')).toMatchObject({
      fromStdin: false,
      options: 'bind "-" \nport "1" ',
    });
  });

  test('an option takes every value up to the next option', () => {
    expect(serve('--save', '900', '1', '--port', '7').options).toBe('save "900" "1" \nport "7" ');
    expect(serve('--port 7', '--dir x').options).toBe('port 7 \ndir x ');
    expect(serve('--port 7', 'x').options).toBe('port 7 "x" ');
  });

  test('the first value is taken even when it looks like an option', () => {
    expect(serve('--proc-title-template', '--my--title--', '--port', '1').options).toBe(
      'proc-title-template "--my--title--" \nport "1" ',
    );
    expect(serve('--port', '--bind', '--dir', 'x').options).toBe('port "--bind" \ndir "x" ');
  });

  test('save without a value has none', () => {
    expect(serve('--save', '--port', '1').options).toBe('save ""\nport "1" ');
    expect(serve('--SAVE').options).toBe('SAVE ""');
    expect(serve('--save', '').options).toBe('save "" ');
  });

  test('values are quoted byte for byte, names are bytes', () => {
    expect(serve('--é', 'a"b\\c\n\r\t\x07\b é~').options).toBe(
      '\xc3\xa9 "a\\"b\\\\c\\n\\r\\t\\a\\b \\xc3\\xa9~" ',
    );
  });

  test.each([
    [['-v'], 'version'],
    [['--version', 'x'], 'version'],
    [['-h'], 'help'],
    [['--help'], 'help'],
    [['--check-system'], 'check-system'],
    [['--test-memory', '16'], 'test-memory'],
    [['--test-memory'], 'refuse'],
    [['--test-memory', 'x'], 'refuse'],
    [['a.conf', '--sentinel'], 'refuse'],
  ])('%j is %s', (args, action) => {
    expect(parseServerArgs(args).action).toBe(action);
  });

  test('special options count in first place only', () => {
    expect(serve('a.conf', '--version').options).toBe('version ');
  });

  test('a program called valkey-sentinel is refused', () => {
    expect(parseServerArgs(['a.conf'], '/usr/bin/valkey-sentinel').action).toBe('refuse');
  });
});

const peer = join(process.env.VALKEY_PEER ?? join(homedir(), '.cache/valkey-peer'), 'bin/valkey-server');

describe.skipIf(!existsSync(peer))('beside valkey-server', () => {
  // An unknown parameter makes Valkey print the line it choked on: the text it made of its arguments.
  test.each([
    [['--nonsense', 'a "b" c', '\x01é\n']],
    [['--nonsense 1', '2']],
    [['--port', '1234', '--nonsense', '--x', '-']],
    [['--save', '--nonsense', '1']],
  ])('%j becomes the same configuration line', (args) => {
    const run = spawnSync(peer, args, { encoding: 'latin1', input: '' });
    const theirs = /^>>> '(.*)'$/m.exec(run.stderr)![1];
    const ours = serve(...args)
      .options.split('\n')
      .find((line) => line.startsWith('nonsense'));
    // Valkey prints the line as it split it: without white space at the ends.
    expect(ours!.trim()).toBe(theirs);
  });
});
