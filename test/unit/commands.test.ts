import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  ALL_GROUPS,
  BEGIN_SEARCH,
  type Command,
  CommandTable,
  encodeKeySpec,
  FIND_KEYS,
  KEY_SPEC_INTS,
  KEY_SPEC_KEYWORDS,
} from '../../src/commands/registry.js';
import {
  ACL_CATEGORY,
  ACL_CATEGORY_NAMES,
  COMMAND_FLAG,
  command,
  group,
  KEY_FLAG,
  KEY_FLAG_NAMES,
  type KeySpec,
  keyAfter,
  keyAt,
  keysCounted,
  keysFrom,
  keysUnknown,
  native,
} from '../../src/commands/spec.js';

const built = new CommandTable();
const declared = new CommandTable(ALL_GROUPS, { includeUnbuilt: true });

/** A table of one command, for what the real commands have no example of. */
function single(keys: KeySpec[], rest: Partial<Parameters<typeof command>[1]> = {}): Command {
  const spec = command('x', {
    summary: '',
    since: '1.0.0',
    arity: -1,
    keys,
    handler: native('x'),
    ...rest,
  });
  return new CommandTable([group('generic', [spec])]).lookup('x')!;
}

describe('declarations', () => {
  test('are those of all commands of Valkey 9.1.2 but SENTINEL', () => {
    expect(declared.size).toBe(257);
    expect(declared.all.length).toBe(257 + 167 - 25);
  });

  test('are well formed', () => {
    for (const { fullName, name, spec, parent } of declared.all) {
      expect(name, fullName).toBe(name.toLowerCase());
      expect(spec.summary, fullName).not.toBe('');
      expect(spec.since, fullName).toMatch(/^\d+\.\d+\.\d+$/);
      expect(Math.abs(spec.arity), fullName).toBeGreaterThanOrEqual(parent === undefined ? 1 : 2);
      if (typeof spec.handler === 'object') expect(spec.handler.native).toBe(fullName);
    }
  });

  test('refer to key specs that exist', () => {
    for (const { fullName, spec } of declared.all) {
      const walk = (args: typeof spec.arguments): void => {
        for (const argument of args ?? []) {
          if (argument.spec !== undefined) expect(spec.keys?.[argument.spec], fullName).toBeDefined();
          walk(argument.arguments);
        }
      };
      walk(spec.arguments);
    }
  });
});

describe('what is built', () => {
  test('has a handler, all others are unknown', () => {
    for (const command of built.all) {
      const { handler, subcommands } = command.spec;
      expect(handler !== undefined || subcommands !== undefined, command.fullName).toBe(true);
    }
    const names = new Set(built.all.map((command) => command.fullName));
    for (const { fullName, spec } of declared.all) {
      if (spec.handler === undefined && spec.subcommands === undefined)
        expect(names.has(fullName)).toBe(false);
    }
  });

  test('a container with nothing but HELP is not there', () => {
    const handler = native('c|help');
    const sub = (name: string) => command(name, { summary: '', since: '1.0.0', arity: 2, handler });
    const container = (subcommands: ReturnType<typeof sub>[]) =>
      new CommandTable([
        group('server', [command('c', { summary: '', since: '1.0.0', arity: -2, subcommands })]),
      ]);
    expect(container([sub('help')]).lookup('c')).toBeUndefined();
    expect(container([sub('help'), sub('get')]).lookup('c|help')).toBeDefined();
  });

  test('a name declared twice is an error', () => {
    const spec = command('x', { summary: '', since: '1.0.0', arity: 1, handler: native('x') });
    expect(() => new CommandTable([group('generic', [spec]), group('server', [spec])])).toThrow(/'x'/);
    const twins = command('c', { summary: '', since: '1.0.0', arity: -2, subcommands: [spec, spec] });
    expect(() => new CommandTable([group('generic', [twins])])).toThrow(/'c\|x'/);
  });

  test('the data path is native', () => {
    for (const name of [
      'get',
      'set',
      'del',
      'expire',
      'client|list',
      'object|encoding',
      'memory|usage',
      'ping',
    ]) {
      expect(built.lookup(name)?.spec.handler, name).toEqual({ native: name });
    }
    for (const name of ['command', 'command|docs', 'client|help', 'object|help']) {
      expect(built.handler(built.lookup(name)!.id), name).toBeTypeOf('function');
    }
    expect(built.handler(built.lookup('get')!.id)).toBeUndefined();
    expect(built.handler(-1)).toBeUndefined();
  });
});

