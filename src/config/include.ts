// The wildcards of `include`, as glob(3) understands them: `*`, `?`, `[...]` and `\` within one part of a path, hidden
// files only where the pattern names the dot, the result in byte order. A pattern without a match gives nothing.

import { lstatSync, readdirSync } from 'node:fs';
import { toPath } from './bytes.js';
import { joinPath } from './directory.js';

const MAGIC = /[*?[]/;

const classes: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  blank: ' \\t',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: ' \\t-\\r',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
};

function literal(c: string): string {
  return `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** The bracket expression at the start of `text`, or null where the bracket is a plain character. */
function bracket(text: string): { source: string; length: number } | null {
  const match = /^\[([!^]?)(\]?(?:\[:[a-z]+:\]|\\.|[^\]\\])*)\]/s.exec(text);
  if (!match) return null;
  let source = '';
  const items = match[2]!.match(/\[:[a-z]+:\]|\\.|[^\\]/gs) ?? [];
  for (const [i, item] of items.entries()) {
    const named = /^\[:([a-z]+):\]$/.exec(item)?.[1];
    if (named !== undefined) source += classes[named] ?? '';
    else if (item === '-' && i > 0 && i < items.length - 1) source += '-';
    else source += literal(item.at(-1)!);
  }
  if (source === '') return { source: match[1] ? '[^]' : '[]', length: match[0].length };
  return { source: `[${match[1] ? '^' : ''}${source}]`, length: match[0].length };
}

function toRegExp(part: string): RegExp | null {
  let source = '';
  for (let at = 0; at < part.length; ) {
    const c = part[at]!;
    const range = c === '[' ? bracket(part.slice(at)) : null;
    if (range) {
      source += range.source;
      at += range.length;
    } else if (c === '\\' && at + 1 < part.length) {
      source += literal(part[at + 1]!);
      at += 2;
    } else {
      source += c === '*' ? '.*' : c === '?' ? '.' : literal(c);
      at++;
    }
  }
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    // A range that runs backwards matches nothing.
    return null;
  }
}

function entries(directory: string, part: string): string[] {
  const pattern = toRegExp(part);
  if (pattern === null) return [];
  const hidden = /^\\?\./.test(part);
  let names: string[];
  try {
    names = readdirSync(toPath(directory), { encoding: 'latin1' });
  } catch {
    return [];
  }
  if (hidden) names.push('.', '..');
  return names.filter((name) => (hidden || !name.startsWith('.')) && pattern.test(name));
}

function exists(path: string): boolean {
  try {
    lstatSync(toPath(path));
    return true;
  } catch {
    return false;
  }
}

export function isWildcard(path: string): boolean {
  return MAGIC.test(path);
}

/** The paths that match, as the pattern spells their directory. Relative ones start from `directory`. */
export function expandWildcard(pattern: string, directory: string): string[] {
  let found = [pattern.startsWith('/') ? '/' : ''];
  const parts = pattern.split('/').filter((part) => part !== '');
  for (const [i, part] of parts.entries()) {
    const last = i === parts.length - 1;
    found = found.flatMap((base) => {
      const names = MAGIC.test(part)
        ? entries(joinPath(directory, base), part)
        : [part.replace(/\\(.)/gs, '$1')];
      return names
        .map((name) => base + name + (last ? '' : '/'))
        .filter((path) => exists(joinPath(directory, path)));
    });
  }
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
