import type { BenchResults, Metric, Sample, ScenarioResult } from './results.js';

export const METRIC_LABEL: Record<Metric, string> = {
  cpuUs: 'CPU µs/req',
  commandUs: 'µs/call',
  p99Us: 'p99 µs',
  p999Us: 'p99.9 µs',
  maxUs: 'max µs',
  bytesPerKey: 'B/key',
  bytesPerElement: 'B/element',
};

/** Three significant figures, without an exponent. */
export function significant(value: number | null): string {
  if (value === null) return '–';
  const magnitude = Math.abs(value);
  if (magnitude >= 100) return value.toFixed(0);
  return value.toFixed(magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3);
}

/** Columns padded to their widest cell; the first to the left, the others to the right. */
export function alignedTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((h, i) =>
    Math.max(h.length, ...rows.map((r) => (r.length === 1 ? 0 : r[i]!.length))),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((c, i) => (i === 0 ? c.padEnd(widths[i]!) : c.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  const rule = widths.map((w) => '─'.repeat(w)).join('──');
  // A row of one cell is a heading across the table.
  return [line(header), rule, ...rows.map((r) => (r.length === 1 ? r[0]! : line(r)))].join('\n');
}

function pair(result: ScenarioResult, field: keyof Sample, scale = 1): string {
  const [k, v] = [result.kvasir.median[field], result.valkey.median[field]];
  if (k === null || v === null) return '–';
  return `${significant(k * scale)} / ${significant(v * scale)}`;
}

const HEADER = [
  'Scenario',
  'metric',
  'Kvasir',
  'Valkey',
  'ratio',
  'rounds',
  'target',
  'k req/s K / V',
  'p50 µs K / V',
  'p99 µs K / V',
  'p99.9 µs K / V',
];

/** A target holds for the ratio as it is printed: the second decimal is all that a measurement resolves. */
export function meets(ratio: number, target: number): boolean {
  return Number(ratio.toFixed(2)) <= target;
}

function cells(r: ScenarioResult): string[] {
  return [
    r.title + (r.rate === null ? '' : ` at ${r.rate} req/s`),
    METRIC_LABEL[r.metric],
    significant(r.kvasir.median[r.metric]),
    significant(r.valkey.median[r.metric]),
    r.ratio.toFixed(2) + (r.noisy ? ' ~' : ''),
    `${r.ratioMin.toFixed(2)}..${r.ratioMax.toFixed(2)}`,
    r.target === null ? '' : `${r.target.toFixed(2)} ${meets(r.ratio, r.target) ? 'met' : 'missed'}`,
    pair(r, 'throughput', 1e-3),
    pair(r, 'p50Us'),
    pair(r, 'p99Us'),
    pair(r, 'p999Us'),
  ];
}

export function sections<T extends { section: string }>(results: readonly T[]): Map<string, T[]> {
  const out = new Map<string, T[]>();
  for (const r of results) {
    const list = out.get(r.section);
    if (list) list.push(r);
    else out.set(r.section, [r]);
  }
  return out;
}

function caption(results: BenchResults): string[] {
  const { host, settings } = results;
  const lines = results.servers.map((s) => `${s.id}: ${s.version}`);
  lines.push(
    `${host.cpu}, ${host.cores} cores, ${host.memoryGb} GB, Linux ${host.kernel}, Node ${host.node}, ${results.date}`,
    `Server on core ${settings.serverCore}, load on core ${settings.loadCore} (${[...new Set(results.scenarios.map((s) => s.load))].join(', ')}); ` +
      `medians of ${settings.rounds} alternating rounds of ${settings.seconds} s; ` +
      `${settings.keys} keys of 16 B with values of ${settings.valueSize} B unless the row says otherwise.`,
    'ratio: Kvasir / Valkey, smaller is better; rounds: smallest and largest ratio of a single round' +
      (results.scenarios.some((s) => s.noisy) ? '; ~: disturbed or scattered samples' : ''),
  );
  if (host.loadAverage > 0.5)
    lines.push(`The machine was not idle at the start (load average ${host.loadAverage}).`);
  return lines;
}

export function textReport(results: BenchResults): string {
  const rows: string[][] = [];
  for (const [section, list] of sections(results.scenarios)) {
    rows.push([section]);
    for (const r of list) {
      const [title, ...rest] = cells(r);
      rows.push([`  ${title}`, ...rest]);
    }
  }
  return `${alignedTable(HEADER, rows)}\n\n${caption(results).join('\n')}\n`;
}

export function markdownReport(results: BenchResults): string {
  const cell = (text: string) => text.replace(/\|/g, '\\|');
  const out = ['# Kvasir beside Valkey', '', '![CPU time per request relative to Valkey](latest.svg)', ''];
  for (const [section, list] of sections(results.scenarios)) {
    out.push(
      `## ${section}`,
      '',
      `| ${HEADER.join(' | ')} |`,
      `| :-- |${' --: |'.repeat(HEADER.length - 1)}`,
    );
    for (const r of list) out.push(`| ${cells(r).map(cell).join(' | ')} |`);
    out.push('');
  }
  out.push(...caption(results).map((line) => `- ${line}`), '');
  return out.join('\n');
}
