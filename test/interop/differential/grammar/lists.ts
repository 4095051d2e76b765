/** Lists: every command, lists around the size at which they change their encoding, and clients that wait for them. */
import { type Command, type Mismatch, Pair } from '../pair.js';
import { formatCommand } from '../resp.js';
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
import { index, integer, key, value } from './values.js';

/** Few keys, so that lists grow long; what other groups put there is in the way now and then. */
const listKey: Part = ({ random }, out) => {
  out.push(random.pick(['l0', 'l1', 'l2', 'l3', 'l0', 'l1', 'k0']));
};
/** Few different elements, so that searches find some; lengths up to more than a node holds. */
const element: Part = (context, out) => {
  const { random } = context;
  const roll = random.unit();
  if (roll < 0.5) out.push(random.pick(['a', 'b', 'c', '1', '2', '-7', '100000', '12345678901', '']));
  else if (roll < 0.9) build(context, [value], out);
  else if (roll < 0.99) out.push(random.pick(['x', 'y']).repeat(random.int(300, 3000)));
  else out.push(random.pick(['x', 'y']).repeat(random.int(3000, 20_000)));
};
const end = oneOf('LEFT', 'RIGHT', 'left', 'Right');
const position: Part = (context, out) => {
  const { random } = context;
  if (random.chance(0.9)) out.push(String(random.int(-12, 12)));
  else build(context, [index], out);
};
/** LSET takes the lower 32 bits of its index in Valkey; we say that it is out of range. */
const smallPosition: Part = ({ random }, out) => {
  out.push(random.chance(0.95) ? String(random.int(-12, 12)) : random.pick(['200000', '-200000', 'abc', '']));
};
const count: Part = (context, out) => {
  const { random } = context;
  if (random.chance(0.85)) out.push(String(random.int(0, 8)));
  else build(context, [integer], out);
};
const keysCounted: Part = (context, out) => {
  const n = context.random.int(1, 3);
  out.push(context.random.chance(0.95) ? String(n) : context.random.pick(['0', '-1', '4', 'abc']));
  for (let i = 0; i < n; i++) build(context, [listKey], out);
};
/** Never for ever: nobody would end it. */
const brief = oneOf('0.001', '0.002', '0.01', '-1', 'abc', '1e400', '');
const uncut = { damage: false } as const;

