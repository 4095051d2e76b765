/** Payloads in encodings that Redis wrote before 7.0 and no server writes any more: ziplists, zipmaps, digits. */
import type { Random } from '../random.js';

const byte = (n: number): string => String.fromCharCode(n & 0xff);
function little(value: bigint | number, bytes: number): string {
  let v = BigInt.asUintN(64, BigInt(value));
  let out = '';
  for (let i = 0; i < bytes; i++, v >>= 8n) out += byte(Number(v & 0xffn));
  return out;
}
const big = (value: number, bytes: number): string => [...little(value, bytes)].reverse().join('');

const rdbLength = (n: number): string =>
  n < 64 ? byte(n) : n < 16384 ? byte(0x40 | (n >> 8)) + byte(n) : `\x80${big(n, 4)}`;
const rdbString = (s: string): string => rdbLength(s.length) + s;

/** An element as a ziplist encodes it, without the size of the one before. */
function ziplistEntry(s: string): string {
  if (/^-?[1-9]\d{0,17}$|^0$/.test(s)) {
    const v = BigInt(s);
    if (v >= 0n && v <= 12n) return byte(0xf1 + Number(v));
    if (v >= -128n && v <= 127n) return `\xfe${little(v, 1)}`;
    if (v >= -32768n && v <= 32767n) return `\xc0${little(v, 2)}`;
    if (v >= -8388608n && v <= 8388607n) return `\xf0${little(v, 3)}`;
    if (v >= -2147483648n && v <= 2147483647n) return `\xd0${little(v, 4)}`;
    return `\xe0${little(v, 8)}`;
  }
  if (s.length < 64) return byte(s.length) + s;
  if (s.length < 16384) return byte(0x40 | (s.length >> 8)) + byte(s.length) + s;
  return `\x80${big(s.length, 4)}${s}`;
}

function ziplist(elements: readonly string[]): string {
  let body = '';
  let before = 0;
  let last = 10;
  for (const element of elements) {
    last = 10 + body.length;
    const whole = (before < 254 ? byte(before) : `\xfe${little(before, 4)}`) + ziplistEntry(element);
    before = whole.length;
    body += whole;
  }
  const header = [little(body.length + 11, 4), little(last, 4), little(elements.length, 2)];
  return `${header.join('')}${body}\xff`;
}

function zipmap(elements: readonly string[]): string {
  const length = (s: string) => (s.length < 254 ? byte(s.length) : `\xfe${little(s.length, 4)}`);
  let body = '';
  for (let i = 0; i + 1 < elements.length; i += 2) {
    const [field, value] = [elements[i]!, elements[i + 1]!];
    body += `${length(field)}${field}${length(value)}\x00${value}`;
  }
  return `${byte(Math.min(254, elements.length >> 1))}${body}\xff`;
}

/** A few of what an encoding treats differently; equal ones now and then. */
function element(random: Random): string {
  if (random.chance(0.5)) return String(random.int(-20, 20));
  if (random.chance(0.2))
    return String(random.pick([127, 128, -128, -129, 32767, 32768, 8388607, 2 ** 31, -(2 ** 53)]));
  return random.chance(0.9) ? `e${random.int(0, 500)}` : 'x'.repeat(random.pick([63, 64, 253, 300, 17_000]));
}
const score = (random: Random): string =>
  random.chance(0.8)
    ? String(random.int(-40, 40) / 4)
    : random.pick(['inf', '-inf', 'nan', '1e400', '12ab', 'abc', '', '0x10', '3.0000000000000001', '-0']);

function pairs(random: Random, value: (random: Random) => string): string[] {
  const flat: string[] = [];
  const names = new Set<string>();
  for (let n = random.int(0, random.chance(0.1) ? 200 : 8); n > 0; n--) {
    const name = element(random);
    if (names.has(name) && random.chance(0.9)) continue;
    names.add(name);
    flat.push(name, value(random));
  }
  if (random.chance(0.03)) flat.push(element(random));
  return flat;
}
const several = (random: Random): string[] =>
  Array.from({ length: random.int(0, random.chance(0.1) ? 300 : 8) }, () => element(random));

/** A score of the first sorted sets: its length and digits, or what stands for infinity. */
function oldScore(text: string): string {
  if (text === 'inf') return '\xfe';
  if (text === '-inf') return '\xff';
  if (text === 'nan') return '\xfd';
  return byte(text.length) + text;
}

/** The type byte and the value, without the footer. */
export function ancientValue(random: Random): string {
  switch (random.int(0, 6)) {
    case 0: {
      const elements = several(random);
      return `\x01${rdbLength(elements.length)}${elements.map(rdbString).join('')}`;
    }
    case 1: {
      const flat = pairs(random, score);
      const members = flat.map((text, i) => (i % 2 === 0 ? rdbString(text) : oldScore(text))).join('');
      return `\x03${rdbLength(flat.length >> 1)}${members}`;
    }
    case 2:
      return `\x09${rdbString(zipmap(pairs(random, element)))}`;
    case 3:
      return `\x0a${rdbString(ziplist(several(random)))}`;
    case 4:
      return `\x0c${rdbString(ziplist(pairs(random, score)))}`;
    case 5:
      return `\x0d${rdbString(ziplist(pairs(random, element)))}`;
    default: {
      const nodes = Array.from({ length: random.int(0, 3) }, () => rdbString(ziplist(several(random))));
      return `\x0e${rdbLength(nodes.length)}${nodes.join('')}`;
    }
  }
}
