/** The append-only file over real sockets and real files. */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { KvasirProcess } from '../support/kvasir-process.js';
import { type RespClient, RespError } from '../support/resp-client.js';

const directories: string[] = [];
const processes: KvasirProcess[] = [];
afterEach(async () => {
  for (const process of processes.splice(0)) await process.kill();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'kvasir-aof-'));
  directories.push(directory);
  return directory;
}

async function start(directory: string, ...options: string[]): Promise<KvasirProcess> {
  const server = await KvasirProcess.start(directory, ['--appendonly', 'yes', ...options]);
  processes.push(server);
  return server;
}

/** A server that does not come up: its exit code and its log. */
async function refuses(
  directory: string,
  ...options: string[]
): Promise<{ code: number | null; log: string }> {
  const server = await KvasirProcess.launch(directory, ['--appendonly', 'yes', ...options]);
  processes.push(server);
  return { code: await server.exited, log: server.log };
}

const command = (...words: string[]) =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;

/** The contents of the increment with the highest number. */
function increment(directory: string): string {
  const inside = join(directory, 'appendonlydir');
  const names = readdirSync(inside).filter((name) => name.endsWith('.incr.aof'));
  names.sort((a, b) => Number(a.split('.')[2]) - Number(b.split('.')[2]));
  return readFileSync(join(inside, names.at(-1)!), 'latin1');
}

/** A directory with increments of these contents. */
function written(...increments: string[]): string {
  const directory = newDirectory();
  const inside = join(directory, 'appendonlydir');
  mkdirSync(inside);
  const lines = increments.map((_, i) => `file appendonly.aof.${i + 1}.incr.aof seq ${i + 1} type i\n`);
  writeFileSync(join(inside, 'appendonly.aof.manifest'), lines.join(''));
  for (const [i, text] of increments.entries())
    writeFileSync(join(inside, `appendonly.aof.${i + 1}.incr.aof`), text, 'latin1');
  return directory;
}

async function field(client: RespClient, name: string): Promise<string> {
  const info = String(await client.send('INFO', 'persistence'));
  return new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1] ?? '';
}

