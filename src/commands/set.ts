/** Sets. */

import {
  command,
  group,
  integer,
  key,
  keyAt,
  keysCounted,
  keysFrom,
  multiple,
  optional,
  pattern,
  string,
} from './spec.js';

export const setCommands = group('set', [
  command('sadd', {
    summary: "Adds one or more members to a set. Creates the key if it doesn't exist.",
    since: '1.0.0',
    complexity:
      'O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['set'],
    keys: [keyAt(1, ['RW', 'insert'])],
    history: [['2.4.0', 'Accepts multiple `member` arguments.']],
    arguments: [key('key', { spec: 0 }), multiple(string('member'))],
  }),

  command('scard', {
    summary: 'Returns the number of members in a set.',
    since: '1.0.0',
    complexity: 'O(1)',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['set'],
    keys: [keyAt(1, ['RO'])],
    arguments: [key('key', { spec: 0 })],
  }),

  command('sdiff', {
    summary: 'Returns the difference of multiple sets.',
    since: '1.0.0',
    complexity: 'O(N) where N is the total number of elements in all given sets.',
    arity: -2,
    flags: ['readonly'],
    categories: ['set'],
    tips: ['nondeterministic_output_order'],
    keys: [keysFrom(1, ['RO', 'access'], { last: -1 })],
    arguments: [multiple(key('key', { spec: 0 }))],
  }),

  command('sdiffstore', {
    summary: 'Stores the difference of multiple sets in a key.',
    since: '1.0.0',
    complexity: 'O(N) where N is the total number of elements in all given sets.',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['set'],
    keys: [keyAt(1, ['OW', 'update']), keysFrom(2, ['RO', 'access'], { last: -1 })],
    arguments: [key('destination', { spec: 0 }), multiple(key('key', { spec: 1 }))],
  }),

  command('sinter', {
    summary: 'Returns the intersect of multiple sets.',
    since: '1.0.0',
    complexity:
      'O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.',
    arity: -2,
    flags: ['readonly'],
    categories: ['set'],
    tips: ['nondeterministic_output_order'],
    keys: [keysFrom(1, ['RO', 'access'], { last: -1 })],
    arguments: [multiple(key('key', { spec: 0 }))],
  }),

  command('sintercard', {
    summary: 'Returns the number of members of the intersect of multiple sets.',
    since: '7.0.0',
    complexity:
      'O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.',
    arity: -3,
    flags: ['readonly'],
    categories: ['set'],
    keys: [keysCounted(1, ['RO', 'access'])],
    getKeys: 'numkeys-at-1',
    arguments: [
      integer('numkeys'),
      multiple(key('key', { spec: 0 })),
      optional(integer('limit', { token: 'LIMIT' })),
    ],
  }),

  command('sinterstore', {
    summary: 'Stores the intersect of multiple sets in a key.',
    since: '1.0.0',
    complexity:
      'O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['set'],
    keys: [keyAt(1, ['OW', 'update']), keysFrom(2, ['RO', 'access'], { last: -1 })],
    arguments: [key('destination', { spec: 0 }), multiple(key('key', { spec: 1 }))],
  }),

  command('sismember', {
    summary: 'Determines whether a member belongs to a set.',
    since: '1.0.0',
    complexity: 'O(1)',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['set'],
    keys: [keyAt(1, ['RO'])],
    arguments: [key('key', { spec: 0 }), string('member')],
  }),

  command('smembers', {
    summary: 'Returns all members of a set.',
    since: '1.0.0',
    complexity: 'O(N) where N is the set cardinality.',
    arity: 2,
    flags: ['readonly'],
    categories: ['set'],
    tips: ['nondeterministic_output_order'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 })],
  }),

  command('smismember', {
    summary: 'Determines whether multiple members belong to a set.',
    since: '6.2.0',
    complexity: 'O(N) where N is the number of elements being checked for membership',
    arity: -3,
    flags: ['readonly', 'fast'],
    categories: ['set'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 }), multiple(string('member'))],
  }),

  command('smove', {
    summary: 'Moves a member from one set to another.',
    since: '1.0.0',
    complexity: 'O(1)',
    arity: 4,
    flags: ['write', 'fast'],
    categories: ['set'],
    keys: [keyAt(1, ['RW', 'access', 'delete']), keyAt(2, ['RW', 'insert'])],
    arguments: [key('source', { spec: 0 }), key('destination', { spec: 1 }), string('member')],
  }),

  command('spop', {
    summary:
      'Returns one or more random members from a set after removing them. Deletes the set if the last member was popped.',
    since: '1.0.0',
    complexity: 'Without the count argument O(1), otherwise O(N) where N is the value of the passed count.',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['set'],
    tips: ['nondeterministic_output'],
    keys: [keyAt(1, ['RW', 'access', 'delete'])],
    history: [['3.2.0', 'Added the `count` argument.']],
    arguments: [key('key', { spec: 0 }), optional(integer('count', { since: '3.2.0' }))],
  }),

  command('srandmember', {
    summary: 'Gets one or multiple random members from a set.',
    since: '1.0.0',
    complexity:
      'Without the count argument O(1), otherwise O(N) where N is the absolute value of the passed count.',
    arity: -2,
    flags: ['readonly'],
    categories: ['set'],
    tips: ['nondeterministic_output'],
    keys: [keyAt(1, ['RO', 'access'])],
    history: [['2.6.0', 'Added the optional `count` argument.']],
    arguments: [key('key', { spec: 0 }), optional(integer('count', { since: '2.6.0' }))],
  }),

  command('srem', {
    summary: 'Removes one or more members from a set. Deletes the set if the last member was removed.',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of members to be removed.',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['set'],
    keys: [keyAt(1, ['RW', 'delete'])],
    history: [['2.4.0', 'Accepts multiple `member` arguments.']],
    arguments: [key('key', { spec: 0 }), multiple(string('member'))],
  }),

  command('sscan', {
    summary: 'Iterates over members of a set.',
    since: '2.8.0',
    complexity:
      'O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.',
    arity: -3,
    flags: ['readonly'],
    categories: ['set'],
    tips: ['nondeterministic_output'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [
      key('key', { spec: 0 }),
      integer('cursor'),
      optional(pattern('pattern', { token: 'MATCH' })),
      optional(integer('count', { token: 'COUNT' })),
    ],
  }),

  command('sunion', {
    summary: 'Returns the union of multiple sets.',
    since: '1.0.0',
    complexity: 'O(N) where N is the total number of elements in all given sets.',
    arity: -2,
    flags: ['readonly'],
    categories: ['set'],
    tips: ['nondeterministic_output_order'],
    keys: [keysFrom(1, ['RO', 'access'], { last: -1 })],
    arguments: [multiple(key('key', { spec: 0 }))],
  }),

  command('sunionstore', {
    summary: 'Stores the union of multiple sets in a key.',
    since: '1.0.0',
    complexity: 'O(N) where N is the total number of elements in all given sets.',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['set'],
    keys: [keyAt(1, ['OW', 'update']), keysFrom(2, ['RO', 'access'], { last: -1 })],
    arguments: [key('destination', { spec: 0 }), multiple(key('key', { spec: 1 }))],
  }),
]);
