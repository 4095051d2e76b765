/**
 * What takes more than one client: messages, invalidations, keyspace events, watched keys, clients that wait for
 * others. See scene.ts for how a scene runs; here is only what its clients send.
 */
import type { Command } from '../pair.js';
import { idOf, type SceneStep, scene } from '../scene.js';
import {
  build,
  type Context,
  type Episode,
  type Group,
  maybe,
  oneOf,
  options,
  type Part,
  repeat,
  steps,
} from './pattern.js';
import { counterKey, key, value } from './values.js';

/**
 * Not for a scene: commands that speak of connections the scene knows itself, pause the server, visit keys in the
 * order of the hash seed (and with it delete those that are due), or cost much and concern nobody else.
 */
const NOT_IN_SCENES = new Set([
  ...['client', 'config', 'debug', 'command', 'info', 'latency', 'memory', 'slowlog', 'commandlog', 'acl'],
  ...['keys', 'scan', 'randomkey', 'swapdb', 'reset', 'hello', 'auth', 'select', 'wait', 'waitaof'],
  ...['multi', 'exec', 'discard', 'watch', 'unwatch', 'blpop', 'brpop', 'blmove', 'brpoplpush', 'blmpop'],
  ...['bzpopmin', 'bzpopmax', 'bzmpop', 'xread', 'xreadgroup', 'monitor', 'cluster', 'script', 'function'],
]);

/** Keys that expire in a scene: nobody else uses them. */
const PASSING = ['e0', 'e1', 'e2'];
const passing: Part = oneOf(...PASSING);

const channel: Part = oneOf('c0', 'c1', 'c2', 'news.art', 'news.it', '', '\x00\xff\r\n', 'x'.repeat(300));
const channelPattern: Part = oneOf('c*', 'c?', 'news.*', 'news.[ai]*', '*', 'c0', '', '[', '\\c0');
const eventPattern: Part = oneOf('__key*__:*', '__keyspace@0__:*', '__keyevent@*__:*', '__keyevent@0__:del');
const message: Part = oneOf('m', '', value, 'y'.repeat(20_000));

interface Draft {
  readonly context: Context;
  readonly clients: number;
  readonly steps: SceneStep[];
}

const ownWords = (context: Context, ...parts: readonly Part[]): Command => ({ args: build(context, parts) });

type Words = readonly Part[] | ((draft: Draft) => SceneStep | readonly Command[] | Command);

const anybody = (draft: Draft): number => draft.context.random.int(0, draft.clients - 1);
const somebodysId = (draft: Draft): string =>
  draft.context.random.chance(0.95) ? idOf(anybody(draft)) : '9999999999';

/** Any command of the other grammars. */
const anything: Words = ({ context }) => context.anyCommand(NOT_IN_SCENES);

const hello: Words = ['HELLO', oneOf('2', '3', '3')];

const pubsub: readonly Words[] = [
  ['SUBSCRIBE', repeat(1, 3, channel)],
  ['PSUBSCRIBE', repeat(1, 2, channelPattern)],
  ['SSUBSCRIBE', repeat(1, 3, channel)],
  ['UNSUBSCRIBE', repeat(1, 2, channel)],
  ['PUNSUBSCRIBE', repeat(1, 2, channelPattern)],
  ['SUNSUBSCRIBE', repeat(1, 2, channel)],
  ['PUBLISH', channel, message],
  ['PUBLISH', channel, message],
  ['PUBLISH', channel, message],
  ['SPUBLISH', channel, message],
  ['SPUBLISH', channel, message],
  ['PUBSUB', 'NUMSUB', repeat(0, 3, channel)],
  ['PUBSUB', 'NUMPAT'],
  ['PUBSUB', 'SHARDNUMSUB', repeat(0, 3, channel)],
  ['PUBSUB', oneOf('CHANNELS', 'SHARDCHANNELS', 'NUMSUB', 'BOGUS', 'HELP'), maybe(0.3, 'c*', 'd*')],
  ['PING', maybe(0.5, value)],
  ['GET', key],
  hello,
  ['RESET'],
  ['PUBSUB', oneOf('CHANNELS', 'SHARDCHANNELS'), maybe(0.5, channelPattern)],
  // Leaving everything happens in the order of the hash.
  ({ context }) => ({
    ...ownWords(context, oneOf('UNSUBSCRIBE', 'PUNSUBSCRIBE', 'SUNSUBSCRIBE')),
    rule: 'subscription',
  }),
  ({ context }) => [
    { args: ['MULTI'] },
    ...Array.from({ length: context.random.int(1, 4) }, () =>
      ownWords(
        context,
        oneOf(
          ['PUBLISH', channel, message],
          ['SUBSCRIBE', channel],
          ['PSUBSCRIBE', channelPattern],
          ['UNSUBSCRIBE', channel],
          ['PING', 'x'],
          ['SET', key, value],
        ),
      ),
    ),
    { args: ['EXEC'] },
  ],
];

