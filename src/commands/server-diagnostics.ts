/** Looking inside a running server: COMMANDLOG, SLOWLOG, LATENCY, MEMORY. */

import { commandlogHelp, latencyHelp, memoryHelp, slowlogHelp } from './help.js';
import {
  commandlogGet,
  commandlogLen,
  commandlogReset,
  latencyDoctor,
  latencyGraphCommand,
  latencyHistogram,
  latencyHistory,
  latencyLatest,
  latencyReset,
  memoryDoctor,
  memoryMallocStats,
  memoryPurge,
  memoryStats,
  slowlogGet,
  slowlogLen,
  slowlogReset,
} from './observability-handlers.js';
import {
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

export const serverDiagnosticsCommands = group('server', [
  command('commandlog', {
    summary: 'A container for command log commands.',
    since: '8.1.0',
    complexity: 'Depends on subcommand.',
    arity: -2,
    subcommands: [
      command('get', {
        summary: "Returns the specified command log's entries.",
        since: '8.1.0',
        complexity: 'O(N) where N is the number of entries returned',
        arity: 4,
        flags: ['admin', 'loading', 'stale'],
        tips: ['request_policy:all_nodes', 'nondeterministic_output'],
        arguments: [
          integer('count'),
          oneof('type', [token('SLOW'), token('LARGE-REQUEST'), token('LARGE-REPLY')]),
        ],
        handler: commandlogGet,
      }),

      command('help', {
        summary: 'Shows helpful text about the different subcommands.',
        since: '8.1.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['loading', 'stale'],
        handler: commandlogHelp,
      }),

      command('len', {
        summary: 'Returns the number of entries in the specified type of command log.',
        since: '8.1.0',
        complexity: 'O(1)',
        arity: 3,
        flags: ['admin', 'loading', 'stale'],
        tips: ['request_policy:all_nodes', 'response_policy:agg_sum', 'nondeterministic_output'],
        arguments: [oneof('type', [token('SLOW'), token('LARGE-REQUEST'), token('LARGE-REPLY')])],
        handler: commandlogLen,
      }),

      command('reset', {
        summary: 'Clears all entries from the specified type of command log.',
        since: '8.1.0',
        complexity: 'O(N) where N is the number of entries in the commandlog',
        arity: 3,
        flags: ['admin', 'loading', 'stale'],
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        arguments: [oneof('type', [token('SLOW'), token('LARGE-REQUEST'), token('LARGE-REPLY')])],
        handler: commandlogReset,
      }),
    ],
  }),

  command('latency', {
    summary: 'A container for latency diagnostics commands.',
    since: '2.8.13',
    complexity: 'Depends on subcommand.',
    arity: -2,
    subcommands: [
      command('doctor', {
        summary: 'Returns a human-readable latency analysis report.',
        since: '2.8.13',
        complexity: 'O(1)',
        arity: 2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
        handler: latencyDoctor,
      }),

      command('graph', {
        summary: 'Returns a latency graph for an event.',
        since: '2.8.13',
        complexity: 'O(1)',
        arity: 3,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
        arguments: [string('event')],
        handler: latencyGraphCommand,
      }),

      command('help', {
        summary: 'Returns helpful text about the different subcommands.',
        since: '2.8.13',
        complexity: 'O(1)',
        arity: 2,
        flags: ['loading', 'stale'],
        handler: latencyHelp,
      }),

      command('histogram', {
        summary: 'Returns the cumulative distribution of latencies of a subset or all commands.',
        since: '7.0.0',
        complexity: 'O(N) where N is the number of commands with latency information being retrieved.',
        arity: -2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
        arguments: [optional(multiple(string('command')))],
        handler: latencyHistogram,
      }),

      command('history', {
        summary: 'Returns timestamp-latency samples for an event.',
        since: '2.8.13',
        complexity: 'O(1)',
        arity: 3,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
        arguments: [string('event')],
        handler: latencyHistory,
      }),

      command('latest', {
        summary: 'Returns the latest latency samples for all events.',
        since: '2.8.13',
        complexity: 'O(1)',
        arity: 2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
        handler: latencyLatest,
      }),

      command('reset', {
        summary: 'Resets the latency data for one or more events.',
        since: '2.8.13',
        complexity: 'O(1)',
        arity: -2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        tips: ['request_policy:all_nodes', 'response_policy:agg_sum'],
        arguments: [optional(multiple(string('event')))],
        handler: latencyReset,
      }),
    ],
  }),

  command('memory', {
    summary: 'A container for memory diagnostics commands.',
    since: '4.0.0',
    complexity: 'Depends on subcommand.',
    arity: -2,
    subcommands: [
      command('doctor', {
        summary: 'Outputs a memory problems report.',
        since: '4.0.0',
        complexity: 'O(1)',
        arity: 2,
        tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
        handler: memoryDoctor,
      }),

      command('help', {
        summary: 'Returns helpful text about the different subcommands.',
        since: '4.0.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['loading', 'stale'],
        handler: memoryHelp,
      }),

      command('malloc-stats', {
        summary: 'Returns the allocator statistics.',
        since: '4.0.0',
        complexity: 'Depends on how much memory is allocated, could be slow',
        arity: 2,
        flags: ['loading'],
        tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
        handler: memoryMallocStats,
      }),

      command('purge', {
        summary: 'Asks the allocator to release memory.',
        since: '4.0.0',
        complexity: 'Depends on how much memory is allocated, could be slow',
        arity: 2,
        flags: ['loading'],
        tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
        handler: memoryPurge,
      }),

      command('stats', {
        summary: 'Returns details about memory usage.',
        since: '4.0.0',
        complexity: 'O(1)',
        arity: 2,
        tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
        handler: memoryStats,
      }),

      command('usage', {
        summary: 'Estimates the memory usage of a key.',
        since: '4.0.0',
        complexity: 'O(N) where N is the number of samples.',
        arity: -3,
        flags: ['readonly'],
        keys: [keyAt(2, ['RO'])],
        arguments: [key('key', { spec: 0 }), optional(integer('count', { token: 'SAMPLES' }))],
        handler: native('memory|usage'),
      }),
    ],
  }),

  command('slowlog', {
    summary: 'A container for slow log commands.',
    since: '2.2.12',
    complexity: 'Depends on subcommand.',
    arity: -2,
    subcommands: [
      command('get', {
        summary: "Returns the slow log's entries.",
        since: '2.2.12',
        complexity: 'O(N) where N is the number of entries returned',
        arity: -2,
        flags: ['admin', 'loading', 'stale'],
        tips: ['request_policy:all_nodes', 'nondeterministic_output'],
        history: [['4.0.0', 'Added client IP address, port and name to the reply.']],
        arguments: [optional(integer('count'))],
        handler: slowlogGet,
      }),

      command('help', {
        summary: 'Shows helpful text about the different subcommands.',
        since: '6.2.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['loading', 'stale'],
        handler: slowlogHelp,
      }),

      command('len', {
        summary: 'Returns the number of entries in the slow log.',
        since: '2.2.12',
        complexity: 'O(1)',
        arity: 2,
        flags: ['admin', 'loading', 'stale'],
        tips: ['request_policy:all_nodes', 'response_policy:agg_sum', 'nondeterministic_output'],
        handler: slowlogLen,
      }),

      command('reset', {
        summary: 'Clears all entries from the slow log.',
        since: '2.2.12',
        complexity: 'O(N) where N is the number of entries in the slowlog',
        arity: 2,
        flags: ['admin', 'loading', 'stale'],
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        handler: slowlogReset,
      }),
    ],
  }),
]);
