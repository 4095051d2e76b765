// The configuration of one server: a value for every parameter of the table, and the rules by which it changes.
//
// Invariants: a value in the store has passed its parameter's checks. CONFIG SET is all or nothing: when a value is
// refused, or a hook that applies one fails, every parameter of the call has its old value again, and the hooks that
// belong to the call have run once more on the old values. Listeners of onChange hear only of changes that hold.

import { asciiLower, cString } from './bytes.js';
import { ProcessDirectory, type WorkingDirectory } from './directory.js';
import { globMatch, isPattern } from './glob.js';
import {
  DENY_LOADING,
  HIDDEN,
  IMMUTABLE,
  type IntParameter,
  isMultiple,
  type Parameter,
  type Parsed,
  PROTECTED,
  SENSITIVE,
  type Surroundings,
  VOLATILE,
} from './parameter.js';
import {
  type BoolName,
  type ChoiceName,
  type ChoiceValue,
  type FlagName,
  type FlagSetName,
  type IntName,
  type ParameterName,
  parameters,
  type SpecialName,
  type SpecialValue,
  type TextName,
} from './parameters.js';
import { expandTitle } from './validate.js';
import { defaultValue, formatValue, parseValue, type Value } from './values.js';

export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning';
export type Log = (level: LogLevel, message: string) => void;

/**
 * Brings a new value into effect. Returns why that failed (the empty string: no reason given), or undefined. One that
 * throws has failed too, with the error's message.
 */
export type ApplyHook = () => string | undefined;

export type ChangeListener = (names: readonly ParameterName[]) => void;

export interface ConfigOptions {
  /** Default: that of the process. */
  directory?: WorkingDirectory;
  log?: Log;
}

/** What decides whether a client may change a parameter now. */
export interface SetContext {
  /** A data set is being loaded. */
  loading: boolean;
  /** The client is on this machine: a unix socket or the loopback interface. */
  local: boolean;
}

interface Known {
  /** As it was asked for: the parameter's own name or its alias. */
  readonly name: string;
  readonly parameter: Parameter;
}

const known: ReadonlyMap<string, Known> = new Map(
  parameters.flatMap((parameter: Parameter) =>
    [parameter.name, parameter.alias]
      .filter((name) => name !== null)
      .map((name): [string, Known] => [name, { name, parameter }]),
  ),
);

/** Names and aliases in the order of CONFIG GET. */
const sortedNames = [...known.keys()].sort();

const LOADING = 'LOADING Valkey is loading the dataset in memory';

/** Error texts are one line, whatever the client put into them. */
function errorLine(text: string): string {
  return text.replace(/^[\r\n]+|[\r\n]+$/g, '').replace(/[\r\n]/g, ' ');
}

function setFailed(name: string, reason: string): string {
  const text = `CONFIG SET failed (possibly related to argument '${cString(name)}')`;
  return errorLine(`ERR ${text}${reason === '' ? '' : ` - ${reason}`}`);
}