const CLASSES = [
  ...'KEA',
  ...'g$lshzxenmtd',
  'KEA',
  'Kg$',
  'El',
  'AKE',
  'KEAn',
  'KEAmn',
  'EKx',
  'Klshzt',
  '',
];
const events: readonly Words[] = [
  ['CONFIG', 'SET', 'notify-keyspace-events', oneOf(...CLASSES, 'KEAmn', 'KEAmn')],
  ['CONFIG', 'GET', 'notify-keyspace-events'],
  ['PSUBSCRIBE', eventPattern],
  ['PSUBSCRIBE', '__key*__:*'],
  ['PUNSUBSCRIBE', eventPattern],
  ...Array.from({ length: 16 }, () => anything),
];

const modes: Part = options(
  ['BCAST'],
  ['OPTIN'],
  ['OPTOUT'],
  ['NOLOOP'],
  ['NOLOOP'],
  ['PREFIX', oneOf('k', 'n', 'k1', '')],
);
const tracking: readonly Words[] = [
  ['CLIENT', 'TRACKING', 'ON', modes],
  [
    'CLIENT',
    'TRACKING',
    'ON',
    'BCAST',
    options(['NOLOOP'], ['PREFIX', 'k'], ['PREFIX', 'n'], ['PREFIX', 'e']),
  ],
  (draft) => ownWords(draft.context, 'CLIENT', 'TRACKING', 'ON', 'REDIRECT', somebodysId(draft), modes),
  ['CLIENT', 'TRACKING', 'OFF'],
  ['CLIENT', 'CACHING', oneOf('YES', 'NO')],
  ['CLIENT', 'TRACKINGINFO'],
  ['CLIENT', 'GETREDIR'],
  ['SUBSCRIBE', '__redis__:invalidate'],
  hello,
  hello,
  ['GET', key],
  ['MGET', repeat(1, 4, key)],
  ['GET', passing],
  ['EXISTS', key],
  ['SET', key, value],
  ['MSET', key, value, key, value],
  ['DEL', repeat(1, 3, key)],
  ['INCR', counterKey],
  oneStep('FLUSHALL', maybe(0.5, oneOf('SYNC', 'ASYNC'))),
  ['FLUSHDB'],
  ({ context }) => [
    ...(context.random.chance(0.5) ? [ownWords(context, 'CLIENT', 'CACHING', oneOf('YES', 'NO'))] : []),
    { args: ['MULTI'] },
    ...Array.from({ length: context.random.int(1, 4) }, () =>
      ownWords(context, oneOf(['GET', key], ['SET', key, value], ['INCR', counterKey], ['MGET', key, key])),
    ),
    { args: ['EXEC'] },
  ],
  ...Array.from({ length: 8 }, () => anything),
];

/** FLUSHALL is rare: the scenes live from what the round has made. */
function oneStep(...parts: readonly Part[]): Words {
  return ({ context }) => (context.random.chance(0.2) ? ownWords(context, ...parts) : { args: ['PING'] });
}

const expiry: readonly Words[] = [
  ({ context, ...draft }) => ({
    client: anybody({ context, ...draft }),
    commands: [
      ownWords(
        context,
        ...oneOfList(context, [
          ['PEXPIRE', passing, '1'],
          ['SET', passing, value, 'PX', '1'],
          ['GETEX', passing, 'PX', '1'],
          ['RESTORE', passing, '1', '\x00\x01a\x50\x00\x00\x00\x00\x00\x00\x00\x00\x00', 'REPLACE'],
        ]),
      ),
    ],
    pause: 3,
  }),
  ['SET', passing, value],
  ['RPUSH', passing, value, value],
  ['GET', passing],
  ['EXISTS', passing, passing],
  ['TOUCH', passing],
  ['DEL', passing],
  ['WATCH', passing],
  ['PERSIST', passing],
  ['TTL', passing],
  ['APPEND', passing, 'x'],
  ['DBSIZE'],
];

function oneOfList(context: Context, choices: readonly (readonly Part[])[]): readonly Part[] {
  return context.random.pick(choices);
}

const watching: readonly Words[] = [
  ['WATCH', repeat(1, 3, oneOf(key, passing))],
  ['WATCH', key],
  ['UNWATCH'],
  ['MULTI'],
  ['MULTI'],
  ['EXEC'],
  ['EXEC'],
  ['DISCARD'],
  ['SELECT', oneOf('0', '0', '1')],
  ['SWAPDB', '0', '1'],
  oneStep('FLUSHALL'),
  ['FLUSHDB'],
  ['SET', key, value],
  ['DEL', key, key],
  ['NOSUCHCOMMAND'],
  ['GET'],
  ['RESET'],
  ...Array.from({ length: 10 }, () => anything),
];

