/** The graph of LATENCY GRAPH: one column a sample, its label below it from top to bottom. */

export interface LabelledSample {
  readonly value: number;
  readonly label: string;
}

/** What the top cell of a column shows, by how much of the row it fills; cells below it are full. */
const TOPS = ['_', 'o', '#'] as const;
const FULL = '|';

/** Draws at most `columns` samples beside each other and the rest below, every block `rows` lines high. */
export function sparkline(samples: readonly LabelledSample[], columns: number, rows: number): string {
  const values = samples.map((sample) => sample.value);
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const steps = TOPS.length * rows;
  const height = (value: number) => Math.min(steps - 1, Math.trunc(((value - low) * steps) / span));
  const blocks: string[] = [];
  for (let from = 0; from < samples.length; from += columns) {
    const block = samples.slice(from, from + columns);
    const lines: string[] = [];
    for (let row = rows - 1; row >= 0; row--) {
      lines.push(block.map(({ value }) => cell(height(value) - row * TOPS.length)).join(''));
    }
    lines.push(' '.repeat(block.length));
    const longest = Math.max(...block.map(({ label }) => label.length));
    for (let i = 0; i < longest; i++) lines.push(block.map(({ label }) => label[i] ?? ' ').join(''));
    blocks.push(lines.map((line) => `${line}\n`).join(''));
  }
  return blocks.join('\n');
}

function cell(step: number): string {
  if (step < 0) return ' ';
  return TOPS[step] ?? FULL;
}
