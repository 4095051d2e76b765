/**
 * The vocabulary of the command table: what a declaration of a command consists of, and the small builders the group
 * files write it with. Declarations are plain data; everything computed from them (bit masks, implied ACL categories,
 * legacy key positions) is registry.ts's.
 *
 * Names of flags, categories and types are those that COMMAND INFO, COMMAND DOCS and ACL CAT show to clients.
 */

import type { TsHandler } from './context.js';

/**
 * The bits of command flags. They are Valkey's, and native/core/commands/command.h has the same. The gaps are flags of
 * modules and of Sentinel.
 */
export const COMMAND_FLAG = {
  write: 1 << 0,
  readonly: 1 << 1,
  denyoom: 1 << 2,
  admin: 1 << 4,
  pubsub: 1 << 5,
  noscript: 1 << 6,
  blocking: 1 << 8,
  loading: 1 << 9,
  stale: 1 << 10,
  skip_monitor: 1 << 11,
  skip_commandlog: 1 << 12,
  asking: 1 << 13,
  fast: 1 << 14,
  no_auth: 1 << 15,
  may_replicate: 1 << 16,
  no_mandatory_keys: 1 << 19,
  protected: 1 << 20,
  no_async_loading: 1 << 23,
  no_multi: 1 << 24,
  movablekeys: 1 << 25,
  allow_busy: 1 << 26,
  touches_arbitrary_keys: 1 << 28,
  all_dbs: 1 << 29,
} as const;

type AnyCommandFlag = keyof typeof COMMAND_FLAG;

/** Flags that steer the server and are not shown to clients. */
export const HIDDEN_COMMAND_FLAGS: readonly AnyCommandFlag[] = [
  'may_replicate',
  'protected',
  'touches_arbitrary_keys',
  'all_dbs',
];

/** `movablekeys` follows from the key specs and cannot be declared. */
export type CommandFlag = Exclude<AnyCommandFlag, 'movablekeys'>;

/** The position is the bit (see ACL_CATEGORY) and the order that of ACL CAT. */
export const ACL_CATEGORY_NAMES = [
  'keyspace',
  'read',
  'write',
  'set',
  'sortedset',
  'list',
  'hash',
  'string',
  'bitmap',
  'hyperloglog',
  'geo',
  'stream',
  'pubsub',
  'admin',
  'fast',
  'slow',
  'blocking',
  'dangerous',
  'connection',
  'transaction',
  'scripting',
] as const;

export type AclCategory = (typeof ACL_CATEGORY_NAMES)[number];

/** The position is the bit (see KEY_FLAG) and the order that of COMMAND INFO and COMMAND GETKEYSANDFLAGS. */
export const KEY_FLAG_NAMES = [
  'RO',
  'RW',
  'OW',
  'RM',
  'access',
  'update',
  'insert',
  'delete',
  'not_key',
  'incomplete',
  'variable_flags',
] as const;

export type KeyFlag = (typeof KEY_FLAG_NAMES)[number];

export const ACL_CATEGORY = bits(ACL_CATEGORY_NAMES);
export const KEY_FLAG = bits(KEY_FLAG_NAMES);

function bits<T extends string>(names: readonly T[]): Readonly<Record<T, number>> {
  return Object.fromEntries(names.map((name, bit) => [name, 1 << bit])) as Record<T, number>;
}

export type CommandGroup =
  | 'generic'
  | 'string'
  | 'list'
  | 'set'
  | 'sorted-set'
  | 'hash'
  | 'pubsub'
  | 'transactions'
  | 'connection'
  | 'server'
  | 'scripting'
  | 'hyperloglog'
  | 'cluster'
  | 'geo'
  | 'stream'
  | 'bitmap';

export type BeginSearch =
  | { readonly type: 'index'; readonly index: number }
  /** The keys start after `keyword`, looked for from `startFrom`; from the end backwards where that is negative. */
  | { readonly type: 'keyword'; readonly keyword: string; readonly startFrom: number }
  | { readonly type: 'unknown' };

