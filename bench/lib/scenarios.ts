import { collectionMemoryScenarios, collectionScenarios } from './collections.js';
import { commandTimeScenarios } from './command-times.js';
import type { Dataset } from './dataset.js';
import { expiryScenarios } from './expiry.js';
import type { Work } from './load.js';
import type { Metric } from './results.js';
import { keyMemoryScenarios, stringScenarios, switchScenarios } from './strings.js';

interface Common {
  name: string;
  section: string;
  title: string;
  target: number | null;
  /** Measured unless `--only`, `--section` or `--full` say otherwise. */
  standard: boolean;
}

/** A closed loop at full speed, judged by the server's CPU time per request. */
export interface LoadScenario extends Common {
  kind: 'load';
  work: Work;
  clients: number;
  pipeline: number;
  dataset: Dataset;
  serverArgs: string[];
}

/** An open loop at half of Valkey's peak, judged by p99 from the scheduled time. */
export interface LatencyScenario extends Common {
  kind: 'latency';
  work: Work;
  clients: number;
  dataset: Dataset;
  serverArgs: string[];
}

/** Many calls of one command, judged by the time inside it that `INFO commandstats` reports. */
export interface CommandTimeScenario extends Common {
  kind: 'command';
  /** As it stands in INFO. */
  command: string;
  work: Work;
  /** For each second of measuring. */
  calls: number;
  /** Kvasir's kernels (`DEBUG SIMD`); Valkey uses what it has. */
  kernels: string;
  dataset: Dataset;
  serverArgs: string[];
}

/** Growth of resident memory by a dataset, divided by the number of its keys or elements. */
export interface MemoryScenario extends Common {
  kind: 'memory';
  dataset: Dataset;
  metric: 'bytesPerKey' | 'bytesPerElement';
  count: number;
}

/**
 * Fields of hashes expire while other clients get keys at half of Valkey's peak: judged by the longest time that a
 * field stayed after its deadline, or by p99.9 of the gets. Scenarios that differ only in that are one measurement.
 */
export interface ExpiryScenario extends Common {
  kind: 'expiry';
  metric: 'maxUs' | 'p999Us';
  hashes: number;
  fields: number;
  clients: number;
  /** What the other clients get. */
  work: Work;
  dataset: Dataset;
}

export type Scenario = LoadScenario | LatencyScenario | CommandTimeScenario | MemoryScenario | ExpiryScenario;

export function metricOf(scenario: Scenario): Metric {
  switch (scenario.kind) {
    case 'load':
      return 'cpuUs';
    case 'latency':
      return 'p99Us';
    case 'command':
      return 'commandUs';
    default:
      return scenario.metric;
  }
}

export interface ScenarioSettings {
  /** Keys of the scenarios that do not fix their number, and the size of their values. */
  keys: number;
  valueSize: number;
  prefetchKeys: number;
  /** Seconds under load of each measurement, warm-up included: what is consumed must last as long. */
  loadSeconds: number;
  /** Whether Kvasir's fastest kernels are the AVX-512 ones here. */
  avx512: boolean;
}

export function allScenarios(settings: ScenarioSettings): Scenario[] {
  const { keys, valueSize } = settings;
  return [
    ...stringScenarios(keys, valueSize),
    ...collectionScenarios(settings),
    ...commandTimeScenarios(settings.avx512),
    ...expiryScenarios(keys, valueSize),
    ...keyMemoryScenarios(),
    ...collectionMemoryScenarios(),
    ...switchScenarios(valueSize, settings.prefetchKeys),
  ];
}

export interface Selection {
  /** Comma-separated names; `*` stands for anything. */
  only?: string | undefined;
  /** Comma-separated beginnings of sections. */
  section?: string | undefined;
  full: boolean;
}

function words(list: string): string[] {
  return list.split(',').map((word) => word.trim());
}

/**
 * The scenarios to run: those that `only` names; or those of the sections `section` names, or all, of which the
 * standard ones unless `full`. A name that matches nothing is a mistake.
 */
export function selectScenarios(all: readonly Scenario[], selection: Selection): Scenario[] {
  const chosen = new Set<Scenario>();
  if (selection.only !== undefined) {
    for (const pattern of words(selection.only)) {
      const parts = pattern.split('*').map((p) => p.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
      const matches = all.filter((s) => new RegExp(`^${parts.join('.*')}$`).test(s.name));
      if (matches.length === 0) throw new Error(`no scenario is named ${pattern} (--list shows them)`);
      for (const s of matches) chosen.add(s);
    }
    return all.filter((s) => chosen.has(s));
  }
  for (const beginning of selection.section === undefined ? [''] : words(selection.section)) {
    const matches = all.filter((s) => s.section.toLowerCase().startsWith(beginning.toLowerCase()));
    if (matches.length === 0) throw new Error(`no section begins with ${beginning} (--list shows them)`);
    for (const s of matches) if (selection.full || s.standard) chosen.add(s);
  }
  return all.filter((s) => chosen.has(s));
}
