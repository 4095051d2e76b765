/** BGSAVE, the points of `save` and rewrites of the append-only file: files of one moment, while writes go on. */

import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { type RespClient, RespError } from '../support/resp-client.js';

let server: RunningKvasir | undefined;

afterEach(async () => {
  await server?.kill();
  server = undefined;
});

async function start(...options: string[]): Promise<{ server: RunningKvasir; client: RespClient }> {
  server = await startKvasir(['--enable-debug-command', 'yes', ...options]);
  return { server, client: await server.connect() };
}

async function info(client: RespClient): Promise<Map<string, string>> {
  const text = (await client.send('INFO', 'persistence')) as string;
  return new Map(text.split('\r\n').map((line) => line.split(':', 2) as [string, string]));
}

/** Asks until the field has the value. */
async function until(client: RespClient, field: string, value: string): Promise<void> {
  for (const end = Date.now() + 20_000; (await info(client)).get(field) !== value; ) {
    if (Date.now() > end) throw new Error(`${field} does not become ${value}`);
  }
}

/** Why a write is refused. */
async function refusal(client: RespClient): Promise<string> {
  const reply = await client.send('SET', 'k', 'w');
  return reply instanceof RespError ? reply.message : 'it is not';
}

/** Keys of every type, in two databases. */
async function fill(client: RespClient, count: number): Promise<void> {
  for (const db of [0, 9]) {
    await client.send('SELECT', db);
    const commands: (string | number)[][] = [];
    for (let i = 0; i < count; i++) commands.push(...write(i, i));
    await Promise.all(commands.map((command) => client.send(...command)));
  }
  await client.send('SELECT', 0);
}

function write(i: number, v: number): (string | number)[][] {
  return [
    ['SET', `s${i}`, `value ${v}`],
    ['SET', `long${i}`, `${v}`.padEnd(2000, 'x')],
    ['SET', `e${i}`, v, 'PX', 10_000_000 + v],
    ['HSET', `h${i}`, 'f', v, `g${v}`, 'w'],
    ['HSETEX', `x${i}`, 'PX', 10_000_000 + v, 'FIELDS', 1, `f${v % 7}`, v],
    ['RPUSH', `l${i}`, v, 'a', v % 3],
    ['SADD', `m${i}`, v, `m${v % 5}`],
    ['ZADD', `z${i}`, v, 'a', v + 1, `b${v % 9}`],
    ['XADD', `t${i}`, '*', 'f', v],
    ['SETBIT', `b${i}`, v % 4096, 1],
  ];
}

/** Writes until it is stopped: what is there is changed, taken away, renamed and moved. */
function disturb(clients: RespClient[], keys: number): () => Promise<void> {
  let going = true;
  let n = 0;
  const loop = async (client: RespClient): Promise<void> => {
    while (going) {
      const i = (n * 7919) % keys;
      const v = n++;
      const batch: (string | number)[][] = [
        ...write(i, v),
        ['DEL', `s${(i + 1) % keys}`, `h${(i + 2) % keys}`, `z${(i + 3) % keys}`],
        ['RENAME', `l${(i + 4) % keys}`, `l${i}`],
        ['MOVE', `m${(i + 5) % keys}`, 9],
        ['LPOP', `l${i}`, 2],
        ['HDEL', `h${i}`, 'f'],
        ['SPOP', `m${i}`],
        ['XTRIM', `t${i}`, 'MAXLEN', 2],
        ['PEXPIRE', `e${i}`, 1],
        ['PERSIST', `e${(i + 6) % keys}`],
        ['APPEND', `long${i}`, 'more'],
      ];
      if (v % 50 === 0) batch.push(['SWAPDB', 0, 9]);
      if (v % 400 === 399) batch.push(['FLUSHDB']);
      await Promise.all(batch.map((command) => client.send(...command).catch(() => null)));
    }
  };
  const loops = clients.map(loop);
  return async () => {
    going = false;
    await Promise.all(loops);
  };
}

