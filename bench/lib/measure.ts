import { type Dataset, fillSeconds } from './dataset.js';
import { deadlines, hashNames, lateness, setFields } from './expiry.js';
import { type LoadGenerator, type LoadRequest, type OwnLoad, sampleOf } from './load.js';
import { METRIC_LABEL, significant } from './report.js';
import { commandStats } from './resp.js';
import { EMPTY_SAMPLE, type Sample, type ScenarioResult } from './results.js';
import {
  type CommandTimeScenario,
  type ExpiryScenario,
  type LatencyScenario,
  type LoadScenario,
  type MemoryScenario,
  metricOf,
  type Scenario,
} from './scenarios.js';
import { BenchServer, type ServerProgram } from './server.js';
import { compare } from './stats.js';

export interface TimeSettings {
  rounds: number;
  seconds: number;
  warmup: number;
  /** Over so many seconds the deadlines of expiring fields are spread. */
  expirySeconds: number;
}

export interface MeasureSettings extends TimeSettings {
  serverCore: number;
  /** `kvasir` first, then one or more builds of Valkey. */
  programs: ServerProgram[];
  own: OwnLoad;
  load: LoadGenerator;
  progress(text: string): void;
}

type Timed = LoadScenario | LatencyScenario | CommandTimeScenario;
type Samples = Map<string, Sample[]>;

/** Memory hardly differs from run to run. */
const MEMORY_ROUNDS = 1;
/** Expiry takes more than a minute a side. */
const ROUNDS_PER_EXPIRY = 5;
/** From the setting of the fields to the first deadline, and from the last one to the end of the counting. */
const EXPIRY_LEAD_MS = 8000;
const EXPIRY_TAIL_S = 2;
const PROBE_MS = 5;
/** Mean replies of the two sides that differ more are not the same work. Short ones may differ by a digit. */
const REPLY_TOLERANCE = 0.25;
const COMPARED_REPLY_BYTES = 100;

function roundsOf(s: Scenario, rounds: number): number {
  if (s.kind === 'memory') return Math.min(rounds, MEMORY_ROUNDS);
  if (s.kind === 'expiry') return Math.ceil(rounds / ROUNDS_PER_EXPIRY);
  return rounds;
}

/** Those of a group share a process, or the whole measurement. */
function groupKey(s: Scenario): string {
  if (s.kind === 'memory') return s.name;
  if (s.kind === 'expiry') return JSON.stringify([s.kind, s.hashes, s.fields]);
  return JSON.stringify([s.dataset.name, s.serverArgs]);
}

function groups(scenarios: readonly Scenario[]): Scenario[][] {
  const out = new Map<string, Scenario[]>();
  for (const s of scenarios) {
    const group = out.get(groupKey(s));
    if (group) group.push(s);
    else out.set(groupKey(s), [s]);
  }
  return [...out.values()];
}

/** How long measuring takes, roughly, in seconds; what starts and connects included. */
export function expectedSeconds(
  scenarios: readonly Scenario[],
  settings: TimeSettings,
  sides: number,
): number {
  const start = 0.5;
  let sum = 0;
  for (const group of groups(scenarios)) {
    const first = group[0]!;
    let side = start + fillSeconds(first.dataset);
    if (first.kind === 'memory') side += 2.5;
    else if (first.kind === 'expiry')
      side += EXPIRY_LEAD_MS / 1000 + settings.expirySeconds + EXPIRY_TAIL_S + 1;
    for (const s of group) {
      if (s.kind === 'load' || s.kind === 'latency') side += settings.seconds + settings.warmup + 0.25;
      else if (s.kind === 'command') side += settings.seconds * 0.5 + 0.1;
    }
    sum += side * sides * roundsOf(first, settings.rounds);
  }
  return sum;
}

function requestOf(s: LoadScenario | LatencyScenario, settings: MeasureSettings, round: number): LoadRequest {
  return {
    work: s.work,
    clients: s.clients,
    pipeline: s.kind === 'load' ? s.pipeline : 1,
    seconds: settings.seconds,
    warmup: settings.warmup,
    seed: round + 1,
  };
}

async function fill(server: BenchServer, dataset: Dataset, own: OwnLoad): Promise<void> {
  await own.fill(server, dataset.steps);
  const size = Number(await server.client.command('DBSIZE'));
  if (size !== dataset.keys)
    throw new Error(`${server.program.id} holds ${size} keys instead of ${dataset.keys}`);
}

/** The order of the sides turns round by round, so that neither always runs first. */
function turn<T>(items: readonly T[], round: number): T[] {
  return round % 2 === 0 ? [...items] : [...items].reverse();
}

