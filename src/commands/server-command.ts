/** COMMAND and its subcommands. */

import { commandHelp } from './help.js';
import {
  commandCount,
  commandDocs,
  commandGetKeys,
  commandGetKeysAndFlags,
  commandInfo,
  commandInfoAll,
  commandList,
} from './introspection.js';
import { command, group, multiple, oneof, optional, pattern, string } from './spec.js';

export const serverCommandCommands = group('server', [
  command('command', {
    summary: 'Returns detailed information about all commands.',
    since: '2.8.13',
    complexity: 'O(N) where N is the total number of commands',
    arity: -1,
    flags: ['loading', 'stale'],
    categories: ['connection'],
    tips: ['nondeterministic_output_order'],
    handler: commandInfoAll,
    subcommands: [
      command('count', {
        summary: 'Returns a count of commands.',
        since: '2.8.13',
        complexity: 'O(1)',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: ['connection'],
        handler: commandCount,
      }),

      command('docs', {
        summary: 'Returns documentary information about one, multiple or all commands.',
        since: '7.0.0',
        complexity: 'O(N) where N is the number of commands to look up',
        arity: -2,
        flags: ['loading', 'stale'],
        categories: ['connection'],
        tips: ['nondeterministic_output_order'],
        arguments: [optional(multiple(string('command-name')))],
        handler: commandDocs,
      }),

      command('getkeys', {
        summary: 'Extracts the key names from an arbitrary command.',
        since: '2.8.13',
        complexity: 'O(N) where N is the number of arguments to the command',
        arity: -3,
        flags: ['loading', 'stale'],
        categories: ['connection'],
        arguments: [string('command'), optional(multiple(string('arg')))],
        handler: commandGetKeys,
      }),

      command('getkeysandflags', {
        summary: 'Extracts the key names and access flags for an arbitrary command.',
        since: '7.0.0',
        complexity: 'O(N) where N is the number of arguments to the command',
        arity: -3,
        flags: ['loading', 'stale'],
        categories: ['connection'],
        arguments: [string('command'), optional(multiple(string('arg')))],
        handler: commandGetKeysAndFlags,
      }),

      command('help', {
        summary: 'Returns helpful text about the different subcommands.',
        since: '5.0.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: ['connection'],
        handler: commandHelp,
      }),

      command('info', {
        summary: 'Returns information about one, multiple or all commands.',
        since: '2.8.13',
        complexity: 'O(N) where N is the number of commands to look up',
        arity: -2,
        flags: ['loading', 'stale'],
        categories: ['connection'],
        tips: ['nondeterministic_output_order'],
        history: [['7.0.0', 'Allowed to be called with no argument to get info on all commands.']],
        arguments: [optional(multiple(string('command-name')))],
        handler: commandInfo,
      }),

      command('list', {
        summary: 'Returns a list of command names.',
        since: '7.0.0',
        complexity: 'O(N) where N is the total number of commands',
        arity: -2,
        flags: ['loading', 'stale'],
        categories: ['connection'],
        tips: ['nondeterministic_output_order'],
        arguments: [
          optional(
            oneof(
              'filterby',
              [
                string('module-name', { token: 'MODULE' }),
                string('category', { token: 'ACLCAT' }),
                pattern('pattern', { token: 'PATTERN' }),
              ],
              { token: 'FILTERBY' },
            ),
          ),
        ],
        handler: commandList,
      }),
    ],
  }),
]);
