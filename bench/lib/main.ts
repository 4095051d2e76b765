import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, homedir, loadavg, release, totalmem } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { svgChart } from './chart.js';
import { findOrBuildOwnLoad, killAllLoads, type LoadGenerator, OwnLoad, ValkeyBenchmark } from './load.js';
import { expectedSeconds, measure, type TimeSettings } from './measure.js';
import { markdownReport, sections, significant, textReport } from './report.js';
import type { BenchResults, HostInfo } from './results.js';
import { allScenarios, type Scenario, selectScenarios } from './scenarios.js';
import { describeProgram, killAllServers } from './server.js';

const USAGE = `Usage: npm run bench -- [options]

Measures Kvasir beside Valkey: the server on one core, the load on another, alternating.

  --only NAMES       comma-separated scenario names, * for anything
  --section NAMES    comma-separated beginnings of sections, such as lists,sets
  --full             every scenario, not only the standard ones
  --list             show the scenarios, how long they take, and exit
  --kvasir PATH      Kvasir's server (bin/kvasir-server)
  --valkey PATH      Valkey's server (from $VALKEY_PEER/bin, PATH or ~/.cache/valkey-peer/bin)
  --valkey2 PATH     another build of Valkey: the faster of the two counts
  --load NAME        valkey-benchmark (the default where there is one) or own
  --rounds N         alternating rounds (5)
  --seconds S        measured time of each run (1)
  --warmup S         time before it that does not count (0.25)
  --expiry-seconds S over which the deadlines of expiring fields are spread (60)
  --keys N           keys where the scenario does not say (1000000)
  --value-size N     bytes of a value where the scenario does not say (64)
  --server-core N    (0)
  --load-core N      (1)
  --results FOLDER   where the results are written (bench/results)
`;

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function findProgram(name: string, near: string[]): string | undefined {
  const peer = process.env.VALKEY_PEER;
  const folders = [
    ...near,
    ...(peer ? [join(peer, 'bin')] : []),
    ...(process.env.PATH ?? '').split(delimiter),
    join(homedir(), '.cache', 'valkey-peer', 'bin'),
  ];
  return folders.map((f) => join(f, name)).find(executable);
}

function hostInfo(): HostInfo {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown CPU',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
    loadAverage: Math.round(loadavg()[0]! * 100) / 100,
  };
}

function numberOption(name: string, text: string, low: number, high: number, whole = true): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < low || value > high || (whole && !Number.isInteger(value))) {
    throw new Error(`--${name} must be ${whole ? 'a whole number' : 'a number'} from ${low} to ${high}`);
  }
  return value;
}

/** Whether Kvasir's AVX-512 kernels run here (native/core/simd). */
function hasAvx512(): boolean {
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' ') ?? [];
  return ['avx512bw', 'avx512vl', 'avx512vbmi', 'avx512_vpopcntdq', 'gfni'].every((f) => flags.includes(f));
}

function minutes(scenarios: readonly Scenario[], settings: TimeSettings, sides: number): string {
  return `about ${significant(expectedSeconds(scenarios, settings, sides) / 60)} minutes`;
}

/** Cores this process may run on, from the kernel's list of ranges such as 0-3,8. */
function allowedCores(): Set<number> {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  const out = new Set<number>();
  for (const range of list.split(',')) {
    const [from, to] = range.split('-').map(Number);
    for (let core = from!; core <= (to ?? from!); core++) out.add(core);
  }
  return out;
}

