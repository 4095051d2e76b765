/** INFO, COMMANDLOG, SLOWLOG, LATENCY, MEMORY and LOLWUT, as handlers of the command table. */
import { asciiLower } from '../config/bytes.js';
import { parseDouble, parseInteger } from '../config/numbers.js';
import { pour } from '../observability/art.js';
import { infoText } from '../observability/info.js';
import { latencyGraph, latencyReport } from '../observability/latency.js';
import { memoryFigures, memoryReport } from '../observability/memory.js';
import { Double, ErrorReply, MapReply, OK, type Reply, Verbatim } from '../resp/reply.js';
import { REDIS_VERSION, VALKEY_VERSION } from '../version.js';
import type { CommandCall } from './context.js';

const NOT_AN_INTEGER = new ErrorReply('ERR value is not an integer or out of range');
const NOT_A_FLOAT = new ErrorReply('ERR value is not a valid float');

const unixTime = () => Math.floor(Date.now() / 1000);

/** INFO [section ...] */
export function info({ server }: CommandCall, args: string[]): Reply {
  return new Verbatim('txt', infoText(server, args.slice(1)));
}

// ------------------------------------------------------------------ COMMANDLOG, SLOWLOG

const LOG_TYPES = ['slow', 'large-request', 'large-reply'] as const;
const SLOW = 0;
const DEFAULT_SLOWLOG_COUNT = 10;
const BAD_LOG_TYPE = new ErrorReply(
  'ERR type should be one of the following: slow, large-request, large-reply',
);
const BAD_COUNT = new ErrorReply('ERR count should be greater than or equal to -1');

/** The index of a log, -1 if there is none of that name. */
function logType(word: string): number {
  return (LOG_TYPES as readonly string[]).indexOf(asciiLower(word));
}

/** -1: all. Null: not a count. */
function logCount(word: string): number | null {
  const count = parseInteger(word);
  return count === null || count < -1n ? null : Number(count);
}

function logEntries({ server }: CommandCall, type: number, count: number): Reply {
  return server.native.commandlog('get', type, count).map((row) => [...row]);
}

/** COMMANDLOG GET count type */
export function commandlogGet(call: CommandCall, args: string[]): Reply {
  const count = logCount(args[2]!);
  if (count === null) return BAD_COUNT;
  const type = logType(args[3]!);
  return type < 0 ? BAD_LOG_TYPE : logEntries(call, type, count);
}

/** COMMANDLOG LEN type */
export function commandlogLen({ server }: CommandCall, args: string[]): Reply {
  const type = logType(args[2]!);
  return type < 0 ? BAD_LOG_TYPE : server.native.commandlog('len', type);
}

/** COMMANDLOG RESET type */
export function commandlogReset({ server }: CommandCall, args: string[]): Reply {
  const type = logType(args[2]!);
  if (type < 0) return BAD_LOG_TYPE;
  server.native.commandlog('reset', type);
  return OK;
}

/** SLOWLOG GET [count] */
export function slowlogGet(call: CommandCall, args: string[]): Reply {
  if (args.length > 3) return subcommandSyntax(args);
  const count = args.length === 3 ? logCount(args[2]!) : DEFAULT_SLOWLOG_COUNT;
  return count === null ? BAD_COUNT : logEntries(call, SLOW, count);
}

/** SLOWLOG LEN */
export function slowlogLen({ server }: CommandCall): Reply {
  return server.native.commandlog('len', SLOW);
}

/** SLOWLOG RESET */
export function slowlogReset({ server }: CommandCall): Reply {
  server.native.commandlog('reset', SLOW);
  return OK;
}

/** A subcommand whose number of arguments the table cannot express. */
function subcommandSyntax([container, name]: string[]): ErrorReply {
  return new ErrorReply(
    `ERR unknown subcommand or wrong number of arguments for '${name!.slice(0, 128)}'. Try ${container!.toUpperCase()} HELP.`,
  );
}

// ------------------------------------------------------------------ LATENCY

