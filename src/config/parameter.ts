// What a configuration parameter is: its type, the values it admits, its default, and its traits. The constructors
// here make the entries of the table in parameters.ts; literal types are kept, so that `config.int('maxclients')` is
// checked when the program is compiled.
//
// Integers are signed 64-bit BigInts, as in Valkey's own storage: an unsigned parameter above 2^63 is held as its
// two's complement, and percentages and "-1 means off" are negative numbers.

import type { WorkingDirectory } from './directory.js';

/** Only at start-up. */
export const IMMUTABLE = 1;
/** Its value is redacted in MONITOR, the command log and the ACL log. */
export const SENSITIVE = 2;
/** Part of the report of a crash. */
export const DEBUG = 4;
/** CONFIG GET shows it only when asked by its full name. */
export const HIDDEN = 8;
/** CONFIG SET needs enable-protected-configs. */
export const PROTECTED = 16;
/** CONFIG SET is refused while a data set is being loaded. */
export const DENY_LOADING = 32;
/** The value names something outside (a file): setting it again to the same value applies it again. */
export const VOLATILE = 64;

export const INT_MIN = -(2 ** 31);
export const INT_MAX = 2 ** 31 - 1;
export const UINT_MAX = 2 ** 32 - 1;
export const INT64_MAX = (1n << 63n) - 1n;
export const UINT64_MAX = (1n << 64n) - 1n;

/** Null: valid; otherwise the reason that the client is told. */
export type Verdict = string | null;

/** What a validator may look at besides the value. */
export interface Surroundings {
  titleVariables(title: string): Readonly<Record<string, string>>;
}

interface Common<N extends string> {
  readonly name: N;
  readonly alias: string | null;
  readonly flags: number;
}

export interface BoolParameter<N extends string = string> extends Common<N> {
  readonly type: 'bool';
  readonly default: boolean;
  readonly valid: ((value: boolean) => Verdict) | null;
}

export interface ChoiceParameter<N extends string = string, V extends string = string> extends Common<N> {
  readonly type: 'choice';
  /** In the order of the error text. */
  readonly values: readonly V[];
  /** Values that are other spellings of an earlier one. */
  readonly synonyms: Readonly<Record<string, V>>;
  readonly default: V;
}

/** Several words, each a bit; the first word of `values` stands for none of them. */
export interface FlagSetParameter<N extends string = string, V extends string = string> extends Common<N> {
  readonly type: 'flags';
  readonly values: readonly V[];
  readonly valid: ((value: readonly string[]) => Verdict) | null;
}

export interface TextParameter<N extends string = string> extends Common<N> {
  readonly type: 'text';
  /** Keeps NUL bytes; otherwise the value ends at the first one. */
  readonly binary: boolean;
  /** Null: the empty string means "not set". */
  readonly default: string | null;
  readonly valid: ((value: string, around: Surroundings) => Verdict) | null;
}

export type Unit = 'none' | 'memory' | 'memory-or-percent' | 'memory-or-negative' | 'octal';

export interface IntParameter<N extends string = string> extends Common<N> {
  readonly type: 'int';
  readonly min: bigint;
  readonly max: bigint;
  readonly default: bigint;
  readonly unit: Unit;
  readonly unsigned: boolean;
  readonly clamp: Clamp | null;
}

/** Values out of this range are accepted, but brought into it by CONFIG SET, and by the file if `atLoad`. */
export interface Clamp {
  readonly min: bigint;
  readonly max: bigint;
  readonly atLoad: boolean;
}

/** Where the text of a special parameter comes from and what it may reach. */
export interface ParseContext {
  /** The configuration is being read and the parameter was mentioned before: the words add to its value. */
  readonly append: boolean;
  readonly directory: WorkingDirectory;
  warn(message: string): void;
}

export interface RewrittenLine {
  readonly text: string;
  /** Write it even where the file did not mention the parameter. */
  readonly force: boolean;
}

export type Parsed<V> = { readonly value: V; readonly unchanged?: boolean } | { readonly error: string };

