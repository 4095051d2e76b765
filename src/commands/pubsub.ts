/** Publish and subscribe. */

import { pubsubHelp } from './help.js';
import { command, group, keyAt, keysFrom, multiple, native, optional, pattern, string } from './spec.js';

export const pubsubCommands = group('pubsub', [
  command('psubscribe', {
    summary: 'Listens for messages published to channels that match one or more patterns.',
    since: '2.0.0',
    complexity: 'O(N) where N is the number of patterns to subscribe to.',
    arity: -2,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    arguments: [multiple(pattern('pattern'))],
    handler: native('psubscribe'),
  }),

  command('publish', {
    summary: 'Posts a message to a channel.',
    since: '2.0.0',
    complexity:
      'O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total number of subscribed patterns (by any client).',
    arity: 3,
    flags: ['pubsub', 'loading', 'stale', 'fast', 'may_replicate'],
    arguments: [string('channel'), string('message')],
    handler: native('publish'),
  }),

  command('pubsub', {
    summary: 'A container for Pub/Sub commands.',
    since: '2.8.0',
    complexity: 'Depends on subcommand.',
    arity: -2,
    subcommands: [
      command('channels', {
        summary: 'Returns the active channels.',
        since: '2.8.0',
        complexity:
          'O(N) where N is the number of active channels, and assuming constant time pattern matching (relatively short channels and patterns)',
        arity: -2,
        flags: ['pubsub', 'loading', 'stale'],
        arguments: [optional(pattern('pattern'))],
        handler: native('pubsub|channels'),
      }),

      command('help', {
        summary: 'Returns helpful text about the different subcommands.',
        since: '6.2.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['loading', 'stale'],
        handler: pubsubHelp,
      }),

      command('numpat', {
        summary: 'Returns a count of unique pattern subscriptions.',
        since: '2.8.0',
        complexity: 'O(1)',
        arity: 2,
        flags: ['pubsub', 'loading', 'stale'],
        handler: native('pubsub|numpat'),
      }),

      command('numsub', {
        summary: 'Returns a count of subscribers to channels.',
        since: '2.8.0',
        complexity: 'O(N) for the NUMSUB subcommand, where N is the number of requested channels',
        arity: -2,
        flags: ['pubsub', 'loading', 'stale'],
        arguments: [optional(multiple(string('channel')))],
        handler: native('pubsub|numsub'),
      }),

      command('shardchannels', {
        summary: 'Returns the active shard channels.',
        since: '7.0.0',
        complexity:
          'O(N) where N is the number of active shard channels, and assuming constant time pattern matching (relatively short shard channels).',
        arity: -2,
        flags: ['pubsub', 'loading', 'stale'],
        arguments: [optional(pattern('pattern'))],
        handler: native('pubsub|shardchannels'),
      }),

      command('shardnumsub', {
        summary: 'Returns the count of subscribers of shard channels.',
        since: '7.0.0',
        complexity: 'O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels',
        arity: -2,
        flags: ['pubsub', 'loading', 'stale'],
        arguments: [optional(multiple(string('shardchannel')))],
        handler: native('pubsub|shardnumsub'),
      }),
    ],
  }),

  command('punsubscribe', {
    summary: 'Stops listening to messages published to channels that match one or more patterns.',
    since: '2.0.0',
    complexity: 'O(N) where N is the number of patterns to unsubscribe.',
    arity: -1,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    arguments: [optional(multiple(pattern('pattern')))],
    handler: native('punsubscribe'),
  }),

  command('spublish', {
    summary: 'Posts a message to a shard channel.',
    since: '7.0.0',
    complexity: 'O(N) where N is the number of clients subscribed to the receiving shard channel.',
    arity: 3,
    flags: ['pubsub', 'loading', 'stale', 'fast', 'may_replicate'],
    keys: [keyAt(1, ['not_key'])],
    arguments: [string('shardchannel'), string('message')],
    handler: native('spublish'),
  }),

  command('ssubscribe', {
    summary: 'Listens for messages published to shard channels.',
    since: '7.0.0',
    complexity: 'O(N) where N is the number of shard channels to subscribe to.',
    arity: -2,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    keys: [keysFrom(1, ['not_key'], { last: -1 })],
    arguments: [multiple(string('shardchannel'))],
    handler: native('ssubscribe'),
  }),

  command('subscribe', {
    summary: 'Listens for messages published to channels.',
    since: '2.0.0',
    complexity: 'O(N) where N is the number of channels to subscribe to.',
    arity: -2,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    arguments: [multiple(string('channel'))],
    handler: native('subscribe'),
  }),

  command('sunsubscribe', {
    summary: 'Stops listening to messages posted to shard channels.',
    since: '7.0.0',
    complexity: 'O(N) where N is the number of shard channels to unsubscribe.',
    arity: -1,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    keys: [keysFrom(1, ['not_key'], { last: -1 })],
    arguments: [optional(multiple(string('shardchannel')))],
    handler: native('sunsubscribe'),
  }),

  command('unsubscribe', {
    summary: 'Stops listening to messages posted to channels.',
    since: '2.0.0',
    complexity: 'O(N) where N is the number of channels to unsubscribe.',
    arity: -1,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    arguments: [optional(multiple(string('channel')))],
    handler: native('unsubscribe'),
  }),
]);
