/**
 * The `kvasir-server` program up to the point where a server has to be started: reads the command line,
 * answers what needs no server, reads standard input when asked to, and hands over to `serve`.
 */
import { readFileSync } from 'node:fs';
import { runSystemChecks } from '../server/system-checks.js';
import { VALKEY_VERSION, versionLine } from '../version.js';
import { testMemory } from './memory-test.js';
import { parseServerArgs, SERVER_USAGE } from './server-args.js';

/** What a server is started from. */
export interface ServerStart {
  /** Absolute path or glob pattern of the configuration file, or null. */
  configFile: string | null;
  /** Configuration text from standard input (one character per byte), or null when it was not asked for. */
  stdin: string | null;
  /** Configuration lines from the command line, one character per byte; they come last and win. */
  options: string;
  /** No argument was given. */
  bare: boolean;
  /** The program's path as it was called, for the process title and messages. */
  program: string;
  /** What to run again for this server: Node's flags, the program, its arguments (daemonize, DEBUG RESTART). */
  command: readonly string[];
  /** The working directory before `dir` is applied; relative paths in `command` are meant from here. */
  cwd: string;
}

/** Starts the server; resolves when it is up (the process then lives on), rejects when it cannot start. */
export type Serve = (start: ServerStart) => Promise<void>;

export interface Terminal {
  out: (text: string) => void;
  err: (text: string) => void;
  /** All of standard input. */
  stdin: () => string;
}

export const processTerminal: Terminal = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  stdin: () => readFileSync(0, 'latin1'),
};

const MEMORY_TEST_PASSES = 50;

/**
 * @param program the program's path.
 * @param args what follows it.
 * @param prefix arguments between the two that a restart has to repeat (`server` of `kvasir server`).
 * @returns the exit code, or null when a server runs now.
 */
export async function runServer(
  program: string,
  args: readonly string[],
  serve: Serve,
  terminal: Terminal = processTerminal,
  prefix: readonly string[] = [],
): Promise<number | null> {
  const parsed = parseServerArgs(args, program);
  switch (parsed.action) {
    case 'version':
      terminal.out(`${versionLine('kvasir')}\n`);
      return 0;
    case 'help':
      terminal.out(SERVER_USAGE);
      return 0;
    case 'check-system':
      return runSystemChecks(terminal.out) ? 0 : 1;
    case 'test-memory':
      return testMemory(parsed.megabytes, MEMORY_TEST_PASSES, terminal.out) ? 0 : 1;
    case 'refuse':
      terminal.err(`${parsed.message}\n`);
      return 1;
    case 'serve': {
      const { configFile, fromStdin, options, bare } = parsed;
      // The configuration file's path is absolute in what a restart runs: `dir` may have moved us by then.
      const repeated = configFile === null ? args : [configFile, ...args.slice(1)];
      await serve({
        configFile,
        stdin: fromStdin ? terminal.stdin() : null,
        options,
        bare,
        program,
        command: [...process.execArgv, program, ...prefix, ...repeated],
        cwd: process.cwd(),
      });
      return null;
    }
  }
}

/**
 * The program itself. A start that fails says so on standard error with the words the test harness of Valkey
 * watches for, and exits with 1.
 */
export async function serverMain(argv: readonly string[], serve: Serve): Promise<void> {
  try {
    const code = await runServer(argv[1] ?? 'kvasir-server', argv.slice(2), serve);
    if (code !== null) process.exitCode = code;
  } catch (error) {
    reportStartFailure(error);
  }
}

export function reportStartFailure(error: unknown): never {
  const text = error instanceof Error ? error.message : String(error);
  const marker = 'FATAL CONFIG FILE ERROR';
  process.stderr.write(
    text.includes(marker)
      ? `${text}\n`
      : `*** ${marker} or other failure at start-up (Version ${VALKEY_VERSION}) ***\n${text}\n`,
  );
  process.exit(1);
}
