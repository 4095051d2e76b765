/**
 * The command table against a real Valkey: COMMAND INFO and COMMAND DOCS of every command and subcommand, lists, keys
 * and help, in both protocols. Both sides' replies go through the same parser, so types count as well as contents;
 * only what Valkey itself keeps in hash order is sorted first.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CommandCall } from '../../src/commands/context.js';
import { ALL_GROUPS, type Command, CommandTable } from '../../src/commands/registry.js';
import { encodeReply, type Reply } from '../../src/resp/reply.js';
import { parseReply, type RespClient, RespError, type RespValue } from '../support/resp-client.js';
import { findValkeyServer, type RunningValkey, startValkey } from '../support/valkey.js';

const binary = findValkeyServer();
if (binary === undefined) {
  console.warn(
    'command-table.test.ts is skipped: no valkey-server in $VALKEY_PEER/bin, ~/.cache/valkey-peer/bin or on PATH',
  );
}

const table = new CommandTable(ALL_GROUPS, { includeUnbuilt: true });

/** Our answer to a command line, as the bytes a client would get. */
function answer(resp: 2 | 3, args: string[]): Buffer {
  const call = { server: { commands: table }, client: { id: 1, resp, db: 0 } } as unknown as CommandCall;
  const command = table.resolve(args)!;
  return Buffer.from(encodeReply(table.handler(command.id)!(call, args) as Reply, resp), 'latin1');
}

/** The lines of an encoded reply in a fixed order: equal iff the replies are equal but for the order of elements. */
function sortedLines(bytes: Buffer): string[] {
  return bytes.toString('latin1').split('\r\n').sort();
}

/** A COMMAND INFO entry with its subcommands (hash order in Valkey) sorted by name. */
function sortSubcommands(info: RespValue): RespValue {
  if (!Array.isArray(info)) return info;
  const subcommands = (info[9] as RespValue[][]).map((sub) => sortSubcommands(sub) as RespValue[]);
  subcommands.sort((a, b) => ((a[0] as string) < (b[0] as string) ? -1 : 1));
  return [...info.slice(0, 9), subcommands];
}

