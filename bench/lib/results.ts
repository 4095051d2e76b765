/** The shape of a benchmark's result file. Times are microseconds, CPU time is user and system of all threads. */

/** One measurement of one server; what a kind of scenario does not measure is null. */
export interface Sample {
  /** CPU time of the server per request. */
  cpuUs: number | null;
  throughput: number | null;
  p50Us: number | null;
  p99Us: number | null;
  p999Us: number | null;
  maxUs: number | null;
  /** Time inside the command per call, as the server's own statistics have it. */
  commandUs: number | null;
  /** Growth of resident memory per key, and per element of collections. */
  bytesPerKey: number | null;
  bytesPerElement: number | null;
  /** Mean length of a reply in bytes, where kvasir-load counted it. */
  replyBytes: number | null;
  /** Share of the measured time that the server was runnable but had no CPU: disturbance by others. */
  waited: number | null;
  /** CPU time of the load generator per request. */
  loadCpuUs: number | null;
}

export const SAMPLE_FIELDS = [
  'cpuUs',
  'throughput',
  'p50Us',
  'p99Us',
  'p999Us',
  'maxUs',
  'commandUs',
  'bytesPerKey',
  'bytesPerElement',
  'replyBytes',
  'waited',
  'loadCpuUs',
] as const satisfies readonly (keyof Sample)[];

export const EMPTY_SAMPLE: Sample = {
  cpuUs: null,
  throughput: null,
  p50Us: null,
  p99Us: null,
  p999Us: null,
  maxUs: null,
  commandUs: null,
  bytesPerKey: null,
  bytesPerElement: null,
  replyBytes: null,
  waited: null,
  loadCpuUs: null,
};

/** The number a scenario is judged by: the smaller, the better. */
export type Metric = 'cpuUs' | 'commandUs' | 'p99Us' | 'p999Us' | 'maxUs' | 'bytesPerKey' | 'bytesPerElement';

export interface SideResult {
  samples: Sample[];
  median: Sample;
}

export interface ScenarioResult {
  name: string;
  section: string;
  title: string;
  metric: Metric;
  load: string;
  /** Open loop: the rate all sides were given, requests a second. */
  rate: number | null;
  /** The ratio this scenario is to stay at or below, if one is set. */
  target: number | null;
  kvasir: SideResult;
  /** The faster of the Valkey builds measured, by the median of the metric. */
  valkey: SideResult;
  valkeyId: string;
  /** The slower builds, if several were measured. */
  others: Record<string, SideResult>;
  /** Kvasir / Valkey of the medians, and the extremes of the rounds' own ratios. */
  ratio: number;
  ratioMin: number;
  ratioMax: number;
  /** Smallest to largest sample of the worse side, as a share of its median. */
  spread: number;
  noisy: boolean;
}

export interface HostInfo {
  cpu: string;
  cores: number;
  memoryGb: number;
  kernel: string;
  node: string;
  loadAverage: number;
}

export interface BenchSettings {
  rounds: number;
  /** Of each measured run, and of the discarded load before it. */
  seconds: number;
  warmup: number;
  expirySeconds: number;
  /** Keys and bytes of a value where the scenario does not say. */
  keys: number;
  valueSize: number;
  serverCore: number;
  loadCore: number;
}

export interface BenchResults {
  format: 1;
  date: string;
  host: HostInfo;
  servers: { id: string; path: string; version: string }[];
  settings: BenchSettings;
  scenarios: ScenarioResult[];
}
