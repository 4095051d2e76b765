import { describe, expect, it } from 'vitest';
import { type RuleName, rules } from '../../interop/differential/explained.js';
import { parseReply } from '../../interop/differential/resp.js';

const same = (rule: RuleName, subject: string, reference: string): boolean =>
  rules[rule].same(parseReply(Buffer.from(subject, 'latin1')), parseReply(Buffer.from(reference, 'latin1')));

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

describe('explained differences', () => {
  it('allows clocks to differ a little, and never a sign', () => {
    expect(same('ttl in ms', ':100000\r\n', ':100900\r\n')).toBe(true);
    expect(same('ttl in ms', ':100000\r\n', ':110000\r\n')).toBe(false);
    expect(same('ttl in ms', ':-1\r\n', ':-2\r\n')).toBe(false);
    expect(same('ttl in s', ':9223372036854775807\r\n', ':9223372036854775806\r\n')).toBe(true);
    expect(same('ttl in s', '-ERR\r\n', ':1\r\n')).toBe(false);
  });

  it('compares without order, at every level, and not without content', () => {
    expect(same('unordered', '*2\r\n+a\r\n*2\r\n+b\r\n+c\r\n', '*2\r\n*2\r\n+c\r\n+b\r\n+a\r\n')).toBe(true);
    expect(same('unordered', '%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n', '%2\r\n+b\r\n:2\r\n+a\r\n:1\r\n')).toBe(true);
    expect(same('unordered', '%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n', '%2\r\n+b\r\n:1\r\n+a\r\n:2\r\n')).toBe(false);
    expect(same('unordered', '*2\r\n+a\r\n+a\r\n', '*1\r\n+a\r\n')).toBe(false);
    expect(same('unordered', '*1\r\n$-1\r\n', '*1\r\n$0\r\n\r\n')).toBe(false);
  });

  it.each(['shape', 'kind', 'hello', 'info', 'client line', 'client list', 'number or null'] as const)(
    '%s never explains an error on one side, nor another error',
    (rule) => {
      expect(same(rule, '-ERR a\r\n', bulk('a'))).toBe(false);
      expect(same(rule, '-ERR a\r\n', '-ERR b\r\n')).toBe(false);
    },
  );

  it('masks only what is the connection’s own', () => {
    const line = (id: string, name: string): string => bulk(`id=${id} addr=1:2 name=${name} db=0`);
    expect(same('client line', line('1', 'x'), line('22', 'x'))).toBe(true);
    expect(same('client line', line('1', 'x'), line('1', 'y'))).toBe(false);
    const hello = (id: string, proto: string): string =>
      `*4\r\n$2\r\nid\r\n:${id}\r\n$5\r\nproto\r\n:${proto}\r\n`;
    expect(same('hello', hello('1', '3'), hello('22', '3'))).toBe(true);
    expect(same('hello', hello('1', '3'), hello('1', '2'))).toBe(false);
  });

  it('compares INFO by its field names', () => {
    const info = (...lines: string[]): string => bulk(lines.join('\r\n'));
    expect(same('info', info('# A', 'x:1', 'db0:keys=1'), info('# A', 'x:2'))).toBe(true);
    expect(same('info', info('# A', 'x:1'), info('# A', 'y:1'))).toBe(false);
  });

  it('lets the subject have fewer commands, not others', () => {
    expect(same('subset of commands', '*1\r\n+get\r\n', '*2\r\n+set\r\n+get\r\n')).toBe(true);
    expect(same('subset of commands', '*1\r\n+got\r\n', '*2\r\n+set\r\n+get\r\n')).toBe(false);
  });
});
