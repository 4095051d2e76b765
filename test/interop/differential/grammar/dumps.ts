/**
 * DUMP and RESTORE across the two servers: each restores what the other wrote, and both are given payloads with
 * damage, whose checksum they do not look at. Keys are those of the other groups.
 */
import type { Mismatch, Pair } from '../pair.js';
import type { Random } from '../random.js';
import { formatBytes, formatCommand, type Reply, text } from '../resp.js';
import { ancientValue } from './ancient.js';
import { type Context, type Episode, type Group, type Step, steps } from './pattern.js';

/** Names that groups fill with values of some type; a new type's names are one more line. */
const KEYS = [
  ...['l0', 'l1', 'l2', 'l3'],
  ...['z0', 'z1', 'z2', 'z3', 'lex0', 'lex1', 'g0', 'g1'],
  ...['k0', 'k1', 'n0', 'h0', 'h1', 'h2', 'h3', 'large0'],
  ...['s0', 's1', 's2', 's3'],
  ...['x0', 'x1', 'xp0', 'xp1', 'xl0'],
];
/** Streams with groups: their dumps hold times. */
const TIMED = /^x\d|^xl|^k/;
/** Hash tables have no order of their own, and a set in a listpack may have come out of one. */
const unordered = (type: string, about: string): boolean =>
  about.includes('encoding:hashtable') || (type === 'set' && about.includes('encoding:listpack'));
/** Types of dumps that begin with a number of elements: set, hash, sorted set, hash with deadlines. */
const TABLES = new Set([2, 4, 5, 22]);
const STREAM = 21;
const NEEDS = ['dump', 'restore', 'object|encoding', 'debug'];
const FOOTER = 10;

const shown = (reply: Reply): string =>
  reply.value === null || Array.isArray(reply.value)
    ? `${reply.type}null`
    : formatBytes(Buffer.from(`${reply.type}${reply.value}`, 'latin1'));

const differ = (what: string, [subject, reference]: readonly [Reply, Reply]): Mismatch => ({
  index: -1,
  subject: `${what}: ${shown(subject)}`,
  reference: `${what}: ${shown(reference)}`,
});

/** What the two answer to one command, as a mismatch unless it is the same. */
async function agree(pair: Pair, ...args: string[]): Promise<Mismatch | null> {
  const replies = await pair.call(...args);
  const same = replies[0].type === replies[1].type && text(replies[0]) === text(replies[1]);
  return same ? null : differ(formatCommand(args).slice(0, 400), replies);
}

/** What is compared of a key that was restored. */
async function agreeOnKey(pair: Pair, name: string): Promise<Mismatch | null> {
  return (
    (await agree(pair, 'TYPE', name)) ??
    (await agree(pair, 'OBJECT', 'ENCODING', name)) ??
    (await agree(pair, 'DEBUG', 'DIGEST-VALUE', name))
  );
}

function exchange({ random }: Context): Episode {
  const name = random.pick(KEYS);
  return {
    name: `each restores what the other dumps of ${name}`,
    needs: NEEDS,
    run: async (pair) => {
      // What LZF makes of bytes is Valkey's own affair: it finds matches by what other calls have left on its stack.
      const compressed = random.chance(0.3);
      if (!compressed) await pair.call('CONFIG', 'SET', 'rdbcompression', 'no');
      const dumps = await pair.call('DUMP', name);
      if (!compressed) await pair.call('CONFIG', 'SET', 'rdbcompression', 'yes');
      const [ours, theirs] = dumps;
      if (ours.value === null && theirs.value === null) return null;
      if (ours.type !== '$' || theirs.type !== '$') return differ('DUMP', dumps);
      const [about] = await pair.call('DEBUG', 'OBJECT', name);
      const [type] = await pair.call('TYPE', name);
      const inNoOrder = unordered(text(type), text(about));
      const comparable =
        !compressed &&
        !inNoOrder &&
        !text(about).includes('ql_compressed:1') &&
        !(TIMED.test(name) && text(about).includes('encoding:stream'));
      if (comparable && ours.value !== theirs.value) return differ('DUMP', dumps);
      const restored = await Promise.all([
        pair.subject.call('RESTORE', 'dumped', '0', text(theirs), 'REPLACE'),
        pair.reference.call('RESTORE', 'dumped', '0', text(ours), 'REPLACE'),
      ]);
      if (restored.some((reply) => text(reply) !== 'OK')) return differ('RESTORE', restored);
      const difference = await agreeOnKey(pair, 'dumped');
      if (difference !== null) return difference;
      if (!inNoOrder) return null;
      // A deadline is part of the digest, and not of the dump.
      const [deadline] = await pair.call('PTTL', name);
      if (text(deadline) !== '-1') return null;
      const digests = await pair.call('DEBUG', 'DIGEST-VALUE', name, 'dumped');
      for (const digest of digests) {
        const [was, is] = Array.isArray(digest.value) ? digest.value : [];
        if (was?.value !== is?.value) return differ('DEBUG DIGEST-VALUE of the copy', digests);
      }
      return null;
    },
  };
}

