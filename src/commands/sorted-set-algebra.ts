/** Sorted sets: popping, and union, intersection and difference. */

import {
  command,
  double,
  group,
  integer,
  key,
  keyAt,
  keysCounted,
  keysFrom,
  multiple,
  native,
  oneof,
  optional,
  token,
} from './spec.js';

export const sortedSetAlgebraCommands = group('sorted-set', [
  command('bzmpop', {
    handler: native('bzmpop'),
    summary:
      'Removes and returns a member by score from one or more sorted sets. Blocks until a member is available otherwise. Deletes the sorted set if the last element was popped.',
    since: '7.0.0',
    complexity:
      'O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted set, and M being the number of elements popped.',
    arity: -5,
    flags: ['write', 'blocking'],
    categories: ['sortedset'],
    keys: [keysCounted(2, ['RW', 'access', 'delete'])],
    getKeys: 'numkeys-at-2',
    arguments: [
      double('timeout'),
      integer('numkeys'),
      multiple(key('key', { spec: 0 })),
      oneof('where', [token('MIN'), token('MAX')]),
      optional(integer('count', { token: 'COUNT' })),
    ],
  }),

  command('bzpopmax', {
    handler: native('bzpopmax'),
    summary:
      'Removes and returns the member with the highest score from one or more sorted sets. Blocks until a member is available otherwise. Deletes the sorted set if the last element was popped.',
    since: '5.0.0',
    complexity: 'O(log(N)) with N being the number of elements in the sorted set.',
    arity: -3,
    flags: ['write', 'blocking', 'fast'],
    categories: ['sortedset'],
    keys: [keysFrom(1, ['RW', 'access', 'delete'], { last: -2 })],
    history: [['6.0.0', '`timeout` is interpreted as a double instead of an integer.']],
    arguments: [multiple(key('key', { spec: 0 })), double('timeout')],
  }),

  command('bzpopmin', {
    handler: native('bzpopmin'),
    summary:
      'Removes and returns the member with the lowest score from one or more sorted sets. Blocks until a member is available otherwise. Deletes the sorted set if the last element was popped.',
    since: '5.0.0',
    complexity: 'O(log(N)) with N being the number of elements in the sorted set.',
    arity: -3,
    flags: ['write', 'blocking', 'fast'],
    categories: ['sortedset'],
    keys: [keysFrom(1, ['RW', 'access', 'delete'], { last: -2 })],
    history: [['6.0.0', '`timeout` is interpreted as a double instead of an integer.']],
    arguments: [multiple(key('key', { spec: 0 })), double('timeout')],
  }),

  command('zdiff', {
    handler: native('zdiff'),
    summary: 'Returns the difference between multiple sorted sets.',
    since: '6.2.0',
    complexity:
      'O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the size of the first set, and K is the size of the result set.',
    arity: -3,
    flags: ['readonly'],
    categories: ['sortedset'],
    keys: [keysCounted(1, ['RO', 'access'])],
    getKeys: 'numkeys-at-1',
    arguments: [integer('numkeys'), multiple(key('key', { spec: 0 })), optional(token('WITHSCORES'))],
  }),

  command('zdiffstore', {
    handler: native('zdiffstore'),
    summary: 'Stores the difference of multiple sorted sets in a key.',
    since: '6.2.0',
    complexity:
      'O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the size of the first set, and K is the size of the result set.',
    arity: -4,
    flags: ['write', 'denyoom'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['OW', 'update']), keysCounted(2, ['RO', 'access'])],
    getKeys: 'store-at-1-numkeys-at-2',
    arguments: [key('destination', { spec: 0 }), integer('numkeys'), multiple(key('key', { spec: 1 }))],
  }),

  command('zinter', {
    handler: native('zinter'),
    summary: 'Returns the intersect of multiple sorted sets.',
    since: '6.2.0',
    complexity:
      'O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of input sorted sets and M being the number of elements in the resulting sorted set.',
    arity: -3,
    flags: ['readonly'],
    categories: ['sortedset'],
    keys: [keysCounted(1, ['RO', 'access'])],
    getKeys: 'numkeys-at-1',
    arguments: [
      integer('numkeys'),
      multiple(key('key', { spec: 0 })),
      optional(multiple(integer('weight', { token: 'WEIGHTS' }))),
      optional(oneof('aggregate', [token('SUM'), token('MIN'), token('MAX')], { token: 'AGGREGATE' })),
      optional(token('WITHSCORES')),
    ],
  }),

  command('zintercard', {
    handler: native('zintercard'),
    summary: 'Returns the number of members of the intersect of multiple sorted sets.',
    since: '7.0.0',
    complexity:
      'O(N*K) worst case with N being the smallest input sorted set, K being the number of input sorted sets.',
    arity: -3,
    flags: ['readonly'],
    categories: ['sortedset'],
    keys: [keysCounted(1, ['RO', 'access'])],
    getKeys: 'numkeys-at-1',
    arguments: [
      integer('numkeys'),
      multiple(key('key', { spec: 0 })),
      optional(integer('limit', { token: 'LIMIT' })),
    ],
  }),

  command('zinterstore', {
    handler: native('zinterstore'),
    summary: 'Stores the intersect of multiple sorted sets in a key.',
    since: '2.0.0',
    complexity:
      'O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of input sorted sets and M being the number of elements in the resulting sorted set.',
    arity: -4,
    flags: ['write', 'denyoom'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['OW', 'update']), keysCounted(2, ['RO', 'access'])],
    getKeys: 'store-at-1-numkeys-at-2',
    arguments: [
      key('destination', { spec: 0 }),
      integer('numkeys'),
      multiple(key('key', { spec: 1 })),
      optional(multiple(integer('weight', { token: 'WEIGHTS' }))),
      optional(oneof('aggregate', [token('SUM'), token('MIN'), token('MAX')], { token: 'AGGREGATE' })),
    ],
  }),

  command('zmpop', {
    handler: native('zmpop'),
    summary:
      'Returns the highest- or lowest-scoring members from one or more sorted sets after removing them. Deletes the sorted set if the last member was popped.',
    since: '7.0.0',
    complexity:
      'O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted set, and M being the number of elements popped.',
    arity: -4,
    flags: ['write'],
    categories: ['sortedset'],
    keys: [keysCounted(1, ['RW', 'access', 'delete'])],
    getKeys: 'numkeys-at-1',
    arguments: [
      integer('numkeys'),
      multiple(key('key', { spec: 0 })),
      oneof('where', [token('MIN'), token('MAX')]),
      optional(integer('count', { token: 'COUNT' })),
    ],
  }),

  command('zpopmax', {
    handler: native('zpopmax'),
    summary:
      'Returns the highest-scoring members from a sorted set after removing them. Deletes the sorted set if the last member was popped.',
    since: '5.0.0',
    complexity:
      'O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of elements popped.',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RW', 'access', 'delete'])],
    arguments: [key('key', { spec: 0 }), optional(integer('count'))],
  }),

  command('zpopmin', {
    handler: native('zpopmin'),
    summary:
      'Returns the lowest-scoring members from a sorted set after removing them. Deletes the sorted set if the last member was popped.',
    since: '5.0.0',
    complexity:
      'O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of elements popped.',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['RW', 'access', 'delete'])],
    arguments: [key('key', { spec: 0 }), optional(integer('count'))],
  }),

  command('zunion', {
    handler: native('zunion'),
    summary: 'Returns the union of multiple sorted sets.',
    since: '6.2.0',
    complexity:
      'O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, and M being the number of elements in the resulting sorted set.',
    arity: -3,
    flags: ['readonly'],
    categories: ['sortedset'],
    keys: [keysCounted(1, ['RO', 'access'])],
    getKeys: 'numkeys-at-1',
    arguments: [
      integer('numkeys'),
      multiple(key('key', { spec: 0 })),
      optional(multiple(integer('weight', { token: 'WEIGHTS' }))),
      optional(oneof('aggregate', [token('SUM'), token('MIN'), token('MAX')], { token: 'AGGREGATE' })),
      optional(token('WITHSCORES')),
    ],
  }),

  command('zunionstore', {
    handler: native('zunionstore'),
    summary: 'Stores the union of multiple sorted sets in a key.',
    since: '2.0.0',
    complexity:
      'O(N)+O(M log(M)) with N being the sum of the sizes of the input sorted sets, and M being the number of elements in the resulting sorted set.',
    arity: -4,
    flags: ['write', 'denyoom'],
    categories: ['sortedset'],
    keys: [keyAt(1, ['OW', 'update']), keysCounted(2, ['RO', 'access'])],
    getKeys: 'store-at-1-numkeys-at-2',
    arguments: [
      key('destination', { spec: 0 }),
      integer('numkeys'),
      multiple(key('key', { spec: 1 })),
      optional(multiple(integer('weight', { token: 'WEIGHTS' }))),
      optional(oneof('aggregate', [token('SUM'), token('MIN'), token('MAX')], { token: 'AGGREGATE' })),
    ],
  }),
]);
