/** The string group: 24 commands with every option, in valid and invalid combinations. */
import type { Command } from '../pair.js';
import { entry, type Group, maybe, oneOf, options, type Part, repeat } from './pattern.js';
import {
  counterKey,
  float,
  index,
  instantMilliseconds,
  instantSeconds,
  integer,
  key,
  largeKey,
  largeValue,
  span,
  value,
} from './values.js';

const expiry: readonly (readonly Part[])[] = [
  ['EX', span],
  ['PX', span],
  ['EXAT', instantSeconds],
  ['PXAT', instantMilliseconds],
];

/** MSETEX stores even what has already expired; touching the keys removes them on both sides at once. */
const touchAfter = (args: readonly string[]): Command[] =>
  args.length > 2 ? [{ args: ['EXISTS', ...args.slice(2)] }] : [];

const pairs =
  (low: number, high: number): Part =>
  (context, out) => {
    const count = context.random.int(low, high);
    const claimed = context.random.chance(0.9) ? count : context.random.int(-1, high + 1);
    out.push(
      context.random.chance(0.97) ? String(claimed) : context.random.pick(['abc', '', '2147483648', '1.0']),
    );
    repeat(count, count, key, value)(context, out);
  };

/** Offsets for SETRANGE stay small or far beyond the limit: a string of 512 MB is legal, and slow. */
const offset: Part = oneOf(
  ...Array.from({ length: 40 }, (_, i) => String(i * 4)),
  '-1',
  '536870912',
  '9223372036854775807',
  'abc',
  '',
);

export const strings: Group = {
  name: 'string',
  weight: 50,
  entries: [
    entry(14, ['GET', key]),
    entry(8, ['SET', key, value]),
    entry(12, [
      'SET',
      key,
      value,
      options(['NX'], ['XX'], ['GET'], ['KEEPTTL'], ['IFEQ', value], ...expiry, ['PERSIST'], ['BOGUS']),
    ]),
    entry(3, ['SET', counterKey, integer, options(['GET'], ['IFEQ', integer], ['KEEPTTL'])]),
    entry(2, ['SETNX', key, value]),
    entry(2, ['SETEX', key, span, value]),
    entry(2, ['PSETEX', key, span, value]),
    entry(2, ['GETSET', key, value]),
    entry(2, ['GETDEL', key]),
    entry(3, ['DELIFEQ', oneOf(key, counterKey), oneOf(value, integer)]),
    entry(5, ['GETEX', key, options(...expiry, ['PERSIST'], ['KEEPTTL'], ['NX'], ['GET'])]),
    entry(3, ['MGET', repeat(1, 8, key)]),
    entry(3, ['MSET', repeat(1, 5, key, value)]),
    entry(2, ['MSETNX', repeat(1, 3, key, value)]),
    entry(4, ['MSETEX', pairs(1, 4), options(['NX'], ['XX'], ['KEEPTTL'], ...expiry, ['GET'])], {
      follow: touchAfter,
    }),
    entry(4, ['APPEND', key, value]),
    entry(2, ['STRLEN', key]),
    entry(4, ['GETRANGE', key, index, index]),
    entry(1, ['SUBSTR', key, index, index]),
    entry(4, ['SETRANGE', key, offset, value]),
    entry(0.2, ['SETRANGE', key, '536870911', 'two bytes, one too many']),
    entry(4, ['INCR', counterKey]),
    entry(3, ['DECR', counterKey]),
    entry(5, ['INCRBY', counterKey, integer]),
    entry(4, ['DECRBY', counterKey, integer]),
    entry(6, ['INCRBYFLOAT', counterKey, oneOf(float, integer)]),
    entry(2, ['SET', counterKey, float]),
    entry(5, [
      'LCS',
      key,
      key,
      options(['LEN'], ['IDX'], ['IDX', 'MINMATCHLEN', index], ['WITHMATCHLEN'], ['MINMATCHLEN', '3']),
    ]),
    entry(0.1, ['SET', largeKey, largeValue, maybe(0.1, 'GET')]),
    entry(0.05, ['APPEND', largeKey, largeValue]),
    entry(0.1, ['GETRANGE', largeKey, oneOf(index, '4000'), oneOf(index, '60000')]),
    entry(0.05, ['SETRANGE', largeKey, oneOf('0', '1000', '70000', '600000'), value]),
    entry(0.1, ['GET', largeKey]),
    entry(0.1, ['STRLEN', largeKey]),
    entry(0.3, ['DEL', largeKey]),
  ],
};
