// Reading, printing and rewriting the value of a parameter of any type.
//
// In memory: bool is a boolean, choice its first spelling, flags the words in table order, text a latin1 string or
// null, int a signed 64-bit BigInt, special whatever its codec says.

import { asciiLower, cString } from './bytes.js';
import { formatMemory, parseInteger, parseLoose, parseMemory } from './numbers.js';
import type {
  ChoiceParameter,
  FlagSetParameter,
  IntParameter,
  Parameter,
  ParseContext,
  Parsed,
  RewrittenLine,
  Surroundings,
} from './parameter.js';
import { quote } from './quoting.js';

export type Value = unknown;

function oneOf(values: readonly string[]): { error: string } {
  return { error: `argument(s) must be one of the following: ${values.join(', ')}` };
}

/** Every spelling in the order in which the error text lists them: a synonym follows its value. */
function spellings(parameter: ChoiceParameter): string[] {
  return parameter.values.flatMap((value) => [
    value,
    ...Object.keys(parameter.synonyms).filter((synonym) => parameter.synonyms[synonym] === value),
  ]);
}

function parseChoice(parameter: ChoiceParameter, words: readonly string[]): Parsed<string> {
  const word = words.length === 1 ? asciiLower(cString(words[0]!)) : null;
  const spelling = spellings(parameter).find((known) => asciiLower(known) === word);
  if (spelling === undefined) return oneOf(spellings(parameter));
  return { value: parameter.synonyms[spelling] ?? spelling };
}

function parseFlags(parameter: FlagSetParameter, words: readonly string[]): Parsed<readonly string[]> {
  const given = new Set(words.map((word) => asciiLower(cString(word))));
  const unknown = [...given].some((word) => !parameter.values.includes(word));
  if (given.size === 0 || unknown) return oneOf(parameter.values);
  const flags = parameter.values.filter((value, bit) => bit > 0 && given.has(value));
  const error = parameter.valid?.(flags) ?? null;
  return error === null ? { value: flags } : { error };
}

const notANumber: Readonly<Record<IntParameter['unit'], string>> = {
  none: "argument couldn't be parsed into an integer",
  memory: 'argument must be a memory value',
  'memory-or-percent': 'argument must be a memory or percent value',
  'memory-or-negative': 'argument must be a memory value',
  octal: "argument couldn't be parsed as an octal number",
};

function parseNumber(unit: IntParameter['unit'], word: string): bigint | null {
  switch (unit) {
    case 'none':
      return parseInteger(word);
    case 'memory':
      return parseMemory(cString(word));
    case 'memory-or-negative':
      return parseMemory(cString(word)) ?? parseInteger(word);
    case 'memory-or-percent': {
      const bytes = parseMemory(cString(word));
      if (bytes !== null) return bytes;
      const percent = word.length > 1 && word.endsWith('%') ? parseInteger(word.slice(0, -1)) : null;
      return percent !== null && percent >= 0n ? -percent : null;
    }
    case 'octal': {
      const parsed = parseLoose(cString(word), 8);
      return parsed === null || parsed.overflow ? null : parsed.value;
    }
  }
}

function parseInt64(parameter: IntParameter, word: string): Parsed<bigint> {
  const number = parseNumber(parameter.unit, word);
  if (number === null) return { error: notANumber[parameter.unit] };
  const value = BigInt.asIntN(64, number);
  const { min, max, unit } = parameter;
  if (unit === 'memory-or-percent' && value < 0n) {
    return value < min ? { error: `percentage argument must be less or equal to ${-min}` } : { value };
  }
  const compared = parameter.unsigned ? BigInt.asUintN(64, value) : value;
  if (compared < min || compared > max) {
    const base = unit === 'octal' ? 8 : 10;
    return { error: `argument must be between ${min.toString(base)} and ${max.toString(base)} inclusive` };
  }
  return { value };
}

export function parseValue(
  parameter: Parameter,
  words: readonly string[],
  previous: Value,
  context: ParseContext & Surroundings,
): Parsed<Value> {
  switch (parameter.type) {
    case 'bool': {
      const word = asciiLower(cString(words[0]!));
      if (word !== 'yes' && word !== 'no') return { error: "argument must be 'yes' or 'no'" };
      const error = parameter.valid?.(word === 'yes') ?? null;
      return error === null ? { value: word === 'yes' } : { error };
    }
    case 'choice':
      return parseChoice(parameter, words);
    case 'flags':
      return parseFlags(parameter, words);
    case 'text': {
      const error = parameter.valid?.(words[0]!, context) ?? null;
      if (error !== null) return { error };
      const value = parameter.binary ? words[0]! : cString(words[0]!);
      return { value: value === '' && parameter.default === null ? null : value };
    }
    case 'int':
      return parseInt64(parameter, words[0]!);
    case 'special':
      return parameter.parse(words, previous, context);
  }
}

function formatNumber(parameter: IntParameter, value: bigint): string {
  switch (parameter.unit) {
    case 'none':
      return value.toString();
    case 'memory':
      return BigInt.asUintN(64, value).toString();
    case 'memory-or-negative':
      return value.toString();
    case 'memory-or-percent':
      return value < 0n ? `${-value}%` : value.toString();
    case 'octal':
      return value.toString(8);
  }
}

function formatFlags(parameter: FlagSetParameter, value: readonly string[]): string {
  return value.length === 0 ? parameter.values[0]! : value.join(' ');
}

export function formatValue(parameter: Parameter, value: Value): string {
  switch (parameter.type) {
    case 'bool':
      return value ? 'yes' : 'no';
    case 'choice':
      return value as string;
    case 'flags':
      return formatFlags(parameter, value as readonly string[]);
    case 'text':
      return (value as string | null) ?? '';
    case 'int':
      return formatNumber(parameter, value as bigint);
    case 'special':
      return parameter.format(value);
  }
}

export function defaultValue(parameter: Parameter): Value {
  return parameter.type === 'flags' ? [] : parameter.default;
}

function rewriteNumber(parameter: IntParameter, value: bigint): RewrittenLine {
  const inUnits = parameter.unit.startsWith('memory') && (parameter.unit === 'memory' || value >= 0n);
  const printed = inUnits ? formatMemory(BigInt.asUintN(64, value)) : formatNumber(parameter, value);
  return { text: `${parameter.name} ${printed}`, force: value !== parameter.default };
}

/** The lines that CONFIG REWRITE writes for a value. Null: leave what the file says; none: remove it. */
export function rewriteValue(parameter: Parameter, value: Value): readonly RewrittenLine[] | null {
  switch (parameter.type) {
    case 'bool':
    case 'choice':
      return [
        { text: `${parameter.name} ${formatValue(parameter, value)}`, force: value !== parameter.default },
      ];
    case 'flags': {
      const flags = value as readonly string[];
      return [{ text: `${parameter.name} ${formatFlags(parameter, flags)}`, force: flags.length > 0 }];
    }
    case 'text':
      if (value === null) return [];
      return [{ text: `${parameter.name} ${quote(value as string)}`, force: value !== parameter.default }];
    case 'int':
      return [rewriteNumber(parameter, value as bigint)];
    case 'special':
      return parameter.rewrite(parameter.name, value);
  }
}
