/**
 * The command table: the declarations of all groups, compiled once at start into what lookups, introspection, ACL and
 * the native dispatcher read.
 *
 * Invariants: a command that is not built (it has no handler, and no built subcommand other than HELP) is not in the
 * table at all, so that it is unknown everywhere alike. The id of a command is its position in `all`, parents before
 * their subcommands, and does not change while the server runs. Renaming changes under which name a command is found,
 * never its full name, by which ACL rules, COMMAND INFO and statistics know it.
 */

import { bitmapCommands } from './bitmap.js';
import { clusterCommands } from './cluster.js';
import { connectionCommands } from './connection.js';
import { connectionClientCommands } from './connection-client.js';
import type { TsHandler } from './context.js';
import { genericCommands } from './generic.js';
import { geoCommands } from './geo.js';
import { hashCommands } from './hash.js';
import { hashExpiryCommands } from './hash-expiry.js';
import { hyperloglogCommands } from './hyperloglog.js';
import { listCommands } from './list.js';
import { pubsubCommands } from './pubsub.js';
import { scriptingCommands } from './scripting.js';
import { serverCommands } from './server.js';
import { serverAclCommands } from './server-acl.js';
import { serverCommandCommands } from './server-command.js';
import { serverConfigCommands } from './server-config.js';
import { serverDiagnosticsCommands } from './server-diagnostics.js';
import { setCommands } from './set.js';
import { sortedSetCommands } from './sorted-set.js';
import { sortedSetAlgebraCommands } from './sorted-set-algebra.js';
import {
  ACL_CATEGORY,
  COMMAND_FLAG,
  type CommandGroup,
  type CommandGroupSpec,
  type CommandSpec,
  DB_ARGS_NAMES,
  GET_KEYS_NAMES,
  KEY_FLAG,
  type KeySpec,
} from './spec.js';
import { streamCommands } from './stream.js';
import { streamGroupsCommands } from './stream-groups.js';
import { stringCommands } from './string.js';
import { transactionsCommands } from './transactions.js';

export const ALL_GROUPS: readonly CommandGroupSpec[] = [
  bitmapCommands,
  clusterCommands,
  connectionCommands,
  connectionClientCommands,
  genericCommands,
  geoCommands,
  hashCommands,
  hashExpiryCommands,
  hyperloglogCommands,
  listCommands,
  pubsubCommands,
  scriptingCommands,
  serverCommands,
  serverAclCommands,
  serverCommandCommands,
  serverConfigCommands,
  serverDiagnosticsCommands,
  setCommands,
  sortedSetCommands,
  sortedSetAlgebraCommands,
  streamCommands,
  streamGroupsCommands,
  stringCommands,
  transactionsCommands,
];

/** The positions of the keys as COMMAND showed them before key specs; all zero if there are none that it can show. */
export interface LegacyKeyRange {
  readonly firstKey: number;
  /** Absolute, or from the end of the arguments if negative. */
  readonly lastKey: number;
  readonly keyStep: number;
}

export interface Command {
  readonly id: number;
  /** The name by itself, as declared. */
  readonly name: string;
  /** `container|name` for a subcommand. */
  readonly fullName: string;
  readonly group: CommandGroup;
  readonly spec: CommandSpec;
  readonly parent: Command | undefined;
  /** By name; empty unless this is a container. */
  readonly subcommands: ReadonlyMap<string, Command>;
  /** COMMAND_FLAG bits, with `movablekeys` worked out. */
  readonly flags: number;
  /** ACL_CATEGORY bits, with the implied ones. */
  readonly categories: number;
  readonly keySpecs: readonly KeySpec[];
  /** KEY_FLAG bits of each key spec. */
  readonly keySpecFlags: readonly number[];
  readonly legacyKeys: LegacyKeyRange;
}

/** A command as the native dispatcher loads it. */
export interface NativeCommand {
  readonly id: number;
  /** The name to look it up by; empty if it has been renamed away. */
  readonly name: string;
  readonly fullName: string;
  /** -1 for a command that is no subcommand. */
  readonly parentId: number;
  readonly arity: number;
  readonly flags: number;
  readonly categories: number;
  /** The C++ handler; empty if the command is handled in TypeScript (or is a container, which nobody can call). */
  readonly symbol: string;
  readonly firstKey: number;
  readonly lastKey: number;
  readonly keyStep: number;
  /** See NativeHandler.element: 0 if there is none, -1 in a command that is not one of collections. */
  readonly element: number;
  /** KEY_SPEC_INTS numbers for each key spec, see encodeKeySpec. */
  readonly keySpecs: readonly number[];
  /** Index into GET_KEYS_NAMES. */
  readonly getKeys: number;
  /** Index into DB_ARGS_NAMES. */
  readonly dbArgs: number;
}

export interface CommandTableOptions {
  /** Also the commands that are declared but have no handler; for comparing declarations with Valkey's. */
  readonly includeUnbuilt?: boolean;
}

export class CommandTable {
  /** Every command and subcommand, indexed by id. */
  readonly all: readonly Command[];
  private readonly byName = new Map<string, Command>();

