import { type Dataset, type FillStep, numbered, oneCommandEach, strings } from './dataset.js';
import type { LoadScenario, MemoryScenario, ScenarioSettings } from './scenarios.js';

const DEPTHS = [1, 32] as const;
/** Issue 3's: by pipeline depth. */
const TARGETS = { 1: 0.95, 32: 0.75 } as const;
const CLIENTS = 50;
const MILLION = 1_000_000;

/** One command against one dataset, measured at every depth. */
interface Row {
  /** Of the scenario, without the depth. */
  name: string;
  title: string;
  /** Words parted by blanks; `;` parts commands that are sent together. */
  send: string;
  keyspace: number;
  valueSize?: number;
  subscribers?: number;
  /** The depths that belong to the standard set: both, unless said otherwise. */
  standard?: readonly number[];
}

/** Depth first, so that what makes the data grow comes after what only reads, on a small and then on a large scale. */
function rows(section: string, dataset: Dataset, list: readonly Row[]): LoadScenario[] {
  return DEPTHS.flatMap((pipeline) =>
    list.map(
      (row): LoadScenario => ({
        kind: 'load',
        name: `${row.name}-p${pipeline}`,
        section,
        title: `${row.title}, depth ${pipeline}`,
        target: TARGETS[pipeline],
        standard: (row.standard ?? DEPTHS).includes(pipeline),
        work: {
          send: row.send.split(' '),
          keyspace: row.keyspace,
          valueSize: row.valueSize ?? 0,
          ...(row.subscribers === undefined ? {} : { subscribers: row.subscribers }),
        },
        clients: CLIENTS,
        pipeline,
        dataset,
        serverArgs: [],
      }),
    ),
  );
}

/** A collection of a million elements, a hundred to a command. */
function million(head: readonly string[], element: readonly string[], valueSize = 0): FillStep {
  const send = [...head, ...Array.from({ length: 100 }, () => element).flat()];
  return { send, requests: MILLION / 100, keyspace: MILLION, valueSize };
}

function lists(): LoadScenario[] {
  const dataset: Dataset = {
    name: 'lists',
    keys: 1000,
    steps: [
      oneCommandEach(1000, ['RPUSH', 'list:__rand_int__', ...numbered(1000, (n) => [`${n}:__data__`])], 28),
    ],
  };
  return rows('Lists: 1,000 of 1,000 elements of 32 B', dataset, [
    { name: 'lrange-100', title: 'LRANGE of 100', send: 'LRANGE list:__rand_int__ 0 99', keyspace: 1000 },
    { name: 'lrange-600', title: 'LRANGE of 600', send: 'LRANGE list:__rand_int__ 0 599', keyspace: 1000 },
    {
      name: 'lpush',
      title: 'LPUSH to 10,000 new lists',
      send: 'LPUSH log:__rand_int__ __data__',
      keyspace: 10_000,
      valueSize: 32,
    },
  ]);
}

/** LPOP takes what is there, so as much is put there as the fastest server could take. */
function queues(loadSeconds: number): LoadScenario[] {
  const perSecond = 3_500_000;
  const queues = 1000;
  const each = Math.ceil((perSecond * loadSeconds) / queues / 500) * 500;
  const words = ['RPUSH', 'queue:__rand_int__', ...numbered(500, (n) => [`${n}:__data__`])];
  const dataset: Dataset = {
    name: `queues of ${each}`,
    keys: queues,
    steps: [{ send: words, requests: (queues * each) / 500, keyspace: queues, valueSize: 28 }],
  };
  return rows('Lists: 1,000 queues of elements of 32 B', dataset, [
    { name: 'lpop', title: 'LPOP', send: 'LPOP queue:__rand_int__', keyspace: queues },
  ]);
}

