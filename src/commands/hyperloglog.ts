/** HyperLogLog (strings that count distinct elements). */

import { command, group, key, keyAt, keysFrom, multiple, native, optional, string } from './spec.js';

export const hyperloglogCommands = group('hyperloglog', [
  command('pfadd', {
    summary: "Adds elements to a HyperLogLog key. Creates the key if it doesn't exist.",
    since: '2.8.9',
    complexity: 'O(1) to add every element.',
    arity: -2,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['hyperloglog'],
    keys: [keyAt(1, ['RW', 'insert'])],
    arguments: [key('key', { spec: 0 }), optional(multiple(string('element')))],
    handler: native('pfadd'),
  }),

  command('pfcount', {
    summary: 'Returns the approximated cardinality of the set(s) observed by the HyperLogLog key(s).',
    since: '2.8.9',
    complexity:
      'O(1) with a very small average constant time when called with a single key. O(N) with N being the number of keys, and much bigger constant times, when called with multiple keys.',
    arity: -2,
    flags: ['readonly', 'may_replicate'],
    categories: ['hyperloglog'],
    keys: [
      keysFrom(1, ['RW', 'access'], {
        last: -1,
        notes: 'RW because it may change the internal representation of the key, and propagate to replicas',
      }),
    ],
    arguments: [multiple(key('key', { spec: 0 }))],
    handler: native('pfcount'),
  }),

  command('pfdebug', {
    summary: 'Internal commands for debugging HyperLogLog values.',
    since: '2.8.9',
    complexity: 'N/A',
    arity: 3,
    flags: ['write', 'denyoom', 'admin'],
    categories: ['hyperloglog'],
    keys: [keyAt(2, ['RW', 'access'])],
    docFlags: ['syscmd'],
    arguments: [string('subcommand'), key('key', { spec: 0 })],
    handler: native('pfdebug'),
  }),

  command('pfmerge', {
    summary: 'Merges one or more HyperLogLog values into a single key.',
    since: '2.8.9',
    complexity: 'O(N) to merge N HyperLogLogs, but with high constant times.',
    arity: -2,
    flags: ['write', 'denyoom'],
    categories: ['hyperloglog'],
    keys: [keyAt(1, ['RW', 'access', 'insert']), keysFrom(2, ['RO', 'access'], { last: -1 })],
    arguments: [key('destkey', { spec: 0 }), optional(multiple(key('sourcekey', { spec: 1 })))],
    handler: native('pfmerge'),
  }),

  command('pfselftest', {
    summary: 'An internal command for testing HyperLogLog values.',
    since: '2.8.9',
    complexity: 'N/A',
    arity: 1,
    flags: ['admin'],
    categories: ['hyperloglog'],
    docFlags: ['syscmd'],
    handler: native('pfselftest'),
  }),
]);
