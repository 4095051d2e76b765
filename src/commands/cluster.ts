/** The cluster. */

import { clusterHelp } from './help.js';
import {
  block,
  command,
  group,
  integer,
  keyAt,
  multiple,
  native,
  oneof,
  optional,
  pattern,
  string,
  token,
} from './spec.js';

export const clusterCommands = group('cluster', [
  command('asking', {
    summary: 'Signals that a cluster client is following an -ASK redirect.',
    since: '3.0.0',
    complexity: 'O(1)',
    arity: 1,
    flags: ['fast'],
    categories: ['connection'],
  }),

  command('cluster', {
    summary: 'A container for Cluster commands.',
    since: '3.0.0',
    complexity: 'Depends on subcommand.',
    arity: -2,
    subcommands: [
      command('addslots', {
        summary: 'Assigns new hash slots to a node.',
        since: '3.0.0',
        complexity: 'O(N) where N is the total number of hash slot arguments',
        arity: -3,
        flags: ['admin', 'stale', 'no_async_loading'],
        arguments: [multiple(integer('slot'))],
      }),

      command('addslotsrange', {
        summary: 'Assigns new hash slot ranges to a node.',
        since: '7.0.0',
        complexity:
          'O(N) where N is the total number of the slots between the start slot and end slot arguments.',
        arity: -4,
        flags: ['admin', 'stale', 'no_async_loading'],
        arguments: [multiple(block('range', [integer('start-slot'), integer('end-slot')]))],
      }),

      command('bumpepoch', {
        summary: 'Advances the cluster config epoch.',
        since: '3.0.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['admin', 'stale', 'no_async_loading'],
        tips: ['nondeterministic_output'],
      }),

      command('cancelslotmigrations', {
        summary: 'Cancel all current ongoing slot migration operations.',
        since: '9.0.0',
        complexity: 'O(N), where N is the number of slot migration operations being cancelled.',
        arity: 2,
        flags: ['admin', 'stale', 'no_async_loading', 'all_dbs'],
      }),

      command('count-failure-reports', {
        summary:
          'Returns the number of active failure reports for a node. No new reports are created once the node is marked as failed.',
        since: '3.0.0',
        complexity: 'O(N) where N is the number of failure reports',
        arity: 3,
        flags: ['admin', 'stale'],
        tips: ['nondeterministic_output'],
        history: [['9.0.0', 'Ignore additional failure reports for a node which has been marked as failed.']],
        arguments: [string('node-id')],
      }),

      command('countkeysinslot', {
        summary: 'Returns the number of keys in a hash slot.',
        since: '3.0.0',
        complexity: 'O(1)',
        arity: 3,
        flags: ['stale'],
        arguments: [integer('slot')],
      }),

      command('delslots', {
        summary: 'Sets hash slots as unbound for a node.',
        since: '3.0.0',
        complexity: 'O(N) where N is the total number of hash slot arguments',
        arity: -3,
        flags: ['admin', 'stale', 'no_async_loading'],
        arguments: [multiple(integer('slot'))],
      }),

      command('delslotsrange', {
        summary: 'Sets hash slot ranges as unbound for a node.',
        since: '7.0.0',
        complexity:
          'O(N) where N is the total number of the slots between the start slot and end slot arguments.',
        arity: -4,
        flags: ['admin', 'stale', 'no_async_loading'],
        arguments: [multiple(block('range', [integer('start-slot'), integer('end-slot')]))],
      }),

      command('failover', {
        summary: 'Forces a replica to perform a manual failover of its primary.',
        since: '3.0.0',
        complexity: 'O(1)',
        arity: -2,
        flags: ['admin', 'stale', 'no_async_loading'],
        arguments: [optional(oneof('options', [token('FORCE'), token('TAKEOVER')]))],
      }),

      command('flushslot', {
        summary: 'Removes all keys from the target slot.',
        since: '9.0.0',
        complexity: 'O(N) where N is the number of keys in the target slot',
        arity: -3,
        flags: ['write', 'admin', 'no_async_loading', 'all_dbs'],
        categories: ['keyspace'],
        arguments: [integer('slot'), optional(oneof('flush-type', [token('ASYNC'), token('SYNC')]))],
      }),

      command('flushslots', {
        summary: 'Deletes all slots information from a node.',
        since: '3.0.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['admin', 'stale', 'no_async_loading'],
      }),

      command('forget', {
        summary: 'Removes a node from the nodes table.',
        since: '3.0.0',
        complexity: 'O(1)',
        arity: 3,
        flags: ['admin', 'stale', 'no_async_loading'],
        arguments: [string('node-id')],
      }),

      command('getkeysinslot', {
        summary: 'Returns the key names in a hash slot.',
        since: '3.0.0',
        complexity: 'O(N) where N is the number of requested keys',
        arity: 4,
        flags: ['stale'],
        tips: ['nondeterministic_output'],
        arguments: [integer('slot'), integer('count')],
      }),

      command('getslotmigrations', {
        summary: 'Gets the status of ongoing and recently finished slot import and export operations.',
        since: '9.0.0',
        complexity: 'O(N), where N is the number of active slot import and export jobs.',
        arity: 2,
        flags: ['admin', 'stale', 'no_async_loading'],
      }),

      command('help', {
        summary: 'Returns helpful text about the different subcommands.',
        since: '5.0.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['loading', 'stale'],
        handler: clusterHelp,
      }),

      command('info', {
        summary: 'Returns information about the state of a node.',
        since: '3.0.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['loading', 'stale'],
        tips: ['nondeterministic_output'],
      }),

      command('keyslot', {
        summary: 'Returns the hash slot for a key.',
        since: '3.0.0',
        complexity: 'O(N) where N is the number of bytes in the key',
        arity: 3,
        flags: ['stale'],
        arguments: [string('key')],
      }),

      command('links', {
        summary: 'Returns a list of all TCP links to and from peer nodes.',
        since: '7.0.0',
        complexity: 'O(N) where N is the total number of Cluster nodes',
        arity: 2,
        flags: ['stale'],
        tips: ['nondeterministic_output'],
      }),

      command('meet', {
        summary: 'Forces a node to handshake with another node.',
        since: '3.0.0',
        complexity: 'O(1)',
        arity: -4,
        flags: ['admin', 'stale', 'no_async_loading'],
        history: [['4.0.0', 'Added the optional `cluster_bus_port` argument.']],
        arguments: [string('ip'), integer('port'), optional(integer('cluster-bus-port', { since: '4.0.0' }))],
      }),

      command('migrateslots', {
        summary: 'Migrate the given slots from this node to the specified nodes.',
        since: '9.0.0',
        complexity:
          'O(N) where N is the total number of the slots between all start slot and end slot arguments.',
        arity: -4,
        flags: ['admin', 'stale', 'no_async_loading', 'all_dbs'],
        arguments: [
          multiple(
            block('migration-group', [
              token('SLOTSRANGE', { name: 'slotsrange-token' }),
              multiple(block('range', [integer('start-slot'), integer('end-slot')])),
              token('NODE', { name: 'node-token' }),
              string('node-id'),
            ]),
          ),
        ],
      }),

      command('myid', {
        summary: 'Returns the ID of a node.',
        since: '3.0.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['loading', 'stale'],
      }),

      command('myshardid', {
        summary: 'Returns the shard ID of a node.',
        since: '7.2.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['loading', 'stale'],
        tips: ['nondeterministic_output'],
      }),

      command('nodes', {
        summary: 'Returns the cluster configuration for a node.',
        since: '3.0.0',
        complexity: 'O(N) where N is the total number of Cluster nodes',
        arity: 2,
        flags: ['loading', 'stale'],
        tips: ['nondeterministic_output'],
      }),

      command('replicas', {
        summary: 'Lists the replica nodes of a primary node.',
        since: '5.0.0',
        complexity: 'O(N) where N is the number of replicas.',
        arity: 3,
        flags: ['admin', 'stale'],
        tips: ['nondeterministic_output'],
        arguments: [string('node-id')],
      }),

      command('replicate', {
        summary: 'Configures a node as replica of a primary node or detaches a replica from its primary.',
        since: '3.0.0',
        complexity: 'O(1)',
        arity: -3,
        flags: ['admin', 'stale', 'no_async_loading'],
        history: [
          [
            '9.0.0',
            "Added support of 'NO ONE' arg instead of <node-id> resulting into detaching replica from primary node.",
          ],
        ],
        arguments: [
          oneof('args', [
            string('node-id'),
            block('no-one', [token('NO'), token('ONE')], { since: '9.0.0' }),
          ]),
        ],
      }),

      command('reset', {
        summary: 'Resets a node.',
        since: '3.0.0',
        complexity:
          'O(N) where N is the number of known nodes. The command may execute a FLUSHALL as a side effect.',
        arity: -2,
        flags: ['admin', 'noscript', 'stale'],
        arguments: [optional(oneof('reset-type', [token('HARD'), token('SOFT')]))],
      }),

      command('saveconfig', {
        summary: 'Forces a node to save the cluster configuration to disk.',
        since: '3.0.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['admin', 'stale', 'no_async_loading'],
      }),

      command('set-config-epoch', {
        summary: 'Sets the configuration epoch for a new node.',
        since: '3.0.0',
        complexity: 'O(1)',
        arity: 3,
        flags: ['admin', 'stale', 'no_async_loading'],
        arguments: [integer('config-epoch')],
      }),

      command('setslot', {
        summary: 'Binds a hash slot to a node.',
        since: '3.0.0',
        complexity: 'O(1)',
        arity: -4,
        flags: ['admin', 'stale', 'no_async_loading', 'may_replicate'],
        history: [['8.0.0', 'Added the `TIMEOUT` option.']],
        arguments: [
          integer('slot'),
          oneof('subcommand', [
            string('importing', { token: 'IMPORTING', display: 'node-id' }),
            string('migrating', { token: 'MIGRATING', display: 'node-id' }),
            string('node', { token: 'NODE', display: 'node-id' }),
            token('STABLE'),
          ]),
          optional(integer('timeout', { token: 'TIMEOUT', display: 'timeout', since: '8.0.0' })),
        ],
      }),

      command('shards', {
        summary: 'Returns the mapping of cluster slots to shards.',
        since: '7.0.0',
        complexity: 'O(N) where N is the total number of cluster nodes',
        arity: 2,
        flags: ['loading', 'stale'],
        tips: ['nondeterministic_output'],
        history: [['9.1.0', 'Added shard level `id` field and node level `availability-zone` field.']],
      }),

      command('slaves', {
        summary: 'Lists the replica nodes of a primary node.',
        since: '3.0.0',
        complexity: 'O(N) where N is the number of replicas.',
        arity: 3,
        flags: ['admin', 'stale'],
        tips: ['nondeterministic_output'],
        docFlags: ['deprecated'],
        deprecatedSince: '5.0.0',
        replacedBy: '`CLUSTER REPLICAS`',
        arguments: [string('node-id')],
      }),

      command('slot-stats', {
        summary: 'Return an array of slot usage statistics for slots assigned to the current node.',
        since: '8.0.0',
        complexity:
          'O(N) where N is the total number of slots based on arguments. O(N*log(N)) with ORDERBY subcommand.',
        arity: -4,
        flags: ['loading', 'stale'],
        tips: ['nondeterministic_output', 'request_policy:all_shards'],
        arguments: [
          oneof('filter', [
            block('slotsrange', [integer('start-slot'), integer('end-slot')], { token: 'SLOTSRANGE' }),
            block(
              'orderby',
              [
                string('metric'),
                optional(integer('limit', { token: 'LIMIT' })),
                optional(oneof('order', [token('ASC'), token('DESC')])),
              ],
              { token: 'ORDERBY' },
            ),
          ]),
        ],
      }),

      command('slots', {
        summary: 'Returns the mapping of cluster slots to nodes.',
        since: '3.0.0',
        complexity: 'O(N) where N is the total number of Cluster nodes',
        arity: 2,
        flags: ['loading', 'stale'],
        tips: ['nondeterministic_output'],
        history: [
          ['4.0.0', 'Added node IDs.'],
          ['7.0.0', 'Added additional networking metadata field.'],
          ['9.1.0', 'Added `availability-zone` field inside the networking metadata.'],
        ],
      }),

      command('syncslots', {
        summary: 'A container for internal slot migration commands.',
        since: '9.0.0',
        complexity: 'Depends on subcommand.',
        arity: -3,
        flags: ['admin', 'stale', 'no_async_loading', 'may_replicate'],
        docFlags: ['syscmd'],
      }),
    ],
  }),

  command('clusterscan', {
    summary: 'Iterates over the keys in the cluster.',
    since: '9.1.0',
    complexity: 'O(N) where N is the number of elements returned.',
    arity: -2,
    flags: ['readonly', 'touches_arbitrary_keys'],
    categories: ['keyspace'],
    tips: ['nondeterministic_output', 'request_policy:special', 'response_policy:special'],
    keys: [keyAt(1, ['not_key'])],
    arguments: [
      string('cursor'),
      optional(pattern('match-pattern', { token: 'MATCH' })),
      optional(integer('count', { token: 'COUNT' })),
      optional(string('type', { token: 'TYPE' })),
      optional(integer('slot', { token: 'SLOT' })),
    ],
  }),

  command('readonly', {
    summary: 'Enables read-only queries for a connection to a Valkey replica node.',
    since: '3.0.0',
    complexity: 'O(1)',
    arity: 1,
    flags: ['loading', 'stale', 'fast'],
    categories: ['connection'],
    handler: native('readonly'),
  }),

  command('readwrite', {
    summary: 'Enables read-write queries for a connection to a Valkey replica node.',
    since: '3.0.0',
    complexity: 'O(1)',
    arity: 1,
    flags: ['loading', 'stale', 'fast'],
    categories: ['connection'],
    handler: native('readwrite'),
  }),
]);