/** LATENCY LATEST */
export function latencyLatest({ server }: CommandCall): Reply {
  return server.native.latency('all').map(([event, max, sum, count, samples]) => {
    const [time, ms] = samples.at(-1)!;
    return [event, time, ms, max, sum, count];
  });
}

/** LATENCY HISTORY event */
export function latencyHistory({ server }: CommandCall, args: string[]): Reply {
  const row = server.native.latency('all').find(([event]) => event === args[2]);
  return row === undefined ? [] : row[4];
}

/** LATENCY GRAPH event */
export function latencyGraphCommand({ server }: CommandCall, args: string[]): Reply {
  const row = server.native.latency('all').find(([event]) => event === args[2]);
  if (row === undefined) {
    // A name ends at its first NUL, as in C.
    const name = args[2]?.split('\0', 1)[0];
    return new ErrorReply(`ERR No samples available for event '${name}'`);
  }
  return new Verbatim('txt', latencyGraph(row, unixTime()));
}

/** LATENCY DOCTOR */
export function latencyDoctor({ server }: CommandCall): Reply {
  return new Verbatim('txt', latencyReport(server.native.latency('all'), server.config, unixTime()));
}

/** LATENCY RESET [event ...] */
export function latencyReset({ server }: CommandCall, args: string[]): Reply {
  const { native } = server;
  if (args.length === 2) return native.latency('reset');
  let resets = 0;
  for (const asked of args.slice(2)) {
    for (const [event] of native.latency('all')) {
      if (event === asciiLower(asked)) resets += native.latency('reset', event);
    }
  }
  return resets;
}

/** LATENCY HISTOGRAM [command ...]: a container stands for its subcommands as well; unknown names are left out. */
export function latencyHistogram({ server }: CommandCall, args: string[]): Reply {
  const recorded = new Map(server.native.histograms([]).map((row) => [row[0], row]));
  const names =
    args.length === 2
      ? [...recorded.keys()]
      : args.slice(2).flatMap((name) => {
          const command = server.commands.lookup(name);
          if (command === undefined) return [];
          return [command, ...command.subcommands.values()].map(({ fullName }) => fullName);
        });
  const entries = names.flatMap((name): [Reply, Reply][] => {
    const row = recorded.get(name);
    if (row === undefined) return [];
    const [, calls, powers] = row;
    return [
      [
        name,
        new MapReply([
          ['calls', calls],
          ['histogram_usec', new MapReply(powers)],
        ]),
      ],
    ];
  });
  return new MapReply(entries);
}

// ------------------------------------------------------------------ MEMORY

/** MEMORY STATS */
export function memoryStats({ server }: CommandCall): Reply {
  const m = memoryFigures(server);
  const entries: [Reply, Reply][] = [
    ['peak.allocated', m.peak],
    ['total.allocated', m.used],
    ['startup.allocated', m.startup],
    ['replication.backlog', 0],
    ['replicas.repl.buffer', 0],
    ['clients.slaves', m.clientsReplica],
    ['clients.normal', m.clientsNormal],
    ['cluster.links', 0],
    ['cluster.slot_import', 0],
    ['cluster.slot_export', 0],
    ['aof.buffer', 0],
    ['lua.caches', 0],
    ['functions.caches', 0],
    ...m.databases.map(({ index, keyTable, expireTable }): [Reply, Reply] => [
      `db.${index}`,
      new MapReply([
        ['overhead.hashtable.main', keyTable],
        ['overhead.hashtable.expires', expireTable],
      ]),
    ]),
    ['overhead.db.hashtable.lut', m.tables],
    ['overhead.db.hashtable.rehashing', m.tablesRehashing],
    ['overhead.total', m.overhead],
    ['db.dict.rehashing.count', m.rehashing],
    ['keys.count', m.keys],
    ['keys.bytes-per-key', m.bytesPerKey],
    ['dataset.bytes', m.dataset],
    ['dataset.percentage', new Double(m.datasetPercent)],
    ['peak.percentage', new Double(m.peakPercent)],
    ['allocator.allocated', m.allocated],
    ['allocator.active', m.active],
    ['allocator.resident', m.resident],
    ['allocator.muzzy', 0],
    ['allocator-fragmentation.ratio', new Double(m.allocatorFragmentation.ratio)],
    ['allocator-fragmentation.bytes', m.allocatorFragmentation.bytes],
    ['allocator-rss.ratio', new Double(m.allocatorRss.ratio)],
    ['allocator-rss.bytes', m.allocatorRss.bytes],
    ['rss-overhead.ratio', new Double(m.rssOverhead.ratio)],
    ['rss-overhead.bytes', m.rssOverhead.bytes],
    ['fragmentation', new Double(m.fragmentation.ratio)],
    ['fragmentation.bytes', m.fragmentation.bytes],
  ];
  return new MapReply(entries);
}

