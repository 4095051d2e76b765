import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EMPTY_SAMPLE, type Sample } from './results.js';
import type { BenchServer } from './server.js';

export interface LoadRequest {
  mix: string;
  clients: number;
  pipeline: number;
  keys: number;
  valueSize: number;
  seconds: number;
  warmup: number;
  /** Open loop at so many requests a second. */
  rate?: number;
  seed: number;
  /** Whether a nil reply means that the server lost a key. */
  expectHits: boolean;
}

export interface LoadGenerator {
  readonly name: string;
  supports(request: LoadRequest): boolean;
  /** Rejects if any reply was an error, any expected key was missing or any request went unanswered. */
  run(server: BenchServer, request: LoadRequest): Promise<Sample>;
}

const children = new Set<ChildProcess>();

export function killAllLoads(): void {
  for (const child of children) child.kill('SIGKILL');
}

function capture(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    children.add(child);
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      children.delete(child);
      if (code === 0) resolve(out);
      else reject(new Error(`${command} ${args.join(' ')}: ${err.trim() || `ended with ${signal ?? code}`}`));
    });
  });
}

/** The figures kvasir-load prints (native/bench/main.cc). */
export interface OwnReport {
  seconds: number;
  requests: number;
  throughput: number;
  errors: number;
  firstError: string | null;
  nulls: number;
  unanswered: number;
  bytesIn: number;
  latencyUs: {
    count: number;
    mean: number;
    p50: number;
    p90: number;
    p99: number;
    p999: number;
    max: number;
  };
  loadCpuUs: number;
  loadCpuUsPerRequest: number;
  loadWaitedUs: number;
  serverCpuUs?: number;
  serverCpuUsPerRequest?: number;
  serverWaitedUs?: number;
}

export class OwnLoad implements LoadGenerator {
  readonly name = 'kvasir-load';

  constructor(
    private readonly path: string,
    private readonly core: number,
  ) {}

  supports(): boolean {
    return true;
  }

  async run(server: BenchServer, r: LoadRequest): Promise<Sample> {
    const args = ['--clients', r.clients, '--pipeline', r.pipeline, '--mix', r.mix, '--keyspace', r.keys]
      .concat(['--value-size', r.valueSize, '--seconds', r.seconds, '--warmup', r.warmup, '--seed', r.seed])
      .concat(r.rate === undefined ? [] : ['--rate', r.rate]);
    const report = await this.invoke(server, args.map(String));
    if (r.expectHits && report.nulls > 0) throw new Error(`${report.nulls} keys were missing`);
    if (report.unanswered > 0) throw new Error(`${report.unanswered} requests went unanswered`);
    if (report.requests === 0) throw new Error('no request was answered');
    return {
      ...EMPTY_SAMPLE,
      cpuUs: report.serverCpuUsPerRequest ?? null,
      throughput: report.throughput,
      p50Us: report.latencyUs.p50,
      p99Us: report.latencyUs.p99,
      p999Us: report.latencyUs.p999,
      maxUs: report.latencyUs.max,
      waited: (report.serverWaitedUs ?? 0) / 1e6 / report.seconds,
      loadCpuUs: report.loadCpuUsPerRequest,
    };
  }

  /** Writes `count` keys once, in order. */
  async fill(
    server: BenchServer,
    kind: 'strings' | 'counters',
    count: number,
    valueSize: number,
  ): Promise<void> {
    const pipeline = valueSize >= 4096 ? 1 : 32;
    const args = ['--fill', count, '--value-size', valueSize, '--clients', 8, '--pipeline', pipeline].map(
      String,
    );
    if (kind === 'counters') args.push('--', 'SET', 'ctr:__rand_int__', '1000');
    await this.invoke(server, args);
  }

  async invoke(server: BenchServer, args: readonly string[]): Promise<OwnReport> {
    const fixed = ['--port', server.port, '--cpu', this.core, '--server-pid', server.pid].map(String);
    const report = JSON.parse(await capture(this.path, [...fixed, ...args])) as OwnReport;
    if (report.errors > 0) throw new Error(`${report.errors} error replies, the first: ${report.firstError}`);
    return report;
  }
}

/** The command template of a mix for valkey-benchmark's command line, or null if it has none. */
export function benchmarkCommand(mix: string): string[] | null {
  const key = 'key:__rand_int__';
  if (mix === 'get') return ['GET', key];
  if (mix === 'set') return ['SET', key, '__data__'];
  if (mix === 'incr') return ['INCR', 'ctr:__rand_int__'];
  const mset = /^mset:(\d+)$/.exec(mix);
  return mset ? ['MSET', ...Array.from({ length: Number(mset[1]) }, () => [key, '__data__']).flat()] : null;
}

