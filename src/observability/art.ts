/**
 * The picture of LOLWUT: honey running down inside a goblet's glass. Kvasir's blood was mixed with honey to brew the
 * mead of poetry; whoever asks gets another pour.
 *
 * Every column is a stream with a length of its own; streams pull at their neighbours, so that drops form where several
 * long ones meet. A picture is a function of its size and its random numbers only.
 */

/** From the thick of the stream to its end. */
const INK = ['@', '%', '#', '*', '+', '=', '-', ':', '.'] as const;
const SMOOTHING_ROUNDS = 3;

/**
 * `rows` lines of `columns` characters, each ended by a line feed.
 * @param random like Math.random
 */
export function pour(columns: number, rows: number, random: () => number = Math.random): string {
  let lengths = Array.from({ length: columns }, () => random() ** 2 * rows * 1.6);
  for (let round = 0; round < SMOOTHING_ROUNDS; round++) lengths = lengths.map((_, i) => pulled(lengths, i));
  const lines: string[] = [];
  for (let row = 0; row < rows; row++) {
    lines.push(lengths.map((length) => ink(row + 0.5, length, random)).join(''));
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** A stream is drawn towards the mean of its neighbours, more by the longer one. */
function pulled(lengths: readonly number[], i: number): number {
  const own = lengths[i]!;
  const left = lengths[i - 1] ?? own;
  const right = lengths[i + 1] ?? own;
  return 0.5 * own + 0.3 * Math.max(left, right) + 0.2 * Math.min(left, right);
}

function ink(depth: number, length: number, random: () => number): string {
  if (depth > length) return ' ';
  const shade = (depth / length) * INK.length + (random() - 0.5);
  return INK[Math.max(0, Math.min(INK.length - 1, Math.floor(shade)))]!;
}