/** MEMORY DOCTOR */
export function memoryDoctor({ server }: CommandCall): Reply {
  const clients = server.native.stats().connected_clients!;
  return new Verbatim('txt', memoryReport(memoryFigures(server), clients));
}

/** MEMORY MALLOC-STATS: Valkey prints jemalloc's own report here, and this sentence for any other allocator. */
export function memoryMallocStats(): Reply {
  return 'Stats not supported for the current allocator';
}

/** MEMORY PURGE */
export function memoryPurge({ server }: CommandCall): Reply {
  server.native.purge();
  return OK;
}

// ------------------------------------------------------------------ LOLWUT

interface Canvas {
  readonly columns: number;
  readonly rows: number;
}

/** LOLWUT [VERSION version] [arguments of that version's picture ...] */
export function lolwut({ server }: CommandCall, args: string[]): Reply {
  let rest = args.slice(1);
  let version = VALKEY_VERSION;
  if (rest.length >= 2 && asciiLower(rest[0]!) === 'version') {
    const number = parseInteger(rest[1]!);
    if (number === null) return NOT_AN_INTEGER;
    version = `${BigInt.asUintN(32, number)}.0.0`;
    rest = rest.slice(2);
  }
  const compatible = server.config.bool('extended-redis-compatibility');
  const [name, number] = compatible ? ['Redis', REDIS_VERSION] : ['Valkey', VALKEY_VERSION];
  const canvas = canvasOf(version, rest);
  if (canvas === null) return new Verbatim('txt', `${name} ver.${number}\n`);
  if (canvas instanceof ErrorReply) return canvas;
  const picture = pour(canvas.columns, canvas.rows);
  return new Verbatim(
    'txt',
    `${picture}\nThe mead of poetry, poured for you and nobody else. ${name} ver. ${number}\n`,
  );
}

/** How large that version's picture is; null if it has none. The arguments are Valkey's, with its limits. */
function canvasOf(version: string, args: string[]): Canvas | ErrorReply | null {
  if (version.startsWith('5.')) return sized(args, [66, 1000], [8, 200], [12, 200]);
  if (version.startsWith('6.')) return sized(args, [80, 1000], [20, 1000]);
  if (!version.startsWith('9')) return null;
  if (args.length === 1 || args.length === 3 || args.length > 4)
    return new ErrorReply('ERR Syntax error. Use: LOLWUT [columns rows] [real imaginary]');
  const canvas = sized(args, [80, 160], [40, 80]);
  if (canvas instanceof ErrorReply) return canvas;
  return args.slice(2).some((word) => parseDouble(word) === null) ? NOT_A_FLOAT : canvas;
}

/** The first argument is the number of columns, the last one the number of rows; each with its default and its limit. */
function sized(args: string[], ...limits: [initial: number, max: number][]): Canvas | ErrorReply {
  const sizes: number[] = [];
  for (const [i, [initial, max]] of limits.entries()) {
    const number = i < args.length ? parseInteger(args[i]!) : BigInt(initial);
    if (number === null) return NOT_AN_INTEGER;
    sizes.push(Math.max(1, Math.min(max, Number(number))));
  }
  return { columns: sizes[0]!, rows: sizes.at(-1)! };
}