export type FindKeys =
  /**
   * `lastKey` is relative to the first key, or to the end of the arguments if negative. With `limit` n > 0 and
   * lastKey -1 only the first nth of the remaining arguments are keys (XREAD).
   */
  | { readonly type: 'range'; readonly lastKey: number; readonly keyStep: number; readonly limit: number }
  /** The number of keys is an argument; both positions are relative to where the search began. */
  | {
      readonly type: 'keynum';
      readonly keyNumIndex: number;
      readonly firstKey: number;
      readonly keyStep: number;
    }
  | { readonly type: 'unknown' };

export interface KeySpec {
  readonly flags: readonly KeyFlag[];
  readonly begin: BeginSearch;
  readonly find: FindKeys;
  readonly notes?: string;
}

/** Ways to find the keys of a command where its key specs do not suffice; keys.ts has one function for each. */
export const GET_KEYS_NAMES = [
  'none',
  'set',
  'bitfield',
  'sort',
  'sort_ro',
  'migrate',
  'georadius',
  'xread',
  'numkeys-at-1',
  'numkeys-at-2',
  'store-at-1-numkeys-at-2',
] as const;

export type GetKeysName = Exclude<(typeof GET_KEYS_NAMES)[number], 'none'>;

/** Which arguments are database numbers that ACL rules on databases apply to. */
export const DB_ARGS_NAMES = ['none', 'select', 'swapdb', 'move', 'copy'] as const;

export type DbArgsName = Exclude<(typeof DB_ARGS_NAMES)[number], 'none'>;

export type ArgumentType =
  | 'string'
  | 'integer'
  | 'double'
  | 'key'
  | 'pattern'
  | 'unix-time'
  | 'pure-token'
  | 'oneof'
  | 'block';

export interface Argument {
  readonly name: string;
  readonly type: ArgumentType;
  /** The word that introduces the argument. */
  readonly token?: string;
  /** Index into the command's key specs. */
  readonly spec?: number;
  /** How the argument is called in a syntax line; its name by default. */
  readonly display?: string;
  readonly summary?: string;
  readonly since?: string;
  readonly deprecatedSince?: string;
  readonly optional?: true;
  readonly multiple?: true;
  /** With `multiple`: the token is repeated as well. */
  readonly multipleToken?: true;
  /** The parts of a `block` and the choices of a `oneof`. */
  readonly arguments?: readonly Argument[];
}

/** A handler in C++, known by its symbol. */
export interface NativeHandler {
  readonly native: string;
  /** The argument that names a member or field of the first key's collection; of several the first. */
  readonly element?: number;
}

export interface CommandSpec {
  /** Lower case; without the container's name in a subcommand. */
  readonly name: string;
  readonly summary: string;
  readonly since: string;
  readonly complexity?: string;
  /** Number of arguments including the name; negative: at least that many. */
  readonly arity: number;
  readonly flags?: readonly CommandFlag[];
  /** Categories beside those that follow from the flags (see impliedCategories in registry.ts). */
  readonly categories?: readonly AclCategory[];
  readonly tips?: readonly string[];
  readonly keys?: readonly KeySpec[];
  readonly getKeys?: GetKeysName;
  readonly dbArgs?: DbArgsName;
  readonly docFlags?: readonly ('deprecated' | 'syscmd')[];
  readonly deprecatedSince?: string;
  readonly replacedBy?: string;
  /** Version and what changed in it. */
  readonly history?: readonly (readonly [string, string])[];
  readonly arguments?: readonly Argument[];
  readonly subcommands?: readonly CommandSpec[];
  /** Absent in a container, and in a command that is not built yet: that one is unknown to clients. */
  readonly handler?: NativeHandler | TsHandler;
}

export interface CommandGroupSpec {
  readonly group: CommandGroup;
  readonly commands: readonly CommandSpec[];
}

export function group(name: CommandGroup, commands: readonly CommandSpec[]): CommandGroupSpec {
  return { group: name, commands };
}

export function command(name: string, spec: Omit<CommandSpec, 'name'>): CommandSpec {
  return { name, ...spec };
}