describe('lookup', () => {
  test('by full name', () => {
    expect(declared.lookup('GeT')?.fullName).toBe('get');
    expect(declared.lookup('CLIENT|List')?.fullName).toBe('client|list');
    expect(declared.lookup('client')?.fullName).toBe('client');
    for (const name of [
      '',
      '|',
      'nosuch',
      'get|x',
      'client|',
      'client|nosuch',
      'client|list|x',
      'list',
      'g\0',
    ]) {
      expect(declared.lookup(name), name).toBeUndefined();
    }
  });

  test('by arguments', () => {
    expect(declared.resolve(['GET', 'k'])?.fullName).toBe('get');
    expect(declared.resolve(['CLIENT', 'LIST', 'x'])?.fullName).toBe('client|list');
    expect(declared.resolve(['client'])?.fullName).toBe('client');
    expect(declared.resolve(['client', 'list\0x'])?.fullName).toBe('client|list');
    expect(declared.resolve(['client', 'nosuch'])).toBeUndefined();
    expect(declared.resolve(['get\0'])).toBeUndefined();
    expect(declared.resolve([])).toBeUndefined();
  });
});

describe('rename', () => {
  test('moves a command to another name or away', () => {
    const table = new CommandTable();
    const size = table.size;
    expect(table.rename('GET', 'Fetch')).toBe(true);
    expect(table.lookup('get')).toBeUndefined();
    expect(table.lookup('FETCH')?.fullName).toBe('get');
    expect(table.rename('client', 'conn')).toBe(true);
    expect(table.resolve(['conn', 'id'])?.fullName).toBe('client|id');
    expect(table.rename('set', '')).toBe(true);
    expect(table.lookup('set')).toBeUndefined();
    expect(table.size).toBe(size - 1);

    const compiled = table.compileForNative();
    expect(compiled.find((entry) => entry.fullName === 'get')?.name).toBe('fetch');
    expect(compiled.find((entry) => entry.fullName === 'set')?.name).toBe('');
    expect(compiled.find((entry) => entry.fullName === 'client|id')?.name).toBe('id');
  });

  test('refuses unknown commands and names that are taken', () => {
    const table = new CommandTable();
    expect(table.rename('nosuch', 'x')).toBe(false);
    expect(table.rename('get', 'SET')).toBe(false);
    expect(table.lookup('get')?.fullName).toBe('get');
    expect(table.lookup('set')?.fullName).toBe('set');
    expect(table.rename('get', 'GET')).toBe(true);
    expect(table.lookup('get')?.fullName).toBe('get');
  });
});

describe('derived flags and categories', () => {
  test('the bits of flags are those of the native dispatcher', () => {
    const header = readFileSync(new URL('../../native/core/commands/command.h', import.meta.url), 'utf8');
    const native = new Map<string, number>();
    for (const [, name, bit] of header.matchAll(/\bkCmd(\w+) = 1ULL << (\d+)/g)) {
      native.set(name!.toLowerCase(), 2 ** Number(bit));
    }
    expect(native.size).toBeGreaterThanOrEqual(Object.keys(COMMAND_FLAG).length);
    for (const [name, bit] of Object.entries(COMMAND_FLAG)) {
      expect(native.get(name.replaceAll('_', '')), name).toBe(bit);
    }
  });

  test('the bits of categories and of key access are distinct', () => {
    expect(Object.values(ACL_CATEGORY)).toEqual(ACL_CATEGORY_NAMES.map((_, bit) => 2 ** bit));
    expect(Object.values(KEY_FLAG)).toEqual(KEY_FLAG_NAMES.map((_, bit) => 2 ** bit));
  });

  test.each([
    ['get', ['read', 'string', 'fast']],
    ['set', ['write', 'string', 'slow']],
    ['config|set', ['admin', 'slow', 'dangerous']],
    ['publish', ['pubsub', 'fast']],
    ['blpop', ['write', 'list', 'slow', 'blocking']],
    ['eval_ro', ['slow', 'scripting']],
  ] as const)('categories of %s', (name, categories) => {
    const expected = categories.reduce((bits, category) => bits | ACL_CATEGORY[category], 0);
    expect(declared.lookup(name)?.categories).toBe(expected);
  });
});

