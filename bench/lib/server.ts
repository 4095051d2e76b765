import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { infoField, RespClient } from './resp.js';

export interface ServerProgram {
  id: string;
  path: string;
  version: string;
}

const START_TIMEOUT_MS = 30_000;
const running = new Set<BenchServer>();
const starting = new Set<ChildProcess>();

/** Ends every server that is still up; for signals and the end of the program. */
export function killAllServers(): void {
  for (const child of starting) child.kill('SIGKILL');
  for (const server of running) server.kill();
}

export function describeProgram(id: string, path: string): ServerProgram {
  const out = spawnSync(path, ['--version'], { encoding: 'utf8' });
  if (out.error || out.status !== 0)
    throw new Error(`${path} --version: ${out.error?.message ?? out.stderr}`);
  return { id, path, version: out.stdout.trim() };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

/**
 * A server process of its own, pinned to one core with all of its threads, without persistence. It is stopped by
 * SIGSTOP while another one is measured, so that its timers and cache footprint disturb nobody.
 */
export class BenchServer {
  private constructor(
    readonly program: ServerProgram,
    readonly port: number,
    readonly pid: number,
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly client: RespClient,
  ) {}

  static async start(program: ServerProgram, core: number, args: readonly string[]): Promise<BenchServer> {
    const folder = mkdtempSync(join(tmpdir(), 'kvasir-bench-'));
    const port = await freePort();
    const log = join(folder, 'log');
    const fd = openSync(log, 'w');
    const child = spawn(
      'taskset',
      ['-c', String(core), program.path, '--port', String(port), '--bind', '127.0.0.1', '--dir', folder]
        .concat(['--save', '', '--appendonly', 'no', '--maxclients', '4000'])
        .concat(args),
      { stdio: ['ignore', fd, fd] },
    );
    starting.add(child);
    let died: string | null = null;
    child.once('error', (error) => {
      died = error.message;
    });
    child.once('exit', (code, signal) => {
      died ??= `ended with ${signal ?? code}`;
    });
    const deadline = Date.now() + START_TIMEOUT_MS;
    try {
      while (true) {
        if (died !== null) throw new Error(died);
        const client = await RespClient.open(port).catch(() => null);
        if (client && (await client.command('PING').catch(() => '')) === 'PONG') {
          const pid = Number(infoField(await client.command('INFO', 'server'), 'process_id') ?? child.pid);
          const server = new BenchServer(program, port, pid, child, folder, client);
          running.add(server);
          return server;
        }
        client?.close();
        if (Date.now() > deadline) throw new Error('does not answer PING');
        await sleep(20);
      }
    } catch (error) {
      child.kill('SIGKILL');
      const tail = readFileSync(log, 'utf8').split('\n').slice(-12).join('\n');
      rmSync(folder, { recursive: true, force: true });
      throw new Error(`${program.path}: ${error instanceof Error ? error.message : error}\n${tail}`);
    } finally {
      starting.delete(child);
    }
  }

  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Resident memory in bytes. */
  residentBytes(): number {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'));
    if (!match) throw new Error('no VmRSS');
    return Number(match[1]) * 1024;
  }

  /** Resident memory once it stopped changing: background rehashing and freeing have ended. */
  async settledResidentBytes(): Promise<number> {
    let last = this.residentBytes();
    for (let i = 0; i < 40; i++) {
      await sleep(500);
      const now = this.residentBytes();
      if (Math.abs(now - last) <= 64 * 1024) return now;
      last = now;
    }
    return last;
  }

  /** CPU time and time spent waiting for a CPU so far, of all live threads, in microseconds. */
  usage(): { cpuUs: number; waitedUs: number } {
    let cpu = 0;
    let waited = 0;
    for (const task of readdirSync(`/proc/${this.pid}/task`)) {
      const [ran, wait] = readFileSync(`/proc/${this.pid}/task/${task}/schedstat`, 'utf8').split(' ');
      cpu += Number(ran);
      waited += Number(wait);
    }
    return { cpuUs: cpu / 1000, waitedUs: waited / 1000 };
  }

  /** At once and without a shutdown's work; safe to call twice. */
  kill(): void {
    if (!running.delete(this)) return;
    this.client.close();
    this.child.kill('SIGKILL');
    if (this.pid !== this.child.pid) {
      try {
        process.kill(this.pid, 'SIGKILL');
      } catch {
        // It was a child of the process killed above and is gone already.
      }
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
