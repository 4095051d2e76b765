/** Hashes, without field expiry. */

import {
  block,
  command,
  double,
  group,
  integer,
  key,
  keyAt,
  multiple,
  optional,
  pattern,
  string,
  token,
} from './spec.js';

export const hashCommands = group('hash', [
  command('hdel', {
    summary: 'Deletes one or more fields and their values from a hash. Deletes the hash if no fields remain.',
    since: '2.0.0',
    complexity: 'O(N) where N is the number of fields to be removed.',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RW', 'delete'])],
    history: [['2.4.0', 'Accepts multiple `field` arguments.']],
    arguments: [key('key', { spec: 0 }), multiple(string('field'))],
  }),

  command('hexists', {
    summary: 'Determines whether a field exists in a hash.',
    since: '2.0.0',
    complexity: 'O(1)',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RO'])],
    arguments: [key('key', { spec: 0 }), string('field')],
  }),

  command('hget', {
    summary: 'Returns the value of a field in a hash.',
    since: '2.0.0',
    complexity: 'O(1)',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 }), string('field')],
  }),

  command('hgetall', {
    summary: 'Returns all fields and values in a hash.',
    since: '2.0.0',
    complexity: 'O(N) where N is the size of the hash.',
    arity: 2,
    flags: ['readonly'],
    categories: ['hash'],
    tips: ['nondeterministic_output_order'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 })],
  }),

  command('hgetdel', {
    summary: 'Returns the values of one or more fields and deletes them from a hash.',
    since: '9.1.0',
    complexity: 'O(N) where N is the number of fields to be retrieved and deleted.',
    arity: -5,
    flags: ['write', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RW', 'access', 'delete'])],
    arguments: [
      key('key', { spec: 0 }),
      block('fields', [integer('numfields', { spec: 0 }), multiple(string('field'))], { token: 'FIELDS' }),
    ],
  }),

  command('hincrby', {
    summary:
      "Increments the integer value of a field in a hash by a number. Uses 0 as initial value if the field doesn't exist.",
    since: '2.0.0',
    complexity: 'O(1)',
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RW', 'access', 'update'])],
    arguments: [key('key', { spec: 0 }), string('field'), integer('increment')],
  }),

  command('hincrbyfloat', {
    summary:
      "Increments the floating point value of a field by a number. Uses 0 as initial value if the field doesn't exist.",
    since: '2.6.0',
    complexity: 'O(1)',
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RW', 'access', 'update'])],
    arguments: [key('key', { spec: 0 }), string('field'), double('increment')],
  }),

  command('hkeys', {
    summary: 'Returns all fields in a hash.',
    since: '2.0.0',
    complexity: 'O(N) where N is the size of the hash.',
    arity: 2,
    flags: ['readonly'],
    categories: ['hash'],
    tips: ['nondeterministic_output_order'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 })],
  }),

  command('hlen', {
    summary: 'Returns the number of fields in a hash.',
    since: '2.0.0',
    complexity: 'O(1)',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RO'])],
    arguments: [key('key', { spec: 0 })],
  }),

  command('hmget', {
    summary: 'Returns the values of all fields in a hash.',
    since: '2.0.0',
    complexity: 'O(N) where N is the number of fields being requested.',
    arity: -3,
    flags: ['readonly', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 }), multiple(string('field'))],
  }),

  command('hmset', {
    summary: 'Sets the values of multiple fields.',
    since: '2.0.0',
    complexity: 'O(N) where N is the number of fields being set.',
    arity: -4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RW', 'update'])],
    arguments: [key('key', { spec: 0 }), multiple(block('data', [string('field'), string('value')]))],
  }),

  command('hrandfield', {
    summary: 'Returns one or more random fields from a hash.',
    since: '6.2.0',
    complexity: 'O(N) where N is the number of fields returned',
    arity: -2,
    flags: ['readonly'],
    categories: ['hash'],
    tips: ['nondeterministic_output'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [
      key('key', { spec: 0 }),
      optional(block('options', [integer('count'), optional(token('WITHVALUES'))])),
    ],
  }),

  command('hscan', {
    summary: 'Iterates over fields and values of a hash.',
    since: '2.8.0',
    complexity:
      'O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.',
    arity: -3,
    flags: ['readonly'],
    categories: ['hash'],
    tips: ['nondeterministic_output'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [
      key('key', { spec: 0 }),
      integer('cursor'),
      optional(pattern('pattern', { token: 'MATCH' })),
      optional(integer('count', { token: 'COUNT' })),
      optional(token('NOVALUES')),
    ],
  }),

  command('hset', {
    summary: 'Creates or modifies the value of a field in a hash.',
    since: '2.0.0',
    complexity:
      'O(1) for each field/value pair added, so O(N) to add N field/value pairs when the command is called with multiple field/value pairs.',
    arity: -4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RW', 'update'])],
    history: [['4.0.0', 'Accepts multiple `field` and `value` arguments.']],
    arguments: [key('key', { spec: 0 }), multiple(block('data', [string('field'), string('value')]))],
  }),

  command('hsetnx', {
    summary: "Sets the value of a field in a hash only when the field doesn't exist.",
    since: '2.0.0',
    complexity: 'O(1)',
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RW', 'insert'])],
    arguments: [key('key', { spec: 0 }), string('field'), string('value')],
  }),

  command('hstrlen', {
    summary: 'Returns the length of the value of a field.',
    since: '3.2.0',
    complexity: 'O(1)',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RO'])],
    arguments: [key('key', { spec: 0 }), string('field')],
  }),

  command('hvals', {
    summary: 'Returns all values in a hash.',
    since: '2.0.0',
    complexity: 'O(N) where N is the size of the hash.',
    arity: 2,
    flags: ['readonly'],
    categories: ['hash'],
    tips: ['nondeterministic_output_order'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 })],
  }),
]);