describe.skipIf(binary === undefined)('the command table and Valkey', () => {
  let server: RunningValkey;

  beforeAll(async () => {
    server = await startValkey(binary!);
  });

  afterAll(async () => {
    await server.stop();
  });

  describe.each([2, 3] as const)('RESP%i', (resp) => {
    let client: RespClient;

    beforeAll(async () => {
      client = await server.connect({ statuses: true });
      await client.send('HELLO', resp);
    });

    afterAll(() => client.close());

    /** Asks both for the same and returns both answers. */
    async function both(...args: string[]): Promise<{ ours: Buffer; theirs: Buffer }> {
      return { ours: answer(resp, args), theirs: await client.raw(...args) };
    }

    const parse = (bytes: Buffer) => parseReply(bytes, { statuses: true });

    test('have the same commands', async () => {
      const count = await both('COMMAND', 'COUNT');
      expect(count.ours.toString()).toBe(count.theirs.toString());
      expect(table.size).toBe(257);
      const list = await both('COMMAND', 'LIST');
      expect((parse(list.ours) as string[]).sort()).toEqual((parse(list.theirs) as string[]).sort());
    });

    test('COMMAND INFO of every command', async () => {
      for (const { fullName } of table.all) {
        const { ours, theirs } = await both('COMMAND', 'INFO', fullName);
        const [our] = parse(ours) as RespValue[];
        const [their] = parse(theirs) as RespValue[];
        expect(sortSubcommands(our!), fullName).toEqual(sortSubcommands(their!));
        expect(sortedLines(ours), fullName).toEqual(sortedLines(theirs));
        if (!table.lookup(fullName)!.subcommands.size)
          expect(ours.toString(), fullName).toBe(theirs.toString());
      }
    });

    test('COMMAND DOCS of every command', async () => {
      for (const { fullName } of table.all) {
        const { ours, theirs } = await both('COMMAND', 'DOCS', fullName);
        if (resp === 3) expect(parse(ours), fullName).toEqual(parse(theirs));
        expect(sortedLines(ours), fullName).toEqual(sortedLines(theirs));
        if (!table.lookup(fullName)!.subcommands.size)
          expect(ours.toString(), fullName).toBe(theirs.toString());
      }
    });

    test('all commands at once', async () => {
      for (const args of [['COMMAND'], ['COMMAND', 'INFO'], ['COMMAND', 'DOCS']]) {
        const { ours, theirs } = await both(...args);
        expect(sortedLines(ours), args.join(' ')).toEqual(sortedLines(theirs));
      }
    });

    test.each(
      [
        ['INFO', 'get', 'nosuch', 'GET', 'config|get', 'config|nosuch', 'get|x', 'config|get|x'],
        ['INFO', '', '|', 'config|', 'get\0x', 'config|get\0x'],
        ['DOCS', 'get', 'get', 'nosuch', 'Client|ID', 'get|x', ''],
        ['DOCS', 'nosuch'],
        ['LIST', 'FILTERBY'],
        ['LIST', 'filterby', 'module'],
        ['LIST', 'nofilter', 'module', 'x'],
        ['LIST', 'filterby', 'nosuch', 'x'],
        ['LIST', 'filterby', 'module', 'x', 'y'],
        ['LIST', 'filterby', 'module', 'x'],
        ['LIST', 'FILTERBY', 'aclcat', 'nosuch'],
        ['LIST', 'FILTERBY', 'aclcat', '@read'],
        ['LIST', 'FILTERBY', 'pattern', ''],
      ].map((args) => ({ args })),
    )('COMMAND $args', async ({ args }) => {
      const { ours, theirs } = await both('COMMAND', ...args);
      expect(ours.toString('latin1')).toBe(theirs.toString('latin1'));
    });

    test('COMMAND LIST by category', async () => {
      for (const category of (await client.send('ACL', 'CAT')) as string[]) {
        const { ours, theirs } = await both('COMMAND', 'LIST', 'FILTERBY', 'ACLCAT', category.toUpperCase());
        expect(sortedLines(ours), category).toEqual(sortedLines(theirs));
      }
    });

    test.each([
      '*',
      'GET',
      'client|*',
      'x?ead',
      '[gs]et',
      '[^a-x]*',
      '[z-x]*',
      'z*|',
      '\\get',
      '[\\Gs]et',
      '*e*e*e*',
      '[gs',
      'ge[',
      'get\\',
    ])('COMMAND LIST by pattern %s', async (pattern) => {
      const { ours, theirs } = await both('COMMAND', 'LIST', 'FILTERBY', 'PATTERN', pattern);
      expect(sortedLines(ours)).toEqual(sortedLines(theirs));
    });

    test('HELP of every container', async () => {
      for (const command of table.all) {
        if (command.name !== 'help' || table.handler(command.id) === undefined) continue;
        const name = command.parent!.name;
        if (name === 'cluster') continue; // answers only where the cluster is enabled; below
        const { ours, theirs } = await both(name, 'help');
        expect(ours.toString(), name).toBe(theirs.toString());
      }
    });

    test('keys of generated calls', async () => {
      const calls = generateCalls();
      for (const subcommand of ['GETKEYS', 'GETKEYSANDFLAGS']) {
        const commands = calls.map((call) => ['COMMAND', subcommand, ...call]);
        for (let i = 0; i < commands.length; i += 500) {
          const batch = commands.slice(i, i + 500);
          const replies = await client.pipeline(batch);
          for (const [j, args] of batch.entries()) {
            expect(parse(answer(resp, args)), JSON.stringify(args)).toEqual(replies[j]);
          }
        }
      }
      const sample = calls.map((call) => parse(answer(resp, ['COMMAND', 'GETKEYS', ...call])));
      expect(sample.filter((reply) => !(reply instanceof RespError)).length).toBeGreaterThan(1000);
    });
  });
});

describe.skipIf(binary === undefined)('a Valkey with cluster enabled', () => {
  test('CLUSTER HELP', async () => {
    const server = await startValkey(binary!, ['--cluster-enabled', 'yes']);
    const client = await server.connect();
    try {
      const theirs = await client.raw('CLUSTER', 'HELP');
      expect(answer(2, ['CLUSTER', 'HELP']).toString()).toBe(theirs.toString());
    } finally {
      client.close();
      await server.stop();
    }
  });
});

