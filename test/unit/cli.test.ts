import { describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/main.js';
import { testBlock, testMemory } from '../../src/cli/memory-test.js';
import { runServer, type ServerStart, type Terminal } from '../../src/cli/server.js';

function terminal(input = '') {
  const text = { out: '', err: '' };
  const io: Terminal = {
    out: (part) => {
      text.out += part;
    },
    err: (part) => {
      text.err += part;
    },
    stdin: () => input,
  };
  return { io, text };
}

async function started(args: string[], input = ''): Promise<ServerStart> {
  let start: ServerStart | undefined;
  const code = await runServer(
    '/bin/kvasir-server',
    args,
    async (given) => {
      start = given;
    },
    terminal(input).io,
  );
  expect(code).toBeNull();
  return start!;
}

describe('kvasir-server', () => {
  test('hands over file, standard input and options', async () => {
    expect(await started(['a.conf', '--port', '1', '-'], 'dir /x\n')).toEqual({
      configFile: `${process.cwd()}/a.conf`,
      stdin: 'dir /x\n',
      options: 'port "1" ',
      bare: false,
      program: '/bin/kvasir-server',
      command: [...process.execArgv, '/bin/kvasir-server', `${process.cwd()}/a.conf`, '--port', '1', '-'],
      cwd: process.cwd(),
    });
  });

  test('does not touch standard input unasked', async () => {
    expect(await started([])).toMatchObject({ stdin: null, bare: true, configFile: null });
  });

  test('answers what needs no server', async () => {
    const never = async () => {
      throw new Error('no server was to be started');
    };
    const { io, text } = terminal();
    expect(await runServer('k', ['--version'], never, io)).toBe(0);
    expect(text.out).toMatch(
      /^Kvasir server v=9\.1\.2 sha=[0-9a-f]{8}:[01] malloc=\S+ bits=64 build=[0-9a-f]+ kvasir=\d+\.\d+\.\d+\n$/,
    );
    expect(await runServer('k', ['--help'], never, io)).toBe(0);
    expect(text.out).toContain('Usage: kvasir-server [/path/to/valkey.conf] [options] [-]');
    expect(await runServer('k', ['--sentinel'], never, io)).toBe(1);
    expect(text.err).toContain('does not run as Sentinel');
  });
});

describe('kvasir', () => {
  test('server takes what kvasir-server takes', async () => {
    let start: ServerStart | undefined;
    const program = createProgram(
      '/bin/kvasir',
      async (given) => {
        start = given;
      },
      terminal().io,
    );
    await program.parseAsync(['node', 'kvasir', 'server', 'a.conf', '--save', '', '--port', '1', '--help']);
    expect(start!.options).toBe('save "" \nport "1" \nhelp ');
    expect(start!.command.slice(process.execArgv.length, process.execArgv.length + 2)).toEqual([
      '/bin/kvasir',
      'server',
    ]);
  });

  test('server --version is the server’s', async () => {
    const { io, text } = terminal();
    await createProgram('/bin/kvasir', async () => {}, io).parseAsync([
      'node',
      'kvasir',
      'server',
      '--version',
    ]);
    expect(text.out).toMatch(/^Kvasir server v=9\.1\.2 /);
    process.exitCode = undefined;
  });

  test('lists only what exists', () => {
    const names = createProgram('kvasir', async () => {}).commands.map((command) => command.name());
    expect(names).toEqual(['server', 'check-aof']);
  });
});

describe('memory test', () => {
  test('passes on sound memory', () => {
    let out = '';
    const print = (text: string) => {
      out += text;
    };
    expect(testMemory(1, 1, print)).toBe(true);
    expect(out).toContain('Your memory passed this test');
  });

  test('finds a cell that does not hold its value', () => {
    const block = new Uint32Array(64);
    const stuck = (memory: Uint32Array) => {
      memory[17] = 17;
    };
    expect(testBlock(block, () => {}, stuck)).toMatchObject({ test: 'Random fill', offset: 68, found: 17 });
  });
});
