/** The pools arguments come from: small, so that commands meet on the same keys and values. */
import type { Random } from '../random.js';
import type { Part } from './pattern.js';

const PLAIN_KEYS = [
  ...['k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7', 'k8', 'k9', 'n0', 'n1', 'n2', 'n3'],
  ...['', 'user:{tag}:1', 'other:{tag}:2', '\x00\xff\r\n', 'with space', 'K0'],
  'a key of ninety-nine bytes, which leaves a short value little room beside it in an entry of 128 byte',
  `long:${'x'.repeat(250)}`,
  `longer:${'y'.repeat(700)}`,
];
const COUNTER_KEYS = ['n0', 'n1', 'n2', 'n3', 'k0', 'k1'];
const LARGE_KEYS = ['large0', 'large1'];

/** Every key the grammars use, for reports and checkpoints. */
export const ALL_KEYS: readonly string[] = [...PLAIN_KEYS, ...LARGE_KEYS];

const INTEGERS = [
  ...[
    '0',
    '1',
    '-1',
    '2',
    '7',
    '10',
    '100',
    '9999',
    '10000',
    '2147483647',
    '2147483648',
    '-2147483648',
    '4294967296',
  ],
  ...[
    '9223372036854775807',
    '9223372036854775806',
    '-9223372036854775808',
    '-9223372036854775807',
    '9223372036854775700',
  ],
];
const NOT_INTEGERS = [
  ...[
    '9223372036854775808',
    '-9223372036854775809',
    '18446744073709551615',
    '99999999999999999999',
    '1.0',
    '01',
    '+1',
  ],
  ...['-0', ' 1', '1 ', '0x1f', '1e3', '', 'abc', '1\x00', '--1', '-'],
];
const FLOATS = [
  ...[
    '0.1',
    '3.0',
    '-1.5',
    '1e5',
    '1.5e-10',
    '5e-324',
    '1.7e308',
    '-1.7e308',
    '1e17',
    '123456789.123456789',
    '.5',
    '5.',
  ],
  ...[
    '3.14159265358979323846',
    '10000000000000000000',
    '1e-20',
    '0.30000000000000004',
    '-0.0',
    '2.2250738585072014e-308',
  ],
];
const NOT_FLOATS = [
  'inf',
  '-inf',
  'nan',
  '1e400',
  '0x1p3',
  '1,5',
  'abc',
  '',
  ' 1.5',
  '1.5 ',
  '1e',
  'infinity',
  '1e4932',
  '1e5000',
];

const textOf = (random: Random, length: number): string =>
  random.chance(0.2)
    ? random.bytes(length)
    : 'abcdefghijklmnopqrstuvwxyz0123456789'.repeat(Math.ceil(length / 36)).slice(0, length);

export function integerText(random: Random): string {
  const roll = random.unit();
  if (roll < 0.6) return random.pick(INTEGERS);
  if (roll < 0.85) return String(random.int(-1_000_000, 1_000_000));
  return random.pick(NOT_INTEGERS);
}

export function floatText(random: Random): string {
  const roll = random.unit();
  if (roll < 0.4) return random.pick(FLOATS);
  if (roll < 0.7) return (random.unit() * 10 ** random.int(-3, 12)).toFixed(random.int(0, 17));
  if (roll < 0.85) return random.pick(INTEGERS);
  return random.pick(NOT_FLOATS);
}

export function valueText(random: Random): string {
  const roll = random.unit();
  if (roll < 0.3) return integerText(random);
  if (roll < 0.4) return floatText(random);
  // Lengths around every boundary of embstr, which moves with the length of the key and with an expiry.
  if (roll < 0.85) return textOf(random, random.int(0, 130));
  if (roll < 0.99) return textOf(random, random.int(130, 300));
  return textOf(random, random.int(300, 2000));
}

