/**
 * Streams and consumer groups. Two servers never agree on the time: entries get ids of their own only where the last
 * one lies beyond the clock, minimal idle times are 0 or far from what delivery times can be, and what was written
 * to a stream without groups is compared as DUMP shows it.
 *
 * stream-node-max-bytes stays above the size of nearly all entries: where one does not fit into what a new node has
 * room for, the node moves, and Valkey 9.1.2 loses it if it moves to where the node before it was.
 */
import { type Command, type Mismatch, Pair } from '../pair.js';
import { formatCommand, text } from '../resp.js';
import {
  build,
  type Context,
  type Episode,
  entry,
  type Group,
  maybe,
  oneOf,
  options,
  type Part,
  repeat,
  type Step,
  steps,
} from './pattern.js';
import { integer, key, value } from './values.js';

/** Few keys, so that streams grow long; what other groups put there is in the way now and then. */
const streamKey: Part = ({ random }, out) => {
  out.push(random.pick(['x0', 'x1', 'x2', 'x3', 'x0', 'x1', 'k0']));
};
/** These never have groups. */
const plainKey = oneOf('xp0', 'xp1');
/** Their ids lie beyond the clock. */
const lateKey = oneOf('xl0', 'xl1');
const LATE = '5000000000000000';
const groupKey = oneOf('x0', 'x1', 'x0', 'x1', 'x0', 'x1', streamKey, lateKey);
const everyKey = oneOf(streamKey, streamKey, plainKey, lateKey);

/** Most ids of one millisecond, so that new ones come at the end and old ones are found again. */
const ms = oneOf('12', '12', '12', '12', '12', '12', '12', '12', '1', '5', '11');
const id: Part = (context, out) => {
  const { random } = context;
  const roll = random.unit();
  const [time] = build(context, [ms]);
  if (roll < 0.75) out.push(`${time}-${random.int(0, 250)}`);
  else if (roll < 0.85) out.push(time!);
  else if (roll < 0.93) out.push(`${LATE}-${random.int(0, 60)}`);
  else {
    out.push(
      random.pick([
        ...['0-0', '0', '0-1', '18446744073709551615-18446744073709551615', '18446744073709551615', '-', '+'],
        ...['5-', '-5', '1-2-3', 'abc', '', '18446744073709551616-0', '01-02', ' 1-1', '1-1\x00x', '+1-+2'],
      ]),
    );
  }
};
const newId: Part = (context, out) => {
  const { random } = context;
  const roll = random.unit();
  if (roll < 0.85) out.push('12-*');
  else if (roll < 0.9) out.push(random.pick(['1-*', '5-*', '11-*', '12-300', '12-251', '300-*']));
  else if (roll < 0.93) build(context, [id], out);
  else out.push(random.pick(['0-*', '-*', '*-*', '5-*x', '18446744073709551615-*', '**']));
};
const bound: Part = (context, out) => {
  const { random } = context;
  const roll = random.unit();
  if (roll < 0.2) out.push('-');
  else if (roll < 0.4) out.push('+');
  else {
    const [one] = build(context, [id]);
    out.push(random.chance(0.3) ? `(${one}` : one!);
  }
};
const ODD_BOUNDS = ['(', '(-', '(+', '((1', '(18446744073709551615-18446744073709551615', '(0-0', '(0'];
const anyBound = oneOf(bound, bound, bound, bound, bound, bound, bound, bound, oneOf(...ODD_BOUNDS));

const group = oneOf('g0', 'g0', 'g0', 'g0', 'g0', 'g1', 'g1', 'nogroup', '');
const consumer = oneOf('alice', 'bob', 'carol', 'al', '');
const count: Part = (context, out) => {
  const { random } = context;
  if (random.chance(0.9)) out.push(String(random.int(0, 12)));
  else build(context, [integer], out);
};
/** 0, or what only a delivery time that was set far back can be above. */
const idle = oneOf('0', '0', '1000000000', '-1', 'abc', '9223372036854775807');

const name = oneOf('f', 'g', '17', '');
const fields: Part = (context, out) => {
  const { random } = context;
  if (random.chance(0.6)) build(context, ['f', value], out);
  else if (random.chance(0.5)) build(context, ['f', value, 'g', value], out);
  else build(context, [repeat(1, 4, name, value)], out);
};
const threshold = oneOf(
  ['MAXLEN', oneOf('~', '='), count],
  ['MAXLEN', oneOf('5', '20', '60', count)],
  ['MINID', id],
  ['MINID', oneOf('~', '='), id],
);
const trimming: Part = (context, out) => {
  build(context, [threshold, maybe(0.2, 'LIMIT', oneOf('0', '3', '100', '-1', 'abc'))], out);
};
const keysAndIds =
  (keys: Part, ids: Part): Part =>
  (context, out) => {
    const n = context.random.chance(0.7) ? 1 : context.random.int(2, 3);
    for (let i = 0; i < n; i++) build(context, [keys], out);
    for (let i = 0; i < n; i++) build(context, [ids], out);
    if (context.random.chance(0.03)) out.push('0');
  };
