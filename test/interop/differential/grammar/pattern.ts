/**
 * The small language the grammars are written in. A command is a list of parts; a part is a literal word or a
 * function that appends arguments. `entry` binds a pattern to a weight and to the rule that explains its replies.
 *
 * The one constraint on every pattern: nothing may expire by accident. Relative times are either invalid, not
 * positive, or at least 100,000 (so they are far away in either unit), and never twice the same, because the two
 * servers' clocks would decide GT and LT between equal ones. Absolute times are in the far past or future.
 */
import type { RuleName } from '../explained.js';
import type { Command, Mismatch, Pair, Sides } from '../pair.js';
import type { Random } from '../random.js';

/** What a generator can see. */
export interface Context {
  readonly random: Random;
  /** Commands both servers have, `container|subcommand` included, in lower case. */
  readonly commands: readonly CommandShape[];
  /** The next single command of all chosen grammars whose name is not one of `but`. */
  anyCommand(but: ReadonlySet<string>): Command;
}

/** A command as COMMAND reports it. */
export interface CommandShape {
  readonly name: string;
  /** As in COMMAND INFO: the exact count with the name, or the negated minimum. */
  readonly arity: number;
}

/** Something longer than a pipeline: it talks to both servers itself and reports the first difference. */
export interface Episode {
  readonly name: string;
  /** The commands it needs; it is left out while the subject lacks one. */
  readonly needs: readonly string[];
  /** How many commands it counts as, if it is made of steps. */
  readonly size?: number;
  /** Its steps for people. */
  readonly lines?: readonly string[];
  /** The same without the steps [from, to). */
  without?(from: number, to: number): Episode;
  /** note: is told of every command that was compared. */
  run(pair: Pair, sides: Sides, note?: Note): Promise<Mismatch | null>;
}

/** Hears of a command and the type byte of its reply ('' where it is not known). */
export type Note = (command: Command, type: string) => void;

export type Step = Command | Episode;
export const isEpisode = (step: Step): step is Episode => 'run' in step;

export type Appender = (context: Context, out: string[]) => void;
export type Part = string | Appender;

export interface Entry {
  readonly weight: number;
  readonly generate: (context: Context) => Step[];
}

/** The grammar of one command group. */
export interface Group {
  readonly name: string;
  /** Share of this group among all. */
  readonly weight: number;
  readonly entries: readonly Entry[];
}

export function build(context: Context, parts: readonly Part[], out: string[] = []): string[] {
  for (const part of parts) {
    if (typeof part === 'string') out.push(part);
    else part(context, out);
  }
  return out;
}

/** Words that parse as something in many commands, for damage. No positive integer under 100,000: see above. */
const ODD_WORDS = [
  ...[
    '',
    '0',
    '-1',
    'abc',
    '1.5',
    '9223372036854775807',
    '-9223372036854775808',
    '9223372036854775808',
    '\x00\xff',
  ],
  ...[
    'NX',
    'XX',
    'GET',
    'EX',
    'PX',
    'GT',
    'LT',
    'COUNT',
    'MATCH',
    'KEEPTTL',
    'PERSIST',
    'REPLACE',
    ' 1',
    '0x10',
    '+5',
  ],
];

const DAMAGE = 0.04;

/** Drops, adds or replaces an argument, so that arity and option errors meet every command. */
function damage({ random }: Context, args: string[]): void {
  const at = random.int(1, Math.max(1, args.length - 1));
  switch (random.int(0, 2)) {
    case 0:
      if (args.length > 1) args.splice(at, 1);
      break;
    case 1:
      args.splice(random.int(1, args.length), 0, random.pick(ODD_WORDS));
      break;
    default:
      if (args.length > 1) args[at] = random.pick(ODD_WORDS);
  }
}

const swapCase = (word: string): string =>
  word === word.toUpperCase()
    ? word.toLowerCase()
    : word.charAt(0).toLowerCase() + word.slice(1).toUpperCase();

export interface EntryOptions {
  readonly rule?: RuleName;
  /** False where a damaged form would be harmful. */
  readonly damage?: false;
  /** Commands that must follow at once. */
  readonly follow?: (args: readonly string[]) => Command[];
}

export function entry(weight: number, parts: readonly Part[], options: EntryOptions = {}): Entry {
  return {
    weight,
    generate: (context) => {
      const args = build(context, parts);
      if (options.damage !== false && context.random.chance(DAMAGE)) damage(context, args);
      if (context.random.chance(0.1)) args[0] = swapCase(args[0]!);
      const command: Command = options.rule === undefined ? { args } : { args, rule: options.rule };
      return options.follow === undefined ? [command] : [command, ...options.follow(args)];
    },
  };
}

/** An entry for what is more than one independent command. */
export function steps(weight: number, generate: (context: Context) => Step[]): Entry {
  return { weight, generate };
}

export const oneOf =
  (...choices: readonly (Part | readonly Part[])[]): Appender =>
  (context, out) => {
    const choice = context.random.pick(choices);
    build(context, typeof choice === 'object' ? choice : [choice], out);
  };

export const maybe =
  (probability: number, ...parts: readonly Part[]): Appender =>
  (context, out) => {
    if (context.random.chance(probability)) build(context, parts, out);
  };

export const repeat =
  (low: number, high: number, ...parts: readonly Part[]): Appender =>
  (context, out) => {
    for (let n = context.random.int(low, high); n > 0; n--) build(context, parts, out);
  };

/** None, some or (now and then) many of the options, in any order, conflicting ones together, words in any case. */
export const options =
  (...choices: readonly (readonly Part[])[]): Appender =>
  (context, out) => {
    const { random } = context;
    const roll = random.unit();
    const count = roll < 0.35 ? 0 : roll < 0.75 ? 1 : roll < 0.92 ? 2 : random.int(3, 5);
    for (let n = 0; n < count; n++) {
      const from = out.length;
      build(context, random.pick(choices), out);
      if (random.chance(0.2)) out[from] = swapCase(out[from]!);
    }
  };
