/** Server commands: CONFIG, COMMAND, DEBUG, introspection, and what does not exist. */
import {
  type Context,
  entry,
  type Group,
  maybe,
  oneOf,
  options,
  type Part,
  repeat,
  steps,
} from './pattern.js';
import { float, integer, key, pattern, value } from './values.js';

/** Parameters of the data path, each with values that are harmless to the run; rounds begin with the first. */
export const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  'maxmemory-policy': ['noeviction', 'allkeys-lru', 'volatile-ttl', 'allkeys-lfu', 'bogus'],
  'maxmemory-samples': ['5', '10', '0', '65', 'abc'],
  'lfu-log-factor': ['10', '0', '-1'],
  'lfu-decay-time': ['1', '0', '-1'],
  'lazyfree-lazy-user-del': ['yes', 'no', 'maybe'],
  'lazyfree-lazy-user-flush': ['no', 'yes', ''],
  'lazyfree-lazy-expire': ['yes', 'no'],
  'lazyfree-lazy-server-del': ['yes', 'no'],
  'active-expire-effort': ['1', '10', '0', '11'],
  'proto-max-bulk-len': ['536870912', '512mb', '1mb', '1048575', '1kb'],
  'client-query-buffer-limit': ['1073741824', '1gb', '1mb', '1', 'abc'],
  maxmemory: ['0', '-1', 'abc', '0mb'],
  timeout: ['0', '-1', 'abc'],
  hz: ['10', '50', '0', 'abc'],
  'hide-user-data-from-log': ['yes', 'no'],
  'notify-keyspace-events': ['', 'KEA', 'Q', 'Kx'],
  'slowlog-max-len': ['128', '-1', '0'],
  maxclients: ['10000', '0'],
  'tcp-keepalive': ['300', '0', '-1'],
  'prefetch-batch-max-size': ['16', '0', '1', '128', '129'],
  'hash-max-listpack-entries': ['512', '128'],
  // As many integers as elements: else the encoding of what is stored depends on the order of a table. From 32 on:
  // sets.ts relies on it.
  'set-max-intset-entries': ['512', '128', '200'],
  'set-max-listpack-entries': ['128', '32', '64'],
  'set-max-listpack-value': ['64', '32', '500'],
  'stream-node-max-entries': ['100', '-1', 'abc'],
  'stream-node-max-bytes': ['4096', '-1', '4kb'],
  databases: ['16'],
  port: ['abc', '99999'],
  'no-such-parameter': ['1'],
};

const parameter: Part = ({ random }, out) => {
  const name = random.pick(Object.keys(PARAMETERS));
  out.push(random.chance(0.1) ? name.toUpperCase() : name, random.pick(PARAMETERS[name]!));
};
const parameterPattern: Part = oneOf(
  ...[
    'maxmemory-policy',
    'lazyfree-*',
    'lfu-*',
    'active-expire-effort',
    'proto-max-bulk-len',
    'timeout',
    'hz',
    'nosuch',
  ],
  ...[
    'list-max-*',
    'hash-max-ziplist-*',
    'save',
    'databases',
    'client-output-buffer-limit',
    'maxclients',
    'LFU-DECAY-TIME',
    '[l]fu-*',
  ],
);

const commandName: Part = ({ random, commands }, out) => {
  out.push(
    random.chance(0.9) && commands.length > 0
      ? random.pick(commands).name
      : random.pick(['nosuch', '', 'client|nosuch', 'get|x', 'GET']),
  );
};

const keysQuery: Part = oneOf(
  ['GET', key],
  ['MGET', repeat(1, 4, key)],
  ['SET', key, value, options(['NX'], ['GET'], ['EX', '100000'])],
  ['MSET', repeat(1, 3, key, value)],
  ['MSETEX', oneOf('1', '2', 'x', '-1'), repeat(1, 2, key, value), 'EX', '100000'],
  ['COPY', key, key],
  ['LCS', key, key],
  ['OBJECT', 'ENCODING', key],
  ['PING'],
  ['CONFIG', 'GET', 'x'],
  ['GET'],
  ['NOSUCH', key],
  ['MEMORY', 'USAGE', key],
  ['SORT', key, 'STORE', key],
);

/** Every command and subcommand with too few or too many arguments; none of these can have an effect. */
function wrongArity(context: Context): string[] | null {
  const { random, commands } = context;
  if (commands.length === 0) return null;
  const shape = random.pick(commands);
  const words = shape.name.split('|');
  const needed = Math.abs(shape.arity);
  const few = needed - words.length > 0 && (shape.arity < 0 || random.chance(0.5));
  if (!few && shape.arity < 0) return null;
  const extra = few ? random.int(0, needed - words.length - 1) : needed - words.length + random.int(1, 3);
  const args = [...words, ...Array.from({ length: extra }, () => random.pick(['k0', 'x', '1', '', '0']))];
  return random.chance(0.3) ? [args[0]!.toUpperCase(), ...args.slice(1)] : args;
}

const unknownName: Part = ({ random }, out) => {
  out.push(
    random.pick([
      'NOSUCH',
      'nosuch',
      '',
      'GET ',
      'GETT',
      '\x00',
      '\xff\xfe',
      'x'.repeat(200),
      'a\r\nb',
      'client|list',
      'SET\x00',
      "qu'ote",
    ]),
  );
};
const unknownArgs: Part = repeat(0, 6, oneOf(value, key, 'x'.repeat(50), 'y'.repeat(130), 'a\r\nb', "it's"));

