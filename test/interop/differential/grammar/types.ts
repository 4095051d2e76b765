/** Keys of other types, so that commands meet values they do not work on. Left out while the subject lacks them. */
import { entry, type Group, repeat } from './pattern.js';
import { float, key, value } from './values.js';

export const otherTypes: Group = {
  name: 'other types',
  weight: 2,
  entries: [
    entry(1, ['RPUSH', key, repeat(1, 3, value)]),
    entry(1, ['SADD', key, repeat(1, 3, value)]),
    entry(1, ['HSET', key, repeat(1, 2, value, value)]),
    entry(1, ['ZADD', key, repeat(1, 2, float, value)]),
    entry(0.3, ['XADD', key, '1-1', value, value]),
  ],
};