const wanted = oneOf(id, id, '$', '+', '0', '>');
const wantedOfGroup = oneOf('>', '>', '>', '>', '>', '>', '0', '0', '12', id, oneOf('$', '+'));
/** Never for ever: nobody would end it. */
const brief = oneOf('1', '2', '-1', 'abc', '1.5', '9223372036854775807000');
const uncut = { damage: false } as const;
const times = { rule: 'delivery times' } as const;

const reading: readonly Part[] = [
  'XREADGROUP',
  'GROUP',
  group,
  consumer,
  maybe(0.5, 'COUNT', count),
  maybe(0.2, 'NOACK'),
  'STREAMS',
];

/** An id of its own, once the stream's last one lies beyond the clock. */
function own(context: Context): Step[] {
  const [key] = build(context, [lateKey]);
  const trim = build(context, [maybe(0.3, trimming)]);
  return [
    { args: ['XADD', key!, `${LATE}-1`, 'f', 'v'] },
    { args: ['XADD', key!, ...trim, '*', ...build(context, [fields])] },
    { args: ['XADD', key!, `${LATE}-*`, ...build(context, [fields])] },
  ];
}

/** Uncompressed: what LZF makes of bytes depends on what it was given before. */
function dumped(context: Context): Step[] {
  return [
    { args: ['CONFIG', 'SET', 'rdbcompression', 'no'] },
    { args: ['DUMP', ...build(context, [plainKey])] },
    { args: ['CONFIG', 'SET', 'rdbcompression', 'yes'] },
  ];
}

/** What either side writes as DUMP the other reads, and says the same about it. */
function moved(context: Context): Step[] {
  const [key] = build(context, [everyKey]);
  const episode: Episode = {
    name: `DUMP ${key} and RESTORE it on the other side`,
    needs: ['dump', 'restore', 'xinfo', 'debug'],
    run: async (pair): Promise<Mismatch | null> => {
      const [ours, theirs] = await pair.call('DUMP', key!);
      if (ours.value === null || theirs.value === null) return null;
      await Promise.all([
        pair.subject.call('RESTORE', 'xr', '0', text(theirs), 'REPLACE'),
        pair.reference.call('RESTORE', 'xr', '0', text(ours), 'REPLACE'),
      ]);
      return pair.exchange([
        { args: ['TYPE', 'xr'] },
        { args: ['XINFO', 'STREAM', 'xr', 'FULL', 'COUNT', '0'], ...times },
        { args: ['DEBUG', 'DIGEST-VALUE', 'xr', key!] },
        { args: ['DEL', 'xr'] },
      ]);
    },
  };
  return [episode];
}

const words: readonly (readonly Part[])[] = [
  ['XADD', everyKey, newId, fields],
  ['XDEL', everyKey, id],
  ['XTRIM', everyKey, trimming],
  // Inside a transaction nothing waits.
  ['XREAD', 'BLOCK', '0', 'STREAMS', everyKey, oneOf('$', id)],
  [...reading.slice(0, 4), 'BLOCK', '0', 'STREAMS', streamKey, '>'],
  ['XACK', streamKey, group, id],
  ['XGROUP', 'DESTROY', streamKey, group],
];

function transaction(context: Context): Command[] {
  const commands: Command[] = [{ args: ['MULTI'] }];
  for (let n = context.random.int(1, 5); n > 0; n--) {
    commands.push({ args: build(context, context.random.pick(words)) });
  }
  commands.push({ args: ['EXEC'] });
  return commands;
}

const SETTLE_MS = 10_000;

/** Waits until that many clients are blocked on both sides. */
async function blocked(pair: Pair, clients: number): Promise<void> {
  const deadline = Date.now() + SETTLE_MS;
  for (;;) {
    const infos = await pair.call('INFO', 'clients');
    if (infos.every((info) => String(info.value).includes(`blocked_clients:${clients}\r\n`))) return;
    if (Date.now() > deadline) throw new Error(`not ${clients} blocked clients on both sides`);
  }
}

/**
 * Clients that wait for entries, one after the other; then what serves them; then what all have got. Those who compete
 * for entries wait for one key each: whoever runs in vain loses its place in the queues of its other keys in Valkey,
 * and keeps it here.
 */
