// The glob of CONFIG GET: `*`, `?`, `[a-z]`, `[^a]` and `\` as an escape, case-insensitive on ASCII letters. Work is
// bounded: once the rest of a pattern has failed at every later position, no outer star tries it again, so a hostile
// pattern costs pattern x text steps, not an exponential number.

const MAX_NESTING = 1000;

interface Search {
  /** Set when a star has tried all positions: longer matches for the stars before it are pointless. */
  exhausted: boolean;
}

function lower(code: number): number {
  return code >= 65 && code <= 90 ? code + 32 : code;
}

/** Matches one `[...]` class that starts at `at` (just behind the bracket). Returns the index of its last byte. */
function matchClass(pattern: string, at: number, code: number): { matched: boolean; last: number } {
  const length = pattern.length;
  const negated = at < length && pattern[at] === '^';
  if (negated) at++;
  let matched = false;
  for (; ; at++) {
    if (at + 1 < length && pattern[at] === '\\') {
      at++;
      if (pattern.charCodeAt(at) === code) matched = true;
    } else if (at >= length) {
      at--;
      break;
    } else if (pattern[at] === ']') {
      break;
    } else if (at + 2 < length && pattern[at + 1] === '-') {
      const from = pattern.charCodeAt(at);
      const to = pattern.charCodeAt(at + 2);
      const c = lower(code);
      if (c >= lower(Math.min(from, to)) && c <= lower(Math.max(from, to))) matched = true;
      at += 2;
    } else if (lower(pattern.charCodeAt(at)) === lower(code)) {
      matched = true;
    }
  }
  return { matched: matched !== negated, last: at };
}

function match(
  pattern: string,
  p: number,
  text: string,
  t: number,
  search: Search,
  nesting: number,
): boolean {
  if (nesting > MAX_NESTING) return false;
  while (p < pattern.length && t < text.length) {
    const c = pattern[p]!;
    if (c === '*') {
      while (pattern[p + 1] === '*') p++;
      if (p + 1 === pattern.length) return true;
      for (; t < text.length; t++) {
        if (match(pattern, p + 1, text, t, search, nesting + 1)) return true;
        if (search.exhausted) return false;
      }
      search.exhausted = true;
      return false;
    }
    if (c === '[') {
      const { matched, last } = matchClass(pattern, p + 1, text.charCodeAt(t));
      if (!matched) return false;
      p = last;
    } else if (c !== '?') {
      if (c === '\\' && p + 1 < pattern.length) p++;
      if (lower(pattern.charCodeAt(p)) !== lower(text.charCodeAt(t))) return false;
    }
    t++;
    p++;
    if (t === text.length) {
      while (pattern[p] === '*') p++;
      break;
    }
  }
  return p >= pattern.length && t === text.length;
}

export function isPattern(text: string): boolean {
  return /[[*?]/.test(text);
}

export function globMatch(pattern: string, text: string): boolean {
  return match(pattern, 0, text, 0, { exhausted: false }, 0);
}
