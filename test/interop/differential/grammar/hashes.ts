/** Hashes: every command, hashes around the size at which they change their encoding, and fields that expire. */
import type { Mismatch, Pair } from '../pair.js';
import { formatCommand, items, quote, type Reply, text } from '../resp.js';
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
import { float, instantMilliseconds, instantSeconds, integer, key, span, value } from './values.js';

const KEYS = ['h0', 'h1', 'h2', 'h3'];
/** Few keys, so that hashes grow; what other groups put there is in the way now and then. */
const hashKey: Part = oneOf('h0', 'h1', 'h2', 'h3', 'h0', 'h1', key);
const FIELDS = [
  ...Array.from({ length: 30 }, (_, i) => `f${i}`),
  ...['', '12', '-7', '012', '\x00\xff', 'x'.repeat(64), 'x'.repeat(65), 'y'.repeat(300), 'fields', 'NX'],
];
const field: Part = ({ random }, out) => {
  out.push(random.chance(0.97) ? random.pick(FIELDS) : `g${random.int(0, 2000)}`);
};
/** Mostly small, so that a hash may stay a listpack. */
const content: Part = (context, out) => {
  const { random } = context;
  const roll = random.unit();
  if (roll < 0.5) out.push(String(random.int(-100, 100_000)));
  else if (roll < 0.8) out.push('v'.repeat(random.int(0, 66)));
  else if (roll < 0.98) build(context, [value], out);
  else out.push('w'.repeat(random.int(1000, 40_000)));
};
const pairs = (low: number, high: number): Part => repeat(low, high, field, content);

/** FIELDS and a count that mostly agrees with the fields after it. */
const fieldList =
  (most: number, ...each: readonly Part[]): Part =>
  (context, out) => {
    const { random } = context;
    const n = random.int(1, most);
    if (random.chance(0.99)) out.push(random.chance(0.9) ? 'FIELDS' : 'fields');
    out.push(random.chance(0.97) ? String(n) : random.pick(['0', '-1', '1', '2', '999', 'abc', '']));
    for (let i = 0; i < n; i++) build(context, each, out);
  };
const fields = fieldList(4, field);

const condition: Part = options(['NX'], ['XX'], ['GT'], ['LT'], ['BOGUS']);
const times: readonly (readonly Part[])[] = [
  ['EX', span],
  ['PX', span],
  ['EXAT', instantSeconds],
  ['PXAT', instantMilliseconds],
];
const setOptions: Part = options(...times, ['NX'], ['XX'], ['FNX'], ['FXX'], ['KEEPTTL'], ['PERSIST']);
const getOptions: Part = options(...times, ['PERSIST'], ['PERSIST'], ['KEEPTTL'], ['NX']);

/** A complete HSCAN loop on both sides; what was yielded must be the same set. */
function scanLoop(name: string, args: readonly string[]): Episode {
  const width = args.some((arg) => arg.toUpperCase() === 'NOVALUES') ? 1 : 2;
  return {
    name: `loop of ${formatCommand(['HSCAN', name, '<cursor>', ...args])}`,
    needs: ['hscan'],
    run: async ({ subject, reference }) => {
      const found = await Promise.all(
        [subject, reference].map(async (connection) => {
          const seen = new Set<string>();
          let cursor = '0';
          for (let step = 0; step < 10_000; step++) {
            const reply = await connection.call('HSCAN', name, cursor, ...args);
            if (reply.type === '-') return text(reply);
            const list = items(items(reply)[1]!).map(text);
            for (let i = 0; i < list.length; i += width)
              seen.add(
                list
                  .slice(i, i + width)
                  .map(quote)
                  .join('='),
              );
            cursor = text(items(reply)[0]!);
            if (cursor === '0') return [...seen].sort().join(' ');
          }
          return 'the loop did not end';
        }),
      );
      return found[0] === found[1] ? null : { index: -1, subject: found[0]!, reference: found[1]! };
    },
  };
}

