/** Expiry of hash fields. */

import {
  block,
  command,
  group,
  integer,
  key,
  keyAt,
  multiple,
  native,
  oneof,
  optional,
  string,
  token,
  unixTime,
} from './spec.js';

export const hashExpiryCommands = group('hash', [
  command('hexpire', {
    summary: 'Sets expiry time on hash fields.',
    since: '9.0.0',
    complexity: 'O(N) where N is the number of specified fields.',
    arity: -6,
    flags: ['write', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RW', 'update'])],
    arguments: [
      key('key', { spec: 0 }),
      integer('seconds'),
      optional(oneof('condition', [token('NX'), token('XX'), token('GT'), token('LT')])),
      block('fields', [integer('numfields'), multiple(string('field'))], { token: 'FIELDS' }),
    ],
    handler: native('hexpire'),
  }),

  command('hexpireat', {
    summary: 'Sets expiry time on hash fields.',
    since: '9.0.0',
    complexity: 'O(N) where N is the number of specified fields.',
    arity: -6,
    flags: ['write', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RW', 'update'])],
    arguments: [
      key('key', { spec: 0 }),
      integer('unix-time-seconds'),
      optional(oneof('condition', [token('NX'), token('XX'), token('GT'), token('LT')], { since: '9.0.0' })),
      block('fields', [integer('numfields', { spec: 0 }), multiple(string('field'))], { token: 'FIELDS' }),
    ],
    handler: native('hexpireat'),
  }),

  command('hexpiretime', {
    summary:
      "Returns Unix timestamps in seconds since the epoch at which the given key's field(s) will expire.",
    since: '9.0.0',
    complexity: 'O(N) where N is the number of specified fields.',
    arity: -5,
    flags: ['readonly', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [
      key('key', { spec: 0 }),
      block('fields', [integer('numfields', { spec: 0 }), multiple(string('field'))], { token: 'FIELDS' }),
    ],
    handler: native('hexpiretime'),
  }),

  command('hgetex', {
    summary:
      'Gets the value of one or more fields of a given hash key, and optionally sets their expiration time or time-to-live (TTL).',
    since: '9.0.0',
    complexity: 'O(N) where N is the number of specified fields.',
    arity: -5,
    flags: ['write', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RW', 'access', 'update'])],
    arguments: [
      key('key', { spec: 0 }),
      optional(
        oneof('expiration', [
          integer('seconds', { token: 'EX' }),
          integer('milliseconds', { token: 'PX' }),
          unixTime('unix-time-seconds', { token: 'EXAT' }),
          unixTime('unix-time-milliseconds', { token: 'PXAT' }),
          token('PERSIST'),
        ]),
      ),
      block('fields', [integer('numfields', { spec: 0 }), multiple(string('field'))], { token: 'FIELDS' }),
    ],
    handler: native('hgetex'),
  }),

  command('hpersist', {
    summary: "Remove the existing expiration on a hash key's field(s).",
    since: '9.0.0',
    complexity: 'O(N) where N is the number of specified fields.',
    arity: -5,
    flags: ['write', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RW', 'update'])],
    arguments: [
      key('key', { spec: 0 }),
      block('fields', [integer('numfields', { spec: 0 }), multiple(string('field'))], { token: 'FIELDS' }),
    ],
    handler: native('hpersist'),
  }),

  command('hpexpire', {
    summary: 'Sets expiry time on hash object.',
    since: '9.0.0',
    complexity: 'O(N) where N is the number of specified fields.',
    arity: -6,
    flags: ['write', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RW', 'update'])],
    arguments: [
      key('key', { spec: 0 }),
      integer('milliseconds'),
      optional(oneof('condition', [token('NX'), token('XX'), token('GT'), token('LT')], { since: '9.0.0' })),
      block('fields', [integer('numfields', { spec: 0 }), multiple(string('field'))], { token: 'FIELDS' }),
    ],
    handler: native('hpexpire'),
  }),

  command('hpexpireat', {
    summary: 'Sets expiration time on hash field.',
    since: '9.0.0',
    complexity: 'O(N) where N is the number of specified fields.',
    arity: -6,
    flags: ['write', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RW', 'update'])],
    arguments: [
      key('key', { spec: 0 }),
      integer('unix-time-milliseconds'),
      optional(oneof('condition', [token('NX'), token('XX'), token('GT'), token('LT')], { since: '9.0.0' })),
      block('fields', [integer('numfields', { spec: 0 }), multiple(string('field'))], { token: 'FIELDS' }),
    ],
    handler: native('hpexpireat'),
  }),

  command('hpexpiretime', {
    summary:
      "Returns the Unix timestamp in milliseconds since Unix epoch at which the given key's field(s) will expire.",
    since: '9.0.0',
    complexity: 'O(N) where N is the number of specified fields.',
    arity: -5,
    flags: ['readonly', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [
      key('key', { spec: 0 }),
      block('fields', [integer('numfields', { spec: 0 }), multiple(string('field'))], { token: 'FIELDS' }),
    ],
    handler: native('hpexpiretime'),
  }),

  command('hpttl', {
    summary:
      "Returns the remaining time to live in milliseconds of a hash key's field(s) that have an associated expiration.",
    since: '9.0.0',
    complexity: 'O(N) where N is the number of specified fields.',
    arity: -5,
    flags: ['readonly', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [
      key('key', { spec: 0 }),
      block('fields', [integer('numfields', { spec: 0 }), multiple(string('field'))], { token: 'FIELDS' }),
    ],
    handler: native('hpttl'),
  }),

  command('hsetex', {
    summary:
      'Sets the value of one or more fields of a given hash key, and optionally sets their expiration time.',
    since: '9.0.0',
    complexity: 'O(N) where N is the number of specified fields.',
    arity: -6,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RW', 'insert'])],
    arguments: [
      key('key', { spec: 0 }),
      optional(oneof('key-condition', [token('NX'), token('XX')])),
      optional(oneof('fields-condition', [token('FNX'), token('FXX')])),
      optional(
        oneof('expiration', [
          integer('seconds', { token: 'EX' }),
          integer('milliseconds', { token: 'PX' }),
          unixTime('unix-time-seconds', { token: 'EXAT' }),
          unixTime('unix-time-milliseconds', { token: 'PXAT' }),
          token('KEEPTTL'),
        ]),
      ),
      block(
        'fields',
        [integer('numfields', { spec: 0 }), multiple(block('data', [string('field'), string('value')]))],
        { token: 'FIELDS' },
      ),
    ],
    handler: native('hsetex'),
  }),

  command('httl', {
    summary:
      "Returns the remaining time to live (in seconds) of a hash key's field(s) that have an associated expiration.",
    since: '9.0.0',
    complexity: 'O(N) where N is the number of specified fields.',
    arity: -5,
    flags: ['readonly', 'fast'],
    categories: ['hash'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [
      key('key', { spec: 0 }),
      block('fields', [integer('numfields', { spec: 0 }), multiple(string('field'))], { token: 'FIELDS' }),
    ],
    handler: native('httl'),
  }),
]);
