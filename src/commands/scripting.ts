/** Scripts and functions. */

import { functionHelp, scriptHelp } from './help.js';
import {
  command,
  group,
  integer,
  key,
  keysCounted,
  multiple,
  oneof,
  optional,
  string,
  token,
} from './spec.js';

export const scriptingCommands = group('scripting', [
  command('eval', {
    summary: 'Executes a server-side Lua script.',
    since: '2.6.0',
    complexity: 'Depends on the script that is executed.',
    arity: -3,
    flags: ['noscript', 'stale', 'skip_monitor', 'no_mandatory_keys', 'may_replicate'],
    categories: ['scripting'],
    keys: [
      keysCounted(2, ['RW', 'access', 'update'], {
        notes: 'We cannot tell how the keys will be used so we assume the worst, RW and UPDATE',
      }),
    ],
    getKeys: 'numkeys-at-2',
    arguments: [
      string('script'),
      integer('numkeys'),
      optional(multiple(key('key', { spec: 0 }))),
      optional(multiple(string('arg'))),
    ],
  }),

  command('eval_ro', {
    summary: 'Executes a read-only server-side Lua script.',
    since: '7.0.0',
    complexity: 'Depends on the script that is executed.',
    arity: -3,
    flags: ['readonly', 'noscript', 'stale', 'skip_monitor', 'no_mandatory_keys'],
    categories: ['scripting'],
    keys: [
      keysCounted(2, ['RO', 'access'], {
        notes: 'We cannot tell how the keys will be used so we assume the worst, RO and ACCESS',
      }),
    ],
    getKeys: 'numkeys-at-2',
    arguments: [
      string('script'),
      integer('numkeys'),
      optional(multiple(key('key', { spec: 0 }))),
      optional(multiple(string('arg'))),
    ],
  }),

  command('evalsha', {
    summary: 'Executes a server-side Lua script by SHA1 digest.',
    since: '2.6.0',
    complexity: 'Depends on the script that is executed.',
    arity: -3,
    flags: ['noscript', 'stale', 'skip_monitor', 'no_mandatory_keys', 'may_replicate'],
    categories: ['scripting'],
    keys: [keysCounted(2, ['RW', 'access', 'update'])],
    getKeys: 'numkeys-at-2',
    arguments: [
      string('sha1'),
      integer('numkeys'),
      optional(multiple(key('key', { spec: 0 }))),
      optional(multiple(string('arg'))),
    ],
  }),

  command('evalsha_ro', {
    summary: 'Executes a read-only server-side Lua script by SHA1 digest.',
    since: '7.0.0',
    complexity: 'Depends on the script that is executed.',
    arity: -3,
    flags: ['readonly', 'noscript', 'stale', 'skip_monitor', 'no_mandatory_keys'],
    categories: ['scripting'],
    keys: [keysCounted(2, ['RO', 'access'])],
    getKeys: 'numkeys-at-2',
    arguments: [
      string('sha1'),
      integer('numkeys'),
      optional(multiple(key('key', { spec: 0 }))),
      optional(multiple(string('arg'))),
    ],
  }),

  command('fcall', {
    summary: 'Invokes a function.',
    since: '7.0.0',
    complexity: 'Depends on the function that is executed.',
    arity: -3,
    flags: ['noscript', 'stale', 'skip_monitor', 'no_mandatory_keys', 'may_replicate'],
    categories: ['scripting'],
    keys: [
      keysCounted(2, ['RW', 'access', 'update'], {
        notes: 'We cannot tell how the keys will be used so we assume the worst, RW and UPDATE',
      }),
    ],
    getKeys: 'numkeys-at-2',
    arguments: [
      string('function'),
      integer('numkeys'),
      optional(multiple(key('key', { spec: 0 }))),
      optional(multiple(string('arg'))),
    ],
  }),

  command('fcall_ro', {
    summary: 'Invokes a read-only function.',
    since: '7.0.0',
    complexity: 'Depends on the function that is executed.',
    arity: -3,
    flags: ['readonly', 'noscript', 'stale', 'skip_monitor', 'no_mandatory_keys'],
    categories: ['scripting'],
    keys: [
      keysCounted(2, ['RO', 'access'], {
        notes: 'We cannot tell how the keys will be used so we assume the worst, RO and ACCESS',
      }),
    ],
    getKeys: 'numkeys-at-2',
    arguments: [
      string('function'),
      integer('numkeys'),
      optional(multiple(key('key', { spec: 0 }))),
      optional(multiple(string('arg'))),
    ],
  }),

  command('function', {
    summary: 'A container for function commands.',
    since: '7.0.0',
    complexity: 'Depends on subcommand.',
    arity: -2,
    subcommands: [
      command('delete', {
        summary: 'Deletes a library and its functions.',
        since: '7.0.0',
        complexity: 'O(1)',
        arity: 3,
        flags: ['write', 'noscript'],
        categories: ['scripting'],
        tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
        arguments: [string('library-name')],
      }),

      command('dump', {
        summary: 'Dumps all libraries into a serialized binary payload.',
        since: '7.0.0',
        complexity: 'O(N) where N is the number of functions',
        arity: 2,
        flags: ['noscript'],
        categories: ['scripting'],
      }),

      command('flush', {
        summary: 'Deletes all libraries and functions.',
        since: '7.0.0',
        complexity: 'O(N) where N is the number of functions deleted',
        arity: -2,
        flags: ['write', 'noscript'],
        categories: ['scripting'],
        tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
        arguments: [optional(oneof('flush-type', [token('ASYNC'), token('SYNC')]))],
      }),

      command('help', {
        summary: 'Returns helpful text about the different subcommands.',
        since: '7.0.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: ['scripting'],
        handler: functionHelp,
      }),

      command('kill', {
        summary: 'Terminates a function during execution.',
        since: '7.0.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['noscript', 'allow_busy'],
        categories: ['scripting'],
        tips: ['request_policy:all_shards', 'response_policy:one_succeeded'],
      }),

      command('list', {
        summary: 'Returns information about all libraries.',
        since: '7.0.0',
        complexity: 'O(N) where N is the number of functions',
        arity: -2,
        flags: ['noscript'],
        categories: ['scripting'],
        tips: ['nondeterministic_output_order'],
        arguments: [
          optional(string('library-name-pattern', { token: 'LIBRARYNAME' })),
          optional(token('WITHCODE')),
        ],
      }),

      command('load', {
        summary: 'Creates a library.',
        since: '7.0.0',
        complexity: 'O(1) (considering compilation time is redundant)',
        arity: -3,
        flags: ['write', 'denyoom', 'noscript'],
        categories: ['scripting'],
        tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
        arguments: [optional(token('REPLACE')), string('function-code')],
      }),

      command('restore', {
        summary: 'Restores all libraries from a payload.',
        since: '7.0.0',
        complexity: 'O(N) where N is the number of functions on the payload',
        arity: -3,
        flags: ['write', 'denyoom', 'noscript'],
        categories: ['scripting'],
        tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
        arguments: [
          string('serialized-value'),
          optional(oneof('policy', [token('FLUSH'), token('APPEND'), token('REPLACE')])),
        ],
      }),

      command('stats', {
        summary: 'Returns information about a function during execution.',
        since: '7.0.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['noscript', 'allow_busy'],
        categories: ['scripting'],
        tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
      }),
    ],
  }),

  command('script', {
    summary: 'A container for Lua scripts management commands.',
    since: '2.6.0',
    complexity: 'Depends on subcommand.',
    arity: -2,
    subcommands: [
      command('debug', {
        summary: 'Sets the debug mode of server-side Lua scripts.',
        since: '3.2.0',
        complexity: 'O(1)',
        arity: -3,
        flags: ['noscript'],
        categories: ['scripting'],
        arguments: [
          oneof('mode', [token('YES'), token('SYNC'), token('NO')]),
          optional(string('engine', { since: '9.1.0' })),
        ],
      }),

      command('exists', {
        summary: 'Determines whether server-side Lua scripts exist in the script cache.',
        since: '2.6.0',
        complexity:
          'O(N) with N being the number of scripts to check (so checking a single script is an O(1) operation).',
        arity: -3,
        flags: ['noscript', 'stale'],
        categories: ['scripting'],
        tips: ['request_policy:all_shards', 'response_policy:agg_logical_and'],
        arguments: [multiple(string('sha1'))],
      }),

      command('flush', {
        summary: 'Removes all server-side Lua scripts from the script cache.',
        since: '2.6.0',
        complexity: 'O(N) with N being the number of scripts in cache',
        arity: -2,
        flags: ['noscript', 'stale'],
        categories: ['scripting'],
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        history: [['6.2.0', 'Added the `ASYNC` and `SYNC` flushing mode modifiers.']],
        arguments: [optional(oneof('flush-type', [token('ASYNC'), token('SYNC')], { since: '6.2.0' }))],
      }),

      command('help', {
        summary: 'Returns helpful text about the different subcommands.',
        since: '5.0.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: ['scripting'],
        handler: scriptHelp,
      }),

      command('kill', {
        summary: 'Terminates a server-side Lua script during execution.',
        since: '2.6.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['noscript', 'allow_busy'],
        categories: ['scripting'],
        tips: ['request_policy:all_shards', 'response_policy:one_succeeded'],
      }),

      command('load', {
        summary: 'Loads a server-side Lua script to the script cache.',
        since: '2.6.0',
        complexity: 'O(N) with N being the length in bytes of the script body.',
        arity: 3,
        flags: ['noscript', 'stale'],
        categories: ['scripting'],
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        arguments: [string('script')],
      }),

      command('show', {
        summary: 'Show server-side Lua script in the script cache.',
        since: '8.0.0',
        complexity: 'O(1).',
        arity: 3,
        flags: ['noscript', 'stale'],
        categories: ['scripting'],
        arguments: [string('sha1')],
      }),
    ],
  }),
]);
