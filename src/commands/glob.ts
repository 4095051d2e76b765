/**
 * Glob patterns as KEYS, PSUBSCRIBE and the filters of administrative commands understand them: `*`, `?`, `[a-z]`,
 * `[^a]`, and a backslash before a character that stands for itself. Works on latin1 byte strings; case is folded for
 * ASCII letters only.
 *
 * Compatible with Valkey in the corners as well: an unclosed class ends with the pattern, an escaped character in a
 * class is compared with its case, and no pattern but the empty one matches the empty string.
 */

const MAX_NESTING = 1000;

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;
const CARET = 0x5e;
const DASH = 0x2d;

export function globMatch(pattern: string, text: string, options: { ignoreCase?: boolean } = {}): boolean {
  return new Matcher(pattern, text, options.ignoreCase ?? false).match(0, 0, 0);
}

class Matcher {
  /**
   * Set when what follows a star matched nowhere in the rest of the text: an earlier star cannot help by taking more,
   * which keeps patterns with many stars from costing exponential time.
   */
  private exhausted = false;

  constructor(
    private readonly pattern: string,
    private readonly text: string,
    private readonly ignoreCase: boolean,
  ) {}

  match(patternStart: number, textStart: number, nesting: number): boolean {
    if (nesting > MAX_NESTING) return false;
    const { pattern, text } = this;
    let p = patternStart;
    let t = textStart;
    while (p < pattern.length && t < text.length) {
      let char = pattern.charCodeAt(p);
      if (char === STAR) return this.matchStar(p, t, nesting);
      if (char === OPEN) {
        const end = this.matchClass(p + 1, text.charCodeAt(t));
        if (end < 0) return false;
        p = end;
      } else if (char !== QUESTION) {
        if (char === BACKSLASH && p + 1 < pattern.length) char = pattern.charCodeAt(++p);
        if (this.fold(char) !== this.fold(text.charCodeAt(t))) return false;
      }
      p++;
      t++;
      if (t === text.length) {
        while (pattern.charCodeAt(p) === STAR) p++;
      }
    }
    return p >= pattern.length && t === text.length;
  }

  private matchStar(star: number, textStart: number, nesting: number): boolean {
    let next = star + 1;
    while (this.pattern.charCodeAt(next) === STAR) next++;
    if (next === this.pattern.length) return true;
    for (let t = textStart; t < this.text.length; t++) {
      if (this.match(next, t, nesting + 1)) return true;
      if (this.exhausted) return false;
    }
    this.exhausted = true;
    return false;
  }

  /** The position of the bracket that closes the class which starts at `start`, or -1 if `char` is not in it. */
  private matchClass(start: number, char: number): number {
    const { pattern } = this;
    let p = start;
    const negated = pattern.charCodeAt(p) === CARET;
    if (negated) p++;
    let found = false;
    for (; p < pattern.length; p++) {
      const member = pattern.charCodeAt(p);
      if (member === BACKSLASH && p + 1 < pattern.length) {
        if (pattern.charCodeAt(++p) === char) found = true;
      } else if (member === CLOSE) {
        break;
      } else if (pattern.charCodeAt(p + 1) === DASH && p + 2 < pattern.length) {
        const other = pattern.charCodeAt(p + 2);
        const low = this.fold(Math.min(member, other));
        const high = this.fold(Math.max(member, other));
        if (this.fold(char) >= low && this.fold(char) <= high) found = true;
        p += 2;
      } else if (this.fold(member) === this.fold(char)) {
        found = true;
      }
    }
    return found === negated ? -1 : p;
  }

  private fold(char: number): number {
    return this.ignoreCase && char >= 0x41 && char <= 0x5a ? char + 0x20 : char;
  }
}
