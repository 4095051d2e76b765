/** Keys, expiry and databases. */
import type { Mismatch, Pair } from '../pair.js';
import { formatCommand, items, quote, text } from '../resp.js';
import {
  type Context,
  type Episode,
  entry,
  type Group,
  maybe,
  oneOf,
  options,
  type Part,
  repeat,
  steps,
} from './pattern.js';
import { database, instantMilliseconds, instantSeconds, integer, key, pattern, span } from './values.js';

const condition: Part = options(['NX'], ['XX'], ['GT'], ['LT'], ['BOGUS']);
const type: Part = oneOf('string', 'STRING', 'list', 'hash', 'zset', 'set', 'stream', 'nosuchtype', '');

const SHORT_EXPIRY_DEADLINE_MS = 10_000;

/** A complete SCAN loop on both sides; what was yielded must be the same set. */
function scanLoop(args: readonly string[]): Episode {
  return {
    name: `loop of ${formatCommand(['SCAN', '<cursor>', ...args])}`,
    needs: ['scan'],
    run: async ({ subject, reference }) => {
      const found = await Promise.all(
        [subject, reference].map(async (connection) => {
          const seen = new Set<string>();
          let cursor = '0';
          for (let step = 0; step < 100_000; step++) {
            const reply = await connection.call('SCAN', cursor, ...args);
            if (reply.type === '-') return text(reply);
            for (const name of items(items(reply)[1]!)) seen.add(text(name));
            cursor = text(items(reply)[0]!);
            if (cursor === '0')
              return [...seen]
                .sort()
                .map((name) => quote(name))
                .join(' ');
          }
          return 'the loop did not end';
        }),
      );
      return found[0] === found[1] ? null : { index: -1, subject: found[0]!, reference: found[1]! };
    },
  };
}

/** RANDOMKEY may answer any key of the database, and nothing but null when it is empty. */
const randomKey: Episode = {
  name: 'RANDOMKEY answers a key of this database',
  needs: ['randomkey', 'exists', 'dbsize'],
  run: async (pair): Promise<Mismatch | null> => {
    const [fromSubject, fromReference] = await pair.call('RANDOMKEY');
    const shown = (reply: typeof fromSubject): string =>
      `${reply.type}${reply.value === null ? 'null' : quote(text(reply))}`;
    const mismatch = { index: -1, subject: shown(fromSubject), reference: shown(fromReference) };
    if (fromSubject.type !== fromReference.type) return mismatch;
    if (fromSubject.value === null || fromReference.value === null) {
      return fromSubject.value === fromReference.value ? null : mismatch;
    }
    const known = await pair.reference.call('EXISTS', text(fromSubject));
    return text(known) === '1'
      ? null
      : { ...mismatch, subject: `${mismatch.subject}, a key Valkey does not have` };
  },
};

/** Sets a key that expires within milliseconds, waits until it has on both sides, and looks at what is left. */
function shortExpiry(name: string, set: readonly string[], probe: readonly string[]): Episode {
  return {
    name: `${formatCommand(set)}, then wait until ${quote(name)} is gone`,
    needs: [set[0]!.toLowerCase(), 'exists', probe[0]!.toLowerCase()],
    run: async (pair: Pair): Promise<Mismatch | null> => {
      const first = await pair.exchange([{ args: ['SET', name, 'value'] }, { args: set, rule: 'shape' }]);
      if (first !== null) return first;
      const waits = [pair.subject, pair.reference].map(async (connection) => {
        const deadline = Date.now() + SHORT_EXPIRY_DEADLINE_MS;
        while (text(await connection.call('EXISTS', name)) !== '0') {
          if (Date.now() > deadline) return `${quote(name)} still exists`;
        }
        return 'gone';
      });
      const [subject, reference] = await Promise.all(waits);
      if (subject !== reference) return { index: -1, subject: subject!, reference: reference! };
      return pair.exchange([
        { args: probe },
        { args: ['TYPE', name] },
        { args: ['PTTL', name] },
        { args: ['DBSIZE'] },
      ]);
    },
  };
}

/** Sets keys that expire and lets the servers find them by themselves: nobody touches them, DBSIZE must fall. */
const activeExpiry: Episode = {
  name: 'active expiry empties a database nobody reads',
  needs: ['select', 'set', 'dbsize', 'flushdb'],
  run: async (pair): Promise<Mismatch | null> => {
    const sets = Array.from({ length: 20 }, (_, i) => ({
      args: ['SET', `expiring:${i}`, 'value', 'PX', String(1 + (i % 5))],
    }));
    const first = await pair.exchange([{ args: ['SELECT', '9'] }, { args: ['FLUSHDB'] }, ...sets]);
    if (first !== null) return first;
    const waits = [pair.subject, pair.reference].map(async (connection) => {
      const deadline = Date.now() + SHORT_EXPIRY_DEADLINE_MS;
      for (;;) {
        const size = text(await connection.call('DBSIZE'));
        if (size === '0' || Date.now() > deadline) return `DBSIZE ${size}`;
        await new Promise((next) => setTimeout(next, 10));
      }
    });
    const [subject, reference] = await Promise.all(waits);
    if (subject !== reference) return { index: -1, subject: subject!, reference: reference! };
    return pair.exchange([{ args: ['SELECT', '0'] }]);
  },
};

