/** HyperLogLogs: their replies and, since they are strings, every byte of them. */
import { build, entry, type Group, type Part, repeat, steps } from './pattern.js';
import { value } from './values.js';

const hllKey: Part = ({ random }, out) => {
  if (random.chance(0.03)) out.push(random.pick(['k0', 'k1', 'n0', '']));
  else out.push(random.pick(['h0', 'h1', 'h2', 'h3', 'h4', 'h5']));
};
const element: Part = ({ random }, out) => {
  out.push(random.chance(0.9) ? `e${random.int(0, 20_000)}` : random.bytes(random.int(0, 40)));
};
/** Headers, right and wrong, before runs that may be too few, too many or cut off. */
const forged: Part = ({ random }, out) => {
  const header = random.pick(['HYLL', 'HYLL', 'HYLL', 'HYLl', 'HYL']);
  const encoding = random.pick(['\x01', '\x01', '\x01', '\x00', '\x02']);
  const runs = random.pick(['\x7f\xff', '\x7f', '', '\x7f\xfe\x80', '\x7f\xff\x00', '\xff\x7f\xfb', '\x00']);
  out.push(`${header}${encoding}\0\0\0\0\0\0\0\0\0\0${random.pick(['\x00', '\x80'])}${runs}`);
};

export const hyperloglogs: Group = {
  name: 'hyperloglogs',
  weight: 6,
  entries: [
    entry(20, ['PFADD', hllKey, repeat(0, 8, element)]),
    entry(4, ['PFADD', hllKey, repeat(100, 400, element)]),
    entry(15, ['PFCOUNT', hllKey]),
    entry(8, ['PFCOUNT', repeat(2, 5, hllKey)]),
    entry(8, ['PFMERGE', hllKey, repeat(0, 4, hllKey)]),
    entry(4, ['PFDEBUG', 'ENCODING', hllKey]),
    entry(3, ['PFDEBUG', 'DECODE', hllKey]),
    entry(1, ['PFDEBUG', 'TODENSE', hllKey]),
    entry(1, ['PFDEBUG', 'NOSUCH', hllKey]),
    entry(8, ['GET', hllKey]),
    entry(4, ['OBJECT', 'ENCODING', hllKey]),
    entry(4, ['DEL', hllKey]),
    entry(2, ['SET', hllKey, value]),
    // What a forged string is asked comes before anything is added to it: Valkey writes beyond one that is cut off.
    steps(3, (context) => {
      const name = context.random.pick(['h0', 'h1']);
      const command = (...parts: Parameters<typeof build>[1]) => ({ args: build(context, parts) });
      return [
        command('SET', name, forged),
        command('PFCOUNT', name),
        command('PFCOUNT', name, 'h2'),
        command('OBJECT', 'ENCODING', name),
        command('PFMERGE', 'h3', name),
        command('PFDEBUG', 'DECODE', name),
        command('DEL', name),
      ];
    }),
  ],
};
