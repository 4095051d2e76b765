/** INFO and MEMORY STATS against a real Valkey: the same sections, in each of them the same fields in the same order. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { type RespClient, RespError, VerbatimString } from '../support/resp-client.js';
import { findValkeyServer, type RunningValkey, startValkey } from '../support/valkey.js';

const binary = findValkeyServer();
if (binary === undefined) {
  console.warn(
    'info.test.ts is skipped: no valkey-server in $VALKEY_PEER/bin, ~/.cache/valkey-peer/bin or on PATH',
  );
}

/** Lines of these depend on what the server has run, or on modules that only Valkey has. */
const OWN_CONTENT = new Set([
  'Modules',
  'Commandstats',
  'Errorstats',
  'Latencystats',
  'Scripting Engines',
  'Keyspace',
]);

/** [title, field names] of each section. */
function sections(info: string): [string, string[]][] {
  return info
    .split('\r\n\r\n')
    .filter((text) => text !== '')
    .map((text) => {
      const [title, ...lines] = text.split('\r\n').filter((line) => line !== '');
      const name = title!.replace('# ', '');
      return [name, OWN_CONTENT.has(name) ? [] : lines.map((line) => line.slice(0, line.indexOf(':')))];
    });
}

describe.skipIf(binary === undefined)('INFO and Valkey', () => {
  let ours: RunningKvasir;
  let theirs: RunningValkey;
  let us: RespClient;
  let them: RespClient;

  beforeAll(async () => {
    [ours, theirs] = await Promise.all([startKvasir(), startValkey(binary!)]);
    [us, them] = await Promise.all([ours.connect(), theirs.connect()]);
    for (const client of [us, them]) await client.send('SET', 'key', 'value');
  });

  afterAll(async () => {
    us.close();
    them.close();
    await Promise.all([ours.stop(), theirs.stop()]);
  });

  test.each([
    [[]],
    [['default']],
    [['all']],
    [['EVERYTHING']],
    [['server']],
    [['cpu', 'commandSTATS', 'cpu']],
    [['modules']],
    [['debug']],
    [['all', 'debug']],
    [['nosuchsection']],
    [['keyspace', 'nosuchsection', 'default']],
  ])('INFO %j', async (asked) => {
    const [a, b] = await Promise.all([us.send('INFO', ...asked), them.send('INFO', ...asked)]);
    expect(sections(a as string)).toEqual(sections(b as string));
  });

  test('fields of other settings', async () => {
    for (const client of [us, them]) {
      await client.send('CONFIG', 'SET', 'extended-redis-compatibility', 'yes', 'min-replicas-to-write', '1');
    }
    const [a, b] = await Promise.all([
      us.send('INFO', 'server', 'replication'),
      them.send('INFO', 'server', 'replication'),
    ]);
    expect(sections(a as string)).toEqual(sections(b as string));
    for (const client of [us, them]) {
      await client.send('CONFIG', 'SET', 'extended-redis-compatibility', 'no', 'min-replicas-to-write', '0');
    }
  });

  test('verbatim text in RESP3', async () => {
    const client = await ours.connect();
    await client.send('HELLO', 3);
    const reply = await client.send('INFO', 'cluster');
    expect(reply).toEqual(new VerbatimString('txt', '# Cluster\r\ncluster_enabled:0\r\n'));
    client.close();
  });

  test('MEMORY STATS', async () => {
    const names = (reply: unknown) => (reply as unknown[]).filter((_, i) => i % 2 === 0);
    const [a, b] = await Promise.all([us.send('MEMORY', 'STATS'), them.send('MEMORY', 'STATS')]);
    expect(names(a)).toEqual(names(b));
  });

  // Replies that must be the same to the byte.
  test.each([
    [['COMMANDLOG', 'GET', '-2', 'slow']],
    [['COMMANDLOG', 'GET', 'x', 'slow']],
    [['COMMANDLOG', 'GET', '1', 'fast']],
    [['COMMANDLOG', 'LEN', 'fast']],
    [['COMMANDLOG', 'RESET', 'fast']],
    [['COMMANDLOG', 'RESET', 'LARGE-reply']],
    [['COMMANDLOG', 'GET', '9223372036854775807', 'large-request']],
    [['SLOWLOG', 'GET', '-2']],
    [['SLOWLOG', 'GET', '1', '2']],
    [['slowLog', 'gEt', '1', '2']],
    [['SLOWLOG', 'LEN']],
    [['SLOWLOG', 'RESET']],
    [['LATENCY', 'LATEST']],
    [['LATENCY', 'HISTORY', 'command']],
    [['LATENCY', 'GRAPH', 'command']],
    [['LATENCY', 'DOCTOR']],
    [['LATENCY', 'RESET', 'command', 'nothing']],
    [['LATENCY', 'HISTOGRAM', 'nosuchcommand', 'get']],
    [['MEMORY', 'DOCTOR']],
    [['MEMORY', 'PURGE']],
    [['LOLWUT', 'VERSION', 'x']],
    [['LOLWUT', 'VERSION']],
    [['LOLWUT', '1', '2', '3']],
    [['LOLWUT', '1', 'x']],
    [['LOLWUT', '1', '2', 'x', '3']],
    [['LOLWUT', 'VERSION', '5', 'x']],
    [['LOLWUT', 'VERSION', '7']],
    [['LOLWUT', 'VERSION', '-1']],
    [['SHUTDOWN', 'ABORT']],
    [['SHUTDOWN', 'SAVE', 'NOSAVE']],
    [['SHUTDOWN', 'NOW', 'ABORT']],
    [['SHUTDOWN', 'LATER']],
    [['SHUTDOWN', 'FAILOVER']],
  ])('%j', async (command) => {
    const [a, b] = await Promise.all([us.raw(...command), them.raw(...command)]);
    expect(a.toString('latin1')).toBe(b.toString('latin1'));
  });

  test('errors are told apart from replies', async () => {
    expect(await us.send('SLOWLOG', 'GET', '-2')).toBeInstanceOf(RespError);
  });
});
