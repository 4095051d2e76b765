/**
 * The command line of `kvasir-server`, which is `valkey-server`'s (main() of server.c).
 *
 *   kvasir-server [config file] [--option value ...] [-]
 *
 * The result is what the configuration is loaded from, in the order in which it counts: file, then standard
 * input, then the options as lines of configuration text; the last mention of a parameter wins. Options are
 * not interpreted here: every argument after `--name` belongs to it until the next argument that starts
 * with `--`, and the first value is taken even when it starts with `--`. Values are quoted as configuration
 * text, so that any bytes survive.
 */
import { resolve } from 'node:path';

export interface ServeArgs {
  action: 'serve';
  /** Absolute path (it may be a glob pattern, as Valkey accepts one), or null. */
  configFile: string | null;
  fromStdin: boolean;
  /** Lines of configuration text, without a line end after the last; '' for none. */
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
 * Quotes as sdscatrepr does: a double-quoted string of printable ASCII in which everything else is escaped.
 */
export function quoteConfigValue(value: string): string {
  let out = '"';
  for (const byte of Buffer.from(value, 'utf8')) {
    switch (byte) {
      case 0x5c:
      case 0x22:
        out += `\\${String.fromCharCode(byte)}`;
        break;
      case 0x0a:
        out += '\\n';
        break;
      case 0x0d:
        out += '\\r';
        break;
      case 0x09:
        out += '\\t';
        break;
      case 0x07:
        out += '\\a';
        break;
      case 0x08:
        out += '\\b';
        break;
      default:
        out +=
          byte >= 0x20 && byte < 0x7f
            ? String.fromCharCode(byte)
            : `\\x${byte.toString(16).padStart(2, '0')}`;
    }
  }
  return `${out}"`;
}

/** Whether `--name` stands alone, its value in the next argument, and not `--name value` in one. */
function isNameOnly(argument: string): boolean {
  return argument.trim().split(/\s+/).length === 1;
}

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

  const configFile = first.startsWith('-') ? null : resolve(first);
  const start = configFile === null ? 0 : 1;
  const last = args.length - 1;
  let fromStdin = false;
  let options = '';
  let named = true;
  for (let i = start; i <= last; i++) {
    const arg = args[i]!;
    if (arg === '-' && (i === 0 || i === last)) {
      fromStdin = true;
    } else if (named && arg.startsWith('--')) {
      if (options !== '') options += '\n';
      options += `${arg.slice(2)} `;
      named = !isNameOnly(arg);
      // `--save` without a value means "no save points", as a command line built from an empty list has it.
      if (!named && arg.toLowerCase() === '--save' && (i === last || args[i + 1]!.startsWith('--'))) {
        options += '""';
        named = true;
      }
    } else {
      options += `${quoteConfigValue(arg)} `;
      named = true;
    }
  }
  return { action: 'serve', configFile, fromStdin, options, bare: false };
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