class Measurement {
  readonly samples = new Map<Scenario, Samples>();
  /** Open-loop rate of each latency scenario, found in its first round. */
  readonly rates = new Map<LatencyScenario | ExpiryScenario, number>();
  /** What Kvasir cannot be made to do here. */
  readonly skipped = new Set<Scenario>();

  constructor(private readonly settings: MeasureSettings) {}

  async run(scenarios: readonly Scenario[]): Promise<void> {
    for (const group of groups(scenarios)) {
      const first = group[0]!;
      for (let round = 0; round < roundsOf(first, this.settings.rounds); round++) {
        if (first.kind === 'memory') await this.memory(first, round);
        else if (first.kind === 'expiry') await this.expiry(group as ExpiryScenario[], round);
        else await this.round(group as Timed[], round);
      }
    }
  }

  private report(scenario: Scenario, id: string, sample: Sample, round: number): void {
    this.add(scenario, id, sample);
    const metric = metricOf(scenario);
    this.settings.progress(
      `round ${round + 1}: ${scenario.name}: ${id} ${significant(sample[metric])} ${METRIC_LABEL[metric]}`,
    );
  }

  add(scenario: Scenario, id: string, sample: Sample): void {
    let sides = this.samples.get(scenario);
    if (!sides) {
      sides = new Map(this.settings.programs.map((p) => [p.id, []]));
      this.samples.set(scenario, sides);
    }
    sides.get(id)!.push(sample);
  }

  /**
   * One round of scenarios that share data and server options: a fresh process per side, filled, then each scenario
   * on one side after the other, the sides not measured being stopped.
   */
  private async round(scenarios: readonly Timed[], round: number): Promise<void> {
    const { programs, serverCore, own, progress } = this.settings;
    const first = scenarios[0]!;
    const servers: BenchServer[] = [];
    try {
      for (const program of turn(programs, round)) {
        progress(`round ${round + 1}: ${program.id}: ${first.dataset.name}`);
        const server = await BenchServer.start(program, serverCore, first.serverArgs);
        servers.push(server);
        await fill(server, first.dataset, own);
        server.pause();
      }
      for (const scenario of scenarios) {
        if (scenario.kind === 'latency' && !this.rates.has(scenario)) {
          this.rates.set(scenario, await this.halfPeak(requestOf(scenario, this.settings, 0), servers));
        }
        if (scenario.kind === 'command' && !(await this.selectKernels(scenario, servers))) continue;
        const lengths: number[] = [];
        for (const server of servers) {
          const sample = await this.awake(server, () => this.once(scenario, server, round));
          this.report(scenario, server.program.id, sample, round);
          if (sample.replyBytes !== null) lengths.push(sample.replyBytes);
        }
        const longest = Math.max(...lengths);
        if (longest > COMPARED_REPLY_BYTES && Math.min(...lengths) < longest * (1 - REPLY_TOLERANCE)) {
          throw new Error(`${scenario.name}: replies of ${lengths.map(significant).join(' and ')} B`);
        }
      }
    } finally {
      for (const server of servers) server.kill();
    }
  }

  private async memory(scenario: MemoryScenario, round: number): Promise<void> {
    const { programs, serverCore, own } = this.settings;
    for (const program of turn(programs, round)) {
      const server = await BenchServer.start(program, serverCore, []);
      try {
        // A load of misses first, so that connections, buffers and warmed-up code are not charged to the keys.
        const misses = ['--mix', 'get', '--requests', '200000', '--clients', '8', '--pipeline', '32'];
        await own.invoke(server, misses);
        const before = await server.settledResidentBytes();
        await fill(server, scenario.dataset, own);
        const grown = (await server.settledResidentBytes()) - before;
        const sample = { ...EMPTY_SAMPLE, [scenario.metric]: grown / scenario.count };
        this.report(scenario, program.id, sample, round);
      } finally {
        server.kill();
      }
    }
  }

