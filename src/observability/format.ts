/** How INFO and the reports write values. */

const UNITS = ['K', 'M', 'G', 'T', 'P'] as const;

/** `123B`, `1.50K`, `2.00G`. */
export function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  let value = bytes;
  let unit = -1;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(2)}${UNITS[unit]}`;
}

/** Seconds with six decimals. */
export function seconds(microseconds: number): string {
  const micros = Math.max(0, Math.floor(microseconds));
  return `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, '0')}`;
}

/** A name that clients chose, without the characters that give INFO its structure. */
export function safeName(name: string): string {
  return name.replace(/[#:\n\r]/g, '_');
}

/** The quotient, 0 where there is nothing to divide by. */
export function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
