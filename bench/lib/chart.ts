import { sections } from './report.js';
import type { BenchResults, ScenarioResult } from './results.js';

const WIDTH = 860;
const LABEL = 290;
const PLOT = 440;
const ROW = 26;
const HEADING = 34;
const TOP = 104;
const BOTTOM = 40;
const COLOUR = {
  kvasir: '#1f6feb',
  slower: '#b35900',
  valkey: '#c4c9d0',
  text: '#1f2328',
  dim: '#656d76',
  grid: '#e4e7eb',
};

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);
}

/** The right end of the axis: a quarter above the longest bar, between 1.25 and 2.5. Longer bars are cut there. */
export function axisEnd(ratios: readonly number[]): number {
  const longest = Math.max(1, ...ratios);
  return Math.min(2.5, Math.max(1.25, Math.ceil(longest * 1.05 * 4) / 4));
}

/** Bars of the scenarios' ratios, Valkey being 1.0; a tick on a bar's lane marks the target. */
export function svgChart(results: BenchResults): string {
  const groups = sections(results.scenarios);
  const height = TOP + groups.size * HEADING + results.scenarios.length * ROW + BOTTOM;
  const end = axisEnd(results.scenarios.map((s) => s.ratio));
  const x = (ratio: number) => LABEL + (Math.min(ratio, end) / end) * PLOT;
  const out: string[] = [];
  const text = (px: number, py: number, size: number, fill: string, content: string, extra = '') =>
    out.push(
      `<text x="${px.toFixed(1)}" y="${py.toFixed(1)}" font-size="${size}" fill="${fill}"${extra}>${escapeXml(content)}</text>`,
    );
  const rect = (px: number, py: number, w: number, h: number, fill: string) =>
    out.push(
      `<rect x="${px.toFixed(1)}" y="${py.toFixed(1)}" width="${w.toFixed(1)}" height="${h}" rx="2" fill="${fill}"/>`,
    );

  out.push(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" role="img">`,
    '<title>Kvasir relative to Valkey</title>',
    `<rect width="${WIDTH}" height="${height}" rx="8" fill="#ffffff"/>`,
  );
  text(24, 34, 18, COLOUR.text, 'Kvasir relative to Valkey = 1.0: less is better', ' font-weight="600"');
  text(
    24,
    54,
    12,
    COLOUR.dim,
    'CPU time of the server per request; p99 and resident memory where the heading says so',
  );
  rect(24, 68, 14, 10, COLOUR.kvasir);
  text(44, 77, 12, COLOUR.text, 'Kvasir');
  rect(104, 68, 14, 10, COLOUR.slower);
  text(124, 77, 12, COLOUR.text, 'Kvasir, above Valkey');
  rect(264, 68, 14, 10, COLOUR.valkey);
  text(284, 77, 12, COLOUR.text, 'Valkey');
  out.push(`<line x1="344" x2="344" y1="66" y2="80" stroke="${COLOUR.text}" stroke-width="2"/>`);
  text(352, 77, 12, COLOUR.text, 'target');

  const bottom = height - BOTTOM;
  for (let tick = 0; tick <= end + 1e-9; tick += 0.25) {
    const strong = tick === 1;
    out.push(
      `<line x1="${x(tick).toFixed(1)}" x2="${x(tick).toFixed(1)}" y1="${TOP - 8}" y2="${bottom}" stroke="${strong ? COLOUR.dim : COLOUR.grid}"${strong ? ' stroke-dasharray="4 3"' : ''}/>`,
    );
    text(x(tick), bottom + 16, 11, COLOUR.dim, tick.toFixed(2), ' text-anchor="middle"');
  }

  let y = TOP;
  const bar = (r: ScenarioResult) => {
    text(LABEL - 10, y + 15, 12, COLOUR.text, r.title, ' text-anchor="end"');
    rect(LABEL, y + 16, x(1) - LABEL, 5, COLOUR.valkey);
    rect(LABEL, y + 4, x(r.ratio) - LABEL, 12, r.ratio > 1.005 ? COLOUR.slower : COLOUR.kvasir);
    if (r.target !== null) {
      out.push(
        `<line x1="${x(r.target).toFixed(1)}" x2="${x(r.target).toFixed(1)}" y1="${y + 1}" y2="${y + 23}" stroke="${COLOUR.text}" stroke-width="2"/>`,
      );
    }
    const after = Math.max(x(r.ratio), r.target === null ? 0 : x(r.target), x(1)) + 8;
    text(after, y + 15, 12, COLOUR.text, r.ratio.toFixed(2) + (r.noisy ? ' ~' : ''), ' font-weight="600"');
    y += ROW;
  };
  for (const [section, list] of groups) {
    text(24, y + 22, 13, COLOUR.text, section, ' font-weight="600"');
    y += HEADING;
    for (const r of list) bar(r);
  }
  text(
    24,
    height - 8,
    11,
    COLOUR.dim,
    `${results.host.cpu}, ${results.date}; ${results.servers.map((s) => s.version.replace(/ sha=.*/, '')).join('; ')}`,
  );
  out.push('</svg>', '');
  return out.join('\n');
}