describe('legacy key range', () => {
  const keys = (command: Command | undefined) => {
    const { firstKey, lastKey, keyStep } = command!.legacyKeys;
    return [firstKey, lastKey, keyStep, Boolean(command!.flags & COMMAND_FLAG.movablekeys)];
  };

  test.each([
    ['get', 1, 1, 1, false],
    ['mset', 1, -1, 2, false],
    ['del', 1, -1, 1, false],
    ['rename', 1, 2, 1, false],
    ['blpop', 1, -2, 1, false],
    ['object|encoding', 2, 2, 1, false],
    ['bitop', 2, -1, 1, false],
    ['sort', 1, 1, 1, true],
    ['eval', 0, 0, 0, true],
    ['zunionstore', 1, 1, 1, true],
    ['migrate', 3, 3, 1, true],
    ['xread', 0, 0, 0, true],
    ['ping', 0, 0, 0, false],
  ] as const)('of %s', (name, ...expected) => {
    expect(keys(declared.lookup(name))).toEqual(expected);
  });

  test('of combinations no command has', () => {
    expect(keys(single([keyAt(1, ['RO', 'incomplete'])]))).toEqual([1, 1, 1, true]);
    expect(keys(single([keyAt(1, ['RO']), keyAt(3, ['RO'])]))).toEqual([1, 1, 1, true]);
    expect(keys(single([keyAt(1, ['RO']), keysFrom(2, ['RO'], { last: -1 })]))).toEqual([1, -1, 1, false]);
    expect(keys(single([keyAt(1, ['RO']), keysFrom(2, ['RO'], { last: -1, step: 2 })]))).toEqual([
      1,
      1,
      1,
      true,
    ]);
    expect(keys(single([keysUnknown(['RO'], ''), keyAt(2, ['RO'])]))).toEqual([2, 2, 1, true]);
  });
});

describe('compileForNative', () => {
  const compiled = built.compileForNative();

  test('lists commands by id, parents first', () => {
    expect(compiled.length).toBe(built.all.length);
    for (const [i, entry] of compiled.entries()) {
      expect(entry.id).toBe(i);
      expect(entry.parentId).toBeLessThan(i);
      if (entry.parentId >= 0) {
        expect(entry.fullName).toBe(`${compiled[entry.parentId]!.fullName}|${entry.name}`);
      }
    }
  });

  test('an entry in full', () => {
    const set = compiled.find((entry) => entry.fullName === 'set')!;
    expect(set).toEqual({
      id: set.id,
      name: 'set',
      fullName: 'set',
      parentId: -1,
      arity: -3,
      flags: COMMAND_FLAG.write | COMMAND_FLAG.denyoom,
      categories: ACL_CATEGORY.write | ACL_CATEGORY.string | ACL_CATEGORY.slow,
      symbol: 'set',
      firstKey: 1,
      lastKey: 1,
      keyStep: 1,
      element: -1,
      keySpecs: [
        KEY_FLAG.RW | KEY_FLAG.access | KEY_FLAG.update | KEY_FLAG.variable_flags,
        ...[BEGIN_SEARCH.index, 1, 0],
        ...[FIND_KEYS.range, 0, 1, 0],
      ],
      getKeys: 1,
      dbArgs: 0,
    });
    const element = (name: string) => compiled.find((entry) => entry.fullName === name)?.element;
    expect(['sadd', 'zadd', 'hgetall', 'sort'].map(element)).toEqual([2, 3, 0, -1]);
    expect(compiled.find((entry) => entry.fullName === 'command')?.symbol).toBe('');
  });

  test('encodes every key spec', () => {
    for (const entry of declared.compileForNative()) {
      expect(entry.keySpecs.length, entry.fullName).toBe(
        KEY_SPEC_INTS * (declared.all[entry.id]!.spec.keys?.length ?? 0),
      );
    }
    expect(encodeKeySpec(keyAfter('STOREDIST', 6, ['OW']))).toEqual([
      KEY_FLAG.OW,
      ...[BEGIN_SEARCH.keyword, KEY_SPEC_KEYWORDS.indexOf('STOREDIST'), 6],
      ...[FIND_KEYS.range, 0, 1, 0],
    ]);
    expect(encodeKeySpec(keysCounted(2, ['RO'], { step: 2 }))).toEqual([
      KEY_FLAG.RO,
      ...[BEGIN_SEARCH.index, 2, 0],
      ...[FIND_KEYS.keynum, 0, 1, 2],
    ]);
    expect(encodeKeySpec(keysUnknown(['RM'], ''))).toEqual([KEY_FLAG.RM, 0, 0, 0, 0, 0, 0, 0]);
    expect(() => encodeKeySpec(keyAfter('NOSUCH', 1, ['RO']))).toThrow(/NOSUCH/);
  });
});