  constructor(groups: readonly CommandGroupSpec[] = ALL_GROUPS, options: CommandTableOptions = {}) {
    const all: Command[] = [];
    const includeUnbuilt = options.includeUnbuilt ?? false;
    for (const { group, commands } of groups) {
      for (const spec of commands) {
        if (!includeUnbuilt && !isBuilt(spec)) continue;
        if (this.byName.has(spec.name)) throw new Error(`command '${spec.name}' is declared twice`);
        this.byName.set(spec.name, compile(all, group, spec, undefined, includeUnbuilt));
      }
    }
    this.all = all;
  }

  /** Number of commands, not counting subcommands. */
  get size(): number {
    return this.byName.size;
  }

  /** The commands that are no subcommands, as COMMAND lists them. */
  topLevel(): IterableIterator<Command> {
    return this.byName.values();
  }

  /** The command of exactly this name, `get` or `client|list`, in any case. */
  lookup(name: string): Command | undefined {
    const parts = name.split('|');
    if (parts.length > 2) return undefined;
    const base = this.byName.get(parts[0]!.toLowerCase());
    return parts.length === 1 ? base : base && subcommandOf(base, parts[1]!);
  }

  /**
   * The command that an argument vector calls: in a container the subcommand that the second argument names, and the
   * container itself only if there is no second argument.
   */
  resolve(args: readonly string[]): Command | undefined {
    if (args.length === 0) return undefined;
    const base = this.byName.get(args[0]!.toLowerCase());
    if (base === undefined || base.subcommands.size === 0 || args.length === 1) return base;
    return subcommandOf(base, args[1]!);
  }

  /**
   * rename-command: from now on the command is found as `to`, or not at all if that is empty. Returns false, and
   * changes nothing, if there is no such command or the new name is taken.
   */
  rename(from: string, to: string): boolean {
    const oldName = from.toLowerCase();
    const newName = to.toLowerCase();
    const command = this.byName.get(oldName);
    if (command === undefined || (newName !== oldName && this.byName.has(newName))) return false;
    this.byName.delete(oldName);
    if (newName !== '') this.byName.set(newName, command);
    return true;
  }

  /** The TypeScript handler of the command with this id; undefined if it is native or a container. */
  handler(id: number): TsHandler | undefined {
    const handler = this.all[id]?.spec.handler;
    return typeof handler === 'function' ? handler : undefined;
  }

  /** The table as the native dispatcher loads it, in the order of ids, under the names commands have now. */
  compileForNative(): NativeCommand[] {
    const currentNames = new Map<Command, string>();
    for (const [name, command] of this.byName) currentNames.set(command, name);
    return this.all.map((command) => {
      const { spec, parent } = command;
      return {
        id: command.id,
        name: parent === undefined ? (currentNames.get(command) ?? '') : command.name,
        fullName: command.fullName,
        parentId: parent?.id ?? -1,
        arity: spec.arity,
        flags: command.flags,
        categories: command.categories,
        symbol: typeof spec.handler === 'object' ? spec.handler.native : '',
        ...command.legacyKeys,
        element: COLLECTIONS.has(command.group) ? elementOf(spec) : -1,
        keySpecs: command.keySpecs.flatMap(encodeKeySpec),
        getKeys: GET_KEYS_NAMES.indexOf(spec.getKeys ?? 'none'),
        dbArgs: DB_ARGS_NAMES.indexOf(spec.dbArgs ?? 'none'),
      };
    });
  }
}

const COLLECTIONS: ReadonlySet<CommandGroup> = new Set([
  'list',
  'set',
  'hash',
  'sorted-set',
  'stream',
  'geo',
]);

function elementOf({ handler }: CommandSpec): number {
  return typeof handler === 'object' ? (handler.element ?? 0) : 0;
}

/** The keywords that key specs look for, by their number in encoded key specs. */
export const KEY_SPEC_KEYWORDS: readonly string[] = ['KEYS', 'STORE', 'STOREDIST', 'STREAMS'];
export const KEY_SPEC_INTS = 8;
export const BEGIN_SEARCH = { unknown: 0, index: 1, keyword: 2 } as const;
export const FIND_KEYS = { unknown: 0, range: 1, keynum: 2 } as const;

/**
 * A key spec as numbers: KEY_FLAG bits; BEGIN_SEARCH type with (index, 0) or (number in KEY_SPEC_KEYWORDS, startFrom);
 * FIND_KEYS type with (lastKey, keyStep, limit) or (keyNumIndex, firstKey, keyStep). Unused numbers are 0.
 */
export function encodeKeySpec({ flags, begin, find }: KeySpec): number[] {
  const out = [mask(KEY_FLAG, flags), BEGIN_SEARCH[begin.type]];
  if (begin.type === 'index') {
    out.push(begin.index, 0);
  } else if (begin.type === 'keyword') {
    const keyword = KEY_SPEC_KEYWORDS.indexOf(begin.keyword);
    if (keyword < 0) throw new Error(`keyword '${begin.keyword}' is missing in KEY_SPEC_KEYWORDS`);
    out.push(keyword, begin.startFrom);
  } else {
    out.push(0, 0);
  }
  out.push(FIND_KEYS[find.type]);
  if (find.type === 'range') out.push(find.lastKey, find.keyStep, find.limit);
  else if (find.type === 'keynum') out.push(find.keyNumIndex, find.firstKey, find.keyStep);
  else out.push(0, 0, 0);
  return out;
}

