import type { Metric } from './results.js';

/** The keys a scenario finds when it starts: `keys` of 16 bytes each with values of `valueSize` bytes. */
export interface Dataset {
  kind: 'strings' | 'counters';
  keys: number;
  valueSize: number;
}

interface Common {
  name: string;
  section: string;
  title: string;
  target: number | null;
  /** Measured unless `--only` or `--full` say otherwise. */
  standard: boolean;
}

/** A closed loop at full speed, judged by the server's CPU time per request. */
export interface LoadScenario extends Common {
  kind: 'load';
  mix: string;
  clients: number;
  pipeline: number;
  dataset: Dataset;
  serverArgs: string[];
}

/** An open loop at half of Valkey's peak, judged by p99 from the scheduled time. */
export interface LatencyScenario extends Common {
  kind: 'latency';
  mix: string;
  clients: number;
  dataset: Dataset;
  serverArgs: string[];
}

/** Growth of resident memory by a number of new keys. */
export interface MemoryScenario extends Common {
  kind: 'memory';
  dataset: Dataset;
}

export type Scenario = LoadScenario | LatencyScenario | MemoryScenario;

export function metricOf(scenario: Scenario): Metric {
  return scenario.kind === 'load' ? 'cpuUs' : scenario.kind === 'latency' ? 'p99Us' : 'bytesPerKey';
}

const COMMANDS = { set: 'set', get: 'get', incr: 'incr', mset: 'mset:10', mixed: 'mixed:80/20' } as const;
type CommandName = keyof typeof COMMANDS;

const SIZES: { label: string; text: string; bytes: number }[] = [
  { label: '16b', text: '16 B', bytes: 16 },
  { label: '512b', text: '512 B', bytes: 512 },
  { label: '4k', text: '4 KB', bytes: 4096 },
  { label: '16k', text: '16 KB', bytes: 16384 },
  { label: '64k', text: '64 KB', bytes: 65536 },
  { label: '1m', text: '1 MB', bytes: 1048576 },
];
/** Large values: about this much data in all, so that it does not fit the CPU's caches. */
const LARGE_DATASET_BYTES = 160 << 20;

/** The ratios issue 2 sets; null where it sets none. */
function loadTarget(command: CommandName, clients: number, pipeline: number): number | null {
  if (pipeline === 1) return command === 'get' || command === 'set' ? 0.93 : null;
  if (clients !== 50 || pipeline < 32) return null;
  if (command === 'get') return 0.7;
  return command === 'set' || command === 'incr' ? 0.6 : null;
}

function loadScenarios(keys: number, valueSize: number): LoadScenario[] {
  const list: LoadScenario[] = [];
  for (const pipeline of [1, 16, 32, 64]) {
    for (const clients of [50, 1000]) {
      for (const command of Object.keys(COMMANDS) as CommandName[]) {
        const target = loadTarget(command, clients, pipeline);
        list.push({
          kind: 'load',
          name: `${command}-c${clients}-p${pipeline}`,
          section: pipeline === 1 ? 'Without pipelining' : `Pipeline depth ${pipeline}`,
          title: `${command === 'mixed' ? '80 % GET, 20 % SET' : command === 'mset' ? 'MSET, 10 keys' : command.toUpperCase()}, ${clients} clients`,
          target,
          standard: target !== null,
          mix: COMMANDS[command],
          clients,
          pipeline,
          dataset:
            command === 'incr'
              ? { kind: 'counters', keys, valueSize: 0 }
              : { kind: 'strings', keys, valueSize },
          serverArgs: [],
        });
      }
    }
  }
  return list;
}

function sizeDataset(bytes: number, keys: number): Dataset {
  return {
    kind: 'strings',
    keys: Math.max(16, Math.min(keys, Math.floor(LARGE_DATASET_BYTES / bytes))),
    valueSize: bytes,
  };
}

function sizeScenarios(keys: number): LoadScenario[] {
  return SIZES.flatMap(({ label, text, bytes }) =>
    (['get', 'set'] as const).map(
      (command): LoadScenario => ({
        kind: 'load',
        name: `${command}-${label}`,
        section: 'Size of values',
        title: `${command.toUpperCase()}, values of ${text}`,
        target: bytes < 16384 ? null : bytes < 1048576 ? 0.9 : 1,
        standard: bytes >= 16384,
        mix: command,
        clients: 50,
        pipeline: 1,
        dataset: sizeDataset(bytes, keys),
        serverArgs: [],
      }),
    ),
  );
}

