/** The RDB file: SAVE, loading at start, DEBUG RELOAD, the last snapshot before exiting, and what goes wrong. */

import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { type RespClient, RespError } from '../support/resp-client.js';

let server: RunningKvasir | undefined;

afterEach(async () => {
  await server?.kill();
  server = undefined;
});

async function start(
  ...options: string[]
): Promise<{ server: RunningKvasir; client: RespClient; file: string }> {
  server = await startKvasir(['--enable-debug-command', 'yes', ...options]);
  return { server, client: await server.connect(), file: join(server.directory, 'dump.rdb') };
}

async function info(client: RespClient): Promise<Map<string, string>> {
  const text = (await client.send('INFO', 'persistence')) as string;
  return new Map(text.split('\r\n').map((line) => line.split(':', 2) as [string, string]));
}

async function fill(client: RespClient): Promise<void> {
  await client.send('SET', 'string', 'value');
  await client.send('SET', 'long', 'x'.repeat(100_000));
  await client.send('SET', 'timed', 'v', 'EX', '1000');
  await client.send('RPUSH', 'list', 'a', 'b', '1');
  await client.send('SADD', 'set', 'a', 'b');
  await client.send('ZADD', 'zset', '1', 'a', '2.5', 'b');
  await client.send('HSETEX', 'hash', 'EX', '1000', 'FIELDS', '1', 'f', 'v');
  await client.send('HSET', 'hash', 'g', 'w');
  await client.send('XADD', 'stream', '1-1', 'f', 'v');
  await client.send('XGROUP', 'CREATE', 'stream', 'group', '0');
  await client.send('SELECT', '9');
  await client.send('SET', 'elsewhere', '1');
  await client.send('SELECT', '0');
}

describe('SAVE', () => {
  test('writes a file that the next start loads', async () => {
    const { server, client, file } = await start();
    await fill(client);
    const digest = await client.send('DEBUG', 'DIGEST');
    expect((await info(client)).get('rdb_changes_since_last_save')).not.toBe('0');
    expect(await client.send('SAVE')).toBe('OK');
    const now = Math.floor(Date.now() / 1000);
    expect(Math.abs(((await client.send('LASTSAVE')) as number) - now)).toBeLessThan(5);
    const fields = await info(client);
    expect(fields.get('rdb_changes_since_last_save')).toBe('0');
    expect(fields.get('rdb_saves')).toBe('1');
    expect(server.log).toContain('DB saved on disk');
    expect(readFileSync(file).subarray(0, 9).toString()).toBe('VALKEY080');
    expect(readdirSync(server.directory).filter((name) => name.startsWith('temp-'))).toEqual([]);
    await server.restart();
    const again = await server.connect();
    expect(await again.send('DEBUG', 'DIGEST')).toBe(digest);
    const loaded = await info(again);
    expect(loaded.get('rdb_last_load_keys_loaded')).toBe('9');
    expect(loaded.get('rdb_last_load_keys_expired')).toBe('0');
    expect(loaded.has('loading_start_time')).toBe(false);
    const from = server.log.lastIndexOf('Server initialized');
    expect(server.log.slice(from)).toMatch(
      /Loading RDB produced by Valkey version 9\.1\.2[\s\S]*RDB age \d+ seconds[\s\S]*RDB memory usage when created [\d.]+ Mb[\s\S]*Done loading RDB, keys loaded: 9, keys expired: 0, all fields expired hashes: 0\.[\s\S]*DB loaded from disk: \d\.\d{3} seconds[\s\S]*Ready to accept connections tcp/,
    );
  });

  test('needs a place to write to', async () => {
    const { server, client, file } = await start();
    await client.send('SET', 'k', 'v');
    // A directory of that name cannot be replaced by a file.
    mkdirSync(file);
    writeFileSync(join(file, 'x'), '');
    expect(await client.send('SAVE')).toEqual(new RespError('ERR'));
    await server.logged(
      /Error moving temp DB file temp-\d+\.rdb on the final destination dump\.rdb \(in server root dir .*\): (Is a directory|Directory not empty)/,
    );
    expect(readdirSync(server.directory).filter((name) => name.startsWith('temp-'))).toEqual([]);
    expect((await info(client)).get('rdb_changes_since_last_save')).toBe('1');
  });

  test('tells of a full disk', async () => {
    const { server, client } = await start();
    await client.send('SET', 'k', 'v');
    // What the temporary file is written to is full.
    symlinkSync('/dev/full', join(server.directory, `temp-${server.pid}.rdb`));
    expect(await client.send('SAVE')).toEqual(new RespError('ERR'));
    await server.logged(/Write error while saving DB to the disk\(rdbSaveRio\): No space left on device/);
  });

  test('is not for transactions', async () => {
    const { client } = await start();
    await client.send('MULTI');
    expect(await client.send('SAVE')).toEqual(
      new RespError("ERR Command 'save' not allowed inside a transaction"),
    );
  });
});

