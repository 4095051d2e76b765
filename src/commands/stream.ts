/** Streams, without consumer groups. */

import {
  block,
  command,
  group,
  integer,
  key,
  keyAt,
  keysAfter,
  multiple,
  native,
  oneof,
  optional,
  string,
  token,
} from './spec.js';

export const streamCommands = group('stream', [
  command('xadd', {
    summary: "Appends a new message to a stream. Creates the key if it doesn't exist.",
    since: '5.0.0',
    complexity:
      'O(1) when adding a new entry, O(N) when trimming where N being the number of entries evicted.',
    arity: -5,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['stream'],
    tips: ['nondeterministic_output'],
    keys: [keyAt(1, ['RW', 'update'], 'UPDATE instead of INSERT because of the optional trimming feature')],
    history: [
      ['6.2.0', 'Added the `NOMKSTREAM` option, `MINID` trimming strategy and the `LIMIT` option.'],
      ['7.0.0', 'Added support for the `<ms>-*` explicit ID form.'],
    ],
    arguments: [
      key('key', { spec: 0 }),
      optional(token('NOMKSTREAM', { since: '6.2.0' })),
      optional(
        block('trim', [
          oneof('strategy', [token('MAXLEN'), token('MINID', { since: '6.2.0' })]),
          optional(oneof('operator', [token('=', { name: 'equal' }), token('~', { name: 'approximately' })])),
          string('threshold'),
          optional(integer('count', { token: 'LIMIT', since: '6.2.0' })),
        ]),
      ),
      oneof('id-selector', [token('*', { name: 'auto-id' }), string('id')]),
      multiple(block('data', [string('field'), string('value')])),
    ],
    handler: native('xadd'),
  }),

  command('xdel', {
    summary: 'Returns the number of messages after removing them from a stream.',
    since: '5.0.0',
    complexity: 'O(1) for each single item to delete in the stream, regardless of the stream size.',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['stream'],
    keys: [keyAt(1, ['RW', 'delete'])],
    arguments: [key('key', { spec: 0 }), multiple(string('id'))],
    handler: native('xdel'),
  }),

  command('xlen', {
    summary: 'Returns the number of messages in a stream.',
    since: '5.0.0',
    complexity: 'O(1)',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['stream'],
    keys: [keyAt(1, ['RO'])],
    arguments: [key('key', { spec: 0 })],
    handler: native('xlen'),
  }),

  command('xrange', {
    summary: 'Returns the messages from a stream within a range of IDs.',
    since: '5.0.0',
    complexity:
      'O(N) with N being the number of elements being returned. If N is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1).',
    arity: -4,
    flags: ['readonly'],
    categories: ['stream'],
    keys: [keyAt(1, ['RO', 'access'])],
    history: [['6.2.0', 'Added exclusive ranges.']],
    arguments: [
      key('key', { spec: 0 }),
      string('start'),
      string('end'),
      optional(integer('count', { token: 'COUNT' })),
    ],
    handler: native('xrange'),
  }),

  command('xread', {
    summary:
      'Returns messages from multiple streams with IDs greater than the ones requested. Blocks until a message is available otherwise.',
    since: '5.0.0',
    arity: -4,
    flags: ['readonly', 'blocking'],
    categories: ['stream'],
    keys: [keysAfter('STREAMS', 1, ['RO', 'access'], { last: -1, limit: 2 })],
    getKeys: 'xread',
    arguments: [
      optional(integer('count', { token: 'COUNT' })),
      optional(integer('milliseconds', { token: 'BLOCK' })),
      block('streams', [multiple(key('key', { spec: 0 })), multiple(string('id'))], { token: 'STREAMS' }),
    ],
    handler: native('xread'),
  }),

  command('xrevrange', {
    summary: 'Returns the messages from a stream within a range of IDs in reverse order.',
    since: '5.0.0',
    complexity:
      'O(N) with N being the number of elements returned. If N is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1).',
    arity: -4,
    flags: ['readonly'],
    categories: ['stream'],
    keys: [keyAt(1, ['RO', 'access'])],
    history: [['6.2.0', 'Added exclusive ranges.']],
    arguments: [
      key('key', { spec: 0 }),
      string('end'),
      string('start'),
      optional(integer('count', { token: 'COUNT' })),
    ],
    handler: native('xrevrange'),
  }),

  command('xsetid', {
    summary: 'An internal command for replicating stream values.',
    since: '5.0.0',
    complexity: 'O(1)',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['stream'],
    keys: [keyAt(1, ['RW', 'update'])],
    history: [['7.0.0', 'Added the `entries_added` and `max_deleted_entry_id` arguments.']],
    arguments: [
      key('key', { spec: 0 }),
      string('last-id'),
      optional(integer('entries-added', { token: 'ENTRIESADDED', since: '7.0.0' })),
      optional(string('max-deleted-id', { token: 'MAXDELETEDID', since: '7.0.0' })),
    ],
    handler: native('xsetid'),
  }),

  command('xtrim', {
    summary: 'Deletes messages from the beginning of a stream.',
    since: '5.0.0',
    complexity:
      'O(N), with N being the number of evicted entries. Constant times are very small however, since entries are organized in macro nodes containing multiple entries that can be released with a single deallocation.',
    arity: -4,
    flags: ['write'],
    categories: ['stream'],
    tips: ['nondeterministic_output'],
    keys: [keyAt(1, ['RW', 'delete'])],
    history: [['6.2.0', 'Added the `MINID` trimming strategy and the `LIMIT` option.']],
    arguments: [
      key('key', { spec: 0 }),
      block('trim', [
        oneof('strategy', [token('MAXLEN'), token('MINID', { since: '6.2.0' })]),
        optional(oneof('operator', [token('=', { name: 'equal' }), token('~', { name: 'approximately' })])),
        string('threshold'),
        optional(integer('count', { token: 'LIMIT', since: '6.2.0' })),
      ]),
    ],
    handler: native('xtrim'),
  }),
]);