function pickShortExpiry({ random }: Context): Episode {
  const name = random.pick(['k0', 'n0', 'short']);
  const wait = String(random.int(1, 30));
  const set = random.pick([
    ['SET', name, 'v', 'PX', wait],
    ['PSETEX', name, wait, 'v'],
    ['PEXPIRE', name, wait],
    ['GETEX', name, 'PX', wait],
    ['MSETEX', '1', name, 'v', 'PX', wait],
  ]);
  const probe = random.pick([
    ['GET', name],
    ['GETSET', name, 'new'],
    ['SET', name, 'new', 'XX'],
    ['SET', name, 'new', 'NX', 'GET'],
    ['APPEND', name, 'x'],
    ['INCR', name],
    ['RENAME', name, 'k1'],
    ['COPY', name, 'k1', 'REPLACE'],
    ['TTL', name],
    ['EXPIRE', name, '100000'],
    ['PERSIST', name],
    ['GETDEL', name],
    ['OBJECT', 'ENCODING', name],
    ['TOUCH', name],
    ['DEL', name],
  ]);
  return shortExpiry(name, set, probe);
}

export const keys: Group = {
  name: 'keys',
  weight: 35,
  entries: [
    entry(5, ['DEL', repeat(1, 3, key)]),
    entry(3, ['UNLINK', repeat(1, 3, key)]),
    entry(4, ['EXISTS', repeat(1, 4, key)]),
    entry(2, ['TOUCH', repeat(1, 4, key)]),
    entry(3, ['TYPE', key]),
    entry(3, ['TTL', key], { rule: 'ttl in s' }),
    entry(3, ['PTTL', key], { rule: 'ttl in ms' }),
    entry(3, ['EXPIRETIME', key], { rule: 'ttl in s' }),
    entry(3, ['PEXPIRETIME', key], { rule: 'ttl in ms' }),
    entry(4, ['EXPIRE', key, span, condition]),
    entry(4, ['PEXPIRE', key, span, condition]),
    entry(4, ['EXPIREAT', key, instantSeconds, condition]),
    entry(4, ['PEXPIREAT', key, instantMilliseconds, condition]),
    entry(3, ['PERSIST', key]),
    entry(1, ['KEYS', pattern], { rule: 'unordered' }),
    entry(
      1,
      [
        'SCAN',
        oneOf('0', '0', integer),
        options(['MATCH', pattern], ['COUNT', oneOf('1', '10', '1000', integer)], ['TYPE', type], ['BOGUS']),
      ],
      {
        rule: 'scan step',
      },
    ),
    steps(0.2, (context) => {
      const out: string[] = [];
      options(['MATCH', pattern], ['COUNT', oneOf('1', '2', '10', '1000')], ['TYPE', type])(context, out);
      return [scanLoop(out)];
    }),
    steps(0.2, () => [randomKey]),
    steps(0.02, (context) => [pickShortExpiry(context)]),
    steps(0.004, () => [activeExpiry]),
    entry(4, ['RENAME', key, key]),
    entry(3, ['RENAMENX', key, key]),
    entry(5, [
      'COPY',
      key,
      key,
      options(['REPLACE'], ['DB', database], ['DB', database, 'REPLACE'], ['BOGUS']),
    ]),
    entry(3, ['MOVE', key, database]),
    entry(5, ['OBJECT', 'ENCODING', key]),
    entry(1, ['OBJECT', 'REFCOUNT', key]),
    entry(1, ['OBJECT', 'IDLETIME', key], { rule: 'seconds since' }),
    entry(0.5, ['OBJECT', 'FREQ', key], { rule: 'number or null' }),
    entry(0.2, ['OBJECT', oneOf('HELP', 'BOGUS', 'encoding')]),
    entry(3, ['DBSIZE']),
    entry(0.25, ['FLUSHDB', maybe(0.6, oneOf('SYNC', 'ASYNC', 'BOGUS', ['SYNC', 'ASYNC']))]),
    entry(0.08, ['FLUSHALL', maybe(0.6, oneOf('SYNC', 'ASYNC', 'BOGUS'))]),
    entry(0.6, ['SWAPDB', database, database]),
    entry(2.5, ['SELECT', database]),
  ],
};
