/**
 * SORT and SORT_RO. Where elements compare equal, Valkey keeps their order unless BY comes with LIMIT; a set has none.
 * The weights lie under names of their own, since BY and GET make names from elements.
 */
import { entry, type Group, maybe, oneOf, options, type Part, repeat } from './pattern.js';
import { index, key } from './values.js';

const list: Part = oneOf('tosort:l0', 'tosort:l1', 'tosort:l2');
const set: Part = oneOf('tosort:s0', 'tosort:s1');
const zset: Part = oneOf('tosort:z0', 'tosort:z1');
const source: Part = oneOf(list, list, set, zset, key);
const element: Part = ({ random }, out) => {
  const roll = random.unit();
  out.push(
    roll < 0.9
      ? String(random.int(-30, 60))
      : random.pick([
          '1.5',
          '-0.25',
          '1e3',
          '+7',
          '0x10',
          ' 1',
          '1 ',
          '1\x00x',
          '',
          'nan',
          'inf',
          '1e400',
          'word',
        ]),
  );
};
const number: Part = ({ random }, out) => {
  out.push(random.chance(0.8) ? String(random.int(-30, 60)) : random.pick(['2.5', '-1e2', '.5', '7.0']));
};
const word: Part = oneOf('a', 'b', 'aa', 'B', 'A', 'z', 'ab\x00c', 'ab\x00d', 'ä', '10', '9', '');
const weight: Part = ({ random }, out) => {
  out.push(`${random.pick(['w', 'w', 'v'])}:${random.int(-30, 60)}`);
};
const field: Part = ({ random }, out) => {
  out.push(`h:${random.int(-30, 60)}`);
};
const by: Part = oneOf('w:*', 'w:*', 'v:*', 'h:*->f', 'none:*', 'w:*->', '*');
const get: readonly Part[] = [
  'GET',
  oneOf('#', '#', 'w:*', 'v:*', 'h:*->f', 'h:*->g', 'nothing', 'w:*->', ''),
];
const window: readonly Part[] = ['LIMIT', index, index];
const order: readonly (readonly Part[])[] = [['ASC'], ['DESC'], ['DESC']];
const command = oneOf('SORT', 'SORT', 'SORT_RO');
const destination: Part = oneOf('sorted:0', 'sorted:1', 'tosort:l2');
/** With another key or another pattern, the order might be that of a set. */
const uncut = { damage: false } as const;

export const sorting: Group = {
  name: 'sort',
  weight: 15,
  entries: [
    entry(10, ['RPUSH', list, repeat(1, 8, number)]),
    entry(0.3, ['RPUSH', list, element]),
    entry(6, ['SADD', set, repeat(1, 8, number)]),
    entry(0.2, ['SADD', set, element]),
    entry(5, ['ZADD', zset, repeat(1, 4, number, number)]),
    entry(4, ['RPUSH', 'tosort:words', repeat(1, 4, word)]),
    entry(8, ['SET', weight, number]),
    entry(1, ['SET', weight, oneOf(word, element)]),
    entry(3, ['HSET', field, 'f', number, maybe(0.5, 'g', word)]),
    entry(1, ['DEL', oneOf(weight, weight, field, source, 'tosort:words')]),
    entry(0.3, ['DEL', list]),
    entry(8, [command, source, options(...order, window, get)]),
    entry(6, [command, source, 'BY', by, options(...order, window, get, get)], uncut),
    entry(3, [command, 'tosort:words', 'ALPHA', options(...order, window, get)]),
    entry(2, [command, oneOf(list, 'tosort:words'), 'ALPHA', 'BY', by, options(...order, get)], uncut),
    entry(1, [command, set, 'ALPHA', 'BY', by], { ...uncut, rule: 'unordered' }),
    entry(
      2,
      [command, oneOf(list, zset, 'tosort:words'), 'BY', 'nosort', options(...order, window, get)],
      uncut,
    ),
    entry(1, [command, set, 'BY', 'nosort'], { ...uncut, rule: 'unordered' }),
    entry(
      1,
      [
        command,
        list,
        oneOf('BY', 'GET', ['LIMIT', '1'], ['LIMIT', '1', 'x'], 'STORE', 'BOGUS', ['BY', by, 'GET']),
      ],
      uncut,
    ),
    entry(4, ['SORT', source, options(...order, window, get), 'STORE', destination]),
    entry(2, ['SORT', source, 'BY', by, options(...order, window, get), 'STORE', destination], uncut),
    entry(1, ['SORT', 'tosort:words', 'ALPHA', options(...order, window), 'STORE', destination]),
    entry(1, ['SORT', set, 'BY', 'nosort', 'STORE', destination]),
    entry(1, ['SORT_RO', list, 'STORE', destination]),
    entry(2, ['LRANGE', destination, '0', '-1']),
    entry(2, ['OBJECT', 'ENCODING', oneOf(destination, source)]),
    entry(0.5, ['COMMAND', 'GETKEYS', 'SORT', source, options(get, window), 'STORE', destination]),
  ],
};