function sets(): LoadScenario[] {
  const dataset: Dataset = {
    name: 'sets',
    keys: 10_001,
    steps: [
      oneCommandEach(10_000, ['SADD', 'tags:__rand_int__', ...numbered(100, (n) => [`tag:0${n}`])]),
      million(['SADD', 'users'], ['user:__rand_int__']),
    ],
  };
  return rows('Sets: 10,000 of 100 members, one of 1 M', dataset, [
    {
      name: 'sismember',
      title: 'SISMEMBER, every other a hit',
      send: 'SISMEMBER tags:__rand_int__ tag:__rand:0-199__',
      keyspace: 10_000,
    },
    {
      name: 'sismember-1m',
      title: 'SISMEMBER of 1 M members',
      send: 'SISMEMBER users user:__rand_int__',
      keyspace: MILLION,
      standard: [32],
    },
    {
      name: 'sadd',
      title: 'SADD to 10,000 new sets',
      send: 'SADD seen:__rand_int__ item:__rand:0-999__',
      keyspace: 10_000,
    },
    {
      name: 'sadd-1m',
      title: 'SADD to 1 M members',
      send: 'SADD users user:__rand:0-199999999999__',
      keyspace: MILLION,
      standard: [],
    },
  ]);
}

function hashes(): LoadScenario[] {
  const fields = numbered(50, (n) => [`field:${n}`, '__data__']);
  const dataset: Dataset = {
    name: 'hashes',
    keys: 10_001,
    steps: [
      oneCommandEach(10_000, ['HSET', 'profile:__rand_int__', ...fields], 16),
      million(['HSET', 'sessions'], ['session:__rand_int__', '__data__'], 16),
    ],
  };
  const keyspace = 10_000;
  return rows('Hashes: 10,000 of 50 fields of 16 B, one of 1 M', dataset, [
    { name: 'hget', title: 'HGET', send: 'HGET profile:__rand_int__ field:__rand:0-49__', keyspace },
    { name: 'hgetall', title: 'HGETALL of 50 fields', send: 'HGETALL profile:__rand_int__', keyspace },
    {
      name: 'hget-1m',
      title: 'HGET of 1 M fields',
      send: 'HGET sessions session:__rand_int__',
      keyspace: MILLION,
      standard: [32],
    },
    {
      name: 'hset',
      title: 'HSET',
      send: 'HSET profile:__rand_int__ field:__rand:0-49__ __data__',
      keyspace,
      valueSize: 16,
    },
    {
      name: 'hset-1m',
      title: 'HSET of 1 M fields',
      send: 'HSET sessions session:__rand_int__ __data__',
      keyspace: MILLION,
      valueSize: 16,
      standard: [32],
    },
  ]);
}

function sortedSets(): LoadScenario[] {
  const members = numbered(1000, (n, i) => [`${i}${n}`, `player:${n}`]);
  const small = numbered(100, (n, i) => [`${i}${n}`, `player:${n}`]);
  const dataset: Dataset = {
    name: 'sorted sets',
    keys: 11_001,
    steps: [
      oneCommandEach(1000, ['ZADD', 'board:__rand_int__', ...members]),
      oneCommandEach(10_000, ['ZADD', 'small:__rand_int__', ...small]),
      million(['ZADD', 'world'], ['__rand:100000000-999999999__', 'player:__rand_int__']),
    ],
  };
  const on = (
    suffix: string,
    where: string,
    key: string,
    keyspace: number,
    numbers: { start: string; score: string; newScore: string; member: string },
    standard: readonly number[],
  ): Row[] => [
    {
      name: `zrank${suffix}`,
      title: `ZRANK${where}`,
      send: `ZRANK ${key} player:${numbers.member}`,
      keyspace,
      standard,
    },
    {
      name: `zrange-100${suffix}`,
      title: `ZRANGE of 100${where}`,
      send: `ZRANGE ${key} ${numbers.start} __last+99__`,
      keyspace,
      standard,
    },
    {
      name: `zrangebyscore-100${suffix}`,
      title: `ZRANGEBYSCORE of 100${where}`,
      send: `ZRANGEBYSCORE ${key} ${numbers.score} +inf LIMIT 0 100`,
      keyspace,
      standard,
    },
    {
      name: `zadd${suffix}`,
      title: `ZADD${where}`,
      send: `ZADD ${key} ${numbers.newScore} player:${numbers.member}`,
      keyspace,
      standard,
    },
  ];
  return rows('Sorted sets: 1,000 of 1,000 members, one of 1 M', dataset, [
    ...on(
      '',
      '',
      'board:__rand_int__',
      1000,
      {
        start: '__rand:100-899__',
        score: '__rand:100000-890000__',
        newScore: '__rand:100000-999999__',
        member: '__rand:0-999__',
      },
      DEPTHS,
    ),
    ...on(
      '-1m',
      ', 1 M members',
      'world',
      MILLION,
      {
        start: '__rand:100000-899900__',
        score: '__rand:100000000-990000000__',
        newScore: '__rand:100000000-999999999__',
        member: '__rand_int__',
      },
      [32],
    ),
    ...on(
      '-small',
      ', 100 members',
      'small:__rand_int__',
      10_000,
      { start: '0', score: '0', newScore: '__rand:1000-9999__', member: '__rand:0-99__' },
      [],
    ).filter((row) => !row.name.startsWith('zrange-100')),
  ]);
}

