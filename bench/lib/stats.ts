import {
  EMPTY_SAMPLE,
  type Metric,
  SAMPLE_FIELDS,
  type Sample,
  type ScenarioResult,
  type SideResult,
} from './results.js';

/** Samples further apart than this share of their median make a scenario count as noisy. */
export const NOISY_SPREAD = 0.15;
/** So does a server that had to wait for its core for more than this share of the time. */
export const NOISY_WAIT = 0.05;

/** The middle value, or the mean of the two middle ones. The list must not be empty. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The median of every field by itself; null where a field was not measured. */
export function medianSample(samples: readonly Sample[]): Sample {
  const out: Sample = { ...EMPTY_SAMPLE };
  for (const field of SAMPLE_FIELDS) {
    const values = samples.map((s) => s[field]).filter((v) => v !== null);
    if (values.length > 0) out[field] = median(values);
  }
  return out;
}

function required(sample: Sample | undefined, metric: Metric): number {
  const value = sample?.[metric];
  if (value === null || value === undefined || !(value > 0))
    throw new Error(`no usable ${metric} was measured`);
  return value;
}

function spreadOf(side: SideResult, metric: Metric): number {
  const values = side.samples.map((s) => required(s, metric));
  return (Math.max(...values) - Math.min(...values)) / required(side.median, metric);
}

/**
 * Judges one scenario: `samples` holds the rounds of each server, in the same order, under `kvasir` and one or
 * more other names; the other with the smallest median is what Kvasir is compared with.
 */
export function compare(
  scenario: Pick<ScenarioResult, 'name' | 'section' | 'title' | 'metric' | 'load' | 'rate' | 'target'>,
  samples: ReadonlyMap<string, readonly Sample[]>,
): ScenarioResult {
  const { metric } = scenario;
  const sides = new Map<string, SideResult>();
  for (const [id, list] of samples) sides.set(id, { samples: [...list], median: medianSample(list) });
  const kvasir = sides.get('kvasir');
  if (!kvasir) throw new Error('Kvasir was not measured');
  sides.delete('kvasir');
  const ranked = [...sides].sort((a, b) => required(a[1].median, metric) - required(b[1].median, metric));
  const best = ranked[0];
  if (!best) throw new Error('nothing was measured to compare with');
  const [valkeyId, valkey] = best;
  const perRound = kvasir.samples.map((s, i) => required(s, metric) / required(valkey.samples[i], metric));
  const spread = Math.max(spreadOf(kvasir, metric), spreadOf(valkey, metric));
  const waited = Math.max(kvasir.median.waited ?? 0, valkey.median.waited ?? 0);
  return {
    ...scenario,
    kvasir,
    valkey,
    valkeyId,
    others: Object.fromEntries(ranked.slice(1)),
    ratio: required(kvasir.median, metric) / required(valkey.median, metric),
    ratioMin: Math.min(...perRound),
    ratioMax: Math.max(...perRound),
    spread,
    noisy: spread > NOISY_SPREAD || waited > NOISY_WAIT,
  };
}