describe('at start', () => {
  test('no file is no data', async () => {
    const { client } = await start();
    expect(await client.send('DBSIZE')).toBe(0);
  });

  test('clients are told that data are being loaded, and see how far', async () => {
    const { server, client } = await start(
      '--key-load-delay',
      '200',
      '--loading-process-events-interval-bytes',
      '1024',
      '--rdbcompression',
      'no',
    );
    await client.send('DEBUG', 'POPULATE', '20000', 'key', '1000');
    await client.send('SAVE');
    const from = server.log.length;
    const restarted = server.restart();
    await server.logged(/Server initialized/, from);
    const early = await server.connect();
    expect(await early.send('GET', 'key:1')).toEqual(
      new RespError('LOADING Valkey is loading the dataset in memory'),
    );
    expect(await early.send('CONFIG', 'SET', 'appendonly', 'yes')).toEqual(
      new RespError('LOADING Valkey is loading the dataset in memory'),
    );
    const fields = await info(early);
    expect(fields.get('loading')).toBe('1');
    expect(fields.get('async_loading')).toBe('0');
    expect(Number(fields.get('loading_total_bytes'))).toBeGreaterThan(20_000_000);
    expect(Number(fields.get('loading_loaded_perc'))).toBeLessThan(100);
    expect(server.log.slice(from)).not.toContain('Ready to accept');
    // It can go faster at any time.
    expect(await early.send('CONFIG', 'SET', 'key-load-delay', '0')).toBe('OK');
    await restarted;
    expect(await early.send('DBSIZE')).toBe(20000);
    expect((await info(early)).get('loading')).toBe('0');
  });

  test('it may be ended while loading, and leaves the file as it is', async () => {
    const { server, client, file } = await start(
      ...['--key-load-delay', '1000', '--loading-process-events-interval-bytes', '1024', '--save', '900 1'],
    );
    await client.send('DEBUG', 'POPULATE', '10000', 'key', '1000');
    await client.send('SAVE');
    const from = server.log.length;
    const restarted = server.restart().catch(() => {});
    await server.logged(/Server initialized/, from);
    const before = readFileSync(file);
    process.kill(server.pid, 'SIGTERM');
    await server.logged(/Received shutdown signal during loading, scheduling shutdown\./, from);
    await server.logged(/ready to exit, bye bye/, from);
    await restarted;
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test.each([
    [
      'what is no RDB',
      (bytes: Buffer) => bytes.write('X'),
      /Wrong signature trying to load DB from file: XALKEY080/,
    ],
    [
      'a version of the future',
      (bytes: Buffer) => bytes.write('999', 6),
      /Can't handle RDB format version 999/,
    ],
    [
      'a wrong checksum',
      (bytes: Buffer) => bytes.writeUInt8(bytes[bytes.length - 1]! ^ 1, bytes.length - 1),
      /Wrong RDB checksum expected[\s\S]*RDB CRC error[\s\S]*Terminating server after rdb file reading failure\./,
    ],
  ])('%s ends it', async (_what, damage, log) => {
    const { server, client, file } = await start();
    await client.send('SET', 'k', 'v');
    await client.send('SAVE');
    const bytes = readFileSync(file);
    damage(bytes);
    writeFileSync(file, bytes);
    await server.restart().catch(() => {});
    expect(await server.exit()).toEqual([1, null]);
    expect(server.log).toMatch(log);
  });
});

describe('DEBUG RELOAD', () => {
  test('saves, empties and loads', async () => {
    const { server, client } = await start();
    await fill(client);
    const digest = await client.send('DEBUG', 'DIGEST');
    expect(await client.send('DEBUG', 'RELOAD')).toBe('OK');
    expect(await client.send('DEBUG', 'DIGEST')).toBe(digest);
    expect(server.log).toMatch(
      /RDB signature and version check passed\. Flushing old data[\s\S]*Done loading RDB[\s\S]*DB reloaded by DEBUG RELOAD/,
    );
    // A pipeline waits for it.
    const replies = await client.pipeline([
      ['DEBUG', 'RELOAD'],
      ['GET', 'string'],
      ['DEBUG', 'RELOAD'],
      ['DBSIZE'],
    ]);
    expect(replies).toEqual(['OK', 'value', 'OK', 8]);
    // A transaction cannot wait.
    await client.pipeline([['MULTI'], ['DEBUG', 'RELOAD'], ['GET', 'string']]);
    expect(await client.send('EXEC')).toEqual(['OK', 'value']);
  });

  test('others are served meanwhile', async () => {
    const { server, client } = await start('--loading-process-events-interval-bytes', '1024');
    await client.send('DEBUG', 'POPULATE', '2000', 'key', '1000');
    await client.send('CONFIG', 'SET', 'key-load-delay', '1000');
    const other = await server.connect();
    const reloaded = client.send('DEBUG', 'RELOAD');
    await server.logged(/Flushing old data/);
    expect(await other.send('GET', 'key:1')).toEqual(
      new RespError('LOADING Valkey is loading the dataset in memory'),
    );
    expect((await info(other)).get('loading')).toBe('1');
    expect(await other.send('DEBUG', 'RELOAD', 'NOSAVE')).toEqual(
      new RespError('ERR Error trying to load the RDB dump, check server logs.'),
    );
    await other.send('CONFIG', 'SET', 'key-load-delay', '0');
    expect(await reloaded).toBe('OK');
    expect(await other.send('DBSIZE')).toBe(2000);
  });

  test('NOSAVE, NOFLUSH and MERGE', async () => {
    const { client } = await start();
    await client.pipeline([['SET', 'a', '1'], ['SET', 'b', '1'], ['SAVE']]);
    await client.pipeline([
      ['SET', 'a', '2'],
      ['SET', 'c', '2'],
    ]);
    expect(await client.send('DEBUG', 'RELOAD', 'NOSAVE', 'NOFLUSH', 'MERGE')).toBe('OK');
    expect(await client.send('MGET', 'a', 'b', 'c')).toEqual(['1', '1', '2']);
    expect(await client.send('DEBUG', 'RELOAD', 'nosave')).toBe('OK');
    expect(await client.send('MGET', 'a', 'b', 'c')).toEqual(['1', '1', null]);
    expect(await client.send('DEBUG', 'RELOAD', 'BADLY')).toEqual(
      new RespError('ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.'),
    );
  });

  test('keys that come twice end the process', async () => {
    const { server, client } = await start();
    await client.pipeline([['SET', 'a', '1'], ['SAVE']]);
    await expect(client.send('DEBUG', 'RELOAD', 'NOSAVE', 'NOFLUSH')).rejects.toThrow();
    expect(await server.exit()).toEqual([1, null]);
    expect(server.log).toContain('RDB has duplicated key in DB 0');
  });

  test('a file of another version leaves the data alone', async () => {
    const { server, client, file } = await start();
    await client.pipeline([['SET', 'a', '1'], ['SAVE']]);
    const bytes = readFileSync(file);
    bytes.write('987', 6);
    writeFileSync(file, bytes);
    expect(await client.send('DEBUG', 'RELOAD', 'NOSAVE')).toEqual(
      new RespError('ERR Error trying to load the RDB dump, check server logs.'),
    );
    expect(await client.send('GET', 'a')).toBe('1');
    expect(server.log).not.toContain('Flushing old data');
  });

  test('what was watched has changed, and deadlines hold', async () => {
    const { client } = await start();
    await client.pipeline([
      ['SET', 'a', '1'],
      ['SET', 'b', '1', 'PX', '100000'],
      ['WATCH', 'a'],
    ]);
    await client.send('DEBUG', 'RELOAD');
    expect(await client.send('PTTL', 'b')).toBeGreaterThan(50000);
    await client.pipeline([['MULTI'], ['PING']]);
    expect(await client.send('EXEC')).toBe(null);
  });
});

describe('the last snapshot', () => {
  test('is taken where there are points to save at', async () => {
    const { server, client, file } = await start('--save', '900 1');
    await client.send('SET', 'k', 'v');
    await server.restart();
    expect(server.log).toMatch(
      /User requested shutdown[\s\S]*Saving the final RDB snapshot before exiting\.[\s\S]*DB saved on disk/,
    );
    expect(existsSync(file)).toBe(true);
    expect(await (await server.connect()).send('GET', 'k')).toBe('v');
  });

  test('or when it is asked for', async () => {
    const { server, client, file } = await start();
    await client.send('SET', 'k', 'v');
    client.send('SHUTDOWN', 'SAVE').catch(() => {});
    expect(await server.exit()).toEqual([0, null]);
    expect(existsSync(file)).toBe(true);
  });

  test('and not when it is not wanted', async () => {
    const { server, client, file } = await start('--save', '900 1');
    await client.send('SET', 'k', 'v');
    client.send('SHUTDOWN', 'NOSAVE').catch(() => {});
    expect(await server.exit()).toEqual([0, null]);
    expect(existsSync(file)).toBe(false);
  });

  test('without it the server stays, unless forced', async () => {
    const { server, client, file } = await start('--save', '900 1');
    await client.send('SET', 'k', 'v');
    mkdirSync(file);
    writeFileSync(join(file, 'x'), '');
    expect(await client.send('SHUTDOWN')).toEqual(
      new RespError('ERR Errors trying to SHUTDOWN. Check logs.'),
    );
    expect(server.log).toContain("Error trying to save the DB, can't exit.");
    expect(await client.send('GET', 'k')).toBe('v');
    client.send('SHUTDOWN', 'FORCE').catch(() => {});
    expect(await server.exit()).toEqual([0, null]);
    expect(server.log).toContain('Error trying to save the DB. Exit anyway.');
  });
});