/** Words that mean something to one of the key extraction functions, numbers good and bad, and plain arguments. */
const WORDS = [
  ...[
    'GET',
    'get',
    'SET',
    'INCRBY',
    'OVERFLOW',
    'STORE',
    'store',
    'STOREDIST',
    'BY',
    'LIMIT',
    'KEYS',
    'keys',
    'AUTH',
  ],
  ...[
    'AUTH2',
    'COPY',
    'REPLACE',
    'STREAMS',
    'streams',
    'BLOCK',
    'COUNT',
    'GROUP',
    'NOACK',
    'DB',
    'get\0x',
    'EX',
    'NX',
  ],
  ...[
    '0',
    '1',
    '2',
    '3',
    '-1',
    '1x',
    '+1',
    '01',
    ' 2',
    '',
    '9223372036854775808',
    '4294967298',
    '2147483647',
    '-0',
  ],
  ...['a', 'b', 'c', 'd', 'u8', 'ACCOUNT', '$', '>'],
];

/**
 * Argument vectors for every command that has keys: each length around its arity, with arguments drawn from WORDS by
 * a fixed sequence, plus the usual forms of the commands with keys in odd places.
 */
function generateCalls(): string[][] {
  const calls: string[][] = [
    [],
    ['nosuch'],
    ['client', 'nosuch'],
    ['object'],
    ['config', 'get', 'x'],
    ['ping'],
    ['sort', 'k', 'BY', 'w*', 'LIMIT', '0', '5', 'GET', 'g*', 'GET', '#', 'ASC', 'ALPHA', 'STORE', 'd'],
    ['sort', 'k', 'store', 'a', 'STORE', 'b'],
    ['sort', 'k', 'get', 'store', 'x'],
    ['sort_ro', 'k', 'BY', 'w'],
    ['migrate', 'h', '1', 'k', '0', '10', 'COPY'],
    ['migrate', 'h', '1', '', '0', '10', 'COPY', 'AUTH', 'keys', 'KEYS', 'a', 'b'],
    ['migrate', 'h', '1', '', '0', '10', 'AUTH2', 'keys', 'keys', 'keys', 'a', 'b'],
    ['migrate', 'h', '1', 'k', '0', '10', 'KEYS', 'a', 'b'],
    ['migrate', 'h', '1', '', '0', '10', 'KEYS'],
    ['georadius', 'k', '1', '2', '3', 'm', 'STORE', 'a', 'STOREDIST', 'b'],
    ['georadius', 'k', '1', '2', '3', 'm', 'STORE', 'STORE', 'STORE', 'b'],
    ['georadiusbymember', 'k', 'm', '3', 'm', 'STOREDIST', 'b'],
    ['georadiusbymember', 'k', 'm', '3', 'STORE', 'b'],
    ['xread', 'COUNT', '2', 'BLOCK', '5', 'STREAMS', 'a', 'b', '0', '0'],
    ['xreadgroup', 'GROUP', 'streams', 'c', 'NOACK', 'STREAMS', 'streams', '>'],
    ['xreadgroup', 'GROUP', 'g', 'c', 'STREAMS', 'a', 'b', 'c'],
    ['eval', 's', '2', 'a', 'b', 'c'],
    ['eval', 's', '2junk', 'a', 'b', 'c'],
    ['eval_ro', 's', '0', 'a'],
    ['fcall', 'f', '3', 'a'],
    ['zunionstore', 'd', '2', 'a', 'b', 'WEIGHTS', '1', '2'],
    ['zunionstore', 'd', '2x', 'a', 'b'],
    ['zdiff', '0', 'a'],
    ['bzmpop', '0', '2', 'a', 'b', 'MIN'],
    ['msetex', '2', 'a', '1', 'b', '2', 'EX', '5'],
    ['memory', 'usage', 'k', 'SAMPLES', '5'],
    ['object', 'encoding', 'k'],
    ['object', 'help'],
    ['set', 'k', 'get'],
    ['set', 'k', 'v', 'EX', '5', 'GeT'],
    ['bitfield', 'k', 'GET', 'u8', '0', 'OVERFLOW', 'SAT', 'GET', 'u8', '1'],
    ['bitfield', 'k', 'GET', 'u8', '0', 'INCRBY', 'u8', '0', '1'],
  ].filter((call) => call.length > 0);
  const random = sequence(20250101);
  for (const command of table.all) {
    const name = nameOf(command);
    const least = Math.abs(command.spec.arity);
    for (let round = 0; round < 24; round++) {
      const length = Math.max(name.length, least - 1 + (round % 8));
      const call = [...name];
      while (call.length < length) call.push(WORDS[random() % WORDS.length]!);
      calls.push(call);
    }
  }
  return calls;
}

function nameOf(command: Command): string[] {
  return command.parent === undefined ? [command.name] : [command.parent.name, command.name];
}

/** A fixed sequence of numbers that look random (a linear congruential generator). */
function sequence(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
}