/** HRANDFIELD answers fields of the hash with their values, as many as it holds or as were asked for. */
function randomFields(name: string, count: number): Episode {
  return {
    name: `HRANDFIELD ${name} ${count} WITHVALUES answers what is in the hash`,
    needs: ['hrandfield', 'hgetall'],
    run: async (pair): Promise<Mismatch | null> => {
      const [ours, theirs] = await pair.call('HRANDFIELD', name, String(count), 'WITHVALUES');
      const shown = (reply: Reply): string => `${reply.type} of ${items(reply).length}`;
      const mismatch = { index: -1, subject: shown(ours), reference: shown(theirs) };
      if (ours.type !== theirs.type || items(ours).length !== items(theirs).length) return mismatch;
      if (ours.type === '-') return text(ours) === text(theirs) ? null : mismatch;
      const whole = items(await pair.reference.call('HGETALL', name)).map(text);
      const known = new Map<string, string>();
      for (let i = 0; i < whole.length; i += 2) known.set(whole[i]!, whole[i + 1]!);
      const flat = items(ours).flatMap((item) => (Array.isArray(item.value) ? items(item) : [item]));
      for (let i = 0; i + 1 < flat.length; i += 2) {
        if (known.get(text(flat[i]!)) !== text(flat[i + 1]!))
          return { ...mismatch, subject: `${quote(text(flat[i]!))}, which Valkey does not have so` };
      }
      return null;
    },
  };
}

/** Each side's DUMP restored by both: the same value everywhere, and the same bytes of a listpack. */
function exchangeDumps(name: string): Episode {
  return {
    name: `DUMP ${name} crosswise`,
    needs: ['dump', 'restore', 'hpexpiretime'],
    run: async (pair): Promise<Mismatch | null> => {
      const [ours, theirs] = await pair.call('DUMP', name);
      const [type] = await pair.call('TYPE', name);
      if (text(type) !== 'hash') return null;
      const [encoding] = await pair.call('OBJECT', 'ENCODING', name);
      if (text(encoding) === 'listpack' && text(ours) !== text(theirs))
        return { index: -1, subject: quote(text(ours)), reference: quote(text(theirs)) };
      for (const payload of [ours, theirs]) {
        const different = await pair.exchange([
          { args: ['RESTORE', 'hx', '0', text(payload), 'REPLACE'] },
          { args: ['OBJECT', 'ENCODING', 'hx'] },
          { args: ['HLEN', 'hx'] },
          { args: ['HGETALL', 'hx'], rule: 'unordered' },
          { args: ['HPEXPIRETIME', 'hx', 'FIELDS', String(FIELDS.length), ...FIELDS], rule: 'ttls in ms' },
          { args: ['DEL', 'hx'] },
        ]);
        if (different !== null) return different;
      }
      return null;
    },
  };
}

const HIDDEN_DEADLINE_MS = 10_000;

/** Waits until the field is hidden on both sides. */
async function hidden(pair: Pair, name: string, expiring: string): Promise<Mismatch | null> {
  const waits = [pair.subject, pair.reference].map(async (connection) => {
    const deadline = Date.now() + HIDDEN_DEADLINE_MS;
    while (text(await connection.call('HEXISTS', name, expiring)) !== '0') {
      if (Date.now() > deadline) return 'still visible';
    }
    return 'hidden';
  });
  const [subject, reference] = await Promise.all(waits);
  return subject === reference ? null : { index: -1, subject: subject!, reference: reference! };
}

const hiddenProbes: readonly (readonly Part[])[] = [
  ['HGET', 'hid', 'a'],
  ['HMGET', 'hid', 'a', 'b', 'c'],
  ['HLEN', 'hid'],
  ['HSTRLEN', 'hid', 'a'],
  ['HEXISTS', 'hid', 'b'],
  ['HSET', 'hid', 'a', 'new', 'c', 'x'],
  ['HMSET', 'hid', 'b', 'new'],
  ['HSETNX', 'hid', 'a', 'new'],
  ['HINCRBY', 'hid', 'a', '3'],
  ['HINCRBYFLOAT', 'hid', 'b', '1.5'],
  ['HDEL', 'hid', 'a', 'c'],
  ['HDEL', 'hid', 'a', 'b', 'c', 'd'],
  ['HGETDEL', 'hid', 'FIELDS', '2', 'a', 'd'],
  ['HEXPIRE', 'hid', '100000', 'FIELDS', '3', 'a', 'b', 'c'],
  ['HEXPIRE', 'hid', '0', 'FIELDS', '3', 'a', 'b', 'c'],
  ['HPERSIST', 'hid', 'FIELDS', '3', 'a', 'b', 'c'],
  ['HTTL', 'hid', 'FIELDS', '2', 'a', 'b'],
  ['HGETEX', 'hid', 'PERSIST', 'FIELDS', '2', 'a', 'c'],
  ['HGETEX', 'hid', 'EXAT', '1', 'FIELDS', '3', 'a', 'b', 'c'],
  ['HSETEX', 'hid', oneOf('FNX', 'FXX'), 'FIELDS', '1', oneOf('a', 'c'), 'new'],
  ['HSETEX', 'hid', 'KEEPTTL', 'FIELDS', '2', 'a', 'new', 'c', 'new'],
  ['HSETEX', 'hid', 'EXAT', '1', 'FIELDS', '2', 'a', 'new', 'b', 'new'],
  ['HRANDFIELD', 'hid', oneOf('1', '2', '-3', '10')],
  ['OBJECT', 'ENCODING', 'hid'],
  ['RENAME', 'hid', 'hid'],
];

