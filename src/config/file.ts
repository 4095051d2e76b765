// Start-up configuration: the command line, standard input and valkey.conf become values of a Config.
//
// The three are one text, in the order file, standard input, command line, so the last mention of a parameter wins,
// and the line number of an error counts from the start of the file. A failure is a ConfigError; nothing is rolled
// back, since a server does not start from half a configuration.

import { closeSync, openSync, readFileSync } from 'node:fs';
import { asciiLower, cString, fromUtf8, toPath, toUtf8 } from './bytes.js';
import { type Config, findParameter } from './config.js';
import { absolutePath, joinPath } from './directory.js';
import { errorCode, strerror } from './errno.js';
import { expandWildcard, isWildcard } from './include.js';
import { isMultiple } from './parameter.js';
import { quote, splitWords } from './quoting.js';

const VERSION = '9.1.2';

/** Deeper than any sane layout; a file that includes itself must not end as a stack overflow. */
const MAX_INCLUDE_DEPTH = 64;

/** Once parameters, now accepted with one value and without effect, so that old files still start a server. */
const retired: ReadonlySet<string> = new Set([
  'list-max-ziplist-entries',
  'list-max-ziplist-value',
  'lua-replicate-commands',
  'io-threads-do-reads',
  'dynamic-hz',
  'events-per-io-thread',
  'sanitize-dump-payload',
]);

export interface ConfigErrorPlace {
  /** The file, "standard input" or "the command line". */
  source: string;
  line: number;
  text: string;
}

/** Why a server cannot start from this configuration. Texts are latin1 bytes. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly reason: string;
  /** Null: the error belongs to the configuration as a whole. */
  readonly place: ConfigErrorPlace | null;

  constructor(reason: string, place: ConfigErrorPlace | null = null) {
    const where = place === null ? '' : `${place.source}, line ${place.line}: `;
    super(toUtf8(`${where}${reason}`));
    this.reason = reason;
    this.place = place;
  }

  /**
   * What the server prints to standard error before it exits: Valkey's words, then the file that is meant. Latin1 bytes.
   */
  report(): string {
    const lines = ['', `*** FATAL CONFIG FILE ERROR (Version ${VERSION}) ***`];
    if (this.place !== null) {
      lines.push(`Reading the configuration file, at line ${this.place.line}`, `>>> '${this.place.text}'`);
    }
    lines.push(this.reason);
    if (this.place !== null) lines.push(`(in ${this.place.source})`);
    return `${lines.join('\n')}\n`;
  }
}

export interface Arguments {
  /** As given; null: none. Latin1 bytes, as is `options`. */
  file: string | null;
  stdin: boolean;
  /** The options of the command line as lines of a configuration file. */
  options: string;
}

/**
 * Reads `[file] [--name value ...] [-]`, the arguments behind the program's name. `-` stands first or last. An
 * argument that begins with `--` is a name only if the option before it has a value, so a value may begin with `--`;
 * `--save` alone means `save ""`.
 */
export function parseArguments(argv: readonly string[]): Arguments {
  const words = argv.map(fromUtf8);
  const file = words.length > 0 && !words[0]!.startsWith('-') ? words[0]! : null;
  let options = '';
  let stdin = false;
  let hasValue = true;
  for (let i = file === null ? 0 : 1; i < words.length; i++) {
    const word = words[i]!;
    const last = i === words.length - 1;
    if (word === '-' && (i === 0 || last)) {
      stdin = true;
    } else if (hasValue && word.startsWith('--')) {
      if (options !== '') options += '\n';
      options += `${word.slice(2)} `;
      // "--port 6379" in one argument brings its value along.
      hasValue = splitWords(word)?.length !== 1;
      if (hasValue) continue;
      const bare = last || words[i + 1]!.startsWith('--');
      if (asciiLower(word) === '--save' && bare) {
        options += '""';
        hasValue = true;
      } else if (asciiLower(word) === '--sentinel' && bare) {
        hasValue = true;
      }
    } else {
      options += `${quote(word)} `;
      hasValue = true;
    }
  }
  return { file, stdin, options };
}

/** The directives that belong to other parts of the server. Both return the reason for which they refuse, or null. */
export interface Directives {
  /**
   * `to` empty: the command is removed. Valkey's reasons: "No such command in rename-command", "Target command name
   * already exists".
   */
  renameCommand(from: string, to: string): string | null;
  /** The words behind `user`. Valkey's reason: "Error in user declaration '<word>': <what the ACL parser says>". */
  user(words: readonly string[]): string | null;
}

export interface Sources {
  arguments: Arguments;
  /** Everything on standard input, latin1; called at most once. */
  readStdin?: () => string;
}

/** Reads standard input to its end, blocking. */
export function readStandardInput(): string {
  return readFileSync(0, 'latin1');
}

/** Brings `config` to what file, standard input and command line say. Throws ConfigError. */
export function loadConfig(config: Config, sources: Sources, directives: Directives): void {
  const { file, stdin, options } = sources.arguments;
  if (file !== null) config.file = absolutePath(config.directory.path, file);
  const text = new SourceText();
  if (config.file !== null) text.addFiles(config, config.file);
  if (stdin) {
    config.log('notice', 'Reading config from stdin');
    text.add('standard input', (sources.readStdin ?? readStandardInput)());
  }
  text.add('the command line', `\n${options}`);
  new Loader(config, directives).load(text, 0);
}