function largeText(random: Random): string {
  const roll = random.unit();
  const length =
    roll < 0.6
      ? random.int(1000, 20_000)
      : roll < 0.95
        ? random.int(20_000, 66_000)
        : random.int(524_288, 620_000);
  return String.fromCharCode(97 + random.int(0, 25)).repeat(length);
}

export const key: Part = ({ random }, out) => {
  out.push(random.chance(0.997) ? random.pick(PLAIN_KEYS) : random.pick(LARGE_KEYS));
};
export const counterKey: Part = ({ random }, out) => {
  out.push(random.chance(0.9) ? random.pick(COUNTER_KEYS) : random.pick(PLAIN_KEYS));
};
export const largeKey: Part = ({ random }, out) => {
  out.push(random.pick(LARGE_KEYS));
};
export const largeValue: Part = ({ random }, out) => {
  out.push(largeText(random));
};
export const value: Part = ({ random }, out) => {
  out.push(valueText(random));
};
export const integer: Part = ({ random }, out) => {
  out.push(integerText(random));
};
export const float: Part = ({ random }, out) => {
  out.push(floatText(random));
};
/** An index into a string: around both ends, and far outside. */
export const index: Part = ({ random }, out) => {
  out.push(random.chance(0.85) ? String(random.int(-150, 150)) : integerText(random));
};
/** A database number, mostly valid. */
export const database: Part = ({ random }, out) => {
  out.push(
    random.chance(0.9)
      ? random.pick(['0', '0', '0', '1', '2', '15'])
      : random.pick(['16', '-1', 'abc', '', '1.0', '99999999999', '2147483648']),
  );
};

const WRONG_TIMES = [
  ...[
    '0',
    '-1',
    '-100',
    'abc',
    '',
    '1.5',
    '9223372036854775807',
    '-9223372036854775808',
    '9223372036854775808',
  ],
  ...['-9223372036854775', '-9223372036854775807', ' 100000', '+100000'],
];

/** Relative seconds or milliseconds; see the constraint in pattern.ts. */
export const span: Part = ({ random }, out) => {
  const roll = random.unit();
  if (roll < 0.75) out.push(String(random.int(100_000, 2_000_000_000)));
  // Around the limit where seconds times 1000 plus the clock overflow.
  else if (roll < 0.8) out.push(`9223${random.int(0, 999_999)}${random.int(100_000, 999_999)}`);
  else out.push(random.pick(WRONG_TIMES));
};
const instant =
  (unit: number): Part =>
  ({ random }, out) => {
    const roll = random.unit();
    if (roll < 0.5) out.push(String((3_000_000_000 + random.int(0, 1_000_000_000)) * unit));
    else if (roll < 0.75)
      out.push(
        String(random.pick([3_333_333_333, 4_000_000_000, 4_444_444_444]) * unit + (unit > 1 ? 499 : 0)),
      );
    else if (roll < 0.85) out.push(String(random.pick([1, 1000, 1_000_000_000]) * unit));
    else out.push(random.pick(WRONG_TIMES));
  };
/** Absolute seconds and milliseconds since the epoch. */
export const instantSeconds: Part = instant(1);
export const instantMilliseconds: Part = instant(1000);

export const pattern: Part = ({ random }, out) => {
  out.push(
    random.pick([
      '*',
      '',
      'k*',
      'k?',
      'k[0-5]',
      'k[^0-5]',
      'n*',
      '*:{tag}:*',
      '[',
      'k\\',
      '\\k0',
      '*0',
      'K0',
      '??',
      'large*',
      'nomatch',
      '[k-n]?',
      'k[5-0]',
      '*\xff*',
    ]),
  );
};

/** Printable, for names of clients and the like; some invalid. */
export const clientName: Part = ({ random }, out) => {
  out.push(
    random.pick(['alice', 'bob', 'a-b_c.d', '', 'with space', 'new\nline', 'x'.repeat(80), '\xff\xfe', '!~']),
  );
};