function waiters(context: Context): Step[] {
  const { random } = context;
  const waits = Array.from({ length: random.int(1, 4) }, () =>
    build(
      context,
      random.pick<readonly Part[]>([
        ['XREAD', 'BLOCK', '0', 'STREAMS', oneOf('w0', 'w1'), '$'],
        ['XREAD', 'BLOCK', '0', 'COUNT', '1', 'STREAMS', 'w0', 'w1', '$', oneOf('$', '7-3', '9')],
        ['XREAD', 'BLOCK', '0', 'STREAMS', 'w2', oneOf('$', '+', '7')],
        [
          ...['XREADGROUP', 'GROUP', oneOf('g', 'h'), consumer, 'BLOCK', '0', maybe(0.5, 'COUNT', '1')],
          ...[maybe(0.3, 'NOACK'), 'STREAMS', oneOf('w0', 'w1'), '>'],
        ],
      ]),
    ),
  );
  const writes: Command[] = Array.from({ length: random.int(1, 4) }, () => ({
    args: build(
      context,
      random.pick<readonly Part[]>([
        ['XADD', oneOf('w0', 'w1'), '7-*', 'f', value],
        ['XADD', oneOf('w0', 'w1'), '7-*', 'f', value],
        ['XADD', 'w2', '7-*', 'f', value],
        ['XADD', 'w1', 'MAXLEN', '0', '7-*', 'f', value],
        ['XGROUP', 'DESTROY', oneOf('w0', 'w1'), oneOf('g', 'h')],
        ['XGROUP', 'SETID', 'w0', 'g', '0'],
        ['DEL', oneOf('w0', 'w1', 'w2')],
        ['SET', oneOf('w0', 'w2'), 'text'],
        ['RENAME', 'w2', 'w1'],
      ]),
    ),
  }));
  const served = random.chance(0.4) ? [{ args: ['MULTI'] }, ...writes, { args: ['EXEC'] }] : writes;
  // Whoever is left gets an entry, or hears that the group has gone.
  const rest: Command[] = ['w0', 'w1', 'w2'].flatMap((name) => [
    { args: ['SET', name, 'text'] },
    { args: ['DEL', name] },
    { args: ['XADD', name, '20-1', 'f', 'v'] },
  ]);
  const episode: Episode = {
    name: `${waits.map((args) => formatCommand(args)).join(', ')} wait; ${served.map(({ args }) => formatCommand(args)).join(', ')}`,
    needs: ['xread', 'xreadgroup', 'info'],
    run: async (pair, sides): Promise<Mismatch | null> => {
      const first = await pair.exchange([
        { args: ['SELECT', '0'] },
        { args: ['DEL', 'w0', 'w1', 'w2'] },
        ...['w0', 'w1'].flatMap((name) => [
          { args: ['XADD', name, '7-3', 'f', 'v'] },
          { args: ['XGROUP', 'CREATE', name, 'g', '$'] },
          { args: ['XGROUP', 'CREATE', name, 'h', '$'] },
        ]),
      ]);
      if (first !== null) return first;
      const clients: Pair[] = [];
      const pending: Promise<Mismatch | null>[] = [];
      try {
        for (const args of waits) {
          const client = await Pair.open(sides);
          clients.push(client);
          pending.push(client.exchange([{ args }]));
          await blocked(pair, clients.length);
        }
        const answers = await pair.exchange(served);
        if (answers !== null) return answers;
        const state = await pair.exchange(
          ['w0', 'w1', 'w2'].map((name) => ({ args: ['XINFO', 'STREAM', name, 'FULL'], ...times })),
        );
        if (state !== null) return state;
        const ended = await pair.exchange(rest);
        if (ended !== null) return ended;
        for (const result of await Promise.all(pending)) if (result !== null) return result;
        return null;
      } finally {
        for (const client of clients) client.close();
      }
    },
  };
  return [episode];
}