describe('increments', () => {
  test.each(['always', 'everysec', 'no'])('survive with appendfsync %s', async (policy) => {
    const directory = newDirectory();
    const server = await start(directory, '--appendfsync', policy);
    const client = await server.connect();
    await client.pipeline([
      ['SET', 'string', 'value'],
      ['RPUSH', 'list', 'a', 'b'],
      ['SELECT', '3'],
      ['HSET', 'hash', 'f', 'v'],
      ['MULTI'],
      ['INCR', 'n'],
      ['INCR', 'n'],
      ['EXEC'],
      ['SET', 'mortal', 'x', 'EX', '1000'],
    ]);
    await server.kill();
    const again = await start(directory, '--appendfsync', policy);
    const reader = await again.connect();
    expect(await reader.send('GET', 'string')).toBe('value');
    expect(await reader.send('LRANGE', 'list', '0', '-1')).toEqual(['a', 'b']);
    await reader.send('SELECT', '3');
    expect(await reader.send('HGET', 'hash', 'f')).toBe('v');
    expect(await reader.send('GET', 'n')).toBe('2');
    expect(Number(await reader.send('TTL', 'mortal'))).toBeGreaterThan(900);
    expect(again.log).toMatch(/DB loaded from incr file appendonly\.aof\.1\.incr\.aof/);
    expect(again.log).toMatch(/Opening AOF incr file appendonly\.aof\.1\.incr\.aof on server start/);
  });

  test('hold what Valkey would have written', async () => {
    const directory = newDirectory();
    const server = await start(directory, '--appendfsync', 'always');
    const client = await server.connect();
    await client.pipeline([
      ['SET', 'a', '1'],
      ['GET', 'a'],
      ['PUBLISH', 'channel', 'message'],
      ['MULTI'],
      ['PUBLISH', 'channel', 'message'],
      ['EXEC'],
      ['FLUSHALL'],
    ]);
    expect(increment(directory)).toBe(
      command('SELECT', '0') + command('SET', 'a', '1') + command('FLUSHALL'),
    );
  });

  test('keys that expire are deleted in the file as well', async () => {
    const directory = newDirectory();
    const server = await start(directory);
    const client = await server.connect();
    await client.send('SET', 'k', 'v', 'PX', '1');
    await expect.poll(() => increment(directory), { timeout: 5000 }).toContain(command('UNLINK', 'k'));
    await client.send('PING');
  });

  test('tell the time if asked to', async () => {
    const directory = newDirectory();
    const server = await start(directory, '--aof-timestamp-enabled', 'yes', '--appendfsync', 'always');
    const client = await server.connect();
    const before = Math.floor(Date.now() / 1000);
    await client.send('SET', 'a', '1');
    const text = increment(directory);
    const second = Number(/^#TS:(\d+)\r\n/.exec(text)?.[1]);
    expect(second).toBeGreaterThanOrEqual(before);
    expect(second).toBeLessThanOrEqual(Math.floor(Date.now() / 1000));
    expect(text).toBe(`#TS:${second}\r\n${command('SELECT', '0')}${command('SET', 'a', '1')}`);
  });

  test('figures of INFO', async () => {
    const directory = newDirectory();
    const server = await start(directory);
    const client = await server.connect();
    await client.send('SET', 'a', '1');
    expect(await field(client, 'aof_enabled')).toBe('1');
    expect(await field(client, 'aof_last_write_status')).toBe('ok');
    const inside = join(directory, 'appendonlydir');
    const size = readdirSync(inside)
      .filter((name) => !name.endsWith('.manifest'))
      .reduce((sum, name) => sum + statSync(join(inside, name)).size, 0);
    expect(await field(client, 'aof_current_size')).toBe(String(size));
    expect(await field(client, 'aof_buffer_length')).toBe('0');
  });
});

describe('loading', () => {
  const set = (key: string) => command('SET', key, 'v');

  test('several increments, one of them empty', async () => {
    const directory = written(set('a'), '', command('SELECT', '2') + set('b'));
    const client = await (await start(directory)).connect();
    expect(await client.send('GET', 'a')).toBe('v');
    await client.send('SELECT', '2');
    expect(await client.send('GET', 'b')).toBe('v');
  });

  test('what is past its deadline by now is not there any more', async () => {
    const directory = written(
      command('RPUSH', 'list', 'foo') +
        command('PEXPIREAT', 'list', '1000') +
        command('RPUSH', 'list', 'bar'),
    );
    const client = await (await start(directory)).connect();
    expect(await client.send('LLEN', 'list')).toBe(0);
  });

  test('a torn tail is cut off, and what follows is written behind the cut', async () => {
    const whole = set('a') + set('b');
    const directory = written(whole + set('c').slice(0, -3));
    const server = await start(directory, '--appendfsync', 'always');
    expect(server.log).toMatch(`Truncating the AOF appendonly.aof.1.incr.aof at offset ${whole.length}`);
    const client = await server.connect();
    expect(await client.send('EXISTS', 'a', 'b', 'c')).toBe(2);
    await client.send('SET', 'd', '1');
    expect(increment(directory)).toBe(whole + command('SELECT', '0') + command('SET', 'd', '1'));
  });

  test('half a transaction is taken back', async () => {
    const directory = written(set('a') + command('MULTI') + set('b'));
    const server = await start(directory);
    expect(server.log).toMatch('Revert incomplete MULTI/EXEC transaction in AOF file');
    const client = await server.connect();
    expect(await client.send('EXISTS', 'a', 'b')).toBe(1);
    expect(increment(directory)).toBe(set('a'));
  });

  test.each([
    ['a torn tail, with aof-load-truncated no', [set('a').slice(0, -1)], /Unexpected end of file reading/],
    ['rubbish', [`${set('a')}!!!${set('b')}`], /Bad file format reading the append only file/],
    [
      'an unknown command',
      [command('BLA', 'x')],
      /error: unknown command 'BLA', with args beginning with: 'x'/,
    ],
    ['an unknown subcommand', [command('CONFIG', 'NOPE')], /unknown subcommand 'NOPE'/],
    ['a wrong number of arguments', [command('GET')], /wrong number of arguments for 'get' command/],
  ])('%s is fatal', async (_what, increments, message) => {
    const { code, log } = await refuses(written(...increments), '--aof-load-truncated', 'no');
    expect(code).toBe(1);
    expect(log).toMatch(message);
  });

  test('a torn file that is not the last is fatal', async () => {
    const { code, log } = await refuses(written(set('a').slice(0, -1), set('b')));
    expect(code).toBe(1);
    expect(log).toMatch('Fatal error: the truncated file is not the last file');
  });

  test('a file that is missing is fatal', async () => {
    const directory = written(set('a'), set('b'));
    rmSync(join(directory, 'appendonlydir/appendonly.aof.1.incr.aof'));
    const { code, log } = await refuses(directory);
    expect(code).toBe(1);
    expect(log).toMatch(/appendonly\.aof\.1\.incr\.aof .*No such file or directory/);
  });

  test('a manifest that is none is fatal', async () => {
    const directory = written(set('a'));
    appendFileSync(join(directory, 'appendonlydir/appendonly.aof.manifest'), '\n');
    const { code, log } = await refuses(directory);
    expect(code).toBe(1);
    expect(log).toMatch('*** FATAL AOF MANIFEST FILE ERROR ***');
    expect(log).toMatch('Invalid AOF manifest file format');
  });

  test('the single file of an old server moves into the directory', async () => {
    const directory = newDirectory();
    writeFileSync(join(directory, 'appendonly.aof'), set('a'));
    const server = await start(directory);
    expect(server.log).toMatch(
      'Successfully migrated an old-style AOF file (appendonly.aof) into the AOF directory (appendonlydir).',
    );
    expect(await (await server.connect()).send('GET', 'a')).toBe('v');
    expect(readFileSync(join(directory, 'appendonlydir/appendonly.aof.manifest'), 'latin1')).toBe(
      'file appendonly.aof seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n',
    );
  });

  test('clients are told while it goes on', async () => {
    const directory = written(command('SELECT', '0') + set('key').repeat(600_000));
    const server = await KvasirProcess.launch(directory, ['--appendonly', 'yes']);
    processes.push(server);
    await server.logged(/Server initialized/);
    const client = await server.connect();
    const reply = await client.send('GET', 'key');
    expect(reply).toEqual(new RespError('LOADING Valkey is loading the dataset in memory'));
    expect(await field(client, 'loading')).toBe('1');
    await server.logged(/Ready to accept connections/);
    expect(await client.send('GET', 'key')).toBe('v');
    expect(await field(client, 'loading')).toBe('0');
  });
});