describe('BGSAVE', () => {
  test('writes what was there when it was asked for, whatever is written meanwhile', async () => {
    const { server, client } = await start('--rdb-key-save-delay', '20');
    await fill(client, 1500);
    const writers = await Promise.all([server.connect(), server.connect()]);
    // One turn: nothing comes between the digest and the beginning of the save.
    const [digest, begun] = await Promise.all([client.send('DEBUG', 'DIGEST'), client.send('BGSAVE')]);
    expect(begun).toBe('Background saving started');
    const stop = disturb(writers, 1500);
    await expect(client.send('BGSAVE')).resolves.toEqual(
      new RespError('ERR Background save already in progress'),
    );
    expect(await client.send('SAVE')).toEqual(new RespError('ERR Background save already in progress'));
    await until(client, 'rdb_bgsave_in_progress', '0');
    await stop();
    expect((await info(client)).get('rdb_last_bgsave_status')).toBe('ok');
    expect(server.log).toContain('Background saving terminated with success');
    expect(await client.send('DEBUG', 'DIGEST')).not.toBe(digest);
    await server.restart();
    expect(await (await server.connect()).send('DEBUG', 'DIGEST')).toBe(digest);
    expect(readdirSync(server.directory).filter((name) => name.startsWith('temp-'))).toEqual([]);
  });

  test('CANCEL ends it and leaves nothing behind', async () => {
    const { server, client } = await start('--rdb-key-save-delay', '10000');
    await fill(client, 20);
    await client.send('BGSAVE');
    expect((await info(client)).get('current_save_keys_total')).toBe('400');
    // What the walk has handed over; the thread that writes it may be far behind.
    await expect
      .poll(async () => (await info(client)).get('current_save_keys_processed'), { timeout: 20000 })
      .toBe('400');
    expect((await info(client)).get('current_fork_perc')).toBe('100.00');
    expect(await client.send('BGSAVE', 'CANCEL')).toBe('Background saving cancelled');
    expect(await client.send('BGSAVE', 'CANCEL')).toEqual(
      new RespError('ERR Background saving is currently not in progress or scheduled'),
    );
    const fields = await info(client);
    expect(fields.get('rdb_bgsave_in_progress')).toBe('0');
    expect(fields.get('rdb_last_bgsave_status')).toBe('ok');
    expect(existsSync(join(server.directory, 'dump.rdb'))).toBe(false);
    expect(readdirSync(server.directory).filter((name) => name.startsWith('temp-'))).toEqual([]);
    // What the abandoned walk left is put right: the next ones work, as many as are asked for.
    await client.send('CONFIG', 'SET', 'rdb-key-save-delay', 0);
    for (let i = 0; i < 6; i++) {
      await until(client, 'rdb_bgsave_in_progress', '0');
      expect(await client.send('BGSAVE')).toBe('Background saving started');
    }
    await until(client, 'rdb_bgsave_in_progress', '0');
  });

  test('FLUSHALL ends it, and with points of `save` the file is empty at once', async () => {
    const { server, client } = await start('--rdb-key-save-delay', '10000', '--save', '3600 1000000');
    await fill(client, 20);
    await client.send('BGSAVE');
    expect(await client.send('FLUSHALL')).toBe('OK');
    const fields = await info(client);
    expect(fields.get('rdb_bgsave_in_progress')).toBe('0');
    expect(fields.get('rdb_last_bgsave_status')).toBe('ok');
    expect(fields.get('rdb_changes_since_last_save')).toBe('0');
    expect(existsSync(join(server.directory, 'dump.rdb'))).toBe(true);
  });

  test('in a transaction it waits for the end of that', async () => {
    const { server, client } = await start();
    await client.send('MULTI');
    await client.send('SET', 'k', 'v');
    await client.send('BGSAVE');
    expect(await client.send('EXEC')).toEqual(['OK', 'Background saving scheduled']);
    await server.logged(/Background saving terminated with success/);
  });

  test('a failure stops writes until a save succeeds', async () => {
    const { server, client } = await start('--save', '3600 1');
    // The rename cannot replace a directory.
    mkdirSync(join(server.directory, 'dump.rdb'));
    await client.send('SET', 'k', 'v');
    await client.send('BGSAVE');
    await until(client, 'rdb_last_bgsave_status', 'err');
    expect(server.log).toContain('Error moving temp DB file');
    expect(server.log).toContain('Background saving error');
    expect(await refusal(client)).toMatch(/^MISCONF Valkey is configured to save RDB snapshots/);
    expect(await client.send('GET', 'k')).toBe('v');
    await client.send('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no');
    expect(await client.send('SET', 'k', 'w')).toBe('OK');
    await client.send('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'yes');
    expect(await refusal(client)).toMatch(/^MISCONF Valkey is configured to save RDB snapshots/);
    rmdirSync(join(server.directory, 'dump.rdb'));
    await client.send('BGSAVE');
    await until(client, 'rdb_last_bgsave_status', 'ok');
    expect(await client.send('SET', 'k', 'x')).toBe('OK');
  });

  test('changes and time bring one about', async () => {
    const { server, client } = await start('--save', '1 3');
    await client.send('MSET', 'a', 1, 'b', 2);
    await client.send('SET', 'c', 3);
    await server.logged(/3 changes in 1 seconds\. Saving\.\.\./);
    await server.logged(/Background saving terminated with success/);
    expect((await info(client)).get('rdb_changes_since_last_save')).toBe('0');
  });
});

describe('BGREWRITEAOF', () => {
  test.each(['yes', 'no'])(
    'loses nothing that is written meanwhile (aof-use-rdb-preamble %s)',
    async (preamble) => {
      const { server, client } = await start(
        ...['--appendonly', 'yes', '--rdb-key-save-delay', '20', '--aof-use-rdb-preamble', preamble],
      );
      await fill(client, 300);
      const writers = await Promise.all([server.connect(), server.connect()]);
      const stop = disturb(writers, 300);
      expect(await client.send('BGREWRITEAOF')).toBe('Background append only file rewriting started');
      expect(await client.send('BGSAVE')).toEqual(
        new RespError(
          "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule " +
            'a BGSAVE whenever possible.',
        ),
      );
      await until(client, 'aof_rewrite_in_progress', '0');
      await stop();
      expect((await info(client)).get('aof_last_bgrewrite_status')).toBe('ok');
      // Nothing that may expire between here and there.
      await client.send('DEBUG', 'SET-ACTIVE-EXPIRE', 0);
      const digest = await client.send('DEBUG', 'DIGEST');
      await server.restart();
      expect(await (await server.connect()).send('DEBUG', 'DIGEST')).toBe(digest);
    },
  );
});
