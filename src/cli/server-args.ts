/**
 * The command line of `kvasir-server`, which is `valkey-server`'s (main() of server.c).
 *
 *   kvasir-server [config file] [--option value ...] [-]
 *
 * What stands in first place may ask for something else than a server; the rest is configuration
 * (`parseArguments`): file, then standard input, then the options, and the last mention of a parameter wins.
 */
import { resolve } from 'node:path';
import { parseArguments } from '../config/file.js';

export interface ServeArgs {
  action: 'serve';
  /** Absolute path (it may be a glob pattern, as Valkey accepts one), or null. */
  configFile: string | null;
  fromStdin: boolean;
  /** Lines of configuration text, one character per byte; '' for none. */
  options: string;
  /** No argument at all: the server warns that it runs on defaults. */
  bare: boolean;
}

export type ServerArgs =
  | ServeArgs
  | { action: 'version' | 'help' | 'check-system' }
  | { action: 'test-memory'; megabytes: number }
  | { action: 'refuse'; message: string };

const SENTINEL_REFUSAL =
  'Kvasir does not run as Sentinel (it can be watched by one). Use valkey-sentinel, or the cluster mode.';
const TEST_MEMORY_USAGE =
  'Please specify the amount of memory to test in megabytes.\nExample: kvasir-server --test-memory 4096\n';

/**
 * @param args what follows the program's name.
 * @param program the name it was called by; one that contains `valkey-sentinel` asks for Sentinel.
 */
export function parseServerArgs(args: readonly string[], program = 'kvasir-server'): ServerArgs {
  if (/(valkey|redis)-sentinel/.test(program) || args.includes('--sentinel')) {
    return { action: 'refuse', message: SENTINEL_REFUSAL };
  }
  const first = args[0];
  switch (first) {
    case undefined:
      return { action: 'serve', configFile: null, fromStdin: false, options: '', bare: true };
    case '-v':
    case '--version':
      return { action: 'version' };
    case '-h':
    case '--help':
      return { action: 'help' };
    case '--check-system':
      return { action: 'check-system' };
    case '--test-memory': {
      const megabytes = Number.parseInt(args[1] ?? '', 10);
      if (args.length !== 2 || !(megabytes > 0)) return { action: 'refuse', message: TEST_MEMORY_USAGE };
      return { action: 'test-memory', megabytes };
    }
  }

  const { file, stdin, options } = parseArguments(args);
  const configFile = file === null ? null : resolve(first);
  return { action: 'serve', configFile, fromStdin: stdin, options, bare: false };
}

export const SERVER_USAGE = `Usage: kvasir-server [/path/to/valkey.conf] [options] [-]
       kvasir-server - (read config from stdin)
       kvasir-server -v or --version
       kvasir-server -h or --help
       kvasir-server --test-memory <megabytes>
       kvasir-server --check-system

Examples:
       kvasir-server (run the server with default conf)
       echo 'maxmemory 128mb' | kvasir-server -
       kvasir-server /etc/valkey/6379.conf
       kvasir-server --port 7777
       kvasir-server --port 7777 --replicaof 127.0.0.1 8888
       kvasir-server /etc/myvalkey.conf --loglevel verbose -

Every option is a parameter of valkey.conf.
`;
