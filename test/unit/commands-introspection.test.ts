import { expect, test } from 'vitest';
import type { CommandCall } from '../../src/commands/context.js';
import { CommandTable } from '../../src/commands/registry.js';
import { serverCommandCommands } from '../../src/commands/server-command.js';
import { command, group, keyAt, native, string } from '../../src/commands/spec.js';
import { encodeReply, type Reply } from '../../src/resp/reply.js';
import { parseReply, RespError } from '../support/resp-client.js';

const tiny = new CommandTable([
  serverCommandCommands,
  group('string', [
    command('peek', {
      summary: 'Looks.',
      since: '1.0.0',
      complexity: 'O(1)',
      arity: 2,
      flags: ['readonly', 'fast', 'may_replicate'],
      categories: ['string'],
      tips: ['request_policy:all_shards'],
      keys: [keyAt(1, ['RO', 'access'], 'note')],
      arguments: [string('key', { spec: 0 })],
      handler: native('peek'),
    }),
    command('unbuilt', { summary: '', since: '1.0.0', arity: 1 }),
  ]),
]);

function bytes(resp: 2 | 3, ...args: string[]): string {
  const call = { server: { commands: tiny }, client: { id: 1, resp, db: 0 } } as unknown as CommandCall;
  return encodeReply(tiny.handler(tiny.resolve(args)!.id)!(call, args) as Reply, resp);
}

const parsed = (...args: string[]) => parseReply(Buffer.from(bytes(3, ...args), 'latin1'));

test('INFO to the byte, in both protocols', () => {
  const info = (set: string, map: (n: number) => string) =>
    `*1\r\n*10\r\n$4\r\npeek\r\n:2\r\n${set}2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n` +
    `${set}3\r\n+@read\r\n+@string\r\n+@fast\r\n${set}1\r\n$25\r\nrequest_policy:all_shards\r\n` +
    `${set}1\r\n${map(4)}$5\r\nnotes\r\n$4\r\nnote\r\n$5\r\nflags\r\n${set}2\r\n+RO\r\n+access\r\n` +
    `$12\r\nbegin_search\r\n${map(2)}$4\r\ntype\r\n$5\r\nindex\r\n$4\r\nspec\r\n${map(1)}$5\r\nindex\r\n:1\r\n` +
    `$9\r\nfind_keys\r\n${map(2)}$4\r\ntype\r\n$5\r\nrange\r\n$4\r\nspec\r\n` +
    `${map(3)}$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n*0\r\n`;
  expect(bytes(2, 'COMMAND', 'INFO', 'peek')).toBe(info('*', (n) => `*${2 * n}\r\n`));
  expect(bytes(3, 'COMMAND', 'INFO', 'peek')).toBe(info('~', (n) => `%${n}\r\n`));
  expect(bytes(2, 'COMMAND', 'INFO', 'peek')).toBe(info('*', (n) => `*${2 * n}\r\n`));
});

test('unbuilt commands are counted and shown nowhere', () => {
  expect(parsed('COMMAND', 'COUNT')).toBe(2);
  expect(parsed('COMMAND', 'INFO', 'unbuilt')).toEqual([null]);
  expect(parsed('COMMAND', 'DOCS', 'unbuilt')).toEqual(new Map());
  expect(parsed('COMMAND', 'LIST')).not.toContain('unbuilt');
  expect(parsed('COMMAND')).toHaveLength(2);
  expect(parsed('COMMAND', 'INFO')).toEqual(parsed('COMMAND'));
});

test('LIST filters subcommands as well', () => {
  expect(parsed('COMMAND', 'LIST', 'FILTERBY', 'PATTERN', 'COMMAND|GETKEYS*')).toEqual([
    'command|getkeys',
    'command|getkeysandflags',
  ]);
  expect(parsed('COMMAND', 'LIST', 'filterby', 'aclcat', 'STRING')).toEqual(['peek']);
  expect(parsed('COMMAND', 'LIST', 'filterby', 'aclcat', 'constructor')).toEqual([]);
  expect(parsed('COMMAND', 'LIST', 'filterby', 'pattern')).toEqual(new RespError('ERR syntax error'));
});

test('DOCS shows only what is declared', () => {
  expect(parsed('COMMAND', 'DOCS', 'PEEK')).toEqual(
    new Map([
      [
        'peek',
        new Map<string, unknown>([
          ['summary', 'Looks.'],
          ['since', '1.0.0'],
          ['group', 'string'],
          ['complexity', 'O(1)'],
          [
            'arguments',
            [
              new Map<string, unknown>([
                ['name', 'key'],
                ['type', 'string'],
                ['display_text', 'key'],
                ['key_spec_index', 0],
              ]),
            ],
          ],
        ]),
      ],
    ]),
  );
});

test('GETKEYS and its errors', () => {
  const error = (text: string) => new RespError(`ERR ${text}`);
  expect(parsed('COMMAND', 'GETKEYS', 'peek', 'k')).toEqual(['k']);
  expect(parsed('COMMAND', 'GETKEYSANDFLAGS', 'peek', 'k')).toEqual([['k', new Set(['RO', 'access'])]]);
  expect(parsed('COMMAND', 'GETKEYS', 'unbuilt')).toEqual(error('Invalid command specified'));
  expect(parsed('COMMAND', 'GETKEYS', 'command')).toEqual(error('The command has no key arguments'));
  const arity = error('Invalid number of arguments specified for command');
  expect(parsed('COMMAND', 'GETKEYS', 'peek')).toEqual(arity);
  expect(parsed('COMMAND', 'GETKEYS', 'peek', 'k', 'x')).toEqual(arity);
});

test('HELP is headed by the name that was called', () => {
  const help = parsed('command', 'HELP') as string[];
  expect(help[0]).toBe('COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:');
  expect(help.slice(-2)).toEqual(['HELP', '    Print this help.']);
});
