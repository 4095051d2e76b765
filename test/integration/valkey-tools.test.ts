/** valkey-cli and valkey-benchmark of the real Valkey against our server. */

import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { findValkeyServer } from '../support/valkey.js';

const found = findValkeyServer();
if (found === undefined) {
  console.log(
    'valkey-cli and valkey-benchmark are not tested: not in $VALKEY_PEER/bin, ~/.cache/valkey-peer/bin, PATH',
  );
}

describe.skipIf(found === undefined)('the tools of Valkey', { timeout: 60_000 }, () => {
  let server: RunningKvasir;

  beforeAll(async () => {
    server = await startKvasir([], { unix: true });
  });
  afterAll(() => server.stop());

  function run(tool: string, args: readonly string[], input = ''): string {
    const program = join(dirname(found!), tool);
    const { status, stdout, stderr } = spawnSync(program, args, {
      input,
      encoding: 'latin1',
      timeout: 50_000,
    });
    if (status !== 0) throw new Error(`${tool} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
    return stdout;
  }

  const cli = (...args: string[]) => run('valkey-cli', ['-p', `${server.port}`, ...args]);

  test('valkey-cli: single commands in both protocols', () => {
    expect(cli('PING')).toBe('PONG\n');
    expect(cli('SET', 'k', 'value')).toBe('OK\n');
    expect(cli('--no-raw', 'GET', 'k')).toBe('"value"\n');
    expect(cli('-3', '--no-raw', 'GET', 'none')).toBe('(nil)\n');
    expect(cli('-3', '--no-raw', 'HELLO')).toContain('2# "version" => "9.1.2"');
    expect(cli('-n', '3', 'SET', 'k', 'third')).toBe('OK\n');
    expect(cli('GET', 'k')).toBe('value\n');
    expect(cli('INCR', 'k')).toContain('value is not an integer or out of range');
    expect(run('valkey-cli', ['-s', server.path, 'ECHO', 'by unix socket'])).toBe('by unix socket\n');
  });

  test('valkey-cli: a session on standard input, and values from it', () => {
    const args = ['-p', `${server.port}`];
    expect(run('valkey-cli', args, 'SET a 1\nINCR a\nSELECT 5\nGET a\nCLIENT GETNAME\n').split('\n')).toEqual(
      ['OK', '2', 'OK', '', '', ''],
    );
    run('valkey-cli', [...args, '-x', 'SET', 'big'], 'x'.repeat(1_000_000));
    expect(cli('STRLEN', 'big')).toBe('1000000\n');
  });

  test('valkey-cli: --pipe loads what it is given', () => {
    const count = 20_000;
    let input = '';
    for (let i = 0; i < count; i++) input += `SET pipe:${i} ${i}\r\n`;
    expect(run('valkey-cli', ['-p', `${server.port}`, '--pipe'], input)).toContain(
      `errors: 0, replies: ${count}`,
    );
    expect(cli('GET', `pipe:${count - 1}`)).toBe(`${count - 1}\n`);
  });

  test('valkey-cli: --scan lists the keys of a pattern', () => {
    const keys = cli('--scan', '--pattern', 'pipe:199??').trim().split('\n');
    expect(new Set(keys).size).toBe(100);
  });

  test.each([
    ['-t', 'ping,set,get,incr,mset', '-n', '20000', '-c', '50', '-q'],
    ['-t', 'set,get', '-n', '50000', '-P', '16', '-r', '1000', '-q'],
    ['-3', '-t', 'get', '-n', '5000', '-q'],
    ['-t', 'set,get', '-n', '2000', '-d', '65536', '-q'],
  ])('valkey-benchmark %s', (...args) => {
    const output = run('valkey-benchmark', ['-p', `${server.port}`, ...args]);
    expect(output).toContain('requests per second');
    expect(output).not.toMatch(/error/i);
  });
});