function failureOf(hook: ApplyHook): string | null {
  try {
    return hook() ?? null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The parameter of a name or alias, in any case. */
export function findParameter(name: string): Parameter | null {
  return known.get(asciiLower(name))?.parameter ?? null;
}

/** Whether the value after this name must not appear in MONITOR and logs. */
export function isSensitive(name: string): boolean {
  return ((findParameter(name)?.flags ?? 0) & SENSITIVE) !== 0;
}

export class Config implements Surroundings {
  readonly directory: WorkingDirectory;
  readonly log: Log;
  /** Absolute path of the file the server was started with; null: none. Latin1 bytes. */
  file: string | null = null;

  readonly #values = new Map<string, Value>();
  readonly #hooks = new Map<string, ApplyHook[]>();
  readonly #listeners = new Set<ChangeListener>();
  /** Names changed by the call in progress; null outside of one. */
  #changing: Set<ParameterName> | null = null;

  constructor(options: ConfigOptions = {}) {
    this.directory = options.directory ?? new ProcessDirectory();
    this.log = options.log ?? (() => {});
    for (const parameter of parameters) this.#values.set(parameter.name, defaultValue(parameter));
    for (const parameter of parameters as readonly Parameter[]) {
      if (parameter.type !== 'int' || parameter.clamp === null) continue;
      this.onApply(parameter.name as IntName, () => {
        this.#clamp(parameter);
        return undefined;
      });
    }
    this.onApply('rdma-port', () => 'No RDMA building support.');
    this.onApply('rdma-bind', () => 'No RDMA building support.');
  }

  bool(name: BoolName): boolean {
    return this.#values.get(name) as boolean;
  }

  /**
   * An integer in the parameter's base unit (bytes, seconds, ...). A percentage is negative: -20 is 20%. Above 2^53 the
   * nearest double; see bigint() for the exact value.
   */
  int(name: IntName): number {
    return Number(this.bigint(name));
  }

  bigint(name: IntName): bigint {
    const value = this.#values.get(name) as bigint;
    const { parameter } = known.get(name)!;
    return parameter.type === 'int' && parameter.unsigned ? BigInt.asUintN(64, value) : value;
  }

  /** Latin1 bytes; the empty string where nothing is set. */
  str(name: TextName): string {
    return (this.#values.get(name) as string | null) ?? '';
  }

  choice<N extends ChoiceName>(name: N): ChoiceValue<N> {
    return this.#values.get(name) as ChoiceValue<N>;
  }

  /** The words that are set, in table order; none stands for "default". */
  flags<N extends FlagSetName>(name: N): readonly FlagName<N>[] {
    return this.#values.get(name) as readonly FlagName<N>[];
  }

  value<N extends SpecialName>(name: N): SpecialValue<N> {
    return this.#value(name) as SpecialValue<N>;
  }

  /** The value as CONFIG GET prints it. */
  text(name: ParameterName): string {
    const { parameter } = known.get(name)!;
    return formatValue(parameter, this.#value(name));
  }

  /** The value as it is kept, for CONFIG REWRITE. */
  raw(parameter: Parameter): Value {
    return this.#value(parameter.name);
  }

  /**
   * Names and values for CONFIG GET, sorted. A plain name answers under the spelling that was asked for; a pattern
   * matches names and aliases, but nothing hidden.
   */
  get(patterns: readonly string[]): Map<string, string> {
    const found = new Map<string, string>();
    for (const bytes of patterns) {
      const pattern = cString(bytes);
      if (!isPattern(pattern)) {
        const name = asciiLower(bytes);
        if (known.has(name) && !found.has(name)) found.set(name, pattern);
        continue;
      }
      for (const name of sortedNames) {
        if ((known.get(name)!.parameter.flags & HIDDEN) !== 0 || found.has(name)) continue;
        if (globMatch(pattern, name)) found.set(name, name);
      }
    }
    const pairs = [...found].map(([name, shown]): [string, string] => {
      const { parameter } = known.get(name)!;
      return [shown, formatValue(parameter, this.#value(parameter.name))];
    });
    return new Map(pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  }

  /** CONFIG SET. Returns the error as it goes on the wire behind the '-', or null. */
  set(pairs: readonly (readonly [name: string, value: string])[], context: SetContext): string | null {
    const targets: Known[] = [];
    for (const [given] of pairs) {
      const target = known.get(asciiLower(given));
      if (target === undefined)
        return errorLine(`ERR Unknown option or number of arguments for CONFIG SET - '${cString(given)}'`);
      const { flags } = target.parameter;
      if (flags & IMMUTABLE) return setFailed(given, "can't set immutable config");
      if (flags & PROTECTED && !this.#allowsProtected(context))
        return setFailed(given, "can't set protected config");
      if (flags & DENY_LOADING && context.loading) return LOADING;
      // A name and its alias may both be given; the later one wins.
      if (targets.includes(target)) return setFailed(given, 'duplicate parameter');
      targets.push(target);
    }
    const previous = targets.map(({ parameter }) => this.#value(parameter.name));
    return this.#change((changed) => {
      const hooks = new Map<ApplyHook, string>();
      for (const [i, target] of targets.entries()) {
        const { parameter } = target;
        const given = pairs[i]![1];
        const words = isMultiple(parameter) ? (given === '' ? [] : given.split(' ')) : [given];
        const parsed = this.#parse(parameter, words, false);
        if ('error' in parsed) {
          this.#restore(targets, previous);
          return setFailed(target.name, parsed.error);
        }
        if (!this.#store(parameter, parsed)) continue;
        changed.add(parameter.name as ParameterName);
        for (const hook of this.#hooks.get(parameter.name) ?? []) {
          if (!hooks.has(hook)) hooks.set(hook, target.name);
        }
      }
      return this.#apply(hooks, () => this.#restore(targets, previous));
    });
  }

  /**
   * A line of the configuration file: the words behind the name. Returns the reason it is refused, or null.
   * `append`: see ParseContext.
   */
  load(parameter: Parameter, words: readonly string[], append: boolean): string | null {
    const parsed = this.#parse(parameter, words, append);
    if ('error' in parsed) return parsed.error;
    this.#store(parameter, parsed);
    return null;
  }

  /**
   * A change that the server itself decides (REPLICAOF, a limit of the system): no hook runs, nothing is forbidden.
   * Throws on a value that the parameter cannot have.
   */
  assign(name: ParameterName, ...words: string[]): void {
    const { parameter } = known.get(name)!;
    this.#change((changed) => {
      const parsed = this.#parse(parameter, words, false);
      if ('error' in parsed) throw new RangeError(`${name}: ${parsed.error}`);
      if (this.#store(parameter, parsed)) changed.add(name);
      return null;
    });
  }

  /**
   * Registers what brings parameters into effect after CONFIG SET. One function given for several names runs once a
   * call. Hooks run in the order in which the call names their parameters.
   */
  onApply(names: ParameterName | readonly ParameterName[], hook: ApplyHook): void {
    for (const name of typeof names === 'string' ? [names] : names) {
      const hooks = this.#hooks.get(name);
      if (hooks) hooks.push(hook);
      else this.#hooks.set(name, [hook]);
    }
  }

  /** Tells of names whose values changed, after the change is complete. Returns the way to stop listening. */
  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** To be called when the configuration has been read. */
  loaded(): void {
    for (const parameter of parameters as readonly Parameter[]) {
      if (parameter.type === 'int' && parameter.clamp?.atLoad) this.#clamp(parameter);
    }
  }

  titleVariables(title: string): Readonly<Record<string, string>> {
    const port = this.int('port');
    const tlsPort = this.int('tls-port');
    const listen = `${this.value('bind')[0] ?? '*'}:${port !== 0 ? port : tlsPort}`;
    return {
      title,
      'listen-addr': port !== 0 || tlsPort !== 0 ? listen : `unixsocket:${this.str('unixsocket')}`,
      'server-mode': this.bool('cluster-enabled') ? '[cluster]' : '',
      'config-file': this.file ?? '-',
      port: String(port),
      'tls-port': String(tlsPort),
      unixsocket: this.str('unixsocket'),
    };
  }

  /** The process title that proc-title-template asks for; bytes, as `title`. */
  processTitle(title: string): string {
    return expandTitle(this.str('proc-title-template'), this.titleVariables(title)) ?? title;
  }

  #clamp({ name, clamp }: IntParameter): void {
    if (clamp === null) return;
    const value = this.#values.get(name) as bigint;
    if (value < clamp.min) this.#values.set(name, clamp.min);
    else if (value > clamp.max) this.#values.set(name, clamp.max);
  }

  #value(name: string): Value {
    return name === 'dir' ? this.directory.path : this.#values.get(name);
  }

  #allowsProtected(context: SetContext): boolean {
    const allowed = this.choice('enable-protected-configs');
    return allowed === 'yes' || (allowed === 'local' && context.local);
  }

  #parse(parameter: Parameter, words: readonly string[], append: boolean): Parsed<Value> {
    return parseValue(parameter, words, this.#value(parameter.name), {
      append,
      directory: this.directory,
      warn: (message) => this.log('warning', message),
      titleVariables: (title) => this.titleVariables(title),
    });
  }

  /** Returns whether the value needs applying. The special ones count as changed unless they know better. */
  #store(parameter: Parameter, parsed: { value: Value; unchanged?: boolean }): boolean {
    const { name } = parameter;
    const same =
      parameter.type === 'special'
        ? parsed.unchanged === true
        : parameter.type === 'flags'
          ? String(this.#values.get(name)) === String(parsed.value)
          : this.#values.get(name) === parsed.value;
    this.#values.set(name, parsed.value);
    return !same || (parameter.flags & VOLATILE) !== 0;
  }

  #restore(targets: readonly Known[], values: readonly Value[]): void {
    for (const [i, { name, parameter }] of targets.entries()) {
      const value = values[i];
      this.#values.set(parameter.name, value);
      if (parameter.name !== 'dir') continue;
      const error = this.directory.change(value as string);
      if (error !== null)
        this.log(
          'warning',
          `Failed restoring failed CONFIG SET command. Error setting ${name} to '${value}': ${error}`,
        );
    }
  }

  #apply(hooks: ReadonlyMap<ApplyHook, string>, restore: () => void): string | null {
    for (const [hook, name] of hooks) {
      const error = failureOf(hook);
      if (error === null) continue;
      this.log(
        'warning',
        `Failed applying new configuration. Possibly related to new ${name} setting. Restoring previous settings.`,
      );
      restore();
      for (const again of hooks.keys()) {
        const failure = failureOf(again);
        if (failure !== null)
          this.log('warning', `Failed applying restored failed CONFIG SET command: ${failure}`);
      }
      return setFailed(name, error);
    }
    return null;
  }

  /** Runs a change and tells the listeners of it if it succeeds; a change inside of another belongs to that one. */
  #change(run: (changed: Set<ParameterName>) => string | null): string | null {
    if (this.#changing !== null) return run(this.#changing);
    const changed = new Set<ParameterName>();
    this.#changing = changed;
    let error: string | null;
    try {
      error = run(changed);
    } finally {
      this.#changing = null;
    }
    if (error === null && changed.size > 0) {
      for (const listener of this.#listeners) listener([...changed]);
    }
    return error;
  }
}
