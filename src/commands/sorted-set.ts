/** Sorted sets, without popping and set algebra. */

import {
  block,
  command,
  double,
  group,
  integer,
  key,
  keyAt,
  multiple,
  native,
  oneof,
  optional,
  pattern,
  string,
  token,
} from './spec.js';

export const sortedSetCommands = group('sorted-set', [
  command('zadd', {
    handler: native('zadd', { element: 3 }),
    summary:
      "Adds one or more members to a sorted set, or updates their scores. Creates the key if it doesn't exist.",
    since: '1.2.0',
    complexity: 'O(log(N)) for each item added, where N is the number of elements in the sorted set.',
    arity: -4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RW', 'update'])],
    history: [
      ['2.4.0', 'Accepts multiple elements.'],
      ['3.0.2', 'Added the `XX`, `NX`, `CH` and `INCR` options.'],
      ['6.2.0', 'Added the `GT` and `LT` options.'],
    ],
    arguments: [
      key('key', { spec: 0 }),
      optional(oneof('condition', [token('NX'), token('XX')], { since: '3.0.2' })),
      optional(oneof('comparison', [token('GT'), token('LT')], { since: '6.2.0' })),
      optional(token('CH', { name: 'change', since: '3.0.2' })),
      optional(token('INCR', { name: 'increment', since: '3.0.2' })),
      multiple(block('data', [double('score'), string('member')])),
    ],
  }),

  command('zcard', {
    handler: native('zcard'),
    summary: 'Returns the number of members in a sorted set.',
    since: '1.2.0',
    complexity: 'O(1)',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RO'])],
    arguments: [key('key', { spec: 0 })],
  }),

  command('zcount', {
    handler: native('zcount'),
    summary: 'Returns the count of members in a sorted set that have scores within a range.',
    since: '2.0.0',
    complexity: 'O(log(N)) with N being the number of elements in the sorted set.',
    arity: 4,
    flags: ['readonly', 'fast'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 }), double('min'), double('max')],
  }),

  command('zincrby', {
    handler: native('zincrby', { element: 3 }),
    summary: 'Increments the score of a member in a sorted set.',
    since: '1.2.0',
    complexity: 'O(log(N)) where N is the number of elements in the sorted set.',
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RW', 'access', 'update'])],
    arguments: [key('key', { spec: 0 }), integer('increment'), string('member')],
  }),

  command('zlexcount', {
    handler: native('zlexcount'),
    summary: 'Returns the number of members in a sorted set within a lexicographical range.',
    since: '2.8.9',
    complexity: 'O(log(N)) with N being the number of elements in the sorted set.',
    arity: 4,
    flags: ['readonly', 'fast'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 }), string('min'), string('max')],
  }),

  command('zmscore', {
    handler: native('zmscore', { element: 2 }),
    summary: 'Returns the score of one or more members in a sorted set.',
    since: '6.2.0',
    complexity: 'O(N) where N is the number of members being requested.',
    arity: -3,
    flags: ['readonly', 'fast'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 }), multiple(string('member'))],
  }),

  command('zrandmember', {
    handler: native('zrandmember'),
    summary: 'Returns one or more random members from a sorted set.',
    since: '6.2.0',
    complexity: 'O(N) where N is the number of members returned',
    arity: -2,
    flags: ['readonly'],
    categories: ['sortedset'],
    tips: ['nondeterministic_output'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [
      key('key', { spec: 0 }),
      optional(block('options', [integer('count'), optional(token('WITHSCORES'))])),
    ],
  }),

  command('zrange', {
    handler: native('zrange'),
    summary: 'Returns members in a sorted set within a range of indexes.',
    since: '1.2.0',
    complexity:
      'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements returned.',
    arity: -4,
    flags: ['readonly'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RO', 'access'])],
    history: [['6.2.0', 'Added the `REV`, `BYSCORE`, `BYLEX` and `LIMIT` options.']],
    arguments: [
      key('key', { spec: 0 }),
      string('start'),
      string('stop'),
      optional(oneof('sortby', [token('BYSCORE'), token('BYLEX')], { since: '6.2.0' })),
      optional(token('REV', { since: '6.2.0' })),
      optional(block('limit', [integer('offset'), integer('count')], { token: 'LIMIT', since: '6.2.0' })),
      optional(token('WITHSCORES')),
    ],
  }),

  command('zrangebylex', {
    handler: native('zrangebylex'),
    summary: 'Returns members in a sorted set within a lexicographical range.',
    since: '2.8.9',
    complexity:
      'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).',
    arity: -4,
    flags: ['readonly'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [
      key('key', { spec: 0 }),
      string('min'),
      string('max'),
      optional(block('limit', [integer('offset'), integer('count')], { token: 'LIMIT' })),
    ],
  }),

  command('zrangebyscore', {
    handler: native('zrangebyscore'),
    summary: 'Returns members in a sorted set within a range of scores.',
    since: '1.0.5',
    complexity:
      'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).',
    arity: -4,
    flags: ['readonly'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RO', 'access'])],
    history: [['2.0.0', 'Added the `WITHSCORES` modifier.']],
    arguments: [
      key('key', { spec: 0 }),
      double('min'),
      double('max'),
      optional(token('WITHSCORES', { since: '2.0.0' })),
      optional(block('limit', [integer('offset'), integer('count')], { token: 'LIMIT' })),
    ],
  }),

  command('zrangestore', {
    handler: native('zrangestore'),
    summary: 'Stores a range of members from sorted set in a key.',
    since: '6.2.0',
    complexity:
      'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements stored into the destination key.',
    arity: -5,
    flags: ['write', 'denyoom'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['OW', 'update']), keyAt(2, ['RO', 'access'])],
    arguments: [
      key('dst', { spec: 0 }),
      key('src', { spec: 1 }),
      string('min'),
      string('max'),
      optional(oneof('sortby', [token('BYSCORE'), token('BYLEX')])),
      optional(token('REV')),
      optional(block('limit', [integer('offset'), integer('count')], { token: 'LIMIT' })),
    ],
  }),

  command('zrank', {
    handler: native('zrank', { element: 2 }),
    summary: 'Returns the index of a member in a sorted set ordered by ascending scores.',
    since: '2.0.0',
    complexity: 'O(log(N))',
    arity: -3,
    flags: ['readonly', 'fast'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RO', 'access'])],
    history: [['7.2.0', 'Added the optional `WITHSCORE` argument.']],
    arguments: [key('key', { spec: 0 }), string('member'), optional(token('WITHSCORE'))],
  }),

  command('zrem', {
    handler: native('zrem', { element: 2 }),
    summary:
      'Removes one or more members from a sorted set. Deletes the sorted set if all members were removed.',
    since: '1.2.0',
    complexity:
      'O(M*log(N)) with N being the number of elements in the sorted set and M the number of elements to be removed.',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RW', 'delete'])],
    history: [['2.4.0', 'Accepts multiple elements.']],
    arguments: [key('key', { spec: 0 }), multiple(string('member'))],
  }),

  command('zremrangebylex', {
    handler: native('zremrangebylex'),
    summary:
      'Removes members in a sorted set within a lexicographical range. Deletes the sorted set if all members were removed.',
    since: '2.8.9',
    complexity:
      'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation.',
    arity: 4,
    flags: ['write'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RW', 'delete'])],
    arguments: [key('key', { spec: 0 }), string('min'), string('max')],
  }),

  command('zremrangebyrank', {
    handler: native('zremrangebyrank'),
    summary:
      'Removes members in a sorted set within a range of indexes. Deletes the sorted set if all members were removed.',
    since: '2.0.0',
    complexity:
      'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation.',
    arity: 4,
    flags: ['write'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RW', 'delete'])],
    arguments: [key('key', { spec: 0 }), integer('start'), integer('stop')],
  }),

  command('zremrangebyscore', {
    handler: native('zremrangebyscore'),
    summary:
      'Removes members in a sorted set within a range of scores. Deletes the sorted set if all members were removed.',
    since: '1.2.0',
    complexity:
      'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation.',
    arity: 4,
    flags: ['write'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RW', 'delete'])],
    arguments: [key('key', { spec: 0 }), double('min'), double('max')],
  }),

  command('zrevrange', {
    handler: native('zrevrange'),
    summary: 'Returns members in a sorted set within a range of indexes in reverse order.',
    since: '1.2.0',
    complexity:
      'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements returned.',
    arity: -4,
    flags: ['readonly'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 }), integer('start'), integer('stop'), optional(token('WITHSCORES'))],
  }),

  command('zrevrangebylex', {
    handler: native('zrevrangebylex'),
    summary: 'Returns members in a sorted set within a lexicographical range in reverse order.',
    since: '2.8.9',
    complexity:
      'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).',
    arity: -4,
    flags: ['readonly'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [
      key('key', { spec: 0 }),
      string('max'),
      string('min'),
      optional(block('limit', [integer('offset'), integer('count')], { token: 'LIMIT' })),
    ],
  }),

  command('zrevrangebyscore', {
    handler: native('zrevrangebyscore'),
    summary: 'Returns members in a sorted set within a range of scores in reverse order.',
    since: '2.2.0',
    complexity:
      'O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).',
    arity: -4,
    flags: ['readonly'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RO', 'access'])],
    history: [['2.1.6', '`min` and `max` can be exclusive.']],
    arguments: [
      key('key', { spec: 0 }),
      double('max'),
      double('min'),
      optional(token('WITHSCORES')),
      optional(block('limit', [integer('offset'), integer('count')], { token: 'LIMIT' })),
    ],
  }),

  command('zrevrank', {
    handler: native('zrevrank', { element: 2 }),
    summary: 'Returns the index of a member in a sorted set ordered by descending scores.',
    since: '2.0.0',
    complexity: 'O(log(N))',
    arity: -3,
    flags: ['readonly', 'fast'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RO', 'access'])],
    history: [['7.2.0', 'Added the optional `WITHSCORE` argument.']],
    arguments: [key('key', { spec: 0 }), string('member'), optional(token('WITHSCORE'))],
  }),

  command('zscan', {
    handler: native('zscan'),
    summary: 'Iterates over members and scores of a sorted set.',
    since: '2.8.0',
    complexity:
      'O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.',
    arity: -3,
    flags: ['readonly'],
    categories: ['sortedset'],
    tips: ['nondeterministic_output'],
    keys: [keyAt(1, ['RO', 'access'])],
    history: [['8.0.0', 'Added noscores option.']],
    arguments: [
      key('key', { spec: 0 }),
      integer('cursor'),
      optional(pattern('pattern', { token: 'MATCH' })),
      optional(integer('count', { token: 'COUNT' })),
      optional(token('NOSCORES')),
    ],
  }),

  command('zscore', {
    handler: native('zscore', { element: 2 }),
    summary: 'Returns the score of a member in a sorted set.',
    since: '1.2.0',
    complexity: 'O(1)',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 }), string('member')],
  }),
]);