export function native(symbol: string, hints: Omit<NativeHandler, 'native'> = {}): NativeHandler {
  return { native: symbol, ...hints };
}

interface RangeOptions {
  /** -1: all the rest. */
  readonly last: number;
  readonly step?: number;
  readonly limit?: number;
  readonly notes?: string;
}

/** One key, at a fixed position. */
export function keyAt(index: number, flags: readonly KeyFlag[], notes?: string): KeySpec {
  return keysFrom(index, flags, { last: 0, ...(notes && { notes }) });
}

/** Several keys from a fixed position on. */
export function keysFrom(index: number, flags: readonly KeyFlag[], options: RangeOptions): KeySpec {
  return rangeSpec({ type: 'index', index }, flags, options);
}

/** As many keys as the argument at `index`, right before them, says. */
export function keysCounted(
  index: number,
  flags: readonly KeyFlag[],
  options: { step?: number; notes?: string } = {},
): KeySpec {
  return {
    flags,
    begin: { type: 'index', index },
    find: { type: 'keynum', keyNumIndex: 0, firstKey: 1, keyStep: options.step ?? 1 },
    ...(options.notes && { notes: options.notes }),
  };
}

/** One key, after a keyword. */
export function keyAfter(keyword: string, startFrom: number, flags: readonly KeyFlag[]): KeySpec {
  return keysAfter(keyword, startFrom, flags, { last: 0 });
}

/** Several keys, after a keyword. */
export function keysAfter(
  keyword: string,
  startFrom: number,
  flags: readonly KeyFlag[],
  options: RangeOptions,
): KeySpec {
  return rangeSpec({ type: 'keyword', keyword, startFrom }, flags, options);
}

/** Keys that no static description finds. */
export function keysUnknown(flags: readonly KeyFlag[], notes: string): KeySpec {
  return { flags, begin: { type: 'unknown' }, find: { type: 'unknown' }, notes };
}

function rangeSpec(begin: BeginSearch, flags: readonly KeyFlag[], options: RangeOptions): KeySpec {
  const { last, step = 1, limit = 0, notes } = options;
  return {
    flags,
    begin,
    find: { type: 'range', lastKey: last, keyStep: step, limit },
    ...(notes && { notes }),
  };
}

type ArgumentOptions = Pick<Argument, 'token' | 'spec' | 'display' | 'summary' | 'since' | 'deprecatedSince'>;

export function string(name: string, options?: ArgumentOptions): Argument {
  return { name, type: 'string', ...options };
}

export function integer(name: string, options?: ArgumentOptions): Argument {
  return { name, type: 'integer', ...options };
}

export function double(name: string, options?: ArgumentOptions): Argument {
  return { name, type: 'double', ...options };
}

export function key(name: string, options?: ArgumentOptions): Argument {
  return { name, type: 'key', ...options };
}

export function pattern(name: string, options?: ArgumentOptions): Argument {
  return { name, type: 'pattern', ...options };
}

export function unixTime(name: string, options?: ArgumentOptions): Argument {
  return { name, type: 'unix-time', ...options };
}

/** A word that stands for itself; its name is the word in lower case unless `name` says otherwise. */
export function token(word: string, options?: Omit<ArgumentOptions, 'token'> & { name?: string }): Argument {
  return { name: word.toLowerCase(), type: 'pure-token', token: word, ...options };
}

/** Exactly one of several. */
export function oneof(name: string, choices: readonly Argument[], options?: ArgumentOptions): Argument {
  return { name, type: 'oneof', arguments: choices, ...options };
}

/** Several in a row. */
export function block(name: string, parts: readonly Argument[], options?: ArgumentOptions): Argument {
  return { name, type: 'block', arguments: parts, ...options };
}

export function optional(argument: Argument): Argument {
  return { ...argument, optional: true };
}

/** One or more times. */
export function multiple(argument: Argument): Argument {
  return { ...argument, multiple: true };
}

/** One or more times, each time with its token. */
export function multipleWithToken(argument: Argument): Argument {
  return { ...argument, multiple: true, multipleToken: true };
}
