import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FillStep } from './dataset.js';
import { EMPTY_SAMPLE, type Sample } from './results.js';
import type { BenchServer } from './server.js';

/** What is sent. */
export interface Work {
  /** A mix of kvasir-load by its name, or the words of a command template, a sequence parted by `;` (see its --help). */
  send: string | readonly string[];
  /** `__rand_int__` stays below it. */
  keyspace: number;
  /** Bytes of `__data__`. */
  valueSize: number;
  /** Connections that read what is published to the channel `news`. */
  subscribers?: number;
}

export interface LoadRequest {
  work: Work;
  clients: number;
  pipeline: number;
  seconds: number;
  warmup: number;
  /** Open loop at so many requests a second. */
  rate?: number;
  seed: number;
}

export interface LoadGenerator {
  readonly name: string;
  supports(request: LoadRequest): boolean;
  /** Rejects if any reply was an error or nil (every key asked for exists), or any request went unanswered. */
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
  /** With subscribers: what reached them. */
  messages?: number;
  /** With a probe: when it was sent and answered, in microseconds since 1970, and the sum of the answers. */
  probes?: [sentUs: number, answeredUs: number, sum: number][];
  serverCpuUs?: number;
  serverCpuUsPerRequest?: number;
  serverWaitedUs?: number;
}

function workArguments(work: Work): string[] {
  const args = ['--keyspace', work.keyspace, '--value-size', work.valueSize];
  if (work.subscribers !== undefined) args.push('--subscribers', work.subscribers);
  const send = typeof work.send === 'string' ? ['--mix', work.send] : ['--', ...work.send];
  return [...args.map(String), ...send];
}

export function sampleOf(report: OwnReport): Sample {
  if (report.nulls > 0) throw new Error(`${report.nulls} replies were nil: keys are missing`);
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
    replyBytes: report.bytesIn / report.requests,
    waited: (report.serverWaitedUs ?? 0) / 1e6 / report.seconds,
    loadCpuUs: report.loadCpuUsPerRequest,
  };
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
    const args = [
      '--clients',
      r.clients,
      '--pipeline',
      r.pipeline,
      '--seconds',
      r.seconds,
      '--warmup',
      r.warmup,
    ]
      .concat(['--seed', r.seed])
      .concat(r.rate === undefined ? [] : ['--rate', r.rate]);
    return sampleOf(await this.invoke(server, [...args.map(String), ...workArguments(r.work)]));
  }

  /** Runs every step once, the key numbers in order. */
  async fill(server: BenchServer, steps: readonly FillStep[]): Promise<void> {
    for (const step of steps) {
      const words = typeof step.send === 'string' ? 1 : step.send.length;
      const pipeline = Math.max(1, Math.min(32, Math.floor(32_768 / (words * (16 + step.valueSize)))));
      const args = ['--sequential', '--requests', step.requests, '--clients', 8, '--pipeline', pipeline];
      await this.invoke(server, [...args.map(String), ...workArguments(step)]);
    }
  }

  async invoke(server: BenchServer, args: readonly string[]): Promise<OwnReport> {
    const fixed = ['--port', server.port, '--cpu', this.core, '--server-pid', server.pid].map(String);
    const report = JSON.parse(await capture(this.path, [...fixed, ...args])) as OwnReport;
    if (report.errors > 0) throw new Error(`${report.errors} error replies, the first: ${report.firstError}`);
    return report;
  }
}

/** What valkey-benchmark is to send for a mix, or null if it cannot. */
export function benchmarkCommand(mix: Work['send']): string[] | null {
  if (typeof mix !== 'string') return null;
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
 * the whole process, so connecting is included; it takes whole seconds only, so the warm-up is kvasir-load's.
 */
export class ValkeyBenchmark implements LoadGenerator {
  readonly name = 'valkey-benchmark';

  constructor(
    private readonly path: string,
    private readonly core: number,
    private readonly own: OwnLoad,
  ) {}

  supports(r: LoadRequest): boolean {
    return r.rate === undefined && benchmarkCommand(r.work.send) !== null;
  }

  async run(server: BenchServer, r: LoadRequest): Promise<Sample> {
    const command = benchmarkCommand(r.work.send);
    if (!command) throw new Error('valkey-benchmark cannot send this');
    const { clients, pipeline, work, seed, warmup } = r;
    const seconds = Math.max(1, Math.round(r.seconds));
    const args = ['-c', this.core, this.path, '-p', server.port, '-c', clients, '-P', pipeline]
      .concat(['-r', work.keyspace, '-d', work.valueSize, '--seed', seed, '--duration', seconds, '--'])
      .map(String)
      .concat(command);
    if (warmup > 0) await this.own.run(server, { ...r, seconds: warmup, warmup: 0 });
    const before = server.usage();
    const started = performance.now();
    const out = await capture('taskset', args);
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
