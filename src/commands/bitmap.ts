/** Bitmaps (strings addressed by bit). */

import {
  block,
  command,
  group,
  integer,
  key,
  keyAt,
  keysFrom,
  multiple,
  multipleWithToken,
  native,
  oneof,
  optional,
  string,
  token,
} from './spec.js';

export const bitmapCommands = group('bitmap', [
  command('bitcount', {
    summary: 'Counts the number of set bits (population counting) in a string.',
    since: '2.6.0',
    complexity: 'O(N)',
    arity: -2,
    flags: ['readonly'],
    categories: ['bitmap'],
    keys: [keyAt(1, ['RO', 'access'])],
    history: [
      ['7.0.0', 'Added the `BYTE|BIT` option.'],
      ['8.0.0', '`end` made optional; when called without argument the command reports the last BYTE.'],
    ],
    arguments: [
      key('key', { spec: 0 }),
      optional(
        block('range', [
          integer('start'),
          optional(
            block('end-unit-block', [
              integer('end'),
              optional(oneof('unit', [token('BYTE'), token('BIT')], { since: '7.0.0' })),
            ]),
          ),
        ]),
      ),
    ],
    handler: native('bitcount'),
  }),

  command('bitfield', {
    summary: 'Performs arbitrary bitfield integer operations on strings.',
    since: '3.2.0',
    complexity: 'O(1) for each subcommand specified',
    arity: -2,
    flags: ['write', 'denyoom'],
    categories: ['bitmap'],
    keys: [
      keyAt(
        1,
        ['RW', 'access', 'update', 'variable_flags'],
        'This command allows both access and modification of the key',
      ),
    ],
    getKeys: 'bitfield',
    arguments: [
      key('key', { spec: 0 }),
      optional(
        multiple(
          oneof('operation', [
            block('get-block', [string('encoding'), integer('offset')], { token: 'GET' }),
            block('write', [
              optional(
                oneof('overflow-block', [token('WRAP'), token('SAT'), token('FAIL')], { token: 'OVERFLOW' }),
              ),
              oneof('write-operation', [
                block('set-block', [string('encoding'), integer('offset'), integer('value')], {
                  token: 'SET',
                }),
                block('incrby-block', [string('encoding'), integer('offset'), integer('increment')], {
                  token: 'INCRBY',
                }),
              ]),
            ]),
          ]),
        ),
      ),
    ],
    handler: native('bitfield'),
  }),

  command('bitfield_ro', {
    summary: 'Performs arbitrary read-only bitfield integer operations on strings.',
    since: '6.0.0',
    complexity: 'O(1) for each subcommand specified',
    arity: -2,
    flags: ['readonly', 'fast'],
    categories: ['bitmap'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [
      key('key', { spec: 0 }),
      optional(
        multipleWithToken(block('get-block', [string('encoding'), integer('offset')], { token: 'GET' })),
      ),
    ],
    handler: native('bitfield_ro'),
  }),

  command('bitop', {
    summary: 'Performs bitwise operations on multiple strings, and stores the result.',
    since: '2.6.0',
    complexity: 'O(N)',
    arity: -4,
    flags: ['write', 'denyoom'],
    categories: ['bitmap'],
    keys: [keyAt(2, ['OW', 'update']), keysFrom(3, ['RO', 'access'], { last: -1 })],
    arguments: [
      oneof('operation', [token('AND'), token('OR'), token('XOR'), token('NOT')]),
      key('destkey', { spec: 0 }),
      multiple(key('key', { spec: 1 })),
    ],
    handler: native('bitop'),
  }),

  command('bitpos', {
    summary: 'Finds the first set (1) or clear (0) bit in a string.',
    since: '2.8.7',
    complexity: 'O(N)',
    arity: -3,
    flags: ['readonly'],
    categories: ['bitmap'],
    keys: [keyAt(1, ['RO', 'access'])],
    history: [['7.0.0', 'Added the `BYTE|BIT` option.']],
    arguments: [
      key('key', { spec: 0 }),
      integer('bit'),
      optional(
        block('range', [
          integer('start'),
          optional(
            block('end-unit-block', [
              integer('end'),
              optional(oneof('unit', [token('BYTE'), token('BIT')], { since: '7.0.0' })),
            ]),
          ),
        ]),
      ),
    ],
    handler: native('bitpos'),
  }),

  command('getbit', {
    summary: 'Returns a bit value by offset.',
    since: '2.2.0',
    complexity: 'O(1)',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['bitmap'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 }), integer('offset')],
    handler: native('getbit'),
  }),

  command('setbit', {
    summary: "Sets or clears the bit at offset of the string value. Creates the key if it doesn't exist.",
    since: '2.2.0',
    complexity: 'O(1)',
    arity: 4,
    flags: ['write', 'denyoom'],
    categories: ['bitmap'],
    keys: [keyAt(1, ['RW', 'access', 'update'])],
    arguments: [key('key', { spec: 0 }), integer('offset'), integer('value')],
    handler: native('setbit'),
  }),
]);
