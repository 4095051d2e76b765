// The parameters with a syntax of their own: how their words are read, printed and written to the file.

import { asciiLower, cString } from './bytes.js';
import { formatDouble, formatMemory, parseDouble, parseLoose, parseMemory } from './numbers.js';
import type { Codec, Parsed, RewrittenLine } from './parameter.js';
import { quote } from './quoting.js';

const WRONG_COUNT = 'wrong number of arguments';

/** One point of `save`: a snapshot after `seconds` (at least 1) with at least `changes` changes. */
export interface SavePoint {
  readonly seconds: number;
  readonly changes: number;
}

/** Bytes (0: no limit) and seconds of one class of clients. */
export interface OutputLimit {
  readonly hard: bigint;
  readonly soft: bigint;
  readonly softSeconds: number;
}

export interface OutputLimits {
  readonly normal: OutputLimit;
  readonly replica: OutputLimit;
  readonly pubsub: OutputLimit;
}

export interface Address {
  /** Latin1 bytes. */
  readonly host: string;
  readonly port: number;
}

/** oom_score_adj of a primary, of a replica, and of a background child. */
export type OomScores = readonly [number, number, number];

function int32(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

function forced(text: string): readonly RewrittenLine[] {
  return [{ text, force: true }];
}

export const save: Codec<readonly SavePoint[]> = {
  multiple: true,
  default: [
    { seconds: 3600, changes: 1 },
    { seconds: 300, changes: 100 },
    { seconds: 60, changes: 10000 },
  ],
  parse(words, previous, { append }): Parsed<readonly SavePoint[]> {
    const clear = words.length === 1 && cString(words[0]!) === '';
    const given = clear ? [] : words;
    if (given.length % 2 !== 0) return { error: 'Invalid save parameters' };
    const points: SavePoint[] = [];
    for (let i = 0; i < given.length; i += 2) {
      const seconds = parseLoose(cString(given[i]!))?.value;
      const changes = parseLoose(cString(given[i + 1]!))?.value;
      if (seconds === undefined || changes === undefined || seconds < 1n || changes < 0n)
        return { error: 'Invalid save parameters' };
      points.push({ seconds: Number(seconds), changes: int32(changes) });
    }
    return { value: append && !clear ? [...previous, ...points] : points };
  },
  format: (points) => points.map((point) => `${point.seconds} ${point.changes}`).join(' '),
  rewrite: (name, points) => forced(`${name} ${points.length > 0 ? save.format(points) : '""'}`),
};

type OutputClass = keyof OutputLimits;
const outputClasses: readonly OutputClass[] = ['normal', 'replica', 'pubsub'];
const MB = 1024n * 1024n;

function outputClass(word: string): OutputClass | undefined {
  const name = asciiLower(cString(word));
  return outputClasses.find((known) => known === (name === 'slave' ? 'replica' : name));
}

export const outputLimits: Codec<OutputLimits> = {
  multiple: true,
  default: {
    normal: { hard: 0n, soft: 0n, softSeconds: 0 },
    replica: { hard: 256n * MB, soft: 64n * MB, softSeconds: 60 },
    pubsub: { hard: 32n * MB, soft: 8n * MB, softSeconds: 60 },
  },
  parse(words, previous): Parsed<OutputLimits> {
    if (words.length % 4 !== 0) return { error: 'Wrong number of arguments in buffer limit configuration.' };
    const limits: { -readonly [C in OutputClass]: OutputLimit } = { ...previous };
    for (let i = 0; i < words.length; i += 4) {
      const name = outputClass(words[i]!);
      if (name === undefined)
        return { error: 'Invalid client class specified in buffer limit configuration.' };
      const hard = parseMemory(cString(words[i + 1]!));
      const soft = parseMemory(cString(words[i + 2]!));
      const seconds = parseLoose(cString(words[i + 3]!));
      const softSeconds = seconds === null ? -1 : int32(seconds.value);
      if (hard === null || soft === null || softSeconds < 0)
        return { error: 'Error in hard, soft or soft_seconds setting in buffer limit configuration.' };
      limits[name] = { hard, soft, softSeconds };
    }
    return { value: limits };
  },
  // Clients of the days before "replica" still read the old name here.
  format: (limits) =>
    outputClasses
      .map((name) => {
        const { hard, soft, softSeconds } = limits[name];
        return `${name === 'replica' ? 'slave' : name} ${hard} ${soft} ${softSeconds}`;
      })
      .join(' '),
  rewrite: (option, limits) =>
    outputClasses.map((name) => {
      const { hard, soft, softSeconds } = limits[name];
      const initial = outputLimits.default[name];
      return {
        text: `${option} ${name} ${formatMemory(hard)} ${formatMemory(soft)} ${softSeconds}`,
        force: hard !== initial.hard || soft !== initial.soft || softSeconds !== initial.softSeconds,
      };
    }),
};

export const oomScores: Codec<OomScores> = {
  multiple: true,
  default: [0, 200, 800],
  parse(words, previous, { warn }): Parsed<OomScores> {
    if (words.length !== 3) return { error: WRONG_COUNT };
    const scores: number[] = [];
    for (const word of words) {
      const score = parseLoose(cString(word))?.value;
      if (score === undefined || score < -2000n || score > 2000n)
        return { error: 'Invalid oom-score-adj-values, elements must be between -2000 and 2000.' };
      scores.push(Number(score));
    }
    const [primary, replica, child] = scores as [number, number, number];
    // Only a privileged process may lower its score.
    if (replica < primary || child < replica)
      warn(
        'The oom-score-adj-values configuration may not work for non-privileged processes! ' +
          'Please consult the documentation.',
      );
    return {
      value: [primary, replica, child],
      unchanged: previous.every((score, i) => score === scores[i]),
    };
  },
  format: (scores) => scores.join(' '),
  rewrite: (name, scores) => [
    {
      text: `${name} ${scores.join(' ')}`,
      force: scores.some((score, i) => score !== oomScores.default[i]),
    },
  ],
};

/** Letter and bit of every class of keyspace events, in the order in which CONFIG GET prints them. */
export const keyspaceEventBits = {
  g: 1 << 2,
  $: 1 << 3,
  l: 1 << 4,
  s: 1 << 5,
  h: 1 << 6,
  z: 1 << 7,
  x: 1 << 8,
  e: 1 << 9,
  t: 1 << 10,
  d: 1 << 13,
  n: 1 << 14,
  K: 1 << 0,
  E: 1 << 1,
  m: 1 << 11,
} as const;

/** What `A` stands for: every class but key misses and new keys. */
export const ALL_KEYSPACE_EVENTS = [...'g$lshzxetd'].reduce(
  (bits, letter) => bits | keyspaceEventBits[letter as keyof typeof keyspaceEventBits],
  0,
);

export const keyspaceEvents: Codec<number> = {
  multiple: false,
  default: 0,
  parse(words): Parsed<number> {
    let bits = 0;
    for (const letter of cString(words[0]!)) {
      const bit =
        letter === 'A'
          ? ALL_KEYSPACE_EVENTS
          : Object.entries(keyspaceEventBits).find(([l]) => l === letter)?.[1];
      if (bit === undefined) return { error: "Invalid event class character. Use 'Ag$lshzxeKEtmdn'." };
      bits |= bit;
    }
    return { value: bits };
  },
  format(bits) {
    const all = (bits & ALL_KEYSPACE_EVENTS) === ALL_KEYSPACE_EVENTS;
    let out = all ? 'A' : '';
    for (const [letter, bit] of Object.entries(keyspaceEventBits)) {
      // `A` hides `n` too although it does not include it, so CONFIG REWRITE loses it; Valkey does the same.
      if (all && (bit & ALL_KEYSPACE_EVENTS || letter === 'n')) continue;
      if (bits & bit) out += letter;
    }
    return out;
  },
  rewrite: (name, bits) => [{ text: `${name} ${quote(keyspaceEvents.format(bits))}`, force: bits !== 0 }],
};

const MAX_BIND_ADDRESSES = 16;

function bindCodec(
  initial: readonly string[],
  rewrite: (name: string, addresses: readonly string[]) => readonly RewrittenLine[] | null,
): Codec<readonly string[]> {
  return {
    multiple: true,
    default: initial,
    parse(words): Parsed<readonly string[]> {
      if (words.length > MAX_BIND_ADDRESSES) return { error: 'Too many bind addresses specified.' };
      return { value: words.length === 1 && words[0] === '' ? [] : words.map(cString) };
    },
    format: (addresses) => addresses.join(' '),
    rewrite,
  };
}

function bindLine(name: string, addresses: readonly string[]): readonly RewrittenLine[] {
  return forced(`${name} ${addresses.length > 0 ? addresses.join(' ') : '""'}`);
}

/** `-` before an address: it need not exist on this machine. `*` and `::*`: every address of the family. */
export const bind = bindCodec(['*', '-::*'], (name, addresses) =>
  addresses.join(' ') === bind.default.join(' ') ? [] : bindLine(name, addresses),
);

export const rdmaBind = bindCodec([], (name, addresses) =>
  addresses.length > 0 ? bindLine(name, addresses) : null,
);

export const replicaOf: Codec<Address | null> = {
  multiple: true,
  default: null,
  parse(words): Parsed<Address | null> {
    if (words.length !== 2) return { error: WRONG_COUNT };
    const [host, port] = words.map(cString) as [string, string];
    if (asciiLower(host) === 'no' && asciiLower(port) === 'one') return { value: null };
    const parsed = parseLoose(port);
    const number = parsed === null ? -1 : int32(parsed.value);
    if (number < 0 || number > 65535) return { error: 'Invalid primary port' };
    return { value: { host, port: number } };
  },
  format: (address) => (address === null ? '' : `${address.host} ${address.port}`),
  rewrite: (name, address) => (address === null ? [] : forced(`${name} ${address.host} ${address.port}`)),
};

export const percentiles: Codec<readonly number[]> = {
  multiple: true,
  default: [50, 99, 99.9],
  parse(words): Parsed<readonly number[]> {
    const values: number[] = [];
    const given = words.length === 1 && words[0] === '' ? [] : words;
    for (const word of given) {
      const value = parseDouble(word);
      if (value === null) return { error: 'Invalid latency-tracking-info-percentiles parameters' };
      if (value > 100 || value < 0)
        return { error: 'latency-tracking-info-percentiles parameters should sit between [0.0,100.0]' };
      values.push(value);
    }
    return { value: values };
  },
  format: (values) => values.map(formatDouble).join(' '),
  rewrite: (name, values) => forced(`${name} ${values.length > 0 ? percentiles.format(values) : '""'}`),
};

/** The value is the working directory itself; reading it here is a change of directory. */
export const dir: Codec<string> = {
  multiple: false,
  default: '',
  parse(words, _previous, { directory }): Parsed<string> {
    const path = cString(words[0]!);
    if (path === '') return { error: "dir can't be empty" };
    const error = directory.change(path);
    return error === null ? { value: directory.path } : { error };
  },
  format: (path) => path,
  rewrite: (name, path) => (path === '' ? [] : forced(`${name} ${quote(path)}`)),
};