export const servers: Group = {
  name: 'server',
  weight: 6,
  entries: [
    entry(2, ['CONFIG', 'SET', repeat(1, 2, parameter)], { damage: false }),
    entry(2, ['CONFIG', 'GET', repeat(1, 2, parameterPattern)], { rule: 'unordered' }),
    entry(0.02, ['CONFIG', 'GET', '*'], { rule: 'config names' }),
    entry(0.1, ['CONFIG', 'RESETSTAT'], { damage: false }),
    entry(0.2, ['CONFIG', oneOf('HELP', 'BOGUS', 'get', 'set')], { damage: false }),
    entry(0.02, ['COMMAND', 'LIST'], { rule: 'subset of commands', damage: false }),
    entry(
      0.2,
      [
        'COMMAND',
        'LIST',
        'FILTERBY',
        oneOf(
          ['ACLCAT', oneOf('string', 'keyspace', 'nosuch')],
          ['PATTERN', oneOf('*set*', 'client|*', 'xyz')],
          ['MODULE', 'x'],
          ['BOGUS', 'x'],
        ),
      ],
      {
        rule: 'subset of commands',
        damage: false,
      },
    ),
    entry(0.02, ['COMMAND'], { rule: 'kind', damage: false }),
    entry(0.1, ['COMMAND', 'COUNT'], { rule: 'subset of commands', damage: false }),
    steps(2, (context) => {
      const out = ['COMMAND', 'INFO'];
      repeat(1, 3, commandName)(context, out);
      return out.slice(2).some((name) => isContainer(context, name))
        ? []
        : [{ args: out, rule: 'unordered' }];
    }),
    steps(1, (context) => {
      const out = ['COMMAND', 'DOCS'];
      repeat(1, 2, commandName)(context, out);
      return out.slice(2).some((name) => isContainer(context, name))
        ? []
        : [{ args: out, rule: 'unordered' }];
    }),
    entry(2, ['COMMAND', oneOf('GETKEYS', 'GETKEYSANDFLAGS'), keysQuery], { rule: 'once built' }),
    entry(0.2, ['COMMAND', oneOf('HELP', 'BOGUS', 'getkeys')], { damage: false }),
    entry(0.5, ['TIME'], { rule: 'shape' }),
    entry(1, ['MEMORY', 'USAGE', key, maybe(0.3, 'SAMPLES', integer)], { rule: 'number or null' }),
    entry(0.2, ['MEMORY', oneOf('HELP', 'BOGUS', 'USAGE')], { damage: false }),
    entry(0.3, ['OBJECT', 'HELP']),
    entry(
      0.1,
      [
        'INFO',
        oneOf(
          'server',
          'clients',
          'memory',
          'persistence',
          'stats',
          'replication',
          'cpu',
          'cluster',
          'keyspace',
          'nosuch',
        ),
      ],
      { rule: 'info' },
    ),
    entry(0.2, ['LOLWUT', 'VERSION', oneOf('1', 'abc')], { rule: 'kind' }),
    entry(0.3, ['LATENCY', oneOf('RESET', ['HISTORY', 'nosuch'], 'HELP', 'BOGUS', ['GRAPH', 'nosuch'])], {
      rule: 'kind',
    }),
    entry(
      0.3,
      [
        oneOf('SLOWLOG', 'COMMANDLOG'),
        oneOf(
          'RESET',
          'HELP',
          'BOGUS',
          'LEN',
          ['GET', '-2'],
          ['GET', 'abc'],
          ['LEN', 'slow'],
          ['LEN', 'bogus'],
          ['GET', '1', 'bogus'],
          ['RESET', 'large-reply'],
        ),
      ],
      {
        rule: 'kind',
      },
    ),
    entry(
      1,
      [
        'DEBUG',
        'PROTOCOL',
        oneOf(
          'string',
          'integer',
          'double',
          'bignum',
          'null',
          'array',
          'set',
          'map',
          'attrib',
          'verbatim',
          'true',
          'false',
          'bogus',
        ),
      ],
      { damage: false },
    ),
    entry(0.5, ['DEBUG', 'ERROR', oneOf('ERR some text', 'CODE', '', 'two\nlines')], { damage: false }),
    entry(0.5, ['DEBUG', 'SET-ACTIVE-EXPIRE', '1'], { damage: false }),
    entry(0.3, ['DEBUG', 'SLEEP', '0'], { damage: false }),
    entry(0.3, ['DEBUG', 'DIGEST-VALUE', repeat(1, 3, key)], { damage: false }),
    entry(0.3, ['DEBUG', 'BOGUS', maybe(0.5, float)], { damage: false }),
    entry(0.2, ['DEBUG', 'STRINGMATCH-LEN', pattern, value], { damage: false }),
    entry(2, [unknownName, unknownArgs], { damage: false }),
    entry(
      1,
      [
        oneOf('CLIENT', 'CONFIG', 'COMMAND', 'OBJECT', 'MEMORY', 'ACL', 'XINFO', 'LATENCY'),
        unknownName,
        unknownArgs,
      ],
      { damage: false },
    ),
    steps(6, (context) => {
      const args = wrongArity(context);
      return args === null ? [] : [{ args }];
    }),
  ],
};

/** A container lists its subcommands, of which the subject may not have all yet. */
function isContainer({ commands }: Context, name: string): boolean {
  const prefix = `${name.toLowerCase()}|`;
  return commands.some((shape) => shape.name.startsWith(prefix));
}