/** One or a few bytes of the value changed, or its end gone. The type and the footer stay. */
function damaged(random: Random, payload: string): string {
  const value = payload.slice(0, -FOOTER);
  const footer = payload.slice(-FOOTER);
  if (random.chance(0.15)) return value.slice(0, random.int(1, value.length)) + footer;
  const bytes = Buffer.from(value, 'latin1');
  for (let n = random.int(1, 3); n > 0; n--) {
    const at = random.chance(0.5)
      ? random.int(1, Math.min(bytes.length - 1, 24))
      : random.int(1, bytes.length - 1);
    const roll = random.unit();
    if (roll < 0.4) bytes[at]! ^= 1 << random.int(0, 7);
    else if (roll < 0.7) bytes[at] = random.int(0, 255);
    else bytes[at] = random.pick([0, 0xff, 0xfe, 0x80, 0x7f, 0xf0, 0xf4, 0xc0, 0xc3]);
  }
  // Valkey makes room for as many elements as a table claims to have, and may be at it for half a minute.
  if (TABLES.has(bytes[0]!) && (bytes[1]! & 0xfe) === 0x80) bytes[1] = 0x3f;
  return bytes.toString('latin1') + footer;
}

/** RESTORE of a damaged payload on both sides. */
async function restore(pair: Pair, payload: string): Promise<Mismatch | null> {
  const [subject, reference] = await pair.call('RESTORE', 'damaged', '0', payload, 'REPLACE');
  if (text(subject) === text(reference)) return null;
  // Where a value claims to be longer than it is, Valkey reads on into the footer. We do, too, if it is not one.
  const longer = await pair.subject.call(
    'RESTORE',
    'damaged',
    '0',
    payload + payload.slice(-FOOTER),
    'REPLACE',
  );
  if (text(longer) === text(reference)) return null;
  // Of a stream Valkey takes numbers that are none for the greatest one. We refuse them.
  if (payload.charCodeAt(0) === STREAM && text(reference) === 'OK') {
    await pair.call('DEL', 'damaged');
    return null;
  }
  return differ(formatCommand(['RESTORE', 'damaged', '0', payload]), [subject, reference]);
}

/** RESTORE of payloads one after the other, with checksums not looked at. */
async function restoreAll(pair: Pair, payloads: readonly string[]): Promise<Mismatch | null> {
  await pair.call('DEBUG', 'SET-SKIP-CHECKSUM-VALIDATION', '1');
  let difference: Mismatch | null = null;
  for (const payload of payloads) {
    difference ??= (await restore(pair, payload)) ?? (await agreeOnKey(pair, 'damaged'));
  }
  await pair.call('DEBUG', 'SET-SKIP-CHECKSUM-VALIDATION', '0');
  // It may hold what no command would have put there.
  await pair.call('DEL', 'damaged');
  return difference;
}

function damage(context: Context): Episode {
  const { random } = context;
  const name = random.pick(KEYS);
  return {
    name: `a damaged dump of ${name}`,
    needs: NEEDS,
    run: async (pair) => {
      const [payload] = await pair.call('DUMP', name);
      if (payload.type !== '$' || text(payload).length <= FOOTER + 1) return null;
      return restoreAll(
        pair,
        Array.from({ length: 10 }, () => damaged(random, text(payload))),
      );
    },
  };
}

function ancient({ random }: Context): Episode {
  const payloads = Array.from({ length: 10 }, () => {
    const payload = `${ancientValue(random)}\x50\0${'\0'.repeat(8)}`;
    return random.chance(0.3) ? damaged(random, payload) : payload;
  });
  return { name: 'old encodings', needs: NEEDS, run: (pair) => restoreAll(pair, payloads) };
}

export const dumps: Group = {
  name: 'dumps',
  weight: 2,
  entries: [
    steps(4, (context): Step[] => [exchange(context)]),
    steps(1, (context): Step[] => [damage(context)]),
    steps(1, (context): Step[] => [ancient(context)]),
  ],
};
