import { describe, expect, test } from 'vitest';
import {
  Double,
  ErrorReply,
  encodeReply,
  formatDouble,
  MapReply,
  NO_REPLY,
  NULL_ARRAY,
  OK,
  PushReply,
  Raw,
  type Reply,
  SetReply,
  Status,
  Verbatim,
} from '../../src/resp/reply.js';

describe('encodeReply', () => {
  test.each<[string, Reply, string, string]>([
    ['bulk string', 'abc', '$3\r\nabc\r\n', '$3\r\nabc\r\n'],
    ['empty bulk string', '', '$0\r\n\r\n', '$0\r\n\r\n'],
    ['bytes beyond ASCII', '\xe4\xff\0', '$3\r\n\xe4\xff\0\r\n', '$3\r\n\xe4\xff\0\r\n'],
    ['integer', -5, ':-5\r\n', ':-5\r\n'],
    ['bigint', 2n ** 63n - 1n, ':9223372036854775807\r\n', ':9223372036854775807\r\n'],
    ['null', null, '$-1\r\n', '_\r\n'],
    ['true', true, ':1\r\n', '#t\r\n'],
    ['false', false, ':0\r\n', '#f\r\n'],
    ['null array', NULL_ARRAY, '*-1\r\n', '_\r\n'],
    ['empty array', [], '*0\r\n', '*0\r\n'],
    [
      'nested array',
      [1, ['a', null]],
      '*2\r\n:1\r\n*2\r\n$1\r\na\r\n$-1\r\n',
      '*2\r\n:1\r\n*2\r\n$1\r\na\r\n_\r\n',
    ],
    ['Map', new Map<Reply, Reply>([['k', 1]]), '*2\r\n$1\r\nk\r\n:1\r\n', '%1\r\n$1\r\nk\r\n:1\r\n'],
    [
      'map with a key twice',
      new MapReply([
        ['k', 1],
        ['k', 2],
      ]),
      '*4\r\n$1\r\nk\r\n:1\r\n$1\r\nk\r\n:2\r\n',
      '%2\r\n$1\r\nk\r\n:1\r\n$1\r\nk\r\n:2\r\n',
    ],
    ['set', new SetReply([OK]), '*1\r\n+OK\r\n', '~1\r\n+OK\r\n'],
    ['push', new PushReply(['message']), '*1\r\n$7\r\nmessage\r\n', '>1\r\n$7\r\nmessage\r\n'],
    ['double', new Double(1.5), '$3\r\n1.5\r\n', ',1.5\r\n'],
    ['verbatim', new Verbatim('txt', 'hi'), '$2\r\nhi\r\n', '=6\r\ntxt:hi\r\n'],
    ['status', new Status('a\r\nb'), '+a  b\r\n', '+a  b\r\n'],
    ['error', new ErrorReply('ERR a\nb'), '-ERR a b\r\n', '-ERR a b\r\n'],
    ['raw', new Raw('+x\r\n'), '+x\r\n', '+x\r\n'],
    ['nothing', NO_REPLY, '', ''],
  ])('%s', (_name, reply, resp2, resp3) => {
    expect(encodeReply(reply, 2)).toBe(resp2);
    expect(encodeReply(reply, 3)).toBe(resp3);
  });

  test('refuses numbers that are no exact integers', () => {
    expect(() => encodeReply(1.5, 2)).toThrow(RangeError);
    expect(() => encodeReply(2 ** 53, 2)).toThrow(RangeError);
    expect(() => new Verbatim('text', '')).toThrow(RangeError);
  });

  test('an error knows its code', () => {
    expect(new ErrorReply('WRONGTYPE Operation against a key').code).toBe('WRONGTYPE');
    expect(new ErrorReply('LOADING').code).toBe('LOADING');
  });
});

// What Valkey 9.1.2 answers to ZSCORE after ZADD with these scores (but for -0 and nan, which are no scores).
test.each<[number, string]>([
  [0, '0'],
  [-0, '-0'],
  [3, '3'],
  [-17, '-17'],
  [0.1, '0.1'],
  [-1.25, '-1.25'],
  [123456.789, '123456.789'],
  [1e15, '1000000000000000'],
  [2 ** 62, '4611686018427387904'],
  [1e19, '1e+19'],
  [1e21, '1e+21'],
  [1.5e300, '1.5e+300'],
  [0.001, '0.001'],
  [0.000001, '0.000001'],
  [1e-7, '1e-7'],
  [1.5e-7, '1.5e-7'],
  [5e-324, '5e-324'],
  [1.7976931348623157e308, '1.7976931348623157e+308'],
  [Number.POSITIVE_INFINITY, 'inf'],
  [Number.NEGATIVE_INFINITY, '-inf'],
  [Number.NaN, 'nan'],
])('formatDouble(%d)', (value, text) => {
  expect(formatDouble(value)).toBe(text);
});
