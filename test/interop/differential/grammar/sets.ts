/**
 * Sets: every command, over sets of integers, of short words and of long ones, small and large. What is random is
 * compared in shape, and the key then deleted, since the two servers would go apart. DUMP has keys of its own, whose
 * bytes follow from the commands alone.
 */
import type { Command } from '../pair.js';
import {
  build,
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
import { PARAMETERS } from './server.js';
import { integer, key, pattern, value } from './values.js';

const setKey: Part = oneOf('s0', 's1', 's2', 's3', 's4', 's0', 's1', 's2', 's3', 's4', key);
/** Few different members, so that sets meet. */
const member: Part = (context, out) => {
  const { random } = context;
  const roll = random.unit();
  if (roll < 0.5) out.push(String(random.int(-20, 180)));
  else if (roll < 0.85) out.push(`m${random.int(0, 160)}`);
  else if (roll < 0.95)
    out.push(
      random.pick(['', '32768', '-32769', '2147483648', '-9223372036854775808', '012', '-0', '+1', '1.0']),
    );
  else if (roll < 0.97) out.push(random.pick(['x'.repeat(64), 'x'.repeat(65), 'y'.repeat(300)]));
  else build(context, [value], out);
};
const number: Part = ({ random }, out) => {
  out.push(String(random.int(-300, 700)));
};
const few: Part = ({ random }, out) => {
  out.push(random.chance(0.9) ? String(random.int(-12, 12)) : random.pick(['40000', '3000000000']));
};
const fewWords = oneOf('a', 'bb', 'ccc', '1', '2', '300', '-7');
const count: Part = (context, out) => {
  if (context.random.chance(0.85)) out.push(String(context.random.int(0, 30)));
  else build(context, [integer], out);
};
const setKeys = repeat(1, 4, setKey);
const counted: Part = (context, out) => {
  const n = context.random.int(1, 4);
  out.push(context.random.chance(0.9) ? String(n) : context.random.pick(['0', '-1', '9', 'abc', '1.0', '']));
  for (let i = 0; i < n; i++) build(context, [setKey], out);
};
/** Below a hundred thousand members nothing is left for a second step. */
const whole: readonly Part[] = ['COUNT', '100000'];
const LIMITS = ['set-max-intset-entries', 'set-max-listpack-entries', 'set-max-listpack-value'] as const;
const unordered = { rule: 'unordered' } as const;
const uncut = { damage: false } as const;

/** A random choice, and an end of what it was made from. */
function drawn(context: Context): Command[] {
  const { random } = context;
  const name = random.pick(['s0', 's1', 's2', 's3', 's4', 'pop']);
  const args = ['SPOP', name];
  if (random.chance(0.7))
    args.push(random.chance(0.9) ? String(random.int(0, 200)) : random.pick(['-1', 'abc', '']));
  return [{ args, rule: 'shape' }, { args: ['SCARD', name] }, { args: ['DEL', name] }];
}

/** SINTERCARD of members that are known to be there, whatever their number. */
function chosen(context: Context): Command[] {
  const name = context.random.pick(['s0', 's1', 's2', 's3', 's4', 'none']);
  const n = String(context.random.int(-40, 40));
  return [
    { args: ['SRANDMEMBER', name, n], rule: 'shape' },
    { args: ['SRANDMEMBER', name], rule: 'shape' },
  ];
}

export const sets: Group = {
  name: 'set',
  weight: 40,
  entries: [
    entry(16, ['SADD', setKey, repeat(1, 6, member)]),
    entry(4, ['SADD', setKey, repeat(1, 60, number)]),
    entry(2, ['SADD', setKey, repeat(20, 160, member)]),
    entry(6, ['SREM', setKey, repeat(1, 6, member)]),
    entry(1, ['SREM', setKey, repeat(20, 120, number)]),
    entry(3, ['SMOVE', setKey, setKey, member]),
    entry(3, ['SISMEMBER', setKey, member]),
    entry(2, ['SMISMEMBER', setKey, repeat(1, 30, member)]),
    entry(3, ['SCARD', setKey]),
    entry(2, ['SMEMBERS', setKey], unordered),
    entry(5, [oneOf('SINTER', 'SUNION', 'SDIFF'), setKeys], unordered),
    entry(6, [oneOf('SINTERSTORE', 'SUNIONSTORE', 'SDIFFSTORE'), setKey, setKeys]),
    entry(1, ['SDIFF', repeat(5, 9, setKey)], unordered),
    entry(3, ['SINTERCARD', counted, options(['LIMIT', oneOf('0', '1', '3', '-1', 'abc')])]),
    entry(2, ['SSCAN', setKey, '0', options(whole, ['MATCH', oneOf('m*', '1*', pattern)]), ...whole], {
      ...uncut,
      rule: 'unordered',
    }),
    entry(1, ['SSCAN', setKey, oneOf('0', 'abc', '', '-1'), options(['MATCH', pattern], ['COUNT', count])], {
      rule: 'scan step',
    }),
    entry(6, ['OBJECT', 'ENCODING', setKey]),
    entry(1, ['DEBUG', 'DIGEST-VALUE', setKey], uncut),
    entry(1, ['COPY', setKey, setKey, maybe(0.5, 'REPLACE')]),
    entry(0.5, ['RENAME', setKey, setKey]),
    entry(0.7, ['DEL', setKey]),
    entry(0.3, ['EXPIRE', setKey, oneOf('100000', '200000', '0', '-1')], uncut),
    entry(0.3, ['MEMORY', 'USAGE', setKey], { rule: 'number or null' }),
    // Too few members to become a table, so that the order of the bytes is known.
    entry(2, ['SADD', 'dump0', few]),
    entry(1, ['SREM', 'dump0', repeat(1, 9, few)]),
    entry(2, ['SADD', 'dump1', repeat(1, 2, fewWords)]),
    entry(1, ['SREM', 'dump1', repeat(1, 3, fewWords)]),
    entry(2, ['DUMP', oneOf('dump0', 'dump1')], uncut),
    entry(0.3, ['DEL', oneOf('dump0', 'dump1')]),
    steps(0.3, ({ random }) => {
      const name = random.pick(LIMITS);
      return [{ args: ['CONFIG', 'SET', name, random.pick(PARAMETERS[name]!)] }];
    }),
    steps(3, drawn),
    steps(2, chosen),
  ],
};
