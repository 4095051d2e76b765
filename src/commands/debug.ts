/**
 * DEBUG: what tests need to look inside the server, or to make it do what seldom happens. The subcommands that belong to
 * a subsystem (persistence, replication, cluster, lists) come with it.
 */

import { parseMemory } from '../config/numbers.js';
import { rewriteConfig } from '../config/rewrite.js';
import {
  Double,
  ErrorReply,
  encodeReply,
  MapReply,
  OK,
  PushReply,
  Raw,
  type Reply,
  SetReply,
  Status,
  Verbatim,
} from '../resp/reply.js';
import type { CommandCall, TsHandler } from './context.js';
import { debugLoadAof, debugReload } from './persistence-handlers.js';

interface Subcommand {
  /** Numbers of arguments, with `debug` and the subcommand's name. */
  readonly argc: readonly [min: number, max: number];
  readonly run: TsHandler;
  readonly help: string;
}

/** What DEBUG REPLYBUFFER PEAK-RESET-TIME RESET goes back to. */
const PEAK_RESET_MS = 5000;

/** A little less than 4 GiB: an element that is not plain must fit into a listpack. */
const MAX_PACKED_THRESHOLD = 2n ** 32n - 2n ** 20n;

const NOT_AN_INTEGER = new ErrorReply('ERR value is not an integer or out of range');
const NOT_POSITIVE = new ErrorReply('ERR value is out of range, must be positive');
const NO_SUCH_KEY = new ErrorReply('ERR no such key');

/** As C's atoi: what is no number is 0. */
const flag = (text: string): boolean => (Number.parseInt(text, 10) || 0) !== 0;

const same = (text: string | undefined, word: string): boolean => text?.toLowerCase() === word;

