/** Bitmaps: on strings of every kind, with ranges around both ends. */
import { type Appender, build, entry, type Group, oneOf, type Part, repeat, steps } from './pattern.js';
import { index, integerText, key, value } from './values.js';

/** Small enough for bitmaps to stay small, seldom far out. */
const offset: Part = ({ random }, out) => {
  const roll = random.unit();
  if (roll < 0.9) out.push(String(random.int(0, 2000)));
  else if (roll < 0.95) out.push(String(random.int(2000, 12_000)));
  else out.push(random.pick(['-1', 'abc', '', '4294967296', '9223372036854775807', '1.0', '#1', ' 1']));
};
const bit: Part = ({ random }, out) => {
  out.push(random.chance(0.95) ? random.pick(['0', '1']) : random.pick(['2', '-1', 'x', '', '01']));
};
const unit: Part = ({ random }, out) => {
  out.push(random.pick(['BIT', 'BYTE', 'bit', 'byte', 'BIT', 'BITS']));
};
const fieldType: Part = ({ random }, out) => {
  const roll = random.unit();
  if (roll < 0.9) out.push(random.chance(0.5) ? `i${random.int(1, 64)}` : `u${random.int(1, 63)}`);
  else out.push(random.pick(['u64', 'i65', 'u0', 'i0', 'x8', '', 'u', 'I8', 'u8 ']));
};
const fieldOffset: Part = ({ random }, out) => {
  const roll = random.unit();
  if (roll < 0.7) out.push(String(random.int(0, 700)));
  else if (roll < 0.97) out.push(`#${random.int(0, 40)}`);
  else out.push(random.pick(['#', '#-1', '-1', '4294967296', '#9223372036854775807', 'abc']));
};
const operand: Part = ({ random }, out) => {
  if (random.chance(0.6)) out.push(String(random.int(-300, 300)));
  else out.push(integerText(random));
};
const reading: Appender = oneOf(['GET', fieldType, fieldOffset], ['get', fieldType, fieldOffset]);
const field: Appender = oneOf(
  ['GET', fieldType, fieldOffset],
  ['SET', fieldType, fieldOffset, operand],
  ['INCRBY', fieldType, fieldOffset, operand],
  ['INCRBY', fieldType, fieldOffset, operand],
  ['OVERFLOW', oneOf(['WRAP'], ['SAT'], ['FAIL'], ['fail'])],
);
const broken: Appender = oneOf(['OVERFLOW', 'NEVER'], ['SET', fieldType], ['INCRBY'], ['OVERFLOW'], [value]);
const operation: Appender = oneOf(['AND'], ['OR'], ['XOR'], ['and'], ['DIFF'], ['ONE'], ['ANDOR'], ['']);

export const bitmaps: Group = {
  name: 'bitmaps',
  weight: 10,
  entries: [
    entry(20, ['SETBIT', key, offset, bit]),
    entry(12, ['GETBIT', key, offset]),
    entry(6, ['BITCOUNT', key]),
    entry(10, ['BITCOUNT', key, index, index]),
    entry(12, ['BITCOUNT', key, index, index, unit]),
    entry(2, ['BITCOUNT', key, index]),
    entry(6, ['BITPOS', key, bit]),
    entry(6, ['BITPOS', key, bit, index]),
    entry(10, ['BITPOS', key, bit, index, index]),
    entry(12, ['BITPOS', key, bit, index, index, unit]),
    entry(16, ['BITOP', operation, key, repeat(1, 5, key)]),
    entry(5, ['BITOP', 'NOT', key, key]),
    entry(1, ['BITOP', 'NOT', key, key, key]),
    entry(20, ['BITFIELD', key, repeat(0, 5, field)]),
    entry(2, ['BITFIELD', key, repeat(0, 2, field), broken]),
    entry(6, ['BITFIELD_RO', key, repeat(0, 4, reading)]),
    entry(1, ['BITFIELD_RO', key, reading, field]),
    entry(6, ['SET', key, value]),
    entry(5, ['OBJECT', 'ENCODING', key]),
    entry(3, ['GET', key]),
    steps(3, (context) => [{ args: build(context, ['DEL', repeat(1, 4, key)]) }]),
  ],
};
