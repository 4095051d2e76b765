/** Strings. */

import {
  block,
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
  string,
  token,
  unixTime,
} from './spec.js';

export const stringCommands = group('string', [
  command('append', {
    summary: "Appends a string to the value of a key. Creates the key if it doesn't exist.",
    since: '2.0.0',
    complexity:
      'O(1). The amortized time complexity is O(1) assuming the appended value is small and the already present value is of any size, since the dynamic string library used by the server will double the free space available on every reallocation.',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['string'],
    keys: [keyAt(1, ['RW', 'insert'])],
    arguments: [key('key', { spec: 0 }), string('value')],
    handler: native('append'),
  }),

  command('decr', {
    summary:
      "Decrements the integer value of a key by one. Uses 0 as initial value if the key doesn't exist.",
    since: '1.0.0',
    complexity: 'O(1)',
    arity: 2,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['string'],
    keys: [keyAt(1, ['RW', 'access', 'update'])],
    arguments: [key('key', { spec: 0 })],
    handler: native('decr'),
  }),

  command('decrby', {
    summary:
      "Decrements the integer value of a key by a number. Uses 0 as initial value if the key doesn't exist.",
    since: '1.0.0',
    complexity: 'O(1)',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['string'],
    keys: [keyAt(1, ['RW', 'access', 'update'])],
    arguments: [key('key', { spec: 0 }), integer('decrement')],
    handler: native('decrby'),
  }),

  command('delifeq', {
    summary: 'Delete key if value matches string.',
    since: '9.0.0',
    complexity: 'O(1)',
    arity: 3,
    flags: ['write', 'fast'],
    categories: ['string'],
    keys: [keyAt(1, ['RM', 'delete'])],
    arguments: [key('key', { spec: 0 }), string('value')],
    handler: native('delifeq'),
  }),

  command('get', {
    summary: 'Returns the string value of a key.',
    since: '1.0.0',
    complexity: 'O(1)',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['string'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 })],
    handler: native('get'),
  }),

  command('getdel', {
    summary: 'Returns the string value of a key after deleting the key.',
    since: '6.2.0',
    complexity: 'O(1)',
    arity: 2,
    flags: ['write', 'fast'],
    categories: ['string'],
    keys: [keyAt(1, ['RW', 'access', 'delete'])],
    arguments: [key('key', { spec: 0 })],
    handler: native('getdel'),
  }),

  command('getex', {
    summary: 'Returns the string value of a key after setting its expiration time.',
    since: '6.2.0',
    complexity: 'O(1)',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['string'],
    keys: [keyAt(1, ['RW', 'access', 'update'], 'RW and UPDATE because it changes the TTL')],
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
    ],
    handler: native('getex'),
  }),

  command('getrange', {
    summary: 'Returns a substring of the string stored at a key.',
    since: '2.4.0',
    complexity:
      'O(N) where N is the length of the returned string. The complexity is ultimately determined by the returned length, but because creating a substring from an existing string is very cheap, it can be considered O(1) for small strings.',
    arity: 4,
    flags: ['readonly'],
    categories: ['string'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 }), integer('start'), integer('end')],
    handler: native('getrange'),
  }),

  command('getset', {
    summary: 'Returns the previous string value of a key after setting it to a new value.',
    since: '1.0.0',
    complexity: 'O(1)',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['string'],
    keys: [keyAt(1, ['RW', 'access', 'update'])],
    arguments: [key('key', { spec: 0 }), string('value')],
    handler: native('getset'),
  }),

  command('incr', {
    summary:
      "Increments the integer value of a key by one. Uses 0 as initial value if the key doesn't exist.",
    since: '1.0.0',
    complexity: 'O(1)',
    arity: 2,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['string'],
    keys: [keyAt(1, ['RW', 'access', 'update'])],
    arguments: [key('key', { spec: 0 })],
    handler: native('incr'),
  }),

  command('incrby', {
    summary:
      "Increments the integer value of a key by a number. Uses 0 as initial value if the key doesn't exist.",
    since: '1.0.0',
    complexity: 'O(1)',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['string'],
    keys: [keyAt(1, ['RW', 'access', 'update'])],
    arguments: [key('key', { spec: 0 }), integer('increment')],
    handler: native('incrby'),
  }),

  command('incrbyfloat', {
    summary:
      "Increments the floating point value of a key by a number. Uses 0 as initial value if the key doesn't exist.",
    since: '2.6.0',
    complexity: 'O(1)',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['string'],
    keys: [keyAt(1, ['RW', 'access', 'update'])],
    arguments: [key('key', { spec: 0 }), double('increment')],
    handler: native('incrbyfloat'),
  }),

  command('lcs', {
    summary: 'Finds the longest common substring.',
    since: '7.0.0',
    complexity: 'O(N*M) where N and M are the lengths of s1 and s2, respectively',
    arity: -3,
    flags: ['readonly'],
    categories: ['string'],
    keys: [keysFrom(1, ['RO', 'access'], { last: 1 })],
    arguments: [
      key('key1', { spec: 0 }),
      key('key2', { spec: 0 }),
      optional(token('LEN')),
      optional(token('IDX')),
      optional(integer('min-match-len', { token: 'MINMATCHLEN' })),
      optional(token('WITHMATCHLEN')),
    ],
    handler: native('lcs'),
  }),

  command('mget', {
    summary: 'Atomically returns the string values of one or more keys.',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of keys to retrieve.',
    arity: -2,
    flags: ['readonly', 'fast'],
    categories: ['string'],
    tips: ['request_policy:multi_shard'],
    keys: [keysFrom(1, ['RO', 'access'], { last: -1 })],
    arguments: [multiple(key('key', { spec: 0 }))],
    handler: native('mget'),
  }),

  command('mset', {
    summary: 'Atomically creates or modifies the string values of one or more keys.',
    since: '1.0.1',
    complexity: 'O(N) where N is the number of keys to set.',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['string'],
    tips: ['request_policy:multi_shard', 'response_policy:all_succeeded'],
    keys: [keysFrom(1, ['OW', 'update'], { last: -1, step: 2 })],
    arguments: [multiple(block('data', [key('key', { spec: 0 }), string('value')]))],
    handler: native('mset'),
  }),

  command('msetex', {
    summary:
      'Atomically creates or modifies the string values of one or more keys, and optionally set their expiration.',
    since: '9.1.0',
    complexity: 'O(N) where N is the number of keys to set.',
    arity: -4,
    flags: ['write', 'denyoom'],
    categories: ['string'],
    tips: ['request_policy:multi_shard', 'response_policy:all_succeeded'],
    keys: [keysCounted(1, ['OW', 'update'], { step: 2 })],
    arguments: [
      integer('numkeys'),
      multiple(block('data', [key('key', { spec: 0 }), string('value')])),
      optional(oneof('condition', [token('NX'), token('XX')])),
      optional(
        oneof('expiration', [
          integer('seconds', { token: 'EX' }),
          integer('milliseconds', { token: 'PX' }),
          unixTime('unix-time-seconds', { token: 'EXAT' }),
          unixTime('unix-time-milliseconds', { token: 'PXAT' }),
          token('KEEPTTL'),
        ]),
      ),
    ],
    handler: native('msetex'),
  }),

  command('msetnx', {
    summary: "Atomically modifies the string values of one or more keys only when all keys don't exist.",
    since: '1.0.1',
    complexity: 'O(N) where N is the number of keys to set.',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['string'],
    keys: [keysFrom(1, ['OW', 'insert'], { last: -1, step: 2 })],
    arguments: [multiple(block('data', [key('key', { spec: 0 }), string('value')]))],
    handler: native('msetnx'),
  }),

  command('psetex', {
    summary:
      "Sets both string value and expiration time in milliseconds of a key. The key is created if it doesn't exist.",
    since: '2.6.0',
    complexity: 'O(1)',
    arity: 4,
    flags: ['write', 'denyoom'],
    categories: ['string'],
    keys: [keyAt(1, ['OW', 'update'])],
    arguments: [key('key', { spec: 0 }), integer('milliseconds'), string('value')],
    handler: native('psetex'),
  }),

  command('set', {
    summary: "Sets the string value of a key, ignoring its type. The key is created if it doesn't exist.",
    since: '1.0.0',
    complexity: 'O(1)',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['string'],
    keys: [
      keyAt(
        1,
        ['RW', 'access', 'update', 'variable_flags'],
        'RW and ACCESS due to the optional `GET` argument',
      ),
    ],
    getKeys: 'set',
    history: [
      ['2.6.12', 'Added the `EX`, `PX`, `NX` and `XX` options.'],
      ['6.0.0', 'Added the `KEEPTTL` option.'],
      ['6.2.0', 'Added the `GET`, `EXAT` and `PXAT` option.'],
      ['7.0.0', 'Allowed the `NX` and `GET` options to be used together.'],
      ['8.1.0', 'Added the `IFEQ` option.'],
    ],
    arguments: [
      key('key', { spec: 0 }),
      string('value'),
      optional(
        oneof('condition', [
          token('NX', { since: '2.6.12' }),
          token('XX', { since: '2.6.12' }),
          string('comparison-value', {
            token: 'IFEQ',
            summary: "Sets the key's value only if the current value matches the specified comparison value.",
            since: '8.1.0',
          }),
        ]),
      ),
      optional(token('GET', { since: '6.2.0' })),
      optional(
        oneof('expiration', [
          integer('seconds', { token: 'EX', since: '2.6.12' }),
          integer('milliseconds', { token: 'PX', since: '2.6.12' }),
          unixTime('unix-time-seconds', { token: 'EXAT', since: '6.2.0' }),
          unixTime('unix-time-milliseconds', { token: 'PXAT', since: '6.2.0' }),
          token('KEEPTTL', { since: '6.0.0' }),
        ]),
      ),
    ],
    handler: native('set'),
  }),

  command('setex', {
    summary: "Sets the string value and expiration time of a key. Creates the key if it doesn't exist.",
    since: '2.0.0',
    complexity: 'O(1)',
    arity: 4,
    flags: ['write', 'denyoom'],
    categories: ['string'],
    keys: [keyAt(1, ['OW', 'update'])],
    arguments: [key('key', { spec: 0 }), integer('seconds'), string('value')],
    handler: native('setex'),
  }),

  command('setnx', {
    summary: "Sets the string value of a key only when the key doesn't exist.",
    since: '1.0.0',
    complexity: 'O(1)',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['string'],
    keys: [keyAt(1, ['OW', 'insert'])],
    arguments: [key('key', { spec: 0 }), string('value')],
    handler: native('setnx'),
  }),

  command('setrange', {
    summary:
      "Overwrites a part of a string value with another by an offset. Creates the key if it doesn't exist.",
    since: '2.2.0',
    complexity:
      'O(1), not counting the time taken to copy the new string in place. Usually, this string is very small so the amortized complexity is O(1). Otherwise, complexity is O(M) with M being the length of the value argument.',
    arity: 4,
    flags: ['write', 'denyoom'],
    categories: ['string'],
    keys: [keyAt(1, ['RW', 'update'])],
    arguments: [key('key', { spec: 0 }), integer('offset'), string('value')],
    handler: native('setrange'),
  }),

  command('strlen', {
    summary: 'Returns the length of a string value.',
    since: '2.2.0',
    complexity: 'O(1)',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['string'],
    keys: [keyAt(1, ['RO'])],
    arguments: [key('key', { spec: 0 })],
    handler: native('strlen'),
  }),

  command('substr', {
    summary: 'Returns a substring from a string value.',
    since: '1.0.0',
    complexity:
      'O(N) where N is the length of the returned string. The complexity is ultimately determined by the returned length, but because creating a substring from an existing string is very cheap, it can be considered O(1) for small strings.',
    arity: 4,
    flags: ['readonly'],
    categories: ['string'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 }), integer('start'), integer('end')],
    handler: native('substr'),
  }),
]);
