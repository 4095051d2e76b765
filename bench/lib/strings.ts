import { counters, strings } from './dataset.js';
import type { LatencyScenario, LoadScenario, MemoryScenario, Scenario } from './scenarios.js';

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

function pipelineScenarios(keys: number, valueSize: number): LoadScenario[] {
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
          work: { send: COMMANDS[command], keyspace: keys, valueSize },
          clients,
          pipeline,
          dataset: command === 'incr' ? counters(keys) : strings(keys, valueSize),
          serverArgs: [],
        });
      }
    }
  }
  return list;
}

function sizedKeys(bytes: number, keys: number): number {
  return Math.max(16, Math.min(keys, Math.floor(LARGE_DATASET_BYTES / bytes)));
}

function sizeScenarios(keys: number): LoadScenario[] {
  return SIZES.flatMap(({ label, text, bytes }) =>
    (['get', 'set'] as const).map((command): LoadScenario => {
      const count = sizedKeys(bytes, keys);
      return {
        kind: 'load',
        name: `${command}-${label}`,
        section: 'Size of values',
        title: `${command.toUpperCase()}, values of ${text}`,
        target: bytes < 16384 ? null : bytes < 1048576 ? 0.9 : 1,
        standard: bytes >= 16384,
        work: { send: command, keyspace: count, valueSize: bytes },
        clients: 50,
        pipeline: 1,
        dataset: strings(count, bytes),
        serverArgs: [],
      };
    }),
  );
}

/** The same load with a feature of both servers as it is by default, then switched off. */
export function switchScenarios(valueSize: number, prefetchKeys: number): LoadScenario[] {
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
        work: { send: command, keyspace: prefetchKeys, valueSize },
        clients: 50,
        pipeline: 32,
        dataset: strings(prefetchKeys, valueSize),
        serverArgs: [...serverArgs],
      });
    }
  }
  for (const { label, text, bytes } of SIZES.filter((s) => s.bytes >= 16384)) {
    const count = sizedKeys(bytes, Number.POSITIVE_INFINITY);
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
        work: { send: 'get', keyspace: count, valueSize: bytes },
        clients: 50,
        pipeline: 1,
        dataset: strings(count, bytes),
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
    work: { send: command, keyspace: keys, valueSize },
    clients: 50,
    dataset: strings(keys, valueSize),
    serverArgs: [],
  }));
}

export function keyMemoryScenarios(): MemoryScenario[] {
  return [1, 5].flatMap((millions) =>
    [16, 64, 512].map((valueSize) => ({
      kind: 'memory' as const,
      name: `memory-${millions}m-${valueSize}`,
      section: 'Memory per key',
      title: `${millions} M keys of 16 B, values of ${valueSize} B`,
      target: 1,
      standard: true,
      dataset: strings(millions * 1_000_000, valueSize),
      metric: 'bytesPerKey' as const,
      count: millions * 1_000_000,
    })),
  );
}

export function stringScenarios(keys: number, valueSize: number): Scenario[] {
  return [
    ...pipelineScenarios(keys, valueSize),
    ...sizeScenarios(keys),
    ...latencyScenarios(keys, valueSize),
  ];
}