/** Concatenated texts that still know where each line came from. */
class SourceText {
  #text = '';
  readonly #starts: { offset: number; source: string }[] = [];

  add(source: string, text: string): void {
    this.#starts.push({ offset: this.#text.length, source });
    // A NUL ends its line for C, together with the line break behind it.
    this.#text += text.replace(/\0[^\n]*\n?/g, '');
  }

  addFiles(config: Config, path: string): void {
    const { directory } = config;
    const paths = isWildcard(path) ? expandWildcard(path, directory.path) : [path];
    for (const each of paths) this.add(each, readConfigFile(joinPath(directory.path, each), each));
  }

  *lines(): Generator<ConfigErrorPlace> {
    if (this.#text === '') return;
    let offset = 0;
    let number = 0;
    for (const raw of this.#text.split('\n')) {
      number++;
      const start = this.#starts.findLast((each) => each.offset <= offset)!;
      // The line break in front of the options is the file's, so that its last line has one.
      yield { source: start.source, line: number, text: raw.replace(/^[ \t\r]+|[ \t\r]+$/g, '') };
      offset += raw.length + 1;
    }
  }
}

function readConfigFile(path: string, shown: string): string {
  try {
    return readFileSync(toPath(cString(path)), 'latin1');
  } catch (error) {
    // C opens a directory and reads nothing from it.
    if (errorCode(error) === 'EISDIR') return '';
    throw new ConfigError(`Fatal error, can't open config file '${shown}': ${strerror(error)}`);
  }
}

class Loader {
  readonly #config: Config;
  readonly #directives: Directives;
  /** The first `save` replaces the default points; those after it add to it. */
  #saveMentioned = false;
  #reading = false;

  constructor(config: Config, directives: Directives) {
    this.#config = config;
    this.#directives = directives;
  }

  load(text: SourceText, depth: number): void {
    this.#reading = true;
    for (const place of text.lines()) {
      if (place.text === '' || place.text.startsWith('#')) continue;
      const words = splitWords(place.text);
      if (words === null) throw new ConfigError('Unbalanced quotes in configuration line', place);
      if (words.length === 0) continue;
      const [name, ...values] = [asciiLower(words[0]!), ...words.slice(1)] as [string, ...string[]];
      const reason = this.#directive(name, values, depth, place);
      if (reason !== null) throw new ConfigError(reason, place);
    }
    this.#finish();
    // Back in the text that included this one, `save` replaces instead of adding, as in Valkey.
    this.#reading = false;
  }

  #directive(name: string, values: readonly string[], depth: number, place: ConfigErrorPlace): string | null {
    const parameter = findParameter(name);
    if (parameter !== null) {
      if (!isMultiple(parameter)) {
        if (values.length !== 1) return 'wrong number of arguments';
        return this.#config.load(parameter, values, false);
      }
      // One argument may hold them all: save "900 1 300 10".
      const split = values.length === 1 && values[0] !== '' ? (splitWords(values[0]!) ?? []) : values;
      return this.#config.load(parameter, split, parameter.name === 'save' && this.#appendsSave());
    }
    if (retired.has(name) && values.length === 1) return null;
    if (name === 'include' && values.length === 1) return this.#include(values[0]!, depth, place);
    if (name === 'rename-command' && values.length === 2)
      return this.#directives.renameCommand(values[0]!, values[1]!);
    if (name === 'user' && values.length >= 1) return this.#directives.user(values);
    if (name === 'loadmodule' && values.length >= 1)
      return 'loadmodule: modules are not supported by this server';
    if (name.includes('.')) {
      if (values.length === 0) return 'Module config specified without value';
      return 'Module Configuration detected without loadmodule directive or no ApplyConfig call: aborting';
    }
    if (name === 'sentinel') {
      return values.length === 0
        ? 'sentinel mode is not supported by this server'
        : 'sentinel directive while not in sentinel mode';
    }
    return 'Bad directive or wrong number of arguments';
  }

  #appendsSave(): boolean {
    if (!this.#reading) return false;
    const append = this.#saveMentioned;
    this.#saveMentioned = true;
    return append;
  }

  #include(path: string, depth: number, place: ConfigErrorPlace): string | null {
    if (depth >= MAX_INCLUDE_DEPTH) return `include is nested deeper than ${MAX_INCLUDE_DEPTH} files`;
    const text = new SourceText();
    try {
      text.addFiles(this.#config, path);
    } catch (error) {
      if (error instanceof ConfigError) throw new ConfigError(error.reason, place);
      throw error;
    }
    this.load(text, depth + 1);
    return null;
  }

  /** What only the configuration as a whole can show. */
  #finish(): void {
    const config = this.#config;
    const logFile = config.str('logfile');
    if (logFile !== '') {
      try {
        closeSync(openSync(toPath(joinPath(config.directory.path, logFile)), 'a'));
      } catch (error) {
        throw new ConfigError(`Can't open the log file: ${strerror(error)}`);
      }
    }
    if (config.bool('cluster-enabled') && config.value('replicaof') !== null)
      throw new ConfigError('replicaof directive not allowed in cluster mode');
    config.loaded();
  }
}