function integer(text: string): number | undefined {
  if (!/^(0|-?[1-9]\d{0,15})$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** A handler that turns something on (1) or off (0). */
function switches(what: string): TsHandler {
  return ({ server }, args) => {
    server.native.debug(what, flag(args[2]!));
    return OK;
  };
}

const crash =
  (how: string): TsHandler =>
  ({ server }) => {
    server.native.debug('crash', how);
    return OK;
  };

/** `segfault` has no argument, but any number is accepted; and so with all that have this. */
const ANY: readonly [number, number] = [2, Number.POSITIVE_INFINITY];

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  'aof-flush-sleep': {
    argc: [3, 3],
    run: ({ server }, args) => {
      server.native.aof('flush-sleep', Math.max(0, Number.parseInt(args[2]!, 10) || 0));
      return OK;
    },
    help: `AOF-FLUSH-SLEEP <microsec>
    Server will sleep before flushing the AOF, this is used for testing.`,
  },
  assert: { argc: ANY, run: crash('assert'), help: 'ASSERT\n    Crash by assertion failed.' },
  'config-rewrite-force-all': {
    argc: [2, 2],
    run: ({ server }) => {
      const error = rewriteConfig(server.config, { users: () => [], force: true });
      return error === null ? OK : new ErrorReply(`ERR CONFIG-REWRITE-FORCE-ALL failed: ${error}`);
    },
    help: `CONFIG-REWRITE-FORCE-ALL
    Like CONFIG REWRITE but writes all configuration options, including
    keywords not listed in original configuration file or default values.`,
  },
  digest: {
    argc: [2, 2],
    run: ({ server }) => new Status(server.native.debug('digest')),
    help: 'DIGEST\n    Output a hex signature representing the current DB content.',
  },
  'digest-value': {
    argc: ANY,
    run: ({ server, client }, args) =>
      args.slice(2).map((key) => new Status(server.native.debug('digest', client.db, key))),
    help: 'DIGEST-VALUE <key> [<key> ...]\n    Output a hex signature of the values of all the specified keys.',
  },
  error: {
    argc: [3, 3],
    run: (_call, args) => new ErrorReply(args[2]!),
    help: `ERROR <string>
    Return a RESP protocol error with <string> as message. Useful for clients
    unit tests to simulate error replies.`,
  },
  loadaof: {
    argc: ANY,
    run: debugLoadAof,
    help: 'LOADAOF\n    Flush the AOF buffers on disk and reload the AOF in memory.',
  },
  log: {
    argc: [3, 3],
    run: ({ server }, args) => {
      server.log.write('warning', Buffer.from(`DEBUG LOG: ${args[2]!}`, 'latin1'));
      return OK;
    },
    help: 'LOG <message>\n    Write <message> to the server log.',
  },
  htstats: {
    argc: [3, Number.POSITIVE_INFINITY],
    run: ({ server }, args) => {
      const db = integer(args[2]!);
      if (db === undefined) return NOT_AN_INTEGER;
      if (db < 0 || db >= databases(server)) return new ErrorReply('ERR Out of range database');
      return new Verbatim('txt', server.native.debug('htstats', db, same(args[3], 'full')));
    },
    help: 'HTSTATS <dbid> [full]\n    Return hash table statistics of the specified database.',
  },
  'htstats-key': {
    argc: [3, Number.POSITIVE_INFINITY],
    run: ({ server, client }, args) => {
      const text = server.native.debug('htstats-key', client.db, args[2]!, same(args[3], 'full'));
      if (text === undefined) return NO_SUCH_KEY;
      if (text !== false) return new Verbatim('txt', text);
      return new ErrorReply(
        'ERR The value stored at the specified key is not represented using an hash table',
      );
    },
    help: "HTSTATS-KEY <key> [full]\n    Like HTSTATS but for the hash table stored at <key>'s value.",
  },
  object: {
    argc: [3, 4],
    run: ({ server, client }, args) => {
      const text = server.native.debug('object', client.db, args[2]!, same(args[3], 'fast'));
      return text === undefined ? NO_SUCH_KEY : new Status(text);
    },
    help: `OBJECT <key> [fast]
    Show low level info about \`key\` and associated value.
    Some fields of the default behavior may be time consuming to fetch,
    and \`fast\` can be passed to avoid fetching them.`,
  },
  oom: { argc: ANY, run: crash('oom'), help: 'OOM\n    Crash the server simulating an out-of-memory error.' },
  panic: { argc: ANY, run: crash('panic'), help: 'PANIC\n    Crash the server simulating a panic.' },
  populate: {
    argc: [3, 5],
    run: populate,
    help: `POPULATE <count> [<prefix>] [<size>]
    Create <count> string keys named key:<num>. If <prefix> is specified then
    it is used instead of the 'key' prefix. These are not propagated to
    replicas. Cluster slots are not respected so keys not belonging to the
    current node can be created in cluster mode.`,
  },
  protocol: {
    argc: [3, 3],
    run: protocol,
    help: `PROTOCOL <type>
    Reply with a test value of the specified type. <type> can be: string,
    integer, double, bignum, null, array, set, map, attrib, push, verbatim,
    true, false.`,
  },
  'quicklist-packed-threshold': {
    argc: [3, 3],
    run: ({ server }, args) => {
      const bytes = parseMemory(args[2]!);
      if (bytes === null || bytes > MAX_PACKED_THRESHOLD) {
        return new ErrorReply('ERR argument must be a memory value bigger than 1 and smaller than 4gb');
      }
      server.native.debug('quicklist-packed-threshold', Number(bytes));
      return OK;
    },
    help: `QUICKLIST-PACKED-THRESHOLD <size>
    Sets the threshold for elements to be inserted as plain vs packed nodes
    Default value is 1GB, allows values up to 4GB. Setting to 0 restores to default.`,
  },
  reload: {
    argc: ANY,
    run: debugReload,
    help: `RELOAD [option ...]
    Save the RDB on disk and reload it back to memory. Valid <option> values:
    * MERGE: conflicting keys will be loaded from RDB.
    * NOFLUSH: the existing database will not be removed before load, but
      conflicting keys will generate an exception and kill the server.
    * NOSAVE: the database will be loaded from an existing RDB file.
    Examples:
    * DEBUG RELOAD: verify that the server is able to persist, flush and reload
      the database.
    * DEBUG RELOAD NOSAVE: replace the current database with the contents of an
      existing RDB file.
    * DEBUG RELOAD NOSAVE NOFLUSH MERGE: add the contents of an existing RDB
      file to the database.`,
  },
  segfault: { argc: ANY, run: crash('segfault'), help: 'SEGFAULT\n    Crash the server with sigsegv.' },
  'set-active-expire': {
    argc: [3, 3],
    run: switches('active-expire'),
    help: `SET-ACTIVE-EXPIRE <0|1>
    Setting it to 0 disables expiring keys in background when they are not
    accessed (otherwise the behavior). Setting it to 1 reenables back the
    default.`,
  },
  'set-skip-checksum-validation': {
    argc: [3, 3],
    run: switches('skip-checksum-validation'),
    help: `SET-SKIP-CHECKSUM-VALIDATION <0|1>
    Enables or disables checksum checks for RDB files and RESTORE's payload.`,
  },
  simd: {
    argc: [2, 3],
    run: ({ server }, args) => {
      const names = args.length > 2 ? server.native.debug('simd', args[2]!) : server.native.debug('simd');
      if (names !== undefined) return names[0]!;
      const [, ...known] = server.native.debug('simd')!;
      return new ErrorReply(`ERR No such kernels here. Known: auto, ${known.join(', ')}`);
    },
    help: `SIMD [<name>|auto]
    Show which kernels count bits and merge HyperLogLogs. With a name, use these
    from now on; with auto, the fastest that the CPU can run.`,
  },
  sleep: {
    argc: [3, 3],
    run: ({ server }, args) => {
      const seconds = Number.parseFloat(args[2]!) || 0;
      if (seconds > 0) server.native.debug('sleep', Math.trunc(seconds * 1e6));
      return OK;
    },
    help: 'SLEEP <seconds>\n    Stop the server for <seconds>. Decimals allowed.',
  },
  'stringmatch-test': {
    argc: [2, 2],
    run: ({ server }) => {
      server.native.debug('glob-test');
      return new Status('Apparently the server did not crash: test passed');
    },
    help: 'STRINGMATCH-TEST\n    Run a fuzz tester against the stringmatchlen() function.',
  },
  structsize: {
    argc: [2, 2],
    // The sizes of Valkey's structures, which its clients may reckon with: ours have no counterparts.
    run: () => 'bits:64 robj:16 dictentry:24 sdshdr5:1 sdshdr8:3 sdshdr16:5 sdshdr32:9 sdshdr64:17 ',
    help: 'STRUCTSIZE\n    Return the size of different core C structures.',
  },
  'pause-cron': {
    argc: [3, 3],
    run: switches('pause-cron'),
    help: 'PAUSE-CRON <0|1>\n    Stop periodic cron job processing.',
  },
  replybuffer: {
    argc: [4, 4],
    run: replyBuffer,
    help: `REPLYBUFFER PEAK-RESET-TIME <NEVER||RESET|time>
    Sets the time (in milliseconds) to wait between client reply buffer peak resets.
    In case NEVER is provided the last observed peak will never be reset
    In case RESET is provided the peak reset time will be restored to the default value
REPLYBUFFER RESIZING <0|1>
    Enable or disable the reply buffer resize cron job`,
  },
  'dict-resizing': {
    argc: [3, 3],
    run: switches('dict-resizing'),
    help: 'DICT-RESIZING <0|1>\n    Enable or disable the main dict and expire dict resizing.',
  },
  'hashtable-can-abort-shrink': {
    argc: [3, 3],
    // Our tables shrink by steps that inserting cannot overrun and never abort one, so both settings hold.
    run: () => OK,
    help: 'HASHTABLE-CAN-ABORT-SHRINK <0|1>\n    Enable or disable the hashtable shrink abort.',
  },
  'client-enforce-reply-list': {
    argc: [3, 3],
    run: ({ server }, args) => {
      server.native.setting('debug-client-enforce-reply-list', flag(args[2]!));
      return OK;
    },
    help: `CLIENT-ENFORCE-REPLY-LIST <0|1>
    When set to 1, it enforces the use of the client reply list directly
    and avoids using the client's static buffer.`,
  },
  help: { argc: [2, 2], run: debugHelp, help: 'HELP\n    Print this help.' },
};

export function debugCommand(call: CommandCall, args: string[]): Reply | Promise<Reply> {
  const name = args[1]!.toLowerCase();
  const subcommand = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined;
  if (subcommand === undefined || args.length < subcommand.argc[0] || args.length > subcommand.argc[1]) {
    return unknownSubcommand(args);
  }
  return subcommand.run(call, args);
}

function unknownSubcommand(args: readonly string[]): Reply {
  const name = args[1]!.slice(0, 128).split('\0', 1)[0];
  return new ErrorReply(`ERR unknown subcommand or wrong number of arguments for '${name}'. Try DEBUG HELP.`);
}

function debugHelp(): Reply {
  const texts = Object.values(SUBCOMMANDS).flatMap(({ help }) => help.split('\n'));
  return ['DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:', ...texts].map(
    (t) => new Status(t),
  );
}

function databases(server: CommandCall['server']): number {
  return server.config.int(server.config.bool('cluster-enabled') ? 'cluster-databases' : 'databases');
}

function populate({ server, client }: CommandCall, args: string[]): Reply {
  const count = integer(args[2]!);
  const size = args[4] === undefined ? 0 : integer(args[4]);
  for (const n of [count, size]) {
    if (n === undefined || n < 0) return NOT_POSITIVE;
  }
  server.native.debug('populate', client.db, count!, args[3] ?? 'key', size!);
  return OK;
}

function protocol({ client: { resp } }: CommandCall, args: string[]): Reply {
  switch (args[2]!.toLowerCase()) {
    case 'string':
      return 'Hello World';
    case 'integer':
      return 12345;
    case 'double':
      // biome-ignore lint/suspicious/noApproximativeNumericConstant: the value that Valkey sends
      return new Double(3.141);
    case 'bignum': {
      const digits = '1234567999999999999999999999999999999';
      return resp === 3 ? new Raw(`(${digits}\r\n`) : digits;
    }
    case 'null':
      return null;
    case 'array':
      return [0, 1, 2];
    case 'set':
      return new SetReply([0, 1, 2]);
    case 'map':
      return new MapReply([0, 1, 2].map((i) => [i, i === 1]));
    case 'attrib': {
      const attribute = ['key-popularity', ['key:123', 90]].map((part) => encodeReply(part, resp)).join('');
      const reply = encodeReply('Some real reply following the attribute', resp);
      return new Raw(resp === 3 ? `|1\r\n${attribute}${reply}` : reply);
    }
    case 'push': {
      if (resp < 3) return new ErrorReply('ERR RESP2 is not supported by this command');
      const push = encodeReply(new PushReply(['server-cpu-usage', 42]), resp);
      return new Raw(push + encodeReply('Some real reply following the push reply', resp));
    }
    case 'true':
      return true;
    case 'false':
      return false;
    case 'verbatim':
      return new Verbatim('txt', 'This is a verbatim\nstring');
    default:
      return new ErrorReply(
        'ERR Wrong protocol type name. Please use one of the following: ' +
          'string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false',
      );
  }
}

function replyBuffer({ server }: CommandCall, args: string[]): Reply {
  const value = args[3]!;
  if (same(args[2], 'resizing')) {
    server.native.debug('reply-buffer-resizing', flag(value));
    return OK;
  }
  if (!same(args[2], 'peak-reset-time')) return unknownSubcommand(args);
  if (same(value, 'reset')) {
    server.native.setting('debug-replybuffer-peak-reset-time', PEAK_RESET_MS);
    return OK;
  }
  const ms = same(value, 'never') ? -1 : integer(value);
  if (ms === undefined) return NOT_AN_INTEGER;
  server.native.setting('debug-replybuffer-peak-reset-time', ms);
  return OK;
}
