/** ACL and its subcommands. */

import { aclHelp } from './help.js';
import { command, group, integer, multiple, oneof, optional, string, token } from './spec.js';

export const serverAclCommands = group('server', [
  command('acl', {
    summary: 'A container for Access List Control commands.',
    since: '6.0.0',
    complexity: 'Depends on subcommand.',
    arity: -2,
    subcommands: [
      command('cat', {
        summary: 'Lists the ACL categories, or the commands inside a category.',
        since: '6.0.0',
        complexity: 'O(1) since the categories and commands are a fixed set.',
        arity: -2,
        flags: ['noscript', 'loading', 'stale'],
        arguments: [optional(string('category'))],
      }),

      command('deluser', {
        summary: 'Deletes ACL users, and terminates their connections.',
        since: '6.0.0',
        complexity: 'O(1) amortized time considering the typical user.',
        arity: -3,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        arguments: [multiple(string('username'))],
      }),

      command('dryrun', {
        summary: 'Simulates the execution of a command by a user, without executing the command.',
        since: '7.0.0',
        complexity: 'O(1).',
        arity: -4,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        arguments: [string('username'), string('command'), optional(multiple(string('arg')))],
      }),

      command('genpass', {
        summary: 'Generates a pseudorandom, secure password that can be used to identify ACL users.',
        since: '6.0.0',
        complexity: 'O(1)',
        arity: -2,
        flags: ['noscript', 'loading', 'stale'],
        arguments: [optional(integer('bits'))],
      }),

      command('getuser', {
        summary: 'Lists the ACL rules of a user.',
        since: '6.0.0',
        complexity: 'O(N). Where N is the number of password, command and pattern rules that the user has.',
        arity: 3,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        history: [
          ['6.2.0', 'Added Pub/Sub channel patterns.'],
          [
            '7.0.0',
            'Added selectors and changed the format of key and channel patterns from a list to their rule representation.',
          ],
          ['9.1.0', 'Added database permission rules.'],
        ],
        arguments: [string('username')],
      }),

      command('help', {
        summary: 'Returns helpful text about the different subcommands.',
        since: '6.0.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['loading', 'stale'],
        handler: aclHelp,
      }),

      command('list', {
        summary: 'Dumps the effective rules in ACL file format.',
        since: '6.0.0',
        complexity: 'O(N). Where N is the number of configured users.',
        arity: 2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
      }),

      command('load', {
        summary: 'Reloads the rules from the configured ACL file.',
        since: '6.0.0',
        complexity: 'O(N). Where N is the number of configured users.',
        arity: 2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
      }),

      command('log', {
        summary: 'Lists recent security events generated due to ACL rules.',
        since: '6.0.0',
        complexity: 'O(N) with N being the number of entries shown.',
        arity: -2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        history: [['7.2.0', 'Added entry ID, timestamp created, and timestamp last updated.']],
        arguments: [optional(oneof('operation', [integer('count'), token('RESET')]))],
      }),

      command('save', {
        summary: 'Saves the effective ACL rules in the configured ACL file.',
        since: '6.0.0',
        complexity: 'O(N). Where N is the number of configured users.',
        arity: 2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
      }),

      command('setuser', {
        summary: 'Creates and modifies an ACL user and its rules.',
        since: '6.0.0',
        complexity: 'O(N). Where N is the number of rules provided.',
        arity: -3,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        history: [
          ['6.2.0', 'Added Pub/Sub channel patterns.'],
          ['7.0.0', 'Added selectors and key based permissions.'],
          ['9.1.0', 'Added database permission rules.'],
        ],
        arguments: [string('username'), optional(multiple(string('rule')))],
      }),

      command('users', {
        summary: 'Lists all ACL users.',
        since: '6.0.0',
        complexity: 'O(N). Where N is the number of configured users.',
        arity: 2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
      }),

      command('whoami', {
        summary: 'Returns the authenticated username of the current connection.',
        since: '6.0.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['noscript', 'loading', 'stale'],
      }),
    ],
  }),
]);