/** The same load with a feature of both servers as it is by default, then switched off. */
function switchScenarios(valueSize: number, prefetchKeys: number): LoadScenario[] {
  const list: LoadScenario[] = [];
  for (const [state, serverArgs] of [
    ['on', []],
    ['off', ['--prefetch-batch-max-size', '0']],
  ] as const) {
    for (const command of ['get', 'set'] as const) {
      list.push({
        kind: 'load',
        name: `prefetch-${command}-${state}`,
        section: 'Prefetching, 10 M keys, depth 32',
        title: `${command.toUpperCase()}, prefetch ${state}`,
        target: null,
        standard: false,
        mix: command,
        clients: 50,
        pipeline: 32,
        dataset: { kind: 'strings', keys: prefetchKeys, valueSize },
        serverArgs: [...serverArgs],
      });
    }
  }
  for (const { label, text, bytes } of SIZES.filter((s) => s.bytes >= 16384)) {
    for (const [state, serverArgs] of [
      ['on', []],
      ['off', ['--min-string-size-avoid-copy-reply', '0']],
    ] as const) {
      list.push({
        kind: 'load',
        name: `references-${label}-${state}`,
        section: 'Reference replies',
        title: `GET of ${text}, ${state === 'on' ? 'by reference' : 'copied'}`,
        target: null,
        standard: false,
        mix: 'get',
        clients: 50,
        pipeline: 1,
        dataset: sizeDataset(bytes, Number.POSITIVE_INFINITY),
        serverArgs: [...serverArgs],
      });
    }
  }
  return list;
}

function latencyScenarios(keys: number, valueSize: number): LatencyScenario[] {
  return (['get', 'set'] as const).map((command) => ({
    kind: 'latency',
    name: `p99-${command}`,
    section: 'p99 at half of Valkey’s peak load',
    title: `${command.toUpperCase()}, 50 clients`,
    target: 1,
    standard: true,
    mix: command,
    clients: 50,
    dataset: { kind: 'strings', keys, valueSize },
    serverArgs: [],
  }));
}

function memoryScenarios(): MemoryScenario[] {
  return [1, 5].flatMap((millions) =>
    [16, 64, 512].map((valueSize) => ({
      kind: 'memory' as const,
      name: `memory-${millions}m-${valueSize}`,
      section: 'Memory per key',
      title: `${millions} M keys of 16 B, values of ${valueSize} B`,
      target: 1,
      standard: true,
      dataset: { kind: 'strings' as const, keys: millions * 1_000_000, valueSize },
    })),
  );
}

export interface ScenarioSettings {
  /** Keys of the scenarios that do not fix their number, and the size of their values. */
  keys: number;
  valueSize: number;
  prefetchKeys: number;
}

export function allScenarios({ keys, valueSize, prefetchKeys }: ScenarioSettings): Scenario[] {
  return [
    ...loadScenarios(keys, valueSize),
    ...sizeScenarios(keys),
    ...latencyScenarios(keys, valueSize),
    ...memoryScenarios(),
    ...switchScenarios(valueSize, prefetchKeys),
  ];
}

/**
 * The scenarios to run: those that match one of the comma-separated names in `only` (`*` stands for anything),
 * else all of them when `full`, else the standard ones. A name that matches nothing is a mistake.
 */
export function selectScenarios(
  all: readonly Scenario[],
  only: string | undefined,
  full: boolean,
): Scenario[] {
  if (only === undefined) return all.filter((s) => full || s.standard);
  const chosen = new Set<Scenario>();
  for (const pattern of only.split(',').map((p) => p.trim())) {
    const parts = pattern.split('*').map((p) => p.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    const matches = all.filter((s) => new RegExp(`^${parts.join('.*')}$`).test(s.name));
    if (matches.length === 0) throw new Error(`no scenario is named ${pattern} (--list shows them)`);
    for (const s of matches) chosen.add(s);
  }
  return all.filter((s) => chosen.has(s));
}