const listKey: Part = oneOf('w0', 'w1', 'w2');
const zsetKey: Part = oneOf('wz0', 'wz1', 'w2');
const streamKey: Part = oneOf('wx0', 'wx1', 'w2');
const end: Part = oneOf('LEFT', 'RIGHT');
const blocking: readonly Words[] = [
  ['BLPOP', repeat(1, 3, listKey), '0'],
  ['BRPOP', repeat(1, 3, listKey), '0'],
  ['BLMOVE', listKey, listKey, end, end, '0'],
  ['BRPOPLPUSH', listKey, listKey, '0'],
  ['BLMPOP', '0', '2', listKey, listKey, end, maybe(0.5, 'COUNT', '2')],
  ['BZPOPMIN', repeat(1, 2, zsetKey), '0'],
  ['BZPOPMAX', repeat(1, 2, zsetKey), '0'],
  ['BZMPOP', '0', '2', zsetKey, zsetKey, oneOf('MIN', 'MAX'), maybe(0.5, 'COUNT', '2')],
  ['XREAD', maybe(0.3, 'COUNT', '1'), 'BLOCK', '0', 'STREAMS', streamKey, oneOf('$', '0', '+', '5-5')],
  ['XREAD', 'BLOCK', '0', 'STREAMS', 'wx0', 'wx1', oneOf('$', '0'), '$'],
  [
    ...['XREADGROUP', 'GROUP', 'g', oneOf('a', 'b'), maybe(0.3, 'COUNT', '1'), 'BLOCK', '0'],
    ...[maybe(0.2, 'NOACK'), 'STREAMS', streamKey, oneOf('>', '>', '0')],
  ],
];
/** As above with a time that is soon over. */
const briefly: readonly Words[] = [
  ['BLPOP', listKey, '0.002'],
  ['BLMOVE', listKey, listKey, end, end, '0.002'],
  ['BLMPOP', '0.002', '1', listKey, end],
  ['BZPOPMIN', zsetKey, '0.002'],
  ['BZMPOP', '0.002', '1', zsetKey, 'MAX'],
  ['XREAD', 'BLOCK', '2', 'STREAMS', streamKey, '$'],
  ['XREADGROUP', 'GROUP', 'g', 'a', 'BLOCK', '2', 'STREAMS', streamKey, '>'],
].map(
  (parts): Words =>
    (draft) => ({
      client: anybody(draft),
      commands: [ownWords(draft.context, ...(parts as readonly Part[]))],
      brief: true,
    }),
);
const serving: readonly Words[] = [
  [oneOf('LPUSH', 'RPUSH'), listKey, repeat(1, 3, value)],
  [oneOf('LPUSH', 'RPUSH'), listKey, value],
  ['LMOVE', listKey, listKey, end, end],
  ['LINSERT', listKey, 'BEFORE', 'a', 'b'],
  ['ZADD', zsetKey, '1', 'm', '2', 'n'],
  ['ZADD', zsetKey, '5', value],
  ['ZINCRBY', zsetKey, '2', 'm'],
  ['ZUNIONSTORE', zsetKey, '1', zsetKey],
  ['XADD', streamKey, '*', 'f', value].map((part) => (part === '*' ? '0-*' : part)),
  ['XADD', streamKey, maybe(0.3, 'NOMKSTREAM'), oneOf('1-*', '7-1', '5-*'), 'f', value],
  ['XGROUP', 'CREATE', streamKey, 'g', oneOf('$', '0'), maybe(0.7, 'MKSTREAM')],
  ['XGROUP', 'DESTROY', streamKey, 'g'],
  ['XACK', streamKey, 'g', '0-1', '7-1'],
  ['DEL', oneOf(listKey, zsetKey, streamKey)],
  ['RENAME', oneOf(listKey, zsetKey, streamKey), oneOf(listKey, zsetKey, streamKey)],
  ['COPY', oneOf(listKey, zsetKey), oneOf(listKey, zsetKey), maybe(0.5, 'REPLACE')],
  ['MOVE', listKey, '1'],
  ['SET', 'w2', 'text'],
  ['SORT', listKey, 'ALPHA', 'STORE', listKey],
  ['SWAPDB', '0', '1'],
  ['FLUSHDB'],
  ['SELECT', oneOf('0', '0', '0', '1')],
  ({ context }) => [
    { args: ['MULTI'] },
    ...Array.from({ length: context.random.int(1, 5) }, () =>
      ownWords(
        context,
        oneOf(
          [oneOf('LPUSH', 'RPUSH'), listKey, repeat(1, 2, value)],
          ['ZADD', zsetKey, '1', 'm'],
          ['LPOP', listKey],
          ['DEL', oneOf(listKey, zsetKey)],
          ['BLPOP', listKey, '0'],
          ['SET', 'w2', 'text'],
        ),
      ),
    ),
    { args: ['EXEC'] },
  ],
  (draft) =>
    ownWords(
      draft.context,
      'CLIENT',
      'UNBLOCK',
      somebodysId(draft),
      maybe(0.5, oneOf('TIMEOUT', 'ERROR', 'BOGUS')),
    ),
  (draft) => ownWords(draft.context, 'CLIENT', 'KILL', 'ID', somebodysId(draft)),
  ['PING'],
];