function streams(): LoadScenario[] {
  const entries = 1000;
  const dataset: Dataset = {
    name: 'streams',
    keys: entries + CLIENTS,
    steps: [
      {
        send: ['XADD', 'events:__rand_int__', '*', 'type', 'click', 'page', '__data__'],
        requests: 1000 * entries,
        keyspace: 1000,
        valueSize: 32,
      },
      oneCommandEach(CLIENTS, ['XGROUP', 'CREATE', 'jobs:__rand_int__', 'workers', '$', 'MKSTREAM']),
    ],
  };
  return rows('Streams: 1,000 of 1,000 entries of 2 fields', dataset, [
    {
      name: 'xrange-100',
      title: 'XRANGE of 100',
      send: 'XRANGE events:__rand_int__ - + COUNT 100',
      keyspace: 1000,
    },
    {
      name: 'xadd',
      title: 'XADD with MAXLEN ~ 1,000',
      send: 'XADD events:__rand_int__ MAXLEN ~ 1000 * type click page __data__',
      keyspace: 1000,
      valueSize: 32,
    },
    {
      // Every client has a stream of its own: it adds an entry, reads it for the group and acknowledges it.
      name: 'xreadgroup',
      title: 'XADD, XREADGROUP, XACK',
      send: [
        'XADD jobs:__client__ MAXLEN ~ 1000 __serial__ type resize job __data__',
        'XREADGROUP GROUP workers one COUNT 1 STREAMS jobs:__client__ >',
        'XACK jobs:__client__ workers __last+0__',
      ].join(' ; '),
      keyspace: 1,
      valueSize: 32,
    },
  ]);
}

function pubsub(): LoadScenario[] {
  const nothing: Dataset = { name: 'nothing', keys: 0, steps: [] };
  return rows('Pub/sub', nothing, [
    {
      name: 'publish',
      title: 'PUBLISH of 64 B to 100 subscribers',
      send: 'PUBLISH news __data__',
      keyspace: 1,
      valueSize: 64,
      subscribers: 100,
    },
  ]);
}

function transactions(keys: number, valueSize: number): LoadScenario[] {
  const set = 'SET key:__rand_int__ __data__';
  return rows('Transactions', strings(keys, valueSize), [
    {
      name: 'multi-10',
      title: 'MULTI, 10 SET, EXEC',
      send: ['MULTI', ...Array.from({ length: 10 }, () => set), 'EXEC'].join(' ; '),
      keyspace: keys,
      valueSize,
    },
  ]);
}

