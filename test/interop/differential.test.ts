/**
 * Kvasir against Valkey with a fixed set of seeds, and the tester against itself: Valkey beside Valkey must show
 * nothing, and one damaged reply must be found. The run of a million commands is differential/run.mjs.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Difference, run } from './differential/driver.js';
import { groups } from './differential/grammar/index.js';
import type { Group } from './differential/grammar/pattern.js';
import type { Sides } from './differential/pair.js';
import { CorruptingProxy } from './differential/proxy.js';
import { fuzzProtocol } from './differential/raw.js';
import { describe as describeDifference, listing } from './differential/report.js';
import { findValkey, Server } from './differential/servers.js';
import { shrink } from './differential/shrink.js';

const valkey = findValkey();
const kvasir = resolve('bin/kvasir-server');
const kvasirBuilt = existsSync(kvasir) && existsSync(resolve('dist'));
if (valkey === null)
  console.warn(
    'differential tests skipped: no valkey-server in $VALKEY_PEER/bin, ~/.cache/valkey-peer/bin or PATH',
  );
else if (!kvasirBuilt) console.warn('differential tests of Kvasir skipped: it is not built (npm run build)');

const SEEDS = [1, 2, 3];
const COMMANDS = 10_000;
const SESSIONS = 100;
const LONG = 120_000;

const findings = (differences: readonly Difference[]): string =>
  differences.map(describeDifference).join('\n\n');

describe.skipIf(valkey === null)('the differential tester', () => {
  let reference: Server;
  let twin: Server;
  let sides: Sides;

  beforeAll(async () => {
    [reference, twin] = await Promise.all([Server.start(valkey!), Server.start(valkey!)]);
    sides = { subject: twin.endpoint, reference: reference.endpoint };
  }, LONG);
  afterAll(async () => {
    await twin?.stop();
    await reference?.stop();
  });

  it('finds no difference between two Valkeys', { timeout: LONG }, async () => {
    const result = await run(sides, { seed: 1, commands: COMMANDS, groups });
    expect(findings(result.differences)).toBe('');
    expect(result.commands).toBeGreaterThanOrEqual(COMMANDS);
    expect([...result.notBuilt.keys()]).toEqual([]);
  });

  it('finds no difference between the protocols of two Valkeys', { timeout: LONG }, async () => {
    const result = await fuzzProtocol(sides, 1, SESSIONS);
    expect(result.differences).toEqual([]);
    expect(result.sessions).toBe(SESSIONS);
  });

  /** Only GETs of one key that holds one text, so that the damage below has one possible consequence. */
  const readers: Group = {
    name: 'readers',
    weight: 1,
    entries: [
      { weight: 3, generate: () => [{ args: ['PING'] }] },
      { weight: 1, generate: () => [{ args: ['SET', 'k0', 'seventeen letters'] }] },
      { weight: 1, generate: () => [{ args: ['GET', 'k0'] }] },
    ],
  };

  it.each([
    [
      'changes one byte',
      (chunk: Buffer) => Buffer.from(chunk.toString('latin1').replace('letters', 'lettars'), 'latin1'),
    ],
    [
      'answers an error',
      (chunk: Buffer) =>
        Buffer.from(chunk.toString('latin1').replace('$17\r\nseventeen letters', '-ERR'), 'latin1'),
    ],
    [
      'breaks the framing',
      (chunk: Buffer) => Buffer.from(chunk.toString('latin1').replace('$17\r\nsev', '@17\r\nsev'), 'latin1'),
    ],
    [
      'loses a reply',
      (chunk: Buffer) =>
        Buffer.from(chunk.toString('latin1').replace('$17\r\nseventeen letters\r\n', ''), 'latin1'),
    ],
    ['closes the connection', (chunk: Buffer) => (chunk.includes('seventeen') ? null : chunk)],
  ])('catches a server that %s, and shrinks it', { timeout: LONG }, async (_what, alter) => {
    const proxy = await CorruptingProxy.start(twin.endpoint, alter);
    try {
      const damaged = { subject: proxy.endpoint, reference: reference.endpoint };
      const result = await run(damaged, { seed: 7, commands: COMMANDS, groups: [readers], patience: 500 });
      expect(result.differences).toHaveLength(1);
      const shrunk = await shrink(damaged, result.differences[0]!, 500);
      const last = listing(shrunk!.history).map((line) => line.slice('[0] '.length));
      expect(last[0]).toBe('SET k0 "seventeen letters"');
      expect(last[1]).toBe('GET k0');
    } finally {
      await proxy.stop();
    }
  });

  it('catches a protocol error with another text', { timeout: LONG }, async () => {
    const proxy = await CorruptingProxy.start(twin.endpoint, (chunk) =>
      Buffer.from(chunk.toString('latin1').replace('unbalanced', 'UNBALANCED'), 'latin1'),
    );
    try {
      const result = await fuzzProtocol({ subject: proxy.endpoint, reference: reference.endpoint }, 1, 2_000);
      expect(result.differences).toHaveLength(1);
      expect(result.differences[0]).toContain('UNBALANCED');
    } finally {
      await proxy.stop();
    }
  });
});

describe.skipIf(valkey === null || !kvasirBuilt)('Kvasir beside Valkey', () => {
  let reference: Server;
  let subject: Server;
  let sides: Sides;

  beforeAll(async () => {
    [reference, subject] = await Promise.all([Server.start(valkey!), Server.start(kvasir)]);
    sides = { subject: subject.endpoint, reference: reference.endpoint };
  }, LONG);
  afterAll(async () => {
    await subject?.stop();
    await reference?.stop();
  });

  it.each(SEEDS)('answers random commands alike, seed %i', { timeout: LONG }, async (seed) => {
    const result = await run(sides, { seed, commands: COMMANDS, groups });
    expect(findings(result.differences)).toBe('');
  });

  it.each(SEEDS)('answers broken protocol alike, seed %i', { timeout: LONG }, async (seed) => {
    const result = await fuzzProtocol(sides, seed, SESSIONS);
    expect(result.differences.join('\n\n')).toBe('');
  });
});
