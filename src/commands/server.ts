/** The server: databases, persistence, replication and the rest that has no file of its own. */

import { debugCommand } from './debug.js';
import { info, lolwut } from './observability-handlers.js';
import { bgRewriteAof, bgSave, save } from './persistence-handlers.js';
import { shutdown } from './shutdown.js';
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
} from './spec.js';

export const serverCommands = group('server', [
  command('bgrewriteaof', {
    summary: 'Asynchronously rewrites the append-only file to disk.',
    since: '1.0.0',
    complexity: 'O(1)',
    arity: 1,
    flags: ['admin', 'noscript', 'no_async_loading'],
    handler: bgRewriteAof,
  }),

  command('bgsave', {
    summary: 'Asynchronously saves the database(s) to disk.',
    since: '1.0.0',
    complexity: 'O(1)',
    arity: -1,
    flags: ['admin', 'noscript', 'no_async_loading'],
    history: [
      ['3.2.2', 'Added the `SCHEDULE` option.'],
      ['8.1.0', 'Added the `CANCEL` option.'],
    ],
    arguments: [
      optional(
        oneof('operation', [token('SCHEDULE', { since: '3.2.2' }), token('CANCEL', { since: '8.1.0' })]),
      ),
    ],
    handler: bgSave,
  }),

  command('dbsize', {
    summary: 'Returns the number of keys in the database.',
    since: '1.0.0',
    complexity: 'O(1)',
    arity: 1,
    flags: ['readonly', 'fast'],
    categories: ['keyspace'],
    tips: ['request_policy:all_shards', 'response_policy:agg_sum'],
    handler: native('dbsize'),
  }),

  command('debug', {
    summary: 'A container for debugging commands.',
    since: '1.0.0',
    complexity: 'Depends on subcommand.',
    arity: -2,
    flags: ['admin', 'noscript', 'loading', 'stale', 'protected'],
    docFlags: ['syscmd'],
    handler: debugCommand,
  }),

  command('failover', {
    summary: 'Starts a coordinated failover from a server to one of its replicas.',
    since: '6.2.0',
    complexity: 'O(1)',
    arity: -1,
    flags: ['admin', 'noscript', 'stale'],
    arguments: [
      optional(block('target', [string('host'), integer('port'), optional(token('FORCE'))], { token: 'TO' })),
      optional(token('ABORT')),
      optional(integer('milliseconds', { token: 'TIMEOUT' })),
    ],
  }),

  command('flushall', {
    summary: 'Removes all keys from all databases.',
    since: '1.0.0',
    complexity: 'O(N) where N is the total number of keys in all databases',
    arity: -1,
    flags: ['write', 'all_dbs'],
    categories: ['dangerous', 'keyspace'],
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
    history: [
      ['4.0.0', 'Added the `ASYNC` flushing mode modifier.'],
      ['6.2.0', 'Added the `SYNC` flushing mode modifier.'],
    ],
    arguments: [
      optional(oneof('flush-type', [token('ASYNC', { since: '4.0.0' }), token('SYNC', { since: '6.2.0' })])),
    ],
    handler: native('flushall'),
  }),

  command('flushdb', {
    summary: 'Removes all keys from the current database.',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of keys in the selected database',
    arity: -1,
    flags: ['write'],
    categories: ['dangerous', 'keyspace'],
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
    history: [
      ['4.0.0', 'Added the `ASYNC` flushing mode modifier.'],
      ['6.2.0', 'Added the `SYNC` flushing mode modifier.'],
    ],
    arguments: [
      optional(oneof('flush-type', [token('ASYNC', { since: '4.0.0' }), token('SYNC', { since: '6.2.0' })])),
    ],
    handler: native('flushdb'),
  }),

  command('info', {
    summary: 'Returns information and statistics about the server.',
    since: '1.0.0',
    complexity: 'O(1)',
    arity: -1,
    flags: ['loading', 'stale'],
    categories: ['dangerous'],
    tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
    history: [['7.0.0', 'Added support for taking multiple section arguments.']],
    arguments: [optional(multiple(string('section')))],
    handler: info,
  }),

  command('lastsave', {
    summary: 'Returns the Unix timestamp of the last successful save to disk.',
    since: '1.0.0',
    complexity: 'O(1)',
    arity: 1,
    flags: ['loading', 'stale', 'fast'],
    categories: ['admin', 'dangerous'],
    tips: ['nondeterministic_output'],
    handler: ({ server }) => server.rdb.lastSave,
  }),

  command('lolwut', {
    summary: 'Displays computer art and the server version.',
    since: '5.0.0',
    arity: -1,
    flags: ['readonly', 'fast'],
    arguments: [optional(integer('version', { token: 'VERSION' }))],
    handler: lolwut,
  }),

  command('monitor', {
    summary: 'Listens for all requests received by the server in real-time.',
    since: '1.0.0',
    arity: 1,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    handler: native('monitor'),
  }),

  command('psync', {
    summary: 'An internal command used in replication.',
    since: '2.8.0',
    arity: -3,
    flags: ['admin', 'noscript', 'no_async_loading', 'no_multi'],
    arguments: [string('replicationid'), integer('offset')],
  }),

  command('replconf', {
    summary: 'An internal command for configuring the replication stream.',
    since: '3.0.0',
    complexity: 'O(1)',
    arity: -1,
    flags: ['admin', 'noscript', 'loading', 'stale', 'allow_busy'],
    docFlags: ['syscmd'],
  }),

  command('replicaof', {
    summary: 'Configures a server as replica of another, or promotes it to a primary.',
    since: '5.0.0',
    complexity: 'O(1)',
    arity: 3,
    flags: ['admin', 'noscript', 'stale', 'no_async_loading'],
    arguments: [
      oneof('args', [
        block('host-port', [string('host'), integer('port')]),
        block('no-one', [token('NO'), token('ONE')]),
      ]),
    ],
  }),

  command('restore-asking', {
    summary: 'An internal command for migrating keys in a cluster.',
    since: '3.0.0',
    complexity:
      'O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is the number of objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted set values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).',
    arity: -4,
    flags: ['write', 'denyoom', 'asking'],
    categories: ['dangerous', 'keyspace'],
    keys: [keyAt(1, ['OW', 'update'])],
    docFlags: ['syscmd'],
    history: [
      ['3.0.0', 'Added the `REPLACE` modifier.'],
      ['5.0.0', 'Added the `ABSTTL` modifier.'],
      ['5.0.0', 'Added the `IDLETIME` and `FREQ` options.'],
    ],
    arguments: [
      key('key', { spec: 0 }),
      integer('ttl'),
      string('serialized-value'),
      optional(token('REPLACE', { since: '3.0.0' })),
      optional(token('ABSTTL', { since: '5.0.0' })),
      optional(integer('seconds', { token: 'IDLETIME', since: '5.0.0' })),
      optional(integer('frequency', { token: 'FREQ', since: '5.0.0' })),
    ],
  }),

  command('role', {
    summary: 'Returns the replication role.',
    since: '2.8.12',
    complexity: 'O(1)',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast'],
    categories: ['admin', 'dangerous'],
  }),

  command('save', {
    summary: 'Synchronously saves the database(s) to disk.',
    since: '1.0.0',
    complexity: 'O(N) where N is the total number of keys in all databases',
    arity: 1,
    flags: ['admin', 'noscript', 'no_async_loading', 'no_multi'],
    handler: save,
  }),

  command('shutdown', {
    summary: 'Synchronously saves the database(s) to disk and shuts down the server.',
    since: '1.0.0',
    complexity:
      'O(N) when saving, where N is the total number of keys in all databases when saving data, otherwise O(1)',
    arity: -1,
    flags: ['admin', 'noscript', 'loading', 'stale', 'no_multi', 'allow_busy'],
    history: [
      ['7.0.0', 'Added the `NOW`, `FORCE` and `ABORT` modifiers.'],
      ['9.0.0', 'Added the `SAFE` and `FAILOVER` modifiers.'],
    ],
    arguments: [
      optional(
        oneof('abort-selector', [
          block('save-selector-block', [
            optional(oneof('save-selector', [token('NOSAVE'), token('SAVE')])),
            optional(token('NOW', { since: '7.0.0' })),
            optional(token('FORCE', { since: '7.0.0' })),
            optional(token('SAFE', { since: '9.0.0' })),
            optional(token('FAILOVER', { since: '9.0.0' })),
          ]),
          token('ABORT', { since: '7.0.0' }),
        ]),
      ),
    ],
    handler: shutdown,
  }),

  command('slaveof', {
    summary: 'Sets a server as a replica of another, or promotes it to being a primary.',
    since: '1.0.0',
    complexity: 'O(1)',
    arity: 3,
    flags: ['admin', 'noscript', 'stale', 'no_async_loading'],
    docFlags: ['deprecated'],
    deprecatedSince: '5.0.0',
    replacedBy: '`REPLICAOF`',
    arguments: [
      oneof('args', [
        block('host-port', [string('host'), integer('port')]),
        block('no-one', [token('NO'), token('ONE')]),
      ]),
    ],
  }),

  command('swapdb', {
    summary: 'Swaps two databases.',
    since: '4.0.0',
    complexity: 'O(N) where N is the count of clients watching or blocking on keys from both databases.',
    arity: 3,
    flags: ['write', 'fast'],
    categories: ['dangerous', 'keyspace'],
    dbArgs: 'swapdb',
    arguments: [integer('index1'), integer('index2')],
    handler: native('swapdb'),
  }),

  command('sync', {
    summary: 'An internal command used in replication.',
    since: '1.0.0',
    arity: 1,
    flags: ['admin', 'noscript', 'no_async_loading', 'no_multi'],
  }),

  command('time', {
    summary: 'Returns the server time.',
    since: '2.6.0',
    complexity: 'O(1)',
    arity: 1,
    flags: ['loading', 'stale', 'fast'],
    tips: ['nondeterministic_output'],
    handler: native('time'),
  }),
]);
