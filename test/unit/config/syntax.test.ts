import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { absolutePath } from '../../../src/config/directory.js';
import { globMatch } from '../../../src/config/glob.js';
import { expandWildcard } from '../../../src/config/include.js';
import {
  formatDouble,
  formatMemory,
  parseDouble,
  parseInteger,
  parseLoose,
  parseMemory,
} from '../../../src/config/numbers.js';
import { quote, splitWords } from '../../../src/config/quoting.js';

describe('numbers', () => {
  it.each([
    ['0', 0n],
    ['', 0n],
    ['kb', 0n],
    ['1b', 1n],
    ['1k', 1000n],
    ['1KB', 1024n],
    ['2m', 2_000_000n],
    ['2Mb', 2097152n],
    ['3g', 3_000_000_000n],
    ['3GB', 3221225472n],
    ['18446744073709551615', 18446744073709551615n],
    ['18446744073709551616', null],
    ['17179869185gb', 1073741824n],
    ['-1', null],
    ['1 kb', null],
    ['1tb', null],
    ['1.5mb', null],
    ['0'.repeat(128), null],
    ['0'.repeat(127), 0n],
  ])('memory %j', (text, value) => {
    expect(parseMemory(text)).toBe(value);
  });

  it.each([
    ['0', 0n],
    ['-0', null],
    ['00', null],
    ['+1', null],
    [' 1', null],
    ['-1', -1n],
    ['9223372036854775807', 9223372036854775807n],
    ['9223372036854775808', null],
    ['-9223372036854775808', -9223372036854775808n],
    ['-9223372036854775809', null],
    ['', null],
  ])('integer %j', (text, value) => {
    expect(parseInteger(text)).toBe(value);
  });

  it('loose integers saturate', () => {
    expect(parseLoose(' \t+12')).toEqual({ value: 12n, overflow: false });
    expect(parseLoose('')).toEqual({ value: 0n, overflow: false });
    expect(parseLoose(' ')).toBeNull();
    expect(parseLoose('12 ')).toBeNull();
    expect(parseLoose('-99999999999999999999')).toEqual({ value: -(1n << 63n), overflow: true });
    expect(parseLoose('755', 8)).toEqual({ value: 0o755n, overflow: false });
    expect(parseLoose('8', 8)).toBeNull();
  });

  it('doubles', () => {
    expect(['1', '.5', '5.', '+1e2', '-0'].map(parseDouble)).toEqual([1, 0.5, 5, 100, -0]);
    expect(['inf', '-Infinity'].map(parseDouble)).toEqual([Infinity, -Infinity]);
    expect(['', 'nan', '0x1', '1e', ' 1', '1e999', '1e-999', '.'].map(parseDouble)).toEqual(
      Array(8).fill(null),
    );
    expect([50, 99.9, 0, -0, 100, 1 / 3].map(formatDouble)).toEqual([
      '50',
      '99.9',
      '0',
      '-0',
      '100',
      '0.333333',
    ]);
  });

  it('sizes are written in the largest unit that fits', () => {
    expect([0n, 1n, 1000n, 1024n, 1536n, 3n << 20n, 5n << 30n].map(formatMemory)).toEqual(
      ['0', '1', '1000', '1kb', '1536', '3mb', '5gb'], //
    );
  });
});

describe('quoting', () => {
  it.each<[string, string[] | null]>([
    ['', []],
    [' \v\f ', []],
    ['a b\tc', ['a', 'b', 'c']],
    ['"a b" \'c d\'', ['a b', 'c d']],
    ['a"b c"d', ['ab cd']],
    ['"a"b', ['ab']],
    ['""', ['']],
    ["''", ['']],
    ['"\\x41\\x4z\\n\\r\\t\\b\\a\\q\\""', ['Ax4z\n\r\t\b\x07q"']],
    ["'\\n\\''", ["\\n'"]],
    ['a\\n', ['a\\n']],
    ['"a', null],
    ["'a", null],
    ['"a\\', null],
    ['a\0b', ['a']],
    ['"a\0"', null],
  ])('splits %j', (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });

  it('reads back every byte it quotes', () => {
    const all = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('');
    const quoted = quote(all);
    expect(quoted).toMatch(/^[ -~]*$/);
    expect(splitWords(quoted)).toEqual([all]);
  });
});

describe('glob', () => {
  it.each([
    ['*', 'save', true],
    ['SAVE', 'save', true],
    ['s?ve', 'save', true],
    ['s?ve', 'sve', false],
    ['*max*', 'maxmemory', true],
    ['[^a]*', 'bind', true],
    ['[^b]*', 'bind', false],
    ['[z-a]ind', 'bind', true],
    ['[A-C]ind', 'bind', true],
    ['\\*', 'x', false],
    ['\\s*', 'save', true],
    ['[b', 'b', true],
    ['[', 'b', false],
    ['save**', 'save', true],
    ['', '', true],
    ['?', '', false],
  ])('%j on %j', (pattern, text, matches) => {
    expect(globMatch(pattern, text)).toBe(matches);
  });

  it('is not exponential in the number of stars', () => {
    expect(globMatch(`${'a*'.repeat(60)}b`, 'a'.repeat(2000))).toBe(false);
  });
});

describe('paths', () => {
  let directory: string;
  const files = ['a.conf', 'b.conf', '.c.conf', 'sub/a.conf', 'sub/d.txt', 'x[1].conf', 'é.conf'];

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'kvasir-glob-'));
    mkdirSync(join(directory, 'sub'));
    for (const file of files) writeFileSync(join(directory, file), '');
  });

  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  it.each<[string, string[]]>([
    ['*.conf', ['a.conf', 'b.conf', 'x[1].conf', '\xc3\xa9.conf']],
    ['.*.conf', ['.c.conf']],
    ['?.conf', ['a.conf', 'b.conf']],
    ['[ab].conf', ['a.conf', 'b.conf']],
    ['[!a].conf', ['b.conf']],
    ['[^a].conf', ['b.conf']],
    ['[[:upper:]].conf', []],
    ['[a-]*.conf', ['a.conf']],
    ['x\\[*', ['x[1].conf']],
    ['x[[]1].conf', ['x[1].conf']],
    ['*/a.conf', ['sub/a.conf']],
    ['./s*/*', ['./sub/a.conf', './sub/d.txt']],
    ['[z-a].conf', []],
    ['a.conf/*', []],
    ['nowhere/*', []],
  ])('%s', (pattern, found) => {
    expect(expandWildcard(pattern, directory)).toEqual(found);
    const base = `${directory}/`;
    expect(expandWildcard(base + pattern, '/')).toEqual(found.map((path) => base + path));
  });

  it('become absolute', () => {
    expect(absolutePath('/a/b', 'c.conf')).toBe('/a/b/c.conf');
    expect(absolutePath('/a/b', '../../../c')).toBe('/c');
    expect(absolutePath('/a/b', ' /c \n')).toBe('/c');
    expect(absolutePath('/', 'c')).toBe('/c');
  });
});