/** Reads what valkey-benchmark prints at the end of a run: requests, throughput and latencies. */
export function parseBenchmarkOutput(text: string): {
  requests: number;
  throughput: number;
  p50Us: number;
  p99Us: number;
  p999Us: number;
  maxUs: number;
} {
  const done = /(\d+) requests completed in ([\d.]+) seconds/.exec(text);
  const rps = /throughput summary: ([\d.]+) requests per second/.exec(text);
  const summary = /avg\s+min\s+p50\s+p95\s+p99\s+max\s+([\d.\s]+)/.exec(text);
  const [, , p50, , p99, max] = (summary?.[1] ?? '').trim().split(/\s+/).map(Number);
  const steps = [...text.matchAll(/^([\d.]+)% <= ([\d.]+) milliseconds/gm)].map((m) => [
    Number(m[1]),
    Number(m[2]),
  ]);
  const p999 = steps.find(([percent]) => percent! >= 99.9)?.[1];
  if (!done || !rps || p50 === undefined || p99 === undefined || max === undefined || p999 === undefined) {
    throw new Error(`valkey-benchmark's output is not understood:\n${text.slice(-2000)}`);
  }
  return {
    requests: Number(done[1]),
    throughput: Number(rps[1]),
    p50Us: p50 * 1000,
    p99Us: p99 * 1000,
    p999Us: p999 * 1000,
    maxUs: max * 1000,
  };
}

/**
 * Valkey's own generator. It ends the run itself at the first error reply. The server's CPU time is taken around
 * the whole process, so connecting is included; the warm-up is a process before it.
 */
export class ValkeyBenchmark implements LoadGenerator {
  readonly name = 'valkey-benchmark';

  constructor(
    private readonly path: string,
    private readonly core: number,
  ) {}

  supports(r: LoadRequest): boolean {
    return r.rate === undefined && benchmarkCommand(r.mix) !== null;
  }

  async run(server: BenchServer, r: LoadRequest): Promise<Sample> {
    const command = benchmarkCommand(r.mix);
    if (!command) throw new Error(`valkey-benchmark cannot send ${r.mix}`);
    const args = (seconds: number) =>
      ['-c', this.core, this.path, '-p', server.port, '-c', r.clients, '-P', r.pipeline, '-r', r.keys]
        .concat(['-d', r.valueSize, '--seed', r.seed, '--duration', Math.max(1, Math.round(seconds)), '--'])
        .map(String)
        .concat(command);
    if (r.warmup > 0) await capture('taskset', args(r.warmup));
    const before = server.usage();
    const started = performance.now();
    const out = await capture('taskset', args(r.seconds));
    const wallUs = (performance.now() - started) * 1000;
    const after = server.usage();
    const { requests, ...figures } = parseBenchmarkOutput(out);
    return {
      ...EMPTY_SAMPLE,
      ...figures,
      cpuUs: (after.cpuUs - before.cpuUs) / requests,
      waited: (after.waitedUs - before.waitedUs) / wallUs,
    };
  }
}

/** The path of kvasir-load: built by cmake, or compiled into .cache/bench when missing or older than its sources. */
export function findOrBuildOwnLoad(root: string): string {
  const sources = join(root, 'native', 'bench');
  const files = readdirSync(sources).filter((f) => /\.(cc|h)$/.test(f) && !f.endsWith('_test.cc'));
  const newest = Math.max(...files.map((f) => statSync(join(sources, f)).mtimeMs));
  const target = join(root, '.cache', 'bench', 'kvasir-load');
  for (const built of [target, join(root, 'build', 'native', 'bench', 'kvasir-load')]) {
    if (existsSync(built) && statSync(built).mtimeMs >= newest) return built;
  }
  mkdirSync(join(root, '.cache', 'bench'), { recursive: true });
  const compiler = process.env.CXX ?? 'c++';
  const units = files.filter((f) => f.endsWith('.cc')).map((f) => join(sources, f));
  const fresh = `${target}.${process.pid}`;
  const out = spawnSync(compiler, ['-std=c++20', '-O2', '-o', fresh, ...units], { encoding: 'utf8' });
  if (out.error || out.status !== 0) {
    throw new Error(`compiling kvasir-load with ${compiler}: ${out.error?.message ?? out.stderr}`);
  }
  renameSync(fresh, target);
  return target;
}
