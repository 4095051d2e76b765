/** Connections, without CLIENT. */

import { block, command, group, integer, native, optional, string } from './spec.js';

export const connectionCommands = group('connection', [
  command('auth', {
    summary: 'Authenticates the connection.',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of passwords defined for the user',
    arity: -2,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
    categories: ['connection'],
    history: [['6.0.0', 'Added ACL style (username and password).']],
    arguments: [optional(string('username', { since: '6.0.0' })), string('password')],
    handler: native('auth'),
  }),

  command('echo', {
    summary: 'Returns the given string.',
    since: '1.0.0',
    complexity: 'O(1)',
    arity: 2,
    flags: ['loading', 'stale', 'fast'],
    categories: ['connection'],
    arguments: [string('message')],
    handler: native('echo'),
  }),

  command('hello', {
    summary: 'Handshakes with the server.',
    since: '6.0.0',
    complexity: 'O(1)',
    arity: -1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
    categories: ['connection'],
    history: [
      [
        '8.1.0',
        'A new `availability_zone` field is added to the response if the `availability-zone` config is set.',
      ],
      [
        '6.2.0',
        "`protover` made optional; when called without arguments the command reports the current connection's context.",
      ],
    ],
    arguments: [
      optional(
        block('arguments', [
          integer('protover'),
          optional(block('auth', [string('username'), string('password')], { token: 'AUTH' })),
          optional(string('clientname', { token: 'SETNAME' })),
        ]),
      ),
    ],
    handler: native('hello'),
  }),

  command('ping', {
    summary: "Returns the server's liveliness response.",
    since: '1.0.0',
    complexity: 'O(1)',
    arity: -1,
    flags: ['fast'],
    categories: ['connection'],
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
    arguments: [optional(string('message'))],
    handler: native('ping'),
  }),

  command('quit', {
    summary: 'Closes the connection.',
    since: '1.0.0',
    complexity: 'O(1)',
    arity: -1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
    categories: ['connection'],
    handler: native('quit'),
  }),

  command('reset', {
    summary: 'Resets the connection.',
    since: '6.2.0',
    complexity: 'O(1)',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
    categories: ['connection'],
    handler: native('reset'),
  }),

  command('select', {
    summary: 'Changes the selected database.',
    since: '1.0.0',
    complexity: 'O(1)',
    arity: 2,
    flags: ['loading', 'stale', 'fast', 'allow_busy'],
    categories: ['connection'],
    dbArgs: 'select',
    arguments: [integer('index')],
    handler: native('select'),
  }),
]);