const monitors: readonly Words[] = [
  ['MONITOR'],
  ['SELECT', oneOf('0', '1')],
  ['MULTI'],
  ['EXEC'],
  ['RESET'],
  ['GET'],
  ['AUTH', 'secret'],
  ['HELLO', '3', 'AUTH', 'default', 'x'],
  ['CONFIG', 'GET', 'nosuch'],
  ['CLIENT', 'SETNAME', 'alice'],
  ['BLPOP', 'w0', '0'],
  ['RPUSH', 'w0', 'x'],
  ...Array.from({ length: 14 }, () => anything),
];

function drawStep(draft: Draft, words: Words): SceneStep {
  const { context } = draft;
  if (typeof words !== 'function') return { client: anybody(draft), commands: [ownWords(context, ...words)] };
  const drawn = words(draft);
  if ('client' in drawn) return drawn;
  return { client: anybody(draft), commands: Array.isArray(drawn) ? drawn : [drawn as Command] };
}

/** Scenes of one kind: `about` are the choices, of which some may be several lists. */
function kind(
  name: string,
  about: readonly (readonly Words[])[],
  begin: readonly Command[] = [],
): (context: Context) => Episode[] {
  const choices = about.flat();
  return (context) => {
    const { random } = context;
    const draft: Draft = { context, clients: random.int(2, 5), steps: [] };
    const built = new Set(context.commands.map((command) => command.name));
    for (let client = 0; client < draft.clients; client++) {
      if (random.chance(0.5))
        draft.steps.push({ client, commands: [{ args: ['HELLO', '3'], rule: 'hello' }] });
    }
    for (const command of begin) draft.steps.push({ client: 0, commands: [command] });
    for (let n = random.int(5, 40); n > 0; n--) {
      const step = drawStep(draft, random.pick(choices));
      // What the subject lacks must not hide what it has.
      if (
        step.commands.every(({ args }) => built.has(args[0]!.toLowerCase()) || args[0] === 'NOSUCHCOMMAND')
      ) {
        draft.steps.push({ ...step, commands: step.commands.map(withRule) });
      }
    }
    return [
      scene({
        name,
        clients: draft.clients,
        steps: draft.steps,
        needs: ['client|list', 'client|id', 'debug'],
        passing: about.includes(expiry) ? [...PASSING] : [],
      }),
    ];
  };
}

const isChannelList = (args: readonly string[]): boolean =>
  args[0] === 'PUBSUB' && /^(shard)?channels$/i.test(args[1] ?? '');

function withRule(command: Command): Command {
  if (command.rule !== undefined) return command;
  if (command.args[0] === 'HELLO') return { ...command, rule: 'hello' };
  return isChannelList(command.args) ? { ...command, rule: 'unordered' } : command;
}

const reset: Command = { args: ['CONFIG', 'SET', 'notify-keyspace-events', ''] };
const allEvents: Command[] = [
  { args: ['CONFIG', 'SET', 'notify-keyspace-events', 'KEAmn'] },
  { args: ['PSUBSCRIBE', '__key*__:*'] },
];

export const scenes: Group = {
  name: 'scenes',
  weight: 2,
  entries: [
    steps(2, kind('scene: messages', [pubsub])),
    steps(3, kind('scene: keyspace events', [events, expiry], allEvents)),
    steps(3, kind('scene: tracking', [tracking, expiry], [reset])),
    steps(2, kind('scene: watched keys', [watching, expiry], [reset])),
    steps(3, kind('scene: clients that wait', [blocking, briefly, serving, serving], [reset])),
    steps(1, kind('scene: waiting and watching, told of all', [blocking, serving, watching], allEvents)),
    steps(1, kind('scene: monitors', [monitors], [reset])),
    steps(
      1,
      kind('scene: all of it', [pubsub, events, tracking, expiry, watching, blocking, serving, monitors]),
    ),
  ],
};