export function collectionScenarios(settings: ScenarioSettings): LoadScenario[] {
  return [
    ...lists(),
    ...queues(settings.loadSeconds),
    ...sets(),
    ...hashes(),
    ...sortedSets(),
    ...streams(),
    ...pubsub(),
    ...transactions(settings.keys, settings.valueSize),
  ];
}

/** How elements are written: those of a small collection with one command, of a large one a hundred to a command. */
interface Kind {
  name: string;
  title: string;
  standard: boolean;
  head: (key: string) => string[];
  /** The words of one element with that number of twelve digits; `score` is some number of nine digits. */
  element: (number: string, score: string) => string[];
  valueSize: number;
  /** A command that adds one element and no more. */
  single?: boolean;
}

const KINDS: readonly Kind[] = [
  {
    name: 'list',
    title: 'list, elements of 17 B',
    standard: true,
    head: (key) => ['RPUSH', key],
    element: (n) => [`item:${n}`],
    valueSize: 0,
  },
  {
    name: 'hash',
    title: 'hash, fields of 17 B, values of 16 B',
    standard: true,
    head: (key) => ['HSET', key],
    element: (n) => [`item:${n}`, '__data__'],
    valueSize: 16,
  },
  {
    name: 'set',
    title: 'set, members of 17 B',
    standard: true,
    head: (key) => ['SADD', key],
    element: (n) => [`item:${n}`],
    valueSize: 0,
  },
  {
    name: 'integers',
    title: 'set, integers',
    standard: false,
    head: (key) => ['SADD', key],
    element: (n) => [`9${n.replace(/^0{4}/, '')}`],
    valueSize: 0,
  },
  {
    name: 'zset',
    title: 'sorted set, members of 17 B',
    standard: true,
    head: (key) => ['ZADD', key],
    element: (n, score) => [score, `item:${n}`],
    valueSize: 0,
  },
  {
    name: 'stream',
    title: 'stream, 2 fields of 6 B',
    standard: true,
    head: (key) => ['XADD', key, '*'],
    element: () => ['sensor', '__data__', 'status', '__data__'],
    valueSize: 6,
    single: true,
  },
];

function memoryDataset(kind: Kind, size: number, keys: number): Dataset {
  const name = `${keys} of ${kind.name}, ${size} elements`;
  const { valueSize } = kind;
  if (kind.single) {
    const send = [...kind.head('c:__rand_int__'), ...kind.element('', '')];
    return { name, keys, steps: [{ send, requests: keys * size, keyspace: keys, valueSize }] };
  }
  if (keys === 1) {
    const element = kind.element('__rand_int__', '__rand:100000000-999999999__');
    return { name, keys, steps: [million(kind.head('c'), element, valueSize)] };
  }
  const words = Array.from({ length: size }, (_, i) =>
    // A stride that is prime makes scores that do not rise with the members.
    kind.element(String(i).padStart(12, '0'), String(100_000_000 + ((i * 7_368_787) % 899_999_981))),
  );
  return {
    name,
    keys,
    steps: [oneCommandEach(keys, [...kind.head('c:__rand_int__'), ...words.flat()], valueSize)],
  };
}

export function collectionMemoryScenarios(): MemoryScenario[] {
  const sizes = [
    { label: '10', text: '10', size: 10, keys: 200_000 },
    { label: '128', text: '128', size: 128, keys: 20_000 },
    { label: '1000', text: '1,000', size: 1000, keys: 2000 },
    { label: '1m', text: '1 M', size: MILLION, keys: 1 },
  ];
  return KINDS.flatMap((kind) =>
    sizes.map(
      ({ label, text, size, keys }): MemoryScenario => ({
        kind: 'memory',
        name: `memory-${kind.name}-${label}`,
        section: 'Memory per element',
        title: `${text} in a ${kind.title}`,
        target: 1,
        standard: kind.standard,
        dataset: memoryDataset(kind, size, keys),
        metric: 'bytesPerElement',
        count: size * keys,
      }),
    ),
  );
}