/** Fields that are past their deadline, but stay for the time being since nothing expires actively. */
function hiddenFields(context: Context): Step[] {
  const { random } = context;
  const only = random.chance(0.3);
  const probes = Array.from({ length: random.int(1, 4) }, () => build(context, random.pick(hiddenProbes)));
  const unordered = new Set(['HTTL', 'HRANDFIELD']);
  const episode: Episode = {
    name: `fields that are hidden: ${probes.map((probe) => formatCommand(probe)).join(', ')}`,
    needs: ['debug|set-active-expire', 'hsetex', 'hrandfield'],
    run: async (pair): Promise<Mismatch | null> => {
      const first = await pair.exchange([
        { args: ['DEL', 'hid'] },
        { args: ['DEBUG', 'SET-ACTIVE-EXPIRE', '0'] },
        ...(only ? [] : [{ args: ['HSET', 'hid', 'c', '7', 'd', 'text'] }]),
        { args: ['HSETEX', 'hid', 'PX', '3', 'FIELDS', '2', 'a', '5', 'b', '6'] },
      ]);
      if (first !== null) return first;
      return (
        (await hidden(pair, 'hid', 'b')) ??
        (await pair.exchange([
          ...probes.map((args) => ({
            args,
            ...(unordered.has(args[0]!) && { rule: only ? ('kind' as const) : ('shape' as const) }),
          })),
          { args: ['EXISTS', 'hid'] },
          { args: ['HLEN', 'hid'] },
          { args: ['HGETALL', 'hid'], rule: 'unordered' },
          { args: ['HKEYS', 'hid'], rule: 'unordered' },
          { args: ['HVALS', 'hid'], rule: 'unordered' },
          { args: ['HSCAN', 'hid', '0', 'COUNT', '100'], rule: 'unordered' },
          { args: ['HPEXPIRETIME', 'hid', 'FIELDS', '4', 'a', 'b', 'c', 'd'], rule: 'ttls in ms' },
          { args: ['DEBUG', 'DIGEST-VALUE', 'hid'] },
          { args: ['DEL', 'hid'] },
          { args: ['DEBUG', 'SET-ACTIVE-EXPIRE', '1'] },
        ]))
      );
    },
  };
  return [episode];
}

/** Lets both servers remove fields by themselves: HLEN must fall to what has no deadline, or the key must go. */
function activeExpiry({ random }: Context): Step[] {
  const left = random.int(0, 3);
  const episode: Episode = {
    name: `active expiry of fields leaves ${left}`,
    needs: ['hsetex', 'hlen', 'exists'],
    run: async (pair): Promise<Mismatch | null> => {
      const first = await pair.exchange([
        { args: ['DEL', 'hae'] },
        ...Array.from({ length: left }, (_, i) => ({ args: ['HSET', 'hae', `stays${i}`, 'v'] })),
        ...Array.from({ length: 40 }, (_, i) => ({
          args: ['HSETEX', 'hae', 'PX', String(1 + (i % 7)), 'FIELDS', '1', `goes${i}`, 'v'],
          rule: 'shape' as const,
        })),
      ]);
      if (first !== null) return first;
      const waits = [pair.subject, pair.reference].map(async (connection) => {
        const deadline = Date.now() + HIDDEN_DEADLINE_MS;
        for (;;) {
          const size = text(await connection.call('HLEN', 'hae'));
          if (size === String(left) || Date.now() > deadline) return `HLEN ${size}`;
          await new Promise((next) => setTimeout(next, 10));
        }
      });
      const [subject, reference] = await Promise.all(waits);
      if (subject !== reference) return { index: -1, subject: subject!, reference: reference! };
      return pair.exchange([
        { args: ['EXISTS', 'hae'] },
        { args: ['HKEYS', 'hae'], rule: 'unordered' },
        { args: ['DEL', 'hae'] },
      ]);
    },
  };
  return [episode];
}

