/**
 * kill -9 at a random moment under appendfsync always: every write that was acknowledged is there after the restart,
 * and of those that were not, at most what was sent.
 *
 * KVASIR_CRASH_ROUNDS sets the number of rounds (20 in the usual run).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KvasirProcess } from '../support/kvasir-process.js';
import type { RespClient } from '../support/resp-client.js';

const ROUNDS = Number(process.env.KVASIR_CRASH_ROUNDS ?? 20);
const CLIENTS = 4;
const LONGEST_ROUND_MS = 300;
const OPTIONS = ['--appendonly', 'yes', '--appendfsync', 'always', '--aof-load-truncated', 'yes'];

/** One client that counts and appends, in a transaction of its own keys, until the server is gone. */
class Writer {
  /** The highest number that was acknowledged, and that was sent. */
  acknowledged: number;
  sent: number;

  constructor(
    private readonly name: string,
    start: number,
  ) {
    this.acknowledged = start;
    this.sent = start;
  }

  async run(client: RespClient): Promise<void> {
    try {
      for (;;) {
        this.sent++;
        const n = `${this.sent}`;
        const replies = await client.pipeline([
          ['MULTI'],
          ['SET', `${this.name}:n`, n],
          ['RPUSH', `${this.name}:list`, n],
          ['EXEC'],
        ]);
        if (!Array.isArray(replies[3])) throw new Error(`EXEC answered ${String(replies[3])}`);
        this.acknowledged = this.sent;
      }
    } catch {
      // The server was killed.
    } finally {
      client.close();
    }
  }

  async check(client: RespClient): Promise<void> {
    const n = Number((await client.send('GET', `${this.name}:n`)) ?? 0);
    expect(n).toBeGreaterThanOrEqual(this.acknowledged);
    expect(n).toBeLessThanOrEqual(this.sent);
    // A transaction is there as a whole or not at all.
    expect(await client.send('LLEN', `${this.name}:list`)).toBe(n);
    if (n > 0) expect(await client.send('LINDEX', `${this.name}:list`, '-1')).toBe(`${n}`);
    this.acknowledged = this.sent = n;
  }
}

test('no acknowledged write is lost', { timeout: 30_000 + ROUNDS * 5_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kvasir-crash-'));
  const writers = Array.from({ length: CLIENTS }, (_, i) => new Writer(`writer${i}`, 0));
  let server = await KvasirProcess.start(directory, OPTIONS);
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const clients = await Promise.all(writers.map(() => server.connect()));
      const running = writers.map((writer, i) => writer.run(clients[i]!));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * LONGEST_ROUND_MS));
      await server.kill();
      await Promise.all(running);
      server = await KvasirProcess.start(directory, OPTIONS);
      const client = await server.connect();
      for (const writer of writers) await writer.check(client);
      client.close();
    }
    expect(writers.every((writer) => writer.acknowledged > 0)).toBe(true);
  } finally {
    await server.kill();
    rmSync(directory, { recursive: true, force: true });
  }
});
