// Number syntax of valkey.conf. Every function mirrors what the C routines accept, because the border cases are
// visible to clients: an empty memory value is 0, "+5" is no integer, " 5" is one where strtoll reads it.

const INT64_MIN = -(1n << 63n);
const INT64_MAX = (1n << 63n) - 1n;
const UINT64_MAX = (1n << 64n) - 1n;

const units: Readonly<Record<string, bigint>> = {
  '': 1n,
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1000_000n,
  mb: 1024n ** 2n,
  g: 1000_000_000n,
  gb: 1024n ** 3n,
};

/** Digits and an optional unit, case-insensitive. The product wraps at 64 bits. Null where it is no memory value. */
export function parseMemory(text: string): bigint | null {
  const match = /^([0-9]*)([a-z]*)$/i.exec(text);
  if (!match) return null;
  const digits = match[1]!;
  const unit = units[match[2]!.toLowerCase()];
  if (unit === undefined || digits.length >= 128) return null;
  const value = BigInt(digits);
  if (value > UINT64_MAX) return null;
  return BigInt.asUintN(64, value * unit);
}

/** The strict integer of the protocol: no sign but '-', no leading zero, no blank, within 64 bits. */
export function parseInteger(text: string): bigint | null {
  if (!/^(0|-?[1-9][0-9]{0,19})$/.test(text)) return null;
  const value = BigInt(text);
  return value < INT64_MIN || value > INT64_MAX ? null : value;
}

/**
 * strtoll(3) that must consume the whole text: leading blanks and a sign are allowed, the empty text is 0.
 * Overflow saturates and is reported, as errno would.
 */
export function parseLoose(text: string, base: 8 | 10 = 10): { value: bigint; overflow: boolean } | null {
  if (text === '') return { value: 0n, overflow: false };
  const match = (base === 8 ? /^[ \t\n\v\f\r]*([+-]?)([0-7]+)$/ : /^[ \t\n\v\f\r]*([+-]?)([0-9]+)$/).exec(
    text,
  );
  if (!match) return null;
  const magnitude = BigInt(base === 8 ? `0o${match[2]}` : match[2]!);
  const value = match[1] === '-' ? -magnitude : magnitude;
  if (value > INT64_MAX) return { value: INT64_MAX, overflow: true };
  if (value < INT64_MIN) return { value: INT64_MIN, overflow: true };
  return { value, overflow: false };
}

/** A decimal or infinity; null for anything else, for NaN and for what overflows or underflows a double. */
export function parseDouble(text: string): number | null {
  const infinity = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinity) return infinity[1] === '-' ? -Infinity : Infinity;
  if (!/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/i.test(text)) return null;
  const value = Number(text);
  if (!Number.isFinite(value)) return null;
  if (value === 0 && /[1-9]/.test(text.replace(/e.*$/i, ''))) return null;
  return value;
}

/** Six decimals without trailing zeros. */
export function formatDouble(value: number): string {
  const text = Object.is(value, -0) ? '-0' : value.toFixed(6).replace(/\.?0+$/, '');
  return text;
}

/** Bytes in the largest unit that divides them, as CONFIG REWRITE writes sizes. */
export function formatMemory(bytes: bigint): string {
  for (const unit of ['gb', 'mb', 'kb']) {
    const size = units[unit]!;
    if (bytes !== 0n && bytes % size === 0n) return `${bytes / size}${unit}`;
  }
  return bytes.toString();
}