/** Valkey takes the name of a subcommand as a C string, which ends at a zero byte; that of a command is binary. */
function subcommandOf(container: Command, name: string): Command | undefined {
  const end = name.indexOf('\0');
  return container.subcommands.get((end < 0 ? name : name.slice(0, end)).toLowerCase());
}

/** HELP answers about the others, so it does not make a container exist that has nothing else. */
function isBuilt(spec: CommandSpec): boolean {
  if (spec.handler !== undefined) return true;
  return spec.subcommands?.some((sub) => sub.name !== 'help' && isBuilt(sub)) ?? false;
}

function compile(
  all: Command[],
  group: CommandGroup,
  spec: CommandSpec,
  parent: Command | undefined,
  includeUnbuilt: boolean,
): Command {
  const keySpecs = spec.keys ?? [];
  const { range, movable } = legacyKeyRange(keySpecs);
  const flags = mask(COMMAND_FLAG, spec.flags ?? []) | (movable ? COMMAND_FLAG.movablekeys : 0);
  const categories = mask(ACL_CATEGORY, spec.categories ?? []);
  const subcommands = new Map<string, Command>();
  const command: Command = {
    id: all.length,
    name: spec.name,
    fullName: parent === undefined ? spec.name : `${parent.name}|${spec.name}`,
    group,
    spec,
    parent,
    subcommands,
    flags,
    categories: categories | impliedCategories(flags, categories),
    keySpecs,
    keySpecFlags: keySpecs.map((keySpec) => mask(KEY_FLAG, keySpec.flags)),
    legacyKeys: range,
  };
  all.push(command);
  for (const sub of spec.subcommands ?? []) {
    if (!includeUnbuilt && !isBuilt(sub)) continue;
    if (subcommands.has(sub.name)) throw new Error(`command '${spec.name}|${sub.name}' is declared twice`);
    subcommands.set(sub.name, compile(all, group, sub, command, includeUnbuilt));
  }
  return command;
}

/**
 * Categories that follow from flags. Scripting commands are the exception to `readonly`: EVAL_RO and FCALL_RO read only
 * what the script reads, so @read does not grant them.
 */
function impliedCategories(flags: number, declared: number): number {
  let implied = flags & COMMAND_FLAG.fast ? ACL_CATEGORY.fast : ACL_CATEGORY.slow;
  if (flags & COMMAND_FLAG.write) implied |= ACL_CATEGORY.write;
  if (flags & COMMAND_FLAG.readonly && !(declared & ACL_CATEGORY.scripting)) implied |= ACL_CATEGORY.read;
  if (flags & COMMAND_FLAG.admin) implied |= ACL_CATEGORY.admin | ACL_CATEGORY.dangerous;
  if (flags & COMMAND_FLAG.pubsub) implied |= ACL_CATEGORY.pubsub;
  if (flags & COMMAND_FLAG.blocking) implied |= ACL_CATEGORY.blocking;
  return implied;
}

const NO_KEYS: LegacyKeyRange = { firstKey: 0, lastKey: 0, keyStep: 0 };

/**
 * The legacy range covers consecutive plain ranges at fixed positions; everything else, and every spec that says of
 * itself that it is incomplete, makes the command's keys movable.
 */
function legacyKeyRange(specs: readonly KeySpec[]): { range: LegacyKeyRange; movable: boolean } {
  const fixed = specs.filter(isFixedRange);
  if (specs.length === 1 && fixed.length === 1) {
    const { begin, find, flags } = fixed[0]!;
    return {
      range: {
        firstKey: begin.index,
        lastKey: absoluteLastKey(begin.index, find.lastKey),
        keyStep: find.keyStep,
      },
      movable: flags.includes('incomplete'),
    };
  }

  let movable = fixed.length < specs.length;
  let firstKey = 0;
  let lastKey = 0;
  for (const { begin, find, flags } of fixed) {
    if (find.keyStep !== 1 || (lastKey !== 0 && lastKey !== begin.index - 1)) {
      movable = true;
      continue;
    }
    if (flags.includes('incomplete')) movable = true;
    if (firstKey === 0) firstKey = begin.index;
    lastKey = absoluteLastKey(begin.index, find.lastKey);
  }
  return { range: firstKey === 0 ? NO_KEYS : { firstKey, lastKey, keyStep: 1 }, movable };
}

function absoluteLastKey(firstKey: number, lastKey: number): number {
  return lastKey < 0 ? lastKey : firstKey + lastKey;
}

type FixedRange = KeySpec & { begin: { type: 'index' }; find: { type: 'range' } };

function isFixedRange(spec: KeySpec): spec is FixedRange {
  return spec.begin.type === 'index' && spec.find.type === 'range';
}

function mask<T extends string>(bits: Readonly<Record<T, number>>, names: readonly T[]): number {
  let result = 0;
  for (const name of names) result |= bits[name];
  return result;
}
