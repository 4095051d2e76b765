/**
 * Which arguments of a command are keys, and how each is accessed.
 *
 * Key specs answer this for most commands. Where they cannot (the keys depend on options, SORT ... STORE) or where the
 * kind of access depends on options (SET ... GET), a function of the command's own does. The order of trust is
 * Valkey's: specs first, unless one has variable flags; the function where the specs fail.
 */

import type { Command } from './registry.js';
import { type FindKeys, type GetKeysName, KEY_FLAG, type KeySpec } from './spec.js';

export interface KeyReference {
  /** Index into the argument vector. */
  readonly position: number;
  /** KEY_FLAG bits; 0 where a fallback does not know. */
  readonly flags: number;
}

type GetKeys = (args: readonly string[]) => KeyReference[];

const READ = KEY_FLAG.RO | KEY_FLAG.access;
const READ_UPDATE = KEY_FLAG.RW | KEY_FLAG.access | KEY_FLAG.update;
const OVERWRITE = KEY_FLAG.OW | KEY_FLAG.update;
const MOVE_AWAY = KEY_FLAG.RW | KEY_FLAG.access | KEY_FLAG.delete;

/** Whether the command can have keys; `not_key` specs only route it to a slot. */
export function hasKeys(command: Command): boolean {
  return command.spec.getKeys !== undefined || hasRealKeySpec(command);
}

/**
 * The keys of a call, in the order Valkey reports them. Empty if there are none or the arguments make no sense. The
 * number of arguments must have been checked against the command's arity.
 */
export function getKeys(command: Command, args: readonly string[]): KeyReference[] {
  const variable = command.keySpecFlags.some((flags) => flags & KEY_FLAG.variable_flags);
  if (!variable && hasRealKeySpec(command)) {
    const keys = keysFromSpecs(command, args);
    if (keys !== undefined) return keys;
  }
  const { getKeys } = command.spec;
  return getKeys === undefined ? [] : GET_KEYS[getKeys](args);
}

function hasRealKeySpec(command: Command): boolean {
  return command.keySpecFlags.some((flags) => !(flags & KEY_FLAG.not_key));
}

/** Undefined if a spec does not fit the arguments or says that it does not find every key. */
function keysFromSpecs(command: Command, args: readonly string[]): KeyReference[] | undefined {
  const keys: KeyReference[] = [];
  for (const [i, spec] of command.keySpecs.entries()) {
    const flags = command.keySpecFlags[i]!;
    if (flags & KEY_FLAG.not_key) continue;
    const begin = beginOf(spec, args);
    if (begin === 'keyword absent') continue;
    if (begin === undefined) return undefined;
    const range = rangeOf(spec.find, begin, args);
    if (range === undefined) return undefined;
    const { first, last, step } = range;
    if (last >= args.length || last < first || first >= args.length) return undefined;
    for (let position = first; position <= last; position += step) keys.push({ position, flags });
    if (flags & KEY_FLAG.incomplete) return undefined;
  }
  return keys;
}

function beginOf({ begin }: KeySpec, args: readonly string[]): number | 'keyword absent' | undefined {
  if (begin.type === 'index') return begin.index;
  if (begin.type === 'unknown') return undefined;
  const forwards = begin.startFrom > 0;
  const start = forwards ? begin.startFrom : args.length + begin.startFrom;
  // The last argument of a forward search and the first of a backward one cannot be followed by a key.
  const end = forwards ? args.length - 1 : 1;
  const step = start <= end ? 1 : -1;
  for (let i = start; i !== end && i >= 1 && i < args.length; i += step) {
    if (isWord(args[i]!, begin.keyword)) return i + 1;
  }
  return 'keyword absent';
}

function rangeOf(
  find: FindKeys,
  begin: number,
  args: readonly string[],
): { first: number; last: number; step: number } | undefined {
  if (find.type === 'unknown') return undefined;
  if (find.type === 'keynum') {
    const count = parseCount(args[begin + find.keyNumIndex]);
    if (count === undefined) return undefined;
    const first = begin + find.firstKey;
    return { first, last: first + (count - 1) * find.keyStep, step: find.keyStep };
  }
  const { lastKey, keyStep: step, limit } = find;
  if (lastKey >= 0) return { first: begin, last: begin + lastKey, step };
  if (limit === 0) return { first: begin, last: args.length + lastKey, step };
  return { first: begin, last: begin + Math.trunc((args.length - begin) / limit) + lastKey, step };
}

/** A number of keys the way key specs read it: a plain decimal integer that is not negative. */
function parseCount(text: string | undefined): number | undefined {
  if (text === undefined || !/^(0|[1-9]\d{0,18})$/.test(text)) return undefined;
  return Number(text);
}

