// The quoting of valkey.conf lines, which is also that of inline commands.

const blank = ' \t\n\v\f\r';
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };
const printed: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\x07': '\\a',
  '\b': '\\b',
};

/**
 * Splits a line into words. Double quotes know \n \r \t \b \a \xHH and \<char>, single quotes only \'. A quoted part
 * may stand inside a word: a"b c"d is one word. Reading ends at a NUL. Null: a quote is not closed.
 */
export function splitWords(line: string): string[] | null {
  const words: string[] = [];
  let at = 0;
  const end = line.indexOf('\0') < 0 ? line.length : line.indexOf('\0');
  for (;;) {
    while (at < end && blank.includes(line[at]!)) at++;
    if (at >= end) return words;
    let word = '';
    let quote = '';
    for (;;) {
      if (at >= end) {
        if (quote !== '') return null;
        break;
      }
      const c = line[at]!;
      if (quote === '"' && c === '\\' && at + 1 < end) {
        const hex = /^x[0-9a-f]{2}/i.exec(line.slice(at + 1, Math.min(at + 4, end)));
        if (hex) {
          word += String.fromCharCode(Number.parseInt(hex[0].slice(1), 16));
          at += 4;
        } else {
          word += escapes[line[at + 1]!] ?? line[at + 1]!;
          at += 2;
        }
      } else if (quote === "'" && c === '\\' && at + 1 < end && line[at + 1] === "'") {
        word += "'";
        at += 2;
      } else if (quote !== '') {
        if (c === quote) quote = '';
        else word += c;
        at++;
      } else if (c === '"' || c === "'") {
        quote = c;
        at++;
      } else if (c === ' ' || c === '\n' || c === '\r' || c === '\t') {
        at++;
        break;
      } else {
        word += c;
        at++;
      }
    }
    words.push(word);
  }
}

/** The double-quoted form that splitWords reads back to the same bytes. */
export function quote(bytes: string): string {
  let out = '"';
  for (const c of bytes) {
    const code = c.charCodeAt(0);
    if (printed[c] !== undefined) out += printed[c];
    else if (code >= 0x20 && code < 0x7f) out += c;
    else out += `\\x${code.toString(16).padStart(2, '0')}`;
  }
  return `${out}"`;
}
