/** Consumer groups of streams. */

import { xgroupHelp, xinfoHelp } from './help.js';
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
  unixTime,
} from './spec.js';

export const streamGroupsCommands = group('stream', [
  command('xack', {
    summary:
      'Returns the number of messages that were successfully acknowledged by the consumer group member of a stream.',
    since: '5.0.0',
    complexity: 'O(1) for each message ID processed.',
    arity: -4,
    flags: ['write', 'fast'],
    categories: ['stream'],
    keys: [keyAt(1, ['RW', 'update'])],
    arguments: [key('key', { spec: 0 }), string('group'), multiple(string('id'))],
    handler: native('xack'),
  }),

  command('xautoclaim', {
    summary:
      'Changes, or acquires, ownership of messages in a consumer group, as if the messages were delivered to a consumer group member.',
    since: '6.2.0',
    complexity: 'O(1) if COUNT is small.',
    arity: -6,
    flags: ['write', 'fast'],
    categories: ['stream'],
    tips: ['nondeterministic_output'],
    keys: [keyAt(1, ['RW', 'delete'])],
    history: [
      [
        '7.0.0',
        'Added an element to the reply array, containing deleted entries the command cleared from the PEL',
      ],
    ],
    arguments: [
      key('key', { spec: 0 }),
      string('group'),
      string('consumer'),
      string('min-idle-time'),
      string('start'),
      optional(integer('count', { token: 'COUNT' })),
      optional(token('JUSTID')),
    ],
    handler: native('xautoclaim'),
  }),

  command('xclaim', {
    summary:
      'Changes, or acquires, ownership of a message in a consumer group, as if the message was delivered to a consumer group member.',
    since: '5.0.0',
    complexity: 'O(log N) with N being the number of messages in the PEL of the consumer group.',
    arity: -6,
    flags: ['write', 'fast'],
    categories: ['stream'],
    tips: ['nondeterministic_output'],
    keys: [keyAt(1, ['RW', 'update'])],
    arguments: [
      key('key', { spec: 0 }),
      string('group'),
      string('consumer'),
      string('min-idle-time'),
      multiple(string('id')),
      optional(integer('ms', { token: 'IDLE' })),
      optional(unixTime('unix-time-milliseconds', { token: 'TIME' })),
      optional(integer('count', { token: 'RETRYCOUNT' })),
      optional(token('FORCE')),
      optional(token('JUSTID')),
      optional(string('lastid', { token: 'LASTID' })),
    ],
    handler: native('xclaim'),
  }),

  command('xgroup', {
    summary: 'A container for consumer groups commands.',
    since: '5.0.0',
    complexity: 'Depends on subcommand.',
    arity: -2,
    subcommands: [
      command('create', {
        summary: 'Creates a consumer group.',
        since: '5.0.0',
        complexity: 'O(1)',
        arity: -5,
        flags: ['write', 'denyoom'],
        categories: ['stream'],
        keys: [keyAt(2, ['RW', 'insert'])],
        history: [['7.0.0', 'Added the `entries_read` named argument.']],
        arguments: [
          key('key', { spec: 0 }),
          string('group'),
          oneof('id-selector', [string('id'), token('$', { name: 'new-id' })]),
          optional(token('MKSTREAM')),
          optional(integer('entriesread', { token: 'ENTRIESREAD', display: 'entries-read' })),
        ],
        handler: native('xgroup|create'),
      }),

      command('createconsumer', {
        summary: 'Creates a consumer in a consumer group.',
        since: '6.2.0',
        complexity: 'O(1)',
        arity: 5,
        flags: ['write', 'denyoom'],
        categories: ['stream'],
        keys: [keyAt(2, ['RW', 'insert'])],
        arguments: [key('key', { spec: 0 }), string('group'), string('consumer')],
        handler: native('xgroup|createconsumer'),
      }),

      command('delconsumer', {
        summary: 'Deletes a consumer from a consumer group.',
        since: '5.0.0',
        complexity: 'O(1)',
        arity: 5,
        flags: ['write'],
        categories: ['stream'],
        keys: [keyAt(2, ['RW', 'delete'])],
        arguments: [key('key', { spec: 0 }), string('group'), string('consumer')],
        handler: native('xgroup|delconsumer'),
      }),

      command('destroy', {
        summary: 'Destroys a consumer group.',
        since: '5.0.0',
        complexity: "O(N) where N is the number of entries in the group's pending entries list (PEL).",
        arity: 4,
        flags: ['write'],
        categories: ['stream'],
        keys: [keyAt(2, ['RW', 'delete'])],
        arguments: [key('key', { spec: 0 }), string('group')],
        handler: native('xgroup|destroy'),
      }),

      command('help', {
        summary: 'Returns helpful text about the different subcommands.',
        since: '5.0.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: ['stream'],
        handler: xgroupHelp,
      }),

      command('setid', {
        summary: 'Sets the last-delivered ID of a consumer group.',
        since: '5.0.0',
        complexity: 'O(1)',
        arity: -5,
        flags: ['write'],
        categories: ['stream'],
        keys: [keyAt(2, ['RW', 'update'])],
        history: [['7.0.0', 'Added the optional `entries_read` argument.']],
        arguments: [
          key('key', { spec: 0 }),
          string('group'),
          oneof('id-selector', [string('id'), token('$', { name: 'new-id' })]),
          optional(integer('entriesread', { token: 'ENTRIESREAD', display: 'entries-read' })),
        ],
        handler: native('xgroup|setid'),
      }),
    ],
  }),

  command('xinfo', {
    summary: 'A container for stream introspection commands.',
    since: '5.0.0',
    complexity: 'Depends on subcommand.',
    arity: -2,
    subcommands: [
      command('consumers', {
        summary: 'Returns a list of the consumers in a consumer group.',
        since: '5.0.0',
        complexity: 'O(1)',
        arity: 4,
        flags: ['readonly'],
        categories: ['stream'],
        tips: ['nondeterministic_output'],
        keys: [keyAt(2, ['RO', 'access'])],
        history: [['7.2.0', 'Added the `inactive` field, and changed the meaning of `idle`.']],
        arguments: [key('key', { spec: 0 }), string('group')],
        handler: native('xinfo|consumers'),
      }),

      command('groups', {
        summary: 'Returns a list of the consumer groups of a stream.',
        since: '5.0.0',
        complexity: 'O(1)',
        arity: 3,
        flags: ['readonly'],
        categories: ['stream'],
        keys: [keyAt(2, ['RO', 'access'])],
        history: [['7.0.0', 'Added the `entries-read` and `lag` fields']],
        arguments: [key('key', { spec: 0 })],
        handler: native('xinfo|groups'),
      }),

      command('help', {
        summary: 'Returns helpful text about the different subcommands.',
        since: '5.0.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: ['stream'],
        handler: xinfoHelp,
      }),

      command('stream', {
        summary: 'Returns information about a stream.',
        since: '5.0.0',
        complexity: 'O(1)',
        arity: -3,
        flags: ['readonly'],
        categories: ['stream'],
        keys: [keyAt(2, ['RO', 'access'])],
        history: [
          ['6.0.0', 'Added the `FULL` modifier.'],
          [
            '7.0.0',
            'Added the `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` and `lag` fields',
          ],
          ['7.2.0', 'Added the `active-time` field, and changed the meaning of `seen-time`.'],
        ],
        arguments: [
          key('key', { spec: 0 }),
          optional(block('full-block', [token('FULL'), optional(integer('count', { token: 'COUNT' }))])),
        ],
        handler: native('xinfo|stream'),
      }),
    ],
  }),

  command('xpending', {
    summary: "Returns the information and entries from a stream consumer group's pending entries list.",
    since: '5.0.0',
    complexity:
      'O(N) with N being the number of elements returned, so asking for a small fixed number of entries per call is O(1). O(M), where M is the total number of entries scanned when used with the IDLE filter. When the command returns just the summary and the list of consumers is small, it runs in O(1) time; otherwise, an additional O(N) time for iterating every consumer.',
    arity: -3,
    flags: ['readonly'],
    categories: ['stream'],
    tips: ['nondeterministic_output'],
    keys: [keyAt(1, ['RO', 'access'])],
    history: [['6.2.0', 'Added the `IDLE` option and exclusive range intervals.']],
    arguments: [
      key('key', { spec: 0 }),
      string('group'),
      optional(
        block('filters', [
          optional(integer('min-idle-time', { token: 'IDLE', since: '6.2.0' })),
          string('start'),
          string('end'),
          integer('count'),
          optional(string('consumer')),
        ]),
      ),
    ],
    handler: native('xpending'),
  }),

  command('xreadgroup', {
    summary:
      'Returns new or historical messages from a stream for a consumer in a group. Blocks until a message is available otherwise.',
    since: '5.0.0',
    complexity:
      'For each stream mentioned: O(M) with M being the number of elements returned. If M is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1). On the other side when XREADGROUP blocks, XADD will pay the O(N) time in order to serve the N clients blocked on the stream getting new data.',
    arity: -7,
    flags: ['write', 'blocking'],
    categories: ['stream'],
    keys: [keysAfter('STREAMS', 4, ['RO', 'access'], { last: -1, limit: 2 })],
    getKeys: 'xread',
    arguments: [
      block('group-block', [string('group'), string('consumer')], { token: 'GROUP' }),
      optional(integer('count', { token: 'COUNT' })),
      optional(integer('milliseconds', { token: 'BLOCK' })),
      optional(token('NOACK')),
      block('streams', [multiple(key('key', { spec: 0 })), multiple(string('id'))], { token: 'STREAMS' }),
    ],
    handler: native('xreadgroup'),
  }),
]);