export const streams: Group = {
  name: 'stream',
  weight: 30,
  entries: [
    entry(
      20,
      [
        'XADD',
        oneOf(streamKey, streamKey, plainKey),
        maybe(0.2, 'NOMKSTREAM'),
        maybe(0.15, trimming),
        newId,
        fields,
      ],
      uncut,
    ),
    entry(2, ['XADD', streamKey, options(['NOMKSTREAM'], [trimming], ['LIMIT', count]), newId, fields], {
      follow: ([, name]) => [{ args: ['XLEN', name ?? 'x0'] }],
    }),
    steps(5, own),
    entry(3, ['XLEN', everyKey]),
    entry(6, ['XRANGE', everyKey, anyBound, anyBound, maybe(0.5, 'COUNT', count)]),
    entry(6, ['XREVRANGE', everyKey, anyBound, anyBound, maybe(0.5, 'COUNT', count)]),
    entry(8, ['XDEL', everyKey, repeat(1, 4, id)]),
    entry(3, ['XTRIM', everyKey, trimming]),
    entry(0.5, ['XTRIM', everyKey, options([threshold], ['LIMIT', count], ['BOGUS'])]),
    entry(1, [
      'XSETID',
      everyKey,
      oneOf('12-300', '12-400', id),
      options(['ENTRIESADDED', oneOf('500', '100', count)], ['MAXDELETEDID', id], ['BOGUS']),
    ]),
    entry(6, ['XREAD', options(['COUNT', count]), 'STREAMS', keysAndIds(everyKey, wanted)]),
    entry(0.1, ['XREAD', 'BLOCK', brief, 'STREAMS', keysAndIds(everyKey, wanted)], uncut),
    entry(12, [...reading, keysAndIds(groupKey, wantedOfGroup)]),
    entry(0.1, [...reading.slice(0, 4), 'BLOCK', brief, 'STREAMS', streamKey, '>'], uncut),
    entry(1, [
      oneOf('XREAD', 'XREADGROUP'),
      options(['GROUP', group, consumer], ['COUNT', count], ['NOACK']),
    ]),
    entry(6, ['XACK', streamKey, group, repeat(1, 5, id)]),
    entry(2, ['XPENDING', streamKey, group]),
    entry(
      4,
      [
        'XPENDING',
        streamKey,
        group,
        maybe(0.3, 'IDLE', idle),
        anyBound,
        anyBound,
        count,
        maybe(0.4, consumer),
      ],
      times,
    ),
    entry(6, [
      'XCLAIM',
      streamKey,
      group,
      consumer,
      idle,
      repeat(1, 4, id),
      options(
        ['IDLE', oneOf('5000000000', '0', 'abc', '-5')],
        ['TIME', oneOf('1000', '99999999999999', '-1', 'x')],
        ['RETRYCOUNT', oneOf('0', '7', '-1', 'x', '9223372036854775807')],
        ['FORCE'],
        ['JUSTID'],
        ['LASTID', id],
        ['BOGUS'],
      ),
    ]),
    entry(3, [
      'XAUTOCLAIM',
      streamKey,
      group,
      consumer,
      idle,
      oneOf('-', '0', anyBound),
      options(['COUNT', oneOf('1', '3', '0', '-1', 'x', '9223372036854775807')], ['JUSTID'], ['BOGUS']),
    ]),
    entry(3, ['XGROUP', 'CREATE', streamKey, oneOf('g0', 'g1'), oneOf('$', '0', '12-20'), 'MKSTREAM']),
    entry(3, [
      'XGROUP',
      'CREATE',
      oneOf(streamKey, lateKey),
      group,
      oneOf('$', '0', '-', id),
      options(['MKSTREAM'], ['ENTRIESREAD', oneOf('5', '0', '-1', '-2', 'x')], ['BOGUS']),
    ]),
    entry(2, [
      'XGROUP',
      'SETID',
      streamKey,
      group,
      oneOf('$', '0', '-', '+', id),
      options(['MKSTREAM'], ['ENTRIESREAD', oneOf('5', '0', '-1', '-2', 'x')]),
    ]),
    entry(0.2, ['XGROUP', 'DESTROY', streamKey, group]),
    entry(1, ['XGROUP', 'CREATECONSUMER', streamKey, group, consumer]),
    entry(0.7, ['XGROUP', 'DELCONSUMER', streamKey, group, consumer]),
    entry(0.2, [oneOf('XGROUP', 'XINFO'), oneOf('HELP', 'BOGUS', 'CREATE', 'STREAM', 'GROUPS')]),
    entry(3, ['XINFO', 'STREAM', everyKey]),
    entry(3, ['XINFO', 'STREAM', everyKey, 'FULL', maybe(0.5, 'COUNT', count)], times),
    entry(3, ['XINFO', 'GROUPS', everyKey]),
    entry(2, ['XINFO', 'CONSUMERS', streamKey, group], times),
    steps(2, dumped),
    entry(1, ['DEBUG', 'DIGEST-VALUE', everyKey], uncut),
    entry(1, ['OBJECT', 'ENCODING', everyKey]),
    entry(0.3, ['DEL', everyKey]),
    entry(0.1, ['UNLINK', everyKey]),
    entry(0.5, ['COPY', groupKey, streamKey, maybe(0.5, 'REPLACE')]),
    entry(0.2, ['RENAME', streamKey, streamKey]),
    entry(0.05, ['SET', oneOf(streamKey, key), 'text']),
    entry(0.5, ['CONFIG', 'SET', 'stream-node-max-entries', oneOf('100', '5', '1', '0', '20')], uncut),
    entry(0.5, ['CONFIG', 'SET', 'stream-node-max-bytes', oneOf('4096', '0', '2500')], uncut),
    steps(2, transaction),
    steps(0.4, moved),
    steps(0.3, waiters),
  ],
};
