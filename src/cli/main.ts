/**
 * The `kvasir` program: one command a file's worth of behaviour. `kvasir server` is `kvasir-server`, argument
 * for argument.
 */
import { Command } from 'commander';
import { KVASIR_VERSION, VALKEY_VERSION } from '../version.js';
import { runCheckAof } from './check-aof.js';
import { processTerminal, reportStartFailure, runServer, type Serve, type Terminal } from './server.js';

/** @param program the program's path, which a restart of `kvasir server` runs again. */
export function createProgram(program: string, serve: Serve, terminal: Terminal = processTerminal): Command {
  const kvasir = new Command('kvasir')
    .description('A Valkey-compatible in-memory data store that lives in Node.js.')
    .version(`kvasir ${KVASIR_VERSION} (Valkey ${VALKEY_VERSION})`, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .enablePositionalOptions()
    .showHelpAfterError();

  kvasir
    .command('server')
    .description('run a server; takes what kvasir-server takes (kvasir server --help)')
    .argument('[arguments...]', '[config file] [--option value ...] [-]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args: string[]) => {
      try {
        const code = await runServer(program, args, serve, terminal, ['server']);
        if (code !== null) process.exitCode = code;
      } catch (error) {
        reportStartFailure(error);
      }
    });

  kvasir
    .command('check-aof')
    .description('check an append-only file or its manifest, and cut off what is not whole')
    .argument('[arguments...]', '[--fix | --truncate-to-timestamp <unix time>] <file.manifest | file.aof>')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action((args: string[]) => {
      process.exitCode = runCheckAof('kvasir check-aof', args);
    });

  return kvasir;
}

export async function kvasirMain(argv: readonly string[], serve: Serve): Promise<void> {
  await createProgram(argv[1] ?? 'kvasir', serve).parseAsync(argv);
}