async function run(argv: readonly string[], root: string): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string' },
      section: { type: 'string' },
      full: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      kvasir: { type: 'string' },
      valkey: { type: 'string' },
      valkey2: { type: 'string' },
      load: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '1' },
      warmup: { type: 'string', default: '0.25' },
      'expiry-seconds': { type: 'string', default: '60' },
      keys: { type: 'string', default: '1000000' },
      'value-size': { type: 'string', default: '64' },
      'server-core': { type: 'string', default: '0' },
      'load-core': { type: 'string', default: '1' },
      results: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const settings = {
    rounds: numberOption('rounds', values.rounds, 1, 1000),
    seconds: numberOption('seconds', values.seconds, 0.1, 3600, false),
    warmup: numberOption('warmup', values.warmup, 0, 3600, false),
    expirySeconds: numberOption('expiry-seconds', values['expiry-seconds'], 1, 3600, false),
    keys: numberOption('keys', values.keys, 1, 1e9),
    valueSize: numberOption('value-size', values['value-size'], 0, 2 ** 29),
    serverCore: numberOption('server-core', values['server-core'], 0, 1023),
    loadCore: numberOption('load-core', values['load-core'], 0, 1023),
  };
  const all = allScenarios({
    ...settings,
    prefetchKeys: 10_000_000,
    loadSeconds: settings.seconds + settings.warmup,
    avx512: hasAvx512(),
  });
  const scenarios = selectScenarios(all, values);
  const sides = values.valkey2 === undefined ? 2 : 3;
  if (values.list) {
    for (const [section, list] of sections(all)) {
      const chosen = list.filter((s) => scenarios.includes(s));
      process.stdout.write(`${section}${chosen.length > 0 ? `: ${minutes(chosen, settings, sides)}` : ''}\n`);
      for (const s of list) {
        process.stdout.write(`${scenarios.includes(s) ? '*' : ' '} ${s.name.padEnd(28)} ${s.title}\n`);
      }
    }
    process.stdout.write(`\nThose with * are run, in ${minutes(scenarios, settings, sides)}.\n`);
    return;
  }

  const cores = allowedCores();
  if (
    settings.serverCore === settings.loadCore ||
    !cores.has(settings.serverCore) ||
    !cores.has(settings.loadCore)
  ) {
    throw new Error(
      'server and load need two different cores that this process may use (--server-core, --load-core)',
    );
  }
  const kvasirPath = resolve(values.kvasir ?? join(root, 'bin', 'kvasir-server'));
  if (!executable(kvasirPath))
    throw new Error(`${kvasirPath} is not there: npm run build, or name one with --kvasir`);
  const valkeyPath = values.valkey === undefined ? findProgram('valkey-server', []) : resolve(values.valkey);
  if (!valkeyPath) throw new Error('no valkey-server found: name one with --valkey');
  const programs = [describeProgram('kvasir', kvasirPath), describeProgram('valkey', valkeyPath)];
  if (values.valkey2 !== undefined) programs.push(describeProgram('valkey2', resolve(values.valkey2)));

  const own = new OwnLoad(findOrBuildOwnLoad(root), settings.loadCore);
  let load: LoadGenerator = own;
  if (values.load !== undefined && values.load !== 'own' && values.load !== 'valkey-benchmark') {
    throw new Error('--load must be own or valkey-benchmark');
  }
  if (values.load !== 'own') {
    const path = findProgram('valkey-benchmark', [dirname(valkeyPath)]);
    if (path) load = new ValkeyBenchmark(path, settings.loadCore, own);
    else if (values.load !== undefined) throw new Error('no valkey-benchmark found');
  }

  const host = hostInfo();
  const date = new Date().toISOString().slice(0, 10);
  // This program mostly waits, but when it does run it must not disturb the server's core.
  spawnSync('taskset', ['-a', '-cp', String(settings.loadCore), String(process.pid)]);
  const started = Date.now();
  process.stderr.write(`${scenarios.length} scenarios, ${minutes(scenarios, settings, sides)}\n`);
  const results: BenchResults = {
    format: 1,
    date,
    host,
    servers: programs,
    settings,
    scenarios: await measure(scenarios, {
      ...settings,
      programs,
      own,
      load,
      progress: (text) => {
        process.stderr.write(`${((Date.now() - started) / 1000).toFixed(0).padStart(5)} s  ${text}\n`);
      },
    }),
  };

  const folder = resolve(values.results ?? join(root, 'bench', 'results'));
  mkdirSync(folder, { recursive: true });
  const slug = host.cpu
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  const json = `${JSON.stringify(results, null, 2)}\n`;
  const text = textReport(results);
  process.stdout.write(`\n${text}`);
  const written = [`${date}-${slug}.json`, 'latest.json', 'latest.md', 'latest.svg'];
  for (const [i, content] of [json, json, markdownReport(results), svgChart(results)].entries()) {
    writeFileSync(join(folder, written[i]!), content);
  }
  process.stdout.write(
    `\nWritten to ${folder}: ${written.filter((f) => existsSync(join(folder, f))).join(', ')}\n`,
  );
}

/** Runs the benchmark and returns the program's exit status. Nothing is written if any request failed. */
export async function main(argv: readonly string[], root: string): Promise<number> {
  const stop = () => {
    killAllLoads();
    killAllServers();
  };
  const interrupted = () => {
    stop();
    process.exit(130);
  };
  process.on('SIGINT', interrupted);
  process.on('SIGTERM', interrupted);
  // Whoever reads (head, less) may have seen enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') interrupted();
    throw error;
  });
  try {
    await run(argv, root);
    return 0;
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : error}\n`);
    return 1;
  } finally {
    stop();
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
  }
}
