/** What INFO says of a server that has been used. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { type RespClient, RespError } from '../support/resp-client.js';

let server: RunningKvasir;
let client: RespClient;

beforeEach(async () => {
  server = await startKvasir(['--hz', '100']);
  client = await server.connect();
});

afterEach(async () => {
  client.close();
  await server.stop();
});

async function info(section: string): Promise<Map<string, string>> {
  const text = (await client.send('INFO', section)) as string;
  const lines = text.split('\r\n').filter((line) => line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

async function number(section: string, field: string): Promise<number> {
  return Number((await info(section)).get(field));
}

/** Asks until the answer satisfies. */
async function eventually(section: string, field: string, holds: (value: number) => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  for (;;) {
    const value = await number(section, field);
    if (holds(value)) return;
    if (Date.now() > deadline) throw new Error(`${field} is ${value}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('INFO', () => {
  test('server', async () => {
    const fields = await info('server');
    expect(fields.get('process_id')).toBe(`${server.pid}`);
    expect(fields.get('tcp_port')).toBe(`${server.port}`);
    expect(fields.get('listener0')).toBe(`name=tcp,bind=127.0.0.1,port=${server.port}`);
    expect(fields.get('hz')).toBe('100');
    expect(fields.get('run_id')).toMatch(/^[0-9a-f]{40}$/);
    expect(fields.get('executable')).toMatch(/^\/.*kvasir-server$/);
    expect(Math.abs(Number(fields.get('server_time_usec')) / 1000 - Date.now())).toBeLessThan(5000);
  });

  test('clients come and go', async () => {
    const other = await server.connect();
    await other.send('PING');
    expect(await number('clients', 'connected_clients')).toBe(2);
    other.close();
    await eventually('clients', 'connected_clients', (n) => n === 1);
  });

  test('paused clients', async () => {
    await client.send('CLIENT', 'PAUSE', 60000, 'WRITE');
    const fields = await info('clients');
    expect(fields.get('paused_reason')).toBe('client_pause');
    expect(fields.get('paused_actions')).toBe('write');
    expect(Number(fields.get('paused_timeout_milliseconds'))).toBeGreaterThan(50000);
  });

  test('a large value shows in the memory, its peak stays', async () => {
    const before = await number('memory', 'used_memory');
    await client.send('SET', 'key', Buffer.alloc(8 << 20, 'x'));
    expect(await number('memory', 'used_memory')).toBeGreaterThan(before + (8 << 20));
    await client.send('SET', 'key', 'small');
    const after = await info('memory');
    expect(Number(after.get('used_memory'))).toBeLessThan(before + (4 << 20));
    expect(Number(after.get('used_memory_peak'))).toBeGreaterThan(before + (8 << 20));
    expect(Number(after.get('used_memory_rss'))).toBeGreaterThan(10 << 20);
    expect(after.get('mem_allocator')).toBe('kvasir-slab');
  });

  test('what one client asks at once shows as input', async () => {
    await eventually('stats', 'total_commands_processed', (n) => n > 0);
    await client.pipeline(Array.from({ length: 2000 }, () => ['PING']));
    await eventually('stats', 'instantaneous_ops_per_sec', (n) => n > 100);
    expect(await number('stats', 'instantaneous_input_kbps')).toBeGreaterThan(0);
    expect(await number('debug', 'eventloop_cmd_per_cycle_max')).toBeGreaterThan(10);
    expect(await number('stats', 'eventloop_duration_cmd_sum')).toBeGreaterThan(0);
    expect(await number('cpu', 'used_active_time_main_thread')).toBeGreaterThan(0);
  });

  test('command, error and latency statistics, and their reset', async () => {
    await client.send('SET', 'key', 'value');
    await client.send('SET', 'key', 'value', 'NONSENSE');
    await client.send('SET', 'key');
    await client.send('nosuchcommand');
    const commands = await info('commandstats');
    expect(commands.get('cmdstat_set')).toMatch(
      /^calls=2,usec=\d+,usec_per_call=\d+\.\d\d,rejected_calls=1,failed_calls=1$/,
    );
    expect((await info('errorstats')).get('errorstat_ERR')).toBe('count=3');
    expect((await info('latencystats')).get('latency_percentiles_usec_set')).toMatch(
      /^p50=\d+\.\d{3},p99=\d+\.\d{3},p99\.9=\d+\.\d{3}$/,
    );
    await client.send('CONFIG', 'SET', 'latency-tracking-info-percentiles', '0 100');
    expect((await info('latencystats')).get('latency_percentiles_usec_set')).toMatch(/^p0=.*,p100=[^,]*$/);
    await client.send('CONFIG', 'SET', 'latency-tracking', 'no');
    expect((await info('latencystats')).size).toBe(0);
    await client.send('CONFIG', 'RESETSTAT');
    expect((await info('errorstats')).size).toBe(0);
    expect((await info('commandstats')).has('cmdstat_set')).toBe(false);
  });

  test('what fails inside EXEC is counted once, as a failure of the command and not of EXEC', async () => {
    for (const failing of [
      ['AUTH', 'a'],
      ['LPUSH', 'text', 'a'],
    ]) {
      await client.send('CONFIG', 'RESETSTAT');
      await client.send('MULTI');
      await client.send('SET', 'text', 'b');
      await client.send(...failing);
      await client.send('EXEC');
      const code = failing[0] === 'AUTH' ? 'ERR' : 'WRONGTYPE';
      expect(await info('errorstats')).toEqual(new Map([[`errorstat_${code}`, 'count=1']]));
      expect(await number('stats', 'total_error_replies')).toBe(1);
      const commands = await info('commandstats');
      expect(commands.get(`cmdstat_${failing[0]!.toLowerCase()}`)).toMatch(/^calls=1,.*,failed_calls=1$/);
      expect(commands.get('cmdstat_exec')).toMatch(/^calls=1,.*,failed_calls=0$/);
      // EXEC's own error is EXEC's.
      expect(await client.send('EXEC')).toEqual(new RespError('ERR EXEC without MULTI'));
      expect((await info('commandstats')).get('cmdstat_exec')).toMatch(/^calls=2,.*,failed_calls=1$/);
      expect(await number('stats', 'total_error_replies')).toBe(2);
    }
  });

  test('keyspace and changes', async () => {
    await client.send('SET', 'a', 1);
    await client.send('SET', 'b', 2, 'EX', 1000);
    const keyspace = await info('keyspace');
    expect(keyspace.get('db0')).toMatch(/^keys=2,expires=1,avg_ttl=\d+,keys_with_volatile_items=0$/);
    expect(await number('persistence', 'rdb_changes_since_last_save')).toBe(2);
  });

  test('LOLWUT ends with the version', async () => {
    const text = (await client.send('LOLWUT', 'VERSION', 9, 20, 5)) as string;
    const lines = text.split('\n');
    expect(lines.slice(0, 5).every((line) => line.length === 20)).toBe(true);
    expect(text).toMatch(/Valkey ver\. 9\.1\.2\n$/);
    await client.send('CONFIG', 'SET', 'extended-redis-compatibility', 'yes');
    expect(await client.send('LOLWUT')).toMatch(/Redis ver\. 7\.2\.4\n$/);
  });

  test('MEMORY', async () => {
    const stats = (await client.send('MEMORY', 'STATS')) as unknown[];
    expect(stats[stats.indexOf('keys.count') + 1]).toBe(0);
    expect(await client.send('MEMORY', 'PURGE')).toBe('OK');
    expect(await client.send('MEMORY', 'DOCTOR')).toMatch(/^Hi Sam, this instance is empty/);
    await client.send('SET', 'key', Buffer.alloc(8 << 20, 'x'));
    expect(await client.send('MEMORY', 'DOCTOR')).not.toMatch(/is empty/);
  });
});