const words: readonly (readonly Part[])[] = [
  ['LPUSH', listKey, repeat(1, 4, element)],
  ['RPUSH', listKey, repeat(1, 4, element)],
  ['LPUSHX', listKey, element],
  ['LPOP', listKey, maybe(0.3, count)],
  ['RPOP', listKey, maybe(0.3, count)],
  ['LLEN', listKey],
  ['LRANGE', listKey, position, position],
  ['LMOVE', listKey, listKey, end, end],
  ['RPOPLPUSH', listKey, listKey],
  ['LMPOP', keysCounted, end, maybe(0.5, 'COUNT', count)],
  // Inside a transaction nothing waits.
  ['BLPOP', repeat(1, 3, listKey), '0'],
  ['BRPOP', listKey, oneOf('0', '-1')],
  ['BLMOVE', listKey, listKey, end, end, '0'],
  ['BRPOPLPUSH', listKey, listKey, '0'],
  ['BLMPOP', '0', keysCounted, end],
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

/** Clients that wait for lists, one after the other; then what serves them; then what all have got. */
function waiters(context: Context): Step[] {
  const { random } = context;
  const waits = Array.from({ length: random.int(1, 4) }, () =>
    build(
      context,
      random.pick<readonly Part[]>([
        ['BLPOP', oneOf('w0', 'w1'), maybe(0.5, 'w2'), '0'],
        ['BRPOP', oneOf('w0', 'w1'), maybe(0.5, 'w0'), '0'],
        ['BLMOVE', oneOf('w0', 'w1'), oneOf('w0', 'w1', 'w2', 'ws'), end, end, '0'],
        ['BRPOPLPUSH', oneOf('w0', 'w1'), oneOf('w0', 'w1', 'w2'), '0'],
        ['BLMPOP', '0', '2', 'w0', 'w1', end, maybe(0.5, 'COUNT', '2')],
      ]),
    ),
  );
  const pushes: Command[] = Array.from({ length: random.int(1, 4) }, () => ({
    args: build(
      context,
      random.pick<readonly Part[]>([
        ['LPUSH', oneOf('w0', 'w1', 'w2'), repeat(1, 3, element)],
        ['RPUSH', oneOf('w0', 'w1', 'w2'), repeat(1, 3, element)],
        ['DEL', oneOf('w0', 'w1', 'w2')],
        ['SET', 'w2', 'text'],
      ]),
    ),
  }));
  const served = random.chance(0.4) ? [{ args: ['MULTI'] }, ...pushes, { args: ['EXEC'] }] : pushes;
  // Enough for everybody who is left: nobody stays behind.
  const rest: Command[] = [
    { args: ['DEL', 'ws', 'w2'] },
    ...['w0', 'w1'].flatMap((name) => [
      { args: ['DEL', name] },
      { args: ['RPUSH', name, 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9'] },
    ]),
  ];
  const episode: Episode = {
    name: `${waits.map((args) => formatCommand(args)).join(', ')} wait; ${served.map(({ args }) => formatCommand(args)).join(', ')}`,
    needs: ['blpop', 'brpop', 'blmove', 'brpoplpush', 'blmpop', 'info'],
    run: async (pair, sides): Promise<Mismatch | null> => {
      const first = await pair.exchange([
        { args: ['SELECT', '0'] },
        { args: ['DEL', 'w0', 'w1', 'w2', 'ws'] },
        { args: ['SET', 'ws', 'text'] },
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
        const answers = await pair.exchange([...served, ...rest]);
        if (answers !== null) return answers;
        for (const result of await Promise.all(pending)) if (result !== null) return result;
        return await pair.exchange(
          ['w0', 'w1', 'w2'].flatMap((name) => [
            { args: ['TYPE', name] },
            { args: ['LRANGE', name, '0', '-1'] },
          ]),
        );
      } finally {
        for (const client of clients) client.close();
      }
    },
  };
  return [episode];
}

export const lists: Group = {
  name: 'list',
  weight: 20,
  entries: [
    entry(10, ['LPUSH', listKey, repeat(1, 5, element)]),
    entry(10, ['RPUSH', listKey, repeat(1, 5, element)]),
    entry(1, ['RPUSH', listKey, repeat(20, 200, element)]),
    entry(2, ['LPUSHX', listKey, repeat(1, 2, element)]),
    entry(2, ['RPUSHX', oneOf(listKey, key), repeat(1, 2, element)]),
    entry(5, ['LPOP', listKey, maybe(0.4, count)]),
    entry(5, ['RPOP', listKey, maybe(0.4, count)]),
    entry(3, ['LLEN', listKey]),
    entry(5, ['LINDEX', listKey, position]),
    entry(5, ['LSET', listKey, smallPosition, element], uncut),
    entry(6, ['LRANGE', listKey, position, position]),
    entry(1, ['LRANGE', listKey, '0', '-1']),
    entry(5, ['LREM', listKey, oneOf('0', '1', '-1', '2', '-2', integer), element]),
    entry(2, ['LTRIM', listKey, position, position]),
    entry(2, ['LTRIM', listKey, oneOf('0', '1', '3'), oneOf('-1', '-2', '-4')]),
    entry(5, ['LINSERT', listKey, oneOf('BEFORE', 'AFTER', 'before', 'BOGUS'), element, element]),
    entry(5, [
      'LPOS',
      listKey,
      element,
      options(['RANK', position], ['COUNT', count], ['MAXLEN', count], ['BOGUS', '1'], ['RANK']),
    ]),
    entry(5, ['LMOVE', listKey, listKey, end, end]),
    entry(3, ['RPOPLPUSH', listKey, listKey]),
    entry(4, ['LMPOP', keysCounted, end, maybe(0.5, 'COUNT', count)]),
    entry(0.1, ['BLPOP', repeat(1, 2, listKey), brief], uncut),
    entry(0.1, ['BRPOP', repeat(1, 2, listKey), brief], uncut),
    entry(0.1, ['BLMOVE', listKey, listKey, end, end, brief], uncut),
    entry(0.1, ['BRPOPLPUSH', listKey, listKey, brief], uncut),
    entry(0.1, ['BLMPOP', brief, keysCounted, end, maybe(0.5, 'COUNT', count)], uncut),
    entry(8, ['OBJECT', 'ENCODING', listKey]),
    entry(1, ['DEL', listKey]),
    entry(1, ['COPY', listKey, listKey, maybe(0.5, 'REPLACE')]),
    entry(0.5, ['RENAME', listKey, listKey]),
    entry(0.5, ['CONFIG', 'SET', 'list-max-listpack-size', oneOf('-2', '-1', '4', '16', '128', '-3')], uncut),
    entry(0.2, ['CONFIG', 'SET', 'list-compress-depth', oneOf('0', '1', '2')], uncut),
    entry(0.5, ['DEBUG', 'DIGEST-VALUE', listKey], uncut),
    steps(3, transaction),
    steps(0.3, waiters),
  ],
};