/** A number the way C's atoi reads it: what follows the digits is ignored, and no digits are 0. */
function atoi(text: string): number {
  const digits = /^[ \t-\r]*([+-]?\d+)/.exec(text)?.[1];
  if (digits === undefined) return 0;
  const max = 2n ** 63n - 1n;
  const value = BigInt(digits.replace('+', ''));
  return Number(BigInt.asIntN(32, value > max ? max : value < -max - 1n ? -max - 1n : value));
}

/** Case-insensitive equality as with C strings: an argument ends at its first zero byte. */
function isWord(arg: string, word: string): boolean {
  if (arg.length < word.length) return false;
  if (arg.length > word.length && arg.charCodeAt(word.length) !== 0) return false;
  return arg.slice(0, word.length).toLowerCase() === word.toLowerCase();
}

const GET_KEYS: Readonly<Record<GetKeysName, GetKeys>> = {
  set: setKeys,
  bitfield: bitfieldKeys,
  sort: sortKeys,
  sort_ro: () => [{ position: 1, flags: READ }],
  migrate: migrateKeys,
  georadius: georadiusKeys,
  xread: xreadKeys,
  'numkeys-at-1': (args) => countedKeys(args, 1),
  'numkeys-at-2': (args) => countedKeys(args, 2),
  'store-at-1-numkeys-at-2': (args) => {
    const keys = countedKeys(args, 2);
    return keys.length === 0 ? keys : [...keys, { position: 1, flags: 0 }];
  },
};

/** Reached when the count is not a plain integer, which the command itself may still accept the beginning of. */
function countedKeys(args: readonly string[], countAt: number): KeyReference[] {
  const first = countAt + 1;
  const count = atoi(args[countAt]!);
  if (count < 1 || count > args.length - first) return [];
  return Array.from({ length: count }, (_, i) => ({ position: first + i, flags: 0 }));
}

function setKeys(args: readonly string[]): KeyReference[] {
  const reads = args.slice(3).some((arg) => isWord(arg, 'get'));
  return [{ position: 1, flags: reads ? READ_UPDATE : OVERWRITE }];
}

/** Read only as long as there is nothing but GET and OVERFLOW; what does not parse counts as a write. */
function bitfieldKeys(args: readonly string[]): KeyReference[] {
  let flags = READ;
  for (let i = 2; i < args.length; i++) {
    const arg = args[i]!;
    const following = args.length - i - 1;
    if (isWord(arg, 'get') && following >= 2) {
      i += 2;
    } else if (isWord(arg, 'overflow') && following >= 1) {
      i += 1;
    } else {
      flags = READ_UPDATE;
      break;
    }
  }
  return [{ position: 1, flags }];
}

/** The last of several STORE options wins, as in SORT itself. */
function sortKeys(args: readonly string[]): KeyReference[] {
  const source = { position: 1, flags: READ };
  let store: KeyReference | undefined;
  for (let i = 2; i < args.length; i++) {
    const arg = args[i]!;
    if (isWord(arg, 'limit')) i += 2;
    else if (isWord(arg, 'get') || isWord(arg, 'by')) i += 1;
    else if (isWord(arg, 'store') && i + 1 < args.length) store = { position: i + 1, flags: OVERWRITE };
  }
  return store === undefined ? [source] : [source, store];
}

/** One key, or an empty one and the real ones after KEYS. */
function migrateKeys(args: readonly string[]): KeyReference[] {
  let first = 3;
  let count = 1;
  for (let i = 6; i < args.length; i++) {
    const arg = args[i]!;
    if (isWord(arg, 'keys')) {
      if (args[3] !== '') return [];
      first = i + 1;
      count = args.length - first;
      break;
    }
    if (isWord(arg, 'auth')) i += 1;
    else if (isWord(arg, 'auth2')) i += 2;
  }
  return Array.from({ length: count }, (_, i) => ({ position: first + i, flags: MOVE_AWAY }));
}

/** The last of several STORE and STOREDIST options wins, as in GEORADIUS itself. */
function georadiusKeys(args: readonly string[]): KeyReference[] {
  const source = { position: 1, flags: READ };
  let store: KeyReference | undefined;
  for (let i = 5; i + 1 < args.length; i++) {
    if (!isWord(args[i]!, 'store') && !isWord(args[i]!, 'storedist')) continue;
    i++;
    store = { position: i, flags: OVERWRITE };
  }
  return store === undefined ? [source] : [source, store];
}

/** STREAMS may also be the name of a group or of a stream, so the options before it have to be understood. */
function xreadKeys(args: readonly string[]): KeyReference[] {
  for (let i = 1; i < args.length; i++) {
    const arg = args[i]!;
    if (isWord(arg, 'block') || isWord(arg, 'count')) {
      i += 1;
    } else if (isWord(arg, 'group')) {
      i += 2;
    } else if (isWord(arg, 'streams')) {
      const rest = args.length - i - 1;
      if (rest % 2 !== 0) return [];
      return Array.from({ length: rest / 2 }, (_, j) => ({ position: i + 1 + j, flags: 0 }));
    } else if (!isWord(arg, 'noack')) {
      return [];
    }
  }
  return [];
}
