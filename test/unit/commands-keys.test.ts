import { describe, expect, test } from 'vitest';
import { getKeys, hasKeys } from '../../src/commands/keys.js';
import { ALL_GROUPS, CommandTable } from '../../src/commands/registry.js';
import { KEY_FLAG } from '../../src/commands/spec.js';

const table = new CommandTable(ALL_GROUPS, { includeUnbuilt: true });

function positions(line: string): number[] {
  const args = line.split(' ').map((arg) => (arg === '""' ? '' : arg));
  return getKeys(table.resolve(args)!, args).map((key) => key.position);
}

test.each<[string, number[]]>([
  ['GET a', [1]],
  ['DEL a b c', [1, 2, 3]],
  ['MSET a 1 b 2', [1, 3]],
  ['MSETEX 2 a 1 b 2 EX 5', [2, 4]],
  ['RENAME a b', [1, 2]],
  ['BLPOP a b 0', [1, 2]],
  ['OBJECT ENCODING a', [2]],
  ['MEMORY USAGE a', [2]],
  ['PING', []],
  ['EVAL s 2 a b c', [3, 4]],
  ['EVAL s 0 a', []],
  ['EVAL s 3 a b', []],
  ['EVAL s -1 a b', []],
  ['EVAL s 1x a b', [3]],
  ['ZUNIONSTORE d 2 a b', [1, 3, 4]],
  ['ZUNIONSTORE d +2 a b', [3, 4, 1]],
  ['ZUNION 2 a b WEIGHTS 1 2', [2, 3]],
  ['ZUNION 4294967298 a b', [2, 3]],
  ['SORT a BY STORE GET STORE LIMIT STORE b STORE c store d', [1, 12]],
  ['SORT a STORE', [1]],
  ['SORT_RO a BY w', [1]],
  ['MIGRATE h 1 a 0 5 COPY', [3]],
  ['MIGRATE h 1 "" 0 5 AUTH KEYS KEYS a b', [9, 10]],
  ['MIGRATE h 1 "" 0 5 AUTH2 KEYS KEYS KEYS a b', [10, 11]],
  ['MIGRATE h 1 a 0 5 KEYS b', []],
  ['GEORADIUS a 1 2 3 m STORE b STOREDIST c', [1, 9]],
  ['GEORADIUS a 1 2 3 m', [1]],
  ['GEORADIUSBYMEMBER a m 3 m STORE b', [1, 6]],
  ['XREAD COUNT 2 STREAMS a b 0 0', [4, 5]],
  ['XREAD BLOCK 0 COUNT 1 STREAMS a 0', [6]],
  ['XREADGROUP GROUP streams c STREAMS streams >', [5]],
  ['SPUBLISH c m', []],
])('%s', (line, expected) => {
  expect(positions(line)).toEqual(expected);
});

describe('access', () => {
  const flags = (...args: string[]) => getKeys(table.resolve(args)!, args).map((key) => key.flags);
  const read = KEY_FLAG.RO | KEY_FLAG.access;
  const overwrite = KEY_FLAG.OW | KEY_FLAG.update;
  const readUpdate = KEY_FLAG.RW | KEY_FLAG.access | KEY_FLAG.update;

  test('depends on options', () => {
    expect(flags('SET', 'k', 'v')).toEqual([overwrite]);
    expect(flags('SET', 'k', 'get')).toEqual([overwrite]);
    expect(flags('SET', 'k', 'v', 'GET')).toEqual([readUpdate]);
    expect(flags('SET', 'k', 'v', 'get\0tail')).toEqual([readUpdate]);
    expect(flags('SET', 'k', 'v', 'gett')).toEqual([overwrite]);
    expect(flags('BITFIELD', 'k', 'GET', 'u8', '0', 'OVERFLOW', 'SAT')).toEqual([read]);
    expect(flags('BITFIELD', 'k', 'GET', 'u8', '0', 'SET', 'u8', '0', '1')).toEqual([readUpdate]);
    expect(flags('BITFIELD', 'k', 'GET', 'u8')).toEqual([readUpdate]);
    expect(flags('SORT', 'k', 'STORE', 'd')).toEqual([read, overwrite]);
    expect(flags('GEORADIUS', 'k', '1', '2', '3', 'm', 'STORE', 'd')).toEqual([read, overwrite]);
  });

  test('comes from the key spec otherwise', () => {
    expect(flags('COPY', 'a', 'b')).toEqual([read, overwrite]);
    expect(flags('MSETEX', '1', 'a', 'v')).toEqual([overwrite]);
    expect(flags('MIGRATE', 'h', '1', 'a', '0', '5')).toEqual([
      KEY_FLAG.RW | KEY_FLAG.access | KEY_FLAG.delete,
    ]);
  });
});

test('hasKeys does not count what is only routed by slot', () => {
  for (const name of ['get', 'eval', 'sort', 'object|encoding'])
    expect(hasKeys(table.lookup(name)!)).toBe(true);
  for (const name of ['ping', 'spublish', 'object|help', 'client'])
    expect(hasKeys(table.lookup(name)!)).toBe(false);
});