  /**
   * Sets fields whose deadlines are spread over a time, and lets other clients get keys at a fixed rate from the first
   * deadline on, while their number is counted every few milliseconds.
   */
  private async expiry(scenarios: readonly ExpiryScenario[], round: number): Promise<void> {
    const { programs, serverCore, own, expirySeconds, seconds, warmup, progress } = this.settings;
    const first = scenarios[0]!;
    const { work, clients, hashes, fields } = first;
    const request: LoadRequest = { work, clients, pipeline: 1, seconds, warmup, seed: round + 1 };
    // Valkey first in the first round, since its peak is the measure.
    for (const program of turn([...programs].reverse(), round)) {
      progress(`round ${round + 1}: ${program.id}: ${fields} fields in ${hashes} hashes`);
      const server = await BenchServer.start(program, serverCore, []);
      try {
        await fill(server, first.dataset, own);
        if (!this.rates.has(first)) {
          const rate = await this.halfPeak(request, [server]);
          server.resume();
          for (const s of scenarios) this.rates.set(s, rate);
        }
        const due = deadlines(fields, Date.now() + EXPIRY_LEAD_MS, expirySeconds * 1000);
        await setFields(server, hashes, fields, due);
        const probe = hashNames(hashes).map((name) => `HLEN ${name}`);
        const args = ['--clients', clients, '--rate', this.rates.get(first)!, '--keyspace', work.keyspace]
          .concat(['--warmup', (due[0]! - Date.now()) / 1000, '--seconds', expirySeconds + EXPIRY_TAIL_S])
          .concat(['--probe-ms', PROBE_MS, '--probe', probe.join(' ; '), '--mix', 'get']);
        const report = await own.invoke(server, args.map(String));
        const gets = sampleOf(report);
        const late = { ...EMPTY_SAMPLE, waited: gets.waited, ...lateness(fields, due, report.probes ?? []) };
        for (const s of scenarios) this.report(s, program.id, s.metric === 'maxUs' ? late : gets, round);
      } finally {
        server.kill();
      }
    }
  }

  /** Whether Kvasir has the kernels the scenario is about; they are in use afterwards. */
  private async selectKernels(
    scenario: CommandTimeScenario,
    servers: readonly BenchServer[],
  ): Promise<boolean> {
    const kvasir = servers.find((s) => s.program.id === 'kvasir')!;
    try {
      await this.awake(kvasir, () => kvasir.client.command('DEBUG', 'SIMD', scenario.kernels));
      return true;
    } catch (error) {
      this.skipped.add(scenario);
      this.settings.progress(
        `${scenario.name} is left out: ${error instanceof Error ? error.message : error}`,
      );
      return false;
    }
  }

  private async awake<T>(server: BenchServer, work: () => Promise<T>): Promise<T> {
    server.resume();
    try {
      return await work();
    } finally {
      server.pause();
    }
  }

  private once(scenario: Timed, server: BenchServer, round: number): Promise<Sample> {
    if (scenario.kind === 'command') return this.inside(scenario, server);
    const request = requestOf(scenario, this.settings, round);
    if (scenario.kind === 'latency') {
      return this.settings.own.run(server, { ...request, rate: this.rates.get(scenario)! });
    }
    return this.generator(scenario).run(server, request);
  }

  /** The time inside a command, from the server's statistics; a tenth of the calls come before to warm up. */
  private async inside(scenario: CommandTimeScenario, server: BenchServer): Promise<Sample> {
    const { own, seconds } = this.settings;
    const calls = Math.ceil(scenario.calls * seconds);
    const load = (requests: number) =>
      own.invoke(server, [
        '--clients',
        '1',
        '--pipeline',
        '16',
        '--requests',
        String(requests),
        '--',
        ...scenario.work.send,
      ]);
    await load(Math.ceil(calls / 10));
    await server.client.command('CONFIG', 'RESETSTAT');
    const report = await load(calls);
    const stats = commandStats(await server.client.command('INFO', 'commandstats'), scenario.command);
    if (stats.calls !== calls) throw new Error(`${scenario.name}: ${stats.calls} calls instead of ${calls}`);
    return { ...EMPTY_SAMPLE, commandUs: stats.usec / calls, waited: sampleOf(report).waited };
  }

  generator(scenario: Scenario): LoadGenerator {
    const { load, own } = this.settings;
    if (scenario.kind !== 'load') return own;
    return load.supports(requestOf(scenario, this.settings, 0)) ? load : own;
  }

  /** Half of what the fastest Valkey of these servers does. */
  private async halfPeak(request: LoadRequest, servers: readonly BenchServer[]): Promise<number> {
    let peak = 0;
    for (const server of servers) {
      if (server.program.id === 'kvasir') continue;
      const sample = await this.awake(server, () => this.settings.own.run(server, request));
      peak = Math.max(peak, sample.throughput ?? 0);
    }
    return Math.floor(peak / 2);
  }
}

/** Measures the scenarios in groups that share a server process; any failed request fails the whole. */
export async function measure(
  scenarios: readonly Scenario[],
  settings: MeasureSettings,
): Promise<ScenarioResult[]> {
  const measurement = new Measurement(settings);
  await measurement.run(scenarios);
  return scenarios
    .filter((s) => !measurement.skipped.has(s))
    .map((s) =>
      compare(
        {
          name: s.name,
          section: s.section,
          title: s.title,
          metric: metricOf(s),
          load: measurement.generator(s).name,
          rate: s.kind === 'latency' || s.kind === 'expiry' ? measurement.rates.get(s)! : null,
          target: s.target,
        },
        measurement.samples.get(s)!,
      ),
    );
}
