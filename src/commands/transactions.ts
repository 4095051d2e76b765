/** Transactions. */

import { command, group, key, keysFrom, multiple, native } from './spec.js';

export const transactionsCommands = group('transactions', [
  command('discard', {
    summary: 'Discards a transaction.',
    since: '2.0.0',
    complexity: 'O(N), when N is the number of queued commands',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    categories: ['transaction'],
    handler: native('discard'),
  }),

  command('exec', {
    summary: 'Executes all commands in a transaction.',
    since: '1.2.0',
    complexity: 'Depends on commands in the transaction',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'skip_commandlog'],
    categories: ['transaction'],
    handler: native('exec'),
  }),

  command('multi', {
    summary: 'Starts a transaction.',
    since: '1.2.0',
    complexity: 'O(1)',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_multi', 'allow_busy'],
    categories: ['transaction'],
    handler: native('multi'),
  }),

  command('unwatch', {
    summary: 'Forgets about watched keys of a transaction.',
    since: '2.2.0',
    complexity: 'O(1)',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    categories: ['transaction'],
    handler: native('unwatch'),
  }),

  command('watch', {
    summary: 'Monitors changes to keys to determine the execution of a transaction.',
    since: '2.2.0',
    complexity: 'O(1) for every key.',
    arity: -2,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_multi', 'allow_busy'],
    categories: ['transaction'],
    handler: native('watch'),
    keys: [keysFrom(1, ['RO'], { last: -1 })],
    arguments: [multiple(key('key', { spec: 0 }))],
  }),
]);
