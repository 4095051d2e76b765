/** CONFIG and MODULE. */

import {
  configGetCommand,
  configResetStatCommand,
  configRewriteCommand,
  configSetCommand,
} from './config-handlers.js';
import { configHelp, moduleHelp } from './help.js';
import { moduleListCommand, moduleLoadCommand, moduleUnloadCommand } from './module-handlers.js';
import { block, command, group, multiple, multipleWithToken, optional, string } from './spec.js';

export const serverConfigCommands = group('server', [
  command('config', {
    summary: 'A container for server configuration commands.',
    since: '2.0.0',
    complexity: 'Depends on subcommand.',
    arity: -2,
    subcommands: [
      command('get', {
        summary: 'Returns the effective values of configuration parameters.',
        since: '2.0.0',
        complexity: 'O(N) when N is the number of configuration parameters provided',
        arity: -3,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        history: [['7.0.0', 'Added the ability to pass multiple pattern parameters in one call']],
        arguments: [multiple(string('parameter'))],
        handler: configGetCommand,
      }),

      command('help', {
        summary: 'Returns helpful text about the different subcommands.',
        since: '5.0.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['loading', 'stale'],
        handler: configHelp,
      }),

      command('resetstat', {
        summary: "Resets the server's statistics.",
        since: '2.0.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        handler: configResetStatCommand,
      }),

      command('rewrite', {
        summary: 'Persists the effective configuration to file.',
        since: '2.8.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        handler: configRewriteCommand,
      }),

      command('set', {
        summary: 'Sets configuration parameters in-flight.',
        since: '2.0.0',
        complexity: 'O(N) when N is the number of configuration parameters provided',
        arity: -4,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        history: [['7.0.0', 'Added the ability to set multiple parameters in one call.']],
        arguments: [multiple(block('data', [string('parameter'), string('value')]))],
        handler: configSetCommand,
      }),
    ],
  }),

  command('module', {
    summary: 'A container for module commands.',
    since: '4.0.0',
    complexity: 'Depends on subcommand.',
    arity: -2,
    subcommands: [
      command('help', {
        summary: 'Returns helpful text about the different subcommands.',
        since: '5.0.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['loading', 'stale'],
        handler: moduleHelp,
      }),

      command('list', {
        summary: 'Returns all loaded modules.',
        since: '4.0.0',
        complexity: 'O(N) where N is the number of loaded modules.',
        arity: 2,
        flags: ['admin', 'noscript'],
        tips: ['nondeterministic_output_order'],
        handler: moduleListCommand,
      }),

      command('load', {
        summary: 'Loads a module.',
        since: '4.0.0',
        complexity: 'O(1)',
        arity: -3,
        flags: ['admin', 'noscript', 'no_async_loading', 'protected'],
        arguments: [string('path'), optional(multiple(string('arg')))],
        handler: moduleLoadCommand,
      }),

      command('loadex', {
        summary: 'Loads a module using extended parameters.',
        since: '7.0.0',
        complexity: 'O(1)',
        arity: -3,
        flags: ['admin', 'noscript', 'no_async_loading', 'protected'],
        arguments: [
          string('path'),
          optional(
            multipleWithToken(block('configs', [string('name'), string('value')], { token: 'CONFIG' })),
          ),
          optional(multiple(string('args', { token: 'ARGS' }))),
        ],
        handler: moduleLoadCommand,
      }),

      command('unload', {
        summary: 'Unloads a module.',
        since: '4.0.0',
        complexity: 'O(1)',
        arity: 3,
        flags: ['admin', 'noscript', 'no_async_loading', 'protected'],
        arguments: [string('name')],
        handler: moduleUnloadCommand,
      }),
    ],
  }),
]);