const scanOptions: Part = options(
  ['MATCH', oneOf('*', 'f1*', '*2', 'nomatch', '', 'x*')],
  ['COUNT', oneOf('1', '10', '1000')],
  ['NOVALUES'],
);

export const hashes: Group = {
  name: 'hash',
  weight: 40,
  entries: [
    entry(14, ['HSET', hashKey, pairs(1, 8)]),
    entry(0.4, ['HSET', hashKey, pairs(100, 300)]),
    entry(2, ['HMSET', hashKey, pairs(1, 4)]),
    entry(3, ['HSETNX', hashKey, field, content]),
    entry(5, ['HGET', hashKey, field]),
    entry(3, ['HMGET', hashKey, repeat(1, 5, field)]),
    entry(3, ['HGETALL', hashKey], { rule: 'unordered' }),
    entry(2, [oneOf('HKEYS', 'HVALS'), hashKey], { rule: 'unordered' }),
    entry(3, ['HLEN', hashKey]),
    entry(2, ['HSTRLEN', hashKey, field]),
    entry(2, ['HEXISTS', hashKey, field]),
    entry(5, ['HDEL', hashKey, repeat(1, 4, field)]),
    entry(5, ['HINCRBY', hashKey, field, oneOf(integer, '1', '-3', '100')]),
    entry(3, ['HINCRBYFLOAT', hashKey, field, oneOf(float, '0.5', '-2')]),
    entry(1, ['HRANDFIELD', hashKey], { rule: 'shape' }),
    entry(
      2,
      [
        'HRANDFIELD',
        hashKey,
        oneOf('0', '1', '3', '-2', '20', '1000', 'abc', '9223372036854775807'),
        maybe(0.5, 'WITHVALUES'),
      ],
      { rule: 'shape' },
    ),
    entry(1, ['HSCAN', hashKey, oneOf('0', 'abc', ''), scanOptions, maybe(0.1, 'NOSCORES')], {
      rule: 'scan step',
    }),
    steps(1, (context) => {
      const out: string[] = [];
      build(context, [scanOptions], out);
      return [scanLoop(context.random.pick(KEYS), out)];
    }),
    steps(0.5, ({ random }) => [randomFields(random.pick(KEYS), random.pick([1, 2, 5, 9, 40, 600, -4]))]),
    steps(0.5, ({ random }) => [exchangeDumps(random.pick(KEYS))]),
    entry(4, [oneOf('HEXPIRE', 'HPEXPIRE'), hashKey, span, condition, fields]),
    entry(3, ['HEXPIREAT', hashKey, instantSeconds, condition, fields]),
    entry(3, ['HPEXPIREAT', hashKey, instantMilliseconds, condition, fields]),
    entry(3, [oneOf('HTTL', 'HEXPIRETIME'), hashKey, fields], { rule: 'ttls in s' }),
    entry(3, [oneOf('HPTTL', 'HPEXPIRETIME'), hashKey, fields], { rule: 'ttls in ms' }),
    entry(1, ['HPEXPIRETIME', hashKey, 'FIELDS', String(FIELDS.length), ...FIELDS], { rule: 'ttls in ms' }),
    entry(3, ['HPERSIST', hashKey, fields]),
    entry(5, ['HGETEX', hashKey, getOptions, fields]),
    entry(6, ['HSETEX', hashKey, setOptions, fieldList(4, field, content)]),
    entry(0.3, ['HSETEX', 'fields', oneOf('1', '2', '3'), repeat(2, 3, field, content)]),
    entry(3, ['HGETDEL', hashKey, fields]),
    entry(2, ['OBJECT', 'ENCODING', hashKey]),
    entry(1, ['MEMORY', 'USAGE', hashKey], { rule: 'number or null' }),
    entry(1, ['DEBUG', 'DIGEST-VALUE', hashKey]),
    entry(1, ['COPY', hashKey, hashKey, maybe(0.7, 'REPLACE')]),
    entry(1, ['RENAME', hashKey, hashKey]),
    entry(0.5, ['DEL', hashKey]),
    steps(0.03, hiddenFields),
    steps(0.01, activeExpiry),
  ],
};