export interface SpecialParameter<N extends string = string, V = unknown> extends Common<N> {
  readonly type: 'special';
  /** Takes any number of words. */
  readonly multiple: boolean;
  readonly default: V;
  parse(words: readonly string[], previous: V, context: ParseContext): Parsed<V>;
  format(value: V): string;
  /** The lines that say this value. Null: leave what the file says; none: remove it from the file. */
  rewrite(name: string, value: V): readonly RewrittenLine[] | null;
}

export type Parameter =
  | BoolParameter
  | ChoiceParameter
  | FlagSetParameter
  | TextParameter
  | IntParameter
  // biome-ignore lint/suspicious/noExplicitAny: the value type is the parameter's own and never leaves its functions
  | SpecialParameter<string, any>;

interface Extra {
  alias?: string;
}

export function bool<const N extends string>(
  name: N,
  initial: boolean,
  flags = 0,
  extra: Extra & { valid?: (value: boolean) => Verdict } = {},
): BoolParameter<N> {
  return {
    type: 'bool',
    name,
    alias: extra.alias ?? null,
    flags,
    default: initial,
    valid: extra.valid ?? null,
  };
}

export function choice<const N extends string, const V extends string>(
  name: N,
  values: readonly V[],
  initial: NoInfer<V>,
  flags = 0,
  extra: Extra & { synonyms?: Readonly<Record<string, NoInfer<V>>> } = {},
): ChoiceParameter<N, V> {
  return {
    type: 'choice',
    name,
    alias: extra.alias ?? null,
    flags,
    values,
    synonyms: extra.synonyms ?? {},
    default: initial,
  };
}

export function flagSet<const N extends string, const V extends string>(
  name: N,
  values: readonly V[],
  flags = 0,
  extra: Extra & { valid?: (value: readonly string[]) => Verdict } = {},
): FlagSetParameter<N, V> {
  return { type: 'flags', name, alias: extra.alias ?? null, flags, values, valid: extra.valid ?? null };
}

type TextExtra = Extra & { valid?: (value: string, around: Surroundings) => Verdict };

export function text<const N extends string>(
  name: N,
  initial: string | null,
  flags = 0,
  extra: TextExtra = {},
): TextParameter<N> {
  return {
    type: 'text',
    name,
    alias: extra.alias ?? null,
    flags,
    binary: false,
    default: initial,
    valid: extra.valid ?? null,
  };
}

export function bytes<const N extends string>(
  name: N,
  initial: string | null,
  flags = 0,
  extra: TextExtra = {},
): TextParameter<N> {
  return { ...text(name, initial, flags, extra), binary: true };
}

export function int<const N extends string>(
  name: N,
  min: number | bigint,
  max: number | bigint,
  initial: number,
  flags = 0,
  extra: Extra & { unit?: Unit; unsigned?: boolean; clamp?: Clamp } = {},
): IntParameter<N> {
  return {
    type: 'int',
    name,
    alias: extra.alias ?? null,
    flags,
    min: BigInt(min),
    max: BigInt(max),
    default: BigInt(initial),
    unit: extra.unit ?? 'none',
    unsigned: extra.unsigned ?? false,
    clamp: extra.clamp ?? null,
  };
}

export interface Codec<V> {
  readonly multiple: boolean;
  readonly default: V;
  parse(words: readonly string[], previous: V, context: ParseContext): Parsed<V>;
  format(value: V): string;
  rewrite(name: string, value: V): readonly RewrittenLine[] | null;
}

export function special<const N extends string, V>(
  name: N,
  codec: Codec<V>,
  flags = 0,
  extra: Extra = {},
): SpecialParameter<N, V> {
  return { type: 'special', name, alias: extra.alias ?? null, flags, ...codec };
}

/** Takes several words after its name. */
export function isMultiple(parameter: Parameter): boolean {
  return parameter.type === 'flags' || (parameter.type === 'special' && parameter.multiple);
}
