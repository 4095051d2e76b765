/** Sorted sets. Ranges by bytes meet members of equal scores only by chance, so they have keys of their own. */
import { entry, type Group, maybe, oneOf, options, type Part, repeat } from './pattern.js';
import { index, key, pattern } from './values.js';

const zkey: Part = oneOf('z0', 'z1', 'z2', 'z3', 'z4', key);
const lexKey: Part = oneOf('lex0', 'lex1');
const member: Part = ({ random }, out) => {
  out.push(random.chance(0.9) ? `m${random.int(0, 160)}` : random.pick(['', '12', '-7', 'x'.repeat(70)]));
};
const smallMember: Part = ({ random }, out) => {
  out.push(random.chance(0.8) ? `m${random.int(0, 30)}` : String(random.int(-5, 200)));
};
const score: Part = ({ random }, out) => {
  out.push(
    random.chance(0.8)
      ? String(random.int(-40, 40) / 4)
      : random.pick([
          'inf',
          '-inf',
          'nan',
          '-0',
          '1e300',
          '1e17',
          '0.1',
          '-123.456',
          'abc',
          '',
          '1e400',
          '+2',
        ]),
  );
};
const bound: Part = oneOf(
  score,
  score,
  (context, out) => {
    out.push(`(${context.random.int(-10, 10)}`);
  },
  '-inf',
  '+inf',
  '(',
  '',
);
const lexBound: Part = oneOf('-', '+', '[m1', '(m2', '[m55', '(m9', '[', '(', 'm1', '', '[zz');
const limit: readonly Part[] = ['LIMIT', index, index];
const scores: readonly Part[] = ['WITHSCORES'];
const inputs: readonly Part[] = [
  oneOf(['1', zkey], ['2', zkey, zkey], ['3', zkey, zkey, zkey], ['0', zkey], ['9', zkey]),
];
const combining: readonly (readonly Part[])[] = [
  ['WEIGHTS', score, score],
  ['AGGREGATE', oneOf('SUM', 'MIN', 'MAX', 'AVG')],
];

export const zsets: Group = {
  name: 'zset',
  weight: 40,
  entries: [
    entry(20, [
      'ZADD',
      zkey,
      options(['NX'], ['XX'], ['GT'], ['LT'], ['CH'], ['INCR']),
      repeat(1, 6, score, member),
    ]),
    // Whole: with unequal scores it is anybody's guess what lies between two members.
    entry(6, ['ZADD', lexKey, repeat(1, 5, '0', member)], { damage: false }),
    entry(3, ['ZINCRBY', zkey, score, member]),
    entry(4, ['ZREM', zkey, repeat(1, 4, member)]),
    entry(2, ['ZCARD', zkey]),
    entry(2, ['ZSCORE', zkey, member]),
    entry(1, ['ZMSCORE', zkey, repeat(1, 4, member)]),
    entry(3, [oneOf('ZRANK', 'ZREVRANK'), zkey, member, maybe(0.3, oneOf('WITHSCORE', 'BOGUS'))]),
    entry(3, ['ZCOUNT', zkey, bound, bound]),
    entry(2, ['ZLEXCOUNT', lexKey, lexBound, lexBound]),
    entry(4, ['ZRANGE', zkey, index, index, options(scores, ['REV'], limit)]),
    entry(3, ['ZRANGE', zkey, bound, bound, 'BYSCORE', options(scores, ['REV'], limit)]),
    entry(3, ['ZRANGE', lexKey, lexBound, lexBound, 'BYLEX', options(['REV'], limit, scores)]),
    entry(2, ['ZRANGESTORE', zkey, zkey, index, index, options(['REV'], ['BYSCORE'], limit)]),
    entry(3, [oneOf('ZRANGEBYSCORE', 'ZREVRANGEBYSCORE'), zkey, bound, bound, options(scores, limit)]),
    entry(3, [oneOf('ZRANGEBYLEX', 'ZREVRANGEBYLEX'), lexKey, lexBound, lexBound, options(limit)]),
    entry(1, ['ZREVRANGE', zkey, index, index, options(scores)]),
    entry(0.3, ['ZREMRANGEBYRANK', zkey, index, index]),
    entry(0.5, ['ZREMRANGEBYSCORE', zkey, bound, bound]),
    entry(0.5, ['ZREMRANGEBYLEX', lexKey, lexBound, lexBound]),
    entry(2, [oneOf('ZPOPMIN', 'ZPOPMAX'), zkey, maybe(0.5, oneOf('0', '1', '3', '-1', 'abc'))]),
    entry(1, ['ZMPOP', ...inputs, oneOf('MIN', 'MAX'), options(['COUNT', oneOf('2', '0', '5')])]),
    entry(2, [oneOf('ZUNION', 'ZINTER'), ...inputs, options(...combining, scores)]),
    entry(1, ['ZDIFF', ...inputs, options(scores)]),
    entry(1, ['ZINTERCARD', ...inputs, options(['LIMIT', oneOf('0', '1', '-1', '5')])]),
    entry(2, [oneOf('ZUNIONSTORE', 'ZINTERSTORE'), zkey, ...inputs, options(...combining)]),
    entry(1, ['ZDIFFSTORE', zkey, ...inputs]),
    // A cursor that is one says something only of the table it came from.
    entry(0.5, ['ZSCAN', lexKey, oneOf('abc', ''), options(['MATCH', pattern], ['COUNT', '5'])], {
      damage: false,
    }),
    // A set that stays a listpack, which a scan gives as a whole and in order.
    entry(2, ['ZADD', 'zs', repeat(1, 3, score, smallMember)], { damage: false }),
    entry(1, ['ZREM', 'zs', repeat(1, 3, smallMember)]),
    entry(1, ['ZSCAN', 'zs', '0', options(['MATCH', pattern], ['COUNT', '5'], ['NOSCORES'], ['BOGUS'])]),
    // All of them, or an error: nothing random.
    entry(
      0.5,
      [
        'ZRANDMEMBER',
        oneOf('zs', zkey),
        oneOf('1000', '0', 'abc', '9223372036854775807'),
        maybe(0.5, 'WITHSCORES'),
      ],
      { damage: false },
    ),
    entry(0.5, ['ZRANDMEMBER', 'zs', maybe(0.7, oneOf('1', '-1', '-4', '-9223372036854775808'))], {
      rule: 'shape',
    }),
    entry(0.2, ['ZRANDMEMBER', oneOf(zkey, 'nothing'), oneOf('0', 'abc', ['5', 'BOGUS'])], { damage: false }),
    entry(2, ['OBJECT', 'ENCODING', zkey]),
  ],
};
