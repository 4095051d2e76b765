import type { LoadGenerator, LoadRequest, OwnLoad } from './load.js';
import { EMPTY_SAMPLE, type Sample, type ScenarioResult } from './results.js';
import {
  type Dataset,
  type LatencyScenario,
  type LoadScenario,
  type MemoryScenario,
  metricOf,
  type Scenario,
} from './scenarios.js';
import { BenchServer, type ServerProgram } from './server.js';
import { compare } from './stats.js';

export interface MeasureSettings {
  rounds: number;
  seconds: number;
  warmup: number;
  serverCore: number;
  /** `kvasir` first, then one or more builds of Valkey. */
  programs: ServerProgram[];
  own: OwnLoad;
  load: LoadGenerator;
  progress(text: string): void;
}

type Timed = LoadScenario | LatencyScenario;
type Samples = Map<string, Sample[]>;

/** Memory differs little from run to run, and 5 M keys take long to write. */
const MEMORY_ROUNDS = 3;

function groupKey(s: Timed): string {
  return JSON.stringify([s.dataset, s.serverArgs]);
}

function requestOf(s: Timed, settings: MeasureSettings, round: number): LoadRequest {
  return {
    mix: s.mix,
    clients: s.clients,
    pipeline: s.kind === 'load' ? s.pipeline : 1,
    keys: s.dataset.keys,
    valueSize: s.dataset.valueSize,
    seconds: settings.seconds,
    warmup: settings.warmup,
    seed: round + 1,
    expectHits: s.mix === 'get' || s.mix.startsWith('mixed'),
  };
}

async function fill(server: BenchServer, dataset: Dataset, own: OwnLoad): Promise<void> {
  await own.fill(server, dataset.kind, dataset.keys, dataset.valueSize);
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
  readonly rates = new Map<LatencyScenario, number>();

  constructor(private readonly settings: MeasureSettings) {}

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
  async round(scenarios: readonly Timed[], round: number): Promise<void> {
    const { programs, serverCore, own, progress } = this.settings;
    const first = scenarios[0]!;
    const servers: BenchServer[] = [];
    try {
      for (const program of turn(programs, round)) {
        progress(`round ${round + 1}: ${program.id}: ${first.dataset.keys} keys`);
        const server = await BenchServer.start(program, serverCore, first.serverArgs);
        servers.push(server);
        await fill(server, first.dataset, own);
        server.pause();
      }
      for (const scenario of scenarios) {
        if (scenario.kind === 'latency' && !this.rates.has(scenario)) {
          this.rates.set(scenario, await this.halfPeak(scenario, servers));
        }
        for (const server of servers) {
          const sample = await this.awake(server, () => this.once(scenario, server, round));
          this.add(scenario, server.program.id, sample);
          const figure = sample[metricOf(scenario)] ?? 0;
          progress(`round ${round + 1}: ${scenario.name}: ${server.program.id} ${figure.toFixed(3)} µs`);
        }
      }
    } finally {
      for (const server of servers) server.kill();
    }
  }

  async memory(scenario: MemoryScenario, round: number): Promise<void> {
    const { programs, serverCore, own, progress } = this.settings;
    for (const program of turn(programs, round)) {
      const server = await BenchServer.start(program, serverCore, []);
      try {
        // A load of misses first, so that connections, buffers and warmed-up code are not charged to the keys.
        const misses = ['--mix', 'get', '--requests', '200000', '--clients', '8', '--pipeline', '32'];
        await own.invoke(server, misses);
        const before = await server.settledResidentBytes();
        await fill(server, scenario.dataset, own);
        const grown = (await server.settledResidentBytes()) - before;
        const bytesPerKey = grown / scenario.dataset.keys;
        this.add(scenario, program.id, { ...EMPTY_SAMPLE, bytesPerKey });
        progress(`round ${round + 1}: ${scenario.name}: ${program.id} ${bytesPerKey.toFixed(1)} B`);
      } finally {
        server.kill();
      }
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
    const request = requestOf(scenario, this.settings, round);
    if (scenario.kind === 'latency') {
      return this.settings.own.run(server, { ...request, rate: this.rates.get(scenario)! });
    }
    return this.generator(scenario).run(server, request);
  }

  generator(scenario: Scenario): LoadGenerator {
    const { load, own } = this.settings;
    if (scenario.kind !== 'load') return own;
    return load.supports(requestOf(scenario, this.settings, 0)) ? load : own;
  }

  private async halfPeak(scenario: LatencyScenario, servers: readonly BenchServer[]): Promise<number> {
    let peak = 0;
    for (const server of servers) {
      if (server.program.id === 'kvasir') continue;
      const request = requestOf(scenario, this.settings, 0);
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
  const groups = new Map<string, Timed[]>();
  for (const s of scenarios) {
    if (s.kind === 'memory') continue;
    const group = groups.get(groupKey(s));
    if (group) group.push(s);
    else groups.set(groupKey(s), [s]);
  }
  for (const group of groups.values()) {
    for (let round = 0; round < settings.rounds; round++) await measurement.round(group, round);
  }
  for (const s of scenarios) {
    if (s.kind !== 'memory') continue;
    for (let round = 0; round < Math.min(settings.rounds, MEMORY_ROUNDS); round++)
      await measurement.memory(s, round);
  }
  return scenarios.map((s) =>
    compare(
      {
        name: s.name,
        section: s.section,
        title: s.title,
        metric: metricOf(s),
        load: measurement.generator(s).name,
        rate: s.kind === 'latency' ? measurement.rates.get(s)! : null,
        target: s.target,
      },
      measurement.samples.get(s)!,
    ),
  );
}
